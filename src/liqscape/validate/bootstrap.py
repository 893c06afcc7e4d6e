"""Intervals of scores by whole days drawn with replacement: hours of one day are not independent, days nearly are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from scipy import stats

from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_DAY

DRAWS = 2_000
LEVEL = 0.9
_SEED = 20_260_217


class Value(Struct, frozen=True):
    """A number with the 90 % interval of its day-block bootstrap; None is unknown."""

    value: float | None
    lo: float | None = None
    hi: float | None = None


class Days:
    """Days that are drawn with replacement, the same draws for everything that is compared.

    Parameters
    ----------
    start_ns : int64[n], instants whose UTC days are the blocks
    """

    def __init__(self, start_ns: IntArray) -> None:
        days, self._row = np.unique(start_ns // NS_PER_DAY, return_inverse=True)
        self.count = int(days.size)
        rng = np.random.default_rng(_SEED)
        self._drawn = rng.multinomial(self.count, np.full(self.count, 1.0 / self.count), size=DRAWS).astype(np.float64)

    def value(self, columns: FloatArray, measure: Callable[[FloatArray], FloatArray]) -> Value:
        """Return a measure of column sums with its interval.

        Parameters
        ----------
        columns : float64[n, k], summands of each row
        measure
            Takes sums, float64[..., k], and returns float64[...]; NaN where it is not defined.
        """
        sums = np.zeros((self.count, columns.shape[1]))
        np.add.at(sums, self._row, columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(measure(columns.sum(axis=0)))
            drawn = measure(self._drawn @ sums)
        if not np.isfinite(value):
            return Value(None)
        drawn = drawn[np.isfinite(drawn)]
        if self.count < 3 or drawn.size < DRAWS // 2:
            return Value(value)
        low, high = np.quantile(drawn, (0.5 - LEVEL / 2, 0.5 + LEVEL / 2))
        return Value(value, float(low), float(high))


def diebold_mariano(difference: FloatArray, lag: int) -> tuple[float, float]:
    """Test whether a mean loss difference is nought.

    The variance is that of Newey and West with Bartlett weights up to `lag`; Harvey's small-sample correction, t distribution.

    Parameters
    ----------
    difference : float64[n], loss of one predictor less that of another

    Returns
    -------
    t, p
        Below nought the first loses less; two-sided. NaN and 1 where the difference never varies.
    """
    n = difference.size
    centred = difference - difference.mean()
    variance = float(centred @ centred) / n
    for step in range(1, min(lag, n - 1) + 1):
        variance += 2.0 * (1.0 - step / (lag + 1.0)) * float(centred[step:] @ centred[:-step]) / n
    if not variance > 0.0:
        return float("nan"), 1.0
    # Forecasts of one interval: Harvey's factor is (n - 1) / n.
    t = float(difference.mean() / np.sqrt(variance / n) * np.sqrt((n - 1.0) / n))
    return t, float(2.0 * stats.t.sf(abs(t), df=n - 1))


def holm(p: FloatArray) -> FloatArray:
    """Return p values that allow for how many were asked (Holm, 1979).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    out = np.empty(p.size)
    out[order] = np.minimum(stepped, 1.0)
    return out
