"""The commands that say how right the maps were: their flags and their help."""

from __future__ import annotations

from typing import Annotated

import typer

from liqscape.cli.app import app
from liqscape.cli.declare import READ, command
from liqscape.cli.options import CHECKS, FILTERS, OUTPUT, Home, Picture, Plain, Show, Target

PANEL = READ
_SCORED = "What is scored"


@command(
    app,
    "accuracy",
    panel=PANEL,
    examples=[
        "liqscape accuracy BTC                     the badge, and what it rests on",
        "liqscape accuracy BTC --refresh           score what is stored; every map shows the badge from then on",
        "liqscape accuracy BTC --magnet            does price go where more stands? the test, and what it could have seen",
        "liqscape accuracy BTC --verify            walk the ledger of issued maps; exit 20 if anything was changed",
    ],
)
def accuracy(
    home: Home,
    show: Plain,
    picture: Picture,
    instrument: Annotated[
        str, typer.Argument(metavar="INSTRUMENT", help="binance:BTCUSDT, or a base that one stored instrument has.")
    ],
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Score what is stored and keep it.", rich_help_panel=_SCORED)
    ] = False,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="With --refresh: score from then on; default: the last third.", rich_help_panel=_SCORED
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="With --refresh: score before it.", rich_help_panel=_SCORED)
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Walk the ledger of issued maps; exit 20 if it was changed.", rich_help_panel=CHECKS)
    ] = False,
    head: Annotated[
        str | None,
        typer.Option(metavar="HASH", help="With --verify: the last hash as you noted it earlier.", rich_help_panel=CHECKS),
    ] = None,
    magnet: Annotated[
        bool, typer.Option("--magnet", help="The card of the test of attraction; --refresh runs it.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """How right the map was, out of sample: badge, lift, scores per side, each with its interval."""
    from liqscape.cli.views.show_accuracy import Asked, show_accuracy

    asked = Asked(instrument=instrument, refresh=refresh, from_=from_, to=to, verify=verify, head=head, magnet=magnet)
    show_accuracy(home, show, picture, asked)


@command(
    app,
    "episodes",
    panel=PANEL,
    examples=[
        "liqscape episodes BTC",
        "liqscape episodes BTC --within 2% --ratio 4",
        "liqscape episodes BTC --csv > episodes.csv",
    ],
)
def episodes(
    target: Target,
    show: Show,
    within: Annotated[
        str | None, typer.Option(metavar="DISTANCE", help="Distance window; default: 5%.", rich_help_panel=FILTERS)
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="Greater pool over smaller one; default: 2.", rich_help_panel=FILTERS),
    ] = None,
    top: Annotated[int | None, typer.Option(metavar="N", help="Rows of text; default: all.", rich_help_panel=OUTPUT)] = None,
) -> None:
    """What followed every lopsided day: the heavy side was swept first, the thin side, or neither. Failures first."""
    from liqscape.cli.views.show_episodes import show_episodes

    show_episodes(target, show, within=within, ratio=ratio, top=top)
