"""What stands at a level now: whether the book swallows the pool, who might push, what has been pulled (F20, F21, F22)."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from liqscape.cascade.absorption import Absorption
from liqscape.cascade.base import Direction, interval, pairs
from liqscape.cascade.depth import DepthProfile
from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.model.maps import Estimate
from liqscape.units import NS_PER_HOUR

HOURS_OF_WEEK = 168
_FIRST_MONDAY_HOUR = 96  # hours from Thursday 1970-01-01 to the first Monday


class Momentum(Struct, frozen=True, kw_only=True):
    """How hard the price comes on.

    Parameters
    ----------
    z
        Return over its own volatility.
    approach_bps_per_min
        Speed towards the level; negative when it moves away.
    flow_share
        Net taker flow that way by the dollars that ignite it; None where nothing ignites or no flow is known.
    """

    z: float
    approach_bps_per_min: float
    flow_share: float | None


def momentum(
    log_return: float,
    seconds: float,
    sigma_1d: float,
    direction: Direction,
    *,
    net_taker_usd: float | None = None,
    ignition_usd: float | None = None,
) -> Momentum:
    """Return how a move towards a level compares with what is usual and with what it would take."""
    if not (seconds > 0.0 and sigma_1d > 0.0):
        raise BadArgument(
            f"cascade: momentum: expected seconds and volatility > 0, received {seconds}, {sigma_1d}.",
            hint="Volatility of one day, as a fraction.",
        )
    share = None
    if net_taker_usd is not None and ignition_usd is not None and ignition_usd > 0.0:
        share = direction.sign * net_taker_usd / ignition_usd
    return Momentum(
        z=log_return / (sigma_1d * math.sqrt(seconds / 86_400.0)),
        approach_bps_per_min=direction.sign * 1e4 * log_return / (seconds / 60.0),
        flow_share=share,
    )


def bait(pool_usd: FloatArray, absorption: Absorption, direction: Direction, distance: float) -> Estimate:
    """Return a zone's pool by the dollars it takes to push the price there: what a push could set free per dollar spent.

    Parameters
    ----------
    pool_usd : float64[draws], USD in the zone over the map's ensemble
    distance
        From the mark to the zone's near edge, fraction, within the grid and > 0.
    """
    cost = absorption.at(direction, distance)
    if not np.all(cost > 0.0):
        raise BadArgument(
            f"cascade: bait: nothing has to be absorbed before distance {distance}.", hint="The zone must lie beyond the mark."
        )
    map_draw, absorption_draw = pairs(pool_usd.size, cost.size, pool_usd.size * cost.size)
    return interval(pool_usd[map_draw] / cost[absorption_draw])


def refill_seen(before: DepthProfile, after: DepthProfile, direction: Direction, distance: float) -> float | None:
    """Return depth after a probe by depth before it, up to a distance; None where one of them is not known."""
    then, now = before.within(direction, distance), after.within(direction, distance)
    return None if then is None or now is None or then == 0.0 else now / then


def hour_of_week(ts_ns: int) -> int:
    """Return the hour of the week, 0 is Monday 00:00 UTC."""
    return (ts_ns // NS_PER_HOUR - _FIRST_MONDAY_HOUR) % HOURS_OF_WEEK


def usual_depth(ts_ns: IntArray, usd: FloatArray) -> FloatArray:
    """float64[168], median depth of every hour of the week; NaN where none was seen."""
    hours = np.array([hour_of_week(int(ts)) for ts in ts_ns], dtype=np.int64)
    seen = [usd[(hours == hour) & np.isfinite(usd)] for hour in range(HOURS_OF_WEEK)]
    return np.array([float(np.median(each)) if each.size else math.nan for each in seen])


def pull(profile: DepthProfile, direction: Direction, usual: FloatArray, *, distance: float = 0.005) -> float | None:
    """Return depth by what is usual at this hour of the week; None where either is not known.

    Parameters
    ----------
    usual : float64[168], `usual_depth` of the same side and distance
    """
    now, norm = profile.within(direction, distance), float(usual[hour_of_week(profile.ts_ns)])
    return None if now is None or not norm > 0.0 else now / norm
