"""`liqscape map`: bars of both sides by price, summed outward from the mark."""

from __future__ import annotations

from liqscape.analytics import Ladder, LadderRow, RangeRow
from liqscape.api.answers.maps import answer_map
from liqscape.api.pictures import plot
from liqscape.cli.emit import emit_answer, note
from liqscape.cli.options import Built, Condition, Filters, Guards, Picture, Show, SideFilter, Target
from liqscape.cli.question import condition_of, decide, picture_path, question_of, words_of
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, Screen, bar
from liqscape.cli.views.words import closing, distance_text, level, opening, percent, price, usd_interval, window_text
from liqscape.model import PositionSide
from liqscape.units import format_price, format_usd

SMALLEST_PICTURE = 0.005  # a picture of less holds fewer than five buckets a side
_ROOMY = 76  # from this width on, sums are shown with their interval
_FIXED = 43  # characters of a row beside the bar
_FIXED_INTERVAL = 13
_DEPTH = 9
_KNOWN = 6


def show_map(
    target: Target,
    built: Built,
    filters: Filters,
    side: SideFilter,
    guards: Guards,
    condition: Condition,
    show: Show,
    picture: Picture,
    *,
    within: str | None,
    step: str | None,
    range_: str | None,
) -> None:
    """Answer `liqscape map`."""
    question = question_of("map", target, show)
    path, test = picture_path(picture.out), condition_of(condition)
    answered = answer_map(question, words_of(built, filters, side, guards), within=within, step=step, range_=range_)
    parts = answered.parts
    found = parts.found
    if path is not None:
        plot(found, path, within=max(parts.reach, SMALLEST_PICTURE), badge=question.badge(found))
        note(show, f"wrote {path}")

    def text(screen: Screen) -> None:
        opening(screen, question, found, parts.sentence)
        screen.blank()
        say_ladder(screen, parts.rows, only=found.filters.get("side"))
        for row in parts.ranges:
            say_range(screen, row)
        screen.blank()
        closing(screen, found, parts.caveats)

    emit_answer(show, answered, text, question.zone)
    decide(test, found)


def say_ladder(screen: Screen, rows: Ladder, *, only: str | None = None) -> None:
    """Print the bars: shorts above the mark from the farthest to the nearest, then longs below it."""
    roomy, booked = screen.width >= _ROOMY, rows.depth_ts_ns is not None
    room = screen.width - _FIXED - (_FIXED_INTERVAL if roomy else 0) - (_DEPTH if booked else 0)
    width = min(room, 44) if screen.bars else 0
    largest = max((row.usd.median or 0.0 for row in (*rows.short, *rows.long)), default=0.0)
    known = any(row.measured_usd is not None for row in (*rows.short, *rows.long))
    if known:
        width = max(width - _KNOWN, 0)
    if only != "long":
        _caption(screen, "short liquidations above", width, roomy, booked, known)
        for row in reversed(rows.short):
            _row(screen, row, largest, width, roomy, SHORT, booked)
    screen.row((f"{price(rows.mark_price):>10} mark   " + "-" * max(10, width + _FIXED - 18), BOLD))
    if only != "short":
        for row in rows.long:
            _row(screen, row, largest, width, roomy, LONG, booked)
        legend = "   ▓ measured █ other data ░ prior" if known else "   █ data ░ prior"
        screen.row(("long liquidations below", LONG), (legend if screen.bars else "", DIM))
    totals = [
        f"within {window_text(rows.within)}:",
        *([f"shorts {usd_interval(rows.short[-1].sum_out_usd)}"] if only != "long" else []),
        *([f"longs {usd_interval(rows.long[-1].sum_out_usd)}"] if only != "short" else []),
        "[ ] holds 80 %",
    ]
    screen.joined(totals)
    if rows.depth_ts_ns is not None:
        when = screen.instant(rows.depth_ts_ns)
        screen.line((f"depth: orders resting in the book of {when} that the bar's forced orders would meet", DIM))


def _caption(screen: Screen, name: str, width: int, roomy: bool, booked: bool, known: bool) -> None:
    start = 18 + (width + 1 if width else 0)
    heads = (
        f"{'USD':>8} {'sum out':>8}"
        + (" " * _FIXED_INTERVAL if roomy else "")
        + f" {'data':>5}"
        + (f"{'known':>{_KNOWN}}" if known else "")
        + (f"{'depth':>{_DEPTH}}" if booked else "")
    )
    screen.row((f"{name if len(name) < start else 'shorts above':<{start}}", SHORT), (heads, DIM))


def _row(screen: Screen, row: LadderRow, largest: float, width: int, roomy: bool, color: str, booked: bool) -> None:
    solid, light = bar(row.usd.median or 0.0, largest, row.data_share, width) if width else ("", "")
    part = None if row.measured_usd is None else row.measured_usd / row.usd.median if row.usd.median else 0.0
    exact = "▓" * round(len(solid) * min(1.0, part / row.data_share)) if part and row.data_share else ""
    total = format_usd(row.sum_out_usd.median)
    interval = usd_interval(row.sum_out_usd).removeprefix(total).strip() if roomy else ""
    screen.row(
        f"{format_price(row.price, digits=5):>10} {distance_text(row.distance):>6} ",
        (exact + solid[len(exact) :], color),
        (light, color),
        " " * (width - len(solid) - len(light) + (1 if width else 0)),
        f"{format_usd(row.usd.median):>8} {total:>8}",
        (f" {interval:<{_FIXED_INTERVAL - 1}}" if roomy else "", DIM),
        f" {percent(row.data_share):>5}",
        "" if part is None else f"{percent(part):>{_KNOWN}}",
        f"{format_usd(row.depth_usd):>{_DEPTH}}" if booked else "",
    )


def say_range(screen: Screen, row: RangeRow) -> None:
    """Print a range of prices beside its mirror image."""
    short = row.side is PositionSide.SHORT
    mine, other = (row.short_pool_usd, row.long_pool_usd) if short else (row.long_pool_usd, row.short_pool_usd)
    mirror = f"mirror {level(row.mirror_from_price)} to {level(row.mirror_to_price)}"
    screen.joined(
        [
            f"{level(row.from_price)} to {level(row.to_price)}: {row.side}s {usd_interval(mine)}",
            f"{mirror}: {'longs' if short else 'shorts'} {usd_interval(other)}",
            f"short : long {row.ratio_text}",
        ]
    )
