"""`liqscape asymmetry`: shorts against longs, window by window."""

from __future__ import annotations

from liqscape.analytics import SideShape, Tilt, WindowRow
from liqscape.analytics.pools import Comparison
from liqscape.api.answers.maps import answer_asymmetry
from liqscape.cli.emit import emit_answer
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, Target
from liqscape.cli.question import condition_of, decide, question_of, words_of
from liqscape.cli.screen import DIM, LONG, SHORT, WARN, Piece, Screen
from liqscape.cli.views.show_map import say_range
from liqscape.cli.views.show_moves import say_moves
from liqscape.cli.views.words import (
    closing,
    level,
    number_interval,
    odds_text,
    opening,
    percent,
    plain,
    signed,
    usd_interval,
    window_text,
)
from liqscape.units import format_percent

_ONE_LINE = 108  # from this width on a window fits on one line


def show_asymmetry(
    target: Target,
    built: Built,
    filters: Filters,
    guards: Guards,
    condition: Condition,
    show: Show,
    *,
    within: str | None,
    range_: str | None,
    usd: str | None,
) -> None:
    """Answer `liqscape asymmetry`."""
    question = question_of("asymmetry", target, show)
    test = condition_of(condition)
    answered = answer_asymmetry(question, words_of(built, filters, None, guards), within=within, range_=range_, usd=usd)
    parts = answered.parts

    def text(screen: Screen) -> None:
        opening(screen, question, parts.found, parts.sentence)
        screen.blank()
        say_tilt(screen, parts.lean)
        say_windows(screen, parts.reading.within)
        for row in parts.reading.ranges:
            say_range(screen, row)
        for shape in (parts.reading.short, parts.reading.long):
            _say_shape(screen, shape)
        if parts.moves:
            say_moves(screen, parts.moves)
        screen.blank()
        closing(screen, parts.found, parts.caveats)

    emit_answer(show, answered, text, question.zone)
    decide(test, parts.found)


def say_tilt(screen: Screen, lean: Tilt) -> None:
    """Print the word and the number of the tilt."""
    what = "mean ln(move down / move up)"
    odds = "not known" if lean.ignites is None else ", ".join(f"{way} {odds_text(p)}" for way, p in lean.ignites.items())
    screen.joined([f"tilt {number_interval(lean.value, signed)}", f"({what}; above 0: up is nearer)", f"ignites: {odds}"])


def say_windows(screen: Screen, rows: tuple[WindowRow, ...]) -> None:
    """Print one line per window, with the interval of every number; two lines where the screen is narrow."""
    for row in rows:
        pools: list[Piece] = [
            f"{window_text(row.distance):>6}  ",
            (usd_interval(row.short_pool_usd), SHORT),
            " : ",
            (usd_interval(row.long_pool_usd), LONG),
        ]
        compared = compared_text(row)
        shares = f"of OI {_share(row.short_share_of_open_interest)}|{_share(row.long_share_of_open_interest)} %"
        if screen.wraps and screen.width < _ONE_LINE:
            screen.row(*pools)
            screen.joined([compared, shares], indent=8)
        else:
            used = sum(len(piece) if isinstance(piece, str) else len(piece[0]) for piece in pools)
            screen.row(*pools, " " * max(2, 44 - used), f"{compared}  {shares}")
        if row.plausible is False:
            screen.line(("        IMPLAUSIBLE: a pool is above the prior's 95th percentile", WARN), hang=8)
    screen.line(("shorts : longs, ratio, imbalance (short - long) / (short + long); [ ] holds 80 %", DIM))


def compared_text(row: Comparison) -> str:
    """Write ratio and imbalance with their intervals."""
    stated = row.ratio is None or row.ratio_text.startswith((">", "<"))
    ratio = row.ratio_text if stated else number_interval(row.ratio, plain)
    return f"{ratio}  imbalance {number_interval(row.imbalance, signed)}"


def _say_shape(screen: Screen, shape: SideShape) -> None:
    where = f"{shape.side}s {'above' if shape.side == 'short' else 'below'}"
    buffer = "no zone" if shape.buffer is None else f"first zone {format_percent(shape.buffer)} away"
    densest = (
        ""
        if shape.densest_price is None or shape.densest_distance is None
        else f"densest at {level(shape.densest_price)} ({format_percent(shape.densest_distance, sign=True)})"
    )
    parts = [
        f"{where}: {shape.staircase} outward (rho {number_interval(shape.staircase_rho, signed)})",
        f"spread {number_interval(shape.spread, plain)}",
        buffer,
        densest,
    ]
    screen.joined(part for part in parts if part)


def _share(value: float | None) -> str:
    return percent(value, 2).removesuffix("%")
