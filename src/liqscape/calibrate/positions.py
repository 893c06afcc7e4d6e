"""A prior from measured accounts: at which distance, and for how long, positions stand; from snapshots of tracked accounts.

A tracked sample is never the market. What is taken from it is a shape: the share of notional by distance from entry to
liquidation and by lifetime class. Distances from entry do not depend on where price went since, so a sample of winners (a
leaderboard) bends them less than distances from the mark; it still bends them, hence `trust`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liqscape.calibrate.lifetimes import Survivals, class_shares, survivals
from liqscape.calibrate.sample import PositionSample
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import Mix, Recipe
from liqscape.model import BarSeries
from liqscape.model.arrays import FloatArray
from liqscape.units import NS_PER_DAY

FARTHEST = 0.97  # as in the estimator: no level lies farther from its entry
SMOOTHING = 0.35  # standard deviation of the kernel over log distance; tiers are .25 apart and smeared over twice that each way
SLOPE_FROM, SLOPE_TO = 0.016, 0.21
_LEAST = 1e-9  # share of a side's notional that every tier and class is granted


@dataclass(frozen=True)
class PositionPrior:
    """What tracked accounts say about the weights before any liquidation is seen.

    Parameters
    ----------
    shape : float64[2, tiers * classes], share of a side's notional in each tier and class, flattened tier by tier
        Sums to the levered share of the side; the rest has no liquidation price or one beyond the last tier. The estimator
        takes it up to a scale per side, which published dollars set.
    accounts, rows
        How many accounts and how many positions (counted in each snapshot) it rests on.
    effective_positions : float64[2], (sum of notional)^2 / sum of notional^2 over accounts, per side
        Few large accounts are few, however many rows they fill.
    """

    shape: FloatArray
    accounts: int
    rows: int
    effective_positions: FloatArray

    def recipe(self, base: Recipe | None = None, strength: float = 0.3) -> Recipe:
        """Return a recipe whose prior this is; `strength` as `Recipe.prior_strength` (a law has a tenth of it)."""
        long, short = (tuple(float(weight) for weight in side) for side in self.shape)
        return replace(base or Recipe(), measured=(long, short), prior_strength=strength)


@dataclass(frozen=True)
class DistanceProfile:
    """Share of notional by distance to liquidation, per side (long, short), with 90 % day-block intervals.

    Parameters
    ----------
    edges : float64[m + 1], fraction of the mark
    share, low, high : float64[2, m + 1]
        The last is what lies beyond the last edge or cannot be liquidated.
    slope, slope_low, slope_high : float64[2]
        Exponent b of notional per unit of log distance, proportional to distance ** b, between 1.6 % and 21 %.
    """

    edges: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    slope: FloatArray
    slope_low: FloatArray
    slope_high: FloatArray


def position_prior(
    sample: PositionSample,
    recipe: Recipe | None = None,
    *,
    bars: BarSeries | None = None,
    trust: float = 1.0,
    pool_sides: bool = True,
    lives: bool = True,
) -> PositionPrior:
    """Learn the mix over distance tiers and lifetime classes from tracked accounts.

    Parameters
    ----------
    sample
        Positions of one instrument over snapshots.
    recipe
        Whose tiers and classes; default: the shipped recipe.
    bars
        Price between the snapshots: a position whose level was swept was not closed by will and says nothing of lifetimes.
        Default: the marks of the snapshots alone.
    trust
        1: the measured shape; 0: the recipe's power law; between: `measured ** trust * power law ** (1 - trust)`. Accounts drawn
        by lot deserve 1; accounts chosen by profit about a half (docs/truth.md says what each gains).
    pool_sides
        Average both sides. On which side a leaderboard stands says where price went, not how that side is levered.
    lives
        Split tiers over lifetime classes as measured; False: evenly, as the power law does. What large accounts hold stands
        for days, what is liquidated stood for hours: on real data measured lives serve the picture and spoil the prediction.

    Raises
    ------
    NoData
        If a side holds no position that can be liquidated, or no account was seen twice.
    BadArgument
        If `trust` is not in [0, 1].

    Notes
    -----
    The state carries every tier and class as if all open interest stood in it, refilled when it is swept. So the weight of a
    tier is its share of the standing notional, averaged over time, with no correction for what was swept. Distances are
    smoothed over tiers by a Gaussian kernel in log distance; class shares of a tier come from the survival of positions at
    about that distance (the same kernel), see `class_shares`.
    """
    if not 0.0 <= trust <= 1.0:
        raise BadArgument(f"position prior: trust lies between 0 and 1, received {trust}")
    recipe = recipe or Recipe()
    followed = survivals(sample, bars) if lives else None
    sides = [_side_shape(sample, followed, sign, recipe) for sign in (1, -1)]
    measured = np.stack([shape for shape, _ in sides])
    if pool_sides:
        measured = np.broadcast_to(measured.mean(axis=0), measured.shape)
    power = recipe.prior_shape()
    levered = measured.sum(axis=1, keepdims=True)
    bent = np.maximum(measured, _LEAST) ** trust * (power / power.sum()) ** (1.0 - trust)
    return PositionPrior(
        shape=bent * (levered / bent.sum(axis=1, keepdims=True)),
        accounts=int(np.unique(sample.account).size),
        rows=int(sample.held.sum()),
        effective_positions=np.array([effective for _, effective in sides]),
    )


def _side_shape(sample: PositionSample, lives: Survivals | None, sign: int, recipe: Recipe) -> tuple[FloatArray, float]:
    """Return one side's share of notional in each tier and class, float64[tiers * classes], and its effective positions."""
    side = sample.sign == sign
    distance = sample.distance_from_entry()
    placed = side & (distance <= FARTHEST)
    if not placed.any():
        raise NoData(f"position prior: no {'long' if sign > 0 else 'short'} position of the sample can be liquidated")
    usd, centre = sample.notional_usd, np.log(recipe.distances)
    tier_share = (_kernel(np.log(distance[placed]), centre) * usd[placed][:, None]).sum(axis=0) / usd[side].sum()
    if lives is None:
        shape = np.repeat(tier_share / recipe.classes, recipe.classes).reshape(recipe.tiers, -1)
    else:
        followed = lives.select(lives.sign == sign)
        near = _kernel(np.log(np.minimum(followed.distance, FARTHEST)), centre)
        split = [class_shares(followed, near[:, k], recipe.class_life_s) for k in range(recipe.tiers)]
        shape = tier_share[:, None] * np.stack(split)
    per_account = np.bincount(np.unique(sample.account[side], return_inverse=True)[1], weights=usd[side])
    return shape.ravel(), float(per_account.sum() ** 2 / (per_account**2).sum())


def published_share(prior: PositionPrior, mix: Mix) -> float:
    """Return published dollars per dollar that stands: what the map is divided by to show standing positions.

    The prior says which share of open interest stands where, published liquidations say how many dollars come when it is swept.
    The rest was closed by stops and by will before its level, or is not published. It is as right as the sample's levered share.

    Parameters
    ----------
    prior
        The prior that the mix learned from.
    mix
        Of the first member.
    """
    return float(mix.prior_mean.sum() / prior.shape.sum())


def _kernel(log_distance: FloatArray, centre: FloatArray) -> FloatArray:
    """float64[n, tiers], how much of a position belongs to each tier; the tiers of a position sum to 1."""
    weight = np.exp(-0.5 * ((log_distance[:, None] - centre) / SMOOTHING) ** 2) + 1e-300
    return weight / weight.sum(axis=1, keepdims=True)


def distance_profile(
    sample: PositionSample, edges: FloatArray, *, per_account: bool = False, draws: int = 1000, seed: int = 1
) -> DistanceProfile:
    """Measure the shape of distance to liquidation, with intervals from whole days drawn with replacement.

    Parameters
    ----------
    edges : float64[m + 1], ascending, fraction of the mark
    per_account
        Count every position of a snapshot as one instead of by its notional.
    draws, seed
        Of the bootstrap. Accounts stay for days: intervals are those of the days seen, not of other accounts.

    Raises
    ------
    NoData
        If a side holds no position.
    """
    day, index = np.unique(sample.ts_ns // NS_PER_DAY, return_inverse=True)
    picks = np.random.default_rng(seed).integers(0, day.size, (draws, day.size))
    count = edges.size
    share, low, high = (np.empty((2, count)) for _ in range(3))
    slope = np.empty((2, 3))
    distance = sample.distance_from_mark()
    for s, sign in enumerate((1, -1)):
        side = sample.held & (sample.sign == sign)
        if not side.any():
            raise NoData(f"distance profile: the sample holds no {'long' if sign > 0 else 'short'} position")
        weight = np.ones(int(side.sum())) if per_account else sample.notional_usd[side]
        cell = np.clip(np.searchsorted(edges, distance[side], side="right") - 1, 0, count - 1)
        by_day = np.zeros((day.size, count))
        np.add.at(by_day, (index[side], cell), weight)
        drawn = by_day[picks].sum(axis=1)
        share[s] = by_day.sum(axis=0) / by_day.sum()
        drawn = drawn[drawn.sum(axis=1) > 0.0]  # a draw of days on which nobody stood on this side says nothing of it
        low[s], high[s] = np.quantile(drawn / drawn.sum(axis=1, keepdims=True), (0.05, 0.95), axis=0)
        slope[s] = _slopes(distance[side], weight, index[side], picks)
    return DistanceProfile(edges, share, low, high, *(np.ascontiguousarray(column) for column in slope.T))


def _slopes(distance: FloatArray, weight: FloatArray, day: np.ndarray, picks: np.ndarray) -> tuple[float, float, float]:
    """Return the maximum-likelihood exponent between SLOPE_FROM and SLOPE_TO, with the ends of its interval."""
    inside = (distance >= SLOPE_FROM) & (distance < SLOPE_TO)
    place = np.log(distance[inside] / SLOPE_FROM) / np.log(SLOPE_TO / SLOPE_FROM)
    days = picks.shape[1]
    mass = np.bincount(day[inside], weights=weight[inside], minlength=days)
    moment = np.bincount(day[inside], weights=weight[inside] * place, minlength=days)
    drawn_mass = mass[picks].sum(axis=1)
    mean = moment[picks].sum(axis=1)[drawn_mass > 0.0] / drawn_mass[drawn_mass > 0.0]
    if mass.sum() == 0.0:
        return np.nan, np.nan, np.nan
    ends = np.quantile(mean, (0.05, 0.95))
    return exponent(float(moment.sum() / mass.sum())), exponent(float(ends[0])), exponent(float(ends[1]))


def exponent(mean_place: float) -> float:
    """Return the exponent of a power law on [1.6 %, 21 %) whose mean log distance lies at a share of that stretch.

    With `x` in [0, 1] and density proportional to `exp(a x)`, the mean is `1 / (1 - exp(-a)) - 1 / a`, which rises with a.

    Examples
    --------
    >>> exponent(0.5)
    0.0
    """
    low, high = -200.0, 200.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        at = 0.5 + middle / 12.0 if abs(middle) < 1e-4 else 1.0 / -np.expm1(-middle) - 1.0 / middle
        low, high = (middle, high) if at < mean_place else (low, middle)
    found = 0.5 * (low + high) / np.log(SLOPE_TO / SLOPE_FROM)
    return float(round(found, 9)) + 0.0
