"""The flags that several commands share, in groups; a command takes only the groups that mean something to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

FILTERS, INPUTS, OUTPUT, CHECKS = "What is counted", "What it is built from", "How it is shown", "Checks"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is looked at, when, and from which stored rows."""

    instrument: Annotated[
        str, typer.Argument(metavar="INSTRUMENT", help="binance:BTCUSDT, or a base such as BTC: all stored venues of it.")
    ]
    venue: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Only these venues, comma-separated.", rich_help_panel=FILTERS)
    ] = None
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only what was known then, such as 2026-01-30T22:55Z; default: the newest stored bar.",
            rich_help_panel=INPUTS,
        ),
    ] = None
    home: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where store and settings live; default: LIQSCAPE_HOME.", rich_help_panel=INPUTS),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Built:
    """How the state of a map is built."""

    window: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH",
            help="Stretch of stored bars that builds the state, such as 90d; default: the setting.",
            rich_help_panel=INPUTS,
        ),
    ] = None
    reading: Annotated[
        str,
        typer.Option(
            metavar="published|true",
            help="Dollars as the feeds show them, or divided by the setting reported_share.",
            rich_help_panel=INPUTS,
        ),
    ] = "published"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What is left out on request; filtered numbers say so."""

    leverage: Annotated[
        str | None,
        typer.Option(
            metavar="RANGE", help="Only positions of this leverage, such as 10-50, 10- or -50.", rich_help_panel=FILTERS
        ),
    ] = None
    min_usd: Annotated[
        str | None,
        typer.Option(metavar="USD", help="Only 0.1 % buckets that hold at least this, such as 1M.", rich_help_panel=FILTERS),
    ] = None


@dataclass(frozen=True, kw_only=True)
class SideFilter:
    """One side only."""

    side: Annotated[
        str | None, typer.Option(metavar="long|short", help="Only this side's positions.", rich_help_panel=FILTERS)
    ] = None


@dataclass(frozen=True, kw_only=True)
class Guards:
    """When the answer is not good enough, and when it is news; each has its own exit status."""

    max_age: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="Exit 4 if the newest input is older, such as 5m.", rich_help_panel=CHECKS),
    ] = None
    require: Annotated[
        str | None,
        typer.Option(metavar="weak|tested", help="Exit 6 if its out-of-sample record is worse.", rich_help_panel=CHECKS),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A question to the map that becomes an exit status."""

    exit_if: Annotated[
        str | None,
        typer.Option(metavar="EXPR", help="Exit 10 if true: 'imbalance(2%) > 0.5 and tilt > 0'.", rich_help_panel=CHECKS),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Plain:
    """How text looks; for commands without a table of their own."""

    json: Annotated[bool, typer.Option("--json", help="The answer as one JSON envelope.", rich_help_panel=OUTPUT)] = False
    plain: Annotated[bool, typer.Option("--plain", help="No bars, no colours.", rich_help_panel=OUTPUT)] = False
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours (also: NO_COLOR).", rich_help_panel=OUTPUT)] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.", rich_help_panel=OUTPUT)] = False
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole trace of an unexpected error.", rich_help_panel=OUTPUT)
    ] = False


@dataclass(frozen=True, kw_only=True)
class Show(Plain):
    """How an answer is given out: text for people, or its numbers for programs."""

    ndjson: Annotated[bool, typer.Option("--ndjson", help="The table, one JSON object a line.", rich_help_panel=OUTPUT)] = False
    csv: Annotated[bool, typer.Option("--csv", help="The table as CSV.", rich_help_panel=OUTPUT)] = False
    parquet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table to a parquet file.", rich_help_panel=OUTPUT)
    ] = None
    tz: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Time zone of text, such as Europe/Berlin; JSON is UTC.", rich_help_panel=OUTPUT),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture beside the text."""

    out: Annotated[Path | None, typer.Option(metavar="FILE.png|svg", help="Also draw a picture.", rich_help_panel=OUTPUT)] = None


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where everything lives, for commands that look at no instrument."""

    home: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where store and settings live; default: LIQSCAPE_HOME.")
    ] = None
