"""Rows against the store and against each other: what is new is appended, what is known is not, what contradicts is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from liqscape.clock import now_ns
from liqscape.model import InstrumentId
from liqscape.store import SCHEMAS, Store, Table

# Columns whose numbers must agree when two rows have the same key; the other columns describe where a row came from.
_VALUES = {
    Table.BARS: ("open", "high", "low", "close", "volume_base", "taker_buy_base"),
    Table.OPEN_INTEREST: ("open_interest_base",),
    Table.LIQUIDATIONS: (),
    Table.LIQUIDATION_TOTALS: ("long_usd", "short_usd"),
    Table.FUNDING: ("rate", "interval_ns"),
    Table.DEPTH: ("bid_usd", "ask_usd"),
    Table.RATIOS: ("long_share",),
    Table.GAPS: ("end_ts",),
}
# Numbers that went through text or another sum agree to this fraction.
_AGREE = 1e-9
CHUNK_ROWS = 250_000
_STORED = -1  # file number of rows that are in the store


@dataclass(frozen=True)
class Settled:
    """What became of the rows of one table.

    Parameters
    ----------
    new
        Columns of the table, `file` and `line`; sorted by key.
    known : rows per file that say nothing new
    filled : known rows that give a number where the first one gives none
    contradicting
        file, line, ts, field, value, first (what the first row says), first_file, first_line (-1: the store).
    """

    new: pl.DataFrame
    known: dict[int, int]
    filled: int
    contradicting: pl.DataFrame


@dataclass
class Writer:
    """Appends in batches under a name of its own, so that no other import can take its numbers."""

    store: Store
    name: str = field(default_factory=lambda: f"import-{now_ns()}-{os.getpid()}")
    _batch: int = 0

    def append(self, table: Table, rows: pl.DataFrame) -> None:
        """Append rows as returned in `Settled.new`."""
        if rows.height:
            self._batch += 1
            self.store.append(table, rows.drop("file", "line"), writer=self.name, batch=self._batch)


def months(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut rows into whole calendar months of one instrument, joined while they are few, in order of time."""
    for instrument_rows in frame.sort("instrument", "ts", maintain_order=True).partition_by("instrument", maintain_order=True):
        month = pl.from_epoch("ts", time_unit="ns").dt.strftime("%Y-%m")
        waiting: list[pl.DataFrame] = []
        for part in instrument_rows.with_columns(month.alias("month")).partition_by(
            "month", maintain_order=True, include_key=False
        ):
            if waiting and sum(w.height for w in waiting) + part.height > CHUNK_ROWS:
                yield pl.concat(waiting)
                waiting = []
            waiting.append(part)
        if waiting:
            yield pl.concat(waiting)


def settle(store: Store, table: Table, rows: pl.DataFrame) -> Settled:
    """Compare rows of one instrument with the store and with each other.

    Parameters
    ----------
    rows
        Columns of the table, `file` (number of the file) and `line`. Of two rows of one key the one in the store, then the
        one of the earlier file and line, comes first.
    """
    columns = list(SCHEMAS[table].columns)
    key = [name for name in SCHEMAS[table].key if name not in ("instrument",)]
    low, high = int(rows.select(pl.col("ts").min()).item()), int(rows.select(pl.col("ts").max()).item())
    instrument = InstrumentId.parse(str(rows.item(0, "instrument")))
    stored = store.read(table, instrument, start_ns=low, end_ns=high + 1).select(columns)
    place = {"file": pl.Int64, "line": pl.Int64}
    stored = stored.with_columns(pl.lit(_STORED, dtype).alias(name) for name, dtype in place.items())
    frame = pl.concat([stored, rows.select(*columns, *place)]).sort(*key, "file", "line", maintain_order=True)
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in key).fill_null(False)
    frame = frame.with_columns((~same).cum_sum().alias("run"))
    heads = frame.filter(~same).drop(key)
    new = frame.filter(~same & (pl.col("file") != _STORED)).select(*columns, *place)
    tails = frame.filter(same & (pl.col("file") != _STORED))
    if tails.height == 0:
        return Settled(new, {}, 0, _contradictions(tails, table))
    joined = tails.join(heads, on="run", how="left", suffix="_first")
    values = _VALUES[table]
    differs = pl.any_horizontal([_differs(name) for name in values]) if values else pl.lit(False)
    fills = pl.any_horizontal([pl.col(f"{n}_first").is_null() & pl.col(n).is_not_null() for n in values] or [pl.lit(False)])
    judged = joined.with_columns(differs.fill_null(False).alias("differs"), fills.fill_null(False).alias("fills"))
    known = judged.filter(~pl.col("differs"))
    counts = {int(file): int(count) for file, count in known.group_by("file").len().iter_rows()}
    wrong = judged.filter("differs")
    return Settled(new, counts, int(known.get_column("fills").sum()), _contradictions(wrong, table))


def _differs(name: str) -> pl.Expr:
    here, first = pl.col(name), pl.col(f"{name}_first")
    return ((here - first).abs() > _AGREE * pl.max_horizontal(here.abs(), first.abs())).fill_null(False)


def _contradictions(wrong: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Name of every contradicting row the first column that differs, and both values."""
    schema: dict[str, type[pl.DataType]] = {
        "file": pl.Int64,
        "line": pl.Int64,
        "ts": pl.Int64,
        "field": pl.String,
        "value": pl.Float64,
        "first": pl.Float64,
        "first_file": pl.Int64,
        "first_line": pl.Int64,
    }
    if wrong.height == 0:
        return pl.DataFrame(schema=schema)
    named, value, first = pl.when(False).then(None), pl.when(False).then(None), pl.when(False).then(None)
    for name in _VALUES[table]:
        named = named.when(_differs(name)).then(pl.lit(name))
        value = value.when(_differs(name)).then(pl.col(name).cast(pl.Float64))
        first = first.when(_differs(name)).then(pl.col(f"{name}_first").cast(pl.Float64))
    return wrong.select(
        "file",
        "line",
        "ts",
        named.otherwise(None).alias("field"),
        value.otherwise(None).alias("value"),
        first.otherwise(None).alias("first"),
        pl.col("file_first").alias("first_file"),
        pl.col("line_first").alias("first_line"),
    ).select(pl.col(name).cast(dtype) for name, dtype in schema.items())
