"""What Hyperliquid sends, as documented on https://hyperliquid.gitbook.io/hyperliquid-docs (API pages, read 2026-11).

Numbers come as text and are read as floats; a field that may be empty is `str | float | None`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

Loose = str | float | None


class Head(Struct, gc=False):
    """What every frame has."""

    channel: str


class ErrorFrame(Struct):
    """`{"channel": "error", "data": "..."}`: a refused subscription, in words."""

    data: str


class TradeRow(Struct, gc=False):
    """A trade: side B or A is the taker's (bought or sold); users are buyer and seller."""

    coin: str
    side: str
    px: float
    sz: float
    time: float
    users: tuple[str, str] | None = None


class Trades(Struct, gc=False):
    """Channel `trades`."""

    data: list[TradeRow]


class Context(Struct, gc=False):
    """What is true of a coin now: funding is the hourly rate, openInterest base units."""

    markPx: Loose = None
    oraclePx: Loose = None
    openInterest: Loose = None
    funding: Loose = None
    dayNtlVlm: Loose = None


class CoinContext(Struct, gc=False):
    """The data of channel `activeAssetCtx`."""

    coin: str
    ctx: Context


class ContextFrame(Struct, gc=False):
    """Channel `activeAssetCtx`."""

    data: CoinContext


class Asset(Struct, gc=False):
    """A row of `meta.universe`; an absent flag is false."""

    name: str
    maxLeverage: float
    szDecimals: int
    isDelisted: bool | None = None
    onlyIsolated: bool | None = None
    marginTableId: int | None = None


class MarginTier(Struct, gc=False):
    """A row of a margin table, USD notional."""

    lowerBound: float
    maxLeverage: float


class MarginTable(Struct, gc=False):
    """A margin table of `meta`."""

    marginTiers: list[MarginTier]


class Meta(Struct):
    """The answer to `meta`."""

    universe: list[Asset]
    marginTables: list[tuple[int, MarginTable]] = []


class Candle(Struct, gc=False):
    """A row of `candleSnapshot`; v is in base units, takers are not told."""

    t: float
    o: float
    h: float
    l: float  # noqa: E741
    c: float
    v: float


class FundingRow(Struct, gc=False):
    """A row of `fundingHistory`: the hourly rate that was paid."""

    fundingRate: float
    time: float


class BookLevel(Struct, gc=False):
    """A price with what stands at it; of an aggregated book the bucket's edge away from the mid."""

    px: float
    sz: float


class Book(Struct):
    """The answer to `l2Book`: bids, asks, best first."""

    levels: tuple[list[BookLevel], list[BookLevel]]
    time: float


class Leverage(Struct, gc=False):
    """How a position is margined; the value is the user's setting."""

    type: str


class Position(Struct, gc=False):
    """A position: szi < 0 is short; liquidationPx is null where no price liquidates."""

    coin: str
    szi: float
    leverage: Leverage
    marginUsed: float
    positionValue: float
    entryPx: Loose = None
    liquidationPx: Loose = None
    maxLeverage: Loose = None


class AssetPosition(Struct, gc=False):
    """A row of `assetPositions`."""

    position: Position


class MarginSummary(Struct, gc=False):
    """Part of `clearinghouseState`."""

    accountValue: float


class Clearinghouse(Struct):
    """The answer to `clearinghouseState`; old ones carry no time."""

    assetPositions: list[AssetPosition]
    crossMarginSummary: MarginSummary
    crossMaintenanceMarginUsed: Loose = None
    time: Loose = None


class Window(Struct, gc=False):
    """What an account did in a window."""

    vlm: float = 0.0


class LeaderboardRow(Struct, gc=False):
    """A row of the leaderboard; windows are pairs of name and numbers."""

    ethAddress: str
    accountValue: Loose = None
    windowPerformances: list[tuple[str, Window]] = []


class Leaderboard(Struct):
    """The leaderboard; rows are read one by one, for there are tens of thousands."""

    rows: list[msgspec.Raw] = field(name="leaderboardRows")


class Relationship(Struct):
    """How a vault is related to others; a parent names its children."""

    type: str = ""
    data: dict[str, Any] | None = None


class VaultDetails(Struct):
    """The answer to `vaultDetails`."""

    vaultAddress: str
    relationship: Relationship | None = None


class FillLiquidation(Struct, gc=False):
    """Stands on the fills of BOTH sides of a liquidation."""

    liquidatedUser: str


class Fill(Struct, gc=False):
    """A row of `userFills`; side B or A is what this user did."""

    coin: str
    px: float
    sz: float
    side: str
    time: float
    hash: str
    liquidation: FillLiquidation | None = None
