"""Walk-forward predictions of published liquidations: each interval is predicted before its own liquidations are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.errors import NoData
from liqscape.estimate import Estimator, Recipe
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Predictions:
    """Intervals in time order.

    Parameters
    ----------
    start_ns : int64[n], ns UTC
    interval_ns
        Length of an interval.
    realised, predicted : float64[n, 2], USD (long, short); realised is NaN where it was not published
    learned : bool[n], False where shipped weights predicted
    adverse : float64[n, 2], fraction: how far price went against longs and shorts from the close before the interval
    """

    start_ns: IntArray
    interval_ns: int
    realised: FloatArray
    predicted: FloatArray
    learned: BoolArray
    adverse: FloatArray

    @property
    def known(self) -> BoolArray:
        """bool[n], whether both sides were published."""
        return np.isfinite(self.realised.sum(axis=1))

    def between(self, from_ns: int | None, to_ns: int | None) -> BoolArray:
        """bool[n], known intervals that start in [from_ns, to_ns)."""
        low = self.known if from_ns is None else self.known & (self.start_ns >= from_ns)
        return low if to_ns is None else low & (self.start_ns < to_ns)


def predict(bars: BarSeries, liquidations: LiquidationSeries, recipe: Recipe | None = None) -> Predictions:
    """Run the scored member over a tape.

    The prediction of an interval uses the state and the weights as of its start and the bars' lows and highs: it says how much
    is liquidated given the path, and is no forecast of the path.

    Raises
    ------
    NoData
        If no liquidations are known, or open interest never is.
    """
    if len(liquidations) == 0:
        raise NoData("validate: no published liquidations are stored", hint="Import liquidations of this instrument.")
    estimator = Estimator(bars.interval_ns, liquidations.interval_ns, (recipe or Recipe(),))
    estimator.observe(bars, liquidations, int(bars.end_ns[-1]))
    record = estimator.record
    if not record:
        raise NoData("validate: no whole interval with open interest is stored", hint="Import more bars.")
    start = np.array([i.start_ns for i in record], np.int64)
    return Predictions(
        start_ns=start,
        interval_ns=liquidations.interval_ns,
        realised=np.array([i.realised_usd for i in record]),
        predicted=np.array([i.predicted_usd for i in record]),
        learned=np.array([i.learned for i in record]),
        adverse=adverse_moves(bars, start, liquidations.interval_ns),
    )


def adverse_moves(bars: BarSeries, start_ns: IntArray, interval_ns: int) -> FloatArray:
    """float64[n, 2], fall to the low and rise to the high of each interval from the close before it, fractions >= 0."""
    first = np.searchsorted(bars.start_ns, start_ns)
    last = np.searchsorted(bars.start_ns, start_ns + interval_ns)
    out = np.zeros((start_ns.size, 2))
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        before = bars.close[a - 1] if a > 0 else bars.open[a]
        out[i] = 1.0 - bars.low[a:b].min() / before, bars.high[a:b].max() / before - 1.0
    return np.maximum(out, 0.0)
