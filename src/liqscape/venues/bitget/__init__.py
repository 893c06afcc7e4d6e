"""Bitget USDT perpetuals, API v2 and v3. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.bitget.venue import Bitget

__all__ = ["Bitget"]
