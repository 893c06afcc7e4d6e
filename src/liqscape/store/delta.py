"""The store on disk: one Delta Lake table per kind of row, written through deltalake, read through polars.

Layout: partitions by the row's own UTC day, inside a commit sorted by (instrument, ts) in row groups of 16,384 rows.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from polars.exceptions import PolarsError

from liqscape.clock import now_ns, utc_date
from liqscape.errors import BadArgument, StoreError
from liqscape.model import InstrumentId
from liqscape.store import _frames, _overview
from liqscape.store._files import COMMIT_RETRIES, WRITERS, data_files, flush_to_disk, predicate_of, scan, table_properties
from liqscape.store._frames import DATE, Value
from liqscape.store._maintenance import maintain_table
from liqscape.store.base import Coverage, MaintenanceReport
from liqscape.store.schema import SCHEMAS, Table

OUTER_RETRIES = 10
# A table that is kept open holds every commit since it was opened, and each append costs more than the one before: opened anew
# after so many versions, it begins at the last checkpoint.
REOPEN = 20
# What deltalake 1.6 mistakes for part of an address; tried one by one.
_UNREADABLE = re.compile(r"[\[\]^|]|%[0-9A-Fa-f]{2}")
_DELTA_TYPE: dict[type[pl.DataType], str] = {pl.String: "string", pl.Int64: "long", pl.Float64: "double"}


@contextmanager
def _in_words(doing: str, path: Path) -> Generator[None]:
    """Turn what deltalake, polars and the system raise into an error of the tree."""
    try:
        yield
    except (DeltaError, PolarsError, OSError) as error:
        raise StoreError(
            f"{doing}: {error}", hint=f"Look at permissions of {path} and at whether files in it were removed or changed."
        ) from error


class DeltaStore:
    """An append-only store of market data in a folder; any number of processes may read and append at once.

    Nothing is created on disk before the first append. See `Store` for what the methods promise.

    Parameters
    ----------
    path
        Folder of the tables.

    Raises
    ------
    BadArgument
        If the folder's name holds a character that Delta Lake cannot address.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        if (found := _UNREADABLE.search(str(self.path))) is not None:
            raise BadArgument(
                f"store: the folder {str(self.path)!r} has {found[0]!r} in its name, which Delta Lake cannot address",
                hint="Choose a folder without [ ] ^ | and without % before two hexadecimal digits.",
            )
        self._tables: dict[Table, tuple[DeltaTable, int, int]] = {}  # the table, its log, the version it was opened at
        self._locks = {table: threading.RLock() for table in Table}

    def append(self, table: Table, frame: pl.DataFrame, *, writer: str, batch: int) -> bool:
        """Add rows; they are on disk when it returns.

        Parameters
        ----------
        frame
            Columns as in `SCHEMAS[table]`; nullable ones may be missing. May be empty: then only the batch number is kept.
        writer, batch
            A name for this stream of batches and a number that grows. A number that is not above the newest acknowledged
            one is not stored again.

        Returns
        -------
        True if the rows were stored now, False if this batch was stored before.

        Raises
        ------
        StoreError
            If the frame does not fit the table, or the rows could not be stored; then none of them are.
        """
        if batch < 0 or not writer:
            raise BadArgument(f"append to {table}: expected a writer and a batch >= 0, received {writer!r} and {batch}")
        checked = _frames.check(table, frame)
        if table not in self._tables or self._log(table) is None:
            self._create_all()
        with self._locks[table]:
            delta = self._current(table)
            if delta is None:
                raise StoreError(f"append to {table}: the table at {self._folder(table)} disappeared while it was in use")
            if _stored(delta, writer, batch):
                return False
            stored = self._commit(table, delta, _frames.storable(table, checked, now_ns()), writer, batch)
        flush_to_disk()
        return stored

    def _commit(self, table: Table, delta: DeltaTable, rows: pl.DataFrame, writer: str, batch: int) -> bool:
        properties = CommitProperties(max_commit_retries=COMMIT_RETRIES, app_transactions=[Transaction(writer, batch)])
        for attempt in range(OUTER_RETRIES):
            try:
                write_deltalake(delta, rows, mode="append", writer_properties=WRITERS[table], commit_properties=properties)
                return True
            except CommitFailedError as error:
                # Not stored by us. Another process with this writer's name may have stored the same batch meanwhile.
                delta.update_incremental()
                if _stored(delta, writer, batch):
                    return False
                if attempt == OUTER_RETRIES - 1:
                    raise StoreError(
                        f"append to {table}: batch {batch} of {writer} was not stored after {OUTER_RETRIES} tries: {error}",
                        hint="Other processes are writing to this store; append the same batch again.",
                    ) from error
                time.sleep(random.uniform(0.0, 0.05 * (attempt + 1)))
            except (DeltaError, OSError) as error:
                raise StoreError(
                    f"append to {table}: batch {batch} of {writer} was not stored: {error}",
                    hint=f"Look at free space and permissions of {self.path}; append the same batch again.",
                ) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def last_batch(self, table: Table, writer: str) -> int | None:
        """Return the newest acknowledged batch number of a writer, or None."""
        with self._locks[table], _in_words(f"last batch of {table}", self.path):
            delta = self._current(table)
            return None if delta is None else delta.transaction_version(writer)

    def read(
        self,
        table: Table,
        instrument: InstrumentId | None = None,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        known_by_ns: int | None = None,
        where: Mapping[str, Value] | None = None,
        least_interval_ns: int | None = None,
    ) -> pl.DataFrame:
        """Return rows with start_ns <= ts < end_ns that were known by `known_by_ns`, sorted by key, one per key.

        Of several rows of one key the one that was stored first counts, also for when the key was known.

        Parameters
        ----------
        where
            Values that key columns must have, such as `{"price_kind": "mark"}`.
        least_interval_ns
            Leave out rows of shorter intervals: recorded seconds are many, and a map is made of minutes.
        """
        schema = SCHEMAS[table]
        if where is not None and (wrong := [name for name in where if name not in schema.key]):
            raise BadArgument(f"read of {table}: where: {', '.join(wrong)} not in the key ({', '.join(schema.key)})")
        equal: dict[str, Value] = dict(where or {})
        if instrument is not None:
            equal["instrument"] = str(instrument)
        conditions = _frames.matches(equal)
        if start_ns is not None:
            conditions.append(pl.col("ts") >= start_ns)
        if end_ns is not None:
            conditions.append(pl.col("ts") < end_ns)
        if least_interval_ns is not None:
            conditions.append(pl.col("interval_ns") >= least_interval_ns)
        with _in_words(f"read of {table}", self.path):
            files = self._files(table, start_ns, end_ns, equal)
            if not files:
                return pl.DataFrame(schema=schema.columns)
            rows = scan(table, files).filter(*conditions).collect()
        rows = _frames.one_per_key(table, rows).select(*schema.columns)
        return rows if known_by_ns is None else rows.filter(_frames.known_at(table) <= known_by_ns)

    def _files(
        self, table: Table, start_ns: int | None = None, end_ns: int | None = None, equal: Mapping[str, Value] | None = None
    ) -> list[str]:
        """Return the data files of the newest version that may hold rows of a stretch of time."""
        predicate = predicate_of(
            None if start_ns is None else utc_date(start_ns), None if end_ns is None else utc_date(end_ns - 1), equal or {}
        )
        with self._locks[table]:
            delta = self._current(table)
            return [] if delta is None else data_files(delta, self._folder(table), predicate)

    def latest(self, table: Table) -> pl.DataFrame:
        """Return the newest row of every series of a table, sorted by series; of prints the newest of an instrument."""
        with _in_words(f"newest rows of {table}", self.path):
            files = self._statistics(table)
            return pl.DataFrame(schema=SCHEMAS[table].columns) if files is None else _overview.newest(table, files)

    def coverage(self) -> list[Coverage]:
        """Return what is stored, one entry per series, sorted."""
        found: list[Coverage] = []
        for table in Table:
            with _in_words(f"coverage of {table}", self.path):
                files = self._statistics(table)
                found.extend([] if files is None else _overview.extents(table, files))
        return found

    def _statistics(self, table: Table) -> pl.DataFrame | None:
        with self._locks[table]:
            delta = self._current(table)
            return None if delta is None else _overview.statistics(table, delta, self._folder(table))

    def version(self) -> tuple[int, ...]:
        """Return a number per table, -1 for one that is not there: what changes whenever rows are stored."""
        found: list[int] = []
        for table in Table:
            with self._locks[table], _in_words(f"version of {table}", self.path):
                delta = self._current(table)
                found.append(-1 if delta is None else delta.version())
        return tuple(found)

    def maintain(self, *, full: bool = False) -> MaintenanceReport:
        """Make reading quick again; run it about once an hour, in one process only, while others read and append.

        Closed days that lie in several files, and open days that lie in many, are freed of duplicates, sorted and put into
        one file; then a checkpoint is written and expired log entries and files are removed. A file stays for two hours
        after it was replaced, longer than any read takes. A day that others append to all the while is left for next time.

        Parameters
        ----------
        full
            Also remove files that no commit ever named, as a killed writer leaves them; about once a week.
        """
        reports: list[MaintenanceReport] = []
        for table in Table:
            with _in_words(f"maintenance of {table}", self.path):
                if self._exists(table):
                    reports.append(maintain_table(table, self._folder(table), today=utc_date(now_ns()), full=full))
        return MaintenanceReport(
            partitions_rewritten=sum(report.partitions_rewritten for report in reports),
            duplicate_rows_dropped=sum(report.duplicate_rows_dropped for report in reports),
            files_before=sum(report.files_before for report in reports),
            files_after=sum(report.files_after for report in reports),
            files_removed=sum(report.files_removed for report in reports),
        )

    def _exists(self, table: Table) -> bool:
        with self._locks[table]:
            return self._current(table) is not None

    def _folder(self, table: Table) -> Path:
        return self.path / table.value

    def _current(self, table: Table) -> DeltaTable | None:
        """Return the table at its newest version; None if nothing was stored yet. The caller holds the table's lock."""
        log = self._log(table)
        if log is None:
            self._tables.pop(table, None)
            return None
        delta, its_log, opened = self._tables.get(table, (None, None, 0))
        if delta is not None and its_log == log:
            delta.update_incremental()
            if delta.version() - opened < REOPEN:
                return delta
        # Opened too long ago, or a log folder that is not the one we knew: somebody removed the store and began another.
        self._tables.pop(table, None)
        with suppress(TableNotFoundError):
            fresh = DeltaTable(self._folder(table))
            self._tables[table] = fresh, log, fresh.version()
            return fresh
        return None

    def _log(self, table: Table) -> int | None:
        """Return what tells the table's log from any other, None if there is no log yet.

        Asked before a table is opened, because opening one that does not exist may leave a folder behind.
        """
        with suppress(OSError):
            return (self._folder(table) / "_delta_log").stat().st_ino
        return None

    def _create_all(self) -> None:
        """Create every table that does not exist, before anything is written to any of them."""
        for table in Table:
            with self._locks[table]:
                if self._current(table) is None:
                    self._create(table)

    def _create(self, table: Table) -> None:
        fields = [
            Field(name, PrimitiveType(_DELTA_TYPE[type(dtype)]))
            for name, dtype in {**_frames.stored_schema(table), DATE: pl.String()}.items()
        ]
        folder = self._folder(table)
        for attempt in range(OUTER_RETRIES):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                DeltaTable.create(
                    folder,
                    Schema(fields),
                    mode="ignore",
                    partition_by=[DATE],
                    configuration=table_properties(table),
                    name=table.value,
                )
                return
            except (DeltaError, OSError) as error:
                # Two processes may create a table at once: one of them wins, the other one finds it here.
                if self._current(table) is not None:
                    return
                if attempt == OUTER_RETRIES - 1:
                    raise StoreError(
                        f"create {table} in {self.path}: {error}", hint="Look at free space and permissions of the folder."
                    ) from error
                time.sleep(random.uniform(0.0, 0.05))


def _stored(delta: DeltaTable, writer: str, batch: int) -> bool:
    newest = delta.transaction_version(writer)
    return newest is not None and batch <= newest
