"""Made-up markets with a fixed seed: prices like Bitcoin's, open interest that wanders, liquidations in bursts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from liqscape.clock import parse_instant
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

INSTRUMENT = InstrumentId("binance", "BTCUSDT")
VOLATILITY = 0.45  # per square root of a year
START_NS = parse_instant("2025-01-01")
_STEPS = 20  # prices inside a bar, from which its extremes come


def bars(days: float, interval_ns: int, seed: int = 1) -> BarSeries:
    """Return bars of a random walk with volatility that comes in clusters."""
    rng = np.random.default_rng(seed)
    n = round(days * NS_PER_DAY / interval_ns)
    clusters = np.exp(0.5 * np.repeat(rng.standard_normal(n // 48 + 1), 48)[:n])
    sigma = VOLATILITY * np.sqrt(interval_ns / (365 * NS_PER_DAY)) * clusters / np.sqrt(np.mean(clusters**2))
    steps = rng.standard_normal((n, _STEPS)) * (sigma / np.sqrt(_STEPS))[:, None]
    price = 84_000.0 * np.exp(np.cumsum(steps.ravel())).reshape(n, _STEPS)
    close = price[:, -1]
    opens = np.append(84_000.0, close[:-1])
    start_ns = START_NS + np.arange(n, dtype=np.int64) * interval_ns
    open_interest = 90_000.0 * np.exp(np.cumsum(0.0015 * np.sqrt(interval_ns / (5 * NS_PER_MINUTE)) * rng.standard_normal(n)))
    return BarSeries(
        instrument=INSTRUMENT,
        interval_ns=interval_ns,
        price_kind=PriceKind.MARK,
        start_ns=start_ns,
        known_ns=start_ns + interval_ns,
        open=opens,
        high=np.maximum(opens, price.max(axis=1)),
        low=np.minimum(opens, price.min(axis=1)),
        close=close.copy(),
        volume_base=rng.exponential(500.0, n),
        taker_buy_base=np.full(n, np.nan),
        open_interest_base=open_interest,
    )


def liquidations(of: BarSeries, seed: int = 2) -> LiquidationSeries:
    """Return hourly liquidations that grow with the fall and rise of the hour, as published dollars do."""
    rng = np.random.default_rng(seed)
    per_hour = NS_PER_HOUR // of.interval_ns
    hours = len(of) // per_hour
    low = of.low[: hours * per_hour].reshape(hours, per_hour).min(axis=1)
    high = of.high[: hours * per_hour].reshape(hours, per_hour).max(axis=1)
    before = of.open[: hours * per_hour : per_hour]
    noise = np.exp(0.6 * rng.standard_normal((2, hours)))
    start_ns = of.start_ns[: hours * per_hour : per_hour].copy()
    return LiquidationSeries(
        instrument=of.instrument,
        interval_ns=NS_PER_HOUR,
        start_ns=start_ns,
        known_ns=start_ns + NS_PER_HOUR,
        long_usd=4e10 * (1.0 - low / before) ** 2 * noise[0],
        short_usd=4e10 * (high / before - 1.0) ** 2 * noise[1],
        venues=("binance",),
        completeness=Completeness.THROTTLED,
    )


def write(of: BarSeries, folder: Path, *, csv: bool = False, with_liquidations: bool = True) -> Path:
    """Write a dataset folder, as a user would import it."""
    folder.mkdir(parents=True, exist_ok=True)

    def stamps(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.Series:
        return pl.Series("ts", values).cast(pl.Datetime("ns", "UTC")).cast(pl.Datetime("us", "UTC"))

    names = ("open", "high", "low", "close", "volume_base", "open_interest_base")
    frame = pl.DataFrame({"ts": stamps(of.start_ns), **{name: getattr(of, name) for name in names}})
    file = "bars.csv" if csv else "bars.parquet"
    if csv:
        frame.write_csv(folder / file)
    else:
        frame.write_parquet(folder / file)
    text = f'instrument = "{of.instrument}"\n[bars]\nfile = "{file}"\ninterval = "{of.interval_ns // NS_PER_MINUTE}m"\n'
    text += 'open_interest = "base"\nprice_kind = "mark"\n'
    if with_liquidations:
        totals = liquidations(of)
        pl.DataFrame({"ts": stamps(totals.start_ns), "long_usd": totals.long_usd, "short_usd": totals.short_usd}).write_parquet(
            folder / "liquidations.parquet"
        )
        text += '[liquidations]\nfile = "liquidations.parquet"\ninterval = "1h"\nvenues = ["binance"]\ncomplete = false\n'
    (folder / "dataset.toml").write_text(text, encoding="utf-8")
    return folder
