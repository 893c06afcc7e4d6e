"""Replaying a tape with stops for ages gives the estimator of one pass; the copies kept on the way are what survived."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from engine_scenes import FIVE_MINUTES, LEARNS, START, market, stored

from liqscape.engine.maps import assemble
from liqscape.engine.replay import read_tape, replay
from liqscape.estimate import AGE_KNOTS_NS, Estimator, members
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

NAME = "binance:BTCUSDT"
END = START + LEARNS * NS_PER_DAY


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    frames = market()
    # A hole across the day-old knot, and one bar missing at the 4-hour knot.
    for table, frame in frames.items():
        if table.value == "bars":
            missing = (frame["ts"] >= END - 26 * NS_PER_HOUR) & (frame["ts"] < END - 23 * NS_PER_HOUR)
            missing |= frame["ts"] == END - 4 * NS_PER_HOUR - FIVE_MINUTES
            frames[table] = frame.filter(~missing)
    return stored(tmp_path_factory.mktemp("replay"), frames)


def tape_of(workspace, as_of_ns=END):
    return read_tape(workspace, workspace.resolve(NAME)[0], as_of_ns, 60 * NS_PER_DAY)


@pytest.mark.parametrize("back", [0, 25 * NS_PER_MINUTE, 40 * NS_PER_MINUTE])
def test_stops_inside_hours_do_not_change_the_estimator(workspace, back):
    tape = tape_of(workspace, END - back)
    once = Estimator(tape.bars.interval_ns, tape.learn_interval_ns, members())
    once.observe(tape.bars, tape.liquidations, tape.as_of_ns)
    found = replay(tape).estimator
    assert once.mixes()[0].learned
    for a, b in zip(found.states, once.states, strict=True):
        np.testing.assert_allclose(a.mass * a.scale[:, None, :, None], b.mass * b.scale[:, None, :, None], rtol=1e-9)
        np.testing.assert_allclose(a.total, b.total, rtol=1e-9)
    for a, b in zip(found.mixes(), once.mixes(), strict=True):
        np.testing.assert_allclose(a.weights, b.weights, rtol=1e-9)
        np.testing.assert_allclose(a.spread, b.spread, rtol=1e-9)
        assert a.level == pytest.approx(b.level, rel=1e-9)
    assert [i.start_ns for i in found.record] == [i.start_ns for i in once.record]
    for a, b in zip(found.record, once.record, strict=True):
        assert a.predicted_usd == pytest.approx(b.predicted_usd, rel=1e-9)
        assert a.learned == b.learned


def test_with_and_without_ages_the_map_is_the_same_but_for_ages(workspace):
    tape = tape_of(workspace)
    one, two = (assemble(NAME, [replay(tape, ages=ages)], END) for ages in (True, False))
    for side in ("long", "short"):
        a, b = getattr(one, side), getattr(two, side)
        np.testing.assert_allclose(a.usd, b.usd, rtol=1e-9)
        np.testing.assert_allclose(a.draws_usd, b.draws_usd, rtol=1e-9)
    assert one.balance == two.balance


def test_older_copies_hold_less(workspace):
    run = replay(tape_of(workspace))
    assert len(run.older) == len(AGE_KNOTS_NS)
    now = run.estimator.states[0]
    standing = [now.total, *(copy.total for copy in run.older)]
    for newer, older in itertools.pairwise(standing):
        assert (older <= newer + 1e-9 * now.open_interest_base).all()
    # Of the long-lived class 0.999 a bar can be left after an hour at most; of the 8-minute class 0.55 ** 12.
    assert (run.older[0].total[:, :, 0] <= now.total[:, :, 0] * 1.001).all()
    assert (run.older[0].total[:, :, 2] <= 0.55**12 * 1.2 * now.total[:, :, 2]).all()
    assert {copy.end_ns for copy in run.older} == {now.end_ns}


def test_a_short_tape_has_fewer_copies(workspace):
    # Five hours of bars: one stood an hour and one four hours ago, none a day ago.
    run = replay(tape_of(workspace, START + 5 * NS_PER_HOUR))
    assert len(run.older) == 2
    assert not run.estimator.mixes()[0].learned


def test_ages_are_known_where_there_is_mass(workspace):
    # The oldest knot is a week; what is older is given the life of the long-lived class on top.
    run = replay(tape_of(workspace))
    made = assemble(NAME, [run], END)
    longest = AGE_KNOTS_NS[-1] / 1e9 + run.estimator.recipes[0].class_life_s.max()
    for side in (made.long, made.short):
        np.testing.assert_array_equal(np.isnan(side.age_s), side.usd == 0.0)
        known = side.age_s[side.usd > 0.0]
        assert (known >= 0.0).all()
        assert (known <= longest).all()
        assert known.max() > 3600.0
