"""Prints by second, the law of sizes, the test of the rule, and what prints alone say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from liqscape.errors import BadArgument
from liqscape.estimate.throttled_free import recover_from_prints
from liqscape.estimate.throttled_prints import FeedRule, SizeLaw, by_second, size_law
from liqscape.estimate.throttled_recovered import Outcome
from liqscape.estimate.throttled_rule import Verdict, which_rule
from liqscape.units import NS_PER_S


def feed(rule, rate, seconds, seed=1, sizes=None):
    """Prints of a Poisson feed with a rate per second (float or float64[seconds]); and the true dollars."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(np.broadcast_to(rate, seconds))
    at = np.repeat(np.arange(seconds), number)
    usd = rng.pareto(2.5, at.size) + 0.5 if sizes is None else sizes(rng, at)
    order = np.lexsort((usd, at)) if rule is FeedRule.LARGEST else np.arange(at.size)
    last = order[np.append(np.flatnonzero(np.diff(at)), at.size - 1)]
    return by_second(at[last] * NS_PER_S, np.where(rng.random(last.size) < 0.7, 1, -1), usd[last]), usd


def test_a_second_print_of_a_clock_second_moves_on():
    ms = np.array([100, 2_100, 2_900, 3_500] + [10_000 + 1_000 * i for i in range(60)])
    prints = by_second(ms * 1_000_000, np.ones(64, int), np.arange(1.0, 65.0))
    assert prints.second[:5].tolist() == [0, 2, 3, 4, 10]
    assert prints.usd[:4].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_feed_that_shows_everything_is_refused():
    with pytest.raises(BadArgument, match="2 of 4 prints share a clock second"):
        by_second(np.array([1, 1, 5, 5]) * NS_PER_S, np.ones(4, int), np.ones(4))
    with pytest.raises(BadArgument, match="sizes > 0"):
        by_second(np.array([1]) * NS_PER_S, np.ones(1, int), np.array([-1.0]))


def test_seconds_of_a_silence_are_not_heard():
    prints = by_second(np.array([5]) * NS_PER_S, np.ones(1, int), np.ones(1), np.array([[10, 12], [20, 21]]) * NS_PER_S)
    assert prints.heard(np.arange(9, 22)).tolist() == [True, False, False, *[True] * 7, True, False, True]


def test_sizes_under_latest_count_as_the_orders_they_stand_for():
    # A print at a rate near 0 stands for 1 order, one at rate 10 for 10: mean (1 x 2 + 10 x 13) / 11 = 12
    law = size_law(FeedRule.LATEST, np.array([2.0, 13.0, 0.0]), np.array([1e-9, 10.0, 5.0]))
    assert law.mean_usd == pytest.approx((2.0 + 13.0 * 10.0 / -math.expm1(-10.0)) / (1.0 + 10.0 / -math.expm1(-10.0)))
    assert law.share[law.rank(np.array([1.0, 2.0, 12.9, 13.0]))] == pytest.approx([0.0, 1 / 11, 1 / 11, 1.0], abs=1e-5)


@pytest.mark.parametrize("rule", list(FeedRule))
def test_the_law_of_sizes_is_found_at_high_rates(rule):
    rate = np.repeat([0.2, 3.0], 20_000)
    prints, truth = feed(rule, rate, rate.size)
    usd = np.zeros(rate.size)
    usd[prints.second] = prints.usd
    law = size_law(rule, usd, rate)
    assert law.mean_usd == pytest.approx(truth.mean(), rel=0.03)
    for x in (0.6, 0.8, 1.5):
        assert law.share[law.rank(np.array([x]))][0] == pytest.approx((truth <= x).mean(), abs=0.02)
    shown = prints.usd.mean()
    assert (shown > 1.2 * truth.mean()) == (rule is FeedRule.LARGEST)


def test_a_law_of_no_sizes_is_refused():
    with pytest.raises(BadArgument, match="not one print"):
        SizeLaw.of(np.empty(0), np.empty(0))


# Two days, minutes of calm (one order) and every sixth a burst: 20 s at 4 orders a second, 40 s at one in two.
_AT = np.arange(48 * 3_600)
BURSTS = np.where(_AT // 60 % 6 > 0, 1.0 / 60.0, np.where(_AT % 60 < 20, 4.0, 0.5))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("rule", list(FeedRule))
def test_the_rule_is_told_from_sizes(rule, seed):
    found = which_rule(feed(rule, BURSTS, BURSTS.size, seed)[0])
    assert found.verdict.value == rule.value
    assert (found.p_value < 1e-6) == (rule is FeedRule.LARGEST)
    assert (found.median_ratio > 1.15) == (rule is FeedRule.LARGEST)
    assert found.shift_low <= found.shift <= found.shift_high
    assert (found.within > 0.3) == (rule is FeedRule.LARGEST)


def test_sizes_that_rise_with_the_hour_are_not_taken_for_the_largest():
    # Bursts come in every other hour, whose orders are half as large again: medians differ, though nothing picked the largest.
    wild = _AT // 3_600 % 2 == 0
    rate = np.where(wild, BURSTS, 1.0 / 60.0)

    def sizes(rng, at):
        return (rng.pareto(2.5, at.size) + 0.5) * np.where(wild[at], 1.5, 1.0)

    found = which_rule(feed(FeedRule.LATEST, rate, rate.size, sizes=sizes)[0])
    assert found.median_ratio > 1.15
    assert found.shift_low > 0.5
    assert found.p_value < 1e-6
    assert found.verdict is Verdict.UNDECIDED


def test_the_rule_is_told_from_several_symbols_of_different_size():
    tapes = [feed(FeedRule.LARGEST, BURSTS[:36_000], 36_000, seed)[0] for seed in range(4)]
    scaled = [by_second(t.second * NS_PER_S, t.sign, t.usd * 1_000.0**i) for i, t in enumerate(tapes)]
    assert which_rule(scaled).verdict is Verdict.LARGEST
    assert which_rule(scaled).shift == pytest.approx(which_rule(tapes).shift)


@pytest.mark.parametrize("minutes", [0.5, 6])
def test_few_prints_decide_nothing(minutes):
    found = which_rule(feed(FeedRule.LARGEST, BURSTS[: int(60 * minutes)], int(60 * minutes))[0])
    assert found.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("rule", list(FeedRule))
def test_prints_alone_give_back_what_came_at_an_even_rate(rule):
    rate = np.repeat([0.05, 1.0, 2.0], 3_600)
    prints, truth = feed(rule, rate, rate.size)
    hours = recover_from_prints(prints, rule, 0, rate.size, window_s=60)
    assert [h.outcome for h in hours] == [Outcome.RECOVERED] * 3
    got = sum(h.true_usd.sum() for h in hours)
    assert got == pytest.approx(truth.sum(), rel=0.07)
    assert prints.usd.sum() < 0.85 * truth.sum()
    # sides: 7 of 10 prints are of longs
    assert hours[2].true_usd[0] / hours[2].true_usd.sum() == pytest.approx(0.7, abs=0.05)
    for hour in hours:
        assert (hour.low_usd >= hour.reported_usd).all()
        assert (hour.low_usd <= hour.true_usd).all()
        assert (hour.high_usd >= hour.low_usd).all()
        assert 0.0 < hour.reported_share <= 1.0


def test_by_hand_from_prints_alone():
    # 2 printing seconds of 4, of 1 and 3 dollars: rate 1/4 + 1/3 a second, so 7/3 orders in 4 s, a third of one hidden,
    # of 2 dollars on average. Thirty such windows, since fewer prints teach nothing.
    second = (np.arange(0, 120, 4)[:, None] + np.array([0, 2])).ravel()
    usd = np.tile([1.0, 3.0], 30)
    hour = recover_from_prints(by_second(second * NS_PER_S, np.ones(60, int), usd), FeedRule.LATEST, 0, 120, 120, window_s=4)[0]
    assert hour.true_usd == pytest.approx([30 * (4.0 + 2.0 / 3.0), 0.0])
    assert hour.reported_usd == pytest.approx([120.0, 0.0])
    # Largest: the other three seconds of the window hold one print, so a rate of 1/3. Behind the 3 stand rate x F(3) = 1/3 orders
    # of mean size; behind the 1 those of size 1 only.
    law = recover_from_prints(by_second(second * NS_PER_S, np.ones(60, int), usd), FeedRule.LARGEST, 0, 120, 120, window_s=4)[0]
    least, most = 120.0 + 30 * (1.0 / 3.0) * 1.0, 120.0 + 30 * (1.0 / 3.0) * (3.0 + 1.0)
    assert least < law.true_usd[0] < most


def test_a_slow_wave_is_followed_and_a_wave_within_the_window_is_lost():
    fast = np.where(np.arange(36_000) % 20 == 0, 8.0, 0.05)  # bursts of one second
    prints, truth = feed(FeedRule.LATEST, fast, fast.size)
    got = sum(h.true_usd.sum() for h in recover_from_prints(prints, FeedRule.LATEST, 0, fast.size))
    assert prints.usd.sum() < got < 0.5 * truth.sum()


def test_unheard_seconds_count_as_the_rest_of_the_interval_and_half_an_hour_of_silence_says_nothing():
    prints, truth = feed(FeedRule.LATEST, 0.5, 3_600)
    silent = np.array([[0, 900]]) * NS_PER_S
    keep = prints.second >= 900
    heard = by_second(prints.second[keep] * NS_PER_S, prints.sign[keep], prints.usd[keep], silent)
    hour = recover_from_prints(heard, FeedRule.LATEST, 0, 3_600)[0]
    assert hour.silent_s == 900
    assert hour.true_usd.sum() == pytest.approx(truth.sum(), rel=0.1)
    keep = prints.second >= 2_400
    mute = by_second(prints.second[keep] * NS_PER_S, prints.sign[keep], prints.usd[keep], np.array([[0, 2_400]]) * NS_PER_S)
    hour = recover_from_prints(mute, FeedRule.LATEST, 0, 3_600)[0]
    assert hour.outcome is Outcome.SILENT
    assert np.isnan(hour.true_usd).all()
    assert hour.reported_share is None


def test_too_few_prints_and_lengths_that_do_not_fit():
    prints, _ = feed(FeedRule.LATEST, 0.002, 7_200)
    hours = recover_from_prints(prints, FeedRule.LATEST, 0, 7_200)
    assert [h.outcome for h in hours] == [Outcome.UNLEARNED] * 2
    assert "Too few" in hours[0].outcome.sentence
    with pytest.raises(BadArgument, match="windows that divide"):
        recover_from_prints(prints, FeedRule.LATEST, 0, 7_200, window_s=7)


SAMPLES = Path(__file__).parents[3] / "shared/data/forceorder_prints_samples/force_orders.parquet"


@pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded samples are not here")
def test_recorded_prints_are_one_a_second_and_too_few_to_tell_the_rule():
    rows = pl.read_parquet(SAMPLES).filter(pl.col("exchange") == "binance_usdm").sort("ts")
    tapes = [
        by_second(
            part["ts"].dt.epoch("us").to_numpy() * 1_000,
            np.where(part["liquidated_side"].to_numpy() == "long", 1, -1),
            part["notional_usd"].to_numpy(),
        )
        for _, part in rows.group_by("source", "coin", maintain_order=True)
    ]
    clock = rows.with_columns(pl.col("ts").dt.truncate("1s").alias("second")).group_by("coin", "second").len()
    assert int(clock["len"].max()) == 1
    found = which_rule(tapes)
    assert found.verdict is Verdict.UNDECIDED
    assert found.busy > 200
