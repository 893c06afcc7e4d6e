"""Binance bulk archives and Tardis CSV: how their rows become rows of the store's tables."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from liqscape.engine._import_files import RawTable
from liqscape.engine._import_layout import (
    Facts,
    Layout,
    Options,
    agree,
    finish_bars,
    finish_open_interest,
    table_rows,
    warn_unknown,
)
from liqscape.engine._import_rules import bar_laws, not_negative, positive, rate_laws
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId, PriceKind
from liqscape.store import SCHEMAS, Table
from liqscape.units import NS_PER_MINUTE
from liqscape.venues import binance, tardis


def binance_layout(raw: RawTable, options: Options, name: binance.ArchiveName | None) -> Layout:
    """Say how a `klines`, `markPriceKlines` or `metrics` archive is read.

    Raises
    ------
    BadArgument
        If it is another archive, or lacks columns, or nothing says its symbol.
    """
    metrics = name.interval_ns is None if name is not None else "sum_open_interest" in (raw.columns or ())
    folder = binance.dataset_of(raw.parts)
    folder = None if folder is binance.Dataset.METRICS else folder
    dataset = binance.Dataset.METRICS if metrics else folder or binance.Dataset.KLINES
    if dataset in (binance.Dataset.INDEX, binance.Dataset.PREMIUM):
        raise BadArgument(
            f"{raw.name}: {dataset.value} are neither mark nor last prices", hint="Import klines or markPriceKlines."
        )
    kind = f"binance {dataset.value}"
    columns = _binance_columns(raw, kind, dataset)
    instrument = _binance_instrument(raw, options, name)
    facts = Facts(instrument, None if name is None else name.interval_ns)
    warn_unknown(columns, binance.METRICS_COLUMNS if metrics else binance.KLINE_COLUMNS, kind, facts)
    identity = pl.lit(str(instrument)).alias("instrument")

    def parse(rows: pl.DataFrame) -> pl.DataFrame:
        read = binance.parse_metrics(rows, instrument.symbol) if metrics else binance.parse_klines(rows)
        return read.with_columns(identity)

    def finish_klines(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        facts.price_kind = _kline_price_kind(raw, frame, folder, options.price_kind)
        if facts.price_kind is PriceKind.MARK:
            frame = frame.drop("volume_base", "taker_buy_base")
        return finish_bars(raw.path.name)(frame, facts)

    wire = binance.METRICS_WIRE if metrics else binance.KLINE_WIRE
    return Layout(
        kind=kind,
        main=Table.OPEN_INTEREST if metrics else Table.BARS,
        columns=columns,
        used=tuple(wire.values()),
        parse=parse,
        finish=finish_open_interest(raw.path.name) if metrics else finish_klines,
        laws=not_negative("open_interest_base") if metrics else bar_laws(("volume_base", "taker_buy_base")),
        wire=wire,
        facts=facts,
        ascending=False,
        needs_interval=not metrics,
        gridded=not metrics,
    )


def _binance_columns(raw: RawTable, kind: str, dataset: binance.Dataset) -> tuple[str, ...]:
    columns = raw.columns or binance.name_columns(raw.width, dataset)
    if columns is None:
        raise BadArgument(f"{raw.name}: {kind}: found {raw.width} columns without a header", hint="Download the archive again.")
    wire = binance.METRICS_WIRE if dataset is binance.Dataset.METRICS else binance.KLINE_WIRE
    missing = [column for column in wire.values() if column not in columns]
    if missing:
        raise BadArgument(
            f"{raw.name}: {kind}: no column {', '.join(missing)}; found {', '.join(columns)}",
            hint="Download the archive again.",
        )
    return columns


def _binance_instrument(raw: RawTable, options: Options, name: binance.ArchiveName | None) -> InstrumentId:
    if name is None:
        if options.instrument is None:
            raise BadArgument(f"{raw.name}: the file's name does not say the symbol", hint="Add --instrument binance:BTCUSDT.")
        return options.instrument
    if name.symbol.endswith("_PERP"):
        raise BadArgument(
            f"{raw.name}: {name.symbol} is a COIN-M contract, whose amounts are contracts", hint="Take data/futures/um."
        )
    instrument = InstrumentId.parse(f"binance:{name.symbol}")
    agree(raw, instrument, options)
    return instrument


def _kline_price_kind(raw: RawTable, frame: pl.DataFrame, dataset: binance.Dataset | None, asked: PriceKind | None) -> PriceKind:
    """Tell mark from last: by the folder, else by the option, else by the volume, which a mark-price archive does not have.

    Without a folder that says it, trades are told by any volume above zero; mark prices by bars that count their updates and
    have no volume at all. Bars without either could be both.
    """
    traded = bool(frame.select((pl.col("volume_base") > 0).any()).item())
    counted = bool(frame.select((pl.col("trades") > 0).any()).item())
    by_folder = {binance.Dataset.KLINES: PriceKind.LAST, binance.Dataset.MARK: PriceKind.MARK}.get(
        dataset or binance.Dataset.METRICS
    )
    kind = by_folder or asked or (PriceKind.LAST if traded else PriceKind.MARK if counted else None)
    if kind is None:
        raise BadArgument(
            f"{raw.name}: nothing says whether these are mark or last prices (no such folder, no volume)",
            hint="Keep the archive in a folder named klines or markPriceKlines, or say the price kind.",
        )
    if kind is PriceKind.MARK and traded:
        raise BadArgument(
            f"{raw.name}: said to be mark prices, but the bars have volume, which mark prices do not have",
            hint="Import it as last prices, or keep klines and markPriceKlines in folders of these names.",
        )
    return kind


def _tardis_columns(raw: RawTable, kind: str, wire: dict[str, str], known: Sequence[str], facts: Facts) -> tuple[str, ...]:
    columns = raw.columns or ()
    missing = [name for name in ("exchange", *wire.values()) if name not in columns]
    if missing:
        raise BadArgument(f"{raw.name}: {kind}: no column {', '.join(missing)}; found {', '.join(columns)}")
    warn_unknown(columns, known, kind, facts)
    return columns


def _only(frame: pl.DataFrame, options: Options, kind: str, facts: Facts) -> pl.DataFrame:
    """Keep the rows of the instrument that was asked for, if one was."""
    if options.instrument is None:
        return frame
    wanted = pl.col("instrument") == str(options.instrument)
    kept = frame.filter(wanted | pl.col("instrument").is_null())
    if kept.height < frame.height:
        text = f"{kind}: rows of other instruments than {options.instrument} were left out"
        facts.warnings += [text] if text not in facts.warnings else []
    return kept


def liquidations_layout(raw: RawTable, options: Options) -> Layout:
    kind, facts = "tardis liquidations", Facts()
    columns = _tardis_columns(raw, kind, tardis.LIQUIDATION_WIRE, tardis.LIQUIDATION_COLUMNS, facts)
    with_id = "id" in columns

    def parse(rows: pl.DataFrame) -> pl.DataFrame:
        rows = rows if with_id else rows.with_columns(pl.lit(None, pl.String).alias("id"))
        return _only(tardis.parse_liquidations(rows), options, kind, facts)

    def finish(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        del facts
        # Prints without an id that are equal in everything are told apart by counting; a print whose id was seen is a repeat.
        key = [name for name in SCHEMAS[Table.LIQUIDATIONS].key if name != "occurrence"]
        identity = pl.coalesce("id", pl.format("line {}", "line"))
        counted = frame.sort("line").with_columns(identity.alias("identity"))
        counted = counted.with_columns(pl.struct(*key, "identity").is_first_distinct().alias("fresh"))
        occurrence = pl.col("fresh").cast(pl.Int64).cum_sum().over(key) - 1
        return {Table.LIQUIDATIONS: table_rows(counted, Table.LIQUIDATIONS, raw.path.name, occurrence=occurrence)}

    return Layout(
        kind=kind,
        main=Table.LIQUIDATIONS,
        columns=columns,
        used=("exchange", *(("id",) if with_id else ()), *tardis.LIQUIDATION_WIRE.values()),
        parse=parse,
        finish=finish,
        laws=[*positive("price"), *positive("quantity_base")],
        wire=tardis.LIQUIDATION_WIRE,
        facts=facts,
        ascending=False,
        needs_interval=False,
        gridded=False,
    )


def tickers_layout(raw: RawTable, options: Options) -> Layout:
    kind, facts = "tardis derivative_ticker", Facts()
    columns = _tardis_columns(raw, kind, tardis.TICKER_WIRE, tardis.TICKER_COLUMNS, facts)
    unconverted: set[str] = set()

    def parse(rows: pl.DataFrame) -> pl.DataFrame:
        for name in tardis.unconverted_exchanges(rows):
            if name not in unconverted and (options.instrument is None or name == str(options.instrument)):
                unconverted.add(name)
                facts.warnings.append(
                    f"{kind}: open interest of {name} is in contracts of a size the file does not tell: it was left out"
                )
        return _only(tardis.parse_tickers(rows), options, kind, facts)

    def finish(frame: pl.DataFrame, facts: Facts) -> dict[Table, pl.DataFrame]:
        source = raw.path.name
        bars = tardis.minute_bars(frame)
        facts.price_kind = PriceKind.MARK if bars.height else None
        facts.interval_ns = NS_PER_MINUTE if bars.height else None
        mark = {"interval_ns": pl.lit(NS_PER_MINUTE), "price_kind": pl.lit(PriceKind.MARK.value)}
        return {
            Table.BARS: table_rows(bars, Table.BARS, source, **mark),
            Table.OPEN_INTEREST: table_rows(tardis.open_interest_changes(frame), Table.OPEN_INTEREST, source),
            Table.FUNDING: table_rows(tardis.funding_paid(frame), Table.FUNDING, source),
        }

    laws = [
        *positive("mark_price", nullable=True),
        *not_negative("open_interest_base", nullable=True),
        *rate_laws("funding_rate", nullable=True),
    ]
    return Layout(
        kind=kind,
        main=Table.BARS,
        columns=columns,
        used=("exchange", *tardis.TICKER_WIRE.values()),
        parse=parse,
        finish=finish,
        laws=laws,
        wire=tardis.TICKER_WIRE,
        facts=facts,
        ascending=False,
        needs_interval=False,
        gridded=False,
    )
