"""The commands that keep the program: data in and out, settings, health. Their flags and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from liqscape.cli.app import app
from liqscape.cli.declare import KEEP, READ, command, group
from liqscape.cli.options import CHECKS, OUTPUT, Home, Plain

PANEL = KEEP
_SOURCE = "What is imported"


@command(
    app,
    "doctor",
    panel=PANEL,
    examples=[
        "liqscape doctor",
        "liqscape doctor --json",
        "liqscape doctor --live                     call every venue once: what changed, and what it means",
        "liqscape doctor --live --venues bybit,okx",
    ],
)
def doctor(
    home: Home,
    show: Plain,
    instrument: Annotated[str | None, typer.Argument(metavar="[INSTRUMENT]", help="Only this one; default: all.")] = None,
    max_age: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Warn about series that are older; default: 2 days.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Only call the venues: every endpoint and stream once.")] = False,
    venues: Annotated[str | None, typer.Option(metavar="NAMES", help="With --live: only these; default: all.")] = None,
) -> None:
    """Look at clock, store, data, recorders and kernels, each with the next command. Exit 21 on warnings, 22 on failures."""
    if live or venues is not None:
        from liqscape.cli.views.show_doctor import show_contact

        show_contact(home, show, venues=venues)
        return
    from liqscape.cli.views.show_doctor import show_doctor

    show_doctor(home, show, instrument=instrument, max_age=max_age)


@command(app, "demo", panel=PANEL, examples=["liqscape demo", "liqscape demo --seed 7 --folder my_demo"])
def demo(
    show: Plain,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where dataset and pictures are written.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Which simulated market.")] = 7,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then show the dashboard on a market that goes on, if this is a terminal.")
    ] = False,
) -> None:
    """The whole line on a simulated exchange, offline: the estimated map beside the true one."""
    from liqscape.cli.views.show_demo import show_demo

    show_demo(show, folder=folder, seed=seed, serve=serve)


@command(app, "warmup", panel=PANEL, examples=["liqscape warmup"])
def warmup(show: Plain) -> None:
    """Compile the kernels once, so that the next commands start at full speed."""
    from liqscape.cli.views.show_warmup import show_warmup

    show_warmup(show)


@command(
    app,
    "import",
    panel=PANEL,
    examples=[
        "liqscape import my_dataset/                                  a folder with a dataset.toml",
        "liqscape import bars.parquet --instrument binance:BTCUSDT    one plain file",
        "liqscape import data/futures/um/                             Binance archives as downloaded",
    ],
)
def import_(
    home: Home,
    show: Plain,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders that are searched.")],
    instrument: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What plain files are of, such as binance:BTCUSDT.", rich_help_panel=_SOURCE),
    ] = None,
    price_kind: Annotated[
        str | None, typer.Option(metavar="mark|last", help="What plain bars' prices are.", rich_help_panel=_SOURCE)
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a whole file when one of its rows is bad.", rich_help_panel=_SOURCE)
    ] = False,
) -> None:
    """Read market data from disk into the store. Importing the same again changes nothing."""
    from liqscape.cli.views.show_import import show_import

    show_import(home, show, paths, instrument=instrument, price_kind=price_kind, strict=strict)


@command(
    app,
    "export",
    panel=PANEL,
    examples=[
        "liqscape export backup/",
        "liqscape export january/ --instrument binance:BTCUSDT --from 2026-01-01 --to 2026-02-01",
    ],
)
def export(
    home: Home,
    show: Plain,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the dataset is written.")],
    instrument: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this instrument, or this base; default: all.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From this instant on.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Before this instant.")] = None,
) -> None:
    """Write stored rows as folders with a dataset.toml, which `liqscape import` reads back."""
    from liqscape.cli.views.show_export import show_export

    show_export(home, show, folder, instrument=instrument, from_=from_, to=to)


_WINDOW, _FILES = "What is scored, and how", "Files instead of the store"


@command(
    app,
    "validate",
    panel=READ,
    examples=[
        "liqscape validate binance:BTCUSDT --from 2026-02-16 --to 2026-04-01",
        "liqscape validate BTC --no-baselines --out predictions.parquet",
        "liqscape validate binance:BTCUSDT --bars bars_5m.parquet --liquidations liquidations_1h.parquet",
        "liqscape validate BTC --gate 'd2(long) >= 0.85' --gate 'coverage_90(both) >= 85%'",
    ],
)
def validate(
    home: Home,
    show: Plain,
    instrument: Annotated[str, typer.Argument(metavar="INSTRUMENT", help="binance:BTCUSDT, or a base that one venue has.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="First scored instant; default: two thirds of the record.", rich_help_panel=_WINDOW
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Scored before it; default: the end.", rich_help_panel=_WINDOW)
    ] = None,
    null_until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="D2 is against the mean of all before it; default: --from.", rich_help_panel=_WINDOW),
    ] = None,
    fit_days: Annotated[float, typer.Option(metavar="DAYS", help="What a fit reads.", rich_help_panel=_WINDOW)] = 75.0,
    refit_days: Annotated[float, typer.Option(metavar="DAYS", help="How often is refitted.", rich_help_panel=_WINDOW)] = 7.0,
    embargo_days: Annotated[
        float, typer.Option(metavar="DAYS", help="Between what a fit reads and what it serves.", rich_help_panel=_WINDOW)
    ] = 7.0,
    baselines: Annotated[
        bool, typer.Option("--baselines/--no-baselines", help="Everything simpler beside the map.", rich_help_panel=_WINDOW)
    ] = True,
    boosting: Annotated[
        bool,
        typer.Option("--boosting/--no-boosting", help="Gradient boosting too (liqscape[boosting]).", rich_help_panel=_WINDOW),
    ] = True,
    gate: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help="Exit 20 if missed, such as 'd2(long) >= 0.85'; repeatable.", rich_help_panel=CHECKS),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.parquet", help="Write predictions, a row per hour and side.", rich_help_panel=OUTPUT),
    ] = None,
    bars: Annotated[Path | None, typer.Option(metavar="FILE", help="Bars of a plain file.", rich_help_panel=_FILES)] = None,
    liquidations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Liquidations of a plain file.", rich_help_panel=_FILES)
    ] = None,
    funding: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Funding of a plain file, if known.", rich_help_panel=_FILES)
    ] = None,
) -> None:
    """How right the map was: walk-forward scores with intervals, beside everything simpler. Exit 20 if a gate is missed."""
    from liqscape.cli.views.show_validate import Asked, show_validate

    asked = Asked(
        instrument=instrument,
        from_=from_,
        to=to,
        null_until=null_until,
        fit_days=fit_days,
        refit_days=refit_days,
        embargo_days=embargo_days,
        baselines=baselines,
        boosting=boosting,
        bars=bars,
        liquidations=liquidations,
        funding=funding,
    )
    show_validate(home, show, asked, gates=gate or (), out=out)


_settings = group(
    app,
    "settings",
    panel=PANEL,
    summary="List, read and change settings.",
    examples=[
        "liqscape settings",
        "liqscape settings get window",
        "liqscape settings set time_zone Europe/Berlin",
        "liqscape settings set reported_share.binance 0.2,0.1,0.4",
        "liqscape settings unset time_zone",
    ],
)


@_settings.callback()
def every(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where settings live; default: LIQSCAPE_HOME.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The answer as one JSON envelope.")] = False,
) -> None:
    """List every setting when no command is named."""
    if context.invoked_subcommand is None:
        from liqscape.cli.views.show_settings import list_settings

        list_settings(Home(home=home), Plain(json=json))


_SettingName = Annotated[str, typer.Argument(metavar="NAME", help="A setting; `liqscape settings` lists them.")]


@command(_settings, "get", panel="Commands", examples=["liqscape settings get window"])
def get(home: Home, show: Plain, name: _SettingName) -> None:
    """Print one setting."""
    from liqscape.cli.views.show_settings import get_setting

    get_setting(home, show, name)


@command(_settings, "set", panel="Commands", examples=["liqscape settings set window 90d"])
def set_(
    home: Home, show: Plain, name: _SettingName, value: Annotated[str, typer.Argument(metavar="VALUE", help="The new value.")]
) -> None:
    """Change one setting."""
    from liqscape.cli.views.show_settings import change_setting

    change_setting(home, show, name, value)


@command(_settings, "unset", panel="Commands", examples=["liqscape settings unset window"])
def unset(home: Home, show: Plain, name: _SettingName) -> None:
    """Return one setting to its default."""
    from liqscape.cli.views.show_settings import change_setting

    change_setting(home, show, name, None)
