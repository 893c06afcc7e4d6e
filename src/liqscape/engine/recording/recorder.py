"""A recorder: venues in, acknowledged rows out. Everything it receives goes through one journal on disk."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import liqscape.clock as clock
from liqscape.engine.recording.alarms import Alarms
from liqscape.engine.recording.health import RecorderHealth, VenueHealth, write_health
from liqscape.engine.recording.inbox import Inbox
from liqscape.engine.recording.memory import HEARD, Past
from liqscape.engine.recording.part import Part
from liqscape.engine.recording.quarantine import Quarantine
from liqscape.engine.recording.rounds import Round, sleep_until
from liqscape.engine.recording.upkeep import Upkeep
from liqscape.engine.recording.venue import Shared
from liqscape.engine.recording.wanted import Selection, Wanted
from liqscape.engine.workspace import Workspace
from liqscape.errors import StoreError
from liqscape.store import Journal, open_journal
from liqscape.venues.base import Venue
from liqscape.venues.feed import Tape
from liqscape.venues.tape import play
from liqscape.venues.transport import Transport

SECONDS = ("BTC", "ETH")
HEALTH_S = 5.0
# Bars of a minute have come by its second half: what is in the journal then is put into the tables.
COMMIT = Round(60, 30, 0)
UPKEEP = Round(3600, 1500, 0)


class Recorder:
    """Records venues into the store of a home folder until it is told to stop.

    Parameters
    ----------
    workspace
        Whose store, journal, small state and quarantine are written.
    venues
        Adapters, as `venues.registry.choose` returns them.
    wanted
        Which instruments.
    transport
        Where requests and connections go; the recorder does not close it.
    urls
        Replacements of hosts by `key.host`; default: the setting `venue_urls`.
    seconds
        Bases whose mark price is also kept by the second.
    writer
        Name of this recorder's journal: one process at a time may hold it.
    lines
        Connections per stream: a print lost on one is seen on another.
    tape
        Called with every raw frame, such as `TapeWriter.write`.
    upkeep
        Whether the store is maintained every hour.
    now_ns, chance
        The wall clock, ns UTC, and the source of jitter.

    Examples
    --------
    >>> from liqscape.venues.registry import choose
    >>> from liqscape.venues.transport import NetTransport
    >>> async def record(workspace: Workspace) -> None:
    ...     transport = NetTransport()
    ...     try:
    ...         await Recorder(workspace, choose(("bybit",)), Wanted(("BTC", "ETH")), transport).run(signals=True)
    ...     finally:
    ...         await transport.close()
    """

    def __init__(
        self,
        workspace: Workspace,
        venues: Sequence[Venue],
        wanted: Wanted,
        transport: Transport,
        *,
        urls: Mapping[str, str] | None = None,
        seconds: tuple[str, ...] = SECONDS,
        writer: str = "recorder",
        lines: int = 2,
        tape: Tape | None = None,
        upkeep: bool = True,
        now_ns: Callable[[], int] = clock.now_ns,
        chance: random.Random | None = None,
    ) -> None:
        self.workspace, self.venues, self.wanted, self.writer = workspace, tuple(venues), wanted, writer
        self._transport, self._seconds, self._lines, self._tape = transport, frozenset(seconds), lines, tape
        self._urls = workspace.settings.venue_urls if urls is None else urls
        self._now_ns, self._chance = now_ns, chance or random.Random()
        self._upkeep = Upkeep(workspace.home) if upkeep else None
        self._journal: Journal = open_journal(workspace.home, workspace.store, writer)
        self._inbox: Inbox | None = None
        self._parts: list[Part] = []
        self._alarms = Alarms(now_ns)
        self._stopping = asyncio.Event()
        self._began_ns = now_ns()
        self._store_trouble: str | None = None

    async def run(self, until: int | None = None, *, signals: bool = False) -> RecorderHealth:
        """Record until `stop`, an instant (ns UTC) or, with `signals`, Ctrl-C or SIGTERM; then drain and return the last health.

        A venue that fails is tried again with growing pauses and never stops the others. When this returns or raises,
        everything that was acknowledged is on disk, and in the tables unless they could not be written.

        Raises
        ------
        StoreError
            If another process holds this journal (its pid is named), or the disk takes nothing any more.
        NoData
            If no venue has any of the wanted instruments.
        """
        await asyncio.to_thread(self._journal.open)
        try:
            inbox = self._inbox = Inbox(self._journal, self._now_ns)
            shared = self._shared(inbox)
            selection = Selection(self.workspace, self.wanted, len(self.venues))
            self._parts = [Part(shared, venue, selection, self._alarms) for venue in self.venues]
            with _Signals(self.stop, on=signals):
                await self._work(inbox, selection, until)
        finally:
            await self._drain()
            await asyncio.gather(*(part.close() for part in self._parts))
        return self.health(stopped=True)

    async def play(self, folder: Path) -> RecorderHealth:
        """Put a tape through the same sessions, merger, journal and tables; nothing is asked for, so that bars are missing.

        Raises
        ------
        NoData
            If the tape holds no frame of a chosen adapter.
        """
        await asyncio.to_thread(self._journal.open)
        try:
            inbox = self._inbox = Inbox(self._journal, self._now_ns)
            shared = self._shared(inbox)
            self._parts = [Part(shared, venue, None, self._alarms) for venue in self.venues]
            parts = {part.key: part for part in self._parts}
            writing = asyncio.create_task(inbox.run())
            try:
                for number, batch in enumerate(play(folder, {v.facts.key: v for v in self.venues}, shared.quarantine.take)):
                    await parts[batch.key].play(folder, batch)
                    if inbox.full:
                        await inbox.room()
                    elif number % 500 == 0:
                        await asyncio.sleep(0)
                    if writing.done():
                        break
                inbox.close()
            finally:
                inbox.close()
                await writing
        finally:
            await self._drain()
        return self.health(stopped=True)

    def stop(self) -> None:
        """Begin to drain; `run` returns within seconds."""
        self._stopping.set()

    def health(self, *, stopped: bool = False) -> RecorderHealth:
        """Return how everything is right now; other processes use `read_health`."""
        inbox, now = self._inbox, self._now_ns()
        venues: tuple[VenueHealth, ...] = tuple(part.health(stopped=stopped) for part in self._parts)
        trouble = (inbox.trouble if inbox else None) or self._store_trouble
        self._alarms.tell("journal", None, trouble)
        cut, refused = self._journal.bytes_cut, self._journal.rows_refused
        torn = f"{cut} bytes of the journal were torn and {refused} rows fit no table" if cut or refused else None
        self._alarms.tell("damage", None, torn)
        self._alarms.tell("maintenance", None, self._upkeep.last_error if self._upkeep else None)
        return RecorderHealth(
            writer=self.writer,
            pid=os.getpid(),
            started_ns=self._began_ns,
            at_ns=now,
            stopped=stopped,
            rows=dict(inbox.rows) if inbox else {},
            acknowledged_p50_s=inbox.latency_s(0.5) if inbox else None,
            acknowledged_p99_s=inbox.latency_s(0.99) if inbox else None,
            waiting_rows=inbox.waiting if inbox else 0,
            waiting_segments=self._journal.waiting(),
            venues=venues,
            alarms=self._alarms.standing(),
        )

    def _shared(self, inbox: Inbox) -> Shared:
        return Shared(
            workspace=self.workspace,
            transport=self._transport,
            inbox=inbox,
            quarantine=Quarantine(self.workspace.home / "quarantine", self._now_ns),
            past=Past(self.workspace, self._now_ns),
            urls=self._urls,
            seconds=self._seconds,
            lines=self._lines,
            now_ns=self._now_ns,
            chance=self._chance,
            tape=self._tape,
        )

    async def _work(self, inbox: Inbox, selection: Selection, until: int | None) -> None:
        """Run all parts until it is time to stop or something without which nothing works has failed."""
        writing = asyncio.create_task(inbox.run(), name="journal")
        others = [
            asyncio.create_task(self._commit(), name="commit"),
            asyncio.create_task(self._tell(), name="health"),
            *(asyncio.create_task(part.run(), name=part.key) for part in self._parts),
        ]
        if self._upkeep is not None:
            others.append(asyncio.create_task(self._maintain(self._upkeep), name="upkeep"))
        ends = [asyncio.create_task(self._stopping.wait()), asyncio.create_task(selection.nothing())]
        if until is not None:
            ends.append(asyncio.create_task(sleep_until(until, self._now_ns)))
        try:
            done, _ = await asyncio.wait([writing, *others, *ends], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (*others, *ends):
                task.cancel()
            await asyncio.gather(*others, *ends, return_exceptions=True)
            inbox.close()
            await asyncio.wait([writing])
        writing.result()

    async def _commit(self) -> None:
        while True:
            await sleep_until(COMMIT.next_ns(self._now_ns()), self._now_ns)
            try:
                await asyncio.to_thread(self._journal.rotate)
                await asyncio.to_thread(self._journal.commit)
                self._store_trouble = None
            except StoreError as error:
                self._store_trouble = error.message  # the segments wait on disk for the next minute

    async def _tell(self) -> None:
        while True:
            await self._write_state(stopped=False)
            await asyncio.sleep(HEALTH_S)

    async def _write_state(self, *, stopped: bool) -> None:
        health, inbox = self.health(stopped=stopped), self._inbox
        safe_ns = inbox.safe_ns if inbox is not None else 0
        heard = [(part.key, part.heard(safe_ns)) for part in self._parts]

        def write() -> None:
            write_health(self.workspace, health)
            for key, told in heard:
                if told:
                    self.workspace.state.set(HEARD, key, told)

        with suppress(StoreError):  # a full disk is told by the journal
            await asyncio.to_thread(write)

    async def _maintain(self, upkeep: Upkeep) -> None:
        try:
            while True:
                await sleep_until(UPKEEP.next_ns(self._now_ns()), self._now_ns)
                await asyncio.to_thread(upkeep.run)
        finally:
            upkeep.stop()

    async def _drain(self) -> None:
        """Put what is in the journal into the tables and give it back; what cannot be stored now waits for the next start."""
        try:
            await asyncio.to_thread(self._journal.close)
        except StoreError as error:
            self._store_trouble = error.message
        await self._write_state(stopped=True)


class _Signals:
    """Call `stop` at Ctrl-C and SIGTERM while the block lasts; where a loop cannot do that, Ctrl-C raises as always."""

    def __init__(self, stop: Callable[[], None], *, on: bool) -> None:
        self._stop, self._on, self._set = stop, on, list[signal.Signals]()

    def __enter__(self) -> None:
        if self._on:
            for which in (signal.SIGINT, signal.SIGTERM):
                with suppress(NotImplementedError, ValueError, RuntimeError):
                    asyncio.get_running_loop().add_signal_handler(which, self._stop)
                    self._set.append(which)

    def __exit__(self, *_: object) -> None:
        for which in self._set:
            asyncio.get_running_loop().remove_signal_handler(which)
