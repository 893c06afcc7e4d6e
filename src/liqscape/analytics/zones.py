"""Zones: stretches of unusual density (feature F07), the round numbers in them (F39) and their touch odds (F43)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from liqscape.analytics._curves import Curve, edge_distance, share, whole_buckets
from liqscape.analytics._estimates import positive
from liqscape.analytics.odds import odds_by_horizon, sigma_multiple, touch_odds
from liqscape.analytics.round_prices import RoundNumber, is_round, round_numbers
from liqscape.errors import BadArgument
from liqscape.model.arrays import BoolArray, FloatArray
from liqscape.model.instruments import describe
from liqscape.model.maps import Estimate, LiquidationMap, SideLevels
from liqscape.model.sides import PositionSide
from liqscape.units import NS_PER_S, format_duration, format_percent

ZONE_WITHIN = 0.15
DENSE = 1.5  # times the median density of the side
GAP = 0.002  # fraction of the mark price: a shorter gap does not end a zone
SMALLEST_SHARE = 0.05  # of the side's pool within the window (amendment to F07)


class MixShare(Struct, frozen=True, kw_only=True):
    """A class of positions and its share of a zone.

    Parameters
    ----------
    name
        `d 2 %` for a distance tier, `life 83 h` for a lifetime class.
    value
        Distance of the tier, fraction, or mean lifetime, seconds.
    share
        Fraction of the zone's dollars.
    """

    name: str
    value: float
    share: float


class Zone(Struct, frozen=True, kw_only=True):
    """A dense stretch of one side.

    Parameters
    ----------
    from_price, to_price
        Ascending, quote per base.
    near_distance, far_distance
        Of its edges, signed fractions.
    peak_price, peak_usd
        Middle of the densest bucket, quote per base, and its USD per 0.1 % of price.
    pool_usd
        USD at the level between the edges.
    share_of_side
        Fraction of the side's pool within the window.
    age_s
        Mean age of the dollars, seconds; None if unknown.
    tier_mix, class_mix
        By distance tier and by lifetime class, largest first.
    prior_share
        Fraction of the pool that is prior.
    round_numbers
        Round prices inside, or within 0.1 % of an edge.
    peak_is_round
        Whether the peak lies within 0.1 % of a round price.
    sigma_1d, no_map_odds, no_map_odds_by_horizon
        Of the near edge, as in `Move`.
    """

    side: PositionSide
    from_price: float
    to_price: float
    near_distance: float
    far_distance: float
    peak_price: float
    peak_usd: float
    pool_usd: Estimate
    share_of_side: float
    age_s: float | None
    tier_mix: tuple[MixShare, ...]
    class_mix: tuple[MixShare, ...]
    prior_share: float | None
    round_numbers: tuple[RoundNumber, ...]
    peak_is_round: bool
    sigma_1d: float | None
    no_map_odds: float | None
    no_map_odds_by_horizon: dict[str, float] | None


class Zones(Struct, frozen=True, kw_only=True):
    """The zones of a map.

    Parameters
    ----------
    within
        Distance window, fraction.
    zones
        Shorts above first, then longs below; each side from the mark outward.
    findings
        One sentence per side that has no zone: that is a finding.
    """

    within: float
    zones: tuple[Zone, ...]
    findings: tuple[str, ...]


def zones(
    liquidation_map: LiquidationMap, within: float = ZONE_WITHIN, *, side: PositionSide | None = None, top: int | None = None
) -> Zones:
    """Return the dense stretches of a map (F07).

    Parameters
    ----------
    within
        Distance window, fraction; the density that counts as usual is the side's median there.
    side
        Only this side.
    top
        Only the largest this many by pool, both sides together.

    Raises
    ------
    BadArgument
        If the window is not within the reach of the map or `top` is less than 1.
    """
    if top is not None and top < 1:
        raise BadArgument(f"top: expected at least 1, received {top}", hint="Leave it out to see every zone.")
    found: list[Zone] = []
    findings: list[str] = []
    for each in (PositionSide.SHORT, PositionSide.LONG):
        if side not in (None, each):
            continue
        curve = Curve.of(liquidation_map, each)
        curve.check(0.0, within)
        runs = find_zones(liquidation_map, each, within)
        found.extend(_describe(liquidation_map, curve, first, last, within) for first, last in runs)
        if not runs:
            findings.append(f"No {each} zone within {format_percent(within)}: nothing there is much denser than the rest.")
    if top is not None:
        largest = {id(zone) for zone in sorted(found, key=lambda zone: -(zone.pool_usd.median or 0.0))[:top]}
        found = [zone for zone in found if id(zone) in largest]
    return Zones(within=within, zones=tuple(found), findings=tuple(findings))


def find_zones(liquidation_map: LiquidationMap, side: PositionSide, within: float = ZONE_WITHIN) -> list[tuple[int, int]]:
    """Return the zones of one side as bucket runs [first, last), from the mark outward.

    A zone is a run of buckets at 1.5 times the side's median density or more, runs no more than 0.2 % apart are one, and it
    holds at least 5 % of the side's pool within the window.
    """
    levels = liquidation_map.side(side)
    distance = edge_distance(levels, liquidation_map.mark_price)
    buckets = whole_buckets(distance, within)
    usd = levels.usd[:buckets]
    total = float(usd.sum())
    if total <= 0.0:
        return []
    runs = _runs((usd > 0.0) & (usd >= DENSE * float(np.median(usd))))
    merged: list[tuple[int, int]] = []
    for first, last in runs:
        if merged and distance[first] - distance[merged[-1][1]] <= GAP + 1e-9:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return [(first, last) for first, last in merged if float(usd[first:last].sum()) >= SMALLEST_SHARE * total]


def _runs(dense: BoolArray) -> list[tuple[int, int]]:
    """Return the stretches [first, last) where the array is true."""
    steps = np.diff(np.concatenate(([0], dense.astype(np.int64), [0])))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _describe(liquidation_map: LiquidationMap, curve: Curve, first: int, last: int, within: float) -> Zone:
    levels, sigma = curve.levels, liquidation_map.sigma_1d
    base = describe(liquidation_map.instruments[0]).base
    near, far = float(curve.distance[first]), float(curve.distance[last])
    region = curve.between(near, far)
    sign = -1.0 if levels.side is PositionSide.LONG else 1.0
    low, high = sorted((float(levels.edge_price[first]), float(levels.edge_price[last])))
    peak = first + int(np.argmax(levels.usd[first:last]))
    peak_price = float(levels.mid_price[peak])
    return Zone(
        side=levels.side,
        from_price=low,
        to_price=high,
        near_distance=sign * near,
        far_distance=sign * far,
        peak_price=peak_price,
        peak_usd=float(levels.usd[peak]),
        pool_usd=positive(region.usd, region.draws_usd, prior_share=region.prior_share),
        share_of_side=region.usd / curve.between(0.0, within).usd,
        age_s=_age_s(levels, first, last),
        tier_mix=_mix(levels.tier_usd[:, first:last], liquidation_map.tiers, _tier_name),
        class_mix=_mix(levels.class_usd[:, first:last], liquidation_map.class_life_s, _life_name),
        prior_share=region.prior_share,
        round_numbers=round_numbers(low, high, base),
        peak_is_round=is_round(peak_price, base),
        sigma_1d=sigma_multiple(sign * near, sigma),
        no_map_odds=touch_odds(sign * near, sigma),
        no_map_odds_by_horizon=odds_by_horizon(sign * near, sigma),
    )


def _age_s(levels: SideLevels, first: int, last: int) -> float | None:
    """Average the age of the buckets whose age is known, weighted by dollars."""
    usd, age = levels.usd[first:last], levels.age_s[first:last]
    known = np.isfinite(age) & (usd > 0.0)
    weight = float(usd[known].sum())
    return float((usd[known] * age[known]).sum() / weight) if weight > 0.0 else None


def _mix(parts_usd: FloatArray, values: FloatArray, name: Callable[[float], str]) -> tuple[MixShare, ...]:
    """Return the share of each row of float64[classes, n], largest first, without the empty ones."""
    sums = parts_usd.sum(axis=1)
    total = float(sums.sum())
    mix = [
        MixShare(name=name(float(value)), value=float(value), share=share(float(part), total) or 0.0)
        for value, part in zip(values, sums, strict=True)
        if part > 0.0
    ]
    return tuple(sorted(mix, key=lambda item: -item.share))


def _tier_name(distance: float) -> str:
    return f"d {distance * 100:.3g} %"


def _life_name(life_s: float) -> str:
    return f"life {format_duration(life_s * NS_PER_S)}"
