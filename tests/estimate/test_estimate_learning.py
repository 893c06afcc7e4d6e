"""The learner: when it fits, what it fits, what stays prior, and how wide its draws are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from estimate_scenes import SHIPPED, small
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.errors import BadArgument
from liqscape.estimate import Kept, Learner, Mix
from liqscape.units import NS_PER_HOUR

RECIPE = small()
SIZE = RECIPE.tiers * RECIPE.classes
WEEK = 168


def history(hours=400, seed=1, swept_tiers=RECIPE.tiers):
    """Exposure float64[n, 2, T] in which the farthest tiers may never be swept, and what was published of it."""
    rng = np.random.default_rng(seed)
    exposure = rng.exponential(1e8, (hours, 2, RECIPE.tiers, RECIPE.classes))
    exposure[:, :, swept_tiers:] = 0.0
    exposure = exposure.reshape(hours, 2, SIZE)
    truth = 0.002 * rng.uniform(0.5, 1.5, (2, SIZE))
    realised = np.einsum("tsk,sk->ts", exposure, truth) * rng.gamma(5.0, 0.2, (hours, 2))
    return exposure, realised


def learner(interval_ns=NS_PER_HOUR, **purged):
    return Learner(RECIPE, interval_ns, SHIPPED, **purged)


def test_nothing_is_learned_before_a_week_of_burn_in_and_a_week_of_hours():
    exposure, realised = history()
    made = learner()
    made.observe(exposure[: 2 * WEEK - 1], realised[: 2 * WEEK - 1])
    assert not made.learned
    np.testing.assert_array_equal(made.weights, made.prior_mean)
    made.observe(exposure[2 * WEEK - 1 : 2 * WEEK], realised[2 * WEEK - 1 : 2 * WEEK])
    assert made.learned
    assert made.learned_from == 2 * WEEK


def test_unknown_hours_put_the_fit_off():
    exposure, realised = history()
    realised[200:260, 0] = np.nan  # one side is enough: the hour is unknown
    made = learner()
    made.observe(exposure, realised)
    assert made.learned_from == 2 * WEEK + 60


def test_the_fitted_prior_gives_back_what_was_published():
    # One scale a side: over the hours it was fitted on, the prior's dollars are the published dollars.
    exposure, realised = history()
    made = learner()
    made.observe(exposure[: 2 * WEEK], realised[: 2 * WEEK])
    known = slice(WEEK, 2 * WEEK)
    predicted = np.einsum("tsk,sk->s", exposure[known], made.prior_mean)
    np.testing.assert_allclose(predicted, realised[known].sum(axis=0))
    # It keeps the power law: twice the distance, 2 ** 1.5 times the weight.
    shape = made.prior_mean / RECIPE.prior_shape()
    np.testing.assert_allclose(shape, shape[:, :1] * np.ones(SIZE))


def test_an_embargo_puts_the_fit_off_and_keeps_it_from_the_hours_before():
    # Burn-in, a week to fit on, three days of embargo: the fit is made then and reads the week before the embargo alone.
    exposure, realised = history(3 * WEEK)
    made = learner(embargo_ns=72 * NS_PER_HOUR)
    until = 2 * WEEK + 72
    made.observe(exposure[: until - 1], realised[: until - 1])
    assert not made.learned
    made.observe(exposure[until - 1 : until], realised[until - 1 : until])
    assert made.learned_from == until
    open_ended = learner()
    open_ended.observe(exposure[: 2 * WEEK], realised[: 2 * WEEK])
    np.testing.assert_array_equal(made.prior_mean, open_ended.prior_mean)
    np.testing.assert_array_equal(made.prior_strength, open_ended.prior_strength)
    # The filter is not held back: it has replayed the three days that the fit did not read.
    assert (made.denominator > open_ended.denominator).all()
    spoilt = learner(embargo_ns=72 * NS_PER_HOUR)
    poison = realised.copy()
    poison[2 * WEEK : until] *= 100.0
    spoilt.observe(exposure[:until], poison[:until])
    np.testing.assert_array_equal(spoilt.prior_mean, made.prior_mean)
    assert (spoilt.weights > made.weights).all()


def test_a_fit_window_limits_how_far_back_a_fit_reads():
    exposure, realised = history(3 * WEEK)
    made = learner(fit_window_ns=100 * NS_PER_HOUR)
    made.observe(exposure, realised)
    last = slice(3 * WEEK - 100, 3 * WEEK)
    predicted = np.einsum("tsk,sk->s", exposure[last], made.prior_mean)
    np.testing.assert_allclose(predicted, realised[last].sum(axis=0))


def test_embargo_and_window_go_by_the_clock_and_not_by_the_count():
    # 50 h of embargo, and 40 h in which there was no bar at all before the newest interval: only 10 more are left out.
    exposure, realised = history()
    hours = np.arange(1, 401)
    hours[2 * WEEK + 9 :] += 40
    made = learner(embargo_ns=50 * NS_PER_HOUR)
    made.observe(exposure, realised, None, hours * NS_PER_HOUR)
    assert made.learned_from == 2 * WEEK + 10


@pytest.mark.parametrize("purged", [{"embargo_ns": -1}, {"fit_window_ns": NS_PER_HOUR - 1}])
def test_an_embargo_below_zero_or_a_window_under_an_interval_is_refused(purged):
    with pytest.raises(BadArgument, match="embargo >= 0 and a window"):
        learner(**purged)


def test_a_side_without_liquidations_is_never_fitted():
    exposure, realised = history(1300)
    realised[:, 1] = 0.0
    made = learner()
    made.observe(exposure, realised)
    assert not made.learned
    assert not made.mix().learned


def test_what_was_never_swept_stays_prior_and_what_is_swept_becomes_data():
    exposure, realised = history(swept_tiers=4)
    made = learner()
    made.observe(exposure, realised)
    mix = made.mix()
    share = mix.prior_share.reshape(2, RECIPE.tiers, RECIPE.classes)
    np.testing.assert_array_equal(share[:, 4:], 1.0)
    assert (share[:, :4] < 0.5).all()
    np.testing.assert_allclose(mix.weights.reshape(share.shape)[:, 4:], mix.prior_mean.reshape(share.shape)[:, 4:])
    # Prior weights are unsure by half of themselves; learned ones that carry dollars by less.
    spread = mix.spread.reshape(share.shape)
    np.testing.assert_allclose(spread[:, 4:], 0.5)
    assert np.average(spread[:, :4], weights=mix.weights.reshape(share.shape)[:, :4]) < 0.2


def test_predictions_come_before_learning():
    exposure, realised = history()
    kept = Kept.empty(len(exposure), SIZE)
    one, two = learner(), learner()
    changed = realised.copy()
    changed[380:] *= 50.0
    first, second = one.observe(exposure, realised, kept), two.observe(exposure, changed)
    np.testing.assert_array_equal(first[:381], second[:381])
    assert (first[381:] < second[381:]).all()
    np.testing.assert_array_equal(kept.weights[: 2 * WEEK], np.broadcast_to(learner().weights, (2 * WEEK, 2, SIZE)))
    np.testing.assert_array_equal(kept.prior_share[: 2 * WEEK], 1.0)
    assert (kept.prior_share[2 * WEEK :] < 1.0).all()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 1100), max_size=8), st.integers(0, 2**32), st.sampled_from((0, 1, 100)))
def test_any_split_of_the_intervals_learns_the_same(cuts, seed, embargo_h):
    exposure, realised = history(1100, 3)
    realised[np.random.default_rng(seed).random(1100) < 0.1] = np.nan
    one, two = (learner(embargo_ns=embargo_h * NS_PER_HOUR, fit_window_ns=500 * NS_PER_HOUR) for _ in range(2))
    whole = one.observe(exposure, realised)
    edges = [0, *sorted(cuts), 1100]
    parts = [two.observe(exposure[a:b], realised[a:b]) for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-9)
    np.testing.assert_allclose(two.mix().weights, one.mix().weights, rtol=1e-9)


def mix_of(spread, level_spread, learned=True):
    ones = np.ones((2, 4))
    return Mix(0.01 * ones, 0.5 * ones, spread * ones, 0.02 * ones, 1.0, 1.0, level_spread, learned)


def test_draws_have_the_mean_and_the_spread_that_are_named():
    posterior, prior = mix_of(0.3, 0.0).draw(np.random.default_rng(1), 20_000)
    assert posterior.mean() == pytest.approx(0.01, rel=0.01)
    assert posterior.std(axis=0) == pytest.approx(np.full((2, 4), 0.003), rel=0.03)
    # The prior alone: each tier unsure by half, and their common scale by half again.
    assert prior.mean() == pytest.approx(0.02, rel=0.02)
    assert prior.std(axis=0) / 0.02 == pytest.approx(np.full((2, 4), np.sqrt(1.25**2 - 1.0)), rel=0.05)


def test_a_level_that_wandered_and_shipped_weights_widen_draws_together():
    rng = np.random.default_rng
    calm, wandered = (mix_of(0.05, s).draw(rng(1), 20_000)[0].sum(axis=(1, 2)) for s in (0.0, 0.4))
    assert np.log(wandered).std() == pytest.approx(np.hypot(0.4, np.log(calm).std()), rel=0.03)
    shipped = mix_of(0.05, 0.0, learned=False).draw(rng(1), 20_000)[0].sum(axis=(1, 2))
    assert shipped.std() / shipped.mean() == pytest.approx(0.5, rel=0.05)
