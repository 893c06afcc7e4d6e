"""`python -m benchmarks.cascade_record DATA`: what absorption was fitted to, and its reality check on hours of heavy flow.

DATA is the folder of the shared data pack. Every hour with over $100M of net taker flow is asked, from what was known at its
start: how likely is a run of 2.5 % from the open, the way the flow went, if that flow is the shock? No book is known for those
hours: the median book of the year before stands in (coins, at the hour's price), or the square-root law. The flow holds its
own forced orders, so the shock is too large by them; that flows, and not their forecast, are given makes it a check of
absorption and map and no forecast.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from liqscape.cascade import (
    DepthProfile,
    Direction,
    Reality,
    SquareRootImpact,
    Withdrawal,
    absorption,
    map_distance,
    map_levels,
    p_reach,
    reality,
    static_paths,
)
from liqscape.clock import parse_instant
from liqscape.engine.importer import import_paths
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import LiquidationMap

HEAVY_USD, RAN = 1e8, 0.025
REPORTED_SHARE = 0.3  # of forced dollars that the three feeds publish; assumed
FITTED_TO = "2026-02-16"  # the fit saw the hours before
# Depth at 2, 3 and 5 % by that at 1 %: one snapshot of 2025-05-19 (bids).
SHAPE = ((0.01, 1.0), (0.02, 1.73), (0.03, 2.36), (0.05, 3.39))


@dataclass(frozen=True)
class Book:
    """The year before: median coins within 1 % per side, median 4-hour range, and how depth followed volatility."""

    coins: float
    calm_range: float
    exponent: float
    scatter: float


@dataclass(frozen=True)
class Hour:
    """One hour of heavy flow and what was known at its start."""

    ts_ns: int
    net_usd: float
    price: float
    range_4h: float
    volume_1d_usd: float
    ran: bool
    map: LiquidationMap

    @property
    def direction(self) -> Direction:
        """The way the flow went."""
        return Direction.UP if self.net_usd > 0.0 else Direction.DOWN


def read_book(data: Path) -> Book:
    """Fit depth to the range of the 4 hours before, both by their median of two weeks."""
    folder = data / "coinglass_4h_2024_2025"
    rows = pl.read_parquet(folder / "btc_orderbook_range_4h.parquet").join(
        pl.read_parquet(folder / "btc_price_4h_2025.parquet"), on="ts"
    )
    coins = np.sqrt(rows["bids_quantity"].to_numpy() * rows["asks_quantity"].to_numpy())
    spans = np.log(rows["high"].to_numpy() / rows["low"].to_numpy())

    def relative(values: FloatArray) -> FloatArray:
        return np.array([np.log(values[i] / np.median(values[i - 84 : i + 1])) for i in range(84, values.size)])

    span, depth = relative(spans)[:-1], relative(coins)[1:]
    slope, level = np.polyfit(span, depth, 1)
    return Book(float(np.median(coins)), float(np.median(spans)), float(-slope), float((depth - slope * span - level).std()))


def read_pressure(data: Path, book: Book) -> tuple[float, float]:
    """Return net flow per 1 % of price in the heavy hours of the fit, USD, and that by the book of such a volatility."""
    rows = pl.read_parquet(data / "binance_liq_15m_202602_03" / "klines_1h.parquet").sort("ts")
    rows = rows.filter(pl.col("ts").dt.epoch("ns") < parse_instant(FITTED_TO))
    net = (2.0 * rows["taker_buy_quote_volume"] - rows["quote_volume"]).to_numpy()
    heavy = np.abs(net) > HEAVY_USD
    moved = np.log(rows["close"].to_numpy() / rows["open"].to_numpy()) * np.sign(net)
    usd = float(np.abs(net[heavy]).sum() / moved[heavy].sum() * 0.01)
    high, low = (rows[name].to_numpy()[: len(rows) // 4 * 4].reshape(-1, 4) for name in ("high", "low"))
    span = float(np.median(np.log(high.max(axis=1) / low.min(axis=1))))
    standing = book.coins * float(np.median(rows["close"].to_numpy())) * (span / book.calm_range) ** -book.exponent
    return usd, usd / standing


def read_hours(data: Path, workspace: Workspace) -> list[Hour]:
    """Return the hours of heavy flow, each with the map of its start."""
    rows = pl.read_parquet(data / "binance_liq_15m_202602_03" / "klines_1h.parquet").sort("ts")
    opens, high, low, volume = (rows[name].to_numpy() for name in ("open", "high", "low", "quote_volume"))
    net, ts = 2.0 * rows["taker_buy_quote_volume"].to_numpy() - volume, rows["ts"].dt.epoch("ns").to_numpy()
    out: list[Hour] = []
    for i in np.flatnonzero(np.abs(net) > HEAVY_USD):
        if i < 4:
            continue
        move = high[i] / opens[i] - 1.0 if net[i] > 0.0 else 1.0 - low[i] / opens[i]
        day = volume[max(0, i - 24) : i]
        spanned = float(np.log(high[i - 4 : i].max() / low[i - 4 : i].min()))
        found = build_map(workspace, "BTC", as_of_ns=int(ts[i]))
        out.append(Hour(int(ts[i]), float(net[i]), float(opens[i]), spanned, float(day.mean()) * 24.0, bool(move >= RAN), found))
    return out


def predicted(hour: Hour, book: Book | None) -> tuple[float, float]:
    """Return the probability of a run with the map and without it; without a book the law stands in."""
    distance = map_distance(hour.map.long, hour.map.mark_price)
    if book is None:
        law = SquareRootImpact(sigma_1d=hour.map.sigma_1d or np.nan, volume_1d_usd=hour.volume_1d_usd)
        brakes = absorption(distance, impact=law)
    else:
        at, shape = (np.array(column) for column in zip(*SHAPE, strict=True))
        usd = book.coins * hour.price * shape
        profile = DepthProfile(at, usd, usd, ts_ns=hour.ts_ns, source="Binance BTCUSDT, median of the year before")
        brakes = absorption(distance, book=profile, withdrawal=Withdrawal(volatility_ratio=hour.range_4h / book.calm_range))
    levels = map_levels(hour.map)[hour.direction] / REPORTED_SHARE
    paths = static_paths(levels, brakes, hour.direction, shock_usd=abs(hour.net_usd), paths=6_000)
    return p_reach(paths, RAN).value, p_reach(paths, RAN, no_map=True).value


def judged(hours: list[Hour], book: Book | None) -> tuple[Reality, tuple[float, float, float], int, int]:
    """Return the reality check, Brier scores (engine, no map, share that ran), false alarms and missed runs."""
    said, alone = (np.array(each) for each in zip(*(predicted(hour, book) for hour in hours), strict=True))
    ran = np.array([hour.ran for hour in hours])
    scores = float(np.mean((said - ran) ** 2)), float(np.mean((alone - ran) ** 2)), float(ran.mean() * (1.0 - ran.mean()))
    false, missed = int(((said >= 0.5) & ~ran).sum()), int(((said < 0.5) & ran).sum())
    return reality(float(said.sum()), int(ran.sum())), scores, false, missed


def main(words: list[str]) -> None:
    """Read, ask, and tell."""
    data, console = Path(words[0]), Console()
    book = read_book(data)
    console.print(
        f"book of the year before: {book.coins:,.0f} coins a side within 1 %; depth falls as volatility ** -{book.exponent:.3f}, "
        f"scatter {book.scatter:.2f}"
    )
    usd, multiple = read_pressure(data, book)
    console.print(
        f"heavy hours of the fit: ${usd / 1e6:,.0f}M of net flow per 1 %, {multiple:.2f} times the book of such a volatility"
    )
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(Path(name))
        import_paths(workspace.store, [data / "btcusdt_backtest"])
        hours = read_hours(data, workspace)
    border = parse_instant(FITTED_TO)
    windows = {"seen by the fit": [h for h in hours if h.ts_ns < border], "after it": [h for h in hours if h.ts_ns >= border]}
    table = Table("hours", "basis", "n", "false alarms", "missed", "reality check", "Brier", "no map", "share that ran")
    for when, chosen in windows.items():
        for basis, depth in (("book", book), ("law", None)):
            check, scores, false, missed = judged(chosen, depth)
            numbers = (f"{score:.3f}" for score in scores)
            table.add_row(when, basis, str(len(chosen)), str(false), str(missed), check.sentence, *numbers)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
