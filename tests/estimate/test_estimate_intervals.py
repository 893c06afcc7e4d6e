"""Bars and liquidations of other lengths, ragged starts and missing pieces: what is taken in and what teaches nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from estimate_scenes import BTC, FIVE_MINUTES, SHIPPED, START, bar_series, joined, liquidations_of, random_bars, small

from liqscape.errors import BadArgument
from liqscape.estimate import Estimator, MapState, Recipe, _kernels, contracts
from liqscape.model import LiquidationSeries
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE


def started(bars, interval_ns=NS_PER_HOUR):
    return Estimator(bars.interval_ns, interval_ns, (small(),), SHIPPED)


def no_liquidations(interval_ns=NS_PER_HOUR):
    return LiquidationSeries.empty(BTC, interval_ns)


def end_of(bars):
    return int(bars.end_ns[-1])


def known(estimator):
    return [not np.isnan(i.realised_usd[0]) for i in estimator.record]


def test_bars_before_the_first_open_interest_are_passed_over():
    bars = random_bars(60)
    bars.open_interest_base[:25] = np.nan
    late = started(bars)
    late.observe(bars, no_liquidations(), end_of(bars))
    assert late.ready
    fresh = started(bars)
    fresh.observe(bars.slice(25, 60), no_liquidations(), end_of(bars))
    np.testing.assert_array_equal(late.states[0].mass, fresh.states[0].mass)


def test_without_open_interest_nothing_starts():
    bars = random_bars(30)
    bars.open_interest_base[:] = np.nan
    estimator = started(bars)
    estimator.observe(bars, no_liquidations(), end_of(bars))
    estimator.observe(bars.slice(0, 0), no_liquidations(), end_of(bars))
    assert not estimator.ready
    assert estimator.record == []


def test_a_first_stamp_of_zero_does_not_start_a_map():
    bars = random_bars(30)
    bars.open_interest_base[:10] = 0.0
    estimator = started(bars)
    estimator.observe(bars.slice(0, 10), no_liquidations(), int(bars.end_ns[9]))
    assert not estimator.ready
    estimator.observe(bars.slice(10, 30), no_liquidations(), end_of(bars))
    assert estimator.ready


def test_open_interest_cannot_become_unknown_again():
    bars = random_bars(30)
    bars.open_interest_base[20] = np.nan
    for first in (0, 10):
        estimator = started(bars)
        if first:
            estimator.observe(bars.slice(0, first), no_liquidations(), int(bars.end_ns[first - 1]))
        with pytest.raises(BadArgument, match="cannot become unknown"):
            estimator.observe(bars.slice(first, 30), no_liquidations(), end_of(bars))


def test_an_hour_that_begins_in_its_middle_teaches_nothing():
    # 10:25 on: 7 of 12 bars; the next two hours are whole; then 9 bars of 12, less than the 80 % that are asked for.
    bars = random_bars(7 + 24 + 9, start_ns=START + 25 * NS_PER_MINUTE)
    liquidations = liquidations_of(bars)
    estimator = started(bars)
    estimator.observe(bars, liquidations, START + 4 * NS_PER_HOUR)
    assert known(estimator) == [False, True, True, False]
    assert [i.start_ns for i in estimator.record] == [START + h * NS_PER_HOUR for h in range(4)]


def test_an_hour_is_closed_as_soon_as_it_is_over_even_without_a_next_bar():
    bars = random_bars(25)
    liquidations = liquidations_of(bars)
    estimator = started(bars)
    estimator.observe(bars.slice(0, 24), liquidations, START + 2 * NS_PER_HOUR - 1)
    assert len(estimator.record) == 1
    estimator.observe(bars.slice(24, 24), liquidations, START + 2 * NS_PER_HOUR)
    assert len(estimator.record) == 2
    assert known(estimator) == [True, True]  # 11 of 12: the first bar only starts the state


def test_hours_without_bars_are_not_in_the_record():
    keep = np.ones(72, bool)
    keep[24:48] = False
    bars = random_bars(72, keep=keep)
    estimator = started(bars)
    estimator.observe(bars, liquidations_of(bars), end_of(bars))
    assert [(i.start_ns - START) // NS_PER_HOUR for i in estimator.record] == [0, 1, 4, 5]


@pytest.mark.parametrize(("bar_minutes", "hours"), [(5, 4), (60, 4), (60, 1), (1, 1), (240, 4)])
def test_liquidations_of_longer_intervals(bar_minutes, hours):
    interval = hours * NS_PER_HOUR
    n = 40 * 24 * 60 // bar_minutes if bar_minutes >= 60 else 15 * 24 * 60 // bar_minutes
    bars = random_bars(n, interval_ns=bar_minutes * NS_PER_MINUTE, volatility=0.0006 * np.sqrt(bar_minutes))
    estimator = started(bars, interval)
    estimator.observe(bars, liquidations_of(bars, interval_ns=interval), end_of(bars))
    assert all(known(estimator)[1:])
    assert estimator.mixes()[0].learned
    assert estimator.learners[0].floor_usd == 5e3 * hours


@pytest.mark.parametrize(("bar", "liquidation"), [(60, 30), (60, 90), (5, 7), (5, 1)])
def test_intervals_must_be_whole_bars(bar, liquidation):
    with pytest.raises(BadArgument, match="expected a multiple") as caught:
        Estimator(bar * NS_PER_MINUTE, liquidation * NS_PER_MINUTE)
    assert "finer bars" in caught.value.hint


def test_sums_of_another_interval_are_refused():
    # Four hours' dollars would be taken for the first hour's.
    bars = random_bars(60)
    with pytest.raises(BadArgument, match="expected intervals of"):
        started(bars).observe(bars, liquidations_of(bars, interval_ns=4 * NS_PER_HOUR), end_of(bars))


def test_unknown_hours_are_predicted_and_teach_nothing():
    bars = random_bars(24 * 12)
    estimator = started(bars)
    estimator.observe(bars, no_liquidations(), end_of(bars))
    assert not any(known(estimator))
    assert min(min(i.predicted_usd) for i in estimator.record) >= 5e3
    mix = estimator.mixes()[0]
    assert not mix.learned
    assert mix.level == 1.0
    np.testing.assert_array_equal(mix.prior_share, 1.0)
    np.testing.assert_array_equal(mix.weights, mix.prior_mean)


def test_churn_of_other_bar_lengths_compounds():
    # 3 % per 5 minutes: 1 - 0.97 ** 12 an hour, and five 1-minute bars close 3 % together.
    recipe = Recipe(churn=(0.03,))
    assert recipe.churn_per_bar(FIVE_MINUTES) == pytest.approx([0.03])
    assert recipe.churn_per_bar(NS_PER_HOUR) == pytest.approx([1.0 - 0.97**12])
    assert (1.0 - recipe.churn_per_bar(NS_PER_MINUTE)) ** 5 == pytest.approx([0.97])
    with pytest.raises(BadArgument, match="positive length"):
        recipe.churn_per_bar(0)


def test_an_hour_in_one_bar_closes_as_much_as_in_twelve():
    # Price stands still: what stays of each class after a day does not depend on how the day was cut.
    left = []
    for minutes in (1, 5, 60):
        n = 1440 // minutes
        flat = np.full(n, 100.0)
        bars = bar_series(flat, flat, flat, np.full(n, 1e4), interval_ns=minutes * NS_PER_MINUTE)
        state = MapState(Recipe(), 110.0, 1e4, bars.interval_ns)
        state.roll(bars, np.zeros(n, np.int64), np.zeros((1, 2, 24, 3)))
        left.append(state.scale.copy())
    np.testing.assert_allclose(left[0], left[1], rtol=1e-9)
    np.testing.assert_allclose(left[2][:, :2], left[1][:, :2], rtol=1e-9)


def pools(bars, recipe):
    """Contracts within 2, 5, 10 and 20 % of the last close on either side, weighted as the prior does."""
    state = MapState(recipe, 60_000.0, 8e4, bars.interval_ns)
    state.roll(bars, np.zeros(len(bars), np.int64), np.zeros((1, 2, recipe.tiers, 3)))
    mark = float(bars.close[-1])
    weights = (recipe.prior_shape() * np.repeat(recipe.drawn, 3)).reshape(recipe.tiers, 3)
    steps = np.array([0.0, 0.02, 0.05, 0.1, 0.2])
    return np.array([
        np.cumsum(np.einsum("kc,kcn->n", weights, contracts(state, s, mark * (1.0 + sign * steps))))
        for s, sign in ((0, -1.0), (1, 1.0))
    ])  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_path_in_other_bars_gives_nearly_the_same_map(seed):
    # An hour's range is known but not its order, so an hourly map is coarser, most within 2 %. Without the tilt, which sees
    # whether open interest rose within a bar and so differs with its length.
    minutes = random_bars(14 * 1440, seed, interval_ns=NS_PER_MINUTE, volatility=0.0007)
    recipe = replace(Recipe(), tilt=0.0)
    fives = pools(joined(minutes, 5), recipe)
    np.testing.assert_allclose(pools(minutes, recipe), fives, rtol=0.12)
    np.testing.assert_allclose(pools(joined(minutes, 60), recipe)[:, 1:], fives[:, 1:], rtol=0.15)


def test_the_tilt_asks_for_the_same_move_whatever_the_bar():
    # The typical |return| that an hour's move is compared with is brought to 5 minutes: sqrt(1 / 5) and sqrt(12) of it.
    typical = {}
    for minutes in (1, 5, 60):
        n = 60 * 24 * 60 // minutes
        rng = np.random.default_rng(4)
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.0005 * np.sqrt(minutes), n)))
        bars = bar_series(close, close, close, np.full(n, 1e4), interval_ns=minutes * NS_PER_MINUTE)
        state = MapState(small(), 100.0, 1e4, bars.interval_ns)
        state.roll(bars, np.zeros(n, np.int64), np.zeros((1, 2, 6, 3)))
        memory = np.empty(2)
        averages = []
        for price in close[-200:]:
            _kernels.remember(price, state.momentum, state.closes, memory)
            averages.append(memory[1])
        typical[minutes] = np.mean(averages)
    assert typical[1] == pytest.approx(typical[5], rel=0.15)
    assert typical[60] == pytest.approx(typical[5], rel=0.15)
