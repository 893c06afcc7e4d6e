"""Write stored rows as datasets that the importer reads back: folders with a `dataset.toml` and parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import polars as pl

from liqscape.datasets import MANIFEST
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import Completeness, InstrumentId
from liqscape.store import Coverage, Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.tardis.payloads import EXCHANGES

_UNITS = (
    (NS_PER_DAY, "d"),
    (NS_PER_HOUR, "h"),
    (NS_PER_MINUTE, "m"),
    (NS_PER_S, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
)
_VALUES = {
    Table.BARS: ("open", "high", "low", "close", "volume_base", "taker_buy_base"),
    Table.LIQUIDATION_TOTALS: ("long_usd", "short_usd"),
    Table.FUNDING: ("rate",),
    Table.OPEN_INTEREST: ("open_interest_base",),
    Table.DEPTH: ("distance", "bid_usd", "ask_usd"),
}
_SECTIONS = {
    Table.BARS: "bars",
    Table.LIQUIDATION_TOTALS: "liquidations",
    Table.FUNDING: "funding",
    Table.OPEN_INTEREST: "open_interest",
    Table.DEPTH: "depth",
}


@dataclass(frozen=True)
class ExportedFile:
    """One file: what it holds, and how many rows."""

    path: Path
    table: Table
    instrument: InstrumentId
    rows: int


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Parameters
    ----------
    notes
        What the files cannot carry, in words.
    """

    files: tuple[ExportedFile, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)


@dataclass(frozen=True)
class _Part:
    """One series, ready to be written: its file's name, its rows and its section of the manifest."""

    table: Table
    name: str
    rows: pl.DataFrame
    facts: tuple[str, ...]


def export_datasets(
    workspace: Workspace,
    folder: Path,
    instruments: Sequence[InstrumentId] | None = None,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> ExportReport:
    """Write stored rows with start_ns <= ts < end_ns into a folder.

    One instrument with one series of each kind makes the folder itself a dataset; more make one folder each in it. Single
    forced orders go into a CSV as Tardis writes them.

    Parameters
    ----------
    folder
        A new or empty folder.
    instruments
        Default: all that are stored.

    Raises
    ------
    BadArgument
        If the folder holds something already.
    NoData
        If no row is stored in the stretch asked for.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadArgument(f"export: {folder} is not an empty folder", hint="Name a new folder, so that nothing is overwritten.")
    coverage = workspace.store.coverage()
    wanted = sorted({c.instrument for c in coverage}) if instruments is None else list(instruments)
    sheets: list[tuple[InstrumentId, list[_Part]]] = []
    prints: list[tuple[InstrumentId, pl.DataFrame]] = []
    recorded = False
    for instrument in wanted:
        series = [c for c in coverage if c.instrument == instrument]
        found, live = _parts(workspace, series, start_ns, end_ns)
        recorded |= live
        columns = [[part for part in found if part.table is table] for table in _SECTIONS]
        sheets += [(instrument, [part for part in row if part is not None]) for row in zip_longest(*columns)]
        rows = workspace.store.read(Table.LIQUIDATIONS, instrument, start_ns=start_ns, end_ns=end_ns)
        prints += [(instrument, rows)] if rows.height else []
    if not sheets and not prints:
        raise NoData("export: no row is stored in the stretch asked for", hint="`liqscape doctor` shows what is stored.")
    files, notes = _write_sheets(workspace, folder, sheets, alone=not prints), list[str]()
    for instrument, rows in prints:
        written = _write_prints(folder / "prints", instrument, rows)
        files += [written] if written is not None else []
        notes += [] if written is not None else [f"{instrument}: single forced orders have no file form for this venue, left out"]
    if any(c.table is Table.POSITIONS and c.instrument in wanted for c in coverage):
        notes.append("positions of followed accounts have no file form, left out")
    if recorded:
        notes.append("rows that were recorded live come back as imported rows, which count as not recorded")
    return ExportReport(tuple(files), tuple(notes))


def _parts(
    workspace: Workspace, series: Sequence[Coverage], start_ns: int | None, end_ns: int | None
) -> tuple[list[_Part], bool]:
    """Read every series of one instrument; longest first within a table, so that the main dataset has the main series."""
    parts: list[_Part] = []
    recorded = False
    for one in sorted(series, key=lambda c: -c.rows):
        if one.table not in _SECTIONS:
            continue
        where: dict[str, str | int] = {}
        if one.price_kind is not None:
            where["price_kind"] = one.price_kind
        if one.table in (Table.BARS, Table.LIQUIDATION_TOTALS) and one.interval_ns is not None:
            where["interval_ns"] = one.interval_ns
        if one.venues is not None:
            where["venues"] = one.venues
        rows = workspace.store.read(one.table, one.instrument, start_ns=start_ns, end_ns=end_ns, where=where)
        recorded |= rows.height > 0 and rows.get_column("ts_recv").null_count() < rows.height
        parts += _split(one, rows)
    return parts, recorded


def _split(one: Coverage, rows: pl.DataFrame) -> list[_Part]:
    """Cut a series where what the manifest says of a whole file changes: interval of funding, completeness of totals."""
    by = {Table.FUNDING: "interval_ns", Table.LIQUIDATION_TOTALS: "completeness"}.get(one.table)
    groups = rows.partition_by(by, maintain_order=True) if by is not None else [rows]
    return [_part(one, group) for group in groups if group.height]


def _part(one: Coverage, rows: pl.DataFrame) -> _Part:
    interval = None if one.table in (Table.OPEN_INTEREST, Table.DEPTH) else _interval(int(rows.item(0, "interval_ns")))
    facts = [] if interval is None else [f'interval = "{interval}"']
    name = _SECTIONS[one.table]
    if one.table is Table.BARS:
        facts += [f'price_kind = "{one.price_kind}"']
        name = f"bars_{interval}"
    if one.table is Table.LIQUIDATION_TOTALS:
        venues = [part.strip() for part in (one.venues or "").split(",") if part.strip()]
        facts += [f"venues = [{', '.join(f'{chr(34)}{venue}{chr(34)}' for venue in venues)}]"] if venues else []
        complete = {Completeness.ALL.value: "true", Completeness.THROTTLED.value: "false"}.get(rows.item(0, "completeness"))
        facts += [f"complete = {complete}"] if complete is not None else []
        name = f"liquidations_{interval}"
    table = rows.select(pl.col("ts").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"), *_VALUES[one.table])
    return _Part(one.table, f"{name}.parquet", table, tuple(facts))


def _write_sheets(
    workspace: Workspace, folder: Path, sheets: Sequence[tuple[InstrumentId, list[_Part]]], *, alone: bool
) -> list[ExportedFile]:
    files: list[ExportedFile] = []
    used: dict[str, int] = {}
    for instrument, parts in sheets:
        plain = f"{instrument.venue}_{instrument.symbol.replace('/', '-').replace(':', '-')}"
        used[plain] = used.get(plain, 0) + 1
        target = folder if alone and len(sheets) == 1 else folder / (plain if used[plain] == 1 else f"{plain}_{used[plain]}")
        target.mkdir(parents=True)
        lines = [f'instrument = "{instrument}"', *(["simulated = true"] if workspace.is_simulated(instrument) else [])]
        for part in parts:
            part.rows.write_parquet(target / part.name)
            lines += ["", f"[{_SECTIONS[part.table]}]", f'file = "{part.name}"', *part.facts]
            files.append(ExportedFile(target / part.name, part.table, instrument, part.rows.height))
        # The manifest is written last: a folder without one is not a dataset, so a half-written one is never imported.
        (target / MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return files


def _write_prints(folder: Path, instrument: InstrumentId, rows: pl.DataFrame) -> ExportedFile | None:
    """Write single forced orders as a Tardis `liquidations` file; None if Tardis has no name for the venue's amounts."""
    names = [name for name, known in EXCHANGES.items() if known.venue == instrument.venue and known.base_amounts]
    if not names:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    side = pl.when(pl.col("position_side") == "short").then(pl.lit("buy")).otherwise(pl.lit("sell"))
    table = rows.select(
        pl.lit(names[0]).alias("exchange"),
        pl.lit(instrument.symbol).alias("symbol"),
        (pl.col("ts") // 1_000).alias("timestamp"),
        (pl.col("ts") // 1_000).alias("local_timestamp"),
        # Prints that are equal in all else stay apart by their number, and a venue that names no prints gives none.
        pl.format("{}-{}", "ts", pl.int_range(pl.len())).alias("id"),
        side.alias("side"),
        "price",
        pl.col("quantity_base").alias("amount"),
    )
    path = folder / f"{names[0]}_liquidations_{instrument.symbol.replace('/', '-').replace(':', '-')}.csv"
    table.write_csv(path)
    return ExportedFile(path, Table.LIQUIDATIONS, instrument, rows.height)


def _interval(ns: int) -> str:
    """Write a length of time in its largest whole unit: `5m`, `1h`, `8h`."""
    return next(f"{ns // unit}{name}" for unit, name in _UNITS if ns % unit == 0)
