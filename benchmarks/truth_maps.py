"""The maps that truth judges: the estimator's with several priors, and what it must beat. Public-style inputs only, but for the
accounts that a tracker is said to follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from liqscape.calibrate import PositionSample
from liqscape.estimate import Learner, MapState, Mix, Recipe, contracts, shipped_weights, side_sum
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import BUCKET_WIDTH, BUCKETS
from liqscape.testing.market import SimulatedRun, TruePositions
from liqscape.units import NS_PER_DAY
from liqscape.validate.baselines_maps import LEVERAGES, SURVEY

LADDER: FloatArray = BUCKET_WIDTH * np.arange(BUCKETS + 1.0)
RANKED_EVERY_NS = 7 * NS_PER_DAY


@dataclass(frozen=True)
class Drawn:
    """A map: float64[2, buckets], USD; its ensemble float64[2, draws, buckets]; what it predicted,
    float64[hours, 2], and its weights, if it has any.
    """

    usd: FloatArray
    draws: FloatArray | None = None
    predicted: FloatArray | None = None
    mix: Mix | None = None


@dataclass(frozen=True)
class Rolled:
    """One member's state at an instant, and what each hour before it swept, float64[hours, 2, T]."""

    state: MapState
    exposure: FloatArray


def rolled(bars: BarSeries, recipe: Recipe, until: Sequence[int], hour_ns: int) -> list[Rolled]:
    """Roll one member over bars and keep it at several ends (numbers of bars, ascending, whole hours)."""
    state = MapState(recipe, float(bars.open[0]), float(bars.open_interest_base[0]), bars.interval_ns)
    state.end_ns = int(bars.start_ns[0])
    first = int(bars.start_ns[0]) // hour_ns
    hours = int(bars.end_ns[-1]) // hour_ns - first
    exposure = np.zeros((hours, 2, recipe.tiers, recipe.classes))
    row = (bars.start_ns // hour_ns - first).astype(np.int64)
    kept: list[Rolled] = []
    done = 0
    for end in until:
        state.roll(bars.slice(done, end), row[done:end], exposure)
        over = int(bars.end_ns[end - 1]) // hour_ns - first
        kept.append(Rolled(state.copy(), exposure[:over].reshape(over, 2, -1).copy()))
        done = end
    return kept


def estimated(
    recipes: Sequence[Recipe], runs: Sequence[Rolled], realised: FloatArray, interval_ns: int, mark: float, oi: float
) -> Drawn:
    """Learn from the published liquidations of the hours before and draw the map: the product's own learner and levels.

    recipes may differ from those that rolled the states in their priors only.
    """
    learners = [Learner(recipe, interval_ns, shipped_weights()) for recipe in recipes]
    predicted = [learner.observe(run.exposure, realised) for learner, run in zip(learners, runs, strict=True)]
    states, mixes = [run.state for run in runs], [learner.mix() for learner in learners]
    sides = [side_sum(s, edges(s, mark), states, mixes, (), oi, seed=s) for s in (0, 1)]
    return Drawn(np.stack([side.usd for side in sides]), np.stack([side.draws_usd for side in sides]), predicted[0], mixes[0])


def predicted(recipe: Recipe, run: Rolled, realised: FloatArray, interval_ns: int) -> FloatArray:
    """float64[hours, 2], what one member predicted of each hour before it was known."""
    return Learner(recipe, interval_ns, shipped_weights()).observe(run.exposure, realised)


def edges(side: int, mark: float) -> FloatArray:
    """Return the bucket borders of a side, quote per base, outward."""
    return mark * (1.0 - LADDER) if side == 0 else mark * (1.0 + LADDER)


def surveyed(run: Rolled, mark: float) -> Drawn:
    """Return the map of a surveyed mix of leverage (tiers at 1 / leverage), closes modelled, nothing learned."""
    shares = np.repeat(np.array(SURVEY)[::-1] / run.state.recipe.classes, run.state.recipe.classes)
    usd: list[FloatArray] = []
    for side in (0, 1):
        border = edges(side, mark)
        standing = contracts(run.state, side, border).reshape(shares.size, -1)
        usd.append(shares @ standing * 0.5 * (border[1:] + border[:-1]))
    return Drawn(np.stack(usd))


def without_closes(bars: BarSeries, mark: float, oi_usd: float) -> Drawn:
    """Return the usual heatmap: all volume opens at every leverage of the menu, what price touches goes, nothing closes.

    It has no dollars of its own; each side is given all open interest within 50 %.
    """
    after_low = np.append(np.minimum.accumulate(bars.low[::-1])[::-1][1:], np.inf)
    after_high = np.append(np.maximum.accumulate(bars.high[::-1])[::-1][1:], -np.inf)
    usd = np.zeros((2, BUCKETS))
    for distance in 1.0 / np.array(LEVERAGES):
        for side in (0, 1):
            at = 0.5 * (bars.low + bars.high) * (1.0 - distance if side == 0 else 1.0 + distance)
            standing = at < np.minimum(after_low, mark) if side == 0 else at > np.maximum(after_high, mark)
            bucket = np.floor(np.abs(at / mark - 1.0) / BUCKET_WIDTH).astype(np.int64)
            seen = standing & (bucket < BUCKETS)
            usd[side] += np.bincount(bucket[seen], weights=bars.volume_base[seen], minlength=BUCKETS)
    return Drawn(usd * oi_usd / usd.sum(axis=1, keepdims=True))


def flat(oi_usd: float) -> Drawn:
    """Return a map that knows nothing: each side's open interest even over 50 %."""
    return Drawn(np.full((2, BUCKETS), oi_usd / BUCKETS))


def hours_of(run: SimulatedRun) -> FloatArray:
    """float64[hours, 2], published liquidations, long and short."""
    totals: LiquidationSeries = run.liquidations
    return np.column_stack([totals.long_usd, totals.short_usd])


def tracked(snapshots: Sequence[TruePositions], share: float, *, by_profit: bool, seed: int) -> PositionSample:
    """Follow a share of all accounts: drawn by lot once, or a leaderboard that is ranked every week by open profit in dollars.

    A leaderboard's accounts are followed until it is ranked again, so losers vanish then.
    """
    everyone = np.unique(np.concatenate([shot.account[shot.trader] for shot in snapshots]))
    number = round(share * everyone.size)
    chosen = np.sort(np.random.default_rng(seed).choice(everyone, number, replace=False))
    ranked_ns: int | None = None
    columns: list[FloatArray] = []
    for shot in snapshots:
        if by_profit and (ranked_ns is None or shot.as_of_ns - ranked_ns >= RANKED_EVERY_NS):
            profit = shot.sign * shot.quantity_base * (shot.mark_price - shot.entry_price)
            account = shot.account[shot.trader]
            chosen = np.sort(account[np.argsort(-profit[shot.trader], kind="stable")[:number]])
            ranked_ns = shot.as_of_ns
        held = np.flatnonzero(np.isin(shot.account, chosen))
        rows = np.full((6, chosen.size), np.nan)
        rows[0], rows[1], rows[2] = shot.as_of_ns, 0.0, 0.0
        place = np.searchsorted(chosen, shot.account[held])
        rows[1, place], rows[2, place] = shot.sign[held], shot.quantity_base[held]
        rows[3, place], rows[4, place], rows[5] = shot.entry_price[held], shot.liquidation_price[held], shot.mark_price
        columns.append(np.vstack([chosen, rows[1:]]))
    account, sign, quantity, entry, level, mark = np.hstack(columns)
    times = np.repeat([shot.as_of_ns for shot in snapshots], [column.shape[1] for column in columns])
    return PositionSample(times, account.astype(np.int64), sign.astype(np.int64), quantity, entry, level, mark)


def long_lived_far(recipe: Recipe, beyond: float = 0.08) -> Recipe:
    """Return a recipe whose prior puts far tiers into the longest-lived class; near ones stay even over classes.

    The class's share of a tier is `1/C + (1 - 1/C) m` with `m = 1 / (1 + (beyond / d) ** (1 / .3))`. Nothing is measured: who
    stands far from liquidation is assumed to be in no hurry.
    """
    classes = recipe.classes
    far = 1.0 / (1.0 + (beyond / recipe.distances) ** (1.0 / 0.3))
    longest = np.eye(classes)[int(np.argmax(recipe.class_life_s))]
    shares = (1.0 - far)[:, None] / classes + far[:, None] * longest
    weights = recipe.prior_shape().reshape(-1, classes).sum(axis=1, keepdims=True) * np.maximum(shares, 1e-9)
    row = tuple(float(weight) for weight in weights.ravel())
    return replace(recipe, measured=(row, row))


def one_slow_class(recipe: Recipe) -> Recipe:
    """Return a recipe with one lifetime class of 17 days and nothing else changed: a picture of what stands, no prediction."""
    return replace(recipe, churn=(recipe.churn[0] / 5.0,))


def standing(found: Drawn, share: float) -> Drawn:
    """Return a map in standing dollars: published ones over the share of them that is published when their level is swept."""
    return Drawn(found.usd / share, None if found.draws is None else found.draws / share)
