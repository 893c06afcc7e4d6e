"""How an answer leaves: text, one JSON envelope, a table as CSV, NDJSON or parquet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from liqscape.api.envelope import Links, Meta, encode, envelope
from liqscape.api.question import Answered
from liqscape.cli.options import Plain, Show
from liqscape.cli.screen import Screen
from liqscape.errors import BadArgument

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Answer:
    """What a command has to say.

    Parameters
    ----------
    data
        For JSON.
    text
        Writes the same for people.
    table
        Makes the flat table; None if the command has none.
    """

    command: str
    data: Any
    meta: Meta
    text: Callable[[Screen], None]
    table: Callable[[], pl.DataFrame] | None = None
    links: Links | None = None


def check(show: Plain) -> None:
    """Refuse flags that ask for two forms on one output.

    Raises
    ------
    BadArgument
        If more than one of --json, --ndjson, --csv is set, or the folder of --parquet does not exist.
    """
    if not isinstance(show, Show):
        return
    asked = [name for name in ("json", "ndjson", "csv") if getattr(show, name)]
    if len(asked) > 1:
        raise BadArgument(f"--{asked[0]} and --{asked[1]}: only one form fits on one output", hint="Choose one.")
    if show.parquet is not None and not show.parquet.parent.is_dir():
        raise BadArgument(
            f"--parquet: there is no folder {str(show.parquet.parent)!r}", hint="Create it first, or choose another one."
        )


def emit(show: Plain, answer: Answer, screen: Screen) -> None:
    """Give an answer out in the form that was asked for."""
    forms = show if isinstance(show, Show) else None
    if forms is not None and answer.table is not None and (forms.parquet or forms.csv or forms.ndjson):
        table = answer.table()
        if forms.parquet is not None:
            table.write_parquet(forms.parquet)
            note(show, f"wrote {forms.parquet}: {table.height:,} rows of {', '.join(table.columns)}")
        if forms.csv:
            write(table.write_csv())
        elif forms.ndjson:
            write(table.write_ndjson())
    if show.json:
        shown = envelope(answer.command, answer.data, answer.meta, answer.links)
        write(encode(shown, indent=2 if sys.stdout.isatty() else 0).decode() + "\n")
    elif forms is None or not (forms.csv or forms.ndjson or forms.parquet):
        answer.text(screen)


def emit_answer(show: Plain, answered: Answered[Any], text: Callable[[Screen], None], zone: tzinfo) -> None:
    """Give out what `api.answers` made, with `text` for people."""
    answer = Answer(answered.command, answered.data, answered.meta, text, answered.table, answered.links)
    emit(show, answer, Screen.of(show, zone))


def note(show: Plain, text: str) -> None:
    """Say something beside the data, on stderr."""
    if not show.quiet:
        print(text, file=sys.stderr)


def write(text: str) -> None:
    """Write data to stdout."""
    sys.stdout.write(text)
    sys.stdout.flush()
