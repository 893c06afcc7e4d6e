"""Cross margin: positions that share one wallet.

For one position the account looks like an isolated one whose margin is what the others leave over:
wallet - maintenance of the others + unrealised profit of the others, at their present marks. That is exact only while the
other marks stand still; when they move, ask again. Linear positions with one settlement currency.

Source: Binance USD-M FAQ b3c689c1f50a44cabb3a84e663b81d93 (official), which is the general rule with f = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.margin._checks import never_solvent, require_finite, require_positive, require_rate
from liqscape.margin.tiered import tiered_liquidation_price
from liqscape.margin.tiers import TierTable, is_continuous, maintenance_margin
from liqscape.model.sides import PositionSide


class CrossPosition(Struct, frozen=True, kw_only=True):
    """A linear position in a cross account.

    Parameters
    ----------
    entry_price, mark_price
        Quote per base, > 0.
    quantity_base
        Base, > 0.
    position_side
        Long or short.
    tiers
        Maintenance table of the instrument.
    """

    entry_price: float
    mark_price: float
    quantity_base: float
    position_side: PositionSide
    tiers: TierTable

    def __post_init__(self) -> None:
        require_positive(entry_price=self.entry_price, mark_price=self.mark_price, quantity_base=self.quantity_base)


class AccountMargin(Struct, frozen=True, kw_only=True):
    """What an account has and what the venue asks of it, USD."""

    equity_usd: float
    maintenance_usd: float

    @property
    def liquidatable(self) -> bool:
        """Whether equity no longer exceeds maintenance."""
        return self.equity_usd <= self.maintenance_usd


class HealthyRange(Struct, frozen=True):
    """The marks between which an account stays above maintenance; None where it stays so without end."""

    low: float | None
    high: float | None


def unrealised_usd(position: CrossPosition) -> float:
    """Return the unrealised profit at the position's mark, USD."""
    return position.position_side.sign * position.quantity_base * (position.mark_price - position.entry_price)


def maintenance_usd(position: CrossPosition) -> float:
    """Return the maintenance margin at the position's mark, USD."""
    return maintenance_margin(position.tiers, notional=position.quantity_base * position.mark_price, size=position.quantity_base)


def account_margin(wallet_balance_usd: float, positions: Sequence[CrossPosition]) -> AccountMargin:
    """Return equity and maintenance of a cross account at the present marks.

    Parameters
    ----------
    wallet_balance_usd
        Wallet balance without unrealised profit, USD.
    positions
        All positions that share it.
    """
    require_finite(wallet_balance_usd=wallet_balance_usd)
    return AccountMargin(
        equity_usd=wallet_balance_usd + sum(unrealised_usd(position) for position in positions),
        maintenance_usd=sum(maintenance_usd(position) for position in positions),
    )


def free_margin_usd(*, wallet_balance_usd: float, other_maintenance_usd: float = 0.0, other_unrealised_usd: float = 0.0) -> float:
    """Return what stands behind one position: `W - sum maintenance_j + sum unrealised_j` over the others.

    Examples
    --------
    >>> free_margin_usd(wallet_balance_usd=1000.0, other_maintenance_usd=50.0, other_unrealised_usd=-200.0)
    750.0
    """
    return wallet_balance_usd - other_maintenance_usd + other_unrealised_usd


def cross_liquidation_price(
    position: CrossPosition, *, wallet_balance_usd: float, others: Sequence[CrossPosition] = (), closing_fee_rate: float = 0.0
) -> float | None:
    """Return the mark of one position's instrument at which the account meets its maintenance, the other marks standing still.

    Parameters
    ----------
    position
        The position whose mark moves. For two legs on one instrument use `hedged_liquidation_prices`.
    wallet_balance_usd
        Wallet balance without unrealised profit, USD.
    others
        The account's positions on other instruments.
    closing_fee_rate
        Closing fee that the venue counts in the trigger.

    Returns
    -------
    float or None
        Quote per base; None if no mark of this instrument alone liquidates the account.

    Raises
    ------
    BadArgument
        If every mark does.
    """
    others_margin = account_margin(wallet_balance_usd, others)
    return tiered_liquidation_price(
        entry_price=position.entry_price,
        quantity_base=position.quantity_base,
        position_side=position.position_side,
        tiers=position.tiers,
        margin_usd=others_margin.equity_usd - others_margin.maintenance_usd,
        closing_fee_rate=closing_fee_rate,
        mark_price=position.mark_price,
    )


def cross_liquidation_prices(
    wallet_balance_usd: float, positions: Sequence[CrossPosition], *, closing_fee_rate: float = 0.0
) -> tuple[float | None, ...]:
    """Return the cross liquidation price of every position, each with the other marks standing still.

    Parameters
    ----------
    wallet_balance_usd
        Wallet balance without unrealised profit, USD.
    positions
        One position per instrument.
    closing_fee_rate
        Closing fee that the venue counts in the trigger.

    Raises
    ------
    BadArgument
        If the account is so far below maintenance that no mark of one instrument repairs it.
    """
    return tuple(
        cross_liquidation_price(
            position,
            wallet_balance_usd=wallet_balance_usd,
            others=[*positions[:index], *positions[index + 1 :]],
            closing_fee_rate=closing_fee_rate,
        )
        for index, position in enumerate(positions)
    )


def hedged_liquidation_prices(legs: Sequence[CrossPosition], *, margin_usd: float, closing_fee_rate: float = 0.0) -> HealthyRange:
    """Return the marks at which an account with several legs on one instrument meets maintenance, below and above.

    Each leg pays the maintenance of its own tier at the moving mark, so even legs of equal size are liquidated by a rise.

    Parameters
    ----------
    legs
        Positions on one instrument (hedge mode: long and short); their own marks are not used. Tables with deductions.
    margin_usd
        Free margin behind the legs, see `free_margin_usd`.
    closing_fee_rate
        Closing fee that the venue counts in the trigger, for every leg.

    Returns
    -------
    HealthyRange
        `low`: liquidated at this mark and below; `high`: at this mark and above; None where no mark on that side does.

    Raises
    ------
    BadArgument
        If there is no leg, a table jumps, or no mark is healthy.

    Notes
    -----
    Equity less maintenance is concave and piecewise linear in the mark, with corners where a leg changes tier, so the healthy
    marks are one interval. It is Binance's hedge-mode formula with the tier of each leg chosen at the result.
    """
    if not legs or not all(is_continuous(leg.tiers) for leg in legs):
        raise BadArgument(
            "margin: hedged legs: expected at least one leg, and tables with deductions.", hint="Add the deductions."
        )
    require_finite(margin_usd=margin_usd)
    for leg in legs:
        require_rate(leg.tiers.tiers[-1].maintenance_margin_rate, closing_fee_rate)
    corners = sorted({0.0, *(tier.floor / leg.quantity_base for leg in legs for tier in leg.tiers.tiers)})
    excess = [_excess(legs, margin_usd, closing_fee_rate, corner) for corner in corners]
    last_slope = sum(
        leg.quantity_base * (leg.position_side.sign - leg.tiers.tiers[-1].maintenance_margin_rate - closing_fee_rate)
        for leg in legs
    )
    # A crossing at the price of zero is none: no positive mark reaches it.
    low = None if excess[0] > 0.0 else _rise(corners, excess, last_slope) or None
    high = _fall(corners, excess, last_slope)
    return HealthyRange(low, high)


def _excess(legs: Sequence[CrossPosition], margin_usd: float, fee: float, mark: float) -> float:
    total = margin_usd
    for leg in legs:
        notional = leg.quantity_base * mark
        total += leg.position_side.sign * (notional - leg.quantity_base * leg.entry_price) - fee * notional
        total -= maintenance_margin(leg.tiers, notional=notional, size=leg.quantity_base)
    return total


def _rise(corners: list[float], excess: list[float], last_slope: float) -> float:
    """Return where the excess first leaves zero upwards, given that it starts at or below zero."""
    for index in range(1, len(corners)):
        if excess[index] > 0.0:
            return _zero(corners[index - 1], excess[index - 1], corners[index], excess[index])
    if last_slope <= 0.0:
        raise never_solvent("hedged account")
    return corners[-1] - excess[-1] / last_slope


def _fall(corners: list[float], excess: list[float], last_slope: float) -> float | None:
    """Return where the excess comes back to zero for good, None if it never does."""
    if last_slope >= 0.0:
        return None
    if excess[-1] > 0.0:
        return corners[-1] - excess[-1] / last_slope
    for index in range(len(corners) - 1, 0, -1):
        if excess[index - 1] > 0.0:
            return _zero(corners[index - 1], excess[index - 1], corners[index], excess[index])
    raise never_solvent("hedged account")


def _zero(left: float, value_left: float, right: float, value_right: float) -> float:
    return left + (right - left) * value_left / (value_left - value_right)
