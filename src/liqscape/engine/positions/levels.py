"""Where followed positions would be liquidated now: the venue's own price, moved on by what the account's other legs did. Pure.

A cross account's level on one coin moves with the marks of its other coins. The venue says a price at the look, the others
standing still; between looks it is solved anew with the margin rules. The solver is trusted only with accounts whose venue
price it reproduces at the marks of the look; others (unified or portfolio margin, collateral elsewhere) keep the venue's price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl

from liqscape.margin import MaintenanceTier, TierTable, flat_tiers, liquidation_prices, maintenance_margins
from liqscape.model import InstrumentId, MarginMode
from liqscape.model.arrays import BoolArray, FloatArray, IntArray

AGREES = 0.01  # of the venue's price


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
class _Legs:
    """Every leg of the accounts, float64[n] each, and which account (from 0, ascending) it is of."""

    owner: IntArray
    instrument: list[str]
    cross: BoolArray
    quantity: FloatArray
    entry: FloatArray
    mark: FloatArray
    max_leverage: FloatArray


def standing(
    rows: pl.DataFrame,
    instrument: InstrumentId,
    marks: Mapping[str, float],
    tiers: Mapping[str, TierTable],
    *,
    agrees: float = AGREES,
) -> Standing:
    """Return the positions of an instrument with their levels at the present marks.

    Parameters
    ----------
    rows
        As `store.read_positions` returns them: every leg of the accounts that hold it, sorted by account.
    marks
        Newest marks by instrument; one that is not there stands where it was at the look.
    tiers
        Margin tables by instrument; without one the highest leverage that the venue names at the position.
    agrees
        How far the solver may be from the venue's price at the look to be trusted, fraction.

    Notes
    -----
    An account's free margin behind a leg is its wallet and, of every other cross leg, unrealised profit less maintenance; the
    level is the linear price at that margin (`margin.liquidation_prices`). It is computed at the marks of the look and at the
    present ones: if the first is the venue's own price to within `agrees`, the level moves by the difference of the two.
    """
    legs = _Legs(
        owner=rows.get_column("account").rle_id().to_numpy().astype(np.int64),
        instrument=rows.get_column("instrument").to_list(),
        cross=(rows.get_column("margin_mode") == MarginMode.CROSS.value).to_numpy(),
        quantity=_numbers(rows, "quantity_base"),
        entry=_numbers(rows, "entry_price"),
        mark=_numbers(rows, "mark_price"),
        max_leverage=_numbers(rows, "max_leverage"),
    )
    said, equity = _numbers(rows, "liquidation_price"), np.nan_to_num(_numbers(rows, "equity_usd"))
    present = np.array([marks.get(name, mark) for name, mark in zip(legs.instrument, legs.mark, strict=True)])
    mine = np.flatnonzero(np.array([name == str(instrument) for name in legs.instrument], bool))
    gain = np.where(legs.cross, legs.quantity * (legs.mark - legs.entry), 0.0)
    wallet = equity[mine] - _others(gain, legs, mine) - gain[mine]
    then, now = (
        _solve(mine, legs, wallet + _others(_free(legs, at, tiers), legs, mine), tiers.get(str(instrument)))
        for at in (legs.mark, present)
    )
    joined = legs.cross[mine] & (np.bincount(legs.owner, legs.cross)[legs.owner[mine]] > 1.0)
    with np.errstate(invalid="ignore"):
        trusted = np.where(np.isnan(said[mine]), np.isposinf(then), np.abs(then / said[mine] - 1.0) <= agrees)
        shifted = np.where(np.isnan(said[mine]), now, now + (said[mine] - then))
    solved = joined & trusted & ~np.isnan(now)
    price = np.where(solved, np.where(np.isfinite(now), shifted, np.nan), said[mine])
    return Standing(
        account=tuple(rows.get_column("account").gather(mine).to_list()),
        quantity_base=legs.quantity[mine],
        entry_price=legs.entry[mine],
        price=price,
        look_ns=rows.get_column("ts").to_numpy()[mine],
        solved=int(solved.sum()),
        held=int((joined & ~solved).sum()),
    )


def _numbers(rows: pl.DataFrame, name: str) -> FloatArray:
    return rows.get_column(name).cast(pl.Float64()).fill_null(np.nan).to_numpy().astype(np.float64)


def _others(values: FloatArray, legs: _Legs, mine: IntArray) -> FloatArray:
    """float64[len(mine)], sum over the account's legs but the own one; NaN if one of them is."""
    total = np.zeros(int(legs.owner[-1]) + 1 if legs.owner.size else 0)
    np.add.at(total, legs.owner, np.where(np.isin(np.arange(values.size), mine), 0.0, values))
    return total[legs.owner[mine]]


def _free(legs: _Legs, mark: FloatArray, tiers: Mapping[str, TierTable]) -> FloatArray:
    """float64[n], unrealised profit less maintenance of cross legs, 0 of isolated ones; NaN where no margin table is known."""
    notional = np.abs(legs.quantity) * mark
    maintenance = notional * 0.5 / legs.max_leverage
    names = np.array(legs.instrument, dtype=object)
    for name in set(legs.instrument) & tiers.keys():
        of = names == name
        maintenance[of] = maintenance_margins(notional[of], tiers[name])
    return np.where(legs.cross, legs.quantity * (mark - legs.entry) - maintenance, 0.0)


def _solve(mine: IntArray, legs: _Legs, margin: FloatArray, table: TierTable | None) -> FloatArray:
    """float64[len(mine)], levels at these margins: infinite where no price liquidates, NaN where that cannot be said."""
    quantity, entry, side = np.abs(legs.quantity[mine]), legs.entry[mine], np.sign(legs.quantity[mine])
    # A short whose margin is gone by more than its whole notional is liquidated everywhere: no level stands for that.
    unknown = np.isnan(margin) | ((side < 0.0) & (quantity * entry + margin <= 0.0))
    margin = np.where(unknown, quantity * entry, margin)
    found = np.full(mine.size, np.nan)
    leverage = legs.max_leverage[mine]
    for most in {0.0} if table is not None else {float(x) for x in leverage[~np.isnan(leverage)]}:
        of = leverage == most if table is None else np.ones(mine.size, bool)
        tiers = flat_tiers(0.5 / most) if table is None else table
        found[of] = liquidation_prices(entry[of], quantity[of], margin[of], side[of], tiers)
        found[of & np.isnan(found)] = np.inf
    found[unknown] = np.nan
    return found


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
