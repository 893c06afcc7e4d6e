"""Down-sampling of a heatmap to the pixels of its box, and the colours of those pixels.

A pixel that stands for several cells shows the largest of them: a thin dense band must not fade because the picture is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb

from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.model.heat_scale import Part, dollars_of, part_of
from liqscape.model.maps import Heatmap
from liqscape.plot.theme import CLASSES, Theme, mix

PRIOR_DOMINATED = 0.5  # share of a cell from which on it is drawn hatched
_STRIPE = 12  # pixels from one hatch line to the next
_TABLE = 1024  # shades in the look-up table
_SWEPT_TO = 0.3  # a cell ends here if the next column holds less than this share of it and the price was there


@dataclass(frozen=True)
class Raster:
    """A heatmap in pixels; row 0 is the lowest price.

    Parameters
    ----------
    usd : float64[rows, columns], USD per 0.1 % of price of the part that is drawn, NaN where nothing is known
    prior : bool[rows, columns], true where the cell that is shown is more than half assumption
    swept : bool[rows, columns], true at the last pixel of a band that the price then swept
    part
        What colours stand for: data, or all dollars where nothing is data.
    """

    usd: FloatArray
    prior: BoolArray
    swept: BoolArray
    part: Part = "all"

    @property
    def empty_columns(self) -> BoolArray:
        """bool[columns], true where no cell of the column is known."""
        return np.isnan(self.usd).sum(axis=0) == self.usd.shape[0]


def rasterise(heatmap: Heatmap, width: int, height: int) -> tuple[Raster, int, int]:
    """Fit a heatmap into width x height pixels; return the raster and its first and last instant, ns UTC.

    Pixels whose time no column covers are NaN.
    """
    first = int(heatmap.start_ns[0])
    last = int(heatmap.start_ns[-1]) + heatmap.interval_ns
    times = first + (np.arange(width) * ((last - first) / width)).astype(np.int64)
    columns = np.clip(np.searchsorted(heatmap.start_ns, times, side="right") - 1, 0, None)
    covered = times < heatmap.start_ns[columns] + heatmap.interval_ns
    part = part_of(heatmap)
    drawn = dollars_of(heatmap, part)
    values = np.where(np.isfinite(drawn), drawn, np.float32(-1.0))
    rows = (np.arange(height) * (values.shape[0] / height)).astype(np.int64)
    usd = _pool(values, rows, columns)
    mostly = (heatmap.prior_share > PRIOR_DOMINATED) & (heatmap.usd_per_permille > 0.0)
    assumed = _pool(np.where(mostly, values, np.float32(-1.0)), rows, columns)
    prior = (assumed >= usd) & (assumed >= 0.0)
    prior[:, ~covered] = False
    usd[:, ~covered] = np.nan
    usd[usd < 0.0] = np.nan
    return Raster(usd, prior, _swept(heatmap, usd, columns), part), first, last


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
    """Colour a raster, uint8[rows, columns, 4]: a bright edge where a band was swept, lines where dollars are mostly assumption.

    Where colours are data, lines stand alone: they have no dollars. Where colours are all dollars, lines lie over them. Cells
    below the scale and cells without data are transparent otherwise. `thickness` is the width of a line in pixels.
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
    alone = line & ~shown
    if raster.part == "all":
        # Thin and half clear: bands must still be read by their colour.
        keep = np.where(line, 0.55, np.where(raster.prior, 0.94, 1.0))[..., None]
        colour = keep * colour + (1.0 - keep) * panel
    ends = (raster.swept & (place > _TABLE / CLASSES))[..., None]
    colour = np.where(ends, 0.5 * colour + (0.5 if theme.dark else 0.0), colour)
    image = np.empty((*shown.shape, 4), np.uint8)
    image[..., :3] = colour * 255.0 + 0.5
    image[..., 3] = np.where(shown, 255, 0)
    image[alone] = (*(round(255.0 * c) for c in mix(theme.muted, theme.panel, 0.28)), 255)
    return image
