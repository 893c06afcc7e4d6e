"""Closed forms: numbers to redo in the head, then the laws."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from liqscape.errors import BadArgument
from liqscape.margin import (
    bankruptcy_price,
    inverse_bankruptcy_price,
    inverse_liquidation_price,
    liquidation_price,
)
from liqscape.model import PositionSide

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT

prices = st.floats(1e-6, 1e6)
leverages = st.floats(1.01, 150.0)
rates = st.floats(0.0, 0.2)
fees = st.floats(0.0, 0.001)
sides = st.sampled_from([LONG, SHORT])


def test_isolated_long_is_liquidated_above_bankruptcy():
    # 10x long at 100: margin 10; maintenance 1 % of notional; bankrupt at 90
    assert bankruptcy_price(entry_price=100.0, leverage=10, position_side=LONG) == pytest.approx(90.0)
    price = liquidation_price(entry_price=100.0, leverage=10, position_side=LONG, maintenance_margin_rate=0.01)
    assert price == pytest.approx(90.0 / 0.99)


def test_isolated_short_is_liquidated_below_bankruptcy():
    assert bankruptcy_price(entry_price=100.0, leverage=10, position_side=SHORT) == pytest.approx(110.0)
    price = liquidation_price(entry_price=100.0, leverage=10, position_side=SHORT, maintenance_margin_rate=0.01)
    assert price == pytest.approx(110.0 / 1.01)


def test_inverse_margin_is_asymmetric():
    # 10x at 100: the long is bankrupt at 100 x 10 / 11, the short at 100 x 10 / 9
    assert inverse_bankruptcy_price(entry_price=100.0, leverage=10, position_side=LONG) == pytest.approx(1000 / 11)
    assert inverse_bankruptcy_price(entry_price=100.0, leverage=10, position_side=SHORT) == pytest.approx(1000 / 9)
    rate = {"entry_price": 100.0, "leverage": 10, "maintenance_margin_rate": 0.01}
    assert inverse_liquidation_price(position_side=LONG, **rate) == pytest.approx(1000 * 1.01 / 11)
    assert inverse_liquidation_price(position_side=SHORT, **rate) == pytest.approx(1000 * 0.99 / 9)


def test_margin_deduction_and_fee_enter_as_written():
    # 2 coins at 100, margin 30, deduction 1, 1 % + 0.5 %: long (200 - 30 - 1) / (2 x 0.985)
    known = {"entry_price": 100.0, "quantity_base": 2.0, "margin_usd": 30.0, "maintenance_deduction_usd": 1.0}
    known |= {"maintenance_margin_rate": 0.01, "closing_fee_rate": 0.005}
    assert liquidation_price(position_side=LONG, **known) == pytest.approx(169 / 1.97)
    assert liquidation_price(position_side=SHORT, **known) == pytest.approx(231 / 2.03)


def test_what_cannot_be_liquidated_is_none():
    one = {"entry_price": 100.0, "leverage": 1.0, "maintenance_margin_rate": 0.01}
    assert liquidation_price(position_side=LONG, **one) is None
    assert inverse_liquidation_price(position_side=SHORT, **one) is None
    assert bankruptcy_price(entry_price=100.0, leverage=1.0, position_side=LONG) is None
    assert inverse_bankruptcy_price(entry_price=100.0, leverage=0.5, position_side=SHORT) is None
    # Rounding does not invent a level: 0.1 x 3 is not 0.3, but the margin covers the position.
    assert bankruptcy_price(entry_price=0.1, quantity_base=3.0, margin_usd=0.3, position_side=LONG) is None
    assert inverse_bankruptcy_price(entry_price=50_000.0, leverage=1.0, position_side=SHORT, notional_usd=60_000.0) is None
    # The other sides have a level: a 1x short doubles, an inverse 1x long halves.
    assert bankruptcy_price(entry_price=100.0, leverage=1.0, position_side=SHORT) == pytest.approx(200.0)
    assert inverse_bankruptcy_price(entry_price=100.0, leverage=1.0, position_side=LONG) == pytest.approx(50.0)


def test_an_account_below_maintenance_at_every_price_is_an_error_not_a_safe_none():
    with pytest.raises(BadArgument, match="every mark price"):
        bankruptcy_price(entry_price=100.0, quantity_base=1.0, margin_usd=-101.0, position_side=SHORT)
    with pytest.raises(BadArgument, match="every mark price"):
        inverse_bankruptcy_price(entry_price=100.0, notional_usd=100.0, margin_base=-1.01, position_side=LONG)


def test_negative_free_equity_puts_the_level_on_the_favourable_side():
    # A cross long that owes 5: it meets maintenance of zero only 5 above its entry.
    assert bankruptcy_price(entry_price=100.0, quantity_base=1.0, margin_usd=-5.0, position_side=LONG) == pytest.approx(105.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"entry_price": 0.0}, "entry_price"),
        ({"entry_price": math.nan}, "entry_price"),
        ({"leverage": -1.0}, "leverage"),
        ({"leverage": None}, "leverage"),
        ({"margin_usd": 10.0, "quantity_base": 1.0}, "margin_usd"),
        ({"leverage": None, "margin_usd": 10.0}, "quantity_base"),
        ({"leverage": None, "margin_usd": math.inf, "quantity_base": 1.0}, "margin_usd"),
        ({"maintenance_deduction_usd": 5.0}, "quantity_base"),
        ({"maintenance_margin_rate": 1.0}, "maintenance_margin_rate"),
        ({"maintenance_margin_rate": -0.01}, "maintenance_margin_rate"),
        ({"closing_fee_rate": math.nan}, "closing_fee_rate"),
    ],
)
def test_bad_arguments_are_named(change, named):
    good = {"entry_price": 100.0, "leverage": 10.0, "position_side": LONG, "maintenance_margin_rate": 0.01}
    with pytest.raises(BadArgument, match=named) as caught:
        liquidation_price(**{**good, **change})
    assert caught.value.hint


@given(prices, leverages, rates, fees, sides)
def test_bankruptcy_lies_beyond_liquidation(entry, leverage, rate, fee, side):
    for liquidation, bankruptcy in (
        (liquidation_price, bankruptcy_price),
        (inverse_liquidation_price, inverse_bankruptcy_price),
    ):
        level = liquidation(
            entry_price=entry, leverage=leverage, position_side=side, maintenance_margin_rate=rate, closing_fee_rate=fee
        )
        ruin = bankruptcy(entry_price=entry, leverage=leverage, position_side=side)
        assert level is not None
        assert ruin is not None
        assert side.sign * (level - ruin) >= -1e-12 * entry
        if rate + fee > 1e-9:
            assert side.sign * (level - ruin) > 0


@given(prices, st.tuples(leverages, leverages), rates, sides)
def test_more_leverage_is_never_further_away(entry, pair, rate, side):
    low, high = sorted(pair)
    assume(high > low * (1 + 1e-9))
    for liquidation in (liquidation_price, inverse_liquidation_price):
        far = liquidation(entry_price=entry, leverage=low, position_side=side, maintenance_margin_rate=rate)
        near = liquidation(entry_price=entry, leverage=high, position_side=side, maintenance_margin_rate=rate)
        assert far is not None
        assert near is not None
        assert side.sign * (near - far) > 0


@given(prices, st.floats(5.0, 1000.0), st.floats(0.0, 0.05), sides)
def test_linear_and_inverse_agree_in_the_limit(entry, leverage, rate, side):
    # With u = 1/L the logarithms are -u + m -+ (u^2 - m^2) / 2 + ...: they differ by the second order only.
    known = {"entry_price": entry, "leverage": leverage, "position_side": side, "maintenance_margin_rate": rate}
    linear, inverse = liquidation_price(**known), inverse_liquidation_price(**known)
    second_order = 1 / leverage**2 + rate**2
    assert abs(math.log(linear / inverse)) <= 1.1 * second_order


@given(prices, leverages, rates, fees, sides, st.floats(1e-6, 1e6))
def test_size_scales_out(entry, leverage, rate, fee, side, quantity):
    known = {"entry_price": entry, "position_side": side, "maintenance_margin_rate": rate, "closing_fee_rate": fee}
    by_leverage = liquidation_price(leverage=leverage, **known)
    by_margin = liquidation_price(quantity_base=quantity, margin_usd=quantity * entry / leverage, **known)
    assert by_margin == pytest.approx(by_leverage, rel=1e-9)


@given(prices, leverages, rates, sides)
def test_inverse_is_linear_in_coins_per_dollar_with_the_side_turned(entry, leverage, rate, side):
    opposite = SHORT if side is LONG else LONG
    inverse = inverse_liquidation_price(entry_price=entry, leverage=leverage, position_side=side, maintenance_margin_rate=rate)
    linear = liquidation_price(entry_price=1 / entry, leverage=leverage, position_side=opposite, maintenance_margin_rate=rate)
    assert inverse == pytest.approx(1 / linear, rel=1e-9)
