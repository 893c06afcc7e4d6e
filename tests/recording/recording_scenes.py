"""Recorders on a virtual clock against the rehearsal exchange, and what the exchange's world says really happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from liqscape.engine.recording import Recorder, RecorderHealth, Wanted
from liqscape.engine.workspace import Workspace
from liqscape.store import Table
from liqscape.testing.exchange import Fault, MemoryTransport, RehearsalExchange, World, every_dialect
from liqscape.testing.virtual import START_NS, VirtualLoop, run_virtual
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.registry import VENUES

WORLD = World(3, ("BTC", "ETH"), forced_per_percent=120.0)
Scene = Callable[[Recorder, MemoryTransport, VirtualLoop], Awaitable[None]]


def record(
    home: Path,
    keys: Sequence[str],
    minutes: float,
    *,
    start_minute: float = 0.0,
    faults: Sequence[Fault] = (),
    names: Sequence[str] = ("BTC", "ETH"),
    beside: Scene | None = None,
    world: World = WORLD,
    **options: object,
) -> RecorderHealth:
    """Record for some virtual minutes from a minute after the start of all tests; `beside` runs meanwhile."""

    async def main(loop: VirtualLoop) -> RecorderHealth:
        transport = MemoryTransport(RehearsalExchange(every_dialect(world), faults), loop)
        recorder = Recorder(
            Workspace(home),
            [VENUES[key] for key in keys],
            Wanted(tuple(names)),
            transport,
            urls={},
            now_ns=loop.now_ns,
            chance=random.Random(1),
            upkeep=False,
            **options,  # type: ignore[arg-type]
        )
        task = None if beside is None else loop.create_task(beside(recorder, transport, loop))
        try:
            return await recorder.run(loop.now_ns() + round(minutes * NS_PER_MINUTE))
        finally:
            if task is not None:
                await task

    return run_virtual(main, start_ns=START_NS + round(start_minute * NS_PER_MINUTE))


def at(minute: float) -> int:
    """A minute after the start of all tests, ns UTC."""
    return START_NS + round(minute * NS_PER_MINUTE)


def happened(dialect: str, symbol: str, start: float, end: float, *, late_s: float = 0.0) -> Counter[tuple[int, str]]:
    """Liquidations of the world between two minutes: (instant, side) as a multiset."""
    contract = every_dialect(WORLD, [dialect])[0].contracts[symbol]
    found = WORLD.liquidations(contract, at(start), at(end) - round(late_s * NS_PER_S))
    return Counter((p.ts_ns, p.position_side.value) for p in found)


def stored(home: Path, instrument: str, start: float, end: float) -> Counter[tuple[int, str]]:
    """Liquidations of the tables between two minutes, as they lie in the files, duplicates and all."""
    store = Workspace(home).store
    import polars as pl

    paths = store._files(Table.LIQUIDATIONS)
    if not paths:
        return Counter()
    rows = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in paths])
    rows = rows.filter((pl.col("instrument") == instrument) & (pl.col("ts") >= at(start)) & (pl.col("ts") < at(end)))
    return Counter(rows.select("ts", "position_side").iter_rows())


def gaps(home: Path) -> list[tuple[str, str, float, float, str]]:
    """Gaps of the tables: instrument, kind, first and last minute, reason."""
    rows = Workspace(home).store.read(Table.GAPS)
    columns = rows.select("instrument", "kind", "ts", "end_ts", "reason").iter_rows()
    return [(i, k, (a - START_NS) / NS_PER_MINUTE, (b - START_NS) / NS_PER_MINUTE, r) for i, k, a, b, r in columns]
