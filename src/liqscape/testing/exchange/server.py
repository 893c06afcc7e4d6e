"""The rehearsal on loopback: every venue under its own host name, `http://127.0.0.1:PORT/api.bybit.com/v5/market/time`.

HTTP and WebSocket on one port, so that any client in any language can be pointed at it. Faults act here too, but a half-open
socket answers protocol pings: the web server does that by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvicorn

import liqscape.clock as clock
from liqscape.testing.exchange.dialect import Answer, Asked, Frame
from liqscape.testing.exchange.exchange import Link, Lost, RehearsalExchange

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def local_url(address: str, base: str) -> str:
    """Return where the rehearsal at `base` answers for a venue's real address.

    Examples
    --------
    >>> local_url("wss://stream.bybit.com/v5/public/linear", "http://127.0.0.1:8900")
    'ws://127.0.0.1:8900/stream.bybit.com/v5/public/linear'
    """
    parts = urlsplit(address)
    scheme = "ws" if parts.scheme in ("ws", "wss") else "http"
    return f"{scheme}://{urlsplit(base).netloc}/{parts.hostname}{parts.path}"


class RehearsalApp:
    """The exchange as an ASGI application.

    Parameters
    ----------
    exchange
        What answers.
    now_ns
        The venues' clock, ns UTC.
    poll_s
        How often a socket looks for new frames.
    """

    def __init__(self, exchange: RehearsalExchange, now_ns: Callable[[], int] = clock.now_ns, poll_s: float = 0.2) -> None:
        self.exchange = exchange
        self._now_ns = now_ns
        self._poll_s = poll_s

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request, one socket, or the life of the server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)

    def _asked(self, scope: Message, body: bytes) -> Asked:
        host, _, path = str(scope["path"]).lstrip("/").partition("/")
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        return Asked(host.partition(":")[0], "/" + path, query, scope.get("method", "GET"), headers, body)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        try:
            reply = self.exchange.request(self._asked(scope, body), self._now_ns())
        except Lost as error:
            # A web server cannot refuse a connection that it has taken; it says so instead.
            reply = None
            answer = Answer(502, str(error).encode())
        else:
            answer = reply.answer
        if answer is None:
            await asyncio.sleep(3_600.0)
            return
        await asyncio.sleep(0.0 if reply is None else min(reply.after_s, 0.01))
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items() if name != "date"]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _socket(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        try:
            link, frames = self.exchange.open(self._asked(scope, b""), self._now_ns())
        except Lost:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        for frame in frames:
            await send(_message(frame))
        reader = asyncio.create_task(self._hear(link, receive, send))
        try:
            await self._push(link, reader, send)
        except (Lost, OSError):
            with contextlib.suppress(RuntimeError, OSError):
                await send({"type": "websocket.close", "code": 1006})
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            self.exchange.close(link)

    async def _hear(self, link: Link, receive: Receive, send: Send) -> None:
        """Give what the client says to the venue, until it leaves."""
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            heard: Frame = event["text"] if event.get("text") is not None else event["bytes"]
            for reply in self.exchange.hear(link, heard, self._now_ns()):
                await send(_message(reply))

    async def _push(self, link: Link, reader: asyncio.Task[None], send: Send) -> None:
        while not reader.done():
            for _, frame in self.exchange.poll(link, self._now_ns()):
                await send(_message(frame))
            await asyncio.wait({reader}, timeout=self._poll_s)
        if not reader.cancelled() and (error := reader.exception()) is not None:
            raise error


def _message(frame: Frame) -> Message:
    return {"type": "websocket.send", "text" if isinstance(frame, str) else "bytes": frame}


def settings(app: RehearsalApp, host: str, port: int) -> uvicorn.Config:
    """Return how the web server is to be run."""
    return uvicorn.Config(app, host=host, port=port, log_level="error", ws="websockets-sansio", lifespan="off", access_log=False)


@contextlib.contextmanager
def served(exchange: RehearsalExchange, now_ns: Callable[[], int] = clock.now_ns) -> Generator[str]:
    """Serve an exchange on a free port of loopback, in a thread, while the block runs; gives the base address.

    Examples
    --------
    >>> from liqscape.testing.exchange import RehearsalExchange, World, every_dialect
    >>> import httpx
    >>> with served(RehearsalExchange(every_dialect(World(), ["bybit"]))) as base:
    ...     httpx.get(f"{base}/api.bybit.com/v5/market/time").json()["retMsg"]
    'OK'
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        server = uvicorn.Server(settings(RehearsalApp(exchange, now_ns), "127.0.0.1", port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                thread.join(0.01)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10.0)
