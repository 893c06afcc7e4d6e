"""The survivor share by hand, against plain rolls, and its laws: nobody looks ahead, too short a record does not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_scenes import FIVE_MINUTES, LEARNS, START, market, poisoned, stored
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.analytics.caveats import caveats_for
from liqscape.api.envelope import meta_of
from liqscape.engine.maps import build_map
from liqscape.engine.replay import read_tape, replay
from liqscape.engine.survivors import EVERY_NS, HORIZONS_H, STARTS, Survivors, joined_shares, recent_starts, survivor_record
from liqscape.errors import NoData
from liqscape.estimate import Estimator, Recipe
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

NAME = "binance:BTCUSDT"
END = START + LEARNS * NS_PER_DAY
FRAMES = market()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("survivors"), FRAMES)


def tape_of(workspace, as_of_ns=END):
    return read_tape(workspace, workspace.resolve(NAME)[0], as_of_ns, 60 * NS_PER_DAY)


def made(stood, swept):
    shape = (1, len(HORIZONS_H), 2)
    return Survivors(np.zeros(1, np.int64), np.broadcast_to(np.array(stood, float)[:, None], shape), np.full(shape, swept))


def test_shares_are_dollars_over_dollars_and_instruments_add_up():
    # 3 of 10, 2 of 10 and 1 of 10 dollars a side; joined with an instrument of 90 dollars of which 6, 4 and 2 stood.
    one, two = made([3.0, 2.0, 1.0], 10.0), made([6.0, 4.0, 2.0], 90.0)
    assert one.shares() == pytest.approx({"1h": 0.3, "4h": 0.2, "24h": 0.1})
    assert joined_shares([one, two]) == pytest.approx({"1h": 0.09, "4h": 0.06, "24h": 0.03})
    assert joined_shares([one, None]) is None  # not known of one: not known of both
    assert joined_shares([]) is None
    assert made([0.0, 0.0, 0.0], 0.0).shares() == {}


def plain(tape, weights, start_ns):
    """What stood and what was swept within each horizon of one start: two rolls of a whole day, no sharing of work."""
    recipe, bars = Recipe(), tape.bars
    first = int(np.searchsorted(bars.start_ns, start_ns))
    estimator = Estimator(bars.interval_ns, tape.learn_interval_ns, (recipe,))
    estimator.observe(bars.slice(0, first), tape.liquidations, start_ns)
    sums = np.empty((2, len(HORIZONS_H), 2))
    for j, hours in enumerate(HORIZONS_H):
        last = int(np.searchsorted(bars.start_ns, start_ns + hours * NS_PER_HOUR))
        following = bars.slice(first, last)
        for i, opens in enumerate((False, True)):
            exposure = np.zeros((1, 2, recipe.tiers, recipe.classes))
            estimator.states[0].copy().roll(following, np.zeros(len(following), np.int64), exposure, opens=opens)
            sums[i, j] = (exposure.reshape(2, -1) * weights).sum(axis=1)
    return sums


def test_a_map_measures_what_plain_rolls_do(workspace):
    tape = tape_of(workspace)
    run = replay(tape)
    assert run.survivors is not None
    np.testing.assert_array_equal(run.survivors.start_ns, END - NS_PER_DAY - EVERY_NS * np.arange(STARTS)[::-1])
    weights = run.estimator.mixes()[0].weights
    for i in (0, 11, STARTS - 1):
        stood, swept = plain(tape, weights, int(run.survivors.start_ns[i]))
        np.testing.assert_allclose(run.survivors.stood_usd[i], stood, rtol=1e-9)
        np.testing.assert_allclose(run.survivors.swept_usd[i], swept, rtol=1e-9)


def test_the_record_uses_the_weights_of_each_start(workspace):
    tape = tape_of(workspace)
    starts = START + 15 * NS_PER_DAY + NS_PER_HOUR * np.arange(3)
    found = survivor_record(tape.bars, tape.liquidations, starts)
    for i, start in enumerate(starts.tolist()):
        until = int(np.searchsorted(tape.bars.start_ns, start))
        then = Estimator(tape.bars.interval_ns, tape.learn_interval_ns, (Recipe(),))
        then.observe(tape.bars.slice(0, until), tape.liquidations, start)
        assert then.mixes()[0].learned
        stood, swept = plain(tape, then.mixes()[0].weights, start)
        np.testing.assert_allclose(found.stood_usd[i], stood, rtol=1e-9)
        np.testing.assert_allclose(found.swept_usd[i], swept, rtol=1e-9)
    with pytest.raises(NoData, match="a day after the last"):
        survivor_record(tape.bars, tape.liquidations, np.array([END - NS_PER_DAY + NS_PER_HOUR]))


@settings(max_examples=3, deadline=None)
@given(back=st.integers(0, 24 * 12))
def test_shares_fall_with_the_horizon_and_never_exceed_one(workspace, back):
    found = replay(tape_of(workspace, END - back * FIVE_MINUTES)).survivors
    assert found is not None
    # What stood is part of what was swept, for every start, horizon and side; and more is swept later, not less.
    assert (found.stood_usd >= 0.0).all()
    assert (found.stood_usd <= found.swept_usd * (1.0 + 1e-9)).all()
    assert (np.diff(found.stood_usd, axis=1) >= -1e-9).all()
    assert (np.diff(found.swept_usd, axis=1) >= -1e-9).all()


def test_a_poisoned_future_changes_no_share(tmp_path, workspace):
    as_of = END - 20 * NS_PER_HOUR
    one, two = (build_map(w, NAME, as_of_ns=as_of) for w in (workspace, stored(tmp_path, poisoned(FRAMES, as_of))))
    assert one.survivor_share == two.survivor_share
    assert one.survivor_share is not None
    later = as_of + 12 * NS_PER_HOUR
    assert build_map(workspace, NAME, as_of_ns=later).survivor_share != one.survivor_share


def test_every_map_says_it_or_says_that_it_does_not_know(workspace):
    known = build_map(workspace, NAME)
    assert known.survivor_share is not None
    assert list(known.survivor_share) == ["1h", "4h", "24h"]
    assert 1.0 > known.survivor_share["1h"] > known.survivor_share["4h"] > known.survivor_share["24h"] > 0.0
    assert meta_of(known).survivor_share == known.survivor_share
    text = next(c.text for c in caveats_for(known, "map") if c.code == "EXPIRES")
    assert text == f"About {known.survivor_share['4h'] * 100:.0f} % of the next 4 h's liquidations come from positions open now."
    # A week of burn-in, 8 starts and a day: 10 days and an hour are enough, an hour less is not.
    enough = 7 * NS_PER_DAY + 7 * EVERY_NS + NS_PER_DAY + FIVE_MINUTES
    assert build_map(workspace, NAME, as_of_ns=START + enough).survivor_share is not None
    short = build_map(workspace, NAME, as_of_ns=START + enough - NS_PER_HOUR)
    assert short.survivor_share is None
    text = next(c.text for c in caveats_for(short, "map") if c.code == "EXPIRES")
    assert "was not measured here" in text


def test_bars_that_do_not_divide_an_hour_have_no_starts(workspace):
    bars = tape_of(workspace).bars
    assert recent_starts(bars).size == STARTS
    assert recent_starts(replace(bars, interval_ns=7 * NS_PER_HOUR)).size == 0
    assert recent_starts(replace(bars, open_interest_base=np.full(len(bars), np.nan))).size == 0
