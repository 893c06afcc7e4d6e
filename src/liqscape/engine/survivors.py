"""How quickly a map expires: the share of what was swept later that already stood in the map at the start.

From a start the state is rolled on twice over the same bars: as it was, and without new positions but with the same closes. The
dollars that the second sweeps over those of the first (deaths inside the opening bar counted) are the survivor share. Levels and
the floor of the prediction cancel or are left out: both rolls are weighted with the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liqscape.calibrate.fixed_mix import sweep_exposure
from liqscape.errors import NoData
from liqscape.estimate import BURN_IN_H, Estimator, MapState, Recipe
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_HOUR

HORIZONS_H = (1, 4, 24)
# Starts lie 7 hours apart: 24 of them cover a week and every hour of the day once.
EVERY_NS = 7 * NS_PER_HOUR
STARTS = 24
LEAST_STARTS = 8
# From the first start to the end of the last start's longest horizon.
SPAN_NS = (STARTS - 1) * EVERY_NS + HORIZONS_H[-1] * NS_PER_HOUR


@dataclass(frozen=True)
class Survivors:
    """Dollars swept after n starts; weighted with each start's weights.

    Parameters
    ----------
    start_ns : int64[n], ns UTC
    stood_usd, swept_usd : float64[n, 3, 2], USD swept within 1, 4 and 24 hours by side (long, short): of what stood at the
        start, and in all
    """

    start_ns: IntArray
    stood_usd: FloatArray
    swept_usd: FloatArray

    def shares(self) -> dict[str, float]:
        """Return the dollar-weighted share by horizon, `{"1h": .., "4h": .., "24h": ..}`; what swept nothing is absent."""
        return joined_shares([self]) or {}


def joined_shares(parts: Sequence[Survivors | None]) -> dict[str, float] | None:
    """Return the share of several instruments together; None if it is not known of one of them, or nothing was swept."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not known:
        return None
    stood = sum(part.stood_usd.sum(axis=(0, 2)) for part in known)
    swept = sum(part.swept_usd.sum(axis=(0, 2)) for part in known)
    pairs = zip(HORIZONS_H, np.atleast_1d(stood), np.atleast_1d(swept), strict=True)
    return {f"{hours}h": float(a / b) for hours, a, b in pairs if b > 0.0} or None


def recent_starts(bars: BarSeries) -> IntArray:
    """Return the starts of the last week whose longest horizon is over at the last bar's end, int64[n], ns UTC, ascending.

    None lies before a week of open interest (the state forgets its made-up start); fewer than 8 are too few and become none, as
    do bars that do not divide an hour.
    """
    known = np.flatnonzero(bars.open_interest_base > 0.0)
    if known.size == 0 or NS_PER_HOUR % bars.interval_ns:
        return np.empty(0, np.int64)
    first = int(bars.end_ns[-1]) - SPAN_NS
    starts: IntArray = first + EVERY_NS * np.arange(STARTS, dtype=np.int64)
    starts = starts[starts >= int(bars.end_ns[known[0]]) + int(BURN_IN_H * NS_PER_HOUR)]
    return starts if starts.size >= LEAST_STARTS else np.empty(0, np.int64)


def survivors(state: MapState, bars: BarSeries, weights: FloatArray, start_ns: IntArray) -> Survivors:
    """Measure what stood at past starts, all with the same weights.

    Parameters
    ----------
    state
        As it was at the first start; not changed.
    bars
        The bars that follow that start, with open interest, to the end of the last start's longest horizon at least.
    weights : float64[2, T]
    start_ns : int64[n], ns UTC, ascending, whole hours apart
    """
    rolled = state.copy()
    tiers, classes = state.recipe.tiers, state.recipe.classes
    hour = (bars.start_ns - start_ns[0]) // NS_PER_HOUR
    exposure = np.zeros((int(hour[-1]) + 1, 2, tiers, classes))
    stood = np.empty((start_ns.size, len(HORIZONS_H), 2))
    done = 0
    for i, start in enumerate(map(int, start_ns)):
        until = int(np.searchsorted(bars.start_ns, start))
        rolled.roll(bars.slice(done, until), hour[done:until], exposure)
        stood[i] = _stood(rolled.copy(), bars, until, start, weights)
        done = until
    rolled.roll(bars.slice(done, len(bars)), hour[done:], exposure)
    usd = np.einsum("hsk,sk->hs", exposure.reshape(*exposure.shape[:2], -1), weights)
    return Survivors(start_ns, stood, _following(usd, (start_ns - start_ns[0]) // NS_PER_HOUR))


def survivor_record(
    bars: BarSeries, liquidations: LiquidationSeries, start_ns: IntArray, recipe: Recipe | None = None
) -> Survivors:
    """Measure what stood at many starts of a record, each with the weights as they stood then.

    Parameters
    ----------
    bars
        Of the whole record, from before the first start (a month, so that the state is settled).
    start_ns : int64[n], ns UTC, ascending, whole hours; those whose longest horizon is not over are refused

    Raises
    ------
    NoData
        If a horizon reaches beyond the record, or open interest is not known at the first start.
    """
    recipe = recipe or Recipe()
    known = np.flatnonzero(bars.open_interest_base > 0.0)
    ends = int(start_ns[-1]) + HORIZONS_H[-1] * NS_PER_HOUR
    if known.size == 0 or int(bars.end_ns[known[0]]) >= int(start_ns[0]) or int(bars.end_ns[-1]) < ends:
        raise NoData(
            "survivor share: the record does not reach from before the first start to a day after the last",
            hint="Choose starts inside the record.",
        )
    bars = bars.slice(int(known[0]), len(bars))
    hours, exposure = sweep_exposure(bars, NS_PER_HOUR, recipe)
    every = np.zeros((int((hours[-1] - hours[0]) // NS_PER_HOUR) + 1, *exposure.shape[1:]))
    every[(hours - hours[0]) // NS_PER_HOUR] = exposure
    estimator = Estimator(bars.interval_ns, liquidations.interval_ns, (recipe,))
    stood, swept = np.empty((2, start_ns.size, len(HORIZONS_H), 2))
    done = 0
    for i, start in enumerate(map(int, start_ns)):
        until = int(np.searchsorted(bars.start_ns, start))
        estimator.observe(bars.slice(done, until), liquidations, start)
        weights = estimator.mixes()[0].weights
        stood[i] = _stood(estimator.states[0].copy(), bars, until, start, weights)
        at = int((start - hours[0]) // NS_PER_HOUR)
        usd = np.einsum("hsk,sk->hs", every[at : at + HORIZONS_H[-1]], weights)
        swept[i] = _following(usd, np.zeros(1, np.int64))[0]
        done = until
    return Survivors(start_ns, stood, swept)


def _stood(copy: MapState, bars: BarSeries, first: int, start_ns: int, weights: FloatArray) -> FloatArray:
    """Roll a copy on without new positions; float64[3, 2], USD that it sweeps within each horizon."""
    last = int(np.searchsorted(bars.start_ns, start_ns + HORIZONS_H[-1] * NS_PER_HOUR))
    following = bars.slice(first, last)
    horizons = np.array(HORIZONS_H) * NS_PER_HOUR
    block = np.searchsorted(horizons, following.start_ns - start_ns, side="right").astype(np.int64)
    exposure = np.zeros((len(HORIZONS_H), 2, copy.recipe.tiers, copy.recipe.classes))
    copy.roll(following, block, exposure, opens=False)
    return np.cumsum(np.einsum("hsk,sk->hs", exposure.reshape(*exposure.shape[:2], -1), weights), axis=0)


def _following(usd: FloatArray, hour: IntArray) -> FloatArray:
    """float64[n, 3, 2], sums over the horizons from each hour on; usd : float64[hours, 2]."""
    running = np.concatenate([np.zeros((1, 2)), np.cumsum(usd, axis=0)])
    ends = np.minimum(hour[:, None] + np.array(HORIZONS_H), len(usd))
    return running[ends] - running[hour][:, None]
