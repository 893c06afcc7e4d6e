"""A recorder beside rehearsed venues on the virtual clock: runs it with a script of faults, and keeps what it stored."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl

from liqscape.engine.recording.recorder import Recorder
from liqscape.engine.recording.wanted import Wanted
from liqscape.engine.workspace import Workspace
from liqscape.model import ContractKind
from liqscape.store import Table
from liqscape.testing.exchange import Fault, FaultKind, MemoryTransport, RehearsalExchange, World, every_dialect
from liqscape.testing.virtual import START_NS, VirtualLoop, run_virtual
from liqscape.units import NS_PER_S
from liqscape.venues.base import Venue
from liqscape.venues.registry import VENUES

END_NS = 40 * NS_PER_S
TABLES = {
    Table.BARS: ("instrument", "price_kind", "interval_ns", "ts"),
    Table.LIQUIDATIONS: ("instrument", "ts", "position_side", "price", "quantity_base", "occurrence"),
    Table.FUNDING: ("instrument", "ts"),
    Table.RATIOS: ("instrument", "population", "ts"),
    Table.DEPTH: ("instrument", "ts", "distance"),
    Table.OPEN_INTEREST: ("instrument", "ts"),
}


@dataclass
class Run:
    """What a run left behind."""

    tables: dict[Table, pl.DataFrame]
    gaps: pl.DataFrame
    exchange: RehearsalExchange
    restarts: dict[str, str]
    leftover_tasks: list[str]
    unhandled: list[str]
    open_connections: int
    end_ns: int
    corrupt: Counter[str] = field(default_factory=Counter)

    def inverse(self, name: str) -> bool:
        return any(
            name == f"{c.venue}:{c.symbol}" and c.kind is ContractKind.INVERSE
            for dialect in self.exchange.dialects.values()
            for c in dialect.contracts.values()
        )

    def open_interest(self, name: str, ts_ns: int) -> float:
        """What the market has open at an instant, in coins, one side."""
        for dialect in self.exchange.dialects.values():
            for contract in dialect.contracts.values():
                if name == f"{contract.venue}:{contract.symbol}":
                    mark = dialect.world.ticker(contract, ts_ns).mark
                    return contract.base_of(dialect.world.open_interest(contract, ts_ns), mark)
        raise KeyError(name)


def world(coins: tuple[str, ...], seed: int = 1) -> World:
    # A tick each second: an answer that a reconnect brings in between adds no instant that the other run has not.
    return World(seed, coins, beat_ns=NS_PER_S)


def adapters(exchange: RehearsalExchange) -> list[Venue]:
    """The adapters all of whose hosts are rehearsed."""
    return [
        venue
        for venue in VENUES.values()
        if all((urlsplit(url).hostname or "") in exchange.hosts for url in venue.facts.hosts.values())
    ]


def record(
    home: Path,
    seconds: float,
    faults: list[Fault],
    keys: tuple[str, ...] = (),
    coins: tuple[str, ...] = ("BTC", "ETH"),
    seed: int = 1,
) -> Run:
    """Record for so long and return what is in the store."""
    exchange = RehearsalExchange(every_dialect(world(coins, seed), keys), faults, seed=seed)
    workspace = Workspace(home)
    unhandled: list[str] = []

    async def main(loop: VirtualLoop) -> Run:
        loop.set_exception_handler(lambda _, told: unhandled.append(f"{told.get('message')}: {told.get('exception')!r}"))
        transport = MemoryTransport(exchange, loop, poll_s=1.0)
        recorder = Recorder(
            workspace,
            adapters(exchange),
            Wanted(coins),
            transport,
            urls={},
            upkeep=False,
            now_ns=loop.now_ns,
            chance=random.Random(seed),
        )
        jumps = asyncio.create_task(_jump(loop, faults))
        end_ns = loop.now_ns() + round(seconds * NS_PER_S)
        health = await recorder.run(until=end_ns)
        jumps.cancel()
        await asyncio.gather(jumps, return_exceptions=True)
        await asyncio.sleep(1.0)
        left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        restarts = {part.key: part.last_error for part in recorder._parts if part.last_error}
        corrupt = Counter({venue.key: venue.corrupt for venue in health.venues})
        frames = {table: _read(workspace, table, end_ns) for table in TABLES}
        return Run(
            frames,
            workspace.store.read(Table.GAPS),
            exchange,
            restarts,
            left,
            unhandled,
            transport.open_connections,
            end_ns,
            corrupt,
        )

    return run_virtual(main, start_ns=START_NS)


async def _jump(loop: VirtualLoop, faults: list[Fault]) -> None:
    """Let the recorder's wall clock jump, and jump back."""
    jumps = sorted((f for f in faults if f.kind is FaultKind.CLOCK_JUMP), key=lambda f: f.at_ns)
    for fault in jumps:
        await asyncio.sleep(max(0.0, (fault.at_ns - loop.now_ns() + loop.shift_ns) / NS_PER_S))
        loop.shift_ns = round(fault.jump_s * NS_PER_S)
        await asyncio.sleep(fault.lasts_s)
        loop.shift_ns = 0


def _read(workspace: Workspace, table: Table, end_ns: int) -> pl.DataFrame:
    # The last seconds depend on which line's frame was the last one before the end.
    return workspace.store.read(table, end_ns=end_ns - END_NS)
