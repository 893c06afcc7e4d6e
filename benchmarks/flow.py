"""What flow streams add, on simulated markets with and without bursts of opening; and what open interest adds on a pack.

    python -m benchmarks.flow markets 1,2,3,4,5            # seeds; about 20 s a market
    python -m benchmarks.flow pack ../shared/data/btcusdt_backtest

Markets: price is exogenous (nothing moves it), so that both kinds of market have the same paths. The estimator sees what a venue
publishes. `true opens` is the same clock fed with the gross opens of each side, which no venue publishes: what flow could add.

Pack: open interest as published, against a constant and against itself shifted by days (wrapped around), with one recipe. It has
no taker volume by bar, so the flow streams that need one cannot be judged on it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.variants import WINDOWS, Scored, difference, read_pack, run
from liqscape.estimate import Estimator, MapState, Recipe, contracts
from liqscape.model import BarSeries
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import Bursts, MarketConfig, SimulatedMarket, SimulatedRun, true_levels
from liqscape.units import NS_PER_DAY
from liqscape.validate.scores import poisson_deviance

DAYS, LEARN_DAYS, BURN_IN_DAYS = 50, 26, 7
NEAR = 0.02
EVEN, SIDED = Recipe(), replace(Recipe(), streams=("sided",))
SHIFTS = (3, 7, 11)  # days


@dataclass(frozen=True)
class Found:
    """D2 hour by hour (mean of sides) and the mean absolute log error of the dollars within 2 %, a day and side each."""

    d2: float
    near: float


def market(seed: int, bursts: Bursts | None, days: float = DAYS, **changes: object) -> SimulatedRun:
    """Return a market whose price nothing moves."""
    config = replace(MarketConfig(days=days, impact=False), bursts=bursts, **changes)  # pyright: ignore[reportArgumentType]
    return SimulatedMarket(config, seed=seed).run()


def with_true_opens(made: SimulatedRun) -> BarSeries:
    """Return bars whose volumes make the clock `sided` run exactly with the gross opens of each side."""
    steps = made.config.bar_interval_ns // made.config.step_ns
    lots = made.steps.opened_long_lots, made.steps.opened_short_lots
    long, short = (of.reshape(-1, steps).sum(axis=1) * made.config.lot_base for of in lots)
    change = np.diff(made.bars.open_interest_base, prepend=made.bars.open_interest_base[0])
    volume = np.maximum(long + short - change, 0.0) / 0.7
    both = np.maximum(long + short, 1e-12)
    share = np.where(long + short > 0.0, long / both, 0.5)
    return replace(made.bars, volume_base=volume, taker_buy_base=volume * (0.5 + (share - 0.5) / 2.0))


def judged(made: SimulatedRun, bars: BarSeries, recipe: Recipe, learn_days: float = LEARN_DAYS) -> Found:
    """Run the estimator over a market and compare it with what was liquidated and with what stood near the price."""
    estimator = Estimator(bars.interval_ns, made.liquidations.interval_ns, (recipe,))
    first = int(bars.start_ns[0])
    done, errors = 0, list[float]()
    for snapshot in made.snapshots:
        until = int(np.searchsorted(bars.end_ns, snapshot.as_of_ns, side="right"))
        estimator.observe(bars.slice(done, until), made.liquidations, snapshot.as_of_ns)
        done = until
        if snapshot.as_of_ns < first + learn_days * NS_PER_DAY:
            continue
        truth = true_levels(snapshot, width=NEAR, buckets=1)
        weights = estimator.mixes()[0].weights
        for side in (0, 1):
            estimate = near_usd(estimator.states[0], side, weights[side], snapshot.mark_price)
            if truth[side][0] > 0.0 and estimate > 0.0:
                errors.append(abs(math.log(estimate / float(truth[side][0]))))
    record = estimator.record
    start = np.array([i.start_ns for i in record])
    realised, predicted = (np.array([getattr(i, name) for i in record]) for name in ("realised_usd", "predicted_usd"))
    known = ~np.isnan(realised).any(axis=1)
    scored = known & (start >= first + learn_days * NS_PER_DAY)
    before = known & (start >= first + BURN_IN_DAYS * NS_PER_DAY) & ~scored
    return Found(float(np.mean(explained(realised, predicted, before, scored))), float(np.mean(errors)))


def near_usd(state: MapState, side: int, weights: FloatArray, mark: float) -> float:
    """Dollars within 2 % of the mark on one side, tiers that are not drawn left out as in a map."""
    edges = mark * (1.0 + (1 if side else -1) * np.array([0.0, NEAR]))
    standing = contracts(state, side, edges).reshape(weights.size)
    return float((weights * np.repeat(state.recipe.drawn, state.recipe.classes)) @ standing) * float(edges.mean())


def explained(
    realised: FloatArray, predicted: FloatArray, before: np.ndarray[tuple[int], np.dtype[np.bool_]],
    scored: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> list[float]:  # fmt: skip
    """D2 of each side against the mean of the hours before."""
    out: list[float] = []
    for s in (0, 1):
        y, null = realised[scored, s], np.full(int(scored.sum()), realised[before, s].mean())
        out.append(1.0 - poisson_deviance(y, predicted[scored, s]) / poisson_deviance(y, null))
    return out


def markets(seeds: Sequence[int]) -> bool:
    """Print the table of simulated markets and whether the gates hold."""
    means: dict[str, tuple[float, float]] = {}
    print(f"{DAYS} days, the first {LEARN_DAYS} to learn; D2 hour by hour (mean of sides); error of the dollars within 2 %")
    for name, bursts in (("bursts of 10x", Bursts()), ("no bursts", None)):
        rows = np.array([_row(seed, bursts) for seed in seeds])
        for seed, row in zip(seeds, rows, strict=True):
            print(f"{name}, seed {seed}: " + _told(row))
        mean = rows.mean(axis=0)
        print(f"{name}, mean: {_told(mean)}")
        means[name] = float(mean[2] - mean[0]), float(mean[4] - mean[0])
        print(f"{name}: flow {means[name][0]:+.4f}, true opens {means[name][1]:+.4f}, near error {mean[3] / mean[1] - 1:+.1%}")
    gain, most = means["bursts of 10x"]
    held = gain >= 0.5 * most > 0.0 and means["no bursts"][0] >= -0.003
    print(f"gates (half of what true opens gain; a loss of at most .003): {'held' if held else 'missed'}")
    return held


def _row(seed: int, bursts: Bursts | None) -> list[float]:
    made = market(seed, bursts)
    found = [judged(made, made.bars, EVEN), judged(made, made.bars, SIDED), judged(made, with_true_opens(made), SIDED)]
    return [number for each in found for number in (each.d2, each.near)]


def _told(row: FloatArray) -> str:
    names = ("even", "flow", "true opens")
    return ", ".join(f"{name} {row[2 * i]:.4f} {row[2 * i + 1]:.3f}" for i, name in enumerate(names))


def pack(folder: Path) -> None:
    """Print what open interest adds on a pack, with day-block intervals."""
    bars, liquidations = read_pack(folder)
    published = run("open interest", bars, liquidations, EVEN)
    oi = bars.open_interest_base
    others = {"constant": np.full(oi.size, oi.mean())}
    others |= {
        f"{days} days {word}": np.roll(oi, sign * days * 288) for days in SHIFTS for sign, word in ((1, "late"), (-1, "early"))
    }
    rivals: dict[str, Scored] = {
        name: run(name, replace(bars, open_interest_base=series), liquidations, EVEN) for name, series in others.items()
    }
    print("D2 with open interest as published, less D2 with another (mean of sides); 5, 50, 95 % of day-block bootstrap")
    for window in WINDOWS:
        for name, rival in rivals.items():
            low, middle, high = difference(published, rival, window)
            print(f"{window:5s} against {name:14s} {middle:+.4f} [{low:+.4f}, {high:+.4f}]")


if __name__ == "__main__":
    if sys.argv[1] == "markets":
        sys.exit(0 if markets([int(seed) for seed in sys.argv[2].split(",")]) else 20)
    pack(Path(sys.argv[2]))
