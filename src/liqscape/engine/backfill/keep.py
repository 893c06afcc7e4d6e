"""What is stored already, and what has just come: compared with the store, appended, and only then noted as done.

A process that dies between the two asks for the same stretch again, and finds its rows stored: nothing is lost, nothing twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import cast

import numpy as np
import polars as pl

from liqscape.engine._import_write import Writer, months, settle
from liqscape.engine.backfill.plan import Series, Stretch, covered, merged, without
from liqscape.engine.backfill.rows import frames
from liqscape.engine.recording.health import read_health
from liqscape.engine.workspace import Workspace
from liqscape.model import InstrumentId, Kind, Record
from liqscape.model.arrays import IntArray
from liqscape.store import Table
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

NAMESPACE = "backfill"  # of the small state: stretches that were asked and answered, by series
# Venues may still add to what is younger than this: it is asked for again by the next run.
_SETTLED_NS = NS_PER_HOUR

_TABLES = {
    Kind.BARS: Table.BARS,
    Kind.MARK_BARS: Table.BARS,
    Kind.OPEN_INTEREST: Table.OPEN_INTEREST,
    Kind.FUNDING: Table.FUNDING,
    Kind.LIQUIDATIONS: Table.LIQUIDATIONS,
    Kind.RATIOS: Table.RATIOS,
}


class Keeper:
    """Stores what one venue answers.

    Parameters
    ----------
    key
        Of the adapter: part of the writer's name.
    writing
        Held while rows are settled: two venues never write at once, reading and asking go on.
    """

    def __init__(self, workspace: Workspace, key: str, writing: asyncio.Lock, now_ns: Callable[[], int]) -> None:
        self.workspace, self.stored, self.known = workspace, Counter[Table](), Counter[Table]()
        self.contradicting = 0
        self._writing, self._now_ns = writing, now_ns
        self._writer = Writer(workspace.store)
        self._writer.name = self._writer.name.replace("import-", f"backfill-{key}-")
        self._coverage: set[tuple[Table, InstrumentId]] | None = None
        self._recorded_from = {
            InstrumentId.parse(name): health.started_ns
            for health in read_health(workspace)
            if health.alive(now_ns())
            for venue in health.venues
            for name in venue.instruments
            if ":" in name
        }

    def missing(self, series: Series, wanted: Stretch) -> list[Stretch]:
        """Return what must be asked of a series: neither stored, nor answered before, nor the recorder's."""
        start, end = wanted
        end = min(end, self._recorded_from.get(series.spec.id, end))
        if end <= start:
            return []
        taken = self._stored(series, start, end)
        if series.kind is Kind.LIQUIDATIONS:
            # A print of a stream and the same one of the history may differ in a digit: recorded minutes are not asked for.
            taken += self._recorded(series.spec.id, start, end)
        if self._has_rows(_TABLES[series.kind], series.spec.id):
            # Without a row the store was removed or is another one: what was noted of it means nothing.
            taken += done(self.workspace, series)
        return without([(start, end)], taken)

    def hand(self, series: Series) -> Hand:
        """Return where the answers of one series are put."""
        return Hand(self, series)

    async def store(self, series: Series, records: list[Record], stretches: list[Stretch]) -> None:
        """Append what is new of `records`, then note that `stretches` were answered."""
        async with self._writing:
            await asyncio.to_thread(self._store, series, records, stretches)

    def _store(self, series: Series, records: list[Record], stretches: list[Stretch]) -> None:
        for table, frame in frames(records).items():
            for rows in months(frame):
                settled = settle(self.workspace.store, table, rows)
                self._writer.append(table, settled.new)
                self.stored[table] += settled.new.height
                self.known[table] += sum(settled.known.values())
                self.contradicting += settled.contradicting.height
        before = self._now_ns() - _SETTLED_NS
        answered = [(start, min(end, before)) for start, end in stretches if start < before]
        if answered:
            note(self.workspace, series, answered)

    def _stored(self, series: Series, start: int, end: int) -> list[Stretch]:
        """Return the stretches whose rows are stored, where rows lie on a grid."""
        if series.interval_ns is None:
            return []
        table = _TABLES[series.kind]
        where = {"price_kind": series.price_kind.value, "interval_ns": NS_PER_MINUTE} if table is Table.BARS else None
        rows = self.workspace.store.read(table, series.spec.id, start_ns=start, end_ns=end, where=where)
        stamps = cast(IntArray, rows.get_column("ts").to_numpy().astype(np.int64))
        step = series.interval_ns
        return covered(stamps - stamps % step if table is Table.OPEN_INTEREST else stamps, step)

    def _recorded(self, instrument: InstrumentId, start: int, end: int) -> list[Stretch]:
        bars = self.workspace.store.read(
            Table.BARS, instrument, start_ns=start, end_ns=end, where={"interval_ns": NS_PER_MINUTE}
        ).filter(pl.col("ts_recv").is_not_null())
        return covered(cast(IntArray, bars.get_column("ts").to_numpy().astype(np.int64)), NS_PER_MINUTE)

    def _has_rows(self, table: Table, instrument: InstrumentId) -> bool:
        if self._coverage is None:
            self._coverage = {(c.table, c.instrument) for c in self.workspace.store.coverage()}
        return (table, instrument) in self._coverage


class Hand:
    """Answers of one series that wait to be stored together."""

    def __init__(self, keeper: Keeper, series: Series) -> None:
        self._keeper, self._series = keeper, series
        self._records: list[Record] = []
        self._stretches: list[Stretch] = []

    @property
    def rows(self) -> int:
        """How many records wait."""
        return len(self._records)

    def take(self, window: Stretch, records: list[Record]) -> None:
        """Take the whole answer of one window."""
        self._records.extend(records)
        self._stretches.append(window)

    async def keep(self) -> None:
        """Store what waits; a cancelled task finishes this first."""
        records, stretches = self._records, self._stretches
        self._records, self._stretches = [], []
        if stretches:
            await asyncio.shield(asyncio.ensure_future(self._keeper.store(self._series, records, stretches)))


def done(workspace: Workspace, series: Series) -> list[Stretch]:
    """Return the stretches of a series that were asked and answered."""
    value = workspace.state.get(NAMESPACE, series.name)
    return merged((int(start), int(end)) for start, end in cast("list[tuple[int, int]]", value or []))


def note(workspace: Workspace, series: Series, stretches: list[Stretch]) -> None:
    """Add stretches to those that were answered."""
    workspace.state.set(NAMESPACE, series.name, merged([*done(workspace, series), *stretches]))
