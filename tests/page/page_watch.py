"""A page that is watched: no request leaves its origin, no policy is broken, nothing is printed as an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

DESKTOP: dict[str, Any] = {"viewport": {"width": 1600, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
READY = "section[aria-label=Headline] .sentence"
# Nothing is being read, and the chart has drawn its candles.
_SETTLED = "() => !document.querySelector('[data-state=loading]') && !document.querySelector('[aria-busy=true]')"
_POLICY = """
  window.__broken = [];
  document.addEventListener("securitypolicyviolation", (e) => window.__broken.push(`${e.violatedDirective} ${e.blockedURI}`));
"""


class Watched:
    """A page of its own context, and what it did wrong."""

    def __init__(self, context: BrowserContext, page: Page, origin: str, *, may_fail: bool) -> None:
        self.context, self.page, self._origin, self._may_fail = context, page, origin, may_fail
        self._wrongs: list[str] = []
        self.asked: list[str] = []
        context.on("request", self._request)
        page.on("websocket", lambda socket: self._elsewhere(socket.url.replace("ws://", "http://", 1)))
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._wrongs.append(f"uncaught: {error}"))

    @classmethod
    def open(
        cls,
        browser: Browser,
        address: str,
        path: str,
        *,
        scheme: str = "dark",
        before: Callable[[Page], None] | None = None,
        may_fail: bool = False,
        script: str | None = None,
        **how: Any,
    ) -> Watched:
        """Open a path; `before` sets up routes, `may_fail` allows answers that are refusals."""
        context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", **(how or DESKTOP))  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        context.add_init_script(_POLICY)
        if script:
            context.add_init_script(path=script)
        page = context.new_page()
        watched = cls(context, page, address, may_fail=may_fail)
        if before is not None:
            before(page)
        page.goto(address + path, wait_until="domcontentloaded")
        return watched

    def ready(self) -> Page:
        """Wait until every panel has what it asked for."""
        self.page.locator(READY).first.wait_for(state="attached")
        self.page.wait_for_function(_SETTLED, timeout=120_000)
        return self.page

    def url_of(self, resource: str, word: str | None = None) -> str:
        """Return the last request for a resource of an instrument, such as `map`: with a word, or without the ladder's `step`."""
        wanted = [url for url in self.asked if re.search(rf"/api/v1/[^/?]+/{re.escape(resource)}(\?|$)", url)]
        found = [url for url in wanted if (f"{word}=" in url if word else "step=" not in url)]
        assert found, f"the page never asked for {resource}: {self.asked}"
        return found[-1]

    def close(self) -> list[str]:
        """Close the page; return what it did wrong."""
        try:
            broken = self.page.evaluate("window.__broken")
        except Exception:  # the page may be gone
            broken = []
        self._wrongs += [f"policy broken: {each}" for each in broken or []]
        self.context.close()
        return self._wrongs

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)
        self._elsewhere(request.url)

    def _elsewhere(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != self._origin:
            self._wrongs.append(f"asked elsewhere: {url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        where = message.location.get("url", "") if message.location else ""
        refused = "Failed to load resource" in message.text or "WebSocket connection" in message.text
        if refused and "/api/v1/" in (where + message.text) and self._may_fail:
            return
        self._wrongs.append(f"console {message.type}: {message.text} ({where})")
