"""`liqscape calc`: a position of yours under each venue's tiers."""

from __future__ import annotations

import polars as pl

from liqscape.api.cascade import parse_side
from liqscape.api.frames import frame
from liqscape.api.question import option
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Built, Show, Target
from liqscape.cli.question import question_of, read, words_of
from liqscape.cli.screen import BOLD, DIM, LONG, SHORT, WARN, Screen
from liqscape.cli.views.words import SHOUT, closing, level, odds_text, percent, price, said, stamps, usd_interval
from liqscape.engine.calc import Calculation, VenuePrice, calculate
from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.units import format_percent, format_usd, parse_usd


def show_calc(target: Target, built: Built, show: Show, *, side: str, leverage: float, entry: str | None, size: str) -> None:
    """Answer `liqscape calc`."""
    question = question_of("calc", target, show)
    held, usd = parse_side(side), read("--size", size, parse_usd)
    at = None if entry is None else read("--entry", entry, parse_usd)
    if ":" in target.instrument and target.venue is not None:
        raise BadArgument("--venue: the instrument names its venue already", hint="Leave one of them out.")
    found = question.find_map(words_of(built))
    made = calculate(found, side=held, leverage=leverage, entry_price=at, size_usd=usd)
    sentence = said(found, sentence_of(made))
    caveats = question.caveats(found, "calc")

    def text(screen: Screen) -> None:
        if found.simulated:
            screen.line((SHOUT, "shout"))
        screen.line((sentence, BOLD))
        screen.joined([f"mark {price(found.mark_price)}", *stamps(screen, question, found)], DIM)
        screen.blank()
        _say(screen, made)
        screen.blank()
        closing(screen, found, caveats)

    flags = [*option("--side", str(held)), *option("--leverage", f"{leverage:g}"), *option("--entry", entry), "--size", size]
    answer = Answer(
        command="calc",
        data={"headline": sentence, **{name: getattr(made, name) for name in made.__struct_fields__}},
        meta=question.meta(found, caveats),
        text=text,
        table=lambda: _table(made),
        links=question.links(found.as_of_ns, [*flags, *words_of(built).flags()]),
    )
    emit(show, answer, Screen.of(show, question.zone))


def sentence_of(made: Calculation) -> str:
    """Say the position and where its margin is gone."""
    gone = "at no price" if made.bankruptcy_price is None else f"at {price(made.bankruptcy_price)}"
    position = f"{format_usd(made.size_usd)} {made.side} {made.leverage:g}x from {price(made.entry_price)}"
    return f"{position}: margin {format_usd(made.margin_usd)}, bankrupt {gone}."


def _say(screen: Screen, made: Calculation) -> None:
    color = LONG if made.side is PositionSide.LONG else SHORT
    screen.row((f"{'venue':<12} {'liquidated at':>14} {'away':>8} {'before it':>20} {'of side':>8} {'24 h odds':>9}  tiers", DIM))
    for row in made.venues:
        if row.refused is not None:
            screen.row(f"{row.venue:<12} ", (f"not held: {row.refused}", WARN))
            continue
        screen.row(f"{row.venue:<12} ", (_line(row), color), (f"  {row.evidence}", DIM))
    legend = f"before it: {made.side}s of the map that are liquidated between the mark and that price, dollars as the map's"
    screen.line((f"{legend}; odds of a touch with no map at all. Isolated margin, no fees or funding paid since.", DIM))


def _line(row: VenuePrice) -> str:
    if row.liquidation_price is None:
        return f"{'at no price':>14}"
    away = format_percent(row.distance, sign=True).replace(" ", "")
    before = "-" if row.before_usd is None else usd_interval(row.before_usd)
    shares = f"{percent(row.before_share, 1):>8} {odds_text(row.no_map_odds):>9}"
    return f"{level(row.liquidation_price):>14} {away:>8} {before:>20} {shares}"


def _table(made: Calculation) -> pl.DataFrame:
    return frame(made.venues)
