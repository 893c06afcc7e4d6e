"""`liqscape doctor`: every check on a line, with the next command."""

from __future__ import annotations

import typer

from liqscape.api.envelope import plain_meta
from liqscape.cli.emit import Answer, emit
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
    screen = Screen.of(show)
    found: list[Finding] = []
    for finding in examine(Workspace(home.home), instrument, now_ns=now_ns(), max_age_ns=allowed):
        found.append(finding)
        if not show.json:
            _say(screen, finding)
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
