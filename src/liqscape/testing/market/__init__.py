"""The embedded simulated exchange: exact accounts, a bounded book, forced orders, and the truth beside what a venue publishes.

Depends on the ground (`units`, `errors`, `clock`, `_jit`) and `model` only, so that no estimator can leak into its own judge: its
lifetimes, leverage and hazards are its own and no other room reads them.
"""

from liqscape.testing.market.cascade import KnownCascade, known_cascade
from liqscape.testing.market.config import (
    DEFAULT_BRACKETS,
    Behaviour,
    Bracket,
    Bursts,
    Group,
    LateOpenInterest,
    MarketConfig,
    PartialLiquidation,
    ScriptedOrder,
    VenuesConfig,
)
from liqscape.testing.market.dataset import write_dataset
from liqscape.testing.market.exchange import SimulatedMarket, SimulatedVenues
from liqscape.testing.market.run import (
    Deleveragings,
    FundingSeries,
    LiquidationPrints,
    SimulatedRun,
    StepSeries,
    TruePositions,
    true_levels,
)
from liqscape.testing.market.score import SpatialScore, spatial_distance

__all__ = [
    "DEFAULT_BRACKETS",
    "Behaviour",
    "Bracket",
    "Bursts",
    "Deleveragings",
    "FundingSeries",
    "Group",
    "KnownCascade",
    "LateOpenInterest",
    "LiquidationPrints",
    "MarketConfig",
    "PartialLiquidation",
    "ScriptedOrder",
    "SimulatedMarket",
    "SimulatedRun",
    "SimulatedVenues",
    "SpatialScore",
    "StepSeries",
    "TruePositions",
    "VenuesConfig",
    "known_cascade",
    "spatial_distance",
    "true_levels",
    "write_dataset",
]
