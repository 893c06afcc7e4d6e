"""Measured positions in a map: exact levels, the model keeps the rest, nothing is known before its time or after its age."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from engine_scenes import assert_same, market, stored
from positions_scenes import END, FRAMES, MARK, NAME, OPEN, look

from liqscape.engine.maps import build_map
from liqscape.engine.positions.tracker import LADDERS
from liqscape.model import PositionSide
from liqscape.model.maps import Reading
from liqscape.store import Table
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE


def home(path, *rows: dict[str, object]):
    workspace = stored(path, FRAMES)
    if rows:
        schema = {"liquidation_price": pl.Float64()}
        workspace.store.append(Table.POSITIONS, pl.DataFrame(list(rows), schema_overrides=schema), writer="test", batch=1)
    return workspace


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return build_map(home(tmp_path_factory.mktemp("plain")), NAME)


def total(balance, side: str) -> float:
    return getattr(balance, f"{side}_base") + getattr(balance, f"{side}_reservoir_base")


def test_positions_stand_at_their_levels_and_the_model_keeps_the_rest(tmp_path, plain):
    quarter = 0.25 * OPEN
    found = build_map(
        home(
            tmp_path,
            look("0xa", quarter, MARK * 0.9475),  # 5.25 % below: bucket 52
            look("0xb", -0.1 * OPEN, MARK * 1.1),
            look("0xc", -0.1 * OPEN, None),  # no price liquidates it: known, not on the map
        ),
        NAME,
    )
    long, short = found.long, found.short
    assert np.flatnonzero(long.measured_usd).tolist() == [52]
    assert long.measured_usd[52] == pytest.approx(quarter * MARK * (1.0 - 0.0525))
    assert np.flatnonzero(short.measured_usd).tolist() == [100]
    # A quarter of longs and a fifth of shorts is known: so much less is modelled, everywhere alike.
    np.testing.assert_allclose(long.usd - long.measured_usd, 0.75 * plain.long.usd, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(short.usd - short.measured_usd, 0.80 * plain.short.usd, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(long.prior_usd, 0.75 * plain.long.prior_usd)
    np.testing.assert_allclose(long.draws_usd, 0.75 * plain.long.draws_usd + long.measured_usd)
    np.testing.assert_allclose(long.age_s, plain.long.age_s, rtol=1e-9)
    balance = found.balance
    assert balance.open_interest_base == pytest.approx(OPEN)
    assert total(balance, "long") == pytest.approx(OPEN, rel=1e-14)
    assert total(balance, "short") == pytest.approx(OPEN, rel=1e-14)
    assert balance.long_measured_base == pytest.approx(quarter)
    assert balance.measured_share == pytest.approx(0.5 * (0.25 + 0.2))
    np.testing.assert_allclose(long.tier_usd.sum(axis=0), long.usd, rtol=1e-9)
    np.testing.assert_allclose(long.class_usd.sum(axis=0), long.usd, rtol=1e-9)
    told = found.inputs[0].measured
    assert told is not None
    assert (told.accounts, told.stale, told.passed, told.more_than_open) == (3, 0, 0, False)
    assert (told.long_share, told.short_share) == (pytest.approx(0.25), pytest.approx(0.2))


def test_without_positions_nothing_changes(tmp_path, plain):
    other = look("0xa", 5.0, 1.0, instrument="hyperliquid:ETH")
    found = build_map(home(tmp_path, other), NAME)
    assert_same(found, plain)
    assert plain.inputs[0].measured is None
    assert not plain.long.measured_usd.any()
    assert plain.balance.measured_share == 0.0


def test_what_was_looked_at_later_is_not_known(tmp_path):
    then = END - 2 * NS_PER_HOUR
    workspace = home(
        tmp_path,
        look("0xa", 0.1 * OPEN, MARK * 0.5, age_ns=2 * NS_PER_HOUR + NS_PER_MINUTE),
        look("0xa", 0.3 * OPEN, MARK * 0.5, age_ns=NS_PER_HOUR),
        look("0xb", 0.3 * OPEN, MARK * 0.5, age_ns=3 * NS_PER_HOUR, ts_recv=END),
    )
    before = build_map(workspace, NAME, as_of_ns=then).inputs[0].measured
    after = build_map(workspace, NAME).inputs[0].measured
    assert before is not None
    assert after is not None
    assert before.accounts == 1
    assert before.long_share == pytest.approx(0.1, rel=0.05)  # open interest was another two hours ago
    assert after.long_share == pytest.approx(0.6)


def test_looks_that_are_too_old_are_modelled_again_and_counted(tmp_path, plain):
    found = build_map(home(tmp_path, look("0xa", 0.2 * OPEN, MARK * 0.9, age_ns=4 * NS_PER_HOUR)), NAME)
    told = found.inputs[0].measured
    assert told is not None
    assert (told.accounts, told.stale, told.oldest_ns) == (0, 1, None)
    np.testing.assert_array_equal(found.long.usd, plain.long.usd)


def test_a_position_that_was_closed_is_gone_and_not_stale(tmp_path):
    rows = [look("0xa", 1.0, None, age_ns=NS_PER_HOUR), look("0xa", 0.0, None, entry_price=None, mark_price=None)]
    told = build_map(home(tmp_path, *rows), NAME).inputs[0].measured
    assert told is not None
    assert (told.accounts, told.stale) == (0, 0)


def test_a_level_that_price_went_through_since_the_look_is_gone(tmp_path):
    bars = FRAMES[Table.BARS].filter(pl.col("ts") >= END - NS_PER_HOUR)
    low, high = float(bars["low"].min()), float(bars["high"].max())
    found = build_map(
        home(
            tmp_path,
            look("0xa", 1.0, low * 1.00001, age_ns=NS_PER_HOUR + 1),
            look("0xb", 1.0, low * 0.99999, age_ns=NS_PER_HOUR + 1),
            look("0xc", -1.0, high * 0.99999, age_ns=NS_PER_HOUR + 1),
            look("0xd", -1.0, MARK * 0.9999),  # beyond the mark already
        ),
        NAME,
    )
    told = found.inputs[0].measured
    assert told is not None
    assert (told.accounts, told.passed) == (1, 3)


def test_more_than_is_open_is_scaled_down_and_said(tmp_path):
    found = build_map(home(tmp_path, look("0xa", 2.0 * OPEN, MARK * 0.9)), NAME)
    told = found.inputs[0].measured
    assert told is not None
    assert told.more_than_open
    assert told.long_share == 1.0
    assert found.balance.long_base == pytest.approx(OPEN)
    assert found.long.usd.sum() == pytest.approx(found.long.measured_usd.sum())


def test_a_cross_level_moves_with_the_other_leg(tmp_path):
    # 1 BTC long and 20 ETH short. At the look ETH stood at 4,000; now, says another account's newer look, at 4,400: 8,000 lost.
    btc, eth = 0.0125, 0.02
    equity = 30_000.0
    workspace = stored(tmp_path, FRAMES)
    workspace.state.set(LADDERS, "hyperliquid", {NAME: [[0.0, btc, 0.0, 40]], "hyperliquid:ETH": [[0.0, eth, 0.0, 25]]})
    before = (MARK - equity + 20.0 * 4_000.0 * eth) / (1.0 - btc)
    after = (MARK - (equity - 8_000.0) + 20.0 * 4_400.0 * eth) / (1.0 - btc)
    short = {"instrument": "hyperliquid:ETH", "entry_price": 4_000.0, "mark_price": 4_000.0}
    rows = [
        look("0xa", 1.0, before, equity_usd=equity, age_ns=NS_PER_HOUR),
        look("0xa", -20.0, None, equity_usd=equity, age_ns=NS_PER_HOUR, **short),
        look("0xb", -1.0, None),
        look("0xb", 1.0, None, **(short | {"mark_price": 4_400.0})),
        # Its collateral lies elsewhere: the solver would liquidate it at once, the venue says nothing does.
        look("0xc", 2.0, None, equity_usd=0.0, age_ns=NS_PER_HOUR),
        look("0xc", -1.0, None, equity_usd=0.0, age_ns=NS_PER_HOUR, **short),
    ]
    workspace.store.append(
        Table.POSITIONS, pl.DataFrame(rows, schema_overrides={"liquidation_price": pl.Float64()}), writer="test", batch=1
    )
    found = build_map(workspace, NAME)
    told = found.inputs[0].measured
    assert told is not None
    assert (told.accounts, told.solved, told.held) == (3, 1, 2)
    (bucket,) = np.flatnonzero(found.long.measured_usd)
    assert found.long.edge_price[bucket] >= after >= found.long.edge_price[bucket + 1]
    assert after - before > 0.1 * MARK


def test_on_a_joined_map_measured_dollars_are_a_part_and_are_never_divided(tmp_path):
    binance = market(3, seed=2, oi=OPEN)
    workspace = stored(tmp_path, FRAMES, binance)
    row = look("0xa", 0.5 * OPEN, MARK * 0.9)
    workspace.store.append(Table.POSITIONS, pl.DataFrame([row]), writer="test", batch=1)
    (tmp_path / "settings.toml").write_text(
        "[reported_share]\nbinance = [0.2, 0.1, 0.4]\nhyperliquid = [0.2, 0.1, 0.4]\n", encoding="utf-8"
    )
    published, true = build_map(workspace, "BTC"), build_map(workspace, "BTC", reading=Reading.TRUE)
    assert published.balance.measured_share == pytest.approx(0.125, rel=0.1)
    assert total(published.balance, "long") == pytest.approx(published.balance.open_interest_base, rel=1e-14)
    np.testing.assert_allclose(true.long.measured_usd, published.long.measured_usd)
    modelled = [m.long.usd - m.long.measured_usd for m in (published, true)]
    np.testing.assert_allclose(modelled[1], 5.0 * modelled[0], rtol=1e-6, atol=1e-3)
    assert {str(i.instrument): i.measured is not None for i in published.inputs} == {NAME: True, "binance:BTCUSDT": False}
    assert published.side(PositionSide.SHORT).measured_usd.sum() == 0.0
