"""Flow streams: clocks that run with what is opened, what they may know, and what an unknown flow is."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from estimate_scenes import SHIPPED, bar_series, liquidations_of, one_tier, random_bars, small

from liqscape.errors import BadArgument
from liqscape.estimate import Estimator, MapState
from liqscape.units import NS_PER_HOUR

LONG, SHORT = 0, 1


def rolled(recipe, volume, buy=None, *, oi=1000.0):
    """Scales of each side after bars that stand still at 100, with these volumes."""
    flat = np.full(len(volume), 100.0)
    bars = bar_series(flat, flat, flat, np.full(len(volume), oi))
    bought = np.full(len(volume), np.nan) if buy is None else np.array(buy)
    bars = replace(bars, volume_base=np.array(volume), taker_buy_base=bought)
    state = MapState(recipe, 100.0, oi, bars.interval_ns)
    exposure = np.zeros((len(bars), 2, recipe.tiers, recipe.classes))
    state.roll(bars, np.arange(len(bars)), exposure)
    return state.scale[:, 0]


def with_volumes(bars, seed=3):
    rng = np.random.default_rng(seed)
    volume = rng.exponential(1000.0, len(bars))
    return replace(bars, volume_base=volume, taker_buy_base=volume * rng.uniform(0.0, 1.0, len(bars)))


def test_thrice_the_usual_flow_closes_as_much_as_three_bars():
    # 10 % a bar. Volumes 10, 10, 70: the third bar is 70 over an average of 30 (a week hardly forgets): 2.33 bars pass in it.
    recipe = one_tier(churn=(0.1,), streams=("volume",))
    assert rolled(recipe, [10.0, 10.0]) == pytest.approx([0.81, 0.81])
    assert rolled(recipe, [10.0, 10.0, 70.0]) == pytest.approx(2 * [0.9 ** (2 + 70 / 30)], rel=1e-3)
    assert rolled(recipe, [10.0, 0.0]) == pytest.approx([0.9, 0.9])  # nothing flows: nothing turns over


def test_longs_turn_over_when_takers_buy_and_shorts_when_they_sell():
    # 75 % of the volume is bought. Openings lean twice as far: all of them are longs, in a market that is even on the average.
    recipe = one_tier(churn=(0.1,), streams=("sided",))
    even = rolled(recipe, [10.0, 10.0], [5.0, 5.0])
    assert even == pytest.approx([0.81, 0.81])
    long, short = rolled(recipe, [10.0, 10.0], [5.0, 7.5])
    assert long == pytest.approx(0.9 ** (1 + 1.0 / 0.75), rel=1e-3)  # 7 opens of longs over the average of 3.5 and 7
    assert short == pytest.approx(0.9)


def test_an_unknown_flow_is_the_usual_one_and_not_none():
    recipe = one_tier(churn=(0.1,), streams=("volume",))
    assert rolled(recipe, [np.nan, np.nan]) == pytest.approx([0.81, 0.81])
    assert rolled(recipe, [10.0, np.nan, 10.0]) == pytest.approx([0.729, 0.729])
    # A known volume of unknown takers opens as many longs as shorts.
    sided = replace(recipe, streams=("sided",))
    assert rolled(sided, [10.0, 10.0]) == pytest.approx(rolled(replace(recipe, streams=("gross",)), [10.0, 10.0]))


def test_without_any_flow_every_clock_is_even():
    bars = random_bars(300)  # volumes unknown
    scratch = np.zeros((300, 2, 6, 3)), np.zeros((300, 2, 6, 3))
    even, sided = (MapState(small(streams=(name,)), 60_000.0, 8e4, bars.interval_ns) for name in ("even", "sided"))
    for state, exposure in zip((even, sided), scratch, strict=True):
        state.roll(bars, np.arange(300), exposure)
    np.testing.assert_allclose(scratch[0], scratch[1], rtol=1e-12)
    np.testing.assert_allclose(even.mass, sided.mass, rtol=1e-12)


def test_a_bars_own_volume_does_not_touch_its_own_sweep():
    recipe = small(streams=("sided",))
    bars = with_volumes(random_bars(200))
    spoilt = replace(bars, volume_base=bars.volume_base.copy(), taker_buy_base=bars.taker_buy_base.copy())
    spoilt.volume_base[150:] *= 100.0
    exposures = []
    for series in (bars, spoilt):
        exposure = np.zeros((200, 2, 6, 3))
        MapState(recipe, 60_000.0, 8e4, bars.interval_ns).roll(series, np.arange(200), exposure)
        exposures.append(exposure)
    np.testing.assert_array_equal(exposures[0][:151], exposures[1][:151])
    assert (exposures[0][151:] != exposures[1][151:]).any()


def test_streams_are_carried_one_after_the_other():
    # Classes of the first stream come first; the prior is shared between streams, so that the whole asks for as much as before.
    recipe = small(streams=("even", "sided"))
    assert recipe.classes == 6
    assert recipe.class_life_s.tolist() == small().class_life_s.tolist() * 2
    assert recipe.prior_shape().sum() == pytest.approx(small().prior_shape().sum())
    bars = with_volumes(random_bars(300))
    alone, both = np.zeros((300, 2, 6, 3)), np.zeros((300, 2, 6, 6))
    MapState(small(), 60_000.0, 8e4, bars.interval_ns).roll(bars, np.arange(300), alone)
    MapState(recipe, 60_000.0, 8e4, bars.interval_ns).roll(bars, np.arange(300), both)
    np.testing.assert_allclose(both[..., :3], alone, rtol=1e-12)


def test_any_split_gives_the_same_state_and_the_same_weights():
    bars = with_volumes(random_bars(4300))
    liquidations = liquidations_of(bars)
    made = []
    for edges in ([0, 4300], [0, 1, 7, 1000, 1001, 4200, 4300]):
        estimator = Estimator(bars.interval_ns, NS_PER_HOUR, (small(streams=("even", "sided")),), SHIPPED)
        for first, last in itertools.pairwise(edges):
            estimator.observe(bars.slice(first, last), liquidations, int(bars.end_ns[last - 1]))
        made.append(estimator)
    one, two = (estimator.states[0] for estimator in made)
    np.testing.assert_allclose(one.usual, two.usual, rtol=1e-12)
    np.testing.assert_allclose(one.mass * one.scale[:, None, :, None], two.mass * two.scale[:, None, :, None], rtol=1e-9)
    assert made[0].mixes()[0].learned
    np.testing.assert_allclose(made[0].mixes()[0].weights, made[1].mixes()[0].weights, rtol=1e-9)
    twin = one.copy()
    twin.usual[:] = 0.0
    assert one.usual.all()


@pytest.mark.parametrize("streams", [(), ("even", "even"), ("tides",)])
def test_streams_that_do_not_exist_are_refused_by_name(streams):
    with pytest.raises(BadArgument, match="streams must be some of even, range"):
        MapState(small(streams=streams), 60_000.0, 8e4, 300 * 10**9)
