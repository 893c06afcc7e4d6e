"""The reality check (F04): runs that map and brakes of now would expect of the last 90 days' flow, against those seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from msgspec import Struct

from liqscape.cascade import Absorption, Basis, Direction, Factor, Reality, reality
from liqscape.cascade.absorption import WITHDRAWAL_EXPONENT
from liqscape.cascade.base import pairs, summed
from liqscape.model import BarSeries
from liqscape.model.arrays import BoolArray, FloatArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

RUN = 0.025
DAYS = 90
_PATHS = 256
_LEAST_HOURS = 24 * 14
# Net taker flow by volume, one hour: root mean square 0.091; half of all hours lie within 0.060, as a normal number's would.
FLOW_SHARE = Factor(
    median=0.091,
    lo=0.078,
    hi=0.094,
    source="Binance BTCUSDT, 720 hours; low end: the busiest tenth",
    date="2026-02-01 .. 2026-03-03",
)


class RealityCheck(Struct, frozen=True, kw_only=True):
    """Expected against seen.

    Parameters
    ----------
    check, no_map
        With the map's forced orders, and with the brakes alone.
    run
        Fraction of the price, from the open of an hour.
    hours
        That were looked at: those whose volume is known.
    flow
        `taker` if net taker flow of each hour is stored; `volume` if it was taken as a normal share of the hour's volume.
    """

    check: Reality
    no_map: Reality
    run: float
    days: int
    hours: int
    flow: str

    @property
    def sentence(self) -> str:
        """One line for people."""
        return f"{self.check.sentence} (with no map {self.no_map.expected:.1f})"


def reality_check(
    bars: BarSeries, levels: dict[Direction, FloatArray], brakes: Absorption, *, day_volume_usd: float | None = None
) -> RealityCheck | None:
    """Compare the runs that flow of the last 90 days should have brought about with those that happened.

    Parameters
    ----------
    bars
        Of one instrument, to the map's instant; shorter than an hour.
    levels : float64[draws, n] of each direction, USD
    brakes
        Absorption now; it is taken to other days by their volatility, that of the impact law by their volume too.
    day_volume_usd
        What the law was computed with, USD a day; None with a book.

    Returns
    -------
    None if fewer than 14 days of hours have a volume.

    Notes
    -----
    An hour runs if its net flow exceeds the highest U = B - F up to 2.5 %, both from its open. Map and book are those of now:
    it is a check of the order of magnitude.
    """
    hours = _hours(bars)
    if hours is None:
        return None
    scale = _scale(hours, brakes, day_volume_usd)
    known = np.isfinite(scale)
    if known.sum() < _LEAST_HOURS:
        return None
    steps, place = np.unique(np.round(np.log(scale[known]), 2), return_inverse=True)  # depths within 1 % are one
    expected = dict.fromkeys((True, False), 0.0)
    taker = bool(np.isfinite(hours.net_usd[known]).mean() > 0.9)
    for way in Direction:
        for with_map in (True, False):
            needed = _needed(levels[way] if with_map else None, brakes, way, np.exp(steps))
            expected[with_map] += _ran(needed[place], hours, known, way.sign if taker else 0)
    seen = int((hours.up[known] >= RUN).sum() + (hours.down[known] >= RUN).sum())
    return RealityCheck(
        check=reality(expected[True], seen),
        no_map=reality(expected[False], seen),
        run=RUN,
        days=DAYS,
        hours=int(known.sum()),
        flow="taker" if taker else "volume",
    )


class _Hours:
    """Hours of bars with a known volume: float64[hours] each; `day_volume_usd` and `sigma` are of the time before."""

    def __init__(self, bars: BarSeries, per_hour: int, first: int) -> None:
        def cut(values: FloatArray) -> FloatArray:
            return values[first : first + (len(bars) - first) // per_hour * per_hour].reshape(-1, per_hour)

        opened: FloatArray = cut(bars.open)[:, 0]
        usd: FloatArray = cut(bars.volume_base * bars.close).sum(axis=1)
        returns: FloatArray = np.diff(np.log(cut(bars.close)[:, -1]), prepend=np.nan)
        self.up: FloatArray = cut(bars.high).max(axis=1) / opened - 1.0
        self.down: FloatArray = 1.0 - cut(bars.low).min(axis=1) / opened
        self.volume_usd = usd
        self.net_usd: FloatArray = cut((2.0 * bars.taker_buy_base - bars.volume_base) * bars.close).sum(axis=1)
        self.day_volume_usd = 24.0 * _trailing(usd, 24)
        self.sigma: FloatArray = np.sqrt(24.0 * _trailing(returns**2, 168))
        start = cut(bars.start_ns.astype(np.float64))[:, 0]
        self.recent = start >= int(bars.end_ns[-1]) - DAYS * NS_PER_DAY


def _hours(bars: BarSeries) -> _Hours | None:
    if NS_PER_HOUR % bars.interval_ns or len(bars) == 0:
        return None
    per_hour = NS_PER_HOUR // bars.interval_ns
    first = int(np.argmax(bars.start_ns % NS_PER_HOUR == 0))
    if bars.start_ns[-1] - bars.start_ns[first] != (len(bars) - 1 - first) * bars.interval_ns:
        return _Hours(_gapless(bars), per_hour, 0)
    return _Hours(bars, per_hour, first)


def _gapless(bars: BarSeries) -> BarSeries:
    """Keep the bars of whole hours only."""
    hour, count = np.unique(bars.start_ns // NS_PER_HOUR, return_counts=True)
    whole = np.isin(bars.start_ns // NS_PER_HOUR, hour[count == NS_PER_HOUR // bars.interval_ns])
    names = ("start_ns", "known_ns", "open", "high", "low", "close", "volume_base", "taker_buy_base", "open_interest_base")
    return replace(bars, **{name: getattr(bars, name)[whole] for name in names})


def _scale(hours: _Hours, brakes: Absorption, day_volume_usd: float | None) -> FloatArray:
    """float64[hours], depth of each hour by that of now; NaN where the hour is not judged."""
    sigma = np.where(hours.sigma > 0.0, hours.sigma, np.nan)
    known = sigma[np.isfinite(sigma)]
    if known.size == 0:
        return np.full(hours.up.size, np.nan)
    calm = sigma / known[-1]
    if brakes.basis is Basis.BOOK:
        scale = calm**-WITHDRAWAL_EXPONENT.median
    else:
        scale = hours.day_volume_usd / (day_volume_usd or math.nan) / calm**2
    return np.where(hours.recent & np.isfinite(hours.volume_usd), scale, np.nan)


def _needed(levels: FloatArray | None, brakes: Absorption, way: Direction, scale: FloatArray) -> FloatArray:
    """float64[scales, paths], dollars of flow that run the price to 2.5 %; `levels` None: with no map."""
    edge = int(np.searchsorted(brakes.distance, RUN * (1.0 + 1e-9), side="right"))
    absorbed = brakes.toward(way)[:, :edge]
    if levels is None:
        return np.multiply(scale[:, None], absorbed[None, :, -1], dtype=np.float64)
    forced = summed(levels[:, : edge - 1])
    map_draw, absorption_draw = pairs(len(forced), len(absorbed), _PATHS)
    out: FloatArray = np.zeros((scale.size, _PATHS), dtype=np.float64)
    for at in range(1, edge):
        np.maximum(out, scale[:, None] * absorbed[absorption_draw, at] - forced[map_draw, at], out=out)
    return out


def _ran(needed: FloatArray, hours: _Hours, known: BoolArray, sign: int) -> float:
    """Expected number of hours that run; `sign` 0: flow is a normal share of volume, either way as likely."""
    from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]  # late: slow to load

    if sign:
        return float((sign * hours.net_usd[known][:, None] >= needed).mean(axis=1).sum())
    typical = FLOW_SHARE.median * hours.volume_usd[known]
    odds: FloatArray = np.asarray(ndtr(-needed / typical[:, None]), dtype=np.float64)
    return float(odds.mean(axis=1).sum())


def _trailing(values: FloatArray, count: int) -> FloatArray:
    """float64[n], mean of the `count` values before each one, over the known ones; NaN if under half are."""
    known = np.isfinite(values)
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, values, 0.0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    begin = np.maximum(np.arange(values.size) - count, 0)
    number = counts[np.arange(values.size)] - counts[begin]
    total = sums[np.arange(values.size)] - sums[begin]
    out = np.full(values.size, np.nan)
    np.divide(total, number, out=out, where=number >= 0.5 * count)
    return out
