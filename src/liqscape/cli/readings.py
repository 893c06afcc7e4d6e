"""The commands that read a market: their flags and their help. What they compute is imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from liqscape.cli.app import app
from liqscape.cli.declare import READ, command
from liqscape.cli.options import (
    FILTERS,
    INPUTS,
    OUTPUT,
    Built,
    Condition,
    Filters,
    Guards,
    Picture,
    Show,
    SideFilter,
    Target,
)

PANEL = READ

Within = Annotated[
    str | None, typer.Option(metavar="DISTANCE", help="Distance from the mark price, such as 2%.", rich_help_panel=FILTERS)
]
Windows = Annotated[
    str | None,
    typer.Option(metavar="DISTANCES", help="Distance windows, such as 1%,2%,5%,10%,20%.", rich_help_panel=FILTERS),
]
PriceRange = Annotated[
    str | None,
    typer.Option("--range", metavar="PRICES", help="A stretch of prices, such as 84000-100000.", rich_help_panel=FILTERS),
]
Usd = Annotated[str | None, typer.Option(metavar="DOLLARS", help="Budgets, such as 250M,1B.", rich_help_panel=FILTERS)]


@command(app, "now", panel=PANEL, examples=["liqscape now BTC", "liqscape now BTC --json --max-age 10m"])
def now(target: Target, built: Built, guards: Guards, condition: Condition, show: Show) -> None:
    """The state of a market on one screen: headline, pools, nearest zones, moves."""
    from liqscape.cli.views.show_now import show_now

    show_now(target, built, guards, condition, show)


@command(
    app,
    "map",
    panel=PANEL,
    examples=[
        "liqscape map BTC",
        "liqscape map binance:BTCUSDT --within 1.5% --as-of 2026-01-30T22:55Z",
        "liqscape map BTC --leverage 10-50 --side short --out map.png",
        "liqscape map BTC --json | jq .data.balance",
    ],
)
def map_(
    target: Target,
    built: Built,
    filters: Filters,
    side: SideFilter,
    guards: Guards,
    condition: Condition,
    show: Show,
    picture: Picture,
    within: Within = None,
    step: Annotated[
        str | None, typer.Option(metavar="DISTANCE", help="Height of a bar, such as 0.5%.", rich_help_panel=FILTERS)
    ] = None,
    range_: PriceRange = None,
) -> None:
    """Where positions would be liquidated: dollars by price, shorts above the mark and longs below it."""
    from liqscape.cli.views.show_map import show_map

    show_map(target, built, filters, side, guards, condition, show, picture, within=within, step=step, range_=range_)


@command(
    app,
    "heatmap",
    panel=PANEL,
    examples=[
        "liqscape heatmap BTC",
        "liqscape heatmap BTC --window 30d --out heatmap.png",
        "liqscape heatmap BTC --window 7d --interval 1h --rows 200 --parquet heat.parquet",
    ],
)
def heatmap(
    target: Target,
    guards: Guards,
    show: Show,
    picture: Picture,
    window: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="Stretch of time that is shown; default: the setting.", rich_help_panel=INPUTS),
    ] = None,
    state_window: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="Stretch of stored bars that builds the state.", rich_help_panel=INPUTS),
    ] = None,
    reading: Annotated[
        str,
        typer.Option(
            metavar="published|true",
            help="Dollars as the feeds show them, or divided by reported_share.",
            rich_help_panel=INPUTS,
        ),
    ] = "published",
    within: Annotated[
        str | None,
        typer.Option(metavar="DISTANCE", help="Reach beyond the window's own prices.", rich_help_panel=FILTERS),
    ] = None,
    rows: Annotated[int | None, typer.Option(min=2, help="Rows at most.", rich_help_panel=OUTPUT)] = None,
    interval: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Width of a column, such as 1h.", rich_help_panel=OUTPUT)
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(metavar="USD-USD", help="Dollar scale of the colours, such as 20K-5M.", rich_help_panel=OUTPUT),
    ] = None,
) -> None:
    """The map over time, under candles; a band ends where the mark price swept it."""
    from liqscape.api.answers.history import Shape
    from liqscape.cli.views.show_heatmap import show_heatmap

    shape = Shape(window=window, state_window=state_window, within=within, rows=rows, interval=interval, scale=scale)
    show_heatmap(target, guards, show, picture, shape, reading)


@command(
    app,
    "asymmetry",
    panel=PANEL,
    examples=[
        "liqscape asymmetry BTC",
        "liqscape asymmetry binance:BTCUSDT --within 1%,2%,5%,10%,20% --json",
        "liqscape asymmetry BTC --range 84000-100000",
        "liqscape asymmetry BTC --quiet --exit-if 'imbalance(2%) > 0.5'",
    ],
)
def asymmetry(
    target: Target,
    built: Built,
    filters: Filters,
    guards: Guards,
    condition: Condition,
    show: Show,
    within: Windows = None,
    range_: PriceRange = None,
    usd: Usd = None,
) -> None:
    """Which side holds more, window by window: pools, ratio, imbalance, shape."""
    from liqscape.cli.views.show_asymmetry import show_asymmetry

    show_asymmetry(target, built, filters, guards, condition, show, within=within, range_=range_, usd=usd)


@command(
    app,
    "move-to",
    panel=PANEL,
    examples=["liqscape move-to BTC --usd 250M,1B", "liqscape move-to BTC --csv"],
)
def move_to(
    target: Target,
    built: Built,
    filters: Filters,
    guards: Guards,
    condition: Condition,
    show: Show,
    usd: Usd = None,
) -> None:
    """How far price must move, up and down, to liquidate a number of dollars."""
    from liqscape.cli.views.show_moves import show_moves

    show_moves(target, built, filters, guards, condition, show, usd=usd)


@command(app, "zones", panel=PANEL, examples=["liqscape zones BTC --top 5", "liqscape zones BTC --side short --json"])
def zones(
    target: Target,
    built: Built,
    filters: Filters,
    side: SideFilter,
    guards: Guards,
    condition: Condition,
    show: Show,
    within: Within = None,
    top: Annotated[int | None, typer.Option(min=1, help="Only the largest this many.", rich_help_panel=FILTERS)] = None,
) -> None:
    """The dense stretches of a map, with the round prices in them."""
    from liqscape.cli.views.show_zones import show_zones

    show_zones(target, built, filters, side, guards, condition, show, within=within, top=top)


@command(
    app,
    "fuel",
    panel=PANEL,
    examples=["liqscape fuel BTC --since 24h", "liqscape fuel BTC --since 2026-01-30T22:55Z --range 84000-88000"],
)
def fuel(
    target: Target,
    show: Show,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME|LENGTH", help="From when: an instant, or a length of time before `as-of`.", rich_help_panel=INPUTS
        ),
    ],
    window: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="Stretch of stored bars that builds the state.", rich_help_panel=INPUTS),
    ] = None,
    within: Within = None,
    range_: PriceRange = None,
    max_age: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Exit 4 if the newest input is older.", rich_help_panel="Checks")
    ] = None,
) -> None:
    """What became of the dollars that stood in a region: swept, closed, opened, left."""
    from liqscape.cli.views.show_fuel import show_fuel

    show_fuel(target, show, since=since, window=window, within=within, range_=range_, max_age=max_age)


@command(
    app,
    "liquidations",
    panel=PANEL,
    examples=["liqscape liquidations BTC --window 7d", "liqscape liquidations BTC --window 24h --csv"],
)
def liquidations(
    target: Target,
    show: Show,
    window: Annotated[str, typer.Option(metavar="LENGTH", help="Stretch of time before `as-of`.", rich_help_panel=INPUTS)] = "7d",
    side: Annotated[
        str | None, typer.Option(metavar="long|short", help="Only this side's positions.", rich_help_panel=FILTERS)
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Only the largest this many intervals.", rich_help_panel=FILTERS)] = None,
) -> None:
    """Forced orders as they were published: sums per interval, complete or not."""
    from liqscape.cli.views.show_liquidations import show_liquidations

    show_liquidations(target, show, window=window, side=side, top=top)
