"""Candles joined until their bodies can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.model.arrays import FloatArray, IntArray
from liqscape.model.maps import Heatmap
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

_NICE_NS = (
    *(n * NS_PER_MINUTE for n in (1, 2, 3, 5, 10, 15, 30)),
    *(n * NS_PER_HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    *(n * NS_PER_DAY for n in (1, 2, 3, 7)),
)


@dataclass(frozen=True)
class Candles:
    """Candles of one length; those without any known bar are left out.

    Parameters
    ----------
    length_ns
        Time from the start of one candle to the next.
    start_ns : int64[n], ns UTC
    open, high, low, close : float64[n], quote per base
    """

    length_ns: int
    start_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray


def candles_of(heatmap: Heatmap, most: int) -> Candles:
    """Join the heatmap's columns into at most about `most` candles of a round length, aligned to UTC."""
    known = np.isfinite(heatmap.close) & np.isfinite(heatmap.high) & np.isfinite(heatmap.low) & np.isfinite(heatmap.open)
    start = heatmap.start_ns[known]
    prices = [series[known] for series in (heatmap.open, heatmap.high, heatmap.low, heatmap.close)]
    span = int(heatmap.start_ns[-1] - heatmap.start_ns[0]) + heatmap.interval_ns
    if span // heatmap.interval_ns <= most or start.size == 0:
        return Candles(heatmap.interval_ns, start, *prices)
    interval = heatmap.interval_ns
    length = next((n for n in _NICE_NS if n % interval == 0 and n * most >= span), -(-span // (most * interval)) * interval)
    firsts = np.flatnonzero(np.diff(start // length, prepend=-1))
    lasts = np.append(firsts[1:], start.size) - 1
    return Candles(
        length,
        start[firsts] // length * length,
        prices[0][firsts],
        np.maximum.reduceat(prices[1], firsts),
        np.minimum.reduceat(prices[2], firsts),
        prices[3][lasts],
    )
