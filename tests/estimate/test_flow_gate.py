"""The gate of flow streams in short, on a made-up market whose clocks are known; the whole one is `python -m benchmarks.flow`.

Positions follow the estimator's own rules here, with true gross opens as their clock, one set of weights and no noise: so this
judges the plumbing from published volumes to predictions, and nothing about real markets.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from estimate_scenes import SHIPPED, random_bars, small

from liqscape.estimate import Estimator, MapState
from liqscape.model import Completeness, LiquidationSeries
from liqscape.units import NS_PER_HOUR

DAYS, LEARNS = 35, 21
BARS_A_DAY = 288
EVEN, SIDED = small(), small(streams=("sided",))


def opens_of(n, ratio, rng):
    """Gross opens of longs and shorts in base units: `ratio` times the calm rate in a tenth of all hours, mostly of one side."""
    burst = np.repeat(rng.random(n // 12 + 1) < 0.1, 12)[:n]
    long_share = np.repeat(rng.choice((0.15, 0.85), n // 12 + 1), 12)[:n]
    size = 100.0 * np.where(burst, ratio, 1.0) * rng.gamma(4.0, 0.25, n)
    share = np.where(burst, long_share, 0.5)
    return size * share, size * (1.0 - share)


def market(ratio, seed):
    """Bars as a venue would publish them, the same with true opens in place of volumes, and the liquidations of those."""
    rng = np.random.default_rng(seed)
    bars = random_bars(DAYS * BARS_A_DAY, seed, volatility=0.002)
    long, short = opens_of(len(bars), ratio, rng)
    change = np.diff(bars.open_interest_base, prepend=bars.open_interest_base[0])
    # What the clock `sided` takes for gross opens and their sides, exactly.
    exact = np.maximum(long + short - change, 0.0) / 0.7
    true = replace(bars, volume_base=exact, taker_buy_base=exact * (0.5 + (long / (long + short) - 0.5) / 2.0))
    # Published: as much again of trades that open nothing, and takers who close lean the other way.
    idle = 400.0 * rng.gamma(4.0, 0.25, len(bars))
    volume = 2.0 * (long + short) + idle
    published = replace(bars, volume_base=volume, taker_buy_base=1.3 * long + 0.7 * short + 0.5 * idle)
    state = MapState(SIDED, 60_000.0, float(bars.open_interest_base[0]), bars.interval_ns)
    hour = bars.start_ns // NS_PER_HOUR
    hours, row = np.unique(hour, return_inverse=True)
    exposure = np.zeros((hours.size, 2, SIDED.tiers, SIDED.classes))
    state.roll(true, row.astype(np.int64), exposure)
    usd = 0.002 * np.einsum("tskc,k->ts", exposure, SIDED.distances / 0.02)
    start = hours * NS_PER_HOUR
    sums = LiquidationSeries(
        bars.instrument, NS_PER_HOUR, start, start + NS_PER_HOUR, usd[:, 0], usd[:, 1], ("binance",), Completeness.ALL
    )
    return published, true, sums


def loss(bars, sums, recipe):
    """Poisson deviance per dollar of the hours after the first three weeks."""
    estimator = Estimator(bars.interval_ns, NS_PER_HOUR, (recipe,), SHIPPED)
    estimator.observe(bars, sums, int(bars.end_ns[-1]))
    scored = [i for i in estimator.record if i.start_ns >= bars.start_ns[0] + LEARNS * 24 * NS_PER_HOUR]
    y, mean = (np.array([getattr(i, name) for i in scored]) for name in ("realised_usd", "predicted_usd"))
    return 2.0 * np.sum(np.where(y > 0.0, y * np.log(np.where(y > 0.0, y, 1.0) / mean), 0.0) - (y - mean)) / y.sum()


@pytest.mark.parametrize("seed", [1, 2])
def test_in_bursts_flow_gains_half_of_what_true_opens_gain(seed):
    published, true, sums = market(10.0, seed)
    even, flow, known = loss(published, sums, EVEN), loss(published, sums, SIDED), loss(true, sums, SIDED)
    assert known < 0.9 * even  # else there is nothing to gain
    assert even - flow >= 0.5 * (even - known)


@pytest.mark.parametrize("seed", [1, 2])
def test_without_bursts_flow_costs_next_to_nothing(seed):
    published, _, sums = market(1.0, seed)
    assert loss(published, sums, SIDED) <= loss(published, sums, EVEN) + 0.003
