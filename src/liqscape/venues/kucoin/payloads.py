"""What KuCoin futures send, as documented on https://www.kucoin.com/docs-new (read 2026-11).

Quantities are lots of `multiplier`: base coins if linear, dollars (and the multiplier negative) if inverse.
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
    """What every answer tells about itself; code 200000 is fine."""

    code: str = ""
    msg: str = ""


class ContractRow(Struct):
    """A row of contracts/active: the contract, and what is true of it now."""

    symbol: str
    type: str  # FFWCSX is perpetual, FFICSX dated
    baseCurrency: str
    quoteCurrency: str
    multiplier: float
    isInverse: bool
    status: str
    tickSize: Loose = None
    maxLeverage: Loose = None
    fundingRateGranularity: Loose = None  # ms
    markPrice: Loose = None
    indexPrice: Loose = None
    fundingFeeRate: Loose = None
    nextFundingRateTime: Loose = None  # ms FROM NOW, no instant
    openInterest: Loose = None  # lots
    turnoverOf24h: Loose = None  # quote if linear


class FundingRow(Struct):
    """A row of contract/funding-rates."""

    symbol: str
    fundingRate: float
    timepoint: float


class OpenInterestRow(Struct):
    """A row of market/open-interest, in lots."""

    openInterest: float
    ts: float


class TierRow(Struct):
    """A row of contracts/risk-limit."""

    minRiskLimit: float
    maxRiskLimit: float
    maintainMargin: float
    maxLeverage: Loose = None


class BookData(Struct):
    """level2/snapshot; `ts` in NANOSECONDS, of which a float keeps all but the last 256."""

    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    ts: float | None = None


# open time (ms), open, high, low, close, lots
KlineRow = list[float]
