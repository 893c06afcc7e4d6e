"""The measured part of a map: positions that are known one by one, at their exact levels, beside the modelled rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from liqscape.engine.positions.levels import Standing, standing, tables_of
from liqscape.engine.positions.tracker import LADDERS
from liqscape.engine.replay import Tape
from liqscape.engine.workspace import Workspace
from liqscape.estimate import MeasuredSide, Recipe
from liqscape.model import BarSeries
from liqscape.model.arrays import BoolArray, FloatArray
from liqscape.model.maps import MeasuredInput
from liqscape.store import Table, read_positions
from liqscape.units import NS_PER_MINUTE, parse_duration_ns

_MARKS_NS = 10 * NS_PER_MINUTE  # a bar that ended longer ago gives no mark of another leg
_LOOK_BACK = 4  # times the longest age: accounts that were last seen within it are counted as stale


@dataclass(frozen=True)
class Measured:
    """Positions of one instrument that are known, without those whose level price has passed since the look.

    Parameters
    ----------
    passed, stale
        Positions left out because price went through their level, and accounts left out because their last look is too old.
        Both are modelled again.
    """

    positions: Standing
    passed: int
    stale: int

    def known_base(self, side: int) -> float:
        """Return the contracts of a side (0 long, 1 short), with and without a level."""
        return float(np.abs(self.positions.quantity_base[self._of(side)]).sum())

    def side(self, side: int, edge_price: FloatArray, open_interest_base: float, recipe: Recipe) -> MeasuredSide:
        """Put one side's positions into the buckets of a map.

        Parameters
        ----------
        edge_price : float64[n + 1], quote per base, from the mark outward
        open_interest_base
            Of this instrument: the rest of it stays modelled. If more is known than is open, all is scaled down to it.
        recipe
            Whose tiers and classes the map is split by: a position counts to the tier of its distance from entry and to the
            class that lives longest (of followed positions nine in ten still stood after five hours, docs/truth.md).
        """
        chosen = self._of(side)
        known = self.known_base(side)
        shrink = min(1.0, open_interest_base / known) if known > 0.0 else 1.0
        base = np.abs(self.positions.quantity_base[chosen]) * shrink
        price, entry = self.positions.price[chosen], self.positions.entry_price[chosen]
        mark, n = edge_price[0], edge_price.size - 1
        width = abs(edge_price[1] / mark - 1.0)
        outward = 1.0 if side else -1.0
        place = np.floor(outward * (price / mark - 1.0) / width + 1e-9)
        placed = np.isfinite(price)
        inside = placed & (place < n)
        bucket = np.maximum(place[inside], 0.0).astype(np.int64)
        usd = base[inside] * 0.5 * (edge_price[bucket] + edge_price[bucket + 1])
        distance = np.maximum(np.abs(price[inside] / entry[inside] - 1.0), 1e-9)
        tier = np.abs(np.log(distance[:, None] / recipe.distances)).argmin(axis=1) if bucket.size else bucket
        tier_usd, class_usd = np.zeros((recipe.tiers, n)), np.zeros((recipe.classes, n))
        np.add.at(tier_usd, (tier, bucket), usd)
        np.add.at(class_usd, (int(np.argmax(recipe.class_life_s)), bucket), usd)
        return MeasuredSide(
            usd=np.bincount(bucket, usd, n).astype(np.float64),
            base=np.bincount(bucket, base[inside], n).astype(np.float64),
            tier_usd=tier_usd,
            class_usd=class_usd,
            known_base=known * shrink,
            placed_base=float(base[placed].sum()),
            share=min(known / open_interest_base, 1.0) if open_interest_base > 0.0 else 0.0,
        )

    def describe(self, open_interest_base: float) -> MeasuredInput:
        """Say what is known, for the map's inputs."""
        long, short = self.known_base(0), self.known_base(1)
        return MeasuredInput(
            accounts=len(self.positions),
            long_share=min(long / open_interest_base, 1.0),
            short_share=min(short / open_interest_base, 1.0),
            solved=self.positions.solved,
            held=self.positions.held,
            passed=self.passed,
            stale=self.stale,
            oldest_ns=int(self.positions.look_ns.min()) if len(self.positions) else None,
            newest_ns=int(self.positions.look_ns.max()) if len(self.positions) else None,
            more_than_open=max(long, short) > open_interest_base,
        )

    def _of(self, side: int) -> BoolArray:
        return self.positions.quantity_base < 0.0 if side else self.positions.quantity_base > 0.0


def read_measured(workspace: Workspace, tape: Tape, as_of_ns: int) -> Measured | None:
    """Return the positions of a tape's instrument that were known at an instant and are young enough.

    How old a look may be is the setting `position_max_age`. None if nobody was followed lately; if all looks are too old, there
    are no positions but it is said how many accounts are stale.
    """
    max_age_ns = parse_duration_ns(workspace.settings.position_max_age)
    store, instrument = workspace.store, tape.instrument
    recent = store.read(
        Table.POSITIONS,
        instrument,
        start_ns=as_of_ns - _LOOK_BACK * max_age_ns,
        end_ns=as_of_ns + 1,
        known_by_ns=as_of_ns,
    )
    if recent.is_empty():
        return None
    last = recent.sort("ts").group_by("account").last()
    stale = last.filter((pl.col("ts") < as_of_ns - max_age_ns) & (pl.col("quantity_base") != 0.0)).height
    rows = read_positions(store, instrument, at_ns=as_of_ns, max_age_ns=max_age_ns)
    marks = _marks(workspace, rows, as_of_ns) | {str(instrument): tape.mark_price}
    tables = tables_of(workspace.state.get(LADDERS, instrument.venue))
    found = standing(rows, instrument, marks, tables)
    gone = passed(found, tape.bars)
    return Measured(_select(found, ~gone), int(gone.sum()), stale)


def passed(found: Standing, bars: BarSeries) -> BoolArray:
    """bool[n], whether price went through a position's level in a bar that began after its look, or stands beyond it."""
    if not len(found):
        return np.zeros(0, bool)
    bars = bars.slice(int(np.searchsorted(bars.start_ns[:-1], int(np.min(found.look_ns)))), len(bars))
    lowest = np.append(np.minimum.accumulate(bars.low[::-1])[::-1], np.inf)
    highest = np.append(np.maximum.accumulate(bars.high[::-1])[::-1], -np.inf)
    since = np.searchsorted(bars.start_ns, found.look_ns)
    last = float(bars.close[-1])
    low, high = np.minimum(lowest[since], last), np.maximum(highest[since], last)
    long = found.quantity_base > 0.0
    with np.errstate(invalid="ignore"):
        return np.where(long, low <= found.price, high >= found.price)


def _select(found: Standing, rows: BoolArray) -> Standing:
    return Standing(
        account=tuple(name for name, keep in zip(found.account, rows, strict=True) if keep),
        quantity_base=found.quantity_base[rows],
        entry_price=found.entry_price[rows],
        price=found.price[rows],
        look_ns=found.look_ns[rows],
        solved=found.solved,
        held=found.held,
    )


def _marks(workspace: Workspace, rows: pl.DataFrame, as_of_ns: int) -> dict[str, float]:
    """Return the newest price of every leg: the close of a recorded bar, else the mark of the newest look at anyone."""
    last = rows.sort("ts").group_by("instrument").last().drop_nulls("mark_price")
    marks: dict[str, float] = dict(zip(last["instrument"].to_list(), last["mark_price"].to_list(), strict=True))
    bars = workspace.store.read(Table.BARS, start_ns=as_of_ns - _MARKS_NS, end_ns=as_of_ns, known_by_ns=as_of_ns)
    bars = bars.filter(pl.col("instrument").is_in(list(marks))).sort("ts").group_by("instrument").last()
    return marks | dict(zip(bars["instrument"].to_list(), bars["close"].to_list(), strict=True))
