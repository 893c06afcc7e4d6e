"""The cascade engine by itself, in memory: the static paths, the paths in time, live reproduction."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.measure import Measured, seconds, timed
from liqscape.cascade import (
    Absorption,
    DepthProfile,
    Direction,
    ForcedVenue,
    absorption,
    both_ways,
    generation_interval,
    ignition,
    reproduction,
    simulate,
    summary,
)
from liqscape.model.arrays import FloatArray

_SHOCK_USD = 3e8
_REACH = 0.5


def levels(buckets: int, draws: int, seed: int) -> FloatArray:
    """Return made-up levels, float64[draws, buckets]: two zones over a floor, uncertain by bucket and as a whole."""
    rng = np.random.default_rng(seed)
    at = (np.arange(buckets) + 0.5) * _REACH / buckets
    per_permille = 1.2e6 + 10e6 * np.exp(-(((at - 0.015) / 0.005) ** 2)) + 30e6 * np.exp(-(((at - 0.055) / 0.006) ** 2))
    usd = per_permille * _REACH / buckets / 0.001
    return usd * rng.lognormal(0.0, 0.4, (draws, 1)) * rng.lognormal(0.0, 0.3, (draws, buckets))


def brakes(buckets: int, horizon_s: float) -> Absorption:
    """Return absorption of a made-up book of $190M within 1 % over 128 draws."""
    distance = np.array([0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05])
    usd = 190e6 * (distance / 0.01) ** 0.75
    book = DepthProfile(distance, usd, usd, ts_ns=0, source="made up")
    return absorption(np.arange(buckets + 1) * _REACH / buckets, book=book, horizon_s=horizon_s)


def static_cascade() -> Iterator[Measured]:
    """20,000 paths each way over 2,000 levels, and over the map's own 500."""
    for buckets, bar, aim in ((2000, 0.150, 0.050), (500, None, None)):
        longs, shorts, standing = levels(buckets, 256, 1), levels(buckets, 256, 2), brakes(buckets, 900.0)

        def asked(longs: FloatArray = longs, shorts: FloatArray = shorts, standing: Absorption = standing) -> None:
            found = both_ways(longs, shorts, standing, shock_usd=_SHOCK_USD, paths=20_000)
            assert 0.0 < ignition(found[Direction.UP]).p_ignites.value < 1.0

        what = f"static cascade, 20,000 paths, both directions, {buckets:,} levels, two threads, summed up"
        yield timed(what, seconds(asked, 15), bar=bar, aim=aim)


def dynamic_cascade() -> Iterator[Measured]:
    """5,000 paths of 15 minutes at 1 s with the map and without it: one venue, then four."""
    standing, draws = brakes(500, 0.0), levels(500, 256, 1)
    four = [
        ForcedVenue(name="a", depth_share=0.4, insurance_fund_usd=1e9),
        ForcedVenue(name="b", depth_share=0.3, insurance_fund_usd=1e8, adl_drawdown=0.3),
        ForcedVenue(name="c", depth_share=0.2),
        ForcedVenue(name="d", depth_share=0.1, first_step=0.4, cooldown_s=30, insurance_fund_usd=1e7),
    ]
    split = np.stack([draws * venue.depth_share for venue in four])
    for venues, usd, bar in (([ForcedVenue(name="one")], draws, 0.5), (four, split, None)):

        def asked(usd: FloatArray = usd, venues: list[ForcedVenue] = venues) -> None:
            found = simulate(usd, standing, Direction.DOWN, venues, shock_usd=_SHOCK_USD, paths=5_000)
            assert summary(found).p_ignites.error < 0.1

        what = f"cascade in time, 5,000 paths x 900 s at 1 s with and without the map, {len(venues)} venue(s), two threads"
        yield timed(what, seconds(asked, 7), bar=bar)


def live_reproduction() -> Iterator[Measured]:
    """One hour of seconds, every second's posterior."""
    orders = np.random.default_rng(4).poisson(0.5, 3600) * 2e4
    weights = generation_interval(20.0, 15.0)

    def asked() -> None:
        reproduction(orders, mean_size_usd=2e4, weights=weights, window=60)

    yield timed("live reproduction number of an hour of seconds", seconds(asked, 15))


def beside_flox() -> Iterator[Measured]:
    """One mark move through 2,000 accounts in FLOX's `LiquidationEngine` (the package is named lrvx now), if it is installed.

    It liquidates accounts one by one at Binance's tiers, and knows one path and no uncertainty: the nearest there is to one of
    the paths above, of which 40,000 are summed up in one run.
    """
    if importlib.util.find_spec("lrvx") is None:
        return
    # A process of its own: loaded behind numba's libraries it finds no room for its thread-local storage.
    done = subprocess.run([sys.executable, "-c", _FLOX], capture_output=True, text=True, check=True)
    taken = [float(text) for text in done.stdout.split()]
    yield timed("FLOX (lrvx) LiquidationEngine, one path: a move of 11 % through 2,000 accounts", taken)


_FLOX = """
import time
from lrvx import LiquidationEngine
for _ in range(15):
    made = LiquidationEngine.binance_um_futures()
    for account in range(2000):  # 100x to 10x at a price of 100
        made.open_position(account, 0, 1.0, 100.0, 1.0 + 9.0 * account / 2000)
    start = time.perf_counter()
    found = made.on_mark(0, 89.0)
    print(time.perf_counter() - start)
    assert found["liquidations_count"] == 2000
"""
