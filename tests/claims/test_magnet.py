"""Attraction: what must be found, what must not, mirror worlds; and ten null markets."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from claim_scenes import random_windows
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.testing.market import MarketConfig, SimulatedMarket
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.claims import MagnetCard, Verdict, card_of
from liqscape.validate.claims_windows import Levels, claim_windows
from liqscape.validate.frozen import freeze
from liqscape.validate.magnet import magnet, random_zone_z
from liqscape.validate.null_size import null_sizes


def drawn_to(windows, drift):
    """The same windows with a drift towards every level."""
    bars = windows.path.shape[2]
    way = np.stack([np.where(windows.level.side == s, drift, -drift) for s in (0, 1)], axis=1)
    return replace(windows, path=windows.path + way[:, :, None] * np.arange(1, bars + 1) / bars)


def test_touches_are_counted():
    # Price goes 1 unit to the level's side and nowhere else; the level lies at 1 in half of the windows and at 2 in the others.
    _, windows = random_windows(15)
    n = len(windows)  # 60
    side, far = np.arange(n) % 2, np.arange(n) % 4 >= 2
    path = np.zeros((n, 2, 48))
    path[np.arange(n), side, 20] = 1.0
    level = Levels(side, np.where(far, 2.0, 1.0), np.full(n, 0.5))
    found = magnet(replace(windows, path=path, level=level), permutations=50)
    assert (found.touched_level, found.touched_mirror) == (0.5, 0.0)
    assert found.mirror.difference == 0.5
    assert found.expected == pytest.approx(0.5 * (0.3173 + 0.0455), abs=1e-4)  # 2 Phi(-1) and 2 Phi(-2)
    assert found.mean_distance == 1.5
    assert found.beta > 0.0


def test_a_strong_pull_is_found_and_a_push_is_its_opposite():
    _, windows = random_windows(40, seed=3)
    for drift, verdict in ((1.0, Verdict.FOUND), (-1.0, Verdict.OPPOSITE), (0.0, Verdict.NOT_FOUND)):
        moved = drawn_to(windows, drift)
        found = magnet(moved, permutations=199, controls=False)
        card = card_of(found, found.p, moved, "binance:BTCUSDT")
        assert card.verdict is verdict
        assert found.lo <= found.beta <= found.hi
        assert (found.p <= 0.05) == (verdict is not Verdict.NOT_FOUND)
        assert msgspec.json.decode(msgspec.json.encode(card), type=MagnetCard) == card
    # What would be seen lies below the pull that was, and is told when nothing is found.
    assert 0.1 < card.smallest_drift < 1.0
    assert f"{card.smallest_drift:.2f} standard deviations of a 4 h return" in card.sentence
    assert 0.0 < card.size < 1.0
    assert card.size_markets >= 200


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_a_world_seen_in_the_mirror_says_the_same(seed):
    _, windows = random_windows(14, seed=seed)
    turned = Levels(1 - windows.level.side, windows.level.distance, windows.level.contrast)
    # Round prices are not symmetric: a step as small as 0.1 % makes all of them round.
    step = 1e-4 * windows.price
    windows = replace(windows, round_step=step)
    other = replace(windows, path=windows.path[:, ::-1], past=-windows.past, level=turned)
    one, two = (magnet(w, permutations=30) for w in (windows, other))
    assert two.beta == pytest.approx(one.beta, rel=1e-6)
    assert two.p == one.p
    assert two.matched == one.matched or abs(two.matched.difference - one.matched.difference) < 0.5  # matches turn with past
    assert two.mirror == one.mirror


def test_scale_of_the_price_and_of_the_map_do_not_matter():
    _, windows = random_windows(14, seed=8)
    windows = replace(windows, round_step=windows.price * 10.0)
    found = magnet(windows, permutations=30, controls=False)
    assert magnet(replace(windows, price=3.0 * windows.price, round_step=3.0 * windows.round_step), permutations=30,
        controls=False) == found  # fmt: skip
    halved = Levels(windows.level.side, windows.level.distance, 0.5 * windows.level.contrast)
    assert magnet(replace(windows, level=halved), permutations=30, controls=False).beta == pytest.approx(found.beta)


@pytest.fixture(scope="module")
def null_tests():
    """Ten short null markets of 8 tested days; the size on at least 200 longer ones is measured by benchmarks.nulls."""
    found = []
    for seed in range(1, 11):
        config = MarketConfig(impact=False, accounts=300, step_s=5, days=14, warmup_days=1, snapshot_interval_ns=14 * NS_PER_DAY)
        run = SimulatedMarket(config, seed).run()
        at = np.arange(config.start_ns + 5 * NS_PER_DAY, int(run.bars.end_ns[-1]), NS_PER_HOUR)
        maps = freeze(run.bars, run.liquidations, at, reach=0.1)
        first = config.start_ns + 6 * NS_PER_DAY
        windows = {h: claim_windows(run.bars, maps, h * NS_PER_HOUR, from_ns=first) for h in (1, 4)}
        tested = magnet(windows[4], permutations=99, controls=False, power=False)
        found.append((tested, random_zone_z(windows[1], windows[1].raw_level, seed)))
    return found


def test_ten_markets_with_nothing_to_find(null_tests):
    # Of 10 tests of 5 % more than 2 reject once in 87 times; the seeds are fixed.
    assert sum(tested.p <= 0.05 for tested, _ in null_tests) <= 2
    assert all(tested.windows == 48 for tested, _ in null_tests)
    assert abs(np.mean([tested.z for tested, _ in null_tests])) < 1.0


def test_the_size_that_is_told_was_measured():
    # By benchmarks.nulls on at least 200 markets. The primary test keeps to what was registered, the naive one is far from it.
    sizes = null_sizes()
    assert sizes.markets >= 200
    assert {"magnet 1 h", "magnet 4 h", "magnet 24 h", "run 15 min"} <= sizes.tests.keys()
    assert 0.03 <= sizes.tests["magnet 4 h"].rejected <= 0.07
    assert sizes.tests["random zone 1 h"].rejected > 0.3


def test_dense_against_random_zones_finds_what_is_not_there(null_tests):
    # The test that is often published rejects most of the same markets: it measures distance.
    assert sum(abs(z) > 1.96 for _, z in null_tests) >= 5
