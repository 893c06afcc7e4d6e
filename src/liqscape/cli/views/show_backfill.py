"""`liqscape backfill`: the public past of the venues, what came of it, and what could not be had."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import typer

from liqscape.api._arguments import venue_names
from liqscape.api.envelope import plain_meta
from liqscape.cli.emit import Answer, emit, note
from liqscape.cli.options import Home, Plain
from liqscape.cli.screen import BAD, BOLD, DIM, WARN, Screen
from liqscape.cli.views.show_import import report_data
from liqscape.clock import iso, now_ns
from liqscape.engine.backfill import (
    ArchiveProgress,
    ArchiveReport,
    Backfill,
    BackfillProgress,
    BackfillReport,
    VenueReport,
    fetch_archives,
)
from liqscape.engine.recording.wanted import Wanted
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId
from liqscape.units import NS_PER_DAY
from liqscape.venues.registry import choose
from liqscape.venues.transport import NetTransport

UPSTREAM = 5
_EVERY_S = 5.0  # between two lines of progress of one venue
_QUOTE = "USDT"


def show_backfill(home: Home, show: Plain, names: tuple[str, ...], *, days: float, venues: str | None, top: int | None) -> None:
    """Answer `liqscape backfill`; exit 5 if nothing came from anywhere."""
    workspace = Workspace(home.home)
    chosen, wanted = choose(venue_names(venues)), Wanted(names, top)
    start_ns = now_ns() - _span(days)

    async def run() -> BackfillReport:
        transport = NetTransport()
        try:
            filling = Backfill(workspace, chosen, wanted, transport, urls=workspace.settings.venue_urls, progress=_progress(show))
            return await filling.run(start_ns)
        finally:
            await transport.close()

    try:
        report = asyncio.run(run())
    except KeyboardInterrupt:
        note(show, "what came is stored; the same command goes on from here")
        raise
    answer = Answer(
        "backfill",
        backfill_data(report),
        plain_meta(instruments=report.instruments),
        lambda screen: say_backfill(screen, report),
    )
    emit(show, answer, Screen.of(show))
    if not report.came:
        raise typer.Exit(UPSTREAM)


def show_archive(home: Home, show: Plain, names: tuple[str, ...], *, days: float, venues: str | None, top: int | None) -> None:
    """Answer `liqscape backfill --archive`."""
    if top is not None or any(name != "binance" for name in venue_names(venues)) or not names:
        raise BadArgument(
            "backfill --archive: the bulk files are Binance's USD-M contracts, by name",
            hint="Write `liqscape backfill BTC ETH --archive --days 365`.",
        )
    workspace = Workspace(home.home)
    symbols = tuple(_symbol(name) for name in names)
    report = asyncio.run(fetch_archives(workspace, symbols, start_ns=now_ns() - _span(days), progress=_archive_progress(show)))
    for each in report.imported.simulated_instruments if report.imported else ():
        workspace.mark_simulated(each)
    instruments = [InstrumentId("binance", symbol) for symbol in symbols]
    answer = Answer(
        "backfill", archive_data(report), plain_meta(instruments=instruments), lambda screen: say_archive(screen, report, symbols)
    )
    emit(show, answer, Screen.of(show))


def _span(days: float) -> int:
    if not 0.0 < days <= 3660.0:
        raise BadArgument(f"--days: expected a number above 0, received {days:g}", hint="Write it like --days 30.")
    return round(days * NS_PER_DAY)


def _symbol(name: str) -> str:
    """Return Binance's symbol of `BTC`, `BTCUSDT` or `binance:BTCUSDT`."""
    symbol = InstrumentId.parse(name).symbol if ":" in name else name.strip().upper()
    return symbol if symbol.endswith(("USDT", "USDC")) else f"{symbol}{_QUOTE}"


def _progress(show: Plain) -> Callable[[BackfillProgress], None] | None:
    """Print a line per venue every few seconds, on stderr."""
    if show.quiet:
        return None
    told: dict[str, float] = {}

    def tell(at: BackfillProgress) -> None:
        if not at.windows:
            if not told:
                print("asking the venues for their instruments", file=sys.stderr)
            told.setdefault("", 0.0)
            return
        last, done = told.get(at.key), at.windows_done >= at.windows
        if last is not None and time.monotonic() - last < _EVERY_S and not done:
            return
        told[at.key] = time.monotonic()
        share = f"{at.windows_done:,} of {at.windows:,}"
        print(f"{at.key:<14} {share:>16}  {at.doing:<28} {at.rows:>10,} rows", file=sys.stderr)

    return tell


def _archive_progress(show: Plain) -> Callable[[ArchiveProgress], None] | None:
    if show.quiet:
        return None
    told = 0.0

    def tell(at: ArchiveProgress) -> None:
        nonlocal told
        if time.monotonic() - told < 1.0 and at.files_done < at.files:
            return
        told = time.monotonic()
        done = f"{at.files_done:,} of {at.files:,} files"
        print(f"archive {done:>20}  {at.bytes_read / 2**20:8.1f} MB  {at.file}", file=sys.stderr)

    return tell


def backfill_data(report: BackfillReport) -> dict[str, Any]:
    """Return the data of `backfill --json`."""
    return {
        "from": iso(report.start_ns),
        "to": iso(report.end_ns),
        "venues": [
            {
                "key": venue.key,
                "instruments": [str(each) for each in venue.instruments],
                "stored": {str(table): count for table, count in venue.stored.items() if count},
                "already_stored": {str(table): count for table, count in venue.known.items() if count},
                "contradicting": venue.contradicting,
                "asks": venue.asks,
                "failures": list(venue.failures),
            }
            for venue in report.venues
        ],
    }


def archive_data(report: ArchiveReport) -> dict[str, Any]:
    """Return the data of `backfill --archive --json`."""
    return {
        "downloaded": report.downloaded,
        "kept": report.kept,
        "imported_before": report.imported_before,
        "bytes": report.bytes_read,
        "missing": list(report.missing),
        "failures": list(report.failures),
        "imported": None if report.imported is None else report_data(report.imported),
    }


def say_backfill(screen: Screen, report: BackfillReport) -> None:
    """Print a line per venue, what could not be had, and the next command."""
    screen.line((f"past of {iso(report.start_ns)[:16]}Z to {iso(report.end_ns)[:16]}Z", BOLD))
    screen.row((f"{'venue':<14} {'instruments':>11} {'asks':>7} {'new rows':>11} {'stored before':>14}", DIM))
    for venue in report.venues:
        if venue.failures and not venue.asks:
            screen.row(f"{venue.key:<14} ", ("nothing came", BAD))
        elif not venue.instruments:
            screen.row((f"{venue.key:<14} {'none of them':>12}", DIM))
        else:
            _say_venue(screen, venue)
    for venue in report.venues:
        for failure in venue.failures:
            screen.line(("missing: ", WARN), failure, hang=9)
        if venue.contradicting:
            text = f"{venue.key}: {venue.contradicting:,} rows said something else than the stored row of their time, which stays"
            screen.line(("note: ", WARN), text, hang=6)
    if report.came and (
        name := next((venue.instruments[0] for venue in report.venues if venue.asks and venue.instruments), None)
    ):
        bases = "BTC" if "BTC" in name.symbol or "XBT" in name.symbol else str(name)
        screen.line(("next: ", DIM), f"liqscape map {bases}; `liqscape record {bases}` goes on from here")


def _say_venue(screen: Screen, venue: VenueReport) -> None:
    new, known = sum(venue.stored.values()), sum(venue.known.values())
    kinds = ", ".join(f"{count:,} {table}" for table, count in sorted(venue.stored.items()) if count)
    nothing = "" if venue.asks or venue.failures else "everything was stored"
    screen.row(
        f"{venue.key:<14} {len(venue.instruments):>11,} {venue.asks:>7,} {new:>11,} {known:>14,}  ", (kinds or nothing, DIM)
    )


def say_archive(screen: Screen, report: ArchiveReport, symbols: tuple[str, ...]) -> None:
    """Print what became of the files."""
    parts = [f"{report.downloaded:,} files downloaded ({report.bytes_read / 2**20:.1f} MB)"]
    parts += [f"{report.kept:,} were on disk"] if report.kept else []
    parts += [f"{report.imported_before:,} imported before"] if report.imported_before else []
    screen.line((", ".join(parts), BOLD))
    if report.imported is not None:
        counts = ", ".join(f"{count:,} {table}" for table, count in report.imported.stored.items() if count) or "nothing new"
        screen.line(
            f"stored {counts}" + (f"; {report.imported.rows_rejected:,} rows rejected" if report.imported.rows_rejected else "")
        )
    if report.missing:
        shown = ", ".join(report.missing[:3]) + (f" and {len(report.missing) - 3} more" if len(report.missing) > 3 else "")
        screen.line(("not there: ", WARN), f"{shown}. The newest days are published late: ask the API for them.", hang=11)
    for failure in report.failures:
        screen.line(("missing: ", WARN), failure, hang=9)
    screen.line(("next: ", DIM), f"liqscape backfill {' '.join(symbols[:1])[:-4] or symbols[0]} --days 30 --venues binance")
