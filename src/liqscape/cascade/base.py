"""What the parts share: the direction of a shock, numbers known up to a factor, and the two interfaces of absorption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import NormalDist
from typing import Protocol

import numpy as np
from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.model.maps import INTERVAL_LEVEL, Estimate
from liqscape.model.sides import PositionSide

SEED = 20_260_216
NORMAL_90 = 1.2815515655446004  # a normal number lies below it in 90 % of all draws: 80 % lie within +- of it


class Direction(StrEnum):
    """Where a shock pushes the price: up against the asks into shorts, down against the bids into longs."""

    UP = "up"
    DOWN = "down"

    @property
    def sign(self) -> int:
        """+1 up, -1 down."""
        return 1 if self is Direction.UP else -1

    @property
    def other(self) -> Direction:
        """The opposite direction."""
        return Direction.DOWN if self is Direction.UP else Direction.UP

    @property
    def forced_side(self) -> PositionSide:
        """The positions that are force-closed on the way."""
        return PositionSide.SHORT if self is Direction.UP else PositionSide.LONG


class Factor(Struct, frozen=True, kw_only=True):
    """A positive number that is known up to a factor: lognormal, 80 % of it between `lo` and `hi`.

    Parameters
    ----------
    median, lo, hi
        In one unit; equal where the number is known exactly.
    source
        What it was fitted to, or who said so, or that it is assumed.
    date
        The days of the data, or the day the source was read.
    """

    median: float
    lo: float
    hi: float
    source: str
    date: str

    def __post_init__(self) -> None:
        """Refuse what is no positive interval around its median."""
        if not (0.0 < self.lo <= self.median <= self.hi < math.inf):
            raise BadArgument(
                f"cascade: factor: expected 0 < lo <= median <= hi, received {self.lo}, {self.median}, {self.hi}.",
                hint="Give three positive numbers in ascending order; equal ones where nothing is uncertain.",
            )

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return math.log(self.hi / self.lo) / (2.0 * NORMAL_90)

    def draws(self, generator: np.random.Generator, count: int) -> FloatArray:
        """Return float64[count], one draw from each of `count` equally likely strata, in random order.

        Strata keep the ensemble's median and spread close to the factor's own already with few draws.
        """
        return self.median * np.exp(self.sigma * stratified_normal(generator, count))

    def times(self, scale: float) -> Factor:
        """Return the factor in another unit, or corrected by a calibration."""
        return Factor(median=self.median * scale, lo=self.lo * scale, hi=self.hi * scale, source=self.source, date=self.date)


def stratified_normal(generator: np.random.Generator, count: int) -> FloatArray:
    """Return float64[count], standard normal, one from each of `count` equally likely strata, in random order."""
    strata = np.clip((generator.permutation(count) + generator.random(count)) / count, 1e-12, 1.0 - 1e-12)
    # Not scipy's: loading it takes longer than a whole cascade.
    return np.fromiter(map(NormalDist().inv_cdf, strata.tolist()), np.float64, count)


def exactly(value: float, source: str = "given", date: str = "") -> Factor:
    """Return a factor without uncertainty."""
    return Factor(median=value, lo=value, hi=value, source=source, date=date)


class Probability(Struct, frozen=True, kw_only=True):
    """A share of the ensemble with the standard error that comes from its finite number of draws."""

    value: float
    error: float


class Depth(Protocol):
    """How many dollars stand between the mark and a distance."""

    def cumulative(self, distance: FloatArray, direction: Direction, generator: np.random.Generator, draws: int) -> FloatArray:
        """Return float64[draws, n], USD up to each distance, not descending along a row."""
        ...


class Multiplier(Protocol):
    """What is absorbed within a horizon, per dollar that stands."""

    def factors(self, horizon_s: float, generator: np.random.Generator, draws: int) -> FloatArray:
        """Return float64[draws], > 0."""
        ...


def interval(values: FloatArray) -> Estimate:
    """Return median and central 80 % of draws; unknown (None) if there are none."""
    if values.size == 0:
        return Estimate(median=None, lo=None, hi=None)
    tail = 0.5 * (1.0 - INTERVAL_LEVEL)
    lo, median, hi = np.quantile(values, (tail, 0.5, 1.0 - tail))
    return Estimate(median=float(median), lo=float(lo), hi=float(hi))


def share(draws: Sequence[IntArray], event: BoolArray) -> Probability:
    """Return the share of paths with an event, and its standard error.

    Parameters
    ----------
    draws : int64[paths] each, which draw of the map, of absorption, ... a path used
    event : bool[paths]

    Notes
    -----
    Paths share draws: the error is that of the means over map draws and over absorption draws, added in squares, which counts
    what is left within a draw twice: it is rather too large than too small.
    """
    variance = 0.0
    for draw in draws:
        count = np.bincount(draw)
        means = np.bincount(draw, weights=event)[count > 0] / count[count > 0]
        variance += float(means.var(ddof=1)) / means.size if means.size > 1 else 0.0
    return Probability(value=float(event.mean()), error=variance**0.5)


def pairs(map_draws: int, absorption_draws: int, paths: int) -> tuple[IntArray, IntArray]:
    """Join draws in rotation: every map draw meets another absorption draw each time it comes round."""
    k = np.arange(paths)
    return k % map_draws, (k % map_draws + k // map_draws) % absorption_draws


def summed(levels: FloatArray) -> FloatArray:
    """Sum dollars outward along the last axis: float64[..., n] of buckets to float64[..., n + 1] at the edges."""
    total = np.zeros((*levels.shape[:-1], levels.shape[-1] + 1))
    np.cumsum(levels, axis=-1, out=total[..., 1:])
    return total


def checked_distance(distance: FloatArray) -> FloatArray:
    """Return the edges of the grid if they begin at 0 and ascend.

    Raises
    ------
    BadArgument
        Otherwise.
    """
    edges = np.ascontiguousarray(distance, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or edges[0] != 0.0 or not np.all(np.diff(edges) > 0.0) or not np.isfinite(edges[-1]):
        raise BadArgument(
            f"cascade: distance: expected at least 2 ascending fractions of the mark that begin at 0, received {_brief(edges)}.",
            hint="Use the edges of the map: bucket width times 0, 1, 2, ...",
        )
    return edges


def checked_usd(name: str, usd: float) -> float:
    """Return an amount of dollars if it is finite and not negative.

    Raises
    ------
    BadArgument
        Otherwise.
    """
    if not (0.0 <= usd < math.inf):
        raise BadArgument(
            f"cascade: {name}: expected dollars >= 0, received {usd}.",
            hint="A shock is a size; say which way it pushes with direction (up or down).",
        )
    return float(usd)


def checked_levels(name: str, levels: FloatArray, buckets: int) -> FloatArray:
    """Return float64[draws, buckets] of dollars if it is that: finite, not negative, at least one draw.

    Raises
    ------
    BadArgument
        Otherwise.
    """
    found = np.ascontiguousarray(levels, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] == 0 or found.shape[1] != buckets:
        raise BadArgument(
            f"cascade: {name}: expected an array of draws x {buckets} buckets, received shape {found.shape}.",
            hint="Map and absorption must stand on the same distances.",
        )
    if not (np.all(np.isfinite(found)) and found.min(initial=0.0) >= 0.0):
        raise BadArgument(
            f"cascade: {name}: expected finite dollars >= 0 in every bucket, received {found.min()} .. {found.max()}.",
            hint="Unknown levels must be left out by the caller; a negative level has no meaning.",
        )
    return found


def _brief(values: FloatArray) -> str:
    return f"{values.size} values" if values.size > 4 or values.ndim != 1 else str(values.tolist())
