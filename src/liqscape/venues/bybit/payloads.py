"""What Bybit v5 sends, as documented on https://bybit-exchange.github.io/docs/v5/ (read 2026-11).

Numbers come as text and are read as floats; a field that may be empty is `str | float | None`.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")
Loose = str | float | None


class Row(Struct, gc=False):
    """One row of `allLiquidation.{symbol}`: S is the POSITION side, p the bankruptcy price."""

    T: float
    s: str
    S: str
    v: float
    p: float


class Liquidations(Struct, gc=False):
    """`allLiquidation.{symbol}` since 2025-02-25."""

    topic: str
    ts: float
    data: list[Row]


class OldLiquidation(Struct):
    """The data of `liquidation.{symbol}`, until 2025-02."""

    updatedTime: float
    symbol: str
    side: str
    size: float
    price: float


class OldLiquidations(Struct):
    """`liquidation.{symbol}`: at most one a second, `data` is an object."""

    topic: str
    ts: float
    data: OldLiquidation


class TradeRow(Struct, gc=False):
    """One row of `publicTrade.{symbol}`: S is the taker's side, BT a block trade."""

    T: float
    s: str
    S: str
    v: float
    p: float
    BT: bool = False


class Trades(Struct, gc=False):
    """`publicTrade.{symbol}`."""

    topic: str
    ts: float
    data: list[TradeRow]


class TickerData(Struct, gc=False):
    """`tickers.{symbol}`, and a row of /v5/market/tickers; a delta holds only what changed."""

    symbol: str
    markPrice: Loose = None
    indexPrice: Loose = None
    openInterest: Loose = None  # both sides
    singleOpenInterest: Loose = None  # one side, since 2026-06-11
    fundingRate: Loose = None
    nextFundingTime: Loose = None
    turnover24h: Loose = None  # quote if linear, coin if inverse


class TickerFrame(Struct, gc=False):
    """`tickers.{symbol}`."""

    topic: str
    data: TickerData
    ts: float | None = None


class Head(Struct, gc=False):
    """What every frame tells about itself."""

    topic: str | None = None
    op: str | None = None
    success: bool | None = None
    ret_msg: str | None = None


class Result(Struct, Generic[T]):
    """The list inside an answer."""

    rows: list[T] = field(name="list")
    category: str | None = None
    nextPageCursor: str | None = None


class Answer(Struct, Generic[T]):
    """Every REST answer; retCode 0 is fine."""

    retCode: int
    result: Result[T]
    retMsg: str = ""
    time: float | None = None


class PriceFilter(Struct):
    """Part of an instrument."""

    tickSize: float


class LeverageFilter(Struct):
    """Part of an instrument."""

    maxLeverage: Loose = None


class InstrumentRow(Struct):
    """A row of /v5/market/instruments-info."""

    symbol: str
    contractType: str
    status: str
    baseCoin: str
    quoteCoin: str
    priceFilter: PriceFilter
    fundingInterval: Loose = None  # minutes
    leverageFilter: LeverageFilter | None = None


class OpenInterestRow(Struct):
    """A row of /v5/market/open-interest."""

    openInterest: float
    timestamp: float
    singleOpenInterest: Loose = None


class FundingRow(Struct):
    """A row of /v5/market/funding/history."""

    symbol: str
    fundingRate: float
    fundingRateTimestamp: float


class RatioRow(Struct):
    """A row of /v5/market/account-ratio."""

    symbol: str
    buyRatio: float
    sellRatio: float
    timestamp: float


class TierRow(Struct):
    """A row of /v5/market/risk-limit."""

    symbol: str
    riskLimitValue: float
    maintenanceMargin: float
    maxLeverage: float
    mmDeduction: Loose = None


class BookData(Struct):
    """The result of /v5/market/orderbook."""

    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]
    ts: float


class BookAnswer(Struct):
    """/v5/market/orderbook."""

    retCode: int
    result: BookData
    retMsg: str = ""


# start, open, high, low, close, volume, turnover; a mark-price kline ends after close
KlineRow = list[float]


class Status(Struct):
    """What every answer tells about itself."""

    retCode: int = 0
    retMsg: str = ""


class Page(Struct):
    """Part of a paged answer."""

    nextPageCursor: str | None = None


class Paged(Struct):
    """Where a list goes on."""

    result: Page
