"""`liqscape demo`: the estimated map beside the true one."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from liqscape.analytics import caveats_for, headline
from liqscape.api.envelope import meta_of
from liqscape.api.question import said
from liqscape.cli.demo import DEFAULT_FOLDER, Demo, run_demo
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Home, Plain
from liqscape.cli.screen import Screen


def show_demo(show: Plain, *, folder: Path, seed: int, serve: bool = False) -> None:
    """Answer `liqscape demo`; with `serve` stay with the dashboard where somebody is looking."""
    screen = Screen.of(show)
    # With --json the table would stand beside the envelope.
    console = Console(file=io.StringIO()) if show.json else Console(no_color=not screen.color, width=screen.width)
    found = run_demo(folder, seed=seed, quiet=show.quiet or show.json, console=console)
    if show.json:
        meta = meta_of(found.map, caveats_for(found.map, "map"))
        emit(show, Answer("demo", demo_data(found), meta, lambda screen: None), screen)
    elif serve:
        _dashboard(show, folder)


def _dashboard(show: Plain, folder: Path) -> None:
    """Serve the dashboard on a terminal; elsewhere say how it is opened."""
    command = f"liqscape serve --demo{'' if folder == DEFAULT_FOLDER else f' --folder {folder}'}"
    if not sys.stdout.isatty():
        print(f"dashboard: {command}")
        return
    from liqscape.cli.views.show_serve import Asked, show_serve
    from liqscape.server.options import HOST

    asked = Asked(host=HOST, port=None, token=None, demo=True, folder=folder, record=(), top=None)
    show_serve(Home(), show, asked)


def demo_data(found: Demo) -> dict[str, Any]:
    """Return the data of `demo --json`."""
    return {
        "headline": said(found.map, headline(found.map)),
        "seed": found.seed,
        "folder": str(found.folder),
        "within": [
            {
                "distance": row.distance,
                "short_pool_usd": row.short,
                "long_pool_usd": row.long,
                "true_short_pool_usd": row.true_short_usd,
                "true_long_pool_usd": row.true_long_usd,
            }
            for row in found.windows
        ],
        "score": msgspec.structs.asdict(found.score) | {"flat_w1_bps": found.flat_w1_bps},
        "pictures": [str(path) for path in found.pictures],
    }
