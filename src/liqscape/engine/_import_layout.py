"""What the importer knows of a file: how its rows are read, judged and turned into rows of the store's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from liqscape.engine._import_files import RawTable
from liqscape.engine._import_rules import Law
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId, PriceKind
from liqscape.store import SCHEMAS, Table


@dataclass(frozen=True)
class Options:
    """What the caller says about files that do not say it themselves."""

    instrument: InstrumentId | None = None
    price_kind: PriceKind | None = None


@dataclass
class Facts:
    """What is known of a file's rows as a whole; filled in while it is read."""

    instrument: InstrumentId | None = None
    interval_ns: int | None = None
    price_kind: PriceKind | None = None
    warnings: list[str] = field(default_factory=list[str])


Finish = Callable[[pl.DataFrame, Facts], dict[Table, pl.DataFrame]]


@dataclass(frozen=True)
class Layout:
    """How to read one file.

    Parameters
    ----------
    kind
        For people: `bars`, `binance klines`.
    columns, used
        All columns in order; those that are read.
    parse
        One raw block into the house's units.
    finish
        All believed rows into rows of tables (with `line`).
    wire
        The file's own name of each column.
    ascending
        True if the file promises rows in order of time, so that a step back is a fault; archives are sorted instead.
    needs_interval
        True if rows have an interval, which is the usual step between them where nothing says it.
    gridded
        True if a row describes an interval, so that it must begin on the grid of the others.
    """

    kind: str
    main: Table
    columns: tuple[str, ...]
    used: tuple[str, ...]
    parse: Callable[[pl.DataFrame], pl.DataFrame]
    finish: Finish
    laws: Sequence[Law]
    wire: dict[str, str]
    facts: Facts
    ascending: bool
    needs_interval: bool
    gridded: bool


def table_rows(frame: pl.DataFrame, table: Table, source: str, **columns: pl.Expr) -> pl.DataFrame:
    """Select the columns of a table in order, null where nothing is given, and `line`."""
    given = {"source": pl.lit(source), **columns}
    selected = [
        (given[name] if name in given else pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in SCHEMAS[table].columns.items()
    ]
    return frame.select(*selected, "line")


def warn_unknown(columns: Sequence[str], known: Sequence[str], kind: str, facts: Facts) -> None:
    unknown = [name for name in columns if name not in known]
    if unknown:
        facts.warnings.append(f"{kind}: columns {', '.join(unknown)} are not known and were ignored")


def agree(raw: RawTable, instrument: InstrumentId, options: Options) -> None:
    if options.instrument is not None and options.instrument != instrument:
        raise BadArgument(
            f"{raw.name}: the file is of {instrument}, --instrument says {options.instrument}",
            hint="Leave --instrument out for files that say what they are.",
        )


def finish_bars(source: str) -> Finish:
    def finish(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        interval, kind = pl.lit(facts.interval_ns), pl.lit(None if facts.price_kind is None else facts.price_kind.value)
        tables = {Table.BARS: table_rows(frame, Table.BARS, source, interval_ns=interval, price_kind=kind)}
        if "open_interest_base" in frame.columns:
            # A bar's open interest stands at its end; where the file gives none, there is no stamp.
            known = frame.filter(pl.col("open_interest_base").is_not_null())
            tables[Table.OPEN_INTEREST] = table_rows(known, Table.OPEN_INTEREST, source, ts=pl.col("ts") + interval)
        return tables

    return finish


def finish_open_interest(source: str) -> Finish:
    def finish(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        del facts
        known = frame.filter(pl.col("open_interest_base").is_not_null())
        return {Table.OPEN_INTEREST: table_rows(known, Table.OPEN_INTEREST, source)}

    return finish
