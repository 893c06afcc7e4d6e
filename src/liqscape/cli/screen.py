"""Text for people: colours and bars on a terminal, plain lines everywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from liqscape.cli.options import Plain
from liqscape.units import NS_PER_S

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SHORT, LONG, DIM, BOLD, WARN, GOOD, BAD = "orange", "blue", "dim", "bold", "warn", "good", "bad"
_STYLES = {
    SHORT: "#e8912d",
    LONG: "#4d94d8",
    DIM: "dim",
    BOLD: "bold",
    WARN: "bold yellow",
    GOOD: "green",
    BAD: "bold red",
    "shout": "bold black on yellow",
    "mark": "bold",
}
_NARROWEST, _WIDEST = 40, 120
_PIPED_WIDTH = 100
_GLUE = "\ue000"  # a private character that no text holds

Piece = str | tuple[str, str]


class Screen:
    """Where text goes: a width, and whether colours and bars are wanted.

    Parameters
    ----------
    bars
        Whether block characters may be drawn.
    color
        Whether styles are shown.
    width
        Characters a line; None never wraps (text that another program reads).
    """

    def __init__(self, file: TextIO, *, bars: bool, color: bool, width: int | None, height: int = 24, zone: tzinfo = UTC) -> None:
        self.bars, self.color, self.height, self.zone = bars, color, height, zone
        self.width = _PIPED_WIDTH if width is None else max(_NARROWEST, min(width, _WIDEST))
        self.wraps = width is not None
        self._file = file

    @cached_property
    def _console(self) -> Console:
        # Loaded with the first line of text: JSON and tables do without.
        from rich.console import Console

        truecolor = self.color and os.environ.get("COLORTERM") in ("truecolor", "24bit")
        return Console(
            file=self._file,
            width=self.width,
            no_color=not self.color,
            force_terminal=self.color,
            color_system="truecolor" if truecolor else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    @classmethod
    def of(cls, show: Plain, zone: tzinfo = UTC, *, error: bool = False) -> Screen:
        """Return the screen that the flags and the terminal ask for."""
        file = sys.stderr if error else sys.stdout
        seen = file.isatty()
        smart = seen and not show.plain and os.environ.get("TERM") != "dumb"
        color = smart and not show.no_color and not os.environ.get("NO_COLOR")
        columns, lines = _terminal_size()
        return cls(file, bars=smart, color=color, width=columns if seen else None, height=lines, zone=zone)

    @property
    def shades(self) -> bool:
        """Whether the terminal knows enough colours for a scale of them."""
        return self.color and self._console.color_system in ("256", "truecolor")

    def line(self, *pieces: Piece, hang: int = 0) -> None:
        """Print pieces, `(text, style)` or plain text; a long line is wrapped between words, its rest indented by `hang`."""
        text = _text(pieces)
        if not self.wraps:
            self._console.print(text, soft_wrap=True)
            return
        # A number stays with its sign of per cent: the space between them is no place to break.
        text.plain = text.plain.replace(" %", f"{_GLUE}%")
        for number, line in enumerate(text.wrap(self._console, self.width - hang)):
            line.plain = line.plain.replace(_GLUE, " ")
            line.rstrip()
            line.pad_left(hang if number else 0)
            self._console.print(line)

    def row(self, *pieces: Piece, strip: bool = True) -> None:
        """Print one line of a table: never wrapped; `strip` takes spaces off its end, also coloured ones."""
        text = _text(pieces)
        if strip:
            text.rstrip()
        self._console.print(text, no_wrap=True, crop=self.wraps, soft_wrap=not self.wraps)

    def blank(self) -> None:
        """Print an empty line."""
        self._console.print()

    def joined(self, parts: Iterable[str], style: str | None = None, *, between: str = "  ", indent: int = 0) -> None:
        """Print parts beside each other; a line is broken between parts, within one only if it is longer than a line."""
        line = ""
        for part in parts:
            if line and self.wraps and len(line) + len(between) + len(part) > self.width:
                self.line((line, style) if style else line)
                line = " " * (indent + 2 if indent else 0) + part
            else:
                line = f"{line}{between}{part}" if line else " " * indent + part
        if line:
            self.line((line, style) if style else line)

    def instant(self, ns: int) -> str:
        """Write an instant in the reader's time zone: `2026-01-30 22:55:00Z`, `2026-01-30 23:55:00 CET`."""
        moment = datetime.fromtimestamp(ns // NS_PER_S, UTC).astimezone(self.zone)
        name = moment.strftime("%Z")
        return moment.strftime("%Y-%m-%d %H:%M:%S") + ("Z" if name == "UTC" else f" {name}")


def _text(pieces: Iterable[Piece]) -> Text:
    from rich.text import Text

    return Text.assemble(
        *((piece if isinstance(piece, str) else (piece[0], _STYLES.get(piece[1], piece[1]))) for piece in pieces)
    )


def bar(size: float, largest: float, data_share: float | None, width: int) -> tuple[str, str]:
    """Return the solid and the light part of a bar, together at most `width` characters.

    Parameters
    ----------
    size, largest
        Of this bar and of the longest one, same unit.
    data_share
        Solid fraction; None is all light.

    Examples
    --------
    >>> bar(8.0, 16.0, 0.75, 16)
    ('██████', '░░')
    """
    if largest <= 0.0 or size <= 0.0:
        return "", ""
    cells = max(1, round(width * size / largest))
    solid = round(cells * (data_share or 0.0))
    return "█" * solid, "░" * (cells - solid)


def _terminal_size() -> tuple[int, int]:
    # shutil's own looks at COLUMNS first, which shells set for themselves and do not always renew.
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        try:
            size = os.get_terminal_size(stream.fileno())
        except (OSError, ValueError, AttributeError):
            continue
        if size.columns > 0:
            return size.columns, size.lines
    return 80, 24
