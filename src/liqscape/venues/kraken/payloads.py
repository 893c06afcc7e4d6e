"""What Kraken Futures sends, as documented on https://docs.kraken.com (read 2026-11).

Quantities and open interest are base coins for PF_ contracts and USD for PI_ contracts. Rates named `relative` are fractions
per hour; the others are absolute (USD per coin, or coins per USD) and not read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Loose = str | float | None
Time = Annotated[datetime, Meta(tz=True)]  # 2026-09-21T14:13:00.123Z


class Head(Struct, gc=False):
    """What every frame tells about itself."""

    feed: str | None = None
    event: str | None = None
    message: str | None = None


class TradeRow(Struct, gc=False):
    """`trade`: side is the taker's; type is fill, liquidation, assignment, termination or block."""

    product_id: str
    side: str
    type: str
    time: float
    qty: float
    price: float


class Snapshot(Struct, gc=False):
    """`trade_snapshot`: the last 100 trades."""

    trades: list[TradeRow]


class TickerFrame(Struct, gc=False):
    """`ticker`; next_funding_rate_time is 0 before the first funding."""

    product_id: str
    time: float
    markPrice: Loose = None
    index: Loose = None
    openInterest: Loose = None
    relative_funding_rate: Loose = None
    next_funding_rate_time: Loose = None
    volume: Loose = None  # 24 h, in units of the contract
    volumeQuote: Loose = None


class TickerRow(Struct):
    """A row of /tickers, which lists indices too."""

    symbol: str
    markPrice: Loose = None
    indexPrice: Loose = None
    openInterest: Loose = None
    vol24h: Loose = None
    volumeQuote: Loose = None


class Tickers(Struct):
    """/tickers."""

    result: str
    tickers: list[TickerRow]
    serverTime: Time | None = None


class MarginLevel(Struct):
    """From which size on which margin: contracts (PI_) or numNonContractUnits (PF_)."""

    initialMargin: float
    maintenanceMargin: float
    contracts: Loose = None
    numNonContractUnits: Loose = None


class InstrumentRow(Struct):
    """A row of /instruments, which lists indices too."""

    symbol: str
    type: str
    tradeable: bool = False
    tickSize: Loose = None
    contractSize: Loose = None
    base: str | None = None
    quote: str | None = None
    lastTradingTime: str | None = None
    marginLevels: list[MarginLevel] = []


class Instruments(Struct):
    """/instruments."""

    result: str
    instruments: list[InstrumentRow]


class Candle(Struct):
    """A row of charts: time is the start."""

    time: float
    open: float
    high: float
    low: float
    close: float
    volume: Loose = None


class Candles(Struct):
    """/charts/v1/{trade|mark}/{symbol}/1m."""

    candles: list[Candle]
    more_candles: bool = False


class FundingRow(Struct):
    """A row of /historical-funding-rates."""

    timestamp: Time
    relativeFundingRate: float


class Funding(Struct):
    """/historical-funding-rates."""

    rates: list[FundingRow]


class HistoryRow(Struct):
    """A row of /history: as `trade`, with other names."""

    time: Time
    price: float
    size: float
    side: str
    type: str
    uid: str


class History(Struct):
    """/history: the 100 trades before `lastTime`."""

    result: str
    history: list[HistoryRow]


class BookData(Struct):
    """Part of /orderbook."""

    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class Book(Struct):
    """/orderbook."""

    result: str
    orderBook: BookData
    serverTime: Time


class Status(Struct):
    """What every answer tells about itself."""

    result: str | None = None
    error: str | None = None
