"""What the CSV files of https://datasets.tardis.dev look like (as documented in 2026).

Times are microseconds since 1970, UTC; a header row is always there; rows stand in the order in which they arrived
(`local_timestamp`), so `timestamp`, the exchange's own time, may step back a little.
"""

from __future__ import annotations

from msgspec import Struct

LIQUIDATION_COLUMNS = (
    "exchange",
    "symbol",
    "timestamp",
    "local_timestamp",
    "id",
    "side",  # buy: a short was liquidated; sell: a long was
    "price",
    "amount",  # in the venue's own unit
)

TICKER_COLUMNS = (
    "exchange",
    "symbol",
    "timestamp",
    "local_timestamp",
    "funding_timestamp",  # the next payment
    "funding_rate",
    "predicted_funding_rate",
    "open_interest",  # in the venue's own unit
    "last_price",
    "index_price",
    "mark_price",
)


class Exchange(Struct, frozen=True):
    """One exchange in the words of the house.

    Parameters
    ----------
    venue
        The house's name of the exchange.
    base_amounts
        True if amounts of its linear contracts are base units; else they are contracts (or quote) of a size that the files
        do not tell, and nothing is converted.
    sides
        How many sides of a contract the published open interest counts.
    """

    venue: str
    base_amounts: bool = False
    sides: int = 1


# Bybit's `openInterest` is the sum of both sides (Bybit v5 docs, /v5/market/open-interest; one-sided twin added 2026-06-11).
EXCHANGES = {
    "binance-futures": Exchange("binance", base_amounts=True),
    "binance-delivery": Exchange("binance"),
    "bybit": Exchange("bybit", base_amounts=True, sides=2),
    "okex-swap": Exchange("okx"),
    "bitmex": Exchange("bitmex"),
    "deribit": Exchange("deribit"),
    "huobi-dm-swap": Exchange("htx", sides=2),
    "huobi-dm-linear-swap": Exchange("htx", sides=2),
    "cryptofacilities": Exchange("kraken"),
    "bitfinex-derivatives": Exchange("bitfinex"),
    "gate-io-futures": Exchange("gate"),
    "bitget-futures": Exchange("bitget"),
    "hyperliquid": Exchange("hyperliquid"),
    "dydx-v4": Exchange("dydx"),
}
