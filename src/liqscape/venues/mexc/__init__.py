"""MEXC perpetuals: price and open interest. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.mexc.venue import Mexc

__all__ = ["Mexc"]
