"""`liqscape liquidations`: forced orders as they were published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqscape.api.answers.prints import answer_liquidations, true_data
from liqscape.cli.emit import emit_answer
from liqscape.cli.options import Show, Target
from liqscape.cli.question import question_of
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, Screen, bar
from liqscape.cli.views.words import SHOUT, say_caveats
from liqscape.engine.tape import Published
from liqscape.model import Completeness, PositionSide
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_HOUR, format_duration, format_usd

if TYPE_CHECKING:
    from liqscape.engine.true_tape import TrueTape

_TRUE = ("reported_usd", "true_usd", "low_usd", "high_usd")
_ROWS = 16  # lines at most, unless --top says otherwise
_NICE_H = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 720)


def show_liquidations(target: Target, show: Show, *, window: str, side: str | None, top: int | None) -> None:
    """Answer `liqscape liquidations`."""
    question = question_of("liquidations", target, show)
    answered = answer_liquidations(question, window=window, side=side, top=top)
    parts = answered.parts

    def text(screen: Screen) -> None:
        for each, estimate in zip(parts.found, parts.true, strict=True):
            _say_published(screen, each, parts.only, top, window)
            if estimate is not None:
                _say_true(screen, estimate, parts.only)
        say_caveats(screen, parts.caveats)

    emit_answer(show, answered, text, question.zone)


def _say_true(screen: Screen, true: TrueTape, only: PositionSide | None) -> None:
    """Print the estimate beside what was published, and the setting that follows from it."""
    data, share = true_data(true), true.reported_share
    assert share is not None
    phrases = [f"estimated true, {data['hours']:,} whole hours:"]
    for side in ("long", "short"):
        if only is None or str(only) == side:
            part = data[side]
            low, high = format_usd(part["lo"]), format_usd(part["hi"])
            phrases.append(f"{side}s {format_usd(part['median'])} [{low}-{high}] of {format_usd(part['reported_usd'])} shown")
    screen.joined(phrases, BOLD)
    text = f"the feed showed {share[0]:.0%} [{share[1]:.0%}-{share[2]:.0%}]: "
    value = ",".join(f"{each:.2f}" for each in share)
    command = f"liqscape settings set reported_share.{true.instrument.venue} {value}"
    screen.line((text, DIM), command, (" lets --reading true use it", DIM))


def _say_published(screen: Screen, found: Published, only: PositionSide | None, top: int | None, window: str) -> None:
    """Print the totals of one instrument and a bar for each stretch of time."""
    series = found.series
    if found.simulated:
        screen.line((SHOUT, "shout"))
    complete = {Completeness.ALL: "complete", Completeness.THROTTLED: "throttled: lower bounds"}
    what = complete.get(series.completeness, "completeness unknown")
    screen.joined(
        [
            f"{found.instrument} published liquidations, {window} to {screen.instant(found.as_of_ns)}:",
            *([f"longs {format_usd(found.long_usd)}"] if only is not PositionSide.SHORT else []),
            *([f"shorts {format_usd(found.short_usd)}"] if only is not PositionSide.LONG else []),
        ],
        BOLD,
    )
    known, possible = len(series), (found.as_of_ns - found.from_ns) // series.interval_ns
    each = format_duration(series.interval_ns)
    feeds = ", ".join(series.venues) or "unknown"
    screen.joined([f"feeds of {feeds} ({what})", f"{known:,} of {possible:,} intervals of {each} known"], DIM, between="; ")
    screen.blank()
    starts, long, short, width_ns = _stretches(found, top)
    largest = float(np.nanmax(np.concatenate([long, short]), initial=0.0))
    room = max(0, min(22, (screen.width - 44) // 2)) if screen.bars else 0
    screen.row(
        (f"{'start':<17}", DIM),
        *([(f"{'longs':>9} {'':<{room}}", LONG)] if only is not PositionSide.SHORT else []),
        *([(f" {'shorts':>9}", SHORT)] if only is not PositionSide.LONG else []),
    )
    for start, long_usd, short_usd in zip(starts.tolist(), long.tolist(), short.tolist(), strict=True):
        pieces: list[str | tuple[str, str]] = [f"{screen.instant(start)[:16]:<17}"]
        if only is not PositionSide.SHORT:
            pieces += [f"{format_usd(long_usd):>9} ", (f"{bar(long_usd, largest, 1.0, room)[0] if room else '':<{room}}", LONG)]
        if only is not PositionSide.LONG:
            pieces += [f" {format_usd(short_usd):>9} ", (bar(short_usd, largest, 1.0, room)[0] if room else "", SHORT)]
        screen.row(*pieces)
    screen.line((f"a line is {format_duration(width_ns)}; by side of the position that was closed", DIM))


def _stretches(found: Published, top: int | None) -> tuple[IntArray, FloatArray, FloatArray, int]:
    """Sum the intervals into at most 16 stretches, or return the `top` largest intervals as they are.

    Returns
    -------
    start_ns : int64[n]; long_usd, short_usd : float64[n], NaN where nothing is known; width, ns
    """
    series = found.series
    if top is not None:
        largest = np.sort(np.argsort(-(series.long_usd + series.short_usd), kind="stable")[:top])
        return series.start_ns[largest], series.long_usd[largest], series.short_usd[largest], series.interval_ns
    span = found.as_of_ns - int(series.start_ns[0])
    hours = next((h for h in _NICE_H if h * NS_PER_HOUR * _ROWS >= span), _NICE_H[-1])
    width = max(hours * NS_PER_HOUR, series.interval_ns)
    cell = series.start_ns // width
    starts = np.arange(cell[0], cell[-1] + 1, dtype=np.int64)
    sums = [np.bincount(cell - cell[0], weights=usd, minlength=starts.size) for usd in (series.long_usd, series.short_usd)]
    unknown = np.bincount(cell - cell[0], minlength=starts.size) == 0
    long, short = (np.where(unknown, np.nan, each) for each in sums)
    return starts * width, long, short, width
