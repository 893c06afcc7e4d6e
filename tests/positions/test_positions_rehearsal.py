"""End to end on the rehearsed venue: recorded, followed, mapped; the shares that its accounts hold are the shares of the map."""

from __future__ import annotations

import random

import pytest

from liqscape.engine.maps import build_map
from liqscape.engine.recording import Recorder, Wanted
from liqscape.engine.workspace import Workspace
from liqscape.store import Table
from liqscape.testing.exchange import MemoryTransport, RehearsalExchange, World, every_dialect
from liqscape.testing.exchange.dialects.hyperliquid_accounts import LONG_SHARE, POOL, POOL_PARTS, SHORT_SHARE
from liqscape.testing.virtual import START_NS, VirtualLoop, run_virtual
from liqscape.units import NS_PER_S
from liqscape.venues.registry import choose


def test_what_the_rehearsed_accounts_hold_is_measured_in_the_map(tmp_path):
    exchange = RehearsalExchange(every_dialect(World(3, ("BTC", "ETH"), beat_ns=NS_PER_S), ("hyperliquid",)), [], seed=3)
    workspace = Workspace(tmp_path)

    async def main(loop: VirtualLoop):
        recorder = Recorder(
            workspace,
            choose(("hyperliquid",)),
            Wanted(("BTC", "ETH")),
            MemoryTransport(exchange, loop, poll_s=1.0),
            urls={},
            upkeep=False,
            now_ns=loop.now_ns,
            chance=random.Random(3),
        )
        await recorder.run(until=loop.now_ns() + 480 * NS_PER_S)

    run_virtual(main, start_ns=START_NS)
    named = set(workspace.store.read(Table.POSITIONS)["account"])
    assert named
    assert not named & {POOL, *POOL_PARTS}
    found = build_map(workspace, "hyperliquid:BTC")
    told = found.inputs[0].measured
    assert told is not None
    # Accounts hold stated shares of the open interest at the start of the hour, which has moved a little since.
    assert told.long_share == pytest.approx(LONG_SHARE, rel=0.1)
    assert told.short_share == pytest.approx(SHORT_SHARE, rel=0.1)
    assert not told.more_than_open
    assert told.held == 0  # the solver knows every account of this venue
    balance = found.balance
    for side in ("long", "short"):
        held = getattr(balance, f"{side}_base") + getattr(balance, f"{side}_reservoir_base")
        assert held == pytest.approx(balance.open_interest_base, rel=1e-12)
    assert found.long.measured_usd.sum() > 0.0
    assert (found.long.usd >= found.long.measured_usd - 1e-6).all()
