"""What stands at a level: hand sums."""

from __future__ import annotations

import numpy as np
import pytest
from cascade_scenes import M, book, brakes, law
from hypothesis import given
from hypothesis import strategies as st

from liqscape.cascade import (
    DepthProfile,
    Direction,
    bait,
    forced_venue,
    hour_of_week,
    momentum,
    pull,
    refill_seen,
    usual_depth,
)
from liqscape.errors import BadArgument

HOUR_NS = 3_600_000_000_000


def test_momentum_by_hand():
    # +1 % in a quarter of a day at 2 % a day is one sigma; 100 bp in 360 minutes; 50M of the 200M that ignite
    asked = {"log_return": 0.01, "seconds": 21_600.0, "sigma_1d": 0.02, "net_taker_usd": 50 * M, "ignition_usd": 200 * M}
    up = momentum(**asked, direction=Direction.UP)
    assert up.z == pytest.approx(1.0)
    assert up.approach_bps_per_min == pytest.approx(100 / 360)
    assert up.flow_share == pytest.approx(0.25)
    down = momentum(**asked, direction=Direction.DOWN)
    assert (down.approach_bps_per_min, down.flow_share) == pytest.approx((-100 / 360, -0.25))
    assert momentum(0.01, 60.0, 0.02, Direction.UP, net_taker_usd=1.0).flow_share is None
    with pytest.raises(BadArgument, match="seconds and volatility"):
        momentum(0.01, 0.0, 0.02, Direction.UP)


def test_bait_is_what_a_push_sets_free():
    # a zone of 300M at 2 %; 200M push the price there: 1.5 per dollar
    found = bait(np.array([300 * M] * 3), brakes(100 * M), Direction.DOWN, 0.02)
    assert found.median == pytest.approx(1.5)
    with pytest.raises(BadArgument, match="beyond the mark"):
        bait(np.array([1.0]), brakes(100 * M), Direction.DOWN, 0.0)


def test_refill_and_pull_compare_books():
    thin = book(25 * M, 50 * M)
    assert refill_seen(book(100 * M), thin, Direction.DOWN, 0.01) == pytest.approx(0.25)
    assert refill_seen(book(100 * M), thin, Direction.UP, 0.6) is None
    usual = np.full(168, 50 * M)  # within 0.5 %
    assert pull(thin, Direction.UP, usual) == pytest.approx(0.5)
    assert pull(thin, Direction.UP, np.full(168, np.nan)) is None


def test_hours_of_the_week():
    assert hour_of_week(1_769_990_400_000_000_000) == 0  # Monday 2026-02-02 00:00 UTC
    assert hour_of_week(1_769_990_400_000_000_000 - 1) == 167
    monday = np.array([0, 1, 168]) * HOUR_NS + 1_769_990_400_000_000_000
    found = usual_depth(monday, np.array([10.0, 7.0, 20.0]))
    assert (found[0], found[1]) == (15.0, 7.0)
    assert np.isnan(found[2:]).all()


def test_known_venues_have_their_rules():
    assert forced_venue("hyperliquid").first_step == 0.4
    assert forced_venue("bybit", insurance_fund_usd=1e8).adl_drawdown == 0.3
    assert forced_venue("elsewhere", depth_share=0.5).depth_share == 0.5


@law
@given(st.floats(1.0, 1000.0), st.floats(0.001, 0.5))
def test_a_profile_is_linear_between_what_is_known(density, distance):
    found = book(density * M)
    assert found.within(Direction.UP, distance) == pytest.approx(density * 100 * M * distance)
    assert isinstance(found, DepthProfile)
