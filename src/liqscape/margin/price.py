"""The closed forms: one position, one maintenance rate; liquidation and bankruptcy price, linear and inverse.

A position is liquidated when equity <= maintenance (+ closing fee). With s = +1 (long) or -1 (short), quantity q, entry E,
margin M, maintenance rate m, deduction D and fee f, a linear contract meets maintenance at the mark P of

    M + s q (P - E) = q P (m + f) - D          P = (s q E - M - D) / (q (s - m - f))

and an inverse contract of N dollars, with M and D in coin, at

    M + s N (1/E - 1/P) = (m + f) N / P - D    P = N (s + m + f) / (M + D + s N / E).

In the coin price x = 1/P the second is the first with the side turned round, so one line of algebra serves both.
"""

from __future__ import annotations

import sys

from liqscape.errors import BadArgument
from liqscape.margin._checks import margin_of, never_solvent, require_finite, require_positive, require_rate
from liqscape.model.sides import PositionSide

# What is left of an entry value after margin and deduction, relative to it, when only rounding is left: some units of the last
# place. Without it a margin that covers the position exactly would get a level at 1e-16 or, inverse, 1e20 times the entry.
ROUNDING = 8 * sys.float_info.epsilon


def meeting_point(sign: int, size: float, entry_value: float, margin: float, rate: float, deduction: float) -> float:
    """Return where margin + profit meets maintenance; <= 0 means at no price.

    Parameters
    ----------
    sign
        +1 gains when the price rises, -1 when it falls.
    size
        Quantity that is priced, > 0.
    entry_value
        Size x entry price.
    margin, deduction
        In the same currency.
    rate
        Maintenance rate plus closing fee rate, below 1.
    """
    uncovered = sign * entry_value - margin - deduction
    if abs(uncovered) <= ROUNDING * entry_value:
        return 0.0
    return uncovered / (size * (sign - rate))


def linear_meeting_price(
    sign: int, quantity_base: float, entry_price: float, margin_usd: float, rate: float, deduction_usd: float
) -> float | None:
    """Read the meeting point of a linear position: None if no fall to zero reaches it.

    Raises
    ------
    BadArgument
        If a short is below maintenance at every price.
    """
    price = meeting_point(sign, quantity_base, quantity_base * entry_price, margin_usd, rate, deduction_usd)
    if price > 0.0:
        return price
    if sign < 0:
        raise never_solvent("short position")
    return None


def inverse_meeting_price(
    sign: int, notional_usd: float, entry_price: float, margin_base: float, rate: float, deduction_base: float
) -> float | None:
    """Read the meeting point of an inverse position: None if no rise reaches it.

    Raises
    ------
    BadArgument
        If a long is below maintenance at every price.
    """
    coin_per_usd = meeting_point(-sign, notional_usd, notional_usd / entry_price, margin_base, rate, deduction_base)
    if coin_per_usd > 0.0:
        return 1.0 / coin_per_usd
    if sign > 0:
        raise never_solvent("inverse long position")
    return None


def liquidation_price(
    *,
    entry_price: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    leverage: float | None = None,
    quantity_base: float | None = None,
    margin_usd: float | None = None,
    maintenance_deduction_usd: float = 0.0,
    closing_fee_rate: float = 0.0,
) -> float | None:
    """Return the mark at which a linear position meets its maintenance margin.

    Parameters
    ----------
    entry_price
        Average entry, quote per base, > 0.
    position_side
        Long or short.
    maintenance_margin_rate
        Fraction of the notional at the liquidation price; the tier's rate.
    leverage
        Notional / initial margin at entry; give this or `margin_usd`.
    quantity_base
        Size, base, > 0. Needed with `margin_usd` or a deduction; otherwise the answer does not depend on it.
    margin_usd
        Margin attached now: isolated margin, or free equity of a cross account (see `liqscape.margin.cross`).
    maintenance_deduction_usd
        The tier's constant ("cum", "maintenance amount", "mmDeduction").
    closing_fee_rate
        Closing fee that the venue counts in the trigger, as a fraction; 0 where it does not.

    Returns
    -------
    float or None
        Quote per base. None: no positive price liquidates the position. A position that is already below maintenance gives
        the price at which it would meet it again, on the favourable side.

    Raises
    ------
    BadArgument
        If an argument does not make sense, or the margin is so negative that every price liquidates.

    Examples
    --------
    >>> from liqscape.model import PositionSide
    >>> ten_times = dict(entry_price=100.0, leverage=10, maintenance_margin_rate=0.01)
    >>> round(liquidation_price(position_side=PositionSide.LONG, **ten_times), 4)   # 90 / 0.99
    90.9091
    >>> liquidation_price(position_side=PositionSide.LONG, **{**ten_times, "leverage": 1}) is None
    True
    """
    require_rate(maintenance_margin_rate, closing_fee_rate)
    require_finite(maintenance_deduction_usd=maintenance_deduction_usd)
    quantity = _quantity(quantity_base, needed=margin_usd is not None or maintenance_deduction_usd != 0.0)
    require_positive(entry_price=entry_price)
    margin = margin_of(quantity * entry_price, leverage, margin_usd, "margin_usd")
    rate = maintenance_margin_rate + closing_fee_rate
    return linear_meeting_price(position_side.sign, quantity, entry_price, margin, rate, maintenance_deduction_usd)


def bankruptcy_price(
    *,
    entry_price: float,
    position_side: PositionSide,
    leverage: float | None = None,
    quantity_base: float | None = None,
    margin_usd: float | None = None,
) -> float | None:
    """Return the price at which the margin of a linear position is gone: `E (1 - s / L)`, or `E - s M / q`.

    Parameters
    ----------
    entry_price
        Average entry, quote per base, > 0.
    position_side
        Long or short.
    leverage
        Notional / initial margin at entry; give this or `margin_usd`.
    quantity_base
        Size, base, > 0; needed with `margin_usd`.
    margin_usd
        Margin attached now.

    Returns
    -------
    float or None
        Quote per base; None if the margin outlasts every price (a long with leverage 1 or less).

    Examples
    --------
    >>> from liqscape.model import PositionSide
    >>> bankruptcy_price(entry_price=100.0, leverage=10, position_side=PositionSide.LONG)
    90.0
    """
    return liquidation_price(
        entry_price=entry_price,
        position_side=position_side,
        maintenance_margin_rate=0.0,
        leverage=leverage,
        quantity_base=quantity_base,
        margin_usd=margin_usd,
    )


def inverse_liquidation_price(
    *,
    entry_price: float,
    position_side: PositionSide,
    maintenance_margin_rate: float,
    leverage: float | None = None,
    notional_usd: float | None = None,
    margin_base: float | None = None,
    maintenance_deduction_base: float = 0.0,
    closing_fee_rate: float = 0.0,
) -> float | None:
    """Return the mark at which an inverse (coin-margined) position meets its maintenance margin.

    Parameters
    ----------
    entry_price
        Average entry, USD per coin, > 0.
    position_side
        Long or short.
    maintenance_margin_rate
        Fraction of the coin notional at the liquidation price; the tier's rate.
    leverage
        Notional / initial margin at entry; give this or `margin_base`.
    notional_usd
        Contracts x contract size, USD, > 0; fixed for the life of the position. Needed with `margin_base` or a deduction.
    margin_base
        Margin attached now, coin.
    maintenance_deduction_base
        The tier's constant, coin.
    closing_fee_rate
        Closing fee that the venue counts in the trigger, as a fraction.

    Returns
    -------
    float or None
        USD per coin. None: no price liquidates the position (a short with leverage 1 or less).

    Raises
    ------
    BadArgument
        If an argument does not make sense, or the margin is so negative that every price liquidates.

    Examples
    --------
    >>> from liqscape.model import PositionSide
    >>> price = inverse_liquidation_price(
    ...     entry_price=30_000.0, leverage=20, position_side=PositionSide.LONG, maintenance_margin_rate=0.004
    ... )
    >>> round(price, 2)   # 30,000 x 20 x 1.004 / 21
    28685.71
    """
    require_rate(maintenance_margin_rate, closing_fee_rate)
    require_finite(maintenance_deduction_base=maintenance_deduction_base)
    notional = _notional(notional_usd, needed=margin_base is not None or maintenance_deduction_base != 0.0)
    require_positive(entry_price=entry_price)
    margin = margin_of(notional / entry_price, leverage, margin_base, "margin_base")
    rate = maintenance_margin_rate + closing_fee_rate
    return inverse_meeting_price(position_side.sign, notional, entry_price, margin, rate, maintenance_deduction_base)


def inverse_bankruptcy_price(
    *,
    entry_price: float,
    position_side: PositionSide,
    leverage: float | None = None,
    notional_usd: float | None = None,
    margin_base: float | None = None,
) -> float | None:
    """Return the price at which the margin of an inverse position is gone: `E L / (L + s)`, or `s N / (M + s N / E)`.

    Parameters
    ----------
    entry_price, position_side, leverage, notional_usd, margin_base
        As for `inverse_liquidation_price`.

    Returns
    -------
    float or None
        USD per coin; None if the margin outlasts every price (a short with leverage 1 or less).
    """
    return inverse_liquidation_price(
        entry_price=entry_price,
        position_side=position_side,
        maintenance_margin_rate=0.0,
        leverage=leverage,
        notional_usd=notional_usd,
        margin_base=margin_base,
    )


def _quantity(quantity_base: float | None, *, needed: bool) -> float:
    """Return the quantity, or one coin where the answer does not depend on it."""
    return _size(quantity_base, "quantity_base", "margin_usd or maintenance_deduction_usd", needed=needed)


def _notional(notional_usd: float | None, *, needed: bool) -> float:
    """Return the notional, or one dollar where the answer does not depend on it."""
    return _size(notional_usd, "notional_usd", "margin_base or maintenance_deduction_base", needed=needed)


def _size(size: float | None, name: str, absolute: str, *, needed: bool) -> float:
    if size is None:
        if needed:
            raise BadArgument(f"margin: {name}: expected a size with {absolute}, received None.", hint=f"Give {name}.")
        return 1.0
    require_positive(**{name: size})
    return size
