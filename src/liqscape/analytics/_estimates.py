"""How a number of the map gets its interval.

The map's own value is the centre; the ensemble says how wide. A draw in which the number does not exist (a budget the draw
does not hold, a ratio over an empty pool) counts as lying beyond the upper end; with more of them than the interval leaves
out there, no interval is given.
"""

from __future__ import annotations

import math

import numpy as np

from liqscape.model.arrays import FloatArray
from liqscape.model.maps import INTERVAL_LEVEL, Estimate


def positive(value: float | None, draws: FloatArray, *, prior_share: float | None, level: float = INTERVAL_LEVEL) -> Estimate:
    """Put an interval around a number that cannot be negative (a pool, a ratio, a distance).

    Parameters
    ----------
    value
        The map's own value; None or NaN is unknown.
    draws : float64[draws], the same number in each draw of the ensemble, NaN where it does not exist
    prior_share
        Fraction of the number that is prior.
    level
        Share of the ensemble inside the interval.

    Returns
    -------
    Estimate
        `lo = value * q10 / q50`, `hi = value * q90 / q50` for level 0.8. Both None if q50 is 0 or too few draws know the number.
    """
    known = _known(value)
    ends = _quantiles(draws, level)
    if known is None or ends is None or known <= 0.0 or ends[1] <= 0.0:
        return Estimate(median=known, lo=None, hi=None, level=level, prior_share=prior_share)
    low, middle, high = ends
    return Estimate(median=known, lo=known * (low / middle), hi=known * (high / middle), level=level, prior_share=prior_share)


def signed(
    value: float | None,
    draws: FloatArray,
    *,
    prior_share: float | None,
    limit: float = math.inf,
    level: float = INTERVAL_LEVEL,
) -> Estimate:
    """Put an interval around a number of either sign (imbalance, tilt, rank correlation).

    Parameters
    ----------
    value, draws, prior_share, level
        As in `positive`.
    limit
        The number lies in [-limit, limit]; the ends are clipped there.

    Returns
    -------
    Estimate
        `lo = value + q10 - q50`, `hi = value + q90 - q50` for level 0.8.
    """
    known = _known(value)
    ends = _quantiles(draws, level)
    if known is None or ends is None:
        return Estimate(median=known, lo=None, hi=None, level=level, prior_share=prior_share)
    low, middle, high = ends
    return Estimate(
        median=known,
        lo=max(known + (low - middle), -limit),
        hi=min(known + (high - middle), limit),
        level=level,
        prior_share=prior_share,
    )


def negated(estimate: Estimate) -> Estimate:
    """Return the estimate of minus the number."""
    return Estimate(
        median=None if estimate.median is None else -estimate.median,
        lo=None if estimate.hi is None else -estimate.hi,
        hi=None if estimate.lo is None else -estimate.lo,
        level=estimate.level,
        prior_share=estimate.prior_share,
    )


def quantile(ordered: FloatArray, probability: float) -> float:
    """Return the smallest value of an ascending array whose share of values at or below is at least `probability`."""
    # The epsilon takes back the rounding of probability * n, which would otherwise step one value too far.
    return float(ordered[max(math.ceil(probability * ordered.size - 1e-9), 1) - 1])


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _quantiles(draws: FloatArray, level: float) -> tuple[float, float, float] | None:
    """Return low, middle and high quantile, or None if too few draws know the number."""
    outside = 0.5 * (1.0 - level)
    unknown = int(np.count_nonzero(~np.isfinite(draws)))
    if draws.size == 0 or unknown > outside * draws.size + 1e-9:
        return None
    ordered = np.sort(np.where(np.isfinite(draws), draws, np.inf))
    return quantile(ordered, outside), quantile(ordered, 0.5), quantile(ordered, 1.0 - outside)
