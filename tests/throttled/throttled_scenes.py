"""A world whose forced orders come from a map with other weights and lifetimes than the estimator's, throttled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liqscape.estimate import MapState, Recipe
from liqscape.estimate.throttled_prints import FeedRule, by_second
from liqscape.model import BarSeries, InstrumentId, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_S

START_S = 1_767_225_600
MEAN_USD = 20_000.0


@dataclass(frozen=True)
class World:
    """Bars of one second and every forced order (sorted by second): second, sign, size, and the truth per hour and side."""

    bars: BarSeries
    second: np.ndarray
    sign: np.ndarray
    usd: np.ndarray

    def hourly(self) -> np.ndarray:
        hour = (self.second - START_S) // 3_600
        n = len(self.bars) // 3_600
        return np.stack([np.bincount(hour[self.sign == s], self.usd[self.sign == s], n)[:n] for s in (1, -1)], axis=1)

    def shown(self, rule: FeedRule, silences_ns=None):
        """The prints of a feed."""
        order = np.lexsort((self.usd, self.second)) if rule is FeedRule.LARGEST else np.arange(self.second.size)
        last = order[np.append(np.flatnonzero(np.diff(self.second)), self.second.size - 1)]
        heard = np.ones(last.size, bool)
        for a, b in silences_ns if silences_ns is not None else ():
            heard &= (self.second[last] * NS_PER_S < a) | (self.second[last] * NS_PER_S >= b)
        last = last[heard]
        return by_second(self.second[last] * NS_PER_S, self.sign[last], self.usd[last], silences_ns)


def bars_of(mark, start_s=START_S):
    """Bars of one second from marks at their ends."""
    start = (start_s + np.arange(mark.size, dtype=np.int64)) * NS_PER_S
    opens = np.concatenate([mark[:1], mark[:-1]])
    unknown = np.full(mark.size, np.nan)
    high, low = np.maximum(opens, mark), np.minimum(opens, mark)
    oi = np.full(mark.size, 80_000.0)
    name = InstrumentId("simulated", "BTCUSDT")
    return BarSeries(name, NS_PER_S, PriceKind.MARK, start, start + NS_PER_S, opens, high, low, mark, unknown, unknown, oi)


def world(hours=48, seed=1, orders_per_day=8_000.0):
    """Forced orders are Poisson around what a hidden map loses; its mix, lifetimes and grid are its own."""
    rng = np.random.default_rng(seed)
    n = hours * 3_600
    volatility = 0.00010 * np.exp(0.5 * np.repeat(rng.standard_normal(hours), 3_600))
    mark = 60_000.0 * np.exp(np.cumsum(rng.standard_t(5, n) * volatility))
    bars = bars_of(mark)
    hidden = replace(Recipe(tiers=9, nearest=0.004, farthest=0.3, churn=(0.004, 0.08)), step=0.00005, smear=0.3, blur=2.0)
    state = MapState(hidden, float(mark[0]), 80_000.0, NS_PER_S)
    mix = np.repeat(hidden.distances**1.1 * rng.uniform(0.5, 1.5, hidden.tiers), hidden.classes)
    lost = np.zeros((n, 2))
    for i in range(0, n, 3_600):
        swept = np.zeros((3_600, 2, hidden.tiers, hidden.classes))
        state.roll(bars.slice(i, i + 3_600), np.arange(3_600), swept)
        lost[i : i + 3_600] = swept.reshape(3_600, 2, -1) @ mix
    rate = lost * orders_per_day * hours / 24.0 / lost.sum()
    number = rng.poisson(rate)
    second = np.repeat(np.arange(n), number.sum(axis=1)) + START_S
    sign = np.concatenate([rng.permutation(np.repeat([1, -1], pair)) for pair in number[number.sum(axis=1) > 0]])
    usd = np.minimum(rng.pareto(1.8, second.size) + 1.0, 60.0) * MEAN_USD * 0.45
    return World(bars, second, sign, usd)


def hours_of(bars: BarSeries):
    """Cut bars into whole clock hours."""
    per_hour = NS_PER_HOUR // NS_PER_S
    return [bars.slice(i, i + per_hour) for i in range(0, len(bars), per_hour)]
