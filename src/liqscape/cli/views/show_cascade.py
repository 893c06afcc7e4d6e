"""`liqscape cascade`: what a shock does, both ways, with the map and without it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from liqscape.api.answers.shocks import Shock, answer_cascade, percent_error
from liqscape.api.cascade import draw_cascade
from liqscape.cascade import Direction, Ignition, Quantile
from liqscape.cli.emit import emit_answer, note
from liqscape.cli.options import Built, Guards, Picture, Show, Target
from liqscape.cli.question import picture_path, question_of, words_of
from liqscape.cli.screen import DIM, LONG, SHORT, WARN, Screen
from liqscape.cli.views.words import closing, level, opening, percent, usd_interval
from liqscape.clock import iso
from liqscape.engine.cascade import Cascades, OneWay
from liqscape.model.maps import Estimate
from liqscape.units import format_percent, format_usd

_LABEL, _COLUMN = 30, 34


def show_cascade(target: Target, built: Built, guards: Guards, show: Show, picture: Picture, asked: Shock) -> None:
    """Answer `liqscape cascade`."""
    question = question_of("cascade", target, show)
    path = picture_path(picture.out)
    answered = answer_cascade(question, words_of(built, None, None, guards), asked)
    parts = answered.parts

    def text(screen: Screen) -> None:
        opening(screen, question, parts.found, parts.sentence)
        screen.blank()
        _say_brakes(screen, parts.made)
        _say_ways(screen, parts.made)
        _say_check(screen, parts.made)
        screen.blank()
        closing(screen, parts.found, parts.caveats)

    if path is not None:
        draw_cascade(parts.made, path, badge=question.badge(parts.found).text)
        note(show, f"wrote {path}")
    emit_answer(show, answered, text, question.zone)


def _say_brakes(screen: Screen, made: Cascades) -> None:
    brakes = made.brakes
    parts = {part.name: part for part in brakes.within_15_min.parts}
    amounts = {way: usd_interval(absorbed(made, way)) for way in made.ways}
    same = len(set(amounts.values())) == 1
    each = list(amounts.values())[:1] if same else [f"{text} {way}" for way, text in amounts.items()]
    if brakes.book is not None:
        depth = next(part for name, part in parts.items() if name.startswith("depth"))
        how = f"book {format_usd(depth.median)} of {iso(brakes.book.ts_ns)[:19]}Z x refill {parts['refill'].median:.1f}"
    else:
        volume = None if brakes.volume is None else brakes.volume.usd
        how = f"law of impact: {format_usd(volume)} a day, sigma {format_percent(made.found.sigma_1d)} a day"
    screen.joined([f"absorbs {', '.join(each)} per 1 % in 15 min", f"({how})"])
    if made.preset != "now":
        stress = parts["stress"]
        screen.line(
            (f"PRESET {made.preset}: depth x {stress.median:.2f} [{stress.lo:.2f}-{stress.hi:.2f}], {stress.source}", WARN),
            hang=2,
        )
    if made.reported is not None and made.reported.median < 1.0:
        share = made.reported
        screen.line(
            (f"forced dollars are the map's divided by {share.median:g} [{share.lo:g}-{share.hi:g}], {share.source}", DIM)
        )
    for text in brakes.notes:
        screen.line((text, DIM))


def absorbed(made: Cascades, way: Direction) -> Estimate:
    """Dollars that push the price 1 % with no map."""
    from liqscape.cascade.base import interval

    return interval(made.brakes.within_15_min.at(way, 0.01))


def _say_ways(screen: Screen, made: Cascades) -> None:
    ways = list(made.ways.values())
    _row(screen, "", ways, lambda way: str(way.direction))
    _row(screen, "shock", ways, lambda way: f"{format_usd(way.shock_usd)} in {way.timed.shock_s // 60 if way.timed else 15} min")
    _row(screen, "ignites within 5 %", ways, lambda way: percent_error(way.ignition.p_ignites))
    if any(way.ignition.dollars.median is not None for way in ways):
        _row(screen, "  then needs", ways, lambda way: usd_interval(way.ignition.dollars))
        _row(screen, "  from", ways, lambda way: _price(way.ignition_price))
        _row(screen, "  and runs to", ways, lambda way: _span(way.ignition.extent, way))
    _row(screen, "engine (R >= 1 within 5 %)", ways, lambda way: _engine(way.ignition))
    _row(screen, "shock runs (with no map)", ways, lambda way: _both(way.run.distance, way.run.distance_no_map, way))
    _row(screen, "  forced on the way", ways, lambda way: usd_interval(way.run.forced_usd))
    _row(screen, "second by second, at 15 min", ways, _timed)
    _row(screen, "  busiest minute", ways, lambda way: "-" if way.timed is None else usd_interval(way.timed.busiest_minute_usd))
    for place, one in enumerate(ways[0].reach):
        _row(screen, f"reaches {one.distance * 100:g} % (with no map)", ways, partial(_reach, place=place))
    _row(screen, "deleveraging", ways, _adl)


def _row(screen: Screen, label: str, ways: list[OneWay], write: Callable[[OneWay], str]) -> None:
    """Print one line of the table; on a narrow screen one line per direction."""
    cells = [(write(way), SHORT if way.direction is Direction.UP else LONG) for way in ways]
    if screen.wraps and screen.width < _LABEL + _COLUMN * len(ways):
        if label:
            screen.row(label)
            for (cell, style), way in zip(cells, ways, strict=True):
                screen.row("    ", (f"{way.direction:<5}{cell}", style))
        return
    screen.row(f"{label:<{_LABEL}}", *((f"{cell:<{_COLUMN}}", style) for cell, style in cells))


def _price(value: Estimate) -> str:
    if value.median is None:
        return "-"
    return f"{level(value.median)} [{level(value.lo)}-{level(value.hi)}]"


def _span(value: Estimate, way: OneWay) -> str:
    """Write `+1.3 % [0.5-5.9]`, signed by the direction."""
    if value.median is None or value.lo is None or value.hi is None:
        return "-"
    sign = "+" if way.direction is Direction.UP else "-"
    beyond = "+" if value.hi >= way.paths.reach * (1.0 - 1e-9) else ""  # it leaves the map
    return f"{sign}{value.median * 100:.1f} % [{value.lo * 100:.1f}-{value.hi * 100:.1f}{beyond}]"


def _both(value: Estimate, alone: Estimate, way: OneWay) -> str:
    sign = "+" if way.direction is Direction.UP else "-"
    return _span(value, way) + ("" if alone.median is None else f" ({sign}{alone.median * 100:.1f})")


def _engine(found: Ignition) -> str:
    return f"{found.engine} ({percent_error(found.p_engine)})"


def _timed(way: OneWay) -> str:
    if way.timed is None:
        return "-"
    return _both(_ends(way.timed.end), _ends(way.timed.end_no_map), way)


def _ends(values: tuple[Quantile, ...]) -> Estimate:
    lo, median, hi = (each.value for each in values)
    return Estimate(median=median, lo=lo, hi=hi)


def _reach(way: OneWay, place: int) -> str:
    one = way.reach[place]
    return f"{percent_error(one.odds)} ({percent(one.no_map.value)})"


def _adl(way: OneWay) -> str:
    if way.timed is None or way.timed.p_adl is None:
        return "not known (no --fund given)"
    return f"{percent_error(way.timed.p_adl)}  {usd_interval(way.timed.adl_usd)}"


def _say_check(screen: Screen, made: Cascades) -> None:
    check = made.reality
    if check is not None:
        style = DIM if check.check.consistent else WARN
        flow = "net taker flow" if check.flow == "taker" else "9 % of an hour's volume either way"
        lead = f"reality check, {check.days} d ({check.hours:,} h with volume, {flow}): {check.sentence}"
        screen.line((lead, style), hang=2)
    timed = next((way.timed for way in made.ways.values() if way.timed is not None), None)
    errors = f"; in time {timed.paths:,} paths, median end +-{timed.end[1].error * 100:.2f} %" if timed is not None else ""
    paths = next(iter(made.ways.values())).paths.run.size
    ends = "[ ] holds 80 % (50.0+: past the end of the map), +- is one standard error"
    screen.line((f"{ends}; {paths:,} paths closed form{errors}; seed {made.seed}", DIM), hang=2)
