"""Many small regressions at once, and the resampling of whole days that turns them into p-values and intervals."""

from __future__ import annotations

import numpy as np

from liqscape.model.arrays import FloatArray, IntArray

_STEPS = 12  # Newton steps; the penalised likelihood is concave and moderate, 6 to 8 are enough
_PRIOR_SD = 5.0  # of every coefficient: keeps small samples without touches finite, and is felt nowhere else


def logit(
    y: FloatArray, design: FloatArray, offset: FloatArray, weight: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Fit logistic regressions with an offset by penalised Newton steps (each coefficient has a Normal(0, 5) prior).

    Parameters
    ----------
    y, offset : float64[b, n], 0 or 1, and the part of the log-odds that is given
    design : float64[b, n, k]
    weight : float64[b, n], how often each row counts; default: once. Leading axes of 1 are repeated.

    Returns
    -------
    coefficient, standard_error : float64[b, k]
    """
    count, k = max(each.shape[0] for each in (y, design, offset, *(() if weight is None else (weight,)))), design.shape[2]
    beta = np.zeros((count, k))
    eye = np.eye(k) / _PRIOR_SD**2
    curvature = np.broadcast_to(eye, (count, k, k))
    for _ in range(_STEPS):
        eta = np.clip((design @ beta[:, :, None])[:, :, 0] + offset, -30.0, 30.0)
        chance = 1.0 / (1.0 + np.exp(-eta))
        left, spread = y - chance, chance * (1.0 - chance)
        if weight is not None:
            left, spread = left * weight, spread * weight
        gradient = (left[:, None, :] @ design)[:, 0, :] - beta / _PRIOR_SD**2
        curvature = np.swapaxes(design * spread[:, :, None], 1, 2) @ design + eye
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        beta = beta + np.clip(step, -2.0, 2.0)
    return beta, np.sqrt(np.diagonal(np.linalg.inv(curvature), axis1=1, axis2=2))


def least_squares(y: FloatArray, design: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fit weighted linear regressions; rows of weight 0 are not there.

    Parameters
    ----------
    y, weight : float64[b, n]
    design : float64[b, n, k]

    Returns
    -------
    coefficient, standard_error : float64[b, k]
    """
    k = design.shape[2]
    scaled = np.swapaxes(design * weight[:, :, None], 1, 2)
    square = scaled @ design + 1e-9 * np.eye(k)
    beta = np.asarray(np.linalg.solve(square, scaled @ y[:, :, None])[:, :, 0], np.float64)
    left = (y - (design @ beta[:, :, None])[:, :, 0]) ** 2 * weight
    variance = left.sum(axis=1) / np.maximum(weight.sum(axis=1) - k, 1.0)
    error: FloatArray = np.sqrt(variance[:, None] * np.diagonal(np.linalg.inv(square), axis1=1, axis2=2))
    return beta, error


def permuted_days(strata: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """int64[count, days], the day whose map stands in for each day; whole days change places within their stratum."""
    out = np.tile(np.arange(strata.size), (count, 1))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        out[:, members] = rng.permuted(np.tile(members, (count, 1)), axis=1)
    return out


def resampled_days(days: int, count: int, rng: np.random.Generator) -> FloatArray:
    """float64[count, days], how often each day is drawn when `days` of them are drawn with replacement."""
    return rng.multinomial(days, np.full(days, 1.0 / days), count).astype(np.float64)


def of_days(days: IntArray, per_day: int) -> IntArray:
    """Return the windows of days, int64[..., days] to int64[..., days * per_day]."""
    windows = days[..., None] * per_day + np.arange(per_day)
    return windows.reshape(*days.shape[:-1], -1)


def two_sided_p(observed: float, permuted: FloatArray) -> float:
    """Share of permutations at least as far from 0 as what was observed, which counts as one of them."""
    return float(1 + np.sum(np.abs(permuted) >= abs(observed) - 1e-12)) / (1 + permuted.size)
