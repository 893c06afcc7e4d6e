"""Scores of predicted dollars against realised dollars, one side at a time."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from liqscape.errors import NoData
from liqscape.model.arrays import FloatArray

_LEAST_USD = 1.0  # no prediction is taken to be smaller: a realised dollar under a zero would cost infinitely much
_QUIET_USD = 1e3  # added before logs, so that quiet hours count but do not rule


class Score(Struct, frozen=True, kw_only=True):
    """How well predictions did.

    Parameters
    ----------
    hours
        Intervals that were scored, those without liquidations included.
    d2
        1 - Poisson deviance / deviance of the null, a fixed number: 1 is perfect, 0 as good as the null.
    spearman
        Rank correlation.
    r2_log
        Squared correlation of log(dollars + $1,000).
    total_ratio
        Predicted dollars / realised dollars.
    """

    hours: int
    d2: float
    spearman: float
    r2_log: float
    total_ratio: float


def poisson_deviance(realised: FloatArray, predicted: FloatArray) -> float:
    """Return 2 * sum(y log(y / m) - (y - m)), USD; y log y is 0 at y = 0."""
    mean = np.maximum(predicted, _LEAST_USD)
    logs = np.log(np.where(realised > 0.0, realised, 1.0) / mean)
    return float(2.0 * np.sum(np.where(realised > 0.0, realised * logs, 0.0) - (realised - mean)))


def score(realised: FloatArray, predicted: FloatArray, null_usd: float) -> Score:
    """Score one side.

    Parameters
    ----------
    realised, predicted : float64[n], USD per interval, no NaN
    null_usd
        The constant that D2 is measured against, USD per interval: known before the first scored interval.

    Raises
    ------
    NoData
        If there are fewer than 3 intervals or nothing was liquidated in them.
    """
    if realised.size < 3 or not realised.sum() > 0.0:
        raise NoData(
            f"score: expected at least 3 intervals with liquidations, found {realised.size} holding ${realised.sum():,.0f}",
            hint="Widen --from and --to, or import liquidations.",
        )
    d2 = 1.0 - poisson_deviance(realised, predicted) / poisson_deviance(realised, np.full(realised.size, null_usd))
    logs = np.corrcoef(np.log(predicted + _QUIET_USD), np.log(realised + _QUIET_USD))
    return Score(
        hours=realised.size,
        d2=d2,
        spearman=float(np.corrcoef(_ranks(predicted), _ranks(realised))[0, 1]),
        r2_log=float(logs[0, 1] ** 2),
        total_ratio=float(predicted.sum() / realised.sum()),
    )


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks with ties averaged."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - 0.5 * (counts - 1))[index]
