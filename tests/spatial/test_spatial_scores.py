"""Scores of a map against exact positions: numbers by hand, then the laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr, wasserstein_distance

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.sides import PositionSide
from liqscape.validate.spatial import (
    cell_coverage,
    least_move,
    move_error,
    near_mass,
    rank_correlation,
    spatial_scores,
    top_share,
    transport,
    zone_recall,
)

WIDTH = 0.005
maps = arrays(np.float64, (2, 60), elements=st.floats(0.0, 1e6).map(lambda usd: 0.0 if usd < 1e-3 else usd))


def empty() -> FloatArray:
    return np.zeros((2, 60))


def test_dollars_two_buckets_off_are_a_hundred_basis_points_away() -> None:
    one, other = empty(), empty()
    one[1, 3], other[1, 5] = 7.0, 14.0  # shares count, not dollars
    found = transport(one, other, WIDTH, 0.10)
    assert found.both_bps == pytest.approx(100.0)
    assert found.short_bps == pytest.approx(100.0)
    assert found.long_bps is None  # nothing there to carry


def test_dollars_on_the_wrong_side_are_carried_across_the_mark() -> None:
    one, other = empty(), empty()
    one[0, 0], other[1, 0] = 1.0, 1.0  # from the middle of the first bucket below to that above: one width
    assert transport(one, other, WIDTH, 0.10).both_bps == pytest.approx(50.0)


def test_dollars_beyond_the_window_do_not_count() -> None:
    one, other = np.ones((2, 60)), np.ones((2, 60))
    other[:, 20:] = 99.0
    assert transport(one, other, WIDTH, 0.10).both_bps == pytest.approx(0.0)
    assert transport(one, other, WIDTH, 0.20).both_bps > 100.0  # type: ignore[operator]


def test_near_mass_is_signed_and_knows_its_side() -> None:
    true = np.ones((2, 60))
    estimated = np.vstack([3.0 * np.ones(60), 0.5 * np.ones(60)])
    found = near_mass(estimated, true, WIDTH, 0.02)
    assert found.long_log_error == pytest.approx(np.log(3.0))
    assert found.short_log_error == pytest.approx(-np.log(2.0))
    assert found.log_error == pytest.approx(np.log(3.5 / 2.0))
    assert near_mass(estimated, empty(), WIDTH, 0.02).log_error is None


def test_a_move_passes_over_its_budget() -> None:
    estimated, true = np.ones((2, 60)), 2.0 * np.ones((2, 60))
    # 10 dollars stand in 10 buckets of the estimate, 5 % away, and in 5 buckets of truth, 2.5 % away
    found = move_error(estimated, true, WIDTH, PositionSide.LONG, share=0.1, open_interest_usd=100.0)
    assert (found.estimated, found.true) == (pytest.approx(0.05), pytest.approx(0.025))
    assert found.error_bps == pytest.approx(250.0)
    assert move_error(estimated, true, WIDTH, PositionSide.SHORT, share=1.0, open_interest_usd=100.0).error_bps is None
    assert least_move(np.array([0.0, 0.0, 4.0]), 0.1, 1.0) == pytest.approx(0.225)
    assert least_move(np.zeros(100), 0.01, 1.0) is None


def test_equal_zones_share_the_places_that_are_left() -> None:
    assert top_share(np.array([5.0, 1.0, 1.0, 1.0]), 0.5).tolist() == pytest.approx([1.0, 1 / 3, 1 / 3, 1 / 3])
    assert top_share(np.zeros(8), 0.25).tolist() == [0.25] * 8


def test_recall_is_measured_among_zones_equally_far() -> None:
    # strata of 1 %: 2 zones of 0.5 % a side, 4 in all, of which the map may name one
    true, mine, wrong = empty(), empty(), empty()
    true[0, :20] = 1.0
    mine[0, :20:2] = 1.0  # a zone that holds a dollar, in every stratum
    wrong[1, :20:2] = 1.0
    found = zone_recall(mine, true, WIDTH, zone=WIDTH)
    assert (found.recall, found.expected, found.lift) == (pytest.approx(0.5), pytest.approx(0.25), pytest.approx(2.0))
    assert zone_recall(wrong, true, WIDTH, zone=WIDTH).lift == pytest.approx(0.0)
    assert zone_recall(mine, empty(), WIDTH, zone=WIDTH).lift is None


def test_a_trend_with_distance_alone_has_no_lift() -> None:
    near_first = np.vstack([np.repeat(np.arange(30.0, 0.0, -1.0), 2)] * 2)
    assert zone_recall(near_first, near_first, WIDTH, zone=WIDTH).lift == pytest.approx(1.0)


def test_intervals_are_recentred_on_the_value() -> None:
    value, true = np.full((2, 60), 10.0), np.full((2, 60), 15.0)
    draws = np.broadcast_to(np.linspace(1.0, 2.0, 11)[:, None], (2, 11, 60)).copy()  # q10, q50, q90 = 1.1, 1.5, 1.9
    # interval of a cell: 10 * 1.1 / 1.5 to 10 * 1.9 / 1.5 = 7.3 to 12.7
    assert cell_coverage(value, draws, true, WIDTH, WIDTH).covered == 0.0
    assert cell_coverage(value, draws, 0.8 * true, WIDTH, WIDTH).covered == 1.0
    half = true.copy()
    half[0] = 12.0
    assert cell_coverage(value, draws, half, WIDTH, WIDTH).covered == 0.5
    assert cell_coverage(value, 0.0 * draws, true, WIDTH, WIDTH).covered is None


@pytest.mark.parametrize(
    ("estimated", "true", "message"),
    [
        (np.ones((2, 30)), np.ones((2, 31)), r"received \(2, 30\) and \(2, 31\)"),
        (np.ones((2, 30)), np.ones((2, 30)), r"reach 0\.15 of the mark, 0\.2 is needed"),
        (-np.ones((2, 60)), np.ones((2, 60)), "estimated map holds a negative"),
        (np.ones((2, 60)), np.full((2, 60), np.nan), "true map holds a negative or unknown"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(estimated: FloatArray, true: FloatArray, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        spatial_scores(estimated, true, WIDTH, open_interest_usd=1.0)


def test_zones_are_whole_buckets() -> None:
    with pytest.raises(BadArgument, match="not a whole number of buckets"):
        rank_correlation(np.ones((2, 60)), np.ones((2, 60)), WIDTH, zone=0.007)


@settings(max_examples=40)
@given(maps)
def test_a_map_is_no_distance_from_itself(usd: FloatArray) -> None:
    fine = np.repeat(usd, 5, axis=1) / 5.0
    scores = spatial_scores(fine, fine, WIDTH / 5, open_interest_usd=1e6)
    assert all(each.both_bps in (None, 0.0) for each in scores.transport)
    assert all(each.log_error in (None, 0.0) for each in scores.near)
    assert all(each.error_bps in (None, 0.0) for each in scores.moves)
    assert scores.rank_correlation in (None, pytest.approx(1.0))
    assert scores.recall.lift is None or scores.recall.lift >= 1.0 - 1e-9
    assert scores.coverage == ()


@settings(max_examples=40)
@given(maps, maps, st.floats(1e-3, 1e3))
def test_shapes_do_not_know_scales_and_no_map_comes_first(one: FloatArray, other: FloatArray, factor: float) -> None:
    there, back = transport(one, other, WIDTH, 0.20), transport(other, one, WIDTH, 0.20)
    scaled = transport(factor * one, other, WIDTH, 0.20)
    if there.both_bps is None:
        assert back.both_bps is None
        return
    assert there.both_bps == pytest.approx(back.both_bps, abs=1e-6)
    assert there.both_bps == pytest.approx(scaled.both_bps, abs=1e-6)
    assert 0.0 <= there.both_bps <= 2 * 0.20 * 1e4


@settings(max_examples=30)
@given(maps, maps, maps)
def test_a_way_round_is_never_shorter(a: FloatArray, b: FloatArray, c: FloatArray) -> None:
    ab, bc, ac = (transport(x, y, WIDTH, 0.20).both_bps for x, y in ((a, b), (b, c), (a, c)))
    if None not in (ab, bc, ac):
        assert ac <= ab + bc + 1e-6  # type: ignore[operator]


@settings(max_examples=40)
@given(maps, maps)
def test_agrees_with_scipy(one: FloatArray, other: FloatArray) -> None:
    found = transport(one, other, WIDTH, 0.10).both_bps
    a, b = (np.concatenate([usd[0, :20][::-1], usd[1, :20]]) for usd in (one, other))
    if a.sum() == 0.0 or b.sum() == 0.0:
        assert found is None
    else:
        place = np.arange(40) * 50.0
        expected = wasserstein_distance(place, place, a / a.sum(), b / b.sum())
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
    ranked = rank_correlation(one, other, WIDTH)
    if ranked is not None:
        assert ranked == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)


@given(maps, st.floats(0.01, 1e5), st.floats(1.0, 3.0))
def test_a_larger_budget_is_never_nearer(usd: FloatArray, budget: float, more: float) -> None:
    near, far = least_move(usd[0], WIDTH, budget), least_move(usd[0], WIDTH, budget * more)
    if far is not None:
        assert near is not None
        assert near <= far + 1e-12


@given(arrays(np.float64, 16, elements=st.integers(0, 5).map(float)), st.floats(0.0, 1.0))
def test_the_top_has_its_number_of_places(values: FloatArray, share: float) -> None:
    chosen = top_share(values, share)
    assert chosen.sum() == pytest.approx(share * values.size)
    assert np.all(np.diff(chosen[np.argsort(values, kind="stable")]) >= -1e-12)
