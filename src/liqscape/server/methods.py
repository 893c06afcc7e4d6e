"""The pages that numbers lead to: `/method/{feature}`, from the Markdown of docs/methods, which the package carries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Request
from fastapi import Path as PathWord
from markdown_it import MarkdownIt
from starlette.responses import Response

from liqscape.server.bodies import ASK_AGAIN, Body

if TYPE_CHECKING:
    from liqscape.server.app import Server

_PACKED = Path(__file__).with_name("method_pages")
_SOURCES = Path(__file__).parents[3] / "docs" / "methods"
STYLE = Path(__file__).with_name("method.css")
_HTML, _CSS = "text/html; charset=utf-8", "text/css; charset=utf-8"
_TITLE = re.compile(r"\A# (.+)\n")
_HARD = 19
_FIRST = ("now", "map", "heatmap", "asymmetry", "move-to", "zones", "fuel", "cascade")  # as the page has them; the rest follows
Feature = Annotated[str, PathWord(max_length=48)]


@dataclass(frozen=True)
class Page:
    """One page, as its source has it.

    Parameters
    ----------
    feature
        Last part of its address.
    title, text
        Its heading, and all of it in Markdown.
    """

    feature: str
    title: str
    text: str


def folder() -> Path:
    """Return where the sources lie: in the package, else (an editable installation) in the repository."""
    return _PACKED if _PACKED.is_dir() else _SOURCES


def read_pages() -> dict[str, Page]:
    """Return all pages by feature, in the order in which they are listed."""
    found: dict[str, Page] = {}
    for path in folder().glob("*.md"):
        text = path.read_text(encoding="utf-8")
        title = _TITLE.match(text)
        found[path.stem] = Page(path.stem, title[1] if title else path.stem, text)
    order = {name: k for k, name in enumerate(_FIRST)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def render(page: Page, pages: dict[str, Page]) -> bytes:
    """Return a page as HTML: one document, one style sheet, no script."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(page.text)
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", _address(str(child.attrGet("href") or "")))
        if token.type == "fence":
            token.info = ""
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<pre>", '<pre tabindex="0">')  # what is wider than the screen is scrolled by keyboard too
    return _document(page.title, body, pages, page.feature)


def listing(pages: dict[str, Page], missing: str | None = None) -> bytes:
    """Return the page that lists all pages; `missing` is one that was asked for and is not there."""
    head = "<h1>Methods</h1>"
    if missing is not None:
        head = f"<h1>There is no method page {escape(missing)}</h1>"
    rows = "".join(
        f'<li><a href="/method/{name}">{escape(page.title)}</a>: {escape(_lead(page))}</li>' for name, page in pages.items()
    )
    return _document("Methods", f"{head}<p>How each number is made, and how wrong it has been.</p><ul>{rows}</ul>", pages, "")


def add(app: FastAPI, server: Server) -> None:
    """Serve the method pages; they are read once a start."""
    pages = read_pages()
    bodies = {name: Body.of(render(page, pages), level=_HARD) for name, page in pages.items()}
    whole = Body.of(listing(pages), level=_HARD)
    style = Body.of(STYLE.read_bytes(), level=_HARD)

    @app.get("/method.css", include_in_schema=False)
    async def look(request: Request) -> Response:
        """Return the style sheet of the method pages."""
        return await server.sent(request, style, _CSS, ASK_AGAIN)

    @app.get("/method", include_in_schema=False)
    @app.get("/method/", include_in_schema=False)
    async def every(request: Request) -> Response:
        """Return the list of method pages."""
        return await server.sent(request, whole, _HTML, ASK_AGAIN)

    @app.get("/method/{feature}", include_in_schema=False)
    async def method(request: Request, feature: Feature) -> Response:
        """Return how a number is made and how wrong it has been."""
        if (body := bodies.get(feature)) is None:
            return Response(listing(pages, feature[:48]), 404, {"cache-control": "no-store"}, _HTML)
        return await server.sent(request, body, _HTML, ASK_AGAIN)


def _address(link: str) -> str:
    """Return where a link of the source leads on the server: pages link to each other by file name."""
    name, mark, part = link.partition("#")
    return f"/method/{name.removesuffix('.md')}{mark}{part}" if name.endswith(".md") and "/" not in name else link


def _lead(page: Page) -> str:
    """Return the first sentence under the heading."""
    return next((line for line in page.text.splitlines()[1:] if line.strip()), "")


def _document(title: str, body: str, pages: dict[str, Page], current: str) -> bytes:
    here = ' aria-current="page"'
    links = "".join(
        f'<li><a href="/method/{name}"{here if name == current else ""}>{escape(page.title)}</a></li>'
        for name, page in pages.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark light">'
        f'<title>{escape(title)} · liqscape</title><link rel="icon" type="image/svg+xml" href="/icon.svg">'
        '<link rel="stylesheet" href="/method.css"></head><body>'
        '<header><a class="brand" href="/">liqscape</a><span>how it is known</span></header>'
        f'<div class="page"><nav aria-label="Methods"><ul>{links}</ul></nav><main>{body}</main></div>'
        "<footer>Information, not advice. Where forced orders would sit, not where price must go.</footer></body></html>\n"
    ).encode()
