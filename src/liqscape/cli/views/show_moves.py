"""`liqscape move-to`: how far price must move to liquidate a number of dollars."""

from __future__ import annotations

from typing import Any

from liqscape.analytics import Move, MoveRow, MoveTo, move_to
from liqscape.analytics.move_to import DEFAULT_USD, FARTHEST
from liqscape.api.frames import frame
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, Target
from liqscape.cli.question import Question, budgets, condition_of, decide, find_map, flags_of, guard, option
from liqscape.cli.screen import DIM, LONG, SHORT, Screen
from liqscape.cli.views.badge import caveats_of, meta
from liqscape.cli.views.words import closing, headline_of, level, number_interval, odds_text, opening, plain, widest_odds
from liqscape.model.maps import LiquidationMap
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
    question = Question.of("move-to", target, show)
    asked = DEFAULT_USD if usd is None else budgets("--usd", usd)
    test = condition_of(condition)
    found = find_map(question, built, filters)
    guard(guards, question, found)
    reading, sentence = move_to(found, asked), headline_of(found, question.badge(found))
    odds = widest_odds(*(move.no_map_odds for row in reading.moves for move in (row.up, row.down) if move))
    caveats = caveats_of(question, found, "move-to", odds=odds)

    def text(screen: Screen) -> None:
        opening(screen, question, found, sentence)
        screen.blank()
        say_moves(screen, reading.moves)
        screen.blank()
        closing(screen, found, caveats)

    answer = Answer(
        command="move-to",
        data=moves_data(reading, found, sentence),
        meta=meta(question, found, caveats),
        text=text,
        table=lambda: frame(reading),
        links=question.links(found.as_of_ns, [*option("--usd", usd), *flags_of(built, filters)]),
    )
    emit(show, answer, Screen.of(show, question.zone))
    decide(test, found)


def moves_data(reading: MoveTo, found: LiquidationMap, sentence: str) -> dict[str, Any]:
    """Return the data of `move-to --json`."""
    return {"headline": sentence, "moves": reading.moves, "farthest": reading.farthest, "sigma_1d": found.sigma_1d}


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
