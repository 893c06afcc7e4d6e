"""Rows that the store's tests write: small, and readable by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from liqscape.clock import parse_instant
from liqscape.model import InstrumentId
from liqscape.store import Table
from liqscape.store._frames import stored_schema
from liqscape.units import NS_PER_MINUTE

BTC = InstrumentId("binance", "BTCUSDT")
ETH = InstrumentId("binance", "ETHUSDT")
DAY = parse_instant("2026-01-30")
MINUTES = NS_PER_MINUTE


def bars(starts, closes=None, *, kind="mark", minutes=5, received=None, instrument=BTC, volume=None, taker_buy=None):
    """Bars that start at the given minutes after DAY; a bar is flat at its close."""
    closes = [100.0 + i for i in range(len(starts))] if closes is None else closes
    frame = {"ts": [DAY + s * MINUTES for s in starts], **dict.fromkeys(("open", "high", "low", "close"), closes)}
    if volume is not None:
        frame["volume_base"] = volume
    if taker_buy is not None:
        frame["taker_buy_base"] = taker_buy
    if received is not None:
        frame["ts_recv"] = [None if r is None else DAY + r * MINUTES for r in received]
    floats = ("open", "high", "low", "close", "volume_base", "taker_buy_base")
    types = {"ts": pl.Int64, "ts_recv": pl.Int64} | dict.fromkeys(floats, pl.Float64)
    return pl.DataFrame(frame, schema={name: types[name] for name in frame}).with_columns(
        instrument=pl.lit(str(instrument)), price_kind=pl.lit(kind), interval_ns=pl.lit(minutes * MINUTES, dtype=pl.Int64)
    )


def stamps(at, values, *, received=None, instrument=BTC):
    """Open interest at the given minutes after DAY."""
    frame = {"ts": [DAY + s * MINUTES for s in at], "open_interest_base": values}
    if received is not None:
        frame["ts_recv"] = [None if r is None else DAY + r * MINUTES for r in received]
    types = {"ts": pl.Int64, "ts_recv": pl.Int64, "open_interest_base": pl.Float64}
    return pl.DataFrame(frame, schema={name: types[name] for name in frame}).with_columns(instrument=pl.lit(str(instrument)))


def prints(rows, *, received=None, instrument=BTC, completeness="throttled"):
    """Liquidations given as (minutes after DAY, side, price, quantity)."""
    return pl.DataFrame(
        {
            "instrument": [str(instrument)] * len(rows),
            "ts": [DAY + round(r[0] * MINUTES) for r in rows],
            "ts_recv": [None] * len(rows) if received is None else [DAY + round(r * MINUTES) for r in received],
            "position_side": [r[1] for r in rows],
            "price": [float(r[2]) for r in rows],
            "quantity_base": [float(r[3]) for r in rows],
            "completeness": [completeness] * len(rows),
            "occurrence": [0] * len(rows),
        },
        schema_overrides={"ts": pl.Int64, "ts_recv": pl.Int64, "occurrence": pl.Int64},
    )


def totals(hours, long_usd, short_usd, *, venues="binance", interval_minutes=60, completeness="throttled", received=None):
    """Totals of intervals counted from DAY."""
    return pl.DataFrame(
        {
            "instrument": [str(BTC)] * len(hours),
            "interval_ns": [interval_minutes * MINUTES] * len(hours),
            "ts": [DAY + h * interval_minutes * MINUTES for h in hours],
            "ts_recv": [None] * len(hours) if received is None else [DAY + r * MINUTES for r in received],
            "long_usd": long_usd,
            "short_usd": short_usd,
            "venues": [venues] * len(hours),
            "completeness": [completeness] * len(hours),
        },
        schema_overrides={"ts_recv": pl.Int64},
    )


def raw(store, table: Table) -> pl.DataFrame:
    """Every row as it lies in the files of the newest version, duplicates and all."""
    return pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in store._files(table)]).select(
        *stored_schema(table)
    )


def batch_rows(number: int, writer: str) -> pl.DataFrame:
    """40 prints of a batch of a writer, half of them on the next day; no other batch has a row like them."""
    base = number * 40
    return prints([(m + base / 1000 + k, "long", 100 + k, number + 1) for m in (0, 1440) for k in range(20)]).with_columns(
        source=pl.lit(f"{writer}/{number}"), instrument=pl.lit(f"sim:{writer.upper()}")
    )


BATCH = 40


def complete_batches(rows: pl.DataFrame) -> dict[str, int]:
    """Return rows per batch."""
    return dict(rows.group_by("source").len().iter_rows())


def files_on_disk(path: Path) -> set[Path]:
    return {file for file in path.rglob("*.parquet") if "_delta_log" not in file.parts}
