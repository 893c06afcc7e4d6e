"""Markets that are coupled: gaps that arbitrage closes, wallets over two assets; and the money laws over random worlds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.errors import BadArgument
from liqscape.model import InstrumentId, MarginMode, PositionSide
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import (
    Bracket,
    MarketConfig,
    PartialLiquidation,
    ScriptedOrder,
    SimulatedMarket,
    SimulatedRun,
    SimulatedVenues,
    VenuesConfig,
)
from liqscape.units import NS_PER_S

QUIET = MarketConfig(
    days=300 / 86_400,
    warmup_days=0.0,
    step_s=10,
    accounts=0,
    start_price=100.0,
    brackets=(Bracket(0.0, 125.0, 0.01),),
    taker_fee_rate=0.0,
    half_spread=0.0,
    bar_interval_ns=10 * NS_PER_S,
    snapshot_interval_ns=10 * NS_PER_S,
    funding_interval_s=864_000,
    price_path=(100.0,) * 30,
)


def test_half_of_a_gap_between_venues_closes_in_the_half_life() -> None:
    # 5 M bought where 10 M are 1 %: 0.5 % up. The other venue is as deep: they meet half way, 50 %, 75 %, ... of it per 10 s.
    book = replace(
        QUIET,
        depth_withdrawal=0.0,
        depth_usd_per_percent=10e6,
        lasting_share=0.0,
        refill_half_life_s=math.inf,
        taker_share_of_depth=100.0,
        maker_limit_usd=math.inf,
    )
    buyer = ScriptedOrder(step=0, position_side=PositionSide.LONG, quantity_base=50_000.0, leverage=1.0)
    here = replace(book, instrument=InstrumentId("here", "BTCUSDT"), scripted=(buyer,))
    there = replace(book, instrument=InstrumentId("there", "BTCUSDT"))
    one, other = SimulatedVenues(VenuesConfig(markets=(here, there), arbitrage_half_life_s=10.0, arbitrage_band=0.0)).run()
    gap = np.log(one.steps.last / other.steps.last)
    assert gap[:5] == pytest.approx(0.005 * 0.5 ** np.arange(5), rel=0.01)
    assert np.log(one.steps.last[-1] / 100.0) == pytest.approx(0.0025, rel=0.01)
    # The arbitrageur sold here what it bought there, 25,000 contracts all in all.
    sides = [run.truth() for run in (one, other)]
    for run, truth in zip((one, other), sides, strict=True):
        assert truth.quantity_base[truth.sign > 0].sum() == pytest.approx(run.bars.open_interest_base[-1])
    assert other.bars.volume_base.sum() - other.bars.volume_base[0] > 20_000.0
    assert one.bars.taker_buy_base[1:].sum() < other.bars.taker_buy_base[1:].sum()


def test_a_gap_inside_the_band_stays() -> None:
    book = replace(
        QUIET,
        lasting_share=0.0,
        refill_half_life_s=math.inf,
        taker_share_of_depth=100.0,
        depth_withdrawal=0.0,
        depth_usd_per_percent=12e6,
    )
    buyer = ScriptedOrder(step=0, position_side=PositionSide.LONG, quantity_base=2_400.0, leverage=1.0)  # 2 bp of 12 M per 1 %
    markets = (
        replace(book, instrument=InstrumentId("here", "BTCUSDT"), scripted=(buyer,)),
        replace(book, instrument=InstrumentId("there", "BTCUSDT")),
    )
    one, other = SimulatedVenues(VenuesConfig(markets=markets, arbitrage_band=0.0003)).run()
    assert np.log(one.steps.last[-1] / other.steps.last[-1]) == pytest.approx(0.0002, rel=0.01)


def two_assets(bitcoin: FloatArray, ether: FloatArray) -> tuple[SimulatedRun, SimulatedRun]:
    """A wallet with 1 bitcoin long at 100 and 10 ether short at 10, 10 USD behind each."""

    def market(symbol: str, prices: FloatArray, side: PositionSide, quantity: float) -> MarketConfig:
        order = ScriptedOrder(
            step=0, position_side=side, quantity_base=quantity, leverage=10.0, margin_mode=MarginMode.CROSS, wallet="w"
        )
        return replace(
            QUIET,
            days=len(prices) * 10 / 86_400,
            instrument=InstrumentId("venue", symbol),
            start_price=float(prices[0]),
            price_path=tuple(float(p) for p in prices),
            impact=False,
            scripted=(order,),
        )

    markets = (market("BTC", bitcoin, PositionSide.LONG, 1.0), market("ETH", ether, PositionSide.SHORT, 10.0))
    one, two = SimulatedVenues(VenuesConfig(markets=markets)).run()
    return one, two


def level(run: SimulatedRun, row: int) -> float:
    truth = run.snapshots[row]
    return float(truth.liquidation_price[truth.trader][0])


def test_the_level_of_one_asset_depends_on_the_price_of_the_other() -> None:
    # Bitcoin dies where 20 + (P - 100) + ether's profit - ether's maintenance = 1 % P.
    one, two = two_assets(np.array([100.0, 100.0, 100.0]), np.array([10.0, 10.5, 9.0]))
    assert level(one, 0) == pytest.approx((100.0 - 20.0 + 1.0) / 0.99)
    assert level(one, 1) == pytest.approx((100.0 - 20.0 + 5.0 + 1.05) / 0.99)
    assert level(one, 2) == pytest.approx((100.0 - 20.0 - 10.0 + 0.9) / 0.99)
    # Ether dies where 20 + 10 (10 - P) - 1 = 10 % P.
    assert level(two, 0) == pytest.approx(119.0 / 10.1)
    assert one.partner[0] == two.partner[0] == 0
    assert one.partner[1] == -1


def test_a_wallet_dies_as_a_whole_and_nothing_of_it_is_left() -> None:
    # At 86.9 and 10.5: equity 20 - 13.1 - 5 = 1.9 misses 0.869 + 1.05; 191.9 USD in all, so bankrupt 1.9 / 191.9 from mark.
    one, two = two_assets(np.array([100.0, 100.0, 86.9, 86.9]), np.array([10.0, 10.5, 10.5, 10.5]))
    share = 1.9 / 191.9
    assert one.prints.price.tolist() == pytest.approx([86.9 * (1.0 - share)])
    assert two.prints.price.tolist() == pytest.approx([10.5 * (1.0 + share)])
    assert one.prints.equity_usd[0] + two.prints.equity_usd[0] == pytest.approx(1.9)
    assert one.prints.maintenance_usd[0] + two.prints.maintenance_usd[0] == pytest.approx(0.869 + 1.05)
    assert one.steps.long_lots[-1] == two.steps.long_lots[-1] == 0
    held, deposited = one.money_usd.T
    assert held == pytest.approx(deposited, rel=1e-12)


def test_hedged_legs_protect_each_other() -> None:
    # Both fall by 15 %: 15 lost, 15 won; alone the long had died at (100 - 10) / 0.99 = 90.9.
    one, two = two_assets(np.array([100.0, 92.5, 85.0]), np.array([10.0, 9.25, 8.5]))
    assert len(one.prints) == len(two.prints) == 0


CROWD = MarketConfig(days=0.5, warmup_days=0.25, accounts=80, snapshot_interval_ns=6 * 3600 * NS_PER_S, annual_volatility=1.5)


@settings(max_examples=25, deadline=None)
@given(
    venues=st.integers(1, 2),
    assets=st.integers(1, 2),
    wallets=st.integers(0, 80),
    above=st.sampled_from([None, 0.0, 20e3]),
    fund=st.sampled_from([0.0, 1e4, 1e8]),
    adl=st.booleans(),
    depth=st.sampled_from([1e5, 1e6, 12e6]),
    impact=st.booleans(),
    seed=st.integers(0, 1_000),
)
def test_contracts_and_money_are_conserved_in_every_world(
    venues: int, assets: int, wallets: int, above: float | None, fund: float, adl: bool, depth: float, impact: bool, seed: int
) -> None:
    rule = None if above is None else PartialLiquidation(above_usd=above, pause_s=60.0)
    markets = tuple(
        replace(
            CROWD,
            instrument=InstrumentId(f"venue{v}", f"ASSET{a}"),
            start_price=100.0 * 10.0**a,
            partial_liquidation=rule,
            insurance_fund_usd=fund,
            auto_deleveraging=adl,
            depth_usd_per_percent=depth,
            impact=impact,
        )
        for v in range(venues)
        for a in range(assets)
    )
    runs = SimulatedVenues(VenuesConfig(markets=markets, shared_wallets=wallets if assets == 2 else 0), seed).run()
    for run in runs:
        assert np.array_equal(run.steps.long_lots, run.steps.short_lots)
        for truth in run.snapshots:
            lots = np.rint(truth.quantity_base / run.config.lot_base).astype(np.int64)
            assert lots[truth.sign > 0].sum() == lots[truth.sign < 0].sum()
        held, deposited = run.money_usd.T
        assert held == pytest.approx(deposited, rel=1e-9, abs=1e-3)
        assert (run.prints.equity_usd <= run.prints.maintenance_usd * (1 + 1e-9) + 1e-6).all()
        assert (run.prints.quantity_base > 0.0).all()
        if not adl:
            assert len(run.deleveraged) == 0
        elif not impact:  # nothing slips, so that what the fund could not carry went to the winners
            assert run.steps.insurance_fund_usd.min() >= -1e-3 - 0.01 * run.prints.notional_usd.sum()


def test_venues_of_one_asset_stay_together_and_assets_are_correlated() -> None:
    base = replace(CROWD, days=2.0, annual_volatility=0.5, step_s=60)
    markets = tuple(
        replace(base, instrument=InstrumentId(venue, symbol)) for venue, symbol in (("a", "BTC"), ("b", "BTC"), ("a", "ETH"))
    )
    one, other, ether = SimulatedVenues(VenuesConfig(markets=markets, correlation=0.8, shared_wallets=20), seed=4).run()
    assert np.abs(np.log(one.steps.last / other.steps.last)).max() < 0.01
    returns = [np.diff(np.log(run.bars.close)) for run in (one, other, ether)]
    assert np.corrcoef(returns[0], returns[1])[0, 1] > 0.95
    assert 0.6 < np.corrcoef(returns[0], returns[2])[0, 1] < 0.9
    assert not np.array_equal(one.steps.long_lots, other.steps.long_lots)
    assert np.count_nonzero(one.partner >= 0) == 20
    assert np.array_equal(ether.partner[one.partner[one.partner >= 0]], np.flatnonzero(one.partner >= 0))


def test_a_market_alone_is_the_same_run_through_either_door() -> None:
    alone = SimulatedMarket(CROWD, seed=9).run()
    (venue,) = SimulatedVenues(VenuesConfig(markets=(CROWD,)), seed=9).run()
    assert np.array_equal(alone.bars.close, venue.bars.close)
    assert np.array_equal(alone.prints.price, venue.prints.price)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"markets": (CROWD, CROWD)}, "an instrument of its own"),
        ({"markets": (CROWD, replace(CROWD, days=1.0, instrument=InstrumentId("x", "Y")))}, "all markets need the same days"),
        ({"markets": (CROWD,), "correlation": 2.0}, "correlation must be in"),
        ({"markets": (CROWD,), "shared_wallets": 81}, "at most 80 wallets"),
    ],
)
def test_venues_that_make_no_sense_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(BadArgument, match=words):
        VenuesConfig(**changes)  # type: ignore[arg-type]
