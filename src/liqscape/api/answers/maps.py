"""Answers about one map: now, map, asymmetry, move-to, zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from liqscape.analytics import (
    Asymmetry,
    Ladder,
    MoveRow,
    MoveTo,
    RangeRow,
    RestingOrders,
    Tilt,
    Zone,
    Zones,
    asymmetry,
    ladder,
    move_to,
    pool,
    zones,
)
from liqscape.analytics.caveats import Caveat
from liqscape.analytics.move_to import DEFAULT_USD
from liqscape.analytics.pools import DEFAULT_WITHIN
from liqscape.analytics.zones import ZONE_WITHIN
from liqscape.api.answers.data import AsymmetryData, MapData, MovesData, NowData, Shapes, Totals, ZonesData
from liqscape.api.frames import frame, told_levels
from liqscape.api.question import Answered, Question, Words, option, widest_odds
from liqscape.model import PositionSide
from liqscape.model.maps import LiquidationMap
from liqscape.store import last_depth_ns
from liqscape.units import NS_PER_S

MAP_WITHIN = "5%"
_NOW_WINDOWS = (0.01, 0.02, 0.05)
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


@dataclass(frozen=True)
class MapParts:
    """A map and what a view of it needs."""

    found: LiquidationMap
    sentence: str
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True)
class LadderParts(MapParts):
    """`map`."""

    reach: float
    rows: Ladder
    ranges: tuple[RangeRow, ...]


@dataclass(frozen=True)
class AsymmetryParts(MapParts):
    """`asymmetry` and `now`."""

    reading: Asymmetry
    lean: Tilt
    moves: tuple[MoveRow, ...]
    nearest: tuple[Zone, ...] = ()


@dataclass(frozen=True)
class MovesParts(MapParts):
    """`move-to`."""

    reading: MoveTo


@dataclass(frozen=True)
class ZonesParts(MapParts):
    """`zones`."""

    reading: Zones


def answer_map(
    question: Question, words: Words, *, within: str | None = None, step: str | None = None, range_: str | None = None
) -> Answered[LadderParts]:
    """Answer `map`: bars of both sides by price, summed outward, and every level.

    Parameters
    ----------
    within, step
        Reach and height of the bars, such as `5%` and `0.5%`.
    range_
        Two prices, shown with their mirror.
    """
    reach = question.fraction("within", within or MAP_WITHIN)
    height = question.fraction("step", step) if step else default_step(reach)
    span = None if range_ is None else question.prices("range", range_)
    found = question.find_map(words)
    rows, sentence = ladder(found, reach, height, book_of(question, found)), question.headline(found)
    ranges = () if span is None else asymmetry(found, (reach,), span).ranges
    caveats = question.caveats(found, "map", prior_share=prior_share_within(found, reach))
    flags = [*option("--within", within), *option("--step", step), *option("--range", range_), *words.flags()]
    return Answered(
        command="map",
        data=map_data(found, rows, sentence, ranges),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, flags),
        parts=LadderParts(found, sentence, caveats, reach, rows, ranges),
        table=lambda: frame(found),
    )


def answer_asymmetry(
    question: Question, words: Words, *, within: str | None = None, range_: str | None = None, usd: str | None = None
) -> Answered[AsymmetryParts]:
    """Answer `asymmetry`: shorts against longs in each distance window; with `usd` the moves that budgets need."""
    windows = DEFAULT_WITHIN if within is None else question.fractions("within", within)
    span = None if range_ is None else question.prices("range", range_)
    budgets = () if usd is None else question.budgets("usd", usd)
    found = question.find_map(words)
    reading, lean = asymmetry(found, windows, span), question.lean(found)
    sentence = question.headline(found, lean)
    moves = move_to(found, budgets).moves
    widest = max(reading.within, key=lambda row: row.distance)
    prior_share = None if widest.imbalance is None else widest.imbalance.prior_share
    caveats = question.caveats(found, "asymmetry", prior_share=prior_share)
    flags = [*option("--within", within), *option("--range", range_), *option("--usd", usd), *words.flags()]
    return Answered(
        command="asymmetry",
        data=AsymmetryData(
            headline=sentence,
            tilt=lean,
            within=reading.within,
            ranges=reading.ranges,
            shape=Shapes(long=reading.long, short=reading.short),
            moves=moves,
        ),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, flags),
        parts=AsymmetryParts(found, sentence, caveats, reading, lean, moves),
        table=lambda: frame(reading),
    )


def answer_moves(question: Question, words: Words, *, usd: str | None = None) -> Answered[MovesParts]:
    """Answer `move-to`: how far price must move, each way, to liquidate budgets."""
    budgets = DEFAULT_USD if usd is None else question.budgets("usd", usd)
    found = question.find_map(words)
    reading, sentence = move_to(found, budgets), question.headline(found)
    odds = widest_odds(*(move.no_map_odds for row in reading.moves for move in (row.up, row.down) if move))
    caveats = question.caveats(found, "move-to", odds=odds)
    return Answered(
        command="move-to",
        data=MovesData(headline=sentence, moves=reading.moves, farthest=reading.farthest, sigma_1d=found.sigma_1d),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, [*option("--usd", usd), *words.flags()]),
        parts=MovesParts(found, sentence, caveats, reading),
        table=lambda: frame(reading),
    )


def answer_zones(question: Question, words: Words, *, within: str | None = None, top: int | None = None) -> Answered[ZonesParts]:
    """Answer `zones`: dense stretches; `words.side` chooses whose are listed, nothing is left out of the map."""
    reach = ZONE_WITHIN if within is None else question.fraction("within", within)
    only = question.side("side", words.side)
    whole = Words(
        window=words.window,
        reading=words.reading,
        leverage=words.leverage,
        min_usd=words.min_usd,
        max_age=words.max_age,
        require=words.require,
    )
    found = question.find_map(whole)
    reading, sentence = zones(found, reach, side=only, top=top), question.headline(found)
    odds = widest_odds(*(zone.no_map_odds for zone in reading.zones))
    caveats = question.caveats(found, "zones", odds=odds)
    flags = [*option("--within", within), *option("--top", top), *option("--side", only), *whole.flags()]
    return Answered(
        command="zones",
        data=ZonesData(headline=sentence, within=reading.within, zones=reading.zones, findings=reading.findings),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, flags),
        parts=ZonesParts(found, sentence, caveats, reading),
        table=lambda: frame(reading),
    )


def answer_now(question: Question, words: Words) -> Answered[AsymmetryParts]:
    """Answer `now`: the state of a market on one screen."""
    found = question.find_map(words)
    reading, lean = asymmetry(found, _NOW_WINDOWS), question.lean(found)
    sentence = question.headline(found, lean)
    nearest, moves = nearest_zones(found), move_to(found, lean.budgets_usd).moves
    caveats = question.caveats(found, "now")
    interval = found.funding_interval_ns
    return Answered(
        command="now",
        data=NowData(
            headline=sentence,
            mark_price=found.mark_price,
            price_change_24h=found.price_change_24h,
            sigma_1d=found.sigma_1d,
            open_interest_usd=found.open_interest_usd,
            open_interest_base=found.balance.open_interest_base,
            funding_rate=found.funding_rate,
            funding_interval_s=None if interval is None else interval / NS_PER_S,
            tilt=lean,
            within=reading.within,
            nearest_zones=nearest,
            moves=moves,
        ),
        meta=question.meta(found, caveats),
        links=question.links(found.as_of_ns, words.flags()),
        parts=AsymmetryParts(found, sentence, caveats, reading, lean, moves, nearest),
        table=lambda: _now_table(found, lean, reading),
    )


def nearest_zones(found: LiquidationMap) -> tuple[Zone, ...]:
    """Return the first zone above the mark and the first below it, where there are any."""
    every = zones(found).zones
    sides = (PositionSide.SHORT, PositionSide.LONG)
    first = (next((zone for zone in every if zone.side is side), None) for side in sides)
    return tuple(zone for zone in first if zone is not None)


def map_data(found: LiquidationMap, rows: Ladder, sentence: str, ranges: tuple[RangeRow, ...] = ()) -> MapData:
    """Return the data of `map`."""
    reach = 0.5 if found.short.usd.size >= 500 else found.short.usd.size * 0.001
    return MapData(
        headline=sentence,
        balance=found.balance,
        totals=Totals(
            open_interest_usd=found.open_interest_usd,
            within=rows.within,
            short_pool_usd=pool(found, PositionSide.SHORT, 0.0, rows.within),
            long_pool_usd=pool(found, PositionSide.LONG, 0.0, rows.within),
            reach=reach,
            short_reach_usd=pool(found, PositionSide.SHORT, 0.0, reach),
            long_reach_usd=pool(found, PositionSide.LONG, 0.0, reach),
        ),
        ladder=rows,
        ranges=ranges,
        levels=told_levels(found),
    )


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


def _now_table(found: LiquidationMap, lean: Tilt, reading: Asymmetry) -> pl.DataFrame:
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
