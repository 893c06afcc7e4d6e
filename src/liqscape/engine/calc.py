"""The calculator (F34): where each venue would liquidate one position, and who is liquidated before it."""

from __future__ import annotations

import math

from msgspec import Struct

from liqscape.analytics.odds import touch_odds
from liqscape.analytics.pools import pool
from liqscape.errors import BadArgument, NoData
from liqscape.margin import AssetClass, bankruptcy_price, default_tiers, maintenance_margin, venue_liquidation_price
from liqscape.margin.defaults import DEFAULT_TIERS
from liqscape.model import PositionSide, describe
from liqscape.model.maps import Estimate, LiquidationMap

SIZE_USD = 10_000.0
_CLASSES = {"BTC": AssetClass.BTC, "ETH": AssetClass.ETH, "SOL": AssetClass.MID_CAP}


class VenuePrice(Struct, frozen=True, kw_only=True):
    """One venue's answer.

    Parameters
    ----------
    liquidation_price
        Mark at which the position meets its maintenance margin, quote per base; None: no price does.
    distance
        From the map's mark, signed fraction.
    maintenance_usd
        Maintenance margin at entry.
    before_usd
        Dollars of the map, of the same side, that are liquidated between the mark and that price.
    before_share
        Of all that stands on that side of the map.
    no_map_odds
        Odds that the price is touched within 24 hours with no map at all.
    refused
        Why the venue would not hold such a position; None if it would.
    source, evidence
        Where the tiers come from, and how well they are known.
    """

    venue: str
    liquidation_price: float | None
    distance: float | None
    maintenance_usd: float | None
    before_usd: Estimate | None
    before_share: float | None
    no_map_odds: float | None
    refused: str | None
    source: str
    evidence: str


class Calculation(Struct, frozen=True, kw_only=True):
    """One isolated, linear position under each venue's tiers.

    Parameters
    ----------
    bankruptcy_price
        Where the margin is gone, the same on every venue; None: at no price.
    asset_class
        Whose tiers were used.
    """

    side: PositionSide
    entry_price: float
    leverage: float
    size_usd: float
    quantity_base: float
    margin_usd: float
    mark_price: float
    bankruptcy_price: float | None
    asset_class: str
    venues: tuple[VenuePrice, ...]


def calculate(
    found: LiquidationMap,
    *,
    side: PositionSide,
    leverage: float,
    entry_price: float | None = None,
    size_usd: float = SIZE_USD,
    venues: tuple[str, ...] = (),
) -> Calculation:
    """Return liquidation and bankruptcy price of a position, and what stands between the mark and it.

    Parameters
    ----------
    entry_price
        Quote per base; default: the map's mark.
    size_usd
        Notional at entry.
    venues
        Only these; default: every venue whose tiers are known.

    Raises
    ------
    BadArgument
        If a number is not above 0, or a venue has no tiers here.
    NoData
        If the contract is of no base that tiers could belong to.
    """
    entry = found.mark_price if entry_price is None else entry_price
    for name, value in (("leverage", leverage), ("entry", entry), ("size", size_usd)):
        if not 0.0 < value < math.inf:
            raise BadArgument(f"calc: {name}: expected a number above 0, received {value:g}", hint="Write it like 20, or 84000.")
    unknown = [venue for venue in venues if venue not in DEFAULT_TIERS]
    if unknown:
        raise BadArgument(
            f"calc: no tiers of {', '.join(unknown)} are known; known are {', '.join(sorted(DEFAULT_TIERS))}",
            hint="Leave --venue out to see them all.",
        )
    if not found.instruments:
        raise NoData(f"{found.asked}: no instrument", hint="Import some: liqscape import PATH.")
    asset = _CLASSES.get(describe(found.instruments[0]).base, AssetClass.SMALL)
    rows = (_venue(found, venue, asset, side, entry, leverage, size_usd) for venue in (venues or tuple(DEFAULT_TIERS)))
    return Calculation(
        side=side,
        entry_price=entry,
        leverage=leverage,
        size_usd=size_usd,
        quantity_base=size_usd / entry,
        margin_usd=size_usd / leverage,
        mark_price=found.mark_price,
        bankruptcy_price=bankruptcy_price(entry_price=entry, leverage=leverage, position_side=side),
        asset_class=str(asset),
        venues=tuple(rows),
    )


def _venue(
    found: LiquidationMap, venue: str, asset: AssetClass, side: PositionSide, entry: float, leverage: float, size_usd: float
) -> VenuePrice:
    tiers = default_tiers(venue, asset)
    maintenance = maintenance_margin(tiers, notional=size_usd, size=size_usd / entry)
    price = venue_liquidation_price(
        venue, entry_price=entry, leverage=leverage, position_side=side, quantity_base=size_usd / entry, tiers=tiers
    )
    refused = None
    if size_usd / leverage <= maintenance:
        refused = f"the margin of {size_usd / leverage:,.2f} is below the maintenance of {maintenance:,.2f}"
    elif tiers.known_to is not None and size_usd > tiers.known_to:
        refused = f"its known tiers end at {tiers.known_to:,.0f}"
    if refused is not None:
        price = None
    before, part = (None, None) if price is None else _before(found, side, price)
    distance = None if price is None else price / found.mark_price - 1.0
    return VenuePrice(
        venue=venue,
        liquidation_price=price,
        distance=distance,
        maintenance_usd=maintenance,
        before_usd=before,
        before_share=part,
        no_map_odds=None if distance is None else touch_odds(distance, found.sigma_1d),
        refused=refused,
        source=tiers.source,
        evidence=str(tiers.evidence),
    )


def _before(found: LiquidationMap, side: PositionSide, price: float) -> tuple[Estimate, float | None]:
    """Dollars of one side between the mark and a price (all of the map, if it ends before), and their share of that side."""
    beyond = -side.sign * (price / found.mark_price - 1.0)
    if beyond <= 0.0:
        return Estimate(median=0.0, lo=0.0, hi=0.0), 0.0
    reach = abs(float(found.side(side).edge_price[-1]) / found.mark_price - 1.0)
    usd = pool(found, side, 0.0, min(beyond, reach))
    whole = float(found.side(side).usd.sum())
    return usd, usd.median / whole if usd.median is not None and whole > 0.0 else None
