"""Maps of stored rows: contracts balance, outcomes say how they came about, and what is missing is said with a next step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from engine_scenes import FIVE_MINUTES, LEARNS, START, market, stored

from liqscape import settings
from liqscape.analytics import caveats_for
from liqscape.engine.maps import build_map, daily_volatility, parse_reading
from liqscape.engine.replay import read_tape
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData, OutOfRecord, UnknownInstrument
from liqscape.model.maps import BUCKETS, Outcome, Reading
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

NAME = "binance:BTCUSDT"
BYBIT = "bybit:BTCUSDT"
END = START + LEARNS * NS_PER_DAY
FRAMES = market()


def changed(table, frame, frames=FRAMES):
    return {**frames, table: frame}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("maps"), FRAMES)


@pytest.fixture(scope="module")
def learned(workspace):
    return build_map(workspace, NAME)


def assert_balanced(made):
    """The laws of every map."""
    balance = made.balance
    oi = balance.open_interest_base
    assert balance.long_base + balance.long_reservoir_base == pytest.approx(oi, rel=1e-12)
    assert balance.short_base + balance.short_reservoir_base == pytest.approx(oi, rel=1e-12)
    assert min(balance.long_reservoir_base, balance.short_reservoir_base) >= 0.0
    for side, placed in ((made.long, balance.long_base), (made.short, balance.short_base)):
        assert side.base.sum() <= placed * (1.0 + 1e-9) <= oi * (1.0 + 1e-9)
        assert side.usd == pytest.approx(side.tier_usd.sum(axis=0))
        assert side.usd == pytest.approx(side.class_usd.sum(axis=0))
        assert (side.prior_usd <= side.usd * (1.0 + 1e-9)).all()
        assert side.draws_usd.shape == side.prior_draws_usd.shape
        assert side.draws_usd.shape[0] >= 3 * 256
        assert (side.draws_usd >= 0.0).all()
        # Every draw's contracts, taken from its dollars, stay within open interest too.
        if made.reading is Reading.PUBLISHED:
            assert (side.draws_usd / side.mid_price).sum(axis=1).max() <= oi * (1.0 + 1e-9)


def test_a_learned_map_balances_and_names_its_inputs(learned):
    assert_balanced(learned)
    assert learned.outcome is Outcome.LEARNED
    (inputs,) = learned.inputs
    assert (inputs.bars, inputs.missing_bars) == (LEARNS * 288, 0)
    assert inputs.weights.source == "learned"
    assert inputs.weights.hours == (LEARNS - 7) * 24  # the first week is burn-in: nothing is learned from it
    assert inputs.last_open_interest_ns == inputs.last_liquidation_ns == inputs.last_bar_end_ns == learned.as_of_ns == END
    assert not inputs.recorded
    assert learned.mark_price == FRAMES[Table.BARS]["close"][-1]
    assert learned.balance.open_interest_base == FRAMES[Table.OPEN_INTEREST]["open_interest_base"][-1]
    for side in (learned.long, learned.short):
        share = side.prior_usd.sum() / side.usd.sum()
        assert 0.0 < share < 1.0
        # What price sweeps daily is data, what it rarely reached is prior.
        assert side.prior_usd[:20].sum() / side.usd[:20].sum() < share


def test_longs_lie_below_and_shorts_above(learned):
    assert learned.long.edge_price[0] == learned.short.edge_price[0] == learned.mark_price
    assert learned.short.edge_price[-1] == pytest.approx(1.5 * learned.mark_price)
    assert learned.long.edge_price[-1] == pytest.approx(0.5 * learned.mark_price)
    assert len(learned.short.usd) == BUCKETS
    np.testing.assert_allclose(learned.short.usd, learned.short.base * learned.short.mid_price)


def test_the_same_rows_give_the_same_map(workspace, learned):
    again = build_map(workspace, NAME, as_of_ns=END)
    np.testing.assert_array_equal(again.short.draws_usd, learned.short.draws_usd)
    assert again.inputs == learned.inputs


def test_without_liquidations_the_weights_are_shipped_and_all_of_it_is_prior(tmp_path):
    frames = {table: frame for table, frame in FRAMES.items() if table is not Table.LIQUIDATION_TOTALS}
    made = build_map(stored(tmp_path, frames), NAME)
    assert made.outcome is Outcome.SHIPPED
    assert "shipped weights" in made.outcome.sentence
    assert_balanced(made)
    weights = made.inputs[0].weights
    assert (weights.source, weights.instrument) == ("shipped", "binance:BTCUSDT")
    assert weights.from_ns < weights.to_ns
    told = next(c.text for c in caveats_for(made, "map") if c.code == "SHIPPED")
    assert "binance:BTCUSDT, 2025-12-08 to 2026-02-15 (D2" in told
    assert weights.hours > 0
    assert "D2" in weights.score
    assert made.inputs[0].last_liquidation_ns is None
    for side in (made.long, made.short):
        np.testing.assert_array_equal(side.prior_usd, side.usd)


def test_before_the_first_fit_the_weights_are_shipped(workspace):
    # 14 days are one hour short of a week of burn-in and a week of known hours: the first hour has 11 bars, but counts.
    assert build_map(workspace, NAME, as_of_ns=START + 13 * NS_PER_DAY).outcome is Outcome.SHIPPED
    assert build_map(workspace, NAME, as_of_ns=START + 14 * NS_PER_DAY).outcome is Outcome.LEARNED


def test_weights_that_ask_for_more_than_is_open_are_capped(tmp_path):
    totals = FRAMES[Table.LIQUIDATION_TOTALS].with_columns(pl.col("long_usd") * 1e4, pl.col("short_usd") * 1e4)
    made = build_map(stored(tmp_path, changed(Table.LIQUIDATION_TOTALS, totals)), NAME)
    assert made.outcome is Outcome.CAPPED
    assert_balanced(made)
    assert made.balance.long_reservoir_base == pytest.approx(0.0, abs=1e-6)
    assert made.balance.short_reservoir_base == pytest.approx(0.0, abs=1e-6)


def test_no_open_interest_is_no_map(tmp_path):
    only = {Table.BARS: FRAMES[Table.BARS]}
    with pytest.raises(NoData, match="no open interest is stored") as caught:
        build_map(stored(tmp_path, only), NAME)
    assert "metrics" in caught.value.hint
    assert caught.value.exit_status == 3


def test_open_interest_that_begins_later_passes_bars_over(tmp_path, learned):
    held = FRAMES[Table.OPEN_INTEREST].filter(pl.col("ts") > START + NS_PER_DAY)
    late = build_map(stored(tmp_path / "a", changed(Table.OPEN_INTEREST, held)), NAME)
    begun = {table: frame.filter(pl.col("ts") >= START + NS_PER_DAY) for table, frame in FRAMES.items()}
    begun[Table.OPEN_INTEREST] = held
    fresh = build_map(stored(tmp_path / "b", begun), NAME)
    np.testing.assert_allclose(late.short.usd, fresh.short.usd, rtol=1e-9)
    assert not np.allclose(late.short.usd, learned.short.usd)
    assert late.inputs[0].weights.hours == 24 * (LEARNS - 1 - 7)


def test_unknown_names_and_instants(workspace, tmp_path):
    with pytest.raises(UnknownInstrument):
        build_map(workspace, "binance:DOGEUSDT")
    with pytest.raises(UnknownInstrument):
        build_map(workspace, "DOGE")
    with pytest.raises(OutOfRecord):
        build_map(workspace, NAME, as_of_ns=START)
    with pytest.raises(NoData, match="no stored instrument"):
        build_map(Workspace(tmp_path / "empty"), "BTC")


def test_the_window_is_the_stretch_that_builds_the_state(workspace):
    made = build_map(workspace, NAME, window="3d")
    assert made.inputs[0].bars == 3 * 288
    assert made.inputs[0].window_from_ns == END - 3 * NS_PER_DAY
    assert made.outcome is Outcome.SHIPPED
    assert_balanced(made)


def test_missing_bars_are_counted(tmp_path):
    bars = FRAMES[Table.BARS].filter(
        (pl.col("ts") < START + 2 * NS_PER_DAY) | (pl.col("ts") >= START + 2 * NS_PER_DAY + NS_PER_HOUR)
    )
    made = build_map(stored(tmp_path, changed(Table.BARS, bars)), NAME)
    assert made.inputs[0].missing_bars == 12
    assert_balanced(made)


@pytest.mark.parametrize("minutes", [1, 60])
def test_other_bars_make_maps(tmp_path, minutes):
    made = build_map(stored(tmp_path, market(days=15, minutes=minutes)), NAME)
    assert made.outcome is Outcome.LEARNED
    assert made.inputs[0].bar_interval_ns == minutes * FIVE_MINUTES // 5
    assert_balanced(made)


def test_two_venues_add_up(tmp_path):
    # Prices meet at the mark of all, weighted by open interest; contracts, dollars and reservoirs are sums.
    other = market(seed=1, instrument=BYBIT, oi=20_000.0)
    both = stored(tmp_path, FRAMES, other)
    joined, one, two = (build_map(both, name) for name in ("BTC", NAME, BYBIT))
    assert [str(i.instrument) for i in joined.inputs] == [NAME, BYBIT]
    assert_balanced(joined)
    for name in ("open_interest_base", "long_base", "short_reservoir_base"):
        assert getattr(joined.balance, name) == pytest.approx(getattr(one.balance, name) + getattr(two.balance, name))
    # Both marks are the same here, so levels add bucket by bucket.
    np.testing.assert_allclose(joined.short.usd, one.short.usd + two.short.usd, rtol=1e-9)
    only = build_map(both, "BTC", venues=("bybit",))
    np.testing.assert_allclose(only.short.usd, two.short.usd)
    assert only.filters == {"venue": "bybit"}


def test_true_dollars_need_the_setting(workspace):
    with pytest.raises(NoData, match="reported_share is not set for binance") as caught:
        build_map(workspace, NAME, reading=Reading.TRUE)
    assert caught.value.exit_status == 3
    assert "reported_share.binance" in caught.value.hint


def test_true_dollars_are_published_divided_by_the_share(tmp_path, learned):
    settings.store("reported_share.binance", "0.2,0.1,0.4", tmp_path)
    made = build_map(stored(tmp_path, FRAMES), NAME, reading=Reading.TRUE)
    np.testing.assert_allclose(made.short.usd, learned.short.usd / 0.2, rtol=1e-12)
    np.testing.assert_allclose(made.long.tier_usd, learned.long.tier_usd / 0.2, rtol=1e-12)
    np.testing.assert_array_equal(made.short.base, learned.short.base)
    assert made.balance == learned.balance
    assert made.reported_share == (0.2, 0.1, 0.4)
    assert (made.reading, learned.reading) == (Reading.TRUE, Reading.PUBLISHED)
    assert_balanced(made)
    # Each draw has its own share; 80 % of them between 0.1 and 0.4, and the same draw shares it on both sides.
    factor = made.short.draws_usd.sum(axis=1) / learned.short.draws_usd.sum(axis=1)
    np.testing.assert_allclose(made.long.draws_usd.sum(axis=1) / learned.long.draws_usd.sum(axis=1), factor)
    assert np.mean((factor > 1 / 0.4) & (factor < 1 / 0.1)) == pytest.approx(0.8, abs=0.05)
    assert np.median(factor) == pytest.approx(1 / 0.2, rel=0.1)


def test_reading_is_named():
    assert parse_reading("True") is Reading.TRUE
    with pytest.raises(BadArgument, match="published or true"):
        parse_reading("gross")


def test_daily_volatility_is_that_of_the_path(workspace):
    # A 5-minute return of 0.1 % either way is 0.1 % x sqrt(288) a day.
    tape = read_tape(workspace, workspace.resolve(NAME)[0], None, 60 * NS_PER_DAY)
    zigzag = np.where(np.arange(len(tape.bars)) % 2, 100.0, 100.0 * np.exp(0.001))
    assert daily_volatility(replace(tape.bars, close=zigzag)) == pytest.approx(0.001 * np.sqrt(288))
    assert daily_volatility(tape.bars.slice(0, 288)) is None
