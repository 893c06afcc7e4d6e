"""Windows in which a claim about price is tested: frozen levels at their start, the path that followed, whole days only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from liqscape.analytics.round_prices import ROUND_TOLERANCE, round_step
from liqscape.clock import iso
from liqscape.errors import BadArgument, NoData
from liqscape.model import BarSeries, describe
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.frozen import FrozenMaps

# Centres of candidate zones and their half width, in units of sigma * sqrt(H): all zones lie within 0.5 to 3.
CENTRES: FloatArray = np.round(np.arange(0.6, 2.95, 0.1), 1)
HALF_WIDTH = 0.1
VOLATILITY_HALF_LIFE_NS = NS_PER_DAY
_VOLATILITY_NEEDS_NS = 3 * NS_PER_DAY
_PAST_LIMIT = 3.0  # units; larger past returns count as this


@dataclass(frozen=True)
class Levels:
    """What is tested in each of n windows, in units of the window's own sigma * sqrt(H); any leading shape.

    Parameters
    ----------
    side : int64[..., n], 0 the level lies below the price (longs), 1 above it (shorts)
    distance : float64[..., n], distance of the level from the price, units
    contrast : float64[..., n], (mass at the level - mass at its mirror) / their sum, -1 to 1; 0 where both are empty
    """

    side: IntArray
    distance: FloatArray
    contrast: FloatArray

    def take(self, index: IntArray) -> Levels:
        """Return the levels of other windows in their place; an index of shape [b, n] gives b sets."""
        return Levels(self.side[index], self.distance[index], self.contrast[index])

    @property
    def mass(self) -> FloatArray:
        """float64[..., n], z(mass) of each level: its contrast over the root mean square; its mirror has the negative."""
        spread = np.sqrt((self.contrast**2).mean(axis=-1, keepdims=True))
        return np.divide(self.contrast, spread, out=np.zeros_like(self.contrast), where=spread > 0.0)


@dataclass(frozen=True)
class Windows:
    """Non-overlapping windows [t, t + H) that fill whole UTC days; n = days * per_day, in time order.

    Parameters
    ----------
    horizon_ns
        H, ns; divides a day.
    at_ns : int64[n], ns UTC, start of each window: the instant at which its map was frozen
    price : float64[n], quote per base, close of the last bar before
    unit : float64[n], sigma * sqrt(H), log price; sigma from returns before the window only
    past : float64[n], log return of the H before the window, units, cut at 3
    first_bar : int64[n], index of each window's first bar
    path : float64[n, 2, bars], farthest excursion of each bar below (0) and above (1) the start, units; may be negative
    level : the densest zone of each window's map
    raw_level : the same without removing the distance trend
    round_step : float64[n], quote per base between round prices
    """

    horizon_ns: int
    at_ns: IntArray
    price: FloatArray
    unit: FloatArray
    past: FloatArray
    first_bar: IntArray
    path: FloatArray
    level: Levels
    raw_level: Levels
    round_step: FloatArray

    def __len__(self) -> int:
        return self.at_ns.size

    @property
    def per_day(self) -> int:
        """Windows of a day."""
        return NS_PER_DAY // self.horizon_ns

    @property
    def days(self) -> int:
        """Whole days."""
        return len(self) // self.per_day

    @property
    def excursion(self) -> FloatArray:
        """float64[n, 2], farthest excursion below and above the start within the window, units."""
        return self.path.max(axis=2)

    def of_days(self, kept: BoolArray) -> Windows:
        """Return the windows of some days, bool[days]."""
        index = np.flatnonzero(np.repeat(kept, self.per_day)).astype(np.int64)
        names = ("at_ns", "price", "unit", "past", "first_bar", "path", "round_step")
        arrays = {name: getattr(self, name)[index] for name in names}
        return Windows(self.horizon_ns, level=self.level.take(index), raw_level=self.raw_level.take(index), **arrays)

    def drifted(self, drift: float) -> FloatArray:
        """float64[n, 2], farthest excursions if a steady drift were laid over each window.

        Parameters
        ----------
        drift
            Units per window, counted towards the side that each excursion is on.
        """
        bars = self.path.shape[2]
        passed: FloatArray = np.arange(1.0, bars + 1.0) / bars
        return (self.path + drift * passed).max(axis=2)

    def strata(self, count: int = 3) -> IntArray:
        """int64[days], volatility class of each day: equal parts of the days by their mean sigma."""
        unit = np.log(self.unit).reshape(self.days, -1).mean(axis=1)
        return np.argsort(np.argsort(unit, kind="stable"), kind="stable") * count // self.days

    def at_round_price(self, side: IntArray, distance: FloatArray) -> BoolArray:
        """bool[..., n], whether a level lies within 0.1 % of a round price."""
        level = self.price * np.exp(np.where(side == 1, distance, -distance) * self.unit)
        return np.abs(level / self.round_step - np.rint(level / self.round_step)) * self.round_step <= ROUND_TOLERANCE * level


def claim_windows(
    bars: BarSeries, maps: FrozenMaps, horizon_ns: int, *, from_ns: int | None = None, to_ns: int | None = None
) -> Windows:
    """Cut the record into windows and choose the level that each window tests.

    The level is the centre of the densest candidate zone of the map at t, both sides compared: its share of the dollars of all
    candidates over the mean share that this distance had in all earlier maps (both sides averaged), so that dense means denser
    than usual for the distance and not merely far. Days that lack a bar, a map or three days of returns are left out whole.

    Parameters
    ----------
    maps
        Frozen at least at every multiple of H between `from_ns` and `to_ns`; earlier ones teach the distance trend.
    horizon_ns
        H, ns; a whole part of a day, a multiple of the bars' interval.
    from_ns, to_ns
        Whole UTC days within [from_ns, to_ns); default: from the second map's day on, to the end.

    Raises
    ------
    BadArgument
        If H does not divide a day or is no multiple of the bars' interval.
    NoData
        If fewer than 6 whole days are left.
    """
    if horizon_ns <= 0 or NS_PER_DAY % horizon_ns or horizon_ns % bars.interval_ns:
        raise BadArgument(
            f"horizon: expected a part of a day and a multiple of the bars' {bars.interval_ns} ns, received {horizon_ns} ns"
        )
    sigma = _sigma_per_bar(bars)
    count = horizon_ns // bars.interval_ns
    before = np.searchsorted(bars.end_ns, maps.at_ns, side="right") - 1  # last bar that is over
    unit = np.where(before >= 0, sigma[before], np.nan) * np.sqrt(count)
    mapped = np.isfinite(unit)
    masses = np.zeros((maps.at_ns.size, 2, CENTRES.size))
    masses[mapped] = FrozenMaps(maps.at_ns[mapped], maps.mark_price[mapped], maps.usd[mapped], maps.step).mass(
        unit[mapped, None] * (CENTRES - HALF_WIDTH), unit[mapped, None] * (CENTRES + HALF_WIDTH)
    )
    level, raw = (_densest(masses, mapped, detrend=detrend) for detrend in (True, False))
    trend_known = np.cumsum(mapped) - mapped >= 1
    chosen = _whole_days(bars, maps, before, mapped & trend_known, horizon_ns, from_ns, to_ns)
    first = before[chosen] + 1
    price, unit = bars.close[first - 1], unit[chosen]
    low, high = (_cut(values, first, count) for values in (bars.low, bars.high))
    path = np.stack([np.log(price[:, None] / low), np.log(high / price[:, None])], axis=1) / unit[:, None, None]
    earlier = np.log(price / bars.close[first - 1 - count]) / unit
    base = describe(bars.instrument).base
    return Windows(
        horizon_ns=horizon_ns,
        at_ns=maps.at_ns[chosen],
        price=price,
        unit=unit,
        past=np.clip(earlier, -_PAST_LIMIT, _PAST_LIMIT),
        first_bar=first.astype(np.int64),
        path=path,
        level=level.take(chosen),
        raw_level=raw.take(chosen),
        round_step=np.array([round_step(p, base) for p in price.tolist()]),
    )


def _sigma_per_bar(bars: BarSeries) -> FloatArray:
    """float64[bars], volatility of one bar known at each bar's end: returns so far, forgotten with a half-life of a day."""
    squared = np.diff(np.log(bars.close), prepend=np.log(bars.close[0])) ** 2
    keep = 0.5 ** (bars.interval_ns / VOLATILITY_HALF_LIFE_NS)
    weight = 1.0 - keep ** np.arange(squared.size)  # n bars have n - 1 returns
    weight[:1] = np.nan
    found = np.asarray(lfilter([1.0 - keep], [1.0, -keep], squared), np.float64) / weight
    found[: _VOLATILITY_NEEDS_NS // bars.interval_ns] = np.nan
    return np.sqrt(np.where(found > 0.0, found, np.nan))


def _densest(masses: FloatArray, mapped: BoolArray, *, detrend: bool) -> Levels:
    """Choose the densest candidate of each map; masses : float64[n, 2, candidates], USD."""
    total = masses.sum(axis=(1, 2), keepdims=True)
    share = np.divide(masses, total, out=np.zeros_like(masses), where=total > 0.0)
    if detrend:
        mean = share.mean(axis=1) * mapped[:, None]
        earlier = np.cumsum(mean, axis=0) - mean  # a common factor does not change the choice
        score = np.divide(share, earlier[:, None], out=np.zeros_like(share), where=earlier[:, None] > 0.0)
    else:
        score = share
    best = score.reshape(score.shape[0], -1).argmax(axis=1)
    side, at = np.divmod(best, CENTRES.size)
    rows: IntArray = np.arange(best.size, dtype=np.int64)
    here, there = masses[rows, side, at], masses[rows, 1 - side, at]
    both = here + there
    contrast = np.divide(here - there, both, out=np.zeros_like(both), where=both > 0.0)
    return Levels(side.astype(np.int64), CENTRES[at], contrast)


def _whole_days(
    bars: BarSeries,
    maps: FrozenMaps,
    before: IntArray,
    usable: BoolArray,
    horizon_ns: int,
    from_ns: int | None,
    to_ns: int | None,
) -> IntArray:
    """Return the maps that start a window of a day all of whose windows are whole."""
    count = horizon_ns // bars.interval_ns
    last = np.minimum(before + count, len(bars) - 1)
    back = np.maximum(before - count, 0)
    whole = (
        usable
        & (maps.at_ns % horizon_ns == 0)
        & (bars.end_ns[np.maximum(before, 0)] == maps.at_ns)
        & (bars.end_ns[last] == maps.at_ns + horizon_ns)
        & (bars.end_ns[back] == maps.at_ns - horizon_ns)
    )
    day = maps.at_ns // NS_PER_DAY
    if from_ns is not None:
        whole &= day * NS_PER_DAY >= from_ns
    if to_ns is not None:
        whole &= (day + 1) * NS_PER_DAY <= to_ns
    days, found = np.unique(day[whole], return_counts=True)
    kept = days[found == NS_PER_DAY // horizon_ns]
    if kept.size < 6:
        first, final = iso(int(maps.at_ns[0])), iso(int(maps.at_ns[-1]))
        raise NoData(
            f"claims: {kept.size} whole days between {first} and {final} for a horizon of {horizon_ns // NS_PER_HOUR} h",
            hint="At least 6 days without a missing bar are needed.",
        )
    return np.flatnonzero(whole & np.isin(day, kept)).astype(np.int64)


def _cut(values: FloatArray, first: IntArray, count: int) -> FloatArray:
    """float64[n, count], the values of each window's bars."""
    return values[first[:, None] + np.arange(count)]
