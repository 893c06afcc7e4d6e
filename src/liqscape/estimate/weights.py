"""Learning the weights: which share of open interest stands at which distance, from published liquidations.

One learner serves one member. It never sees a quantity before it is asked to predict it: an interval is predicted from the
weights as they stand, then its liquidations move them. The scale of the prior is fitted on the intervals that are over, at
fixed amounts of known history, and the past is replayed through the filter then; after the last fit nothing is refitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.errors import BadArgument
from liqscape.estimate import _learn_kernels
from liqscape.estimate.recipe import Recipe
from liqscape.estimate.shipped import Shipped
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_HOUR

_HELD = 1e12  # typical intervals of prior: a level that never moves
BURN_IN_H = 7 * 24.0  # the state forgets its made-up start before anything is learned from it
FIT_AT_H = (168.0, 336.0, 504.0, 672.0, 840.0, 1008.0)  # hours of known liquidations (after burn-in) at which the prior is fitted
_PRIOR_SPREAD = 0.5  # coefficient of variation of a tier's prior weight, and again of their common scale


@dataclass(frozen=True)
class Kept:
    """Weights before each of n intervals, and the share of each weight that is prior; float64[n, 2, T]."""

    weights: FloatArray
    prior_share: FloatArray

    @classmethod
    def empty(cls, intervals: int, size: int) -> Kept:
        """Return room for `intervals`."""
        return cls(np.empty((intervals, 2, size)), np.empty((intervals, 2, size)))

    def slice(self, first: int, last: int) -> Kept:
        """Return the intervals [first, last) as views."""
        return Kept(self.weights[first:last], self.prior_share[first:last])


@dataclass(frozen=True)
class Mix:
    """The weights at one instant; T = tiers x classes, flattened tier by tier.

    Parameters
    ----------
    weights : float64[2, T], posterior means without the level
    prior_share : float64[2, T], share of each weight that is prior
    spread : float64[2, T], coefficient of variation of each weight
    prior_mean : float64[2, T]
    level_fast, level_slow
        Factors by which published dollars lately ran above the fitted mix. They scale predictions of the next hours; a map
        is a stock and is drawn without them, with `level_spread` in its intervals.
    level_spread
        Root mean square of the log of the level over the remembered past.
    learned
        False while these are shipped weights.
    """

    weights: FloatArray
    prior_share: FloatArray
    spread: FloatArray
    prior_mean: FloatArray
    level_fast: float
    level_slow: float
    level_spread: float
    learned: bool

    @property
    def level(self) -> float:
        """Both level factors together."""
        return self.level_fast * self.level_slow

    def draw(self, rng: np.random.Generator, draws: int) -> tuple[FloatArray, FloatArray]:
        """Draw weights from the posterior, and from the prior alone.

        A weight is Gamma with its mean and its coefficient of variation: the filter's posterior, widened by the dispersion of
        published dollars (never the naive Poisson error) and by the spread of the prior for the part that is prior. All of a
        draw shares a lognormal factor as wide as the level has wandered; the prior alone has a common scale that is as
        uncertain as one tier.

        Returns
        -------
        posterior, prior : float64[draws, 2, T]
        """
        shape = 1.0 / np.maximum(self.spread, 1e-3) ** 2
        posterior = rng.gamma(np.broadcast_to(shape, (draws, *shape.shape))) * (self.weights / shape)
        posterior *= np.exp(self.level_spread * rng.standard_normal((draws, 1, 1)))
        if not self.learned:
            posterior *= _gamma(rng, (draws, 1, 1))
        prior = _gamma(rng, (draws, *shape.shape)) * _gamma(rng, (draws, 1, 1)) * self.prior_mean
        return posterior, prior


def _gamma(rng: np.random.Generator, size: tuple[int, ...]) -> FloatArray:
    """Draw Gamma variables of mean 1 with the prior's spread."""
    shape = 1.0 / _PRIOR_SPREAD**2
    return rng.gamma(shape, 1.0 / shape, size)


class Learner:
    """Turns swept exposure and published liquidations into weights, interval by interval.

    Parameters
    ----------
    recipe
        The member's constants.
    interval_ns
        Length of the intervals that liquidations are published in.
    shipped
        Weights to start from, kept until the first fit.
    embargo_ns
        A fit made at the end of an interval reads only intervals that were over this long before, and waits until enough are.
        The filter is not held back: what it replays was known.
    fit_window_ns
        How far back from there a fit reads; None: to the beginning.
    """

    def __init__(
        self, recipe: Recipe, interval_ns: int, shipped: Shipped, *, embargo_ns: int = 0, fit_window_ns: int | None = None
    ) -> None:
        if embargo_ns < 0 or (fit_window_ns is not None and fit_window_ns < interval_ns):
            raise BadArgument(
                f"fit: expected an embargo >= 0 and a window of at least one interval of {interval_ns} ns,"
                f" received {embargo_ns} and {fit_window_ns} ns"
            )
        self.recipe = recipe
        self.interval_ns = interval_ns
        self.embargo_ns = embargo_ns
        self.fit_window_ns = fit_window_ns
        self.decay = recipe.decay(interval_ns)
        self.hours = interval_ns / NS_PER_HOUR
        self.floor_usd = recipe.floor_usd_per_h * self.hours
        size = recipe.tiers * recipe.classes
        self.prior_mean = np.array([[shipped.long_scale], [shipped.short_scale]]) * recipe.prior_shapes()
        self.prior_strength = np.full((2, size), np.inf)
        self.learned_from: int | None = None  # number of the first interval that was predicted with learned weights
        self.intervals = 0
        self._end_ns = 0
        self._next_fit: int | None = 0
        # The past until the last fit, by interval: what was swept, what was published (NaN also in burn-in), when it was over.
        self._exposures: list[FloatArray] = []
        self._realised = np.empty((0, 2))
        self._ends = np.empty(0, np.int64)
        self._reset(1.0, 1.0)

    def _reset(self, fast_unit: float, slow_unit: float) -> None:
        """Start the filters afresh from the prior; units are a typical interval's dollars to the filters' powers."""
        self.weights = self.prior_mean.copy()
        self.numerator = np.zeros_like(self.weights)
        self.denominator = np.zeros_like(self.weights)
        fast, slow = self.recipe.fast, self.recipe.slow
        slow_prior = slow[1] if slow[0] / self.hours >= self.recipe.slow_needs else _HELD
        self.level = np.array([[0.0, 0.0, fast[1] * fast_unit, fast[2]], [0.0, 0.0, slow_prior * slow_unit, slow[2]]])
        self.dispersion = np.zeros((2, 2))
        self.wander = np.zeros(2)

    @property
    def learned(self) -> bool:
        """Whether the prior was fitted to this instrument's own liquidations."""
        return self.learned_from is not None

    def observe(
        self, exposure: FloatArray, realised: FloatArray, keep: Kept | None = None, end_ns: IntArray | None = None
    ) -> FloatArray:
        """Take in intervals that are over, in order.

        Parameters
        ----------
        exposure : float64[n, 2, T], USD swept in each interval
        realised : float64[n, 2], USD published (long, short); NaN is unknown: it is predicted and nothing is learned
        keep
            Filled with weights and prior shares as they stood before each interval.
        end_ns : int64[n], ns UTC, end of each interval; None: each follows the one before without a gap

        Returns
        -------
        predicted : float64[n, 2], USD, each made before its interval was learned from
        """
        predicted = np.empty(realised.shape)
        if end_ns is None:
            end_ns = self._end_ns + self.interval_ns * np.arange(1, len(realised) + 1)
        done = 0
        while done < len(exposure):
            left = slice(done, None)
            taken, due = self._until_fit(realised[left], end_ns[left])
            part = slice(done, done + taken)
            kept = keep.slice(done, done + taken) if keep is not None else None
            predicted[part] = self._step(exposure[part], realised[part], end_ns[part], kept)
            if due:
                self._fit()
            done += taken
        return predicted

    def _counting(self, realised: FloatArray) -> FloatArray:
        """Return what was published where it counts for a fit: NaN in burn-in."""
        burnt = self.intervals + np.arange(len(realised)) >= BURN_IN_H / self.hours
        return np.where(burnt[:, None], realised, np.nan)

    def _until_fit(self, realised: FloatArray, end_ns: IntArray) -> tuple[int, bool]:
        """How many of these intervals may be taken in before the next fit, and whether it is due after them."""
        if self._next_fit is None:
            return len(realised), False
        # Whole numbers, so that no split of the data rounds.
        ends = np.concatenate([self._ends, end_ns])
        counts = ~np.isnan(np.concatenate([self._realised, self._counting(realised)])).any(axis=1)
        over = np.searchsorted(ends, end_ns - self.embargo_ns, side="right")
        known = np.append(0, np.cumsum(counts))[over]
        reached = np.flatnonzero(known >= FIT_AT_H[self._next_fit] / self.hours)
        return (int(reached[0]) + 1, True) if reached.size else (len(realised), False)

    def _step(self, exposure: FloatArray, realised: FloatArray, end_ns: IntArray, keep: Kept | None) -> FloatArray:
        if self._next_fit is not None:
            self._exposures.append(exposure.copy())
            self._realised = np.concatenate([self._realised, self._counting(realised)])
            self._ends = np.concatenate([self._ends, end_ns])
        self.intervals += len(realised)
        self._end_ns = int(end_ns[-1])
        # Before the first fit there is nothing to learn with: the prior's strength is measured in fitted exposure.
        told = realised if self.learned else np.full(realised.shape, np.nan)
        return self._run(exposure, told, keep)

    def _run(self, exposure: FloatArray, realised: FloatArray, keep: Kept | None) -> FloatArray:
        predicted, raw = np.empty(realised.shape), np.empty(realised.shape)
        kept = keep if keep is not None else Kept.empty(0, exposure.shape[2])
        _learn_kernels.learn(
            np.ascontiguousarray(exposure), np.ascontiguousarray(realised), self.weights, self.numerator, self.denominator,
            self.prior_mean, self.prior_strength, self.level, self.dispersion, self.wander, self.decay, self.floor_usd,
            predicted, raw, kept.weights, kept.prior_share,
        )  # fmt: skip
        return predicted

    def _fit(self) -> None:
        """Fit the prior's scale on the known past and replay that past through fresh filters."""
        assert self._next_fit is not None
        exposure, realised, ends = np.concatenate(self._exposures), self._realised, self._ends
        known = ~np.isnan(realised).any(axis=1)
        start = int(np.argmax(known))
        latest = self._end_ns - self.embargo_ns
        known &= ends <= latest
        if self.fit_window_ns is not None:
            known &= ends > latest - self.fit_window_ns
        shape = self.recipe.prior_shapes()
        swept = np.einsum("tsk,sk->s", exposure[known], shape)
        published = realised[known].sum(axis=0)
        if np.all(swept > 0.0) and np.all(published > 0.0):
            self.prior_mean = (published / swept)[:, None] * shape
            # One strength a side: what price rarely reached stays prior, what it sweeps daily becomes data.
            typical_tier = exposure[known].sum(axis=0).mean(axis=1, keepdims=True)
            self.prior_strength = self.recipe.prior_strength * np.broadcast_to(typical_tier, self.prior_mean.shape).copy()
            typical: FloatArray = np.einsum("tsk,sk->t", exposure[known], self.prior_mean)
            fast_unit, slow_unit = (float(np.mean(typical**power)) for _, _, power in (self.recipe.fast, self.recipe.slow))
            self._reset(fast_unit, slow_unit)
            if self.learned_from is None:
                self.learned_from = self.intervals
            self._run(exposure[start:], realised[start:], None)
        self._next_fit = self._next_fit + 1 if self._next_fit + 1 < len(FIT_AT_H) else None
        if self._next_fit is None:
            self._exposures, self._realised, self._ends = [], np.empty((0, 2)), np.empty(0, np.int64)

    def mix(self) -> Mix:
        """Return the weights as they stand now."""
        fast = float((self.level[0, 2] + self.level[0, 0]) / (self.level[0, 2] + self.level[0, 1]))
        slow = float((self.level[1, 2] + self.level[1, 0]) / (self.level[1, 2] + self.level[1, 1]))
        if not self.learned:
            ones = np.ones_like(self.weights)
            return Mix(self.weights.copy(), ones, _PRIOR_SPREAD * ones, self.prior_mean.copy(), fast, slow, 0.0, False)
        prior_share = self.prior_strength / (self.denominator + self.prior_strength)
        chi_square = self.dispersion[:, 0] / np.maximum(self.dispersion[:, 1], 1.0)
        data = chi_square[:, None] / np.maximum(self.numerator, 1e-9)
        variance = (prior_share * _PRIOR_SPREAD) ** 2 + (1.0 - prior_share) ** 2 * np.minimum(data, 1.0)
        count = max(float(self.wander[1]), 1.0)
        spread = np.minimum(np.sqrt(variance), 1.5)
        return Mix(
            self.weights.copy(),
            prior_share,
            spread,
            self.prior_mean.copy(),
            fast,
            slow,
            float(np.sqrt(self.wander[0] / count)),
            True,
        )
