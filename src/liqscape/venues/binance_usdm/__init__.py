"""Binance USD-M perpetuals, and what COIN-M shares with them. May depend on `model`, the ground and the room's own base."""

from liqscape.venues.binance_usdm.venue import BinanceUsdm

__all__ = ["BinanceUsdm"]
