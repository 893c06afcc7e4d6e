"""Depth profiles: the dollars that stand in a book, by distance from its middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.cascade.base import Direction
from liqscape.errors import CorruptRecord, NoData
from liqscape.model.arrays import FloatArray

# Edges that a profile is cut to unless others are asked for: fine at the touch, where most is known.
EDGES = np.array([0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05])


@dataclass(frozen=True)
class DepthProfile:
    """Cumulative depth of one instant.

    Parameters
    ----------
    distance : float64[k], fraction of the mid price, ascending, > 0
    bid_usd, ask_usd : float64[k], USD standing up to each distance below and above the mid
    ts_ns
        When the book was seen, ns UTC.
    source
        Venues and feed, in words.
    """

    distance: FloatArray
    bid_usd: FloatArray
    ask_usd: FloatArray
    ts_ns: int
    source: str

    def __post_init__(self) -> None:
        """Refuse a profile that cannot be one."""
        if self.distance.size == 0 or not (self.bid_usd.size == self.ask_usd.size == self.distance.size):
            raise CorruptRecord(
                f"{self.source}: depth: expected as many bids and asks as distances, received "
                f"{self.bid_usd.size}, {self.ask_usd.size} and {self.distance.size}.",
                hint="Give cumulative dollars of both sides at every distance.",
            )
        if not (np.all(np.diff(self.distance, prepend=0.0) > 0.0) and np.all(np.isfinite(self.distance))):
            raise CorruptRecord(
                f"{self.source}: depth: expected ascending distances > 0, received {self.distance.tolist()}.",
                hint="Distances are fractions of the mid price, nearest first.",
            )
        for name, usd in (("bid_usd", self.bid_usd), ("ask_usd", self.ask_usd)):
            if not (np.all(np.isfinite(usd)) and np.all(np.diff(usd, prepend=0.0) >= 0.0)):
                raise CorruptRecord(
                    f"{self.source}: depth: {name}: expected cumulative dollars that never fall, received {usd.tolist()}.",
                    hint="Sum the book outward before it becomes a profile.",
                )
            if not usd[-1] > 0.0:
                raise NoData(
                    f"{self.source}: depth: {name}: the book is empty on this side.",
                    hint="Wait for the next snapshot, or use the impact law and say so.",
                )

    def toward(self, direction: Direction) -> FloatArray:
        """float64[k], USD that a move that way meets: asks up, bids down."""
        return self.ask_usd if direction is Direction.UP else self.bid_usd

    def within(self, direction: Direction, distance: float) -> float | None:
        """Return the dollars up to one distance, linear between the known ones; None beyond the last."""
        if distance > self.distance[-1]:
            return None
        return float(np.interp(distance, np.append(0.0, self.distance), np.append(0.0, self.toward(direction))))


def depth_profile(
    bid_price: FloatArray,
    bid_quantity: FloatArray,
    ask_price: FloatArray,
    ask_quantity: FloatArray,
    *,
    ts_ns: int,
    source: str,
    edges: FloatArray = EDGES,
) -> DepthProfile:
    """Sum a book outward from its mid.

    Parameters
    ----------
    bid_price, ask_price : float64[n], quote per base, in any order
    bid_quantity, ask_quantity : float64[n], base units
    edges : float64[k], distances to cut at; those beyond the deepest known order of either side are left out

    Raises
    ------
    NoData
        If a side is empty.
    CorruptRecord
        If the book is crossed, or a price or quantity cannot be.
    """
    for name, price, quantity in (("bids", bid_price, bid_quantity), ("asks", ask_price, ask_quantity)):
        if price.size == 0:
            raise NoData(f"{source}: depth: no {name} in the book.", hint="Wait for the next snapshot, or use the impact law.")
        bad = ~(np.isfinite(price) & np.isfinite(quantity) & (price > 0.0) & (quantity >= 0.0))
        if price.size != quantity.size or bad.any():
            raise CorruptRecord(
                f"{source}: depth: {name}: expected prices > 0 with quantities >= 0, {int(bad.sum())} of {price.size} are not.",
                hint="Look at the payload; correct the parser if the venue means it.",
            )
    bid, ask = float(bid_price.max()), float(ask_price.min())
    if bid >= ask:
        raise CorruptRecord(
            f"{source}: depth: the book is crossed: best bid {bid} is not below best ask {ask}.",
            hint="Rebuild the book from a fresh snapshot.",
        )
    mid = 0.5 * (bid + ask)
    away = ((mid - bid_price) / mid, (ask_price - mid) / mid)
    deepest = min(float(distance.max()) for distance in away)
    kept = edges[edges <= deepest]
    kept = kept if kept.size else np.array([deepest])
    cumulative = [
        np.array([float(usd[distance <= edge].sum()) for edge in kept])
        for distance, usd in zip(away, (bid_price * bid_quantity, ask_price * ask_quantity), strict=True)
    ]
    return DepthProfile(kept, cumulative[0], cumulative[1], ts_ns, source)
