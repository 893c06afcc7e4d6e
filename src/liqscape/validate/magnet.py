"""Does price go to dense levels? Touches of the densest zone against its mirror, at the same distance and instant.

The design, its words and everything that is reported were registered in `docs/preregistration.md` before any real data were
looked at with it. Under the null the map says nothing of which way price goes: level and mirror are touched alike, whatever
the volatility.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from scipy.special import erfc, logit  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from liqscape.model.arrays import FloatArray, IntArray
from liqscape.units import NS_PER_HOUR
from liqscape.validate import claims_fit as fit
from liqscape.validate.claims_windows import CENTRES, Levels, Windows

SEED = 20_260_401
LEVEL = 0.95  # of the intervals
POWER, ALPHA = 0.8, 0.05
DRIFTS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)  # sigma * sqrt(H) per window, towards the level
_MASS = 1  # place of z(mass) in the design
_BATCH_ROWS = 400_000  # rows of one batch of regressions, to bound memory
_MATCHED = 10  # instants that stand in for one in control B
_NEAR_ROUND = 0.5  # units: how far the round price of control C may lie from the level


class Control(Struct, frozen=True, kw_only=True):
    """Touches of the level less touches of a control, per window.

    Parameters
    ----------
    difference, lo, hi
        Fraction of windows, with the interval of the day-block bootstrap.
    p
        By permuting whole-day maps within strata, two-sided.
    windows
        How many had such a control.
    """

    difference: float
    lo: float
    hi: float
    p: float
    windows: int


class Magnet(Struct, frozen=True, kw_only=True):
    """The test of attraction at one horizon.

    Parameters
    ----------
    beta, lo, hi
        Log-odds of a touch per standard deviation of mass, with the interval of the day-block bootstrap.
    z, p
        beta over its naive error, and the share of permuted maps at least as far from 0.
    gamma, delta, alpha
        The other coefficients: past return towards the level, round price, intercept beside the first-passage offset.
    touched_level, touched_mirror, expected
        Fraction of windows in which each was touched, and what a price without memory would do.
    mean_distance
        Of the levels, units of sigma * sqrt(H).
    smallest_drift, smallest_beta
        What would be found in 80 % of cases at 5 %: a drift towards the level, in sigma * sqrt(H) per window, and the beta it
        makes; None if even the largest drift that was tried would not.
    mirror, matched, round_price
        Controls A, B and C.
    """

    horizon_h: float
    windows: int
    days: int
    beta: float
    lo: float
    hi: float
    z: float
    p: float
    gamma: float
    delta: float
    alpha: float
    touched_level: float
    touched_mirror: float
    expected: float
    mean_distance: float
    smallest_drift: float | None
    smallest_beta: float | None
    mirror: Control
    matched: Control | None
    round_price: Control | None
    permutations: int


@dataclass(frozen=True)
class _Rows:
    """Level and mirror of every window, level rows first; b batches of 2 n rows."""

    touched: FloatArray
    design: FloatArray
    offset: FloatArray


def magnet(windows: Windows, *, permutations: int = 999, raw: bool = False, controls: bool = True, power: bool = True) -> Magnet:
    """Test whether price touches dense levels more often than their mirrors.

    `logit P(touch) = offset(2 Phi(-x)) + alpha + beta z(mass) + gamma past + delta round` over levels and mirrors.

    Parameters
    ----------
    permutations
        Of whole-day maps within volatility terciles; also the number of bootstrap draws.
    raw
        Test the densest zone without removing the distance trend (a sensitivity).
    controls, power
        Whether controls B and C, and the smallest visible effect, are worked out as well.
    """
    rng = np.random.default_rng(SEED)
    levels = windows.raw_level if raw else windows.level
    shuffled = fit.of_days(fit.permuted_days(windows.strata(), permutations, rng), windows.per_day)
    drawn = np.repeat(fit.resampled_days(windows.days, permutations, rng), windows.per_day, axis=1)
    reach = windows.excursion
    rows = _rows(windows, levels.take(np.arange(len(windows))[None]), reach, reach)
    found, error = fit.logit(rows.touched, rows.design, rows.offset)
    permuted = _permuted(windows, levels, shuffled, reach, reach)[:, 1]
    resampled = _resampled(rows, np.tile(drawn, (1, 2)))
    lo, hi = _interval(resampled)
    z = float(found[0, _MASS] / error[0, _MASS])
    level, mirror = np.split(rows.touched[0], 2)
    drift, beta = _smallest(windows, levels, shuffled, permuted) if power else (None, None)
    differences = _differences(windows, levels, shuffled, controls)
    return Magnet(
        horizon_h=windows.horizon_ns / NS_PER_HOUR,
        windows=len(windows),
        days=windows.days,
        beta=float(found[0, _MASS]),
        lo=lo,
        hi=hi,
        z=z,
        p=fit.two_sided_p(z, permuted),
        gamma=float(found[0, 2]),
        delta=float(found[0, 3]),
        alpha=float(found[0, 0]),
        touched_level=float(level.mean()),
        touched_mirror=float(mirror.mean()),
        expected=float(_first_passage(levels.distance).mean()),
        mean_distance=float(levels.distance.mean()),
        smallest_drift=drift,
        smallest_beta=beta,
        mirror=_control(*differences["mirror"], drawn),
        matched=_control(*differences["matched"], drawn) if controls else None,
        round_price=_control(*differences["round"], drawn) if controls and np.isfinite(differences["round"][0]).any() else None,
        permutations=permutations,
    )


def random_zone_z(windows: Windows, levels: Levels, seed: int) -> float:
    """Test as it is often done: touches of dense zones against touches of zones drawn at random among the candidates.

    It rejects markets in which there is nothing to find, because dense zones lie at other distances than random ones: it
    is here so that its size can be shown beside that of `magnet`.

    Returns
    -------
    z of two proportions.
    """
    rng = np.random.default_rng(seed)
    n, at = len(windows), np.arange(len(windows))
    side, distance = rng.integers(0, 2, n), rng.choice(CENTRES, n)
    reach = windows.excursion
    dense = float((reach[at, levels.side] >= levels.distance).mean())
    other = float((reach[at, side] >= distance).mean())
    pooled = 0.5 * (dense + other)
    return (dense - other) / float(np.sqrt(2.0 * max(pooled * (1.0 - pooled), 1e-9) / n))


def _first_passage(distance: FloatArray) -> FloatArray:
    """Chance that a price without memory or drift touches a level: 2 Phi(-x), x in sigma * sqrt(H)."""
    return np.asarray(erfc(distance / np.sqrt(2.0)), np.float64)


def _rows(windows: Windows, levels: Levels, towards: FloatArray, away: FloatArray) -> _Rows:
    """Lay out level and mirror rows of b sets of levels.

    Parameters
    ----------
    levels : leading axis b
    towards, away : float64[n, 2], excursions below and above: that may touch the level, and that may touch its mirror
    """
    at = np.arange(len(windows))
    side, distance = levels.side, levels.distance
    touched = [towards[at, side] >= distance, away[at, 1 - side] >= distance]
    mass = levels.mass
    past = np.where(side == 1, windows.past, -windows.past)
    around = [windows.at_round_price(s, distance).astype(np.float64) for s in (side, 1 - side)]
    columns = [np.concatenate(pair, axis=1) for pair in ((mass, -mass), (past, -past), around)]
    offset = np.asarray(logit(_first_passage(distance)), np.float64)
    return _Rows(
        touched=np.concatenate(touched, axis=1).astype(np.float64),
        design=np.stack([np.ones_like(columns[0]), *columns], axis=2),
        offset=np.concatenate([offset, offset], axis=1),
    )


def _batches(total: int, rows: int) -> list[slice]:
    size = max(1, _BATCH_ROWS // rows)
    return [slice(i, min(i + size, total)) for i in range(0, total, size)]


def _permuted(windows: Windows, levels: Levels, shuffled: IntArray, towards: FloatArray, away: FloatArray) -> FloatArray:
    """float64[permutations, 2], beta and its z with the maps of other days."""
    out = np.empty((shuffled.shape[0], 2))
    for batch in _batches(shuffled.shape[0], 2 * len(windows)):
        rows = _rows(windows, levels.take(shuffled[batch]), towards, away)
        beta, error = fit.logit(rows.touched, rows.design, rows.offset)
        out[batch] = np.column_stack([beta[:, _MASS], beta[:, _MASS] / error[:, _MASS]])
    return out


def _resampled(rows: _Rows, weight: FloatArray) -> FloatArray:
    """float64[draws], beta of each draw of days."""
    out = np.empty(weight.shape[0])
    for batch in _batches(weight.shape[0], weight.shape[1]):
        out[batch] = fit.logit(rows.touched, rows.design, rows.offset, weight[batch])[0][:, _MASS]
    return out


def _interval(draws: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def _smallest(windows: Windows, levels: Levels, shuffled: IntArray, null_z: FloatArray) -> tuple[float | None, float | None]:
    """Return the smallest drift towards the level that 80 % of permuted maps would find, and the beta that it makes.

    The path is the real one, the maps are permuted, so nothing draws price to them; then a steady drift towards each level is
    laid over its window.
    """
    bar = float(np.quantile(np.abs(null_z), 1.0 - ALPHA))
    before_power, before = 0.0, (0.0, 0.0)
    for drift in DRIFTS:
        towards, away = (windows.drifted(sign * drift) for sign in (1.0, -1.0))
        found = _permuted(windows, levels, shuffled, towards, away)
        share, beta = float((found[:, 1] >= bar).mean()), float(found[:, 0].mean())
        if share >= POWER:
            part = (POWER - before_power) / (share - before_power)
            return before[0] + part * (drift - before[0]), before[1] + part * (beta - before[1])
        before_power, before = share, (drift, beta)
    return None, None


def _differences(
    windows: Windows, levels: Levels, shuffled: IntArray, controls: bool
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return per control the differences of each window, float64[n], and their mean with permuted maps, float64[permutations]."""
    reach = windows.excursion
    stand_in = _stand_ins(windows) if controls else None

    def of(some: Levels) -> dict[str, FloatArray]:
        at = np.arange(len(windows))
        touched = (reach[at, some.side] >= some.distance).astype(np.float64)
        found = {"mirror": touched - (reach[at, 1 - some.side] >= some.distance)}
        if stand_in is not None:
            others = reach[stand_in[None], some.side[:, :, None]] >= some.distance[:, :, None]
            found["matched"] = touched - others.mean(axis=2)
            round_distance = _round_distance(windows, some)
            beyond = np.where(np.isnan(round_distance), np.inf, round_distance)
            at_round = (reach[at, some.side] >= beyond) - _first_passage(beyond)
            found["round"] = np.where(np.isnan(round_distance), np.nan, touched - _first_passage(some.distance) - at_round)
        return found

    observed = {name: values[0] for name, values in of(levels.take(np.arange(len(windows))[None])).items()}
    means: dict[str, list[FloatArray]] = {name: [] for name in observed}
    for batch in _batches(shuffled.shape[0], 2 * _MATCHED * len(windows)):
        for name, values in of(levels.take(shuffled[batch])).items():
            known = np.isfinite(values)
            means[name].append(np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
    return {name: (observed[name], np.concatenate(means[name])) for name in observed}


def _stand_ins(windows: Windows) -> IntArray:
    """int64[n, 10], for each window those of other days that are most like it: hour, volatility and past return."""
    hour = np.arange(len(windows)) % windows.per_day
    day = np.arange(len(windows)) // windows.per_day
    apart = np.abs(hour[:, None] - hour[None, :])
    apart = np.minimum(apart, windows.per_day - apart) * (windows.horizon_ns / NS_PER_HOUR)  # hours
    unit = np.log(windows.unit)
    volatility = (unit[:, None] - unit[None, :]) / max(float(unit.std()), 1e-9)
    past = windows.past[:, None] - windows.past[None, :]
    distance = volatility**2 + past**2 + (apart / 2.0) ** 2
    distance[np.abs(day[:, None] - day[None, :]) <= 1] = np.inf
    return np.argsort(distance, axis=1, kind="stable")[:, :_MATCHED].astype(np.int64)


def _round_distance(windows: Windows, levels: Levels) -> FloatArray:
    """float64[b, n], units: the round price nearest to each level, on its side; NaN if the level is round or none is near."""
    way = np.where(levels.side == 1, 1.0, -1.0)
    level = windows.price * np.exp(way * levels.distance * windows.unit)
    nearest = np.rint(level / windows.round_step) * windows.round_step
    distance = way * np.log(nearest / windows.price) / windows.unit
    near = (distance > 0.5) & (distance < 3.0) & (np.abs(distance - levels.distance) <= _NEAR_ROUND)
    return np.where(near & ~windows.at_round_price(levels.side, levels.distance), distance, np.nan)


def _control(observed: FloatArray, permuted: FloatArray, drawn: FloatArray) -> Control:
    known = np.isfinite(observed)
    values = np.where(known, observed, 0.0)
    mean = float(values.sum() / max(int(known.sum()), 1))
    lo, hi = _interval(drawn @ values / np.maximum(drawn @ known, 1.0))
    return Control(difference=mean, lo=lo, hi=hi, p=fit.two_sided_p(mean, permuted), windows=int(known.sum()))
