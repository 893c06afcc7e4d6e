"""Rows on their way to disk: collected, written together, acknowledged; never more than a bounded number of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from liqscape.engine.recording.rows import Row
from liqscape.errors import StoreError
from liqscape.store import Journal, Table
from liqscape.units import NS_PER_S

MOST_ROWS = 200_000  # received and not on disk: then whoever brings more waits
GROUP_S = 0.05  # a flush of the disk is shared by what arrives within
LINGER_S = 0.5  # rows that are no prints wait for company so long
PATIENCE_S = 60.0  # a disk that takes nothing for so long ends the recorder
_SAMPLES = 4096


class Inbox:
    """Takes rows from every venue and writes them into the journal.

    Parameters
    ----------
    journal
        Open.
    now_ns
        The wall clock, ns UTC.
    """

    def __init__(self, journal: Journal, now_ns: Callable[[], int]) -> None:
        self.rows: dict[str, int] = {}  # acknowledged, by table
        self.safe_ns = now_ns()  # everything received by then is on disk
        self.trouble: str | None = None  # why the disk takes nothing
        self._journal, self._now_ns = journal, now_ns
        self._held: dict[Table, list[Row]] = {}
        self._waiting = 0
        self._received: list[int] = []  # when the prints among them were received
        self._late_ns: deque[int] = deque(maxlen=_SAMPLES)
        self._some, self._urgent, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._room.set()
        self._closing = False
        # A thread of its own: prints must not queue behind reads of the store.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    @property
    def waiting(self) -> int:
        """Rows received and not on disk yet."""
        return self._waiting

    def put(self, table: Table, rows: Iterable[Row]) -> None:
        """Take rows; they are on disk within a second."""
        held = self._held.setdefault(table, [])
        before = len(held)
        held.extend(rows)
        self._count(len(held) - before)

    def put_print(self, row: Row, recv_ns: int) -> None:
        """Take a liquidation; it is written at once."""
        self._held.setdefault(Table.LIQUIDATIONS, []).append(row)
        self._received.append(recv_ns)
        self._urgent.set()
        self._count(1)

    @property
    def full(self) -> bool:
        """Whether whoever brings more should wait for `room`."""
        return self._waiting >= MOST_ROWS

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    def latency_s(self, share: float) -> float | None:
        """Return the quantile of seconds from the receipt of a print to the disk, over the newest; None before the first."""
        if not self._late_ns:
            return None
        ordered = sorted(self._late_ns)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / NS_PER_S

    async def run(self) -> None:
        """Write until `close`.

        Raises
        ------
        StoreError
            If the disk took nothing for a minute.
        """
        while not (self._closing and not self._waiting):
            if not self._some.is_set() and not self._closing:
                self.safe_ns = self._now_ns()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._some.wait(), LINGER_S)
                continue
            if not self._urgent.is_set() and not self._closing:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._urgent.wait(), LINGER_S)
            await self._flush()
            if not self._closing:
                await asyncio.sleep(GROUP_S)
        self.safe_ns = self._now_ns()
        self._thread.shutdown(wait=False)

    def close(self) -> None:
        """Let `run` write what is left and return."""
        self._closing = True
        self._some.set()
        self._urgent.set()

    async def _flush(self) -> None:
        held, received, count, began_ns = self._held, self._received, self._waiting, self._now_ns()
        self._held, self._received = {}, []
        self._some.clear()
        self._urgent.clear()
        began, pause_s = asyncio.get_running_loop().time(), 0.25
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._journal.write, held)
                break
            except StoreError as error:
                self.trouble = error.message
                if asyncio.get_running_loop().time() - began > PATIENCE_S or self._closing:
                    raise
                await asyncio.sleep(pause_s)
                pause_s = min(2.0 * pause_s, 5.0)
        self.trouble = None
        written_ns = self._now_ns()
        self._late_ns.extend(written_ns - recv_ns for recv_ns in received)
        for table, rows in held.items():
            self.rows[table.value] = self.rows.get(table.value, 0) + len(rows)
        self._waiting -= count
        self.safe_ns = began_ns
        if self._waiting < MOST_ROWS:
            self._room.set()

    def _count(self, rows: int) -> None:
        if rows:
            self._waiting += rows
            self._some.set()
            if self._waiting >= MOST_ROWS:
                self._room.clear()
                self._urgent.set()
