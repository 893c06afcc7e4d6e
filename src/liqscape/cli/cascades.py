"""The commands that ask what forced orders do to the price: their flags and their help."""

from __future__ import annotations

from typing import Annotated

import typer

from liqscape.cli.app import app
from liqscape.cli.declare import READ, command
from liqscape.cli.options import INPUTS, Built, Guards, Picture, Show, Target

_SHOCK, _POSITION, _MOVE = "The shock", "The position", "The move"


@command(
    app,
    "cascade",
    panel=READ,
    examples=[
        "liqscape cascade BTC --shock 500M",
        "liqscape cascade BTC --push 2% --direction up",
        "liqscape cascade BTC --shock 300M --preset thin-hour",
        "liqscape cascade BTC --shock 300M --preset 2025-10-10 --out cascade.png",
    ],
)
def cascade(
    target: Target,
    built: Built,
    guards: Guards,
    show: Show,
    picture: Picture,
    shock: Annotated[
        str | None, typer.Option(metavar="DOLLARS", help="Flow from outside, such as 500M.", rich_help_panel=_SHOCK)
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="DISTANCE",
            help="Instead: as much as would push the price so far with no map; default: 1%.",
            rich_help_panel=_SHOCK,
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(metavar="now|thin-hour|2025-10-10", help="How thin the market is taken to be.", rich_help_panel=_SHOCK),
    ] = "now",
    direction: Annotated[
        str, typer.Option(metavar="up|down|both", help="Which way the shock pushes.", rich_help_panel=_SHOCK)
    ] = "both",
    fund: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VENUE=DOLLARS", help="A venue's insurance fund: then odds of deleveraging are known.", rich_help_panel=_SHOCK
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Which random numbers.", rich_help_panel=INPUTS)] = None,
) -> None:
    """What a shock does, both ways: what ignites a run, how far it goes, the same with no map at all."""
    from liqscape.api.answers.shocks import Shock
    from liqscape.cli.views.show_cascade import show_cascade

    asked = Shock(shock=shock, push=push, preset=preset, direction=direction, fund=tuple(fund or ()), seed=seed)
    show_cascade(target, built, guards, show, picture, asked)


@command(
    app,
    "calc",
    panel=READ,
    examples=[
        "liqscape calc BTC --side long --leverage 20",
        "liqscape calc BTC --side short --leverage 50 --entry 84000 --size 250K",
    ],
)
def calc(
    target: Target,
    built: Built,
    show: Show,
    side: Annotated[str, typer.Option(metavar="long|short", help="Which way it is open.", rich_help_panel=_POSITION)],
    leverage: Annotated[float, typer.Option(metavar="NUMBER", help="Notional by initial margin.", rich_help_panel=_POSITION)],
    entry: Annotated[
        str | None, typer.Option(metavar="PRICE", help="Entry price; default: the mark price.", rich_help_panel=_POSITION)
    ] = None,
    size: Annotated[str, typer.Option(metavar="DOLLARS", help="Notional at entry.", rich_help_panel=_POSITION)] = "10K",
) -> None:
    """Where each venue would liquidate a position of yours, and how many dollars are liquidated before it."""
    from liqscape.cli.views.show_calc import show_calc

    show_calc(target, built, show, side=side, leverage=leverage, entry=entry, size=size)


@command(
    app,
    "attribute",
    panel=READ,
    examples=["liqscape attribute BTC --from 2026-02-05T12:00Z --to 2026-02-06T00:00Z"],
)
def attribute(
    target: Target,
    show: Show,
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="When the move begins.", rich_help_panel=_MOVE)],
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="When it ends.", rich_help_panel=_MOVE)],
) -> None:
    """How much of a past move was forced: the move replayed without its forced orders."""
    from liqscape.cli.views.show_attribute import show_attribute

    show_attribute(target, show, from_=from_, to=to)
