"""Contract facts: liquidation and bankruptcy prices, maintenance tiers, cross accounts, the venues' own rules.

Depends on `model` and `errors` only; arrays in, arrays out, no clock, network or disk. Read `price` first, then `tiers` and
`tiered`; `batch` is the array form, `cross` the shared wallet, `venues` the rules by name, `defaults` the tables for want of
better ones.
A price of None (NaN in arrays) means that the position cannot be liquidated; no number is ever clamped to look like one.
"""

from liqscape.margin.batch import liquidation_prices, maintenance_margins
from liqscape.margin.cross import (
    AccountMargin,
    CrossPosition,
    HealthyRange,
    account_margin,
    cross_liquidation_price,
    cross_liquidation_prices,
    free_margin_usd,
    hedged_liquidation_prices,
)
from liqscape.margin.defaults import AssetClass, default_tiers
from liqscape.margin.price import (
    bankruptcy_price,
    inverse_bankruptcy_price,
    inverse_liquidation_price,
    liquidation_price,
)
from liqscape.margin.tiered import inverse_tiered_liquidation_price, tiered_liquidation_price
from liqscape.margin.tiers import (
    Evidence,
    MaintenanceTier,
    TierMeasure,
    TierTable,
    continuous_tiers,
    flat_tiers,
    is_continuous,
    maintenance_margin,
    tier_at,
    tier_deduction,
    whole_position_tiers,
)
from liqscape.margin.venues import (
    VENUE_RULES,
    VenueRule,
    venue_inverse_liquidation_price,
    venue_liquidation_price,
    venue_rule,
)

__all__ = [
    "VENUE_RULES",
    "AccountMargin",
    "AssetClass",
    "CrossPosition",
    "Evidence",
    "HealthyRange",
    "MaintenanceTier",
    "TierMeasure",
    "TierTable",
    "VenueRule",
    "account_margin",
    "bankruptcy_price",
    "continuous_tiers",
    "cross_liquidation_price",
    "cross_liquidation_prices",
    "default_tiers",
    "flat_tiers",
    "free_margin_usd",
    "hedged_liquidation_prices",
    "inverse_bankruptcy_price",
    "inverse_liquidation_price",
    "inverse_tiered_liquidation_price",
    "is_continuous",
    "liquidation_price",
    "liquidation_prices",
    "maintenance_margin",
    "maintenance_margins",
    "tier_at",
    "tier_deduction",
    "tiered_liquidation_price",
    "venue_inverse_liquidation_price",
    "venue_liquidation_price",
    "venue_rule",
    "whole_position_tiers",
]
