"""`liqscape demo`: the whole line on a simulated exchange, and the estimated map beside the true one.

Everything stays in one folder: the dataset as a user would import it, a home of its own, and the pictures. The user's own
store is never touched.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from liqscape.analytics import caveats_for, headline, pool
from liqscape.cli.views.words import usd_interval
from liqscape.clock import iso
from liqscape.datasets import MANIFEST, read_manifest
from liqscape.engine.heat import build_heatmap
from liqscape.engine.importer import import_paths
from liqscape.engine.maps import assemble, build_map
from liqscape.engine.replay import Tape, replay
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import BarSeries, InstrumentId, LiquidationSeries, PositionSide, PriceKind
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import BUCKET_WIDTH, Estimate, LiquidationMap
from liqscape.testing.market import (
    MarketConfig,
    SimulatedMarket,
    SimulatedRun,
    SpatialScore,
    spatial_distance,
    true_levels,
    write_dataset,
)
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, format_duration, format_percent, format_price, format_usd

DEFAULT_FOLDER = Path("demo")
WITHIN = (0.01, 0.02, 0.05, 0.10)
_PICTURE_WITHIN = WITHIN[-1]
_HEATMAP_WINDOW_NS = 30 * NS_PER_DAY


@dataclass(frozen=True)
class Window:
    """Both pools within one distance of the mark, estimated and true; USD."""

    distance: float
    short: Estimate
    long: Estimate
    true_short_usd: float
    true_long_usd: float


@dataclass(frozen=True)
class Demo:
    """What a demo found.

    Parameters
    ----------
    folder
        Holds `dataset`, `home`, `map.png` and `heatmap.png`.
    map
        The estimated map at the end of the simulated record.
    windows
        Pools within `WITHIN`, estimated beside true.
    score
        Distance of the estimated map to the true one.
    flat_w1_bps
        The same of a map that knows nothing and holds equal dollars at every distance.
    """

    folder: Path
    seed: int
    map: LiquidationMap
    windows: tuple[Window, ...]
    score: SpatialScore
    flat_w1_bps: float | None
    pictures: tuple[Path, ...]


def run_demo(
    folder: Path = DEFAULT_FOLDER,
    *,
    seed: int = 7,
    quiet: bool = False,
    config: MarketConfig | None = None,
    console: Console | None = None,
    compile_ahead: bool = True,
) -> Demo:
    """Simulate a market, import what it published, estimate its map and compare it with the truth.

    Parameters
    ----------
    folder
        Where everything goes; made if it is not there. What an earlier demo left there is replaced.
    seed
        Seed of the market; the same seed gives the same demo.
    quiet
        Show no progress; the result is printed all the same.
    config
        The market; default: 60 days of the simulator's own default.
    console
        Where the result is printed; default: standard output. Progress goes to standard error.
    compile_ahead
        Compile the estimator in a second process while the market is simulated; only the first run after an installation
        has anything to compile.

    Raises
    ------
    BadArgument
        If the folder holds a home with data that no demo made.
    """
    folder = Path(folder)
    _make_room(folder)
    console = console or Console()
    with _progress(quiet) as step, _compiling(compile_ahead) as compiled:
        step("simulating an exchange with exact accounts (the first run also compiles it)")
        run = SimulatedMarket(config, seed=seed).run()
        step("writing what it published, and importing it")
        workspace, instrument = _import(run, folder)
        step("estimating the map from published data alone")
        compiled()
        estimated = build_map(workspace, instrument)
        found = _compare(folder, seed, run, estimated)
        step("drawing the pictures")
        _draw(found, workspace, instrument, run)
    _print(found, run, console)
    return found


def _make_room(folder: Path) -> None:
    """Clear away what an earlier demo left; refuse to touch anything else."""
    home = folder / "home"
    if not home.exists():
        return
    manifest = folder / "dataset" / MANIFEST
    workspace = Workspace(home)
    ours = manifest.is_file() and read_manifest(manifest.parent).simulated
    strangers = [str(name) for name in workspace.stored() if not workspace.is_simulated(name)]
    if strangers or not ours:
        raise BadArgument(
            f"demo: {str(home)!r} holds {', '.join(strangers) or 'a home'} that no demo made; it was left alone",
            hint="Name another folder, for example `liqscape demo --folder demo2`.",
        )
    shutil.rmtree(home)


def _import(run: SimulatedRun, folder: Path) -> tuple[Workspace, str]:
    """Write the published part as a dataset and import it into a home of its own."""
    dataset = write_dataset(run, folder / "dataset")
    workspace = Workspace(folder / "home")
    report = import_paths(workspace.store, [dataset])
    for instrument in report.simulated_instruments:
        workspace.mark_simulated(instrument)
    return workspace, str(run.bars.instrument)


def _compare(folder: Path, seed: int, run: SimulatedRun, estimated: LiquidationMap) -> Demo:
    true_long, true_short = true_levels(run.truth(), estimated.mark_price)

    def within(values: FloatArray, distance: float) -> float:
        return float(values[: round(distance / BUCKET_WIDTH)].sum())

    windows = tuple(
        Window(
            distance=distance,
            short=pool(estimated, PositionSide.SHORT, 0.0, distance),
            long=pool(estimated, PositionSide.LONG, 0.0, distance),
            true_short_usd=within(true_short, distance),
            true_long_usd=within(true_long, distance),
        )
        for distance in WITHIN
    )
    score = spatial_distance(estimated.long.usd, estimated.short.usd, true_long, true_short, width=BUCKET_WIDTH)
    flat = np.ones_like(true_long)
    unknowing = spatial_distance(flat, flat, true_long, true_short, width=BUCKET_WIDTH).w1_bps
    return Demo(folder, seed, estimated, windows, score, unknowing, (folder / "map.png", folder / "heatmap.png"))


def _draw(found: Demo, workspace: Workspace, instrument: str, run: SimulatedRun) -> None:
    """Save the map with the truth as outlines, and the heatmap with every forced order."""
    # Not at the top: drawing is heavy to import and the simulation should not wait for it.
    from liqscape.plot import LiquidationDots, plot_heatmap, plot_map, save

    estimated, prints = found.map, run.prints
    true_long, true_short = true_levels(run.truth(), estimated.mark_price)
    caption = _caveats(estimated)
    picture = plot_map(
        estimated, within=_PICTURE_WITHIN, truth=(true_short, true_long), caption=caption, headline=headline(estimated)
    )
    save(picture, found.pictures[0])
    shown_ns = min(_HEATMAP_WINDOW_NS, len(run.bars) * run.bars.interval_ns)
    heatmap = build_heatmap(workspace, instrument, window=f"{shown_ns // NS_PER_MINUTE}min")
    shown = prints.ts_ns >= int(heatmap.start_ns[0])
    dots = LiquidationDots(
        time_ns=prints.ts_ns[shown],
        price=prints.mark_price[shown],
        usd=prints.notional_usd[shown],
        long=prints.sign[shown] > 0,
        throttled=False,
    )
    caption = [f"{caveat.code} {caveat.text}" for caveat in caveats_for(heatmap, "heatmap")]
    save(plot_heatmap(heatmap, liquidations=dots, caption=caption), found.pictures[1])


def _caveats(found: LiquidationMap) -> list[str]:
    """Return what the table and the map's picture must not be read without; both reach equally far."""
    from liqscape.api.answers.maps import prior_share_within

    shown = prior_share_within(found, _PICTURE_WITHIN)
    return [f"{caveat.code} {caveat.text}" for caveat in caveats_for(found, "map", prior_share=shown)]


def _print(found: Demo, run: SimulatedRun, console: Console) -> None:
    """Print the table, the distances and where everything is."""
    estimated, score, folder = found.map, found.score, found.folder
    length = format_duration(len(run.bars) * run.bars.interval_ns)
    console.print(Text(f"SIMULATED market (seed {found.seed}): no exchange ever traded this.", style="bold yellow"))
    console.print(
        f"{estimated.asked}  mark {format_price(estimated.mark_price)}  open interest {format_usd(estimated.open_interest_usd)}"
        f"  {length} of bars, {len(run.prints):,} liquidations, as of {iso(estimated.as_of_ns)}",
        highlight=False,
    )
    console.print(Text(headline(estimated), style="bold"))
    console.print(_table(found))
    console.print(
        f"Shape: W1 {_bp(score.w1_bps)} from the truth within {format_percent(score.within, decimals=0)} of the mark (a flat map:"
        f" {_bp(found.flat_w1_bps)}). Dollars within {format_percent(score.near, decimals=0)}: shorts"
        f" {format_percent(score.short_near_error, decimals=0, sign=True)}, longs"
        f" {format_percent(score.long_near_error, decimals=0, sign=True)} against the truth.",
        highlight=False,
    )
    console.print(
        "The estimate saw bars, open interest and hourly liquidations only. Where price has been often it knows; farther out it"
        " is prior (assumption), whose slope comes from real markets and not from this one. And it learns what a move really"
        " liquidates, while the truth counts every liquidation price, also where a stop would close the position first.",
        highlight=False,
    )
    for line in _caveats(estimated):
        console.print(Text(line, style="dim"))
    console.print(f"\nPictures:  {found.pictures[0]}  {found.pictures[1]}", highlight=False, soft_wrap=True)
    console.print(f"Dataset:   {folder / 'dataset'} (truth.parquet beside what was published)", highlight=False, soft_wrap=True)
    console.print(f"Try next:  LIQSCAPE_HOME={folder / 'home'} liqscape map BTC", highlight=False, soft_wrap=True)


def _table(found: Demo) -> Table:
    title = "SIMULATED: dollars within a distance, estimated [80 %] beside true"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("within", "shorts above", "true", "longs below", "true", "prior"):
        table.add_column(name, justify="right", no_wrap=True, style="bold" if name == "true" else None)
    for row in found.windows:
        prior = [format_percent(side.prior_share, decimals=0).removesuffix(" %") for side in (row.short, row.long)]
        table.add_row(
            format_percent(row.distance, decimals=0),
            Text(usd_interval(row.short)),
            format_usd(row.true_short_usd),
            Text(usd_interval(row.long)),
            format_usd(row.true_long_usd),
            f"{prior[0]}|{prior[1]} %",
        )
    return table


def _bp(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} bp"


@contextmanager
def _progress(quiet: bool) -> Generator[Callable[[str], None]]:
    """Say on standard error what is being done: a spinner on a terminal, else one line per step."""
    console = Console(stderr=True, quiet=quiet)
    if not console.is_terminal:
        yield lambda text: console.print(f"demo: {text}", highlight=False, soft_wrap=True)
        return
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda text: bar.update(task, description=text)


@contextmanager
def _compiling(wanted: bool) -> Generator[Callable[[], None]]:
    """Compile in a second process; the value waits for it. If that process fails, the first one compiles for itself."""
    if not wanted:
        yield lambda: None
        return
    helper = multiprocessing.get_context("spawn").Process(target=compile_estimator, daemon=True)
    helper.start()
    try:
        yield helper.join
    finally:
        if helper.is_alive():
            helper.terminate()
        helper.join()


def compile_estimator() -> None:
    """Run a few made-up bars through the estimator, so that its kernels lie compiled in the cache on disk."""
    import matplotlib.figure  # noqa: F401  # pyright: ignore[reportUnusedImport] - its first import lists the fonts

    n, instrument = 36, InstrumentId("simulated", "COMPILE")
    start_ns = np.arange(n, dtype=np.int64) * 5 * NS_PER_MINUTE
    close = 100.0 * np.exp(0.002 * np.random.default_rng(1).standard_normal(n).cumsum())
    bars = BarSeries(
        instrument=instrument,
        interval_ns=5 * NS_PER_MINUTE,
        price_kind=PriceKind.MARK,
        start_ns=start_ns,
        known_ns=start_ns + 5 * NS_PER_MINUTE,
        open=close,
        high=close * 1.001,
        low=close * 0.999,
        close=close,
        volume_base=np.full(n, np.nan),
        taker_buy_base=np.full(n, np.nan),
        open_interest_base=np.full(n, 1000.0),
    )
    as_of_ns = int(bars.end_ns[-1])
    tape = Tape(instrument, as_of_ns, bars, LiquidationSeries.empty(instrument, NS_PER_HOUR), None)
    assemble(str(instrument), [replay(tape)], as_of_ns)
