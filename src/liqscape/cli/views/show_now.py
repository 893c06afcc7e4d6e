"""`liqscape now`: the state of a market on one screen."""

from __future__ import annotations

from liqscape.analytics import Zone
from liqscape.api.answers.maps import answer_now
from liqscape.cli.emit import emit_answer
from liqscape.cli.options import Built, Condition, Guards, Show, Target
from liqscape.cli.question import condition_of, decide, question_of, words_of
from liqscape.cli.screen import LONG, SHORT, Screen
from liqscape.cli.views.show_asymmetry import say_tilt, say_windows
from liqscape.cli.views.show_moves import say_moves
from liqscape.cli.views.words import closing, level, opening, percent, usd_interval
from liqscape.model import PositionSide
from liqscape.units import format_percent


def show_now(target: Target, built: Built, guards: Guards, condition: Condition, show: Show) -> None:
    """Answer `liqscape now`."""
    question = question_of("now", target, show)
    test = condition_of(condition)
    answered = answer_now(question, words_of(built, None, None, guards))
    parts = answered.parts

    def text(screen: Screen) -> None:
        opening(screen, question, parts.found, parts.sentence)
        screen.blank()
        say_tilt(screen, parts.lean)
        say_windows(screen, parts.reading.within)
        for zone in parts.nearest:
            _say_nearest(screen, zone)
        say_moves(screen, parts.moves)
        screen.blank()
        closing(screen, parts.found, parts.caveats)

    emit_answer(show, answered, text, question.zone)
    decide(test, parts.found)


def _say_nearest(screen: Screen, zone: Zone) -> None:
    above = zone.side is PositionSide.SHORT
    screen.line(
        (f"first {zone.side} zone {'above' if above else 'below'}", SHORT if above else LONG),
        f": {level(zone.from_price)}-{level(zone.to_price)} ({format_percent(zone.near_distance, sign=True)})  "
        f"{usd_interval(zone.pool_usd)}  prior {percent(zone.prior_share)}",
    )
