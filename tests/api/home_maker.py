"""A small home folder with a made-up market: 5-minute mark bars, open interest, hourly liquidations, funding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from liqscape.clock import parse_instant
from liqscape.store import Table, open_store
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

START_NS = parse_instant("2026-01-01")
BAR_NS = 5 * NS_PER_MINUTE


def made_up_market(days: int = 24, seed: int = 3) -> dict[Table, pl.DataFrame]:
    """Return the tables of a random walk from 100 with hourly liquidations that grow with the square of the adverse move."""
    rng = np.random.default_rng(seed)
    n = days * 288
    steps = 0.0012 * rng.standard_normal((n, 12)) * np.exp(0.4 * np.sin(np.arange(n) / 150.0))[:, None]
    path = 100.0 * np.exp(np.cumsum(steps.ravel())).reshape(n, 12)
    close = path[:, -1]
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(path.max(1), opened), np.minimum(path.min(1), opened)
    ts = START_NS + BAR_NS * np.arange(n, dtype=np.int64)
    names = pl.lit("test:BTCUSDT").alias("instrument")
    bars = pl.DataFrame({"ts": ts, "open": opened, "high": high, "low": low, "close": close}).with_columns(
        names, pl.lit("mark").alias("price_kind"), pl.lit(BAR_NS).cast(pl.Int64).alias("interval_ns")
    )
    interest = pl.DataFrame({"ts": ts + BAR_NS, "open_interest_base": 1e6 * np.exp(0.05 * np.sin(np.arange(n) / 400.0))})
    hours = low.reshape(-1, 12).min(1), high.reshape(-1, 12).max(1), opened.reshape(-1, 12)[:, 0]
    totals = pl.DataFrame(
        {
            "ts": ts[::12],
            "long_usd": 4e8 * (1.0 - hours[0] / hours[2]) ** 2,
            "short_usd": 4e8 * (hours[1] / hours[2] - 1.0) ** 2,
        }
    ).with_columns(
        names,
        pl.lit(NS_PER_HOUR).cast(pl.Int64).alias("interval_ns"),
        pl.lit("test").alias("venues"),
        pl.lit("throttled").alias("completeness"),
    )
    funding = pl.DataFrame({"ts": ts[::96], "rate": np.full(n // 96, 1e-4)}).with_columns(
        names, pl.lit(8 * NS_PER_HOUR).cast(pl.Int64).alias("interval_ns")
    )
    return {
        Table.BARS: bars,
        Table.OPEN_INTEREST: interest.with_columns(names),
        Table.LIQUIDATION_TOTALS: totals,
        Table.FUNDING: funding,
    }


def fill(home: Path, tables: dict[Table, pl.DataFrame]) -> Path:
    """Store the tables in a home folder."""
    store = open_store(home)
    for table, frame in tables.items():
        store.append(table, frame, writer="test", batch=1)
    return home
