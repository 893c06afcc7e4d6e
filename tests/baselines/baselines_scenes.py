"""A made-up market for the baselines: a random walk with volume, open interest, funding and liquidations that follow the path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from liqscape.clock import parse_instant
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from liqscape.validate.panel import Panel, Schedule, panel

ONE = InstrumentId("test", "XUSDT")
START = parse_instant("2026-01-01")
SCHEDULE = Schedule(anchor_ns=START + 35 * NS_PER_DAY, fit_days=20.0, refit_days=7.0, embargo_days=2.0)


def tape(*, days=50, minutes=20, seed=3, power=2.0):
    """Bars of a walk of 5 steps a bar; an hour liquidates 1e9 times its adverse move to a power, with noise."""
    rng = np.random.default_rng(seed)
    interval_ns = minutes * NS_PER_MINUTE
    n = days * NS_PER_DAY // interval_ns
    path = 100.0 * np.exp(np.cumsum(0.004 * np.sqrt(minutes / 300.0) * rng.standard_t(4, (n, 5)).ravel()).reshape(n, 5))
    close = path[:, -1]
    opened = np.concatenate(([100.0], close[:-1]))
    low, high = np.minimum(path.min(axis=1), opened), np.maximum(path.max(axis=1), opened)
    start = START + interval_ns * np.arange(n)
    volume = 1e3 * (high / low - 1.0) * rng.gamma(3.0, 1.0, n)
    volume[n // 2 :: 7] = np.nan
    oi = 1e6 * np.exp(np.cumsum(0.003 * rng.standard_normal(n)))
    bars = BarSeries(
        ONE, interval_ns, PriceKind.MARK, start, start + interval_ns, opened, high, low, close, volume, np.full(n, np.nan), oi
    )
    return bars, liquidations_of(bars, rng, power)


def liquidations_of(bars, rng, power):
    hours = np.unique(bars.start_ns // NS_PER_HOUR)
    first = np.searchsorted(bars.start_ns, hours * NS_PER_HOUR)
    last = np.append(first[1:], len(bars))
    usd = np.empty((hours.size, 2))
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        before = bars.open[a]
        move = np.array([1.0 - bars.low[a:b].min() / before, bars.high[a:b].max() / before - 1.0])
        usd[i] = 1e9 * move**power * rng.gamma(20.0, 0.05, 2)
    start = hours * NS_PER_HOUR
    return LiquidationSeries(ONE, NS_PER_HOUR, start, start + NS_PER_HOUR, usd[:, 0], usd[:, 1], ("test",), Completeness.ALL)


def rows_of(bars: BarSeries, liquidations: LiquidationSeries) -> Panel:
    """Every hour of a tape, with a funding rate every 8 hours."""
    rng = np.random.default_rng(9)
    at = START + 8 * NS_PER_HOUR * np.arange(200)
    realised = np.column_stack((liquidations.long_usd, liquidations.short_usd))
    return panel(bars, liquidations, liquidations.start_ns, realised, (at, 1e-4 * rng.standard_normal(at.size)))


def spoilt(bars, liquidations, from_ns, *, prices=1.3, dollars=100.0, contracts=3.0):
    """The same tape with other prices, volume and open interest, and other liquidations, from an instant on."""
    late, after = bars.start_ns >= from_ns, liquidations.start_ns >= from_ns
    moved = {name: getattr(bars, name) * np.where(late, prices, 1.0) for name in ("open", "high", "low", "close")}
    grown = {name: getattr(bars, name) * np.where(late, contracts, 1.0) for name in ("volume_base", "open_interest_base")}
    more = {name: getattr(liquidations, name) * np.where(after, dollars, 1.0) for name in ("long_usd", "short_usd")}
    return replace(bars, **moved, **grown), replace(liquidations, **more)
