"""Gate USDT perpetuals, API v4. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.gate.venue import Gate

__all__ = ["Gate"]
