"""Data files of a table: how they are written, where they lie, how they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from deltalake import ColumnProperties, DeltaTable, WriterProperties

from liqscape.store import _frames
from liqscape.store._frames import DATE, Value
from liqscape.store.schema import SCHEMAS, Table

ROW_GROUP = 16_384  # of sorted rows: one instrument of a thousand is read without touching the others
COMMIT_RETRIES = 200  # deltalake's own 15 lose commits of three busy writers

# What names a series; a print belongs to its instrument's one series whatever its side and price.
SERIES: dict[Table, tuple[str, ...]] = {
    Table.BARS: ("instrument", "price_kind", "interval_ns"),
    Table.OPEN_INTEREST: ("instrument",),
    Table.LIQUIDATIONS: ("instrument",),
    Table.LIQUIDATION_TOTALS: ("instrument", "interval_ns", "venues"),
    Table.FUNDING: ("instrument",),
    Table.DEPTH: ("instrument",),
    Table.RATIOS: ("instrument", "population"),
    Table.GAPS: ("instrument", "kind"),
    Table.POSITIONS: ("instrument",),
}


def _writer(table: Table) -> WriterProperties:
    # Prices hardly repeat, so a dictionary of them costs a third more time and space; nobody looks for rows by price.
    number = ColumnProperties(dictionary_enabled=False, encoding="BYTE_STREAM_SPLIT", statistics_enabled="NONE")
    time = ColumnProperties(dictionary_enabled=False, encoding="DELTA_BINARY_PACKED", statistics_enabled="CHUNK")
    columns = SCHEMAS[table].columns
    properties = {name: number for name, dtype in columns.items() if dtype == pl.Float64()} | {"ts": time}
    return WriterProperties(max_row_group_size=ROW_GROUP, compression="ZSTD", compression_level=1, column_properties=properties)


WRITERS = {table: _writer(table) for table in Table}


def table_properties(table: Table) -> dict[str, str]:
    """Return the Delta properties of a table: how long old versions stay, and which statistics the log carries."""
    return {
        "delta.logRetentionDuration": "interval 1 day",
        "delta.deletedFileRetentionDuration": "interval 2 hours",
        "delta.checkpointInterval": "50",
        "delta.dataSkippingStatsColumns": ",".join((*SERIES[table], "ts")),
    }


def data_files(delta: DeltaTable, folder: Path, predicate: Sequence[tuple[str, str, object]] = ()) -> list[str]:
    """Return the paths of the data files of the loaded version that may match, in order of days.

    deltalake writes the folder of a table as in an address (a blank is %20): only day and name are taken from it.
    """
    uris = delta.file_uris(file_pruning_predicate=list(predicate) or None)
    return sorted(os.path.join(folder, *uri.rsplit("/", 2)[1:]) for uri in uris)


def scan(table: Table, files: list[str]) -> pl.LazyFrame:
    """Return the rows of data files, not read yet."""
    return pl.scan_parquet(files, schema=_frames.stored_schema(table), hive_partitioning=False, glob=False)


def predicate_of(start_date: str | None, end_date: str | None, equal: Mapping[str, Value]) -> list[tuple[str, str, object]]:
    """Return deltalake's form of: days from start to end, both included, and columns that equal a value."""
    predicate: list[tuple[str, str, object]] = [(name, "=", value) for name, value in equal.items()]
    if start_date is not None:
        predicate.append((DATE, ">=", start_date))
    if end_date is not None:
        predicate.append((DATE, "<=", end_date))
    return predicate


def flush_to_disk() -> None:
    """Ask the system to put everything on disk: Delta itself never does, and a power cut is worse than a kill."""
    sync = getattr(os, "sync", None)  # Windows has none
    if sync is not None:
        sync()
