"""Laws of the books and facts of the calibration, on whole simulated markets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.margin import continuous_tiers, liquidation_prices
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import DEFAULT_BRACKETS, Behaviour, MarketConfig, SimulatedMarket, SimulatedRun
from liqscape.testing.market._build import new_brackets
from liqscape.testing.market._kernels import liquidation_price

SMALL = MarketConfig(days=6.0, warmup_days=2.0, accounts=600, snapshot_interval_ns=6 * 3600 * 10**9)
BRACKETS = new_brackets([MarketConfig()])
TIERS = continuous_tiers([(b.notional_floor_usd, b.maintenance_margin_rate) for b in DEFAULT_BRACKETS])


@pytest.fixture(scope="module", params=[1, 2])
def demo(request: pytest.FixtureRequest) -> SimulatedRun:
    return SimulatedMarket(seed=request.param).run()


@pytest.fixture(scope="module")
def small() -> SimulatedRun:
    return SimulatedMarket(SMALL, seed=5).run()


def kurtosis(x: FloatArray) -> float:
    centred = x - x.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def test_every_contract_has_one_long_and_one_short(demo: SimulatedRun) -> None:
    assert np.array_equal(demo.steps.long_lots, demo.steps.short_lots)
    ends = dict(zip(demo.steps.end_ns.tolist(), demo.steps.long_lots.tolist(), strict=True))
    for truth in demo.snapshots:
        lots = np.rint(truth.quantity_base / demo.config.lot_base).astype(np.int64)
        assert lots[truth.sign > 0].sum() == lots[truth.sign < 0].sum() == ends[truth.as_of_ns]
    assert demo.bars.open_interest_base[-1] == pytest.approx(demo.truth().quantity_base[demo.truth().sign > 0].sum())


def test_money_is_neither_made_nor_lost(demo: SimulatedRun) -> None:
    held, deposited = demo.money_usd.T
    assert np.abs(held / deposited - 1.0).max() < 1e-11


def test_nobody_dies_before_mark_crosses_and_nobody_survives_it(demo: SimulatedRun) -> None:
    prints = demo.prints
    assert (prints.sign * (prints.mark_price - prints.liquidation_price) <= 0.0).all()
    assert (prints.equity_usd <= prints.maintenance_usd * (1 + 1e-9) + 1e-6).all()
    for truth in demo.snapshots[:-1]:
        # What is open at the end of a step was judged at this mark, except openings of the same step; a payment of funding at its
        # end moves levels by the rate.
        paid = np.abs(demo.funding.rate[demo.funding.ts_ns == truth.as_of_ns]).sum()
        alive = np.isfinite(truth.liquidation_price) & (truth.age_s > 0.0)
        beyond = truth.sign * (truth.mark_price - truth.liquidation_price) <= -1.5 * paid * truth.mark_price
        # A large position that was reduced a moment ago is in its pause.
        lately = (prints.ts_ns > truth.as_of_ns - 61 * 10**9) & (prints.ts_ns <= truth.as_of_ns) & demo.partial
        beyond &= ~np.isin(truth.account, prints.account[lately])
        assert not (alive & beyond).any()


def test_equity_at_liquidation_misses_maintenance_by_one_step_at_most(demo: SimulatedRun) -> None:
    # The level lies between the mark before and this one, unless the position or its margin is younger than the step, or a step
    # of a partial liquidation has just closed some of it.
    prints = demo.prints
    step = np.searchsorted(demo.steps.end_ns, prints.ts_ns)
    lately: dict[int, int] = {}
    fresh = np.zeros(step.size, np.bool_)
    for i, (account, at) in enumerate(zip(prints.account.tolist(), step.tolist(), strict=True)):
        fresh[i] = at > 0 and at - lately.get(account, -1_000) > 100
        lately[account] = at
    before = demo.steps.mark[step[fresh] - 1]
    level, sign = prints.liquidation_price[fresh], prints.sign[fresh]
    assert (sign * (before - level) > 0.0).mean() > 0.98


def test_forced_orders_push_the_last_price_away_from_the_index(demo: SimulatedRun) -> None:
    prints = demo.prints
    step = np.searchsorted(demo.steps.end_ns, prints.ts_ns)
    gap = np.log(demo.steps.last / demo.steps.index)[step]
    for sign in (1, -1):  # closing longs sells: below the index
        chosen = prints.sign == sign
        assert -sign * np.average(gap[chosen], weights=prints.quantity_base[chosen]) > 2e-4


def test_liquidation_prices_are_those_of_the_margin_room(demo: SimulatedRun) -> None:
    truth = demo.truth()
    own = truth.liquidation_price[truth.trader]
    rows = truth.trader
    theirs = liquidation_prices(
        truth.entry_price[rows], truth.quantity_base[rows], truth.margin_usd[rows], truth.sign[rows].astype(np.int64), TIERS
    )
    np.testing.assert_allclose(own, theirs, rtol=1e-12)


@given(
    size=st.floats(1e-3, 5e3),
    entry=st.floats(100.0, 200_000.0),
    leverage=st.floats(1.0, 125.0),
    sign=st.sampled_from([1, -1]),
)
def test_kernel_and_margin_room_agree_everywhere(size: float, entry: float, leverage: float, sign: int) -> None:
    margin = size * entry / leverage
    own = liquidation_price(BRACKETS, 0, sign * size, entry, margin)
    theirs = liquidation_prices(entry, size, margin, sign, TIERS)
    # Just above 1x the price is nought but for rounding, which one of them calls never.
    np.testing.assert_allclose(np.nan_to_num(own), np.nan_to_num(theirs[0]), rtol=1e-9, atol=1e-9 * entry)


def test_calibration(demo: SimulatedRun) -> None:
    # What a reader of a map would notice first; the whole table is `python -m benchmarks.calibration`.
    bars, totals = demo.bars, demo.liquidations
    returns = np.diff(np.log(bars.close))
    days = len(bars) // 288
    usd_by_day = (totals.long_usd + totals.short_usd).reshape(days, 24).sum(axis=1)
    share = usd_by_day / (bars.open_interest_base * bars.close).reshape(days, 288).mean(axis=1)
    movement = np.array([np.square(r).sum() for r in np.array_split(returns, days)])
    calm = share[movement <= np.median(movement)]
    assert 0.40 <= returns.std() * np.sqrt(365 * 288) <= 0.75
    assert kurtosis(returns) > 6.0
    assert 0.001 <= np.median(calm) <= 0.03
    assert np.quantile(calm, 0.9) <= 0.05
    assert share.max() > 4 * np.median(share)  # bursts
    assert 0.15 <= totals.long_usd.sum() / usd_by_day.sum() <= 0.85
    assert bars.open_interest_base.std() > 0.05 * bars.open_interest_base.mean()
    assert 0.3 <= bars.volume_base.sum() / days / bars.open_interest_base.mean() <= 3.5
    assert (bars.taker_buy_base <= bars.volume_base).all()


def test_losers_are_held_longer() -> None:
    def median_age(habits: Behaviour) -> tuple[float, float]:
        run = SimulatedMarket(replace(SMALL, impact=False, behaviour=habits), seed=3).run()
        gain = np.concatenate([(s.sign * (s.mark_price / s.entry_price - 1.0))[s.trader] for s in run.snapshots])
        return float((gain < 0).mean()), float(np.median(gain))

    holding, _ = median_age(Behaviour(stop_share=0.0))
    neutral, _ = median_age(Behaviour(stop_share=0.0, clock_loss=1.0, clock_deep_loss=1.0, clock_profit=1.0))
    assert holding > neutral + 0.03


def test_hourly_totals_are_the_prints(small: SimulatedRun) -> None:
    prints, totals = small.prints, small.liquidations
    assert len(totals) == 6 * 24
    assert totals.long_usd.sum() + totals.short_usd.sum() == pytest.approx(prints.notional_usd.sum())
    assert len(prints.records()) == len(prints) > 0


def test_the_same_seed_is_the_same_market(small: SimulatedRun) -> None:
    again, other = SimulatedMarket(SMALL, seed=5).run(), SimulatedMarket(SMALL, seed=6).run()
    for name in ("open", "high", "low", "close", "volume_base", "taker_buy_base", "open_interest_base"):
        assert np.array_equal(getattr(small.bars, name), getattr(again.bars, name)), name
        assert not np.array_equal(getattr(small.bars, name), getattr(other.bars, name)), name
    assert np.array_equal(small.prints.price, again.prints.price)
    assert np.array_equal(small.truth().liquidation_price, again.truth().liquidation_price, equal_nan=True)


def test_without_impact_the_path_knows_nothing_of_positions(small: SimulatedRun) -> None:
    crowd = SimulatedMarket(replace(SMALL, impact=False), seed=5).run()
    nobody = SimulatedMarket(replace(SMALL, impact=False, accounts=0), seed=5).run()
    assert len(crowd.prints) > 0 == len(nobody.prints)
    assert np.array_equal(crowd.steps.mark, nobody.steps.mark)
    assert np.array_equal(crowd.steps.last, nobody.steps.last)
    assert not np.array_equal(crowd.steps.mark, small.steps.mark)
