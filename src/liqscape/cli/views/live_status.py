"""How a recorder is doing, as one table for the eye and as one line for a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from liqscape.clock import iso
from liqscape.engine.recording import RecorderHealth, VenueHealth
from liqscape.units import NS_PER_MINUTE, NS_PER_S, format_duration

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

_WIDE = 96
_ALARMS = 4
_GOOD, _WARN, _BAD, _DIM = "green", "yellow", "bold red", "dim"


def status_table(health: RecorderHealth, now_ns: int, width: int, height: int) -> Group:
    """Return the picture of a recorder: a row per venue, then what is on disk and what is wrong, a line each."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    clock = iso(now_ns - now_ns % NS_PER_S)
    wait = "-" if health.acknowledged_p99_s is None else f"{health.acknowledged_p99_s:.2g} s"
    rows = sum(health.rows.values())
    table = Table(
        title=Text(f"liqscape record  {clock}  since {format_duration(max(now_ns - health.started_ns, 0))}", "bold"),
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1),
    )
    wide = width >= _WIDE
    for name in (
        "venue",
        "state",
        "lines",
        "heard",
        "prints",
        "a minute",
        "gaps",
        *(("late", "corrupt") if wide else ()),
        "budget",
    ):
        table.add_column(name, justify="left" if name in ("venue", "state") else "right", header_style=_DIM, no_wrap=True)
    minutes = max((now_ns - health.started_ns) / NS_PER_MINUTE, 1.0 / 60.0)
    shown = health.venues[: max(height - 6 - min(len(health.alarms), _ALARMS + 1), 3)]
    for venue in shown:
        table.add_row(*_cells(venue, minutes, wide=wide))
    if len(shown) < len(health.venues):
        table.add_row(Text(f"and {len(health.venues) - len(shown)} more", _DIM))
    lines = (Text(said, style, no_wrap=True, overflow="ellipsis") for said, style in _below(health, rows, wait))
    return Group(table, Text(), *lines)


def _cells(venue: VenueHealth, minutes: float, *, wide: bool) -> list[str | Text]:
    from rich.text import Text

    up = sum(line.state in ("up", "live") for line in venue.lines)
    lines = Text(f"{up}/{len(venue.lines)}", _GOOD if up == len(venue.lines) else _BAD if up == 0 else _WARN)
    heard = Text("-" if venue.age_s is None else f"{venue.age_s:.0f} s", "" if (venue.age_s or 99.0) < 30.0 else _WARN)
    left = min(venue.budget_left.values(), default=None)
    cells: list[str | Text] = [
        venue.key,
        Text(venue.state, _GOOD if venue.state == "live" else _WARN),
        lines,
        heard,
        f"{venue.prints:,}",
        f"{venue.prints / minutes:.1f}",
        Text(f"{venue.gaps:,}", _WARN if venue.gaps else _DIM),
    ]
    if wide:
        cells += [
            Text(f"{venue.bars_late:,}", _WARN if venue.bars_late else _DIM),
            Text(f"{venue.corrupt:,}", _BAD if venue.corrupt else _DIM),
        ]
    return [*cells, Text("-" if left is None else f"{left:.0%}", _WARN if left is not None and left < 0.2 else "")]


def _below(health: RecorderHealth, rows: int, wait: str) -> list[tuple[str, str]]:
    """Return the lines below the table with their styles."""
    said = [
        (f"{rows:,} rows on disk, {health.waiting_rows:,} waiting; prints on disk within {wait} (99 of 100)", ""),
        (f"journal: {health.waiting_segments} segments not in the tables yet. Ctrl-C ends in order.", _DIM),
    ]
    said += [
        (f"look: {alarm.subject or 'recorder'} {alarm.what}: {' '.join(alarm.words.split())}", _WARN)
        for alarm in health.alarms[:_ALARMS]
    ]
    if len(health.alarms) > _ALARMS:
        said.append((f"and {len(health.alarms) - _ALARMS} more: liqscape doctor", _WARN))
    return said


def line_of(health: RecorderHealth) -> str:
    """Return one line for a log."""
    live = sum(venue.state == "live" for venue in health.venues)
    prints, gaps = sum(venue.prints for venue in health.venues), sum(venue.gaps for venue in health.venues)
    wait = "" if health.acknowledged_p99_s is None else f", on disk within {health.acknowledged_p99_s:.2g} s"
    return (
        f"{live} of {len(health.venues)} venues live, {sum(health.rows.values()):,} rows, {prints:,} prints{wait}, "
        f"{gaps} gaps, {sum(venue.bars_late for venue in health.venues)} bars late, journal {health.waiting_segments} segments"
    )
