"""Phemex USDT-M: the assigned position balance holds the opening margin and the fee of closing at bankruptcy.

Page (official, read 2026-11-21): https://phemex.com/help-center/liq-price-for-USDTM .
"""

from __future__ import annotations

from liqscape.margin._checks import require_positive
from liqscape.margin.price import liquidation_price
from liqscape.model.sides import PositionSide

PHEMEX_CLOSING_FEE_RATE = 0.0006  # the page's 0.06 %


def phemex_position_balance_usd(
    *,
    entry_price: float,
    quantity_base: float,
    leverage: float,
    position_side: PositionSide,
    closing_fee_rate: float = PHEMEX_CLOSING_FEE_RATE,
) -> float:
    """Return the assigned position balance: `OV / L + bankruptcy value x fee`, with bankruptcy value `OV (1 - s / L)`.

    Parameters
    ----------
    entry_price, quantity_base, leverage, position_side
        The position; `OV = q E`.
    closing_fee_rate
        Taker fee.

    Examples
    --------
    >>> round(phemex_position_balance_usd(entry_price=0.4, quantity_base=500, leverage=5, position_side=PositionSide.LONG), 3)
    40.096
    """
    require_positive(entry_price=entry_price, quantity_base=quantity_base, leverage=leverage)
    value = quantity_base * entry_price
    return value / leverage + value * (1.0 - position_side.sign / leverage) * closing_fee_rate


def phemex_liquidation_price(
    *,
    entry_price: float,
    quantity_base: float,
    leverage: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    maintenance_deduction_usd: float = 0.0,
    closing_fee_rate: float = PHEMEX_CLOSING_FEE_RATE,
) -> float | None:
    """Return the price of an isolated position.

    Long `(OV - apb - D) / ((1 - fee - mmr) q)`, short `(OV + apb + D) / ((1 + fee + mmr) q)`, apb as in
    `phemex_position_balance_usd`.

    Parameters
    ----------
    entry_price, quantity_base, leverage, position_side
        The position.
    maintenance_margin_rate, maintenance_deduction_usd
        Of the tier at the liquidation price (`mmAmount`).
    closing_fee_rate
        Taker fee.

    Returns
    -------
    float or None
        Quote per base; None if no positive price liquidates.
    """
    balance = phemex_position_balance_usd(
        entry_price=entry_price,
        quantity_base=quantity_base,
        leverage=leverage,
        position_side=position_side,
        closing_fee_rate=closing_fee_rate,
    )
    return liquidation_price(
        entry_price=entry_price,
        quantity_base=quantity_base,
        position_side=position_side,
        maintenance_margin_rate=maintenance_margin_rate,
        maintenance_deduction_usd=maintenance_deduction_usd,
        margin_usd=balance,
        closing_fee_rate=closing_fee_rate,
    )
