"""The cascade in time against sums done by hand, then its laws."""

from __future__ import annotations

import numpy as np
import pytest
from cascade_scenes import DISTANCE, M, brakes, law, per_percent
from hypothesis import given
from hypothesis import strategies as st

from liqscape.cascade import (
    Absorption,
    Basis,
    Direction,
    ForcedVenue,
    Physics,
    after_adl,
    busiest_minute_usd,
    dynamic,
    exactly,
    fan,
    p_touch,
    quantiles,
    simulate,
    static_paths,
    summary,
)
from liqscape.errors import BadArgument

NOTHING = per_percent()
ONE = [ForcedVenue(name="one", bankruptcy_gap=0.4)]
# Impact stays, depth stays, makers bear anything: what is left is B(x) = Q + F(x).
PLAIN = {
    "permanent": exactly(1.0),
    "tau_s": exactly(10.0),
    "withdrawal": exactly(1e-12),
    "memory_s": exactly(60.0),
    "inventory": exactly(1e9),
    "arbitrage_s": 0.0,
}


def shocked(levels, absorbed, shock, venues=ONE, **asked):
    physics = Physics(**{**PLAIN, **asked.pop("physics", {})})
    return simulate(levels, absorbed, Direction.UP, venues, shock_usd=shock, physics=physics, **{"paths": 1, **asked})


def balanced(found):
    parts = found.executed_usd + found.fund_usd + found.adl_usd + found.spared_usd + found.unfinished_usd
    return found.swept_usd == pytest.approx(parts, rel=1e-9, abs=1e-3)


def test_without_a_map_it_is_pure_impact():
    # 100M per 1 %, 200M: 2 %
    found = shocked(NOTHING, brakes(100 * M), 200 * M)
    assert found.end == pytest.approx([0.02])
    assert found.end_no_map == pytest.approx([0.02])
    assert found.swept_usd == pytest.approx([0.0])


def test_with_a_map_it_ends_where_the_static_cascade_does():
    # 50M per 1 % on the way: 4 %; rounds halve: 100M, 50M, 25M, ...
    found = shocked(per_percent((50, 50 * M)), brakes(100 * M), 200 * M, shock_s=1)
    assert found.end == pytest.approx([0.04], rel=1e-6)
    assert found.by_round[0, :3] == pytest.approx([100 * M, 50 * M, 25 * M])
    assert found.by_venue[0] == pytest.approx([200 * M], rel=1e-6)
    assert found.executed_usd == pytest.approx([200 * M], rel=1e-6)
    assert np.isnan(found.ignition_s).all()  # R = 1/2 throughout


def test_impact_that_fades():
    # half of 2 % stays; the other half fades with a time constant of 10 s from the second after the shock on
    found = shocked(NOTHING, brakes(100 * M), 200 * M, shock_s=1, horizon_s=20, every_s=1, physics={"permanent": exactly(0.5)})
    assert found.peak == pytest.approx([0.02])
    assert found.track[0, :3] == pytest.approx(0.01 + 0.01 * np.exp(-np.arange(3) / 10.0))
    assert found.end == pytest.approx([0.01 + 0.01 * np.exp(-2.0)])


def test_time_to_ignition():
    # 9.5M a second at 100M per 1 %: 0.095 % a second; the dense levels (R = 1.5) begin at 0.5 %, in the sixth second
    levels = per_percent((0.5, 0), (1.5, 150 * M), (50, 0))
    found = shocked(levels, brakes(100 * M), 95 * M, shock_s=10)
    assert found.ignition_s == pytest.approx([6.0])
    assert summary(found).p_ignites.value == 1.0
    # the zone is carried through: all of its 150M join the 95M
    assert found.end == pytest.approx([0.0245], rel=1e-6)


def test_what_finds_no_taker_before_bankruptcy_goes_to_the_fund_then_to_adl():
    # 0.1 % a second to 1 %; 100M wait in the last 0.1 %, mean level 0.95 %, bankrupt at 1.45 %: 45M fit into the market before
    levels = per_percent((0.9, 0), (1.0, 1000 * M), (50, 0))
    one = {"name": "one", "bankruptcy_gap": 0.005}
    asked = {"levels": levels, "absorbed": brakes(100 * M), "shock": 100 * M, "shock_s": 10}
    rich, poor, unknown = (shocked(**asked, venues=[ForcedVenue(**one, insurance_fund_usd=fund)]) for fund in (1e9, 0.0, None))
    assert rich.executed_usd == pytest.approx([45 * M], rel=1e-6)
    assert rich.fund_usd == pytest.approx([55 * M], rel=1e-6)
    assert summary(rich).p_adl.value == 0.0
    assert poor.adl_usd == pytest.approx([55 * M], rel=1e-6)
    assert summary(poor).p_adl.value == 1.0
    # deleveraging ends the path where the fund's takeover does: it never reaches the book
    assert poor.end == pytest.approx(rich.end)
    assert unknown.fund_usd == pytest.approx([55 * M], rel=1e-6)
    assert summary(unknown).p_adl is None
    assert summary(unknown).adl_usd.median is None
    for found in (rich, poor, unknown):
        assert balanced(found)


def test_a_cool_down_spares_what_the_price_leaves_behind():
    # nearly all impact fades within seconds: when the rest is judged again after 30 s the price is back
    venue = [ForcedVenue(name="steps", first_step=0.2, cooldown_s=30, bankruptcy_gap=0.4)]
    physics = {"permanent": exactly(1e-6), "tau_s": exactly(2.0)}
    found = shocked(per_percent((50, 10 * M)), brakes(100 * M), 100 * M, venue, shock_s=1, physics=physics)
    assert found.spared_usd == pytest.approx(0.8 * found.swept_usd, rel=1e-5)
    assert found.executed_usd == pytest.approx(0.2 * found.swept_usd, rel=1e-5)
    # nothing fades: the rest follows, and all is executed
    lasting = shocked(per_percent((50, 10 * M)), brakes(100 * M), 100 * M, venue, shock_s=1)
    assert lasting.spared_usd == pytest.approx([0.0])
    assert lasting.executed_usd == pytest.approx([100 * M / 0.9 * 0.1], rel=1e-5)


def test_a_slow_engine_leaves_orders_waiting():
    # 1M a second for 9 seconds after the first of 50M
    venue = [ForcedVenue(name="slow", engine_usd_per_s=1 * M, bankruptcy_gap=0.4)]
    found = shocked(per_percent((50, 50 * M)), brakes(100 * M), 100 * M, venue, shock_s=1, horizon_s=10, every_s=1)
    assert found.executed_usd == pytest.approx([9 * M])
    assert found.unfinished_usd == pytest.approx(found.swept_usd - 9 * M)
    assert summary(found).p_unfinished.value == 1.0


def test_depth_is_withdrawn_while_the_price_moves():
    # 1 % in the first second at 100M per 1 %; exp(-20 x 1 %) = 0.82 of it is left in the next: 1 % / 0.82 more
    physics = {"withdrawal": exactly(20.0), "memory_s": exactly(1e9)}
    found = shocked(NOTHING, brakes(100 * M), 200 * M, shock_s=2, horizon_s=2, every_s=1, physics=physics)
    assert found.track[0] == pytest.approx([0.01, 0.01 + 0.01 * np.exp(0.2)])


def test_makers_withdraw_when_they_hold_too_much():
    # they bear the depth within 1 % = 100M: after 200M half of the depth is left
    physics = {"inventory": exactly(1.0), "memory_s": exactly(1e9)}
    found = shocked(NOTHING, brakes(100 * M), 300 * M, shock_s=3, horizon_s=3, every_s=1, physics=physics)
    assert found.track[0] == pytest.approx([0.01, 0.02, 0.04])


def test_coupled_venues_are_one_market():
    # all levels on one of two venues with half the depth each: with perfect arbitrage it is as one
    pair = [ForcedVenue(name=name, depth_share=0.5, bankruptcy_gap=0.4) for name in ("a", "b")]
    levels = np.stack([per_percent((50, 50 * M)), NOTHING])
    found = shocked(levels, brakes(100 * M), 200 * M, pair, shock_s=1)
    assert found.end == pytest.approx([0.04], rel=1e-6)
    assert found.by_venue[0] == pytest.approx([200 * M, 0.0], rel=1e-6)
    apart = shocked(levels, brakes(100 * M), 200 * M, pair, shock_s=1, physics={"arbitrage_s": 1e12})
    # alone, a carries 100M / (50M per 1 % - 50M per 1 %): its own depth never catches up
    assert np.isinf(apart.end).all()
    assert balanced(apart)


def test_past_the_grid_is_said():
    said = summary(shocked(per_percent((50, 200 * M)), brakes(100 * M), 100 * M))
    assert said.p_beyond.value == 1.0
    assert said.end[1].value == pytest.approx(0.5)


def test_quantiles_state_their_error():
    # 10,000 even steps from 0 to 1: the standard error of the median is 1/2 / 100
    found = quantiles(np.linspace(0.0, 1.0, 10_000), (0.5,))[0]
    assert found.value == pytest.approx(0.5)
    assert found.error == pytest.approx(0.005)


def test_touch_and_fan_count_paths():
    # two maps: one doubles the move
    found = shocked(np.concatenate([NOTHING, per_percent((50, 50 * M))]), brakes(100 * M), 200 * M, shock_s=1, paths=10)
    assert p_touch(found, 0.03).value == 0.5
    assert p_touch(found, 0.03, no_map=True).value == 0.0
    assert fan(found, shares=(0.0, 1.0))[:, -1] == pytest.approx([0.02, 0.04], rel=1e-6)
    assert fan(found, no_map=True).max() == pytest.approx(0.02)


def test_the_busiest_minute():
    # the shock pushes 1M a second for 100 s; R = 1/2 forces as much again: 60 s of it bring 60M, less what is still in the queue
    found = shocked(per_percent((50, 50 * M)), brakes(100 * M), 100 * M, shock_s=100, every_s=10)
    assert busiest_minute_usd(found) == pytest.approx([60 * M], rel=1e-3)
    assert summary(found).busiest_minute_usd.median == pytest.approx(60 * M, rel=1e-3)


def test_adl_takes_from_the_other_side():
    # 20 of 100 dollars open were deleveraged: a fifth of every level is gone
    assert after_adl(np.array([10.0, 5.0]), 100.0, 20.0) == pytest.approx([8.0, 4.0])
    with pytest.raises(BadArgument, match="between 0 and open interest"):
        after_adl(np.array([1.0]), 10.0, 11.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shock": -1.0}, "dollars >= 0"),
        ({"shock_s": 0}, "whole seconds"),
        ({"shock_s": 1000}, "whole seconds"),
        ({"venues": []}, "make 1"),
        ({"venues": [ForcedVenue(name="half", depth_share=0.5)]}, "make 1"),
        ({"levels": NOTHING[:, :9]}, "same distances"),
        ({"levels": -per_percent((50, M))}, "finite dollars >= 0"),
    ],
)
def test_bad_questions_are_refused(change, words):
    with pytest.raises(BadArgument) as caught:
        shocked(**{"levels": NOTHING, "absorbed": brakes(M), "shock": 1.0, **change})
    assert words in str(caught.value)


def test_unequal_buckets_are_refused():
    distance = np.array([0.0, 0.01, 0.03])
    with pytest.raises(BadArgument, match="equal width"):
        shocked(np.zeros((1, 2)), brakes(M, distance=distance), 1.0)


@pytest.mark.parametrize(
    "rule",
    [{"depth_share": 0.0}, {"first_step": 0.5}, {"engine_usd_per_s": 0.0}, {"insurance_fund_usd": -1.0}, {"bankruptcy_gap": 0.0}],
)
def test_rules_that_cannot_be_are_refused(rule):
    with pytest.raises(BadArgument, match="venue odd"):
        ForcedVenue(name="odd", **rule)


@law
@given(b=st.floats(10.0, 1000.0), share=st.floats(0.0, 0.8), percent=st.floats(0.1, 40.0), shock_s=st.integers(1, 60))
def test_constant_densities_have_a_closed_form(b, share, percent, shock_s):
    # x = Q / (b - f); what is left in the queue at the end is under a dollar
    f = share * b
    found = shocked(per_percent((50, f * M)), brakes(b * M), percent * (b - f) * M, shock_s=shock_s)
    assert found.end == pytest.approx([percent / 100.0], rel=1e-4)


@st.composite
def worlds(draw):
    """Three map draws on two venues and two absorption draws, from a seed."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = generator.lognormal(1.0, 1.5, (2, 3, 500)) * M
    total = np.zeros((2, 501))
    np.cumsum(generator.uniform(3.0, 15.0, (2, 500)) * M, axis=1, out=total[:, 1:])
    return levels, Absorption(DISTANCE, total, total, Basis.BOOK, 0.0, 0, ())


TWO = [
    ForcedVenue(name="a", depth_share=0.7, insurance_fund_usd=5e4, adl_drawdown=0.3),
    ForcedVenue(name="b", depth_share=0.3, first_step=0.4, cooldown_s=20, insurance_fund_usd=0.0),
]


@law
@given(worlds(), st.floats(1.0, 1000.0))
def test_every_forced_dollar_is_accounted_for(world, shock):
    levels, absorbed = world
    found = simulate(levels, absorbed, Direction.UP, TWO, shock_usd=shock * M, paths=12)
    assert balanced(found)
    forced = found.executed_usd + found.fund_usd + found.adl_usd
    assert found.by_venue.sum(axis=1) == pytest.approx(found.by_round.sum(axis=1))
    assert (np.diff(found.forced_track, axis=1) >= 0.0).all()
    assert found.forced_track[:, -1] == pytest.approx(found.by_venue.sum(axis=1))
    # what was sent, and no more, was executed, absorbed by a fund, or deleveraged
    assert (forced <= found.by_venue.sum(axis=1) * (1.0 + 1e-9) + 1e-3).all()
    done = np.isfinite(found.end) & (found.unfinished_usd < 2.0)
    assert forced[done] == pytest.approx(found.by_venue[done].sum(axis=1), abs=3.0)


@law
@given(worlds(), st.floats(1.0, 1000.0))
def test_up_is_down_in_the_mirror_and_the_same_again(world, shock):
    levels, absorbed = world
    up, down, again = (simulate(levels, absorbed, way, TWO, shock_usd=shock * M, paths=12) for way in (*Direction, Direction.UP))
    for name in ("end", "peak", "end_no_map", "track", "by_round", "adl_usd", "ignition_s"):
        assert np.array_equal(getattr(up, name), getattr(down, name), equal_nan=True)
        assert np.array_equal(getattr(up, name), getattr(again, name), equal_nan=True)


@law
@given(worlds(), st.floats(1.0, 500.0), st.floats(1.0, 500.0))
def test_more_shock_never_reaches_less(world, one, other):
    levels, absorbed = world
    near, far = (shocked(levels[0], absorbed, shock * M, paths=6).peak for shock in sorted((one, other)))
    assert (near <= far * (1.0 + 1e-6)).all()


@law
@given(worlds(), st.floats(1.0, 500.0))
def test_the_limit_without_fading_is_the_static_cascade(world, shock):
    levels, absorbed = world
    found = shocked(levels[0], absorbed, shock * M, paths=6, horizon_s=3600, shock_s=1)
    expected = static_paths(levels[0], absorbed, Direction.UP, shock_usd=shock * M, paths=6)
    # Near R = 1 a queue takes long to run dry; those that did not are left out. A path that left the grid has ended.
    ended = (found.unfinished_usd < 2.0) | np.isinf(found.end)
    assert found.end[ended] == pytest.approx(expected.run[ended], rel=1e-3)
    assert found.end_no_map == pytest.approx(expected.run_no_map)


def test_the_stated_error_is_that_of_other_draws():
    # the same market with other draws of map, book and constants: the share that ignites scatters no more than was said
    shares, errors = [], []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        levels = per_percent((2, 40 * M), (6, 90 * M), (50, 5 * M)) * generator.lognormal(0.0, 0.5, (48, 1))
        absorbed = brakes(100 * M)
        book = absorbed.ask_usd * generator.lognormal(0.0, 0.3, (48, 1))
        drawn = Absorption(DISTANCE, book, book, Basis.BOOK, 0.0, 0, ())
        said = summary(simulate(levels, drawn, Direction.UP, ONE, shock_usd=150 * M, paths=300, seed=seed)).p_ignites
        shares.append(said.value)
        errors.append(said.error)
    assert 0.2 < np.mean(shares) < 0.9
    assert 0.6 * np.std(shares) < np.mean(errors) < 2.5 * np.std(shares)


def test_the_number_of_workers_changes_nothing(monkeypatch):
    levels = per_percent((50, 50 * M)) * np.random.default_rng(1).lognormal(0.0, 0.5, (5, 1))
    asked = {"shock_usd": 200 * M, "paths": 101}
    both = simulate(levels, brakes(100 * M), Direction.DOWN, ONE, **asked)
    monkeypatch.setattr(dynamic, "WORKERS", 1)
    alone = simulate(levels, brakes(100 * M), Direction.DOWN, ONE, **asked)
    assert np.array_equal(both.track, alone.track)
