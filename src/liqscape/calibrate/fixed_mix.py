"""The fixed mix: a power law of distance with one scale a side, for instruments whose liquidations nobody publishes to us."""

from __future__ import annotations

import numpy as np

from liqscape.errors import NoData
from liqscape.estimate import MapState, Recipe
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray, IntArray


def sweep_exposure(bars: BarSeries, interval_ns: int, recipe: Recipe) -> tuple[IntArray, FloatArray]:
    """Roll a state over bars (open interest known in all) and return what each interval sweeps.

    Returns
    -------
    start_ns : int64[n], ns UTC, start of each interval
    exposure : float64[n, 2, tiers x classes], USD
    """
    state = MapState(recipe, float(bars.close[0]), float(bars.open_interest_base[0]), bars.interval_ns)
    state.end_ns = int(bars.end_ns[0])
    rest = bars.slice(1, len(bars))
    blocks, row = np.unique(rest.start_ns // interval_ns, return_inverse=True)
    exposure = np.zeros((blocks.size, 2, recipe.tiers, recipe.classes))
    state.roll(rest, row.astype(np.int64), exposure)
    return blocks * interval_ns, exposure.reshape(blocks.size, 2, -1)


def fit_fixed_mix(
    start_ns: IntArray, exposure: FloatArray, liquidations: LiquidationSeries, from_ns: int, to_ns: int, recipe: Recipe
) -> tuple[float, float, int]:
    """Fit the scale of each side so that totals agree over [from_ns, to_ns).

    Returns
    -------
    long_scale, short_scale
        Published USD per USD swept and unit of log distance, at a distance of 2 %.
    intervals
        How many were fitted.

    Raises
    ------
    NoData
        If no published interval lies in the window.
    """
    inside = (liquidations.start_ns >= from_ns) & (liquidations.start_ns < to_ns) & np.isin(liquidations.start_ns, start_ns)
    if not inside.any():
        raise NoData("fixed mix: no published interval lies in the window")
    at = np.searchsorted(start_ns, liquidations.start_ns[inside])
    swept = np.einsum("tsk,k->s", exposure[at], recipe.prior_shape())
    long_usd, short_usd = float(liquidations.long_usd[inside].sum()), float(liquidations.short_usd[inside].sum())
    return long_usd / float(swept[0]), short_usd / float(swept[1]), int(inside.sum())


def fixed_predictions(
    exposure: FloatArray, long_scale: float, short_scale: float, interval_h: float, recipe: Recipe
) -> FloatArray:
    """float64[n, 2], USD per interval that a fixed mix predicts, with no learning and no level."""
    weights = np.array([[long_scale], [short_scale]]) * recipe.prior_shape()
    return np.einsum("tsk,sk->ts", exposure, weights) + recipe.floor_usd_per_h * interval_h
