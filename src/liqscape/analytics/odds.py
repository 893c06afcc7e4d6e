"""Touch odds with no map at all: what a price without memory would do (feature F43)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from liqscape.errors import BadArgument
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

HORIZONS_NS: Mapping[str, int] = MappingProxyType({"4h": 4 * NS_PER_HOUR, "24h": 24 * NS_PER_HOUR, "7d": 7 * NS_PER_DAY})


def sigma_multiple(distance: float, sigma_1d: float | None) -> float | None:
    """Return how many daily standard deviations away a level is: `|ln(1 + distance)| / sigma_1d`.

    Parameters
    ----------
    distance
        (level - mark) / mark, above -1.
    sigma_1d
        Realised volatility of one day, fraction; None if unknown.

    Raises
    ------
    BadArgument
        If the distance is -1 or less: no price lies there.
    """
    if not distance > -1.0:
        raise BadArgument(f"distance: expected a number above -1, received {distance:g}", hint="-0.02 is 2 % below the mark.")
    if sigma_1d is None or not sigma_1d >= 0.0:
        return None
    away = abs(math.log1p(distance))
    if sigma_1d == 0.0:
        return 0.0 if away == 0.0 else math.inf
    return away / sigma_1d


def touch_odds(distance: float, sigma_1d: float | None, horizon_ns: int = 24 * NS_PER_HOUR) -> float | None:
    """Return the probability that a driftless random walk touches a level within the horizon.

    `2 Phi(-|ln(1 + distance)| / (sigma_1d sqrt(H)))` with H in days: the reflection principle, twice the chance of ending
    beyond. It knows neither the map nor a trend, and is the number to beat.

    Parameters
    ----------
    distance
        (level - mark) / mark.
    sigma_1d
        Realised volatility of one day, fraction; None gives None.
    horizon_ns
        Length of time, ns, > 0.

    Examples
    --------
    >>> round(touch_odds(770 / 84_178.9, 0.0226), 2), round(touch_odds(-2_000 / 84_178.9, 0.0226), 2)
    (0.69, 0.29)
    """
    if horizon_ns <= 0:
        raise BadArgument(f"horizon: expected more than 0 ns, received {horizon_ns}", hint="24 hours are 24 * NS_PER_HOUR.")
    multiple = sigma_multiple(distance, sigma_1d)
    if multiple is None:
        return None
    # 2 Phi(-z) = erfc(z / sqrt 2), exact far into the tail.
    return math.erfc(multiple / math.sqrt(horizon_ns / NS_PER_DAY) / math.sqrt(2.0))


def odds_by_horizon(distance: float, sigma_1d: float | None) -> dict[str, float] | None:
    """Return the touch odds at 4 hours, 24 hours and 7 days, or None if the volatility is unknown."""
    odds = {name: touch_odds(distance, sigma_1d, horizon) for name, horizon in HORIZONS_NS.items()}
    known = {name: value for name, value in odds.items() if value is not None}
    return known if len(known) == len(odds) else None
