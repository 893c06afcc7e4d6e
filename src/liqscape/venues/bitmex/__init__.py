"""BitMEX's perpetuals, inverse and linear. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.bitmex.venue import Bitmex

__all__ = ["Bitmex"]
