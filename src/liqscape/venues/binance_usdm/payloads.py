"""What Binance futures send, as documented on https://developers.binance.com/docs/derivatives (read 2026-11).

USD-M and COIN-M write the same shapes with different units; what differs is said at the field. Frames come in the wrapper of
combined streams. Numbers come as text and are read as floats; a field that may be empty is `str | float | None`.
"""

from __future__ import annotations

from msgspec import Struct

Loose = str | float | None


class Order(Struct, gc=False):
    """The order inside `forceOrder`: S is the CLOSING side, z what was filled of it (l is the last fill alone)."""

    s: str
    S: str
    z: float  # base if USD-M, contracts if COIN-M
    p: float  # limit of the order
    T: float
    ap: float | None = None  # average price of the fills


class ForceOrder(Struct, gc=False):
    """The data of `forceOrder`; `st` (1 USD-M, 2 COIN-M) since 2026-06-30."""

    o: Order
    st: int | None = None


class ForceOrderFrame(Struct, gc=False):
    """`!forceOrder@arr`, `{symbol}@forceOrder`."""

    data: ForceOrder


class Mark(Struct, gc=False):
    """A row of `!markPrice@arr@1s`, and the data of `{symbol}@markPrice@1s`."""

    E: float
    s: str
    p: float  # mark price
    i: Loose = None  # index price
    r: Loose = None  # funding rate; empty for delivery contracts
    T: float | None = None  # next funding; 0 for delivery contracts


class MarkFrame(Struct, gc=False):
    """All symbols (a list) or one."""

    data: list[Mark] | Mark


class Refusal(Struct):
    """What the socket says of a subscription that it does not know."""

    code: int | None = None
    msg: str = ""


class Head(Struct, gc=False):
    """What every frame tells about itself."""

    stream: str | None = None
    error: Refusal | None = None


class Filter(Struct):
    """Part of an instrument; only PRICE_FILTER has a tick."""

    filterType: str
    tickSize: Loose = None


class InstrumentRow(Struct):
    """A row of exchangeInfo; `status` if USD-M, `contractStatus` and `contractSize` (USD) if COIN-M."""

    symbol: str
    contractType: str
    baseAsset: str
    quoteAsset: str
    filters: list[Filter] = []
    status: str | None = None
    contractStatus: str | None = None
    contractSize: float | None = None


class ExchangeInfo(Struct):
    """exchangeInfo."""

    symbols: list[InstrumentRow]


class FundingInfoRow(Struct):
    """A row of fundingInfo, which lists only what is not funded every 8 hours."""

    symbol: str
    fundingIntervalHours: float


class PremiumRow(Struct, gc=False):
    """A row of premiumIndex."""

    symbol: str
    time: float
    markPrice: Loose = None
    indexPrice: Loose = None
    lastFundingRate: Loose = None
    nextFundingTime: float | None = None


class DayRow(Struct, gc=False):
    """A row of ticker/24hr."""

    symbol: str
    closeTime: float
    volume: Loose = None  # base if USD-M, contracts if COIN-M
    quoteVolume: Loose = None  # USD-M only


class OpenInterestNow(Struct):
    """openInterest: base if USD-M, contracts if COIN-M."""

    symbol: str
    openInterest: float
    time: float | None = None


class OpenInterestRow(Struct):
    """A row of /futures/data/openInterestHist."""

    timestamp: float
    sumOpenInterest: float  # base if USD-M, contracts if COIN-M
    sumOpenInterestValue: float  # USDT if USD-M, COIN if COIN-M


class RatioRow(Struct):
    """A row of the three long-short ratios; COIN-M names the shares of positions otherwise."""

    timestamp: float
    longAccount: Loose = None
    longPosition: Loose = None


class FundingRow(Struct):
    """A row of fundingRate."""

    symbol: str
    fundingRate: float
    fundingTime: float


class BookAnswer(Struct):
    """depth."""

    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    T: float | None = None
    E: float | None = None


class BracketRow(Struct):
    """A row of a symbol's margin table, as the website shows it; COIN-M floors, caps and amounts are in the coin."""

    bracketNotionalFloor: float
    bracketNotionalCap: float
    bracketMaintenanceMarginRate: float
    cumFastMaintenanceAmount: Loose = None
    maxOpenPosLeverage: Loose = None


class Brackets(Struct):
    """A symbol's margin table."""

    symbol: str
    riskBrackets: list[BracketRow]


class BracketData(Struct):
    """All margin tables."""

    brackets: list[Brackets]


class BracketAnswer(Struct):
    """The website's own `brackets`: not documented."""

    data: BracketData


class Status(Struct):
    """What a refusal and the website's answers tell about themselves."""

    code: str | int | None = None
    msg: str | None = None
    message: str | None = None
    success: bool | None = None


# USD-M: open time, open, high, low, close, volume (base), close time, quote volume, trades, taker-buy base, taker-buy quote, -
# COIN-M: the same with volume in contracts, base volume in place 7, taker-buy contracts, taker-buy base
KlineRow = list[float]
