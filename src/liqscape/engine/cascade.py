"""What it takes to ignite a market, and what a shock does to it (F12-F14): map and brakes of one instant, both directions."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from liqscape.analytics import Tilt, tilt
from liqscape.analytics.tilt import TiltState
from liqscape.cascade import (
    Cascade,
    Direction,
    DynamicPaths,
    Factor,
    ForcedVenue,
    Ignition,
    Physics,
    Probability,
    Run,
    StaticPaths,
    exactly,
    forced_venue,
    ignition,
    map_distance,
    map_levels,
    p_reach,
    p_touch,
    run,
    simulate,
    split,
    static_paths,
    summary,
)
from liqscape.cascade.base import SEED
from liqscape.clock import iso
from liqscape.engine.brakes import Brakes, Preset, build_brakes, recent_bars
from liqscape.engine.maps import published_shares
from liqscape.engine.reality import RealityCheck, reality_check
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import Completeness
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Estimate, LiquidationMap, Reading
from liqscape.units import NS_PER_DAY, format_percent, format_price, format_usd

PUSH = 0.01  # a shock that would move the price so far with no map, where none is asked for
REACHES = (0.01, 0.02, 0.05, 0.10)
_DAYS_OF_VOLUME_NS = 2 * NS_PER_DAY
TIMED_PATHS = 2_000  # of the simulation in time: half the cost of its default, its error is stated
# The law of impact is of all flow, so that what makers bear and withdraw at their limit is in it; and it has little depth near
# the price to count their limit in. With the limit the outer tenth of the paths ran ten times as far as the closed form.
LAW_PHYSICS = Physics(inventory=exactly(1e6, source="none: the impact law holds what makers bear"))
# Forced dollars are not those that feeds show. Absorption was fitted with this share; Bybit's own count of 3 February 2025 was
# 6.3 times the published one, estimates of all venues about 4 times.
REPORTED = Factor(
    median=0.3,
    lo=0.15,
    hi=0.6,
    source="share of forced dollars that throttled feeds publish; absorption was fitted with it",
    date="2026-02-01 .. 2026-02-15",
)


class Reach(Struct, frozen=True, kw_only=True):
    """Odds that one shock takes the price to a distance: closed form, within the simulated time, and the same with no map."""

    distance: float
    price: float
    odds: Probability
    no_map: Probability
    timed: Probability | None
    timed_no_map: Probability | None


@dataclass(frozen=True)
class OneWay:
    """One direction.

    Parameters
    ----------
    shock_usd
        Dollars of outside flow.
    ignition, ignition_price
        What it takes to start a run within 5 %, and the price where it starts.
    run, end_price
        How far the shock runs, and the price where it ends.
    timed
        The simulation in time; None if it was not asked for.
    levels : float64[draws, n], USD forced in each bucket outward, estimated true
    """

    direction: Direction
    shock_usd: float
    ignition: Ignition
    ignition_price: Estimate
    run: Run
    end_price: Estimate
    reach: tuple[Reach, ...]
    timed: Cascade | None
    levels: FloatArray
    paths: StaticPaths
    timed_paths: DynamicPaths | None


@dataclass(frozen=True, repr=False)
class Cascades:
    """What shocks would do to one map's market.

    Parameters
    ----------
    push
        The distance whose no-map dollars the shock is; None if dollars were given.
    reported
        What published dollars were divided by; None if the map's dollars were true ones already.
    ways
        The directions that were asked for, up first.
    tilt
        With P(ignites) of both sides; None if only one was asked for.
    """

    found: LiquidationMap
    brakes: Brakes
    preset: Preset
    push: float | None
    reported: Factor | None
    ways: dict[Direction, OneWay]
    reality: RealityCheck | None
    tilt: Tilt | None
    seed: int

    def __repr__(self) -> str:
        """Return a few lines: what ignites, how far the shock runs, the same with no map, what absorption rests on."""
        mark = format_price(self.found.mark_price)
        lines = [f"{self.found.asked}  mark {mark}  as of {iso(self.found.as_of_ns)}  preset {self.preset}"]
        for way, one in self.ways.items():
            needs = "" if one.ignition.dollars.median is None else f", then needs {format_usd(one.ignition.dollars.median)}"
            odds = f"ignites {format_percent(one.ignition.p_ignites.value, decimals=0)}{needs}"
            far, alone = (format_percent(each.median) for each in (one.run.distance, one.run.distance_no_map))
            lines.append(f"{way:<5} {odds}; {format_usd(one.shock_usd)} runs {far} (with no map {alone})")
        lines.append(self.brakes.within_15_min.basis.sentence)
        lines += [] if self.reality is None else [f"reality check, {self.reality.days} d: {self.reality.sentence}"]
        return "\n".join([*lines, "Potential, not a forecast."])


def build_cascade(
    workspace: Workspace,
    found: LiquidationMap,
    *,
    shock_usd: float | None = None,
    push: float | None = None,
    preset: Preset = Preset.NOW,
    directions: tuple[Direction, ...] = (Direction.UP, Direction.DOWN),
    funds_usd: Mapping[str, float] | None = None,
    timed: bool = True,
    checked: bool = True,
    seed: int = SEED,
) -> Cascades:
    """Compute what a shock does to the market of a map.

    Parameters
    ----------
    shock_usd, push
        Dollars of outside flow, or the distance that they would push the price with no map; default: a push of 1 %.
    preset
        How thin the market is.
    funds_usd
        Insurance fund by venue; without it odds of deleveraging are not known.
    timed, checked
        Also simulate second by second; also run the reality check.

    Raises
    ------
    BadArgument
        If the shock is not above 0, or both ways of giving it are used.
    NoData
        If the map is empty, or neither a book nor volume is stored.
    """
    _check_shock(shock_usd, push)
    distance = map_distance(found.long, found.mark_price)
    levels, reported = true_levels(workspace, found, seed)
    bars = recent_bars(workspace, found)
    brakes = build_brakes(workspace, found, bars, distance, preset)
    venues, shares = forced_venues(found, funds_usd or {})
    asked_push = None if shock_usd is not None else PUSH if push is None else push
    ways: dict[Direction, OneWay] = {}
    with ThreadPoolExecutor(1) as beside:
        waiting = None
        if checked and len(bars) == 1 and preset is Preset.NOW:
            share = reported or reported_share(workspace, found)
            waiting = beside.submit(reality_check, workspace, found, bars[0], brakes, share)
        for way in Direction:
            if way in directions:
                usd = shock_usd if shock_usd is not None else float(np.median(brakes.within_15_min.at(way, asked_push or PUSH)))
                ways[way] = _one_way(found, way, levels[way], brakes, usd, (venues, shares) if timed else None, seed)
        verdict = None if waiting is None else waiting.result()
    lean = lean_of(tilt(found), {way: one.ignition for way, one in ways.items()}) if len(ways) > 1 else None
    return Cascades(found, brakes, preset, asked_push, reported, ways, verdict, lean, seed)


def true_levels(
    workspace: Workspace, found: LiquidationMap, seed: int = SEED
) -> tuple[dict[Direction, FloatArray], Factor | None]:
    """Return the levels of both directions in dollars that are forced, not only shown, and what they were divided by.

    A share of what throttled feeds show is the setting `reported_share` where it is set for every feed, else assumed.

    Raises
    ------
    NoData
        If the map is empty.
    """
    levels = map_levels(found)
    if found.reading is Reading.TRUE:
        return levels, None
    reported = reported_share(workspace, found)
    draws = len(found.long.draws_usd)
    share = np.minimum(reported.draws(np.random.default_rng([seed, 2]), draws), 1.0)
    return {way: usd / share[:, None] for way, usd in levels.items()}, reported


def reported_share(workspace: Workspace, found: LiquidationMap) -> Factor:
    """Return the share of forced dollars that the feeds of a map publish: all, as set, or assumed."""
    if all(one.completeness is Completeness.ALL for one in found.inputs):
        return exactly(1.0, source="the feeds show every forced order")
    venues = {venue for one in found.inputs for venue in (one.venues or (one.instrument.venue,))}
    if not venues <= set(workspace.settings.reported_share):
        return REPORTED
    known = published_shares(workspace, found.inputs)
    return Factor(median=known.median, lo=known.low, hi=known.high, source="the setting reported_share", date="")


def forced_venues(found: LiquidationMap, funds_usd: Mapping[str, float]) -> tuple[list[ForcedVenue], list[float]]:
    """Return the venues of a map's instruments with their shares of levels and depth: equal ones, for want of better."""
    names = sorted({one.instrument.venue for one in found.inputs})
    unknown = sorted(set(funds_usd) - set(names))
    if unknown:
        raise BadArgument(
            f"insurance fund: the map has {', '.join(names)}, not {', '.join(unknown)}", hint="Name a venue of the map."
        )
    share = 1.0 / len(names)
    venues = [forced_venue(name, depth_share=share, insurance_fund_usd=funds_usd.get(name)) for name in names]
    return venues, [share] * len(names)


def lean_of(lean: Tilt, ignitions: Mapping[Direction, Ignition]) -> Tilt:
    """Return the tilt with P(ignites) of both sides (F06): a side is only fragile if it also ignites more easily.

    The difference must exceed the ensemble's own error, or the tilt is not clear.
    """
    up, down = ignitions[Direction.UP].p_ignites, ignitions[Direction.DOWN].p_ignites
    error = (up.error**2 + down.error**2) ** 0.5
    agrees = {TiltState.UP_FRAGILE: up.value - down.value > error, TiltState.DOWN_FRAGILE: down.value - up.value > error}
    state = lean.state if agrees.get(lean.state, True) else TiltState.NONE
    return Tilt(
        state=state,
        value=lean.value,
        budgets_usd=lean.budgets_usd,
        skipped_usd=lean.skipped_usd,
        ignites={str(Direction.UP): up.value, str(Direction.DOWN): down.value},
    )


def ignitions(workspace: Workspace, found: LiquidationMap) -> dict[Direction, Ignition]:
    """Return what it takes to ignite each direction, and nothing else: the quick answer for a headline."""
    levels, _ = true_levels(workspace, found)
    distance = map_distance(found.long, found.mark_price)
    try:
        brakes = build_brakes(workspace, found, recent_bars(workspace, found, _DAYS_OF_VOLUME_NS), distance)
    except NoData:  # its volume is older than that
        brakes = build_brakes(workspace, found, recent_bars(workspace, found), distance)
    return {way: ignition(static_paths(levels[way], brakes.within_15_min, way, paths=2_000)) for way in Direction}


def check_reality(workspace: Workspace, found: LiquidationMap) -> RealityCheck | None:
    """Return the reality check of a map of one instrument (F04); None where there is too little to look at.

    Raises
    ------
    NoData
        If neither a book nor volume is stored.
    """
    bars = recent_bars(workspace, found)
    if len(bars) != 1:
        return None
    brakes = build_brakes(workspace, found, bars, map_distance(found.long, found.mark_price))
    return reality_check(workspace, found, bars[0], brakes, reported_share(workspace, found))


def _one_way(
    found: LiquidationMap,
    way: Direction,
    levels: FloatArray,
    brakes: Brakes,
    shock_usd: float,
    venues: tuple[list[ForcedVenue], list[float]] | None,
    seed: int,
) -> OneWay:
    paths = static_paths(levels, brakes.within_15_min, way, shock_usd=shock_usd)
    moved, lit = run(paths), ignition(paths)
    timed_paths = None
    if venues is not None:
        by_venue = split(levels, venues[1])
        nature = LAW_PHYSICS if brakes.book is None else Physics()
        timed_paths = simulate(
            by_venue, brakes.standing, way, venues[0], shock_usd=shock_usd, physics=nature, paths=TIMED_PATHS, seed=seed
        )
    reach = tuple(_reach(found, paths, timed_paths, distance) for distance in REACHES if distance <= paths.reach)
    return OneWay(
        direction=way,
        shock_usd=shock_usd,
        ignition=lit,
        ignition_price=at_price(found.mark_price, way, lit.distance),
        run=moved,
        end_price=at_price(found.mark_price, way, moved.distance),
        reach=reach,
        timed=None if timed_paths is None else summary(timed_paths),
        levels=levels,
        paths=paths,
        timed_paths=timed_paths,
    )


def _reach(found: LiquidationMap, paths: StaticPaths, timed: DynamicPaths | None, distance: float) -> Reach:
    return Reach(
        distance=distance,
        price=found.mark_price * (1.0 + paths.direction.sign * distance),
        odds=p_reach(paths, distance),
        no_map=p_reach(paths, distance, no_map=True),
        timed=None if timed is None else p_touch(timed, distance),
        timed_no_map=None if timed is None else p_touch(timed, distance, no_map=True),
    )


def at_price(mark_price: float, way: Direction, distance: Estimate) -> Estimate:
    """Return a distance of one direction as a price, quote per base; its ends in ascending order."""
    ends = [None if end is None else mark_price * (1.0 + way.sign * end) for end in (distance.lo, distance.median, distance.hi)]
    lo, median, hi = ends if way is Direction.UP else ends[::-1]
    return Estimate(median=median, lo=lo, hi=hi, level=distance.level)


def _check_shock(shock_usd: float | None, push: float | None) -> None:
    if shock_usd is not None and push is not None:
        raise BadArgument("shock and push: both say how large the shock is", hint="Give one of them.")
    if shock_usd is not None and not 0.0 < shock_usd < float("inf"):
        raise BadArgument(
            f"shock: expected dollars above 0, received {shock_usd:g}",
            hint="A shock is a size; which way it pushes is --direction up|down|both.",
        )
    if push is not None and not 0.0 < push < 0.5:
        raise BadArgument(
            f"push: expected a distance above 0 and below 50 %, received {push:g}",
            hint="Write it like 2%; which way is --direction up|down|both.",
        )
