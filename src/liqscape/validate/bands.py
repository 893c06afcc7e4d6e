"""From a predicted mean to a distribution: what happened in past intervals whose prediction was close.

Of the last 75 days the 200 over intervals with the closest log prediction speak, each by the ratio of what was published to what
was predicted, the closer the louder. The negative binomial beside it has one dispersion a side, fitted at every refit. Both learn
from predictions that were made before their interval was known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy import optimize
from scipy.special import gammaln

from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.panel import BURN_IN_NS, Panel, Schedule

LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
_NEAREST, _LEAST = 200, 50
_WINDOW_NS = 75 * NS_PER_DAY
_QUIET_USD_PER_H = 2e3  # added before logs: a quiet interval's ratio is noise
_UNIT_USD = 1e3  # the negative binomial counts thousands of dollars
_SEED = 20_260_216


@dataclass(frozen=True)
class Predictive:
    """Distributions of intervals, and how they did; rows that were not asked for, or had too little past, are NaN.

    Parameters
    ----------
    quantiles : float64[n, 2, 7], USD at LEVELS
    crps, tail_crps : float64[n, 2], USD: continuous ranked probability score, and the same of max(dollars, threshold)
    pit : float64[n, 2], randomised (fixed seed) place of what was published in its distribution, 0 to 1
    log_loss : float64[n, 2], nats: minus the log probability of what was published, negative binomial in $1,000
    """

    quantiles: FloatArray
    crps: FloatArray
    tail_crps: FloatArray
    pit: FloatArray
    log_loss: FloatArray


def predictive(rows: Panel, predicted: FloatArray, asked: BoolArray, schedule: Schedule, tail_usd: FloatArray) -> Predictive:
    """Build the distributions of the intervals that are asked for.

    Parameters
    ----------
    predicted : float64[n, 2], USD, each made before its interval was known; NaN where there is none
    asked : bool[n]
    tail_usd : float64[2], USD, threshold of the tail's score
    """
    n = rows.start_ns.size
    found = Predictive(np.full((n, 2, len(LEVELS)), np.nan), *(np.full((n, 2), np.nan) for _ in range(4)))
    chance = np.random.default_rng(_SEED).random((n, 2))
    quiet = _QUIET_USD_PER_H * rows.interval_ns / NS_PER_HOUR
    burnt = int(rows.start_ns[0]) + BURN_IN_NS
    for s in range(2):
        mean, realised = predicted[:, s], rows.realised[:, s]
        teaches = np.flatnonzero(rows.known & np.isfinite(mean) & (rows.start_ns >= burnt))
        place = np.log(mean + quiet)
        ratio = np.log(realised + quiet) - place
        over = rows.start_ns[teaches] + rows.interval_ns
        for t in np.flatnonzero(asked & np.isfinite(mean)):
            first, last = np.searchsorted(over, (rows.start_ns[t] - _WINDOW_NS, rows.start_ns[t]), side="right")
            past = teaches[first:last]
            if past.size < _LEAST:
                continue
            sample, weight = _sample(place[past], ratio[past], place[t])
            dollars = np.maximum(np.exp(sample) * (mean[t] + quiet) - quiet, 0.0)
            middle = np.cumsum(weight) - 0.5 * weight
            found.quantiles[t, s] = np.interp(LEVELS, middle, dollars)
            y = realised[t]
            if np.isfinite(y):
                found.crps[t, s] = weighted_crps(dollars, weight, y)
                found.tail_crps[t, s] = weighted_crps(np.maximum(dollars, tail_usd[s]), weight, max(y, tail_usd[s]))
                below, up_to = weight[dollars < y].sum(), weight[dollars <= y].sum()
                found.pit[t, s] = below + chance[t, s] * (up_to - below)
        found.log_loss[:, s] = _log_loss(rows, mean, realised, schedule)
    return found


def _sample(places: FloatArray, ratios: FloatArray, at: float) -> tuple[FloatArray, FloatArray]:
    """Return the log ratios of the nearest past predictions, ascending, with weights that sum to 1."""
    gap = np.abs(places - at)
    if gap.size > _NEAREST:
        nearest: IntArray = np.argpartition(gap, _NEAREST)[:_NEAREST]
        gap, ratios = gap[nearest], ratios[nearest]
    weight = 1.0 - (gap / (gap.max() + 1e-9)) ** 2 + 1e-3
    order = np.argsort(ratios, kind="stable")
    return ratios[order], weight[order] / weight.sum()


def weighted_crps(sample: FloatArray, weight: FloatArray, y: float) -> float:
    """Return E|X - y| - E|X - X'| / 2 of a weighted sample in ascending order; weights sum to 1 (Gneiting and Raftery, 2007)."""
    spread = 2.0 * np.sum(sample * weight * (2.0 * np.cumsum(weight) - weight - 1.0))
    return float(np.sum(weight * np.abs(sample - y)) - 0.5 * spread)


def negative_binomial_loss(realised_usd: FloatArray, mean_usd: FloatArray, dispersion: float) -> FloatArray:
    """Return minus the log probability; the variance of a count with mean m is m + dispersion m**2, counts are $1,000."""
    count, mean, size = np.rint(realised_usd / _UNIT_USD), np.maximum(mean_usd / _UNIT_USD, 1e-3), 1.0 / dispersion
    log = gammaln(count + size) - gammaln(size) - gammaln(count + 1.0)
    return -(log + size * np.log(size / (size + mean)) + count * np.log(mean / (size + mean)))


def _log_loss(rows: Panel, mean: FloatArray, realised: FloatArray, schedule: Schedule) -> FloatArray:
    out = np.full(mean.size, np.nan)
    usable = np.isfinite(mean)
    for fit, serve in schedule.folds(rows):
        learn = fit & usable
        if learn.sum() < _LEAST:
            continue
        y, m = realised[learn], mean[learn]

        def loss(log_dispersion: float, y: FloatArray = y, m: FloatArray = m) -> float:
            return float(negative_binomial_loss(y, m, float(np.exp(log_dispersion))).sum())

        least = cast(Any, optimize.minimize_scalar(loss, bounds=(-7.0, 5.0), method="bounded"))
        dispersion = float(np.exp(least.x))
        shown = serve & usable & np.isfinite(realised)
        out[shown] = negative_binomial_loss(realised[shown], mean[shown], dispersion)
    return out
