"""Binance: the published formulas of USD-M (one-way and hedge mode) and COIN-M futures.

Pages (official, read 2026-11-21): liquidation price https://www.binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93 ,
maintenance amount https://www.binance.com/en/support/faq/ceccfcfb4e3a45e3b48b0b1bb1a8ae46 . Trigger: mark price. No fee is
counted in the trigger; the liquidation fee (`exchangeInfo.liquidationFee`) is charged afterwards.
"""

from __future__ import annotations

from msgspec import Struct

from liqscape.margin._checks import never_solvent, require_finite, require_positive, require_rate
from liqscape.margin.cross import free_margin_usd
from liqscape.margin.price import inverse_liquidation_price, liquidation_price
from liqscape.model.sides import PositionSide


class Leg(Struct, frozen=True, kw_only=True):
    """A position on the symbol under test with the rate and the maintenance amount of its bracket.

    Parameters
    ----------
    entry_price
        Quote per base, > 0.
    quantity_base
        Base, > 0.
    position_side
        Long or short.
    maintenance_margin_rate
        Fraction.
    maintenance_deduction_usd
        Binance's maintenance amount ("cum").
    """

    entry_price: float
    quantity_base: float
    position_side: PositionSide
    maintenance_margin_rate: float
    maintenance_deduction_usd: float = 0.0


def binance_usdm_liquidation_price(
    *,
    entry_price: float,
    quantity_base: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    maintenance_deduction_usd: float = 0.0,
    wallet_balance_usd: float,
    other_maintenance_usd: float = 0.0,
    other_unrealised_usd: float = 0.0,
) -> float | None:
    """Return the liquidation price of a one-way USD-M position: `(WB - TMM + UPNL + cum - s q E) / (q mmr - s q)`.

    Parameters
    ----------
    entry_price, quantity_base, position_side
        The position, quote per base and base.
    maintenance_margin_rate, maintenance_deduction_usd
        Of the bracket at the liquidation price.
    wallet_balance_usd
        Cross: wallet balance; isolated: the isolated margin.
    other_maintenance_usd, other_unrealised_usd
        TMM and UPNL: maintenance and unrealised profit of all other cross positions; 0 for isolated margin.

    Returns
    -------
    float or None
        Quote per base; None if the position cannot be liquidated.

    Examples
    --------
    >>> price = binance_usdm_liquidation_price(
    ...     entry_price=32_481.98, quantity_base=109.488, position_side=PositionSide.LONG,
    ...     maintenance_margin_rate=0.025, maintenance_deduction_usd=16_300, wallet_balance_usd=1_535_443.01,
    ... )
    >>> round(price, 2)   # the worked example of the page
    18778.73
    """
    return liquidation_price(
        entry_price=entry_price,
        quantity_base=quantity_base,
        position_side=position_side,
        maintenance_margin_rate=maintenance_margin_rate,
        maintenance_deduction_usd=maintenance_deduction_usd,
        margin_usd=free_margin_usd(
            wallet_balance_usd=wallet_balance_usd,
            other_maintenance_usd=other_maintenance_usd,
            other_unrealised_usd=other_unrealised_usd,
        ),
    )


def binance_usdm_hedge_liquidation_price(
    *,
    legs: tuple[Leg, ...],
    wallet_balance_usd: float,
    other_maintenance_usd: float = 0.0,
    other_unrealised_usd: float = 0.0,
) -> float | None:
    """Return the cross liquidation price of a symbol with a long, a short and, or, a one-way leg.

    `(WB - TMM + UPNL + sum cum_i - sum s_i q_i E_i) / (sum q_i mmr_i - sum s_i q_i)` over the legs.

    Parameters
    ----------
    legs
        The legs on this symbol, each with its own bracket.
    wallet_balance_usd, other_maintenance_usd, other_unrealised_usd
        As for `binance_usdm_liquidation_price`; the others are positions on other symbols.

    Returns
    -------
    float or None
        Quote per base; None if no positive price liquidates.

    Raises
    ------
    BadArgument
        If there is no leg, an argument does not make sense, or every price liquidates.

    Notes
    -----
    With brackets left to choose, `hedged_liquidation_prices` gives both ends of the healthy range.
    """
    require_positive(legs=float(len(legs)))
    margin = free_margin_usd(
        wallet_balance_usd=wallet_balance_usd,
        other_maintenance_usd=other_maintenance_usd,
        other_unrealised_usd=other_unrealised_usd,
    )
    require_finite(margin_usd=margin)
    numerator, denominator = margin, 0.0
    for leg in legs:
        require_positive(entry_price=leg.entry_price, quantity_base=leg.quantity_base)
        require_rate(leg.maintenance_margin_rate)
        sign = leg.position_side.sign
        numerator += leg.maintenance_deduction_usd - sign * leg.quantity_base * leg.entry_price
        denominator += leg.quantity_base * (leg.maintenance_margin_rate - sign)
    # Equity less maintenance is numerator - denominator x price: at price 0 it is the numerator.
    if numerator <= 0.0 and denominator >= 0.0:
        raise never_solvent("hedged account")
    if denominator == 0.0 or numerator / denominator <= 0.0:
        return None
    return numerator / denominator


def binance_coinm_liquidation_price(
    *,
    entry_price: float,
    contracts: float,
    contract_size_usd: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    maintenance_deduction_base: float = 0.0,
    leverage: float | None = None,
    margin_base: float | None = None,
) -> float | None:
    """Return the liquidation price of a COIN-M position: the inverse formula with `N = contracts x contract size`.

    Parameters
    ----------
    entry_price
        USD per coin.
    contracts, contract_size_usd
        Number of contracts, and USD per contract (100 for BTC, 10 for others).
    position_side
        Long or short.
    maintenance_margin_rate, maintenance_deduction_base
        Of the bracket at the liquidation price; floors and deductions of COIN-M brackets are in coin.
    leverage, margin_base
        Exactly one: notional / initial margin, or the isolated margin in coin.

    Returns
    -------
    float or None
        USD per coin; None if the position cannot be liquidated.
    """
    require_positive(contracts=contracts, contract_size_usd=contract_size_usd)
    return inverse_liquidation_price(
        entry_price=entry_price,
        notional_usd=contracts * contract_size_usd,
        position_side=position_side,
        maintenance_margin_rate=maintenance_margin_rate,
        maintenance_deduction_base=maintenance_deduction_base,
        leverage=leverage,
        margin_base=margin_base,
    )
