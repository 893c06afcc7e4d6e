"""KuCoin perpetuals: price and open interest. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.kucoin.venue import Kucoin

__all__ = ["Kucoin"]
