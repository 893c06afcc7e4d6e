"""How far an estimated map lies from the true one: transport distance of the shape, error of the mass near the price."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray


class SpatialScore(Struct, frozen=True, kw_only=True):
    """Distance of an estimated map to the truth (science.md D2, question 2).

    Parameters
    ----------
    w1_bps
        1-Wasserstein distance of the two densities over signed distance from the mark, each scaled to 1 within `within`; basis
        points of the mark. None if one map is empty there.
    within, near
        Distances that the shape and the mass are judged in, fraction of the mark.
    long_near_error, short_near_error
        `estimated / true - 1` of the dollars within `near`; None where the truth is zero.
    long_near_log_error, short_near_log_error
        `log(estimated / true)`; None where either is zero.
    """

    w1_bps: float | None
    within: float
    near: float
    long_near_error: float | None
    short_near_error: float | None
    long_near_log_error: float | None
    short_near_log_error: float | None


def _first(values: FloatArray, width: float, within: float) -> FloatArray:
    return values[: round(within / width)]


def _mass_error(estimated: FloatArray, true: FloatArray) -> tuple[float | None, float | None]:
    found, real = float(estimated.sum()), float(true.sum())
    if real == 0.0:
        return None, None
    return found / real - 1.0, math.log(found) - math.log(real) if found > 0.0 else None


def spatial_distance(
    estimated_usd_long: FloatArray,
    estimated_usd_short: FloatArray,
    true_usd_long: FloatArray,
    true_usd_short: FloatArray,
    width: float,
    within: float = 0.10,
    near: float = 0.02,
) -> SpatialScore:
    """Compare two maps of one instant.

    Parameters
    ----------
    estimated_usd_long, estimated_usd_short, true_usd_long, true_usd_short : float64[n], USD >= 0, outward from the mark
    width
        Width of a bucket, fraction of the mark.
    within
        Distance within which the shape is compared: `W1 = integral |F - G|`, F and G the cumulated shares from the farthest
        long to the farthest short.
    near
        Distance within which the mass is compared.

    Raises
    ------
    BadArgument
        If the buckets do not reach `within`.

    Examples
    --------
    >>> a, b, none = np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.zeros(2)
    >>> round(spatial_distance(a, none, b, none, width=0.01, within=0.02).w1_bps, 9)
    100.0
    """
    reach = min(a.size for a in (estimated_usd_long, estimated_usd_short, true_usd_long, true_usd_short)) * width
    if reach < max(within, near) * (1.0 - 1e-9):
        raise BadArgument(f"spatial distance: the maps reach {reach:.4g} of the mark, {max(within, near):.4g} is needed")
    shares: list[FloatArray] = []
    for long_usd, short_usd in ((estimated_usd_long, estimated_usd_short), (true_usd_long, true_usd_short)):
        line = np.concatenate([_first(long_usd, width, within)[::-1], _first(short_usd, width, within)])
        total = float(line.sum())
        shares.append(np.cumsum(line) / total if total > 0.0 else np.full(line.size, np.nan))
    w1 = float(np.abs(shares[0] - shares[1]).sum()) * width * 1e4
    long_error = _mass_error(_first(estimated_usd_long, width, near), _first(true_usd_long, width, near))
    short_error = _mass_error(_first(estimated_usd_short, width, near), _first(true_usd_short, width, near))
    return SpatialScore(
        w1_bps=None if math.isnan(w1) else w1,
        within=within,
        near=near,
        long_near_error=long_error[0],
        short_near_error=short_error[0],
        long_near_log_error=long_error[1],
        short_near_log_error=short_error[1],
    )
