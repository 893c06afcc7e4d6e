"""A small market written into a store: 5-minute bars, open interest, hourly liquidations; and the same with a poisoned future."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import numpy as np
import polars as pl

from liqscape.clock import parse_instant
from liqscape.engine.workspace import Workspace
from liqscape.store import Table
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

START = parse_instant("2026-01-01")
FIVE_MINUTES = 5 * NS_PER_MINUTE
DAY = 288  # 5-minute bars
LEARNS = 17  # days: a week of burn-in, a week to the first fit, three days of learned weights


def market(days=LEARNS, seed=1, *, instrument="binance:BTCUSDT", minutes=5, price=60_000.0, oi=80_000.0, start_ns=START):
    """Frames by table. Open interest is stamped at each bar's end; liquidations grow with the range of the hour."""
    rng = np.random.default_rng(seed)
    n = days * 1440 // minutes
    interval = minutes * NS_PER_MINUTE
    path = price * np.exp(np.cumsum(rng.standard_t(4, (n, 5)) * 0.00045 * np.sqrt(minutes / 5)).reshape(n, 5))
    close, ts = path[:, -1], start_ns + np.arange(n) * interval
    first = np.concatenate(([price], close[:-1]))
    stamps = oi * np.exp(np.cumsum(rng.normal(0.0, 0.001, n)))
    both = np.column_stack((first, path))
    bars = pl.DataFrame({
        "ts": ts, "open": first, "high": both.max(axis=1), "low": both.min(axis=1), "close": close,
    }).with_columns(price_kind=pl.lit("mark"), interval_ns=pl.lit(interval), instrument=pl.lit(instrument))  # fmt: skip
    hour = ts // NS_PER_HOUR * NS_PER_HOUR
    ranges = bars.with_columns(hour=pl.Series(hour)).group_by("hour", maintain_order=True)
    travelled = ranges.agg((pl.col("high").max() / pl.col("low").min()).log().alias("span"))
    usd = 2e8 * travelled["span"].to_numpy()[:, None] ** 1.5 * rng.gamma(2.0, 0.5, (len(travelled), 2))
    totals = pl.DataFrame({"ts": travelled["hour"], "long_usd": usd[:, 0], "short_usd": usd[:, 1]}).with_columns(
        interval_ns=pl.lit(NS_PER_HOUR), venues=pl.lit("binance"), completeness=pl.lit("throttled"), instrument=pl.lit(instrument)
    )
    held = pl.DataFrame({"ts": ts + interval, "open_interest_base": stamps}).with_columns(instrument=pl.lit(instrument))
    return {Table.BARS: bars, Table.OPEN_INTEREST: held, Table.LIQUIDATION_TOTALS: totals}


def stored(home, *markets):
    """A workspace whose store holds the markets."""
    workspace = Workspace(home)
    for i, frames in enumerate(markets):
        for table, frame in frames.items():
            workspace.store.append(table, frame, writer=f"scene-{i}", batch=1)
    return workspace


def poisoned(frames, as_of_ns):
    """Spoil everything that is known only after an instant: bars x 1.3, open interest x 5, liquidations x 100."""
    bars, held, totals = (frames[t] for t in (Table.BARS, Table.OPEN_INTEREST, Table.LIQUIDATION_TOTALS))
    prices = ("open", "high", "low", "close")
    later = pl.col("ts") + pl.col("interval_ns") > as_of_ns
    usd = ("long_usd", "short_usd")
    return {
        Table.BARS: bars.with_columns(pl.when(later).then(pl.col(p) * 1.3).otherwise(pl.col(p)).alias(p) for p in prices),
        Table.OPEN_INTEREST: held.with_columns(
            pl.when(pl.col("ts") > as_of_ns)
            .then(pl.col("open_interest_base") * 5)
            .otherwise("open_interest_base")
            .alias("open_interest_base")
        ),
        Table.LIQUIDATION_TOTALS: totals.with_columns(
            pl.when(later).then(pl.col(u) * 100).otherwise(pl.col(u)).alias(u) for u in usd
        ),
    }


def assert_same(one, two, *, but=("computed_at_ns",), rtol=0.0):
    """Compare two records field by field, arrays with their NaN."""
    assert type(one) is type(two)
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if field.name in but:
            continue
        if is_dataclass(a):
            assert_same(a, b, but=but, rtol=rtol)
        elif isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=0.0, err_msg=field.name)
        else:
            assert a == b, field.name
