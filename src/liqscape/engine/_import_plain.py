"""Plain parquet and CSV of the house's columns: how their rows become rows of the store's tables."""

from __future__ import annotations

import polars as pl

from liqscape.datasets import KNOWN_COLUMNS, NAMING_COLUMNS, Entry, Manifest, Reader, RowKind, kind_of
from liqscape.engine._import_files import RawTable
from liqscape.engine._import_layout import (
    Facts,
    Finish,
    Layout,
    Options,
    agree,
    finish_bars,
    finish_open_interest,
    table_rows,
    warn_unknown,
)
from liqscape.engine._import_rules import bar_laws, depth_laws, not_negative, rate_laws
from liqscape.errors import BadArgument
from liqscape.model import Completeness, InstrumentId, PriceKind
from liqscape.store import Table


def plain_layout(raw: RawTable, options: Options, manifest: Manifest | None, entry: Entry | None) -> Layout:
    """Say how a plain file is read: by its entry in a manifest, else by its columns.

    Raises
    ------
    BadArgument
        If the columns are of no kind, or nothing says which instrument they describe.
    """
    columns, kind = _kind(raw, entry)
    instrument = manifest.instrument if manifest is not None else options.instrument
    if instrument is None:
        raise BadArgument(f"{raw.name}: nothing says which instrument this is", hint="Add --instrument binance:BTCUSDT.")
    agree(raw, instrument, options)
    reader = Reader(kind, columns)
    naming = tuple(name for name in NAMING_COLUMNS if name in columns)
    facts = Facts(instrument=instrument, interval_ns=entry.interval_ns if entry is not None else None)
    if kind is RowKind.BARS:
        facts.price_kind = options.price_kind or (entry.price_kind if entry is not None else PriceKind.LAST)
        if entry is None and options.price_kind is None:
            facts.warnings.append("bars: nothing says what the prices are; they were taken as last-trade prices, not mark")
    warn_unknown(columns, (*KNOWN_COLUMNS[kind], *naming), str(kind), facts)
    identity, one = pl.lit(str(instrument)).alias("instrument"), _OneInstrument(raw.name, instrument, naming)

    def parse(rows: pl.DataFrame) -> pl.DataFrame:
        one.check(rows)
        return reader.read(rows).with_columns(identity)

    source = raw.path.name
    laws, main, finish = {
        RowKind.BARS: (bar_laws(reader.columns), Table.BARS, finish_bars(source)),
        RowKind.LIQUIDATION_TOTALS: (
            [*not_negative("long_usd"), *not_negative("short_usd")],
            Table.LIQUIDATION_TOTALS,
            _finish_totals(source, instrument, entry),
        ),
        RowKind.FUNDING: (rate_laws("rate"), Table.FUNDING, _finish_funding(source)),
        RowKind.OPEN_INTEREST: (
            not_negative("open_interest_base", nullable=True),
            Table.OPEN_INTEREST,
            finish_open_interest(source),
        ),
        RowKind.DEPTH: (depth_laws(), Table.DEPTH, _finish_depth(source)),
    }[kind]
    return Layout(
        kind=str(kind),
        main=main,
        columns=columns,
        used=(*reader.columns, *naming),
        parse=parse,
        finish=finish,
        laws=laws,
        wire={name: name for name in reader.columns},
        facts=facts,
        ascending=True,
        needs_interval=kind not in (RowKind.OPEN_INTEREST, RowKind.DEPTH),
        gridded=kind in (RowKind.BARS, RowKind.LIQUIDATION_TOTALS),
    )


def _kind(raw: RawTable, entry: Entry | None) -> tuple[tuple[str, ...], RowKind]:
    if raw.columns is None:
        raise BadArgument(
            f"{raw.name}: the file has no header row and its name is no name of a Binance archive",
            hint="Name the columns, or keep the archive's name as in BTCUSDT-5m-2024-03.zip.",
        )
    kind = entry.kind if entry is not None else kind_of(raw.columns)
    if kind is None:
        raise BadArgument(
            f"{raw.name}: columns not recognised: {', '.join(raw.columns)}",
            hint="Known: " + "; ".join(f"{k}: {', '.join(c)}" for k, c in KNOWN_COLUMNS.items()) + ".",
        )
    return raw.columns, kind


class _OneInstrument:
    """Refuses a file whose rows are of several instruments: they would be stored as one."""

    def __init__(self, file: str, instrument: InstrumentId, naming: tuple[str, ...]) -> None:
        self._file, self._instrument = file, str(instrument)
        self._met: dict[str, set[str]] = {name: set() for name in naming}

    def check(self, rows: pl.DataFrame) -> None:
        """Look at the naming columns of one block."""
        for name, met in self._met.items():
            met |= set(rows.get_column(name).cast(pl.String).unique().drop_nulls().to_list())
            if len(met) > 1:
                raise BadArgument(
                    f"{self._file}: column {name} holds {', '.join(sorted(met)[:4])}: a file is of one instrument",
                    hint="Split the file by that column and import each part with its --instrument.",
                )
        other = self._met.get("instrument", set[str]()) - {self._instrument}
        if other and ":" in (found := next(iter(other))):
            raise BadArgument(
                f"{self._file}: column instrument says {found}, expected {self._instrument}", hint=f"Add --instrument {found}."
            )


def _finish_totals(source: str, instrument: InstrumentId, entry: Entry | None) -> Finish:
    venues = ",".join(entry.venues) if entry is not None and entry.venues else instrument.venue
    completeness = entry.completeness if entry is not None else Completeness.UNKNOWN

    def finish(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        table = Table.LIQUIDATION_TOTALS
        named = {"venues": pl.lit(venues), "completeness": pl.lit(completeness.value)}
        return {table: table_rows(frame, table, source, interval_ns=pl.lit(facts.interval_ns), **named)}

    return finish


def _finish_funding(source: str) -> Finish:
    def finish(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        return {Table.FUNDING: table_rows(frame, Table.FUNDING, source, interval_ns=pl.lit(facts.interval_ns))}

    return finish


def _finish_depth(source: str) -> Finish:
    def finish(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        del facts
        return {Table.DEPTH: table_rows(frame, Table.DEPTH, source)}

    return finish
