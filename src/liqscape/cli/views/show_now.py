"""`liqscape now`: the state of a market on one screen."""

from __future__ import annotations

from typing import Any

import polars as pl

from liqscape.analytics import Asymmetry, MoveRow, Tilt, Zone, asymmetry, move_to, zones
from liqscape.cli.emit import Answer, emit
from liqscape.cli.options import Built, Condition, Guards, Show, Target
from liqscape.cli.question import Question, condition_of, decide, find_map, flags_of, guard
from liqscape.cli.screen import LONG, SHORT, Screen
from liqscape.cli.views.badge import caveats_of, meta
from liqscape.cli.views.show_asymmetry import say_tilt, say_windows
from liqscape.cli.views.show_moves import say_moves
from liqscape.cli.views.words import closing, headline_of, lean_of, level, opening, percent, usd_interval
from liqscape.model import PositionSide
from liqscape.model.maps import LiquidationMap
from liqscape.units import NS_PER_S, format_percent

_WINDOWS = (0.01, 0.02, 0.05)


def show_now(target: Target, built: Built, guards: Guards, condition: Condition, show: Show) -> None:
    """Answer `liqscape now`."""
    question = Question.of("now", target, show)
    test = condition_of(condition)
    found = find_map(question, built)
    guard(guards, question, found)
    reading, lean = asymmetry(found, _WINDOWS), lean_of(question, found)
    sentence = headline_of(found, question.badge(found), lean)
    nearest = nearest_zones(found)
    moves = move_to(found, lean.budgets_usd).moves
    caveats = caveats_of(question, found, "now")

    def text(screen: Screen) -> None:
        opening(screen, question, found, sentence)
        screen.blank()
        say_tilt(screen, lean)
        say_windows(screen, reading.within)
        for zone in nearest:
            _say_nearest(screen, zone)
        say_moves(screen, moves)
        screen.blank()
        closing(screen, found, caveats)

    answer = Answer(
        command="now",
        data=now_data(found, sentence, lean, reading, nearest, moves),
        meta=meta(question, found, caveats),
        text=text,
        table=lambda: now_table(found, lean, reading),
        links=question.links(found.as_of_ns, flags_of(built)),
    )
    emit(show, answer, Screen.of(show, question.zone))
    decide(test, found)


def nearest_zones(found: LiquidationMap) -> tuple[Zone, ...]:
    """Return the first zone above the mark and the first below it, where there are any."""
    every = zones(found).zones
    sides = (PositionSide.SHORT, PositionSide.LONG)
    first = (next((zone for zone in every if zone.side is side), None) for side in sides)
    return tuple(zone for zone in first if zone is not None)


def now_data(
    found: LiquidationMap,
    sentence: str,
    lean: Tilt,
    reading: Asymmetry,
    nearest: tuple[Zone, ...],
    moves: tuple[MoveRow, ...],
) -> dict[str, Any]:
    """Return the data of `now --json`."""
    interval = found.funding_interval_ns
    return {
        "headline": sentence,
        "mark_price": found.mark_price,
        "price_change_24h": found.price_change_24h,
        "sigma_1d": found.sigma_1d,
        "open_interest_usd": found.open_interest_usd,
        "open_interest_base": found.balance.open_interest_base,
        "funding_rate": found.funding_rate,
        "funding_interval_s": None if interval is None else interval / NS_PER_S,
        "tilt": lean,
        "within": reading.within,
        "nearest_zones": nearest,
        "moves": moves,
    }


def now_table(found: LiquidationMap, lean: Tilt, reading: Asymmetry) -> pl.DataFrame:
    """Return the state as one row."""
    row: dict[str, Any] = {
        "instrument": found.asked,
        "mark_price": found.mark_price,
        "price_change_24h": found.price_change_24h,
        "open_interest_usd": found.open_interest_usd,
        "funding_rate": found.funding_rate,
        "state": str(lean.state),
        "tilt": None if lean.value is None else lean.value.median,
    }
    for window in reading.within:
        row[f"imbalance_{window.distance * 100:g}pct"] = None if window.imbalance is None else window.imbalance.median
    return pl.DataFrame([row])


def _say_nearest(screen: Screen, zone: Zone) -> None:
    above = zone.side is PositionSide.SHORT
    screen.line(
        (f"first {zone.side} zone {'above' if above else 'below'}", SHORT if above else LONG),
        f": {level(zone.from_price)}-{level(zone.to_price)} ({format_percent(zone.near_distance, sign=True)})  "
        f"{usd_interval(zone.pool_usd)}  prior {percent(zone.prior_share)}",
    )
