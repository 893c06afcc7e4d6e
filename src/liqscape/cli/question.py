"""What people typed, read into the words of a question; conditions, pictures and time zones of the shell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import typer

from liqscape.api.question import Question, Words, ask
from liqscape.cli.emit import check
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, SideFilter, Target
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model.maps import LiquidationMap

if TYPE_CHECKING:
    from liqscape.cli.expression import Test

CONDITION_TRUE = 10  # exit status when `--exit-if` is true
Value = TypeVar("Value")


def question_of(command: str, target: Target, show: Show) -> Question:
    """Read the flags that every reading has."""
    check(show)
    workspace = Workspace(target.home)
    return ask(
        command,
        workspace,
        target.instrument,
        as_of=target.as_of,
        venue=target.venue,
        zone=zone_of(show.tz or workspace.settings.time_zone),
        prefix="--",
    )


def words_of(
    built: Built | None = None, filters: Filters | None = None, side: SideFilter | None = None, guards: Guards | None = None
) -> Words:
    """Return the flags that shape a map as the words of a question."""
    built, filters = built or Built(), filters or Filters()
    return Words(
        window=built.window,
        reading=built.reading,
        leverage=filters.leverage,
        min_usd=filters.min_usd,
        side=None if side is None else side.side,
        max_age=None if guards is None else guards.max_age,
        require=None if guards is None else guards.require,
    )


def condition_of(condition: Condition) -> Test | None:
    """Read `--exit-if`, so that one that makes no sense is refused before anything is computed."""
    if condition.exit_if is None:
        return None
    from liqscape.cli.expression import parse

    return parse(condition.exit_if)


def decide(test: Test | None, found: LiquidationMap) -> None:
    """End the program with exit status 10 if the condition is true of a map."""
    if test is not None and test(found):
        raise typer.Exit(CONDITION_TRUE)


def read(flag: str, text: str, parser: Callable[[str], Value]) -> Value:
    """Read the value of a flag; the error names the flag.

    Raises
    ------
    BadArgument
        If the parser refuses the text.
    """
    try:
        return parser(text)
    except ValueError as error:
        raise BadArgument(f"{flag}: {error}", hint="`--help` shows how it is written.") from None


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name.

    Raises
    ------
    BadArgument
        If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadArgument(f"--tz: there is no time zone {name!r}", hint="Use a name such as UTC or Europe/Berlin.") from None


def picture_path(path: Path | None) -> Path | None:
    """Refuse a picture that could not be written, before anything is computed."""
    if path is None:
        return None
    if path.suffix.lower() not in (".png", ".svg"):
        raise BadArgument(f"--out: expected a name that ends in .png or .svg, received {path.name!r}")
    if not path.parent.is_dir():
        raise BadArgument(f"--out: there is no folder {str(path.parent)!r}", hint="Create it first, or choose another one.")
    return path
