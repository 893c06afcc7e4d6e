"""Cross margin: what the others leave over, hedge legs, and the account's own arithmetic."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from margin_twin import bisect

from liqscape.errors import BadArgument
from liqscape.margin import (
    CrossPosition,
    account_margin,
    continuous_tiers,
    cross_liquidation_price,
    cross_liquidation_prices,
    flat_tiers,
    free_margin_usd,
    hedged_liquidation_prices,
    tiered_liquidation_price,
    whole_position_tiers,
)
from liqscape.margin.binance import Leg, binance_usdm_hedge_liquidation_price, binance_usdm_liquidation_price
from liqscape.model import PositionSide

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
ROWS = [(0.0, 0.005), (5_000.0, 0.01), (20_000.0, 0.05), (60_000.0, 0.1)]
TIERS = continuous_tiers(ROWS)


def position(side=LONG, entry=100.0, mark=100.0, quantity=10.0, tiers=TIERS) -> CrossPosition:
    return CrossPosition(entry_price=entry, mark_price=mark, quantity_base=quantity, position_side=side, tiers=tiers)


def test_the_others_take_their_maintenance_and_bring_their_profit():
    # Other: 10 coins long from 100 to 90: loses 100, and 1 % of 900 is 9. Of a wallet of 500, 391 are left.
    one = flat_tiers(0.01)
    other = position(mark=90.0, tiers=one)
    assert free_margin_usd(wallet_balance_usd=500.0, other_maintenance_usd=9.0, other_unrealised_usd=-100.0) == 391.0
    mine = position(tiers=one)
    found = cross_liquidation_price(mine, wallet_balance_usd=500.0, others=[other])
    assert found == pytest.approx((1000 - 391) / 9.9)
    margin = account_margin(500.0, [mine, other])
    assert (margin.equity_usd, margin.maintenance_usd) == (400.0, pytest.approx(19.0))
    assert not margin.liquidatable


def test_alone_a_cross_position_is_an_isolated_one_with_the_wallet_as_margin():
    assert cross_liquidation_price(position(), wallet_balance_usd=200.0) == tiered_liquidation_price(
        entry_price=100.0, quantity_base=10.0, position_side=LONG, margin_usd=200.0, tiers=TIERS
    )
    assert cross_liquidation_price(position(), wallet_balance_usd=1000.0) is None


@given(
    st.lists(st.tuples(st.sampled_from([LONG, SHORT]), st.floats(50, 150), st.floats(1, 300)), min_size=2, max_size=4),
    st.floats(20_000, 60_000),
)
def test_at_the_cross_price_the_whole_account_meets_maintenance(rows, wallet):
    positions = [position(side, entry, 100.0, quantity) for side, entry, quantity in rows]
    assume(not account_margin(wallet, positions).liquidatable)
    for index, price in enumerate(cross_liquidation_prices(wallet, positions)):
        if price is None:
            continue
        moved = positions[index]
        there = CrossPosition(
            entry_price=moved.entry_price,
            mark_price=price,
            quantity_base=moved.quantity_base,
            position_side=moved.position_side,
            tiers=moved.tiers,
        )
        margin = account_margin(wallet, [*positions[:index], there, *positions[index + 1 :]])
        assert margin.equity_usd == pytest.approx(margin.maintenance_usd, abs=1e-6 * wallet)


def test_a_perfect_hedge_is_liquidated_by_a_rise_only():
    # Long and short 10 from 100: no profit at any mark, maintenance 2 x 1 % x 10 P meets a margin of 30 at 150.
    legs = [position(tiers=flat_tiers(0.01)), position(SHORT, tiers=flat_tiers(0.01))]
    healthy = hedged_liquidation_prices(legs, margin_usd=30.0)
    assert healthy.low is None
    assert healthy.high == pytest.approx(150.0)


def test_one_leg_is_the_plain_position():
    for side in (LONG, SHORT):
        healthy = hedged_liquidation_prices([position(side)], margin_usd=150.0)
        plain = cross_liquidation_price(position(side), wallet_balance_usd=150.0)
        level, other = (healthy.low, healthy.high) if side is LONG else (healthy.high, healthy.low)
        assert level == pytest.approx(plain)
        assert other is None
    assert hedged_liquidation_prices([position(LONG)], margin_usd=1000.0).low is None


def test_binance_hedge_formula_by_hand():
    # Long 10 @ 100 (1 %), short 4 @ 100 (1 %), wallet 300: (300 - 1000 + 400) / (0.1 + 0.04 - 6) = 51.19
    legs = tuple(
        Leg(entry_price=100.0, quantity_base=quantity, position_side=side, maintenance_margin_rate=0.01)
        for side, quantity in ((LONG, 10.0), (SHORT, 4.0))
    )
    price = binance_usdm_hedge_liquidation_price(legs=legs, wallet_balance_usd=300.0)
    assert price == pytest.approx(300 / 5.86)
    one = binance_usdm_hedge_liquidation_price(legs=legs[:1], wallet_balance_usd=300.0)
    assert one == binance_usdm_liquidation_price(
        entry_price=100.0, quantity_base=10.0, position_side=LONG, maintenance_margin_rate=0.01, wallet_balance_usd=300.0
    )
    assert binance_usdm_hedge_liquidation_price(legs=legs, wallet_balance_usd=700.0) is None
    with pytest.raises(BadArgument, match="every mark"):
        binance_usdm_hedge_liquidation_price(legs=legs[1:], wallet_balance_usd=-500.0)
    with pytest.raises(BadArgument, match="legs"):
        binance_usdm_hedge_liquidation_price(legs=(), wallet_balance_usd=1.0)


@given(st.floats(1, 300), st.floats(1, 300), st.floats(60, 140), st.floats(60, 140), st.floats(10, 40_000))
def test_hedge_ends_are_where_the_excess_is_zero(long_size, short_size, long_entry, short_entry, margin):
    legs = [position(LONG, long_entry, 100.0, long_size), position(SHORT, short_entry, 100.0, short_size)]

    def excess(mark: float) -> float:
        moved = [position(leg.position_side, leg.entry_price, mark, leg.quantity_base) for leg in legs]
        found = account_margin(margin, moved)
        return found.equity_usd - found.maintenance_usd

    try:
        healthy = hedged_liquidation_prices(legs, margin_usd=margin)
    except BadArgument:
        assert max(excess(mark) for mark in (1e-3, *range(1, 1000))) <= 1e-6 * margin
        return
    inside = (healthy.low or 0.0, healthy.high or 1e7)
    middle = (inside[0] + inside[1]) / 2
    assert excess(middle) >= -1e-6 * margin
    if healthy.low is not None and excess(middle) > 0:
        assert healthy.low == pytest.approx(bisect(excess, 1e-9, middle), rel=1e-6, abs=1e-6)
    if healthy.high is not None and excess(middle) > 0:
        assert healthy.high == pytest.approx(bisect(excess, middle, healthy.high * 10), rel=1e-6)


def test_hedges_want_deductions_and_legs():
    with pytest.raises(BadArgument, match="leg"):
        hedged_liquidation_prices([], margin_usd=1.0)
    with pytest.raises(BadArgument, match="deductions"):
        hedged_liquidation_prices([position(tiers=whole_position_tiers(ROWS))], margin_usd=1.0)
    with pytest.raises(BadArgument, match="every mark"):
        hedged_liquidation_prices([position(SHORT)], margin_usd=-2000.0)
    with pytest.raises(BadArgument, match="mark_price"):
        position(mark=0.0)
