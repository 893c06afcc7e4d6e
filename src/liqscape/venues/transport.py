"""How bytes reach a venue: the two things everything else needs, and the real ones over httpx and websockets.

Tests and the rehearsal exchange give another `Transport` with the same promises, without a socket and on a virtual clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from liqscape.errors import Unreachable

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

# No honest frame or answer is longer: the longest known one is Hyperliquid's leaderboard with about 40 MB.
LONGEST_FRAME = 16 * 2**20


class Response(Protocol):
    """An HTTP answer; names of headers are in lower case."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body, decompressed."""
        ...


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(Protocol):
    """An open WebSocket. Every method raises `Unreachable` once it is lost."""

    async def send(self, message: str | bytes) -> None:
        """Send one message."""
        ...

    async def receive(self) -> str | bytes:
        """Wait for the next frame."""
        ...

    async def ping(self) -> None:
        """Send the protocol's ping and wait for its pong."""
        ...

    async def close(self) -> None:
        """Close it; never raises."""
        ...


class Transport(Protocol):
    """Where requests and connections go."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> Response:
        """Send a request and return the whole answer; raises `Unreachable`."""
        ...

    async def connect(self, url: str, *, timeout_s: float) -> Connection:
        """Open a WebSocket; raises `Unreachable`."""
        ...

    async def close(self) -> None:
        """Close everything that is open."""
        ...


class _Socket:
    def __init__(self, socket: ClientConnection, lost: type[Exception]) -> None:
        self._socket, self._lost = socket, lost

    async def send(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except self._lost as error:
            raise Unreachable(f"connection lost: {error}") from None

    async def receive(self) -> str | bytes:
        try:
            return await self._socket.recv()
        except self._lost as error:
            raise Unreachable(f"connection lost: {error}") from None

    async def ping(self) -> None:
        try:
            await (await self._socket.ping())
        except self._lost as error:
            raise Unreachable(f"connection lost: {error}") from None

    async def close(self) -> None:
        self._socket.close_timeout = 1.0
        await self._socket.close()


class NetTransport:
    """The real network: httpx for requests, websockets for streams. Proxies are read from the environment.

    Both are loaded here: rooms that only name a transport do without, and most commands reach no venue.
    """

    def __init__(self) -> None:
        import httpx

        self._failures = (httpx.HTTPError, httpx.InvalidURL)
        self._http = httpx.AsyncClient(follow_redirects=True, headers={"user-agent": "liqscape"})

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> Response:
        """Send a request and return the whole answer."""
        try:
            answer = await self._http.request(
                method, url, params=dict(params), headers=dict(headers), content=body, timeout=timeout_s
            )
        except self._failures as error:
            raise Unreachable(f"{url}: {type(error).__name__}: {error}") from None
        return _Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content)

    async def connect(self, url: str, *, timeout_s: float) -> Connection:
        """Open a WebSocket. Silence is judged by the feed, so the library sends no pings of its own."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, WebSocketException

        try:
            socket = await connect(
                url, open_timeout=timeout_s, ping_interval=None, max_size=LONGEST_FRAME, max_queue=256, compression=None
            )
        except (OSError, WebSocketException, TimeoutError) as error:
            raise Unreachable(f"{url}: {type(error).__name__}: {error}") from None
        return _Socket(socket, ConnectionClosed)

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._http.aclose()
