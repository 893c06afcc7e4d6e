"""The kernels that move a state and read densities, against their plain twins."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from estimator_twin import TwinState
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_scenes import FIVE_MINUTES, bar_series, markets, recipes

from liqscape.estimate import Canvas, MapState, Recipe, contracts

TINY = 1e-9


def elapsed_bars(start_end_ns, bars):
    ends = np.concatenate(([start_end_ns], bars.end_ns))
    return np.diff(ends) // bars.interval_ns


def volumes(bars, i):
    return {"volume": float(bars.volume_base[i]), "buy": float(bars.taker_buy_base[i])}


def both(recipe, market, *, opens=True, **asked):
    """Run kernel and twin; every bar is a block of its own, so that exposures are compared bar by bar."""
    price, oi, bars = market
    state = MapState(recipe, price, oi, bars.interval_ns)
    state.end_ns = 0
    exposure = np.zeros((len(bars), 2, recipe.tiers, recipe.classes))
    flows = state.roll(bars, np.arange(len(bars)), exposure, opens=opens, **asked)
    twin = TwinState(recipe, price, oi, bars.interval_ns)
    expected = np.zeros_like(exposure)
    for i, elapsed in enumerate(elapsed_bars(0, bars)):
        bar = bars.low[i], bars.high[i], bars.close[i], bars.open_interest_base[i], expected[i]
        twin.bar(*bar, elapsed=elapsed, opens=opens, **volumes(bars, i))
    return state, exposure, twin, expected, flows


def biggest(market):
    return max(market[1], market[2].open_interest_base.max())


def assert_same_cells(state, twin, size):
    """Every cell of the kernel holds what the twin's holds, and the twin has none that the kernel lacks."""
    for (s, k, c), row in twin.cells.items():
        mine = state.mass[s, k, c] * state.scale[s, c]
        theirs = np.zeros_like(mine)
        for cell, amount in row.items():
            theirs[cell - state.first[s, k]] += amount
        np.testing.assert_allclose(mine, theirs, rtol=0.0, atol=TINY * size)
        assert state.total[s, k, c] == pytest.approx(twin.standing(s, k, c), abs=TINY * size)


@settings(max_examples=60, deadline=None)
@given(recipes(), markets(), st.booleans())
def test_rolling_is_the_plain_twins(recipe, market, opens):
    state, exposure, twin, expected, _ = both(recipe, market, opens=opens)
    size = biggest(market)
    assert_same_cells(state, twin, size)
    np.testing.assert_allclose(exposure, expected, rtol=TINY, atol=TINY * size * market[2].high.max())
    assert state.open_interest_base == twin.open_interest


def test_a_hundred_bars_of_the_whole_recipe_are_the_plain_twins():
    # The full 24 tiers x 3 classes on an ordinary path; hypothesis keeps to small ones.
    rng = np.random.default_rng(7)
    close = 60_000 * np.exp(np.cumsum(rng.normal(0, 0.002, 100)))
    reach = np.exp(rng.exponential(0.001, (2, 100)))
    oi = 1e5 * np.exp(np.cumsum(rng.normal(0, 0.003, 100)))
    market = (60_000.0, 1e5, bar_series(close / reach[0], close * reach[1], close, oi, np.ones(100)))
    state, exposure, twin, expected, _ = both(Recipe(), market)
    assert_same_cells(state, twin, 1e5)
    np.testing.assert_allclose(exposure, expected, rtol=TINY, atol=TINY * 1e5 * close.max())


def test_a_first_bar_far_from_the_start_grows_the_grid_and_touches_nothing_else():
    # Rows of near and far tiers grow by different numbers of cells; a frontier beyond the end of one would write into the next.
    for jump in (0.6, 1.7):
        price = 100.0 * jump
        market = (100.0, 1e4, bar_series([price], [price * 1.01], [price], [1e4], [1]))
        state, exposure, twin, expected, _ = both(Recipe(), market)
        assert_same_cells(state, twin, 1e4)
        np.testing.assert_allclose(exposure[0], expected[0], rtol=TINY, atol=1e-3)
        assert state.frontier.max() < state.mass.shape[3]


def test_factors_are_folded_into_the_mass_before_they_underflow():
    # The 8-minute class keeps 0.55 a bar: 1e-100 after 386 bars. The price never moves, so old mass is only divided down.
    n = 500
    recipe = Recipe(tiers=1, nearest=0.1, farthest=0.1, churn=(0.45,), smear=0.0, nodes=(0.0,))
    market = (100.0, 1e4, bar_series([100.0] * n, [100.1] * n, [100.0] * n, [1e4] * n, [1] * n))
    state, _, twin, _, _ = both(recipe, market)
    assert state.scale[0, 0] > 1e-100
    assert_same_cells(state, twin, 1e4)


@settings(max_examples=40, deadline=None)
@given(recipes(), markets(most=6), st.lists(st.floats(0.5, 1.5), min_size=2, max_size=9))
def test_buckets_hold_what_the_twin_counts_between_their_edges(recipe, market, ratios):
    state, _, twin, _, _ = both(recipe, market)
    mark = float(market[2].close[-1])
    outward = np.unique([mark, *(mark * r for r in ratios)])
    for side, edges in ((0, outward[::-1]), (1, outward)):
        found = contracts(state, side, edges)
        for k in range(recipe.tiers):
            for c in range(recipe.classes):
                expected = [
                    twin.between(side, k, c, math.log(min(a, b)), math.log(max(a, b))) for a, b in itertools.pairwise(edges)
                ]
                np.testing.assert_allclose(found[k, c], expected, rtol=1e-7, atol=1e-8 * biggest(market))


def random_weights(recipe, bars, seed):
    rng = np.random.default_rng(seed)
    shape = (bars, 2, recipe.tiers, recipe.classes)
    return rng.uniform(0.0, 0.1, shape), rng.uniform(0.0, 1.0, shape)


@settings(max_examples=30, deadline=None)
@given(recipes(), markets(most=5), st.integers(0, 2**32), st.floats(-0.3, 0.3), st.integers(1, 8), st.floats(0.0004, 0.1))
def test_painted_columns_are_the_twins(recipe, market, seed, shift, rows, row_height):
    price, oi, bars = market
    weights, share = random_weights(recipe, len(bars), seed)
    painted = np.arange(len(bars)) - (np.arange(len(bars)) % 2) * 100  # every other bar is painted
    column = np.where(painted >= 0, painted // 2, -1)
    columns = int(column.max()) + 1
    usd, prior = np.full((columns, rows), np.nan, np.float32), np.full((columns, rows), np.nan, np.float32)
    top = math.log(float(bars.close[-1])) + shift + 0.5 * rows * row_height
    canvas = Canvas(weights, share, column, top, row_height, usd, prior)
    state = MapState(recipe, price, oi, bars.interval_ns)
    state.end_ns = 0
    exposure = np.zeros((len(bars), 2, recipe.tiers, recipe.classes))
    state.roll(bars, np.arange(len(bars)), exposure, canvas=canvas)
    twin = TwinState(recipe, price, oi, bars.interval_ns)
    for i, elapsed in enumerate(elapsed_bars(0, bars)):
        close = float(bars.close[i])
        scratch = np.zeros_like(exposure[0])
        bar = bars.low[i], bars.high[i], close, bars.open_interest_base[i], scratch
        twin.bar(*bar, elapsed=elapsed, **volumes(bars, i))
        if column[i] >= 0:
            want_usd, want_prior = twin.column(weights[i], share[i], close, top, row_height, rows)
            ceiling = 1e-5 * max(want_usd.max(), 1e-9 * price * oi)  # the sheet is float32
            np.testing.assert_allclose(usd[column[i]], want_usd, rtol=1e-5, atol=ceiling)
            np.testing.assert_allclose(prior[column[i]], want_prior, rtol=1e-5, atol=ceiling)


@settings(max_examples=30, deadline=None)
@given(recipes(), markets(most=6), st.integers(0, 2**32), st.floats(0.0, 0.3), st.booleans())
def test_flows_of_a_region_are_the_twins(recipe, market, seed, width, opens):
    price, oi, bars = market
    weights = random_weights(recipe, 1, seed)[0][0]
    middle = math.log(price)
    region = np.array([[middle - 0.1 - width, middle - 0.02], [middle + 0.02, middle + 0.02 + width]])
    canvas = Canvas.counting(recipe, weights)
    exposure = np.zeros((1, 2, recipe.tiers, recipe.classes))
    state = MapState(recipe, price, oi, bars.interval_ns)
    state.end_ns = 0
    flows = state.roll(bars, np.zeros(len(bars), np.int64), exposure, opens=opens, canvas=canvas, region=region)
    twin = TwinState(recipe, price, oi, bars.interval_ns)
    burnt, closed, opened = np.zeros(2), np.zeros(2), np.zeros(2)
    start = np.array(twin.count(weights, region))
    for i, elapsed in enumerate(elapsed_bars(0, bars)):
        low, high, close = bars.low[i], bars.high[i], bars.close[i]
        before = np.array(twin.count(weights, region))
        twin.sweep(low, high, exposure[0])
        swept = np.array(twin.count(weights, region))
        twin.close(bars.open_interest_base[i], twin.passed(low, high, bars.open_interest_base[i], elapsed, **volumes(bars, i)))
        left = np.array(twin.count(weights, region))
        if opens:
            hour_return, typical = twin.remember(close)
            rises = bars.open_interest_base[i] > twin.open_interest
            lean = recipe.tilt * math.tanh(hour_return / max(4.0 * typical, 4e-5)) if rises else 0.0
            twin.refill(low, high, bars.open_interest_base[i], lean)
        twin.open_interest = bars.open_interest_base[i]
        burnt += before - swept
        closed += swept - left
        opened += np.array(twin.count(weights, region)) - left
    size = TINY * biggest(market)
    np.testing.assert_allclose(flows, np.stack([burnt, closed, opened], axis=1), rtol=1e-7, atol=10 * size)
    # What was there, less what left, plus what came, is what is there.
    np.testing.assert_allclose(start - burnt - closed + opened, twin.count(weights, region), rtol=1e-7, atol=10 * size)


def test_without_tilt_and_in_bar_deaths_only_ranges_count():
    # A recipe without tilt and without in-bar deaths has nothing to remember: the state is a function of ranges alone.
    recipe = replace(Recipe(tiers=2), tilt=0.0, in_bar=0.0)
    low, high, oi = [99.0, 98.0], [101.0, 100.0], [1e3, 1.2e3]
    one, *_ = both(recipe, (100.0, 1e3, bar_series(low, high, [100.0, 99.0], oi, [1, 1])))
    two, *_ = both(recipe, (100.0, 1e3, bar_series(low, high, [99.5, 98.5], oi, [1, 1])))
    np.testing.assert_array_equal(one.mass, two.mass)
    assert one.interval_ns == FIVE_MINUTES
