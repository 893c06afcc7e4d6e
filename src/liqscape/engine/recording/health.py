"""What a recorder says of itself every few seconds, readable by any other process while it runs and after it ended."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from liqscape.engine.workspace import Workspace
from liqscape.units import NS_PER_S

_NAMESPACE = "recording"
# A recorder writes its state every few seconds: one that has been quiet for longer has ended or hangs.
ALIVE_NS = 30 * NS_PER_S


class LineHealth(Struct, frozen=True, kw_only=True):
    """One connection of one stream.

    Parameters
    ----------
    state
        `connecting`, `up` (heard) or `waiting` (for the next try).
    data_age_s, frame_age_s
        Seconds since the last data frame and since the last sign of life; None before the first.
    """

    stream: str
    line: int
    state: str
    data_age_s: float | None
    frame_age_s: float | None
    reconnects: int
    last_error: str | None


class VenueHealth(Struct, frozen=True, kw_only=True):
    """One adapter.

    Parameters
    ----------
    state
        `starting`; `live`, `partly` or `down`: all, some or none of its streams are heard; `waiting` for another try; `nothing
        wanted`; `tape`; `stopped`.
    age_s
        Seconds since anything was received; None before the first.
    prints, prints_repeated, prints_old
        Liquidations stored; seen again on another line or in a replay; too old to be told from a replay.
    gaps, repairs_waiting
        Gaps written, and stretches whose history is still being asked for.
    bars_late
        Closed minutes that the venue has not told yet, over all instruments.
    corrupt, last_corrupt
        Frames, answers and rows that could not be true.
    budget_left
        Share of each rate limit that is free, 0 to 1; empty where ccxt keeps to the limits.
    skew_ns
        Our clock minus the venue's, ns; None if unknown.
    queued
        Frames that were received and not yet read.
    """

    key: str
    venue: str
    state: str
    instruments: tuple[str, ...]
    age_s: float | None
    prints: int
    prints_repeated: int
    prints_old: int
    gaps: int
    repairs_waiting: int
    bars_late: int
    corrupt: int
    last_corrupt: str | None
    last_error: str | None
    budget_left: dict[str, float]
    skew_ns: int | None
    queued: int
    lines: tuple[LineHealth, ...]


class Alarm(Struct, frozen=True, kw_only=True):
    """Something a person should look at.

    Parameters
    ----------
    what
        Such as `sides`, `clock`, `journal`, `venue`.
    subject
        The adapter or venue it concerns, None if it is the recorder itself.
    words
        What was seen, and the next step.
    """

    what: str
    subject: str | None
    words: str
    since_ns: int


class RecorderHealth(Struct, frozen=True, kw_only=True):
    """One recorder.

    Parameters
    ----------
    at_ns
        When this was written, ns UTC; older than `ALIVE_NS` means that it does not run any more.
    stopped
        True once it ended in order.
    rows
        Acknowledged rows by table since the start.
    acknowledged_p50_s, acknowledged_p99_s
        From the receipt of a print to its place on disk, over the newest ones; None before the first.
    waiting_rows, waiting_segments
        Rows received and not yet on disk; segments on disk and not yet in the tables.
    """

    writer: str
    pid: int
    started_ns: int
    at_ns: int
    stopped: bool
    rows: dict[str, int]
    acknowledged_p50_s: float | None
    acknowledged_p99_s: float | None
    waiting_rows: int
    waiting_segments: int
    venues: tuple[VenueHealth, ...]
    alarms: tuple[Alarm, ...]

    def alive(self, now_ns: int) -> bool:
        """Whether it was still at work at an instant."""
        return not self.stopped and now_ns - self.at_ns <= ALIVE_NS


def read_health(workspace: Workspace) -> tuple[RecorderHealth, ...]:
    """Return the last words of every recorder of a home folder, sorted by writer; empty if none ever ran.

    What another version of the program wrote in another shape is left out.
    """
    found: list[RecorderHealth] = []
    for value in workspace.state.items(_NAMESPACE).values():
        try:
            found.append(msgspec.convert(value, RecorderHealth))
        except msgspec.ValidationError:
            continue
    return tuple(found)


def write_health(workspace: Workspace, health: RecorderHealth) -> None:
    """Replace what is known of a recorder."""
    workspace.state.set(_NAMESPACE, health.writer, msgspec.to_builtins(health))
