"""The commands that meet venues: record, backfill, venues. Their flags and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liqscape.cli.app import app
from liqscape.cli.declare import KEEP, command
from liqscape.cli.options import OUTPUT, Home, Plain

_WHAT, _TAPE = "What is asked for", "Raw frames"

_Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME...]", help="Bases such as BTC (all perpetuals of it), or instruments such as bybit:BTCUSDT."),
]
_Top = Annotated[
    int | None, typer.Option(metavar="N", help="The N bases with the largest open interest instead.", rich_help_panel=_WHAT)
]
_Venues = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Only these venues, comma-separated; default: all with an adapter. ccxt:ID is any other, without liquidations.",
        rich_help_panel=_WHAT,
    ),
]


@command(
    app,
    "record",
    panel=KEEP,
    examples=[
        "liqscape record BTC ETH                          every venue, until Ctrl-C",
        "liqscape record --top 50 --venues binance,bybit  the largest, of two venues",
        "liqscape record BTC --venues binance,ccxt:phemex and one without an adapter",
        "liqscape record BTC --for 2h --tape tapes/       also keep every frame as it came",
        "liqscape record --play tapes/                    a tape through the same parsers, into the store",
    ],
)
def record(
    home: Home,
    show: Plain,
    names: _Names = None,
    top: _Top = None,
    venues: _Venues = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="LENGTH", help="Stop after this long, such as 2h.", rich_help_panel=_WHAT)
    ] = None,
    tape: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also write every frame there.", rich_help_panel=_TAPE)
    ] = None,
    play: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Read frames from there, not from venues.", rich_help_panel=_TAPE)
    ] = None,
    writer: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the journal; one process holds it.", rich_help_panel=OUTPUT)
    ] = "recorder",
) -> None:
    """Record live venues into the store: bars, marks, open interest, funding, liquidations, books. Ctrl-C ends it in order."""
    from liqscape.cli.views.show_record import Asked, show_record

    asked = Asked(names=tuple(names or ()), top=top, venues=venues, length=for_, tape=tape, play=play, writer=writer)
    show_record(home, show, asked)


@command(
    app,
    "backfill",
    panel=KEEP,
    examples=[
        "liqscape backfill BTC --days 30",
        "liqscape backfill BTC ETH --days 90 --venues binance,bybit,okx",
        "liqscape backfill BTC --days 365 --archive        Binance's bulk files: open interest for years",
    ],
)
def backfill(
    home: Home,
    show: Plain,
    names: _Names = None,
    top: _Top = None,
    venues: _Venues = None,
    days: Annotated[float, typer.Option(metavar="DAYS", help="How far back.", rich_help_panel=_WHAT)] = 30.0,
    archive: Annotated[
        bool,
        typer.Option("--archive", help="Binance's bulk files (bars, marks, open interest), not the API.", rich_help_panel=_WHAT),
    ] = False,
) -> None:
    """Ask venues for their public past: bars, open interest, funding, ratios, prints. Run again, it goes on. Exit 5: nothing."""
    from liqscape.cli.views.show_backfill import show_archive, show_backfill

    if archive:
        show_archive(home, show, tuple(names or ()), days=days, venues=venues, top=top)
    else:
        show_backfill(home, show, tuple(names or ()), days=days, venues=venues, top=top)


@command(
    app,
    "venues",
    panel=KEEP,
    examples=["liqscape venues", "liqscape venues bybit,okx --unverified", "liqscape venues --json"],
)
def venues(
    home: Home,
    show: Plain,
    names: Annotated[str | None, typer.Argument(metavar="[NAMES]", help="Only these, comma-separated; default: all.")] = None,
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Also what is assumed of each, and how it would be noticed.", rich_help_panel=OUTPUT),
    ] = False,
) -> None:
    """What each venue can tell, how complete its liquidations are, and how it is doing: age, gaps, budget left."""
    from liqscape.cli.views.show_venues import show_venues

    show_venues(home, show, names, unverified=unverified)
