"""`python -m benchmarks.recording fast [HOURS]` and `.. live [MINUTES]`: what a recorder takes, and how soon it acknowledges.

`fast` records market time of all venues on a clock that jumps, as fast as the machine goes: market seconds per second, cores
needed at real time, the longest queues and memory by the hour. `live` records at real time, where what a print waits for the
disk is measured on the wall.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.looped_market import LoopedMarket
from liqscape import clock
from liqscape.engine.recording import Recorder, RecorderHealth, Wanted
from liqscape.engine.workspace import Workspace
from liqscape.store import DeltaStore, Journal, Table
from liqscape.testing.exchange import RehearsalExchange, World, every_dialect
from liqscape.testing.virtual import VirtualLoop, run_virtual
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.registry import VENUES

COINS = (
    "BTC",
    "ETH",
    "SOL",
    "XRP",
    "DOGE",
    "ADA",
    "LINK",
    "AVAX",
    "LTC",
    "DOT",
    "BNB",
    "TRX",
    "SUI",
    "BCH",
    "UNI",
    "NEAR",
    "APT",
    "ARB",
    "OP",
    "FIL",
)
COINS = COINS[: int(os.environ.get("RECORDING_COINS", len(COINS)))]
WARM_MINUTES = 8  # while the market is made
LONGEST_S = float(os.environ.get("RECORDING_LONGEST_S", "inf"))  # of the wall: then what was done so far is told


@dataclass
class Minute:
    """What was seen at the end of a minute of market time."""

    market_s: float
    wall_s: float
    cpu_s: float
    memory_mb: float
    frames: int
    prints: int
    queued: int
    waiting_rows: int
    waiting_segments: int
    bars_late: int


class Waits:
    """How long rows wait for their table: from the first row of a segment that is in the journal until its table has them all.

    What arrived later in the same minute waited less, so the longest wait of a segment is that of its first row.
    """

    def __init__(self, now_ns) -> None:
        self.now_ns, self.longest_s = now_ns, dict[str, list[float]]()
        self._first: dict[tuple[str, int], int] = {}
        self._write, self._append = Journal.write, DeltaStore.append

    def __enter__(self) -> Waits:
        waits, write, append = self, self._write, self._append

        def writing(journal: Journal, rows) -> int:
            asked_ns = waits.now_ns()
            count = write(journal, rows)
            for table, values in rows.items():
                if values:
                    waits._first.setdefault((table.value, int(journal._path.stem)), asked_ns)
            return count

        def appending(store: DeltaStore, table: Table, frame, *, writer: str, batch: int) -> bool:
            done = append(store, table, frame, writer=writer, batch=batch)
            first_ns = waits._first.pop((table.value, batch), None)
            if first_ns is not None:
                waits.longest_s.setdefault(table.value, []).append((waits.now_ns() - first_ns) / NS_PER_S)
            return done

        Journal.write, DeltaStore.append = writing, appending
        return self

    def __exit__(self, *_: object) -> None:
        Journal.write, DeltaStore.append = self._write, self._append


@dataclass
class Course:
    """A whole run."""

    minutes: list[Minute] = field(default_factory=list[Minute])
    health: RecorderHealth | None = None
    rows: dict[str, int] = field(default_factory=dict[str, int])
    instruments: int = 0
    waits: Waits | None = None


def memory_mb() -> float:
    """Resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


async def course(home: Path, now_ns, until_ns: int) -> Course:
    """Record until an instant and look every minute."""
    exchange = RehearsalExchange(every_dialect(World(7, COINS, beat_ns=NS_PER_S)))
    market, found, loop = LoopedMarket(exchange, now_ns), Course(), asyncio.get_running_loop()
    recorder = Recorder(
        Workspace(home), list(VENUES.values()), Wanted(COINS), market, urls={}, now_ns=now_ns, chance=random.Random(1)
    )
    began, began_market = time.perf_counter(), loop.time()

    async def look() -> None:
        while True:
            await asyncio.sleep(60 - now_ns() / NS_PER_S % 60 + 1e-3)
            health = recorder.health()
            found.instruments = sum(len(venue.instruments) for venue in health.venues)
            found.minutes.append(
                Minute(
                    market_s=loop.time() - began_market,
                    wall_s=time.perf_counter() - began,
                    cpu_s=time.process_time(),
                    memory_mb=memory_mb(),
                    frames=market.frames_sent,
                    prints=sum(venue.prints for venue in health.venues),
                    queued=sum(venue.queued for venue in health.venues),
                    waiting_rows=health.waiting_rows,
                    waiting_segments=health.waiting_segments,
                    # The minute that has just ended cannot be there yet: one per series is not late.
                    bars_late=sum(venue.bars_late for venue in health.venues),
                )
            )
            if len(found.minutes) % 10 == 0 or len(found.minutes) < 12:
                print(found.minutes[-1], flush=True)

    async def limit() -> None:
        while time.perf_counter() - began < LONGEST_S:
            await asyncio.sleep(5)
        recorder.stop()

    looking, limiting = asyncio.create_task(look()), asyncio.create_task(limit())
    try:
        with Waits(now_ns) as found.waits:
            found.health = await recorder.run(until_ns)
    finally:
        looking.cancel()
        limiting.cancel()
    found.rows = dict(found.health.rows)
    return found


def tell(found: Course, what: str) -> None:
    """Print what was measured, without the minutes in which the market was made."""
    first, last = found.minutes[WARM_MINUTES], found.minutes[-1]
    market, wall, cpu = last.market_s - first.market_s, last.wall_s - first.wall_s, last.cpu_s - first.cpu_s
    steady = found.minutes[WARM_MINUTES:]
    assert found.health is not None
    print(f"\n{what}: {found.instruments} instruments of {len(found.health.venues)} venues, load {os.getloadavg()[0]:.1f}")
    print(f"  market time {market / 3600:.2f} h in {wall / 60:.1f} min: {market / wall:.1f} times real time")
    print(f"  processor {cpu / market:.3f} cores at real time, market included; {cpu / wall:.2f} cores used")
    print(
        f"  {(last.frames - first.frames) / market:,.0f} frames and {(last.prints - first.prints) / market * 60:,.0f} prints/min"
    )
    print(f"  longest queues: {max(m.queued for m in steady)} batches, {max(m.waiting_rows for m in steady)} rows, ", end="")
    print(f"{max(m.waiting_segments for m in steady)} segments; bars late at most {max(m.bars_late for m in steady)}")
    hours: dict[int, list[float]] = {}
    for minute in found.minutes:
        hours.setdefault(int(minute.market_s // 3600), []).append(minute.memory_mb)
    print("  memory by hour, MB (mean, largest):", ", ".join(f"{sum(h) / len(h):.0f} {max(h):.0f}" for h in hours.values()))
    print(f"  print to disk: p50 {found.health.acknowledged_p50_s} s, p99 {found.health.acknowledged_p99_s} s")
    assert found.waits is not None
    waits = {table: round(max(seconds), 1) for table, seconds in sorted(found.waits.longest_s.items())}
    print(f"  in the journal to in the table, s, longest: {waits}")
    print(f"  rows: {found.rows}")
    print(f"  alarms: {[alarm.words for alarm in found.health.alarms]}")


def fast(hours: float, home: Path) -> None:
    """Record on a clock that jumps."""

    async def main(loop: VirtualLoop) -> Course:
        return await course(home, loop.now_ns, loop.now_ns() + round(hours * NS_PER_HOUR))

    tell(run_virtual(main), f"fast, {hours:g} h")


def live(minutes: float, home: Path) -> None:
    """Record at real time."""
    tell(
        asyncio.run(course(home, clock.now_ns, clock.now_ns() + round(minutes * NS_PER_MINUTE))),
        f"live, {minutes:g} min",
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        amount = float(sys.argv[2]) if len(sys.argv) > 2 else None
        if sys.argv[1] == "fast":
            fast(amount or 6.0, Path(folder))
        else:
            live(amount or 30.0, Path(folder))
