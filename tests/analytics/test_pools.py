import msgspec
import numpy as np
import pytest
from analytics_maps import MARK, law, make_map, mirrored
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liqscape.analytics import asymmetry, pool, ratio_text
from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.model.maps import BUCKETS

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
pools_usd = arrays(np.float64, BUCKETS, elements=st.floats(1e-3, 1e8) | st.just(0.0))
windows = st.floats(0.0005, 0.5)


def test_a_pool_is_the_sum_of_its_buckets_and_a_cut_bucket_counts_in_part():
    # $10M in each 0.1 % bucket above: 20 buckets within 2 %, 20.5 within 2.05 %
    m = make_map({(0.0, 0.5): 5e9}, {})
    assert pool(m, SHORT, 0.0, 0.02).median == pytest.approx(2e8, rel=1e-12)
    assert pool(m, SHORT, 0.0, 0.0205).median == pytest.approx(2.05e8, rel=1e-12)
    assert pool(m, SHORT, 0.01, 0.02).median == pytest.approx(1e8, rel=1e-12)
    assert pool(m, LONG, 0.0, 0.02).median == 0.0


def test_fourteen_to_one_is_an_imbalance_of_0867_and_72_percent_of_open_interest_is_not_plausible():
    m = make_map({(0.05, 0.15): 14e9}, {(0.05, 0.15): 1e9}, open_interest_usd=19.4e9, prior_limit=0.2)
    row = asymmetry(m, within=(0.20,)).within[0]
    assert row.imbalance is not None
    assert row.imbalance.median == pytest.approx(13 / 15)
    assert round(row.imbalance.median, 3) == 0.867
    assert row.ratio is not None
    assert row.ratio.median == pytest.approx(14.0)
    assert row.ratio_text == "> 10 : 1"
    assert row.short_share_of_open_interest == pytest.approx(0.7216, abs=1e-4)
    assert row.plausible is False


def test_plausible_limit_is_the_95th_percentile_of_the_prior():
    # prior draws run evenly from 0 to 2 times the pool of 1 % of open interest: their 95th percentile is 1.9 % of it
    m = make_map({(0.0, 0.1): 1e8}, {(0.0, 0.1): 1e8}, open_interest_usd=1e10, draws=201)
    row = asymmetry(m, within=(0.1,)).within[0]
    assert row.short_plausible_share == pytest.approx(0.019)
    assert row.plausible is True


def test_range_across_the_cycle_has_its_mirror_image():
    # P 71,450, 84-100K: +17.6 .. +40.0 %, mirror 42,900-58,900
    m = make_map({(0.15, 0.45): 3e9}, {(0.15, 0.45): 1e9}, mark=71_450.0)
    (row,) = asymmetry(m, range=(84_000.0, 100_000.0)).ranges
    assert (round(row.from_distance, 3), round(row.to_distance, 3)) == (0.176, 0.4)
    assert (row.mirror_from_price, row.mirror_to_price) == pytest.approx((42_900.0, 58_900.0))
    assert row.side is SHORT
    assert row.ratio is not None
    assert row.ratio.median == pytest.approx(3.0)


def test_a_range_across_the_mark_is_cut_there():
    m = make_map({(0.0, 0.5): 5e9}, {(0.0, 0.5): 5e9}, mark=100.0)
    below, above = asymmetry(m, range=(99.0, 102.0)).ranges
    prices = (below.from_price, below.to_price, below.mirror_from_price, below.mirror_to_price)
    assert prices == pytest.approx((99, 100, 100, 101))
    prices = (above.from_price, above.to_price, above.mirror_from_price, above.mirror_to_price)
    assert prices == pytest.approx((100, 102, 98, 100))
    assert below.long_pool_usd.median == pytest.approx(1e8)
    assert above.short_pool_usd.median == pytest.approx(2e8)


def test_a_pool_under_two_basis_points_of_open_interest_is_not_compared():
    # 0.02 % of $10B is $2M
    short = {(0.0, 0.01): 5e7}
    small = asymmetry(make_map(short, {(0.0, 0.01): 1.9e6}, open_interest_usd=1e10), within=(0.01,)).within[0]
    assert small.ratio is None
    assert small.ratio_reason == small.ratio_text == "too small to compare"
    enough = asymmetry(make_map(short, {(0.0, 0.01): 2.1e6}, open_interest_usd=1e10), within=(0.01,)).within[0]
    assert enough.ratio_text == "> 10 : 1"


def test_an_empty_map_compares_nothing():
    row = asymmetry(make_map({}, {}), within=(0.01,)).within[0]
    assert row.ratio is None
    assert row.imbalance is None
    assert row.long_pool_usd.median == 0.0
    assert row.long_pool_usd.lo is None


@pytest.mark.parametrize("ratio", [1.0, 9.99, 10.0])
def test_ratio_up_to_ten_is_printed(ratio: float):
    assert ratio_text(ratio) == f"{ratio:.1f} : 1"


@pytest.mark.parametrize(("near", "far"), [(0.0, 0.6), (0.02, 0.02), (-0.01, 0.02), (0.0, float("nan"))])
def test_windows_out_of_reach_are_refused(near: float, far: float):
    with pytest.raises(BadArgument, match="reach of the map"):
        pool(make_map({(0.0, 0.1): 1.0}, {}), SHORT, near, far)


def test_the_shape_of_json():
    m = make_map({(0.0, 0.3): 3e9}, {(0.0, 0.3): 2e9})
    data = msgspec.json.decode(msgspec.json.encode(asymmetry(m, within=(0.01, 0.02))))
    assert [row["distance"] for row in data["within"]] == [0.01, 0.02]
    row = data["within"][0]
    for name in ("long_pool_usd", "short_pool_usd", "ratio", "imbalance"):
        assert set(row[name]) == {"median", "lo", "hi", "level", "prior_share"}
    assert row["short_pool_usd"]["level"] == 0.8
    assert row["short_pool_usd"]["prior_share"] == pytest.approx(0.1)
    assert row["plausible"] is True


def test_the_interval_is_the_ensemble_recentred_on_the_maps_own_value():
    # draws at 1, 2, .. 10 times the map: q10 = 1, q50 = 5, q90 = 9 (smallest value at or above the share)
    m = make_map({(0.0, 0.1): 1e8}, {}, draws=10)
    m.short.draws_usd[:] = np.arange(1, 11)[:, None] * m.short.usd
    estimate = pool(m, SHORT, 0.0, 0.1)
    assert (estimate.median, estimate.lo, estimate.hi) == pytest.approx((1e8, 1e8 / 5, 1e8 * 9 / 5))


@law
@given(pools_usd, windows, windows)
def test_pools_grow_with_the_window_and_add_up(usd: np.ndarray, first: float, second: float):
    m = make_map(usd, np.zeros(BUCKETS), draws=5)
    near, far = sorted((first, second))
    inner, outer = pool(m, SHORT, 0.0, near).median, pool(m, SHORT, 0.0, far).median
    assert inner is not None
    assert outer is not None
    assert inner <= outer
    assert pool(m, SHORT, 0.0, 0.5).median == pytest.approx(usd.sum(), rel=1e-12)
    if near < far:
        assert inner + pool(m, SHORT, near, far).median == pytest.approx(outer, rel=1e-9, abs=1e-6)


@law
@given(pools_usd, pools_usd, st.floats(1e-3, 1e3))
def test_ratio_and_imbalance_do_not_know_the_unit(short: np.ndarray, long: np.ndarray, scale: float):
    plain = asymmetry(make_map(short, long, draws=20, open_interest_usd=1e10), within=(0.1,)).within[0]
    scaled = asymmetry(make_map(short * scale, long * scale, draws=20, open_interest_usd=1e10 * scale), within=(0.1,)).within[0]
    assert plain.ratio_text == scaled.ratio_text or (plain.ratio is not None and scaled.ratio is not None)
    for a, b in ((plain.ratio, scaled.ratio), (plain.imbalance, scaled.imbalance)):
        if a is not None and b is not None:
            assert (a.median, a.lo, a.hi) == pytest.approx((b.median, b.lo, b.hi), rel=1e-9, abs=1e-12)


@law
@given(pools_usd, pools_usd)
def test_swapping_the_sides_flips_the_imbalance(short: np.ndarray, long: np.ndarray):
    m = make_map(short, long, draws=25)
    row, swapped = (asymmetry(each, within=(0.05,)).within[0] for each in (m, mirrored(m)))
    assert row.long_pool_usd.median == pytest.approx(swapped.short_pool_usd.median, rel=1e-12)
    if row.imbalance is not None:
        assert swapped.imbalance is not None
        assert row.imbalance.median == pytest.approx(-swapped.imbalance.median, abs=1e-12)
    if row.ratio is not None:
        assert swapped.ratio is not None
        assert row.ratio.median == pytest.approx(1.0 / swapped.ratio.median)


@law
@given(pools_usd, pools_usd)
def test_an_estimate_lies_in_its_interval(short: np.ndarray, long: np.ndarray):
    row = asymmetry(make_map(short, long, draws=30, mark=MARK), within=(0.03,)).within[0]
    for estimate in (row.long_pool_usd, row.short_pool_usd, row.ratio, row.imbalance):
        if estimate is not None and estimate.lo is not None and estimate.hi is not None:
            assert estimate.lo <= estimate.median <= estimate.hi
    if row.imbalance is not None and row.imbalance.lo is not None:
        assert row.imbalance.lo >= -1.0
        assert row.imbalance.hi <= 1.0
