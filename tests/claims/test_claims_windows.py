"""Frozen maps and windows: by hand, the map of the engine, and nobody looks ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from claim_scenes import DAY_BARS, FIVE_MINUTES, FOUR_HOURS, START, random_maps, random_walk, random_windows, series

from liqscape.engine.maps import assemble
from liqscape.engine.replay import Tape, replay
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import Recipe
from liqscape.model import LiquidationSeries
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.claims_windows import CENTRES, claim_windows
from liqscape.validate.frozen import FrozenMaps, freeze


def test_mass_between_two_distances_cuts_buckets():
    # Buckets of 0.1: 1, 2, 4 dollars below and 10, 0, 30 above; between 0.05 and 0.25 lie 0.5 + 2 + 2 and 5 + 0 + 15.
    maps = FrozenMaps(np.array([START]), np.array([100.0]), np.array([[[1.0, 2.0, 4.0], [10.0, 0.0, 30.0]]]), step=0.1)
    assert maps.mass(np.array([[0.05]]), np.array([[0.25]]))[0, :, 0] == pytest.approx([4.5, 20.0])
    assert maps.mass(np.array([[0.2]]), np.array([[9.0]]))[0, :, 0] == pytest.approx([4.0, 30.0])  # nothing lies beyond


@pytest.fixture(scope="module")
def record():
    bars = random_walk(18, seed=5)
    rng = np.random.default_rng(5)
    hours = START + NS_PER_HOUR * np.arange(18 * 24)
    usd = rng.gamma(1.0, 1e6, (2, hours.size))
    held = 50_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.001, len(bars))))
    empty = LiquidationSeries.empty(bars.instrument, NS_PER_HOUR)
    liquidations = replace(empty, start_ns=hours, known_ns=hours + NS_PER_HOUR, long_usd=usd[0], short_usd=usd[1])
    return replace(bars, open_interest_base=held), liquidations


def test_a_frozen_map_is_the_map_of_then(record):
    bars, liquidations = record
    at = START + np.array([5 * NS_PER_DAY, 16 * NS_PER_DAY + NS_PER_HOUR + FIVE_MINUTES])
    maps = freeze(bars, liquidations, at)
    for i, instant in enumerate(at.tolist()):
        until = int(np.searchsorted(bars.end_ns, instant, side="right"))
        over = int(np.searchsorted(liquidations.start_ns + NS_PER_HOUR, instant, side="right"))
        known = replace(
            liquidations,
            **{n: getattr(liquidations, n)[:over] for n in ("start_ns", "known_ns", "long_usd", "short_usd")},
        )
        tape = Tape(bars.instrument, instant, bars.slice(0, until), known, instant)
        made = assemble("BTC", [replay(tape, (Recipe(),), ages=False)], instant)
        assert maps.mark_price[i] == made.mark_price
        reach = abs(np.log(0.8)), np.log(1.2)
        for side, levels in enumerate((made.long, made.short)):
            found = maps.mass(np.zeros((2, 1)), np.full((2, 1), reach[side]))[i, side, 0]
            assert found == pytest.approx(levels.usd[:200].sum(), rel=2e-3)  # both price a bucket at its middle


def test_fewer_stops_and_a_poisoned_future_freeze_the_same_maps(record):
    bars, liquidations = record
    at = START + NS_PER_HOUR * np.arange(10 * 24, 17 * 24, 5)
    every = freeze(bars, liquidations, at, reach=0.1)
    some = freeze(bars, liquidations, at[7::9], reach=0.1)
    np.testing.assert_allclose(some.usd, every.usd[7::9], rtol=1e-9)
    last = int(at[7])
    spoiled = replace(bars, **{n: np.where(bars.end_ns > last, getattr(bars, n) * 1.3, getattr(bars, n)) for n in (
        "open", "high", "low", "close", "open_interest_base")})  # fmt: skip
    late = liquidations.start_ns + NS_PER_HOUR > last
    poisoned = replace(liquidations, long_usd=np.where(late, 100.0, 1.0) * liquidations.long_usd)
    there = freeze(spoiled, poisoned, at, reach=0.1)
    np.testing.assert_array_equal(there.usd[:8], every.usd[:8])
    assert not np.allclose(there.usd[9], every.usd[9], rtol=0.01)


def test_the_densest_zone_is_found_for_its_distance():
    bars = random_walk(12)
    maps = random_maps(bars)
    maps = replace(maps, usd=np.ones_like(maps.usd) * np.arange(1.0, 401.0))  # ever more dollars farther out: the trend
    usual = claim_windows(bars, maps, FOUR_HOURS)
    assert (usual.raw_level.distance == CENTRES[-1]).all()
    assert usual.raw_level.contrast == pytest.approx(0.0)
    # A lump on 1.5 units above in one map: 3 times its mirror, contrast (3 - 1) / (3 + 1).
    i = int(np.flatnonzero(maps.at_ns == usual.at_ns[10])[0])
    distance = (np.arange(400) + 0.5) * maps.step / usual.unit[10]
    maps.usd[i, 1] *= np.where(np.abs(distance - 1.5) < 0.15, 3.0, 1.0)
    level = claim_windows(bars, maps, FOUR_HOURS).level
    assert (level.side[10], level.distance[10]) == (1, 1.5)
    assert level.contrast[10] == pytest.approx(0.5, abs=0.05)


def test_excursions_units_and_past_by_hand():
    # Every bar moves 0.1 %, up and down in turn: sigma is 0.001 a bar, a unit of 4 h is 0.001 * sqrt(48).
    moves = np.where(np.arange(12 * DAY_BARS) % 2 == 0, 0.001, -0.001)
    bars = series(80_000.0 * np.exp(np.cumsum(moves)))
    windows = claim_windows(bars, random_maps(bars), FOUR_HOURS)
    unit = 0.001 * np.sqrt(48)
    assert windows.unit == pytest.approx(unit, rel=1e-9)
    assert windows.excursion[:, 1] == pytest.approx(0.001 / unit)
    assert windows.excursion[:, 0] == pytest.approx(0.0, abs=1e-9)
    assert windows.past == pytest.approx(0.0, abs=1e-9)
    # A drift of 2 units is over at the end of the window, and the last bar begins at the top of the zigzag.
    assert windows.drifted(2.0)[:, 1] == pytest.approx(0.001 / unit + 2.0)
    # From 80,000: 81,000 above is round, 80,500 above is not.
    above = np.ones(len(windows), np.int64)
    assert windows.at_round_price(above, np.log(81_000 / windows.price) / unit).all()
    assert not windows.at_round_price(above, np.log(80_500 / windows.price) / unit).any()


def test_a_day_with_a_missing_bar_is_left_out_whole():
    bars = random_walk(14)
    maps = random_maps(bars)
    whole = claim_windows(bars, maps, FOUR_HOURS)
    assert whole.per_day == 6
    gone = np.arange(len(bars)) != 9 * DAY_BARS + 100
    holed = replace(bars, **{n: getattr(bars, n)[gone] for n in ("start_ns", "known_ns", "open", "high", "low", "close",
        "volume_base", "taker_buy_base", "open_interest_base")})  # fmt: skip
    left = claim_windows(holed, maps, FOUR_HOURS)
    assert left.days == whole.days - 1
    assert START + 9 * NS_PER_DAY not in left.at_ns
    assert (np.unique(left.at_ns // NS_PER_DAY, return_counts=True)[1] == 6).all()
    later = claim_windows(bars, maps, FOUR_HOURS, from_ns=START + 6 * NS_PER_DAY, to_ns=START + 13 * NS_PER_DAY + NS_PER_HOUR)
    assert (later.at_ns[0], later.days) == (START + 6 * NS_PER_DAY, 7)


def test_what_comes_after_changes_no_level():
    bars, windows = random_windows(16)
    maps = random_maps(bars, 1)
    cut = int(windows.at_ns[30])
    later = bars.end_ns > cut
    spoiled = replace(bars, **{n: np.where(later, getattr(bars, n) * 1.3, getattr(bars, n)) for n in (
        "open", "high", "low", "close")})  # fmt: skip
    maps.usd[maps.at_ns > cut] *= 7.0
    found = claim_windows(spoiled, maps, FOUR_HOURS)
    for name in ("unit", "past", "price"):
        np.testing.assert_array_equal(getattr(found, name)[:31], getattr(windows, name)[:31])
    for name in ("side", "distance", "contrast"):
        np.testing.assert_array_equal(getattr(found.level, name)[:31], getattr(windows.level, name)[:31])
        np.testing.assert_array_equal(getattr(found.raw_level, name)[:31], getattr(windows.raw_level, name)[:31])
    np.testing.assert_array_equal(found.path[:30], windows.path[:30])
    assert not np.allclose(found.path[31:], windows.path[31:])


def test_what_cannot_be_tested_is_refused():
    bars = random_walk(8)
    maps = random_maps(bars)
    with pytest.raises(BadArgument, match="a part of a day"):
        claim_windows(bars, maps, 7 * NS_PER_HOUR)
    with pytest.raises(NoData, match="whole days"):
        claim_windows(bars, maps, FOUR_HOURS)
    with pytest.raises(BadArgument, match="ascending"):
        freeze(bars, LiquidationSeries.empty(bars.instrument, NS_PER_HOUR), np.array([START + 2, START + 1]))
