"""Columns of text into numbers and instants, shared by the archives' parsers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

OFF_RANGE = -1  # stands for a number that is no instant of this age, so that the row is refused and not wrapped around
_LARGEST = 2**63 - 1


def blank(column: str) -> pl.Expr:
    """True where the source gives nothing."""
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


def number(column: str) -> pl.Expr:
    """Read text into floats: nothing is null, what is no number is NaN."""
    read = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False).fill_null(math.nan)
    return pl.when(blank(column)).then(None).otherwise(read)


def numbers(raw: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """Read many columns as `number` does; `columns` maps new names to old. Clean columns, the usual case, are read once."""
    plain = raw.select(pl.col(old).cast(pl.Float64, strict=False).alias(new) for new, old in columns.items())
    unclear = [new for new, old in columns.items() if plain.get_column(new).null_count() > raw.get_column(old).null_count()]
    return plain.with_columns(raw.select(number(columns[new]).alias(new) for new in unclear)) if unclear else plain


def instant(column: str, unit_ns: int) -> pl.Expr:
    """Read whole numbers of `unit_ns` since 1970 into ns UTC; null where there is none, `OFF_RANGE` where it is too large."""
    whole = pl.col(column).str.strip_chars().cast(pl.Int64, strict=False)
    fits = whole.is_between(0, _LARGEST // unit_ns)
    return pl.when(fits).then(whole * unit_ns).when(whole.is_not_null()).then(pl.lit(OFF_RANGE, pl.Int64))
