import math

import msgspec
import numpy as np
import pytest
from analytics_maps import MARK, law, make_map, mirrored
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liqscape.analytics import move_to, pool, sigma_multiple, touch_odds
from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.model.maps import BUCKETS
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
pools_usd = arrays(np.float64, BUCKETS, elements=st.floats(1e-3, 1e8) | st.just(0.0))


def test_the_published_case_770_up_and_2000_down_for_11_billion():
    # Mark 100,000: $1.1B lies evenly up to +770 above and -2,000 below (on 0.1 % buckets: 0.77 % needs the linear rule)
    m = make_map({(0.0, 0.01): 1.1e9 / 0.77}, {(0.0, 0.02): 1.1e9}, mark=100_000.0)
    (row,) = move_to(m, 1.1e9).moves
    assert row.up is not None
    assert row.down is not None
    assert (row.up.move, row.down.move) == pytest.approx((770.0, -2_000.0))
    assert (row.up.price, row.down.price) == pytest.approx((100_770.0, 98_000.0))
    assert row.up.round_number is None
    assert row.down.round_number is not None
    assert row.down.round_number.price == 98_000.0
    assert row.ease is not None
    assert row.ease.median == pytest.approx(2.60, abs=0.005)
    assert math.log(row.ease.median) == pytest.approx(0.954, abs=0.001)


def test_no_map_odds_of_the_published_case():
    # sigma_1d 2.26 %, 24 h at P 84,178.9: +770 69 %, -2,000 29 %
    assert touch_odds(770 / MARK, 0.0226) == pytest.approx(0.69, abs=0.005)
    assert touch_odds(-2_000 / MARK, 0.0226) == pytest.approx(0.29, abs=0.005)


def test_odds_of_one_standard_deviation():
    # two Phi(-1) = 31.73 %; over four days one daily deviation is half a deviation: 61.71 %
    one_sigma_up = math.expm1(0.02)
    assert sigma_multiple(one_sigma_up, 0.02) == pytest.approx(1.0)
    assert touch_odds(one_sigma_up, 0.02) == pytest.approx(0.3173, abs=1e-4)
    assert touch_odds(one_sigma_up, 0.02, 4 * NS_PER_DAY) == pytest.approx(0.6171, abs=1e-4)
    assert touch_odds(0.0, 0.02) == 1.0
    assert touch_odds(0.1, None) is None
    assert touch_odds(0.1, 0.0) == 0.0


def test_impossible_questions_about_odds_are_refused():
    with pytest.raises(BadArgument, match="above -1"):
        touch_odds(-1.0, 0.02)
    with pytest.raises(BadArgument, match="horizon"):
        touch_odds(0.1, 0.02, 0)


def test_a_budget_that_does_not_stand_within_30_percent_has_no_answer():
    m = make_map({(0.0, 0.1): 1e9}, {(0.0, 0.5): 1e9})
    (row,) = move_to(m, usd=(7e8,)).moves
    assert row.up is not None
    assert row.up.distance == pytest.approx(0.07)
    assert row.down is None  # 35 %
    assert row.ease is None


def test_the_least_distance_stops_before_an_empty_stretch():
    m = make_map({(0.0, 0.01): 1e8, (0.05, 0.06): 1e8}, {})
    row = move_to(m, 1e8).moves[0]
    assert row.up is not None
    assert row.up.distance == pytest.approx(0.01)


@pytest.mark.parametrize("usd", [0.0, -1.0, float("nan"), float("inf")])
def test_budgets_that_are_no_dollars_are_refused(usd: float):
    with pytest.raises(BadArgument, match="usd"):
        move_to(make_map({}, {}), usd)


def test_a_distance_is_unknown_to_draws_that_hold_too_little():
    # three of ten draws hold less than the budget: more than the 10 % that the interval leaves out above
    m = make_map({(0.0, 0.5): 1e9}, {}, draws=10)
    m.short.draws_usd[:] = m.short.usd * np.array([1.0] * 7 + [0.1] * 3)[:, None]
    row = move_to(m, 2e8).moves[0]
    assert row.up is not None
    assert row.up.distance_estimate.median == pytest.approx(0.1)
    assert row.up.distance_estimate.lo is None
    assert row.up.distance_estimate.hi is None


def test_the_shape_of_json():
    m = make_map({(0.0, 0.3): 3e9}, {(0.0, 0.3): 2e9})
    data = msgspec.json.decode(msgspec.json.encode(move_to(m, usd=2.5e8)))
    row = data["moves"][0]
    assert row["usd"] == 2.5e8
    assert {"price", "distance", "sigma_1d", "no_map_odds"} <= set(row["up"])
    assert row["down"]["distance"] == pytest.approx(-0.0375)
    assert row["down"]["distance_estimate"]["lo"] < row["down"]["distance"] < row["down"]["distance_estimate"]["hi"] < 0.0
    assert set(row["up"]["no_map_odds_by_horizon"]) == {"4h", "24h", "7d"}
    assert row["up"]["no_map_odds_by_horizon"]["24h"] == row["up"]["no_map_odds"]
    assert msgspec.json.decode(msgspec.json.encode(move_to(m, usd=1e10)))["moves"][0]["up"] is None


@law
@given(pools_usd, st.floats(0.001, 0.999))
def test_the_move_is_the_inverse_of_the_pool(usd: np.ndarray, part: float):
    m = make_map(usd, usd, draws=5)
    within_reach = pool(m, SHORT, 0.0, 0.3).median
    assert within_reach is not None
    assume(within_reach > 1e3)
    budget = part * within_reach
    row = move_to(m, budget).moves[0]
    assert row.up is not None
    assert row.down is not None
    assert pool(m, SHORT, 0.0, row.up.distance).median == pytest.approx(budget, rel=1e-9)
    assert pool(m, LONG, 0.0, -row.down.distance).median == pytest.approx(budget, rel=1e-9)
    assert row.ease is not None
    assert row.ease.median == pytest.approx(1.0)


@law
@given(pools_usd, pools_usd, st.floats(1e5, 1e9))
def test_swapping_the_sides_swaps_the_moves(short: np.ndarray, long: np.ndarray, usd: float):
    m = make_map(short, long, draws=5)
    row, swapped = (move_to(each, usd).moves[0] for each in (m, mirrored(m)))
    assert (row.up is None) == (swapped.down is None)
    if row.up is not None and swapped.down is not None:
        assert row.up.distance == pytest.approx(-swapped.down.distance)
    if row.ease is not None:
        assert swapped.ease is not None
        assert row.ease.median == pytest.approx(1.0 / swapped.ease.median)


@law
@given(st.floats(-0.9, 3.0), st.floats(1e-4, 0.5), st.integers(1, 100), st.integers(1, 100))
def test_odds_grow_with_time_and_fall_with_distance(distance: float, sigma: float, hours: int, more: int):
    short, long = (touch_odds(distance, sigma, h * NS_PER_HOUR) for h in (hours, hours + more))
    assert short is not None
    assert long is not None
    assert 0.0 <= short <= long <= 1.0
    farther = touch_odds(math.expm1(1.5 * math.log1p(distance)), sigma, hours * NS_PER_HOUR)
    assert farther is not None
    assert farther <= short
