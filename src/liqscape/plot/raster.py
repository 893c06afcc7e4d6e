"""Down-sampling of a heatmap to the pixels of its box, and the colours of those pixels.

A pixel that stands for several cells shows the largest of them: a thin dense band must not fade because the picture is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb

from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.model.maps import Heatmap
from liqscape.plot.theme import CLASSES, Theme

PRIOR_DOMINATED = 0.5  # share of a cell from which on it is drawn hatched
_STRIPE = 12  # pixels from one hatch line to the next
_TABLE = 1024  # shades in the look-up table
_SWEPT_TO = 0.3  # a cell ends here if the next column holds less than this share of it and the price was there


@dataclass(frozen=True)
class Raster:
    """A heatmap in pixels; row 0 is the lowest price.

    Parameters
    ----------
    usd : float64[rows, columns], USD per 0.1 % of price, NaN where there is no data
    prior : bool[rows, columns], true where the cell that is shown is more than half assumption
    swept : bool[rows, columns], true at the last pixel of a band that the price then swept
    """

    usd: FloatArray
    prior: BoolArray
    swept: BoolArray

    @property
    def empty_columns(self) -> BoolArray:
        """bool[columns], true where no cell of the column is known."""
        return np.isnan(self.usd).sum(axis=0) == self.usd.shape[0]


def class_borders(scale: tuple[float, float] | None, usd: npt.NDArray[np.floating]) -> FloatArray:
    """Return the borders of the colour classes, float64[CLASSES + 1], USD per 0.1 %, ascending.

    Borders are even in log dollars from the scale's low to its high end. Without a scale the ends are 1, 2 or 5 times a power
    of ten, at or below the 1st and at or above the 99.5th percentile of `usd`: they move in these steps only, so pictures of
    one instrument mostly share them, and no shade is spent on dollars that do not occur.
    """
    if scale is None:
        known = usd[np.isfinite(usd) & (usd > 0.0)]
        # A sample of the cells is enough for so coarse a step and spares sorting millions.
        ends = np.quantile(known[:: max(1, known.size // 200_000)], (0.01, 0.995)) if known.size else (1e4, 1e6)
        scale = _step(float(ends[0]), up=False), _step(float(ends[1]), up=True)
    return np.geomspace(scale[0], max(scale[1], 2.0 * scale[0]), CLASSES + 1)


def _step(usd: float, *, up: bool) -> float:
    """Round up or down to 1, 2 or 5 times a power of ten."""
    steps = np.array([1.0, 2.0, 5.0, 10.0]) * 10.0 ** np.floor(np.log10(usd))
    return float(steps[steps >= usd * (1.0 - 1e-9)][0] if up else steps[steps <= usd * (1.0 + 1e-9)][-1])


def rasterise(heatmap: Heatmap, width: int, height: int) -> tuple[Raster, int, int]:
    """Fit a heatmap into width x height pixels; return the raster and its first and last instant, ns UTC.

    Pixels whose time no column covers are NaN.
    """
    first = int(heatmap.start_ns[0])
    last = int(heatmap.start_ns[-1]) + heatmap.interval_ns
    times = first + (np.arange(width) * ((last - first) / width)).astype(np.int64)
    columns = np.clip(np.searchsorted(heatmap.start_ns, times, side="right") - 1, 0, None)
    covered = times < heatmap.start_ns[columns] + heatmap.interval_ns
    values = np.where(np.isfinite(heatmap.usd_per_permille), heatmap.usd_per_permille, np.float32(-1.0))
    rows = (np.arange(height) * (values.shape[0] / height)).astype(np.int64)
    usd = _pool(values, rows, columns)
    assumed = _pool(np.where(heatmap.prior_share > PRIOR_DOMINATED, values, np.float32(-1.0)), rows, columns)
    prior = (assumed >= usd) & (usd > 0.0)
    usd[:, ~covered] = np.nan
    usd[usd < 0.0] = np.nan
    return Raster(usd, prior, _swept(heatmap, usd, columns)), first, last


def _pool(values: npt.NDArray[np.float32], rows: IntArray, columns: IntArray) -> FloatArray:
    """Take the largest cell of each pixel; where pixels are smaller than cells, repeat the cell.

    `reduceat` does both: equal neighbours in the index repeat one cell, growing ones reduce the cells between them.
    """
    fewer = np.maximum.reduceat(values, columns, axis=1)
    return np.maximum.reduceat(fewer, rows, axis=0).astype(np.float64)


def _swept(heatmap: Heatmap, usd: FloatArray, columns: IntArray) -> BoolArray:
    """Mark the pixels whose dollars are gone in the next pixel because the price passed through them."""
    height, width = len(usd), len(columns)
    bottom, top = np.log(heatmap.edge_price[[0, -1]])
    half = 0.5 * (top - bottom) / height
    position = (bottom + half * (2.0 * np.arange(height) + 1.0)).reshape(-1, 1)
    # A pixel may stand for many columns: its range is that of all of them.
    low = np.log(np.fmin.reduceat(heatmap.low, columns))
    high = np.log(np.fmax.reduceat(heatmap.high, columns))
    touched = (position + half >= low[1:]) & (position - half <= high[1:])
    out = np.zeros((height, width), np.bool_)
    out[:, :-1] = touched & (usd[:, 1:] < _SWEPT_TO * usd[:, :-1])
    return out


def shades_of(usd: FloatArray, borders: FloatArray, theme: Theme) -> FloatArray:
    """Return the colours of dollars, float64[n, 3]: each class has its stretch of the colour map, graded inside in log dollars.

    What is above the last border has the last colour.
    """
    place = np.interp(np.log(np.maximum(usd, 1e-300)), np.log(borders), np.linspace(0.0, 1.0, CLASSES + 1))
    return theme.heat(place)


def paint(raster: Raster, borders: FloatArray, theme: Theme, thickness: int) -> npt.NDArray[np.uint8]:
    """Colour a raster, uint8[rows, columns, 4]: hatched and paler where prior, with a bright edge where a band was swept.

    Cells below the scale and cells without data are transparent. `thickness` is the width of a hatch line in pixels.
    """
    shown = np.nan_to_num(raster.usd) >= borders[0]
    # Colours are looked up in a table: mapping each of a million pixels by itself takes ten times as long.
    table = shades_of(np.geomspace(float(borders[0]), float(borders[-1]), _TABLE), borders, theme)
    reach = np.log(borders[-1] / borders[0])
    place = np.log(np.where(shown, raster.usd, borders[0]) / borders[0]) * ((_TABLE - 1) / reach)
    colour = table[np.clip(place + 0.5, 0, _TABLE - 1).astype(np.int64)]
    panel = np.array(to_rgb(theme.panel))
    diagonal = np.add.outer(np.arange(len(shown)), np.arange(len(shown[0])))
    line = raster.prior & (diagonal % (_STRIPE * thickness) < thickness)
    # Lines thin and half clear: most of a real heatmap is prior, and its bands must still be read by their colour.
    keep = np.where(line, 0.55, np.where(raster.prior, 0.94, 1.0))[..., None]
    colour = keep * colour + (1.0 - keep) * panel
    ends = (raster.swept & (place > _TABLE / CLASSES))[..., None]
    colour = np.where(ends, 0.5 * colour + (0.5 if theme.dark else 0.0), colour)
    image = np.empty((*shown.shape, 4), np.uint8)
    image[..., :3] = colour * 255.0 + 0.5
    image[..., 3] = np.where(shown, 255, 0)
    return image
