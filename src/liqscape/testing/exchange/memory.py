"""The rehearsal without a socket: a transport for a client in the same process, on a virtual clock. Every run is the same."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping
from itertools import count
from urllib.parse import parse_qsl, urlsplit

from liqscape.errors import Unreachable
from liqscape.testing.exchange.dialect import Answer, Asked, Frame
from liqscape.testing.exchange.exchange import Link, Lost, RehearsalExchange
from liqscape.testing.virtual import VirtualLoop
from liqscape.units import NS_PER_S

_REPLY_NS = 50_000_000


def asked_of(method: str, url: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes | None) -> Asked:
    """Return what reaches the venue of a request to its real address."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | dict(params)
    named = {name.lower(): value for name, value in headers.items()}
    return Asked(parts.hostname or "", parts.path or "/", query, method, named, body or b"")


class MemoryTransport:
    """Requests and connections to the venues' real addresses, answered by a rehearsal exchange.

    Parameters
    ----------
    exchange
        What answers.
    loop
        Whose clock counts. A jump of the wall clock (`shift_ns`) is the client's alone: the venues do not see it.
    poll_s
        How often a connection looks for new frames: the latency of the network.
    """

    def __init__(self, exchange: RehearsalExchange, loop: VirtualLoop, *, poll_s: float = 0.5) -> None:
        self.exchange = exchange
        self.poll_s = poll_s
        self._loop = loop
        self._open: set[_MemoryConnection] = set()

    def now_ns(self) -> int:
        """Return the venues' clock."""
        return self._loop.now_ns() - self._loop.shift_ns

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> Answer:
        """Send a request and return the whole answer; raises `Unreachable`."""
        try:
            reply = self.exchange.request(asked_of(method, url, params, headers, body), self.now_ns())
        except Lost as error:
            await asyncio.sleep(0.05)
            raise Unreachable(f"{url}: {error}") from None
        if reply.answer is None:
            await asyncio.sleep(timeout_s)
            raise Unreachable(f"{url}: no answer in {timeout_s:g} s")
        await asyncio.sleep(reply.after_s)
        return reply.answer

    async def connect(self, url: str, *, timeout_s: float) -> _MemoryConnection:
        """Open a WebSocket; raises `Unreachable`."""
        await asyncio.sleep(0.05)
        try:
            link, frames = self.exchange.open(asked_of("GET", url, {}, {}, None), self.now_ns())
        except Lost as error:
            raise Unreachable(f"{url}: {error}") from None
        connection = _MemoryConnection(self, link, frames)
        self._open.add(connection)
        return connection

    async def close(self) -> None:
        """Close everything that is open."""
        for connection in list(self._open):
            await connection.close()

    def forget(self, connection: _MemoryConnection) -> None:
        """Note that a connection was closed."""
        self._open.discard(connection)

    @property
    def open_connections(self) -> int:
        """How many the client has not closed."""
        return len(self._open)


class _MemoryConnection:
    def __init__(self, transport: MemoryTransport, link: Link, frames: list[Frame]) -> None:
        self._transport = transport
        self._exchange = transport.exchange
        self._link = link
        self._order = count()
        self._ready: list[tuple[int, int, Frame]] = []
        self._push([(transport.now_ns(), frame) for frame in frames])

    def _push(self, frames: list[tuple[int, Frame]]) -> None:
        for at, frame in frames:
            heapq.heappush(self._ready, (at, next(self._order), frame))

    async def send(self, message: str | bytes) -> None:
        """Send one message."""
        now_ns = self._transport.now_ns()
        try:
            replies = self._exchange.hear(self._link, message, now_ns)
        except Lost as error:
            raise Unreachable(f"connection lost: {error}") from None
        self._push([(now_ns + _REPLY_NS, reply) for reply in replies])

    async def receive(self) -> str | bytes:
        """Wait for the next frame."""
        while True:
            now_ns = self._transport.now_ns()
            if self._ready and self._ready[0][0] <= now_ns:
                return heapq.heappop(self._ready)[2]
            if now_ns > self._link.polled_ns:
                try:
                    self._push(self._exchange.poll(self._link, now_ns))
                except Lost as error:
                    raise Unreachable(f"connection lost: {error}") from None
                if self._ready and self._ready[0][0] <= now_ns:
                    continue
            elif self._link.closed:
                raise Unreachable("connection lost: closed")
            wait_s = self._transport.poll_s
            if self._ready:
                wait_s = min(wait_s, (self._ready[0][0] - now_ns) / NS_PER_S)
            await asyncio.sleep(max(wait_s, 0.001))

    async def ping(self) -> None:
        """Send the protocol's ping and wait for its pong, for ever if the other end is gone."""
        if self._link.closed:
            raise Unreachable("connection lost: closed")
        if not self._exchange.answers_pings(self._link):
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Close it; never raises."""
        self._exchange.close(self._link)
        self._transport.forget(self)
