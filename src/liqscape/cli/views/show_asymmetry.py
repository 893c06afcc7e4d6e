"""`liqscape asymmetry`: shorts against longs, window by window."""

from __future__ import annotations

from typing import Any

from liqscape.analytics import Asymmetry, MoveRow, SideShape, Tilt, WindowRow, asymmetry, move_to
from liqscape.analytics.pools import DEFAULT_WITHIN, Comparison
from liqscape.api.frames import frame
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Built, Condition, Filters, Guards, Show, Target
from liqscape.cli.question import (
    Question,
    budgets,
    condition_of,
    decide,
    find_map,
    flags_of,
    fractions,
    guard,
    option,
    prices,
)
from liqscape.cli.screen import DIM, LONG, SHORT, WARN, Piece, Screen
from liqscape.cli.views.badge import caveats_of, meta
from liqscape.cli.views.show_map import say_range
from liqscape.cli.views.show_moves import say_moves
from liqscape.cli.views.words import (
    closing,
    headline_of,
    lean_of,
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
    question = Question.of("asymmetry", target, show)
    windows = DEFAULT_WITHIN if within is None else fractions("--within", within)
    span = None if range_ is None else prices("--range", range_)
    asked_usd = () if usd is None else budgets("--usd", usd)
    test = condition_of(condition)
    found = find_map(question, built, filters)
    guard(guards, question, found)
    reading, lean = asymmetry(found, windows, span), lean_of(question, found)
    sentence = headline_of(found, question.badge(found), lean)
    moves = move_to(found, asked_usd).moves
    widest = max(reading.within, key=lambda row: row.distance)
    caveats = caveats_of(
        question, found, "asymmetry", prior_share=None if widest.imbalance is None else widest.imbalance.prior_share
    )
    flags = [*option("--within", within), *option("--range", range_), *option("--usd", usd)]

    def text(screen: Screen) -> None:
        opening(screen, question, found, sentence)
        screen.blank()
        say_tilt(screen, lean)
        say_windows(screen, reading.within)
        for row in reading.ranges:
            say_range(screen, row)
        for shape in (reading.short, reading.long):
            _say_shape(screen, shape)
        if moves:
            say_moves(screen, moves)
        screen.blank()
        closing(screen, found, caveats)

    answer = Answer(
        command="asymmetry",
        data=asymmetry_data(reading, lean, sentence, moves),
        meta=meta(question, found, caveats),
        text=text,
        table=lambda: frame(reading),
        links=question.links(found.as_of_ns, [*flags, *flags_of(built, filters)]),
    )
    emit(show, answer, Screen.of(show, question.zone))
    decide(test, found)


def asymmetry_data(reading: Asymmetry, lean: Tilt, sentence: str, moves: tuple[MoveRow, ...] = ()) -> dict[str, Any]:
    """Return the data of `asymmetry --json`."""
    return {
        "headline": sentence,
        "tilt": lean,
        "within": reading.within,
        "ranges": reading.ranges,
        "shape": {"long": reading.long, "short": reading.short},
        "moves": moves,
    }


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
