"""`liqscape import`: files into the store, and what became of every row."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from liqscape.api.envelope import plain_meta
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Home, Plain
from liqscape.cli.screen import BAD, BOLD, DIM, WARN, Screen
from liqscape.engine.importer import FileReport, ImportProgress, ImportReport, import_paths
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId, PriceKind

_SHOWN_REJECTIONS = 5
_SHOWN_FILES = 12
_JSON_REJECTIONS = 100


def show_import(
    home: Home, show: Plain, paths: Sequence[Path], *, instrument: str | None, price_kind: str | None, strict: bool
) -> None:
    """Answer `liqscape import`."""
    workspace = Workspace(home.home)
    with _progress(show) as progress:
        report = import_paths(
            workspace.store,
            paths,
            instrument=None if instrument is None else InstrumentId.parse(instrument),
            price_kind=None if price_kind is None else _price_kind(price_kind),
            strict=strict,
            progress=progress,
        )
    for each in report.simulated_instruments:
        workspace.mark_simulated(each)
    meta = plain_meta(instruments=report.instruments, simulated=bool(report.simulated_instruments))
    answer = Answer("import", report_data(report), meta, lambda screen: say_report(screen, report))
    emit(show, answer, Screen.of(show))


def _price_kind(text: str) -> PriceKind:
    try:
        return PriceKind(text.lower())
    except ValueError:
        raise BadArgument(f"--price-kind: expected mark or last, received {text!r}") from None


@contextmanager
def _progress(show: Plain) -> Generator[Callable[[ImportProgress], None] | None]:
    """Show a bar on a terminal while files are read."""
    screen = Screen.of(show, error=True)
    if show.quiet or not screen.bars:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeElapsedColumn())
    console = Console(stderr=True, no_color=not screen.color, highlight=False)
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("reading", total=None)

        def told(at: ImportProgress) -> None:
            name = f"{at.rows_done:,} rows  {Path(at.file).name[-32:]}"
            bars.update(task, completed=at.files_done, total=at.files_total, description=name)

        yield told


def report_data(report: ImportReport) -> dict[str, Any]:
    """Return the data of `import --json`."""
    return {
        "rows_read": report.rows_read,
        "rows_kept": report.rows_kept,
        "rows_already_stored": report.rows_already_stored,
        "rows_rejected": report.rows_rejected,
        "instruments": [str(each) for each in report.instruments],
        "simulated_instruments": [str(each) for each in report.simulated_instruments],
        "stored": {str(table): count for table, count in report.stored.items()},
        "files": [_file(each) for each in report.files],
        "rejections": list(report.rejections[:_JSON_REJECTIONS]),
        "warnings": list(report.warnings),
    }


def _file(report: FileReport) -> dict[str, Any]:
    return {
        "file": report.file,
        "kind": report.kind,
        "instruments": [str(each) for each in report.instruments],
        "rows_read": report.rows_read,
        "rows_kept": report.rows_kept,
        "rows_already_stored": report.rows_already_stored,
        "rows_rejected": report.rows_rejected,
        "refused": report.refused,
    }


def say_report(screen: Screen, report: ImportReport) -> None:
    """Print what became of the rows, the first rejections with their place, and what to do next."""
    names = ", ".join(str(each) for each in report.instruments[:4]) or "nothing"
    more = len(report.instruments) - 4
    screen.line((f"imported {names}{f' and {more} more' if more > 0 else ''}", BOLD))
    screen.row((f"{'read':>10} {'kept':>10} {'stored before':>14} {'rejected':>9}  file", DIM))
    files = sorted(report.files, key=lambda file: -(file.rows_rejected + (file.refused is not None)))
    for each in files[:_SHOWN_FILES]:
        _say_file(screen, each)
    if len(files) > _SHOWN_FILES:
        screen.row((f"{'':>46}  and {len(files) - _SHOWN_FILES:,} more files", DIM))
        total = (
            f"{report.rows_read:>10,} {report.rows_kept:>10,} {report.rows_already_stored:>14,} {report.rows_rejected:>9,}  all"
        )
        screen.row(total)
    if report.rejections:
        screen.line((f"{report.rows_rejected:,} rows were rejected, the good ones are stored. The first:", WARN))
        for rejection in report.rejections[:_SHOWN_REJECTIONS]:
            screen.line(f"  {rejection}")
    for warning in report.warnings:
        screen.line(("note: ", WARN), warning)
    for each in report.simulated_instruments:
        screen.line(f"{each} is simulated; every view will say so.")
    if report.instruments:
        screen.line(("next: ", DIM), f"liqscape map {report.instruments[0]}")


def _say_file(screen: Screen, each: FileReport) -> None:
    kind = f" ({each.kind})" if each.kind else ""
    room = max(12, screen.width - 49 - len(kind))
    file = Path(each.file).name
    name = file if len(file) <= room else "..." + file[3 - room :]
    counts = f"{each.rows_read:>10,} {each.rows_kept:>10,} {each.rows_already_stored:>14,}"
    screen.row(counts, (f" {each.rows_rejected:>9,}", BAD if each.rows_rejected else DIM), f"  {name}{kind}")
    if each.refused is not None:
        screen.line((f"{'':>10} left out: {each.refused}", BAD))
