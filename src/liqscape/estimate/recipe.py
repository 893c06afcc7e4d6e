"""The constants of the estimator, named, with the ensemble of structural members.

The recipe is the one that scored best on real data: voluntary churn in three lifetime classes, tiers of effective distance
and not of nominal leverage, a power-law prior, learning online, deaths inside the bar, smeared tiers, entries over the range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

MODEL = "L3.2/24"
REFERENCE_BAR_NS = 5 * NS_PER_MINUTE
FARTHEST = 0.97  # no level lies farther than this fraction from its entry


@dataclass(frozen=True)
class Recipe:
    """Constants of one structural member.

    Parameters
    ----------
    tiers
        Number of distance tiers, log-spaced between `nearest` and `farthest` (fractions of the entry price).
    churn
        Voluntary closing rate of each lifetime class per 5 minutes; lives of about 83 h, 2.8 h and 8 min.
    smear, nodes, blur
        Each tier is split evenly over the distances d * exp(smear * node), and each node is spread evenly over `blur` times
        `smear` of log distance. One node spread over four tier spacings: every distance is covered by four tiers, so that
        neither tiers nor nodes draw false levels. (Five sharp nodes score the same and draw echoes of the path.)
    step, coarser
        Width of a grid cell in log price, and the distances from which cells are twice as wide, twice again, and so on.
    streams
        Clocks by which positions turn over (`flows.STREAMS`); every lifetime class is carried once for each, stream by stream.
    in_bar, tilt
        Weight of deaths within the opening bar; strength with which openings follow the last hour's return.
    exponent, prior_strength
        Prior weights grow like d ** exponent; strength as a share of the mean exposure in the fit.
    measured
        Prior weights of longs and of shorts, tier by tier and class by class, in place of the power law: what measured positions
        say. Only their shape counts. A member with another exponent bends them by the difference from the default.
    mix_half_life_h
        Forgetting of the learned mix.
    fast, slow
        Level filters: half-life in hours, prior in typical intervals, power.
    slow_needs
        Intervals that the slow level's half-life must hold, or it stays at 1: of 4-hour sums it would follow the noise (found
        on ETH, SOL and another year of BTC, after their scores had been seen).
    floor_usd_per_h
        Added per hour and side, so that quiet hours are not predicted at zero.
    drawn_from
        Tiers nearer than this feed the prediction and not the picture: they are a statistic of the path, not a stock.
    """

    tiers: int = 24
    nearest: float = 0.002
    farthest: float = 0.6
    churn: tuple[float, ...] = (0.001, 0.03, 0.45)
    smear: float = math.log(300.0) / 23.0
    nodes: tuple[float, ...] = (0.0,)
    blur: float = 4.0
    streams: tuple[str, ...] = ("even",)
    step: float = 0.0005
    coarser: tuple[float, ...] = (0.01, 0.025, 0.06, 0.15, 0.4)
    in_bar: float = 4.0
    tilt: float = 0.5
    exponent: float = 1.5
    prior_strength: float = 0.03
    measured: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    mix_half_life_h: float = 24.0 * 60.0
    fast: tuple[float, float, float] = (12.0, 20.0, 0.5)
    slow: tuple[float, float, float] = (240.0, 20.0, 0.75)
    slow_needs: float = 120.0
    floor_usd_per_h: float = 5e3
    drawn_from: float = 0.005

    @property
    def classes(self) -> int:
        """Number of classes: a lifetime and a stream each, the lifetimes of the first stream first."""
        return len(self.churn) * len(self.streams)

    @property
    def distances(self) -> FloatArray:
        """float64[tiers], effective distance of each tier, fraction of the entry price."""
        return np.geomspace(self.nearest, self.farthest, self.tiers)

    @property
    def class_life_s(self) -> FloatArray:
        """float64[classes], mean voluntary lifetime in seconds."""
        return np.tile(REFERENCE_BAR_NS / NS_PER_S / np.array(self.churn), len(self.streams))

    @property
    def drawn(self) -> FloatArray:
        """float64[tiers], 1 where the tier is drawn and 0 where it only feeds the prediction."""
        return (self.distances >= self.drawn_from).astype(np.float64)

    @property
    def fineness(self) -> FloatArray:
        """float64[tiers], cells per unit of log price; powers of two times `step`, so that the grids of all tiers nest."""
        doublings = np.sum(self.distances[:, None] >= np.array(self.coarser), axis=1)
        return 1.0 / (self.step * 2.0**doublings)

    def offsets(self) -> FloatArray:
        """float64[2, tiers, nodes, 3], log price of a level less that of its entry: middle, lower and upper end of a node."""
        reach = self.smear * (np.array(self.nodes)[:, None] + self.blur * np.array([0.0, -0.5, 0.5]))
        d = np.minimum(self.distances[:, None, None] * np.exp(reach), FARTHEST)
        return np.stack([np.log1p(-d[..., [0, 2, 1]]), np.log1p(d)])

    def churn_per_bar(self, interval_ns: int) -> FloatArray:
        """float64[classes], closing rate per bar of another length: 1 - (1 - churn) ** (length / 5 min)."""
        if interval_ns <= 0:
            raise BadArgument(f"bar interval: expected a positive length, received {interval_ns} ns")
        return np.tile(1.0 - (1.0 - np.array(self.churn)) ** (interval_ns / REFERENCE_BAR_NS), len(self.streams))

    def prior_shape(self) -> FloatArray:
        """float64[tiers * classes], prior weights up to their scale: the share of a unit of log distance, equal over classes."""
        spacing = np.log(self.farthest / self.nearest) / max(self.tiers - 1, 1) / len(self.streams)
        return np.repeat((self.distances / 0.02) ** self.exponent * spacing, self.classes)

    def prior_shapes(self) -> FloatArray:
        """float64[2, tiers * classes], prior weights of each side up to its scale: measured ones, or the power law.

        Measured weights place as much in all as the power law does, so that one scale means the same in both.
        """
        power = self.prior_shape()
        if self.measured is None:
            return np.stack([power, power])
        shape = np.array(self.measured)
        if shape.shape != (2, power.size) or not (shape > 0.0).all():
            raise BadArgument(
                f"recipe: measured weights must be positive, {power.size} a side, received shape {shape.shape},"
                f" smallest {shape.min():.3g}"
            )
        bend = np.repeat((self.distances / 0.02) ** (self.exponent - Recipe.exponent), self.classes)
        return shape * bend * (power.sum() / (shape * bend).sum(axis=1, keepdims=True))

    def decay(self, interval_ns: int) -> FloatArray:
        """float64[3], forgetting per interval of the mix and of the fast and the slow level."""
        hours = interval_ns / NS_PER_HOUR
        return 0.5 ** (hours / np.array([self.mix_half_life_h, self.fast[0], self.slow[0]]))


def members(base: Recipe | None = None) -> tuple[Recipe, ...]:
    """Return the structural members of the ensemble; the first is the scored recipe, the others bracket what it cannot know.

    Churn, prior exponent and smear move together from short-lived, flat and sharp to long-lived, steep and broad.
    """
    recipe = base or Recipe()

    def variant(churn: float, exponent: float, smear: float) -> Recipe:
        rates = tuple(min(0.9, rate * churn) for rate in recipe.churn)
        return replace(recipe, churn=rates, exponent=recipe.exponent + exponent, smear=recipe.smear * smear)

    return recipe, variant(1.5, -0.25, 0.75), variant(0.67, 0.25, 1.5)
