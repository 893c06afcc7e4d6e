"""Rules of a venue on paper: partial liquidation, auto-deleveraging, late open interest; and a cascade of known strength."""

from __future__ import annotations

import numpy as np
import pytest

from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import (
    Bracket,
    LateOpenInterest,
    MarketConfig,
    PartialLiquidation,
    ScriptedOrder,
    SimulatedMarket,
    SimulatedRun,
    known_cascade,
)
from liqscape.units import NS_PER_S


def paper(prices: FloatArray, *orders: ScriptedOrder, **changes: object) -> SimulatedRun:
    """One maintenance rate of 1 %, no fee, no spread, no impact: 60-second steps along `prices`, in bars of 300 s."""
    settings: dict[str, object] = {
        "days": len(prices) * 60 / 86_400,
        "warmup_days": 0.0,
        "step_s": 60,
        "accounts": 0,
        "start_price": 100.0,
        "price_path": tuple(float(p) for p in prices),
        "scripted": orders,
        "brackets": (Bracket(0.0, 125.0, 0.01),),
        "impact": False,
        "taker_fee_rate": 0.0,
        "half_spread": 0.0,
        "bar_interval_ns": 300 * NS_PER_S,
        "snapshot_interval_ns": 60 * NS_PER_S,
        "funding_interval_s": 864_000,
        **changes,
    }
    return SimulatedMarket(MarketConfig(**settings), seed=1).run()  # type: ignore[arg-type]


def order(side: PositionSide, quantity: float, leverage: float) -> ScriptedOrder:
    return ScriptedOrder(step=0, position_side=side, quantity_base=quantity, leverage=leverage)


def test_a_large_position_is_reduced_by_steps_with_a_pause_between() -> None:
    # 10x long of 2,000 at 100: 181,800 USD at 90.90, where 1,800 of equity miss the 1,818 of maintenance.
    # A fifth is sold at 90.90: the rest needs 1,454 and lives until (160,000 - 16,360) / (1,600 x 0.99) = 90.682.
    run = paper(
        np.array([100.0, 90.90, 90.60, 90.60, 90.60]),
        order(PositionSide.LONG, 2_000.0, 10.0),
        partial_liquidation=PartialLiquidation(above_usd=100e3, share=0.2, pause_s=120.0),
    )
    truth = run.snapshots[1]
    assert truth.quantity_base[truth.trader] == pytest.approx(1_600.0)
    assert truth.margin_usd[truth.trader] == pytest.approx(20_000.0 - 400 * 9.1)
    assert truth.liquidation_price[truth.trader] == pytest.approx(143_640.0 / 1_584.0)
    # At 90.60 it is due again at once, but the pause of two steps ends in step 3.
    assert run.prints.quantity_base.tolist() == pytest.approx([400.0, 320.0])
    assert np.searchsorted(run.steps.end_ns, run.prints.ts_ns).tolist() == [1, 3]
    assert run.partial.all()
    assert run.prints.price[0] == pytest.approx(90.0)  # the bankruptcy price of the whole
    assert run.steps.insurance_fund_usd[-1] == run.config.insurance_fund_usd  # sold for the account's own money


def test_what_is_left_below_the_limit_is_taken_over_whole() -> None:
    run = paper(
        np.array([100.0, 90.90, 90.0, 90.0, 90.0]),
        order(PositionSide.LONG, 1_200.0, 10.0),
        partial_liquidation=PartialLiquidation(above_usd=100e3, share=0.2, pause_s=0.0),
    )
    assert run.prints.quantity_base.tolist() == pytest.approx([240.0, 960.0])
    assert run.partial.tolist() == [True, False]


def test_winners_are_deleveraged_by_profit_times_leverage_when_the_fund_is_empty() -> None:
    # A long of 2 bankrupt at 90; the price jumps to 85, and a fund of nothing cannot carry 10 of loss. Both shorts made 15 %,
    # the one at 10x holds 85 USD with 25 of equity (3.4x), the one at 2x 42.5 USD with 32.5 (1.3x): in this order, at 90.
    prices = np.concatenate([np.full(14, 100.0), np.full(6, 85.0)])
    orders = (
        order(PositionSide.SHORT, 0.5, 2.0),
        order(PositionSide.SHORT, 1.0, 10.0),
        order(PositionSide.LONG, 2.0, 10.0),
    )
    run = paper(prices, *orders, insurance_fund_usd=0.0)
    closed = run.deleveraged
    assert closed.account[:2].tolist() == [1, 0]
    assert closed.quantity_base[:2].tolist() == pytest.approx([1.0, 0.5])
    gain = 1.0 - 85.0 / 100.0
    assert closed.score[:2].tolist() == pytest.approx([gain * 85.0 / 25.0, gain * 42.5 / 32.5])
    assert closed.quantity_base.sum() == pytest.approx(2.0)  # makers and hedgers, who are unlevered, come last
    assert (closed.sign == -1).all()
    assert closed.price == pytest.approx(90.0)
    assert run.steps.insurance_fund_usd.min() == pytest.approx(0.0, abs=1e-9)
    assert not run.truth().trader.any()  # what is left lies between makers and hedgers
    held, deposited = run.money_usd.T
    assert held == pytest.approx(deposited)


def test_without_deleveraging_the_venue_carries_the_deficit() -> None:
    prices = np.concatenate([np.full(14, 100.0), np.full(6, 85.0)])
    run = paper(prices, order(PositionSide.LONG, 2.0, 10.0), insurance_fund_usd=0.0, auto_deleveraging=False)
    assert len(run.deleveraged) == 0
    assert run.steps.insurance_fund_usd[-1] == pytest.approx(-10.0)


def test_published_open_interest_is_as_late_as_said_and_held_over_gaps() -> None:
    settings = MarketConfig(days=0.5, warmup_days=0.25, step_s=60, accounts=200, impact=False)
    plain, late = (
        SimulatedMarket(MarketConfig(**{**vars(settings), "late_open_interest": feed}), seed=3).run()
        for feed in (None, LateOpenInterest(delay_s=120.0, jitter_s=180.0, missing_share=0.1))
    )
    lots = plain.steps.long_lots
    assert np.array_equal(lots, late.steps.long_lots)
    assert plain.bars.open_interest_base.tolist() == (lots[4::5] * 0.001).tolist()
    ages = []
    for bar, stamped in enumerate(late.bars.open_interest_base[4:], start=4):
        end = 5 * bar + 4
        ages.append(min(age for age in range(1, 30) if lots[end - age] * 0.001 == stamped))
    assert min(ages) <= 2
    assert max(ages) > 5  # a missing stamp is the one before
    assert np.mean(np.array(ages) <= 5) > 0.8


@pytest.mark.parametrize("side", list(PositionSide))
@pytest.mark.parametrize("number", [0.3, 0.6, 0.9, 1.5])
def test_a_known_reproduction_number_is_the_one_that_happens(number: float, side: PositionSide) -> None:
    # R = 0.9: an outside move of 0.5 % becomes 5 %, or one level in 3,000 less; R >= 1 runs through all levels.
    case = known_cascade(number, shock=0.005, position_side=side)
    run = SimulatedMarket(case.config, seed=1).run()
    move = np.log(run.steps.last[-1] / run.steps.last[0])
    assert move / case.shock == pytest.approx(case.amplification, rel=0.025)
    forced = (run.prints.liquidation_price * run.prints.quantity_base).sum()
    assert forced == pytest.approx(case.expected_forced_usd, rel=0.025)
    assert (len(run.prints) == 3_000) == (number > 1.0)


def test_generations_shrink_by_the_reproduction_number() -> None:
    case = known_cascade(0.6, shock=0.02, levels=6_000)
    run = SimulatedMarket(case.config, seed=1).run()
    step = np.searchsorted(run.steps.end_ns, run.prints.ts_ns)
    usd = np.bincount(step, weights=run.prints.notional_usd)[case.shock_step : case.shock_step + 6]
    assert usd[1:] / usd[:-1] == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize("number", [-1.0, 0.0])
def test_a_cascade_that_makes_no_sense_is_refused(number: float) -> None:
    with pytest.raises(BadArgument, match="needs reproduction_number > 0"):
        known_cascade(number)
