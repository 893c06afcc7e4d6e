from itertools import pairwise

import msgspec
import numpy as np
import pytest
from analytics_maps import MARK, bucket_usd, law, make_map
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from liqscape.analytics import Staircase, pool, side_shape, zones
from liqscape.analytics.round_prices import is_round, round_numbers, round_step
from liqscape.analytics.shape import spearman_with_order, spread_of
from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.model.maps import BUCKETS

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def map_with_two_zones():
    # $1M per bucket everywhere, a wall of $20M more at 0.9-1.2 % and one of $40M more at 5.0-5.4 %
    return make_map({(0.0, 0.3): 300e6, (0.009, 0.012): 20e6, (0.05, 0.054): 40e6}, {(0.0, 0.3): 300e6})


def test_zones_are_the_walls():
    reading = zones(map_with_two_zones())
    first, second = reading.zones
    assert (first.near_distance, first.far_distance) == pytest.approx((0.009, 0.012))
    assert (second.near_distance, second.far_distance) == pytest.approx((0.05, 0.054))
    assert first.pool_usd.median == pytest.approx(23e6)
    assert second.peak_usd == pytest.approx(11e6)
    assert first.share_of_side == pytest.approx(23 / 210)
    assert first.age_s == pytest.approx(3600.0)
    assert first.prior_share == pytest.approx(0.1)
    assert [(mix.name, mix.share) for mix in first.tier_mix] == [("d 2 %", pytest.approx(0.75)), ("d 20 %", pytest.approx(0.25))]
    assert [mix.share for mix in first.class_mix] == pytest.approx([0.5, 0.5])
    assert first.no_map_odds == pytest.approx(0.69, abs=0.02)
    assert reading.findings == ("No long zone within 15.0 %: nothing there is much denser than the rest.",)


def test_a_zone_holds_five_percent_of_its_side_within_15_percent():
    # 150 buckets of $1M and a wall of w: it needs w + 2 >= 5 % of 150 + w, w >= 5.79
    short = {(0.0, 0.15): 150e6}
    assert zones(make_map({**short, (0.02, 0.022): 5.7e6}, {}), side=SHORT).zones == ()
    assert len(zones(make_map({**short, (0.02, 0.022): 5.9e6}, {}), side=SHORT).zones) == 1


def test_a_gap_of_two_buckets_does_not_end_a_zone_and_three_do():
    base = {(0.0, 0.15): 150e6, (0.02, 0.022): 20e6}
    joined = zones(make_map({**base, (0.024, 0.026): 20e6}, {}), side=SHORT).zones
    apart = zones(make_map({**base, (0.025, 0.027): 20e6}, {}), side=SHORT).zones
    assert [(z.near_distance, z.far_distance) for z in joined] == [pytest.approx((0.02, 0.026))]
    assert len(apart) == 2


def test_on_a_side_that_is_mostly_empty_only_what_stands_is_a_zone():
    (zone,) = zones(make_map({}, {(0.03, 0.04): 1e8})).zones
    assert zone.side is LONG
    assert (zone.near_distance, zone.far_distance) == pytest.approx((-0.03, -0.04))
    assert (zone.from_price, zone.to_price) == pytest.approx((MARK * 0.96, MARK * 0.97))


def test_top_keeps_the_largest_in_place():
    reading = zones(map_with_two_zones(), top=1)
    assert [z.near_distance for z in reading.zones] == pytest.approx([0.05])
    with pytest.raises(BadArgument, match="top"):
        zones(map_with_two_zones(), top=0)
    with pytest.raises(BadArgument, match="reach"):
        zones(map_with_two_zones(), within=0.7)


def test_round_numbers_of_bitcoin_are_thousands():
    # the first wall stands at 84,936 .. 85,189: 85,000 is in it and a multiple of 5,000
    zone = zones(map_with_two_zones()).zones[0]
    assert [(r.price, r.major) for r in zone.round_numbers] == [(85_000.0, True)]
    assert is_round(84_930.0, "BTC")  # 70 below: 0.082 %
    assert not is_round(84_900.0, "BTC")  # 100 below: 0.118 %


@pytest.mark.parametrize(
    ("price", "base", "step"), [(71_450.0, "BTC", 1000.0), (20_000.0, "BTC", 1000.0), (2_600.0, "ETH", 10.0), (0.5, "XRP", 0.01)]
)
def test_round_steps_follow_the_price(price: float, base: str, step: float):
    assert round_step(price, base) == pytest.approx(step)


def test_round_prices_are_written_without_noise():
    assert [r.price for r in round_numbers(0.485, 0.515, "XRP")] == [0.49, 0.5, 0.51]


def test_zones_serialise():
    data = msgspec.json.decode(msgspec.json.encode(zones(map_with_two_zones())))
    assert data["zones"][0]["side"] == "short"
    assert set(data["zones"][0]["pool_usd"]) == {"median", "lo", "hi", "level", "prior_share"}


def test_four_equal_buckets_spread_one_and_one_of_four_a_quarter():
    assert spread_of(np.array([[3.0, 3.0, 3.0, 3.0], [0.0, 0.0, 9.0, 0.0]])) == pytest.approx([1.0, 0.25])


def test_spearman_by_hand():
    # rising, falling, and one swap of neighbours among four: 1 - 6 * 2 / (4 * 15) = 0.8; all tied is unknown
    rho = spearman_with_order(np.array([[1.0, 2, 3, 9], [9.0, 3, 2, 1], [1.0, 3, 2, 4], [5.0, 5, 5, 5]]))
    assert rho[:3] == pytest.approx([1.0, -1.0, 0.8])
    assert np.isnan(rho[3])


@law
@given(arrays(np.float64, 12, elements=st.integers(0, 4).map(float)))
def test_spearman_agrees_with_scipy_on_ties(values: np.ndarray):
    ranks = rankdata(values)
    if np.ptp(values) > 0.0:
        assert spearman_with_order(values[None, :])[0] == pytest.approx(np.corrcoef(ranks, np.arange(12))[0, 1])


def test_shapes_of_sides():
    rising = np.zeros(BUCKETS)
    rising[:150] = np.arange(1, 151)
    m = make_map(rising * 1e5, bucket_usd({(0.0, 0.15): 1e8, (0.021, 0.03): 1e8}))
    short, long = side_shape(m, SHORT), side_shape(m, LONG)
    assert short.staircase is Staircase.RISING
    assert short.staircase_rho is not None
    assert short.staircase_rho.median == pytest.approx(1.0)
    assert short.densest_distance == pytest.approx(0.1495)
    assert long.staircase is Staircase.UNEVEN
    assert long.buffer == pytest.approx(0.021)
    assert long.densest_zone_distance == pytest.approx(0.021)
    assert long.pool_usd == pytest.approx(2e8)
    empty = side_shape(make_map({}, {}), LONG)
    assert (empty.spread, empty.staircase_rho, empty.buffer, empty.densest_price) == (None, None, None, None)


def test_an_even_side_is_uneven_as_a_staircase_and_spread_one():
    shape = side_shape(make_map({(0.0, 0.15): 1e8}, {}), SHORT)
    assert shape.staircase is Staircase.UNEVEN
    assert shape.spread is not None
    assert shape.spread.median == pytest.approx(1.0)


@law
@given(arrays(np.float64, BUCKETS, elements=st.floats(1e-3, 1e8) | st.just(0.0)))
def test_zones_do_not_overlap_and_each_holds_its_pool(usd: np.ndarray):
    m = make_map(usd, np.zeros(BUCKETS), draws=5)
    found = zones(m, side=SHORT).zones
    for near, far in pairwise(found):
        assert far.near_distance - near.far_distance > 0.002
    for zone in found:
        assert zone.share_of_side >= 0.05 - 1e-9
        assert zone.pool_usd.median == pytest.approx(pool(m, SHORT, zone.near_distance, zone.far_distance).median)
