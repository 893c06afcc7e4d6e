"""What is stored, and how it gets there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from liqscape.api._arguments import Home, workspace
from liqscape.engine.importer import ImportReport, import_paths
from liqscape.model import InstrumentId, PriceKind


def instruments(*, home: Home = None) -> tuple[str, ...]:
    """Return the names of all stored instruments, sorted."""
    return tuple(str(instrument) for instrument in workspace(home).stored())


def import_data(
    paths: str | Path | Sequence[str | Path],
    *,
    instrument: str | None = None,
    price_kind: str | None = None,
    strict: bool = False,
    home: Home = None,
) -> ImportReport:
    """Import market data from disk into the store; importing again changes nothing.

    Parameters
    ----------
    paths
        Files or folders: a folder with `dataset.toml`, parquet or CSV of its columns, Binance archives, Tardis CSV.
    instrument
        `venue:SYMBOL`, for files that do not say it.
    price_kind
        `mark` or `last`, for files that do not say it.
    strict
        Store nothing of a file that has a bad row.

    Raises
    ------
    BadArgument, CorruptRecord
        If a file cannot be read at all, or in strict mode if a row is bad.
    """
    opened = workspace(home)
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    report = import_paths(
        opened.store,
        [Path(path) for path in listed],
        instrument=InstrumentId.parse(instrument) if instrument else None,
        price_kind=PriceKind(price_kind) if price_kind else None,
        strict=strict,
    )
    for simulated in report.simulated_instruments:
        opened.mark_simulated(simulated)
    return report
