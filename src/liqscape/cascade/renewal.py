"""The live reproduction number of forced orders: how many each one of the recent past has been followed by.

A renewal estimate (Cori, Ferguson, Fraser, Cauchemez 2013, Am. J. Epidemiology 178: 1505): if order arrivals are Poisson with
mean R_t sum_u w(u) I(t - u), a Gamma prior of R gives a Gamma posterior over a short window, in closed form.
R > 1 with high probability is acceleration. It counts every cause of a forced order, so news that comes in bursts raises it too:
the structural R(x) = f / b of the map is the other half of the reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import INTERVAL_LEVEL

# One order of a prior that expects R = 1: with no data P(R > 1) is 37 %.
PRIOR_SHAPE, PRIOR_RATE = 1.0, 1.0


@dataclass(frozen=True)
class Reproduction:
    """R_t step by step, float64[n] each; NaN where the window or what it descends from is not wholly known.

    Parameters
    ----------
    median, lo, hi
        Of the posterior; 80 % of it lies between `lo` and `hi`.
    p_above_one
        Posterior probability that each order brings more than one other.
    orders
        Orders in the window.
    """

    median: FloatArray
    lo: FloatArray
    hi: FloatArray
    p_above_one: FloatArray
    orders: FloatArray


def generation_interval(mean_s: float, deviation_s: float, *, step_s: float = 1.0) -> FloatArray:
    """Return the weights of the time from one forced order to those it brings about: engine latency plus impact.

    Parameters
    ----------
    mean_s, deviation_s
        Of a Gamma distribution, seconds, > 0.
    step_s
        Length of a step of the series it is used with, seconds.

    Returns
    -------
    float64[k]
        Weights of 1, 2, .. k steps ago; they make 1 and hold 99.9 % of the distribution.
    """
    from scipy.special import gammaincc, gammainccinv  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  # late: slow to load

    if not (mean_s > 0.0 and deviation_s > 0.0 and step_s > 0.0):
        raise BadArgument(
            f"cascade: generation interval: expected positive seconds, received {mean_s}, {deviation_s}, {step_s}.",
            hint="Give the mean and the standard deviation of the delay.",
        )
    shape, scale = (mean_s / deviation_s) ** 2, deviation_s**2 / mean_s
    longest = scale * float(gammainccinv(shape, 0.001))
    edges = np.arange(math.ceil(longest / step_s) + 1) * step_s
    weights = -np.diff(np.asarray(gammaincc(shape, edges / scale), dtype=np.float64))
    return weights / weights.sum()


def size_dispersion(sizes_usd: FloatArray) -> float:
    """Return how much noisier dollars are than counts: mean of squares by square of the mean, >= 1.

    Dividing dollars by the mean size makes a compound Poisson number; its variance is this multiple of its mean.
    """
    if sizes_usd.size == 0 or not np.all(sizes_usd > 0.0):
        raise BadArgument("cascade: sizes: expected dollars > 0, at least one.", hint="Give the sizes of single orders.")
    return float(np.mean(sizes_usd**2) / np.mean(sizes_usd) ** 2)


def reproduction(
    forced_usd: FloatArray,
    *,
    mean_size_usd: float,
    weights: FloatArray,
    window: int,
    dispersion: float = 1.0,
    prior_shape: float = PRIOR_SHAPE,
    prior_rate: float = PRIOR_RATE,
) -> Reproduction:
    """Estimate R_t at the end of every step from what was known by then.

    Parameters
    ----------
    forced_usd : float64[n], dollars of forced orders in each step, corrected for what the feed leaves out; NaN: not known
    mean_size_usd
        Mean dollars of one order.
    weights : float64[k], `generation_interval`
    window
        Steps over which R is taken as constant.
    dispersion
        `size_dispersion`: evidence counts so many times less.

    Notes
    -----
    With I = forced_usd / mean_size_usd and L(s) = sum_u w(u) I(s - u), the posterior over the window is
    Gamma(shape a + sum I / dispersion, rate b + sum L / dispersion).
    """
    from scipy.special import gammaincc, gammainccinv  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  # late: slow to load

    if not (mean_size_usd > 0.0 and dispersion >= 1.0 and window >= 1 and weights.size >= 1):
        raise BadArgument(
            f"cascade: reproduction: expected mean size > 0, dispersion >= 1 and a window >= 1, "
            f"received {mean_size_usd}, {dispersion}, {window}.",
            hint="Take mean size and dispersion from complete prints.",
        )
    if np.any(forced_usd < 0.0):
        raise BadArgument("cascade: reproduction: expected forced dollars >= 0.", hint="One series holds one side.")
    orders = forced_usd / mean_size_usd
    # What descends from orders before the series is not known: the first k steps have no L.
    descended = np.full(orders.size, np.nan)
    if orders.size > weights.size:
        descended[weights.size :] = np.convolve(orders, weights, mode="valid")[: orders.size - weights.size]
    seen, due = _trailing(orders, window), _trailing(descended, window)
    shape, rate = prior_shape + seen / dispersion, prior_rate + due / dispersion
    known = np.isfinite(rate)
    above, quantiles = np.full(orders.size, np.nan), np.full((3, orders.size), np.nan)
    above[known] = gammaincc(shape[known], rate[known])
    tail = 0.5 * (1.0 - INTERVAL_LEVEL)
    for row, upper in zip(quantiles, (1.0 - tail, 0.5, tail), strict=True):
        row[known] = gammainccinv(shape[known], upper) / rate[known]
    return Reproduction(median=quantiles[1], lo=quantiles[0], hi=quantiles[2], p_above_one=above, orders=seen)


def _trailing(values: FloatArray, window: int) -> FloatArray:
    """Sum of the last `window` values at every step; NaN where one of them is not known."""
    out = np.full(values.size, np.nan)
    if values.size >= window:
        out[window - 1 :] = np.lib.stride_tricks.sliding_window_view(values, window).sum(axis=1)
    return out
