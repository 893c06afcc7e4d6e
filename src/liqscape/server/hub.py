"""Live topics over WebSocket: every reader gets the newest state of what it asked for, and never slows another one down.

`/api/v1/stream?topics=now.BTC,map.BTC,heat.BTC,health&since=SEQ`. A message is `{topic, seq, as_of, kind, data}` with kind
`snapshot` or `event`; `heat` comes as binary frames (`deltas`). A reader that is slow gets the newest message of a topic with
`skipped`, the number of those it did not get. Every 5 seconds a heartbeat is sent.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from fastapi import WebSocket, WebSocketDisconnect
from msgspec import Struct

from liqscape.api.envelope import encode, envelope, error_envelope
from liqscape.clock import iso, now_ns
from liqscape.errors import BadArgument, LiqscapeError
from liqscape.server.deltas import delta, reset

if TYPE_CHECKING:
    from liqscape.server.app import Server

log = structlog.get_logger()

HEARTBEAT_S = 5.0
LOOK_S = 1.0  # how often the store is looked at for new rows
MOST_TOPICS = 16
LONGEST_MESSAGE = 512  # of a client: topics to add or to leave
KINDS = ("now", "map", "heat", "health")
_TOPIC = re.compile(r"health|(?:now|map|heat)\.[A-Za-z0-9_\-.:]{1,48}")


class Message(Struct, kw_only=True, omit_defaults=True):
    """What a reader gets."""

    topic: str
    seq: int
    as_of: str | None = None
    kind: str
    data: msgspec.Raw | dict[str, Any] | None = None
    skipped: int = 0


class Wish(Struct, forbid_unknown_fields=True):
    """What a reader may send: topics to add and to leave."""

    add: list[str] = []
    leave: list[str] = []


@dataclass
class _Topic:
    name: str
    seq: int = 0
    newest: tuple[int, str | None, bytes] | None = None  # seq, as_of, data
    tag: object = None
    readers: set[_Reader] = field(default_factory=lambda: set[_Reader]())


@dataclass(eq=False)
class _Reader:
    socket: WebSocket
    waiting: dict[str, tuple[Callable[[int], str | bytes], int]] = field(
        default_factory=dict[str, tuple[Callable[[int], "str | bytes"], int]]
    )
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, topic: str, write: Callable[[int], str | bytes]) -> bool:
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
        self._readers: set[_Reader] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._version: tuple[int, ...] | None = None

    @property
    def readers(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    async def start(self) -> None:
        """Begin to look at the store."""
        self._tasks = [asyncio.create_task(self._look()), asyncio.create_task(self._beat())]

    async def stop(self) -> None:
        """Say goodbye to every reader."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for reader in tuple(self._readers):
            with suppress(Exception):
                await reader.socket.close(1001, "server stops")

    async def serve(self, socket: WebSocket) -> None:
        """Serve one reader until it leaves."""
        gate, options = self._server.gate, self._server.options
        headers, query = socket.headers, socket.query_params
        if not gate.host_is_ours(headers) or not gate.origin_is_ours(headers) or not gate.may(headers, query.get("token")):
            await socket.close(1008, "not allowed")
            return
        if len(self._readers) >= options.clients:
            await socket.close(1013, "too many readers")
            return
        await socket.accept()
        reader = _Reader(socket)
        self._readers.add(reader)
        self._server.meters.clients.set(len(self._readers))
        sender = asyncio.create_task(self._send(reader))
        try:
            since = int(query["since"]) if query.get("since", "").isdigit() else None
            await self._add(reader, [name for name in query.get("topics", "").split(",") if name], since)
            while True:
                text = await socket.receive_text()
                wish = _wish(text)
                for name in wish.leave:
                    self._leave(reader, name)
                await self._add(reader, wish.add, None)
        except (WebSocketDisconnect, RuntimeError):
            pass
        except BadArgument as error:
            with suppress(Exception):
                await socket.send_text(encode(error_envelope(error)).decode())
                await socket.close(1008, error.message[:100])
        finally:
            sender.cancel()
            for topic in tuple(self._topics):
                self._leave(reader, topic)
            self._readers.discard(reader)
            self._server.meters.clients.set(len(self._readers))

    def publish(self, name: str, data: bytes, as_of: str | None, kind: str = "snapshot") -> None:
        """Give a topic's newest state to all its readers."""
        topic = self._topics.get(name)
        if topic is None:
            return
        topic.seq += 1
        topic.newest = (topic.seq, as_of, data)
        write = _writer(name, topic.seq, as_of, kind, data)
        self._offer(topic, write)

    def _offer(self, topic: _Topic, write: Callable[[int], str | bytes]) -> None:
        for reader in topic.readers:
            if reader.offer(topic.name, write):
                self._server.meters.skipped.inc()

    async def _add(self, reader: _Reader, names: list[str], since: int | None) -> None:
        for name in names:
            if not _TOPIC.fullmatch(name):
                raise BadArgument(
                    f"topics: there is no topic {name[:60]!r}", hint=f"Topics are {', '.join(KINDS)}, such as now.BTC."
                )
            topic = self._topics.setdefault(name, _Topic(name))
            if sum(reader in each.readers for each in self._topics.values()) >= MOST_TOPICS:
                raise BadArgument(f"topics: at most {MOST_TOPICS} for one reader")
            topic.readers.add(reader)
            if topic.newest is None:
                await self._refresh(topic)
            elif since != topic.seq:
                seq, as_of, data = topic.newest
                reader.offer(name, _writer(name, seq, as_of, "snapshot", data))

    def _leave(self, reader: _Reader, name: str) -> None:
        topic = self._topics.get(name)
        if topic is not None:
            topic.readers.discard(reader)
            if not topic.readers:
                del self._topics[name]

    async def _send(self, reader: _Reader) -> None:
        """Send what waits, one message at a time."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await reader.ready.wait()
                reader.ready.clear()
                while reader.waiting:
                    name = next(iter(reader.waiting))
                    write, skipped = reader.waiting.pop(name)
                    message = write(skipped)
                    if isinstance(message, str):
                        await reader.socket.send_text(message)
                    else:
                        await reader.socket.send_bytes(message)
                    self._server.meters.sent.inc()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            at = iso(now_ns())
            write = _writer("heartbeat", 0, at, "event", b"null")
            for reader in self._readers:
                reader.offer("heartbeat", write)

    async def _look(self) -> None:
        """Bring every topic up to date whenever the store has new rows."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                version = await self._server.memory.run(self._server.memory.version)
                changed = version != self._version
                self._version = version
                for topic in tuple(self._topics.values()):
                    if changed or topic.name == "health":
                        await self._refresh(topic)
            except LiqscapeError as error:
                log.warning("store", error=error.message)
            except Exception as error:  # one bad instrument or file never ends the others' news
                log.error("look", error=repr(error))

    async def _refresh(self, topic: _Topic) -> None:
        kind, _, instrument = topic.name.partition(".")
        try:
            if kind == "heat":
                await self._refresh_heat(topic, instrument)
                return
            data, as_of = await self._server.memory.run(lambda: self._snapshot(kind, instrument))
        except LiqscapeError as error:
            data, as_of = encode(error_envelope(error)), None
        if topic.newest is None or topic.newest[2] != data:
            self.publish(topic.name, data, as_of)

    def _snapshot(self, kind: str, instrument: str) -> tuple[bytes, str | None]:
        """Return the envelope of a topic, as its route would answer."""
        from liqscape.server.routes import snapshot

        answered = snapshot(self._server, kind, instrument)
        return encode(envelope(answered.command, answered.data, answered.meta, answered.links)), answered.meta.as_of

    async def _refresh_heat(self, topic: _Topic, instrument: str) -> None:
        """Send the columns that are new since the reader's revision; another grid is a reset."""
        from liqscape.server.routes import live_grid

        grid = await self._server.memory.run(lambda: live_grid(self._server, instrument))
        before = topic.tag
        topic.tag = grid
        if before is None or before is grid:
            if before is None:
                topic.seq, topic.newest = 1, (1, None, b"null")
                body = reset(grid)
                self._offer(topic, lambda skipped: body)
            return
        assert isinstance(before, type(grid))
        body = delta(before, grid)
        topic.seq += 1
        self._offer(topic, lambda skipped: body)


def _writer(name: str, seq: int, as_of: str | None, kind: str, data: bytes) -> Callable[[int], str]:
    """Return what writes a message; it is written once for all readers who missed nothing."""
    plain = msgspec.json.encode(Message(topic=name, seq=seq, as_of=as_of, kind=kind, data=msgspec.Raw(data))).decode()

    def write(skipped: int) -> str:
        if not skipped or name == "heartbeat":
            return plain
        return msgspec.json.encode(
            Message(topic=name, seq=seq, as_of=as_of, kind=kind, data=msgspec.Raw(data), skipped=skipped)
        ).decode()

    return write


def _wish(text: str) -> Wish:
    if len(text) > LONGEST_MESSAGE:
        raise BadArgument(f"stream: a message of {len(text)} characters", hint=f"At most {LONGEST_MESSAGE}.")
    try:
        return msgspec.json.decode(text, type=Wish)
    except msgspec.DecodeError as error:
        raise BadArgument(f"stream: {error}", hint='Send {"add": ["now.BTC"], "leave": []}.') from None
