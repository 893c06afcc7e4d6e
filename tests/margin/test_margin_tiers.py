"""Tiers: the table, the tier at the liquidation price, jumps, and the array form."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from margin_twin import bisect, excess, first_crossing, inverse_excess, slice_maintenance, whole_maintenance

from liqscape.errors import BadArgument
from liqscape.margin import (
    MaintenanceTier,
    TierMeasure,
    TierTable,
    continuous_tiers,
    flat_tiers,
    inverse_tiered_liquidation_price,
    is_continuous,
    liquidation_price,
    liquidation_prices,
    maintenance_margin,
    maintenance_margins,
    tier_at,
    tier_deduction,
    tiered_liquidation_price,
    whole_position_tiers,
)
from liqscape.model import PositionSide

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
SIDES = st.sampled_from([LONG, SHORT])
# 1 % up to 1,000, 2 % above: the deduction above is 1,000 x 1 % = 10.
TWO = [(0.0, 0.01), (1000.0, 0.02)]


@st.composite
def ladders(draw) -> list[tuple[float, float]]:
    count = draw(st.integers(1, 6))
    floors = [0.0]
    for _ in range(count - 1):
        floors.append((floors[-1] or 1000.0) * draw(st.floats(1.5, 10.0)))
    rates = sorted(draw(st.lists(st.floats(0.001, 0.5), min_size=count, max_size=count)))
    return list(zip(floors, rates, strict=True))


@st.composite
def positions(draw) -> dict:
    entry = draw(st.floats(0.01, 1e5))
    return {
        "entry_price": entry,
        "quantity_base": draw(st.floats(10.0, 1e7)) / entry,
        "leverage": draw(st.floats(1.05, 150.0)),
        "position_side": draw(SIDES),
    }


def test_deductions_make_maintenance_continuous():
    table = continuous_tiers(TWO)
    assert [tier.maintenance_deduction for tier in table.tiers] == [0.0, pytest.approx(10.0)]
    assert maintenance_margin(table, notional=500.0) == pytest.approx(5.0)
    assert maintenance_margin(table, notional=1000.0) == pytest.approx(10.0)
    assert maintenance_margin(table, notional=1500.0) == pytest.approx(20.0)  # 10 for the first thousand, 2 % of the rest
    assert is_continuous(table)
    assert not is_continuous(whole_position_tiers(TWO))
    assert is_continuous(flat_tiers(0.01))


def test_published_deductions_obey_the_recurrence():
    # Binance FAQ: level 3 begins at 250,000 with 1 % after 0.5 % and 50; COIN-M level 5 at 50 BTC with 5 % after 2.5 % and 0.56.
    step = tier_deduction(floor=250_000, maintenance_margin_rate=0.01, previous_rate=0.005, previous_deduction=50)
    assert step == pytest.approx(1300)
    step = tier_deduction(floor=50, maintenance_margin_rate=0.05, previous_rate=0.025, previous_deduction=0.56)
    assert step == pytest.approx(1.81)


def test_an_edge_belongs_to_the_tier_below():
    table = whole_position_tiers(TWO)
    assert tier_at(table, notional=1000.0).maintenance_margin_rate == 0.01
    assert tier_at(table, notional=1000.0001).maintenance_margin_rate == 0.02
    assert tier_at(table, notional=0.0).maintenance_margin_rate == 0.01
    assert maintenance_margins([0.0, 1000.0, 2000.0, math.nan], table).tolist() == pytest.approx(
        [0.0, 10.0, 40.0, math.nan], nan_ok=True
    )


def test_the_tier_at_the_liquidation_price_counts():
    # 12 coins at 100 with margin 300: (1200 - 300) / (12 x 0.99) = 75.76 and 909 USD there, the 1 % tier;
    # the entry's tier would say (1200 - 300 - 10) / (12 x 0.98) = 75.68.
    price = tiered_liquidation_price(
        entry_price=100.0, quantity_base=12.0, margin_usd=300.0, position_side=LONG, tiers=continuous_tiers(TWO)
    )
    assert price == pytest.approx(900 / 11.88)
    # 8 coins short with margin 400: (800 + 400 + 10) / (8 x 1.02) = 148.3, 1,186 USD: the 2 % tier.
    price = tiered_liquidation_price(
        entry_price=100.0, quantity_base=8.0, margin_usd=400.0, position_side=SHORT, tiers=continuous_tiers(TWO)
    )
    assert price == pytest.approx(1210 / 8.16)


def test_a_jump_can_itself_be_the_first_crossing():
    # 8 coins short at 100, margin 212: 1,000 USD at 125, equity there 212 - 200 = 12. The 1 % tier asks 10, the 2 % tier 20.
    jumping = whole_position_tiers(TWO)
    known = {"entry_price": 100.0, "quantity_base": 8.0, "margin_usd": 212.0, "position_side": SHORT}
    assert tiered_liquidation_price(tiers=jumping, **known) == 125.0
    # With the deduction the position lives on to (800 + 212 + 10) / 8.16.
    assert tiered_liquidation_price(tiers=continuous_tiers(TWO), **known) == pytest.approx(1022 / 8.16)


def test_a_long_in_a_jumping_table_takes_the_first_crossing_from_where_it_stands():
    # 11 coins long at 100, margin 100: from 1,100 USD the 2 % tier is met at (1100 - 100) / (11 x 0.98) = 92.76 (1,020 USD).
    # Below 90.9 the 1 % tier would be met only at (1000) / (11 x 0.99) = 91.8, a price already passed.
    jumping = whole_position_tiers(TWO)
    known = {"entry_price": 100.0, "quantity_base": 11.0, "margin_usd": 100.0, "position_side": LONG, "tiers": jumping}
    assert tiered_liquidation_price(**known) == pytest.approx(1000 / 10.78)
    # 112 of margin: met at (1100 - 112) / 10.78 = 91.65 in the upper tier; 125: only in the lower one, at 975 / 10.89.
    assert tiered_liquidation_price(**{**known, "margin_usd": 112.0}) == pytest.approx(988 / 10.78)
    assert tiered_liquidation_price(**{**known, "margin_usd": 125.0}) == pytest.approx(975 / 10.89)


def test_tiers_by_size_do_not_move_with_the_price():
    by_size = whole_position_tiers([(0.0, 0.01), (10.0, 0.02)], measure=TierMeasure.SIZE)
    known = {"entry_price": 100.0, "leverage": 10.0, "position_side": LONG, "tiers": by_size}
    assert tiered_liquidation_price(quantity_base=10.0, **known) == pytest.approx(90 / 0.99)
    assert tiered_liquidation_price(quantity_base=11.0, **known) == pytest.approx(90 / 0.98)
    assert maintenance_margin(by_size, notional=1100.0, size=11.0) == pytest.approx(22.0)
    assert not is_continuous(by_size)
    with pytest.raises(BadArgument, match="size"):
        tier_at(by_size, notional=1100.0)
    with pytest.raises(BadArgument, match="size"):
        maintenance_margins([1100.0], by_size)


def test_none_and_errors_as_in_the_closed_form():
    table = continuous_tiers(TWO)
    assert tiered_liquidation_price(entry_price=1.0, quantity_base=1.0, leverage=1.0, position_side=LONG, tiers=table) is None
    known = {"entry_price": 1.0, "notional_usd": 1.0, "tiers": table}
    assert inverse_tiered_liquidation_price(leverage=1.0, position_side=SHORT, **known) is None
    with pytest.raises(BadArgument, match="every mark"):
        inverse_tiered_liquidation_price(margin_base=-2.0, position_side=LONG, **known)
    with pytest.raises(BadArgument, match="every mark"):
        tiered_liquidation_price(entry_price=1.0, quantity_base=1.0, margin_usd=-2.0, position_side=SHORT, tiers=table)


@pytest.mark.parametrize(
    "tiers",
    [
        (),
        (MaintenanceTier(1.0, 0.01),),
        (MaintenanceTier(0.0, 1.0),),
        (MaintenanceTier(0.0, 0.01, math.nan),),
        (MaintenanceTier(0.0, 0.01), MaintenanceTier(0.0, 0.02)),
        (MaintenanceTier(0.0, 0.02), MaintenanceTier(10.0, 0.01)),
    ],
)
def test_tables_that_cannot_be_are_refused(tiers):
    with pytest.raises(BadArgument, match="tier table somewhere"):
        TierTable(tiers, source="somewhere")


@given(ladders(), positions())
def test_it_equals_bisection_and_the_tier_fits(rows, position):
    table = continuous_tiers(rows)
    price = tiered_liquidation_price(tiers=table, **position)
    side, entry, quantity = position["position_side"], position["entry_price"], position["quantity_base"]
    margin = quantity * entry / position["leverage"]
    function = excess(side.sign, quantity, entry, margin, 0.0, lambda notional: slice_maintenance(rows, notional))
    # A long at the smallest price has equity of margin - entry value < 0; far above it is always healthy, and a short never.
    slow = bisect(function, 0.0, entry * 2000)
    assert price == pytest.approx(slow, rel=1e-7)
    fitting = tier_at(table, notional=quantity * price)
    again = liquidation_price(
        entry_price=entry,
        quantity_base=quantity,
        margin_usd=margin,
        position_side=side,
        maintenance_margin_rate=fitting.maintenance_margin_rate,
        maintenance_deduction_usd=fitting.maintenance_deduction,
    )
    assert price == pytest.approx(again, rel=1e-7)


@given(ladders(), positions(), st.floats(0.0, 0.001))
def test_inverse_equals_bisection(rows, position, fee):
    side, entry, notional = (
        position["position_side"],
        position["entry_price"],
        position["quantity_base"] * position["entry_price"],
    )
    coin_rows = [(floor / entry, rate) for floor, rate in rows]
    price = inverse_tiered_liquidation_price(
        entry_price=entry,
        notional_usd=notional,
        leverage=position["leverage"],
        position_side=side,
        tiers=continuous_tiers(coin_rows),
        closing_fee_rate=fee,
    )
    margin = notional / entry / position["leverage"]
    function = inverse_excess(side.sign, notional, entry, margin, fee, lambda coins: slice_maintenance(coin_rows, coins))
    assert price == pytest.approx(bisect(function, entry / 2000, entry * 2000), rel=1e-7)


@settings(max_examples=40)
@given(ladders(), positions(), st.floats(1.05, 20.0))
def test_jumping_tables_give_the_first_crossing(rows, position, health):
    side, entry, quantity = position["position_side"], position["entry_price"], position["quantity_base"]
    margin = whole_maintenance(rows, quantity * entry) * health
    function = excess(side.sign, quantity, entry, margin, 0.0, lambda notional: whole_maintenance(rows, notional))
    price = tiered_liquidation_price(
        entry_price=entry, quantity_base=quantity, margin_usd=margin, position_side=side, tiers=whole_position_tiers(rows)
    )
    if price is None:
        assert side is LONG
        assert first_crossing(function, entry, entry * 1e-9) is None
        return
    assert side.sign * (entry - price) > 0
    # Healthy all the way there, no longer healthy just beyond.
    for share in np.linspace(0.0, 0.999999, 200):
        assert function(entry + (price - entry) * share) > 0
    assert function(price * (1 - 1e-9 * side.sign)) <= 1e-6 * margin


@given(ladders(), st.integers(1, 5), SIDES, st.floats(1.05, 50.0), st.floats(0.01, 1e4))
def test_levels_are_continuous_across_tier_edges(rows, index, side, leverage, entry):
    assume(index < len(rows))
    table = continuous_tiers(rows)
    known = {"entry_price": entry, "leverage": leverage, "position_side": side, "tiers": table}
    # The size whose liquidation price sits on the edge: its notional there is the floor.
    at_entry = (
        (1 - side.sign / leverage) * rows[index][0] / (rows[index][0] - side.sign * slice_maintenance(rows, rows[index][0]))
    )
    quantity = rows[index][0] / (at_entry * entry)
    below = tiered_liquidation_price(quantity_base=quantity * (1 - 1e-7), **known)
    above = tiered_liquidation_price(quantity_base=quantity * (1 + 1e-7), **known)
    assert below * quantity == pytest.approx(rows[index][0], rel=1e-5)
    assert below == pytest.approx(above, rel=1e-5)


@given(ladders(), positions(), positions(), st.floats(0.0, 0.001))
def test_the_array_form_is_the_scalar_form(rows, one, two, fee):
    table, both = continuous_tiers(rows), [one, two]
    arrays = liquidation_prices(
        entry_price=np.array([position["entry_price"] for position in both]),
        quantity_base=np.array([position["quantity_base"] for position in both]),
        margin=np.array([position["entry_price"] * position["quantity_base"] / position["leverage"] for position in both]),
        side_sign=np.array([position["position_side"].sign for position in both]),
        tiers=table,
        closing_fee_rate=fee,
    )
    for position, price in zip(both, arrays, strict=True):
        assert price == pytest.approx(tiered_liquidation_price(tiers=table, closing_fee_rate=fee, **position), rel=1e-9)


def test_the_array_form_marks_the_unliquidatable_with_nan():
    table = continuous_tiers(TWO)
    found = liquidation_prices(
        [100.0, 100.0, 100.0, math.nan], [12.0, 1.0, 0.0, 1.0], [300.0, 100.0, 10.0, 1.0], [1, 1, -1, 1], table
    )
    assert found.tolist() == pytest.approx([900 / 11.88, math.nan, math.nan, math.nan], nan_ok=True)
    assert liquidation_prices(100.0, 12.0, 300.0, 1, table).shape == (1,)
    with pytest.raises(BadArgument, match="short position 1"):
        liquidation_prices(100.0, 1.0, [10.0, -101.0], -1, table)
    with pytest.raises(BadArgument, match="continuous"):
        liquidation_prices(100.0, 1.0, 10.0, 1, whole_position_tiers(TWO))


@given(ladders(), st.floats(0.0, 1e9))
def test_maintenance_arrays_agree_with_scalars_and_slices(rows, notional):
    table = continuous_tiers(rows)
    found = float(maintenance_margins([notional], table)[0])
    assert found == maintenance_margin(table, notional=notional)
    assert found == pytest.approx(slice_maintenance(rows, notional), rel=1e-9, abs=1e-6)
