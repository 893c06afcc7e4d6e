"""Who may ask, how often, and what a browser may do with the answer."""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import Response

from liqscape.api.envelope import ErrorEnvelope, ErrorFacts, encode
from liqscape.server.options import Options, is_loopback

_ADDRESSES = 10_000  # remembered by the rate limit
_LONGEST_URL = 4096
# The page is one script, one style sheet and its own API; nothing is loaded from anywhere else, nothing may frame it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """Checks every request before it is answered.

    Parameters
    ----------
    options
        Token, limits and origins.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answer a request, or say why not; every answer carries the headers of the page's safety."""
        refused = self._refused(request)
        response = refused if refused is not None else await following(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _refused(self, request: Request) -> Response | None:
        if len(str(request.url)) > _LONGEST_URL:
            return refusal(422, "BAD_ARGUMENT", f"the address is longer than {_LONGEST_URL} characters")
        if not self.host_is_ours(request.headers):
            return refusal(403, "READ_ONLY", "this server does not answer to that host name", hint="Use the address it printed.")
        if request.method not in ("GET", "HEAD"):
            return refusal(403, "READ_ONLY", "this server only reads", hint="Ask with GET.")
        wait_s = self._wait_s(request.client.host if request.client else "")
        if wait_s > 0.0:
            return refusal(429, "RATE_LIMIT", "too many requests", hint="Ask less often.", retry_after_s=wait_s)
        if request.url.path.startswith("/api/") and not self.may(request.headers, request.query_params.get("token")):
            return refusal(401, "READ_ONLY", "a token is needed", hint="Send Authorization: Bearer TOKEN.")
        return None

    def may(self, headers: Headers, asked: str | None) -> bool:
        """Whether a client has shown the token, if one is needed."""
        token = self._options.token
        if token is None:
            return True
        kind, _, shown = headers.get("authorization", "").partition(" ")
        shown = shown if kind.lower() == "bearer" else asked or ""
        return hmac.compare_digest(shown.encode(), token.encode())

    def host_is_ours(self, headers: Headers) -> bool:
        """Whether the host name is one of this server's: a foreign name that resolves to loopback is another page's trick."""
        if not is_loopback(self._options.host):
            return True
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        return is_loopback(name) or name == "testserver"

    def origin_is_ours(self, headers: Headers) -> bool:
        """Whether a WebSocket comes from our own page (or from no page at all)."""
        origin = headers.get("origin")
        if origin is None or origin in self._options.origins:
            return True
        return urlsplit(origin).netloc == headers.get("host", "")

    def _wait_s(self, address: str) -> float:
        """Take one request from an address's allowance; return how long it must wait, 0 if there was room."""
        per_s = self._options.requests_per_minute / 60.0
        now, most = time.monotonic(), float(self._options.requests_per_minute)
        left, at = self._spent.pop(address, (most, now))
        left = min(most, left + (now - at) * per_s)
        self._spent[address] = (left - 1.0 if left >= 1.0 else left, now)
        while len(self._spent) > _ADDRESSES:
            self._spent.popitem(last=False)
        return 0.0 if left >= 1.0 else (1.0 - left) / per_s


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
