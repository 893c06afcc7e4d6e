"""The application: routes over `api.answers`, tiles, live topics, the page. Built by `create_app`, run by `liqscape serve`."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from liqscape._version import __version__
from liqscape.api.envelope import Links, Meta, encode, envelope, plain_meta
from liqscape.api.question import Answered, Question, ask
from liqscape.clock import now_ns
from liqscape.engine.workspace import Workspace
from liqscape.errors import LiqscapeError
from liqscape.server import schema
from liqscape.server.bodies import ASK_AGAIN, JSON, PAST, Body, respond, tag_of
from liqscape.server.gate import STREAM, Gate, refusal
from liqscape.server.heat import Heat
from liqscape.server.hub import Hub
from liqscape.server.memory import ANSWER_S, PAST_S, Memory, Remembered
from liqscape.server.metrics import Meters
from liqscape.server.options import Options
from liqscape.units import NS_PER_HOUR

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
SETTLED_NS = NS_PER_HOUR  # rows of the last hour may still come: an answer about them is asked for again
SAID = 128  # answers kept
RENEWED_S = 10.0
_PRINTABLE = re.compile(r"[^\x20-\x7e]")
_COMPUTED_AT = re.compile(rb'"computed_at":"[^"]*"')


@dataclass(frozen=True)
class Said:
    """An answer, before its ages are written.

    Parameters
    ----------
    data
        As it is sent.
    past, settled
        Whether it is about a past instant, whose ages stand; and one so long ago that its rows have come.
    made_s
        When it was made, on the monotonic clock.
    """

    command: str
    data: msgspec.Raw
    meta: Meta
    links: Links
    past: bool
    settled: bool
    made_s: float

    def body(self) -> Body:
        """Return its bytes, as old as it is now."""
        meta = self.meta if self.past else aged(self.meta, time.monotonic() - self.made_s)
        return written(encode(envelope(self.command, self.data, meta, self.links)), self.settled)


class Server:
    """What all routes share."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.workspace = Workspace(options.home)
        self.memory = Memory(self.workspace)
        self.said: Remembered[Said] = Remembered(SAID)
        self.heat = Heat(self.memory)
        self.meters = Meters()
        self.hub = Hub(self)

    def question(self, command: str, instrument: str, as_of: str | None = None, venue: str | None = None) -> Question:
        """Read what every question has."""
        return ask(command, self.workspace, instrument, as_of=as_of, venue=venue, maps=self.memory.build_map)

    async def answer(
        self,
        request: Request,
        command: str,
        instrument: str,
        where: Any,
        make: Callable[[Question], Answered[Any]],
        *,
        kept: bool = True,
    ) -> Response:
        """Answer a question about an instrument; once a second at most for the same words.

        Parameters
        ----------
        kept
            False for an answer that rests on something which is kept itself.
        """
        as_of = getattr(where, "as_of", None)

        venue = getattr(where, "venue", None)
        key = (command, instrument, repr(where))
        exact = getattr(where, "max_age", None) is not None

        def job() -> Body:
            question = self.question(command, instrument, as_of, venue)
            said = self.say(key, question, make, exact=exact) if kept else self._made(question, make)
            return said.body()

        body = await self.memory.answer(key, job)
        return await self.sent(request, body, JSON, PAST if body.whole else ASK_AGAIN)

    def say(self, key: Hashable, question: Question, make: Callable[[Question], Answered[Any]], *, exact: bool = False) -> Said:
        """Return an answer, made anew when the store has new rows; otherwise it only grows older.

        Parameters
        ----------
        exact
            Whether it must not be a few seconds older than it says.
        """
        past = question.as_of_ns is not None
        # What is late, and what is said of it, follows from the clock too: an answer about now is made again after a while.
        bucket = 0 if past else int(time.monotonic() / (ANSWER_S if exact else RENEWED_S))
        version = (self.memory.version(), bucket)
        return self.said.get(
            key,
            version,
            lambda: self._made(question, make),
            least_s=PAST_S if past and not exact else 0.0,
            most_s=ANSWER_S if exact else None,
        )

    def _made(self, question: Question, make: Callable[[Question], Answered[Any]]) -> Said:
        with self.meters.time(question.command):
            found = make(question)
        past = question.as_of_ns is not None
        settled = question.as_of_ns is not None and question.as_of_ns < now_ns() - SETTLED_NS
        return Said(found.command, msgspec.Raw(encode(found.data)), found.meta, found.links, past, settled, time.monotonic())

    async def tell(self, request: Request, command: str, make: Callable[[], Any], key: str = "") -> Response:
        """Answer something that is about no instrument."""

        def job() -> Body:
            return written(encode(envelope(command, make(), plain_meta())), settled=False)

        return await self.sent(request, await self.memory.answer((command, key), job), JSON, ASK_AGAIN)

    async def sent(self, request: Request, body: Body, kind: str, cache: str) -> Response:
        """Answer with a body; it is packed on a thread, once."""
        encoding = body.encoding(request.headers.get("accept-encoding", ""))
        if not body.ready(encoding):
            await self.memory.quick(lambda: body.packed(encoding))
        return respond(request, body, kind, self.shared(cache))

    def shared(self, cache: str) -> str:
        """Let a cache between us and the reader keep an answer only if everybody may read it."""
        return cache if cache == ASK_AGAIN else f"{'public' if self.options.token is None else 'private'}, {cache}"


def aged(meta: Meta, seconds: float) -> Meta:
    """Return the meta of an answer some seconds later, while no new rows have come."""
    coverage = meta.coverage
    if coverage is not None:
        parts = [replace(part, age_s=part.age_s + seconds) for part in coverage.parts]
        coverage = replace(coverage, parts=parts)
    stale = [late if late.age_s is None else replace(late, age_s=late.age_s + seconds) for late in meta.stale]
    age_s = None if meta.age_s is None else meta.age_s + seconds
    return replace(meta, age_s=age_s, coverage=coverage, stale=stale)


def written(plain: bytes, settled: bool) -> Body:
    """Return the body of an answer. When it was computed is not part of its tag: ages are, so that none is ever too young."""
    return Body(plain, tag_of(_COMPUTED_AT.sub(b"", plain, count=1)), settled)


def create_app(options: Options) -> FastAPI:
    """Return the application; nothing is opened before its lifespan begins."""
    from liqscape.server import pages, routes
    from liqscape.server.warm import warm

    server = Server(options.checked())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await server.hub.start()
        warming = asyncio.create_task(server.memory.run(lambda: warm(server))) if options.warm else None
        try:
            yield
        finally:
            if warming is not None:
                warming.cancel()
            await server.hub.stop()
            server.memory.close()

    app = FastAPI(title="liqscape", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.server = server
    app.add_middleware(Gate, options=options, meters=server.meters)
    app.add_exception_handler(LiqscapeError, _told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.openapi = lambda: schema.describe(app)  # type: ignore[method-assign]
    routes.add(app, server)
    app.add_api_websocket_route(STREAM, _stream(server))
    app.add_api_route(STREAM, _events(server), methods=["GET"], include_in_schema=False)
    pages.add(app, server)
    return app


def _stream(server: Server) -> Callable[[WebSocket], Any]:
    async def stream(socket: WebSocket) -> None:
        await server.hub.serve(socket)

    return stream


def _events(server: Server) -> Callable[[Request], Any]:
    async def events(request: Request) -> Response:
        """Answer a plain GET of the stream with server-sent events."""
        if server.hub.full:
            return refusal(429, "RATE_LIMIT", "too many readers", hint="Ask again later.", retry_after_s=5.0)
        since = request.headers.get("last-event-id") or request.query_params.get("since", "")
        found = server.hub.events(request.query_params.get("topics", ""), since)
        return StreamingResponse(found, media_type="text/event-stream", headers={"cache-control": "no-store"})

    return events


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
