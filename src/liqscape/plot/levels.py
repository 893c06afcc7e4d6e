"""A map's levels as a picture needs them: bars per 0.1 % in groups of buckets, and curves summed outward from the mark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.model.arrays import FloatArray
from liqscape.model.maps import INTERVAL_LEVEL, SideLevels

_GROUPS = (1, 2, 3, 5, 10, 20, 50)


@dataclass(frozen=True)
class Bars:
    """Bars of one side, outward; every height is USD per bucket (0.1 % of price) whatever the width of the bar.

    Parameters
    ----------
    edge_price : float64[n + 1], quote per base
    data_usd, prior_usd : float64[n], USD per bucket; data and assumption, their sum is the bar
    truth_usd : float64[n], USD per bucket, or None where the truth is not known
    measured_usd : float64[n], USD per bucket, the part of the data that is known position by position
    """

    edge_price: FloatArray
    data_usd: FloatArray
    prior_usd: FloatArray
    truth_usd: FloatArray | None
    measured_usd: FloatArray

    @property
    def highest_usd(self) -> float:
        """Height of the tallest bar or outline, USD per bucket."""
        tops = self.data_usd + self.prior_usd
        every = tops if self.truth_usd is None else np.concatenate([tops, self.truth_usd])
        return float(every.max(initial=0.0))


@dataclass(frozen=True)
class Curve:
    """Dollars summed outward from the mark, with the ensemble's interval recentred on the map's own value.

    Parameters
    ----------
    price : float64[n + 1], quote per base, from the mark outward
    usd, low_usd, high_usd : float64[n + 1], USD; low and high are NaN where the ensemble says nothing
    """

    price: FloatArray
    usd: FloatArray
    low_usd: FloatArray
    high_usd: FloatArray

    def at(self, price: float) -> tuple[float, float | None, float | None]:
        """Return (sum, low, high) out to a price; between bucket edges mass is spread evenly."""
        outward = self.price if self.price[-1] > self.price[0] else -self.price
        target = price if self.price[-1] > self.price[0] else -price
        values = [float(np.interp(target, outward, y)) for y in (self.usd, self.low_usd, self.high_usd)]
        low, high = (None if np.isnan(v) else v for v in values[1:])
        return values[0], low, high


def buckets_within(levels: SideLevels, mark_price: float, within: float) -> int:
    """Return how many buckets reach into `within` of the mark, the last one perhaps in part."""
    inner = np.abs(levels.edge_price[:-1] / mark_price - 1.0)
    return int(np.count_nonzero(inner < within - 1e-9))


def group_size(buckets: int, pixels: float, smallest: float) -> int:
    """Return how many buckets to join per bar so that no bar is narrower than `smallest` pixels."""
    return next((g for g in _GROUPS if g * pixels >= smallest * buckets), _GROUPS[-1])


def bars_of(levels: SideLevels, count: int, group: int, truth_usd: FloatArray | None) -> Bars:
    """Join the first `count` buckets in groups of `group`; the last group may be smaller."""
    starts = np.arange(0, count, group)
    sizes = np.diff(np.append(starts, count))
    usd, prior = levels.usd[:count], levels.prior_usd[:count]
    prior = np.clip(prior, 0.0, usd)
    return Bars(
        edge_price=levels.edge_price[np.append(starts, count)],
        data_usd=np.add.reduceat(usd - prior, starts) / sizes,
        prior_usd=np.add.reduceat(prior, starts) / sizes,
        truth_usd=None if truth_usd is None else np.add.reduceat(truth_usd[:count], starts) / sizes,
        measured_usd=np.add.reduceat(np.minimum(levels.measured_usd[:count], usd - prior), starts) / sizes,
    )


def curve_of(levels: SideLevels, count: int) -> Curve:
    """Sum the first `count` buckets outward.

    The interval at each price is that of the ensemble's sums there, times (own sum / median of the sums), so that it holds
    the curve; where the median is zero the interval is unknown.
    """
    usd = np.concatenate([[0.0], np.cumsum(levels.usd[:count])])
    low = high = np.full(count + 1, np.nan)
    if levels.draws_usd.shape[0]:
        tail = 0.5 * (1.0 - INTERVAL_LEVEL)
        sums = np.cumsum(levels.draws_usd[:, :count], axis=1)
        quantiles = np.quantile(sums, (tail, 0.5, 1.0 - tail), axis=0)
        centre = np.where(quantiles[1] > 0.0, quantiles[1], np.nan)
        low = np.concatenate([[0.0], usd[1:] * quantiles[0] / centre])
        high = np.concatenate([[0.0], usd[1:] * quantiles[2] / centre])
    return Curve(levels.edge_price[: count + 1], usd, low, high)


def rectangles(left: FloatArray, right: FloatArray, bottom: FloatArray, top: FloatArray) -> list[FloatArray]:
    """Return the corners of n rectangles, each float64[4, 2] of (x, y)."""
    corners = ((left, bottom), (left, top), (right, top), (right, bottom))
    return list(np.stack([np.stack(corner, axis=1) for corner in corners], axis=1))
