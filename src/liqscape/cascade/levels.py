"""From a map to what the cascade takes: one grid of distances, the ensemble of each direction, the split by venue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liqscape.cascade.base import Direction
from liqscape.errors import BadArgument, NoData
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import LiquidationMap, SideLevels
from liqscape.model.sides import PositionSide


def map_distance(levels: SideLevels, mark_price: float) -> FloatArray:
    """float64[n + 1], distance of every edge from the mark, fraction, from 0 outward; the buckets are of equal width."""
    width = abs(float(levels.edge_price[-1]) / mark_price - 1.0) / (levels.edge_price.size - 1)
    return np.arange(levels.edge_price.size, dtype=np.float64) * width


def map_levels(liquidation_map: LiquidationMap) -> dict[Direction, FloatArray]:
    """Return the ensemble that a move up forces (short positions) and that a move down forces (long ones).

    Returns
    -------
    dict of float64[draws, n]
        USD per bucket. One side may hold nothing.

    Raises
    ------
    NoData
        If neither side holds a dollar in any draw.
    """
    return levels_of(liquidation_map.long, liquidation_map.short)


def levels_of(long: SideLevels, short: SideLevels) -> dict[Direction, FloatArray]:
    """As `map_levels`, from the two sides of a map."""
    found = {way: (long if way.forced_side is PositionSide.LONG else short).draws_usd for way in Direction}
    if not any(usd.any() for usd in found.values()):
        raise NoData(
            "cascade: the map is empty: no level holds a dollar on either side.",
            hint="Look at the map's outcome and at `liqscape doctor`; a cascade without a map is pure impact.",
        )
    return found


def split(levels_usd: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Split one market's levels among venues by fixed shares, for want of levels by venue: float64[venues, draws, n].

    Raises
    ------
    BadArgument
        If the shares are no parts of a whole.
    """
    parts = np.asarray(shares, dtype=np.float64)
    if parts.size == 0 or parts.min() < 0.0 or abs(parts.sum() - 1.0) > 1e-9:
        raise BadArgument(
            f"cascade: split: expected shares >= 0 that make 1, received {list(shares)}.",
            hint="Shares of open interest are a first guess.",
        )
    return np.multiply(parts[:, None, None], levels_usd, dtype=np.float64)
