"""Cumulative dollars outward from the mark, and the two questions asked of them: how much within, how far for how much.

Dollars are spread evenly inside a bucket, so the cumulative curve is linear there: a window that cuts a bucket takes the
fraction it covers, and the least distance that holds a budget is the exact inverse of the pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import LiquidationMap, SideLevels
from liqscape.model.sides import PositionSide


@dataclass(frozen=True)
class Region:
    """What stands between two distances: the map's own dollars, their prior part and the ensemble.

    Parameters
    ----------
    usd, prior_usd
        USD at the level.
    draws_usd : float64[draws], USD
    measured_usd
        USD at the level that is known position by position, a part of `usd`.
    """

    usd: float
    prior_usd: float
    draws_usd: FloatArray
    measured_usd: float = 0.0

    @property
    def prior_share(self) -> float | None:
        """Fraction of the dollars that is prior; None where there are none."""
        return share(self.prior_usd, self.usd)


@dataclass(frozen=True)
class Curve:
    """One side of a map as cumulative dollars by distance, outward from the mark.

    Parameters
    ----------
    distance : float64[n + 1], absolute distance of the bucket edges, fraction, ascending from 0
    usd, prior_usd : float64[n + 1], USD between the mark and each edge
    """

    levels: SideLevels
    distance: FloatArray
    usd: FloatArray
    prior_usd: FloatArray

    @classmethod
    def of(cls, liquidation_map: LiquidationMap, side: PositionSide) -> Curve:
        """Return the curve of one side of a map."""
        levels = liquidation_map.side(side)
        distance = edge_distance(levels, liquidation_map.mark_price)
        return cls(levels, distance, _cumulative(levels.usd), _cumulative(levels.prior_usd))

    @property
    def reach(self) -> float:
        """Absolute distance of the last edge, fraction."""
        return float(self.distance[-1])

    @cached_property
    def measured_usd(self) -> FloatArray:
        """float64[n + 1], USD between the mark and each edge that is known position by position."""
        return _cumulative(self.levels.measured_usd)

    @cached_property
    def draws_usd(self) -> FloatArray:
        """float64[draws, n + 1], USD between the mark and each edge in each draw."""
        return _cumulative(self.levels.draws_usd)

    @cached_property
    def prior_draws_usd(self) -> FloatArray:
        """float64[draws, n + 1], the same with the weights drawn from the prior alone."""
        return _cumulative(self.levels.prior_draws_usd)

    def between(self, from_distance: float, to_distance: float) -> Region:
        """Return what stands between two absolute distances.

        Raises
        ------
        BadArgument
            If the distances are not 0 <= from < to <= reach of the map.
        """
        self.check(from_distance, to_distance)
        return Region(
            float(self._at(self.usd, to_distance) - self._at(self.usd, from_distance)),
            float(self._at(self.prior_usd, to_distance) - self._at(self.prior_usd, from_distance)),
            self._at(self.draws_usd, to_distance) - self._at(self.draws_usd, from_distance),
            float(self._at(self.measured_usd, to_distance) - self._at(self.measured_usd, from_distance)),
        )

    def prior_draws_within(self, distance: float) -> FloatArray:
        """Return float64[draws], USD within `distance` in each draw of the prior alone."""
        return self._at(self.prior_draws_usd, distance)

    def least_distance(self, usd: float) -> float:
        """Return the least absolute distance whose pool is at least `usd` > 0; NaN if the map holds less."""
        return float(_least_distance(self.distance, self.usd[None, :], usd)[0])

    def least_distance_of_draws(self, usd: float) -> FloatArray:
        """Return float64[draws], the least distance in each draw; NaN where the draw holds less."""
        return _least_distance(self.distance, self.draws_usd, usd)

    def check(self, from_distance: float, to_distance: float) -> None:
        """Refuse distances that the map cannot answer for.

        Raises
        ------
        BadArgument
            If the distances are not 0 <= from < to <= reach of the map.
        """
        if not (0.0 <= from_distance < to_distance <= self.reach + 1e-9):
            raise BadArgument(
                f"distance: expected 0 <= from < to <= {self.reach:g} (the reach of the map), "
                f"received {from_distance:g} to {to_distance:g}",
                hint="Distances are fractions of the mark price: write 2% or 0.02.",
                context={"from_distance": from_distance, "to_distance": to_distance, "reach": self.reach},
            )

    def _at(self, cumulative: FloatArray, distance: float) -> FloatArray:
        """Interpolate [..., n + 1] along its last axis at one distance; exact on an edge."""
        last = self.distance.size - 2
        index = min(int(np.searchsorted(self.distance, distance, side="right")) - 1, last)
        left, right = self.distance[index], self.distance[index + 1]
        fraction = min((distance - left) / (right - left), 1.0)
        if fraction == 0.0 or fraction == 1.0:
            return np.asarray(cumulative[..., index + int(fraction)])
        return np.asarray(cumulative[..., index] + fraction * (cumulative[..., index + 1] - cumulative[..., index]))


def _cumulative(values: FloatArray) -> FloatArray:
    """Sum [..., n] outward into [..., n + 1], beginning with 0 at the mark."""
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=total[..., 1:])
    return total


def _least_distance(distance: FloatArray, cumulative: FloatArray, usd: float) -> FloatArray:
    """Invert cumulative curves [draws, n + 1] at `usd` > 0; NaN where the curve ends below."""
    enough = cumulative >= usd
    edge = np.argmax(enough, axis=1)  # first edge that holds enough; 0 means none, since the first edge holds nothing
    rows = np.arange(len(cumulative))
    below = np.maximum(edge - 1, 0)
    at_below, at_edge = cumulative[rows, below], cumulative[rows, edge]
    fraction = np.zeros(len(cumulative))
    np.divide(usd - at_below, at_edge - at_below, out=fraction, where=edge > 0)
    return np.where(edge > 0, distance[below] + fraction * (distance[edge] - distance[below]), np.nan)


def edge_distance(levels: SideLevels, mark_price: float) -> FloatArray:
    """Return float64[n + 1], the absolute distance of each bucket edge from the mark, fraction.

    Twelve decimals: the noise of the price arithmetic goes, so that a window of 0.01 ends on the edge at 0.01.
    """
    return np.asarray(np.round(np.abs(levels.edge_price / mark_price - 1.0), 12), dtype=np.float64)


def whole_buckets(distance: FloatArray, within: float) -> int:
    """Return how many buckets lie wholly within a distance."""
    return max(int(np.searchsorted(distance, within + 1e-9, side="right")) - 1, 0)


def share(part: float, whole: float) -> float | None:
    """Return part / whole, or None if there is no whole."""
    return part / whole if whole > 0.0 else None


def both(liquidation_map: LiquidationMap) -> tuple[Curve, Curve]:
    """Return the curves of the longs (below the mark) and of the shorts (above it)."""
    return Curve.of(liquidation_map, PositionSide.LONG), Curve.of(liquidation_map, PositionSide.SHORT)
