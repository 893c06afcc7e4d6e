"""Streams kept alive: every one on several lines at once, watched for silence, opened anew with back-off, gaps told.

A line is one connection. Two lines of a stream carry the same: what one loses the other has, and while one is opened anew
nothing is missed. Only when no line was heard for a while is there a `Gap`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec import Struct

import liqscape.clock as clock
from liqscape.errors import CorruptRecord, Unreachable
from liqscape.model import Gap, Kind, Record
from liqscape.units import NS_PER_S
from liqscape.venues.base import Session, Specs, Stream, Venue
from liqscape.venues.coverage import Coverage
from liqscape.venues.repeats import Repeats
from liqscape.venues.steady import Steady
from liqscape.venues.transport import Connection, Transport

CONNECT_S = 10.0
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 0.25, 30.0
STEADY_S = 60.0  # a line that lived so long begins anew with the shortest back-off
STAGGER_S = 2.0  # lines of one stream are opened one after the other, so that they do not expire together
QUEUE = 2000
_LATE_NS = 2 * NS_PER_S

Tape = Callable[[str, str, int, int, "str | bytes"], None]
OnCorrupt = Callable[[str, str, "str | bytes", CorruptRecord], None]


@dataclass(frozen=True)
class Batch:
    """Records of one frame, or gaps of one stream (line -1); `connection` counts how often the line was opened."""

    key: str
    stream: str
    line: int
    recv_ns: int
    records: list[Record]
    connection: int = 0


class LineHealth(Struct, frozen=True, kw_only=True):
    """How one line is.

    Parameters
    ----------
    state
        `connecting`, `up` (heard), `waiting` (for the next try).
    last_frame_ns, last_data_ns
        Newest sign of life, and newest market data; None if never.
    frames, corrupt, connects
        Counted since the start.
    last_error
        Why it was opened anew the last time, or the last frame that made no sense.
    """

    stream: str
    line: int
    state: str
    last_frame_ns: int | None
    last_data_ns: int | None
    frames: int
    corrupt: int
    connects: int
    last_error: str | None


class _Dead(Exception):
    """The line must be opened anew; the text says why."""


@dataclass
class _Line:
    stream: Stream
    number: int
    state: str = "connecting"
    last_frame_ns: int | None = None
    last_data_ns: int | None = None
    frames: int = 0
    corrupt: int = 0
    connects: int = 0
    last_error: str | None = None
    frame_at: float = 0.0  # on the loop's clock
    data_at: float = 0.0
    repeats: Repeats = field(default_factory=Repeats)


@dataclass
class _Heard:
    coverage: Coverage = field(default_factory=Coverage)
    gaps: int = 0


class Feed:
    """All streams of one venue.

    Parameters
    ----------
    venue, specs
        The adapter and the instruments that are wanted, by the venue's symbol.
    transport
        Where connections go.
    urls
        Replacements of the venue's hosts by `key.host`, as in the setting `venue_urls`.
    lines
        Connections per stream.
    now_ns
        The wall clock, ns UTC.
    chance
        Jitter of the back-off.
    tape
        Called with (key, stream, line, recv_ns, frame) for every frame before it is read.
    on_corrupt
        Called with (key, stream, frame, error) for every frame or row that cannot be true.
    """

    def __init__(
        self,
        venue: Venue,
        specs: Specs,
        transport: Transport,
        *,
        urls: Mapping[str, str] | None = None,
        lines: int = 2,
        now_ns: Callable[[], int] = clock.now_ns,
        chance: random.Random | None = None,
        tape: Tape | None = None,
        on_corrupt: OnCorrupt | None = None,
    ) -> None:
        self.venue = venue
        self.key = venue.facts.key
        self.streams = venue.streams(specs)
        self._transport = transport
        self._hosts = {name: (urls or {}).get(f"{self.key}.{name}", url) for name, url in venue.facts.hosts.items()}
        self._now_ns = now_ns
        self._chance = chance or random.Random()
        self._tape = tape
        self._on_corrupt = on_corrupt
        self._lines = [_Line(stream, number) for stream in self.streams for number in range(lines)]
        self._heard = {stream.name: _Heard() for stream in self.streams}
        self._steady = Steady()
        self._queue: asyncio.Queue[Batch] = asyncio.Queue(QUEUE)
        self._failure: BaseException | None = None

    async def batches(self) -> AsyncGenerator[Batch]:
        """Open all lines and yield what they bring, for ever; closing the iterator closes them.

        A reader that is too slow slows the sockets down; nothing is dropped here.
        """
        tasks = [
            asyncio.create_task(self._keep(line), name=f"{self.key} {line.stream.name}/{line.number}") for line in self._lines
        ]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            while True:
                batch = await self._queue.get()
                if self._failure is not None:
                    raise self._failure
                yield batch
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A line ends only when it is cancelled or something is wrong with the program: wake the reader and tell."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error
            with suppress(asyncio.QueueFull):
                self._queue.put_nowait(Batch(self.key, "", -1, self._now_ns(), []))

    def rest(self) -> list[Batch]:
        """Return what was read from the sockets and not taken before the iterator was closed."""
        found: list[Batch] = []
        with suppress(asyncio.QueueEmpty):
            while True:
                found.append(self._queue.get_nowait())
        return found

    def waiting(self) -> int:
        """Return how many batches were read from the sockets and not taken yet."""
        return self._queue.qsize()

    def health(self) -> list[LineHealth]:
        """Return how every line is."""
        return [
            LineHealth(
                stream=line.stream.name,
                line=line.number,
                state=line.state,
                last_frame_ns=line.last_frame_ns,
                last_data_ns=line.last_data_ns,
                frames=line.frames,
                corrupt=line.corrupt,
                connects=line.connects,
                last_error=line.last_error,
            )
            for line in self._lines
        ]

    def down(self) -> dict[str, int]:
        """Return the streams that no line hears now, with the last instant they were heard (ns UTC)."""
        return {
            name: self._steady.wall(heard.coverage.covered_ns, heard.coverage.covered_ns)[0]
            for name, heard in self._heard.items()
            if heard.coverage.lines_up == 0 and heard.coverage.covered_ns is not None
        }

    async def _keep(self, line: _Line) -> None:
        """Open a line again and again."""
        await asyncio.sleep(line.number * STAGGER_S)
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._live(line)
            except (Unreachable, _Dead) as error:
                line.last_error = error.message if isinstance(error, Unreachable) else str(error)
            line.state = "waiting"
            self._heard[line.stream.name].coverage.lost(line.number)
            await self._tell_gaps(line.stream)
            failures = 0 if loop.time() - began > STEADY_S else failures + 1
            longest = min(LONGEST_BACK_OFF_S, FIRST_BACK_OFF_S * 2.0**failures)
            await asyncio.sleep(longest * self._chance.uniform(0.5, 1.0))

    async def _live(self, line: _Line) -> None:
        """Connect, subscribe, and read until the line dies."""
        stream = line.stream
        line.state = "connecting"
        line.connects += 1
        connection = await self._transport.connect(self._hosts[stream.host] + stream.path, timeout_s=CONNECT_S)
        session, line.repeats = stream.session(), Repeats()
        line.frame_at = line.data_at = asyncio.get_running_loop().time()
        parts = [
            asyncio.create_task(part)
            for part in (
                self._open(connection, session, stream),
                self._beat(line, connection, session),
                self._watch(line),
                self._read(line, connection, session),
            )
        ]
        try:
            pending = set(parts)
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            await connection.close()

    async def _open(self, connection: Connection, session: Session, stream: Stream) -> None:
        for message in session.opening():
            await connection.send(message)
            if stream.pause_s:
                await asyncio.sleep(stream.pause_s)

    async def _beat(self, line: _Line, connection: Connection, session: Session) -> None:
        while line.stream.heartbeat_s is not None:
            await asyncio.sleep(line.stream.heartbeat_s)
            message = session.heartbeat()
            if message is not None:
                await connection.send(message)
            else:
                await connection.ping()
                await self._alive(line, data=False)

    async def _watch(self, line: _Line) -> None:
        """Raise when the line was silent for too long."""
        stream, loop = line.stream, asyncio.get_running_loop()
        while True:
            ends = line.frame_at + stream.silence_s
            if stream.data_silence_s is not None:
                ends = min(ends, line.data_at + stream.data_silence_s)
            left = ends - loop.time()
            if left <= 0.0:
                quiet = "no frame" if loop.time() >= line.frame_at + stream.silence_s else "connected, but no market data"
                raise _Dead(f"{quiet} for {loop.time() - (line.frame_at if quiet == 'no frame' else line.data_at):.0f} s")
            await asyncio.sleep(left)

    async def _read(self, line: _Line, connection: Connection, session: Session) -> None:
        stream, time = line.stream, asyncio.get_running_loop().time
        while True:
            frame = await connection.receive()
            recv_ns = self._now_ns()
            line.frames += 1
            if self._tape is not None:
                self._tape(self.key, stream.name, line.number, recv_ns, frame)
            try:
                found = session.receive(frame, recv_ns)
            except CorruptRecord as error:
                line.frame_at, line.last_frame_ns = time(), recv_ns
                self._corrupt(line, frame, error)
                continue
            if found.reply is not None:
                await connection.send(found.reply)
            if found.refused is not None:
                raise _Dead(f"subscription refused: {found.refused}")
            await self._alive(line, data=found.data)
            if found.records:
                await self._pass_on(line, frame, recv_ns, found.records)

    async def _alive(self, line: _Line, *, data: bool) -> None:
        """Note a frame or pong; where quiet is not normal, only market data shows that a line is up."""
        stream = line.stream
        recv_ns = line.last_frame_ns = self._now_ns()
        line.frame_at = asyncio.get_running_loop().time()
        steady_ns = self._steady.note(recv_ns, line.frame_at)
        if data:
            line.data_at, line.last_data_ns = line.frame_at, recv_ns
        if data or stream.data_silence_s is None:
            self._heard[stream.name].coverage.heard(line.number, steady_ns)
            if line.state != "up":
                line.state = "up"
                await self._tell_gaps(stream)

    async def _pass_on(self, line: _Line, frame: str | bytes, recv_ns: int, parsed: list[Record | CorruptRecord]) -> None:
        records: list[Record] = []
        for record in parsed:
            if isinstance(record, CorruptRecord):
                self._corrupt(line, frame, record)
            else:
                records.append(record)
        if records and not line.repeats.again(frame, records):
            await self._put(Batch(self.key, line.stream.name, line.number, recv_ns, records, line.connects))

    async def _put(self, batch: Batch) -> None:
        if self._queue.full():
            await self._queue.put(batch)
        else:
            self._queue.put_nowait(batch)

    def _corrupt(self, line: _Line, frame: str | bytes, error: CorruptRecord) -> None:
        line.corrupt += 1
        line.last_error = error.message
        if self._on_corrupt is not None:
            self._on_corrupt(self.key, line.stream.name, frame, error)

    async def _tell_gaps(self, stream: Stream) -> None:
        found = self._heard[stream.name].coverage.gaps()
        for stretch in found:
            recv_ns = self._now_ns()
            start_ns, end_ns = self._steady.wall(*stretch)
            gaps: list[Record] = [
                Gap(
                    instrument=instrument,
                    kind=kind,
                    ts_venue=start_ns - _late_ns(self.venue, kind),
                    end_ns=end_ns,
                    ts_recv=recv_ns,
                    reason=f"no line of {self.key} {stream.name} was heard",
                )
                for kind in stream.kinds
                for instrument in stream.instruments
            ]
            await self._put(Batch(self.key, stream.name, -1, recv_ns, gaps))


def _late_ns(venue: Venue, kind: Kind) -> int:
    """How long before the last sign of life a record may have happened that was still on its way."""
    return round(venue.facts.late_s * NS_PER_S) if kind is Kind.LIQUIDATIONS else _LATE_NS
