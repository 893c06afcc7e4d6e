"""A made-up market with volume and taker flow, in a home folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from liqscape.clock import parse_instant
from liqscape.store import Table, open_store
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

NAME = "test:BTCUSDT"
START_NS = parse_instant("2026-01-01")
BAR_NS = 5 * NS_PER_MINUTE
DAYS = 24
END_NS = START_NS + DAYS * 24 * NS_PER_HOUR
M = 1e6


class Said(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as data."""
        return json.loads(self.out)


Ask = Callable[..., Said]


def market(seed: int = 3) -> dict[Table, pl.DataFrame]:
    """Return the tables of a random walk from 100; every bar trades 1 million base, and takers buy what moves the price."""
    rng = np.random.default_rng(seed)
    n = DAYS * 288
    steps = 0.0012 * rng.standard_normal((n, 12)) * np.exp(0.4 * np.sin(np.arange(n) / 150.0))[:, None]
    path = 100.0 * np.exp(np.cumsum(steps.ravel())).reshape(n, 12)
    close = path[:, -1]
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(path.max(1), opened), np.minimum(path.min(1), opened)
    ts = START_NS + BAR_NS * np.arange(n, dtype=np.int64)
    names = pl.lit(NAME).alias("instrument")
    volume = np.full(n, 1e6)
    bars = pl.DataFrame(
        {
            "ts": ts,
            "open": opened,
            "high": high,
            "low": low,
            "close": close,
            "volume_base": volume,
            "taker_buy_base": volume * np.clip(0.5 + 10.0 * np.log(close / opened), 0.0, 1.0),
        }
    ).with_columns(names, pl.lit("mark").alias("price_kind"), pl.lit(BAR_NS).cast(pl.Int64).alias("interval_ns"))
    interest = pl.DataFrame({"ts": ts + BAR_NS, "open_interest_base": 1e6 * np.exp(0.05 * np.sin(np.arange(n) / 400.0))})
    hours = low.reshape(-1, 12).min(1), high.reshape(-1, 12).max(1), opened.reshape(-1, 12)[:, 0]
    totals = pl.DataFrame(
        {"ts": ts[::12], "long_usd": 4e8 * (1.0 - hours[0] / hours[2]) ** 2, "short_usd": 4e8 * (hours[1] / hours[2] - 1.0) ** 2}
    ).with_columns(
        names,
        pl.lit(NS_PER_HOUR).cast(pl.Int64).alias("interval_ns"),
        pl.lit("test").alias("venues"),
        pl.lit("throttled").alias("completeness"),
    )
    return {Table.BARS: bars, Table.OPEN_INTEREST: interest.with_columns(names), Table.LIQUIDATION_TOTALS: totals}


def book(at_ns: int, bid_usd: float = 4.0 * M, ask_usd: float = 2.0 * M) -> pl.DataFrame:
    """Return a book that holds so many dollars within 1 %, even out to 5 %."""
    distance = np.arange(1, 51) * 0.001
    return pl.DataFrame({"ts": np.full(50, at_ns), "distance": distance}).with_columns(
        pl.lit(NAME).alias("instrument"),
        (pl.col("distance") * 100.0 * bid_usd).alias("bid_usd"),
        (pl.col("distance") * 100.0 * ask_usd).alias("ask_usd"),
        pl.lit("made up").alias("source"),
    )


def fill(home: Path, tables: dict[Table, pl.DataFrame]) -> Path:
    """Store the tables in a home folder."""
    store = open_store(home)
    for table, frame in tables.items():
        store.append(table, frame, writer="test", batch=1)
    return home
