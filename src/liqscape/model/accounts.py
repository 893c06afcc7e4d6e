"""What a venue that is public about accounts tells of them: positions, margin, and which accounts there are.

As in `records`, `ts_venue` is when the venue says it was so and `ts_recv` is when we learned it, both ns UTC.
"""

from __future__ import annotations

from msgspec import Struct

from liqscape.model.instruments import InstrumentId
from liqscape.model.sides import MarginMode


class AccountPosition(Struct, frozen=True, kw_only=True, gc=False):
    """One open position.

    Parameters
    ----------
    quantity_base
        Base units, > 0 long, < 0 short.
    entry_price, mark_price
        Quote per base.
    margin_usd
        What is locked for it: an isolated position's own equity at the mark, a cross one's initial margin.
    max_leverage
        The venue's highest for the coin at small sizes; None if it does not say.
    liquidation_price
        Quote per base as the venue says, the account's other marks standing still; None if no price liquidates.
    """

    instrument: InstrumentId
    quantity_base: float
    entry_price: float
    mark_price: float
    margin_mode: MarginMode
    margin_usd: float
    max_leverage: float | None = None
    liquidation_price: float | None = None


class AccountState(Struct, frozen=True, kw_only=True):
    """An account at one instant: every position it has, and what stands behind them.

    Parameters
    ----------
    venue, account
        The venue's name, and the account's own (an address, in lower case).
    cross_equity_usd
        Account value behind the cross positions, unrealised profit counted.
    cross_maintenance_usd
        What the venue asks of the cross positions together; None if it does not say.
    """

    venue: str
    account: str
    ts_venue: int
    ts_recv: int | None
    cross_equity_usd: float
    positions: tuple[AccountPosition, ...]
    cross_maintenance_usd: float | None = None


class AccountListing(Struct, frozen=True, kw_only=True, gc=False):
    """An account on a public list; None is not told."""

    venue: str
    account: str
    ts_recv: int | None
    equity_usd: float | None = None
    volume_1d_usd: float | None = None
