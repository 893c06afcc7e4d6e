"""`liqscape map`: bars of both sides by price, summed outward from the mark."""

from __future__ import annotations

from typing import Any

from liqscape.analytics import Ladder, LadderRow, RangeRow, RestingOrders, asymmetry, ladder, pool
from liqscape.api.frames import frame
from liqscape.api.pictures import plot
from liqscape.cli.emit import Answer, emit, note
from liqscape.cli.options import Built, Condition, Filters, Guards, Picture, Show, SideFilter, Target
from liqscape.cli.question import (
    Question,
    condition_of,
    decide,
    find_map,
    flags_of,
    fraction,
    guard,
    option,
    picture_path,
    prices,
)
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, Screen, bar
from liqscape.cli.views.badge import caveats_of, meta
from liqscape.cli.views.words import (
    closing,
    distance_text,
    headline_of,
    level,
    opening,
    percent,
    price,
    usd_interval,
    window_text,
)
from liqscape.model import PositionSide
from liqscape.model.maps import LiquidationMap
from liqscape.store import last_depth_ns
from liqscape.units import format_price, format_usd

DEFAULT_WITHIN = "5%"
SMALLEST_PICTURE = 0.005  # a picture of less holds fewer than five buckets a side
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
_ROOMY = 76  # from this width on, sums are shown with their interval
_FIXED = 43  # characters of a row beside the bar
_FIXED_INTERVAL = 13
_DEPTH = 9


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
    question = Question.of("map", target, show)
    reach = fraction("--within", within or DEFAULT_WITHIN)
    height = fraction("--step", step) if step else default_step(reach)
    span = None if range_ is None else prices("--range", range_)
    path, test = picture_path(picture.out), condition_of(condition)
    found = find_map(question, built, filters, side)
    guard(guards, question, found)
    rows, sentence = ladder(found, reach, height, book_of(question, found)), headline_of(found, question.badge(found))
    ranges = () if span is None else asymmetry(found, (reach,), span).ranges
    caveats = caveats_of(question, found, "map", prior_share=prior_share_within(found, reach))
    if path is not None:
        plot(found, path, within=max(reach, SMALLEST_PICTURE), badge=question.badge(found))
        note(show, f"wrote {path}")
    flags = [*option("--within", within), *option("--step", step), *option("--range", range_)]

    def text(screen: Screen) -> None:
        opening(screen, question, found, sentence)
        screen.blank()
        say_ladder(screen, rows, only=found.filters.get("side"))
        for row in ranges:
            say_range(screen, row)
        screen.blank()
        closing(screen, found, caveats)

    answer = Answer(
        command="map",
        data=map_data(found, rows, sentence, ranges),
        meta=meta(question, found, caveats),
        text=text,
        table=lambda: frame(found),
        links=question.links(found.as_of_ns, [*flags, *flags_of(built, filters, side)]),
    )
    emit(show, answer, Screen.of(show, question.zone))
    decide(test, found)


def book_of(question: Question, found: LiquidationMap) -> RestingOrders | None:
    """Return the sum of the venues' stored books of the hour before the map; None unless each has one."""
    store = question.workspace.store
    instruments = tuple(each.instrument for each in found.inputs)
    if any(last_depth_ns(store, instrument, at_ns=found.as_of_ns) is None for instrument in instruments):
        return None  # without importing the engine's brakes: most homes hold no book
    from liqscape.engine.brakes import stored_book

    book, _ = stored_book(question.workspace, instruments, found.as_of_ns)
    if book is None:
        return None
    return RestingOrders(distance=book.distance, bid_usd=book.bid_usd, ask_usd=book.ask_usd, ts_ns=book.ts_ns)


def default_step(within: float) -> float:
    """Return the height of a bar: 0.5 %, finer for a window that would hold fewer than three, coarser from 6 % on."""
    fitting = next((step for step in _STEPS if within / step <= 12.0 + 1e-9), within / 12.0)
    return max(fitting, 0.005) if within >= 0.015 - 1e-12 else fitting


def prior_share_within(found: LiquidationMap, within: float) -> float | None:
    """Return the fraction of both pools within a distance that is prior; None where nothing stands."""
    pools = [pool(found, side, 0.0, within) for side in PositionSide]
    total = sum(each.median or 0.0 for each in pools)
    return sum((each.median or 0.0) * (each.prior_share or 0.0) for each in pools) / total if total > 0.0 else None


def map_data(found: LiquidationMap, rows: Ladder, sentence: str, ranges: tuple[RangeRow, ...] = ()) -> dict[str, Any]:
    """Return the data of `map --json`."""
    reach = 0.5 if found.short.usd.size >= 500 else found.short.usd.size * 0.001
    return {
        "headline": sentence,
        "balance": found.balance,
        "totals": {
            "open_interest_usd": found.open_interest_usd,
            "within": rows.within,
            "short_pool_usd": pool(found, PositionSide.SHORT, 0.0, rows.within),
            "long_pool_usd": pool(found, PositionSide.LONG, 0.0, rows.within),
            "reach": reach,
            "short_reach_usd": pool(found, PositionSide.SHORT, 0.0, reach),
            "long_reach_usd": pool(found, PositionSide.LONG, 0.0, reach),
        },
        "ladder": rows,
        "ranges": ranges,
        "levels": frame(found).to_dicts(),
    }


def say_ladder(screen: Screen, rows: Ladder, *, only: str | None = None) -> None:
    """Print the bars: shorts above the mark from the farthest to the nearest, then longs below it."""
    roomy, booked = screen.width >= _ROOMY, rows.depth_ts_ns is not None
    room = screen.width - _FIXED - (_FIXED_INTERVAL if roomy else 0) - (_DEPTH if booked else 0)
    width = min(room, 44) if screen.bars else 0
    largest = max((row.usd.median or 0.0 for row in (*rows.short, *rows.long)), default=0.0)
    if only != "long":
        _caption(screen, "short liquidations above", width, roomy, booked)
        for row in reversed(rows.short):
            _row(screen, row, largest, width, roomy, SHORT, booked)
    screen.row((f"{price(rows.mark_price):>10} mark   " + "-" * max(10, width + _FIXED - 18), BOLD))
    if only != "short":
        for row in rows.long:
            _row(screen, row, largest, width, roomy, LONG, booked)
        screen.row(("long liquidations below", LONG), ("   █ data ░ prior" if screen.bars else "", DIM))
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


def _caption(screen: Screen, name: str, width: int, roomy: bool, booked: bool) -> None:
    start = 18 + (width + 1 if width else 0)
    heads = (
        f"{'USD':>8} {'sum out':>8}"
        + (" " * _FIXED_INTERVAL if roomy else "")
        + f" {'data':>5}"
        + (f"{'depth':>{_DEPTH}}" if booked else "")
    )
    screen.row((f"{name if len(name) < start else 'shorts above':<{start}}", SHORT), (heads, DIM))


def _row(screen: Screen, row: LadderRow, largest: float, width: int, roomy: bool, color: str, booked: bool) -> None:
    solid, light = bar(row.usd.median or 0.0, largest, row.data_share, width) if width else ("", "")
    total = format_usd(row.sum_out_usd.median)
    interval = usd_interval(row.sum_out_usd).removeprefix(total).strip() if roomy else ""
    screen.row(
        f"{format_price(row.price, digits=5):>10} {distance_text(row.distance):>6} ",
        (solid, color),
        (light, color),
        " " * (width - len(solid) - len(light) + (1 if width else 0)),
        f"{format_usd(row.usd.median):>8} {total:>8}",
        (f" {interval:<{_FIXED_INTERVAL - 1}}" if roomy else "", DIM),
        f" {percent(row.data_share):>5}",
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
