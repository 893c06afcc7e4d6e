"""Bytes that are sent: packed once for all who take them so, with a tag that says whether a reader has them already."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field

import zstandard
from fastapi import Request
from starlette.responses import Response

IMMUTABLE = "max-age=31536000, immutable"
PAST = "max-age=300"
ASK_AGAIN = "no-cache"
_SMALL = 1024  # bytes that no packing makes worth while
_GZIP_LEVEL = 6
JSON = "application/json"


def tag_of(content: bytes) -> str:
    """Return the tag of bytes; weak, for it is the same however they are packed."""
    return f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


@dataclass(eq=False)
class Body:
    """Bytes, and the forms in which they were sent so far.

    Parameters
    ----------
    etag
        Says when a reader has them already.
    whole
        True if they will never change under their address.
    level
        How hard zstd tries: what is sent for ever is worth more than what is new in a second.
    """

    plain: bytes
    etag: str
    whole: bool = False
    level: int = 3
    _packed: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False)

    @classmethod
    def of(cls, plain: bytes, *, whole: bool = False, level: int = 3) -> Body:
        """Return the body of some bytes."""
        return cls(plain, tag_of(plain), whole, level)

    def encoding(self, accepts: str) -> str | None:
        """Return the name of the smallest form that a client takes; None is as it is."""
        if len(self.plain) < _SMALL:
            return None
        names = {name for name, weight in map(_weighed, accepts.split(",")) if weight > 0.0}
        return "zstd" if "zstd" in names else "gzip" if "gzip" in names else None

    def packed(self, encoding: str | None) -> bytes:
        """Return the bytes in a form; made at its first use, which takes time."""
        if encoding is None:
            return self.plain
        held = self._packed.get(encoding)
        if held is None:
            made = zstandard.ZstdCompressor(level=self.level).compress(self.plain) if encoding == "zstd" else None
            held = made if made is not None else gzip.compress(self.plain, _GZIP_LEVEL, mtime=0)
            self._packed[encoding] = held
        return held

    def ready(self, encoding: str | None) -> bool:
        """Whether a form has been made."""
        return encoding is None or encoding in self._packed


def respond(request: Request, body: Body, kind: str, cache: str) -> Response:
    """Answer with a body, or with 304 if the reader has it."""
    headers = {"cache-control": cache, "vary": "accept-encoding, authorization", "etag": body.etag}
    if has_it(request.headers.get("if-none-match"), body.etag):
        return Response(status_code=304, headers=headers)
    encoding = body.encoding(request.headers.get("accept-encoding", ""))
    if encoding is not None:
        headers["content-encoding"] = encoding
    return Response(body.packed(encoding), headers=headers, media_type=kind)


def has_it(asked: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names a tag; strength does not matter there.

    Examples
    --------
    >>> has_it('"a", W/"b"', 'W/"a"'), has_it("*", 'W/"a"'), has_it(None, 'W/"a"')
    (True, True, False)
    """
    if asked is None:
        return False
    names = {part.strip().removeprefix("W/") for part in asked.split(",")}
    return "*" in names or tag.removeprefix("W/") in names


def _weighed(part: str) -> tuple[str, float]:
    """Read one part of `Accept-Encoding`: its name and how much it is wanted."""
    name, _, words = part.partition(";")
    weight = words.replace(" ", "").lower().removeprefix("q=") if words.strip().lower().startswith("q") else ""
    try:
        return name.strip().lower(), float(weight) if weight else 1.0
    except ValueError:
        return name.strip().lower(), 0.0
