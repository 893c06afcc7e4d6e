"""Simulated feeds: what they show, when it arrives, and that nothing is made up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.errors import BadArgument
from liqscape.model import Completeness, InstrumentId
from liqscape.testing.market import LiquidationPrints
from liqscape.testing.market.feeds import Feed, FeedRule, publish
from liqscape.units import NS_PER_HOUR, NS_PER_S

START = 1_767_225_600 * NS_PER_S


def truth_of(offset_ms, usd, sign=None):
    """Forced orders at millisecond offsets, at a price of 100."""
    n = len(offset_ms)
    usd = np.asarray(usd, np.float64)
    filler = np.full(n, 100.0)
    return LiquidationPrints(
        instrument=InstrumentId("simulated", "BTCUSDT"),
        ts_ns=START + np.asarray(offset_ms, np.int64) * 1_000_000,
        sign=np.ones(n, np.int8) if sign is None else np.asarray(sign, np.int8),
        price=filler.copy(),
        quantity_base=usd / 100.0,
        account=np.arange(n),
        mark_price=filler.copy(),
        liquidation_price=filler.copy(),
        equity_usd=np.zeros(n),
        maintenance_usd=np.zeros(n),
    )


def feed_of(truth, to_s=10, seed=1, **options):
    return publish(truth, Feed(**options), from_ns=START, to_ns=START + to_s * NS_PER_S, seed=seed)


HAND = truth_of([100, 200, 900, 1_500, 3_000, 3_999], [5, 9, 2, 4, 7, 7])


def test_latest_shows_the_last_order_of_each_second():
    tape = feed_of(HAND, rule=FeedRule.LATEST)
    assert tape.row.tolist() == [2, 3, 5]
    assert tape.prints.notional_usd == pytest.approx([2.0, 4.0, 7.0])


def test_largest_shows_the_largest_and_of_equals_the_later():
    assert feed_of(HAND, rule=FeedRule.LARGEST).row.tolist() == [1, 3, 5]


def test_all_shows_everything_and_says_so():
    tape = feed_of(HAND, rule=FeedRule.ALL)
    assert tape.row.tolist() == [0, 1, 2, 3, 4, 5]
    assert tape.recv_ns.tolist() == HAND.ts_ns.tolist()
    assert {r.completeness for r in tape.records()} == {Completeness.ALL}


def test_a_throttled_print_arrives_when_its_second_is_over_and_later():
    prompt = feed_of(HAND)
    assert ((prompt.recv_ns - START) / NS_PER_S).tolist() == [1.0, 2.0, 4.0]
    late = feed_of(HAND, delay_s=0.2)
    assert (late.recv_ns - prompt.recv_ns).tolist() == [200_000_000] * 3
    records = late.records()
    assert [r.ts_recv for r in records] == late.recv_ns.tolist()
    assert {r.completeness for r in records} == {Completeness.THROTTLED}


def test_jitter_scatters_delays_around_their_median():
    many = truth_of(np.arange(4_000) * 1_000, np.ones(4_000))
    tape = feed_of(many, to_s=4_000, delay_s=0.5, jitter=0.4)
    delay = (tape.recv_ns - (tape.prints.ts_ns // NS_PER_S + 1) * NS_PER_S) / NS_PER_S
    assert np.median(delay) == pytest.approx(0.5, rel=0.03)
    assert np.log(delay).std() == pytest.approx(0.4, rel=0.05)


def test_silences_are_recorded_and_hold_no_print():
    hours = 48
    many = truth_of(np.arange(hours * 3_600) * 1_000, np.ones(hours * 3_600))
    tape = feed_of(many, to_s=hours * 3_600, gaps_per_day=24.0, gap_s=300.0)
    silent_s = int((tape.gaps_ns[:, 1] - tape.gaps_ns[:, 0]).sum()) // NS_PER_S
    assert silent_s / (hours * 3_600) == pytest.approx(1.0 - np.exp(-24 * 300 / 86_400), abs=0.03)
    assert len(tape) == hours * 3_600 - silent_s  # one order a second: each silent second hides one
    inside = (tape.prints.ts_ns[:, None] >= tape.gaps_ns[:, 0]) & (tape.prints.ts_ns[:, None] < tape.gaps_ns[:, 1])
    assert not inside.any()
    assert (tape.gaps_ns[1:, 0] > tape.gaps_ns[:-1, 1]).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 2**32), st.sampled_from([0.0, 2_000.0]))
def test_a_throttled_feed_never_shows_more_than_happened(n, seed, gaps_per_day):
    rng = np.random.default_rng(seed)
    truth = truth_of(np.sort(rng.integers(0, 60_000, n)), rng.pareto(1.5, n) + 0.01, rng.choice([-1, 1], n))
    options = {"to_s": 60, "seed": seed, "gaps_per_day": gaps_per_day, "gap_s": 3.0}
    whole, latest, largest = (feed_of(truth, rule=rule, **options) for rule in (FeedRule.ALL, FeedRule.LATEST, FeedRule.LARGEST))
    assert np.array_equal(latest.gaps_ns, whole.gaps_ns)  # silences do not depend on the rule
    for tape in (latest, largest):
        assert np.isin(tape.row, whole.row).all()
        second = tape.prints.ts_ns // NS_PER_S
        assert (np.diff(second) >= 1).all()
        assert np.array_equal(np.unique(truth.ts_ns[whole.row] // NS_PER_S), second)
        assert np.array_equal(tape.prints.quantity_base, truth.quantity_base[tape.row])
    assert (largest.prints.notional_usd >= latest.prints.notional_usd).all()
    assert whole.prints.notional_usd.sum() <= truth.notional_usd.sum() * (1 + 1e-12)


def test_the_same_seed_gives_the_same_feed():
    options = {"delay_s": 0.3, "jitter": 1.0, "gaps_per_day": 1e4, "gap_s": 1.0}
    one, two, other = (feed_of(HAND, seed=seed, **options) for seed in (5, 5, 6))
    assert np.array_equal(one.recv_ns, two.recv_ns)
    assert not np.array_equal(one.gaps_ns, other.gaps_ns)


def test_spans_and_numbers_that_make_no_sense_are_refused():
    with pytest.raises(BadArgument, match="whole windows"):
        publish(HAND, Feed(), from_ns=START, to_ns=START + NS_PER_HOUR + 1, seed=1)
    with pytest.raises(BadArgument, match="delay_s must be a finite number"):
        Feed(delay_s=-1.0)
    with pytest.raises(BadArgument, match="window_ns must be positive"):
        Feed(window_ns=0)
