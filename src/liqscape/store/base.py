"""The contract of a store: append, read, latest, coverage, maintain. Nothing outside this room knows what is behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from liqscape.model import InstrumentId
from liqscape.store.schema import Table


@dataclass(frozen=True)
class Coverage:
    """What is stored of one series."""

    table: Table
    instrument: InstrumentId
    price_kind: str | None  # bars only
    interval_ns: int | None
    venues: str | None  # liquidation totals only
    rows: int
    first_ns: int
    last_ns: int  # ts of the newest row (start of its interval where it has one)


@dataclass(frozen=True)
class MaintenanceReport:
    """What a maintenance run did."""

    partitions_rewritten: int
    duplicate_rows_dropped: int
    files_before: int
    files_after: int
    files_removed: int


class Store(Protocol):
    """An append-only store of market data; any number of processes may read and append at once."""

    def append(self, table: Table, frame: pl.DataFrame, *, writer: str, batch: int) -> bool:
        """Add rows; acknowledged when it returns.

        `frame` has the table's columns (nullable ones may be missing). A (`writer`, `batch`) that was acknowledged before is not
        stored again: returns False. Numbers of a writer must grow.
        """
        ...

    def last_batch(self, table: Table, writer: str) -> int | None:
        """Return the newest acknowledged batch number of a writer, or None."""
        ...

    def read(
        self,
        table: Table,
        instrument: InstrumentId | None = None,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        known_by_ns: int | None = None,
        where: Mapping[str, str | int] | None = None,
        least_interval_ns: int | None = None,
    ) -> pl.DataFrame:
        """Return rows with start_ns <= ts < end_ns that were known by `known_by_ns`, sorted by key, one per key.

        `where` names values that columns of the key must have, such as `{"price_kind": "mark"}`; rows of intervals shorter than
        `least_interval_ns` are left out.
        """
        ...

    def latest(self, table: Table) -> pl.DataFrame:
        """Return the newest row of every series of a table."""
        ...

    def coverage(self) -> list[Coverage]:
        """Return what is stored, one entry per series, sorted."""
        ...

    def maintain(self, *, full: bool = False) -> MaintenanceReport:
        """Drop duplicates, sort and compact closed days, remove files nobody can read any more. One process only."""
        ...
