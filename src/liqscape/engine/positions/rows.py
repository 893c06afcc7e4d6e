"""Accounts as rows of the table, and which of them have changed enough to be stored before the next whole snapshot. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from liqscape.model import AccountPosition, AccountState, InstrumentId, MarginMode
from liqscape.store import SCHEMAS, Table

SOURCE = "polled"
CHANGE = 0.02  # of a quantity, or of the money behind it: smaller changes wait for the next snapshot

_COLUMNS = SCHEMAS[Table.POSITIONS].columns


def wallet_usd(state: AccountState) -> float:
    """Return the money behind the cross positions without their unrealised profit: it stays when marks move."""
    cross = (p for p in state.positions if p.margin_mode is MarginMode.CROSS)
    return state.cross_equity_usd - sum(p.quantity_base * (p.mark_price - p.entry_price) for p in cross)


def isolated_usd(position: AccountPosition) -> float:
    """Return the margin of an isolated position without its unrealised profit."""
    return position.margin_usd - position.quantity_base * (position.mark_price - position.entry_price)


def changed(before: AccountState | None, now: AccountState) -> bool:
    """Whether a look shows something new: legs opened or closed, a quantity or the money behind it by more than CHANGE."""
    if before is None:
        return bool(now.positions)
    old = {p.instrument: p for p in before.positions}
    new = {p.instrument: p for p in now.positions}
    if old.keys() != new.keys():
        return True
    for name, position in new.items():
        was = old[name]
        if position.margin_mode is not was.margin_mode or _moved(was.quantity_base, position.quantity_base):
            return True
        if position.margin_mode is MarginMode.ISOLATED and _moved(isolated_usd(was), isolated_usd(position)):
            return True
    return bool(new) and _moved(wallet_usd(before), wallet_usd(now))


def _moved(before: float, now: float) -> bool:
    return abs(now - before) > CHANGE * max(abs(before), abs(now))


def rows_of(states: Iterable[tuple[AccountState, AccountState | None]]) -> pl.DataFrame:
    """Return the rows of looks, each beside the look that was stored before it: legs it no longer has get a row of 0."""
    columns: dict[str, list[object]] = {name: [] for name in _COLUMNS}
    for state, before in states:
        held = {p.instrument for p in state.positions}
        for position in state.positions:
            _append(columns, state, position)
        for position in before.positions if before is not None else ():
            if position.instrument not in held:
                _append_closed(columns, state, position.instrument)
    return pl.DataFrame(columns, schema=_COLUMNS)


def _append(columns: dict[str, list[object]], state: AccountState, position: AccountPosition) -> None:
    values = {
        "instrument": str(position.instrument),
        "account": state.account,
        "ts": state.ts_venue,
        "ts_recv": state.ts_recv,
        "quantity_base": position.quantity_base,
        "entry_price": position.entry_price,
        "mark_price": position.mark_price,
        "liquidation_price": position.liquidation_price,
        "margin_mode": position.margin_mode.value,
        "margin_usd": position.margin_usd,
        "max_leverage": position.max_leverage,
        "equity_usd": state.cross_equity_usd,
        "source": SOURCE,
    }
    for name, column in columns.items():
        column.append(values[name])


def _append_closed(columns: dict[str, list[object]], state: AccountState, instrument: InstrumentId) -> None:
    values: dict[str, object] = {
        "instrument": str(instrument),
        "account": state.account,
        "ts": state.ts_venue,
        "ts_recv": state.ts_recv,
        "quantity_base": 0.0,
        "equity_usd": state.cross_equity_usd,
        "source": SOURCE,
    }
    for name, column in columns.items():
        column.append(values.get(name))
