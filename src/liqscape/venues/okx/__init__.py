"""OKX perpetual swaps, linear and inverse, API v5. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.okx.venue import Okx

__all__ = ["Okx"]
