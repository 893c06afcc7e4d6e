"""`liqscape record`: the recorder at work, live on a terminal and as plain lines elsewhere; at the end what was stored."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liqscape.api._arguments import venue_names
from liqscape.api.envelope import plain_meta
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Home, Plain
from liqscape.cli.question import read
from liqscape.cli.screen import BOLD, DIM, WARN, Screen
from liqscape.cli.views.live_status import line_of, status_table
from liqscape.clock import now_ns
from liqscape.engine.recording import Recorder, RecorderHealth, VenueHealth, Wanted
from liqscape.engine.recording.wanted import remembered
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import InstrumentSpec
from liqscape.units import NS_PER_S, format_duration, parse_duration_ns
from liqscape.venues.base import Venue
from liqscape.venues.registry import choose
from liqscape.venues.tape import TapeWriter, tape_specs
from liqscape.venues.transport import NetTransport

if TYPE_CHECKING:
    from rich.live import Live

_REDRAW_S = 1.0
_LINE_S = 60.0
_FIRST_LINE_S = 10.0
_WORDS = 140


@dataclass(frozen=True)
class Asked:
    """What was typed."""

    names: tuple[str, ...]
    top: int | None
    venues: str | None
    length: str | None
    tape: Path | None
    play: Path | None
    writer: str


def show_record(home: Home, show: Plain, asked: Asked) -> None:
    """Answer `liqscape record`."""
    workspace = Workspace(home.home)
    if asked.play is not None and (asked.tape is not None or asked.length is not None):
        raise BadArgument("--play: a tape is read to its end, and not taped again", hint="Leave --tape and --for out.")
    names = ",".join(tape_specs(asked.play)) if asked.play is not None and asked.venues is None else asked.venues
    venues = choose(venue_names(names))
    wanted = Wanted(asked.names or ("BTC",)) if asked.play is not None else Wanted(asked.names, asked.top)
    length_ns = None if asked.length is None else read("--for", asked.length, parse_duration_ns)
    health = asyncio.run(_run(workspace, show, asked, venues, wanted, length_ns))
    instruments = sorted({name for venue in health.venues for name in venue.instruments})
    answer = Answer("record", record_data(health), plain_meta(instruments=instruments), lambda screen: say_stored(screen, health))
    emit(show, answer, Screen.of(show))


async def _run(
    workspace: Workspace, show: Plain, asked: Asked, venues: tuple[Venue, ...], wanted: Wanted, length_ns: int | None
) -> RecorderHealth:
    transport = NetTransport()
    with ExitStack() as held:
        tape = held.enter_context(TapeWriter(asked.tape, {})) if asked.tape is not None else None
        recorder = Recorder(workspace, venues, wanted, transport, writer=asked.writer, tape=None if tape is None else tape.write)
        status = asyncio.create_task(_status(recorder, show))
        label = asyncio.create_task(_label(workspace, recorder, venues, asked.tape)) if asked.tape is not None else None
        try:
            if asked.play is not None:
                return await recorder.play(asked.play)
            until = None if length_ns is None else now_ns() + length_ns
            return await recorder.run(until, signals=True)
        finally:
            for task in (status, label):
                if task is not None:
                    task.cancel()
            await asyncio.gather(*(task for task in (status, label) if task is not None), return_exceptions=True)
            await transport.close()


async def _label(workspace: Workspace, recorder: Recorder, venues: tuple[Venue, ...], folder: Path) -> None:
    """Write the instruments onto the tape as soon as they are known: playing needs them."""
    written: dict[str, tuple[str, ...]] = {}
    while True:
        known = {venue.key: venue.instruments for venue in recorder.health().venues if venue.instruments}
        if known != written:
            specs = {venue.facts.key: _specs(workspace, venue, known.get(venue.facts.key, ())) for venue in venues}
            TapeWriter(folder, {key: found for key, found in specs.items() if found}).close()
            written = known
        await asyncio.sleep(_REDRAW_S)


def _specs(workspace: Workspace, venue: Venue, names: tuple[str, ...]) -> dict[str, InstrumentSpec]:
    return {spec.id.symbol: spec for spec in remembered(workspace, venue) if str(spec.id) in names or spec.id.symbol in names}


async def _status(recorder: Recorder, show: Plain) -> None:
    """Redraw a table every second on a terminal; elsewhere write a line a minute, and one when a venue's state changes."""
    if show.quiet:
        return
    screen = Screen.of(show, error=True)
    if screen.bars:
        await _drawn(recorder, screen)
    else:
        await _written(recorder)


async def _drawn(recorder: Recorder, screen: Screen) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, no_color=not screen.color, highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            _draw(live, recorder.health(), screen)
            await asyncio.sleep(_REDRAW_S)


def _draw(live: Live, health: RecorderHealth, screen: Screen) -> None:
    live.update(status_table(health, now_ns(), screen.width, screen.height), refresh=True)


async def _written(recorder: Recorder) -> None:
    states: dict[str, str] = {}
    alarms: set[tuple[str, str | None]] = set()
    next_s = _FIRST_LINE_S
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        health = recorder.health()
        for venue in health.venues:
            if states.get(venue.key) != venue.state:
                states[venue.key] = venue.state
                words = f": {venue.last_error}" if venue.last_error and venue.state != "live" else ""
                _say(f"{venue.key} {venue.state}{words}")
        for alarm in health.alarms:
            if (alarm.what, alarm.subject) not in alarms:
                _say(f"look: {alarm.subject or 'recorder'} {alarm.what}: {alarm.words}")
        alarms = {(alarm.what, alarm.subject) for alarm in health.alarms}
        if loop.time() - began >= next_s:
            next_s += _LINE_S
            _say(line_of(health))
        await asyncio.sleep(_REDRAW_S)


def _say(text: str) -> None:
    from liqscape.clock import iso

    at = now_ns()
    print(f"{iso(at - at % NS_PER_S)} {text}", file=sys.stderr, flush=True)


def record_data(health: RecorderHealth) -> Mapping[str, Any]:
    """Return the data of `record --json`."""
    return {"recorder": health}


def _played(venue: VenueHealth) -> bool:
    """Whether a venue came from a tape: it has no connection, and its silence means nothing."""
    return not venue.lines and bool(venue.prints or venue.instruments)


def _short(words: str | None) -> str:
    """Cut a venue's words to what fits on two lines."""
    text = " ".join((words or "").split())
    return text if len(text) <= _WORDS else text[: _WORDS - 3] + "..."


def say_stored(screen: Screen, health: RecorderHealth) -> None:
    """Print what was stored, what is missing, and what to do next."""
    rows = ", ".join(f"{count:,} {name}" for name, count in sorted(health.rows.items()) if count) or "nothing"
    screen.line((f"recorded for {format_duration(max(health.at_ns - health.started_ns, 0))}: {rows}", BOLD))
    if health.acknowledged_p99_s is not None:
        screen.line((f"prints were on disk within {health.acknowledged_p99_s:.2g} s (99 of 100)", DIM))
    if health.waiting_segments:
        text = f"{health.waiting_segments} segments of the journal wait for the tables: the next start puts them there"
        screen.line(("note: ", WARN), text, hang=6)
    gaps = [f"{venue.key} {venue.gaps:,}" for venue in health.venues if venue.gaps]
    if gaps:
        screen.line(("gaps: ", WARN), f"{', '.join(gaps)}; `liqscape doctor` says of what and how long", hang=6)
    silent = {venue.key: venue.last_error for venue in health.venues if venue.age_s is None and not _played(venue)}
    for key, words in silent.items():
        screen.line(("silent: ", WARN), f"{key}: nothing came. {_short(words)}".rstrip(), hang=8)
    for alarm in health.alarms:
        if alarm.what == "venue" and alarm.subject in silent:
            continue
        screen.line(("look: ", WARN), f"{alarm.subject or 'recorder'} {alarm.what}: {alarm.words}", hang=6)
    if any(health.rows.values()):
        screen.line(("next: ", DIM), "liqscape map BTC")
