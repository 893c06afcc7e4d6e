"""Variants of the estimator, scored hour by hour on the fit and the tune window against the shipped recipe.

    python -m benchmarks.variants ../shared/data/btcusdt_backtest [WORD ...]     # one table; with words only those variants

Each row: D2 of longs and shorts, and the mean of both sides less the shipped recipe's, with 5, 50 and 95 % of a paired bootstrap
of days, in units of .0001. A variant is kept if it wins on both windows by more than the noise. The test window is not looked at.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import variant_kernels
from liqscape.clock import parse_instant
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.estimate import Learner, MapState, Recipe, shipped_weights
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.store import read_bars, read_liquidations
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

BURN_IN_DAYS, SCORED_AFTER_DAYS = 7, 15
WINDOWS = {"fit": (None, "2026-01-19"), "tune": ("2026-01-19", "2026-02-16"), "test": ("2026-02-16", "2026-04-01")}
CHOOSING = ("fit", "tune")
_DRAWS, _SEED = 1000, 7
_FIVE = 288  # bars a day


@dataclass(frozen=True)
class Scored:
    """A variant's hours: ns UTC of their start, and USD (long, short) realised and predicted."""

    name: str
    start_ns: IntArray
    realised: FloatArray
    predicted: FloatArray

    def inside(self, window: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Hours of a window whose liquidations are known; the fit window begins when the first prior was fitted."""
        low, high = WINDOWS[window]
        first = int(self.start_ns[0]) + SCORED_AFTER_DAYS * NS_PER_DAY if low is None else parse_instant(low)
        known = ~np.isnan(self.realised).any(axis=1)
        return known & (self.start_ns >= first) & (self.start_ns < parse_instant(high or ""))

    def parts(self, window: str) -> tuple[FloatArray, FloatArray]:
        """Deviance of every hour and side, float64[n, 2], and of the null: the mean of hours before (of the fit: its own)."""
        inside = self.inside(window)
        until = parse_instant(WINDOWS[window][1 if window == "fit" else 0] or "")
        before = (self.start_ns >= self.start_ns[0] + BURN_IN_DAYS * NS_PER_DAY) & (self.start_ns < until)
        null = np.nanmean(self.realised[before], axis=0)
        y = self.realised[inside]
        return deviances(y, self.predicted[inside]), deviances(y, np.broadcast_to(null, y.shape))

    def d2(self, window: str) -> FloatArray:
        """D2 of both sides."""
        mine, null = self.parts(window)
        return 1.0 - mine.sum(axis=0) / null.sum(axis=0)


def deviances(y: FloatArray, mean: FloatArray) -> FloatArray:
    """Poisson deviance of every number, in dollars."""
    mean = np.maximum(mean, 1.0)
    likely = np.where(y > 0.0, y * np.log(np.where(y > 0.0, y, 1.0) / mean), 0.0)
    return 2.0 * (likely - (y - mean))


def difference(one: Scored, other: Scored, window: str) -> tuple[float, float, float]:
    """Return 5, 50 and 95 % of D2 of one less the other, mean of sides, over paired draws of days."""
    day = (one.start_ns[one.inside(window)] - one.start_ns[0]) // NS_PER_DAY
    _, day = np.unique(day, return_inverse=True)
    (mine, null), (theirs, _) = one.parts(window), other.parts(window)
    sums = np.zeros((3, int(day.max()) + 1, 2))
    for i, numbers in enumerate((mine, theirs, null)):
        np.add.at(sums[i], day, numbers)
    rng = np.random.default_rng(_SEED)
    drawn = sums[:, rng.integers(0, sums.shape[1], (_DRAWS, sums.shape[1]))].sum(axis=2)
    gains = ((drawn[1] - drawn[0]) / drawn[2]).mean(axis=1)
    low, middle, high = np.quantile(gains, (0.05, 0.5, 0.95))
    return float(low), float(middle), float(high)


def read_pack(folder: Path) -> tuple[BarSeries, LiquidationSeries]:
    """Read a pack through the product's own import."""
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(Path(name))
        import_paths(workspace.store, [folder])
        instrument = workspace.stored()[0]
        return read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)


def realised_of(hours: IntArray, liquidations: LiquidationSeries) -> FloatArray:
    """float64[n, 2], published USD of hours (numbered since 1970), NaN where none was published."""
    start = hours * NS_PER_HOUR
    at = np.minimum(np.searchsorted(liquidations.start_ns, start), len(liquidations) - 1)
    found = liquidations.start_ns[at] == start
    both = np.stack([liquidations.long_usd[at], liquidations.short_usd[at]], axis=1)
    return np.where(found[:, None], both, np.nan)


def started(recipe: Recipe, bars: BarSeries) -> tuple[MapState, BarSeries]:
    """Return a fresh state after the first bar, and the bars that follow."""
    state = MapState(recipe, float(bars.close[0]), float(bars.open_interest_base[0]), bars.interval_ns)
    state.end_ns = int(bars.end_ns[0])
    return state, bars.slice(1, len(bars))


def learned(name: str, hours: IntArray, exposure: FloatArray, liquidations: LiquidationSeries, recipe: Recipe) -> Scored:
    """Learn walk-forward from what every hour sweeps, float64[hours, 2, T]."""
    realised = realised_of(hours, liquidations)
    learner = Learner(recipe, NS_PER_HOUR, shipped_weights())
    predicted = learner.observe(exposure, realised, None, (hours + 1) * NS_PER_HOUR)
    return Scored(name, hours * NS_PER_HOUR, realised, predicted)


def run(name: str, bars: BarSeries, liquidations: LiquidationSeries, recipe: Recipe) -> Scored:
    """Score a recipe of the estimator itself."""
    state, rest = started(recipe, bars)
    hours, row = np.unique(rest.start_ns // NS_PER_HOUR, return_inverse=True)
    exposure = np.zeros((hours.size, 2, recipe.tiers, recipe.classes))
    state.roll(rest, row.astype(np.int64), exposure)
    return learned(name, hours, exposure.reshape(hours.size, 2, -1), liquidations, recipe)


@dataclass(frozen=True)
class Shape:
    """What `variant_kernels.roll` does differently; the default is the estimator's own bar."""

    whole_cells: bool = False
    edge_before: float = 1e-9
    edge_behind: float = 1e-9
    at_once: float = 1.0
    depth: float = 1e-3
    order: float = 0.0
    at_close: float = 0.0
    close_width: float = 0.0
    stages: int = 1

    def numbers(self) -> FloatArray:
        """As the kernel takes them."""
        return np.array([float(getattr(self, name)) for name in self.__dataclass_fields__])


def rolled(
    bars: BarSeries, recipe: Recipe, shape: Shape, clock: FloatArray | None = None, *, by_bar: bool = False
) -> tuple[IntArray, IntArray, FloatArray]:
    """Roll the kernel of variants. Returns hours, the hour's row of each bar, and exposure by hour (or by bar), flat in T."""
    state, rest = started(recipe, bars)
    state.grow(float(bars.low.min()), float(bars.high.max()))
    before, after, elapsed = state.bar_inputs(rest)
    hours, row = np.unique(rest.start_ns // NS_PER_HOUR, return_inverse=True)
    block = np.arange(len(rest)) if by_bar else row.astype(np.int64)
    exposure = np.zeros((int(block[-1]) + 1, 2, recipe.tiers, recipe.classes))
    variant_kernels.roll(
        state.mass, np.zeros_like(state.mass), np.ones(recipe.classes), state.total, state.first, state.fineness, state.offset,
        state.momentum, state.closes, state.churn, elapsed.astype(np.float64) if clock is None else clock, rest.open, rest.low,
        rest.high, rest.close, before, after, block, recipe.in_bar, recipe.tilt, shape.numbers(), exposure,
    )  # fmt: skip
    return hours, row, exposure.reshape(len(exposure), 2, -1)


def bent(
    name: str, bars: BarSeries, liquidations: LiquidationSeries, recipe: Recipe, *,
    power: float = 1.0, knee: float = 1e6, bend: float = 0.0,
) -> Scored:  # fmt: skip
    """Learn with other weights of hours, or with a reporting factor that bends with a bar's dollars; fitted as the learner is."""
    hours, row, by_bar = rolled(bars, recipe, Shape(), by_bar=True)
    realised = realised_of(hours, liquidations)
    first = np.searchsorted(row, np.arange(hours.size + 1)).astype(np.int64)
    known = ~np.isnan(realised).any(axis=1) & (np.arange(hours.size) >= BURN_IN_DAYS * 24)
    shape, decay = recipe.prior_shapes(), recipe.decay(NS_PER_HOUR)
    fits = [int(np.flatnonzero(np.cumsum(known) >= 168 * (week + 1))[0]) + 1 for week in range(6)]
    predicted = np.full(realised.shape, 1e5)
    for fit, until in zip(fits, [*fits[1:], hours.size], strict=True):
        past = np.flatnonzero(known[:fit])
        swept = np.add.reduceat(by_bar[: first[fit]], first[:fit])[past]
        mean = (realised[past].sum(axis=0) / np.einsum("tsk,sk->s", swept, shape))[:, None] * shape
        out = np.empty(realised.shape)
        if bend:  # the prior gives back what was published through the reporting factor too
            for _ in range(6):
                stiff = np.array([[0.0, 0.0, 1e30, 0.5]] * 2)
                unknown = np.full(realised.shape, np.nan)
                variant_kernels.learn(
                    by_bar, first[: fit + 1], unknown, mean.copy(), mean, mean, stiff, decay, 0.0, 1.0, knee, bend, out
                )
                mean *= (realised[past].sum(axis=0) / out[past].sum(axis=0))[:, None]
        typical = np.einsum("tsk,sk->t", swept, mean)
        level = np.array([[0.0, 0.0, prior * np.mean(typical**p), p] for _, prior, p in (recipe.fast, recipe.slow)])
        beta = recipe.prior_strength * np.broadcast_to(swept.sum(axis=0).mean(axis=1, keepdims=True), mean.shape).copy()
        told = realised.copy()
        told[: past[0]] = np.nan
        told[:fit][~known[:fit]] = np.nan
        variant_kernels.learn(
            by_bar,
            first[: until + 1],
            told,
            mean.copy(),
            mean,
            beta,
            level,
            decay,
            recipe.floor_usd_per_h,
            power,
            knee,
            bend,
            out,
        )
        predicted[fit:until] = out[fit:until]
    return Scored(name, hours * NS_PER_HOUR, realised, predicted)


def in_legs(bars: BarSeries) -> BarSeries:
    """Cut every bar in three legs of a third of its length: open, low, high, close if it rose, else open, high, low, close."""
    rose = bars.close >= bars.open
    turns = np.where(rose, bars.low, bars.high), np.where(rose, bars.high, bars.low)
    path = np.stack([bars.open, *turns, bars.close], axis=1)
    third = bars.interval_ns // 3
    start = (bars.start_ns[:, None] + third * np.arange(3)).ravel()
    held = np.concatenate((bars.open_interest_base[:1], bars.open_interest_base[:-1]))
    oi = np.stack([held, held, bars.open_interest_base], axis=1).ravel()
    unknown = np.full(start.size, np.nan)
    begin, end = path[:, :-1].ravel(), path[:, 1:].ravel()
    return replace(
        bars, interval_ns=third, start_ns=start, known_ns=start + third, open=begin, close=end, high=np.maximum(begin, end),
        low=np.minimum(begin, end), volume_base=unknown, taker_buy_base=unknown, open_interest_base=oi,
    )  # fmt: skip


def variants(bars: BarSeries, liquidations: LiquidationSeries) -> Iterator[tuple[str, Callable[[], Scored]]]:
    """Name every variant and say how it is scored."""
    base = Recipe()

    def recipe(name: str, **changes: object) -> tuple[str, Callable[[], Scored]]:
        changed = replace(base, **changes)  # pyright: ignore[reportArgumentType]
        return name, lambda: run(name, bars, liquidations, changed)

    def shaped(name: str, clock: FloatArray | None = None, **changes: object) -> tuple[str, Callable[[], Scored]]:
        shape = Shape(**changes)  # pyright: ignore[reportArgumentType]

        def scored() -> Scored:
            hours, _, exposure = rolled(bars, base, shape, clock)
            return learned(name, hours, exposure, liquidations, base)

        return name, scored

    def other(name: str, **changes: float) -> tuple[str, Callable[[], Scored]]:
        return name, lambda: bent(name, bars, liquidations, base, **changes)

    yield shaped("whole cells are swept (as before)", whole_cells=True)
    yield recipe("a grid of 1 bp", step=0.0001, coarser=())
    yield shaped("soft edge: 5 bp before and behind the mark", edge_before=5e-4, edge_behind=5e-4)
    yield shaped("soft edge: 20 bp before and behind the mark", edge_before=2e-3, edge_behind=2e-3)
    yield shaped("partial sweep: 70 % at once, the rest by 10 bp", at_once=0.7)
    yield shaped("partial sweep: 50 % at once, the rest by 30 bp", at_once=0.5, depth=3e-3)
    yield shaped("partial sweep: none at once, all by 10 bp", at_once=0.0)
    yield shaped("rising hazard: lives of two stages", stages=2)
    yield recipe("four lifetimes: .0005, .005, .05, .5", churn=(0.0005, 0.005, 0.05, 0.5))
    yield recipe("four lifetimes: .001, .01, .1, .6", churn=(0.001, 0.01, 0.1, 0.6))
    yield recipe("middle lifetime .02", churn=(0.001, 0.02, 0.45))
    yield recipe("long lifetime .0005", churn=(0.0005, 0.03, 0.45))
    yield "bars cut in legs by their direction", lambda: run("legs", in_legs(bars), liquidations, base)
    yield shaped("in-bar deaths by the order of the bar, .6", order=0.6)
    yield recipe("in-bar weight 2", in_bar=2.0)
    yield recipe("in-bar weight 6", in_bar=6.0)
    yield shaped("30 % of entries at the close", at_close=0.3)
    yield shaped("all entries in the half of the range about the close", at_close=1.0, close_width=0.5)
    yield recipe("clock: range of the bar", streams=("range",))
    yield recipe("clock: rise of open interest", streams=("rise",))
    yield recipe("learned clocks: even, range, rise", streams=("even", "range", "rise"))
    swing = np.abs(np.diff(bars.open_interest_base)) ** 0.5
    yield shaped("clock: root of the change of open interest", swing / swing.mean())
    late = np.roll(swing, 7 * _FIVE)
    yield shaped("the same clock of 7 days before", late / late.mean())
    yield other("hours count as prediction ** .5", power=0.5)
    yield other("hours count as prediction ** -.5", power=1.5)
    yield other("hours count as 1 / prediction (log score)", power=2.0)
    yield other("a bar of $1M is reported by 2 ** -.2", bend=0.2)
    yield other("a bar of $10M is reported by 2 ** -.2", knee=1e7, bend=0.2)
    yield other("a bar of $10M is reported by 2 ** .2 (more than it swept)", knee=1e7, bend=-0.2)
    yield recipe("prior strength .01", prior_strength=0.01)
    yield recipe("prior strength .1", prior_strength=0.1)
    yield recipe("fast level 6 h", fast=(6.0, 20.0, 0.5))
    yield recipe("exponent 1.25", exponent=1.25)
    yield recipe("exponent 1.75", exponent=1.75)
    yield recipe("no lean of openings", tilt=0.0)


def main(folder: Path, words: list[str]) -> None:
    """Print the table."""
    bars, liquidations = read_pack(folder)
    base = run("shipped", bars, liquidations, Recipe())
    print("| variant | " + " | ".join(f"{window} long/short | difference" for window in CHOOSING) + " |")
    print("|---" + "|---:|---:" * len(CHOOSING) + "|")
    for name, scored in [("shipped", lambda: base), *variants(bars, liquidations)]:
        if words and name != "shipped" and not any(word in name for word in words):
            continue
        found = scored()
        cells: list[str] = []
        for window in CHOOSING:
            long, short = found.d2(window)
            low, middle, high = (1e4 * number for number in difference(found, base, window))
            cells += [f"{long:.4f}/{short:.4f}", "" if found is base else f"{middle:+.0f} [{low:+.0f}, {high:+.0f}]"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
