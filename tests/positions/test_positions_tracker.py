"""Following accounts of an invented exchange: found, asked within the budget, stored when they change, known again later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from invented_exchange import Exchange, address

from liqscape.engine.positions import Plan, Tracker, track
from liqscape.engine.positions.tracker import ADDRESSES, LADDERS, spare_weight
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import ContractKind, InstrumentId, InstrumentSpec, TakerSide, Ticker, Trade
from liqscape.store import Table
from liqscape.testing.virtual import VirtualLoop, run_virtual
from liqscape.venues.bybit import Bybit
from liqscape.venues.client import Client
from liqscape.venues.hyperliquid import Hyperliquid
from liqscape.venues.hyperliquid.venue import LIQUIDITY_VAULT

BTC = InstrumentId("hyperliquid", "BTC")
SPECS = {"BTC": InstrumentSpec(id=BTC, base="BTC", quote="USDC", kind=ContractKind.LINEAR, contract_size=1.0)}
PLAN = Plan(most_accounts=1200)


def crowd(loop: VirtualLoop, count: int, **changes) -> Exchange:
    """Longs of 1 BTC at 100,000, number i liquidated i * 0.1 % below; every fourth holds nothing, every fifth also ETH."""
    accounts: dict[str, list] = {}
    for i in range(1, count + 1):
        level = 100_000.0 * (1.0 - 0.001 * i) if i < 900 else 5_000.0
        legs = [] if i % 4 == 0 else [("BTC", 1.0, 100_000.0, level)]
        accounts[address(i)] = legs + ([("ETH", -1.0, 4_000.0, 9_000.0)] if i % 5 == 0 and legs else [])
    return Exchange(loop, {"BTC": 100_000.0, "ETH": 4_000.0}, accounts, **changes)


def _all_different(exchange: Exchange) -> None:
    for i, account in enumerate(exchange.accounts):
        exchange.accounts[account] = [("BTC", float(i + 1), 1e5, None)]


async def follow(
    exchange: Exchange, workspace: Workspace, seconds: float, during: Callable[[Tracker], None] | None = None, plan: Plan = PLAN
):
    client = Client(Hyperliquid(), exchange, now_ns=exchange.loop.now_ns)
    tracker = Tracker(client, SPECS, plan=plan, state=workspace.state)
    task = asyncio.create_task(track(tracker, workspace.store))
    await asyncio.sleep(seconds / 2)
    if during is not None:
        during(tracker)
    await asyncio.sleep(seconds / 2)
    assert not task.done(), task
    health = tracker.health()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return tracker, health


def test_one_by_one_within_the_budget_and_nearest_most_often(tmp_path):
    workspace = Workspace(tmp_path)

    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 600)
        return exchange, *await follow(exchange, workspace, 1800.0)

    exchange, _, health = run_virtual(main)
    assert not health.batched
    assert health.accounts == 600
    assert health.holding == 450
    # 1200 a minute, a tenth kept free, less what recording one coin takes: about 517 looks a minute.
    assert exchange.most_weight_in_a_minute() <= 0.9 * 1200.0
    assert 480 <= health.looks_per_min <= 520
    assert spare_weight(1200.0, 1) / 2.0 == pytest.approx(517.5)
    looks = {i: len(exchange.looks[address(i)]) for i in range(1, 601)}
    near, far = np.mean([looks[i] for i in range(1, 20) if i % 4]), np.mean([looks[i] for i in range(500, 600) if i % 4])
    empty = np.mean([looks[i] for i in range(4, 601, 4)])
    assert near > 2.0 * far > 2.0 * empty
    assert min(looks.values()) >= 1
    stored = workspace.store.read(Table.POSITIONS)
    assert stored.filter(pl.col("instrument") == str(BTC))["account"].n_unique() == 450
    # Nothing changed: every look was stored once, and the other leg with it; what is near was confirmed now and then.
    far = stored.group_by("account").agg(pl.len(), pl.col("liquidation_price").filter(pl.col("instrument") == str(BTC)).max())
    far = far.filter(pl.col("liquidation_price") < 97_000.0)
    assert far["len"].sum() == far.height + sum(1 for i in range(31, 601) if i % 5 == 0 and i % 4)
    assert workspace.state.get(LADDERS, "hyperliquid") == {
        "hyperliquid:BTC": [[0.0, 0.0125, 0.0, 40.0]],
        "hyperliquid:ETH": [[0.0, 0.0125, 0.0, 40.0]],
    }


def test_many_at_once_where_the_venue_lets_us(tmp_path):
    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 600, batch=True)
        _all_different(exchange)
        return exchange, *await follow(exchange, Workspace(tmp_path), 600.0)

    exchange, _, health = run_virtual(main)
    assert health.batched
    assert exchange.most_weight_in_a_minute() <= 0.9 * 1200.0
    assert health.looks_per_min > 1000


def test_a_batch_that_answers_in_another_order_is_not_trusted(tmp_path):
    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 200, batch=True, lie=True)
        _all_different(exchange)
        return await follow(exchange, Workspace(tmp_path), 300.0)

    _, health = run_virtual(main)
    assert not health.batched


def test_the_vault_and_its_children_are_left_out(tmp_path):
    workspace = Workspace(tmp_path)

    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 20, children=[address(1), address(2)])
        exchange.accounts[LIQUIDITY_VAULT] = [("BTC", 500.0, 1e5, None)]
        return await follow(exchange, workspace, 300.0)

    tracker, _ = run_virtual(main)
    named = set(workspace.store.read(Table.POSITIONS)["account"])
    assert not named & {LIQUIDITY_VAULT, address(1), address(2)}
    assert address(3) in named
    assert address(1) not in tracker.schedule


def test_who_trades_is_found_and_looked_at_soon(tmp_path):
    workspace = Workspace(tmp_path)
    stranger = address(77_777)

    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 300, leaders=[address(i) for i in range(1, 300)])
        exchange.accounts[stranger] = [("BTC", -20.0, 1e5, 101_000.0)]

        def trades(tracker: Tracker) -> None:
            exchange.told = loop.time()
            ts = loop.now_ns()
            trade = Trade(
                instrument=BTC,
                taker_side=TakerSide.SELL,
                price=1e5,
                quantity_base=20.0,
                ts_venue=ts,
                ts_recv=ts,
                accounts=(address(5), stranger),
            )
            tracker.hear([trade, Ticker(instrument=BTC, ts_venue=ts, ts_recv=ts, mark_price=100_000.0)])

        await follow(exchange, workspace, 1200.0, trades)
        return exchange

    exchange = run_virtual(main)
    assert exchange.looks[stranger][0] - exchange.told < 150.0
    assert stranger in set(workspace.store.read(Table.POSITIONS)["account"])


def test_changes_are_stored_and_a_closed_position_has_a_row_of_nought(tmp_path):
    workspace = Workspace(tmp_path)

    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 130)

        def trade(_: Tracker) -> None:
            exchange.accounts[address(105)] = [("ETH", -1.0, 4_000.0, 9_000.0)]  # BTC is closed
            exchange.accounts[address(106)] = [("BTC", 1.001, 100_000.0, 89_400.0)]  # too little to be told before the snapshot
            exchange.accounts[address(107)] = [("BTC", 2.0, 100_000.0, 89_300.0)]
            exchange.accounts[address(109)] = []

        await follow(exchange, workspace, 600.0, trade)

    run_virtual(main)
    rows = workspace.store.read(Table.POSITIONS, BTC).sort("account", "ts")

    def held(number: int) -> list[float]:
        return rows.filter(pl.col("account") == address(number))["quantity_base"].to_list()

    assert held(105) == [1.0, 0.0]
    assert held(106) == [1.0]
    assert held(107) == [1.0, 2.0]
    assert held(109) == [1.0, 0.0]
    assert held(110) == [1.0]


def test_a_level_near_the_mark_is_confirmed_every_five_minutes(tmp_path):
    workspace = Workspace(tmp_path)

    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 0)
        exchange.accounts = {address(1): [("BTC", 1.0, 1e5, 98_000.0)], address(2): [("BTC", 1.0, 1e5, 90_000.0)]}
        await follow(exchange, workspace, 1000.0)

    run_virtual(main)
    rows = workspace.store.read(Table.POSITIONS, BTC)
    assert rows.filter(pl.col("account") == address(2)).height == 1
    assert rows.filter(pl.col("account") == address(1)).height in (3, 4)


def test_every_account_is_stored_again_with_the_snapshot(tmp_path):
    workspace = Workspace(tmp_path)

    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 12)
        exchange.accounts = {name: [("BTC", 1.0, 1e5, 50_000.0)] for name in exchange.accounts}
        await follow(exchange, workspace, 1000.0, plan=Plan(snapshot_s=400.0))

    run_virtual(main)
    rows = workspace.store.read(Table.POSITIONS, BTC)
    assert set(rows.group_by("account").len()["len"]) == {3}


def test_an_exchange_that_goes_away_ends_nothing_and_comes_back(tmp_path):
    workspace = Workspace(tmp_path)

    async def main(loop: VirtualLoop):
        exchange = crowd(loop, 50)
        client = Client(Hyperliquid(), exchange, now_ns=loop.now_ns)
        tracker = Tracker(client, SPECS, plan=PLAN, state=workspace.state)
        task = asyncio.create_task(track(tracker, workspace.store))
        await asyncio.sleep(120.0)
        exchange.down = True
        await asyncio.sleep(600.0)
        down = tracker.health()
        exchange.down = False
        await asyncio.sleep(600.0)
        up = tracker.health()
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return down, up

    down, up = run_virtual(main)
    assert down.looks_per_min == 0
    assert "down" in (down.last_error or "")
    assert up.looks_per_min > 50


def test_the_address_book_is_remembered(tmp_path):
    workspace = Workspace(tmp_path)

    async def first(loop: VirtualLoop):
        await follow(crowd(loop, 40), workspace, 200.0)

    async def second(loop: VirtualLoop):
        exchange = crowd(loop, 40, leaders=[])
        await follow(exchange, workspace, 200.0)
        return exchange

    run_virtual(first)
    assert len(workspace.state.get(ADDRESSES, "hyperliquid")) == 40
    assert len(run_virtual(second).looks) == 40


def test_only_a_venue_that_is_public_about_accounts_is_followed(tmp_path):
    async def main(loop: VirtualLoop):
        with pytest.raises(BadArgument, match="not public"):
            Tracker(Client(Bybit("linear"), crowd(loop, 1)), SPECS)

    run_virtual(main)
