"""What following accounts costs: reading the public list, solving levels anew, disk; and how quickly all are reached.

python -m benchmarks.followed            # writes docs/hyperliquid.md
python -m benchmarks.followed --dry      # prints only
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.truth import put
from liqscape.engine.positions.levels import standing
from liqscape.engine.positions.schedule import EMPTY_S, Schedule, interval_s
from liqscape.engine.positions.tracker import spare_weight
from liqscape.margin import flat_tiers
from liqscape.model import InstrumentId
from liqscape.store import SCHEMAS, DeltaStore, Table
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.hyperliquid import accounts

PAGE = Path("docs/hyperliquid.md")
START = 1_790_000_040_000_000_000
HOLDERS, LEGS, LEADERS = 6_000, 3, 45_000
CHANGES_PER_MIN = 60
COINS = [f"hyperliquid:C{i}" for i in range(LEGS)]


def leaderboard() -> str:
    """Time and memory of the largest list that was reported."""
    done = {"pnl": "-12345.678901", "roi": "0.0123456789", "vlm": "123456789.123456"}
    windows = [[name, done] for name in ("day", "week", "month", "allTime")]
    row = {"accountValue": "1234567.890123", "windowPerformances": windows, "prize": 0, "displayName": "somebody" * 40}
    body = json.dumps({"leaderboardRows": [{"ethAddress": f"0x{i:040x}"} | row for i in range(LEADERS)]}).encode()
    tracemalloc.start()
    found = accounts.leaderboard(body, 10_000, START)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    before = time.perf_counter()
    accounts.leaderboard(body, 10_000, START)
    took = time.perf_counter() - before
    what = f"the public list: {len(body) / 1e6:.0f} MB, {LEADERS:,} rows, {len(found):,} kept"
    return f"| {what} | {took:.1f} s, at most {peak / 1e6:.0f} MB beside the answer |"


def looks(rng: np.random.Generator, ts: int, chosen: np.ndarray) -> pl.DataFrame:
    """Rows of accounts that hold three legs each."""
    n = chosen.size * LEGS
    quantity = rng.normal(0.0, 5.0, n)
    frame = {
        "instrument": COINS * chosen.size,
        "account": np.repeat([f"0x{hashlib.sha1(str(i).encode()).hexdigest()}" for i in chosen], LEGS),
        "ts": np.repeat(ts - rng.integers(0, 60 * NS_PER_MINUTE, chosen.size), LEGS),
        "ts_recv": np.full(n, ts),
        "quantity_base": quantity,
        "entry_price": rng.normal(100.0, 1.0, n),
        "mark_price": np.full(n, 100.0),
        "liquidation_price": 100.0 * np.exp(-np.sign(quantity) * rng.exponential(0.4, n)),
        "margin_mode": ["cross"] * n,
        "margin_usd": rng.exponential(1e4, n),
        "max_leverage": np.full(n, 40.0),
        "equity_usd": np.repeat(rng.exponential(1e5, chosen.size), LEGS),
        "source": ["polled"] * n,
    }
    return pl.DataFrame(frame, schema=SCHEMAS[Table.POSITIONS].columns)


def disk() -> str:
    """Bytes of a day: a snapshot of all every hour, and the changes between."""
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        store, rows = DeltaStore(Path(folder) / "store"), 0
        for hour in range(24):
            ts = START + hour * NS_PER_HOUR
            for i, chosen in enumerate((np.arange(HOLDERS), rng.integers(0, HOLDERS, 60 * CHANGES_PER_MIN))):
                frame = looks(rng, ts, np.unique(chosen))
                rows += frame.height
                store.append(Table.POSITIONS, frame, writer="bench", batch=2 * hour + i)
        size = sum(path.stat().st_size for path in (Path(folder) / "store" / "positions").rglob("*.parquet"))
    what = f"a day of {HOLDERS:,} accounts with {LEGS} legs, {CHANGES_PER_MIN} changes a minute: {rows:,} rows"
    return f"| {what} | {size / 1e6:.0f} MB, {size / rows:.0f} bytes a row |"


def solving() -> str:
    """Time of solving all accounts of a map anew."""
    rng = np.random.default_rng(2)
    rows = looks(rng, START, np.arange(2_000)).sort("account", "instrument")
    tiers = {coin: flat_tiers(0.0125) for coin in COINS}
    before = time.perf_counter()
    standing(rows, InstrumentId.parse(COINS[0]), dict.fromkeys(COINS, 101.0), tiers)
    took = time.perf_counter() - before
    return f"| levels of accounts with {LEGS} cross legs, solved at the look and now | {1e6 * took / 2_000:.0f} us an account |"


def reach(coins: int, accounts_known: int, holding: float) -> tuple[float, ...]:
    """Quantiles of the age of looks after two hours of polling, weighed by notional: 50, 90, 99 %; and looks a minute."""
    rng = np.random.default_rng(3)
    notional = np.where(rng.random(accounts_known) < holding, rng.pareto(1.1, accounts_known) * 2e4, 0.0)
    distance = np.clip(rng.exponential(0.4, accounts_known), 0.002, None)
    every = np.where(notional > 0.0, notional / distance, np.nan)
    book, looked = Schedule(most=accounts_known + 1), np.full(accounts_known, np.nan)
    for i in np.argsort(-notional):
        book.add(str(i), 0.0, float(0.1 * notional[i]))
    per_min = spare_weight(1200.0, coins) / 2.0
    for step in range(int(120 * per_min)):
        now = 60.0 * step / per_min
        for name in book.next(now, 1):
            i = int(name)
            looked[i] = now
            book.seen(name, None if np.isnan(every[i]) else float(every[i]), float(notional[i]))
    age = np.where(np.isnan(looked), 7200.0, 7200.0 - looked)
    order = np.argsort(age)
    mass = np.cumsum(notional[order]) / notional.sum()
    near = np.isfinite(every) & (every > 1e7)
    ages = [float(age[order][np.searchsorted(mass, q)]) / 60.0 for q in (0.5, 0.9, 0.99)]
    return per_min, *ages, float(np.median(age[near])) / 60.0


def main() -> None:
    """Measure, print or write."""
    assert interval_s(0.0) < EMPTY_S
    lines = ["| what | cost |", "|---|---|", leaderboard(), solving(), disk()]
    heads = "coins recorded beside it | looks a minute | accounts known | age of half the notional, min | 90 % | 99 %"
    lines += ["", f"| {heads} | of the most urgent, median |", "|---:|---:|---:|---:|---:|---:|---:|"]
    for coins in (0, 10, 40):
        for known in (5_000, 20_000):
            per_min, *ages = reach(coins, known, 0.3)
            told = " | ".join(f"{age:.0f}" if age >= 10 else f"{age:.1f}" for age in ages)
            lines.append(f"| {coins} | {per_min:.0f} | {known:,} | {told} |")
    text = "\n".join(lines)
    if "--dry" in sys.argv:
        print(text)
    else:
        put(PAGE, "cost", text)


if __name__ == "__main__":
    main()
