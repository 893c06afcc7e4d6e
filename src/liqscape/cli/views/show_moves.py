"""`liqscape move-to`: how far price must move to liquidate a number of dollars."""

from __future__ import annotations

from liqscape.analytics import Move, MoveRow
from liqscape.analytics.move_to import FARTHEST
from liqscape.api.answers.maps import answer_moves
from liqscape.cli.emit import emit_answer
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, Target
from liqscape.cli.question import condition_of, decide, question_of, words_of
from liqscape.cli.screen import DIM, LONG, SHORT, Screen
from liqscape.cli.views.words import closing, level, number_interval, odds_text, opening, plain
from liqscape.units import format_percent, format_usd

_NARROW = 76


def show_moves(
    target: Target,
    built: Built,
    filters: Filters,
    guards: Guards,
    condition: Condition,
    show: Show,
    *,
    usd: str | None,
) -> None:
    """Answer `liqscape move-to`."""
    question = question_of("move-to", target, show)
    test = condition_of(condition)
    answered = answer_moves(question, words_of(built, filters, None, guards), usd=usd)
    parts = answered.parts

    def text(screen: Screen) -> None:
        opening(screen, question, parts.found, parts.sentence)
        screen.blank()
        say_moves(screen, parts.reading.moves)
        screen.blank()
        closing(screen, parts.found, parts.caveats)

    emit_answer(show, answered, text, question.zone)
    decide(test, parts.found)


def say_moves(screen: Screen, rows: tuple[MoveRow, ...]) -> None:
    """Print both directions of each budget: dollars of price, per cent with interval, sigmas, odds with no map at all."""
    for row in rows:
        up, down = _move_text(row.up), _move_text(row.down)
        ease = f"ease {number_interval(row.ease, plain)}" if row.ease is not None else ""
        lead = f"{format_usd(row.usd)} needs"
        if screen.width < _NARROW or screen.width < len(lead) + len(up) + len(down) + len(ease) + 8:
            screen.line(f"{lead} ", (f"up {up}", SHORT) if row.up else f"up {up}")
            screen.line(" " * (len(lead) + 1), (f"down {down}", LONG) if row.down else f"down {down}")
            if ease:
                screen.line(" " * (len(lead) + 1), ease)
        else:
            screen.row(f"{lead} ", (up, SHORT), " or ", (down, LONG), f"  {ease}")
    legend = "distance [80 %], daily sigmas, odds of a touch in 24 h with no map at all; ease = down / up"
    screen.line((f"{legend}; none: not within {FARTHEST * 100:g} %", DIM))


def _move_text(move: Move | None) -> str:
    """Write `+$817 (+0.97 % [0.80-1.20], 0.4 sd, 67 %)`."""
    if move is None:
        return "none"
    sign = "+" if move.move >= 0.0 else "-"
    estimate = move.distance_estimate
    interval = ""
    if estimate.lo is not None and estimate.hi is not None:
        low, high = sorted((abs(estimate.lo), abs(estimate.hi)))
        interval = f" [{low * 100:.2f}-{high * 100:.2f}]"
    facts = [f"{format_percent(move.distance, decimals=2, sign=True)}{interval}"]
    facts += [f"{move.sigma_1d:.1f} sd"] if move.sigma_1d is not None else []
    facts += [f"odds {odds_text(move.no_map_odds)}"] if move.no_map_odds is not None else []
    near = f" near {level(move.round_number.price)}" if move.round_number is not None else ""
    return f"{sign}${level(float(f'{abs(move.move):.4g}'))} ({', '.join(facts)}){near}"
