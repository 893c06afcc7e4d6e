"""Does price move faster once a dense level is crossed? Crossings of dense levels against those of their mirrors.

Registered with the test of attraction in `docs/preregistration.md`. The outcome is how far price runs beyond the level within
some minutes, its speed and its return after the bar of the crossing, as a function of the mass there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import ndtri  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from liqscape.errors import BadArgument
from liqscape.model import BarSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_MINUTE
from liqscape.validate import claims_fit as fit
from liqscape.validate.claims_windows import Levels, Windows
from liqscape.validate.magnet import ALPHA, LEVEL, POWER, SEED

_MASS = 1  # place of z(mass) in the design
_WINSOR = 0.98  # outcomes beyond this quantile count as it
_BATCH_CELLS = 6_000_000  # comparisons of one batch of permutations, to bound memory


class Measure(StrEnum):
    """What is looked at after a crossing; all in units of what the volatility before the window makes usual in that time.

    RUN: farthest excursion beyond the level, from the bar of the crossing on. SPEED: root of the summed squared returns after
    that bar. CONTINUATION: return after that bar, in the direction of the crossing; below 0 is reversal.
    """

    RUN = "run"
    SPEED = "speed"
    CONTINUATION = "continuation"


class Acceleration(Struct, frozen=True, kw_only=True):
    """The test of acceleration for one measure over one stretch of time.

    Parameters
    ----------
    slope, lo, hi
        Change of the measure per standard deviation of mass, with the interval of the day-block bootstrap.
    t, p
        slope over its naive error; share of permuted maps at least as far from 0.
    crossings_level, crossings_mirror
        First touches of levels and of their mirrors.
    mean_level, mean_mirror
        Mean measure after each.
    smallest_slope
        What would be found in 80 % of cases at 5 %: (critical |t| + 0.84) times the bootstrap's standard error.
    """

    horizon_h: float
    minutes: float
    measure: Measure
    slope: float
    lo: float
    hi: float
    t: float
    p: float
    crossings_level: int
    crossings_mirror: int
    mean_level: float | None
    mean_mirror: float | None
    smallest_slope: float
    permutations: int


@dataclass(frozen=True)
class _After:
    """What follows every bar of a series; NaN where the record ends before `bars` more bars are known.

    Parameters
    ----------
    low, high : float64[bars], log price, extremes of the bar and the following ones
    closing : float64[bars], log return over the following bars
    speed : float64[bars], root of their summed squared returns
    bars
        How many bars follow; the extremes are of as many, the bar itself counted.
    """

    low: FloatArray
    high: FloatArray
    closing: FloatArray
    speed: FloatArray
    bars: int


def acceleration(
    bars: BarSeries,
    windows: Windows,
    *,
    minutes: float = 15,
    measure: Measure = Measure.RUN,
    permutations: int = 999,
    raw: bool = False,
) -> Acceleration:
    """Test whether crossings of heavier levels are followed by more.

    Least squares over first crossings of levels and mirrors: `measure ~ 1 + z(mass) + x + past + log sigma`.

    Parameters
    ----------
    bars
        The series that the windows were cut from.
    minutes
        Length of the stretch after the crossing; a multiple of the bars' interval.
    permutations
        Of whole-day maps within volatility terciles; also the number of bootstrap draws.
    raw
        Levels without the distance trend removed (a sensitivity).

    Raises
    ------
    BadArgument
        If `minutes` is no multiple of the bars' interval.
    """
    count, rest = divmod(round(minutes * NS_PER_MINUTE), bars.interval_ns)
    if count < 1 or rest:
        raise BadArgument(f"minutes: expected a multiple of the bars' {bars.interval_ns} ns, received {minutes:g} min")
    after = _after(bars, count)
    rng = np.random.default_rng(SEED + 1)
    levels = windows.raw_level if raw else windows.level
    shuffled = fit.of_days(fit.permuted_days(windows.strata(), permutations, rng), windows.per_day)
    drawn = np.repeat(fit.resampled_days(windows.days, permutations, rng), windows.per_day, axis=1)
    value, crossed, design = _crossings(windows, levels.take(np.arange(len(windows))[None]), after, measure)
    limit = np.quantile(np.abs(value[crossed]), _WINSOR) if crossed.any() else 0.0
    value = np.clip(value, -limit, limit)
    slope, error = fit.least_squares(value, design, crossed.astype(np.float64))
    t = float(slope[0, _MASS] / error[0, _MASS])
    permuted = np.empty(permutations)
    size = max(1, _BATCH_CELLS // (2 * windows.path[:, 0].size))
    for i in range(0, permutations, size):
        values, found, columns = _crossings(windows, levels.take(shuffled[i : i + size]), after, measure)
        some, errors = fit.least_squares(np.clip(values, -limit, limit), columns, found.astype(np.float64))
        permuted[i : i + size] = some[:, _MASS] / errors[:, _MASS]
    weight = np.tile(drawn, (1, 2)) * crossed
    resampled = fit.least_squares(value, design, weight)[0][:, _MASS]
    lo, hi = np.quantile(resampled, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    critical = float(np.quantile(np.abs(permuted), 1.0 - ALPHA))
    level, mirror = np.split(crossed[0], 2)
    return Acceleration(
        horizon_h=windows.horizon_ns / (60 * NS_PER_MINUTE),
        minutes=minutes,
        measure=measure,
        slope=float(slope[0, _MASS]),
        lo=float(lo),
        hi=float(hi),
        t=t,
        p=fit.two_sided_p(t, permuted),
        crossings_level=int(level.sum()),
        crossings_mirror=int(mirror.sum()),
        mean_level=float(value[0, : level.size][level].mean()) if level.any() else None,
        mean_mirror=float(value[0, level.size :][mirror].mean()) if mirror.any() else None,
        smallest_slope=(critical + float(ndtri(POWER))) * float(resampled.std()),
        permutations=permutations,
    )


def _after(bars: BarSeries, count: int) -> _After:
    close, low, high = np.log(bars.close), np.log(bars.low), np.log(bars.high)
    out = [np.full(len(bars), np.nan) for _ in range(4)]
    last = len(bars) - count  # the last bar that `count - 1` more follow, and one
    if last > 0:
        out[0][: last + 1] = sliding_window_view(low, count).min(axis=1)
        out[1][: last + 1] = sliding_window_view(high, count).max(axis=1)
        out[2][:last] = close[count:] - close[:last]
        squared = np.concatenate([[0.0], np.cumsum(np.diff(close, prepend=close[0]) ** 2)])
        out[3][:last] = np.sqrt(np.maximum(squared[count + 1 :] - squared[1 : last + 1], 0.0))
        # A missing bar makes the stretch longer than it says: unknown.
        gap = np.flatnonzero(bars.end_ns[count:] - bars.end_ns[:last] != count * bars.interval_ns)
        for values in out:
            values[gap] = np.nan
    return _After(out[0], out[1], out[2], out[3], count)


def _crossings(windows: Windows, levels: Levels, after: _After, measure: Measure) -> tuple[FloatArray, BoolArray, FloatArray]:
    """Lay out first crossings of b sets of levels and of their mirrors, level rows first.

    Returns
    -------
    value : float64[b, 2 n], the measure, units of sigma over the stretch; 0 where there was no crossing
    crossed : bool[b, 2 n]
    design : float64[b, 2 n, 5], 1, z(mass), x, past towards the level, log sigma
    """
    sigma = np.log(windows.unit) - float(np.log(windows.unit).mean())
    running = np.maximum.accumulate(windows.path, axis=2)
    parts = [_side(windows, running, side, levels.distance, after, measure) for side in (levels.side, 1 - levels.side)]
    signs = (1.0, -1.0)
    past = np.where(levels.side == 1, windows.past, -windows.past)
    ones = np.ones_like(levels.distance)
    rows = [np.stack([ones, sign * levels.mass, levels.distance, sign * past, ones * sigma], axis=2) for sign in signs]
    value = np.concatenate([part[0] for part in parts], axis=1)
    return value, np.concatenate([part[1] for part in parts], axis=1), np.concatenate(rows, axis=1)


def _side(
    windows: Windows, running: FloatArray, side: IntArray, distance: FloatArray, after: _After, measure: Measure
) -> tuple[FloatArray, BoolArray]:
    """Return the measure after the first crossing of one level a window, and whether it was crossed and the rest is known."""
    at = np.arange(len(windows))
    index = (running[at, side] < distance[:, :, None]).sum(axis=2)  # bars before the crossing
    crossed = index < running.shape[2]
    bar = windows.first_bar + np.minimum(index, running.shape[2] - 1)
    usual = windows.unit * np.sqrt(after.bars / running.shape[2])
    level = np.log(windows.price) + np.where(side == 1, distance, -distance) * windows.unit
    if measure is Measure.RUN:
        value = np.where(side == 1, after.high[bar] - level, level - after.low[bar])
    elif measure is Measure.SPEED:
        value = after.speed[bar]
    else:
        value = np.where(side == 1, after.closing[bar], -after.closing[bar])
    value = value / usual
    crossed = crossed & np.isfinite(value)
    return np.where(crossed, value, 0.0), crossed
