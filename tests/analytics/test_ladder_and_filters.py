import numpy as np
import pytest
from analytics_maps import MARK, law, make_map
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liqscape.analytics import RestingOrders, asymmetry, filter_map, ladder, parse_leverage, pool
from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.model.maps import BUCKETS

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
pools_usd = arrays(np.float64, BUCKETS, elements=st.floats(1e-3, 1e8) | st.just(0.0))


def test_the_ladder_of_the_sample_screen():
    # $46M, $220M, $107M in the first three half per cents above: outward $46M, $266M, $373M
    m = make_map({(0.0, 0.005): 46e6, (0.005, 0.01): 220e6, (0.01, 0.015): 107e6}, {(0.0, 0.005): 50e6}, prior=0.09)
    reading = ladder(m, within=0.015)
    assert [row.usd.median for row in reading.short] == pytest.approx([46e6, 220e6, 107e6])
    assert [row.sum_out_usd.median for row in reading.short] == pytest.approx([46e6, 266e6, 373e6])
    assert [round(row.price) for row in reading.short] == [84_600, 85_021, 85_442]
    assert [row.distance for row in reading.long] == pytest.approx([-0.005, -0.01, -0.015])
    assert reading.short[0].data_share == pytest.approx(0.91)
    assert reading.long[1].data_share is None


def test_the_outermost_bar_is_cut_at_the_window():
    rows = ladder(make_map({(0.0, 0.5): 5e9}, {}), within=0.012, step=0.005).short
    assert [row.distance for row in rows] == pytest.approx([0.005, 0.01, 0.012])
    assert rows[-1].usd.median == pytest.approx(2e7)


def test_depth_lies_beside_the_bars_that_it_would_meet():
    # asks: $100M within 0.5 %, $150M within 1 %; bids half of it; nothing was seen beyond
    book = RestingOrders(
        distance=np.array([0.005, 0.01]), ask_usd=np.array([1e8, 1.5e8]), bid_usd=np.array([5e7, 7.5e7]), ts_ns=7
    )
    reading = ladder(make_map({}, {}), within=0.015, step=0.005, book=book)
    assert [row.depth_usd for row in reading.short] == [pytest.approx(1e8), pytest.approx(5e7), None]
    assert [row.depth_usd for row in reading.long] == [pytest.approx(5e7), pytest.approx(2.5e7), None]
    assert reading.depth_ts_ns == 7
    assert ladder(make_map({}, {})).short[0].depth_usd is None


@pytest.mark.parametrize("step", [0.0, -0.01, 1e-6, float("nan")])
def test_steps_that_make_no_ladder_are_refused(step: float):
    with pytest.raises(BadArgument, match="step"):
        ladder(make_map({}, {}), step=step)


@law
@given(pools_usd, st.floats(0.002, 0.05), st.floats(0.01, 0.5))
def test_the_bars_add_up_to_the_pool(usd: np.ndarray, step: float, within: float):
    m = make_map(usd, usd, draws=3)
    reading = ladder(m, within=within, step=step)
    for side, rows in ((SHORT, reading.short), (LONG, reading.long)):
        whole = pool(m, side, 0.0, within).median
        assert sum(row.usd.median or 0.0 for row in rows) == pytest.approx(whole, rel=1e-9, abs=1e-6)
        assert rows[-1].sum_out_usd.median == pytest.approx(whole, rel=1e-12)


def test_leverage_ranges():
    assert parse_leverage("10-50") == (10.0, 50.0)
    assert parse_leverage("10x - 50x") == (10.0, 50.0)
    assert parse_leverage("25-") == (25.0, float("inf"))
    assert parse_leverage("-25") == (0.0, 25.0)
    for text in ("", "-", "50-10", "10", "ten"):
        with pytest.raises(BadArgument, match="leverage"):
            parse_leverage(text)


def test_a_leverage_filter_keeps_the_tiers_of_that_range():
    # tiers at 2 % (50 times) hold three quarters, at 20 % (5 times) one quarter
    m = make_map({(0.0, 0.1): 1e9}, {(0.0, 0.1): 4e8})
    low = filter_map(m, leverage="1-10")
    assert pool(low, SHORT, 0.0, 0.1).median == pytest.approx(2.5e8)
    assert pool(filter_map(m, leverage="10-60"), SHORT, 0.0, 0.1).median == pytest.approx(7.5e8)
    assert low.filters == {"leverage": "1-10"}
    assert low.caveats[0] == "FILTERED"
    assert m.filters == {}


def test_a_side_filter_empties_the_other_side():
    m = make_map({(0.0, 0.1): 1e9}, {(0.0, 0.1): 4e8})
    kept = filter_map(m, side="short")
    assert kept.short.usd is m.short.usd
    assert kept.long.usd.sum() == 0.0
    assert np.isnan(kept.long.age_s).all()
    assert asymmetry(kept, within=(0.05,)).within[0].ratio is None
    assert filter_map(m, side="both") is m
    assert filter_map(m, leverage="all") is m
    with pytest.raises(BadArgument, match="side"):
        filter_map(m, side="up")


def test_small_buckets_are_left_out():
    # $10M per bucket to 1 %, $1M per bucket beyond
    m = make_map({(0.0, 0.01): 1e8, (0.01, 0.02): 1e7}, {})
    kept = filter_map(m, min_usd=5e6)
    assert pool(kept, SHORT, 0.0, 0.02).median == pytest.approx(1e8)
    assert kept.filters == {"min_usd": "5000000"}
    with pytest.raises(BadArgument, match="min_usd"):
        filter_map(m, min_usd=-1.0)


def test_filters_add_up_in_words_too():
    m = make_map({(0.0, 0.1): 1e9}, {(0.0, 0.1): 4e8}, mark=MARK)
    twice = filter_map(filter_map(m, side="long"), leverage="10-")
    assert twice.filters == {"side": "long", "leverage": "10-"}
    assert twice.caveats == ("FILTERED",)


@law
@given(pools_usd, st.floats(1.5, 200.0), st.floats(0.0, 1e8))
def test_what_passes_and_what_does_not_are_the_whole(usd: np.ndarray, leverage: float, min_usd: float):
    m = make_map(usd, usd[::-1].copy(), draws=4)
    below, above = filter_map(m, leverage=f"-{leverage:.6f}"), filter_map(m, leverage=f"{leverage:.6f}-")
    for name in ("usd", "base", "prior_usd", "tier_usd", "class_usd", "draws_usd", "prior_draws_usd"):
        for side in (SHORT, LONG):
            parts = getattr(below.side(side), name) + getattr(above.side(side), name)
            np.testing.assert_allclose(parts, getattr(m.side(side), name), rtol=1e-12, atol=1e-9)
    kept = filter_map(m, min_usd=min_usd).short
    np.testing.assert_allclose(kept.tier_usd.sum(axis=0), kept.usd, rtol=1e-12)
    np.testing.assert_array_equal(kept.usd, np.where(usd >= min_usd, usd, 0.0))
