"""One file from raw blocks to rows of the store's tables: recognised, read, judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from liqscape.datasets import Entry, Manifest
from liqscape.engine._import_archives import binance_layout, liquidations_layout, tickers_layout
from liqscape.engine._import_files import RawTable
from liqscape.engine._import_layout import Layout, Options
from liqscape.engine._import_plain import plain_layout
from liqscape.engine._import_rules import Rejections, in_order, judge, on_grid, time_laws, usual_step
from liqscape.errors import BadArgument
from liqscape.store import Table
from liqscape.units import NS_PER_MINUTE, format_duration
from liqscape.venues import binance, tardis


@dataclass(frozen=True)
class Read:
    """The believed rows of one file per table (with `line`), and the counts of its lines."""

    tables: dict[Table, pl.DataFrame]
    rows_read: int
    rows_rejected: int


def recognise(raw: RawTable, options: Options, manifest: Manifest | None, entry: Entry | None) -> Layout:
    """Say what a file is: by its entry in a manifest, else by its name, else by its columns.

    Raises
    ------
    BadArgument
        If it is nothing that can be imported, or something about it must be known and is not.
    """
    if entry is not None:
        return plain_layout(raw, options, manifest, entry)
    for stem in raw.stems:
        if (name := binance.read_name(stem)) is not None:
            return binance_layout(raw, options, name)
    columns = set(raw.columns or ())
    if columns.issuperset(tardis.TICKER_COLUMNS[:4]) and columns & {"mark_price", "open_interest", "funding_rate"}:
        return tickers_layout(raw, options)
    if columns.issuperset(set(tardis.LIQUIDATION_COLUMNS) - {"id"}):
        return liquidations_layout(raw, options)
    if columns.issuperset({"open_time", "close", "taker_buy_volume"}) or columns.issuperset({"create_time", "sum_open_interest"}):
        return binance_layout(raw, options, None)
    return plain_layout(raw, options, None, None)


def read_file(raw: RawTable, layout: Layout, rejections: Rejections, told: Callable[[int], None]) -> Read:
    """Read a file to its end.

    Parameters
    ----------
    told
        Called with the number of rows of every block.

    Raises
    ------
    BadArgument
        If the file breaks off, or something about it must be known and is not.
    """
    laws = [*time_laws(layout.facts.interval_ns), *layout.laws]
    good: list[pl.DataFrame] = []
    first = len(rejections.found)
    rows_read = rows_rejected = 0
    for block in raw.blocks(layout.columns, layout.used):
        for line in block.broken:
            rejections.add(raw.name, line.line, "line", line.text, line.reason)
        kept, bad = judge(layout.parse(block.rows), block.rows, laws, layout.wire, raw.name, rejections)
        good.append(kept)
        rows_read += block.rows.height + len(block.broken)
        rows_rejected += bad + len(block.broken)
        told(block.rows.height + len(block.broken))
    if not good:
        return Read({}, rows_read, rows_rejected)
    frame = pl.concat(good, rechunk=True)
    ts_column = layout.wire["ts"]
    if layout.ascending:
        frame, backwards = in_order(frame, ts_column, raw.name, rejections)
        rows_rejected += backwards
    if layout.needs_interval:
        interval_ns = _interval(raw, layout, frame)
        if layout.gridded:
            frame, off = on_grid(frame, interval_ns, ts_column, raw.name, rejections)
            rows_rejected += off
    rejections.found[first:] = sorted(rejections.found[first:], key=lambda rejection: rejection.line)
    return Read(layout.finish(frame, layout.facts) if frame.height else {}, rows_read, rows_rejected)


def _interval(raw: RawTable, layout: Layout, frame: pl.DataFrame) -> int:
    """Return the length of a row's interval, ns: what is said of the file, else the usual step between its rows."""
    facts, step = layout.facts, usual_step(frame)
    if facts.interval_ns is None:
        if step is None and frame.height:
            raise BadArgument(
                f"{raw.name}: {layout.kind}: one instant only, so the length of its interval is not known",
                hint="Put the file into a folder with a dataset.toml that says the interval.",
            )
        # Payments of funding are stamped some milliseconds late, so the step between them is read to the minute.
        known = step or NS_PER_MINUTE
        facts.interval_ns = known if layout.gridded else max(NS_PER_MINUTE, round(known / NS_PER_MINUTE) * NS_PER_MINUTE)
    elif layout.gridded and step is not None and frame.height > 2 and step > facts.interval_ns:
        facts.warnings.append(
            f"{layout.kind}: the interval is said to be {format_duration(facts.interval_ns)}, "
            f"but rows are usually {format_duration(step)} apart"
        )
    return facts.interval_ns
