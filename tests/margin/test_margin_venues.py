"""Each venue's rule: one number by hand, and the table of rules against the page in docs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from margin_twin import bisect

from liqscape.errors import BadArgument
from liqscape.margin import (
    VENUE_RULES,
    AssetClass,
    Evidence,
    TierMeasure,
    continuous_tiers,
    default_tiers,
    flat_tiers,
    inverse_liquidation_price,
    is_continuous,
    tiered_liquidation_price,
    venue_inverse_liquidation_price,
    venue_liquidation_price,
    venue_rule,
)
from liqscape.margin.binance import binance_coinm_liquidation_price, binance_usdm_liquidation_price
from liqscape.margin.bybit import (
    bybit_classic_inverse_liquidation_price,
    bybit_classic_linear_liquidation_price,
    bybit_linear_bankruptcy_price,
    bybit_old_cross_inverse_bankruptcy_price,
    bybit_old_cross_inverse_liquidation_price,
    bybit_uta_inverse_liquidation_price,
    bybit_uta_linear_liquidation_price,
)
from liqscape.margin.defaults import DEFAULT_TIERS
from liqscape.margin.deribit import (
    DERIBIT_MAINTENANCE,
    GrowingMaintenance,
    deribit_inverse_liquidation_price,
    deribit_linear_liquidation_price,
    deribit_maintenance_margin_rate,
)
from liqscape.margin.hyperliquid import (
    hyperliquid_backstop_price,
    hyperliquid_isolated_liquidation_price,
    hyperliquid_liquidation_price,
    hyperliquid_liquidation_price_from_margin,
    hyperliquid_tiers,
)
from liqscape.margin.ladders import htx_maintenance_margin_rate, stepped_tiers
from liqscape.margin.phemex import phemex_liquidation_price, phemex_position_balance_usd
from liqscape.model import ContractKind, PositionSide

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
LINEAR, INVERSE = ContractKind.LINEAR, ContractKind.INVERSE


def test_binance_usdm_cross():
    # 10 long @ 100, wallet 150, others ask 30 and lost 20, 1 % and cum 2: (100 + 2 - 1000) / (0.1 - 10)
    price = binance_usdm_liquidation_price(
        entry_price=100.0,
        quantity_base=10.0,
        position_side=LONG,
        maintenance_margin_rate=0.01,
        maintenance_deduction_usd=2.0,
        wallet_balance_usd=150.0,
        other_maintenance_usd=30.0,
        other_unrealised_usd=-20.0,
    )
    assert price == pytest.approx(898 / 9.9)


def test_binance_coinm_counts_contracts():
    # 100 contracts of 100 USD @ 30,000, 20x, 0.4 %: 30,000 x 20 x 1.004 / 21
    price = binance_coinm_liquidation_price(
        entry_price=30_000.0,
        contracts=100,
        contract_size_usd=100.0,
        position_side=LONG,
        maintenance_margin_rate=0.004,
        leverage=20,
    )
    assert price == pytest.approx(602_400 / 21)


def test_bybit_generations_differ():
    known = {"entry_price": 20_000.0, "leverage": 50, "position_side": LONG, "maintenance_margin_rate": 0.005}
    assert bybit_classic_linear_liquidation_price(**known) == pytest.approx(19_700.0)  # 20,000 - 400 + 100
    assert bybit_uta_linear_liquidation_price(**known) == pytest.approx(19_600 / 0.995)
    assert bybit_linear_bankruptcy_price(entry_price=10_000.0, leverage=50, position_side=LONG) == pytest.approx(9_800.0)
    # 60,000 USD short @ 50,000, 10x: PV 1.2, IM 0.12, MM 0.006
    known = {"entry_price": 50_000.0, "notional_usd": 60_000.0, "leverage": 10, "position_side": SHORT}
    classic = bybit_classic_inverse_liquidation_price(maintenance_margin_rate=0.005, **known)
    assert classic == pytest.approx(60_000 / (1.2 - 0.114))
    assert bybit_uta_inverse_liquidation_price(maintenance_margin_rate=0.005, **known) == pytest.approx(60_000 * 0.995 / 1.08)
    with_extra = bybit_uta_inverse_liquidation_price(
        maintenance_margin_rate=0.005, extra_margin_base=0.0999, closing_fee_rate=0.001, **known
    )
    assert with_extra == pytest.approx(60_000 * 0.995 / (1.08 - 0.1))
    assert bybit_classic_inverse_liquidation_price(maintenance_margin_rate=0.0, **{**known, "leverage": 1}) is None


def test_bybit_classic_extra_margin_moves_the_price_by_its_share():
    # 2 coins, 60 added: 30 per coin
    known = {"entry_price": 1000.0, "leverage": 10, "position_side": SHORT, "maintenance_margin_rate": 0.01}
    assert bybit_classic_linear_liquidation_price(quantity_base=2.0, extra_margin_usd=60.0, **known) == pytest.approx(1120.0)


def test_bybit_old_cross():
    # 0.5 coin, long 10,000 USD @ 8,000 (1.25 coin): 1.00075 x 10,000 / 1.75 = 5,718.57
    known = {"entry_price": 8_000.0, "notional_usd": 10_000.0, "position_side": LONG, "balance_base": 0.5}
    bankrupt = bybit_old_cross_inverse_bankruptcy_price(closing_fee_rate=0.00075, **known)
    assert bankrupt == pytest.approx(10_007.5 / 1.75)
    price = bybit_old_cross_inverse_liquidation_price(maintenance_margin_rate=0.005, closing_fee_rate=0.00075, **known)
    assert price == pytest.approx(10_000 / (1.25 + 0.5 - 1.25 * 0.005 - 7.5 / bankrupt))
    short = {**known, "position_side": SHORT}
    ruin = bybit_old_cross_inverse_bankruptcy_price(closing_fee_rate=0.00075, **short)
    level = bybit_old_cross_inverse_liquidation_price(maintenance_margin_rate=0.005, closing_fee_rate=0.00075, **short)
    assert ruin == pytest.approx(9_992.5 / 0.75)
    assert 8_000 < level < ruin
    rich = {**short, "balance_base": 1.3}
    assert bybit_old_cross_inverse_bankruptcy_price(closing_fee_rate=0.00075, **rich) is None


def test_okx_and_gate_are_generic_with_their_fee():
    # 10x long at 100: 90 / (1 - 0.4 % - 0.05 %); inverse (1 + 0.45 %) / (1/100 + 1/1000)
    known = {"entry_price": 100.0, "leverage": 10.0, "position_side": LONG, "tiers": flat_tiers(0.004)}
    for venue in ("okx", "gate"):
        assert venue_liquidation_price(venue, quantity_base=3.0, **known) == pytest.approx(90 / 0.9955)
        assert venue_inverse_liquidation_price(venue, notional_usd=300.0, **known) == pytest.approx(1.0045 / 0.011)
    # 50,000, 0.1 coin, margin 500 is 10x; 0.5 % and 0.075 %
    gate = {"entry_price": 50_000.0, "leverage": 10.0, "quantity_base": 0.1, "tiers": flat_tiers(0.005)}
    assert venue_liquidation_price("gate", position_side=LONG, closing_fee_rate=0.00075, **gate) == pytest.approx(
        45_000 / 0.99425
    )
    assert venue_liquidation_price("gate", position_side=SHORT, closing_fee_rate=0.00075, **gate) == pytest.approx(
        55_000 / 1.00575
    )


def test_hyperliquid_forms_agree():
    # 1 coin long, mark 100, account 10, max leverage 10: l = 5 %, maintenance 5, available 5: 100 - 5 / 0.95
    flat = hyperliquid_tiers([(0, 10)])
    known = {"mark_price": 100.0, "quantity_base": 1.0, "position_side": LONG}
    by_margin = hyperliquid_liquidation_price_from_margin(margin_available_usd=5.0, maintenance_margin_rate=0.05, **known)
    assert by_margin == pytest.approx(100 - 5 / 0.95)
    assert hyperliquid_liquidation_price(account_value_usd=10.0, tiers=flat, **known) == pytest.approx(by_margin)
    isolated = hyperliquid_isolated_liquidation_price(
        entry_price=100.0, quantity_base=1.0, position_side=LONG, margin_usd=10.0, tiers=flat
    )
    assert isolated == pytest.approx(by_margin)
    # The vault takes over where equity is 2/3 of maintenance: 90 / (1 - 0.05 x 2/3), between liquidation and bankruptcy.
    backstop = hyperliquid_backstop_price(account_value_usd=10.0, tiers=flat, **known)
    assert backstop == pytest.approx(90 / (1 - 0.1 / 3))
    assert 90 < backstop < by_margin


def test_hyperliquid_published_tiers():
    tables = {
        (0, 40, 150e6, 20): (0.0125, 0.025, 1_875_000),
        (0, 25, 100e6, 15): (0.02, 1 / 30, 4e6 / 3),
        (0, 20, 70e6, 10): (0.025, 0.05, 1_750_000),
        (0, 10, 20e6, 5): (0.05, 0.1, 1_000_000),
    }
    for (low, first, bound, second), (rate, rate2, deduction) in tables.items():
        one, two = hyperliquid_tiers([(low, first), (bound, second)]).tiers
        assert (one.maintenance_margin_rate, one.max_leverage) == (pytest.approx(rate), first)
        assert (two.maintenance_margin_rate, two.maintenance_deduction) == (pytest.approx(rate2), pytest.approx(deduction))


def test_phemex_keeps_the_closing_fee_in_the_position():
    known = {"entry_price": 0.4, "quantity_base": 500.0, "leverage": 5.0}
    assert phemex_position_balance_usd(position_side=LONG, **known) == pytest.approx(40.096)
    long = phemex_liquidation_price(position_side=LONG, maintenance_margin_rate=0.01, **known)
    short = phemex_liquidation_price(position_side=SHORT, maintenance_margin_rate=0.01, **known)
    assert long == pytest.approx((200 - 40.096) / (0.9894 * 500))
    assert short == pytest.approx((200 + 40 + 240 * 0.0006) / (1.0106 * 500))
    by_name = venue_liquidation_price("phemex", position_side=LONG, tiers=flat_tiers(0.01), **known)
    assert by_name == pytest.approx(long)


def test_deribit_maintenance_grows_with_size():
    btc = DERIBIT_MAINTENANCE["BTC"]
    assert deribit_maintenance_margin_rate(btc, size_base=25.0) == pytest.approx(0.01125)
    assert 25.0 * deribit_maintenance_margin_rate(btc, size_base=25.0) == pytest.approx(0.28125)
    # 100 SOL at 10x: 2 % + 100 x 0.0005 % = 2.05 %
    price = deribit_linear_liquidation_price(
        entry_price=200.0, quantity_base=100.0, leverage=10, position_side=LONG, rule=DERIBIT_MAINTENANCE["SOL_USDC"]
    )
    assert price == pytest.approx(180 / 0.9795)
    assert (
        deribit_inverse_liquidation_price(entry_price=1.0, notional_usd=1.0, leverage=1.0, position_side=SHORT, rule=btc) is None
    )
    with pytest.raises(BadArgument, match="every mark"):
        deribit_inverse_liquidation_price(entry_price=1.0, notional_usd=1.0, margin_base=-2.0, position_side=LONG, rule=btc)
    with pytest.raises(BadArgument, match="every mark"):
        # 10 million coins at 0.005 % per coin: maintenance exceeds every equity.
        deribit_inverse_liquidation_price(entry_price=1.0, notional_usd=1e7, leverage=10.0, position_side=SHORT, rule=btc)


@given(st.floats(1e2, 1e8), st.floats(1.1, 50), st.sampled_from([LONG, SHORT]), st.floats(0, 5e-5))
def test_deribit_inverse_meets_its_growing_maintenance(notional, leverage, side, slope):
    entry, rule = 50_000.0, GrowingMaintenance(0.01, slope)
    coins = notional / entry

    def excess(price: float) -> float:
        size = notional / price
        return coins / leverage + side.sign * (coins - size) - size * deribit_maintenance_margin_rate(rule, size_base=size)

    known = {"entry_price": entry, "notional_usd": notional, "leverage": leverage, "position_side": side, "rule": rule}
    if excess(entry) <= 0:
        return
    price = deribit_inverse_liquidation_price(**known)
    slow = bisect(excess, entry, entry / 1000 if side is LONG else entry * 1000)
    assert price == pytest.approx(slow, rel=1e-7)
    if slope == 0:
        generic = inverse_liquidation_price(
            entry_price=entry, leverage=leverage, position_side=side, maintenance_margin_rate=0.01
        )
        assert price == pytest.approx(generic)


def test_ladders_of_other_forms():
    # adjust 0.7 at 75x: 0.933 %, so a long dies about 0.4 % below its entry
    rate = htx_maintenance_margin_rate(adjust_factor=0.7, leverage=75)
    assert rate == pytest.approx(0.7 / 75)
    price = venue_liquidation_price(
        "htx", entry_price=100.0, leverage=75, position_side=LONG, quantity_base=1.0, tiers=flat_tiers(rate)
    )
    assert 100 - price == pytest.approx(0.4, abs=0.02)
    table = stepped_tiers(first_cap=10, cap_step=5, first_rate=0.004, rate_step=0.002, count=3, measure=TierMeasure.SIZE)
    assert [tier.floor for tier in table.tiers] == [0, 10, 15]
    assert [tier.maintenance_margin_rate for tier in table.tiers] == pytest.approx([0.004, 0.006, 0.008])
    assert table.known_to == 20
    with pytest.raises(BadArgument, match="count"):
        stepped_tiers(first_cap=1, cap_step=1, first_rate=0.1, rate_step=0.1, count=0)


def test_gate_documented_deductions():
    table = continuous_tiers([(0, 0.01), (20e3, 0.013), (30e3, 0.015), (50e3, 0.02)])
    assert [tier.maintenance_deduction for tier in table.tiers] == pytest.approx([0, 60, 120, 370])


def test_every_default_table_is_continuous_and_marked():
    for venue, tables in DEFAULT_TIERS.items():
        assert set(tables) == set(AssetClass)
        for asset, table in tables.items():
            assert default_tiers(venue, asset) is table
            assert is_continuous(table)
            assert table.source
            assert (table.evidence is Evidence.UNVERIFIED) == table.source.endswith("memory")
    assert default_tiers("hyperliquid", AssetClass.BTC).tiers[0].maintenance_margin_rate == pytest.approx(0.0125)
    with pytest.raises(BadArgument, match="binance"):
        default_tiers("nowhere", AssetClass.BTC)


def test_what_a_rule_lacks_is_said():
    known = {"entry_price": 1.0, "leverage": 2.0, "position_side": LONG, "tiers": flat_tiers(0.01)}
    with pytest.raises(BadArgument, match="taker fee"):
        venue_liquidation_price("mexc", quantity_base=1.0, **known)
    assert venue_liquidation_price("mexc", quantity_base=1.0, closing_fee_rate=0.0, **known) == pytest.approx(0.5 / 0.99)
    with pytest.raises(BadArgument, match="no tier table") as caught:
        venue_inverse_liquidation_price("deribit", notional_usd=1.0, **known)
    assert "deribit_inverse_liquidation_price" in caught.value.hint
    with pytest.raises(BadArgument, match="nowhere"):
        venue_liquidation_price("nowhere", quantity_base=1.0, **known)
    assert venue_rule("bybit", INVERSE).date == "2026-05-27"


@given(st.sampled_from(sorted({venue for venue, kind in VENUE_RULES if kind is LINEAR} - {"deribit", "phemex"})))
def test_linear_rules_are_the_tiered_formula_with_their_fee(venue):
    fee = venue_rule(venue, LINEAR).closing_fee_rate
    known = {"entry_price": 100.0, "leverage": 7.0, "position_side": SHORT, "quantity_base": 2.0, "tiers": flat_tiers(0.02)}
    given_fee = 0.0007 if fee is None else fee
    found = venue_liquidation_price(venue, closing_fee_rate=given_fee, **known)
    assert found == tiered_liquidation_price(closing_fee_rate=given_fee, **known)


def test_the_page_lists_every_rule():
    page = (Path(__file__).parents[2] / "docs" / "margin.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    listed = {(row[0], row[1]): row for row in rows if len(row) == 6}
    for (venue, kind), rule in VENUE_RULES.items():
        row = listed[venue, kind.value]
        fee = "taker, to be given" if rule.closing_fee_rate is None else f"{rule.closing_fee_rate * 100:.3g} %"
        assert (row[3], row[5]) == (fee, rule.evidence.value)
        assert rule.date in row[4]
        assert rule.source.split(" ")[0] in row[4]
