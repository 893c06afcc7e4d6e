"""Deribit: maintenance that grows with size, without tiers.

Page (official, read 2026-11-21): https://support.deribit.com/hc/en-us/articles/25944738177565 (ETH: change page of 2022-01-11).
Margin is account-level; a price per position is a model of it with f = 0. Liquidation is incremental.
"""

from __future__ import annotations

import math

from msgspec import Struct

from liqscape.margin._checks import margin_of, never_solvent, require_positive, require_rate
from liqscape.margin.price import linear_meeting_price
from liqscape.model.sides import PositionSide


class GrowingMaintenance(Struct, frozen=True):
    """Maintenance rate = `base_rate + rate_per_coin x size in coin`.

    Parameters
    ----------
    base_rate
        Fraction at size zero.
    rate_per_coin
        Fraction per coin of size.
    """

    base_rate: float
    rate_per_coin: float


DERIBIT_MAINTENANCE = {
    "BTC": GrowingMaintenance(0.01, 0.00005),
    "ETH": GrowingMaintenance(0.01, 0.000004),
    "SOL_USDC": GrowingMaintenance(0.02, 0.000005),
}


def deribit_maintenance_margin_rate(rule: GrowingMaintenance, *, size_base: float) -> float:
    """Return the maintenance rate of a position of `size_base` coins.

    Examples
    --------
    >>> round(deribit_maintenance_margin_rate(DERIBIT_MAINTENANCE["BTC"], size_base=25.0), 5)   # 1 % + 25 x 0.005 %
    0.01125
    """
    return rule.base_rate + rule.rate_per_coin * size_base


def deribit_linear_liquidation_price(
    *,
    entry_price: float,
    quantity_base: float,
    position_side: PositionSide,
    rule: GrowingMaintenance,
    leverage: float | None = None,
    margin_usd: float | None = None,
) -> float | None:
    """Return the price of a linear position: its size in coin, and so its rate, does not move with the price.

    Parameters
    ----------
    entry_price, quantity_base, position_side
        The position.
    rule
        How maintenance grows.
    leverage, margin_usd
        Exactly one: notional / margin at entry, or the equity behind the position.

    Returns
    -------
    float or None
        Quote per base; None if no positive price liquidates.
    """
    require_positive(entry_price=entry_price, quantity_base=quantity_base)
    rate = deribit_maintenance_margin_rate(rule, size_base=quantity_base)
    require_rate(rate)
    margin = margin_of(quantity_base * entry_price, leverage, margin_usd, "margin_usd")
    return linear_meeting_price(position_side.sign, quantity_base, entry_price, margin, rate, 0.0)


def deribit_inverse_liquidation_price(
    *,
    entry_price: float,
    notional_usd: float,
    position_side: PositionSide,
    rule: GrowingMaintenance,
    leverage: float | None = None,
    margin_base: float | None = None,
) -> float | None:
    """Return the price of an inverse position, whose size in coin `n = N / P` and rate grow as the price falls.

    `M + s (N/E - n) = n (b + c n)` is quadratic in n; with `A = M + s N/E` the root that is reached first is
    `n = 2 A / ((b + s) + s sqrt((b + s)^2 + 4 c A))`.

    Parameters
    ----------
    entry_price
        USD per coin.
    notional_usd
        USD.
    position_side
        Long or short.
    rule
        How maintenance grows.
    leverage, margin_base
        Exactly one: notional / margin at entry, or the equity behind the position in coin.

    Returns
    -------
    float or None
        USD per coin; None if no price on the adverse side liquidates.

    Raises
    ------
    BadArgument
        If an argument does not make sense, or every price liquidates.
    """
    require_positive(entry_price=entry_price, notional_usd=notional_usd)
    require_rate(rule.base_rate)
    margin = margin_of(notional_usd / entry_price, leverage, margin_base, "margin_base")
    sign = position_side.sign
    worth = margin + sign * notional_usd / entry_price
    if sign * worth <= 0.0:
        if sign > 0:
            raise never_solvent("inverse long position")
        return None
    discriminant = (rule.base_rate + sign) ** 2 + 4.0 * rule.rate_per_coin * worth
    if discriminant < 0.0:
        raise never_solvent("inverse short position")
    size = 2.0 * worth / ((rule.base_rate + sign) + sign * math.sqrt(discriminant))
    return notional_usd / size
