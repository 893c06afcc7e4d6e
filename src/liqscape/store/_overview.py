"""What a table holds: extent and newest row of every series, with as little reading as possible."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from liqscape.model import InstrumentId
from liqscape.store import _frames
from liqscape.store._files import SERIES, scan
from liqscape.store._frames import DATE
from liqscape.store.base import Coverage
from liqscape.store.schema import SCHEMAS, Table

# File statistics may hold a text cut short; a shorter one is whole.
_WHOLE_TEXT = 32


def extents(table: Table, files: pl.DataFrame) -> list[Coverage]:
    """Return what is stored of every series, sorted; a row that is stored twice is counted once.

    The statistics of a file that holds one series, and shares no time with another file of it, already say what is asked;
    only the others are read.
    """
    series = SERIES[table]
    alone = pl.all_horizontal(
        pl.col(f"min.{name}") == pl.col(f"max.{name}")
        if name == "interval_ns"
        else (pl.col(f"min.{name}") == pl.col(f"max.{name}")) & (pl.col(f"min.{name}").str.len_bytes() < _WHOLE_TEXT)
        for name in series
    )
    files = files.with_columns(alone.fill_null(value=False).alias("alone")).sort(*(f"min.{n}" for n in series), "min.ts")
    # Rows of one key lie in one day, so that only files of one day can hold the same row twice.
    same_day = pl.col(DATE), *(pl.col(f"min.{name}") for name in series)
    files = files.with_columns(
        (pl.col("alone") & ~(pl.col("min.ts") <= pl.col("max.ts").cum_max().shift(1).over(same_day)).fill_null(value=False))
        .all()
        .over(DATE)
        .alias("told")
    )
    told = files.filter("told").select(
        *(pl.col(f"min.{name}").alias(name) for name in series),
        pl.col("num_records").cast(pl.Int64()).alias("rows"),
        pl.col("min.ts").alias("first_ns"),
        pl.col("max.ts").alias("last_ns"),
    )
    parts = [told]
    key = SCHEMAS[table].key
    # No file holds a row twice, so that a day of one file needs no look for duplicates.
    lone = pl.len().over(DATE) == 1
    for paths, repeats in ((files.filter(~pl.col("told") & lone), False), (files.filter(~pl.col("told") & ~lone), True)):
        if paths.is_empty():
            continue
        rows = scan(table, paths.get_column("path").to_list())
        rows = rows.select(key).unique() if repeats else rows.select(*series, "ts")
        extent = (
            pl.len().cast(pl.Int64()).alias("rows"),
            pl.col("ts").min().alias("first_ns"),
            pl.col("ts").max().alias("last_ns"),
        )
        parts.append(rows.group_by(series).agg(extent).collect())
    joined = pl.concat(parts).group_by(series)
    total = joined.agg(pl.col("rows").sum(), pl.col("first_ns").min(), pl.col("last_ns").max()).sort(*series)
    return [
        Coverage(
            table=table,
            instrument=InstrumentId.parse(row["instrument"]),
            price_kind=row.get("price_kind"),
            interval_ns=row.get("interval_ns"),
            venues=row.get("venues"),
            rows=row["rows"],
            first_ns=row["first_ns"],
            last_ns=row["last_ns"],
        )
        for row in total.iter_rows(named=True)
    ]


def newest(table: Table, files: pl.DataFrame) -> pl.DataFrame:
    """Return the newest row of every series, sorted by series.

    Days are read from the newest backwards, more at a time as there is less to find.
    """
    series, schema = SERIES[table], SCHEMAS[table]
    by_day = files.group_by(DATE).agg("path").sort(DATE, descending=True)
    found = pl.DataFrame(schema={**_frames.stored_schema(table)})
    first, count = 0, 1
    while first < by_day.height:
        chosen = [path for paths in by_day.get_column("path")[first : first + count] for path in paths]
        rows = scan(table, chosen).join(found.lazy().select(series), on=series, how="anti")
        last = rows.filter(pl.col("ts") == pl.col("ts").max().over(series)).collect()
        last = _frames.one_per_key(table, last).unique(subset=series, keep="last", maintain_order=True)
        found = pl.concat([found, last])
        first, count = first + count, count * 2
    return found.select(*schema.columns).sort(*series)


def statistics(table: Table, delta: DeltaTable, folder: Path) -> pl.DataFrame:
    """Return one row per data file: path, date, num_records and least and greatest value of the series columns and ts."""
    actions = pl.DataFrame(delta.get_add_actions(flatten=True))
    columns = SCHEMAS[table].columns
    bounds = [(bound, name) for name in (*SERIES[table], "ts") for bound in ("min", "max")]
    # A column of statistics is absent when no file has one.
    return actions.select(
        pl.format("{}/{}", pl.lit(str(folder)), "path").alias("path"),
        pl.col(f"partition.{DATE}").alias(DATE),
        pl.col("num_records").cast(pl.Int64()),
        *(
            pl.col(f"{bound}.{name}")
            if f"{bound}.{name}" in actions.columns
            else pl.lit(None, columns[name]).alias(f"{bound}.{name}")
            for bound, name in bounds
        ),
    )
