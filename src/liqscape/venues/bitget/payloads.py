"""What Bitget v2 and v3 send, as documented on https://www.bitget.com/api-doc/ (read 2026-11).

Numbers come as text; a field that may be empty is `str | float | None`. Sizes are base coins, except a liquidation's `amount`,
which is QUOTE notional.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")
Loose = str | float | None


class Row(Struct, gc=False):
    """One print of v3 `liquidation`: side is the POSITION's, amount is quote notional."""

    symbol: str
    side: str
    price: float
    amount: float
    ts: float


class Liquidations(Struct, gc=False):
    """v3 topic `liquidation`."""

    data: list[Row]


class OldTradeRow(Struct, gc=False):
    """One row of v2 channel `trade`."""

    ts: float
    price: float
    size: float
    side: str


class TradeRow(Struct, gc=False):
    """One row of v3 topic `publicTrade`."""

    p: float
    v: float
    S: str
    T: float


class Arg(Struct, gc=False):
    """What a frame belongs to: v2 names channel and instId, v3 topic and symbol."""

    topic: str = ""
    symbol: str = ""
    channel: str = ""
    instId: str = ""


class Head(Struct, gc=False):
    """What every frame tells about itself."""

    arg: Arg | None = None
    event: str | None = None
    code: str | int | None = None
    msg: str | None = None


class Trades(Struct, gc=False):
    """v3 `publicTrade`."""

    arg: Arg
    data: list[TradeRow]


class OldTrades(Struct, gc=False):
    """v2 `trade`."""

    arg: Arg
    data: list[OldTradeRow]


class TickerRow(Struct, gc=False):
    """A row of tickers; v2 names holdingAmount and quoteVolume what v3 names openInterest and turnover24h."""

    symbol: str = ""
    instId: str = ""
    ts: Loose = None
    markPrice: Loose = None
    indexPrice: Loose = None
    fundingRate: Loose = None
    nextFundingTime: Loose = None
    holdingAmount: Loose = None
    openInterest: Loose = None
    quoteVolume: Loose = None
    turnover24h: Loose = None


class TickerFrame(Struct, gc=False):
    """v3 topic `ticker`, v2 channel `ticker`."""

    arg: Arg
    data: list[TickerRow]
    ts: Loose = None


class Answer(Struct, Generic[T]):
    """Every REST answer; code "00000" is fine."""

    data: T
    code: str = "00000"
    msg: str = ""
    requestTime: Loose = None


class Status(Struct):
    """What every answer tells about itself."""

    code: str = "00000"
    msg: str = ""


class History(Struct):
    """The data of /api/v3/market/liquidations."""

    rows: list[Row] = field(name="list")
    cursor: str | int | None = None


class InstrumentRow(Struct):
    """A row of /api/v2/mix/market/contracts."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    symbolType: str
    symbolStatus: str
    pricePlace: float
    priceEndStep: float
    fundInterval: Loose = None  # hours
    maxLever: Loose = None


class FundingRow(Struct):
    """A row of /api/v2/mix/market/history-fund-rate."""

    symbol: str
    fundingRate: float
    fundingTime: float


class RatioRow(Struct):
    """A row of account-long-short."""

    longAccountRatio: float
    shortAccountRatio: float
    ts: float


class TierRow(Struct):
    """A row of query-position-lever; units are quote notional."""

    symbol: str
    startUnit: float
    endUnit: float
    leverage: float
    keepMarginRate: float


class BookData(Struct):
    """The data of merge-depth."""

    asks: list[tuple[float, float]]
    bids: list[tuple[float, float]]
    ts: float


# ts, open, high, low, close, base volume, quote volume
CandleRow = list[float]
