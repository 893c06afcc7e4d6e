"""Bybit linear and inverse perpetuals, API v5. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.bybit.venue import Bybit

__all__ = ["Bybit"]
