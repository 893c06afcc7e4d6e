"""The dashboard's files, built into the package; and what is said when they were not."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from liqscape.server import methods, views
from liqscape.server.bodies import ASK_AGAIN, IMMUTABLE, Body

if TYPE_CHECKING:
    from liqscape.server.app import Server

STATIC = Path(__file__).parent / "static"
_FILES = re.compile(r"\.(?:js|css|map|svg|png|ico|txt|json|woff2?|webmanifest|html?|php|aspx?|env|xml|ya?ml)$", re.IGNORECASE)
_MISSING = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>liqscape</title>
<h1>The page is not built</h1><p>This installation has the API but not the dashboard's files. Build them once with
<code>make web</code> in the source folder, or install the package with <code>pip install .</code>.</p>
<p>The API answers: <a href="/api/v1/health">/api/v1/health</a>.</p></html>"""
_HARD = 19  # read once a start, sent to everybody
_HTML = "text/html; charset=utf-8"


def add(app: FastAPI, server: Server) -> None:
    """Serve the page: every address that is no file of it is the page itself, for the view lies in the address."""
    files = _read(STATIC)
    methods.add(app, server)
    views.add(app, server)

    @app.get("/{path:path}", include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        """Return a file of the page, or the page."""
        if path.startswith("api/"):
            raise HTTPException(404)
        if path in files:
            kind, body = files[path]
            return await server.sent(request, body, kind, IMMUTABLE if path.startswith("assets/") else ASK_AGAIN)
        if path.startswith("assets/") or _FILES.search(path):
            raise HTTPException(404)
        if "index.html" not in files:
            return Response(_MISSING, 503, {"cache-control": "no-store"}, _HTML)
        kind, body = files["index.html"]
        return await server.sent(request, body, kind, ASK_AGAIN)


def _read(folder: Path) -> dict[str, tuple[str, Body]]:
    """Read the built page into memory, compressed once; names in `assets/` hold their own hash."""
    found: dict[str, tuple[str, Body]] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and not path.name.startswith("."):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            text = kind.startswith("text/") or kind in ("application/javascript", "image/svg+xml", "application/json")
            found[path.relative_to(folder).as_posix()] = (
                f"{kind}; charset=utf-8" if text else kind,
                Body.of(path.read_bytes(), whole=True, level=_HARD),
            )
    return found
