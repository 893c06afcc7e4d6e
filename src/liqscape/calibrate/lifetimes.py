"""How long positions stand: survival between snapshots of tracked accounts, and its split into lifetime classes."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from liqscape.calibrate.sample import PositionSample
from liqscape.errors import NoData
from liqscape.model import BarSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_S

_SAME = 1e-6  # relative change of the entry price below which it is the same position, made smaller
_ROUNDS = 300


@dataclass(frozen=True)
class Survivals:
    """Positions seen at one snapshot whose account was seen at the next one too.

    Parameters
    ----------
    gap_s : float64[n], seconds between the two
    usd : float64[n], notional at the first
    survived : float64[n], part of the contracts that still stood at the second, 0 to 1
    distance : float64[n], from entry to liquidation, fraction; inf where no price liquidates
    sign : int64[n]
    """

    gap_s: FloatArray
    usd: FloatArray
    survived: FloatArray
    distance: FloatArray
    sign: IntArray

    def select(self, rows: BoolArray) -> Survivals:
        """Return some of the rows."""
        return Survivals(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def survivals(sample: PositionSample, bars: BarSeries | None = None) -> Survivals:
    """Follow each position to the next snapshot that saw its account.

    An account that left the sample says nothing; one that was seen flat, or on the other side, closed. A smaller size at the same
    entry price closed in part; a new entry price without a larger size is another position. Positions whose level price passed
    between the snapshots are left out: those were not closed by will.

    Raises
    ------
    NoData
        If no account was seen twice.
    """
    order = np.lexsort((sample.ts_ns, sample.account))
    first, second = order[:-1], order[1:]
    followed = (sample.account[first] == sample.account[second]) & sample.held[first]
    first, second = first[followed], second[followed]
    low, high = _extremes(sample, first, second, bars)
    level, long = sample.liquidation_price[first], sample.sign[first] > 0
    swept = np.where(long, low <= level, high >= level)
    first, second = first[~swept], second[~swept]
    if first.size == 0:
        raise NoData("lifetimes: no account of the sample was seen at two instants with a position that price left alone")
    same_side = sample.sign[first] == sample.sign[second]
    before, after = sample.quantity_base[first], sample.quantity_base[second]
    moved = np.abs(sample.entry_price[second] / sample.entry_price[first] - 1.0) > _SAME
    part = np.where(same_side & ~(moved & (after <= before)), np.minimum(after / before, 1.0), 0.0)
    return Survivals(
        gap_s=(sample.ts_ns[second] - sample.ts_ns[first]) / NS_PER_S,
        usd=sample.notional_usd[first],
        survived=part,
        distance=sample.distance_from_entry()[first],
        sign=sample.sign[first],
    )


def _extremes(sample: PositionSample, first: IntArray, second: IntArray, bars: BarSeries | None) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and highest price between two rows: of the bars that lie between them, and of both marks."""
    marks = sample.mark_price[first], sample.mark_price[second]
    low, high = np.minimum(*marks), np.maximum(*marks)
    if bars is None:
        return low, high
    start = np.searchsorted(bars.start_ns, sample.ts_ns[first])
    stop = np.searchsorted(bars.end_ns, sample.ts_ns[second], side="right")
    pairs, back = np.unique(np.stack([start, stop]), axis=1, return_inverse=True)
    lows = np.array([bars.low[a:b].min() if b > a else np.inf for a, b in pairs.T])
    highs = np.array([bars.high[a:b].max() if b > a else -np.inf for a, b in pairs.T])
    return np.minimum(low, lows[back]), np.maximum(high, highs[back])


def class_shares(lives: Survivals, weight: FloatArray, class_life_s: FloatArray) -> FloatArray:
    """Return the share of standing notional in each lifetime class, float64[classes], summing to 1.

    Parameters
    ----------
    lives
        Followed positions.
    weight : float64[n], how much each counts besides its notional
    class_life_s : float64[classes], mean lifetime of each class, seconds

    Notes
    -----
    Maximum likelihood of a mixture of exponential lives, by expectation and maximisation from equal shares: a position of class c
    stands after a gap g with probability `exp(-g / life_c)`. A snapshot meets positions in proportion to their standing, so these
    are shares of the stock. Classes that are shorter than all gaps cannot be told apart and share what is theirs evenly.

    Examples
    --------
    >>> lives = Survivals(np.array([3600.0]), np.ones(1), np.array([0.5]), np.array([0.1]), np.array([1]))
    >>> class_shares(lives, np.ones(1), np.array([1e9, 60.0])).round(3).tolist()
    [0.5, 0.5]
    """
    gap_s, row = np.unique(np.round(lives.gap_s, -1), return_inverse=True)  # to ten seconds: only sums by gap are needed
    count = weight * lives.usd
    stood_usd = np.bincount(row, weights=count * lives.survived)
    gone_usd = np.bincount(row, weights=count * (1.0 - lives.survived))
    alive = np.exp(-gap_s[:, None] / class_life_s)
    shares = np.full(class_life_s.size, 1.0 / class_life_s.size)
    total = float(count.sum())
    if total <= 0.0:
        return shares
    for _ in range(_ROUNDS):
        stood, gone = alive * shares, (1.0 - alive) * shares
        shares = stood_usd @ (stood / np.maximum(stood.sum(axis=1, keepdims=True), 1e-300))
        shares += gone_usd @ (gone / np.maximum(gone.sum(axis=1, keepdims=True), 1e-300))
        shares /= total
    return shares / shares.sum()
