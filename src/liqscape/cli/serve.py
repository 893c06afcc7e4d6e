"""`liqscape serve`: one process that answers HTTP and WebSocket and shows the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liqscape.cli.app import app
from liqscape.cli.declare import KEEP, command
from liqscape.cli.options import Home, Plain

_LISTEN, _LIVE = "Where it listens", "What it shows"


@command(
    app,
    "serve",
    panel=KEEP,
    examples=[
        "liqscape serve                                   the dashboard on http://127.0.0.1:8700",
        "liqscape serve --demo                            on a simulated market that goes on while you look",
        "liqscape serve --record --top 20                 record live venues in the same process",
        "liqscape serve --host 0.0.0.0 --token SECRET     for other machines, which must show the token",
    ],
)
def serve(
    home: Home,
    show: Plain,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Address to listen on; beyond this machine needs --token.", rich_help_panel=_LISTEN),
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Port; 0 takes a free one. Default: 8700, or a free one if that is in use.",
            rich_help_panel=_LISTEN,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="SECRET",
            envvar="LIQSCAPE_TOKEN",
            help="What clients must show; 16 characters or more.",
            rich_help_panel=_LISTEN,
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="A simulated market in a folder of its own.", rich_help_panel=_LIVE)
    ] = False,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where --demo keeps its market.", rich_help_panel=_LIVE)] = Path(
        "demo"
    ),
    record: Annotated[
        list[str] | None,
        typer.Option("--record", metavar="NAME", help="Also record this base or instrument; repeatable.", rich_help_panel=_LIVE),
    ] = None,
    top: Annotated[int | None, typer.Option(metavar="N", help="Also record the N largest bases.", rich_help_panel=_LIVE)] = None,
) -> None:
    """Answer HTTP and WebSocket and show the dashboard, until Ctrl-C."""
    from liqscape.cli.views.show_serve import Asked, show_serve

    show_serve(
        home, show, Asked(host=host, port=port, token=token, demo=demo, folder=folder, record=tuple(record or ()), top=top)
    )
