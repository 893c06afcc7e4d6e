"""The lift by hand, what it must be where the truth is known, and that it does not look ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_scenes import NAME

from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import InstrumentId
from liqscape.store import read_bars, read_liquidations
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.lift import STEP, Frozen, Placed, by_distance, densest, distance_profile, freeze, lift, look, measure

HOUR = NS_PER_HOUR


def frozen(usd, *, start=0, side=0, price=100.0):
    return Frozen(start, start + HOUR, side, price, np.asarray(usd, np.float64), 0, 1)


def level_price(level, *, side=0, price=100.0):
    """The middle of a level."""
    return price * np.exp((2 * side - 1) * STEP * (level + 0.5))


def prints(levels, usd, *, start=0, side=0, price=100.0):
    at = np.array([level_price(k, side=side, price=price) for k in levels])
    n = len(levels)
    return Placed(np.full(n, start + 1), np.full(n, side), at, at, np.asarray(usd, np.float64), "prints")


def test_four_levels_by_hand():
    # level 2 is the densest of four; it took 6 of 10 dollars, drawn at random a level takes a quarter
    seen = look(frozen([1.0, 2.0, 9.0, 4.0]), prints([0, 2, 3], [1.0, 6.0, 3.0]))
    assert seen.dense.tolist() == [0.0, 0.0, 1.0, 0.0]
    found = measure([seen], source="prints", horizon_ns=HOUR, all_usd=20.0)
    assert (found.share, found.chance, found.located) == (pytest.approx(0.6), pytest.approx(0.25), pytest.approx(0.5))
    assert found.perfect == pytest.approx(9.0 / 16.0)


def test_shorts_lie_above():
    seen = look(frozen([1.0, 2.0, 9.0, 4.0], side=1), prints([2], [5.0], side=1))
    assert seen.usd @ seen.spread == pytest.approx([0.0, 0.0, 5.0, 0.0])
    assert look(frozen([1.0, 2.0, 9.0, 4.0], side=1), prints([2], [5.0], side=0)) is None


def test_a_sum_lies_evenly_on_what_it_covers():
    # 8 dollars between the borders of levels 1 and 2, and one fifth beyond the last whole level
    step = STEP
    low, high = 100.0 * np.exp(-step * 5.0), 100.0 * np.exp(-step * 1.0)
    sums = Placed(np.array([1]), np.array([0]), np.array([low]), np.array([high]), np.array([8.0]), "sums")
    seen = look(frozen([1.0, 1.0, 1.0, 1.0]), sums)
    assert seen.usd @ seen.spread == pytest.approx([0.0, 2.0, 2.0, 2.0])
    # a sum of an interval that traded nothing new lies nowhere
    flat = Placed(np.array([1]), np.array([0]), np.array([99.9]), np.array([99.9]), np.array([8.0]), "sums")
    assert look(frozen([1.0, 1.0, 1.0, 1.0]), flat) is None


@given(st.lists(st.floats(0.0, 1e9), min_size=4, max_size=60))
def test_the_dense_levels_are_a_quarter(usd):
    dense = densest(np.array(usd))
    assert dense.sum() == pytest.approx(0.25 * len(usd))
    assert ((dense >= 0.0) & (dense <= 1.0)).all()
    assert (np.diff(dense[np.argsort(usd, kind="stable")]) >= -1e-12).all()


def made(weight, *, days=40, seed=1):
    """Maps whose liquidations are drawn with probabilities `weight(distance, density)`."""
    rng = np.random.default_rng(seed)
    maps = []
    for hour in range(24 * days):
        n = int(rng.integers(6, 60))
        distance = STEP * (np.arange(n) + 0.5)
        density = distance**1.5 * rng.gamma(1.0, 1.0, n)
        chance = weight(distance, density)
        usd = rng.multinomial(400, chance / chance.sum()).astype(float)
        maps.append(look(frozen(density, start=hour * HOUR), prints(range(n), usd, start=hour * HOUR)))
    return [each for each in maps if each is not None]


def test_liquidations_that_follow_distance_alone_give_no_lift_however_the_map_rises():
    found = measure(made(lambda distance, density: distance**1.5), source="prints", horizon_ns=HOUR, all_usd=1e9)
    assert found.lift.lo <= 1.0 <= found.lift.hi
    assert found.lift.value == pytest.approx(1.0, abs=0.02)
    # forgetting distance would have printed a lift
    assert found.over_chance.lo > 1.3


def test_liquidations_that_follow_the_map_are_seen():
    found = measure(made(lambda distance, density: density), source="prints", horizon_ns=HOUR, all_usd=1e9)
    assert found.lift.lo > 1.2
    assert found.share == pytest.approx(found.perfect, abs=0.01)


def test_the_profile_by_distance_is_recovered_up_to_a_factor():
    profile = distance_profile(made(lambda distance, density: distance**1.5))
    distance = np.arange(0.0012, 0.02, 0.001)
    ratio = by_distance(distance) @ profile / distance**1.5
    assert ratio / ratio.mean() == pytest.approx(np.ones(ratio.size), abs=0.06)


def test_frozen_maps_know_nothing_of_what_follows(plain_home):
    store, one = Workspace(plain_home).store, InstrumentId.parse(NAME)
    bars, totals = read_bars(store, one), read_liquidations(store, one)
    at = int(bars.start_ns[0]) + 30 * NS_PER_DAY
    early = totals.start_ns < at
    poisoned = type(totals)(
        **{
            **vars(totals),
            "long_usd": np.where(early, totals.long_usd, 100.0 * totals.long_usd),
            "short_usd": np.where(early, totals.short_usd, 100.0 * totals.short_usd),
        }
    )
    window = {"from_ns": at - 5 * NS_PER_DAY, "to_ns": at, "horizon_ns": 4 * HOUR}
    a, b = (list(freeze(bars, series, **window)) for series in (totals, poisoned))
    assert len(a) == len(b) > 10
    for one_map, other in zip(a, b, strict=True):
        assert np.array_equal(one_map.usd, other.usd)


def test_lift_of_a_stored_market_and_its_refusals(plain_home):
    store, one = Workspace(plain_home).store, InstrumentId.parse(NAME)
    bars, totals = read_bars(store, one), read_liquidations(store, one)
    end = int(bars.end_ns[-1])
    found = lift(bars, totals, from_ns=end - 15 * NS_PER_DAY, to_ns=end)
    assert (found.source, found.horizon_ns, found.days) == ("sums", 4 * HOUR, 15)
    assert found.chance == pytest.approx(0.25, abs=0.02)
    assert 0.5 < found.located <= 1.0
    assert sum(each.usd for each in found.bins) == pytest.approx(
        found.located
        * float(sum(usd[totals.start_ns >= end - 15 * NS_PER_DAY].sum() for usd in (totals.long_usd, totals.short_usd)))
    )
    with pytest.raises(BadArgument, match="whole intervals"):
        lift(bars, totals, from_ns=end - 15 * NS_PER_DAY, to_ns=end, horizon_ns=HOUR // 2)
    with pytest.raises(NoData, match="no liquidation lies"):
        lift(bars, totals, from_ns=int(bars.start_ns[0]), to_ns=int(bars.start_ns[0]) + NS_PER_DAY)
