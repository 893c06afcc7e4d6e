"""The program that commands are added to."""

from __future__ import annotations

from typing import Annotated

import typer

from liqscape._version import __version__
from liqscape.cli.declare import group

app = group(
    None,
    "liqscape",
    summary="The liquidation landscape of a perpetual-futures market: where positions would be force-closed, in dollars.",
    examples=[
        "liqscape demo                                        the whole line on a simulated market, offline",
        "liqscape import FOLDER                               market data from disk into the store",
        "liqscape map BTC                                     dollars by price, shorts above and longs below the mark",
        "liqscape asymmetry BTC --within 1%,2%,5%             which side holds more",
        "liqscape move-to BTC --usd 250M                      how far price must move to liquidate $250M",
        "liqscape heatmap BTC --window 30d --out heat.png     the map over time, under candles",
    ],
)


@app.callback()
def program(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Print help when no command is named."""
    if version:
        print(f"liqscape {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
