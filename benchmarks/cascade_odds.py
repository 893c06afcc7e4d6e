"""Odds of a run hour by hour, with the map and without it, from what was known before each hour.

No book is stored for these days: the square-root law stands in for it. What pushes the price is not known beforehand either.
It is drawn from the past: the farthest move of every earlier hour, less what that hour's own map would have added to it, in
units of the volatility before it. The odds without a map draw the moves as they were. Both see the same past; they differ by
the map alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from liqscape.cascade import Absorption, Direction, Factor, SquareRootImpact, absorption, ignition, map_levels, static_paths
from liqscape.cascade.base import SEED, pairs, summed
from liqscape.engine.maps import assemble
from liqscape.engine.replay import Replayed, Tape, describe_inputs
from liqscape.estimate import Estimator, Recipe
from liqscape.model import BarSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.model.maps import BUCKET_WIDTH, BUCKETS, LiquidationMap
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

DISTANCE: FloatArray = BUCKET_WIDTH * np.arange(BUCKETS + 1.0)
RUN = 0.025  # a run (F04)
HORIZONS_H = (1, 4)
PATHS, BRAKES = 2_048, 64
WAYS = tuple(Direction)


@dataclass(frozen=True)
class Hour:
    """What was known when an hour began, and what came.

    Parameters
    ----------
    at_ns
        Start of the hour, ns UTC; nothing later went into the map.
    sigma
        Volatility of one day from the 24 hours before, fraction.
    needed : float64[ways, paths], ascending: the outside move that makes a run of `RUN`; 0 where nothing is needed
    ignites : float64[ways], P(ignites within 5 %)
    moved : float64[ways, horizons], farthest move that came, fraction of the mark
    outside : float64[ways, horizons], that move less what the map would have added, median of the ensemble
    """

    at_ns: int
    mark_price: float
    sigma: float
    needed: FloatArray
    ignites: FloatArray
    moved: FloatArray
    outside: FloatArray


@dataclass(frozen=True)
class Odds:
    """What was said of every hour, way and horizon, and what came.

    Parameters
    ----------
    at_ns : int64[hours]
    with_map, no_map : float64[hours, ways, horizons], probability of a run
    ran : bool[hours, ways, horizons]
    """

    at_ns: IntArray
    with_map: FloatArray
    no_map: FloatArray
    ran: BoolArray

    def between(self, from_ns: int, to_ns: int) -> Odds:
        """Return the hours that begin in [from_ns, to_ns)."""
        at = (self.at_ns >= from_ns) & (self.at_ns < to_ns)
        return Odds(self.at_ns[at], self.with_map[at], self.no_map[at], self.ran[at])


def walk(tape: Tape, first_ns: int, last_ns: int) -> Iterator[LiquidationMap]:
    """Yield the map at every whole hour: the same as `build_map` with the scored recipe alone, in one pass."""
    estimator = Estimator(tape.bars.interval_ns, tape.learn_interval_ns, (Recipe(),))
    done = 0
    for at in range(first_ns, last_ns, NS_PER_HOUR):
        until = int(np.searchsorted(tape.bars.end_ns, at, side="right"))
        estimator.observe(tape.bars.slice(done, until), tape.liquidations, at)
        done = until
        known = replace(tape, as_of_ns=at, bars=tape.bars.slice(0, until))
        yield assemble(str(tape.instrument), [Replayed(known, estimator, (), describe_inputs(known, estimator))], at)


def law(found: LiquidationMap, bars: BarSeries) -> Absorption:
    """Return absorption by the square-root law from the last day's dollars and the map's volatility."""
    day = bars.slice(*np.searchsorted(bars.end_ns, (found.as_of_ns - NS_PER_DAY, found.as_of_ns), side="right"))
    assert found.sigma_1d is not None, "a day of bars is known"
    volume = float(day.volume_base @ day.close)
    return absorption(DISTANCE, impact=SquareRootImpact(found.sigma_1d, volume), draws=BRAKES)


def hour(found: LiquidationMap, bars: BarSeries, reported: Factor) -> Hour:
    """Ask a map what a run needs, and look at what came.

    Parameters
    ----------
    reported
        Share of liquidated dollars that the feeds publish: levels are divided by it, draw by draw as in `build_cascade`.
    """
    brakes = law(found, bars)
    share = np.minimum(reported.draws(np.random.default_rng([SEED, 2]), len(found.long.draws_usd)), 1.0)
    needed, ignites = np.empty((len(WAYS), PATHS)), np.empty(len(WAYS))
    moved, outside = np.empty((len(WAYS), len(HORIZONS_H))), np.empty((len(WAYS), len(HORIZONS_H)))
    for w, way in enumerate(WAYS):
        levels = map_levels(found)[way] / share[:, None]
        ignites[w] = ignition(static_paths(levels, brakes, way, paths=PATHS)).p_ignites.value
        needed[w] = np.sort(outside_move(levels, brakes, way, RUN))
        for h, hours in enumerate(HORIZONS_H):
            moved[w, h] = farthest(bars, found.as_of_ns, hours, found.mark_price, way)
            outside[w, h] = np.median(outside_move(levels, brakes, way, float(moved[w, h])))
    last = bars.slice(*np.searchsorted(bars.end_ns, (found.as_of_ns - NS_PER_DAY - 1, found.as_of_ns), side="right"))
    sigma = float(np.sqrt(np.sum(np.diff(np.log(last.close)) ** 2)))
    return Hour(found.as_of_ns, found.mark_price, sigma, needed, ignites, moved, outside)


def outside_move(levels: FloatArray, brakes: Absorption, way: Direction, distance: float) -> FloatArray:
    """float64[paths], how far the price would have gone without forced orders where it goes to `distance` with them.

    A shock runs to x if it outweighs the highest U = B - F on the way; that many dollars are a move B^-1(max U) by themselves.
    """
    if distance < 1e-9:
        return np.zeros(PATHS)
    edges = np.append(DISTANCE[distance - 1e-12 > DISTANCE], distance)
    place = edges.size - 2  # the bucket that `distance` lies in
    forced = summed(levels[:, : place + 1])
    forced[:, -1] = forced[:, -2] + levels[:, place] * (edges[-1] - DISTANCE[place]) / BUCKET_WIDTH
    absorbed = brakes.toward(way)
    shape = absorbed[0] / absorbed[0, -1]  # all draws of the law are multiples of one curve
    map_draw, brake_draw = pairs(len(levels), len(absorbed), PATHS)
    scale = absorbed[brake_draw, -1]
    hill = (np.outer(scale, np.interp(edges, DISTANCE, shape)) - forced[map_draw]).max(axis=1)
    return np.interp(hill / scale, shape, DISTANCE)


def farthest(bars: BarSeries, at_ns: int, hours: int, mark_price: float, way: Direction) -> float:
    """Return how far the price went that way from the mark in the hours after an instant; NaN if the record ends before."""
    first, last = np.searchsorted(bars.start_ns, (at_ns, at_ns + hours * NS_PER_HOUR))
    if int(bars.end_ns[-1]) < at_ns + hours * NS_PER_HOUR:
        return float("nan")
    extreme = bars.high[first:last].max() if way is Direction.UP else bars.low[first:last].min()
    return max(way.sign * (float(extreme) / mark_price - 1.0), 0.0)


def odds(hours: list[Hour], first_ns: int) -> Odds:
    """Return the odds of every hour from `first_ns` on, from earlier hours whose outcome was known."""
    at = np.array([each.at_ns for each in hours], dtype=np.int64)
    sigma = np.array([each.sigma for each in hours])[:, None, None]
    moved, outside = np.array([each.moved for each in hours]), np.array([each.outside for each in hours])
    plain, cleaned = moved / sigma, outside / sigma
    asked = np.flatnonzero(at >= first_ns)
    with_map, no_map = np.empty((asked.size, *moved.shape[1:])), np.empty((asked.size, *moved.shape[1:]))
    for row, k in enumerate(asked):
        for h, length in enumerate(HORIZONS_H):
            past = at + length * NS_PER_HOUR <= at[k]
            for w in range(len(WAYS)):
                no_map[row, w, h] = np.mean(plain[past, w, h] * sigma[k, 0, 0] >= RUN)
                pushed = cleaned[past, w, h] * sigma[k, 0, 0]
                with_map[row, w, h] = np.searchsorted(hours[k].needed[w], pushed, side="right").mean() / PATHS
    return Odds(at[asked], with_map, no_map, moved[asked] >= RUN)
