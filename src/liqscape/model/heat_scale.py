"""The dollar scale of a heatmap: seven logarithmic classes between round dollars (feature F11).

A scale is chosen once and kept: a dollar keeps its colour on every column, both sides and, when the scale is locked, on the
next picture too.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from liqscape.errors import BadArgument, NoData
from liqscape.model.arrays import IntArray
from liqscape.model.maps import Heatmap

CLASSES = 7
DEFAULT_PERCENTILE = 99.9  # the top class then holds about a hundredth of the cells
SPAN = 4  # steps of the 1-2-5 series from floor to ceiling: a factor of 20 or 25, so that neighbouring bands differ
_MOST_CELLS = 250_000
_STEPS = (1.0, 2.0, 5.0)

Part = Literal["data", "all"]


class DollarScale(Struct, frozen=True, kw_only=True):
    """Seven classes of USD per 0.1 % of price.

    Parameters
    ----------
    floor_usd, ceiling_usd
        First and last edge. Less than the floor is not drawn, more than the ceiling has the colour of the top class.
    edges_usd
        Eight edges, ascending.
    """

    floor_usd: float
    ceiling_usd: float
    edges_usd: tuple[float, ...]


def part_of(heatmap: Heatmap) -> Part:
    """Return what of a heatmap is drawn: its data; everything where nothing is data yet, which then looks like what it is."""
    usd = heatmap.usd_per_permille
    return "data" if bool(((usd > 0.0) & (heatmap.prior_share < 1.0)).any()) else "all"


def dollars_of(heatmap: Heatmap, part: Part) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return USD per 0.1 % of price of a part, float32[rows, columns]; NaN in columns without data."""
    return heatmap.data_per_permille if part == "data" else heatmap.usd_per_permille


def choose_scale(heatmap: Heatmap, percentile: float = DEFAULT_PERCENTILE, *, part: Part | None = None) -> DollarScale:
    """Choose a scale for a heatmap: the ceiling is the percentile of its data, rounded up to 1, 2 or 5 times a power of ten.

    The floor is the number of the 1-2-5 series that is 20 or 25 times less, with seven classes of equal ratio between. Dollars
    that are assumption do not count: there are many of them far from the mark, and what is known would all look dark beside.

    Parameters
    ----------
    percentile
        Of the cells that hold dollars, 0 to 100. Of a large heatmap a regular sample is taken, the same one every time.
    part
        Which dollars; default: `part_of`.

    Raises
    ------
    BadArgument
        If the percentile is not in (0, 100].
    NoData
        If no cell holds dollars.
    """
    if not 0.0 < percentile <= 100.0:
        raise BadArgument(f"percentile: expected 0 < percentile <= 100, received {percentile:g}", hint="99 is the default.")
    cells = dollars_of(heatmap, part or part_of(heatmap))
    stride = max(1, math.ceil(math.sqrt(cells.size / _MOST_CELLS)))
    sample = cells[::stride, ::stride]
    held = sample[np.isfinite(sample) & (sample > 0.0)]
    if held.size == 0:
        # A sparse map may miss every sampled cell.
        held = cells[np.isfinite(cells) & (cells > 0.0)]
    if held.size == 0:
        raise NoData("heatmap: no cell holds dollars, so there is no scale", hint="Look at a longer window or import more data.")
    top = _round_up_index(float(np.percentile(held, percentile)))
    return scale_between(_round_dollars(top - SPAN), _round_dollars(top))


def scale_between(floor_usd: float, ceiling_usd: float) -> DollarScale:
    """Return seven classes of equal ratio between two dollars that the reader set.

    Raises
    ------
    BadArgument
        If not 0 < floor < ceiling.
    """
    if not (0.0 < floor_usd < ceiling_usd and math.isfinite(ceiling_usd)):
        raise BadArgument(
            f"scale: expected 0 < floor < ceiling, received {floor_usd:g} to {ceiling_usd:g}", hint="Write it like 20K-5M."
        )
    ratio = ceiling_usd / floor_usd
    inner = tuple(floor_usd * ratio ** (k / CLASSES) for k in range(1, CLASSES))
    return _scale((floor_usd, *inner, ceiling_usd))


def classify(usd: npt.ArrayLike, scale: DollarScale) -> IntArray:
    """Return the class of each value: 1 to 7, 0 below the floor, -1 where the value is unknown (NaN).

    Parameters
    ----------
    usd : float[...], USD per 0.1 % of price
    """
    values = np.asarray(usd, dtype=np.float64)
    classes = np.minimum(np.searchsorted(np.asarray(scale.edges_usd), values, side="right"), CLASSES)
    return np.where(np.isnan(values), -1, classes).astype(np.int64)


def _scale(edges: tuple[float, ...]) -> DollarScale:
    return DollarScale(floor_usd=edges[0], ceiling_usd=edges[-1], edges_usd=edges)


def _round_dollars(index: int) -> float:
    """Return the number at an index of the 1-2-5 series; index 0 is 1 dollar."""
    power, step = divmod(index, len(_STEPS))
    return float(f"{_STEPS[step]:g}e{power}")


def _round_up_index(value: float) -> int:
    """Return the index of the smallest number of the 1-2-5 series at or above a value."""
    index = len(_STEPS) * math.floor(math.log10(value))
    # The tolerance keeps float32 cells of 5e6 at 5e6.
    while _round_dollars(index) < value * (1.0 - 1e-6):
        index += 1
    return index
