"""What must be beaten by maps that know less: fixed mixes of leverage, no closes, volume moved by nominal leverage.

Each yields dollars swept per interval and side from rules fixed beforehand, and is then given two free numbers a side and
fold, a scale and a floor (`scale_and_floor`). An open-interest stamp enters only after the sweep of its own bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.estimate import MapState, Recipe
from liqscape.model.arrays import FloatArray
from liqscape.validate.baselines_path import scale_and_floor
from liqscape.validate.panel import Panel, Schedule

LEVERAGES = (2.0, 3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0)
# Survey of open interest by leverage (Hyperliquid, 2025-12-15): 36 % at 0-3x, 48 % at 3-7x, about 15 % at 7x and more. Within a
# class the leverages of the menu share alike: 2x and 3x; 5x; 10x to 125x.
SURVEY = (0.18, 0.18, 0.48, *(0.15 / 7,) * 7)


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
    return scale_and_floor(rows, schedule, _swept_by_mix(rows, np.full(len(LEVERAGES), 1.0 / len(LEVERAGES))))


def survey_mix(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict with the surveyed shares of leverage, closes modelled."""
    return scale_and_floor(rows, schedule, _swept_by_mix(rows, np.array(SURVEY)))


def _swept_by_mix(rows: Panel, shares: FloatArray) -> FloatArray:
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


def interval_of_bar(rows: Panel) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """int64[bars], the interval that each bar lies in; n where it lies in none."""
    out = np.full(len(rows.bars), rows.start_ns.size, np.int64)
    for i, (a, b) in enumerate(zip(rows.first_bar, rows.end_bar, strict=True)):
        out[a:b] = i
    return out
