"""What was recovered of an interval behind a throttled feed: dollars with an 80 % interval, and how they were found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from liqscape.model.arrays import FloatArray
from liqscape.units import NS_PER_S

_ENDS = (0.1, 0.9)  # of the 80 % interval
_HEARD = 0.5  # less than this share of an interval heard: what is said of it is a prediction


class Outcome(StrEnum):
    """How the dollars of an interval were found."""

    RECOVERED = "recovered"
    SILENT = "silent"
    UNLEARNED = "unlearned"

    @property
    def sentence(self) -> str:
        """What it means, for people."""
        return {
            Outcome.RECOVERED: "Dollars behind the prints, estimated from how often and how large they were.",
            Outcome.SILENT: "Nobody listened for more than half of this interval: what is said of it is mostly a prediction.",
            Outcome.UNLEARNED: "Too few prints came before this interval to learn from: nothing is estimated.",
        }[self]


@dataclass(frozen=True)
class Recovered:
    """Liquidated dollars of one interval behind a throttled feed; pairs are (long, short), NaN is unknown.

    Parameters
    ----------
    start_ns, interval_ns
        The interval.
    reported_usd : float64[2], what was printed
    true_usd, low_usd, high_usd : float64[2], estimate of all that was liquidated, with its 80 % interval
    predicted_usd : float64[2], what weights and slow level said before the prints of the interval; NaN without a map
    silent_s
        Seconds in which nobody listened; `true_usd` holds a prediction for them.
    level
        Orders found over orders expected in this interval; NaN without a map.
    outcome
        How it was found.
    """

    start_ns: int
    interval_ns: int
    reported_usd: FloatArray
    true_usd: FloatArray
    low_usd: FloatArray
    high_usd: FloatArray
    predicted_usd: FloatArray
    silent_s: int
    level: float
    outcome: Outcome

    @property
    def reported_share(self) -> float | None:
        """Share of the estimated dollars that was printed; None where nothing is estimated or nothing was liquidated."""
        true = float(self.true_usd.sum())
        return float(self.reported_usd.sum()) / true if true > 0.0 else None

    @classmethod
    def unknown(cls, start_s: int, count: int, outcome: Outcome, reported_usd: FloatArray, silent_s: int) -> Recovered:
        """Return an interval of which only the prints are known."""
        nothing = np.full(2, np.nan)
        start, length = start_s * NS_PER_S, count * NS_PER_S
        return cls(start, length, reported_usd, nothing, nothing, nothing, nothing, silent_s, float("nan"), outcome)


def band(
    *,
    start_s: int,
    count: int,
    silent_s: int,
    reported_usd: FloatArray,
    hidden_usd: FloatArray,
    variance: FloatArray,
    hidden_orders: FloatArray,
    predicted_usd: FloatArray,
    error: float,
    level: float,
) -> Recovered:
    """Return what was recovered; the hidden part is nothing with the chance of no order, else lognormal.

    Parameters
    ----------
    hidden_usd, variance, hidden_orders : float64[2], mean and variance of hidden dollars at the estimated rates, and
        the orders they come in
    error
        Coefficient of variation of the rates themselves, shared by all seconds of the interval.
    """
    low, high = (
        np.array([_quantile(p, *row, error) for row in zip(hidden_usd, variance, hidden_orders, strict=True)]) for p in _ENDS
    )
    return Recovered(
        start_ns=start_s * NS_PER_S,
        interval_ns=count * NS_PER_S,
        reported_usd=reported_usd,
        true_usd=reported_usd + hidden_usd,
        low_usd=reported_usd + low,
        high_usd=reported_usd + high,
        predicted_usd=predicted_usd,
        silent_s=silent_s,
        level=level,
        outcome=Outcome.SILENT if silent_s > (1.0 - _HEARD) * count else Outcome.RECOVERED,
    )


def _quantile(p: float, mean: float, variance: float, orders: float, error: float) -> float:
    """Quantile of hidden dollars: 0 with chance exp(-orders), else lognormal around what is left of the mean."""
    none = math.exp(-orders)
    if p <= none or mean <= 0.0:
        return 0.0
    some = mean / (1.0 - none)
    sigma = math.sqrt(math.log1p(max((variance + mean**2) / (1.0 - none) / some**2 - 1.0, 0.0) + error**2))
    return some * math.exp(sigma * NormalDist().inv_cdf((p - none) / (1.0 - none)) - 0.5 * sigma**2)
