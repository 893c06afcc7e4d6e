"""Prints of a throttled feed, one per second: what they are, and how the sizes of single orders are distributed.

Orders of one second are `N ~ Poisson(rate)` with sizes of one law F, and the feed shows the latest or the largest (science.md
B6, B7). Everything here needs prints only, no price.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from liqscape.errors import BadArgument
from liqscape.estimate import _throttled_kernels
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_S

_SHARED = 0.05  # more than this share of printing seconds with two prints or more is no feed of one a second
_RATE_BINS = 256


class FeedRule(StrEnum):
    """Which forced order of a second a feed shows."""

    LATEST = "latest"
    LARGEST = "largest"


@dataclass(frozen=True)
class SecondPrints:
    """What a feed showed, one print a second at most.

    Parameters
    ----------
    second : int64[n], seconds UTC since 1970, ascending, no two alike
    sign : int8[n], +1 a long was closed, -1 a short
    usd : float64[n], > 0
    silences_ns : int64[g, 2], ns UTC, stretches [from, to) in which nobody listened
    """

    second: IntArray
    sign: np.ndarray[tuple[int], np.dtype[np.int8]]
    usd: FloatArray
    silences_ns: IntArray

    def __len__(self) -> int:
        return self.second.size

    def heard(self, second: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return whether somebody listened in each second; bool[n]."""
        if self.silences_ns.size == 0:
            return np.ones(second.size, np.bool_)
        at = second * NS_PER_S
        before = np.searchsorted(self.silences_ns[:, 0], at + NS_PER_S - 1, side="right") - 1
        return (before < 0) | (at >= self.silences_ns[np.maximum(before, 0), 1])

    def between(self, first: int, last: int) -> SecondPrints:
        """Return the prints of the seconds [first, last)."""
        i, j = np.searchsorted(self.second, [first, last])
        return SecondPrints(self.second[i:j], self.sign[i:j], self.usd[i:j], self.silences_ns)


def by_second(ts_ns: IntArray, sign: IntArray, usd: FloatArray, silences_ns: IntArray | None = None) -> SecondPrints:
    """Return prints by clock second. A second print of one clock second (windows of venues drift) moves to the next free one.

    Parameters
    ----------
    ts_ns : int64[n], ns UTC, any order
    sign : int[n], +1 a long was closed, -1 a short
    usd : float64[n]
    silences_ns : int64[g, 2], stretches [from, to), ascending and apart; default: none

    Raises
    ------
    BadArgument
        If a size or sign makes no sense, or if more than one printing second in twenty holds several prints: a feed that shows
        everything is not censored.
    """
    if not (np.isfinite(usd) & (usd > 0.0)).all() or not np.isin(sign, (-1, 1)).all():
        raise BadArgument("throttled prints: expected sizes > 0 USD and signs of +1 or -1")
    order = np.argsort(ts_ns, kind="stable")
    second = (ts_ns[order] // NS_PER_S).astype(np.int64)
    doubled = int((np.diff(second) == 0).sum())
    if doubled > _SHARED * max(second.size - doubled, 1):
        raise BadArgument(
            f"throttled prints: {doubled} of {second.size} prints share a clock second with another",
            hint="This feed does not hide what this estimate brings back: sum its prints instead.",
        )
    for i in range(1, second.size):
        second[i] = max(second[i], second[i - 1] + 1)
    gaps = np.empty((0, 2), np.int64) if silences_ns is None else silences_ns
    return SecondPrints(second, sign[order].astype(np.int8), usd[order].astype(np.float64), gaps)


@dataclass(frozen=True)
class SizeLaw:
    """Sizes of single orders, as found: a weight on every size that was seen.

    Parameters
    ----------
    usd : float64[n], ascending
    share, partial_usd, partial_square : float64[n + 1], sums of weights, of weight x size and of weight x size squared of the
        first i sizes; the whole is 1, the mean and the mean square
    """

    usd: FloatArray
    share: FloatArray
    partial_usd: FloatArray
    partial_square: FloatArray

    @classmethod
    def of(cls, usd: FloatArray, weight: FloatArray) -> SizeLaw:
        """Return the law of sizes with weights, float64[n] each, in any order."""
        if usd.size == 0 or not float(weight.sum()) > 0.0:
            raise BadArgument("law of sizes: not one print to learn from", hint="Give a longer stretch of the feed.")
        order = np.argsort(usd, kind="stable")
        x, w = usd[order], weight[order] / weight.sum()
        sums = [np.concatenate([[0.0], np.cumsum(part)]) for part in (w, w * x, w * x * x)]
        return cls(x, *sums)

    @property
    def mean_usd(self) -> float:
        """Mean size of an order, USD."""
        return float(self.partial_usd[-1])

    @property
    def mean_square(self) -> float:
        """Mean square of a size, USD squared."""
        return float(self.partial_square[-1])

    def rank(self, usd: FloatArray) -> IntArray:
        """Return how many of the law's sizes are at most each size; index into the sums."""
        return np.searchsorted(self.usd, usd, side="right").astype(np.int64)


def size_law(rule: FeedRule, usd: FloatArray, rate: FloatArray, seconds: FloatArray | None = None) -> SizeLaw:
    """Learn the law of sizes from prints and from the rate of orders in every second, silent ones included.

    Parameters
    ----------
    rule
        LATEST: a print is a fair draw of the orders of its second and stands for `rate / (1 - exp(-rate))` of them; so large
        orders that come in bursts keep their share. LARGEST: see `_throttled_kernels.sizes_of_largest`.
    usd : float64[n], size printed, 0 in silent seconds
    rate : float64[n], orders expected in each second, > 0
    seconds : float64[n], how many seconds alike each row stands for; default: 1. A row with a print stands for one print.
    """
    count = np.ones(usd.size) if seconds is None else seconds
    printed = usd > 0.0
    if rule is FeedRule.LATEST:
        behind = rate[printed] / -np.expm1(-np.maximum(rate[printed], 1e-12))
        return SizeLaw.of(usd[printed], np.maximum(behind, 1.0))
    x, shown = np.unique(usd[printed], return_counts=True)
    usable = rate > 0.0
    log_rate = np.log(rate[usable])
    lowest = float(log_rate.min())
    width = max((float(log_rate.max()) - lowest) / _RATE_BINS, 1e-9)
    cell = np.minimum(((log_rate - lowest) / width).astype(np.int64), _RATE_BINS - 1)
    number = np.bincount(cell, count[usable], _RATE_BINS).astype(np.float64)
    mean = np.bincount(cell, count[usable] * rate[usable], _RATE_BINS) / np.maximum(number, 1e-300)
    weight = np.empty(x.size)
    _throttled_kernels.sizes_of_largest(number[number > 0.0], mean[number > 0.0], shown.astype(np.float64), weight)
    return SizeLaw.of(x, weight)
