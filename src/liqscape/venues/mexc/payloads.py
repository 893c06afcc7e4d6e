"""What MEXC's contract API sends, as documented on https://www.mexc.com/api-docs/futures (read 2026-11).

Quantities are contracts of `contractSize`. A field that may be missing is `str | float | None`.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
Loose = str | float | None


class Answer(Struct, Generic[T]):
    """Every REST answer."""

    data: T


class Status(Struct):
    """What every answer tells about itself; code 0 is fine."""

    success: bool = True
    code: int = 0
    message: str = ""


class CustomTier(Struct):
    """A row of `riskLimitCustom`."""

    maxVol: Loose = None
    mmr: Loose = None
    maxLeverage: Loose = None


class ContractRow(Struct):
    """A row of /detail: the contract and its margin table, by rule or (mode CUSTOM) as a list."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    settleCoin: str
    contractSize: float
    priceUnit: Loose = None
    maxLeverage: Loose = None
    state: int | None = None  # 0 is enabled
    maintenanceMarginRate: Loose = None
    initialMarginRate: Loose = None
    riskBaseVol: Loose = None
    riskIncrVol: Loose = None
    riskIncrMmr: Loose = None
    riskIncrImr: Loose = None
    riskLevelLimit: int | None = None
    riskLimitType: str | None = None  # BY_VOLUME (contracts) or BY_VALUE (notional)
    riskLimitMode: str | None = None
    riskLimitCustom: list[CustomTier] | None = None


class TickerRow(Struct, gc=False):
    """A row of /ticker, and the data of `push.ticker`."""

    symbol: str
    timestamp: float
    fairPrice: Loose = None
    indexPrice: Loose = None
    fundingRate: Loose = None
    holdVol: Loose = None  # contracts
    volume24: Loose = None  # contracts
    amount24: Loose = None  # quote


class TickerFrame(Struct, gc=False):
    """`push.ticker`."""

    data: TickerRow


class Head(Struct, gc=False):
    """What every frame tells about itself; `rs.` channels answer us."""

    channel: str = ""


class Refusal(Struct):
    """`rs.error`."""

    data: str | float | None = None


class KlineColumns(Struct):
    """/kline: columns; `time` in SECONDS, `vol` in contracts."""

    time: list[float]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    vol: list[float] | None = None


class FundingRow(Struct):
    """A row of /funding_rate/history."""

    symbol: str
    fundingRate: float
    settleTime: float


class FundingPage(Struct):
    """/funding_rate/history, newest first."""

    resultList: list[FundingRow]
    currentPage: int = 1
    totalPage: int = 1


class BookData(Struct):
    """/depth: price, contracts, orders."""

    bids: list[list[float]]
    asks: list[list[float]]
    timestamp: float | None = None
