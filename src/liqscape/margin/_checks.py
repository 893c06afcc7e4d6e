"""What the room refuses at its door: numbers that cannot describe a position."""

from __future__ import annotations

import math

from liqscape.errors import BadArgument


def require_positive(**values: float) -> None:
    """Refuse every value that is not a finite number above zero.

    Raises
    ------
    BadArgument
        Naming the first such argument.
    """
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0.0):
            raise BadArgument(f"margin: {name}: expected a finite number > 0, received {value!r}.", hint=f"Check {name}.")


def require_finite(**values: float) -> None:
    """Refuse NaN and infinities.

    Raises
    ------
    BadArgument
        Naming the first such argument.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise BadArgument(f"margin: {name}: expected a finite number, received {value!r}.", hint=f"Check {name}.")


def require_rate(maintenance_margin_rate: float, closing_fee_rate: float = 0.0) -> None:
    """Refuse rates that no venue has: negative ones, or a maintenance with fee of the whole notional and more.

    Raises
    ------
    BadArgument
        If a rate is negative, not a number, or the two together reach 1.
    """
    if not (maintenance_margin_rate >= 0.0 and closing_fee_rate >= 0.0 and maintenance_margin_rate + closing_fee_rate < 1.0):
        raise BadArgument(
            "margin: maintenance_margin_rate and closing_fee_rate: expected fractions >= 0 with a sum below 1, "
            f"received {maintenance_margin_rate!r} and {closing_fee_rate!r}.",
            hint="Rates are fractions: half a per cent is 0.005.",
        )


def margin_of(opening_notional: float, leverage: float | None, margin: float | None, margin_name: str) -> float:
    """Return the margin of a position: as given, or the opening notional divided by the leverage.

    Parameters
    ----------
    opening_notional
        Size at entry, in the margin currency.
    leverage
        Notional / initial margin, or None.
    margin
        Margin attached to the position, in the margin currency, or None.
    margin_name
        How the caller's argument is called.

    Raises
    ------
    BadArgument
        Unless exactly one of the two is given, and it is a finite number (the leverage above zero).
    """
    if (leverage is None) == (margin is None):
        raise BadArgument(
            f"margin: expected either leverage or {margin_name}, received leverage={leverage!r} and {margin_name}={margin!r}.",
            hint=f"Give leverage for the opening margin, or {margin_name} for what is attached now.",
        )
    if leverage is not None:
        require_positive(leverage=leverage)
        return opening_notional / leverage
    assert margin is not None
    require_finite(**{margin_name: margin})
    return margin


def never_solvent(where: str) -> BadArgument:
    """Return the error for an account that is below maintenance at every price: no level exists, and None would say safe."""
    return BadArgument(
        f"margin: {where}: the margin is below maintenance at every mark price, so no liquidation price exists.",
        hint="The loss exceeds what any price can repair; check the margin or free equity, its sign and its unit.",
    )
