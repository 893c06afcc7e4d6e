"""The state of one member: standing contracts by side, tier, class and liquidation cell, rolled over bars.

It does not depend on the weights, so one state serves every mix. Any split of the same bars gives the same state.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace

import numpy as np

from liqscape.estimate import _flow_kernels, _kernels
from liqscape.estimate.flows import EVEN, check_streams, raw_flows, usual_decay
from liqscape.estimate.recipe import Recipe
from liqscape.model import BarSeries
from liqscape.model.arrays import Float32Array, FloatArray, IntArray
from liqscape.units import NS_PER_HOUR

# Room kept on both ends of the grid, log price; when price leaves it the grid grows (absolute cells keep their index).
_MARGIN = 0.25


@dataclass(frozen=True)
class Canvas:
    """What a state may read of itself while it rolls.

    Parameters
    ----------
    weights, prior_share : float64[blocks, 2, tiers, classes], weights x level of each block, 0 for tiers that are not drawn
    column : int64[bars], column that is painted after each bar, or -1
    top, row_height
        Upper border of the highest row and height of a row, log price.
    usd, prior : float32[columns, rows], painted: USD per 0.1 % of price and the prior's part; row 0 is the lowest
    """

    weights: FloatArray
    prior_share: FloatArray
    column: IntArray
    top: float
    row_height: float
    usd: Float32Array
    prior: Float32Array

    @classmethod
    def none(cls, recipe: Recipe) -> Canvas:
        """Return a canvas on which nothing is painted."""
        weights, sheet = np.empty((0, 2, recipe.tiers, recipe.classes)), np.empty((0, 0), np.float32)
        return cls(weights, weights, np.empty(0, np.int64), 0.0, 1.0, sheet, sheet)

    @classmethod
    def counting(cls, recipe: Recipe, weights: FloatArray) -> Canvas:
        """Return a canvas that only carries weights (float64[2, tiers, classes]) for counting flows."""
        return replace(cls.none(recipe), weights=weights[None], prior_share=weights[None])


class MapState:
    """Contracts of one member on the log grid, before any weight.

    Parameters
    ----------
    recipe
        The member's constants.
    price, open_interest_base
        Close and open interest of the bar before the first that is rolled. The state starts with entries spread over +-5 %
        of this price.
    interval_ns
        Length of a bar.
    """

    def __init__(self, recipe: Recipe, price: float, open_interest_base: float, interval_ns: int) -> None:
        check_streams(recipe.streams)
        self.recipe = recipe
        self.interval_ns = interval_ns
        self.offset = recipe.offsets()
        self.churn = recipe.churn_per_bar(interval_ns)
        bars_per_hour = max(1, round(NS_PER_HOUR / interval_ns))
        decay = 0.95 ** (interval_ns / (5 * 60 * 1_000_000_000))
        self.momentum = np.array([0.0, 0.0, 0.0, decay])
        self.closes = np.zeros(bars_per_hour)
        self.usual = np.zeros((len(recipe.streams), 2, 2))
        self.open_interest_base = open_interest_base
        self.end_ns: int | None = None
        classes, tiers = recipe.classes, recipe.tiers
        self.scale = np.ones((2, classes))
        self.total = np.full((2, tiers, classes), open_interest_base)
        self.fineness = recipe.fineness
        self.mass, self.first, self.inner = self._grid(math.log(price) - _MARGIN, math.log(price) + _MARGIN)
        entries = np.full(classes, open_interest_base / self.offset.shape[2])
        for s in range(2):
            for k, fine in enumerate(self.fineness):
                u = math.log(price) * fine - self.first[s, k]
                for _, lower, upper in self.offset[s, k]:
                    u0, u1 = u + (lower - 0.05) * fine, u + (upper + 0.05) * fine
                    _kernels.deposit(self.mass, s, k, u0, u1, entries)
        self.frontier: IntArray = np.zeros((2, tiers), np.int64)
        self.frontier[0] = self.mass.shape[3] - 1

    def _grid(self, inner_low: float, inner_high: float) -> tuple[FloatArray, IntArray, FloatArray]:
        """Return an empty grid on which entries between two log prices have all their levels."""
        fine = self.fineness
        reach = np.array([[self.offset[0, :, -1, 1], np.zeros(fine.size)], [np.zeros(fine.size), self.offset[1, :, -1, 2]]])
        first = np.floor((inner_low + reach[:, 0]) * fine).astype(np.int64) - 1
        last = np.ceil((inner_high + reach[:, 1]) * fine).astype(np.int64) + 3
        cells = int((last - first).max()) + 1
        return np.zeros((2, fine.size, self.recipe.classes, cells)), first, np.array([inner_low, inner_high])

    def copy(self) -> MapState:
        """Return an independent state."""
        twin = copy.copy(self)
        for name in ("momentum", "closes", "usual", "scale", "total", "mass", "first", "inner", "frontier"):
            setattr(twin, name, getattr(self, name).copy())
        return twin

    def bar_inputs(self, bars: BarSeries) -> tuple[FloatArray, FloatArray, IntArray]:
        """Return open interest before and after, and bars elapsed, of bars that follow this state."""
        after = bars.open_interest_base
        before = np.concatenate(([self.open_interest_base], after[:-1]))
        previous = np.concatenate(([self.end_ns if self.end_ns is not None else int(bars.start_ns[0])], bars.end_ns[:-1]))
        elapsed = np.maximum(np.rint((bars.end_ns - previous) / self.interval_ns).astype(np.int64), 1)
        return before, after, elapsed

    def clock_inputs(self, bars: BarSeries, before: FloatArray, after: FloatArray, elapsed: IntArray) -> FloatArray:
        """Return the usual bars that pass in each bar, float64[n, 2, classes]; empty if every clock is even.

        Remembers what is usual: ask once for every bar.
        """
        recipe = self.recipe
        if recipe.streams == (EVEN,):
            return np.empty((0, 2, recipe.classes))
        ratio = np.empty((len(bars), len(recipe.streams), 2))
        flows = raw_flows(recipe.streams, bars, before, after)
        _flow_kernels.relative(flows, self.usual, usual_decay(self.interval_ns), ratio)
        # A bar after a gap tells its own flow; of the bars that are missing nothing is known: they were usual ones.
        passed = ratio + (elapsed[:, None, None] - 1.0)
        return np.ascontiguousarray(np.repeat(passed, len(recipe.churn), axis=1).transpose(0, 2, 1))

    def roll(
        self,
        bars: BarSeries,
        block: IntArray,
        exposure: FloatArray,
        *,
        opens: bool = True,
        canvas: Canvas | None = None,
        region: FloatArray | None = None,
    ) -> FloatArray:
        """Move over bars that follow, adding what each block sweeps.

        Parameters
        ----------
        bars
            With open interest known in every bar.
        block : int64[n], row of `exposure` that each bar belongs to
        exposure : float64[blocks, 2, tiers, classes], gains USD
        opens
            False rolls on without new positions: what survives.
        canvas
            Weights, and a heatmap to paint with them on the way.
        region : float64[2, 2], per side the log prices between which contracts are counted on the way, with the canvas's
            first weights.

        Returns
        -------
        flows : float64[2, 3], per side, contracts burnt, closed and opened in the region
        """
        flows = np.zeros((2, 3))
        if len(bars) == 0:
            return flows
        before, after, elapsed = self.bar_inputs(bars)
        clock = self.clock_inputs(bars, before, after, elapsed)
        paint = canvas or Canvas.none(self.recipe)
        column = paint.column if paint.column.size else np.full(len(bars), -1, np.int64)
        counted = region if region is not None else np.empty((0, 2))
        i, n = 0, len(bars)
        while i < n:
            stop = _kernels.roll(
                self.mass, self.scale, self.total, self.frontier, self.first, self.fineness, self.offset, self.momentum,
                self.closes, self.churn, bars.low[i:], bars.high[i:], bars.close[i:], before[i:], after[i:], elapsed[i:],
                clock[i:], block[i:], self.inner, self.recipe.in_bar, self.recipe.tilt, opens, exposure,
                paint.weights, paint.prior_share, column[i:], paint.top, paint.row_height, paint.usd, paint.prior,
                counted, flows,
            )  # fmt: skip
            if stop == _kernels.DONE:
                break
            i += stop
            self.grow(float(bars.low[i]), float(bars.high[i]))
        self.open_interest_base = float(after[-1])
        self.end_ns = int(bars.end_ns[-1])
        return flows

    def grow(self, low: float, high: float) -> None:
        """Extend the grid so that entries between two prices fit; cells keep their absolute index, nothing moves."""
        old, old_first = self.mass, self.first
        inner_low = min(float(self.inner[0]), math.log(low) - _MARGIN)
        inner_high = max(float(self.inner[1]), math.log(high) + _MARGIN)
        self.mass, self.first, self.inner = self._grid(inner_low, inner_high)
        for s in range(2):
            for k in range(self.fineness.size):
                shift = int(old_first[s, k] - self.first[s, k])
                kept = min(old.shape[3], self.mass.shape[3] - shift)
                self.mass[s, k, :, shift : shift + kept] = old[s, k, :, :kept]
                # A frontier that no sweep has moved yet lies at the end of the row, and rows do not grow alike.
                self.frontier[s, k] = min(int(self.frontier[s, k]) + shift, self.mass.shape[3] - 1)
