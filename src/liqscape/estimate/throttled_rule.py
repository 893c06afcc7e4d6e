"""Which forced order of a second does a feed show? A test from the sizes of its prints alone (science.md B7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from liqscape.estimate.throttled_prints import SecondPrints
from liqscape.model.arrays import FloatArray, IntArray


class Verdict(StrEnum):
    """What a feed's sizes say about its rule."""

    LATEST = "latest"
    LARGEST = "largest"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class RuleTest:
    """Which print a feed shows, from its sizes alone (science.md B7).

    Parameters
    ----------
    verdict
        LATEST where the 95 % interval of `shift` lies below a half; LARGEST where it lies above 1 and `within_low` above 0.2;
        else UNDECIDED.
    quiet, busy
        Prints in quiet minutes (two printing seconds at most) and in busy ones (ten or more).
    median_ratio
        Median size in busy minutes over that in quiet ones.
    p_value
        Two-sided, of the rank test that both have one law, as they have under "latest" if sizes do not know the hour.
    shift
        Mean rise of the rank of a size from quiet to busy minutes over the rise that "largest" would cause with as many orders
        as the printing seconds around each print let infer, which is a low count. Under "largest" it is about 1 or more (2 to 3
        on simulated feeds); under "latest" 0, or more where large positions die in large moves. NaN where either kind of minute
        is absent.
    shift_low, shift_high
        95 % interval of `shift`, by resampling minutes.
    within, within_low, within_high
        Slope of the rank of a size on the rank that "largest" would give it, within stretches of five minutes, and its 95 %
        interval by resampling them. What makes sizes larger for longer than that, as large moves do, leaves it alone.
    """

    verdict: Verdict
    quiet: int
    busy: int
    median_ratio: float
    p_value: float
    shift: float
    shift_low: float
    shift_high: float
    within: float
    within_low: float
    within_high: float


_QUIET, _BUSY = 2, 10
_ENOUGH = 30
_WITHIN = 0.2
_STRETCH_S = 300
_RESAMPLES = 400


def which_rule(prints: SecondPrints | Sequence[SecondPrints], seed: int = 1) -> RuleTest:
    """Tell which order of a second a feed shows: under "largest" the sizes of busy minutes are larger than those of quiet ones.

    Parameters
    ----------
    prints
        Of one symbol, or several symbols of one venue: a size counts as its rank among the quiet sizes of its symbol.
    seed
        Of the resampling.
    """
    ranks: list[list[FloatArray]] = [[], []]  # quiet, busy: ranks of the prints of each minute
    sizes: list[list[FloatArray]] = [[], []]
    due: list[FloatArray] = []
    slopes: list[tuple[float, float]] = []  # of each five minutes: sums of squares and of products
    for tape in (prints,) if isinstance(prints, SecondPrints) else prints:
        minute, start, count = np.unique(tape.second // 60, return_index=True, return_counts=True)
        quiet = [tape.usd[i : i + n] for i, n in zip(start[count <= _QUIET], count[count <= _QUIET], strict=True)]
        if not quiet or minute.size == 0:
            continue
        reference = np.sort(np.concatenate(quiet))
        middle = float(np.median(reference))
        busy = [tape.usd[i : i + n] for i, n in zip(start[count >= _BUSY], count[count >= _BUSY], strict=True)]
        for kind, minutes in enumerate((quiet, busy)):
            ranks[kind] += [_rank(reference, usd) for usd in minutes]
            sizes[kind] += [usd / middle for usd in minutes]
        rise = _rank_of_largest(tape.second)
        slopes += _slopes(tape, rise)
        due += [rise[i : i + n] for i, n in zip(start[count >= _BUSY], count[count >= _BUSY], strict=True)]
    quiet_n, busy_n = (int(sum(r.size for r in part)) for part in ranks)
    if not quiet_n or not busy_n:
        return RuleTest(Verdict.UNDECIDED, quiet_n, busy_n, *(math.nan,) * 8)
    shift, low, high = _shift(ranks, due, np.random.default_rng(seed))
    within = _slope(np.array(slopes).reshape(-1, 2), np.random.default_rng(seed))
    verdict = Verdict.UNDECIDED
    if min(quiet_n, busy_n) >= _ENOUGH:
        verdict = Verdict.LATEST if high < 0.5 else Verdict.LARGEST if low > 1.0 and within[1] > _WITHIN else Verdict.UNDECIDED
    flat = [np.concatenate(part) for part in sizes]
    ratio = float(np.median(flat[1]) / np.median(flat[0]))
    return RuleTest(verdict, quiet_n, busy_n, ratio, _rank_test(flat[0], flat[1]), shift, low, high, *within)


def _rank(reference: FloatArray, usd: FloatArray) -> FloatArray:
    """Return the mid-rank of sizes among the reference (ascending), as a fraction."""
    below = np.searchsorted(reference, usd, side="left") + np.searchsorted(reference, usd, side="right")
    return 0.5 * below / reference.size


def _rank_of_largest(second: IntArray) -> FloatArray:
    """Mean rank, among single orders, of the largest order of each second, as its neighbours let expect; float64[n].

    `E[F(max) | N >= 1] = 1 / (1 - exp(-L)) - 1 / L`, 1/2 for L towards 0, with L from the share of printing seconds in the five
    around the print.
    """
    around = np.searchsorted(second, second + 2, side="right") - np.searchsorted(second, second - 2, side="left")
    rate = -np.log1p(-around / 5.5)
    return 1.0 / -np.expm1(-rate) - 1.0 / rate


def _shift(ranks: list[list[FloatArray]], due: list[FloatArray], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the rise of ranks over the rise that is due under "largest", with its 95 % interval over minutes."""
    total = [np.array([[part.sum(), part.size] for part in kind]) for kind in ranks]
    owed = np.array([part.sum() for part in due])

    def rise(quiet: IntArray, busy: IntArray) -> float:
        base = total[0][quiet].sum(axis=0)
        here = total[1][busy].sum(axis=0)
        return float((here[0] / here[1] - base[0] / base[1]) / (owed[busy].sum() / here[1] - 0.5))

    whole = [np.arange(len(kind)) for kind in ranks]
    found = [rise(*(rng.integers(0, w.size, w.size) for w in whole)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(found, [0.025, 0.975])
    return rise(*whole), float(low), float(high)


def _slopes(tape: SecondPrints, rise: FloatArray) -> list[tuple[float, float]]:
    """Return, of each stretch, the sums of squares of the due ranks and of their products with the ranks found."""
    rank = _rank(np.sort(tape.usd), tape.usd)
    _, start, count = np.unique(tape.second // _STRETCH_S, return_index=True, return_counts=True)
    found: list[tuple[float, float]] = []
    for i, n in zip(start, count, strict=True):
        x = rise[i : i + n] - rise[i : i + n].mean()
        found.append((float(x @ x), float(x @ rank[i : i + n])))
    return found


def _slope(sums: FloatArray, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the slope over all stretches with its 95 % interval; NaN where due ranks never differ."""
    if not sums[:, 0].sum() > 0.0:
        return math.nan, math.nan, math.nan
    picks = (rng.integers(0, len(sums), len(sums)) for _ in range(_RESAMPLES))
    draws = np.array([sums[pick].sum(axis=0) for pick in picks])
    low, high = np.quantile(draws[:, 1] / np.maximum(draws[:, 0], 1e-12), [0.025, 0.975])
    return float(sums[:, 1].sum() / sums[:, 0].sum()), float(low), float(high)


def _rank_test(a: FloatArray, b: FloatArray) -> float:
    """Return the two-sided p-value of Mann and Whitney's test, normal approximation with ties."""
    values, inverse, count = np.unique(np.concatenate([a, b]), return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - 0.5 * (count - 1.0))[inverse]
    n, m = a.size, b.size
    both = n + m
    ties = float(((count.astype(np.float64) ** 3) - count).sum()) / (both * max(both - 1, 1))
    variance = n * m / 12.0 * (both + 1.0 - ties)
    if values.size < 2 or variance <= 0.0:
        return 1.0
    z = (rank[:n].sum() - n * (both + 1.0) / 2.0) / math.sqrt(variance)
    return math.erfc(abs(z) / math.sqrt(2.0))
