"""OKX, Bitget, Gate and HTX over feed and client against venues that somebody else rehearses: minutes without a reconnect."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from liqscape.errors import CorruptRecord
from liqscape.model import InstrumentSpec, Liquidation, Record, Ticker
from liqscape.testing.exchange import MemoryTransport, RehearsalExchange, World
from liqscape.testing.exchange.dialects.bitget import Bitget
from liqscape.testing.exchange.dialects.gate import Gate
from liqscape.testing.exchange.dialects.htx import Htx
from liqscape.testing.exchange.dialects.okx import Okx
from liqscape.testing.virtual import VirtualLoop, run_virtual
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.client import Client
from liqscape.venues.feed import Feed
from liqscape.venues.registry import VENUES

_DIALECTS = {"okx": Okx, "bitget": Bitget, "gate": Gate, "htx": Htx}
# What the last seconds bring may still be on its way.
_LATE_S = 40


@pytest.mark.parametrize("key", _DIALECTS)
def test_a_line_lives_and_brings_every_print_that_the_venue_shows(key: str):
    async def main(loop: VirtualLoop) -> None:
        world = World(seed=5, coins=("BTC", "ETH"), forced_per_percent=400.0)
        dialect = _DIALECTS[key](world)
        transport = MemoryTransport(RehearsalExchange([dialect]), loop)
        venue, corrupt = VENUES[key], list[CorruptRecord]()
        client = Client(venue, transport, now_ns=loop.now_ns, on_corrupt=lambda *told: corrupt.append(told[-1]))
        (ask,) = venue.ask_instruments()
        listed = [one for one in await client.run(ask) if isinstance(one, InstrumentSpec) and one.perpetual and one.trading]
        specs = {one.id.symbol: one for one in listed}
        assert specs
        feed = Feed(venue, specs, transport, lines=1, now_ns=loop.now_ns, on_corrupt=lambda *told: corrupt.append(told[-1]))
        records: list[Record] = []

        async def listen() -> None:
            async for batch in feed.batches():
                records.extend(batch.records)

        start = (loop.now_ns() // NS_PER_S + 10) * NS_PER_S
        end = start + 10 * NS_PER_MINUTE
        task = asyncio.create_task(listen())
        await asyncio.sleep((end - loop.now_ns()) / NS_PER_S + _LATE_S)
        task.cancel()

        assert corrupt == []
        assert [(line.connects, line.last_error) for line in feed.health()] == [(1, None)] * len(feed.health())
        tickers = [one for one in records if isinstance(one, Ticker)]
        assert {one.instrument.symbol for one in tickers} == set(specs)
        # Gate's prints are known by their second.
        unit = NS_PER_S if key == "gate" else 1
        happened = Counter(
            (symbol, p.ts_ns // unit * unit, p.position_side)
            for symbol in specs
            for p in world.liquidations(dialect.contracts[symbol], start, end)
        )
        shown = Counter(
            (one.instrument.symbol, one.ts_venue, one.position_side)
            for one in records
            if isinstance(one, Liquidation) and start <= one.ts_venue < end
        )
        assert shown.total() > 10
        if key in ("gate", "htx"):
            assert shown == happened
        else:
            assert shown <= happened

    run_virtual(main)
