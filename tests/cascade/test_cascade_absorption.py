"""Depth by distance, refill, withdrawal, and the law that stands in where no book is known."""

from __future__ import annotations

import numpy as np
import pytest
from cascade_scenes import DISTANCE, M, book, law
from hypothesis import given
from hypothesis import strategies as st

from liqscape.cascade import (
    THIN_HOUR,
    Basis,
    DepthProfile,
    Direction,
    Factor,
    Refill,
    SquareRootImpact,
    Stress,
    Withdrawal,
    absorption,
    depth_profile,
    exactly,
)
from liqscape.errors import BadArgument, CorruptRecord, NoData

PLAIN = {"refill": Stress(exactly(1.0)), "withdrawal": Stress(exactly(1.0)), "draws": 4}


def test_book_alone_is_the_depth_that_stands():
    # 100M per 1 % of bids, 50M of asks: 2 % absorb 200M and 100M
    found = absorption(DISTANCE, book=book(100 * M, 50 * M), **PLAIN)
    assert found.at(Direction.DOWN, 0.02) == pytest.approx([200 * M] * 4)
    assert found.at(Direction.UP, 0.02) == pytest.approx([100 * M] * 4)
    assert found.basis is Basis.BOOK
    assert found.as_of_ns == 1_700_000_000_000_000_000


def test_refill_withdrawal_and_stress_multiply():
    # 100M per 1 %, 1.5 refills, twice the volatility takes away half (exponent 1), a half of it is left in the stress
    found = absorption(
        DISTANCE,
        book=book(),
        refill=Refill(exactly(1.5)),
        withdrawal=Withdrawal(volatility_ratio=2.0, exponent=exactly(1.0), scatter=0.0),
        stress=exactly(0.5),
        draws=3,
    )
    assert found.at(Direction.DOWN, 0.01) == pytest.approx([37.5 * M] * 3)
    assert [part.name for part in found.parts] == ["depth_0.01_usd", "refill", "withdrawal", "stress"]
    assert found.parts[0].median == pytest.approx(100 * M)


def test_the_standing_book_is_the_horizon_of_nought():
    assert Refill(exactly(1.4)).factors(0.0, np.random.default_rng(1), 2) == pytest.approx([1.0, 1.0])
    assert Refill(exactly(1.4)).factors(450.0, np.random.default_rng(1), 2) == pytest.approx([1.2, 1.2])


def test_square_root_law_turned_round():
    # 1 % = Y sigma sqrt(Q / V) with Y = 1, sigma = 2 %, V = 10B: sqrt = 0.5, Q = 2.5B; 2 % take four times as much
    law_of_impact = SquareRootImpact(sigma_1d=0.02, volume_1d_usd=1e10, y=exactly(1.0))
    found = absorption(DISTANCE, impact=law_of_impact, draws=2)
    assert found.at(Direction.UP, 0.01) == pytest.approx([2.5e9] * 2)
    assert found.at(Direction.DOWN, 0.02) == pytest.approx([1e10] * 2)
    # linear below 0.5 %: a fifth of that distance holds a fifth of its dollars
    assert found.at(Direction.UP, 0.001) == pytest.approx(found.at(Direction.UP, 0.005) / 5.0)
    assert found.basis is Basis.IMPACT_LAW
    assert found.as_of_ns is None
    assert "No order book is known" in found.basis.sentence


def test_a_missing_book_is_said_and_not_invented():
    with pytest.raises(NoData, match="no order book is known"):
        absorption(DISTANCE)


def test_profile_from_orders():
    # mid 100: 1 coin at 99.5 and 2 at 98 below; 3 at 100.5 and 1 at 104 above
    found = depth_profile(
        np.array([98.0, 99.5]),
        np.array([2.0, 1.0]),
        np.array([100.5, 104.0]),
        np.array([3.0, 1.0]),
        ts_ns=1,
        source="made up",
        edges=np.array([0.005, 0.01, 0.02, 0.05]),
    )
    assert found.distance.tolist() == [0.005, 0.01, 0.02]  # bids are known to 2 % only
    assert found.bid_usd == pytest.approx([99.5, 99.5, 99.5 + 196.0])
    assert found.ask_usd == pytest.approx([301.5] * 3)
    assert found.within(Direction.DOWN, 0.015) == pytest.approx(99.5 + 98.0)
    assert found.within(Direction.UP, 0.03) is None


@pytest.mark.parametrize(
    ("bid", "ask", "error", "words"),
    [([101.0], [100.0], CorruptRecord, "crossed"), ([], [100.0], NoData, "no bids"), ([99.0], [-1.0], CorruptRecord, "asks")],
)
def test_a_book_that_cannot_be_is_refused(bid, ask, error, words):
    one = [np.array(side) for side in (bid, [1.0] * len(bid), ask, [1.0] * len(ask))]
    with pytest.raises(error, match=words):
        depth_profile(*one, ts_ns=1, source="made up")


@pytest.mark.parametrize(
    ("distance", "bid", "error"),
    [([0.01, 0.01], [1.0, 2.0], CorruptRecord), ([0.01, 0.02], [2.0, 1.0], CorruptRecord), ([0.01, 0.02], [0.0, 0.0], NoData)],
)
def test_a_profile_that_cannot_be_is_refused(distance, bid, error):
    with pytest.raises(error, match="made up: depth"):
        DepthProfile(np.array(distance), np.array(bid), np.array([1.0, 2.0]), 0, "made up")


@pytest.mark.parametrize(
    "asked",
    [{"distance": np.array([0.0])}, {"distance": np.array([0.1, 0.2])}, {"horizon_s": -1.0}, {"horizon_s": 7200.0}, {"draws": 0}],
)
def test_bad_questions_are_refused(asked):
    with pytest.raises(BadArgument):
        absorption(**{"distance": DISTANCE, "book": book(), **asked})


def test_bad_numbers_are_refused():
    with pytest.raises(BadArgument, match="lo <= median <= hi"):
        Factor(median=1.0, lo=2.0, hi=3.0, source="", date="")
    with pytest.raises(BadArgument, match="volatility_ratio"):
        Withdrawal(volatility_ratio=0.0)
    with pytest.raises(BadArgument, match="sigma_1d"):
        SquareRootImpact(sigma_1d=0.0, volume_1d_usd=1e9)
    with pytest.raises(BadArgument, match="push"):
        absorption(DISTANCE, book=book(), **PLAIN).at(Direction.UP, 0.6)


def test_a_factor_has_its_own_interval():
    draws = THIN_HOUR.draws(np.random.default_rng(3), 200)
    assert np.quantile(draws, (0.1, 0.5, 0.9)) == pytest.approx([THIN_HOUR.lo, THIN_HOUR.median, THIN_HOUR.hi], rel=0.02)


@law
@given(
    ratio=st.floats(0.1, 20.0),
    refill=st.floats(0.5, 3.0),
    stress=st.floats(0.02, 1.0),
    horizon=st.floats(0.0, 3600.0),
    draws=st.integers(1, 9),
)
def test_absorption_begins_at_nought_never_falls_and_is_the_same_again(ratio, refill, stress, horizon, draws):
    asked = {
        "book": book(80 * M, 120 * M),
        "refill": Refill(Factor(median=refill, lo=refill * 0.7, hi=refill * 1.4, source="", date="")),
        "withdrawal": Withdrawal(volatility_ratio=ratio),
        "stress": exactly(stress),
        "horizon_s": horizon,
        "draws": draws,
    }
    found, again = absorption(DISTANCE, **asked), absorption(DISTANCE, **asked)
    for way in Direction:
        usd = found.toward(way)
        assert usd.shape == (draws, DISTANCE.size)
        assert (usd[:, 0] == 0.0).all()
        assert (np.diff(usd, axis=1) > 0.0).all()
        assert np.array_equal(usd, again.toward(way))
    # both sides share what is uncertain: asks stay one and a half times the bids in every draw
    assert found.ask_usd == pytest.approx(1.5 * found.bid_usd)


@law
@given(st.floats(1.0, 10.0), st.floats(1.0, 10.0))
def test_more_volatility_leaves_less(one, other):
    low, high = sorted((one, other))
    calm, wild = (
        absorption(DISTANCE, book=book(), withdrawal=Withdrawal(volatility_ratio=r), draws=8).bid_usd for r in (low, high)
    )
    assert (wild <= calm * (1.0 + 1e-12)).all()
