"""Which rows a file holds, told by its columns; and its columns, of whatever type, into the house's units."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

import polars as pl

from liqscape.errors import BadArgument

OFF_RANGE = -1  # stands for a number that is no instant of this age, so that the row is refused and not wrapped around
_LARGEST = 2**63 - 1
# A present instant has 10 digits in seconds, 13 in ms, 16 in us and 19 in ns: (below this size, ns per unit).
_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
_OFFSET = r"[+-]\d{2}:?\d{2}$"


class RowKind(StrEnum):
    """What a row of a file is."""

    BARS = "bars"
    LIQUIDATION_TOTALS = "liquidation totals"
    FUNDING = "funding"
    OPEN_INTEREST = "open interest"
    DEPTH = "depth"


_REQUIRED = {
    RowKind.BARS: ("open", "high", "low", "close"),
    RowKind.LIQUIDATION_TOTALS: ("long_usd", "short_usd"),
    RowKind.FUNDING: ("rate",),
    RowKind.OPEN_INTEREST: ("open_interest_base",),
    RowKind.DEPTH: ("distance", "bid_usd", "ask_usd"),
}
_OPTIONAL = {
    RowKind.BARS: ("volume_base", "taker_buy_base", "open_interest_base"),
    RowKind.LIQUIDATION_TOTALS: (),
    RowKind.FUNDING: (),
    RowKind.OPEN_INTEREST: (),
    RowKind.DEPTH: (),
}
KNOWN_COLUMNS = {kind: ("ts", *_REQUIRED[kind], *_OPTIONAL[kind]) for kind in RowKind}
# Columns that tell rows of different instruments apart: more than one value in a file means that rows would be mixed up.
NAMING_COLUMNS = ("instrument", "symbol", "coin", "pair", "exchange", "venue")


def kind_of(columns: Iterable[str]) -> RowKind | None:
    """Tell what a file holds by its column names; None if they are of no kind."""
    found = set(columns)
    if "ts" not in found:
        return None
    for kind, required in _REQUIRED.items():
        if found.issuperset(required):
            return kind
    return None


class Reader:
    """Reads the blocks of one file; what whole-number times mean is settled by the first block and holds for the file.

    Parameters
    ----------
    kind
        What the rows are.
    columns
        Names of the file's columns; those that the kind does not know are ignored.

    Raises
    ------
    BadArgument
        If a column that the kind needs is missing.
    """

    def __init__(self, kind: RowKind, columns: Iterable[str]) -> None:
        found = list(columns)
        missing = [name for name in ("ts", *_REQUIRED[kind]) if name not in found]
        if missing:
            raise BadArgument(
                f"{kind}: no column {', '.join(missing)}; found {', '.join(found)}",
                hint=f"Name the columns {', '.join(KNOWN_COLUMNS[kind])}.",
            )
        self.kind = kind
        self.columns = tuple(name for name in KNOWN_COLUMNS[kind] if name in found)
        self._unit_ns: int | None = None

    def read(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Read one block.

        Parameters
        ----------
        raw
            The columns of `self.columns` as they stand in the file (text, numbers, datetimes) and `line`.

        Returns
        -------
        line, ts (ns UTC; null where it is no time, negative where it is out of range) and every other column as float: null
        where the file gives nothing, NaN where it gives something that is no number.
        """
        numbers = [_number(name, raw.schema[name]) for name in self.columns if name != "ts"]
        return raw.select("line", self._instants(raw.get_column("ts")).alias("ts"), *numbers)

    def _instants(self, ts: pl.Series) -> pl.Series:
        dtype = ts.dtype
        if isinstance(dtype, pl.Datetime):
            # The physical number counts dtype.time_unit since 1970 in UTC, whatever the zone; without a zone UTC is meant.
            return _scaled(ts.to_physical(), {"ns": 1, "us": 1_000, "ms": 1_000_000}[dtype.time_unit])
        if dtype == pl.Date:
            return _scaled(ts.to_physical().cast(pl.Int64), 86_400 * 10**9)
        if dtype.is_float():
            return self._fractions(ts.cast(pl.Float64))
        if dtype.is_integer():
            return _scaled(ts.cast(pl.Int64, strict=False), self._unit(ts.cast(pl.Float64)))
        text = ts.cast(pl.String).str.strip_chars()
        whole = text.cast(pl.Int64, strict=False)
        if whole.null_count() * 2 <= text.len():
            return _scaled(whole, self._unit(whole.cast(pl.Float64)))
        decimal = text.cast(pl.Float64, strict=False)
        return self._fractions(decimal) if decimal.null_count() * 2 <= text.len() else _iso(text)

    def _fractions(self, ts: pl.Series) -> pl.Series:
        unit = self._unit(ts)
        # Whole units and the rest apart: a float of ns in this century is exact to 256 ns only.
        frame = pl.DataFrame({"t": ts.set(~ts.is_finite().fill_null(False), None)})
        fits = pl.col("t").is_between(0, _LARGEST / unit / 2)
        whole = pl.col("t").floor()
        rest = ((pl.col("t") - whole) * unit).round().cast(pl.Int64, strict=False)
        exact = whole.cast(pl.Int64, strict=False) * unit + rest
        out = pl.when(fits).then(exact).when(pl.col("t").is_not_null()).then(pl.lit(OFF_RANGE, pl.Int64))
        return frame.select(out.alias("ts")).to_series()

    def _unit(self, ts: pl.Series) -> int:
        if self._unit_ns is None:
            finite = ts.drop_nulls().drop_nans()
            size = finite.abs().median()
            if not isinstance(size, float):
                return 1  # no number in this block: nothing to scale, and nothing to learn from
            self._unit_ns = next((unit for below, unit in _UNITS if size < below), 1)
        return self._unit_ns


def _scaled(counts: pl.Series, unit_ns: int) -> pl.Series:
    frame = pl.DataFrame({"t": counts})
    fits = pl.col("t").is_between(0, _LARGEST // unit_ns)
    out = pl.when(fits).then(pl.col("t") * unit_ns).when(pl.col("t").is_not_null()).then(pl.lit(OFF_RANGE, pl.Int64))
    return frame.select(out.cast(pl.Int64).alias("ts")).to_series()


def _iso(text: pl.Series) -> pl.Series:
    """Read ISO 8601 text to the microsecond; text without a zone is UTC."""
    plain = pl.col("t").str.replace(r"(\d)[Tt](\d)", "${1} ${2}").str.replace(r"(Z|z|\s*UTC)$", "")
    zoned = plain.str.contains(_OFFSET)
    # A date alone ends like an offset (-01-30 has no colon and no four digits in a row behind a sign), so it is never `zoned`.
    with_zone = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", strict=False).dt.epoch("us")
    forms = [
        plain.str.to_datetime(form, time_unit="us", strict=False).dt.epoch("us")
        for form in ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
    ]
    day = plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.epoch("us")
    frame = pl.DataFrame({"t": text})
    if not frame.select(zoned.any()).item():
        return _scaled(frame.select(pl.coalesce(*forms, day)).to_series(), 1_000)
    return _scaled(frame.select(pl.when(zoned).then(with_zone).otherwise(pl.coalesce(*forms, day))).to_series(), 1_000)


def _number(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.Null:
        return column.cast(pl.Float64)
    if dtype.is_numeric() or dtype == pl.Boolean:
        return column.cast(pl.Float64, strict=False)
    text = column.cast(pl.String, strict=False).str.strip_chars()
    read = text.cast(pl.Float64, strict=False).fill_null(math.nan)
    return pl.when(text.is_null() | (text == "")).then(None).otherwise(read).alias(name)
