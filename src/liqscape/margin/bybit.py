"""Bybit: three generations of rules. Choose by account type; since 2026 new accounts are unified trading accounts (UTA).

Pages (official): help centre "Liquidation Price (USDT Contract)" (classic linear, read from the testnet.bybit.com mirror),
"Liquidation Price (Inverse Contract)" of 2024 (classic inverse), the UTA page updated 2026-05-27,
"Bankruptcy Price (USDT Contract)", and https://help.bybit.com/hc/en-us/articles/360039261334 (old inverse cross).
A UTA cross account has no price per position: it is liquidated when account maintenance reaches equity.
"""

from __future__ import annotations

from liqscape.margin._checks import require_finite, require_positive, require_rate
from liqscape.margin.price import bankruptcy_price, inverse_meeting_price, linear_meeting_price, liquidation_price
from liqscape.model.sides import PositionSide


def bybit_classic_linear_liquidation_price(
    *,
    entry_price: float,
    leverage: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    quantity_base: float = 1.0,
    maintenance_deduction_usd: float = 0.0,
    extra_margin_usd: float = 0.0,
) -> float | None:
    """Return the price of a classic isolated linear position: `E - s (IM - MM + extra) / q`, maintenance fixed at entry value.

    Parameters
    ----------
    entry_price, quantity_base, position_side
        The position, quote per base and base.
    leverage
        Notional / initial margin: `IM = q E / L`.
    maintenance_margin_rate, maintenance_deduction_usd
        `MM = q E mmr - deduction`.
    extra_margin_usd
        Margin added by hand.

    Returns
    -------
    float or None
        Quote per base; None if no positive price liquidates.

    Examples
    --------
    >>> bybit_classic_linear_liquidation_price(
    ...     entry_price=20_000.0, leverage=50, position_side=PositionSide.LONG, maintenance_margin_rate=0.005
    ... )
    19700.0
    """
    require_positive(entry_price=entry_price, quantity_base=quantity_base, leverage=leverage)
    require_rate(maintenance_margin_rate)
    require_finite(maintenance_deduction_usd=maintenance_deduction_usd, extra_margin_usd=extra_margin_usd)
    notional = quantity_base * entry_price
    maintenance = notional * maintenance_margin_rate - maintenance_deduction_usd
    margin = notional / leverage - maintenance + extra_margin_usd
    # Maintenance does not move with the price here, so it acts as margin that is not there.
    return linear_meeting_price(position_side.sign, quantity_base, entry_price, margin, 0.0, 0.0)


def bybit_classic_inverse_liquidation_price(
    *,
    entry_price: float,
    notional_usd: float,
    leverage: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    maintenance_deduction_base: float = 0.0,
) -> float | None:
    """Return the price of a classic isolated inverse position: `N / (PV + s (IM - MM))` with `PV = N / E`, in coin.

    Parameters
    ----------
    entry_price
        USD per coin.
    notional_usd
        USD.
    leverage
        `IM = PV / L`.
    position_side
        Long or short.
    maintenance_margin_rate, maintenance_deduction_base
        `MM = PV mmr - deduction`; the page names no deduction, it is taken over from the linear page.

    Returns
    -------
    float or None
        USD per coin; None if no price liquidates.
    """
    require_positive(entry_price=entry_price, notional_usd=notional_usd, leverage=leverage)
    require_rate(maintenance_margin_rate)
    require_finite(maintenance_deduction_base=maintenance_deduction_base)
    value = notional_usd / entry_price
    margin = value / leverage - (value * maintenance_margin_rate - maintenance_deduction_base)
    return inverse_meeting_price(position_side.sign, notional_usd, entry_price, margin, 0.0, 0.0)


def bybit_uta_inverse_liquidation_price(
    *,
    entry_price: float,
    notional_usd: float,
    leverage: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    maintenance_deduction_base: float = 0.0,
    extra_margin_base: float = 0.0,
    closing_fee_rate: float = 0.0,
) -> float | None:
    """Return the price of a UTA isolated inverse position (page updated 2026-05-27).

    Long `N (1 + mmr) / (N/E + N/(E L) + extra/(1 + fee) + D)`, short `N (1 - mmr) / (N/E - N/(E L) - extra/(1 - fee) - D)`.

    Parameters
    ----------
    entry_price, notional_usd, leverage, position_side
        The position, USD per coin and USD.
    maintenance_margin_rate, maintenance_deduction_base
        Of the tier at the liquidation price.
    extra_margin_base
        Margin added by hand, coin.
    closing_fee_rate
        Taker fee; it only discounts the extra margin, it is not in the trigger.

    Returns
    -------
    float or None
        USD per coin; None if no price liquidates.
    """
    require_positive(entry_price=entry_price, notional_usd=notional_usd, leverage=leverage)
    require_rate(maintenance_margin_rate, closing_fee_rate)
    require_finite(maintenance_deduction_base=maintenance_deduction_base, extra_margin_base=extra_margin_base)
    sign = position_side.sign
    margin = notional_usd / (entry_price * leverage) + extra_margin_base / (1.0 + sign * closing_fee_rate)
    return inverse_meeting_price(sign, notional_usd, entry_price, margin, maintenance_margin_rate, maintenance_deduction_base)


def bybit_uta_linear_liquidation_price(
    *,
    entry_price: float,
    leverage: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    quantity_base: float | None = None,
    maintenance_deduction_usd: float = 0.0,
) -> float | None:
    """Return the price of a UTA isolated linear position: the generic linear formula with f = 0 (its wording is unverified).

    Parameters
    ----------
    entry_price, leverage, position_side, maintenance_margin_rate, quantity_base, maintenance_deduction_usd
        As for `liquidation_price`.
    """
    return liquidation_price(
        entry_price=entry_price,
        leverage=leverage,
        position_side=position_side,
        maintenance_margin_rate=maintenance_margin_rate,
        quantity_base=quantity_base,
        maintenance_deduction_usd=maintenance_deduction_usd,
    )


def bybit_linear_bankruptcy_price(*, entry_price: float, leverage: float, position_side: PositionSide) -> float | None:
    """Return `E (1 - s / L)`, the price `p` of the allLiquidation stream.

    Parameters
    ----------
    entry_price, leverage, position_side
        As for `bankruptcy_price`.

    Examples
    --------
    >>> bybit_linear_bankruptcy_price(entry_price=10_000.0, leverage=50, position_side=PositionSide.LONG)
    9800.0
    """
    return bankruptcy_price(entry_price=entry_price, leverage=leverage, position_side=position_side)


def bybit_old_cross_inverse_bankruptcy_price(
    *, entry_price: float, notional_usd: float, position_side: PositionSide, balance_base: float, closing_fee_rate: float
) -> float | None:
    """Return the bankruptcy price of an inverse position in an old cross account: `(1 + s fee) N / (N/E + s balance)`.

    Parameters
    ----------
    entry_price, notional_usd, position_side
        The position, USD per coin and USD.
    balance_base
        Available balance, coin.
    closing_fee_rate
        Taker fee.

    Returns
    -------
    float or None
        USD per coin; None if the balance outlasts every price.

    Notes
    -----
    The page shows the long side; the short side is its mirror image (computed).
    """
    require_positive(entry_price=entry_price, notional_usd=notional_usd)
    require_rate(0.0, closing_fee_rate)
    require_finite(balance_base=balance_base)
    sign = position_side.sign
    # The closing fee is paid on N / P, exactly like a maintenance of that rate.
    return inverse_meeting_price(sign, notional_usd, entry_price, balance_base, closing_fee_rate, 0.0)


def bybit_old_cross_inverse_liquidation_price(
    *,
    entry_price: float,
    notional_usd: float,
    position_side: PositionSide,
    balance_base: float,
    maintenance_margin_rate: float,
    closing_fee_rate: float,
) -> float | None:
    """Return the price of an inverse position in an old cross account: the loss that leaves maintenance and fee.

    `s N (1/E - 1/P) = -(balance - (N/E) mmr - N fee / BP)`, maintenance at entry value, fee at the bankruptcy price BP.

    Parameters
    ----------
    entry_price, notional_usd, position_side, balance_base, closing_fee_rate
        As for `bybit_old_cross_inverse_bankruptcy_price`.
    maintenance_margin_rate
        Fraction of the entry value.

    Returns
    -------
    float or None
        USD per coin; None if no price liquidates.

    Notes
    -----
    The page's own example shows 5,739.50 because it rounds on the way; the formula gives 5,739.08.
    """
    require_rate(maintenance_margin_rate, closing_fee_rate)
    bankrupt = bybit_old_cross_inverse_bankruptcy_price(
        entry_price=entry_price,
        notional_usd=notional_usd,
        position_side=position_side,
        balance_base=balance_base,
        closing_fee_rate=closing_fee_rate,
    )
    # A balance that outlasts every price pays its fee, if ever, on a vanishing value.
    fee = 0.0 if bankrupt is None else notional_usd * closing_fee_rate / bankrupt
    loss = balance_base - notional_usd / entry_price * maintenance_margin_rate - fee
    return inverse_meeting_price(position_side.sign, notional_usd, entry_price, loss, 0.0, 0.0)
