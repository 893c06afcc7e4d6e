"""Frames at the store's door: checked against the schema, made storable, and back: one row per key, known in time."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from liqscape.errors import StoreError
from liqscape.store.schema import SCHEMAS, Table

# When a row was stored, ns UTC: decides which of two rows of one key came first, whatever files they lie in later.
STORED = "_stored_ns"
DATE = "date"

Value = str | int


def stored_schema(table: Table) -> dict[str, pl.DataType]:
    """Return the columns of a data file: the table's own and the instant of storing (the day is in the path)."""
    return {**SCHEMAS[table].columns, STORED: pl.Int64()}


def check(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with all columns of the table in order; columns that may be null are added where they are missing.

    Raises
    ------
    StoreError
        If a column is unknown, missing, of another type, or null where it may not be.
    """
    schema = SCHEMAS[table]
    hint = f"Columns of {table}: {', '.join(f'{name} {dtype}' for name, dtype in schema.columns.items())}."
    unknown = [name for name in frame.columns if name not in schema.columns]
    if unknown:
        raise StoreError(f"append to {table}: unknown columns {', '.join(unknown)}", hint=hint)
    columns: list[pl.Expr] = []
    for name, dtype in schema.columns.items():
        required = name in schema.required
        found = frame.schema.get(name)
        if found is None or found == pl.Null():
            if required and (found is None or frame.height):
                problem = "is missing" if found is None else "holds nothing but null"
                raise StoreError(f"append to {table}: column {name} {problem}", hint=hint)
            columns.append(pl.lit(None, dtype=dtype).alias(name))
            continue
        if found != dtype:
            raise StoreError(f"append to {table}: column {name}: expected {dtype}, received {found}", hint=hint)
        if required and (nulls := frame.get_column(name).null_count()):
            raise StoreError(f"append to {table}: column {name}: {nulls} of {frame.height} rows are null", hint=hint)
        columns.append(pl.col(name))
    return frame.select(columns)


def storable(table: Table, frame: pl.DataFrame, stored_ns: int) -> pl.DataFrame:
    """Add instant of storing and day to a checked frame, sort it by (instrument, ts) and keep one row per key."""
    stamped = frame.with_columns(pl.lit(stored_ns, dtype=pl.Int64()).alias(STORED))
    return with_date(one_per_key(table, stamped, file_order(table)))


def with_date(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the UTC day of each row."""
    return frame.with_columns(pl.from_epoch("ts", time_unit="ns").dt.strftime("%Y-%m-%d").alias(DATE))


def file_order(table: Table) -> tuple[str, ...]:
    """Return the columns of the key as data files are sorted: instrument and time first."""
    return ("instrument", "ts", *(name for name in SCHEMAS[table].key if name not in ("instrument", "ts")))


def one_per_key(table: Table, frame: pl.DataFrame, order: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Sort by `order` (default: the key) and keep of every key the row that was stored first."""
    key = SCHEMAS[table].key
    if frame.height < 2:
        return frame
    # Mostly one series is read, already in time order: columns with one value need no comparison, sorted rows no sort.
    varying = [name for name in key if not frame.select((pl.col(name) == pl.col(name).first()).all()).item()]
    if not varying:
        return frame.sort(STORED, maintain_order=True).head(1)
    by = [name for name in order or key if name in varying]
    ordered = frame if len(by) == 1 and frame.get_column(by[0]).is_sorted() else frame.sort(*by, maintain_order=True)
    # Equal keys are neighbours now. Of the first row shift knows no neighbour: null, which any() passes over.
    repeated = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in varying)
    if not ordered.select(repeated.any()).item():
        return ordered
    return frame.sort(*by, STORED, maintain_order=True).unique(subset=varying, keep="first", maintain_order=True)


def known_at(table: Table) -> pl.Expr:
    """ns UTC from which on a row may be used: `ts_recv` if it was recorded, else the end of its interval."""
    end = pl.col("ts") + pl.col("interval_ns") if SCHEMAS[table].has_interval else pl.col("ts")
    return pl.coalesce(pl.col("ts_recv"), end)


def matches(where: Mapping[str, Value]) -> list[pl.Expr]:
    """Return one condition for every column that must equal a value."""
    return [pl.col(name) == value for name, value in where.items()]
