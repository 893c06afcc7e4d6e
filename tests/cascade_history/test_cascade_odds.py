"""The odds of past hours: sums by hand, the engine's own kernel, and nobody looks ahead."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.cascade import Absorption, Basis, Direction, SquareRootImpact, absorption, exactly, p_reach, static_paths
from liqscape.model import BarSeries, InstrumentId, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

sys.path.insert(0, str(Path(__file__).parents[2]))
try:
    from benchmarks import cascade_odds
    from benchmarks.cascade_odds import Hour, farthest, odds, outside_move
finally:
    sys.path.pop(0)

BOOK = Absorption(
    cascade_odds.DISTANCE, 1e10 * cascade_odds.DISTANCE[None], 1e10 * cascade_odds.DISTANCE[None], Basis.BOOK, 0.0, None, ()
)


def test_half_as_many_levels_as_brakes_halve_the_move_that_is_needed():
    # B 100M per 1 %, f 50M per 1 %: to get to 2.5 % it takes 250 - 125 = 125M, which go 1.25 % by themselves
    assert outside_move(np.full((1, 500), 5e6), BOOK, Direction.DOWN, 0.025) == pytest.approx(0.0125)
    assert outside_move(np.zeros((1, 500)), BOOK, Direction.DOWN, 0.025) == pytest.approx(0.025)


def test_the_highest_hill_on_the_way_counts():
    # 50M per 1 % to 2 %, then 150M: the hill stands at 2 % with 100M, whatever lies beyond
    levels = np.where(np.arange(500) < 20, 5e6, 15e6)[None]
    for distance in (0.02, 0.025, 0.04):
        assert outside_move(levels, BOOK, Direction.UP, distance) == pytest.approx(0.01)


def test_within_a_bucket_levels_are_a_straight_line():
    levels = np.zeros((1, 500))
    levels[0, 1] = 4e6  # all of it from 0.1 to 0.2 %: at 0.15 % half; 15M - 2M = 13M
    assert outside_move(levels, BOOK, Direction.UP, 0.0015) == pytest.approx(0.0013)
    assert outside_move(levels, BOOK, Direction.UP, 0.0) == pytest.approx(0.0)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 5.0), shock=st.floats(0.002, 0.04))
def test_a_shock_runs_just_if_it_is_the_move_that_is_needed(seed, scale, shock):
    # The engine's kernel, asked shock by shock, and the inverse used here agree.
    levels = np.random.default_rng(seed).exponential(2e6 * scale, (8, 500))
    law = SquareRootImpact(0.03, 1e10, y=exactly(4.0))
    brakes = absorption(cascade_odds.DISTANCE, impact=law, draws=1)
    usd = float(brakes.at(Direction.UP, shock)[0])
    asked = p_reach(static_paths(levels, brakes, Direction.UP, shock_usd=usd, paths=8), cascade_odds.RUN).value
    needed = outside_move(levels, brakes, Direction.UP, cascade_odds.RUN)
    # B between edges is a chord of the law: the dollars of a distance are read from the same chord on both ways.
    assert np.mean(needed[:8] <= shock) == pytest.approx(asked, abs=1e-9)


def bars(high, low):
    n = len(high)
    start = np.arange(n) * 30 * NS_PER_MINUTE
    flat = np.full(n, 100.0)
    return BarSeries(
        instrument=InstrumentId.parse("binance:BTCUSDT"), interval_ns=30 * NS_PER_MINUTE, price_kind=PriceKind.MARK,
        start_ns=start, known_ns=start + 30 * NS_PER_MINUTE, open=flat, high=np.array(high), low=np.array(low), close=flat,
        volume_base=flat, taker_buy_base=flat, open_interest_base=flat,
    )  # fmt: skip


def test_the_farthest_move_is_that_of_the_hour_alone():
    record = bars([101.0, 103.0, 110.0, 100.0], [99.0, 98.0, 97.0, 90.0])
    assert farthest(record, 0, 1, 100.0, Direction.UP) == pytest.approx(0.03)
    assert farthest(record, 0, 1, 100.0, Direction.DOWN) == pytest.approx(0.02)
    assert farthest(record, NS_PER_HOUR, 1, 105.0, Direction.UP) == pytest.approx(110 / 105 - 1)
    assert farthest(record, 0, 1, 120.0, Direction.UP) == 0.0
    assert np.isnan(farthest(record, NS_PER_HOUR, 2, 100.0, Direction.UP))


def hours(moves, needed=0.025):
    """Hours of one volatility, of which each moved so far both ways; the map is nothing unless less is needed."""
    return [
        Hour(
            at_ns=k * NS_PER_HOUR,
            mark_price=100.0,
            sigma=0.03,
            needed=np.full((2, cascade_odds.PATHS), needed),
            ignites=np.zeros(2),
            moved=np.full((2, 2), move),
            outside=np.full((2, 2), move),
        )
        for k, move in enumerate(moves)
    ]


def test_odds_are_the_share_of_earlier_hours_whose_outcome_was_known():
    said = odds(hours([0.03, 0.01, 0.03, 0.01, 0.01, 0.01]), 4 * NS_PER_HOUR)
    assert said.no_map[0, 0, 0] == pytest.approx(2 / 4)  # hours 0 to 3 were over
    assert said.no_map[0, 0, 1] == pytest.approx(1 / 1)  # of those within 4 h the first alone
    assert said.no_map[1, 0, 0] == pytest.approx(2 / 5)
    assert said.with_map == pytest.approx(said.no_map)  # a map of nothing says the same
    assert not said.ran.any()


def test_nobody_looks_ahead():
    moves = [0.03, 0.01, 0.02, 0.01, 0.03, 0.01, 0.02]
    before = odds(hours(moves), 4 * NS_PER_HOUR)
    after = odds(hours([*moves[:5], 0.09, 0.09]), 4 * NS_PER_HOUR)
    assert after.no_map[:2] == pytest.approx(before.no_map[:2])
    assert after.with_map[:2] == pytest.approx(before.with_map[:2])
    assert after.with_map[2, 0, 0] > before.with_map[2, 0, 0]


def test_more_is_forced_more_is_said():
    plain, fuelled = (odds(hours([0.02, 0.01, 0.02, 0.01, 0.01], needed), 4 * NS_PER_HOUR) for needed in (0.025, 0.015))
    assert plain.with_map[0, 0, 0] == 0.0
    assert fuelled.with_map[0, 0, 0] == pytest.approx(0.5)


def test_moves_count_by_the_volatility_before_them():
    calm = hours([0.02, 0.02, 0.02, 0.02, 0.0])
    wild = [*calm[:4], replace(calm[4], sigma=0.06)]  # twice the volatility: 2 % becomes 4 %
    assert odds(calm, 4 * NS_PER_HOUR).no_map[0, 0, 0] == 0.0
    assert odds(wild, 4 * NS_PER_HOUR).no_map[0, 0, 0] == 1.0
