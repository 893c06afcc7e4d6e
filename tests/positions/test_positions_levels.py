"""Levels of followed positions against the plain twin, the recorded vectors and real accounts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from levels_twin import levels

from liqscape.engine.positions.levels import standing, tables_of
from liqscape.margin.hyperliquid import hyperliquid_tiers
from liqscape.model import AccountPosition, AccountState, InstrumentId, MarginMode
from liqscape.store import SCHEMAS, Table
from liqscape.venues.hyperliquid import accounts

SHARED = Path(__file__).parents[3] / "shared"
BTC = InstrumentId("hyperliquid", "BTC")
NAMES = ("hyperliquid:BTC", "hyperliquid:ETH", "hyperliquid:SOL")
MARKS = {NAMES[0]: 100.0, NAMES[1]: 10.0, NAMES[2]: 1.0}
TIERS = {NAMES[0]: hyperliquid_tiers([(0, 40), (1000, 20)]), NAMES[1]: hyperliquid_tiers([(0, 25)])}


@st.composite
def accounts_of(draw) -> pl.DataFrame:
    """Up to six accounts with one to three legs; the venue's price is right, absent or of another account."""
    rows: list[dict[str, object]] = []
    for number in range(draw(st.integers(1, 6))):
        equity = draw(st.floats(-50.0, 5000.0))
        for name in NAMES[: draw(st.integers(1, 3))]:
            mark = MARKS[name] * draw(st.floats(0.8, 1.25))
            rows.append(
                {
                    "instrument": name,
                    "account": f"0x{number}",
                    "ts": 1,
                    "ts_recv": 1,
                    "quantity_base": draw(st.sampled_from((-1.0, 1.0))) * draw(st.floats(0.1, 50.0)) * 100.0 / MARKS[name],
                    "entry_price": mark * draw(st.floats(0.7, 1.4)),
                    "mark_price": mark,
                    "liquidation_price": draw(st.one_of(st.none(), st.floats(0.3, 2.0).map(lambda x, m=mark: x * m))),
                    "margin_mode": draw(st.sampled_from(("cross", "cross", "cross", "isolated"))),
                    "margin_usd": 1.0,
                    "max_leverage": draw(st.sampled_from((None, 20.0, 10.0))),
                    "equity_usd": equity,
                    "source": "test",
                }
            )
    return pl.DataFrame(rows, schema=SCHEMAS[Table.POSITIONS].columns)


def believed(rows: pl.DataFrame) -> pl.DataFrame:
    """Put the solver's own price where the venue's stands, so that the accounts agree."""
    exact = levels_at_look(rows)
    mine = rows["instrument"] == NAMES[0]
    said = rows["liquidation_price"].to_list()
    for i, price in zip(np.flatnonzero(mine.to_numpy()), exact, strict=True):
        said[i] = price
    return rows.with_columns(pl.Series("liquidation_price", said, pl.Float64()))


def levels_at_look(rows: pl.DataFrame) -> list[float | None]:
    from levels_twin import _solve

    from liqscape.errors import BadArgument

    found: list[float | None] = []
    for _, group in rows.group_by("account", maintain_order=True):
        legs = [leg for leg in group.to_dicts() if leg["margin_mode"] == "cross"]
        mine = [leg for leg in legs if leg["instrument"] == NAMES[0]]
        if not mine:
            found.append(50.0)
            continue
        wallet = mine[0]["equity_usd"] - sum(g["quantity_base"] * (g["mark_price"] - g["entry_price"]) for g in legs)
        try:
            found.append(_solve([*mine, *(leg for leg in legs if leg is not mine[0])], {}, wallet, TIERS))
        except BadArgument:
            found.append(None)
    return found


@pytest.mark.parametrize("agree", [False, True])
@given(rows=accounts_of())
def test_many_at_once_are_as_one_by_one(rows: pl.DataFrame, agree: bool):
    rows = believed(rows) if agree else rows
    found = standing(rows, BTC, MARKS, TIERS)
    np.testing.assert_allclose(found.price, levels(rows, NAMES[0], MARKS, TIERS), rtol=1e-9)
    assert found.solved + found.held <= len(found)


def test_margin_tables_are_read_as_the_tracker_remembers_them():
    found = tables_of({NAMES[0]: [[0.0, 0.0125, 0.0, 40.0], [150e6, 0.025, 1_875_000.0, 20.0]]})
    expected = hyperliquid_tiers([(0, 40), (150e6, 20)]).tiers
    assert found[NAMES[0]].tiers == expected
    assert tables_of(None) == {}


def test_recorded_vectors_pass_through_unchanged_because_isolated_levels_stand_still():
    path = SHARED / "reference" / "fixtures" / "hyperliquid" / "liquidation_price_vectors.json"
    if not path.is_file():
        pytest.skip("shared reference is not there")
    vectors = json.loads(path.read_text(encoding="utf-8"))
    assert len(vectors) == 29
    for vector in vectors:
        side = 1.0 if vector["side"] == "long" else -1.0
        rows = pl.DataFrame(
            [
                {
                    "instrument": f"hyperliquid:{vector['coin']}",
                    "account": "0xa",
                    "ts": 1,
                    "quantity_base": side * vector["size"],
                    "entry_price": vector["entryPx"],
                    "mark_price": vector["entryPx"],
                    "liquidation_price": vector["liquidationPx"],
                    "margin_mode": "isolated",
                    "margin_usd": vector["isolated_margin"],
                    "max_leverage": float(vector["max_leverage_then"]),
                    "equity_usd": 0.0,
                    "source": "test",
                }
            ]
        ).with_columns(ts_recv=pl.lit(1))
        instrument = InstrumentId("hyperliquid", vector["coin"])
        told = standing(rows, instrument, {str(instrument): 2.0 * vector["entryPx"]}, {})
        assert told.price[0] == vector["liquidationPx"]
        # The same margin as the whole wallet of a cross account beside an empty leg: the solver gives the venue's price.
        other = rows.with_columns(
            instrument=pl.lit("hyperliquid:X"), quantity_base=pl.lit(1e-12), liquidation_price=pl.lit(None, pl.Float64())
        )
        cross = pl.concat([rows, other]).with_columns(margin_mode=pl.lit("cross"), equity_usd=pl.lit(vector["isolated_margin"]))
        solved = standing(cross, instrument, {}, {})
        assert (solved.solved, solved.held) == (1, 0)
        assert solved.price[0] == pytest.approx(vector["liquidationPx"], rel=1e-4)


def test_a_recorded_account_with_twelve_cross_legs_is_known_to_the_solver():
    folder = SHARED / "reference" / "fixtures" / "hyperliquid"
    if not folder.is_dir():
        pytest.skip("shared reference is not there")
    body = json.dumps(json.loads((folder / "info_clearinghouseState.json").read_text(encoding="utf-8"))["response"])
    meta = json.loads((folder / "info_meta.json").read_text(encoding="utf-8"))["response"]["universe"]
    tiers = {f"hyperliquid:{a['name'].upper()}": hyperliquid_tiers([(0.0, a["maxLeverage"])]) for a in meta}
    (state,) = accounts.state(body.encode(), "0x" + "5" * 40, 1_790_000_000_000_000_000)
    assert isinstance(state, AccountState)
    rows = rows_of_state(state)
    known = [standing(rows, position.instrument, {}, tiers) for position in state.positions]
    assert len(known) == 12
    # Of the twelve seven have no level, which the solver says too; the others are within 1 % of what the venue said.
    assert sum(each.solved for each in known) == 12
    assert sum(bool(np.isnan(each.price[0])) for each in known) == 7


def rows_of_state(state: AccountState) -> pl.DataFrame:
    from liqscape.engine.positions.rows import rows_of

    return rows_of([(state, None)]).sort("account", "instrument")


def test_a_state_becomes_rows_and_levels():
    legs = tuple(
        AccountPosition(
            instrument=InstrumentId("hyperliquid", coin),
            quantity_base=quantity,
            entry_price=100.0,
            mark_price=100.0,
            margin_mode=MarginMode.CROSS,
            margin_usd=1.0,
            max_leverage=20.0,
            liquidation_price=price,
        )
        for coin, quantity, price in (("BTC", 10.0, 66.6667), ("ETH", -10.0, None))
    )
    # 10 long at 100, 10 short at 100 of another coin, 400 of equity: 375 are free beside the other leg, level at
    # (1000 - 375) / (10 x 0.975) = 64.1; the venue says 66.7, which is another account's: kept.
    state = AccountState(venue="hyperliquid", account="0xa", ts_venue=1, ts_recv=1, cross_equity_usd=400.0, positions=legs)
    found = standing(rows_of_state(state), BTC, {}, {})
    assert (found.solved, found.held) == (0, 1)
    assert found.price[0] == 66.6667
