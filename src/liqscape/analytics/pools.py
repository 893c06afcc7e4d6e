"""Pools and their comparison by window: features F01 to F04, with the shape of each side (F08, F09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from liqscape.analytics._curves import Curve, Region, both, share
from liqscape.analytics._estimates import positive, quantile, signed
from liqscape.analytics.shape import SideShape, side_shape
from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Estimate, LiquidationMap
from liqscape.model.sides import PositionSide

DEFAULT_WITHIN = (0.01, 0.02, 0.05, 0.10, 0.20)
TOO_SMALL_SHARE = 0.0002  # of open interest: a smaller pool is not compared (amendment to F02)
LARGEST_RATIO = 10.0  # a ratio beyond is printed as "> 10 : 1"
PRIOR_PERCENTILE = 0.95
TOO_SMALL = "too small to compare"


class Comparison(Struct, frozen=True, kw_only=True):
    """Shorts against longs over two stretches of equal distance.

    Parameters
    ----------
    long_pool_usd, short_pool_usd
        USD at the level.
    ratio
        short / long; None where the smaller pool is under 0.02 % of open interest, with the reason in `ratio_reason`.
    ratio_text
        The ratio as it is printed.
    imbalance
        (short - long) / (short + long), -1 to +1; None if both pools are empty.
    long_share_of_open_interest, short_share_of_open_interest
        Pool / one-sided open interest, fraction.
    """

    long_pool_usd: Estimate
    short_pool_usd: Estimate
    ratio: Estimate | None
    ratio_text: str
    ratio_reason: str | None
    imbalance: Estimate | None
    long_share_of_open_interest: float | None
    short_share_of_open_interest: float | None


class WindowRow(Comparison, frozen=True, kw_only=True):
    """The comparison within one distance of the mark.

    Parameters
    ----------
    distance
        Both sides within this absolute distance, fraction.
    long_plausible_share, short_plausible_share
        95th percentile of pool / open interest when the weights are drawn from the prior alone; None without such draws.
    plausible
        Whether both shares of open interest are at or below it; None if that is not known.
    """

    distance: float
    long_plausible_share: float | None
    short_plausible_share: float | None
    plausible: bool | None


class RangeRow(Comparison, frozen=True, kw_only=True):
    """A range of prices on one side of the mark beside its mirror image on the other.

    Parameters
    ----------
    from_price, to_price, mirror_from_price, mirror_to_price
        Ascending, quote per base; the mirror of [a, b] is [2P - b, 2P - a].
    from_distance, to_distance
        Of the range as asked, signed fractions, ascending.
    side
        Whose pool lies in the range as asked; the other side's pool is taken from the mirror.
    """

    side: PositionSide
    from_price: float
    to_price: float
    from_distance: float
    to_distance: float
    mirror_from_price: float
    mirror_to_price: float


class Asymmetry(Struct, frozen=True, kw_only=True):
    """Which side holds more, window by window.

    Parameters
    ----------
    within
        One row per window, in the order asked.
    ranges
        Rows of the range that was asked for: one, or two if it lay across the mark and was cut there.
    long, short
        The shape of each side.
    """

    within: tuple[WindowRow, ...]
    ranges: tuple[RangeRow, ...]
    long: SideShape
    short: SideShape


def pool(liquidation_map: LiquidationMap, side: PositionSide, from_distance: float = 0.0, to_distance: float = 0.02) -> Estimate:
    """Return the dollars of one side between two distances from the mark (F01).

    Parameters
    ----------
    side
        SHORT counts above the mark, LONG below it.
    from_distance, to_distance
        Absolute distances, fractions. A bucket that is cut counts with the fraction covered.

    Returns
    -------
    Estimate
        USD at the level. `median` is exactly the sum of the map's buckets.

    Raises
    ------
    BadArgument
        If the distances are not 0 <= from < to <= reach of the map.
    """
    return _estimate(Curve.of(liquidation_map, side).between(from_distance, to_distance))


def asymmetry(
    liquidation_map: LiquidationMap,
    within: Sequence[float] = DEFAULT_WITHIN,
    range: tuple[float, float] | None = None,
) -> Asymmetry:
    """Compare shorts above with longs below, window by window (F01 to F04, F08, F09).

    Parameters
    ----------
    within
        Distance windows, fractions of the mark price.
    range
        Prices (low, high), quote per base: adds the pool of that range beside the pool of its mirror image (F03).

    Raises
    ------
    BadArgument
        If a window or the range does not lie within the reach of the map.
    """
    curves = both(liquidation_map)
    open_interest = liquidation_map.open_interest_usd
    return Asymmetry(
        within=tuple(_window_row(*curves, distance, open_interest) for distance in within),
        ranges=() if range is None else _range_rows(*curves, range, liquidation_map.mark_price, open_interest),
        long=side_shape(liquidation_map, PositionSide.LONG),
        short=side_shape(liquidation_map, PositionSide.SHORT),
    )


def ratio_text(ratio: float | None) -> str:
    """Write short : long for people.

    Examples
    --------
    >>> ratio_text(1.64), ratio_text(0.86), ratio_text(14.0), ratio_text(0.05), ratio_text(None)
    ('1.6 : 1', '0.86 : 1', '> 10 : 1', '< 0.1 : 1', 'too small to compare')
    """
    if ratio is None:
        return TOO_SMALL
    if ratio > LARGEST_RATIO:
        return "> 10 : 1"
    if ratio < 1.0 / LARGEST_RATIO:
        return "< 0.1 : 1"
    return f"{ratio:.1f} : 1" if ratio >= 1.0 else f"{ratio:.2f} : 1"


def _estimate(region: Region) -> Estimate:
    return positive(region.usd, region.draws_usd, prior_share=region.prior_share)


def _compare(long: Region, short: Region, open_interest_usd: float) -> Comparison:
    """Compare two regions; the only place where a ratio or an imbalance is made."""
    total = long.usd + short.usd
    prior_share = share(long.prior_usd + short.prior_usd, total)
    smaller = min(long.usd, short.usd)
    ratio = imbalance = None
    with np.errstate(invalid="ignore", divide="ignore"):
        if smaller > 0.0 and smaller >= TOO_SMALL_SHARE * open_interest_usd:
            ratio = positive(short.usd / long.usd, short.draws_usd / long.draws_usd, prior_share=prior_share)
        if total > 0.0:
            draws = (short.draws_usd - long.draws_usd) / (short.draws_usd + long.draws_usd)
            imbalance = signed((short.usd - long.usd) / total, draws, prior_share=prior_share, limit=1.0)
    return Comparison(
        long_pool_usd=_estimate(long),
        short_pool_usd=_estimate(short),
        ratio=ratio,
        ratio_text=ratio_text(ratio.median if ratio else None),
        ratio_reason=None if ratio else TOO_SMALL,
        imbalance=imbalance,
        long_share_of_open_interest=share(long.usd, open_interest_usd),
        short_share_of_open_interest=share(short.usd, open_interest_usd),
    )


def _window_row(long: Curve, short: Curve, distance: float, open_interest_usd: float) -> WindowRow:
    row = _compare(long.between(0.0, distance), short.between(0.0, distance), open_interest_usd)
    long_limit = _plausible_share(long.prior_draws_within(distance), open_interest_usd)
    short_limit = _plausible_share(short.prior_draws_within(distance), open_interest_usd)
    pairs = (
        (row.long_share_of_open_interest, long_limit),
        (row.short_share_of_open_interest, short_limit),
    )
    verdicts = [None if held is None or limit is None else held <= limit for held, limit in pairs]
    plausible = False if False in verdicts else (None if None in verdicts else True)
    return WindowRow(
        distance=distance,
        long_plausible_share=long_limit,
        short_plausible_share=short_limit,
        plausible=plausible,
        **_fields(row),
    )


def _plausible_share(prior_draws_usd: FloatArray, open_interest_usd: float) -> float | None:
    """Return the 95th percentile of the prior's pools as a share of open interest."""
    if prior_draws_usd.size == 0:
        return None
    return share(quantile(np.sort(prior_draws_usd), PRIOR_PERCENTILE), open_interest_usd)


def _range_rows(
    long: Curve, short: Curve, prices: tuple[float, float], mark_price: float, open_interest_usd: float
) -> tuple[RangeRow, ...]:
    """Cut the range at the mark and compare each part with its mirror image."""
    low, high = prices
    if not 0.0 < low < high:
        raise BadArgument(
            f"range: expected two ascending prices above 0, received {low:g} to {high:g}",
            hint="Write it like 84000-100000.",
        )
    parts: list[tuple[PositionSide, float, float]] = []
    if low < mark_price:
        parts.append((PositionSide.LONG, low, min(high, mark_price)))
    if high > mark_price:
        parts.append((PositionSide.SHORT, max(low, mark_price), high))
    rows: list[RangeRow] = []
    for side, start, end in parts:
        near, far = sorted((abs(start / mark_price - 1.0), abs(end / mark_price - 1.0)))
        row = _compare(long.between(near, far), short.between(near, far), open_interest_usd)
        rows.append(
            RangeRow(
                side=side,
                from_price=start,
                to_price=end,
                from_distance=start / mark_price - 1.0,
                to_distance=end / mark_price - 1.0,
                mirror_from_price=2.0 * mark_price - end,
                mirror_to_price=2.0 * mark_price - start,
                **_fields(row),
            )
        )
    return tuple(rows)


def _fields(row: Comparison) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Comparison.__struct_fields__}
