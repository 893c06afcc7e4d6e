"""The cascade in time: a queue of forced orders, what it does to the price, and what that triggers (F13).

Every second of a path: the shock and the forced orders that the engines send push the price through what stands in the book;
a part of that impact lasts, the rest fades as the book refills; depth is withdrawn while the price moves and when makers hold
more than they bear; arbitrage pulls venues together; levels that the price reaches join their venue's queue. Orders that
find no taker before their bankruptcy price go to the insurance fund at that price, and, once the fund has lost what it may
lose, winning positions of the other side are deleveraged instead: they never reach the book.

It is a simulation of impact alone: nothing else moves the price, and levels of the other side are not swept by a rebound. The
book that goes in must be the standing one (`absorption(..., horizon_s=0)`): refill is the fading of the transient part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from liqscape.cascade import _dynamic_kernels
from liqscape.cascade.absorption import Absorption
from liqscape.cascade.base import SEED, Direction, checked_levels, checked_usd, pairs, summed
from liqscape.cascade.venues import ForcedVenue, Physics
from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray, IntArray

PATHS = 5_000
SHOCK_S = 300
HORIZON_S = 900
EVERY_S = 10
ROUNDS = 8
WORKERS = 2


@dataclass(frozen=True)
class DynamicPaths:
    """Every path of one direction, with the map and without it.

    Parameters
    ----------
    end, peak : float64[paths], distance at the horizon and the farthest that was touched; inf beyond the grid
    end_no_map, peak_no_map : float64[paths], the same paths with nothing forced
    ignition_s : float64[paths], first second in which the path feeds itself (R >= 1 with the depth that is left); NaN if never
    track, track_no_map : float64[paths, points], distance every `every_s` seconds; a path that left the grid stays at its end
    forced_track : float64[paths, points], USD of forced orders until then
    by_round, by_venue : float64[paths, rounds] and [paths, venues], forced USD; the last round holds all later ones
    swept_usd, executed_usd, fund_usd, adl_usd, spared_usd, unfinished_usd : float64[paths]
        The first is the sum of the others: levels that were reached, executed in the market, taken over by insurance funds,
        deleveraged, spared by a cool-down, still waiting at the end.
    """

    direction: Direction
    venues: tuple[ForcedVenue, ...]
    reach: float
    shock_usd: float
    shock_s: int
    horizon_s: int
    every_s: int
    end: FloatArray
    peak: FloatArray
    end_no_map: FloatArray
    peak_no_map: FloatArray
    ignition_s: FloatArray
    track: FloatArray
    track_no_map: FloatArray
    forced_track: FloatArray
    by_round: FloatArray
    by_venue: FloatArray
    swept_usd: FloatArray
    executed_usd: FloatArray
    fund_usd: FloatArray
    adl_usd: FloatArray
    spared_usd: FloatArray
    unfinished_usd: FloatArray
    map_draw: IntArray
    absorption_draw: IntArray

    @property
    def draws(self) -> tuple[IntArray, IntArray]:
        """The draws that a path joined, of the map and of absorption."""
        return self.map_draw, self.absorption_draw


def simulate(
    levels_usd: FloatArray,
    standing: Absorption,
    direction: Direction,
    venues: Sequence[ForcedVenue],
    *,
    shock_usd: float,
    shock_s: int = SHOCK_S,
    horizon_s: int = HORIZON_S,
    physics: Physics | None = None,
    paths: int = PATHS,
    every_s: int = EVERY_S,
    seed: int = SEED,
) -> DynamicPaths:
    """Simulate a shock second by second, with the map and without it.

    Parameters
    ----------
    levels_usd : float64[venues, draws, n] USD forced in each bucket outward, on the grid of `standing`, whose buckets have
        equal width; float64[draws, n] for one venue. Draw d of all venues is one state of the world.
    standing
        The book of all venues together as it stands: absorption at a horizon of 0.
    shock_usd, shock_s
        Dollars of outside flow and the seconds over which they come, evenly.
    every_s
        Seconds between the points of `track`.

    Returns
    -------
    DynamicPaths
        The same seed gives the same numbers whatever the number of cores.

    Raises
    ------
    BadArgument
        If the shock is negative, buckets are unequal, depth shares do not make 1, or an array does not fit.
    """
    shock = checked_usd("shock", shock_usd)
    width = _width(standing.distance)
    levels = _by_venue(levels_usd, venues, standing.distance.size - 1)
    if not (1 <= shock_s <= horizon_s and 1 <= every_s <= horizon_s and paths >= 1):
        raise BadArgument(
            f"cascade: expected 1 <= shock_s, every_s <= horizon_s and paths >= 1, "
            f"received {shock_s}, {every_s}, {horizon_s}, {paths}.",
            hint="Times are whole seconds.",
        )
    nature_of = physics or Physics()
    generator = np.random.default_rng(seed)
    absorbed = standing.toward(direction)
    map_draw, absorption_draw = pairs(levels.shape[1], len(absorbed), paths)
    nature = _nature(nature_of, standing, direction, absorption_draw, generator)
    rules = np.array([_rules(venue) for venue in venues])
    slope = np.diff(absorbed, axis=1) / width
    arbitrage = 1.0 - math.exp(-1.0 / nature_of.arbitrage_s) if nature_of.arbitrage_s > 0.0 else 1.0
    asked = (shock, shock_s, horizon_s, every_s, arbitrage)
    found = _run(summed(levels), slope, width, rules, nature, map_draw, absorption_draw, asked)
    # Without forced orders all venues move as one: their shares of flow, depth and inventory are the same.
    nothing, one = np.zeros((1, 1, standing.distance.size)), np.array([_rules(ForcedVenue(name="all"))])
    alone = _run(nothing, slope, width, one, nature, np.zeros_like(map_draw), absorption_draw, asked)
    ledger, by_venue, by_round = np.split(found.account, (len(_LEDGER), len(_LEDGER) + len(venues)), axis=1)
    return DynamicPaths(
        direction=direction,
        venues=tuple(venues),
        reach=float(standing.distance[-1]),
        shock_usd=shock,
        shock_s=shock_s,
        horizon_s=horizon_s,
        every_s=every_s,
        end=found.end,
        peak=found.peak,
        end_no_map=alone.end,
        peak_no_map=alone.peak,
        ignition_s=found.ignition_s,
        track=found.track,
        track_no_map=alone.track,
        forced_track=found.told,
        by_round=by_round,
        by_venue=by_venue,
        **dict(zip(_LEDGER, ledger.T, strict=True)),
        map_draw=map_draw,
        absorption_draw=absorption_draw,
    )


_LEDGER = ("swept_usd", "executed_usd", "fund_usd", "adl_usd", "spared_usd", "unfinished_usd")


class _Found:
    """The out arrays of the kernel, by name and in its order."""

    def __init__(self, paths: int, points: int, venues: int) -> None:
        self.end, self.peak, self.ignition_s = np.empty(paths), np.empty(paths), np.empty(paths)
        self.track, self.told = np.empty((paths, points)), np.empty((paths, points))
        self.account = np.empty((paths, len(_LEDGER) + venues + ROUNDS))


def _run(
    forced: FloatArray,
    slope: FloatArray,
    width: float,
    rules: FloatArray,
    nature: FloatArray,
    map_draw: IntArray,
    absorption_draw: IntArray,
    asked: tuple[float, int, int, int, float],
) -> _Found:
    found = _Found(map_draw.size, asked[2] // asked[3], len(rules))

    def part(begin: int) -> None:
        # Every path is by itself, so the number of parts changes nothing.
        cut = slice(begin, begin + step)
        outs = (array[cut] for array in vars(found).values())
        _dynamic_kernels.dynamic_paths(
            forced, slope, width, rules, nature[cut], map_draw[cut], absorption_draw[cut], *asked, *outs
        )  # fmt: skip

    step = -(-map_draw.size // (4 * WORKERS))
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(part, range(0, map_draw.size, step)))
    return found


def _nature(
    physics: Physics, standing: Absorption, direction: Direction, absorption_draw: IntArray, generator: np.random.Generator
) -> FloatArray:
    count = absorption_draw.size
    near = standing.at(direction, min(0.01, float(standing.distance[-1])))[absorption_draw]
    return np.column_stack(
        (
            np.minimum(physics.permanent.draws(generator, count), 1.0),
            physics.tau_s.draws(generator, count),
            physics.withdrawal.draws(generator, count),
            physics.inventory.draws(generator, count) * near,
            physics.memory_s.draws(generator, count),
        )
    )


def _rules(venue: ForcedVenue) -> tuple[float, ...]:
    fund = math.inf if venue.insurance_fund_usd is None else venue.insurance_fund_usd
    return (
        venue.depth_share,
        venue.engine_usd_per_s,
        venue.first_step,
        float(venue.cooldown_s),
        venue.bankruptcy_gap,
        fund,
        venue.adl_drawdown,
    )


def _width(distance: FloatArray) -> float:
    width = float(distance[-1]) / (distance.size - 1)
    if not np.allclose(distance, width * np.arange(distance.size), rtol=0.0, atol=1e-9 * width):
        raise BadArgument(
            "cascade: distance: a simulation in time needs buckets of equal width.", hint="Use the map's own buckets."
        )
    return width


def _by_venue(levels_usd: FloatArray, venues: Sequence[ForcedVenue], buckets: int) -> FloatArray:
    levels = levels_usd[None] if levels_usd.ndim == 2 else levels_usd
    depth = sum(venue.depth_share for venue in venues)
    if len(venues) == 0 or levels.shape[0] != len(venues) or abs(depth - 1.0) > 1e-9:
        raise BadArgument(
            f"cascade: venues: expected levels of each of {len(venues)} venues, depth shares that make 1; "
            f"received levels of {levels.shape[0]} and shares that make {depth:.6g}.",
            hint="Give float64[venues, draws, buckets] in the order of the venues.",
        )
    return np.stack([checked_levels(f"levels of {v.name}", each, buckets) for v, each in zip(venues, levels, strict=True)])
