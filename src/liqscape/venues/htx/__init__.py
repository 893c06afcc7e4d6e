"""HTX USDT perpetuals. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.htx.venue import Htx

__all__ = ["Htx"]
