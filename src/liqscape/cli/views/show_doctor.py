"""`liqscape doctor`: every check on a line, with the next command."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain

import typer

from liqscape.api.envelope import plain_meta
from liqscape.cli.emit import Answer, emit, note
from liqscape.cli.options import Home, Plain
from liqscape.cli.question import read
from liqscape.cli.screen import BAD, DIM, GOOD, WARN, Screen
from liqscape.clock import now_ns
from liqscape.engine.doctor import DEFAULT_MAX_AGE_NS, Finding, Health, examine
from liqscape.engine.workspace import Workspace
from liqscape.units import parse_duration_ns

WARNED, FAILED = 21, 22
_STYLES = {Health.OK: GOOD, Health.WARN: WARN, Health.FAIL: BAD}


def show_doctor(home: Home, show: Plain, *, instrument: str | None, max_age: str | None) -> None:
    """Answer `liqscape doctor`; exit 21 on warnings, 22 on failures."""
    allowed = DEFAULT_MAX_AGE_NS if max_age is None else read("--max-age", max_age, parse_duration_ns)
    screen, workspace = Screen.of(show), Workspace(home.home)
    found: list[Finding] = []
    checks = [examine(workspace, instrument, now_ns=now_ns(), max_age_ns=allowed)]
    if instrument is None:
        checks.append(_recording(workspace))
    for finding in chain.from_iterable(checks):
        found.append(finding)
        if not show.json:
            _say(screen, finding)
    _sum_up(show, screen, found, instrument)


def show_contact(home: Home, show: Plain, *, venues: str | None) -> None:
    """Answer `liqscape doctor --live`; exit 21 on warnings, 22 on failures."""
    from liqscape.api._arguments import venue_names
    from liqscape.engine.contact import Contact, contact
    from liqscape.engine.doctor_venues import examine_contact, unreachable
    from liqscape.venues.registry import choose
    from liqscape.venues.transport import NetTransport

    screen, workspace = Screen.of(show), Workspace(home.home)
    chosen = choose(venue_names(venues))
    found: list[Finding] = []
    note(show, f"calling {len(chosen)} venues, under a minute ...")

    def take(findings: Iterator[Finding]) -> None:
        for finding in findings:
            found.append(finding)
            if not show.json:
                _say(screen, finding)

    async def call() -> None:
        transport, called = NetTransport(), list[Contact]()
        try:
            async for one in contact(chosen, transport, urls=workspace.settings.venue_urls):
                called.append(one)
                take(examine_contact(one))
        finally:
            await transport.close()
        take(unreachable(called))

    asyncio.run(call())
    _sum_up(show, screen, found, None)


def _recording(workspace: Workspace) -> Iterator[Finding]:
    """Load what knows venues only where something was recorded or is asked for."""
    from liqscape.engine.doctor_venues import examine_recording
    from liqscape.venues.registry import choose

    yield from examine_recording(workspace, choose(), now_ns=now_ns())


def _sum_up(show: Plain, screen: Screen, found: list[Finding], instrument: str | None) -> None:
    """Print the counts, or everything as JSON, and end with the exit status of the worst."""
    counts = {health: sum(finding.health is health for finding in found) for health in Health}
    summary = f"{counts[Health.OK]} ok, {counts[Health.WARN]} warn, {counts[Health.FAIL]} fail"
    worst = next(health for health in (Health.FAIL, Health.WARN, Health.OK) if counts[health])
    subjects = list(dict.fromkeys(finding.subject for finding in found if finding.subject is not None))
    data = {"health": worst, "counts": {str(health): count for health, count in counts.items()}, "findings": found}
    answer = Answer(
        "doctor", data, plain_meta(asked=instrument, instruments=subjects), lambda screen: screen.line((summary, _STYLES[worst]))
    )
    emit(show, answer, screen)
    if worst is not Health.OK:
        raise typer.Exit(FAILED if worst is Health.FAIL else WARNED)


def _say(screen: Screen, finding: Finding) -> None:
    subject = f"{finding.subject} " if finding.subject is not None else ""
    screen.line((f"{finding.health:<5}", _STYLES[finding.health]), f"{subject}{finding.check}: {finding.found}", hang=5)
    if finding.next is not None:
        screen.line(("     next: ", DIM), finding.next, hang=11)
