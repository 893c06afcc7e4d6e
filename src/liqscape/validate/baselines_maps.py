"""What must be beaten by maps that know less: fixed mixes of leverage, no closes, volume moved by nominal leverage.

Each yields dollars swept per interval and side from rules fixed beforehand, and is then given two free numbers a side and
fold, a scale and a floor (`scale_and_floor`). An open-interest stamp enters only after the sweep of its own bar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from liqscape.estimate import MapState, Recipe
from liqscape.model import BarSeries
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_DAY
from liqscape.validate import _kernels
from liqscape.validate.baselines_path import scale_and_floor
from liqscape.validate.panel import Panel, Schedule

LEVERAGES = (2.0, 3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0)
# Survey of open interest by leverage (Hyperliquid, 2025-12-15): 36 % at 0-3x, 48 % at 3-7x, about 15 % at 7x and more. Within a
# class the leverages of the menu share alike: 2x and 3x; 5x; 10x to 125x.
SURVEY = (0.18, 0.18, 0.48, *(0.15 / 7,) * 7)
PROFILE_HALF_LIFE_D = 0.125  # the shorter the better on the tune window: 30, 7, 1, 1/2, 1/4 and 1/8 d were tried
LARGE_DISTANCES = (0.01, 0.02, 0.04, 0.1)  # 100, 50, 25 and 10x
LARGE_QUANTILE = 0.9
_FINENESS = 2000.0  # cells of 5 bp


@dataclass(frozen=True)
class NominalRecipe(Recipe):
    """The estimator's recipe with tiers at 1 / nominal leverage; lifetimes, in-bar deaths and smear are the estimator's."""

    tiers: int = len(LEVERAGES)

    @property
    def distances(self) -> FloatArray:
        """float64[tiers], 1 / leverage, ascending."""
        return 1.0 / np.array(LEVERAGES[::-1])


def uniform_leverage(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict with every leverage of the menu holding the same share of open interest, closes modelled."""
    return scale_and_floor(rows, schedule, swept_by_mix(rows, np.full(len(LEVERAGES), 1.0 / len(LEVERAGES))))


def survey_mix(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict with the surveyed shares of leverage, closes modelled."""
    return scale_and_floor(rows, schedule, swept_by_mix(rows, np.array(SURVEY)))


def swept_by_mix(rows: Panel, shares: FloatArray) -> FloatArray:
    """float64[n, 2], USD swept in each interval if `shares` (float64[leverages], in the menu's order) held open interest."""
    bars, recipe = rows.bars, NominalRecipe()
    known = np.flatnonzero(bars.open_interest_base > 0.0)
    if known.size == 0:
        return np.zeros(rows.realised.shape)
    i = int(known[0])
    state = MapState(recipe, float(bars.close[i]), float(bars.open_interest_base[i]), bars.interval_ns)
    state.end_ns = int(bars.end_ns[i])
    n = rows.start_ns.size
    exposure = np.zeros((n + 1, 2, recipe.tiers, recipe.classes))  # the last row takes the bars of no interval
    state.roll(bars.slice(i + 1, len(bars)), interval_of_bar(rows)[i + 1 :], exposure)
    return exposure[:n].mean(axis=3) @ shares[::-1]


def interval_of_bar(rows: Panel) -> IntArray:
    """int64[bars], the interval that each bar lies in; n where it lies in none."""
    out = np.full(len(rows.bars), rows.start_ns.size, np.int64)
    for i, (a, b) in enumerate(zip(rows.first_bar, rows.end_bar, strict=True)):
        out[a:b] = i
    return out


def opens_without_closes(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict with all volume as openings, spread evenly over the menu, swept when touched and never closed."""
    volume = traded_base(rows.bars)
    return scale_and_floor(rows, schedule, _burnt(rows, np.column_stack((volume, volume)), 1.0 / np.array(LEVERAGES)))


def volume_profile(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict from volume at price, moved by 1 / leverage to both sides and forgotten with a half-life; nothing is swept."""
    volume = traded_base(rows.bars)
    keep = 0.5 ** (rows.bars.interval_ns / (PROFILE_HALF_LIFE_D * NS_PER_DAY))
    raw = _crossed(rows, np.column_stack((volume, volume)), 1.0 / np.array(LEVERAGES), keep)
    return scale_and_floor(rows, schedule, raw)


def large_volume_bars(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict as py-liquidation-map draws: large trades only, levels 1, 2, 4 and 10 % from their price, no closes.

    Re-derived for bars from its description (https://github.com/aoki-h-jp/py-liquidation-map, read 2026-11): it keeps the largest
    trades of a window, moves each by 10, 4, 2 and 1 % against its taker and adds them up. Here a bar is large if it traded more
    than 90 % of the bars of the week before it, a rising bar opens longs and a falling one shorts. It is helped twice: it
    publishes no scale and is given one, and what price has reached is gone, which it leaves in the drawing.
    """
    bars = rows.bars
    volume = traded_base(bars) * bars.close
    large = np.where(volume > _past_quantile(volume, bars.interval_ns), volume / bars.close, 0.0)
    rising = bars.close >= bars.open
    opens = np.column_stack((np.where(rising, large, 0.0), np.where(rising, 0.0, large)))
    return scale_and_floor(rows, schedule, _burnt(rows, opens, np.array(LARGE_DISTANCES)))


def traded_base(bars: BarSeries) -> FloatArray:
    """float64[bars], volume, and where it is unknown the bar's log range times the past ratio of volume to range.

    Before any volume is known the ratio is 1: levels then stand where price was long and wide, in arbitrary units.
    """
    span = np.log(bars.high / bars.low)
    known = np.isfinite(bars.volume_base)
    volume, reach = (np.cumsum(np.where(known, x, 0.0)) for x in (bars.volume_base, span))
    ratio = np.divide(volume, reach, out=np.ones_like(volume), where=reach > 0.0)
    return np.where(known, bars.volume_base, span * ratio)


def _past_quantile(volume: FloatArray, interval_ns: int) -> FloatArray:
    """float64[bars], what the large bars of the last whole week traded more than; infinite in the first week."""
    week = np.arange(volume.size) // max(1, int(7 * NS_PER_DAY / interval_ns))
    out = np.full(volume.size, np.inf)
    for w in range(1, int(week[-1]) + 1):
        out[week == w] = np.quantile(volume[week == w - 1], LARGE_QUANTILE)
    return out


def _burnt(rows: Panel, opens: FloatArray, distances: FloatArray) -> FloatArray:
    """float64[n, 2], USD swept in each interval if nothing were ever closed; `opens` is float64[bars, 2], base units."""
    bars, out = rows.bars, np.zeros((rows.start_ns.size + 1, 2))
    offset, first, level = _grid(bars, distances)
    _kernels.burn(bars.low, bars.high, opens, interval_of_bar(rows), first, _FINENESS, offset, level, out)
    return out[:-1]


def _crossed(rows: Panel, opens: FloatArray, distances: FloatArray, keep: float) -> FloatArray:
    """float64[n, 2], USD between price and the extremes of each interval's bars if levels outlived their being touched."""
    bars, out = rows.bars, np.zeros((rows.start_ns.size + 1, 2))
    offset, first, level = _grid(bars, distances)
    before = np.clip(np.concatenate((bars.open[:1], bars.close[:-1])), bars.low, bars.high)
    _kernels.cross(
        bars.low, bars.high, before, opens, interval_of_bar(rows), keep, first, _FINENESS, offset, level, out
    )  # fmt: skip
    return out[:-1]


def _grid(bars: BarSeries, distances: FloatArray) -> tuple[FloatArray, int, FloatArray]:
    """Return offsets of levels from entries, the absolute index of cell 0, and empty cells that hold every level and price."""
    d = np.sort(distances)
    offset = np.stack([np.log1p(-d), np.log1p(d)])
    first = math.floor((math.log(bars.low.min()) + offset[0, -1]) * _FINENESS) - 2
    last = math.ceil((math.log(bars.high.max()) + offset[1, -1]) * _FINENESS) + 2
    return offset, first, np.zeros((2, last - first + 1))
