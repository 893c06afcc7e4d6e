"""What is seen live and afterwards: reproduction, attribution, the reality check."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cascade_scenes import M, law
from hypothesis import given
from hypothesis import strategies as st

from liqscape.cascade import (
    Physics,
    Replay,
    attribute,
    calibrated,
    discontinuity,
    exactly,
    generation_interval,
    reality,
    reproduction,
    size_dispersion,
    speed_ratio,
)
from liqscape.errors import BadArgument, NoData

AT_ONCE = np.array([1.0])  # every order descends from the step before


def live(orders, **asked):
    given_or_default = {"mean_size_usd": 1.0, "weights": AT_ONCE, "window": 2, **asked}
    return reproduction(np.asarray(orders, dtype=float), **given_or_default)


def test_reproduction_by_hand():
    # window of two: 20 + 40 orders seen, 10 + 20 in the steps before them: Gamma(1 + 60, 1 + 30), mean 61 / 31
    found = live([10, 20, 40])
    assert np.isnan(found.median[:2]).all()
    assert found.median[2] == pytest.approx(61 / 31, rel=0.01)
    assert found.orders[2] == 60.0
    assert found.p_above_one[2] > 0.99
    # nothing happened at all: the prior, exponential with mean 1
    calm = live([0, 0, 0])
    assert calm.p_above_one[2] == pytest.approx(math.exp(-1.0))
    assert calm.median[2] == pytest.approx(math.log(2.0))


def test_dying_out_and_uneven_sizes():
    assert live([40, 20, 10]).p_above_one[2] < 0.01
    # the same dollars of uneven orders say less
    assert live([40, 20, 10], dispersion=20.0).p_above_one[2] > live([40, 20, 10]).p_above_one[2]
    # sizes 1 and 3: mean of squares 5, square of the mean 4
    assert size_dispersion(np.array([1.0, 3.0])) == 1.25


def test_a_gap_in_the_feed_is_not_zero():
    found = live([5, 5, float("nan"), 5, 5, 5])
    assert np.isnan(found.p_above_one[2:5]).all()
    assert np.isfinite(found.p_above_one[5])


def test_generation_interval_has_its_mean():
    weights = generation_interval(20.0, 10.0)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ (np.arange(weights.size) + 0.5) == pytest.approx(20.0, rel=0.01)


@pytest.mark.parametrize("asked", [{"mean_size_usd": 0.0}, {"window": 0}, {"dispersion": 0.5}, {"orders": [-1.0, 1.0]}])
def test_bad_reproduction_is_refused(asked):
    with pytest.raises(BadArgument):
        live(**{"orders": [1.0, 1.0], **asked})
    with pytest.raises(BadArgument):
        generation_interval(0.0, 1.0)
    with pytest.raises(BadArgument):
        size_dispersion(np.array([0.0]))


@law
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.4, 0.8, 1.2]))
def test_reproduction_uses_the_past_alone_and_covers_the_truth(seed, truth):
    generator = np.random.default_rng(seed)
    weights = generation_interval(5.0, 3.0)
    orders = np.zeros(60)
    orders[: weights.size] = 40.0
    for t in range(weights.size, 60):
        orders[t] = generator.poisson(truth * weights @ orders[t - weights.size : t][::-1])
    found = live(orders, weights=weights, window=20)
    cut = live(orders[:50], weights=weights, window=20)
    np.testing.assert_array_equal(found.median[:50], cut.median)
    # 80 % intervals miss one time in five; five standard deviations of the posterior do not
    width = (found.hi[-1] - found.lo[-1]) / 2.56
    assert abs(found.median[-1] - truth) < 5.0 * width + 0.05


PLAIN = Physics(permanent=exactly(1.0))


def replay(**change):
    # 100M per 1 %: forced sales of 30M and 20M push -0.5 %, all takers sold 80M; the price fell by 1 %
    told = {
        "price": 100.0 * np.exp([0.0, -0.006, -0.01]),
        "forced_usd": np.array([-30 * M, -20 * M]),
        "depth_usd": np.array([1e4 * M]),
        "taker_usd": np.array([-50 * M, -30 * M]),
    }
    return Replay(**{**told, **change})


def test_attribution_by_hand():
    found = attribute(replay(), refill=exactly(1.0), physics=PLAIN)
    assert found.forced.median == pytest.approx(0.5)
    assert found.taker.median == pytest.approx(0.3)
    assert found.unexplained.median == pytest.approx(0.2)
    assert found.counterfactual.median == pytest.approx(-0.005)
    assert found.withdrawal.median is None
    # half of the forced dollars are published: they did all of it, and takers bought
    hidden = attribute(replay(), refill=exactly(1.0), physics=PLAIN, reported=exactly(0.5))
    assert hidden.forced.median == pytest.approx(1.0)
    assert hidden.taker.median == pytest.approx(-0.2)


def test_attribution_shares_what_withdrawn_depth_did():
    # usual depth twice as much: forced orders would have done half. Shapley: (0.5 + 0.25) / 2 each, withdrawal the rest
    found = attribute(replay(calm_depth_usd=np.array([2e4 * M])), refill=exactly(1.0), physics=PLAIN)
    assert found.forced.median == pytest.approx(0.375)
    assert found.taker.median == pytest.approx(0.225)
    assert found.withdrawal.median == pytest.approx(0.2)
    assert found.unexplained.median == pytest.approx(0.2)


def test_attribution_without_taker_flow_leaves_it_unexplained():
    found = attribute(replay(taker_usd=None), refill=exactly(1.0), physics=PLAIN)
    assert found.taker.median is None
    assert found.unexplained.median == pytest.approx(0.5)


def test_attribution_of_what_faded():
    # none of it lasts, time constant 1 s: the first step's impact has faded to 1/e at the end, the second's is whole
    physics = Physics(permanent=exactly(1e-9), tau_s=exactly(1.0))
    found = attribute(replay(), refill=exactly(1.0), physics=physics)
    assert found.forced.median == pytest.approx((0.003 / math.e + 0.002) / 0.01)


def test_default_interval_is_wide_and_holds_the_middle():
    found = attribute(replay()).forced
    assert found.lo < found.median < found.hi
    assert found.hi - found.lo > 0.1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"price": np.array([1.0, 2.0])}, BadArgument),
        ({"price": np.array([1.0, 2.0, 1.0])}, NoData),
        ({"depth_usd": np.array([0.0])}, BadArgument),
        ({"taker_usd": np.array([1.0, float("nan")])}, BadArgument),
        ({"calm_depth_usd": np.array([-1.0])}, BadArgument),
    ],
)
def test_bad_replays_are_refused(change, error):
    with pytest.raises(error):
        replay(**change)


@law
@given(st.integers(0, 2**32 - 1))
def test_shares_of_one_draw_make_one(seed):
    generator = np.random.default_rng(seed)
    asked = {"refill": exactly(1.3), "physics": Physics(permanent=exactly(0.7), tau_s=exactly(20.0))}
    found = attribute(
        Replay(
            price=100.0 * np.exp(np.cumsum(generator.normal(0.001, 0.01, 31))),
            forced_usd=generator.normal(0.0, M, 30),
            depth_usd=generator.uniform(50 * M, 500 * M, 30),
            taker_usd=generator.normal(0.0, 3 * M, 30),
            calm_depth_usd=generator.uniform(100 * M, 500 * M, 30),
        ),
        **asked,
    )
    parts = [part.median for part in (found.forced, found.taker, found.withdrawal, found.unexplained)]
    assert sum(parts) == pytest.approx(1.0)


def test_speed():
    # 2 % in a quarter of a day at 2 % a day: twice the usual 1 %
    assert speed_ratio(-0.02, 0.02, 21_600.0) == pytest.approx(2.0)
    with pytest.raises(BadArgument):
        speed_ratio(0.01, 0.0, 1.0)


def breaches(effect, *, days=60, seed=5):
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(days), 4)
    excess, before = generator.normal(0.3, 1.0, group.size), generator.normal(0.0, 0.01, group.size)
    shock = generator.normal(0.0, 0.004, days)[group] + generator.normal(0.0, 0.004, group.size)
    return excess, 0.002 + effect * excess + 0.5 * before + shock, before, group


def test_discontinuity_finds_a_planted_effect_and_no_other():
    found = discontinuity(*breaches(0.003))
    assert found.slope.lo < 0.003 < found.slope.hi
    assert found.slope.lo > 0.0
    assert (found.breaches, found.groups) == (240, 60)
    # the effect makes up 0.003 x mean excess of a mean move of 0.002 + that
    assert found.share.lo < 0.0009 / 0.0029 < found.share.hi
    none = discontinuity(*breaches(0.0))
    assert none.slope.lo < 0.0 < none.slope.hi
    assert 0.0 < none.smallest_visible < 0.003


def test_discontinuity_is_exact_without_noise():
    excess, _, before, group = breaches(0.0)
    found = discontinuity(excess, 0.002 + 0.004 * excess - before, before, group)
    assert found.slope.median == pytest.approx(0.004)
    assert found.smallest_visible == pytest.approx(0.0, abs=1e-9)


def test_discontinuity_needs_days():
    with pytest.raises(NoData, match="at least 8 days"):
        discontinuity(*breaches(0.0, days=7))


def test_interval_covers_a_null_as_often_as_it_says():
    holds = [
        found.slope.lo < 0.0 < found.slope.hi
        for found in (discontinuity(*breaches(0.0, seed=seed), draws=200) for seed in range(100))
    ]
    assert 0.68 <= np.mean(holds) <= 0.92  # 80 % +- three standard errors


def test_reality_check_by_hand():
    # none seen: a mean of ln 10 = 2.3 gives none one time in ten
    assert reality(1.0, 0).hi == pytest.approx(math.log(10.0))
    assert reality(3.1, 2).consistent
    assert not reality(30.0, 2).consistent
    assert reality(3.1, 2).sentence == "expected 3.1 ignitions, seen 2: consistent"
    assert reality(30.0, 2).sentence.endswith("too many")
    assert reality(0.1, 5).sentence.endswith("too few")
    with pytest.raises(BadArgument):
        reality(-1.0, 0)


def test_calibration_finds_the_multiple():
    # 12 runs are expected of a static book, in inverse proportion to depth; 3 were seen: four times the book
    found = calibrated(lambda scale: 12.0 / scale, 3)
    assert found.scale == pytest.approx(4.0, rel=1e-3)
    assert found.check.consistent
    assert found.lo < found.scale < found.hi
    quiet = calibrated(lambda scale: 12.0 / scale, 0)
    assert quiet.hi is None
    assert quiet.scale == pytest.approx(24.0, rel=1e-3)
    with pytest.raises(NoData, match="do not belong together"):
        calibrated(lambda scale: 0.0, 3)
