"""The application: routes over `api.answers`, tiles, live topics, the page. Built by `create_app`, run by `liqscape serve`."""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from liqscape._version import __version__
from liqscape.api.envelope import encode, envelope
from liqscape.api.question import Answered, Question, ask
from liqscape.engine.workspace import Workspace
from liqscape.errors import LiqscapeError
from liqscape.server import schema
from liqscape.server.gate import Gate, refusal
from liqscape.server.heat import Body, Heat
from liqscape.server.hub import Hub
from liqscape.server.memory import Memory
from liqscape.server.metrics import Meters
from liqscape.server.options import Options

log = structlog.get_logger()

STATUS = {
    "BAD_ARGUMENT": 422,
    "UNKNOWN_INSTRUMENT": 404,
    "OUT_OF_RECORD": 404,
    "NO_DATA": 404,
    "WARMING_UP": 503,
    "STALE_INPUT": 503,
    "BELOW_ACCURACY": 412,
    "UPSTREAM": 502,
    "RATE_LIMIT": 429,
    "READ_ONLY": 403,
}
IMMUTABLE = "public, max-age=31536000, immutable"
_PRINTABLE = re.compile(r"[^\x20-\x7e]")


class Server:
    """What all routes share."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.workspace = Workspace(options.home)
        self.memory = Memory(self.workspace)
        self.heat = Heat(self.memory)
        self.meters = Meters()
        self.gate = Gate(options)
        self.hub = Hub(self)

    def question(self, command: str, instrument: str, as_of: str | None = None, venue: str | None = None) -> Question:
        """Read what every question has."""
        return ask(command, self.workspace, instrument, as_of=as_of, venue=venue, maps=self.memory.build_map)

    async def answer(
        self, request: Request, command: str, instrument: str, where: Any, make: Callable[[Question], Answered[Any]]
    ) -> Response:
        """Answer a question about an instrument; once a second at most for the same words and rows."""
        as_of = getattr(where, "as_of", None)

        def job() -> tuple[bytes, str, bool]:
            question = self.question(command, instrument, as_of, getattr(where, "venue", None))
            answered = make(question)
            body = encode(envelope(answered.command, answered.data, answered.meta, answered.links))
            # What is in an answer about now but not in its tag: when it was computed, and how old its inputs were then.
            return body, _tag(self.memory.version(), command, instrument, repr(where)), question.as_of_ns is not None

        key = (command, instrument, repr(where))
        with self.meters.time(command):
            body, tag, past = await self.memory.run(lambda: self.memory.answer(key, job))
        cache = "public, max-age=5, must-revalidate" if past else "no-cache"
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag, "cache-control": cache})
        return packed(request, Body.of(body, whole=False) if len(body) > 20_000 else body, "application/json", tag, cache)

    def envelope(self, command: str, data: Any, **meta: Any) -> Response:
        """Answer something that is about no instrument."""
        from liqscape.api.envelope import plain_meta

        return Response(encode(envelope(command, data, plain_meta(**meta))), media_type="application/json", headers=_FRESH)


_FRESH = {"cache-control": "no-cache"}


def create_app(options: Options) -> FastAPI:
    """Return the application; nothing is opened before its lifespan begins."""
    from liqscape.server import pages, routes

    server = Server(options.checked())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await server.hub.start()
        try:
            yield
        finally:
            await server.hub.stop()
            server.memory.close()

    app = FastAPI(title="liqscape", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.server = server
    app.middleware("http")(server.gate)
    app.add_exception_handler(LiqscapeError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    app.openapi = lambda: schema.describe(app)  # type: ignore[method-assign]
    routes.add(app, server)
    app.add_api_websocket_route("/api/v1/stream", _stream(server))
    pages.add(app, server)
    return app


def _stream(server: Server) -> Callable[[WebSocket], Any]:
    async def stream(socket: WebSocket) -> None:
        await server.hub.serve(socket)

    return stream


def packed(request: Request, body: Body | bytes, kind: str, tag: str | None, cache: str) -> Response:
    """Return bytes in the smallest form that the client takes."""
    headers = {"cache-control": cache, "vary": "accept-encoding"}
    if isinstance(body, bytes):
        content, encoding = body, None
    else:
        content, encoding = body.encoded(request.headers.get("accept-encoding", ""))
        tag = tag or body.etag
    if tag is not None:
        headers["etag"] = tag
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
    if encoding is not None:
        headers["content-encoding"] = encoding
    return Response(content, headers=headers, media_type=kind)


def _tag(*facts: object) -> str:
    return f'"{hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()}"'


async def _told(request: Request, error: Exception) -> Response:
    """An error of the tree, with the status its code stands for."""
    assert isinstance(error, LiqscapeError)
    status = STATUS.get(error.code, 500)
    if status == 500:
        log.error("request failed", path=request.url.path, error=error.message)
    wait = error.context.get("retry_after_s")
    return refusal(
        status,
        error.code,
        error.message,
        hint=error.hint,
        context=dict(error.context),
        retry_after_s=float(wait) if isinstance(wait, int | float) else None,
    )


async def _invalid(request: Request, error: Exception) -> Response:
    """A word that is unknown or of the wrong form."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where, word = str(first["loc"][0]), ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    found = _PRINTABLE.sub("?", str(first.get("input", "")))[:80]
    if first["type"] == "extra_forbidden":
        return refusal(422, "BAD_ARGUMENT", f"{word}: there is no such word here", hint="/api/v1/openapi.json lists them.")
    return refusal(422, "BAD_ARGUMENT", f"{word} ({where}): {first['msg']}, received {found!r}")


async def _http(request: Request, error: Exception) -> Response:
    """What the framework refuses: unknown addresses and methods."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return refusal(403, "READ_ONLY", "this server only reads", hint="Ask with GET.")
    return refusal(
        error.status_code, "NO_DATA", f"there is nothing at {request.url.path[:200]}", hint="/api/v1/openapi.json lists all."
    )


async def _unexpected(request: Request, error: Exception) -> Response:
    """A defect of ours: the client learns that, the log learns which."""
    log.error("unexpected", path=request.url.path, error="".join(traceback.format_exception(error))[-4000:])
    return refusal(500, "UNEXPECTED", f"{type(error).__name__}: {str(error)[:200]}", hint="The log of the server has the trace.")
