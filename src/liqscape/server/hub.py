"""Live topics over WebSocket: every reader gets the newest state of what it asked for, and never slows another one down.

`/api/v1/stream?topics=now.BTC,map.BTC,heat.BTC,health&since=SEQ`. A message is `{topic, seq, as_of, kind, data}`; its data
are the envelope that the route of the same name answers. `heat` comes as binary frames (`deltas`). `seq` only ever grows,
over all topics and over restarts, and no reader is ever sent a smaller one after a larger one: who gives the largest one
that it has seen, a heartbeat's too, as `since` has missed nothing up to it and gets only what is newer. Frames carry none:
`heat` begins with the grid each time. A plain GET of the same address answers with the same messages as server-sent events.
A reader that is slow gets the newest message of a topic with `skipped`, the number of those it did not get. Every 5 seconds
a heartbeat is sent.

A topic that nobody reads rests: it is not brought up to date, but a reader that comes back soon is told the state that it
has under the number that it knows, which is to say nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from liqscape.api.envelope import encode, error_envelope
from liqscape.clock import iso, now_ns
from liqscape.errors import BadArgument, LiqscapeError
from liqscape.server.deltas import delta, reset
from liqscape.server.heat import Grid
from liqscape.server.memory import LONGEST_REST_S
from liqscape.server.messages import Write, seq_of, unexpected, wish_of, writer

if TYPE_CHECKING:
    from liqscape.server.app import Server

log = structlog.get_logger()

HEARTBEAT_S = 5.0
LOOK_S = 1.0  # how often the store is looked at for new rows
REST = 10.0  # a topic rests for so many times as long as bringing it up to date took
GOODBYE_S = 0.5  # a reader that does not read is not waited for longer
MACHINE_S = 5.0  # how often `health` and `venues` are looked at: they change with the time alone
MOST_TOPICS = 16
MOST_RESTING = 64  # topics that nobody reads, kept for who comes back
FRESH_S = 1.0  # what is older is written again, with its ages, for a reader that comes
MACHINE = ("health", "venues")
KINDS = ("now", "map", "heat", *MACHINE)
_TOPIC = re.compile(r"(?:health|venues)|(?:now|map|heat)\.[A-Za-z0-9_\-.:]{1,48}")
# What changes although nothing has happened: a message is only sent for the rest.
_RESTLESS = re.compile(rb'"(?:age_s|computed_at|now|clients)":(?:"[^"]*"|[-+.0-9eE]+|null)')


@dataclass(eq=False)
class _Topic:
    """A topic: `said` writes its newest data as old as they are now, `same` tells them from others; `grid` is of heat.

    `seq` is the number under which its state was told first.
    """

    name: str
    seq: int = 0
    as_of: str | None = None
    said: Callable[[], bytes] | None = None
    write: Write | None = None
    written_at: float = 0.0
    same: bytes | None = None
    grid: Grid | None = None
    readers: set[_Reader] = field(default_factory=lambda: set[_Reader]())
    busy: asyncio.Task[None] | None = None
    rests_until: float = 0.0


@dataclass(eq=False)
class _Reader:
    socket: WebSocket | None
    gone: bool = False
    topics: set[str] = field(default_factory=set[str])
    waiting: dict[str, tuple[Write, int]] = field(default_factory=dict[str, tuple[Write, int]])
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, topic: str, write: Write) -> bool:
        """Leave a message to be sent; one that still waits is replaced. Returns whether one was."""
        held = self.waiting.pop(topic, None)
        self.waiting[topic] = (write, 0 if held is None else held[1] + 1)
        self.ready.set()
        return held is not None


class Hub:
    """All topics and readers of one server.

    Parameters
    ----------
    server
        What answers questions.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._topics: dict[str, _Topic] = {}
        self._resting: OrderedDict[str, _Topic] = OrderedDict()
        self._readers: set[_Reader] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._seq = time.time_ns() // 1_000_000

    @property
    def readers(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    async def start(self) -> None:
        """Begin to look at the store."""
        self._tasks = [asyncio.create_task(job()) for job in (self._look, self._beat, self._watch)]

    async def stop(self) -> None:
        """Say goodbye to every reader."""
        tasks = [*self._tasks, *(topic.busy for topic in self._topics.values() if topic.busy is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.end_events()
        goodbyes = (reader.socket.close(1001, "server stops") for reader in tuple(self._readers) if reader.socket is not None)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*goodbyes, return_exceptions=True), GOODBYE_S)

    def end_events(self) -> None:
        """End all server-sent events: their clients come back by themselves, with the number that they know."""
        for reader in self._readers:
            if reader.socket is None:
                reader.gone = True
                reader.ready.set()

    async def serve(self, socket: WebSocket) -> None:
        """Serve one reader, which the gate let through, until it leaves."""
        query = socket.query_params
        if self.full:
            await socket.close(1013, "too many readers")
            return
        await socket.accept()
        reader = self._welcome(_Reader(socket))
        sender = asyncio.create_task(self._send(reader, socket))
        try:
            self._add(reader, _names(query.get("topics", "")), self._since(query.get("since", "")))
            while True:
                wish = wish_of(await socket.receive_text())
                for name in wish.leave:
                    self._leave(reader, name)
                self._add(reader, wish.add, None)
        except (WebSocketDisconnect, RuntimeError, KeyError):  # KeyError: a binary message, which has no text
            pass
        except BadArgument as error:
            with suppress(Exception):
                await socket.send_text(encode(error_envelope(error)).decode())
                await socket.close(1008, error.message[:100])
        finally:
            sender.cancel()
            self._farewell(reader)

    def events(self, topics: str, since: str) -> AsyncGenerator[bytes]:
        """Return the same messages as server-sent events, whose `id` is the `seq`; `heat` is binary and for WebSockets only.

        Raises
        ------
        BadArgument
            If there is no such topic, or it is binary.
        """
        names = _names(topics)
        if binary := [name for name in names if name.startswith("heat")]:
            raise BadArgument(f"topics: {binary[0]!r} is binary", hint="Open a WebSocket for it, or ask /heat.")
        _check(names)
        return self._events(names, since)

    async def _events(self, names: list[str], since: str) -> AsyncGenerator[bytes]:
        reader = self._welcome(_Reader(None))
        try:
            self._add(reader, names, self._since(since))
            yield b"retry: 2000\n\n"
            async for message in self._messages(reader):
                assert isinstance(message, str)
                yield f"id: {seq_of(message)}\ndata: {message}\n\n".encode()
        finally:
            self._farewell(reader)

    @property
    def full(self) -> bool:
        """Whether there is no room for another reader."""
        return len(self._readers) >= self._server.options.clients

    def _welcome(self, reader: _Reader) -> _Reader:
        self._readers.add(reader)
        self._server.meters.clients.set(len(self._readers))
        return reader

    def _farewell(self, reader: _Reader) -> None:
        for name in tuple(reader.topics):
            self._leave(reader, name)
        self._readers.discard(reader)
        self._server.meters.clients.set(len(self._readers))

    def _since(self, text: str) -> int:
        since = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0
        return since if since <= self._seq else 0  # a number that was never given: the clock was set back

    def publish(self, name: str, data: bytes, as_of: str | None, said: Callable[[], bytes] | None = None) -> None:
        """Give a topic's newest state to all its readers, unless it is the one they have.

        Parameters
        ----------
        said
            Writes the data anew, as old as they are then; None: they do not grow old.
        """
        topic, same = self._topics.get(name), _RESTLESS.sub(b"", data)
        if topic is None:
            return
        news = topic.same != same
        if news:
            topic.same, topic.seq = same, self._next()
        topic.said, topic.as_of = said or (lambda: data), as_of
        write = self._write(topic, data)
        if news:
            self._offer(topic, write)

    def _write(self, topic: _Topic, data: bytes) -> Write:
        write = topic.write = writer(topic.name, topic.seq, topic.as_of, data)
        topic.written_at = time.monotonic()
        return write

    def send_frame(self, name: str, frame: bytes) -> None:
        """Give a binary frame to all readers of a topic."""
        topic = self._topics.get(name)
        if topic is not None:
            topic.seq = self._next()
            self._offer(topic, lambda skipped: frame)

    def _next(self) -> int:
        """Return the next number: larger than every one before, those of earlier runs of the server too."""
        self._seq = max(self._seq + 1, time.time_ns() // 1_000_000)
        return self._seq

    def _offer(self, topic: _Topic, write: Write) -> None:
        for reader in topic.readers:
            if reader.offer(topic.name, write):
                self._server.meters.skipped.inc()

    def _add(self, reader: _Reader, names: list[str], since: int | None) -> None:
        """Let a reader have topics: what it begins with, newer than `since`, or what it adds (None) to those that it has."""
        held: list[_Topic] = []
        fresh = [name for name in dict.fromkeys(names) if name not in reader.topics]
        _check([*reader.topics, *fresh])
        for name in fresh:
            reader.topics.add(name)
            topic = self._wake(name)
            topic.readers.add(reader)
            if topic.grid is not None:
                frame = reset(topic.grid)
                reader.offer(name, lambda skipped, frame=frame: frame)
            elif topic.said is None:
                self._begin(topic)
            elif since is None or topic.seq > since:
                held.append(topic)
        # The least number first: a connection that is lost between two must not leave a hole below what was seen.
        for topic in sorted(held, key=lambda each: each.seq):
            reader.offer(topic.name, self._again(topic, new_number=since is None))

    def _again(self, topic: _Topic, *, new_number: bool) -> Write:
        """Return what a topic said last, as old as it is now; under a new number for a reader that has been sent larger ones."""
        assert topic.said is not None
        if new_number:
            return writer(topic.name, self._next(), topic.as_of, topic.said())
        if topic.write is None or time.monotonic() - topic.written_at > FRESH_S:
            return self._write(topic, topic.said())
        return topic.write

    def _wake(self, name: str) -> _Topic:
        """Return a topic that is read, or is read again: then it is brought up to date at once."""
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = self._resting.pop(name, None) or _Topic(name)
            if topic.said is not None:
                self._begin(topic)
        return topic

    def _leave(self, reader: _Reader, name: str) -> None:
        topic = self._topics.get(name)
        reader.topics.discard(name)
        reader.waiting.pop(name, None)
        if topic is None:
            return
        topic.readers.discard(reader)
        if topic.readers:
            return
        del self._topics[name]
        if topic.said is not None:  # a grid is too large to be kept for nobody
            self._resting[name] = topic
            while len(self._resting) > MOST_RESTING:
                self._resting.popitem(last=False)

    async def _send(self, reader: _Reader, socket: WebSocket) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            async for message in self._messages(reader):
                if isinstance(message, str):
                    await socket.send_text(message)
                else:
                    await socket.send_bytes(message)

    async def _messages(self, reader: _Reader) -> AsyncGenerator[str | bytes]:
        """Yield what waits, one message at a time: while one is on its way, newer ones replace those that wait."""
        while not reader.gone:
            await reader.ready.wait()
            reader.ready.clear()
            while reader.waiting and not reader.gone:
                name = next(iter(reader.waiting))
                write, skipped = reader.waiting.pop(name)
                yield write(skipped)
                self._server.meters.sent.inc()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            write = writer("heartbeat", self._seq, iso(now_ns()), b"null", "event")
            for reader in self._readers:
                reader.offer("heartbeat", write)

    async def _watch(self) -> None:
        """Bring what depends on the time alone up to date."""
        while True:
            await asyncio.sleep(MACHINE_S)
            for name in MACHINE:
                if name in self._topics:
                    self._begin(self._topics[name])

    async def _look(self) -> None:
        """Bring every other topic up to date when the store has new rows, and until what rests then is up to date too."""
        version: tuple[int, ...] | None = None
        until = 0.0
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                newest = await self._server.memory.quick(self._server.memory.version)
            except Exception as error:
                log.warning("store", error=repr(error))
                continue
            now = time.monotonic()
            if newest != version:
                version, until = newest, now + LONGEST_REST_S + LOOK_S
            for topic in tuple(self._topics.values()):
                if now < until and now >= topic.rests_until and topic.name not in MACHINE:
                    self._begin(topic)

    def _begin(self, topic: _Topic) -> None:
        """Begin to bring a topic up to date, unless that is under way; topics never wait for each other."""
        if topic.busy is None or topic.busy.done():
            topic.busy = asyncio.create_task(self._refresh(topic))

    async def _refresh(self, topic: _Topic) -> None:
        kind, _, instrument = topic.name.partition(".")
        start = time.monotonic()
        said: Callable[[], bytes] | None = None
        as_of: str | None = None
        try:
            if kind == "heat":
                await self._refresh_heat(topic, instrument)
                return
            said, data, as_of = await self._server.memory.run(lambda: self._snapshot(kind, instrument))
        except LiqscapeError as error:
            data = encode(error_envelope(error))
        except Exception as error:  # one bad instrument or file never ends the others' news
            log.error("topic", topic=topic.name, error=repr(error))
            data = encode(unexpected(error))
        finally:
            topic.rests_until = time.monotonic() + min(REST * (time.monotonic() - start), LONGEST_REST_S)
        if self._topics.get(topic.name) is topic:
            topic.grid = None if kind == "heat" else topic.grid
            self.publish(topic.name, data, as_of, said)

    def _snapshot(self, kind: str, instrument: str) -> tuple[Callable[[], bytes], bytes, str | None]:
        """Return what writes the envelope of a topic, as its route would answer; it as it is now; its instant."""
        from liqscape.server.routes import snapshot

        made = snapshot(self._server, kind, instrument)

        def said() -> bytes:
            return made.body().plain

        return said, said(), made.meta.as_of

    async def _refresh_heat(self, topic: _Topic, instrument: str) -> None:
        """Send the columns that are new since the last time; another grid is a reset."""
        from liqscape.server.routes import live_grid

        grid = await self._server.memory.run(lambda: live_grid(self._server, instrument))
        before, topic.grid, topic.same, topic.said = topic.grid, grid, None, None
        if before is grid or self._topics.get(topic.name) is not topic:
            return
        frame = reset(grid) if before is None else await self._server.memory.quick(lambda: delta(before, grid))
        if frame is not None:
            self.send_frame(topic.name, frame)


def _names(topics: str) -> list[str]:
    return [name for name in topics.split(",") if name]


def _check(names: list[str]) -> None:
    for name in names:
        if not _TOPIC.fullmatch(name):
            raise BadArgument(f"topics: there is no topic {name[:60]!r}", hint=f"Topics are {', '.join(KINDS)}, such as now.BTC.")
    if len(set(names)) > MOST_TOPICS:
        raise BadArgument(f"topics: at most {MOST_TOPICS} for one reader")
