"""What the paths of a simulation say: quantiles with their error, odds, forced dollars by round and venue."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from liqscape.cascade._dynamic_kernels import DUST
from liqscape.cascade.base import Direction, Probability, interval, share
from liqscape.cascade.dynamic import DynamicPaths
from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Estimate


class Quantile(Struct, frozen=True, kw_only=True):
    """A quantile of the ensemble with the standard error of its finite number of paths."""

    share: float
    value: float
    error: float


class Cascade(Struct, frozen=True, kw_only=True):
    """What the simulation says of one direction.

    Parameters
    ----------
    end, end_no_map
        Quantiles 10, 50 and 90 % of the distance at the horizon; beyond the grid counts as its end.
    peak, peak_no_map
        The farthest distance.
    forced_usd
        Forced orders on the way.
    busiest_minute_usd
        Forced orders in the minute with most of them.
    forced_by_round_usd, forced_by_venue_usd
        Means over all paths.
    p_ignites, ignition_s
        Share of paths that feed themselves, and when those do.
    p_adl
        Share with any deleveraging; None if no venue's fund is known.
    p_beyond
        Share that leaves the grid; what follows there is not known.
    p_unfinished
        Share with forced orders left at the horizon.
    """

    direction: Direction
    shock_usd: float
    shock_s: int
    horizon_s: int
    paths: int
    end: tuple[Quantile, ...]
    end_no_map: tuple[Quantile, ...]
    peak: Estimate
    peak_no_map: Estimate
    forced_usd: Estimate
    busiest_minute_usd: Estimate
    forced_by_round_usd: tuple[float, ...]
    forced_by_venue_usd: dict[str, float]
    p_ignites: Probability
    ignition_s: Estimate
    adl_usd: Estimate
    p_adl: Probability | None
    p_beyond: Probability
    p_unfinished: Probability


def summary(paths: DynamicPaths) -> Cascade:
    """Summarise the paths of one direction."""
    forced = paths.by_venue.sum(axis=1)
    lit = np.isfinite(paths.ignition_s)
    funds = any(venue.insurance_fund_usd is not None for venue in paths.venues)
    return Cascade(
        direction=paths.direction,
        shock_usd=paths.shock_usd,
        shock_s=paths.shock_s,
        horizon_s=paths.horizon_s,
        paths=paths.end.size,
        end=quantiles(np.minimum(paths.end, paths.reach)),
        end_no_map=quantiles(np.minimum(paths.end_no_map, paths.reach)),
        peak=interval(np.minimum(paths.peak, paths.reach)),
        peak_no_map=interval(np.minimum(paths.peak_no_map, paths.reach)),
        forced_usd=interval(forced),
        busiest_minute_usd=interval(busiest_minute_usd(paths)),
        forced_by_round_usd=tuple(paths.by_round.mean(axis=0).tolist()),
        forced_by_venue_usd={v.name: usd for v, usd in zip(paths.venues, paths.by_venue.mean(axis=0).tolist(), strict=True)},
        p_ignites=share(paths.draws, lit),
        ignition_s=interval(paths.ignition_s[lit]),
        adl_usd=interval(paths.adl_usd) if funds else Estimate(median=None, lo=None, hi=None),
        p_adl=share(paths.draws, paths.adl_usd > 0.0) if funds else None,
        p_beyond=share(paths.draws, np.isinf(paths.end)),
        p_unfinished=share(paths.draws, paths.unfinished_usd > DUST * len(paths.venues)),
    )


def p_touch(paths: DynamicPaths, distance: float, *, no_map: bool = False) -> Probability:
    """Return the share of paths that touch a distance before the horizon."""
    return share(paths.draws, (paths.peak_no_map if no_map else paths.peak) >= distance)


def fan(paths: DynamicPaths, *, no_map: bool = False, shares: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9)) -> FloatArray:
    """float64[shares, points]: quantiles of the distance every `every_s` seconds, to draw."""
    return np.quantile(paths.track_no_map if no_map else paths.track, tuple(shares), axis=0)


def busiest_minute_usd(paths: DynamicPaths) -> FloatArray:
    """float64[paths], forced dollars of the minute that has most of them, as fine as the points of the track allow."""
    points = max(60 // paths.every_s, 1)
    begin = np.zeros((paths.forced_track.shape[0], points))
    before = np.concatenate((begin, paths.forced_track), axis=1)[:, : paths.forced_track.shape[1]]
    return (paths.forced_track - before).max(axis=1) * 60.0 / (points * paths.every_s)


def quantiles(values: FloatArray, shares: Sequence[float] = (0.1, 0.5, 0.9)) -> tuple[Quantile, ...]:
    """Return quantiles, each with the half distance of its neighbours one binomial standard error away."""
    out: list[Quantile] = []
    for part in shares:
        step = math.sqrt(part * (1.0 - part) / values.size)
        low, value, high = np.quantile(values, (max(part - step, 0.0), part, min(part + step, 1.0)))
        out.append(Quantile(share=part, value=float(value), error=0.5 * float(high - low)))
    return tuple(out)


def after_adl(levels_usd: FloatArray, open_interest_usd: float, adl_usd: float) -> FloatArray:
    """Return the opposite side's levels after deleveraging took `adl_usd` of its open positions, each in proportion.

    Raises
    ------
    BadArgument
        If more was deleveraged than is open.
    """
    if not (0.0 <= adl_usd <= open_interest_usd):
        raise BadArgument(
            f"cascade: deleveraged dollars: expected between 0 and open interest {open_interest_usd}, received {adl_usd}.",
            hint="Both are one-sided dollars of the same venues.",
        )
    return levels_usd * (1.0 - adl_usd / open_interest_usd if open_interest_usd > 0.0 else 1.0)
