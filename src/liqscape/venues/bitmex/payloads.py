"""What BitMEX sends, as documented on https://www.bitmex.com/app/apiOverview and seen in recorded frames (read 2026-11).

Sizes are contracts. A table speaks first of everything it holds (`partial`), then of what changes (`insert`, `update`, `delete`);
an update holds the changed fields only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

T = TypeVar("T")
Time = Annotated[datetime, Meta(tz=True)]  # 2026-09-21T14:13:00.123Z


class Head(Struct, gc=False):
    """What every frame tells about itself."""

    table: str | None = None
    action: str | None = None
    success: bool | None = None
    error: str | None = None


class Table(Struct, Generic[T], gc=False):
    """A frame of a table."""

    table: str
    action: str
    data: list[T]


class LiquidationRow(Struct, gc=False):
    """An order of the liquidation engine: side is the order's, leavesQty what is still open; a deletion names it only."""

    orderID: str
    symbol: str
    side: str | None = None
    price: float | None = None
    leavesQty: float | None = None


class InstrumentRow(Struct, gc=False):
    """A row of the table `instrument` and of /instrument/active."""

    symbol: str
    timestamp: Time | None = None
    state: str | None = None
    typ: str | None = None
    underlying: str | None = None
    quoteCurrency: str | None = None
    isInverse: bool | None = None
    isQuanto: bool | None = None
    tickSize: float | None = None
    multiplier: float | None = None
    underlyingToPositionMultiplier: float | None = None
    quoteToSettleMultiplier: float | None = None
    settlCurrency: str | None = None
    initMargin: float | None = None
    maintMargin: float | None = None
    riskLimit: float | None = None
    fundingInterval: Time | None = None
    markPrice: float | None = None
    indicativeSettlePrice: float | None = None  # the index
    openInterest: float | None = None
    fundingRate: float | None = None
    fundingTimestamp: Time | None = None
    foreignNotional24h: float | None = None


class BucketRow(Struct):
    """A row of /trade/bucketed: `timestamp` is the END; homeNotional is base coins."""

    timestamp: Time
    symbol: str
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    homeNotional: float | None = None


class FundingRow(Struct):
    """A row of /funding; the interval is written as a time of day of 2000-01-01."""

    timestamp: Time
    symbol: str
    fundingRate: float
    fundingInterval: Time | None = None


class BookRow(Struct):
    """A row of /orderBook/L2."""

    symbol: str
    side: str
    size: float
    price: float
