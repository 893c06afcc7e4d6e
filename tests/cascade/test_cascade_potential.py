"""The static cascade against sums done by hand, then its laws."""

from __future__ import annotations

import numpy as np
import pytest
from cascade_scenes import DISTANCE, M, brakes, ensembles, law, per_percent
from hypothesis import given
from hypothesis import strategies as st

from liqscape.cascade import Direction, Engine, both_ways, curves, ignition, p_reach, run, static_paths
from liqscape.errors import BadArgument, NoData

NOTHING = per_percent()


def paths(levels, absorbed, shock=0.0, **asked):
    return static_paths(levels, absorbed, Direction.UP, shock_usd=shock, paths=asked.pop("paths", 1), **asked)


def test_shock_by_depth_without_a_map():
    # 100M per 1 %, shock 200M: 2 %
    assert paths(NOTHING, brakes(100 * M), 200 * M).run == pytest.approx([0.02])


def test_shock_by_depth_with_a_map():
    # 50M per 1 % are forced on the way: 200 / (100 - 50) = 4 %, of which 200M forced; 2 % without the map
    found = paths(per_percent((50, 50 * M)), brakes(100 * M), 200 * M)
    assert found.run == pytest.approx([0.04])
    assert found.forced_usd == pytest.approx([200 * M])
    assert found.run_no_map == pytest.approx([0.02])
    assert run(found).amplification.median == pytest.approx(2.0)
    assert run(found).distance.median == pytest.approx(0.04)


def test_ignition_where_forced_orders_outgrow_depth():
    # b 100, f 50 to 2 % and then 150: U climbs 50M per 1 % to 2 %, then falls: 100M ignite it there
    found = paths(per_percent((2, 50 * M), (50, 150 * M)), brakes(100 * M))
    assert found.ignition_usd == pytest.approx([100 * M])
    assert found.ignition_distance == pytest.approx([0.02])
    assert np.isinf(found.extent).all()
    said = ignition(found)
    assert said.p_ignites.value == 1.0
    assert said.engine is Engine.PRESENT
    assert said.p_beyond == 1.0
    assert said.extent.median == pytest.approx(0.5)  # a run past the grid counts as its end


def test_a_run_ends_where_depth_has_caught_up():
    # falls by 50M from 2 % to 3 %, then climbs 50M per 1 %: back at the peak of 100M at 4 %
    levels = per_percent((2, 50 * M), (3, 150 * M), (50, 50 * M))
    assert paths(levels, brakes(100 * M)).extent == pytest.approx([0.04])
    # 100M stop at the peak, one dollar more runs to 4 %
    assert paths(levels, brakes(100 * M), 100 * M).run == pytest.approx([0.02])
    assert paths(levels, brakes(100 * M), 100 * M + 1).run == pytest.approx([0.04])


def test_a_fall_of_one_bucket_is_no_ignition_but_is_critical():
    levels = per_percent((2, 50 * M), (2.1, 150 * M), (50, 50 * M))
    found = paths(levels, brakes(100 * M))
    assert np.isnan(found.ignition_usd).all()
    assert found.critical.all()
    assert ignition(found).engine is Engine.PRESENT


def test_what_lies_beyond_the_window_does_not_count():
    levels = per_percent((6, 50 * M), (50, 150 * M))
    assert np.isnan(paths(levels, brakes(100 * M)).ignition_usd).all()
    assert paths(levels, brakes(100 * M), within=0.10).ignition_distance == pytest.approx([0.06])
    said = ignition(paths(levels, brakes(100 * M)))
    assert said.engine is Engine.NONE
    assert said.dollars.median is None
    assert said.p_beyond is None


def test_forced_orders_that_equal_depth_carry_themselves():
    # R = 1 from the mark on: nothing from outside is needed
    found = paths(per_percent((50, 100 * M)), brakes(100 * M))
    assert found.ignition_usd == pytest.approx([0.0])
    assert found.critical.all()


def test_probabilities_count_draws():
    # three maps of four ignite; one does not
    calm, wild = per_percent((50, 50 * M)), per_percent((2, 50 * M), (50, 150 * M))
    found = paths(np.concatenate([calm, wild, wild, wild]), brakes(100 * M), 150 * M, paths=400)
    said = ignition(found)
    assert said.p_ignites.value == 0.75
    assert said.p_ignites.error == pytest.approx((0.25 / 4) ** 0.5)  # variance of 0, 1, 1, 1 is 1/4
    assert p_reach(found, 0.03).value == 1.0  # 150 / 50 = 3 % on the calm map
    assert p_reach(found, 0.0301).value == 0.75
    assert p_reach(found, 0.0301, no_map=True).value == 0.0


def test_curves_are_what_they_are_called():
    found = curves(per_percent((2, 50 * M), (50, 150 * M)), brakes(100 * M), Direction.UP)
    assert found.reproduction[:, 0] == pytest.approx([0.5] * 3)
    assert found.reproduction[:, 30] == pytest.approx([1.5] * 3)
    assert found.potential_usd[1, 20] == pytest.approx(100 * M)
    assert found.absorbed_usd[1, 20] - found.forced_usd[1, 20] == pytest.approx(found.potential_usd[1, 20])


def test_one_map_meets_every_absorption_draw():
    absorbed = brakes(100 * M)
    many = type(absorbed)(
        DISTANCE,
        absorbed.bid_usd * np.arange(1, 7)[:, None],
        absorbed.ask_usd * np.arange(1, 7)[:, None],
        *list(vars(absorbed).values())[3:],
    )
    found = paths(NOTHING, many, 600 * M, paths=6)
    assert np.sort(found.run) == pytest.approx(np.sort(0.06 / np.arange(1, 7)))
    assert found.run == pytest.approx(found.run_no_map)


@pytest.mark.parametrize(
    ("levels", "shock", "asked", "words"),
    [
        (NOTHING, -1.0, {}, "dollars >= 0"),
        (NOTHING, float("nan"), {}, "dollars >= 0"),
        (NOTHING[:, :9], 0.0, {}, "same distances"),
        (np.zeros((0, 500)), 0.0, {}, "draws x 500"),
        (-per_percent((50, M)), 0.0, {}, "finite dollars >= 0"),
        (np.full((1, 500), np.nan), 0.0, {}, "finite dollars >= 0"),
        (NOTHING, 0.0, {"within": 0.0001}, "wider window"),
    ],
)
def test_bad_questions_are_refused(levels, shock, asked, words):
    with pytest.raises(BadArgument) as caught:
        paths(levels, brakes(M), shock, **asked)
    assert words in str(caught.value)


def test_a_run_needs_a_shock():
    with pytest.raises(NoData, match="no shock"):
        run(paths(NOTHING, brakes(M)))


@law
@given(b=st.floats(10.0, 1000.0), share=st.floats(0.0, 0.95), percent=st.floats(0.01, 40.0))
def test_constant_densities_have_a_closed_form(b, share, percent):
    # x = Q / (b - f), as long as that lies on the grid
    f = share * b
    found = paths(per_percent((50, f * M)), brakes(b * M), percent * (b - f) * M)
    assert found.run == pytest.approx([percent / 100.0])
    assert found.forced_usd == pytest.approx([percent * f * M])


@law
@given(ensembles(), st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_more_shock_never_ends_nearer(world, one, other):
    levels, absorbed = world
    near, far = (paths(levels, absorbed, shock, paths=9).run for shock in sorted((one, other)))
    assert (near <= far * (1.0 + 1e-9)).all()


@law
@given(ensembles(), st.floats(0.01, 60.0))
def test_a_map_never_ends_nearer_than_none(world, shock):
    levels, absorbed = world
    found = paths(levels, absorbed, shock, paths=9)
    assert (found.run >= found.run_no_map * (1.0 - 1e-9)).all()
    alone = paths(np.zeros_like(levels), absorbed, shock, paths=9)
    assert np.array_equal(alone.run, found.run_no_map)


@law
@given(ensembles(), st.floats(0.0, 60.0))
def test_up_is_down_in_the_mirror(world, shock):
    levels, absorbed = world
    found = both_ways(levels, levels, absorbed, shock_usd=shock, within=0.1, paths=9)
    for name in ("ignition_usd", "ignition_distance", "extent", "critical", "run", "forced_usd", "run_no_map"):
        up, down = (getattr(found[way], name) for way in (Direction.UP, Direction.DOWN))
        assert np.array_equal(up, down, equal_nan=True)


@law
@given(ensembles(), st.floats(0.01, 30.0))
def test_every_dollar_is_absorbed(world, shock):
    levels, absorbed = world
    found = paths(levels, absorbed, shock, paths=9)
    for k in np.flatnonzero(np.isfinite(found.run)):
        usd = np.interp(found.run[k], found.distance, absorbed.ask_usd[found.absorption_draw[k]])
        assert usd == pytest.approx(shock + found.forced_usd[k])


@law
@given(ensembles())
def test_the_dollars_that_ignite_are_just_enough(world):
    levels, absorbed = world
    found = paths(levels, absorbed, within=0.3, sustained=0.02, paths=9)
    for k in np.flatnonzero(np.isfinite(found.ignition_usd) & (found.ignition_usd > 0.0)):
        enough, more = (paths(levels, absorbed, found.ignition_usd[k] * s, paths=9).run[k] for s in (1.0 - 1e-9, 1.0 + 1e-9))
        assert enough <= found.ignition_distance[k] * (1.0 + 1e-9)
        assert more >= found.ignition_distance[k] + 0.02 or np.isinf(more)
