"""What OKX v5 sends, as documented on https://www.okx.com/docs-v5/en/ (read 2026-11).

Every number comes as text; a field that may be empty is `str | float | None`. Sizes and open interest are in contracts, except
where the name ends in `Ccy` (base coin).
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
Loose = str | float | None


class Detail(Struct, gc=False):
    """One print: side is the CLOSING order's, posSide the position's (may be empty or `net`), bkPx the bankruptcy price."""

    side: str
    bkPx: float
    sz: float
    ts: float
    posSide: str = ""


class LiquidationRow(Struct, gc=False):
    """Prints of one instrument."""

    instId: str
    details: list[Detail]


class Liquidations(Struct, gc=False):
    """Channel `liquidation-orders`; the answer of /public/liquidation-orders has the same rows."""

    data: list[LiquidationRow]


class TradeRow(Struct, gc=False):
    """One row of channel `trades`: side is the taker's."""

    instId: str
    px: float
    sz: float
    side: str
    ts: float


class Trades(Struct, gc=False):
    """Channel `trades`."""

    data: list[TradeRow]


class Arg(Struct, gc=False):
    """What a frame belongs to."""

    channel: str = ""
    instId: str = ""


class Head(Struct, gc=False):
    """What every frame tells about itself."""

    arg: Arg | None = None
    event: str | None = None
    code: str | None = None
    msg: str | None = None


class TickerRow(Struct, gc=False):
    """A row of mark-price, open-interest, funding-rate, index-tickers and tickers, by WebSocket or REST."""

    instId: str
    ts: Loose = None
    markPx: Loose = None
    idxPx: Loose = None
    oi: Loose = None  # contracts
    oiCcy: Loose = None  # base coins
    fundingRate: Loose = None
    fundingTime: Loose = None
    last: Loose = None
    volCcy24h: Loose = None  # base coins


class Answer(Struct, Generic[T]):
    """Every REST answer (code "0" is fine), and the data part of every frame."""

    data: list[T]
    code: str = "0"
    msg: str = ""


class Status(Struct):
    """What every answer tells about itself."""

    code: str = "0"
    msg: str = ""


class InstrumentRow(Struct):
    """A row of /public/instruments."""

    instId: str
    instType: str
    instFamily: str
    state: str
    ctType: str
    ctVal: Loose
    ctValCcy: str
    tickSz: Loose
    ctMult: Loose = None
    lever: Loose = None


class FundingRow(Struct):
    """A row of /public/funding-rate-history."""

    instId: str
    fundingTime: float
    fundingRate: float
    realizedRate: Loose = None


class TierRow(Struct):
    """A row of /public/position-tiers; minSz and maxSz are contracts."""

    minSz: float
    maxSz: float
    mmr: float
    maxLever: float
    instFamily: str = ""
    uly: str = ""


class BookRow(Struct):
    """The data of /market/books-full: price, contracts, orders."""

    asks: list[list[float]]
    bids: list[list[float]]
    ts: float


# ts, open, high, low, close, contracts, base coins, quote, confirm; of the mark price: ts, open, high, low, close, confirm
CandleRow = list[float]
# ts, contracts, base coins, USD
OpenInterestRow = list[float]
# ts, longs per short
RatioRow = list[float]
