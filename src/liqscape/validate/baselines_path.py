"""What must be beaten without any map: predictors that look at the path of the interval and at the clock.

Every predictor here returns float64[n, 2], USD (long, short), NaN where no fold of the schedule serves. The path is given: opens,
highs, lows and closes of the interval itself may be read, its liquidations may not. What is fitted is fitted in a fold.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.panel import Panel, Schedule
from liqscape.validate.scores import poisson_deviance

LOOKBACK_H = (1.0, 4.0, 24.0, 72.0, 168.0)  # hours before an interval whose extremes are remembered
_POWERS = tuple(0.25 * quarters for quarters in range(2, 13))
_DISTANCE_POWERS = (1.0, 1.5, 2.0)
_RANGE_CLASSES = (0.2, 0.4, 0.6, 0.8, 0.9, 0.97)  # quantiles of the fit period that separate classes of volatility
_SHRINK = 6.0  # mean intervals that every cell is given besides its own


def fold_by_fold(rows: Panel, schedule: Schedule, fitted: Callable[[BoolArray, BoolArray], FloatArray]) -> FloatArray:
    """Fill float64[n, 2] with what `fitted(fit, serve)` says of the intervals that each fold serves; NaN elsewhere."""
    out = np.full(rows.realised.shape, np.nan)
    for fit, serve in schedule.folds(rows):
        out[serve] = fitted(fit, serve)
    return out


def sum_of_parts(parts: FloatArray, realised: FloatArray, *, steps: int = 100) -> FloatArray:
    """Return non-negative weights of parts whose sum has the least Poisson deviance, by expectation maximisation.

    Parameters
    ----------
    parts : float64[n, k], >= 0; a part that is nowhere positive gets weight 0
    realised : float64[n], USD

    Returns
    -------
    weights : float64[k]; the fitted sum equals the realised sum
    """
    total = parts.sum(axis=0)
    weights = np.divide(realised.sum() / parts.shape[1], total, out=np.zeros_like(total), where=total > 0.0)
    for _ in range(steps):
        mean = np.maximum(parts @ weights, 1e-9)
        weights *= np.divide(parts.T @ (realised / mean), total, out=np.zeros_like(total), where=total > 0.0)
    return weights


def scale_and_floor(rows: Panel, schedule: Schedule, raw: FloatArray) -> FloatArray:
    """Give a predictor two free numbers a side and fold: a scale, and a floor for quiet intervals."""

    def fitted(fit: BoolArray, serve: BoolArray) -> FloatArray:
        out = np.empty((int(serve.sum()), 2))
        for s in range(2):
            parts = np.column_stack((np.ones(len(raw)), raw[:, s]))
            out[:, s] = parts[serve] @ sum_of_parts(parts[fit], rows.realised[fit, s])
        return out

    return fold_by_fold(rows, schedule, fitted)


def fit_period_mean(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict the mean of the fit period."""
    return fold_by_fold(rows, schedule, lambda fit, serve: np.tile(rows.realised[fit].mean(axis=0), (int(serve.sum()), 1)))


def move_power(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict floor + scale * |adverse move| ** power; all three are those with the least deviance in the fit period."""

    def fitted(fit: BoolArray, serve: BoolArray) -> FloatArray:
        return np.column_stack(
            [fit_distance(rows.adverse[:, s, None], rows.realised[:, s], fit, _POWERS)[serve] for s in range(2)]
        )

    return fold_by_fold(rows, schedule, fitted)


def climatology(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict the mean of the same hour of the week in the same class of volatility (the log range of the interval itself).

    The mean of all, times a factor of the class, times a factor of the hour, times a factor of the cell, each fitted on what the
    ones before leave and shrunk to 1.
    """
    span = log_range(rows)
    hour = ((rows.start_ns % (7 * NS_PER_DAY)) // rows.interval_ns).astype(np.int64)
    classes = len(_RANGE_CLASSES) + 1

    def fitted(fit: BoolArray, serve: BoolArray) -> FloatArray:
        volatility = np.searchsorted(np.quantile(span[fit], _RANGE_CLASSES), span)
        out = np.empty((int(serve.sum()), 2))
        for s in range(2):
            expected = np.full(rows.start_ns.size, rows.realised[fit, s].mean())
            for cell in (volatility, hour, hour * classes + volatility):
                expected = expected * _factor(cell, rows.realised[:, s], expected, fit)
            out[:, s] = expected[serve]
        return out

    return fold_by_fold(rows, schedule, fitted)


def _factor(cell: IntArray, realised: FloatArray, expected: FloatArray, fit: BoolArray) -> FloatArray:
    """float64[n], realised over expected in the cell of each interval, with `_SHRINK` mean intervals that went as expected."""
    prior = _SHRINK * expected[fit].mean()
    if not prior > 0.0:
        return np.ones(cell.size)
    cells = int(cell.max()) + 1
    sums = (np.bincount(cell[fit], values[fit], minlength=cells) + prior for values in (realised, expected))
    return np.divide(*sums)[cell]


def distance_only(rows: Panel, schedule: Schedule) -> FloatArray:
    """Predict from how far price went beyond its extremes of the last hours and days: the nearest levels burn, wherever they are.

    No opens, no memory of what was swept (`fit_distance`).
    """
    distance = beyond_extremes(rows)

    def fitted(fit: BoolArray, serve: BoolArray) -> FloatArray:
        return np.column_stack([fit_distance(distance[:, s], rows.realised[:, s], fit)[serve] for s in range(2)])

    return fold_by_fold(rows, schedule, fitted)


def fit_distance(
    distance: FloatArray, realised: FloatArray, fit: BoolArray, powers: tuple[float, ...] = _DISTANCE_POWERS
) -> FloatArray:
    """Fit dollars = floor + sum over columns of weight x distance ** power, weights >= 0, with the power that does best.

    Parameters
    ----------
    distance : float64[n, columns], fractions or logs, one side's
    realised : float64[n], USD; read where `fit` (bool[n]) is set

    Returns
    -------
    predicted : float64[n], USD
    """
    best, out = np.inf, np.zeros(realised.size)
    for power in powers:
        parts = np.column_stack((np.ones(realised.size), distance**power))
        predicted = parts @ sum_of_parts(parts[fit], realised[fit])
        deviance = poisson_deviance(realised[fit], predicted[fit])
        if deviance < best:
            best, out = deviance, predicted
    return out


def beyond_extremes(rows: Panel) -> FloatArray:
    """float64[n, 2, 1 + lookbacks], the adverse move, then `beyond` for every lookback."""
    return np.stack([rows.adverse, *(beyond(rows, hours) for hours in LOOKBACK_H)], axis=2)


def log_range(rows: Panel) -> FloatArray:
    """float64[n], log(high / low) of each interval."""
    low, high = extremes(rows)
    return np.log(high / low)


def extremes(rows: Panel) -> tuple[FloatArray, FloatArray]:
    """(low, high) of each interval, float64[n] each."""
    spans = list(zip(rows.first_bar, rows.end_bar, strict=True))
    low = np.array([rows.bars.low[a:b].min() for a, b in spans])
    return low, np.array([rows.bars.high[a:b].max() for a, b in spans])


def beyond(rows: Panel, hours: float) -> FloatArray:
    """float64[n, 2], log distance that price went below (above) the extremes of the `hours` before the interval; 0 if inside."""
    bars = rows.bars
    since = np.searchsorted(bars.start_ns, rows.start_ns - int(hours * NS_PER_HOUR))
    low, high = extremes(rows)
    out = np.zeros((rows.start_ns.size, 2))
    for i, (a, b) in enumerate(zip(since, rows.first_bar, strict=True)):
        if b > a:
            out[i] = np.log(bars.low[a:b].min() / low[i]), np.log(high[i] / bars.high[a:b].max())
    return np.maximum(out, 0.0)
