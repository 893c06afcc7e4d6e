"""The streaming estimator of one instrument: an ensemble of states and learners that take in bars and liquidations."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from liqscape.errors import BadArgument
from liqscape.estimate.recipe import Recipe, members
from liqscape.estimate.shipped import Shipped, shipped_weights
from liqscape.estimate.state import MapState
from liqscape.estimate.weights import Kept, Learner, Mix
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_HOUR

# An interval with fewer of its bars than this teaches nothing: what was swept in it is not known.
_WHOLE = 0.8
_WORTH_A_THREAD = 500  # bars


@dataclass(frozen=True)
class Interval:
    """One closed interval of the walk-forward record: what was predicted before its liquidations were known.

    Parameters
    ----------
    start_ns
        Start of the interval, ns UTC.
    predicted_usd, realised_usd
        (long, short); realised is NaN where it was not published.
    learned
        False while the prediction came from shipped weights.
    """

    start_ns: int
    predicted_usd: tuple[float, float]
    realised_usd: tuple[float, float]
    learned: bool


class Estimator:
    """Members of one instrument, streaming: any split of the same bars gives the same state and weights.

    Parameters
    ----------
    bar_interval_ns
        Length of a bar.
    learn_interval_ns
        Length of the intervals that liquidations are published in.
    recipes
        The structural members, the scored one first.
    shipped
        Weights to start from.
    embargo_ns, fit_window_ns
        How long before it an offline fit stops to read, and how far back from there it reads (`Learner`); the product reads all
        that is known, a score that is to be purged does not.
    """

    def __init__(
        self,
        bar_interval_ns: int,
        learn_interval_ns: int = NS_PER_HOUR,
        recipes: Sequence[Recipe] | None = None,
        shipped: Shipped | None = None,
        *,
        embargo_ns: int = 0,
        fit_window_ns: int | None = None,
    ) -> None:
        if learn_interval_ns < bar_interval_ns or learn_interval_ns % bar_interval_ns:
            raise BadArgument(
                f"liquidation interval: expected a multiple of the bars' {bar_interval_ns} ns, received {learn_interval_ns} ns",
                hint="Import finer bars, or liquidations of a longer interval.",
            )
        self.recipes = tuple(recipes) if recipes is not None else members()
        self.bar_interval_ns = bar_interval_ns
        self.learn_interval_ns = learn_interval_ns
        weights = shipped or shipped_weights()
        self.learners = [
            Learner(recipe, learn_interval_ns, weights, embargo_ns=embargo_ns, fit_window_ns=fit_window_ns)
            for recipe in self.recipes
        ]
        self.states: list[MapState] = []
        self.record: list[Interval] = []
        self._open: int | None = None  # index (start / length) of the interval that is not over
        self._open_bars = 0
        self._open_exposure: list[FloatArray] = []

    @property
    def ready(self) -> bool:
        """Whether a bar with open interest was seen."""
        return bool(self.states)

    def observe(
        self, bars: BarSeries, liquidations: LiquidationSeries, as_of_ns: int, kept: list[tuple[IntArray, Kept]] | None = None
    ) -> None:
        """Take in bars that follow those seen before, and learn from the intervals that are over at `as_of_ns`.

        Parameters
        ----------
        bars
            Bars known at `as_of_ns`; those before the first known open interest are passed over.
        liquidations
            Published liquidations known at `as_of_ns`; intervals that are absent teach nothing.
        as_of_ns
            Never ahead of bars that are still to come: an interval is closed as soon as it is over then.
        kept
            Filled with (interval indices, weights of the first member before each), for a heatmap.
        """
        if len(liquidations) and liquidations.interval_ns != self.learn_interval_ns:
            raise BadArgument(
                f"liquidations: expected intervals of {self.learn_interval_ns} ns, received {liquidations.interval_ns} ns",
                hint="Build the estimator with the liquidations' own interval.",
            )
        bars = self._begin(bars)
        if len(bars):
            index = bars.start_ns // self.learn_interval_ns
            blocks, row = np.unique(index, return_inverse=True)
            carried = self._open is not None and int(blocks[0]) == self._open
            if not carried and self._open is not None:
                self._close(np.array([self._open]), [e[None] for e in self._open_exposure], [self._open_bars], liquidations, kept)
            counts = np.bincount(row)
            if carried:
                counts[0] += self._open_bars
            exposures = self._roll(bars, row.astype(np.int64), blocks.size)
            if carried:
                for exposure, before in zip(exposures, self._open_exposure, strict=True):
                    exposure[0] += before
            if blocks.size > 1:
                self._close(blocks[:-1], [e[:-1] for e in exposures], list(counts[:-1]), liquidations, kept)
            self._open, self._open_bars = int(blocks[-1]), int(counts[-1])
            self._open_exposure = [e[-1] for e in exposures]
        if self._open is not None and as_of_ns >= (self._open + 1) * self.learn_interval_ns:
            self._close(np.array([self._open]), [e[None] for e in self._open_exposure], [self._open_bars], liquidations, kept)
            self._open = None

    def _roll(self, bars: BarSeries, block: IntArray, blocks: int) -> list[FloatArray]:
        """Roll every member over bars and return what each block sweeps, float64[blocks, 2, tiers, classes] a member."""

        def one(state: MapState) -> FloatArray:
            exposure = np.zeros((blocks, 2, state.recipe.tiers, state.recipe.classes))
            state.roll(bars, block, exposure)
            return exposure

        if len(bars) < _WORTH_A_THREAD or len(self.states) == 1:
            return [one(state) for state in self.states]
        # Kernels run without the interpreter's lock, and members share nothing.
        with ThreadPoolExecutor(len(self.states)) as pool:
            return list(pool.map(one, self.states))

    def _begin(self, bars: BarSeries) -> BarSeries:
        """Start the states at the first bar with known open interest; return the bars that are left to roll."""
        if self.ready:
            return _held(bars)
        known = np.flatnonzero(bars.open_interest_base > 0.0)
        if known.size == 0:
            return bars.slice(0, 0)
        i = int(known[0])
        following = _held(bars.slice(i + 1, len(bars)))
        for recipe in self.recipes:
            state = MapState(recipe, float(bars.close[i]), float(bars.open_interest_base[i]), self.bar_interval_ns)
            state.end_ns = int(bars.end_ns[i])
            self.states.append(state)
        return following

    def _close(
        self,
        blocks: IntArray,
        exposures: list[FloatArray],
        counts: Sequence[int],
        liquidations: LiquidationSeries,
        kept: list[tuple[IntArray, Kept]] | None,
    ) -> None:
        """Predict and learn the intervals that are over."""
        realised = self._realised(blocks, counts, liquidations)
        first = self.learners[0].intervals
        predicted = np.empty(realised.shape)
        for m, (learner, exposure) in enumerate(zip(self.learners, exposures, strict=True)):
            flat = exposure.reshape(len(blocks), 2, -1)
            keep = Kept.empty(len(blocks), flat.shape[2]) if kept is not None and m == 0 else None
            out = learner.observe(flat, realised, keep, (blocks + 1) * self.learn_interval_ns)
            if m == 0:
                predicted = out
            if kept is not None and keep is not None:
                kept.append((blocks, keep))
        learned_from = self.learners[0].learned_from
        for i, block in enumerate(blocks):
            learned = learned_from is not None and first + i >= learned_from
            start = int(block) * self.learn_interval_ns
            pair = (float(predicted[i, 0]), float(predicted[i, 1])), (float(realised[i, 0]), float(realised[i, 1]))
            self.record.append(Interval(start, pair[0], pair[1], learned))

    def _realised(self, blocks: IntArray, counts: Sequence[int], liquidations: LiquidationSeries) -> FloatArray:
        """Look up what was published of each interval; float64[n, 2], NaN unknown or not whole."""
        out = np.full((len(blocks), 2), np.nan)
        if len(liquidations) == 0:
            return out
        starts = blocks * self.learn_interval_ns
        at = np.minimum(np.searchsorted(liquidations.start_ns, starts), len(liquidations) - 1)
        whole = np.asarray(counts) >= _WHOLE * (self.learn_interval_ns // self.bar_interval_ns)
        found = (liquidations.start_ns[at] == starts) & whole
        out[found, 0] = liquidations.long_usd[at[found]]
        out[found, 1] = liquidations.short_usd[at[found]]
        return out

    def mixes(self) -> list[Mix]:
        """Return the weights of every member as they stand now."""
        return [learner.mix() for learner in self.learners]


def _held(bars: BarSeries) -> BarSeries:
    """Refuse bars whose open interest became unknown again."""
    if np.isnan(bars.open_interest_base).any():
        raise BadArgument("bars: open interest is held from the last stamp and cannot become unknown again")
    return bars
