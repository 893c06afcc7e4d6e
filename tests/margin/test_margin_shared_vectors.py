"""Every vector of the shared margin reference, within its stated tolerance; skipped only where the shared folder is absent."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from liqscape.margin import (
    AssetClass,
    CrossPosition,
    MaintenanceTier,
    TierTable,
    bankruptcy_price,
    cross_liquidation_price,
    default_tiers,
    flat_tiers,
    inverse_liquidation_price,
    is_continuous,
    liquidation_price,
    liquidation_prices,
    maintenance_margin,
    tier_at,
    tier_deduction,
    tiered_liquidation_price,
    venue_liquidation_price,
)
from liqscape.margin.binance import binance_usdm_liquidation_price
from liqscape.margin.bybit import (
    bybit_classic_inverse_liquidation_price,
    bybit_classic_linear_liquidation_price,
    bybit_old_cross_inverse_bankruptcy_price,
    bybit_old_cross_inverse_liquidation_price,
    bybit_uta_inverse_liquidation_price,
)
from liqscape.margin.deribit import GrowingMaintenance, deribit_maintenance_margin_rate
from liqscape.margin.hyperliquid import (
    hyperliquid_isolated_liquidation_price,
    hyperliquid_liquidation_price_from_margin,
    hyperliquid_tiers,
)
from liqscape.margin.phemex import phemex_liquidation_price, phemex_position_balance_usd
from liqscape.model import PositionSide

FIXTURES = Path(__file__).parents[2].parent / "shared" / "reference" / "fixtures"
pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared reference folder is absent")
SIDE = {1: PositionSide.LONG, -1: PositionSide.SHORT, "long": PositionSide.LONG, "short": PositionSide.SHORT}


@cache
def read(name: str) -> Any:
    path = FIXTURES / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


VECTORS: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in read("margin_vectors.json")}
SHARED_TIERS = "generic_tier_at_liq_long"


def vectors(**wanted: str) -> list[str]:
    return [name for name, vector in VECTORS.items() if all(vector.get(key) == value for key, value in wanted.items())]


def close(vector: dict[str, Any], price: float | None, key: str = "expected_liq") -> bool:
    assert price is not None
    return price == pytest.approx(vector[key], rel=vector.get("tol_rel", 0.0), abs=vector.get("tol_abs", 0.0))


def test_every_vector_has_a_test_here():
    kinds = {"cum", "bankruptcy", "tiers", "maintenance"}
    formulas = {"generic", "bybit_classic", "bybit_old_cross", "phemex"}
    known = {name for name, vector in VECTORS.items() if vector.get("kind") in kinds or vector.get("formula") in formulas}
    assert set(VECTORS) == known | set(vectors(venue="binance_usdm"))
    assert len(VECTORS) == 27


@pytest.mark.parametrize("name", vectors(kind="cum"))
def test_deduction(name):
    given = VECTORS[name]["inputs"]
    found = tier_deduction(
        floor=given["floor"],
        maintenance_margin_rate=given["mmr"],
        previous_rate=given["mmr_prev"],
        previous_deduction=given["cum_prev"],
    )
    assert found == pytest.approx(VECTORS[name]["expected"], rel=1e-12)


@pytest.mark.parametrize("name", vectors(kind="bankruptcy"))
def test_bankruptcy(name):
    given = VECTORS[name]["inputs"]
    found = bankruptcy_price(entry_price=given["entry"], leverage=given["leverage"], position_side=SIDE[given["side"]])
    assert found == pytest.approx(VECTORS[name]["expected"], rel=1e-12)


@pytest.mark.parametrize("name", vectors(kind="tiers"))
def test_hyperliquid_tiers(name):
    expected = VECTORS[name]["tiers"]
    found = hyperliquid_tiers([(row["lower_bound"], row["max_leverage"]) for row in expected])
    for tier, row in zip(found.tiers, expected, strict=True):
        assert tier.maintenance_margin_rate == pytest.approx(row["mmr"], rel=1e-8)
        assert tier.maintenance_deduction == pytest.approx(row["deduction"], rel=1e-8)


@pytest.mark.parametrize("name", vectors(kind="maintenance"))
def test_deribit_maintenance(name):
    given = VECTORS[name]["inputs"]
    rate = deribit_maintenance_margin_rate(GrowingMaintenance(given["base"], given["slope"]), size_base=given["size_btc"])
    assert rate == pytest.approx(VECTORS[name]["expected_rate"], rel=1e-12)
    assert rate * given["size_btc"] == pytest.approx(VECTORS[name]["expected_btc"], rel=1e-12)


@pytest.mark.parametrize("name", [name for name in vectors(venue="binance_usdm") if "kind" not in VECTORS[name]])
def test_binance_usdm(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    found = binance_usdm_liquidation_price(
        entry_price=given["entry"],
        quantity_base=given["qty"],
        position_side=SIDE[given["side"]],
        maintenance_margin_rate=given["mmr"],
        maintenance_deduction_usd=given["cum"],
        wallet_balance_usd=given.get("wallet_balance", given.get("margin")),
        other_maintenance_usd=given.get("other_maint_margin", 0.0),
        other_unrealised_usd=given.get("other_upnl", 0.0),
    )
    assert close(vector, found)
    assert close(vector, found, "published")


def one_bracket(rate: float, deduction: float) -> TierTable:
    # The example names one bracket per symbol; below its floor the deduction would not apply, above it does.
    return TierTable((MaintenanceTier(0.0, rate, deduction),))


@pytest.mark.parametrize("name", [name for name in VECTORS if name.startswith("binance_um_cross")])
def test_binance_usdm_cross_account(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    others = [
        CrossPosition(
            entry_price=other["entry"],
            mark_price=other["mark"],
            quantity_base=other["qty"],
            position_side=SIDE[other["side"]],
            tiers=one_bracket(other["mmr"], other["cum"]),
        )
        for other in given["others"]
    ]
    mine = CrossPosition(
        entry_price=given["entry"],
        mark_price=given["entry"],
        quantity_base=given["qty"],
        position_side=SIDE[given["side"]],
        tiers=one_bracket(given["mmr"], given["cum"]),
    )
    assert close(vector, cross_liquidation_price(mine, wallet_balance_usd=given["wallet_balance"], others=others))


@pytest.mark.parametrize(
    "name", [name for name in vectors(formula="generic", contract="linear") if "mmr" in VECTORS[name]["inputs"]]
)
def test_generic_linear(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    found = liquidation_price(
        entry_price=given["entry"],
        quantity_base=given["qty"],
        position_side=SIDE[given["side"]],
        maintenance_margin_rate=given["mmr"],
        maintenance_deduction_usd=given["deduction"],
        margin_usd=given["margin"],
        closing_fee_rate=given["fee"],
    )
    assert close(vector, found)
    if vector["venue"] == "gate":
        by_name = venue_liquidation_price(
            "gate",
            entry_price=given["entry"],
            leverage=given["qty"] * given["entry"] / given["margin"],
            position_side=SIDE[given["side"]],
            quantity_base=given["qty"],
            tiers=flat_tiers(given["mmr"]),
            closing_fee_rate=given["fee"],
        )
        assert close(vector, by_name)
    if vector["venue"] == "hyperliquid":
        by_tiers = hyperliquid_isolated_liquidation_price(
            entry_price=given["entry"],
            quantity_base=given["qty"],
            position_side=SIDE[given["side"]],
            margin_usd=given["margin"],
            tiers=hyperliquid_tiers([(0, given["max_leverage"])]),
        )
        assert close(vector, by_tiers)


@pytest.mark.parametrize("name", vectors(formula="generic", contract="inverse"))
def test_generic_inverse(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    known = {"entry_price": given["entry"], "position_side": SIDE[given["side"]], "maintenance_margin_rate": given["mmr"]}
    found = inverse_liquidation_price(
        notional_usd=given["usd"],
        margin_base=given["margin"],
        maintenance_deduction_base=given["deduction"],
        closing_fee_rate=given["fee"],
        **known,
    )
    assert close(vector, found)
    if vector["venue"] == "bybit":
        leverage = given["usd"] / given["entry"] / given["margin"]
        assert close(vector, bybit_uta_inverse_liquidation_price(notional_usd=given["usd"], leverage=leverage, **known))


@pytest.mark.parametrize("name", [name for name in VECTORS if name.startswith("generic_tier_at_liq")])
def test_generic_tier_at_the_liquidation_price(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    rows = VECTORS[SHARED_TIERS]["inputs"]["tiers"]
    table = TierTable(tuple(MaintenanceTier(float(row["floor"]), row["mmr"], row["cum"]) for row in rows))
    assert is_continuous(table)
    found = tiered_liquidation_price(
        entry_price=given["entry"],
        quantity_base=given["qty"],
        position_side=SIDE[given["side"]],
        tiers=table,
        margin_usd=given["margin"],
        closing_fee_rate=given["fee"],
    )
    assert close(vector, found)
    assert tier_at(table, notional=given["qty"] * found).maintenance_margin_rate == vector["expected_tier_mmr"]
    assert close(vector, float(liquidation_prices(given["entry"], given["qty"], given["margin"], given["side"], table)[0]))


@pytest.mark.parametrize("name", vectors(formula="bybit_classic"))
def test_bybit_classic(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    known = {
        "entry_price": given["entry"],
        "leverage": given["leverage"],
        "position_side": SIDE[given["side"]],
        "maintenance_margin_rate": given["mmr"],
    }
    if vector["contract"] == "inverse":
        assert close(vector, bybit_classic_inverse_liquidation_price(notional_usd=given["usd"], **known))
    else:
        found = bybit_classic_linear_liquidation_price(
            quantity_base=given["qty"],
            maintenance_deduction_usd=given["deduction"],
            extra_margin_usd=given["extra"],
            **known,
        )
        assert close(vector, found)


@pytest.mark.parametrize("name", vectors(formula="bybit_old_cross"))
def test_bybit_old_cross(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    known = {
        "entry_price": given["entry"],
        "notional_usd": given["usd"],
        "position_side": SIDE[given["side"]],
        "balance_base": given["balance"],
        "closing_fee_rate": given["taker_fee"],
    }
    bankrupt = bybit_old_cross_inverse_bankruptcy_price(**known)
    assert bankrupt == pytest.approx(vector["expected_bankruptcy"], abs=1e-4)
    price = bybit_old_cross_inverse_liquidation_price(maintenance_margin_rate=given["mmr"], **known)
    assert price == pytest.approx(vector["expected_liq"], abs=1e-4)
    assert close(vector, price, "published_liq")
    assert close(vector, bankrupt, "published_bankruptcy")


@pytest.mark.parametrize("name", vectors(formula="phemex"))
def test_phemex(name):
    vector = VECTORS[name]
    given = vector["inputs"]
    known = {
        "entry_price": given["entry"],
        "quantity_base": given["qty"],
        "leverage": given["leverage"],
        "position_side": SIDE[given["side"]],
        "closing_fee_rate": given["fee"],
    }
    assert phemex_position_balance_usd(**known) == pytest.approx(vector["expected_apb"], rel=vector["tol_rel"])
    found = phemex_liquidation_price(maintenance_margin_rate=given["mmr"], maintenance_deduction_usd=given["mm_amount"], **known)
    assert close(vector, found)


@pytest.mark.parametrize(
    "row", read("hyperliquid/liquidation_price_vectors.json"), ids=lambda row: f"{row['coin']}-{row['size']}"
)
def test_hyperliquid_real_positions(row):
    # The file states the formula's own error for each position; rounded margins make the largest of them 3.5e-5.
    side, rate = SIDE[row["side"]], 0.5 / row["max_leverage_then"]
    tolerance = row["formula_rel_err"] * 1.01 + 1e-9
    isolated = hyperliquid_isolated_liquidation_price(
        entry_price=row["entryPx"],
        quantity_base=row["size"],
        position_side=side,
        margin_usd=row["isolated_margin"],
        tiers=hyperliquid_tiers([(0, row["max_leverage_then"])]),
    )
    assert isolated == pytest.approx(row["liquidationPx"], rel=tolerance)
    by_margin = hyperliquid_liquidation_price_from_margin(
        mark_price=row["entryPx"],
        quantity_base=row["size"],
        position_side=side,
        margin_available_usd=row["isolated_margin"] - row["size"] * row["entryPx"] * rate,
        maintenance_margin_rate=rate,
    )
    assert by_margin == pytest.approx(row["liquidationPx"], rel=tolerance)


def test_hyperliquid_file_is_whole():
    assert len(read("hyperliquid/liquidation_price_vectors.json")) == 29


def test_binance_brackets_are_continuous_and_the_defaults_are_theirs():
    _, symbols = read("binance_usdm/leverage_brackets_all_2026-09.json")
    assert len(symbols) == 907
    for symbol, rows in symbols.items():
        table = TierTable(tuple(MaintenanceTier(float(row[0]), row[2], row[3], row[4]) for row in rows), source=symbol)
        assert is_continuous(table), symbol
        for floor, cap, *_ in rows:
            assert maintenance_margin(table, notional=cap) >= maintenance_margin(table, notional=float(floor))
    for asset, symbol in ((AssetClass.BTC, "BTC"), (AssetClass.ETH, "ETH"), (AssetClass.MID_CAP, "SOL")):
        rows = symbols[f"{symbol}/USDT:USDT"]
        table = default_tiers("binance", asset)
        assert table.known_to == rows[-1][1]
        found = [(tier.floor, tier.maintenance_margin_rate, tier.maintenance_deduction) for tier in table.tiers]
        assert found == [pytest.approx((row[0], row[2], row[3]), abs=1e-6) for row in rows]
    lists = [json.dumps([(row[0], row[2]) for row in rows]) for rows in symbols.values()]
    small = default_tiers("binance", AssetClass.SMALL)
    commonest = json.loads(max(set(lists), key=lists.count))
    assert [[tier.floor, tier.maintenance_margin_rate] for tier in small.tiers] == commonest
