"""The `data` of every answer, typed: what JSON holds, what OpenAPI describes, what the browser reads."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from liqscape.analytics import FuelRegion, Ladder, MoveRow, RangeRow, SideShape, Tilt, WindowRow, Zone
from liqscape.model.heat_scale import DollarScale
from liqscape.model.maps import Balance, Estimate


class NowData(Struct, kw_only=True):
    """`now`: the state of a market."""

    headline: str
    mark_price: float
    price_change_24h: float | None
    sigma_1d: float | None
    open_interest_usd: float
    open_interest_base: float
    funding_rate: float | None
    funding_interval_s: float | None
    tilt: Tilt
    within: tuple[WindowRow, ...]
    nearest_zones: tuple[Zone, ...]
    moves: tuple[MoveRow, ...]


class Totals(Struct, kw_only=True):
    """Pools of a map within the ladder and within its whole reach."""

    open_interest_usd: float
    within: float
    short_pool_usd: Estimate
    long_pool_usd: Estimate
    reach: float
    short_reach_usd: Estimate
    long_reach_usd: Estimate


class MapData(Struct, kw_only=True):
    """`map`: balance, ladder, and every 0.1 % level (a row of the flat table, in six digits)."""

    headline: str
    balance: Balance
    totals: Totals
    ladder: Ladder
    ranges: tuple[RangeRow, ...]
    levels: list[dict[str, float | None]]


class Shapes(Struct, kw_only=True):
    """Staircase, spread and buffer of both sides."""

    long: SideShape
    short: SideShape


class AsymmetryData(Struct, kw_only=True):
    """`asymmetry`: shorts against longs, window by window."""

    headline: str
    tilt: Tilt
    within: tuple[WindowRow, ...]
    ranges: tuple[RangeRow, ...]
    shape: Shapes
    moves: tuple[MoveRow, ...]


class MovesData(Struct, kw_only=True):
    """`move-to`: the move that each budget needs, both ways."""

    headline: str
    moves: tuple[MoveRow, ...]
    farthest: float
    sigma_1d: float | None


class ZonesData(Struct, kw_only=True):
    """`zones`: dense stretches, the largest pools first; a finding says where there is none."""

    headline: str
    within: float
    zones: tuple[Zone, ...]
    findings: tuple[str, ...]


class FuelAccount(Struct, kw_only=True):
    """`fuel`: what became of the pools of one side; its five parts add up."""

    region: FuelRegion
    reference: str
    as_of: str
    pool_reference_usd: float
    burnt_usd: float
    closed_usd: float
    opened_usd: float
    drift_usd: float
    pool_now_usd: float
    left_fraction: float | None
    forced_seen_usd: float | None
    burn_ratio: float | None


class FuelData(Struct, kw_only=True):
    """`fuel`: one account a side."""

    headline: str
    accounts: list[FuelAccount]


class Candles(Struct, kw_only=True):
    """One price a column; null where no bar is known."""

    open: Any
    high: Any
    low: Any
    close: Any


class HeatmapData(Struct, kw_only=True):
    """`heatmap`: `usd[row][column]`, rows ascending in price, 4 digits, null where nothing is known."""

    interval_s: float
    columns: list[str]
    edge_price: Any
    unit: str
    usd: Any
    prior_share: Any
    candles: Candles
    scale: DollarScale


class LiquidationTotals(Struct, kw_only=True):
    """`liquidations`: forced dollars of one instrument as published."""

    instrument: str
    from_: str = field(name="from")
    to: str
    interval_s: float
    intervals_known: int
    intervals_possible: int
    long_usd: float
    short_usd: float
    venues: tuple[str, ...]
    completeness: str
    estimated_true_usd: Any = None
