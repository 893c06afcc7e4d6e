"""A small market in a store: 15-minute bars, open interest, hourly liquidations that grow with the range of the hour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from liqscape.clock import parse_instant
from liqscape.engine.workspace import Workspace
from liqscape.store import Table
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

NAME = "binance:BTCUSDT"
START = parse_instant("2026-01-01")
QUARTER = 15 * NS_PER_MINUTE


def frames(days: int = 45, seed: int = 3, name: str = NAME) -> dict[Table, pl.DataFrame]:
    """Rows by table."""
    rng = np.random.default_rng(seed)
    n = days * 96
    path = 60_000.0 * np.exp(np.cumsum(rng.standard_t(4, (n, 5)) * 0.0009).reshape(n, 5))
    ts = START + np.arange(n) * QUARTER
    first = np.concatenate(([60_000.0], path[:-1, -1]))
    both = np.column_stack((first, path))
    bars = pl.DataFrame(
        {"ts": ts, "open": first, "high": both.max(axis=1), "low": both.min(axis=1), "close": path[:, -1]}
    ).with_columns(price_kind=pl.lit("mark"), interval_ns=pl.lit(QUARTER), instrument=pl.lit(name))
    ranges = bars.with_columns(hour=pl.col("ts") // NS_PER_HOUR * NS_PER_HOUR).group_by("hour", maintain_order=True)
    span = ranges.agg(
        (pl.col("open").first() / pl.col("low").min()).log().alias("fall"),
        (pl.col("high").max() / pl.col("open").first()).log().alias("rise"),
    )
    usd = 3e8 * span.select("fall", "rise").to_numpy() ** 1.5 * rng.gamma(4.0, 0.25, (len(span), 2))
    totals = pl.DataFrame({"ts": span["hour"], "long_usd": usd[:, 0], "short_usd": usd[:, 1]}).with_columns(
        interval_ns=pl.lit(NS_PER_HOUR), venues=pl.lit("binance"), completeness=pl.lit("throttled"), instrument=pl.lit(name)
    )
    held = 80_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, n)))
    stamps = pl.DataFrame({"ts": ts + QUARTER, "open_interest_base": held}).with_columns(instrument=pl.lit(name))
    return {Table.BARS: bars, Table.OPEN_INTEREST: stamps, Table.LIQUIDATION_TOTALS: totals}


def stored(home: Path, *markets: dict[Table, pl.DataFrame]) -> Workspace:
    """Write markets into a home."""
    workspace = Workspace(home)
    for i, market in enumerate(markets):
        for table, frame in market.items():
            workspace.store.append(table, frame, writer=f"scene-{i}", batch=1)
    return workspace
