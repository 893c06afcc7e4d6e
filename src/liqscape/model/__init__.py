"""Nouns: instruments, records, series, the price grid, maps. Frozen data that never looks up.

Depends on the ground (`units`, `errors`, `clock`) only. What we ask of a noun is a function in another room.
"""

from liqscape.model.grid import PriceGrid
from liqscape.model.instruments import Instrument, InstrumentId, describe
from liqscape.model.records import Bar, FundingRate, Liquidation, LiquidationTotal, OpenInterest
from liqscape.model.series import BarSeries, LiquidationSeries
from liqscape.model.sides import (
    Completeness,
    ContractKind,
    LiquidationPriceKind,
    MarginMode,
    PositionSide,
    PriceKind,
    TakerSide,
)

__all__ = [
    "Bar",
    "BarSeries",
    "Completeness",
    "ContractKind",
    "FundingRate",
    "Instrument",
    "InstrumentId",
    "Liquidation",
    "LiquidationPriceKind",
    "LiquidationSeries",
    "LiquidationTotal",
    "MarginMode",
    "OpenInterest",
    "PositionSide",
    "PriceGrid",
    "PriceKind",
    "TakerSide",
    "describe",
]
