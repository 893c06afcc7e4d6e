"""Scores of predicted dollars against published dollars.

Every score is a function of sums over intervals, so that whole days can be drawn with replacement without scoring again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from liqscape.errors import NoData
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.validate.bands import LEVELS, Predictive
from liqscape.validate.bootstrap import Days, Value

_LEAST_USD = 1.0  # no prediction is taken to be smaller: a realised dollar under a zero would cost infinitely much
_QUIET_USD = 1e3  # added before logs, so that quiet hours count but do not rule
_PIT_BINS = 10
_BANDS = {0.5: (0.25, 0.75), 0.8: (0.10, 0.90), 0.9: (0.05, 0.95)}


class Card(Struct, frozen=True, kw_only=True):
    """How well one predictor did on one side, or on both; each value with its 90 % interval.

    Parameters
    ----------
    intervals
        Scored intervals, those without liquidations included; both sides of an interval count as two.
    d2
        1 - Poisson deviance / deviance of the null, a fixed number a side: 1 is perfect, 0 as good as the null.
    d2_walk_forward
        The same against the mean of the fit period, renewed at every refit.
    log_loss
        Nats per interval, negative binomial in $1,000; lower is better.
    crps_usd, tail_crps_usd
        Continuous ranked probability score per interval, and of the part above the threshold; lower is better.
    spearman, r2_log
        Rank correlation; squared correlation of log(dollars + $1,000).
    total_ratio
        Predicted dollars / published dollars.
    coverage_50, coverage_80, coverage_90
        Share of intervals inside the band.
    pit
        Share of intervals in each tenth of their distribution; all are .1 if the bands are right.
    """

    intervals: int
    d2: Value
    d2_walk_forward: Value
    log_loss: Value
    crps_usd: Value
    tail_crps_usd: Value
    spearman: Value
    r2_log: Value
    total_ratio: Value
    coverage_50: Value
    coverage_80: Value
    coverage_90: Value
    pit: tuple[float, ...]


@dataclass(frozen=True)
class Scored:
    """One predictor's numbers, row by row, side by side.

    Parameters
    ----------
    start_ns : int64[n], ns UTC
    realised, predicted, walk_forward_mean : float64[n, 2], USD
    null : float64[2], USD
    bands
        Distributions around `predicted`.
    """

    start_ns: IntArray
    realised: FloatArray
    predicted: FloatArray
    walk_forward_mean: FloatArray
    null: FloatArray
    bands: Predictive


def poisson_terms(realised: FloatArray, predicted: FloatArray) -> FloatArray:
    """Return 2 (y log(y / m) - (y - m)) of every interval, USD; y log y is 0 at y = 0."""
    mean = np.maximum(predicted, _LEAST_USD)
    logs = np.log(np.where(realised > 0.0, realised, 1.0) / mean)
    return 2.0 * (np.where(realised > 0.0, realised * logs, 0.0) - (realised - mean))


def poisson_deviance(realised: FloatArray, predicted: FloatArray) -> float:
    """Return the sum of `poisson_terms`, USD."""
    return float(poisson_terms(realised, predicted).sum())


def card(scored: Scored, shown: BoolArray, sides: tuple[int, ...]) -> Card:
    """Score the intervals of `shown`, bool[n], on the given sides; two sides are laid one after the other.

    Raises
    ------
    NoData
        If there are fewer than 3 intervals or nothing was liquidated in them.
    """

    def lay(column: FloatArray) -> FloatArray:
        return np.concatenate([column[shown, s] for s in sides])

    y, m = lay(scored.realised), lay(scored.predicted)
    if y.size < 3 or not y.sum() > 0.0:
        raise NoData(
            f"validate: expected at least 3 intervals with liquidations, found {y.size} holding ${y.sum():,.0f}",
            hint="Widen --from and --to, or import liquidations.",
        )
    days = Days(np.concatenate([scored.start_ns[shown]] * len(sides)))
    one = np.ones(y.size)
    null = np.concatenate([np.full(int(shown.sum()), scored.null[s]) for s in sides])
    deviance = poisson_terms(y, m)
    bands = scored.bands
    pit = lay(bands.pit)
    covered = {name: _inside(y, bands, shown, sides, ends) for name, ends in _BANDS.items()}

    def mean(column: FloatArray) -> Value:
        return days.value(np.column_stack([column, one]), lambda s: s[..., 0] / s[..., 1])

    def explained(reference: FloatArray) -> Value:
        return days.value(np.column_stack([deviance, reference]), lambda s: 1.0 - s[..., 0] / s[..., 1])

    def correlation(a: FloatArray, b: FloatArray, power: int) -> Value:
        return days.value(np.column_stack([one, a, b, a * a, b * b, a * b]), lambda s: _correlation(s) ** power)

    return Card(
        intervals=y.size,
        d2=explained(poisson_terms(y, null)),
        d2_walk_forward=explained(poisson_terms(y, lay(scored.walk_forward_mean))),
        log_loss=mean(lay(bands.log_loss)),
        crps_usd=mean(lay(bands.crps)),
        tail_crps_usd=mean(lay(bands.tail_crps)),
        spearman=correlation(ranks(m), ranks(y), 1),
        r2_log=correlation(np.log(m + _QUIET_USD), np.log(y + _QUIET_USD), 2),
        total_ratio=days.value(np.column_stack([m, y]), lambda s: s[..., 0] / s[..., 1]),
        coverage_50=mean(covered[0.5]),
        coverage_80=mean(covered[0.8]),
        coverage_90=mean(covered[0.9]),
        pit=tuple((np.histogram(pit, _PIT_BINS, (0.0, 1.0))[0] / pit.size).tolist()) if np.isfinite(pit).all() else (),
    )


def _inside(y: FloatArray, bands: Predictive, shown: BoolArray, sides: tuple[int, ...], ends: tuple[float, float]) -> FloatArray:
    """float64[n], 1 inside the band, 0 outside, NaN where there is none."""
    low, high = (np.concatenate([bands.quantiles[shown, s, LEVELS.index(end)] for s in sides]) for end in ends)
    return np.where(np.isfinite(low), ((y >= low) & (y <= high)).astype(np.float64), np.nan)


def _correlation(s: FloatArray) -> FloatArray:
    """Pearson's correlation from sums of 1, a, b, a a, b b, a b in the last axis."""
    n, a, b, aa, bb, ab = (s[..., i] for i in range(6))
    return (n * ab - a * b) / np.sqrt((n * aa - a * a) * (n * bb - b * b))


def ranks(values: FloatArray) -> FloatArray:
    """Return ranks with ties averaged."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - 0.5 * (counts - 1))[index]
