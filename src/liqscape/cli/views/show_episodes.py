"""`liqscape episodes`: what followed every lopsided day."""

from __future__ import annotations

from liqscape.api.answers.record import answer_episodes
from liqscape.cli.emit import emit_answer
from liqscape.cli.options import Show, Target
from liqscape.cli.question import question_of
from liqscape.cli.screen import BAD, BOLD, DIM, GOOD, LONG, SHORT, Screen
from liqscape.cli.views.badge import badge_text
from liqscape.cli.views.words import SHOUT, percent, say_caveats, window_text
from liqscape.cli.views.words import price as price_words
from liqscape.engine.episodes import (
    CASE_AT,
    CASE_BASE,
    CASE_PRICE,
    CASE_RATIO,
    HEAVY,
    JUDGED_D,
    THIN,
    Episode,
    Episodes,
    Followed,
    Tally,
)
from liqscape.model import InstrumentId, describe
from liqscape.units import format_usd

_STYLES = {THIN: BAD, HEAVY: GOOD}


def show_episodes(target: Target, show: Show, *, within: str | None, ratio: float | None, top: int | None) -> None:
    """Answer `liqscape episodes`."""
    question = question_of("episodes", target, show)
    answered = answer_episodes(question, within=within, ratio=ratio, top=top)
    parts = answered.parts

    def text(screen: Screen) -> None:
        for each in parts.found:
            if each.simulated:
                screen.line((SHOUT, "shout"))
            _say(screen, each, top)
            screen.blank()
        screen.line((badge_text(parts.badge), DIM))
        say_caveats(screen, parts.caveats)

    emit_answer(show, answered, text, question.zone)


def _say(screen: Screen, found: Episodes, top: int | None) -> None:
    week = next(tally for tally in found.tallies if tally.days == JUDGED_D)
    screen.line((f"{found.instrument}: {_sentence(found, week)}", BOLD))
    longs, shorts = found.largest_ratio
    screen.joined(
        [
            f"one map a day, {found.from_[:10]} to {found.to[:10]}: {found.maps} maps",
            f"within {window_text(found.within)}",
            f"lopsided from {found.least_ratio:g} : 1",
            f"most lopsided: {longs:.1f} : 1 longs, {shorts:.1f} : 1 shorts",
        ],
        DIM,
    )
    screen.line(
        ("A side is swept once price has passed the level that holds half of its pool. Swept first within 7 days decides.", DIM)
    )
    screen.blank()
    _say_case(screen, found)
    screen.row(
        (f"{'day (UTC)':<17}{'price':>9}  {'short : long':<15}{'first 1 d':<10}{'3 d':<9}{'7 d':<9}{'low':>7}{'high':>7}", DIM),
        ("  liquidated in 7 d, long | short", DIM),
    )
    shown = found.episodes if top is None else found.episodes[:top]
    for each in shown:
        _say_row(screen, each)
    if len(shown) < len(found.episodes):
        screen.line((f"and {len(found.episodes) - len(shown)} more: leave --top out", DIM))
    screen.blank()
    for tally in found.tallies:
        _say_tally(screen, tally)


def _sentence(found: Episodes, week: Tally) -> str:
    if not found.episodes:
        return f"no day had one pool at least {found.least_ratio:g} times the other within {window_text(found.within)}."
    counts = f"within 7 days price swept the thin side first after {week.thin}, the heavy side after {week.heavy}"
    return f"{len(found.episodes)} lopsided days; {counts}, neither after {week.neither}."


def _say_case(screen: Screen, found: Episodes) -> None:
    """Print the public case first, or that the record does not hold it."""
    if describe(InstrumentId.parse(found.instrument)).base != CASE_BASE:
        return
    claim = f"{CASE_AT[:10]} {CASE_AT[11:16]}, BTC {price_words(CASE_PRICE)}: publicly claimed {CASE_RATIO:g} : 1 shorts above"
    case = found.case
    if case is None:
        screen.line((f"{claim}. Not in the stored record.", DIM))
        screen.blank()
        return
    own = f"{case.ratio:.2f} : 1 ({format_usd(case.short_usd)} shorts, {format_usd(case.long_usd)} longs, as published)"
    screen.line((claim, BOLD), f". This map then, within {window_text(found.within)}: {own}.")
    for after in case.followed:
        swept = {THIN: "longs swept first", HEAVY: "shorts swept first"}.get(after.outcome, "neither side swept")
        screen.line(
            f"  {after.days} d: ",
            (swept, _STYLES.get(after.outcome, DIM)),
            f"; low {_move(after.low)}, high {_move(after.high)}; liquidated {_dollars(after)}",
            hang=4,
        )
    screen.blank()


def _say_row(screen: Screen, episode: Episode) -> None:
    ratio = f"{episode.ratio:.1f} : 1" if episode.ratio >= 1.0 else f"1 : {1.0 / episode.ratio:.1f}"
    pieces: list[str | tuple[str, str]] = [f"{episode.at[:10]:<17}{price_words(episode.price):>9}  "]
    pieces.append((f"{ratio:<15}", SHORT if episode.heavy == "short" else LONG))
    for days, width in ((1, 10), (3, 9), (7, 9)):
        after = episode.after(days)
        pieces.append(
            (f"{after.outcome:<{width}}", _STYLES.get(after.outcome, DIM)) if after else (f"{'not over':<{width}}", DIM)
        )
    week = episode.after(JUDGED_D)
    if week is not None:
        pieces.append(f"{_move(week.low):>7}{_move(week.high):>7}  {_dollars(week)}")
    screen.row(*pieces)


def _say_tally(screen: Screen, tally: Tally) -> None:
    share = "-" if tally.heavy_share is None else percent(tally.heavy_share)
    interval = "" if tally.lo is None or tally.hi is None else f" [{tally.lo * 100:.0f}-{tally.hi * 100:.0f}]"
    screen.joined(
        [
            f"{tally.days} d: heavy {tally.heavy}, thin {tally.thin}, neither {tally.neither} of {tally.episodes} days",
            f"heavy first {share}{interval} of those swept ({tally.runs} stretches)",
            f"all {tally.all_days} days: {percent(tally.all_days_share)}",
        ],
        between=";  ",
        indent=2,
    )


def _move(value: float) -> str:
    return f"{value * 100:+.1f}%"


def _dollars(after: Followed) -> str:
    return f"{format_usd(after.long_usd)} | {format_usd(after.short_usd)}"
