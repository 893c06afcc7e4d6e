"""Cascade, reality check, attribution and calculator of stored markets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from doors_scenes import BAR_NS, END_NS, NAME, START_NS
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from liqscape.analytics import Tilt, pool
from liqscape.analytics.tilt import TiltState
from liqscape.cascade import Direction, Engine, Ignition, Probability
from liqscape.engine.attribution import attribute_move, forced_flow
from liqscape.engine.calc import calculate
from liqscape.engine.cascade import REPORTED, at_price, build_cascade, ignitions, lean_of, true_levels
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries, PositionSide, PriceKind
from liqscape.model.maps import Estimate, LiquidationMap
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

BTC = InstrumentId.parse(NAME)
HALF = Estimate(median=0.5, lo=0.4, hi=0.6)
NOTHING = Estimate(median=None, lo=None, hi=None)


def known(value: float | None) -> float:
    """A number that must be known."""
    assert value is not None
    return value


def test_both_directions_are_answered_and_the_same_seed_answers_the_same(home: Path, found: LiquidationMap) -> None:
    first, again = (build_cascade(Workspace(home), found, shock_usd=3e8, seed=5) for _ in range(2))
    other = build_cascade(Workspace(home), found, shock_usd=3e8, seed=6)
    assert list(first.ways) == [Direction.UP, Direction.DOWN]
    for way, one in first.ways.items():
        assert one.timed == again.ways[way].timed
        assert one.timed != other.ways[way].timed
        assert known(one.run.distance.median) >= known(one.run.distance_no_map.median)
        # every level that was reached is executed, in a fund, deleveraged, spared, or waits
        assert one.timed_paths is not None
        paths = one.timed_paths
        accounted = paths.executed_usd + paths.fund_usd + paths.adl_usd + paths.spared_usd + paths.unfinished_usd
        assert accounted == pytest.approx(paths.swept_usd)


def test_a_push_is_the_dollars_that_move_so_far_with_no_map(home: Path, found: LiquidationMap) -> None:
    made = build_cascade(Workspace(home), found, push=0.02, timed=False)
    for one in made.ways.values():
        assert one.run.distance_no_map.median == pytest.approx(0.02, rel=0.02)
        assert one.timed is None
        reach = {each.distance: each for each in one.reach}
        assert reach[0.02].no_map.value == pytest.approx(0.5, abs=0.05)
        assert reach[0.01].odds.value >= reach[0.02].odds.value >= reach[0.05].odds.value


def test_in_time_a_market_without_a_book_ends_about_where_the_closed_form_does(home: Path, found: LiquidationMap) -> None:
    for one in build_cascade(Workspace(home), found, push=0.02).ways.values():
        assert one.timed is not None
        low, middle, high = (quantile.value for quantile in one.timed.end)
        closed = one.run.distance
        assert middle == pytest.approx(known(closed.median), rel=0.15)
        assert high == pytest.approx(known(closed.hi), rel=0.4)  # the outer tenth too
        assert low < middle < high


def test_published_dollars_are_divided_by_what_feeds_show(home: Path, found: LiquidationMap) -> None:
    levels, share = true_levels(Workspace(home), found)
    assert share == REPORTED
    ratio = levels[Direction.UP].sum(axis=1) / found.short.draws_usd.sum(axis=1)
    assert np.median(ratio) == pytest.approx(1.0 / REPORTED.median, rel=0.02)
    complete = tuple(structs.replace(one, completeness=Completeness.ALL) for one in found.inputs)
    levels, share = true_levels(Workspace(home), replace(found, inputs=complete))
    assert share is not None
    assert share.median == 1.0
    assert levels[Direction.UP] == pytest.approx(found.short.draws_usd)


@pytest.mark.parametrize(
    "words",
    [{"shock_usd": -1.0}, {"shock_usd": 0.0}, {"shock_usd": float("inf")}, {"push": -0.02}, {"shock_usd": 1e8, "push": 0.01}],
)
def test_a_shock_that_is_none_is_refused(home: Path, found: LiquidationMap, words: dict[str, float]) -> None:
    with pytest.raises(BadArgument, match=r"shock|push"):
        build_cascade(Workspace(home), found, **words)  # pyright: ignore[reportArgumentType]


def test_an_empty_map_is_refused(home: Path, found: LiquidationMap) -> None:
    empty = replace(
        found,
        long=replace(found.long, draws_usd=np.zeros_like(found.long.draws_usd)),
        short=replace(found.short, draws_usd=np.zeros_like(found.short.draws_usd)),
    )
    with pytest.raises(NoData, match="the map is empty"):
        build_cascade(Workspace(home), empty, shock_usd=1e8)


def test_a_fund_makes_deleveraging_known(home: Path, found: LiquidationMap) -> None:
    asked = {"shock_usd": 3e8, "directions": (Direction.DOWN,)}
    assert build_cascade(Workspace(home), found, **asked).ways[Direction.DOWN].timed.p_adl is None  # pyright: ignore[reportArgumentType, reportOptionalMemberAccess]
    told = build_cascade(Workspace(home), found, funds_usd={"test": 1e6}, **asked)  # pyright: ignore[reportArgumentType]
    assert told.ways[Direction.DOWN].timed.p_adl is not None  # pyright: ignore[reportOptionalMemberAccess]
    assert told.tilt is None  # one direction says nothing of a tilt
    with pytest.raises(BadArgument, match="the map has test, not binance"):
        build_cascade(Workspace(home), found, funds_usd={"binance": 1e9}, **asked)  # pyright: ignore[reportArgumentType]


def lit(way: Direction, odds: float, error: float = 0.01) -> Ignition:
    """An ignition with these odds."""
    p = Probability(value=odds, error=error)
    return Ignition(
        direction=way, within=0.05, p_ignites=p, dollars=NOTHING, distance=NOTHING, extent=NOTHING, p_beyond=None,
        engine=Engine.NONE, p_engine=p,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "up", "down", "said"),
    [
        (TiltState.UP_FRAGILE, 0.30, 0.10, TiltState.UP_FRAGILE),
        (TiltState.UP_FRAGILE, 0.10, 0.30, TiltState.NONE),
        (TiltState.UP_FRAGILE, 0.10, 0.10, TiltState.NONE),
        (TiltState.DOWN_FRAGILE, 0.10, 0.30, TiltState.DOWN_FRAGILE),
        (TiltState.DOWN_FRAGILE, 0.30, 0.295, TiltState.NONE),  # closer than the error of the two
        (TiltState.NONE, 0.90, 0.10, TiltState.NONE),
    ],
)
def test_a_side_is_fragile_only_if_it_also_ignites_more_easily(state: TiltState, up: float, down: float, said: TiltState) -> None:
    lean = Tilt(state=state, value=HALF, budgets_usd=(1.0,), skipped_usd=())
    made = lean_of(lean, {Direction.UP: lit(Direction.UP, up), Direction.DOWN: lit(Direction.DOWN, down)})
    assert made.state is said
    assert made.ignites == {"up": up, "down": down}


def test_the_quick_answer_agrees_with_the_whole_one(home: Path, found: LiquidationMap) -> None:
    quick, whole = ignitions(Workspace(home), found), build_cascade(Workspace(home), found, timed=False)
    for way, one in whole.ways.items():
        error = quick[way].p_ignites.error + one.ignition.p_ignites.error
        assert quick[way].p_ignites.value == pytest.approx(one.ignition.p_ignites.value, abs=4.0 * error + 0.01)


def test_distances_become_prices_in_ascending_order() -> None:
    away = Estimate(median=0.02, lo=0.01, hi=0.04)
    up, down = (at_price(100.0, way, away) for way in Direction)
    assert (up.lo, up.median, up.hi) == pytest.approx((101.0, 102.0, 104.0))
    assert (down.lo, down.median, down.hi) == pytest.approx((96.0, 98.0, 99.0))


def test_the_reality_check_counts_hours_and_more_forced_orders_expect_more_runs(home: Path, found: LiquidationMap) -> None:
    check = build_cascade(Workspace(home), found, timed=False).reality
    assert check is not None
    assert check.flow == "taker"
    assert check.check.expected >= check.no_map.expected >= 0.0
    assert check.check.seen == check.no_map.seen
    assert 24 * 14 <= check.hours <= 24 * 24


# ---- attribution ----


def bars_of(low: list[float], high: list[float]) -> BarSeries:
    """Bars of five minutes that open at 100 each."""
    n = len(low)
    start = START_NS + BAR_NS * np.arange(n, dtype=np.int64)
    hundred, unknown = np.full(n, 100.0), np.full(n, np.nan)
    return BarSeries(
        BTC,
        BAR_NS,
        PriceKind.MARK,
        start,
        start + BAR_NS,
        hundred,
        np.array(high),
        np.array(low),
        hundred,
        unknown,
        unknown,
        unknown,
    )


def hourly(long_usd: list[float], short_usd: list[float]) -> LiquidationSeries:
    """Sums of whole hours from the first bar on."""
    start = START_NS + NS_PER_HOUR * np.arange(len(long_usd), dtype=np.int64)
    return LiquidationSeries(
        BTC, NS_PER_HOUR, start, start + NS_PER_HOUR, np.array(long_usd), np.array(short_usd), ("test",), Completeness.ALL
    )


def test_an_hour_of_long_liquidations_falls_on_the_bars_that_fell() -> None:
    # bars 3 and 4 fall by 1 % and 2 %: dollars go as squares, 1 : 4
    low = [100.0] * 12
    low[3], low[4] = 99.0, 98.0
    net = forced_flow(BTC, bars_of(low, [100.0] * 12), hourly([50.0], [0.0]))
    assert net[3] == pytest.approx(-10.0)
    assert net[4] == pytest.approx(-40.0)
    assert net.sum() == pytest.approx(-50.0)


@given(
    st.lists(st.floats(0.0, 0.1), min_size=24, max_size=24),
    st.lists(st.floats(0.0, 1e9), min_size=2, max_size=2),
    st.lists(st.floats(0.0, 1e9), min_size=2, max_size=2),
)
def test_no_forced_dollar_is_lost_or_made(away: list[float], longs: list[float], shorts: list[float]) -> None:
    bars = bars_of([100.0 * (1.0 - a) for a in away], [100.0 * (1.0 + a) for a in away[::-1]])
    net = forced_flow(BTC, bars, hourly(longs, shorts))
    assert net.sum() == pytest.approx(sum(shorts) - sum(longs), abs=1.0)


def test_liquidations_that_are_not_known_are_an_error() -> None:
    bars = bars_of([99.0] * 24, [101.0] * 24)
    with pytest.raises(NoData, match="2026-01-01T01:00:00Z are not known"):
        forced_flow(BTC, bars, hourly([1.0], [1.0]))
    with pytest.raises(NoData, match="no liquidations are stored"):
        forced_flow(BTC, bars, LiquidationSeries.empty(BTC, NS_PER_HOUR))


def test_a_move_is_attributed_whole(home: Path) -> None:
    made = attribute_move(Workspace(home), NAME, from_ns=END_NS - 8 * NS_PER_HOUR, to_ns=END_NS)
    parts = made.attribution
    assert made.steps == 96
    assert made.basis == "impact_law"
    assert parts.taker.median is not None  # taker flow is stored
    assert parts.move == pytest.approx(np.log(made.to_price / made.from_price))
    assert known(parts.forced.lo) < known(parts.forced.hi)
    assert made.reported == REPORTED
    assert any("sums of 60 min" in note for note in made.notes)


def test_windows_that_hold_no_whole_move_are_refused(home: Path) -> None:
    workspace = Workspace(home)
    with pytest.raises(BadArgument, match="at most 3 d"):
        attribute_move(workspace, NAME, from_ns=END_NS - 4 * NS_PER_DAY, to_ns=END_NS)
    with pytest.raises(BadArgument, match="`from` before `to`"):
        attribute_move(workspace, NAME, from_ns=END_NS, to_ns=END_NS - 1)
    with pytest.raises(NoData, match="bars are missing"):
        attribute_move(workspace, NAME, from_ns=END_NS - NS_PER_HOUR, to_ns=END_NS + NS_PER_HOUR)


# ---- calculator ----


def test_a_position_is_liquidated_where_its_venue_says(found: LiquidationMap) -> None:
    made = calculate(
        found, side=PositionSide.LONG, leverage=10.0, entry_price=100.0, size_usd=10_000.0, venues=("okx", "binance")
    )
    okx, binance = made.venues
    assert made.bankruptcy_price == pytest.approx(90.0)
    assert made.margin_usd == pytest.approx(1_000.0)
    # 90 / (1 - 0.4 % maintenance - 0.05 % fee), and without the fee
    assert okx.liquidation_price == pytest.approx(90.0 / (1.0 - 0.0045))
    assert binance.liquidation_price == pytest.approx(90.0 / (1.0 - 0.004))
    assert okx.distance == pytest.approx(known(okx.liquidation_price) / found.mark_price - 1.0)


@pytest.mark.parametrize("side", list(PositionSide))
def test_who_is_liquidated_before_me_is_the_pool_up_to_my_price(found: LiquidationMap, side: PositionSide) -> None:
    row = calculate(found, side=side, leverage=20.0, venues=("bybit",)).venues[0]
    assert row.distance is not None
    assert row.before_usd is not None
    assert row.before_usd == pool(found, side, 0.0, abs(row.distance))
    assert row.before_share == pytest.approx(known(row.before_usd.median) / float(found.side(side).usd.sum()))
    assert row.no_map_odds is not None


def test_positions_that_a_venue_would_not_hold_say_why(found: LiquidationMap) -> None:
    made = calculate(found, side=PositionSide.LONG, leverage=150.0, size_usd=2e6)
    rows = {row.venue: row for row in made.venues}
    assert rows["hyperliquid"].refused is not None
    assert "below the maintenance" in rows["hyperliquid"].refused
    assert "tiers end at 200,000" in (rows["bitget"].refused or "")
    assert rows["hyperliquid"].liquidation_price is None
    with pytest.raises(BadArgument, match="leverage"):
        calculate(found, side=PositionSide.LONG, leverage=0.0)
    with pytest.raises(BadArgument, match="no tiers of nowhere"):
        calculate(found, side=PositionSide.LONG, leverage=10.0, venues=("nowhere",))


def test_nobody_is_liquidated_before_a_position_that_is_past_its_price(found: LiquidationMap) -> None:
    # entered far above the mark: its liquidation price lies above the mark already
    row = calculate(found, side=PositionSide.LONG, leverage=20.0, entry_price=2.0 * found.mark_price, venues=("okx",)).venues[0]
    assert row.before_usd == Estimate(median=0.0, lo=0.0, hi=0.0)
