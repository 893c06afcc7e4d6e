"""From states and weights to the levels of a map: dollars, contracts, prior part, age and the ensemble's draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liqscape.estimate import _kernels
from liqscape.estimate.recipe import Recipe
from liqscape.estimate.state import MapState
from liqscape.estimate.weights import Mix
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import SideLevels
from liqscape.model.sides import PositionSide
from liqscape.units import NS_PER_HOUR

DRAWS = 256  # draws of the weights per structural member
SEED = 20_260_216
# Ages at which copies of the state are kept, to know how much of today's mass already stood then.
AGE_KNOTS_NS = tuple(hours * NS_PER_HOUR for hours in (1, 4, 24, 168))


@dataclass(frozen=True)
class MeasuredSide:
    """Positions of one side that are known one by one, in the buckets of a map.

    Parameters
    ----------
    usd, base : float64[n]
    tier_usd, class_usd : float64[tiers, n] and [classes, n], `usd` split
    known_base, placed_base
        Contracts that are known, and those of them that have a level, at any distance.
    share
        Known contracts over the instrument's open interest, at most 1: so much of it is not modelled.
    """

    usd: FloatArray
    base: FloatArray
    tier_usd: FloatArray
    class_usd: FloatArray
    known_base: float
    placed_base: float
    share: float


@dataclass(frozen=True)
class SideSum:
    """The parts of one side's levels before they are divided or named; parts of several instruments add up.

    Parameters
    ----------
    usd, base, prior_usd : float64[n]
    age_usd_s : float64[n], age times dollars
    tier_usd, class_usd : float64[tiers, n] and [classes, n]
    draws_usd, prior_draws_usd : float64[draws, n]
    placed_base
        Contracts on the map, at any distance.
    capped
        Whether the weights had to be scaled down to open interest.
    measured_usd : float64[n], the part of `usd` that is known position by position, None where nothing is
    measured_base
        Contracts that are known, with and without a level.
    """

    usd: FloatArray
    base: FloatArray
    prior_usd: FloatArray
    age_usd_s: FloatArray
    tier_usd: FloatArray
    class_usd: FloatArray
    draws_usd: FloatArray
    prior_draws_usd: FloatArray
    placed_base: float
    capped: bool
    measured_usd: FloatArray | None = None
    measured_base: float = 0.0

    def add(self, other: SideSum) -> SideSum:
        """Join the levels of two instruments on one price axis."""
        arrays = {
            name: getattr(self, name) + getattr(other, name)
            for name in ("usd", "base", "prior_usd", "age_usd_s", "tier_usd", "class_usd", "draws_usd", "prior_draws_usd")
        }
        return SideSum(**arrays, placed_base=self.placed_base + other.placed_base, capped=self.capped or other.capped)

    def times(self, central: float, draws: FloatArray) -> SideSum:
        """Scale all dollars, the draws each by its own factor (float64[draws]); contracts stay."""
        names = ("usd", "prior_usd", "age_usd_s", "tier_usd", "class_usd")
        scaled = {name: getattr(self, name) * central for name in names}
        return SideSum(
            **scaled,
            base=self.base,
            draws_usd=self.draws_usd * draws[:, None],
            prior_draws_usd=self.prior_draws_usd * draws[:, None],
            placed_base=self.placed_base,
            capped=self.capped,
        )

    def part(self, share: float) -> SideSum:
        """Scale everything, dollars and contracts: what is left to the model where a share is known otherwise."""
        names = ("usd", "base", "prior_usd", "age_usd_s", "tier_usd", "class_usd", "draws_usd", "prior_draws_usd")
        scaled = {name: getattr(self, name) * share for name in names}
        return SideSum(**scaled, placed_base=self.placed_base * share, capped=self.capped)

    def plus(self, measured: MeasuredSide) -> SideSum:
        """Add positions that are known: the same in every draw, and no part of them is prior."""
        before = np.zeros_like(self.usd) if self.measured_usd is None else self.measured_usd
        return SideSum(
            usd=self.usd + measured.usd,
            base=self.base + measured.base,
            prior_usd=self.prior_usd,
            age_usd_s=self.age_usd_s,
            tier_usd=self.tier_usd + measured.tier_usd,
            class_usd=self.class_usd + measured.class_usd,
            draws_usd=self.draws_usd + measured.usd,
            prior_draws_usd=self.prior_draws_usd + measured.usd,
            placed_base=self.placed_base + measured.placed_base,
            capped=self.capped,
            measured_usd=before + measured.usd,
            measured_base=self.measured_base + measured.known_base,
        )

    def levels(self, side: PositionSide, edge_price: FloatArray) -> SideLevels:
        """Name the parts."""
        measured = np.zeros_like(self.usd) if self.measured_usd is None else self.measured_usd
        modelled = self.usd - measured
        age = np.divide(self.age_usd_s, modelled, out=np.full(self.usd.size, np.nan), where=modelled > 0.0)
        return SideLevels(
            side=side,
            edge_price=edge_price,
            usd=self.usd,
            base=self.base,
            prior_usd=self.prior_usd,
            age_s=age,
            tier_usd=self.tier_usd,
            class_usd=self.class_usd,
            draws_usd=self.draws_usd,
            prior_draws_usd=self.prior_draws_usd,
            measured_usd=measured,
        )


def contracts(state: MapState, side: int, edge_price: FloatArray) -> FloatArray:
    """Sum one side's standing contracts into buckets, before any weight.

    Parameters
    ----------
    side
        0 long, 1 short.
    edge_price : float64[n + 1], quote per base, from the mark outward

    Returns
    -------
    float64[tiers, classes, n], base units, from the mark outward
    """
    outward = 1 if edge_price[-1] > edge_price[0] else -1
    borders = np.log(np.maximum(edge_price[::outward], 1e-300))
    out = np.empty((state.recipe.tiers, state.recipe.classes, edge_price.size - 1))
    _kernels.bucketise(state.mass, state.scale, state.first, state.fineness, side, borders, out)
    return out[:, :, ::outward]


def side_sum(
    side: int,
    edge_price: FloatArray,
    states: Sequence[MapState],
    mixes: Sequence[Mix],
    older: Sequence[MapState],
    open_interest_base: float,
    seed: int = SEED,
) -> SideSum:
    """Turn the members' states into one side's levels.

    The map's own value is the first member with its posterior means: the model that is scored. The draws are all members
    times draws of their weights. No draw places more contracts than are open.

    Parameters
    ----------
    states, mixes
        One per structural member, the scored one first.
    older
        Copies of the first member's state from each of AGE_KNOTS_NS ago (as many as are known), rolled on without openings.
    """
    mid = 0.5 * (edge_price[:-1] + edge_price[1:])
    recipe, mix = states[0].recipe, mixes[0]
    drawn = np.repeat(recipe.drawn, recipe.classes)
    standing = contracts(states[0], side, edge_price).reshape(drawn.size, -1)
    weights = mix.weights[side] * drawn
    total = states[0].total[side].ravel()
    asked = float(weights @ total)
    data, prior = within_open_interest(weights[None], mix.prior_share[side], total, open_interest_base)
    weights, prior = (data + prior)[0], prior[0]
    base = weights[:, None] * standing
    usd = base * mid
    by_tier = usd.reshape(recipe.tiers, recipe.classes, -1)
    draws, priors = zip(
        *(
            _draws(side, s, m, edge_price, mid, open_interest_base, seed + i)
            for i, (s, m) in enumerate(zip(states, mixes, strict=True))
        ),
        strict=True,
    )
    total_usd = usd.sum(axis=0)
    return SideSum(
        usd=total_usd,
        base=base.sum(axis=0),
        prior_usd=(prior[:, None] * standing * mid).sum(axis=0),
        age_usd_s=_age_usd_s(side, edge_price, mid, weights, total_usd, older, recipe),
        tier_usd=by_tier.sum(axis=1),
        class_usd=by_tier.sum(axis=0),
        draws_usd=np.concatenate(draws),
        prior_draws_usd=np.concatenate(priors),
        placed_base=min(float(weights @ total), open_interest_base),
        capped=asked > open_interest_base,
    )


def within_open_interest(
    weights: FloatArray, prior_share: FloatArray, total: FloatArray, open_interest_base: float
) -> tuple[FloatArray, FloatArray]:
    """Scale weights down until they place no more contracts than are open: first the part that is prior, then the data.

    Parameters
    ----------
    weights : float64[draws, T]
    prior_share, total : float64[T], share of each weight that is prior; contracts that a weight of 1 places, base units

    Returns
    -------
    data, prior : float64[draws, T], the parts of each weight that are left
    """
    prior = weights * prior_share
    placed, placed_prior = weights @ total, prior @ total
    excess = np.maximum(placed - open_interest_base, 0.0)
    cut = np.minimum(excess, placed_prior)
    kept_prior = 1.0 - np.divide(cut, placed_prior, out=np.zeros_like(cut), where=placed_prior > 0.0)
    placed_data = placed - placed_prior
    kept_data = 1.0 - np.divide(excess - cut, placed_data, out=np.zeros_like(cut), where=placed_data > 0.0)
    return (weights - prior) * kept_data[:, None], prior * kept_prior[:, None]


def _draws(
    side: int, state: MapState, mix: Mix, edge_price: FloatArray, mid: FloatArray, open_interest_base: float, seed: int
) -> tuple[FloatArray, FloatArray]:
    recipe = state.recipe
    drawn = np.repeat(recipe.drawn, recipe.classes)
    standing = contracts(state, side, edge_price).reshape(drawn.size, -1) * mid
    total = state.total[side].ravel()
    posterior, prior = mix.draw(np.random.default_rng(seed), DRAWS)
    shares = mix.prior_share[side], np.ones(drawn.size)
    draws, priors = (
        sum(within_open_interest(weights[:, side] * drawn, share, total, open_interest_base)) @ standing
        for weights, share in zip((posterior, prior), shares, strict=True)
    )
    return draws, priors


def _age_usd_s(
    side: int,
    edge_price: FloatArray,
    mid: FloatArray,
    weights: FloatArray,
    now_usd: FloatArray,
    older: Sequence[MapState],
    recipe: Recipe,
) -> FloatArray:
    """Age times dollars: the integral over age of the dollars that are older, linear between the knots.

    Beyond the last knot the mass is of the longest-lived class, which is left at a constant rate.
    """
    previous_ns, previous = 0, now_usd
    area = np.zeros_like(now_usd)
    for knot_ns, state in zip(AGE_KNOTS_NS, older, strict=False):
        standing = contracts(state, side, edge_price).reshape(weights.size, -1)
        usd = np.minimum((weights[:, None] * standing).sum(axis=0) * mid, previous)
        area += 0.5 * (previous + usd) * (knot_ns - previous_ns) / 1e9
        previous_ns, previous = knot_ns, usd
    return area + previous * float(recipe.class_life_s.max())
