"""True liquidated dollars recovered from throttled feeds of simulated markets.

python -m benchmarks.throttle 5 5,6,7,8 6000 third      # days, seeds, accounts, which market; minutes a seed
python -m benchmarks.throttle 6 5,6,7,8 9000 fifth

One line a seed and rule, dollars over the truth, of the hours after `SCORED_FROM_H`: what was printed, prints times their mean
size in quiet seconds (naive), what was predicted before each hour, what was recovered with the hour's prints, what was recovered
from the prints alone; the share of side-hours inside the 80 % interval; the 20 largest hours; the verdict on the rule.
The markets are far busier than a venue of this size would be: to hide two thirds, a feed needs thousands of forced orders a day.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from liqscape.estimate import MapState
from liqscape.estimate.throttled import Swept, ThrottledLearner, beside, fine_recipe, sweep
from liqscape.estimate.throttled_free import recover_from_prints
from liqscape.estimate.throttled_prints import FeedRule, SecondPrints, by_second
from liqscape.estimate.throttled_recovered import Recovered
from liqscape.estimate.throttled_rule import which_rule
from liqscape.model import BarSeries
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import Group, LiquidationPrints, MarketConfig, SimulatedMarket, SimulatedRun
from liqscape.testing.market.feeds import Feed, FeedTape, publish
from liqscape.testing.market.feeds import FeedRule as Published
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_S

SCORED_FROM_H = 48
MARKETS = {"third": (0.85, 1_500.0), "fifth": (1.0, 700.0)}  # volatility, pause of the busiest group in seconds
SEED_OF_FEED = 11


def busy_market(days: float, accounts: int, volatility: float, wait_s: float) -> MarketConfig:
    """Return a market of many small, highly levered accounts beside a few large ones, in steps of one second."""
    groups = (
        Group(share=0.55, life_s=7_200, wait_s=wait_s, leverage=40.0, size_usd=8e3),
        Group(share=0.25, life_s=21_600, wait_s=2.0 * wait_s, leverage=18.0, size_usd=12e3),
        Group(share=0.15, life_s=216_000, wait_s=100_000, leverage=7.0, size_usd=60e3),
        Group(share=0.05, life_s=1_209_600, wait_s=800_000, leverage=2.4, size_usd=400e3),
    )
    return MarketConfig(
        days=days,
        warmup_days=1.0,
        step_s=1,
        accounts=accounts,
        groups=groups,
        annual_volatility=volatility,
        depth_usd_per_percent=30e6,
        bar_interval_ns=NS_PER_S,
        snapshot_interval_ns=10 * NS_PER_DAY,
    )


def prints_of(tape: FeedTape) -> SecondPrints:
    """Return a feed's prints as an estimator takes them."""
    shown = tape.prints
    return by_second(shown.ts_ns, shown.sign.astype(np.int64), shown.notional_usd, tape.gaps_ns)


def swept_hours(bars: BarSeries) -> list[Swept]:
    """Return what each second of each clock hour swept."""
    state = MapState(fine_recipe(), float(bars.open[0]), float(bars.open_interest_base[0]), bars.interval_ns)
    edges = np.append(np.flatnonzero(np.diff(bars.start_ns // NS_PER_HOUR, prepend=-1)), len(bars)).tolist()
    return [sweep(state, bars.slice(i, j)) for i, j in pairwise(edges)]


def recover(hours: list[Swept], prints: SecondPrints, rule: FeedRule) -> list[Recovered]:
    """Return every hour of a feed, recovered with the price of each second."""
    learner = ThrottledLearner(fine_recipe(), rule)
    return [learner.observe(beside(hour, prints)) for hour in hours]


def hourly(prints: LiquidationPrints, start_ns: int, hours: int) -> FloatArray:
    """Return what was truly liquidated per hour and side, float64[hours, 2]."""
    hour = (prints.ts_ns - start_ns) // NS_PER_HOUR
    sums = [np.bincount(hour[prints.sign == s], prints.notional_usd[prints.sign == s], hours)[:hours] for s in (1, -1)]
    return np.stack(sums, axis=1).astype(np.float64)


@dataclass(frozen=True)
class Line:
    """Dollars over the truth, of the scored hours; `inside` is the share of side-hours inside the 80 % interval."""

    reported: float
    naive: float
    predicted: float
    recovered: float
    free: float
    inside: float
    largest_hours: float
    free_inside: float
    verdict: str

    def __str__(self) -> str:
        numbers = (self.reported, self.naive, self.predicted, self.recovered, self.free, self.largest_hours)
        return " ".join(f"{value:9.2f}" for value in numbers) + f" {self.inside:9.0%} {self.free_inside:9.0%} {self.verdict}"


HEAD = " ".join(f"{word:>9}" for word in ("reported", "naive", "predicted", "recovered", "free", "top 20 h", "inside", "free in"))


def score(run: SimulatedRun, hours: list[Swept], rule: FeedRule, scored_from_h: int = SCORED_FROM_H) -> Line:
    """Throttle the feed of a market, recover it, and compare with the truth."""
    feed = Feed(rule=Published(rule.value), delay_s=0.2, jitter=0.5)
    start = int(run.bars.start_ns[0])
    tape = publish(run.prints, feed, from_ns=start, to_ns=int(run.bars.end_ns[-1]), seed=SEED_OF_FEED)
    prints = prints_of(tape)
    found = recover(hours, prints, rule)
    free = recover_from_prints(prints, rule, start // NS_PER_S, len(found) * 3_600, 3_600)
    truth = hourly(run.prints, start, len(found))
    kept = np.array([i >= scored_from_h and np.isfinite(hour.true_usd).all() for i, hour in enumerate(found)])
    true = truth[kept]

    def column(name: str, rows: list[Recovered]) -> FloatArray:
        return np.array([getattr(hour, name) for hour in rows])[kept]

    estimate = column("true_usd", found)
    biggest = np.argsort(true.sum(axis=1))[::-1][:20]
    inside, free_inside = (
        float(((true >= column("low_usd", rows)) & (true <= column("high_usd", rows))).mean()) if kept.any() else math.nan
        for rows in (found, free)
    )
    minute, count = np.unique(prints.second // 60, return_counts=True)
    quiet = np.isin(prints.second // 60, minute[count <= 2])
    shown = np.isin(prints.second // 3_600, np.array([hour.start_ns // NS_PER_HOUR for hour in found])[kept]).sum()
    total = float(true.sum())

    def over(part: float, whole: float = total) -> float:
        return part / whole if whole > 0.0 else math.nan

    return Line(
        reported=over(float(column("reported_usd", found).sum())),
        naive=over(float(shown * prints.usd[quiet].mean())),
        predicted=over(float(column("predicted_usd", found).sum())),
        recovered=over(float(estimate.sum())),
        free=over(float(column("true_usd", free).sum())),
        inside=inside,
        largest_hours=over(float(estimate[biggest].sum()), float(true[biggest].sum())),
        free_inside=free_inside,
        verdict=which_rule(prints).verdict.value,
    )


def main(days: float, seeds: list[int], accounts: int, market: str) -> None:
    """Print one line a seed and rule."""
    volatility, wait_s = MARKETS[market]
    print(f"{days:g} days, {accounts} accounts, market {market}; dollars over the truth")
    print(f"{'seed':>4} {'rule':>8} {'prints/d':>9} {HEAD} verdict", flush=True)
    for seed in seeds:
        run = SimulatedMarket(busy_market(days, accounts, volatility, wait_s), seed=seed).run()
        hours = swept_hours(run.bars)
        for rule in FeedRule:
            line = score(run, hours, rule)
            print(f"{seed:4d} {rule.value:>8} {len(run.prints) / days:9.0f} {line}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(seed) for seed in sys.argv[2].split(",")], int(sys.argv[3]), sys.argv[4])
