"""The reality check (F04): whether absorption would have let more moves run than have been seen.

The expected number of runs is the sum, over what has been looked at, of the probability that each ran; the number seen is
Poisson around it if the model is right. A static book expects far too many. `calibrated` finds the multiple of absorption at
which expectation and record agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from msgspec import Struct

from liqscape.errors import BadArgument, NoData
from liqscape.model.maps import INTERVAL_LEVEL

LOWEST_SCALE, HIGHEST_SCALE = 1.0 / 64.0, 64.0


class Reality(Struct, frozen=True, kw_only=True):
    """Runs expected and seen, with the 80 % Poisson interval of the mean that the number seen allows."""

    expected: float
    seen: int
    lo: float
    hi: float

    @property
    def consistent(self) -> bool:
        """Whether the expectation lies within the interval."""
        return self.lo <= self.expected <= self.hi

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        verdict = "consistent" if self.consistent else "too many" if self.expected > self.hi else "too few"
        return f"expected {self.expected:.1f} ignitions, seen {self.seen}: {verdict}"


def reality(expected: float, seen: int) -> Reality:
    """Compare an expected number of runs with the number seen.

    Notes
    -----
    The interval is Garwood's: means under which so many, or so few, are not rarer than one time in ten.
    """
    from scipy.special import gammaincinv  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  # late: slow to load

    if not (0.0 <= expected < math.inf and seen >= 0):
        raise BadArgument(
            f"cascade: reality check: expected numbers >= 0, received {expected} and {seen}.", hint="Count runs of one record."
        )
    tail = 0.5 * (1.0 - INTERVAL_LEVEL)
    lo = float(gammaincinv(seen, tail)) if seen else 0.0
    return Reality(expected=expected, seen=seen, lo=lo, hi=float(gammaincinv(seen + 1, 1.0 - tail)))


class Calibrated(Struct, frozen=True, kw_only=True):
    """The multiple of absorption at which as many runs are expected as were seen, and those at the ends of the interval.

    `lo` and `hi` are 80 % ends; None where no multiple between 1/64 and 64 expects so few or so many.
    """

    scale: float | None
    lo: float | None
    hi: float | None
    check: Reality


def calibrated(expected: Callable[[float], float], seen: int, *, tolerance: float = 1e-3) -> Calibrated:
    """Find the multiple of absorption at which the expected number of runs is the number seen.

    Parameters
    ----------
    expected
        Expected runs at a multiple of absorption; falls, or stays, as it grows.
    seen
        Runs in the same record. With none, the middle is where half a run is expected, and `hi` is not known.
    tolerance
        Of the logarithm of the multiple.

    Raises
    ------
    NoData
        If no multiple between 1/64 and 64 comes near the number seen.
    """
    bounds = reality(0.0, seen)
    scale = _solve(expected, float(seen) if seen else 0.5, tolerance)
    if scale is None:
        raise NoData(
            f"cascade: calibration: no multiple of absorption between 1/64 and 64 expects {seen} runs.",
            hint="Look at the record and at the shocks: they do not belong together.",
        )
    hi = _solve(expected, bounds.lo, tolerance) if bounds.lo > 0.0 else None
    return Calibrated(scale=scale, lo=_solve(expected, bounds.hi, tolerance), hi=hi, check=reality(expected(scale), seen))


def _solve(expected: Callable[[float], float], wanted: float, tolerance: float) -> float | None:
    low, high = math.log(LOWEST_SCALE), math.log(HIGHEST_SCALE)
    if not (expected(math.exp(high)) <= wanted <= expected(math.exp(low))):
        return None
    while high - low > tolerance:
        middle = 0.5 * (low + high)
        if expected(math.exp(middle)) > wanted:
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))
