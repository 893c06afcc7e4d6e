"""Streaming equals batch: any split of the same bars gives the same states, weights, record and levels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from estimate_scenes import FIVE_MINUTES, SHIPPED, liquidations_of, random_bars, small
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.estimate import Estimator, MapState, members, side_sum
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

RECIPES = members(small())
# 2.5 weeks in hours of known liquidations: past the burn-in and past the first fit, with a gap of a day and some lone holes.
KEEP = np.ones(4800, bool)
KEEP[1500:1788] = False
KEEP[3000:3004] = False
BARS = random_bars(4800, keep=KEEP)
LIQUIDATIONS = liquidations_of(BARS, unknown=0.05)
END = int(BARS.end_ns[-1])


def observed(splits, bars=BARS, liquidations=LIQUIDATIONS, interval_ns=NS_PER_HOUR, end_ns=END):
    """An estimator that saw the bars in pieces, each as of the end of its last bar."""
    estimator = Estimator(bars.interval_ns, interval_ns, RECIPES, SHIPPED)
    edges = [0, *sorted(splits), len(bars)]
    for first, last in itertools.pairwise(edges):
        as_of = end_ns if last == len(bars) else int(bars.end_ns[last - 1]) if last else int(bars.start_ns[0])
        estimator.observe(bars.slice(first, last), liquidations, as_of)
    return estimator


def assert_same(one, two):
    for a, b in zip(one.states, two.states, strict=True):
        np.testing.assert_allclose(a.mass * a.scale[:, None, :, None], b.mass * b.scale[:, None, :, None], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(a.total, b.total, rtol=1e-9)
        np.testing.assert_array_equal(a.first, b.first)
        assert a.open_interest_base == b.open_interest_base
    for a, b in zip(one.mixes(), two.mixes(), strict=True):
        for name in ("weights", "prior_share", "spread", "prior_mean"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9)
        assert (a.level_fast, a.level_slow, a.level_spread) == pytest.approx(
            (b.level_fast, b.level_slow, b.level_spread), rel=1e-9
        )
        assert a.learned == b.learned
    assert len(one.record) == len(two.record)
    for a, b in zip(one.record, two.record, strict=True):
        assert (a.start_ns, a.learned) == (b.start_ns, b.learned)
        assert a.predicted_usd == pytest.approx(b.predicted_usd, rel=1e-9)
        np.testing.assert_array_equal(a.realised_usd, b.realised_usd)


@pytest.fixture(scope="module")
def batch():
    return observed([])


def test_the_scene_learns(batch):
    # Otherwise the tests below would compare two estimators that did nothing.
    assert batch.mixes()[0].learned
    assert [i.learned for i in batch.record].count(True) > 24
    assert not batch.record[0].learned


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, len(BARS)), max_size=12))
def test_any_split_gives_the_same_estimator(batch, splits):
    assert_same(observed(splits), batch)


def test_bar_by_bar_inside_hours_gives_the_same_estimator():
    bars = BARS.slice(0, 2700)
    end = int(bars.end_ns[-1])
    assert_same(observed(range(len(bars)), bars, end_ns=end), observed([], bars, end_ns=end))


@pytest.mark.parametrize("minutes", [5, 10, 20, 120, 240])
def test_splits_do_not_move_the_first_fit_of_other_intervals(minutes):
    # A third of an hour is not a binary fraction: hours that are added up one by one would reach 168 too early or too late.
    interval = minutes * NS_PER_MINUTE
    bars = random_bars(4200)
    liquidations = liquidations_of(bars, interval_ns=interval)
    end = int(bars.end_ns[-1])
    one = observed([], bars, liquidations, interval, end)
    two = observed(range(7, 4200, 37), bars, liquidations, interval, end)
    assert one.mixes()[0].learned
    assert_same(one, two)
    # 168 h of burn-in, then 168 h known: the first interval after hour 336 is the first that learned weights predict.
    first = next(i for i in one.record if i.learned)
    assert first.start_ns == one.record[0].start_ns + 336 * NS_PER_HOUR


def test_levels_and_draws_do_not_depend_on_the_split(batch):
    other = observed([1, 700, 701, 2345])
    edges = float(BARS.close[-1]) * (1.0 + 0.001 * np.arange(301))
    parts = [side_sum(1, edges, e.states, e.mixes(), (), e.states[0].open_interest_base) for e in (batch, other)]
    for name in ("usd", "base", "prior_usd", "tier_usd", "class_usd", "draws_usd", "prior_draws_usd"):
        np.testing.assert_allclose(getattr(parts[0], name), getattr(parts[1], name), rtol=1e-9, atol=1e-6)


def test_a_copy_goes_its_own_way():
    state = MapState(small(), 60_000.0, 8e4, FIVE_MINUTES)
    twin = state.copy()
    before = twin.mass.copy()
    bars = BARS.slice(0, 50)
    state.roll(bars, np.zeros(50, np.int64), np.zeros((1, 2, 6, 3)))
    np.testing.assert_array_equal(twin.mass, before)
    assert twin.end_ns is None
    twin.roll(bars, np.zeros(50, np.int64), np.zeros((1, 2, 6, 3)))
    np.testing.assert_array_equal(twin.mass, state.mass)


def test_growth_of_the_grid_moves_nothing():
    # Price doubles in small steps: the grid grows several times on the way, in whichever pieces the bars come.
    steps = random_bars(600, volatility=0.0005)
    trend = np.exp(np.linspace(0.0, np.log(2.0), 600))
    doubled = random_bars(600, volatility=0.0005)
    for name in ("low", "high", "close", "open"):
        getattr(doubled, name)[:] = getattr(steps, name) * trend
    states = []
    for edges in ([0, 600], [0, 1, 250, 251, 400, 600]):
        state = MapState(small(), 60_000.0, 8e4, FIVE_MINUTES)
        width = state.mass.shape[3]
        for first, last in itertools.pairwise(edges):
            state.roll(doubled.slice(first, last), np.zeros(last - first, np.int64), np.zeros((1, 2, 6, 3)))
        assert state.mass.shape[3] > width
        states.append(state)
    np.testing.assert_array_equal(states[0].mass, states[1].mass)
