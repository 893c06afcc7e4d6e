"""The static cascade: U(x) = B(x) - F(x) over an ensemble, what ignites it, and how far a shock runs (F12, F13, F14).

F(x) is what the map would force up to distance x, B(x) what the market absorbs up to there. Where F grows faster than B the
move feeds itself: R = f / b >= 1. A shock of Q dollars ends at the least x with B(x) >= Q + F(x); the highest U before it falls
is therefore the number of dollars that ignites the fall, and where it stands the ignition price.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from msgspec import Struct

from liqscape.cascade import _kernels
from liqscape.cascade.absorption import Absorption
from liqscape.cascade.base import Direction, Probability, checked_levels, checked_usd, interval, pairs, share, summed
from liqscape.errors import BadArgument, NoData
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.model.maps import Estimate

PATHS = 20_000
WITHIN = 0.05
# A fall of U that is over sooner is a rung, not a run: the price would stop within one gap between zones (F07).
SUSTAINED = 0.0025
ENGINE_WEAK, ENGINE_PRESENT = 0.10, 1.0 / 3.0


class Engine(StrEnum):
    """Whether R >= 1 anywhere within the window: in under 10 % of the ensemble, under a third, or more (F14)."""

    NONE = "none"
    WEAK = "weak"
    PRESENT = "present"


@dataclass(frozen=True)
class StaticPaths:
    """Every path of one direction.

    Parameters
    ----------
    distance : float64[n + 1], fraction of the mark
    ignition_usd, ignition_distance, extent : float64[paths], dollars that ignite it, from where, to where; NaN if it does not
        ignite within `within`; an extent of inf runs past the grid
    critical : bool[paths], R >= 1 somewhere within `within`
    run, forced_usd : float64[paths], where the shock ends (inf: past the grid), and the forced dollars on the way
    run_no_map : float64[paths], where it ends with the same absorption and no forced orders
    map_draw, absorption_draw : int64[paths], rows of the ensembles that the path joined
    """

    direction: Direction
    distance: FloatArray
    within: float
    sustained: float
    shock_usd: float
    ignition_usd: FloatArray
    ignition_distance: FloatArray
    extent: FloatArray
    critical: BoolArray
    run: FloatArray
    forced_usd: FloatArray
    run_no_map: FloatArray
    map_draw: IntArray
    absorption_draw: IntArray

    @property
    def draws(self) -> tuple[IntArray, IntArray]:
        """The draws that a path joined, of the map and of absorption."""
        return self.map_draw, self.absorption_draw

    @property
    def reach(self) -> float:
        """How far the grid goes, fraction of the mark."""
        return float(self.distance[-1])


class Ignition(Struct, frozen=True, kw_only=True):
    """What it takes to ignite one direction.

    Parameters
    ----------
    p_ignites
        Share of the ensemble in which U peaks and falls within the window.
    dollars, distance, extent
        Of those that do: dollars from outside that start it, where, and how far it then runs (at most to the grid's end).
    p_beyond
        Share of those that do whose run leaves the grid.
    engine, p_engine
        The engine check: R >= 1 within the window.
    """

    direction: Direction
    within: float
    p_ignites: Probability
    dollars: Estimate
    distance: Estimate
    extent: Estimate
    p_beyond: float | None
    engine: Engine
    p_engine: Probability


class Run(Struct, frozen=True, kw_only=True):
    """How far one shock runs, with the map and without it.

    Parameters
    ----------
    distance, distance_no_map
        Where the price ends, fraction of the mark; a run past the grid counts as its end, `p_beyond` says how many.
    forced_usd
        Forced dollars on the way.
    amplification
        Distance with the map by distance without it.
    """

    direction: Direction
    shock_usd: float
    distance: Estimate
    distance_no_map: Estimate
    forced_usd: Estimate
    amplification: Estimate
    p_beyond: Probability


@dataclass(frozen=True)
class Curves:
    """Bands to draw: 10 %, 50 % and 90 % of the ensemble at every edge or bucket.

    Parameters
    ----------
    distance : float64[n + 1], fraction of the mark
    potential_usd, forced_usd, absorbed_usd : float64[3, n + 1], USD
    reproduction : float64[3, n], R = f / b of each bucket
    """

    direction: Direction
    distance: FloatArray
    potential_usd: FloatArray
    forced_usd: FloatArray
    absorbed_usd: FloatArray
    reproduction: FloatArray


def static_paths(
    levels_usd: FloatArray,
    absorption: Absorption,
    direction: Direction,
    *,
    shock_usd: float = 0.0,
    within: float = WITHIN,
    sustained: float = SUSTAINED,
    paths: int = PATHS,
) -> StaticPaths:
    """Join map draws and absorption draws into paths of one direction.

    Parameters
    ----------
    levels_usd : float64[draws, n], USD forced in each bucket outward, on the grid of `absorption`: short positions for a move
        up, long ones for a move down (`SideLevels.draws_usd`)
    shock_usd
        Dollars of outside flow; 0 asks for ignition only.
    within
        Window of ignition and of the engine check, fraction of the mark.
    sustained
        How far U must stay at or below its peak for it to count as a fall.
    paths
        How many; the draws are joined in rotation.

    Raises
    ------
    BadArgument
        If the shock is negative, a bucket holds what is no amount, or the grids differ.
    """
    distance = absorption.distance
    forced = summed(checked_levels("map levels", levels_usd, distance.size - 1))
    absorbed = np.ascontiguousarray(absorption.toward(direction))
    shock = checked_usd("shock", shock_usd)
    window = int(np.searchsorted(distance, within * (1.0 + 1e-9), side="right")) - 1
    if window < 1 or not sustained > 0.0 or paths < 1:
        raise BadArgument(
            f"cascade: expected within >= one bucket ({distance[1]:.3g}), sustained > 0 and paths >= 1; "
            f"received {within}, {sustained}, {paths}.",
            hint="Ask for a wider window, such as 5%.",
        )
    map_draw, absorption_draw = pairs(len(forced), len(absorbed), paths)
    found = _scan(forced, absorbed, distance, map_draw, absorption_draw, shock, window, sustained)
    brakes = np.arange(len(absorbed))
    alone = _scan(np.zeros((1, distance.size)), absorbed, distance, np.zeros_like(brakes), brakes, shock, window, sustained)
    return StaticPaths(
        direction=direction,
        distance=distance,
        within=within,
        sustained=sustained,
        shock_usd=shock,
        ignition_usd=found.hill_usd,
        ignition_distance=found.hill_at,
        extent=found.extent,
        critical=found.critical,
        run=found.run,
        forced_usd=found.run_forced,
        run_no_map=alone.run[absorption_draw],
        map_draw=map_draw,
        absorption_draw=absorption_draw,
    )


def both_ways(
    long_usd: FloatArray,
    short_usd: FloatArray,
    absorption: Absorption,
    *,
    shock_usd: float = 0.0,
    within: float = WITHIN,
    sustained: float = SUSTAINED,
    paths: int = PATHS,
) -> dict[Direction, StaticPaths]:
    """Return the paths up (through the shorts) and down (through the longs), on two threads.

    Parameters
    ----------
    long_usd, short_usd : float64[draws, n], USD forced in each bucket outward from the mark
    """
    levels = {Direction.UP: short_usd, Direction.DOWN: long_usd}

    def one(way: Direction) -> StaticPaths:
        asked = {"shock_usd": shock_usd, "within": within, "sustained": sustained}
        return static_paths(levels[way], absorption, way, paths=paths, **asked)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(levels, pool.map(one, levels), strict=True))


def ignition(paths: StaticPaths) -> Ignition:
    """Summarise what it takes to ignite (F12) and the engine check (F14)."""
    lit = np.isfinite(paths.ignition_usd)
    p_engine = share(paths.draws, paths.critical)
    beyond = float(np.isinf(paths.extent[lit]).mean()) if lit.any() else None
    weak, present = p_engine.value >= ENGINE_WEAK, p_engine.value >= ENGINE_PRESENT
    return Ignition(
        direction=paths.direction,
        within=paths.within,
        p_ignites=share(paths.draws, lit),
        dollars=interval(paths.ignition_usd[lit]),
        distance=interval(paths.ignition_distance[lit]),
        extent=interval(np.minimum(paths.extent[lit], paths.reach)),
        p_beyond=beyond,
        engine=Engine.PRESENT if present else Engine.WEAK if weak else Engine.NONE,
        p_engine=p_engine,
    )


def run(paths: StaticPaths) -> Run:
    """Summarise how far the shock runs (F13).

    Raises
    ------
    NoData
        If the paths were computed without a shock.
    """
    if not paths.shock_usd > 0.0:
        raise NoData("cascade: run: these paths carry no shock.", hint="Give shock_usd > 0 to static_paths.")
    ends, alone = np.minimum(paths.run, paths.reach), np.minimum(paths.run_no_map, paths.reach)
    return Run(
        direction=paths.direction,
        shock_usd=paths.shock_usd,
        distance=interval(ends),
        distance_no_map=interval(alone),
        forced_usd=interval(paths.forced_usd),
        amplification=interval(ends / alone),
        p_beyond=share(paths.draws, np.isinf(paths.run)),
    )


def p_reach(paths: StaticPaths, distance: float, *, no_map: bool = False) -> Probability:
    """Return the share of paths whose run gets to a distance."""
    return share(paths.draws, (paths.run_no_map if no_map else paths.run) >= distance)


def curves(levels_usd: FloatArray, absorption: Absorption, direction: Direction, *, paths: int = 512) -> Curves:
    """Return the bands of U, F, B and R to draw; `levels_usd` as for `static_paths`."""
    distance = absorption.distance
    levels = checked_levels("map levels", levels_usd, distance.size - 1)
    forced, absorbed = summed(levels), absorption.toward(direction)
    map_draw, absorption_draw = pairs(len(forced), len(absorbed), paths)
    marks = (0.1, 0.5, 0.9)
    slope = np.diff(absorbed, axis=1)[absorption_draw]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = levels[map_draw] / slope
    ratio[(slope == 0.0) & (levels[map_draw] == 0.0)] = 0.0  # nothing is forced where nothing stands
    return Curves(
        direction=direction,
        distance=distance,
        potential_usd=np.quantile(absorbed[absorption_draw] - forced[map_draw], marks, axis=0),
        forced_usd=np.quantile(forced, marks, axis=0),
        absorbed_usd=np.quantile(absorbed, marks, axis=0),
        reproduction=np.quantile(ratio, marks, axis=0, method="lower"),
    )


class _Found:
    """The out arrays of the kernel, by name and in its order."""

    def __init__(self, paths: int) -> None:
        self.hill_usd, self.hill_at, self.extent = np.empty(paths), np.empty(paths), np.empty(paths)
        self.critical = np.empty(paths, np.bool_)
        self.run, self.run_forced = np.empty(paths), np.empty(paths)


def _scan(
    forced: FloatArray,
    absorbed: FloatArray,
    distance: FloatArray,
    map_draw: IntArray,
    absorption_draw: IntArray,
    shock: float,
    window: int,
    sustained: float,
) -> _Found:
    found = _Found(map_draw.size)
    # A fall that takes exactly `sustained` counts: edges are multiples of a width and carry its rounding.
    _kernels.static_paths(
        forced, absorbed, distance, map_draw, absorption_draw, shock, window, sustained * (1.0 - 1e-9), *vars(found).values()
    )
    return found
