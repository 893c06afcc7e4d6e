"""Several instruments at one instant: which of them are fresh enough to be joined, and the newest minute that prompt ones have.

A venue that fell silent would stand in a joined map with positions of an hour ago at prices of an hour ago: it is left out, and
named. Bars of the others end at one instant, so that no venue is a minute ahead; and the default instant is the first at which
all of these bars were known, since recorded bars arrive some seconds after their minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from liqscape.clock import iso, now_ns
from liqscape.engine.replay import Tape, read_tape
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData
from liqscape.model import InstrumentId
from liqscape.model.maps import LeftOut
from liqscape.store import Table
from liqscape.units import NS_PER_MINUTE, format_duration, parse_duration_ns

_LATE_BARS = 2  # a bar may be this many of its own intervals behind: hourly bars are never ten minutes old

_HELD_BACK_NS = 2 * NS_PER_MINUTE  # the others wait for a venue that is so late


@dataclass(frozen=True)
class Gathered:
    """Tapes that are read at one instant.

    Parameters
    ----------
    tapes
        Of the instruments that are joined; none has a bar that ends after the minute that all prompt ones have.
    left_out
        Instruments that the name means and that are not joined, with the reason.
    """

    tapes: tuple[Tape, ...]
    as_of_ns: int
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class _End:
    """Where the bars of an instrument end."""

    instrument: InstrumentId
    end_ns: int
    interval_ns: int


def gather(workspace: Workspace, instruments: Sequence[InstrumentId], as_of_ns: int | None, window_ns: int) -> Gathered:
    """Read what was known of instruments at one instant, and leave out those that are behind the others.

    Parameters
    ----------
    as_of_ns
        None: the first instant at which the newest minute that all prompt instruments have was known.
    window_ns
        As in `read_tape`.

    Raises
    ------
    UnknownInstrument, OutOfRecord, NoData
        If nothing stored answers for any of them.
    """
    at = as_of_ns if as_of_ns is not None else _complete_at(workspace, instruments)
    if len(instruments) == 1:
        tape = read_tape(workspace, instruments[0], at, window_ns)
        return Gathered((tape,), tape.as_of_ns)
    read: list[Tape] = []
    left: list[LeftOut] = []
    failed: list[NoData] = []
    for instrument in instruments:
        try:
            read.append(read_tape(workspace, instrument, at, window_ns))
        except NoData as error:
            failed.append(error)
            reason = error.message.removeprefix(f"{instrument}: ")
            left.append(LeftOut(instrument=instrument, reason=reason, last_bar_end_ns=None, behind_ns=None))
    if not read:
        raise failed[0]
    ends = [_End(tape.instrument, int(tape.bars.end_ns[-1]), tape.bars.interval_ns) for tape in read]
    newest = max(end.end_ns for end in ends)
    fresh = _fresh(ends, _allowed_ns(workspace))
    for end in ends:
        if end not in fresh:
            behind = format_duration(newest - end.end_ns)
            left.append(
                LeftOut(
                    instrument=end.instrument,
                    reason=f"its newest bar ended {iso(end.end_ns)}, {behind} before the newest of the others",
                    last_bar_end_ns=end.end_ns,
                    behind_ns=newest - end.end_ns,
                )
            )
    until, names = _common_ns(fresh), {end.instrument for end in fresh}
    tapes = [_ending_by(tape, until) for tape in read if tape.instrument in names]
    return Gathered(tuple(tapes), max(tape.as_of_ns for tape in tapes), tuple(sorted(left, key=lambda one: one.instrument)))


def _allowed_ns(workspace: Workspace) -> int:
    return parse_duration_ns(workspace.settings.stale_after)


def _fresh(ends: Sequence[_End], allowed_ns: int) -> list[_End]:
    """Return those that are not further behind the newest than is allowed, nor than two of their own bars."""
    newest = max(end.end_ns for end in ends)
    return [end for end in ends if newest - end.end_ns <= max(allowed_ns, _LATE_BARS * end.interval_ns)]


def _common_ns(ends: Sequence[_End]) -> int:
    """Return the newest instant at which none of the prompt ones lacks a bar that should have ended by then.

    One that is some minutes behind, but not yet stale, holds nobody back: it is joined as it was, and the view tells its age.
    """
    prompt = _fresh(ends, _HELD_BACK_NS)
    return min(end.end_ns + end.interval_ns for end in prompt) - min(end.interval_ns for end in prompt)


def _ending_by(tape: Tape, until_ns: int) -> Tape:
    count = int(np.searchsorted(tape.bars.end_ns, until_ns, side="right"))
    return tape if count in (0, len(tape.bars)) else replace(tape, bars=tape.bars.slice(0, count))


def _complete_at(workspace: Workspace, instruments: Sequence[InstrumentId]) -> int | None:
    """Return the first instant at which the newest minute that all prompt instruments have was known; None without bars.

    Imported bars are known at their end: then it is the end of that minute.
    """
    ends: list[_End] = []
    stored = [c for c in workspace.store.coverage() if c.table is Table.BARS and c.interval_ns is not None]
    for instrument in instruments:
        series = [(c.last_ns + (c.interval_ns or 0), c.interval_ns or 0) for c in stored if c.instrument == instrument]
        if whole := [one for one in series if one[1] >= NS_PER_MINUTE] or series:
            ends.append(_End(instrument, *max(whole)))
    if not ends:
        return None
    fresh = _fresh(ends, _allowed_ns(workspace))
    until = _common_ns(fresh)
    at = until
    for end in fresh:
        if end.end_ns + end.interval_ns <= until:
            continue  # it is behind: nobody waits for it
        rows = workspace.store.read(Table.BARS, end.instrument, start_ns=until - 2 * end.interval_ns, end_ns=until)
        ending = pl.col("ts") + pl.col("interval_ns")
        rows = rows.filter(ending <= until, pl.col("interval_ns") >= min(NS_PER_MINUTE, end.interval_ns))
        last = rows.filter(ending == ending.max()).get_column("ts_recv").max()
        at = max(at, int(last)) if isinstance(last, int) else at
    return min(at, now_ns())
