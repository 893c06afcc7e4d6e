"""Tardis: CSV of `liquidations` and `derivative_ticker` of many exchanges. May depend on `model` and the ground."""

from liqscape.venues.tardis.parse import (
    LIQUIDATION_WIRE,
    TICKER_WIRE,
    funding_paid,
    minute_bars,
    open_interest_changes,
    parse_liquidations,
    parse_tickers,
    unconverted_exchanges,
)
from liqscape.venues.tardis.payloads import EXCHANGES, LIQUIDATION_COLUMNS, TICKER_COLUMNS

__all__ = [
    "EXCHANGES",
    "LIQUIDATION_COLUMNS",
    "LIQUIDATION_WIRE",
    "TICKER_COLUMNS",
    "TICKER_WIRE",
    "funding_paid",
    "minute_bars",
    "open_interest_changes",
    "parse_liquidations",
    "parse_tickers",
    "unconverted_exchanges",
]
