"""Binance COIN-M perpetuals: USD-M's requests with other addresses and units. May depend on `binance_usdm` and what it may."""

from liqscape.venues.binance_coinm.venue import BinanceCoinm

__all__ = ["BinanceCoinm"]
