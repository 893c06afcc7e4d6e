"""`liqscape export`: stored rows as folders that `liqscape import` reads back."""

from __future__ import annotations

from pathlib import Path

from liqscape.api.envelope import plain_meta
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Home, Plain
from liqscape.cli.question import read
from liqscape.cli.screen import BOLD, DIM, WARN, Screen
from liqscape.clock import parse_instant
from liqscape.engine.exporter import export_datasets
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument


def show_export(home: Home, show: Plain, folder: Path, *, instrument: str | None, from_: str | None, to: str | None) -> None:
    """Answer `liqscape export`."""
    workspace = Workspace(home.home)
    start = None if from_ is None else read("--from", from_, parse_instant)
    end = None if to is None else read("--to", to, parse_instant)
    if start is not None and end is not None and not start < end:
        raise BadArgument(f"--from, --to: expected an earlier and a later instant, received {from_} and {to}")
    names = None if instrument is None else workspace.resolve(instrument)
    report = export_datasets(workspace, folder, names, start_ns=start, end_ns=end)

    def text(screen: Screen) -> None:
        screen.line((f"exported {report.rows:,} rows to {folder}", BOLD))
        for file in report.files:
            screen.row(f"{file.rows:>12,}  {file.path.relative_to(folder)}  ", (f"{file.instrument} {file.table}", DIM))
        for each in report.notes:
            screen.line(("note: ", WARN), each)
        screen.line(("next: ", DIM), f"liqscape import {folder}")

    instruments = sorted({file.instrument for file in report.files})
    files = [
        {"file": str(file.path), "table": str(file.table), "instrument": str(file.instrument), "rows": file.rows}
        for file in report.files
    ]
    data = {"folder": str(folder), "rows": report.rows, "files": files, "notes": report.notes}
    simulated = any(workspace.is_simulated(each) for each in instruments)
    meta = plain_meta(asked=instrument, instruments=instruments, simulated=simulated)
    emit(show, Answer("export", data, meta, text), Screen.of(show))
