"""Hyperliquid: the account-value form, isolated margin, and the backstop level.

Pages (official, read 2026-11-21): https://hyperliquid.gitbook.io/hyperliquid-docs/trading/liquidations and, beside it,
/trading/margin-tiers .
Maintenance is half of the initial margin at the tier's highest leverage: mmr = l = 1 / (2 max leverage). The trigger is the
mark price and no fee is counted. A user's chosen leverage enters only through the margin it locks (isolated). Below
maintenance the book is tried; when equity is below 2/3 of maintenance the backstop vault takes position and margin.
"""

from __future__ import annotations

from collections.abc import Iterable

from liqscape.margin._checks import require_finite, require_positive, require_rate
from liqscape.margin.price import linear_meeting_price
from liqscape.margin.tiered import tiered_liquidation_price
from liqscape.margin.tiers import Evidence, MaintenanceTier, TierTable, continuous_tiers, scaled_tiers
from liqscape.model.sides import PositionSide

BACKSTOP_SHARE = 2.0 / 3.0  # of maintenance; liquidations page
_TIER_PAGE = "https://hyperliquid.gitbook.io/hyperliquid-docs/trading/margin-tiers"


def hyperliquid_tiers(rows: Iterable[tuple[float, float]], *, source: str = _TIER_PAGE) -> TierTable:
    """Build the maintenance table of a coin from `meta.marginTables`: (lower bound USD, max leverage) rows.

    Parameters
    ----------
    rows
        Lower bounds ascending from 0, each with its highest leverage, > 0.
    source
        Where the rows were read; the deductions come from the recurrence.

    Examples
    --------
    >>> btc = hyperliquid_tiers([(0, 40), (150e6, 20)])
    >>> btc.tiers[1].maintenance_margin_rate, btc.tiers[1].maintenance_deduction
    (0.025, 1875000.0)
    """
    bounds = list(rows)
    for _, max_leverage in bounds:
        require_positive(max_leverage=max_leverage)
    plain = continuous_tiers([(bound, 0.5 / max_leverage) for bound, max_leverage in bounds])
    tiers = tuple(
        MaintenanceTier(tier.floor, tier.maintenance_margin_rate, tier.maintenance_deduction, float(max_leverage))
        for tier, (_, max_leverage) in zip(plain.tiers, bounds, strict=True)
    )
    return TierTable(tiers, source=source, evidence=Evidence.OFFICIAL)


def hyperliquid_liquidation_price(
    *,
    mark_price: float,
    quantity_base: float,
    position_side: PositionSide,
    account_value_usd: float,
    tiers: TierTable,
    other_maintenance_usd: float = 0.0,
) -> float | None:
    """Return the liquidation price of a cross position from the account value, with the tier at the result.

    Parameters
    ----------
    mark_price
        Present mark; the account value is marked at it.
    quantity_base
        `|szi|`, base, > 0.
    position_side
        Long or short.
    account_value_usd
        `crossMarginSummary.accountValue`: equity at the present marks.
    tiers
        Maintenance table of the coin.
    other_maintenance_usd
        Maintenance of the account's other cross positions.

    Returns
    -------
    float or None
        Quote per base, the other marks standing still; None if no mark of this coin liquidates the account.

    Notes
    -----
    The page's `price - s margin_available / size / (1 - l s)` with maintenance at the present mark; written from the mark, it
    is the linear formula with the mark as entry and the account value as margin.
    """
    return tiered_liquidation_price(
        entry_price=mark_price,
        quantity_base=quantity_base,
        position_side=position_side,
        tiers=tiers,
        margin_usd=account_value_usd - other_maintenance_usd,
    )


def hyperliquid_liquidation_price_from_margin(
    *,
    mark_price: float,
    quantity_base: float,
    position_side: PositionSide,
    margin_available_usd: float,
    maintenance_margin_rate: float,
) -> float | None:
    """Return the page's formula as it stands: `price - s margin_available / size / (1 - l s)`.

    Parameters
    ----------
    mark_price
        Present mark.
    quantity_base
        Base, > 0.
    position_side
        Long or short.
    margin_available_usd
        Account value (cross) or isolated margin, marked at `mark_price`, less the maintenance required there.
    maintenance_margin_rate
        `l` of the tier at the liquidation price.

    Returns
    -------
    float or None
        Quote per base; None if no positive price liquidates.
    """
    require_positive(mark_price=mark_price, quantity_base=quantity_base)
    require_rate(maintenance_margin_rate)
    require_finite(margin_available_usd=margin_available_usd)
    # Adding back the maintenance at the mark gives the equity there, which the general formula wants.
    equity = margin_available_usd + quantity_base * mark_price * maintenance_margin_rate
    return linear_meeting_price(position_side.sign, quantity_base, mark_price, equity, maintenance_margin_rate, 0.0)


def hyperliquid_isolated_liquidation_price(
    *, entry_price: float, quantity_base: float, position_side: PositionSide, margin_usd: float, tiers: TierTable
) -> float | None:
    """Return the liquidation price of an isolated position: the generic linear formula with f = 0 and the tier at the result.

    Parameters
    ----------
    entry_price, quantity_base, position_side
        The position.
    margin_usd
        Isolated margin at entry (`marginUsed` then).
    tiers
        Maintenance table of the coin.
    """
    return tiered_liquidation_price(
        entry_price=entry_price, quantity_base=quantity_base, position_side=position_side, tiers=tiers, margin_usd=margin_usd
    )


def hyperliquid_backstop_price(
    *,
    mark_price: float,
    quantity_base: float,
    position_side: PositionSide,
    account_value_usd: float,
    tiers: TierTable,
    other_maintenance_usd: float = 0.0,
) -> float | None:
    """Return the mark at which equity is 2/3 of maintenance and the backstop vault takes over.

    Parameters
    ----------
    mark_price, quantity_base, position_side, account_value_usd, tiers, other_maintenance_usd
        As for `hyperliquid_liquidation_price`; for an isolated position give the entry price and its margin.

    Returns
    -------
    float or None
        Quote per base, beyond the liquidation price; None if no positive price reaches it.
    """
    return hyperliquid_liquidation_price(
        mark_price=mark_price,
        quantity_base=quantity_base,
        position_side=position_side,
        account_value_usd=account_value_usd,
        tiers=scaled_tiers(tiers, BACKSTOP_SHARE),
        other_maintenance_usd=other_maintenance_usd * BACKSTOP_SHARE,
    )
