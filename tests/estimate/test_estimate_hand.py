"""Numbers of the state that a reader can redo in the head, on one tier of 10 % without smear."""

from __future__ import annotations

import math

import numpy as np
import pytest
from estimate_scenes import bar_series, one_tier

from liqscape.estimate import Canvas, MapState, Mix, contracts, side_sum
from liqscape.model.sides import PositionSide
from liqscape.units import NS_PER_MINUTE

LONG, SHORT = 0, 1
NEARLY_NONE = 1e-9


def started(recipe, interval_ns=5 * NS_PER_MINUTE):
    """A state that starts with next to nothing, so that its made-up start does not disturb the count."""
    return MapState(recipe, 100.0, NEARLY_NONE, interval_ns)


def roll(state, *bars, **asked):
    """Bars as (low, high, close, open interest). Returns USD swept, float64[bars, 2, tiers, classes]."""
    low, high, close, oi = zip(*bars, strict=True)
    exposure = np.zeros((len(bars), 2, state.recipe.tiers, state.recipe.classes))
    state.roll(bar_series(low, high, close, oi), np.arange(len(bars)), exposure, **asked)
    return exposure


def between(state, side, low, high):
    return float(contracts(state, side, np.array([low, high])).sum())


def test_entries_at_100_are_liquidated_at_90_and_110():
    state = started(one_tier())
    roll(state, (100.0, 100.0, 100.0, 1000.0))
    # 1,000 contracts are open, each side carries all of them; a cell is 5 bp wide.
    assert between(state, SHORT, 109.9, 110.1) == pytest.approx(1000.0)
    assert between(state, LONG, 89.9, 90.1) == pytest.approx(1000.0)


def test_a_high_of_110_burns_the_shorts_and_counts_them_at_110():
    state = started(one_tier())
    high = 110.06  # beyond the cell that 110 lies in
    swept = roll(state, (100.0, 100.0, 100.0, 1000.0), (100.0, high, 110.0, 1000.0))
    assert swept[1, SHORT, 0, 0] == pytest.approx(1000.0 * high)
    assert swept[1, LONG, 0, 0] == 0.0
    # They are opened anew, entries even over the bar: levels from 110 to 121.
    assert between(state, SHORT, 109.9, 121.2) == pytest.approx(1000.0)
    assert between(state, SHORT, np.sqrt(110.0 * 121.0), 121.2) == pytest.approx(500.0, rel=0.01)
    assert between(state, LONG, 89.9, 90.1) == pytest.approx(1000.0)


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_cell_that_is_entered_by_quarters_loses_quarters(side, quarters):
    # Levels lie evenly in their cell, 5 bp wide; the mark turns back inside it. The far rest of the cell still stands.
    state = started(one_tier())
    roll(state, (100.0, 100.0, 100.0, 1000.0))
    cell = math.floor(math.log(90.0 if side == LONG else 110.0) / 0.0005)
    turn = math.exp(0.0005 * (cell + (1.0 - 0.25 * quarters if side == LONG else 0.25 * quarters)))
    swept = roll(state, (min(turn, 100.0), max(turn, 100.0), 100.0, 1000.0))
    assert swept[0, side, 0, 0] == pytest.approx(250.0 * quarters * turn)
    assert state.total[side, 0, 0] == pytest.approx(1000.0)


def test_a_high_just_below_the_level_burns_nothing():
    state = started(one_tier())
    swept = roll(state, (100.0, 100.0, 100.0, 1000.0), (100.0, 109.8, 105.0, 1000.0))
    assert swept[1].sum() == pytest.approx(0.0, abs=1e-3)
    assert between(state, SHORT, 109.9, 110.1) == pytest.approx(1000.0)


def test_without_openings_only_survivors_are_left():
    state = started(one_tier())
    roll(state, (100.0, 100.0, 100.0, 1000.0))
    roll(state, (100.0, 111.0, 111.0, 1000.0), opens=False)
    assert between(state, SHORT, 100.0, 130.0) == pytest.approx(0.0, abs=1e-6)
    assert between(state, LONG, 80.0, 100.0) == pytest.approx(1000.0)


def test_churn_moves_a_tenth_to_where_price_is_now():
    # Price rises by 5 % in one jump: a tenth of the longs leaves 90 and comes back at 94.5.
    state = started(one_tier(churn=(0.1,)))
    roll(state, (100.0, 100.0, 100.0, 1000.0), (105.0, 105.0, 105.0, 1000.0))
    assert between(state, LONG, 89.9, 90.1) == pytest.approx(900.0)
    assert between(state, LONG, 94.4, 94.6) == pytest.approx(100.0)


def test_a_fall_of_open_interest_closes_its_share_of_both_sides():
    # 1,000 -> 700 closes 30 %; nothing is opened, because 700 are open and 700 stand.
    state = started(one_tier())
    roll(state, (100.0, 100.0, 100.0, 1000.0), (105.0, 105.0, 105.0, 700.0))
    for side, level in ((LONG, 90.0), (SHORT, 110.0)):
        assert between(state, side, level - 0.1, level + 0.1) == pytest.approx(700.0)
    assert state.total.ravel() == pytest.approx(700.0)


def test_one_odd_stamp_closes_half_at_most():
    state = started(one_tier())
    roll(state, (100.0, 100.0, 100.0, 1000.0), (105.0, 105.0, 105.0, 0.0), (105.0, 105.0, 105.0, 1000.0))
    assert between(state, LONG, 89.9, 90.1) == pytest.approx(500.0)
    assert between(state, LONG, 94.4, 94.6) == pytest.approx(500.0)
    assert np.isfinite(state.mass).all()


def test_a_gap_closes_what_its_bars_would_have_closed():
    # Half an hour without bars is 6 bars of 10 %: 0.9 ** 6 = 53 % stay. A day of it leaves nothing of an 8-minute class.
    state = started(one_tier(churn=(0.1,)))
    early = bar_series([100.0], [100.0], [100.0], [1000.0])
    exposure = np.zeros((1, 2, 1, 1))
    state.roll(early, np.zeros(1, np.int64), exposure)
    late = bar_series([105.0], [105.0], [105.0], [1000.0], start_ns=int(early.start_ns[0]) + 6 * early.interval_ns)
    state.roll(late, np.zeros(1, np.int64), exposure)
    assert between(state, LONG, 89.9, 90.1) == pytest.approx(1000.0 * 0.9**6)

    state = started(one_tier(churn=(0.45,)))
    state.roll(early, np.zeros(1, np.int64), exposure)
    late = bar_series([105.0], [105.0], [105.0], [1000.0], start_ns=int(early.start_ns[0]) + 288 * early.interval_ns)
    state.roll(late, np.zeros(1, np.int64), exposure)
    assert between(state, LONG, 89.9, 90.1) == pytest.approx(0.0, abs=1e-6)
    assert between(state, LONG, 94.4, 94.6) == pytest.approx(1000.0)


def test_longs_open_more_when_price_and_open_interest_rise_together():
    # After quiet bars a jump of 5 % saturates the tilt: tanh = 1, longs open 1.5 x what is missing, shorts 0.5 x.
    state = started(one_tier(tilt=0.5))
    quiet = [(100.0, 100.0, 100.0, 1000.0)] * 20
    roll(state, *quiet, (105.0, 105.0, 105.0, 1100.0))
    assert between(state, LONG, 94.4, 94.6) == pytest.approx(150.0, rel=1e-6)
    assert between(state, SHORT, 115.4, 115.6) == pytest.approx(50.0, rel=1e-6)


def test_deaths_inside_the_bar_are_counted_from_churn_of_known_open_interest():
    # The bar spans log(1.2 / 0.89) = 0.2989. A long dies inside it if it entered at least log(1 / 0.9) = 0.1054 above the low:
    # 64.7 % of entries. 10 % of 1,000 contracts turn over, times 4 times one half, at the low. All 1,000 stood at 90.
    state = started(one_tier(churn=(0.1,), in_bar=4.0))
    roll(state, (100.0, 100.0, 100.0, 1000.0))
    swept = roll(state, (89.0, 120.0, 100.0, 5000.0))
    in_bar = 0.1 * 1000.0 * 2.0 * (1.0 - np.log(1 / 0.9) / np.log(120 / 89)) * 89.0
    assert swept[0, LONG, 0, 0] == pytest.approx(1000.0 * 89.0 + in_bar)


def test_the_bars_own_open_interest_does_not_touch_its_own_sweep():
    one, two = (started(one_tier(churn=(0.1,), in_bar=4.0)) for _ in range(2))
    for state in (one, two):
        roll(state, (100.0, 100.0, 100.0, 1000.0))
    first = roll(one, (90.0, 120.0, 100.0, 1000.0))
    second = roll(two, (90.0, 120.0, 100.0, 9_999_999.0))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one.mass, two.mass)


def test_flows_of_a_region_add_up():
    # Region 85 .. 95: 1,000 longs at 90. The bar falls to 88 and burns them all; refilled entries between 88 and 100 have
    # levels of 79.2 to 90, of which those above 85 are in the region.
    state = started(one_tier())
    roll(state, (100.0, 100.0, 100.0, 1000.0))
    before = between(state, LONG, 85.0, 95.0)
    region = np.log(np.array([[85.0, 95.0], [200.0, 200.0]]))
    canvas = Canvas.counting(state.recipe, np.ones((2, 1, 1)))
    flows = state.roll(
        bar_series([88.0], [100.0], [95.0], [1000.0]), np.zeros(1, np.int64), np.zeros((1, 2, 1, 1)), canvas=canvas, region=region
    )
    burnt, closed, opened = flows[LONG]
    assert burnt == pytest.approx(1000.0)
    assert closed == pytest.approx(0.0, abs=1e-6)
    assert opened == pytest.approx(1000.0 * np.log(90.0 / 85.0) / np.log(100.0 / 88.0), rel=1e-3)
    assert before - burnt - closed + opened == pytest.approx(between(state, LONG, 85.0, 95.0))
    assert not flows[SHORT].any()


def test_age_is_the_time_that_older_dollars_were_there():
    # All of it stands now, 30 % stood an hour ago, none 4 hours ago: 1 h x (1 + 0.3) / 2 + 3 h x (0.3 + 0) / 2 = 1.1 h.
    recipe = one_tier(churn=(0.001,))
    state = started(recipe)
    roll(state, (100.0, 100.0, 100.0, 1000.0))
    hour_ago, four_hours_ago = state.copy(), state.copy()
    hour_ago.scale *= 0.3
    four_hours_ago.scale *= 0.0
    mix = Mix(np.full((2, 1), 0.1), np.ones((2, 1)), np.full((2, 1), 0.5), np.full((2, 1), 0.1), 1.0, 1.0, 0.0, True)
    edges = np.array([100.0, 109.0, 111.0, 120.0])
    found = side_sum(SHORT, edges, [state], [mix], [hour_ago, four_hours_ago], 1000.0)
    levels = found.levels(PositionSide.SHORT, edges)
    assert levels.age_s[1] == pytest.approx(1.1 * 3600.0)
    # 10 % of 1,000 contracts at the middle of the bucket, all of it prior.
    assert found.placed_base == pytest.approx(100.0)
    assert levels.usd == pytest.approx([0.0, 100.0 * 110.0, 0.0], abs=1e-6)
    assert levels.prior_usd == pytest.approx(levels.usd)
    assert levels.draws_usd[:, 1].mean() == pytest.approx(100.0 * 110.0, rel=0.1)
