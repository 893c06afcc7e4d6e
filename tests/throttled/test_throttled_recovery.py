"""True volume behind throttled feeds of a world with another mix and other lifetimes than the estimator's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from throttled_scenes import START_S, bars_of, hours_of, world

from liqscape.errors import BadArgument
from liqscape.estimate import MapState
from liqscape.estimate.throttled import FIT_AT, ThrottledLearner, beside, fine_recipe, sweep
from liqscape.estimate.throttled_free import recover_from_prints
from liqscape.estimate.throttled_prints import FeedRule, by_second
from liqscape.estimate.throttled_recovered import Outcome, Recovered, band
from liqscape.units import NS_PER_HOUR, NS_PER_S


@pytest.fixture(scope="module")
def busy():
    return world(hours=44)


@pytest.fixture(scope="module")
def swept(busy):
    state = MapState(fine_recipe(), float(busy.bars.close[0]), 80_000.0, NS_PER_S)
    return [sweep(state, bars) for bars in hours_of(busy.bars)]


def recovered(scene, swept, rule, silences_ns=None):
    learner, prints = ThrottledLearner(fine_recipe(), rule, burn_in_h=8.0), scene.shown(rule, silences_ns)
    return [learner.observe(beside(hour, prints)) for hour in swept], learner


@pytest.fixture(scope="module")
def latest(busy, swept):
    return recovered(busy, swept, FeedRule.LATEST)


@pytest.mark.parametrize("rule", list(FeedRule))
def test_true_volume_is_recovered_when_a_third_is_reported(busy, swept, latest, rule):
    found = latest[0] if rule is FeedRule.LATEST else recovered(busy, swept, rule)[0]
    told = [i for i, hour in enumerate(found) if hour.outcome is Outcome.RECOVERED]
    assert found[0].outcome is Outcome.UNLEARNED
    assert np.isnan(found[0].true_usd).all()
    assert len(told) > 18
    truth = busy.hourly()[told]
    estimate, low, high, reported, predicted = (
        np.array([getattr(found[i], name) for i in told])
        for name in ("true_usd", "low_usd", "high_usd", "reported_usd", "predicted_usd")
    )
    share = reported.sum() / truth.sum()
    assert 0.2 < share < (0.4 if rule is FeedRule.LATEST else 0.75)
    assert estimate.sum() / truth.sum() == pytest.approx(1.0, abs=0.15)
    assert estimate.sum(axis=0) / truth.sum(axis=0) == pytest.approx([1.0, 1.0], abs=0.2)  # each side
    assert predicted.sum() / truth.sum() == pytest.approx(1.0, abs=0.25)
    inside = ((truth >= low) & (truth <= high)).mean()
    assert 0.65 < inside < 0.97
    assert (reported <= truth * (1 + 1e-9)).all()
    assert (reported <= low + 1e-9).all()
    assert (low <= high).all()
    # The largest hours, where the feed hides most, are not left behind.
    top = np.argsort(truth.sum(axis=1))[::-1][:5]
    assert estimate[top].sum() / truth[top].sum() == pytest.approx(1.0, abs=0.25)
    assert reported[top].sum() / truth[top].sum() < share


def first_told(found):
    """Index of the first hour that was recovered."""
    return next(i for i, hour in enumerate(found) if hour.outcome is not Outcome.UNLEARNED)


def test_a_silence_is_predicted_and_not_zero(busy, swept, latest):
    whole = latest[0]
    hour = next(i for i in range(first_told(whole), len(whole)) if whole[i].predicted_usd.sum() > 1e6)
    span = np.array([[(START_S + hour * 3_600) * NS_PER_S, (START_S + hour * 3_600 + 2_700) * NS_PER_S]])
    found, _ = recovered(busy, swept[: hour + 1], FeedRule.LATEST, span)
    assert found[hour].outcome is Outcome.SILENT
    assert found[hour].silent_s == 2_700
    assert found[hour].reported_usd.sum() < whole[hour].reported_usd.sum()
    assert 0.4 < found[hour].true_usd.sum() / whole[hour].true_usd.sum() < 2.5
    assert found[hour].true_usd.sum() > 8.0 * found[hour].reported_usd.sum()
    np.testing.assert_allclose(found[hour].predicted_usd, whole[hour].predicted_usd)  # known before the hour


def test_nothing_later_is_used(busy, swept, latest):
    last = first_told(latest[0]) + 2
    late = busy.second >= START_S + last * 3_600
    poisoned = replace(busy, usd=np.where(late, 100.0, 1.0) * busy.usd)
    again, _ = recovered(poisoned, swept[: last + 1], FeedRule.LATEST)
    for one, two in zip(latest[0], again[:last], strict=False):
        np.testing.assert_array_equal(one.true_usd, two.true_usd)
    assert again[last].reported_usd.sum() > 50.0 * latest[0][last].reported_usd.sum()
    np.testing.assert_array_equal(again[last].predicted_usd, latest[0][last].predicted_usd)


def test_weights_and_sizes_are_learned_after_enough_prints(busy, latest):
    found, learner = latest
    first = first_told(found)
    before = busy.shown(FeedRule.LATEST).between(START_S + 8 * 3_600, START_S + first * 3_600)
    assert len(before) >= FIT_AT[0]
    assert learner.law is not None
    assert learner.law.mean_usd == pytest.approx(busy.usd.mean(), rel=0.1)


def test_thin_sweeps_print_as_often_as_expected(busy, swept, latest):
    # Where the map expects one order in fifty seconds or fewer it errs most; what was learned of that brings it right.
    _, learner = latest
    prints = busy.shown(FeedRule.LATEST)
    expected, uncorrected, printed = 0.0, 0.0, 0
    for hour in swept[-16:]:
        seconds = beside(hour, prints)
        raw = learner._raw(seconds.exposure, learner.weights)
        plain, rate = raw.sum(axis=1) / learner.law.mean_usd, learner._rate(raw, learner.law)
        thin = plain < 0.02
        expected += float(-np.expm1(-rate[thin]).sum())
        uncorrected += float(plain[thin].sum())
        printed += int((seconds.seen[thin] == 1).sum())
    assert expected == pytest.approx(printed, rel=0.5)
    assert abs(np.log(expected / printed)) < abs(np.log(uncorrected / printed))


def test_the_level_follows_a_market_that_became_busier_than_its_map(busy, swept):
    # Of the orders before hour 34 six in ten are left out; from there on all are there.
    late = busy.second >= START_S + 34 * 3_600
    rng = np.random.default_rng(3)
    kept = late | (rng.random(busy.second.size) < 0.4)
    thinned = replace(busy, second=busy.second[kept], sign=busy.sign[kept], usd=busy.usd[kept])
    found, learner = recovered(thinned, swept, FeedRule.LATEST)
    truth = thinned.hourly()
    before, after = (
        sum(found[i].predicted_usd.sum() for i in hours) / truth[list(hours)].sum() for hours in (range(28, 34), range(34, 44))
    )
    caught = sum(found[i].true_usd.sum() for i in range(34, 44)) / truth[34:].sum()
    assert after < 0.8 * before
    assert learner.slow_level > 1.2
    assert caught > after


def test_bars_that_are_not_of_one_second_are_refused():
    bars = bars_of(np.full(10, 100.0))
    state = MapState(fine_recipe(), 100.0, 1_000.0, NS_PER_S)
    with pytest.raises(BadArgument, match="expected bars of 1 s, received 0"):
        sweep(state, bars.slice(0, 0))


def test_prints_lie_beside_the_sweep_of_their_second():
    # Price falls in second 3 through a long level below it; the print of that second is a long's.
    mark = np.array([100.0, 100.0, 100.0, 95.0, 95.0])
    state = MapState(fine_recipe(), 100.0, 1_000.0, NS_PER_S)
    prints = by_second((START_S + np.array([3, 4])) * NS_PER_S, np.array([1, -1]), np.array([7.0, 9.0]))
    silent = np.array([[START_S + 4, START_S + 5]]) * NS_PER_S
    seconds = beside(sweep(state, bars_of(mark)), by_second(prints.second * NS_PER_S, prints.sign, prints.usd, silent))
    at = seconds.second - START_S
    assert {3, 4} <= set(at.tolist())
    row = at.tolist().index(3)
    assert seconds.exposure[row, 0].sum() > 10.0 * seconds.exposure[row, 1].sum()
    assert (seconds.sign[row], seconds.usd[row], seconds.seen[row]) == (1, 7.0, 1)
    assert seconds.seen[at.tolist().index(4)] == 2
    assert seconds.silent_s == 1
    assert seconds.count == 5


def test_intervals_by_hand():
    # No hidden order expected: nothing can be hidden. 0.05 orders: 95 % nothing, so both ends are what was printed.
    def of(orders, usd):
        return band(
            start_s=0, count=3_600, silent_s=0, reported_usd=np.array([5.0, 0.0]), hidden_usd=np.array([usd, 0.0]),
            variance=np.array([usd**2 * 0.01, 0.0]), hidden_orders=np.array([orders, 0.0]), predicted_usd=np.zeros(2),
            error=0.0, level=1.0,
        )  # fmt: skip

    assert of(0.0, 0.0).high_usd == pytest.approx([5.0, 0.0])
    assert (of(0.05, 2.0).low_usd[0], of(0.05, 2.0).high_usd[0], of(0.05, 2.0).true_usd[0]) == (5.0, 5.0, 7.0)
    sure = of(100.0, 2.0)  # cv .1: lognormal 80 % interval, exp(-+1.2816 x .09975 - .005) x 2
    sigma = np.sqrt(np.log1p(0.01))
    assert sure.low_usd[0] == pytest.approx(5.0 + 2.0 * np.exp(-1.2815516 * sigma - 0.5 * sigma**2))
    assert sure.high_usd[0] == pytest.approx(5.0 + 2.0 * np.exp(1.2815516 * sigma - 0.5 * sigma**2))
    assert sure.reported_share == pytest.approx(5.0 / 7.0)


def test_an_unlearned_interval_knows_its_prints_only():
    hour = Recovered.unknown(START_S, 3_600, Outcome.UNLEARNED, np.array([3.0, 0.0]), 0)
    assert hour.reported_share is None
    assert hour.start_ns == START_S * NS_PER_S
    assert hour.interval_ns == NS_PER_HOUR


def test_prints_alone_are_a_lower_estimate(busy):
    prints = busy.shown(FeedRule.LATEST)
    hours = recover_from_prints(prints, FeedRule.LATEST, START_S, len(busy.bars))
    total = sum(hour.true_usd.sum() for hour in hours)
    assert prints.usd.sum() < total < busy.usd.sum()
