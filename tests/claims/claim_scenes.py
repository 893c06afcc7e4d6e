"""Bars of a random walk, maps made by hand, and windows cut from them."""

from __future__ import annotations

import numpy as np

from liqscape.clock import parse_instant
from liqscape.model import BarSeries, InstrumentId, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.validate.claims_windows import claim_windows
from liqscape.validate.frozen import STEP, FrozenMaps

START = parse_instant("2026-01-01")
FIVE_MINUTES = 5 * NS_PER_MINUTE
DAY_BARS = 288
FOUR_HOURS = 4 * NS_PER_HOUR


def series(close, low=None, high=None, start_ns=START):
    """Bars of 5 minutes from closes; without extremes a bar moves straight from the close before."""
    close = np.asarray(close, float)
    first = np.concatenate(([close[0]], close[:-1]))
    low = np.minimum(first, close) if low is None else low
    high = np.maximum(first, close) if high is None else high
    ts = start_ns + np.arange(close.size) * FIVE_MINUTES
    unknown = np.full(close.size, np.nan)
    return BarSeries(
        instrument=InstrumentId("binance", "BTCUSDT"), interval_ns=FIVE_MINUTES, price_kind=PriceKind.MARK, start_ns=ts,
        known_ns=ts + FIVE_MINUTES, open=first, high=high, low=low, close=close, volume_base=unknown, taker_buy_base=unknown,
        open_interest_base=np.full(close.size, 1_000.0),
    )  # fmt: skip


def random_walk(days=20, seed=1, sigma=0.001):
    """Bars of a price without memory, four steps a bar."""
    steps = np.random.default_rng(seed).normal(0.0, sigma / 2.0, (days * DAY_BARS, 4))
    path = 80_000.0 * np.exp(np.cumsum(steps).reshape(steps.shape))
    first = np.concatenate(([80_000.0], path[:-1, -1]))
    both = np.column_stack((first, path))
    return series(path[:, -1], both.min(axis=1), both.max(axis=1))


def random_maps(bars, seed=1, hours=4, days_before=4, buckets=400):
    """Maps that know nothing: lumps at random distances on both sides."""
    rng = np.random.default_rng(seed)
    at = np.arange(int(bars.start_ns[0]) + days_before * 24 * NS_PER_HOUR, int(bars.end_ns[-1]), hours * NS_PER_HOUR)
    price = bars.close[np.searchsorted(bars.end_ns, at, side="right") - 1]
    return FrozenMaps(at, price, rng.gamma(0.3, 1e6, (at.size, 2, buckets)), STEP)


def random_windows(days=20, seed=1, horizon_ns=FOUR_HOURS):
    """Windows of a random walk with random maps."""
    bars = random_walk(days, seed)
    return bars, claim_windows(bars, random_maps(bars, seed), horizon_ns)
