"""The shape of one side: staircase (F08), spread and buffer (F09), where it is densest."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from msgspec import Struct

from liqscape.analytics._curves import edge_distance, share, whole_buckets
from liqscape.analytics._estimates import signed
from liqscape.analytics.zones import find_zones
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Estimate, LiquidationMap
from liqscape.model.sides import PositionSide

SHAPE_WITHIN = 0.15
STAIRCASE_RHO = 0.5


class Staircase(StrEnum):
    """Whether density grows with distance."""

    RISING = "rising"
    FALLING = "falling"
    UNEVEN = "uneven"


class SideShape(Struct, frozen=True, kw_only=True):
    """How the dollars of one side lie within 15 % of the mark.

    Parameters
    ----------
    within
        Distance window of this reading, fraction.
    pool_usd
        USD in that window, the map's own value.
    staircase_rho
        Spearman rank correlation of density with distance over the buckets; None where density does not vary.
    staircase
        RISING from +0.5, FALLING to -0.5, else UNEVEN.
    spread
        exp(entropy) / buckets: 1 if every bucket holds the same, 1 / buckets if one holds all; None if nothing stands there.
    buffer
        Absolute distance to the near edge of the side's first zone, fraction; None if there is no zone.
    densest_zone_distance
        Absolute distance to the near edge of the zone with the densest bucket, fraction; None if there is no zone.
    densest_distance, densest_price, densest_usd
        Middle of the densest bucket (signed distance, fraction; quote per base) and its USD per 0.1 % of price.
    """

    side: PositionSide
    within: float
    pool_usd: float
    staircase_rho: Estimate | None
    staircase: Staircase
    spread: Estimate | None
    buffer: float | None
    densest_zone_distance: float | None
    densest_distance: float | None
    densest_price: float | None
    densest_usd: float | None


def side_shape(liquidation_map: LiquidationMap, side: PositionSide, within: float = SHAPE_WITHIN) -> SideShape:
    """Read the shape of one side from the whole buckets within a distance of the mark."""
    levels = liquidation_map.side(side)
    mark = liquidation_map.mark_price
    distance = edge_distance(levels, mark)
    buckets = whole_buckets(distance, within)
    usd, draws = levels.usd[:buckets], levels.draws_usd[:, :buckets]
    prior_share = share(float(levels.prior_usd[:buckets].sum()), float(usd.sum()))

    rho = _known(float(spearman_with_order(usd[None, :])[0]))
    rho_estimate = None if rho is None else signed(rho, spearman_with_order(draws), prior_share=prior_share, limit=1.0)
    evenness = _known(float(spread_of(usd[None, :])[0]))
    spread = None if evenness is None else _clipped_spread(evenness, spread_of(draws), prior_share)

    zones = find_zones(liquidation_map, side, within)
    densest = int(np.argmax(usd)) if usd.size and usd.max() > 0.0 else None
    densest_zone = None if densest is None else next((z for z in zones if z[0] <= densest < z[1]), None)
    return SideShape(
        side=side,
        within=within,
        pool_usd=float(usd.sum()),
        staircase_rho=rho_estimate,
        staircase=staircase(rho),
        spread=spread,
        buffer=float(distance[zones[0][0]]) if zones else None,
        densest_zone_distance=None if densest_zone is None else float(distance[densest_zone[0]]),
        densest_distance=None if densest is None else float(levels.mid_price[densest] / mark - 1.0),
        densest_price=None if densest is None else float(levels.mid_price[densest]),
        densest_usd=None if densest is None else float(usd[densest]),
    )


def staircase(rho: float | None) -> Staircase:
    """Return the word for a rank correlation of density with distance."""
    if rho is not None and rho >= STAIRCASE_RHO:
        return Staircase.RISING
    if rho is not None and rho <= -STAIRCASE_RHO:
        return Staircase.FALLING
    return Staircase.UNEVEN


def spearman_with_order(values: FloatArray) -> FloatArray:
    """Return float64[rows], the rank correlation of each row of [rows, n] with its own order 0..n-1; ties share their rank.

    NaN where a row does not vary.
    """
    rows, size = len(values), int(values.shape[1])
    if size < 2:
        return np.full(rows, np.nan)
    # A stable sort numbers ties forward, the reversed one backward; the mean of both is the shared rank.
    forward = np.argsort(np.argsort(values, axis=1, kind="stable"), axis=1, kind="stable")
    mirrored = values[:, ::-1]
    backward = np.argsort(np.argsort(mirrored, axis=1, kind="stable"), axis=1, kind="stable")[:, ::-1]
    middle = 0.5 * (size - 1)
    ranks = 0.5 * (forward + backward) - middle
    order: FloatArray = np.arange(size, dtype=np.float64) - middle
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: FloatArray = ranks @ order / np.sqrt((ranks**2).sum(axis=1) * float(order @ order))
    return np.clip(rho, -1.0, 1.0)


def spread_of(values: FloatArray) -> FloatArray:
    """Return float64[rows], exp(entropy) / n of each row of [rows, n]; NaN where a row is empty.

    Examples
    --------
    >>> spread_of(np.array([[5.0, 5.0, 5.0, 5.0], [0.0, 7.0, 0.0, 0.0]])).round(12).tolist()
    [1.0, 0.25]
    """
    rows, size = len(values), int(values.shape[1])
    if size == 0:
        return np.full(rows, np.nan)
    total = values.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = values / total
        # 0 ln 0 is 0: an empty bucket adds nothing.
        entropy = -np.where(part > 0.0, part * np.log(part), 0.0).sum(axis=1)
    return np.where(total[:, 0] > 0.0, np.exp(entropy) / size, np.nan)


def _clipped_spread(value: float, draws: FloatArray, prior_share: float | None) -> Estimate:
    """Spread lies in (0, 1]: the signed rule with a floor at 0."""
    estimate = signed(value, draws, prior_share=prior_share, limit=1.0)
    low = None if estimate.lo is None else max(estimate.lo, 0.0)
    return Estimate(median=estimate.median, lo=low, hi=estimate.hi, level=estimate.level, prior_share=prior_share)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
