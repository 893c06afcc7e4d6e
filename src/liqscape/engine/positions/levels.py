"""Where followed positions would be liquidated now: the venue's own price, moved on by what the account's other legs did. Pure.

A cross account's level on one coin moves with the marks of its other coins. The venue says a price at the look, the others
standing still; between looks it is solved anew with the margin rules. The solver is trusted only with accounts whose venue
price it reproduces at the marks of the look; others (unified or portfolio margin, collateral elsewhere) keep the venue's price.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl

from liqscape.errors import BadArgument
from liqscape.margin import CrossPosition, MaintenanceTier, TierTable, cross_liquidation_price, flat_tiers
from liqscape.model import InstrumentId, MarginMode, PositionSide
from liqscape.model.arrays import FloatArray, IntArray

AGREES = 0.01  # of the venue's price
_NO_NUMBER = math.nan


@dataclass(frozen=True)
class Standing:
    """Positions of one instrument with their present levels.

    Parameters
    ----------
    account : list of str, n
    quantity_base : float64[n], > 0 long, < 0 short
    entry_price : float64[n], quote per base
    price : float64[n], quote per base, NaN where no price liquidates
    look_ns : int64[n], ns UTC, when the account was looked at
    solved, held
        Cross positions with other legs: whose level was solved anew, and whose venue price was kept for want of agreement.
    """

    account: tuple[str, ...]
    quantity_base: FloatArray
    entry_price: FloatArray
    price: FloatArray
    look_ns: IntArray
    solved: int
    held: int

    def __len__(self) -> int:
        return self.quantity_base.size


@dataclass(frozen=True)
class _Leg:
    instrument: str
    quantity_base: float
    entry_price: float
    mark_price: float
    liquidation_price: float | None
    cross: bool
    max_leverage: float | None


def standing(
    rows: pl.DataFrame, instrument: InstrumentId, marks: Mapping[str, float], tiers: Mapping[str, TierTable]
) -> Standing:
    """Return the positions of an instrument with their levels at the present marks.

    Parameters
    ----------
    rows
        As `store.read_positions` returns them: every leg of the accounts that hold it.
    marks
        Newest marks by instrument; one that is not there stands where it was at the look.
    tiers
        Margin tables by instrument; without one the highest leverage that the venue names at the position.
    """
    account: list[str] = []
    columns: list[tuple[float, float, float, int]] = []
    solved = held = 0
    for (name,), group in rows.group_by("account", maintain_order=True):
        legs = [_leg(row) for row in group.iter_rows(named=True)]
        mine = next(leg for leg in legs if leg.instrument == str(instrument))
        others = [leg for leg in legs if leg.cross and leg is not mine]
        price = mine.liquidation_price
        if mine.cross and others:
            found = _moved(mine, others, float(group["equity_usd"][0] or 0.0), marks, tiers)
            solved, held = (solved, held + 1) if found is None else (solved + 1, held)
            price = mine.liquidation_price if found is None else found
        account.append(str(name))
        level = _NO_NUMBER if price is None else price
        columns.append((mine.quantity_base, mine.entry_price, level, int(group["ts"][0])))
    table = np.array(columns, dtype=np.float64).reshape(-1, 4)
    looks = np.array([row[3] for row in columns], dtype=np.int64)
    return Standing(tuple(account), table[:, 0], table[:, 1], table[:, 2], looks, solved, held)


def _leg(row: Mapping[str, object]) -> _Leg:
    def number(name: str) -> float | None:
        value = row[name]
        return float(value) if isinstance(value, float | int) else None

    return _Leg(
        instrument=str(row["instrument"]),
        quantity_base=number("quantity_base") or 0.0,
        entry_price=number("entry_price") or _NO_NUMBER,
        mark_price=number("mark_price") or _NO_NUMBER,
        liquidation_price=number("liquidation_price"),
        cross=row["margin_mode"] == MarginMode.CROSS.value,
        max_leverage=number("max_leverage"),
    )


def _moved(
    mine: _Leg, others: Sequence[_Leg], equity_usd: float, marks: Mapping[str, float], tiers: Mapping[str, TierTable]
) -> float | None:
    """Return the level at the present marks (NaN: no price liquidates), or None where the solver does not know the account."""
    legs = [mine, *others]
    wallet = equity_usd - sum(leg.quantity_base * (leg.mark_price - leg.entry_price) for leg in legs)
    try:
        then = _solve(legs, {leg.instrument: leg.mark_price for leg in legs}, wallet, tiers)
        now = _solve(legs, marks, wallet, tiers)
    except BadArgument:
        return None
    said = mine.liquidation_price
    if said is None or then is None:
        # Both must say that nothing liquidated it at the look.
        return None if (said is None) != (then is None) else (_NO_NUMBER if now is None else now)
    if abs(then / said - 1.0) > AGREES:
        return None
    return _NO_NUMBER if now is None else now + (said - then)


def _solve(legs: Sequence[_Leg], marks: Mapping[str, float], wallet_usd: float, tiers: Mapping[str, TierTable]) -> float | None:
    positions: list[CrossPosition] = []
    for leg in legs:
        table = tiers.get(leg.instrument)
        if table is None and leg.max_leverage is None:
            raise BadArgument(f"{leg.instrument}: no margin table is known")
        positions.append(
            CrossPosition(
                entry_price=leg.entry_price,
                mark_price=marks.get(leg.instrument, leg.mark_price),
                quantity_base=abs(leg.quantity_base),
                position_side=PositionSide.LONG if leg.quantity_base > 0.0 else PositionSide.SHORT,
                tiers=table if table is not None else flat_tiers(0.5 / (leg.max_leverage or 1.0)),
            )
        )
    return cross_liquidation_price(positions[0], wallet_balance_usd=wallet_usd, others=positions[1:])


def tables_of(ladders: object) -> dict[str, TierTable]:
    """Read the margin tables as the tracker remembers them: instrument to rows of floor, rate, deduction, highest leverage."""
    found = msgspec.convert(ladders or {}, dict[str, list[tuple[float, float, float | None, float | None]]])
    return {
        name: TierTable(
            tuple(MaintenanceTier(floor, rate, deduction or 0.0, max_leverage=high) for floor, rate, deduction, high in rows),
            source="margin tables of the venue",
        )
        for name, rows in found.items()
    }
