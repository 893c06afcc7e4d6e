"""The strong baseline: gradient boosting on the path, volatility, open interest, funding and the clock.

Half of it is trees that correct the distance-only rule of their fold (trees cannot say more than they saw, a rule can), half is
trees alone: the average does better than either. Both sides are one sample, seen so that moves against a side are positive.
Needs scikit-learn (the extra `boosting`), which is imported when asked for. The constants were chosen once, on the tune window of
one market; docs/baselines.md counts what was tried.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from liqscape.errors import NoData
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.baselines_path import LOOKBACK_H, beyond_extremes, extremes, fit_distance, fold_by_fold
from liqscape.validate.panel import Panel, Schedule

SEEDS = (1, 2, 3)
TREES: dict[str, Any] = {
    "max_iter": 300,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 10,
    "max_features": 0.3,
    "l2_regularization": 1.0,
}
FEW_TREES: dict[str, Any] = {**TREES, "max_iter": 60, "learning_rate": 0.03, "max_leaf_nodes": 6}
_BINS = 200
_LEAST_SHARE = 1e-3  # of the fit period's mean: no expectation that trees multiply is smaller


def gradient_boosting(rows: Panel, schedule: Schedule, extra: FloatArray | None = None) -> FloatArray:
    """Predict with the average of trees on top of the distance-only rule and trees on top of the mean.

    Parameters
    ----------
    extra : float64[n, 2], USD, a map's predictions, given as two more features (its own side's and the other's); None: no map

    Raises
    ------
    NoData
        If scikit-learn is not installed.
    """
    features = path_features(rows)
    if extra is not None:
        told = np.log(np.maximum(extra, 1.0))
        features = np.concatenate((features, np.stack((told, told[:, ::-1]), axis=2)), axis=2)
    distance = beyond_extremes(rows)

    def fitted(fit: BoolArray, serve: BoolArray) -> FloatArray:
        rule = np.column_stack([fit_distance(distance[:, s], rows.realised[:, s], fit) for s in range(2)])
        mean = np.broadcast_to(rows.realised[fit].mean(axis=0), rule.shape)
        both = [_corrected(features, expected, rows.realised, fit, serve, TREES) for expected in (rule, mean)]
        return 0.5 * (both[0] + both[1])

    return fold_by_fold(rows, schedule, fitted)


def offset_boosting(rows: Panel, schedule: Schedule, expected: FloatArray) -> FloatArray:
    """Correct a map's predictions with few small trees: what is learned is realised over `expected` (float64[n, 2], USD).

    Raises
    ------
    NoData
        If scikit-learn is not installed.
    """
    features = path_features(rows)
    return fold_by_fold(rows, schedule, lambda fit, serve: _corrected(features, expected, rows.realised, fit, serve, FEW_TREES))


def _corrected(
    features: FloatArray, expected: FloatArray, realised: FloatArray, fit: BoolArray, serve: BoolArray, trees: dict[str, Any]
) -> FloatArray:
    """float64[served, 2], what was expected times what trees say of realised over expected (Poisson, weighted by expected)."""
    try:
        forest: Any = importlib.import_module("sklearn.ensemble").HistGradientBoostingRegressor
        limits: Any = importlib.import_module("threadpoolctl").threadpool_limits
    except ModuleNotFoundError:
        raise NoData("not run: needs scikit-learn, install liqscape[boosting]") from None
    expected = np.maximum(expected, max(_LEAST_SHARE * float(realised[fit].mean()), 1.0))
    weight, dollars = expected[fit].T.ravel(), realised[fit].T.ravel()
    known, served = _binned(_both_sides(features, fit), _both_sides(features, serve))
    out = np.zeros(len(served))
    # One thread: a few thousand rows are done before threads have met, and sums are added in one order everywhere.
    with limits(1, user_api="openmp"):
        for seed in SEEDS:
            model = forest(loss="poisson", early_stopping=False, random_state=seed, **trees)
            model.fit(known, dollars / weight, sample_weight=weight / weight.mean())
            out += model.predict(served) / len(SEEDS)
    return out.reshape(2, -1).T * expected[serve]


def _binned(known: FloatArray, served: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Replace features by the number of their bin, equally filled by `known`; NaN stays.

    A feature that is nowhere known (funding, if none is stored) is left out: trees refuse it. scikit-learn bins too, but
    weighted quantiles take it longer than the trees.
    """
    told = np.isfinite(known).any(axis=0)
    known, served = known[:, told], served[:, told]
    out = np.array(known), np.array(served)
    for j in range(known.shape[1]):
        have = known[np.isfinite(known[:, j]), j]
        edges = np.unique(np.quantile(have, np.arange(1, _BINS) / _BINS))
        for part in out:
            column = part[:, j]
            part[:, j] = np.where(np.isfinite(column), np.searchsorted(edges, column), np.nan)
    return out


def _both_sides(features: FloatArray, rows: BoolArray) -> FloatArray:
    """Return the chosen intervals of the long side, then those of the short side, with the side as a feature."""
    side = np.repeat([0.0, 1.0], int(rows.sum()))
    return np.column_stack((np.concatenate((features[rows, 0], features[rows, 1])), side))


def path_features(rows: Panel) -> FloatArray:
    """float64[n, 2, k], what is known of each interval given its path, seen from each side: moves against it are positive.

    Of the interval: moves from the close before, the largest swing inside, range, roughness, distance beyond the extremes of
    past hours on both sides. Of the time before: returns, volatility, open interest at the start and its changes, funding. The
    hour of the day and the day of the week. No liquidations, and no open interest from inside the interval.
    """
    bars, first, end = rows.bars, rows.first_bar, rows.end_bar
    log_close = np.log(bars.close)
    before = _at_bar(log_close, first)
    steps = np.diff(log_close, prepend=np.log(bars.open[:1]))
    squares = np.concatenate(([0.0], np.cumsum(steps**2)))
    low, high = (np.log(price) for price in extremes(rows))
    with np.errstate(divide="ignore"):  # no open interest is as good as none known: trees put both to one side
        open_interest = np.log(bars.open_interest_base)
    standing = _at_bar(open_interest, first)
    day = rows.start_ns // NS_PER_DAY
    shared = [high - low, np.sqrt(squares[end] - squares[first]), standing, rows.funding]
    shared += [(rows.start_ns % NS_PER_DAY / NS_PER_HOUR).astype(np.float64), (day % 7).astype(np.float64)]
    returns: list[FloatArray] = []
    for hours in LOOKBACK_H:
        since = np.searchsorted(bars.start_ns, rows.start_ns - int(hours * NS_PER_HOUR))
        shared.append(np.sqrt((squares[first] - squares[since]) / np.maximum(first - since, 1)))
        shared.append(standing - _at_bar(open_interest, since))
        returns.append(before - _at_bar(log_close, since))
    swing, distance = _swings(rows), beyond_extremes(rows)
    sides: list[FloatArray] = []
    for s, sign in enumerate((-1.0, 1.0)):
        own = [distance[:, s], distance[:, 1 - s], swing[:, s], swing[:, 1 - s], sign * (log_close[end - 1] - before)]
        sides.append(np.column_stack([*own, *(sign * past for past in returns), *shared]))
    found = np.stack(sides, axis=1)
    return np.where(np.isfinite(found), found, np.nan)


def _at_bar(values: FloatArray, bar: IntArray) -> FloatArray:
    """float64[n], values at the end of the bar before each; NaN where there is none."""
    return np.where(bar > 0, values[np.maximum(bar - 1, 0)], np.nan)


def _swings(rows: Panel) -> FloatArray:
    """float64[n, 2], the largest log fall (rise) inside each interval, from a bar's extreme to one of the same or a later bar."""
    low, high = np.log(rows.bars.low), np.log(rows.bars.high)
    out = np.empty((rows.start_ns.size, 2))
    for i, (a, b) in enumerate(zip(rows.first_bar, rows.end_bar, strict=True)):
        out[i, 0] = np.max(np.maximum.accumulate(high[a:b]) - low[a:b])
        out[i, 1] = np.max(high[a:b] - np.minimum.accumulate(low[a:b]))
    return out
