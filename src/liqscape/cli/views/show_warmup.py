"""`liqscape warmup`: compile every kernel by using it once, on a small simulated market in a folder that is thrown away."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from liqscape.api.envelope import plain_meta
from liqscape.cascade import Direction, SquareRootImpact, absorption, forced_venue, simulate, static_paths
from liqscape.cli.emit import Answer, emit, note
from liqscape.cli.options import Plain
from liqscape.cli.screen import BOLD, Screen
from liqscape.engine.fuel import build_fuel
from liqscape.engine.heat import build_heatmap
from liqscape.engine.importer import import_paths
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.testing.market import MarketConfig, SimulatedMarket, write_dataset

_ACCOUNTS = 9


def _cascade() -> None:
    """Use the kernels of the cascade on a made-up map: a day of a market is too short for one of its own."""
    brakes = absorption(np.linspace(0.0, 0.1, 11), impact=SquareRootImpact(sigma_1d=0.03, volume_1d_usd=1e9), draws=4)
    levels = np.ones((4, 10))
    static_paths(levels, brakes, Direction.UP, shock_usd=1e6, paths=4)
    simulate(levels, brakes, Direction.UP, [forced_venue("made up")], shock_usd=1e6, paths=4)


def show_warmup(show: Plain) -> None:
    """Answer `liqscape warmup`."""
    steps: list[dict[str, Any]] = []

    def timed(name: str, work: Callable[[], Any]) -> Any:
        note(show, f"{name} ...")
        began = time.perf_counter()
        result = work()
        steps.append({"step": name, "seconds": round(time.perf_counter() - began, 2)})
        return result

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "home")
        config = MarketConfig(days=1, warmup_days=0, accounts=_ACCOUNTS)
        run = timed("simulator", lambda: SimulatedMarket(config, seed=1).run())
        import_paths(workspace.store, [write_dataset(run, Path(folder) / "dataset")])
        name = str(run.bars.instrument)
        timed("map", lambda: build_map(workspace, name))
        timed("heatmap", lambda: build_heatmap(workspace, name, window="1d", rows=50))
        timed("fuel", lambda: build_fuel(workspace, name, since="6h"))
    timed("cascade", _cascade)
    total = sum(step["seconds"] for step in steps)

    def text(screen: Screen) -> None:
        for step in steps:
            screen.row(f"{step['step']:<12} {step['seconds']:>6.2f} s")
        screen.line((f"kernels are compiled, {total:.1f} s", BOLD))

    emit(show, Answer("warmup", {"steps": steps, "seconds": round(total, 2)}, plain_meta(), text), Screen.of(show))
