"""Walk-forward predictions of published liquidations: each interval is predicted before its own liquidations are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.errors import NoData
from liqscape.estimate import Estimator, Recipe
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.panel import Panel, panel


@dataclass(frozen=True)
class Predictions:
    """The scored member's record, interval by interval.

    Parameters
    ----------
    rows
        The intervals, what was published in them, and the bars inside them.
    predicted : float64[n, 2], USD (long, short)
    learned : bool[n], False where shipped weights predicted
    state_age_h : float64[n], hours since the first bar of the state
    """

    rows: Panel
    predicted: FloatArray
    learned: BoolArray
    state_age_h: FloatArray


def predict(
    bars: BarSeries,
    liquidations: LiquidationSeries,
    recipe: Recipe | None = None,
    *,
    funding: tuple[IntArray, FloatArray] | None = None,
    fit_days: float = 75.0,
    embargo_days: float = 7.0,
) -> Predictions:
    """Run the scored member over a tape.

    The prediction of an interval uses the state and the weights as of its start and the bars' lows and highs: it says how much
    is liquidated given the path, and is no forecast of the path.

    Parameters
    ----------
    funding
        (instants at which a rate became known, rates), for the baselines.
    fit_days, embargo_days
        The prior's scale is fitted on intervals that were over `embargo_days` before, and at most `fit_days` older.

    Raises
    ------
    NoData
        If no liquidations are known, or open interest never is.
    """
    if len(liquidations) == 0:
        raise NoData("validate: no published liquidations are stored", hint="Import liquidations of this instrument.")
    estimator = Estimator(
        bars.interval_ns,
        liquidations.interval_ns,
        (recipe or Recipe(),),
        embargo_ns=int(embargo_days * NS_PER_DAY),
        fit_window_ns=int(fit_days * NS_PER_DAY),
    )
    estimator.observe(bars, liquidations, int(bars.end_ns[-1]))
    record = estimator.record
    if not record:
        raise NoData("validate: no whole interval with open interest is stored", hint="Import more bars.")
    start = np.array([i.start_ns for i in record], np.int64)
    realised = np.array([i.realised_usd for i in record])
    began = int(bars.start_ns[np.flatnonzero(bars.open_interest_base > 0.0)[0]])
    return Predictions(
        rows=panel(bars, liquidations, start, realised, funding),
        predicted=np.array([i.predicted_usd for i in record]),
        learned=np.array([i.learned for i in record]),
        state_age_h=np.maximum(start - began, 0) / NS_PER_HOUR,
    )
