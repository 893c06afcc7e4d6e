"""Liquidations behind a throttled feed: what one print a second says about all forced orders, given the price path.

The map says what each second swept. With weights `w` and mean size `m`, orders of one second are
`N ~ Poisson(rate)`, `rate = level * sum_s sum_k w_sk S_sk / m`, and the feed shows one of them, on either side (science.md B6):

* "latest": `P(print) = 1 - exp(-rate)`, its side with probability `rate_s / rate`, its size a draw of F that does not know N;
* "largest": `P(largest <= x) = exp(-rate (1 - F(x)))`, so `E[N | largest = x] = 1 + rate F(x)`.

Weights are learned by EM with the estimator's power-law prior, then by the same Gamma filter. Sizes come from the prints
themselves (`size_law`). The level follows orders found against orders expected over half an hour, and over past hours; both are
shrunk to 1. Expected orders are corrected for how seconds of such a prediction turned out. Whole seconds in which nobody
listened are predicted, not taken for zero.

Needs bars of one second and a grid of half a basis point: on coarser ones the sweep does not fall on the second of its print.
Without such bars see `throttled_free`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from liqscape.errors import BadArgument
from liqscape.estimate import _throttled_kernels as kernels
from liqscape.estimate.recipe import Recipe
from liqscape.estimate.state import MapState
from liqscape.estimate.throttled_prints import FeedRule, SecondPrints, SizeLaw, size_law
from liqscape.estimate.throttled_recovered import Outcome, Recovered, band
from liqscape.model import BarSeries
from liqscape.model.arrays import BoolArray, Float32Array, FloatArray, IntArray
from liqscape.units import NS_PER_S

FIT_AT = (1_000, 3_000)  # prints after burn-in at which weights are fitted on the whole past
_LOCAL = 0.5 ** (1.0 / 1_800.0), 30.0  # kept per second (half-life of half an hour), prior in orders
_SLOW_PRIOR = 100.0  # orders
_EM_TURNS = 60
_LAW_EVERY = 10
# Log orders per second at which predictions are checked.
_CENTRES: FloatArray = np.array([math.log(rate) for rate in (0.005, 0.02, 0.06, 0.2, 0.6, 1.8)])
_BORDERS: FloatArray = 0.5 * (_CENTRES[1:] + _CENTRES[:-1])
_CENTRE_PRIOR = 10.0  # orders
_MODEL_ERROR = 0.25  # scatter of hidden dollars that no count explains, measured on simulated feeds (docs/throttled.md)
_REMEMBERED = 4_000  # printing seconds that the law of sizes is learned from once fitting is over


def fine_recipe(recipe: Recipe | None = None) -> Recipe:
    """Return a recipe on the half-basis-point grid that seconds need."""
    return replace(recipe or Recipe(), step=0.00005)


@dataclass(frozen=True)
class Seconds:
    """A stretch of whole seconds; only those in which something was swept or printed are kept.

    Parameters
    ----------
    start_s, count
        First second (UTC since 1970) and number of seconds.
    second : int64[m], UTC seconds, ascending
    exposure : float32[m, 2, T], USD swept per side and tier-class
    sign : int8[m], side that was printed, 0 none
    usd : float64[m], size that was printed, 0 none
    seen : int64[m], 1 printed, 0 silent, 2 nobody listened
    silent_s
        Seconds in which nobody listened, of all.
    """

    start_s: int
    count: int
    second: IntArray
    exposure: Float32Array
    sign: np.ndarray[tuple[int], np.dtype[np.int8]]
    usd: FloatArray
    seen: IntArray
    silent_s: int


@dataclass(frozen=True)
class Swept:
    """What each second of a stretch swept, before any print; fields as in `Seconds`."""

    start_s: int
    count: int
    second: IntArray
    exposure: Float32Array


def sweep(state: MapState, bars: BarSeries) -> Swept:
    """Roll a state over bars of one second that follow it.

    Raises
    ------
    BadArgument
        If the bars are not of one second, or there are none.
    """
    if bars.interval_ns != NS_PER_S or len(bars) == 0:
        raise BadArgument(
            f"throttled feed: expected bars of 1 s, received {len(bars)} of {bars.interval_ns / NS_PER_S:g} s",
            hint="Prints of one a second need the price of each second; `recover_from_prints` does without.",
        )
    recipe, second = state.recipe, bars.start_ns // NS_PER_S
    swept = np.zeros((len(bars), 2, recipe.tiers, recipe.classes))
    state.roll(bars, np.arange(len(bars), dtype=np.int64), swept)
    flat = swept.reshape(len(bars), 2, -1)
    touched = flat.any(axis=(1, 2))
    start = int(second[0])
    return Swept(start, int(second[-1]) - start + 1, second[touched], flat[touched].astype(np.float32))


def beside(swept: Swept, prints: SecondPrints) -> Seconds:
    """Lay the prints of a stretch beside what each of its seconds swept."""
    start, count = swept.start_s, swept.count
    shown = prints.between(start, start + count)
    second = np.union1d(swept.second, shown.second).astype(np.int64)
    exposure = np.zeros((second.size, *swept.exposure.shape[1:]), np.float32)
    exposure[np.searchsorted(second, swept.second)] = swept.exposure
    sign, usd = np.zeros(second.size, np.int8), np.zeros(second.size)
    at = np.searchsorted(second, shown.second)
    sign[at], usd[at] = shown.sign, shown.usd
    seen = np.where(prints.heard(second), (sign != 0).astype(np.int64), kernels.UNSEEN)
    silent = count - int(prints.heard(np.arange(start, start + count)).sum()) if prints.silences_ns.size else 0
    return Seconds(start, count, second, exposure, sign, usd, seen, silent)


class ThrottledLearner:
    """Turns swept seconds and their prints into weights, and into dollars with an interval, stretch by stretch.

    A stretch is recovered with the weights, sizes and slow level that were known before it and with its own prints; then it is
    learned from. What was recovered is not revised.

    Parameters
    ----------
    recipe
        Constants of the state that swept the seconds (`fine_recipe`).
    rule
        What the feed shows of a second; see `which_rule`.
    burn_in_h
        Hours that the state needs to forget its made-up start; nothing is learned from them.
    """

    def __init__(self, recipe: Recipe, rule: FeedRule, *, burn_in_h: float = 24.0) -> None:
        self.recipe, self.rule = recipe, rule
        self.largest = rule is FeedRule.LARGEST
        self.burn_in_s = burn_in_h * 3600.0
        self.floor_usd = recipe.floor_usd_per_h / 3600.0
        self.shape = recipe.prior_shape()
        self.weights: FloatArray | None = None  # float64[2, T]
        self.law: SizeLaw | None = None
        self.prior = np.zeros((2, self.shape.size))
        self.strength = np.zeros((2, self.shape.size))
        self.numerator, self.denominator = np.zeros_like(self.prior), np.zeros_like(self.prior)
        self.slow = np.zeros(2)  # decayed orders found and expected
        self.local = np.zeros(3)  # the same of the last half hour, and their second
        self.checked = np.zeros((2, _CENTRES.size))  # decayed orders found and expected near each rate
        self.seen_s = 0.0
        self.prints = 0
        self._past: list[Seconds] = []
        self._sizes: list[tuple[FloatArray, FloatArray]] = []  # printed size and rate of past seconds
        self._next_fit = 0

    @property
    def slow_level(self) -> float:
        """Orders found over orders expected in past hours, shrunk to 1."""
        return float((_SLOW_PRIOR + self.slow[0]) / (_SLOW_PRIOR + self.slow[1]))

    def observe(self, seconds: Seconds) -> Recovered:
        """Recover a stretch that follows those before, then learn from it."""
        if self.weights is None or self.law is None:
            found = Recovered.unknown(seconds.start_s, seconds.count, Outcome.UNLEARNED, _reported(seconds), seconds.silent_s)
        else:
            found = self._recover(seconds, self.weights, self.law)
        if self.seen_s >= self.burn_in_s:
            self.prints += int((seconds.seen == kernels.PRINTED).sum())
            if self._next_fit < len(FIT_AT):
                self._past.append(seconds)
                if self.prints >= FIT_AT[self._next_fit]:
                    self._fit()
        self.seen_s += seconds.count
        return found

    def _raw(self, exposure: Float32Array, weights: FloatArray) -> FloatArray:
        """Return USD expected of each second and side before any level, float64[m, 2]."""
        w = weights.astype(np.float32)
        return np.stack([exposure[:, s] @ w[s] for s in range(2)], axis=1).astype(np.float64) + self.floor_usd

    def _rate(self, raw: FloatArray, law: SizeLaw) -> FloatArray:
        """Return orders expected of each second, corrected for how seconds of such a prediction turned out; float64[m].

        A map errs most where it expects little: most of its thin sweeps hit nothing. Beyond the last centre nearly every second
        prints, which says nothing of the rate, so the correction stays as it is there.
        """
        rate = raw.sum(axis=1) / law.mean_usd
        factor = (_CENTRE_PRIOR + self.checked[0]) / (_CENTRE_PRIOR + self.checked[1])
        correction = np.asarray(np.interp(np.log(rate), _CENTRES, np.log(factor)), np.float64)
        return rate * np.exp(correction)

    def _check(self, raw: FloatArray, law: SizeLaw, orders: FloatArray, heard: BoolArray) -> FloatArray:
        """Return orders found and expected (uncorrected) of the seconds nearest to each centre, float64[2, centres]."""
        rate: FloatArray = raw.sum(axis=1) / law.mean_usd
        near: IntArray = np.searchsorted(_BORDERS, np.log(rate)).astype(np.int64)
        expected = np.where(heard, rate, 0.0)
        return np.stack([np.bincount(near, part, _CENTRES.size) for part in (orders, expected)]).astype(np.float64)

    def _orders(self, seconds: Seconds, rate: FloatArray, law: SizeLaw) -> FloatArray:
        """Return orders behind the print of each second at a rate, 0 where there is none; float64[m]."""
        largest = 1.0 + rate * law.share[law.rank(seconds.usd)]
        behind = largest if self.largest else np.maximum(rate / -np.expm1(-rate), 1.0)
        return np.where(seconds.seen == kernels.PRINTED, behind, 0.0)

    def _recover(self, seconds: Seconds, weights: FloatArray, law: SizeLaw) -> Recovered:
        raw = self._raw(seconds.exposure, weights)
        rate, about = self._rate(raw, law), self.slow_level
        level, orders = np.empty(rate.size), np.empty(rate.size)
        below = law.share[law.rank(seconds.usd)]
        if self.local[2] == 0.0:
            self.local[2] = float(seconds.start_s)
        kernels.follow(
            seconds.second, rate, seconds.seen, below, self.largest, _LOCAL[1], about, _LOCAL[0], self.local, level, orders
        )
        share = raw / raw.sum(axis=1, keepdims=True)
        lifted = rate * level
        printed, unseen = seconds.seen == kernels.PRINTED, seconds.seen == kernels.UNSEEN
        rank = law.rank(seconds.usd)
        # Hidden dollars and their mean square: other orders of a printing second, and all orders of one that nobody heard.
        if self.largest:
            others, hidden, square = lifted * law.share[rank], lifted * law.partial_usd[rank], lifted * law.partial_square[rank]
            told = lifted * (1.0 - law.share[rank])
        else:
            others = np.maximum(orders - 1.0, 0.0)
            hidden, square = others * law.mean_usd, others * law.mean_square
            told = lifted * lifted / np.expm1(np.clip(lifted, 1e-9, 500.0))
        hidden = np.where(printed, hidden, np.where(unseen, lifted * law.mean_usd, 0.0))
        square = np.where(printed, square, np.where(unseen, lifted * law.mean_square, 0.0))
        others = np.where(printed, others, np.where(unseen, lifted, 0.0))
        information = float(told[~unseen].sum())
        self._learn(seconds, weights, law, raw, level, orders)
        return band(
            start_s=seconds.start_s,
            count=seconds.count,
            silent_s=seconds.silent_s,
            reported_usd=_reported(seconds),
            hidden_usd=hidden @ share,
            variance=square @ share,
            hidden_orders=others @ share,
            predicted_usd=about * law.mean_usd * (rate @ share),
            error=float(np.hypot(_MODEL_ERROR, 1.0 / np.sqrt(_LOCAL[1] + information))),
            level=float(lifted.sum() / rate.sum()) if rate.size else about,
        )

    def _believed(self, seconds: Seconds, law: SizeLaw, raw: FloatArray, orders: FloatArray) -> FloatArray:
        """Return the USD that each second and side is believed to have lost, in orders of mean size; float64[m, 2]."""
        believed = np.maximum(orders - 1.0, 0.0)[:, None] * raw / raw.sum(axis=1, keepdims=True)
        believed[seconds.sign > 0, 0] += 1.0
        believed[seconds.sign < 0, 1] += 1.0
        believed[seconds.seen != kernels.PRINTED] = 0.0
        return believed * law.mean_usd

    def _learn(
        self, seconds: Seconds, weights: FloatArray, law: SizeLaw, raw: FloatArray, level: FloatArray, orders: FloatArray
    ) -> None:
        """Move the filter, the corrections, the slow level and the law of sizes with a stretch that is over."""
        mix, fast, _ = self.recipe.decay(seconds.count * NS_PER_S)
        heard = seconds.seen != kernels.UNSEEN
        rate = self._rate(raw, law)
        # Weights learn without the level: what a level lifted would lift the next level again.
        plain = self._orders(seconds, rate, law)
        self.slow = self.slow * fast + np.array([orders.sum(), rate[heard].sum()])
        self.checked = mix * self.checked + self._check(raw, law, plain, heard)
        gained, swept = self._shares(seconds.exposure, self._believed(seconds, law, raw, plain) / raw, weights, heard)
        self.numerator = mix * self.numerator + gained
        self.denominator = mix * self.denominator + swept
        self.weights = (self.numerator + self.strength * self.prior) / (self.denominator + self.strength)
        known = rate * level if self.largest else orders
        self._sizes.append((seconds.usd[heard], known[heard]))
        self._law_of_late()

    def _law_of_late(self) -> None:
        """Learn the law of sizes again from the last prints."""
        counts = [int((usd > 0.0).sum()) for usd, _ in self._sizes]
        while len(counts) > 1 and sum(counts) - counts[0] >= _REMEMBERED:
            counts.pop(0)
            self._sizes.pop(0)
        usd, rate = (np.concatenate([part[i] for part in self._sizes]) for i in range(2))
        if (usd > 0.0).sum() >= FIT_AT[0]:
            self.law = self._law(usd, rate)

    def _law(self, usd: FloatArray, known: FloatArray) -> SizeLaw:
        """Law of sizes; known : float64[m], rate of a second (LARGEST) or orders behind its print (LATEST)."""
        if self.largest:
            return size_law(self.rule, usd, known)
        printed = usd > 0.0
        return SizeLaw.of(usd[printed], known[printed])

    def _shares(
        self, exposure: Float32Array, ratio: FloatArray, weights: FloatArray, heard: BoolArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return what each weight is believed to have lost and what it swept, float64[2, T] each."""
        r = ratio.astype(np.float32)
        gained = np.stack([r[:, s] @ exposure[:, s] for s in range(2)]).astype(np.float64) * weights
        swept = exposure[heard].sum(axis=0, dtype=np.float64)
        return gained, swept

    def _fit(self) -> None:
        """Fit scale, weights and sizes on the whole past by EM; the level stays 1."""
        past = _joined(self._past)
        heard = past.seen != kernels.UNSEEN
        printed = past.seen == kernels.PRINTED
        law = SizeLaw.of(past.usd[printed], np.ones(int(printed.sum())))
        unit = self._raw(past.exposure, np.stack([self.shape, self.shape])) - self.floor_usd
        total = np.maximum(unit[heard].sum(axis=0), 1e-300)
        sides = [float(past.usd[printed & (past.sign == sign)].sum()) for sign in (1, -1)]
        scale = np.maximum(np.array(sides), 1e-3 * max(sides)) / total
        prior = scale[:, None] * self.shape
        weights = prior.copy()
        swept = past.exposure[heard].sum(axis=0, dtype=np.float64)
        strength = self.recipe.prior_strength * np.broadcast_to(swept.mean(axis=1, keepdims=True), swept.shape)
        gained = np.zeros_like(swept)
        rate, orders = np.ones(past.usd.size), np.ones(past.usd.size)
        self.checked[:] = 0.0
        for turn in range(_EM_TURNS):
            raw = self._raw(past.exposure, weights)
            rate = self._rate(raw, law)
            orders = self._orders(past, rate, law)
            if turn % _LAW_EVERY == 0:
                law = self._law(past.usd[heard], (rate if self.largest else orders)[heard])
            self.checked = self._check(raw, law, orders, heard)
            gained, swept = self._shares(past.exposure, self._believed(past, law, raw, orders) / raw, weights, heard)
            prior = np.maximum(gained.sum(axis=1) / total, 1e-300)[:, None] * self.shape
            weights = (gained + strength * prior) / (swept + strength)
        self.prior, self.strength, self.weights, self.law = prior, np.array(strength), weights, law
        self.numerator, self.denominator = gained, swept
        self.slow[:], self.local[:] = 0.0, 0.0
        self._sizes = [(past.usd[heard], (rate if self.largest else orders)[heard])]
        while self._next_fit < len(FIT_AT) and self.prints >= FIT_AT[self._next_fit]:
            self._next_fit += 1
        if self._next_fit == len(FIT_AT):
            self._past = []


def _reported(seconds: Seconds) -> FloatArray:
    return np.array([float(seconds.usd[seconds.sign == sign].sum()) for sign in (1, -1)])


def _joined(parts: list[Seconds]) -> Seconds:
    names = ("second", "exposure", "sign", "usd", "seen")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Seconds(parts[0].start_s, sum(p.count for p in parts), **arrays, silent_s=sum(p.silent_s for p in parts))
