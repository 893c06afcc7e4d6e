"""Hyperliquid perpetuals, the one venue that is public about accounts. May depend on `model`, the ground and the room's base."""

from liqscape.venues.hyperliquid.venue import Hyperliquid

__all__ = ["Hyperliquid"]
