import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plot_scenes import make_map

from liqscape.clock import parse_instant
from liqscape.model import PositionSide
from liqscape.plot.levels import bars_of, buckets_within, curve_of, group_size
from liqscape.plot.ticks import decimals_of, distance_ticks, nice_step, price_ticks, time_ticks, usd_ticks


def test_a_step_is_round():
    # 30 in at most 7 parts: 30 / 7 = 4.3, the next round step is 5
    assert nice_step(30.0, 7) == 5.0
    assert nice_step(0.7, 2) == 0.5
    assert decimals_of(0.25) == 2


def test_dollar_labels_share_one_unit():
    assert usd_ticks(1.2e6, 3) == [(0.0, "0"), (5e5, "$0.5M"), (1e6, "$1.0M")]


def test_distances_are_mirrored():
    labels = [label for _, label in distance_ticks(0.15, 7)]
    assert labels == ["\N{MINUS SIGN}15 %", "\N{MINUS SIGN}10 %", "\N{MINUS SIGN}5 %", "0", "+5 %", "+10 %", "+15 %"]


def test_prices_keep_the_decimals_they_need():
    assert [label for _, label in price_ticks(0.0121, 0.0126, 5)] == ["0.0121", "0.0122", "0.0123", "0.0124", "0.0125", "0.0126"]
    assert [label for _, label in price_ticks(50_000.0, 900_000.0, 5)] == ["50,000", "100,000", "200,000", "500,000"]


def test_times_fall_on_midnight():
    first, last = parse_instant("2026-01-30T20:10Z"), parse_instant("2026-01-31T08:00Z")
    assert [(label, day) for _, label, day in time_ticks(first, last, 4)] == [
        ("21:00", False),
        ("31 Jan", True),
        ("03:00", False),
        ("06:00", False),
    ]


@given(low=st.floats(1e-8, 1e7), ratio=st.floats(1.0005, 50.0), most=st.integers(3, 16))
def test_price_ticks_lie_inside_and_differ(low, ratio, most):
    ticks = price_ticks(low, low * ratio, most)
    assert all(low * (1 - 1e-6) <= value <= low * ratio * (1 + 1e-6) for value, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks) >= 1


def test_bars_are_means_per_bucket_and_sums_run_outward():
    scene = make_map(prior="some").short
    bars = bars_of(scene, 5, 2, None)
    # Buckets 0+1, 2+3 and 4 alone: each bar says dollars per bucket, whatever its width.
    assert bars.data_usd + bars.prior_usd == pytest.approx([scene.usd[:2].mean(), scene.usd[2:4].mean(), scene.usd[4]])
    curve = curve_of(scene, 5)
    assert curve.usd == pytest.approx(np.concatenate([[0.0], np.cumsum(scene.usd[:5])]))
    assert (curve.low_usd <= curve.usd).all()
    assert (curve.usd <= curve.high_usd).all()


def test_half_a_bucket_counts_half():
    scene = make_map().short
    value, low, high = curve_of(scene, 2).at(84_178.9 * 1.0015)
    assert value == pytest.approx(scene.usd[0] + 0.5 * scene.usd[1])
    assert low is not None
    assert high is not None
    assert buckets_within(scene, 84_178.9, 0.0015) == 2


def test_without_an_ensemble_the_interval_is_unknown():
    from dataclasses import replace

    scene = replace(make_map().long, draws_usd=np.empty((0, 500)))
    assert curve_of(scene, 10).at(84_178.9 * 0.995)[1:] == (None, None)


@pytest.mark.parametrize("side", list(PositionSide))
@pytest.mark.parametrize("group", [1, 2, 3, 7])
def test_grouping_keeps_the_dollars(side, group):
    levels = make_map().side(side)
    bars = bars_of(levels, 100, group, None)
    sizes = np.diff(np.append(np.arange(0, 100, group), 100))
    assert ((bars.data_usd + bars.prior_usd) * sizes).sum() == pytest.approx(levels.usd[:100].sum())
    assert (bars.prior_usd * sizes).sum() == pytest.approx(levels.prior_usd[:100].sum())


def test_bars_do_not_get_narrower_than_asked():
    assert group_size(150, 700.0, 8.0) == 2  # 4.7 px each, 9.3 px in pairs
    assert group_size(10, 700.0, 8.0) == 1
