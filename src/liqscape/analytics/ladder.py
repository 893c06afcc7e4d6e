"""The ladder: bars on the price axis, cumulative outward, with the depth of the book in the same dollars (feature F10)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from msgspec import Struct

from liqscape.analytics._curves import Curve, Region
from liqscape.analytics._estimates import positive
from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Estimate, LiquidationMap
from liqscape.model.sides import PositionSide

DEFAULT_STEP = 0.005
MOST_ROWS = 1000


class RestingOrders(Struct, frozen=True, kw_only=True):
    """An order book as it stood.

    Parameters
    ----------
    distance : float64[n], fractions of the price, ascending, > 0
    bid_usd, ask_usd : float64[n], USD resting between the price and each distance
    ts_ns
        When, ns UTC.
    """

    distance: FloatArray
    bid_usd: FloatArray
    ask_usd: FloatArray
    ts_ns: int


class LadderRow(Struct, frozen=True, kw_only=True):
    """One bar.

    Parameters
    ----------
    price, distance
        Of the bar's outer edge: quote per base, and signed fraction.
    usd
        USD between the edge before and this one.
    sum_out_usd
        USD between the mark and this edge.
    data_share
        Fraction of the bar that is data and not prior; None where the bar is empty.
    depth_usd
        USD resting in the book between the edges, on the side that the bar's forced orders meet; None where no book reaches.
    measured_usd
        The part of `usd` that is known position by position; None if nothing of the map is.
    """

    price: float
    distance: float
    usd: Estimate
    sum_out_usd: Estimate
    data_share: float | None
    depth_usd: float | None = None
    measured_usd: float | None = None


class Ladder(Struct, frozen=True, kw_only=True):
    """Bars of both sides, each from the mark outward.

    Parameters
    ----------
    step, within
        Height of a bar and distance window, fractions of the mark price.
    short, long
        Above and below the mark.
    depth_ts_ns
        When the book stood so, ns UTC; None without one.
    """

    mark_price: float
    step: float
    within: float
    short: tuple[LadderRow, ...]
    long: tuple[LadderRow, ...]
    depth_ts_ns: int | None = None


def ladder(
    liquidation_map: LiquidationMap, within: float = 0.05, step: float = DEFAULT_STEP, book: RestingOrders | None = None
) -> Ladder:
    """Cut both sides into bars of equal distance (F10).

    Parameters
    ----------
    within
        Distance window, fraction.
    step
        Height of a bar, fraction; the outermost bar is cut at `within`.
    book
        Orders that rest in the book: asks above the mark take forced purchases, bids below it take forced sales.

    Raises
    ------
    BadArgument
        If the step is not positive, makes more than 1,000 bars a side, or the window lies beyond the reach of the map.
    """
    if not (step > 0.0 and within / step <= MOST_ROWS + 1e-9):
        raise BadArgument(
            f"step: expected at least {within / MOST_ROWS:g} (1,000 bars a side), received {step:g}",
            hint="0.5% gives 10 bars a side within 5%.",
        )
    rows = max(math.ceil(within / step - 1e-9), 1)
    # Twelve decimals keep 3 * 0.005 on the edge at 0.015.
    edges = [*(round(k * step, 12) for k in range(rows)), within]
    return Ladder(
        mark_price=liquidation_map.mark_price,
        step=step,
        within=within,
        short=_bars(liquidation_map, PositionSide.SHORT, edges, book),
        long=_bars(liquidation_map, PositionSide.LONG, edges, book),
        depth_ts_ns=None if book is None else book.ts_ns,
    )


def _bars(
    liquidation_map: LiquidationMap, side: PositionSide, edges: list[float], book: RestingOrders | None
) -> tuple[LadderRow, ...]:
    curve = Curve.of(liquidation_map, side)
    sign = -side.sign
    bars: list[LadderRow] = []
    for near, far in pairwise(edges):
        bar = curve.between(near, far)
        bars.append(
            LadderRow(
                price=liquidation_map.mark_price * (1.0 + sign * far),
                distance=sign * far,
                usd=_estimate(bar),
                sum_out_usd=_estimate(curve.between(0.0, far)),
                data_share=None if bar.prior_share is None else 1.0 - bar.prior_share,
                depth_usd=None if book is None else _resting(book, side, near, far),
                measured_usd=bar.measured_usd if liquidation_map.balance.measured_share > 0.0 else None,
            )
        )
    return tuple(bars)


def _resting(book: RestingOrders, side: PositionSide, near: float, far: float) -> float | None:
    """USD between two distances, None beyond the book's reach: what was not seen is not nought."""
    if far > book.distance[-1] + 1e-12:
        return None
    usd = book.ask_usd if side is PositionSide.SHORT else book.bid_usd
    at, sums = np.append(0.0, book.distance), np.append(0.0, usd)
    return float(np.interp(far, at, sums) - np.interp(near, at, sums))


def _estimate(region: Region) -> Estimate:
    return positive(region.usd, region.draws_usd, prior_share=region.prior_share)
