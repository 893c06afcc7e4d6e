"""The program as a user meets it: processes, store, pictures' data, import."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import paths
from benchmarks.measure import Measured, rated, run_liqscape, seconds, timed
from liqscape.clock import iso
from liqscape.engine.heat import build_heatmap
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.testing.market import MarketConfig, SimulatedMarket
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

_FIVE_MINUTES_NS = 5 * NS_PER_MINUTE
_BACK_HOURS = (0, 31, 64, 150, 333)  # five instants, none of them alike


def stored(folder: Path) -> Path:
    """Make a home with 90 days of 5-minute bars, open interest and hourly liquidations."""
    home = folder / "home"
    import_paths(Workspace(home).store, [paths.write(paths.bars(90, _FIVE_MINUTES_NS), folder / "dataset")])
    return home


def map_process() -> Iterator[Measured]:
    """`liqscape map` from the first to the last moment of its process, kernels compiled before."""
    with tempfile.TemporaryDirectory() as name:
        home = stored(Path(name))
        end_ns = paths.START_NS + 90 * NS_PER_DAY
        asked = [["map", str(paths.INSTRUMENT), "--as-of", iso(end_ns - hours * NS_PER_HOUR)] for hours in _BACK_HOURS]
        environment = {"LIQSCAPE_HOME": str(home)}
        run_liqscape(asked[0], environment)
        runs = [run_liqscape(words, environment) for words in asked]
    walls, memory = [run.wall_s for run in runs], [run.memory_mb for run in runs]
    yield timed("`liqscape map`, 90 days of stored 5-minute bars, five as_of, whole process", walls, bar=2.0, aim=1.0)
    yield Measured("the same, largest memory", "MB", statistics.median(memory), min(memory), len(memory), bar=400.0)


def cascade_process() -> Iterator[Measured]:
    """`liqscape cascade` both ways, closed form, in time and reality check, from the first to the last moment of its process."""
    with tempfile.TemporaryDirectory() as name:
        home = stored(Path(name))
        end_ns = paths.START_NS + 90 * NS_PER_DAY
        asked = [
            ["cascade", str(paths.INSTRUMENT), "--shock", "100M", "--as-of", iso(end_ns - hours * NS_PER_HOUR)]
            for hours in _BACK_HOURS
        ]
        environment = {"LIQSCAPE_HOME": str(home)}
        run_liqscape(asked[0], environment)
        walls = [run_liqscape(words, environment).wall_s for words in asked]
    yield timed("`liqscape cascade`, 90 days of stored 5-minute bars, five as_of, whole process", walls, bar=2.5)


def validating() -> Iterator[Measured]:
    """`liqscape validate` over a third of four months of 5-minute bars with everything simpler, whole process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        import_paths(Workspace(home).store, [paths.write(paths.bars(121, _FIVE_MINUTES_NS), folder / "dataset")])
        words, environment = ["validate", str(paths.INSTRUMENT)], {"LIQSCAPE_HOME": str(home)}
        run_liqscape([*words, "--no-baselines"], environment)
        for what, extra, bar in (("without boosting", ["--no-boosting"], 60.0), ("with boosting", [], 300.0)):
            run = run_liqscape([*words, *extra], environment)
            yield timed(
                f"`liqscape validate`, 121 days of 5-minute bars, every baseline, {what}, whole process", [run.wall_s], bar=bar
            )
            yield Measured("the same, largest memory", "MB", run.memory_mb, run.memory_mb, 1)


def exchange() -> Iterator[Measured]:
    """The simulated exchange: 30 days x 2,000 accounts at 1 s, and a small null market."""
    for what, config, bar in (
        ("30 days x 2,000 accounts x 1 s", MarketConfig(days=30, warmup_days=0, step_s=1, accounts=2_000), 120.0),
        (
            "null market, 30 days x 300 accounts x 5 s",
            MarketConfig(days=30, warmup_days=0, step_s=5, accounts=300, impact=False),
            5.0,
        ),
    ):
        SimulatedMarket(replace(config, days=0.25), seed=1).run()
        start = time.perf_counter()
        SimulatedMarket(config, seed=1).run()
        yield timed(f"simulated exchange, {what}", [time.perf_counter() - start], bar=bar)


def heatmap() -> Iterator[Measured]:
    """30 days of 5-minute columns, read and painted."""
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(stored(Path(name)))

        def painted() -> None:
            found = build_heatmap(workspace, str(paths.INSTRUMENT), window="30d", rows=1000, state_window="90d")
            assert found.usd_per_permille.shape[1] == 30 * 288

        yield timed(
            "heatmap of 30 days x 5 minutes x up to 1,000 rows, from the store, state of 90 days", seconds(painted, 5), bar=0.5
        )


def importing() -> Iterator[Measured]:
    """A year of 1-minute bars with open interest into an empty store."""
    year = paths.bars(365, NS_PER_MINUTE)
    for csv in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            dataset = paths.write(year, folder / "dataset", csv=csv, with_liquidations=False)

            def imported(home: Path = folder / "home", dataset: Path = dataset) -> None:
                shutil.rmtree(home, ignore_errors=True)
                report = import_paths(Workspace(home).store, [dataset])
                assert report.rows_kept == len(year)

            what = f"import of 525,600 bars with open interest from {'CSV' if csv else 'parquet'} into an empty store"
            yield rated(what, "rows/s", len(year), seconds(imported, 3), bar=300_000.0)
