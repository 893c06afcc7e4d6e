"""Nouns: instruments, records, series, the price grid, maps. Frozen data that never looks up.

Depends on the ground (`units`, `errors`, `clock`) only. What we ask of a noun is a function in another room.
"""

from liqscape.model.accounts import AccountListing, AccountPosition, AccountState
from liqscape.model.grid import PriceGrid
from liqscape.model.instruments import Instrument, InstrumentId, describe
from liqscape.model.market import (
    DOLLARS,
    AccountRatio,
    Book,
    Gap,
    InstrumentSpec,
    Kind,
    Population,
    Record,
    RiskLadder,
    RiskTier,
    Ticker,
    Trade,
    quantity_base,
)
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
    "DOLLARS",
    "AccountListing",
    "AccountPosition",
    "AccountRatio",
    "AccountState",
    "Bar",
    "BarSeries",
    "Book",
    "Completeness",
    "ContractKind",
    "FundingRate",
    "Gap",
    "Instrument",
    "InstrumentId",
    "InstrumentSpec",
    "Kind",
    "Liquidation",
    "LiquidationPriceKind",
    "LiquidationSeries",
    "LiquidationTotal",
    "MarginMode",
    "OpenInterest",
    "Population",
    "PositionSide",
    "PriceGrid",
    "PriceKind",
    "Record",
    "RiskLadder",
    "RiskTier",
    "TakerSide",
    "Ticker",
    "Trade",
    "describe",
    "quantity_base",
]
