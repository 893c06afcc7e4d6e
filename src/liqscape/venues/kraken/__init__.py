"""Kraken Futures: multi-collateral (linear) and inverse perpetuals. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.kraken.venue import Kraken

__all__ = ["Kraken"]
