"""Maps as they stood: the levels of many past instants, each frozen with the state and the weights of its own time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.errors import BadArgument
from liqscape.estimate import Estimator, Recipe, contracts
from liqscape.estimate.levels import within_open_interest
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_HOUR

STEP = 0.0005  # width of a bucket, log price: the finest cell of the estimator
REACH = 0.5  # farthest level that is kept, log price


@dataclass(frozen=True)
class FrozenMaps:
    """Maps of n instants on one axis of log distance.

    Parameters
    ----------
    at_ns : int64[n], ns UTC, ascending
    mark_price : float64[n], quote per base, close of the last bar that was over
    usd : float64[n, 2, buckets], USD at the level, outward from the mark; 0 longs below it, 1 shorts above it. Bucket i holds log
        distances from i to i + 1 times `step`.
    step
        Width of a bucket, log price.
    """

    at_ns: IntArray
    mark_price: FloatArray
    usd: FloatArray
    step: float = STEP

    def mass(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Return the dollars of both sides between two log distances, a cut bucket by its share.

        Parameters
        ----------
        low, high : float64[n, m], log distance from the mark, >= 0; what lies beyond the last bucket holds nothing

        Returns
        -------
        float64[n, 2, m], USD
        """
        n, sides, buckets = self.usd.shape
        below = np.concatenate([np.zeros((n, sides, 1)), np.cumsum(self.usd, axis=2)], axis=2)

        def at(distance: FloatArray) -> FloatArray:
            u = np.clip(distance / self.step, 0.0, float(buckets))
            whole = np.minimum(u.astype(np.int64), buckets - 1)[:, None, :].repeat(sides, axis=1)
            lower = np.take_along_axis(below, whole, axis=2)
            upper = np.take_along_axis(below, whole + 1, axis=2)
            return lower + (u[:, None, :] - whole) * (upper - lower)

        return at(high) - at(low)


def freeze(
    bars: BarSeries, liquidations: LiquidationSeries, at_ns: IntArray, recipe: Recipe | None = None, *, reach: float = REACH
) -> FrozenMaps:
    """Run the scored member over a tape once and keep its map at every instant that is asked for.

    A map holds what `engine` would show then: drawn tiers, posterior means, no more contracts than are open. It uses the bars
    that were over and the intervals of liquidations that were over.

    Parameters
    ----------
    at_ns : int64[n], ns UTC, ascending
    reach
        Farthest level that is kept, log price.

    Raises
    ------
    BadArgument
        If instants do not ascend, or the first lies before open interest is known.
    """
    if at_ns.size == 0 or np.any(np.diff(at_ns) <= 0):
        raise BadArgument(f"freeze: expected at least one instant, ascending, received {at_ns.size}")
    recipe = recipe or Recipe()
    interval_ns = liquidations.interval_ns if len(liquidations) else NS_PER_HOUR
    estimator = Estimator(bars.interval_ns, interval_ns, (recipe,))
    ladder: FloatArray = STEP * np.arange(round(reach / STEP) + 1.0)
    usd, price = np.empty((at_ns.size, 2, ladder.size - 1)), np.empty(at_ns.size)
    until = np.searchsorted(bars.end_ns, at_ns, side="right")
    done = 0
    for i, stop in enumerate(until.tolist()):
        estimator.observe(bars.slice(done, stop), liquidations, int(at_ns[i]))
        if not estimator.ready:
            raise BadArgument(
                "freeze: no bar with open interest lies before the first instant", hint="Begin later, or import older bars."
            )
        done = stop
        price[i] = bars.close[stop - 1]
        for side, way in enumerate((-1.0, 1.0)):
            usd[i, side] = _levels_usd(estimator, side, float(price[i]) * np.exp(way * ladder))
    return FrozenMaps(at_ns, price, usd)


def _levels_usd(estimator: Estimator, side: int, edge_price: FloatArray) -> FloatArray:
    """float64[buckets], USD at the level of one side as the map shows it now."""
    state, mix, recipe = estimator.states[0], estimator.mixes()[0], estimator.recipes[0]
    weights = mix.weights[side] * np.repeat(recipe.drawn, recipe.classes)
    data, prior = within_open_interest(weights[None], mix.prior_share[side], state.total[side].ravel(), state.open_interest_base)
    standing = contracts(state, side, edge_price).reshape(weights.size, -1)
    return (data + prior)[0] @ standing * (0.5 * (edge_price[:-1] + edge_price[1:]))
