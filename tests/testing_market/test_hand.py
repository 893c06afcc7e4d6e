"""Markets small enough to redo on paper: one long, one short, prices given."""

from __future__ import annotations

import numpy as np
import pytest

from liqscape.errors import BadArgument, OutOfRecord
from liqscape.model import MarginMode, PositionSide
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import Bracket, MarketConfig, ScriptedOrder, SimulatedMarket, SimulatedRun, true_levels
from liqscape.units import NS_PER_S


def walked(prices: FloatArray, *orders: ScriptedOrder) -> SimulatedRun:
    """One maintenance rate of 1 %, no fee, no spread, no funding, no impact: 60-second steps along `prices`."""
    config = MarketConfig(
        days=len(prices) * 60 / 86_400,
        warmup_days=0.0,
        step_s=60,
        accounts=0,
        start_price=100.0,
        price_path=tuple(float(p) for p in prices),
        scripted=orders,
        brackets=(Bracket(0.0, 125.0, 0.01),),
        impact=False,
        taker_fee_rate=0.0,
        half_spread=0.0,
        bar_interval_ns=300 * NS_PER_S,
        snapshot_interval_ns=60 * NS_PER_S,
        funding_interval_s=86_400,
    )
    return SimulatedMarket(config, seed=1).run()


def order(side: PositionSide, leverage: float, mode: MarginMode = MarginMode.ISOLATED) -> ScriptedOrder:
    return ScriptedOrder(step=0, position_side=side, quantity_base=2.0, leverage=leverage, margin_mode=mode)


@pytest.mark.parametrize("mode", list(MarginMode))
def test_long_dies_when_mark_meets_its_level_and_not_before(mode: MarginMode) -> None:
    # 10x long of 2 at 100: margin 20, bankrupt at 90, liquidation at (200 - 20) / (2 x 0.99) = 90.909...
    run = walked(np.array([100.0, 95.0, 90.92, 90.90, 90.90]), order(PositionSide.LONG, 10.0, mode))
    for row in range(3):
        truth = run.snapshots[row]
        held = truth.trader
        assert truth.liquidation_price[held] == pytest.approx(180.0 / 1.98)
        assert truth.cross[held].tolist() == [mode is MarginMode.CROSS]
        assert truth.age_s[held] == pytest.approx(60.0 * row)
    assert len(run.prints) == 1
    assert run.prints.price[0] == pytest.approx(90.0)  # published at the bankruptcy price
    assert run.prints.mark_price[0] == pytest.approx(90.90)
    assert run.prints.quantity_base[0] == pytest.approx(2.0)
    assert run.prints.equity_usd[0] == pytest.approx(20.0 - 2 * 9.1)
    assert run.prints.maintenance_usd[0] == pytest.approx(2 * 90.90 * 0.01)
    assert run.steps.end_ns[3] - NS_PER_S < run.prints.ts_ns[0] < run.steps.end_ns[3]
    # The fund took 2 over at 90 and sold them at 90.90.
    assert run.steps.insurance_fund_usd[-1] - run.config.insurance_fund_usd == pytest.approx(1.8, abs=1e-6)
    assert run.steps.long_lots.tolist() == run.steps.short_lots.tolist() == [2000, 2000, 2000, 0, 0]


def test_short_dies_above_and_a_gap_beyond_bankruptcy_costs_the_fund() -> None:
    # 10x short of 2 at 100: bankrupt at 110, liquidation at 220 / (2 x 1.01) = 108.91; the price jumps to 115
    run = walked(np.array([100.0, 108.9, 115.0, 115.0, 115.0]), order(PositionSide.SHORT, 10.0))
    assert len(run.prints) == 1
    assert run.prints.sign[0] == -1
    assert run.prints.liquidation_price[0] == pytest.approx(220.0 / 2.02)
    assert run.prints.price[0] == pytest.approx(110.0)
    assert run.steps.insurance_fund_usd[-1] - run.config.insurance_fund_usd == pytest.approx(-10.0, abs=1e-6)


def test_unlevered_long_has_no_liquidation_price_and_lives() -> None:
    run = walked(np.array([100.0, 10.0, 1.0, 0.5, 0.1]), order(PositionSide.LONG, 1.0))
    assert len(run.prints) == 0
    assert np.isnan(run.truth().liquidation_price[run.truth().trader]).all()


def test_bars_hold_the_true_extremes_and_open_where_the_last_one_closed() -> None:
    run = walked(np.array([101.0, 99.0, 103.0, 98.0, 100.0, 102.0, 104.0, 103.0, 101.0, 102.5]))
    assert run.bars.open.tolist() == pytest.approx([100.0, 100.0])
    assert run.bars.high.tolist() == pytest.approx([103.0, 104.0])
    assert run.bars.low.tolist() == pytest.approx([98.0, 100.0])
    assert run.bars.close.tolist() == pytest.approx([100.0, 102.5])


def test_true_levels_fall_into_the_buckets_of_a_map() -> None:
    # Both die 9.09 % below / 8.91 % above 100, so in bucket 90 and 89 of 0.1 %; 2 coins at the level.
    run = walked(np.full(5, 100.0), order(PositionSide.LONG, 10.0), order(PositionSide.SHORT, 10.0))
    long_usd, short_usd = true_levels(run.truth())
    assert np.flatnonzero(long_usd).tolist() == [90]
    assert np.flatnonzero(short_usd[:200]).tolist() == [89]
    assert long_usd[90] == pytest.approx(2 * 90.90909)
    assert short_usd[89] == pytest.approx(2 * 108.91089)


def test_truth_is_only_told_where_it_was_kept() -> None:
    run = walked(np.full(5, 100.0))
    assert run.truth(int(run.steps.end_ns[2])).as_of_ns == run.steps.end_ns[2]
    with pytest.raises(OutOfRecord, match="nearest is 2026-01-01T00:05:00Z"):
        run.truth(int(run.steps.end_ns[-1]) + NS_PER_S)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bar_interval_ns": 7 * NS_PER_S}, "bar_interval_ns must be a multiple of the step"),
        ({"days": 0.0}, "whole number of bars"),
        ({"price_path": (1.0, 2.0)}, "price_path needs warmup_days=0"),
        ({"makers": 0}, "at least one maker"),
        ({"brackets": (Bracket(5.0, 10.0, 0.01),)}, "floors must ascend from 0"),
    ],
)
def test_a_market_that_makes_no_sense_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(BadArgument, match=words):
        MarketConfig(**changes)  # type: ignore[arg-type]
