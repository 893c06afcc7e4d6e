"""Who may ask, how often, and what a browser may do with the answer."""

from __future__ import annotations

import hmac
import ipaddress
import re
import time
import traceback
from collections import OrderedDict
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from liqscape.api.envelope import ErrorEnvelope, ErrorFacts, encode
from liqscape.server.options import Options, is_loopback

if TYPE_CHECKING:
    from liqscape.server.metrics import Meters

log = structlog.get_logger()

STREAM = "/api/v1/stream"
VIEW_DATA = re.compile(r"/[^/]+\.(?:json|csv|png|parquet)$")  # the address of a view, as data: server/views.py
_ADDRESSES = 10_000  # remembered by the rate limit
_LONGEST_URL = 4096
_LONGEST_HEADERS = 16_384
# The chart library writes one style element, for the logo that its licence asks for: these very bytes are allowed, no others.
_LOGO = "'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='"
# The page is one script, one style sheet and its own API; nothing is loaded from anywhere else, nothing may frame it.
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_LOGO}; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFETY = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """Checks every request and every WebSocket before it is answered; plain ASGI, so that it costs next to nothing.

    Parameters
    ----------
    app
        What answers.
    options
        Token, limits and origins.
    meters
        Count answers by status.
    """

    def __init__(self, app: ASGIApp, options: Options, meters: Meters) -> None:
        self._app = app
        self._options = options
        self._meters = meters
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not; every answer carries the headers of the page's safety."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, started, head = Headers(scope=scope), False, scope["method"] == "HEAD"

        async def safe(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                found = MutableHeaders(scope=message)
                for name, value in SAFETY.items():
                    found.setdefault(name, value)
                self._meters.answered(message["status"])
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        refused = self._refused(scope, headers)
        if refused is not None:
            await refused(scope, receive, safe)
            return
        # Whoever asks for the head gets what GET would say, less the body; a stream has no end to wait for.
        asked = {**scope, "method": "GET"} if head and scope["path"] != STREAM else scope
        try:
            await self._app(asked, receive, safe)
        except Exception as error:
            log.error("unexpected", path=scope["path"], error="".join(traceback.format_exception(error))[-4000:])
            if not started:
                message = f"{type(error).__name__}: {str(error)[:200]}"
                await refusal(500, "UNEXPECTED", message, hint="The log of the server has the trace.")(scope, receive, safe)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is None and not self._origin_is_ours(headers):
            refused = refusal(403, "READ_ONLY", "this server does not answer to pages of another origin")
        if refused is None:
            await self._app(scope, receive, send)
            return
        await receive()  # websocket.connect
        if "websocket.http.response" in scope.get("extensions", {}):
            await send({"type": "websocket.http.response.start", "status": refused.status_code, "headers": refused.raw_headers})
            await send({"type": "websocket.http.response.body", "body": refused.body})
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        path, query = scope["path"], scope.get("query_string", b"")
        if len(scope.get("raw_path") or path) + len(query) > _LONGEST_URL:
            return refusal(422, "BAD_ARGUMENT", f"the address is longer than {_LONGEST_URL} characters")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _LONGEST_HEADERS:
            return refusal(422, "BAD_ARGUMENT", f"the headers are longer than {_LONGEST_HEADERS} bytes")
        if not self._host_is_ours(headers):
            return refusal(403, "READ_ONLY", "this server does not answer to that host name", hint="Use the address it printed.")
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            return refusal(403, "READ_ONLY", "this server only reads", hint="Ask with GET.")
        wait_s = self._wait_s((scope.get("client") or ("",))[0])
        if wait_s > 0.0:
            return refusal(429, "RATE_LIMIT", "too many requests", hint="Ask less often.", retry_after_s=wait_s)
        shown = parse_qs(query.decode("latin-1")).get("token", [""])[0] if scope["type"] == "websocket" else ""
        if (path.startswith("/api/") or path == "/metrics" or VIEW_DATA.match(path)) and not self._may(headers, shown):
            return refusal(401, "READ_ONLY", "a token is needed", hint="Send Authorization: Bearer TOKEN.")
        return None

    def _may(self, headers: Headers, asked: str) -> bool:
        """Whether a client has shown the token, if one is needed; a browser's WebSocket can show it in its address only."""
        token = self._options.token
        if token is None:
            return True
        kind, _, shown = headers.get("authorization", "").partition(" ")
        shown = shown if kind.lower() == "bearer" else asked
        return hmac.compare_digest(shown.encode(), token.encode())

    def _host_is_ours(self, headers: Headers) -> bool:
        """Whether the host name is one of this server's: a foreign name that resolves to loopback is another page's trick."""
        if not is_loopback(self._options.host):
            return True
        try:
            return is_loopback(urlsplit(f"//{headers.get('host', '')}").hostname or "")
        except ValueError:
            return False

    def _origin_is_ours(self, headers: Headers) -> bool:
        """Whether a WebSocket comes from our own page (or from no page at all)."""
        origin = headers.get("origin")
        if origin is None or origin in self._options.origins:
            return True
        try:
            return urlsplit(origin).netloc == headers.get("host", "")
        except ValueError:
            return False

    def _wait_s(self, address: str) -> float:
        """Take one request from an address's allowance; return how long it must wait, 0 if there was room."""
        per_s = self._options.requests_per_minute / 60.0
        now, most, name = time.monotonic(), float(self._options.requests_per_minute), _network(address)
        left, at = self._spent.pop(name, (most, now))
        left = min(most, left + (now - at) * per_s)
        self._spent[name] = (left - 1.0 if left >= 1.0 else left, now)
        while len(self._spent) > _ADDRESSES:
            self._spent.popitem(last=False)
        return 0.0 if left >= 1.0 else (1.0 - left) / per_s


def _network(address: str) -> str:
    """Return what one household shares: an IPv6 address's first 64 bits, an IPv4 address itself."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def refusal(
    status: int,
    code: str,
    message: str,
    *,
    hint: str | None = None,
    context: dict[str, object] | None = None,
    retry_after_s: float | None = None,
) -> Response:
    """Return an error in its one shape."""
    facts = ErrorFacts(code=code, message=message, hint=hint, context=context or {}, retry_after_s=retry_after_s)
    headers = {"cache-control": "no-store"}
    if retry_after_s is not None:
        headers["retry-after"] = f"{max(1, round(retry_after_s))}"
    return Response(encode(ErrorEnvelope(ok=False, error=facts)), status, headers, "application/json")
