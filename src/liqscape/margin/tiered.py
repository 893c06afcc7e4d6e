"""The price at which a position meets a tiered maintenance.

The tier that counts is the one at the liquidation price, not at entry. The solver walks from the entry in the adverse
direction, tier by tier, and stops at the first price where equity meets what that tier asks; so it is right both for tables
with deductions (continuous and convex: exactly one tier fits) and for tables whose rate applies to the whole position
(the requirement jumps at an edge, and the edge itself can be the first crossing).
"""

from __future__ import annotations

from liqscape.margin._checks import margin_of, never_solvent, require_finite, require_positive, require_rate
from liqscape.margin.price import meeting_point
from liqscape.margin.tiers import TierMeasure, TierTable, tier_index
from liqscape.model.sides import PositionSide


def tiered_liquidation_price(
    *,
    entry_price: float,
    quantity_base: float,
    position_side: PositionSide,
    tiers: TierTable,
    leverage: float | None = None,
    margin_usd: float | None = None,
    closing_fee_rate: float = 0.0,
    mark_price: float | None = None,
) -> float | None:
    """Return the mark at which a linear position first meets the maintenance of its tier.

    Parameters
    ----------
    entry_price
        Average entry, quote per base, > 0.
    quantity_base
        Size, base, > 0.
    position_side
        Long or short.
    tiers
        Maintenance table; the tier at the liquidation price counts.
    leverage
        Notional / initial margin at entry; give this or `margin_usd`.
    margin_usd
        Margin attached now, or free equity of a cross account.
    closing_fee_rate
        Closing fee that the venue counts in the trigger.
    mark_price
        Where the walk in the adverse direction begins; the entry if None. It matters only for tables that jump.

    Returns
    -------
    float or None
        Quote per base; None if no positive price liquidates. Below maintenance already: the nearest price on the favourable
        side at which it would be met again.

    Raises
    ------
    BadArgument
        If an argument does not make sense, or the margin is so negative that every price liquidates.

    Examples
    --------
    >>> from liqscape.margin.tiers import continuous_tiers
    >>> from liqscape.model import PositionSide
    >>> binance = continuous_tiers([(0, 0.004), (50_000, 0.005), (250_000, 0.01)])
    >>> price = tiered_liquidation_price(
    ...     entry_price=60_000.0, quantity_base=5.0, leverage=5, position_side=PositionSide.LONG, tiers=binance
    ... )
    >>> round(price, 2)   # 241,156 USD there: the 0.5 % tier, although the entry is in the 1 % tier
    48231.16
    """
    require_positive(entry_price=entry_price, quantity_base=quantity_base)
    margin = margin_of(quantity_base * entry_price, leverage, margin_usd, "margin_usd")
    start = entry_price if mark_price is None else mark_price
    require_positive(mark_price=start)
    price = _first_crossing(
        position_side.sign, quantity_base, quantity_base * entry_price, margin, tiers, closing_fee_rate, start
    )
    if price <= 0.0 and position_side is PositionSide.SHORT:
        raise never_solvent("short position")
    return price if price > 0.0 else None


def inverse_tiered_liquidation_price(
    *,
    entry_price: float,
    notional_usd: float,
    position_side: PositionSide,
    tiers: TierTable,
    leverage: float | None = None,
    margin_base: float | None = None,
    closing_fee_rate: float = 0.0,
    mark_price: float | None = None,
) -> float | None:
    """Return the mark at which an inverse position first meets the maintenance of its tier.

    Parameters
    ----------
    entry_price
        Average entry, USD per coin, > 0.
    notional_usd
        Contracts x contract size, USD, > 0.
    position_side
        Long or short.
    tiers
        Floors and deductions in coin (or floors in USD when measured by size).
    leverage
        Notional / initial margin at entry; give this or `margin_base`.
    margin_base
        Margin attached now, coin.
    closing_fee_rate, mark_price
        As for `tiered_liquidation_price`.

    Returns
    -------
    float or None
        USD per coin; None if no price liquidates.

    Raises
    ------
    BadArgument
        If an argument does not make sense, or the margin is so negative that every price liquidates.
    """
    require_positive(entry_price=entry_price, notional_usd=notional_usd)
    margin = margin_of(notional_usd / entry_price, leverage, margin_base, "margin_base")
    start = entry_price if mark_price is None else mark_price
    require_positive(mark_price=start)
    # In coin per dollar an inverse position is a linear one of N units with the side turned round.
    coin_per_usd = _first_crossing(
        -position_side.sign, notional_usd, notional_usd / entry_price, margin, tiers, closing_fee_rate, 1.0 / start
    )
    if coin_per_usd <= 0.0 and position_side is PositionSide.LONG:
        raise never_solvent("inverse long position")
    return 1.0 / coin_per_usd if coin_per_usd > 0.0 else None


def _first_crossing(
    sign: int, size: float, entry_value: float, margin: float, tiers: TierTable, fee: float, start: float
) -> float:
    """Walk from `start` to the first price where equity meets maintenance: adversely, or favourably if it is below already.

    A result <= 0 means that no positive price does.
    """
    require_rate(tiers.tiers[-1].maintenance_margin_rate, fee)
    require_finite(margin=margin)
    index = tier_index(tiers, size * start, size)
    if tiers.measure is TierMeasure.SIZE:
        only = tiers.tiers[index]
        return meeting_point(sign, size, entry_value, margin, only.maintenance_margin_rate + fee, only.maintenance_deduction)
    tier = tiers.tiers[index]
    equity = margin + sign * (size * start - entry_value)
    required = size * start * (tier.maintenance_margin_rate + fee) - tier.maintenance_deduction
    direction = -sign if equity >= required else sign
    return _walk(sign, size, entry_value, margin, tiers, fee, start, index, direction)


def _walk(
    sign: int,
    size: float,
    entry_value: float,
    margin: float,
    tiers: TierTable,
    fee: float,
    start: float,
    index: int,
    direction: int,
) -> float:
    rows = tiers.tiers
    while True:
        tier = rows[index]
        root = meeting_point(sign, size, entry_value, margin, tier.maintenance_margin_rate + fee, tier.maintenance_deduction)
        if (root - start) * direction <= 0.0:
            # Met before this tier begins: the requirement jumped at the edge (or, continuous, met it there up to rounding).
            return start
        last = index == 0 if direction < 0 else index == len(rows) - 1
        if last:
            return root
        edge = (tier.floor if direction < 0 else rows[index + 1].floor) / size
        if (root - edge) * direction <= 0.0:
            return root
        start, index = edge, index + direction
