"""What the stream says and hears: messages, written once for all who get the same, and the wishes of readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from liqscape.api.envelope import ErrorEnvelope, ErrorFacts
from liqscape.errors import BadArgument

LONGEST_MESSAGE = 512  # of a client: topics to add or to leave
Write = Callable[[int], "str | bytes"]


class Message(Struct, kw_only=True, omit_defaults=True):
    """What a reader gets."""

    topic: str
    seq: int
    as_of: str | None = None
    kind: str
    data: msgspec.Raw | dict[str, Any] | None = None
    skipped: int = 0


class Wish(Struct, forbid_unknown_fields=True):
    """What a reader may send: topics to add and to leave."""

    add: list[str] = []
    leave: list[str] = []


def unexpected(error: Exception) -> ErrorEnvelope:
    """Return what a topic says of an error that nobody foresaw."""
    facts = ErrorFacts(
        code="UNEXPECTED", message=f"{type(error).__name__}: {str(error)[:200]}", hint=None, context={}, retry_after_s=None
    )
    return ErrorEnvelope(ok=False, error=facts)


def writer(name: str, seq: int, as_of: str | None, data: bytes, kind: str = "snapshot") -> Write:
    """Return what writes a message; it is written once for all readers who missed nothing."""
    plain = msgspec.json.encode(Message(topic=name, seq=seq, as_of=as_of, kind=kind, data=msgspec.Raw(data))).decode()

    def write(skipped: int) -> str:
        if not skipped or name == "heartbeat":
            return plain
        return msgspec.json.encode(
            Message(topic=name, seq=seq, as_of=as_of, kind=kind, data=msgspec.Raw(data), skipped=skipped)
        ).decode()

    return write


def wish_of(text: str) -> Wish:
    """Read what a reader sent; raises `BadArgument`."""
    if len(text) > LONGEST_MESSAGE:
        raise BadArgument(f"stream: a message of {len(text)} characters", hint=f"At most {LONGEST_MESSAGE}.")
    try:
        return msgspec.json.decode(text, type=Wish)
    except msgspec.DecodeError as error:
        raise BadArgument(f"stream: {error}", hint='Send {"add": ["now.BTC"], "leave": []}.') from None


class _Numbered(Struct):
    seq: int


def seq_of(message: str) -> int:
    """Return the number of a message that was written."""
    return msgspec.json.decode(message, type=_Numbered).seq
