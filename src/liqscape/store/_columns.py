"""Between frames and arrays: columns as numpy arrays, and which of several series to read."""

from __future__ import annotations

import polars as pl

from liqscape.model.arrays import FloatArray, IntArray

# Histories that differ by less than this count as equally long: a missing bar must not change the interval that is read.
_SAME_LENGTH = 0.02


def longest(rows: pl.DataFrame, series: tuple[str, ...]) -> pl.DataFrame:
    """Return the series (with their number of rows) whose history is about as long as the longest, finest first."""
    lengths = rows.group_by(series).len("rows").with_columns((pl.col("rows") * pl.col("interval_ns")).alias("length"))
    return lengths.filter(pl.col("length") >= (1.0 - _SAME_LENGTH) * pl.col("length").max()).sort("interval_ns")


def ints(rows: pl.DataFrame, name: str) -> IntArray:
    return rows.get_column(name).to_numpy(writable=True)


def floats(rows: pl.DataFrame, name: str) -> FloatArray:
    """Return a column as float64; null becomes NaN."""
    return rows.get_column(name).to_numpy(writable=True)
