"""The one tree of errors: what went wrong, where, and what to do next.

Each class fixes the exit status of the command line and the code of the JSON error shape; a message says what, where and
what was found, `hint` says the next step, `context` holds the facts a program may want.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import ClassVar


class LiqscapeError(Exception):
    """Base of every error that liqscape raises on purpose.

    Parameters
    ----------
    message
        What went wrong and where, with the value that was found.
    hint
        The next step for the reader, or None.
    context
        Facts for programs (never secrets); shown in the JSON error shape.
    """

    code: ClassVar[str] = "UNEXPECTED"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None, context: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context: dict[str, object] = dict(context or {})

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class BadArgument(LiqscapeError):
    """A value the caller gave does not make sense; nothing was done."""

    code = "BAD_ARGUMENT"
    exit_status = 2


class NoData(LiqscapeError):
    """The store holds nothing that answers the question."""

    code = "NO_DATA"
    exit_status = 3


class UnknownInstrument(NoData):
    """No stored instrument has this name."""

    code = "UNKNOWN_INSTRUMENT"


class OutOfRecord(NoData):
    """The instrument is known, but not at the time asked for."""

    code = "OUT_OF_RECORD"


class StaleInput(LiqscapeError):
    """The newest input is older than the caller allows."""

    code = "STALE_INPUT"
    exit_status = 4


class BelowAccuracy(LiqscapeError):
    """The map's record is worse than the caller requires."""

    code = "BELOW_ACCURACY"
    exit_status = 6


class WarmingUp(LiqscapeError):
    """Too little has been read yet to answer."""

    code = "WARMING_UP"
    exit_status = 7


class CorruptRecord(LiqscapeError):
    """A payload or row holds a value that cannot be true; it was not stored."""

    code = "CORRUPT_RECORD"


class VenueError(LiqscapeError):
    """A venue could not be reached or refused to answer."""

    code = "UPSTREAM"
    exit_status = 5


class Unreachable(VenueError):
    """No connection, a lost one, or no answer in time: asking again may help."""


class RateLimited(VenueError):
    """A venue told us to wait; `context["retry_after_s"]` says how long."""

    code = "RATE_LIMIT"


class StoreError(LiqscapeError):
    """The store could not do what was asked; what was acknowledged before is still there."""

    code = "STORE"


@contextmanager
def context(**facts: object) -> Generator[None]:
    """Attach facts to any liqscape error that leaves the block, unless it has them already.

    Examples
    --------
    >>> try:
    ...     with context(file="a.csv"):
    ...         raise BadArgument("no column ts")
    ... except BadArgument as error:
    ...     error.context
    {'file': 'a.csv'}
    """
    try:
        yield
    except LiqscapeError as error:
        for key, value in facts.items():
            error.context.setdefault(key, value)
        raise
