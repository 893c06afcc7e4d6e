"""Small markets for the estimator's tests: bars on a random path, liquidations made from them, and recipes to count by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from liqscape.estimate import Recipe, Shipped
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

BTC = InstrumentId("binance", "BTCUSDT")
FIVE_MINUTES = 5 * NS_PER_MINUTE
START = 1_767_225_600 * 10**9  # 2026-01-01, a whole hour
SHIPPED = Shipped(0.001, 0.0008, "binance:BTCUSDT", "2026-01-01", "2026-01-19", 432, "none: made for tests")


def bar_series(low, high, close, open_interest, *, start_ns=START, interval_ns=FIVE_MINUTES, keep=None):
    """Bars one after the other; `keep` leaves only those (booleans), the others are a gap."""
    low, high, close, oi = (np.atleast_1d(np.asarray(x, float)) for x in (low, high, close, open_interest))
    start = start_ns + np.arange(close.size, dtype=np.int64) * interval_ns
    if keep is not None:
        low, high, close, oi, start = (x[keep] for x in (low, high, close, oi, start))
    unknown = np.full(close.size, np.nan)
    opened = np.concatenate((close[:1], close[:-1]))
    opened = np.clip(opened, low, high)
    return BarSeries(
        BTC, interval_ns, PriceKind.MARK, start, start + interval_ns, opened, high, low, close, unknown, unknown, oi
    )  # fmt: skip


def random_bars(n, seed=1, *, interval_ns=FIVE_MINUTES, volatility=0.0015, start_ns=START, keep=None, price=60_000.0):
    """Bars of a random walk made of 10 steps a bar; open interest wanders around 80,000."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_t(4, (n, 10)) * volatility / np.sqrt(20.0)
    path = price * np.exp(np.cumsum(steps).reshape(n, 10))
    oi = 8e4 * np.exp(np.cumsum(rng.normal(0.0, 0.002 * np.sqrt(interval_ns / FIVE_MINUTES), n)))
    low, high = path.min(axis=1), path.max(axis=1)
    return bar_series(low, high, path[:, -1], oi, start_ns=start_ns, interval_ns=interval_ns, keep=keep)


def joined(minutes, size):
    """Merge every `size` bars into one."""
    n = len(minutes) // size
    shape = (n, size)
    low, high = minutes.low[: n * size].reshape(shape).min(axis=1), minutes.high[: n * size].reshape(shape).max(axis=1)
    close, oi = (x[: n * size].reshape(shape)[:, -1] for x in (minutes.close, minutes.open_interest_base))
    return bar_series(low, high, close, oi, start_ns=int(minutes.start_ns[0]), interval_ns=size * minutes.interval_ns)


def liquidations_of(bars, seed=2, *, interval_ns=NS_PER_HOUR, scale=2e7, unknown=0.0):
    """Published sums: the farther price travelled in an interval, the more, with noise; some intervals are absent."""
    rng = np.random.default_rng(seed)
    index = bars.start_ns // interval_ns
    blocks = np.unique(index)
    travelled = np.array([np.log(bars.high[index == b].max() / bars.low[index == b].min()) for b in blocks])
    usd = scale * travelled[:, None] ** 1.5 * rng.gamma(2.0, 0.5, (blocks.size, 2))
    keep = rng.random(blocks.size) >= unknown
    start = blocks[keep] * interval_ns
    return LiquidationSeries(
        BTC, interval_ns, start, start + interval_ns, usd[keep, 0], usd[keep, 1], ("binance",), Completeness.THROTTLED
    )  # fmt: skip


def one_tier(distance=0.1, *, churn=(0.0,), **changes):
    """One distance, no smear, no in-bar deaths, no tilt: every number can be redone in the head."""
    plain = Recipe(tiers=1, nearest=distance, farthest=distance, churn=churn, smear=0.0, nodes=(0.0,), coarser=())
    return replace(plain, **{"in_bar": 0.0, "tilt": 0.0, **changes})


def small(**changes):
    """A recipe that is quick to roll."""
    return replace(Recipe(tiers=6), **changes)
