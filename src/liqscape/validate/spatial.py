"""How far an estimated map lies from exact positions: where the dollars are, how many are near, what a move would cost.

Both maps are float64[2, n]: row 0 longs (below the mark), row 1 shorts (above it), buckets of equal width outward from the mark,
in USD at the level. Shapes are judged after both maps are scaled to one, dollars as they are.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from scipy.stats import rankdata  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from liqscape.errors import BadArgument
from liqscape.model.arrays import BoolArray, FloatArray
from liqscape.model.maps import INTERVAL_LEVEL
from liqscape.model.sides import PositionSide

WITHIN = (0.05, 0.10, 0.20)
NEAR = (0.01, 0.02, 0.05)
MOVE_SHARES = (0.005, 0.01, 0.02, 0.05)  # of open interest
FARTHEST = 0.30  # a budget that needs a longer move has no answer
ZONE = 0.005
CELLS = (0.001, 0.005)
TOP = 0.25


class Transport(Struct, frozen=True, kw_only=True):
    """1-Wasserstein distance of the densities within a distance of the mark, bp of the mark; None where a map is empty there.

    Parameters
    ----------
    within
        Fraction of the mark.
    both_bps
        Longs and shorts as one line from the farthest long to the farthest short.
    long_bps, short_bps
        Each side alone, scaled to one by itself.
    """

    within: float
    both_bps: float | None
    long_bps: float | None
    short_bps: float | None


class NearMass(Struct, frozen=True, kw_only=True):
    """`log(estimated / true)` of the dollars within a distance of the mark; None where either is zero."""

    within: float
    log_error: float | None
    long_log_error: float | None
    short_log_error: float | None


class MoveError(Struct, frozen=True, kw_only=True):
    """The least move of one direction that passes over a budget of dollars: in the estimate, in truth.

    Parameters
    ----------
    side
        Whose levels are passed: LONG is a move down.
    share, usd
        The budget, as a fraction of open interest and in USD.
    estimated, true
        Length of the move, fraction of the mark; None if the map does not hold the budget within 30 %.
    error_bps
        Estimated less true; None unless both exist.
    """

    side: PositionSide
    share: float
    usd: float
    estimated: float | None
    true: float | None
    error_bps: float | None


class ZoneRecall(Struct, frozen=True, kw_only=True):
    """Share of true dollars in the zones that the map calls densest, against what their distance alone gives.

    Parameters
    ----------
    recall
        Zones of each stratum of distance (both sides) are ranked by the map; share of true dollars in the top quarter.
    expected
        The same for a map that ranks them by chance, within the same strata.
    lift
        recall / expected: 1 is a map that knows nothing but distance. None if there are no true dollars.
    """

    zone: float
    stratum: float
    within: float
    recall: float | None
    expected: float | None
    lift: float | None


class CellCoverage(Struct, frozen=True, kw_only=True):
    """Share of cells whose true dollars lie inside the map's own interval.

    Parameters
    ----------
    cell, within
        Width of a cell and distance of the last, fraction of the mark.
    level
        What the intervals claim.
    covered
        None if no cell has an interval.
    """

    cell: float
    within: float
    level: float
    cells: int
    covered: float | None


class SpatialScores(Struct, frozen=True, kw_only=True):
    """Everything that can be asked of a map when positions are known (science.md D2, question 2).

    Parameters
    ----------
    rank_correlation
        Spearman's, over zones of 0.5 % of both sides within 10 %; None if a map is even.
    coverage
        Empty if no draws were given.
    """

    transport: tuple[Transport, ...]
    near: tuple[NearMass, ...]
    rank_correlation: float | None
    moves: tuple[MoveError, ...]
    recall: ZoneRecall
    coverage: tuple[CellCoverage, ...]


def spatial_scores(
    estimated: FloatArray,
    true: FloatArray,
    width: float,
    *,
    open_interest_usd: float,
    draws: FloatArray | None = None,
) -> SpatialScores:
    """Compare an estimated map with exact positions of the same instant.

    Parameters
    ----------
    estimated, true : float64[2, n], USD >= 0
        Long and short, outward from the mark; they reach 20 % at least, 30 % for every question about moves.
    width
        Width of a bucket, fraction of the mark.
    open_interest_usd
        One-sided; the budgets of moves are shares of it.
    draws : float64[2, draws, n], USD
        The map's ensemble; its intervals are recentred on the map's own value.

    Raises
    ------
    BadArgument
        If the maps differ in shape, hold a negative or unknown number, or do not reach 20 %.
    """
    _check(estimated, true, width)
    return SpatialScores(
        transport=tuple(transport(estimated, true, width, within) for within in WITHIN),
        near=tuple(near_mass(estimated, true, width, within) for within in NEAR),
        rank_correlation=rank_correlation(estimated, true, width),
        moves=tuple(
            move_error(estimated, true, width, side, share, open_interest_usd)
            for share in MOVE_SHARES
            for side in (PositionSide.LONG, PositionSide.SHORT)
        ),
        recall=zone_recall(estimated, true, width),
        coverage=() if draws is None else tuple(cell_coverage(estimated, draws, true, width, cell) for cell in CELLS),
    )


def transport(estimated: FloatArray, true: FloatArray, width: float, within: float) -> Transport:
    """Return how far dollars would have to be carried, on average, to make one shape of the other.

    `W1 = integral |F - G|` over distance, F and G the cumulated shares. Dollars stand at the outer edge of their bucket, which
    no distance between two maps can tell from its middle.

    Examples
    --------
    >>> one, other = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 0.0]])
    >>> transport(one, other, 0.01, 0.02)
    Transport(within=0.02, both_bps=100.0, long_bps=100.0, short_bps=None)
    """
    n = _buckets(estimated, width, within)
    mine, theirs = estimated[:, :n], true[:, :n]
    return Transport(
        within=within,
        both_bps=_w1_bps(_line(mine), _line(theirs), width),
        long_bps=_w1_bps(mine[0], theirs[0], width),
        short_bps=_w1_bps(mine[1], theirs[1], width),
    )


def near_mass(estimated: FloatArray, true: FloatArray, width: float, within: float) -> NearMass:
    """Return the log error of the dollars within a distance, both sides together and each alone."""
    n = _buckets(estimated, width, within)
    mine, theirs = estimated[:, :n].sum(axis=1), true[:, :n].sum(axis=1)
    return NearMass(
        within=within,
        log_error=_log_ratio(float(mine.sum()), float(theirs.sum())),
        long_log_error=_log_ratio(float(mine[0]), float(theirs[0])),
        short_log_error=_log_ratio(float(mine[1]), float(theirs[1])),
    )


def rank_correlation(
    estimated: FloatArray, true: FloatArray, width: float, within: float = 0.10, zone: float = ZONE
) -> float | None:
    """Return Spearman's correlation of the dollars in zones of both sides; None if either map is even."""
    mine, theirs = (rankdata(_zones(side, width, within, zone)) for side in (estimated, true))
    if np.ptp(mine) == 0.0 or np.ptp(theirs) == 0.0:
        return None
    return float(np.corrcoef(mine, theirs)[0, 1])


def move_error(
    estimated: FloatArray, true: FloatArray, width: float, side: PositionSide, share: float, open_interest_usd: float
) -> MoveError:
    """Return how far the price must go to pass over `share` of open interest: in the estimate, in truth, and the difference."""
    row, usd = (0 if side is PositionSide.LONG else 1), share * open_interest_usd
    mine, theirs = (least_move(side_usd[row], width, usd) for side_usd in (estimated, true))
    error = None if mine is None or theirs is None else (mine - theirs) * 1e4
    return MoveError(side=side, share=share, usd=usd, estimated=mine, true=theirs, error_bps=error)


def least_move(usd: FloatArray, width: float, budget_usd: float) -> float | None:
    """Return the least distance within which `budget_usd` stand, dollars even inside a bucket; None beyond 30 %.

    Examples
    --------
    >>> least_move(np.array([0.0, 10.0, 10.0]), 0.01, 15.0)
    0.025
    """
    reached = np.concatenate(([0.0], np.cumsum(usd)))
    if budget_usd > reached[-1]:
        return None
    i = int(np.searchsorted(reached, budget_usd, side="left"))
    inside = (budget_usd - reached[i - 1]) / (reached[i] - reached[i - 1]) if i else 0.0
    distance = (max(i - 1, 0) + inside) * width
    return float(distance) if distance <= FARTHEST * (1.0 + 1e-9) else None


def zone_recall(
    estimated: FloatArray, true: FloatArray, width: float, within: float = 0.10, zone: float = CELLS[0], stratum: float = 0.01
) -> ZoneRecall:
    """Return the share of true dollars in the densest quarter of the zones of each stratum of distance, both sides together.

    A stratum is a ring of distances: all its zones are about equally far, so ranking them needs more than the nearness of the
    mark. Zones that the map does not tell apart share the places that are left, so an even map has a lift of exactly 1.
    """
    mine, theirs = (_zones(side, width, within, zone).reshape(2, -1) for side in (estimated, true))
    per = round(stratum / zone)
    found = expected = 0.0
    for first in range(0, mine.shape[1], per):
        ours, real = mine[:, first : first + per].ravel(), theirs[:, first : first + per].ravel()
        chosen = top_share(ours, TOP)
        found += float(chosen @ real)
        expected += float(chosen.mean() * real.sum())
    total = float(theirs.sum())
    return ZoneRecall(
        zone=zone,
        stratum=stratum,
        within=within,
        recall=found / total if total > 0.0 else None,
        expected=expected / total if total > 0.0 else None,
        lift=found / expected if expected > 0.0 else None,
    )


def top_share(values: FloatArray, share: float) -> FloatArray:
    """float64[n], how much of each value belongs to the top `share` of all; equal values share the places that are left.

    Examples
    --------
    >>> top_share(np.array([3.0, 1.0, 1.0, 2.0]), 0.75).tolist()
    [1.0, 0.5, 0.5, 1.0]
    """
    places = share * values.size
    order = rankdata(-values, method="min") - 1.0  # how many are larger
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.clip((places - order) / count[group], 0.0, 1.0)


def cell_coverage(
    estimated: FloatArray, draws: FloatArray, true: FloatArray, width: float, cell: float, within: float = 0.10
) -> CellCoverage:
    """Return the share of cells whose true dollars lie inside the map's interval.

    The interval of a cell is that of every printed number: `value * q10 / q50` to `value * q90 / q50` of its draws. A cell whose
    draws are nought has none and is not counted.
    """
    outside = 0.5 * (1.0 - INTERVAL_LEVEL)
    value, real = _zones(estimated, width, within, cell), _zones(true, width, within, cell)
    ensemble = np.stack([_zones(draws[:, i], width, within, cell) for i in range(draws.shape[1])])
    low, middle, high = np.quantile(ensemble, (outside, 0.5, 1.0 - outside), axis=0, method="inverted_cdf")
    known: BoolArray = middle > 0.0
    ratio = np.divide(value, middle, out=np.zeros_like(value), where=known)
    inside = (real >= low * ratio) & (real <= high * ratio)
    cells = int(known.sum())
    return CellCoverage(
        cell=cell,
        within=within,
        level=INTERVAL_LEVEL,
        cells=cells,
        covered=float(inside[known].mean()) if cells else None,
    )


def _check(estimated: FloatArray, true: FloatArray, width: float) -> None:
    if estimated.shape != true.shape or estimated.ndim != 2 or estimated.shape[0] != 2:
        raise BadArgument(f"spatial scores: expected two maps of shape (2, n), received {estimated.shape} and {true.shape}")
    for name, usd in (("estimated", estimated), ("true", true)):
        if not (np.isfinite(usd) & (usd >= 0.0)).all():
            raise BadArgument(f"spatial scores: the {name} map holds a negative or unknown number of dollars")
    _buckets(estimated, width, max(WITHIN))


def _buckets(usd: FloatArray, width: float, within: float) -> int:
    n = round(within / width)
    if n > usd.shape[-1]:
        raise BadArgument(
            f"spatial scores: the maps reach {usd.shape[-1] * width:.4g} of the mark, {within:.4g} is needed",
            hint="Give more buckets, or ask within a smaller distance.",
        )
    return n


def _line(usd: FloatArray) -> FloatArray:
    """Return both sides as one line, from the farthest long to the farthest short."""
    return np.concatenate([usd[0][::-1], usd[1]])


def _zones(usd: FloatArray, width: float, within: float, zone: float) -> FloatArray:
    """float64[2 * zones], dollars in zones of both sides, longs first, outward."""
    per = round(zone / width)
    if per < 1 or abs(per * width - zone) > 1e-9 * zone:
        raise BadArgument(f"spatial scores: a zone of {zone:.4g} is not a whole number of buckets of {width:.4g}")
    n = _buckets(usd, width, within) // per * per
    return usd[:, :n].reshape(2, -1, per).sum(axis=2).ravel()


def _w1_bps(one: FloatArray, other: FloatArray, width: float) -> float | None:
    totals = float(one.sum()), float(other.sum())
    if min(totals) <= 0.0:
        return None
    return float(np.abs(np.cumsum(one) / totals[0] - np.cumsum(other) / totals[1])[:-1].sum()) * width * 1e4


def _log_ratio(estimated: float, true: float) -> float | None:
    return math.log(estimated / true) if estimated > 0.0 and true > 0.0 else None
