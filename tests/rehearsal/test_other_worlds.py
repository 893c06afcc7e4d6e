"""The rehearsal tells a simulated market and a tape as it tells its own; and the loopback door gives what memory gives."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from liqscape.errors import NoData
from liqscape.model import Kind, PositionSide
from liqscape.testing.exchange import Asked, RehearsalExchange, World, every_dialect
from liqscape.testing.exchange.other_worlds import FromTape, RunWorld
from liqscape.testing.exchange.server import local_url, served
from liqscape.testing.market import MarketConfig, SimulatedMarket
from liqscape.testing.virtual import START_NS
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.client import Client
from liqscape.venues.registry import VENUES
from liqscape.venues.tape import TapeWriter
from liqscape.venues.transport import NetTransport


@pytest.fixture(scope="module")
def run():
    return SimulatedMarket(MarketConfig(days=2.0, warmup_days=0.0, accounts=2_000), seed=3).run()


def test_forced_orders_and_prices_are_those_of_the_simulated_market(run):
    world = RunWorld(run, begin_ns=START_NS)
    (dialect,) = every_dialect(world, ["bybit"])
    contract = dialect.contracts["BTCUSDT"]
    length = int(run.steps.end_ns[-1] - run.steps.end_ns[0])
    told = world.liquidations(contract, START_NS, START_NS + length // NS_PER_MINUTE * NS_PER_MINUTE)
    prints = run.prints
    within = (prints.ts_ns >= run.steps.end_ns[0]) & (
        prints.ts_ns < run.steps.end_ns[0] + length // NS_PER_MINUTE * NS_PER_MINUTE
    )
    assert len(told) == int(within.sum()) > 0
    longs = sum(p.position_side is PositionSide.LONG for p in told)
    assert longs == int((prints.sign[within] > 0).sum())
    assert world.ticker(contract, START_NS).index == pytest.approx(float(run.steps.index[0]), rel=1e-4)
    usd = sum(contract.quote_of(p.quantity, p.bankruptcy) for p in told)
    assert usd == pytest.approx(float(prints.notional_usd[within].sum()), rel=0.1)
    # After its end it begins anew.
    assert world.index_prices("BTC", START_NS) == pytest.approx(world.index_prices("BTC", START_NS + world._length))
    assert np.isfinite(world.index_prices("ETH", START_NS)).all()


def test_a_tape_is_played_to_everyone_who_connects(tmp_path: Path):
    frames = [json.dumps({"number": number}) for number in range(5)]
    with TapeWriter(tmp_path, {"bybit_linear": {}}) as tape:
        for number, frame in enumerate(frames):
            tape.write("bybit_linear", "public-0", 0, 7_000 * NS_PER_S + number * NS_PER_S, frame)
            tape.write("bybit_linear", "public-0", 1, 7_000 * NS_PER_S + number * NS_PER_S, frame)
    (dialect,) = every_dialect(World(), ["bybit"])
    taped = FromTape(dialect, tmp_path, "bybit_linear", "public-0", begin_ns=START_NS)
    conversation = taped.converse(Asked("stream.bybit.com", "/v5/public/linear"), START_NS)
    assert conversation is not None
    (acknowledged,) = conversation.receive('{"op":"subscribe","args":["tickers.BTCUSDT"]}', START_NS)
    assert json.loads(acknowledged)["success"]
    told = conversation.frames(START_NS, START_NS + 3 * NS_PER_S) + conversation.frames(
        START_NS + 3 * NS_PER_S, START_NS + NS_PER_MINUTE
    )
    assert [frame for _, frame in told] == frames
    assert [at - START_NS for at, _ in told] == [number * NS_PER_S for number in range(5)]
    with pytest.raises(NoData, match="no frame of bybit_linear other"):
        FromTape(dialect, tmp_path, "bybit_linear", "other", begin_ns=START_NS)


def test_our_client_reads_the_loopback_server_by_setting_base_addresses():
    with served(RehearsalExchange(every_dialect(World(coins=("BTC",)), ["bybit", "okx"]))) as base:

        async def ask(key: str) -> list[object]:
            venue, transport = VENUES[key], NetTransport()
            urls = {f"{key}.{name}": local_url(url, base) for name, url in venue.facts.hosts.items()}
            try:
                return [
                    record for one in venue.ask_instruments() for record in await Client(venue, transport, urls=urls).run(one)
                ]
            finally:
                await transport.close()

        for key in ("bybit_linear", "okx"):
            assert asyncio.run(ask(key)), Kind.INSTRUMENTS
