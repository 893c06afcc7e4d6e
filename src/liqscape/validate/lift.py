"""Whether liquidations fall on the levels that a map shows as dense, more than distance alone would put them there: the lift.

A map is frozen at the start of each horizon. Of the levels that price then trades through, the densest quarter is marked; the
lift is the share of the liquidated dollars on it over the share that a profile by distance alone expects. Near levels are
denser or thinner on every map, so that a comparison with randomly chosen levels would mostly measure distance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from liqscape.errors import BadArgument, NoData
from liqscape.estimate import Estimator, Recipe, contracts
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_HOUR
from liqscape.validate.bootstrap import Days
from liqscape.validate.verdict import Lift, LiftBin

STEP = 0.0005  # height of a level, log price
LEAST_LEVELS = 4  # fewer have no quarter
SUMS_PER_MAP = 4  # a sum says where it fell only beside sums of other intervals of the same map
_QUARTER = 0.25
_KNOTS = np.array([0.0, 0.0005, 0.001, 0.002, 0.003, 0.0045, 0.006, 0.008, 0.011, 0.015, 0.02, 0.03, 0.045, 0.07, 0.12])
_SHOWN = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.05, 1.0)
_ROUNDS = 100


@dataclass(frozen=True)
class Placed:
    """Liquidated dollars with the prices that they lie between.

    Parameters
    ----------
    ts_ns : int64[n], ns UTC, ascending
    side : int64[n], 0 long, 1 short: the position that was liquidated
    low, high : float64[n], quote per base; equal for a print
    usd : float64[n]
    source
        `prints`, `ranges` or `sums`.
    """

    ts_ns: IntArray
    side: IntArray
    low: FloatArray
    high: FloatArray
    usd: FloatArray
    source: str


@dataclass(frozen=True)
class Frozen:
    """One side of a map as it stood at an instant, on the levels that price then traded through; level 0 is nearest.

    Parameters
    ----------
    usd : float64[n], the map's dollars on each level
    first_bar, end_bar
        Bars `first_bar:end_bar` are those of the horizon.
    """

    start_ns: int
    end_ns: int
    side: int
    price: float
    usd: FloatArray
    first_bar: int
    end_bar: int


@dataclass(frozen=True)
class Seen:
    """A frozen map beside what was liquidated on it; I items (what the source tells apart) and n levels.

    Parameters
    ----------
    usd : float64[I], liquidated dollars of each item
    spread : float64[I, n], how an item's dollars lie on the levels as far as is known; rows sum to 1
    cover : float64[I, n], share of each level that belongs to each item; columns sum to 1
    dense : float64[n], 1 on the densest quarter of the levels, a fraction where it ends
    density : float64[n], the map's dollars
    distance : float64[n], of each level's middle from the price at the start, fraction
    """

    start_ns: int
    usd: FloatArray
    spread: FloatArray
    cover: FloatArray
    dense: FloatArray
    density: FloatArray
    distance: FloatArray

    def falls(self, weight: FloatArray) -> FloatArray:
        """Return float64[I], the share of the dollars in each item if they lay like `weight` (float64[n])."""
        total = weight.sum()
        return self.cover @ weight / total if total > 0.0 else self.cover.mean(axis=1)

    @property
    def items_dense(self) -> FloatArray:
        """float64[I], share of each item's dollars that counts as lying on the densest quarter."""
        return self.spread @ self.dense


def freeze(
    bars: BarSeries,
    liquidations: LiquidationSeries,
    *,
    from_ns: int,
    to_ns: int,
    horizon_ns: int,
    recipe: Recipe | None = None,
) -> Iterator[Frozen]:
    """Yield both sides of the map as of the start of each horizon, from bars and liquidations that were over then.

    Maps with fewer than four traded levels, and those before weights were learned, are left out.
    """
    made = recipe or Recipe()
    estimator = Estimator(bars.interval_ns, liquidations.interval_ns, (made,))
    drawn = np.repeat(made.drawn, made.classes)
    done = 0
    for start in range(from_ns, to_ns - horizon_ns + 1, horizon_ns):
        first = int(np.searchsorted(bars.end_ns, start, side="right"))
        last = int(np.searchsorted(bars.end_ns, start + horizon_ns, side="right"))
        estimator.observe(bars.slice(done, first), liquidations, start)
        done = first
        if not estimator.ready or first == 0 or last - first < 1:
            continue
        mix = estimator.learners[0].mix()
        if not mix.learned:
            continue
        price = float(bars.close[first - 1])
        for side, extreme in enumerate((float(bars.low[first:last].min()), float(bars.high[first:last].max()))):
            sign = 2 * side - 1
            levels = int(np.floor(sign * np.log(extreme / price) / STEP + 1e-9))
            if levels < LEAST_LEVELS:
                continue
            edges = price * np.exp(sign * STEP * np.arange(levels + 1))
            standing = contracts(estimator.states[0], side, edges).reshape(drawn.size, levels)
            usd = (mix.weights[side] * drawn) @ standing * np.sqrt(edges[1:] * edges[:-1])
            yield Frozen(start, start + horizon_ns, side, price, usd, first, last)


def place_sums(frozen: Frozen, bars: BarSeries, liquidations: LiquidationSeries) -> Placed:
    """Spread each published sum of a frozen map's horizon over the prices that were newly traded in its interval."""
    first, last = np.searchsorted(liquidations.start_ns, (frozen.start_ns, frozen.end_ns))
    usd = (liquidations.long_usd, liquidations.short_usd)[frozen.side][first:last]
    start = liquidations.start_ns[first:last]
    begin = np.searchsorted(bars.start_ns, start)
    end = np.searchsorted(bars.start_ns, start + liquidations.interval_ns)
    low, high, reached = np.empty(usd.size), np.empty(usd.size), frozen.price
    for i, (a, b) in enumerate(zip(begin, end, strict=True)):
        if a >= b:
            extreme = reached
        elif frozen.side == 0:
            extreme = min(reached, float(bars.low[a:b].min()))
        else:
            extreme = max(reached, float(bars.high[a:b].max()))
        low[i], high[i], reached = min(reached, extreme), max(reached, extreme), extreme
    return Placed(start, np.full(usd.size, frozen.side), low, high, usd, "sums")


def look(frozen: Frozen, placed: Placed) -> Seen | None:
    """Lay what was liquidated on the levels of a frozen map; None if none of it can be."""
    n, sign = frozen.usd.size, 2 * frozen.side - 1
    mine = (placed.ts_ns >= frozen.start_ns) & (placed.ts_ns < frozen.end_ns) & (placed.side == frozen.side)
    ends = np.sort(sign * np.log(np.stack((placed.low[mine], placed.high[mine])) / frozen.price) / STEP, axis=0)
    usd = placed.usd[mine]
    point = ends[1] <= ends[0]
    level = np.floor(ends[0]).astype(np.int64)
    # A stretch of length 0 that is not a print is a sum whose interval traded nothing new: it lies nowhere on this map.
    inside = point & (level >= 0) & (level < n) if placed.source == "prints" else np.zeros(usd.size, np.bool_)
    at = np.arange(n)
    overlap = np.clip(np.minimum(ends[1][:, None], at + 1.0) - np.maximum(ends[0][:, None], at), 0.0, 1.0)
    covered = overlap.sum(axis=1)
    ranged = ~point & (covered > 0.0)
    prints: FloatArray = np.bincount(level[inside], usd[inside], n).astype(np.float64)
    share = np.divide(covered, ends[1] - ends[0], out=np.zeros(usd.size), where=ranged)
    rows, dollars = overlap[ranged], (usd * share)[ranged]
    alone: BoolArray = (rows.sum(axis=0) <= 0.0) | (prints > 0.0)
    rows = np.concatenate((rows, np.eye(n)[alone]))
    dollars = np.concatenate((dollars, prints[alone]))
    if not dollars.sum() > 0.0:
        return None
    return Seen(
        start_ns=frozen.start_ns,
        usd=dollars,
        spread=rows / rows.sum(axis=1, keepdims=True),
        cover=rows / rows.sum(axis=0),
        dense=densest(frozen.usd),
        density=frozen.usd,
        distance=np.abs(np.expm1(sign * STEP * (at + 0.5))),
    )


def densest(usd: FloatArray) -> FloatArray:
    """Return float64[n] that is 1 on the densest quarter of the levels; equal levels share what is left of it.

    Examples
    --------
    >>> densest(np.array([3.0, 1.0, 2.0, 2.0, 2.0, 0.0])).round(3).tolist()
    [1.0, 0.0, 0.167, 0.167, 0.167, 0.0]
    """
    quarter = _QUARTER * usd.size
    border = np.sort(usd)[::-1][int(np.ceil(quarter - 1e-9)) - 1]
    above, level = usd > border, usd == border
    return above + level * (quarter - above.sum()) / level.sum()


def by_distance(distance: FloatArray) -> FloatArray:
    """Return float64[n, 15]: how much each knot of the distance profile counts at each distance; linear between knots."""
    place = np.interp(distance, _KNOTS, np.arange(_KNOTS.size))
    return np.maximum(1.0 - np.abs(place[:, None] - np.arange(_KNOTS.size)), 0.0)


def distance_profile(maps: list[Seen]) -> FloatArray:
    """Fit dollars per level by distance alone, float64[15] at the knots up to a factor, given each map's own total.

    The likelihood is multinomial over the items of each map, so that a sum that covers many levels says no more than it knows;
    it is raised step by step (expectation maximisation) from a flat profile.
    """
    onto = [by_distance(each.distance) for each in maps]
    levels = np.array([one.sum(axis=0) for one in onto])
    cover = np.concatenate([each.cover @ one for each, one in zip(maps, onto, strict=True)])
    usd = np.concatenate([each.usd for each in maps])
    total = np.array([each.usd.sum() for each in maps])
    profile = np.ones(_KNOTS.size)
    seen = levels.sum(axis=0) > 0.0
    for _ in range(_ROUNDS):
        expected = cover @ profile
        gained = np.divide(usd, expected, out=np.zeros_like(usd), where=expected > 0.0) @ cover
        asked = (total / (levels @ profile)) @ levels
        profile = np.where(seen, profile * gained / np.where(seen, asked, 1.0), 0.0)
        profile /= profile.max()
    return profile


def measure(maps: Iterable[Seen], *, source: str, horizon_ns: int, all_usd: float) -> Lift:
    """Return the lift of frozen maps.

    Parameters
    ----------
    all_usd
        Dollars liquidated in the window, located or not.

    Raises
    ------
    NoData
        If no dollar lies on a level of a frozen map.
    """
    seen = list(maps)
    if not seen:
        raise NoData(
            "lift: no liquidation lies on a level of a frozen map",
            hint="It needs hours in which price moved, with published liquidations, after the weights were learned.",
        )
    profile = distance_profile(seen)
    columns = np.zeros((len(seen), 5))  # dollars, on the dense quarter, expected there: evenly, by distance, by the map
    tally = np.zeros((len(_SHOWN) - 1, 5))  # levels, dollars, on the dense quarter, expected dollars, and on the dense quarter
    for i, each in enumerate(seen):
        usd, dense = each.usd.sum(), each.items_dense
        expected_usd = usd * each.falls(by_distance(each.distance) @ profile)
        evenly, mapped = each.falls(np.ones(each.density.size)) @ dense, each.falls(each.density) @ dense
        columns[i] = usd, each.usd @ dense, usd * evenly, expected_usd @ dense, usd * mapped
        found, expected = each.usd @ each.spread, expected_usd @ each.spread
        shown = np.searchsorted(_SHOWN, each.distance, side="right") - 1
        for k, values in enumerate((np.ones(shown.size), found, found * each.dense, expected, expected * each.dense)):
            np.add.at(tally[:, k], shown, values)
    days = Days(np.array([each.start_ns for each in seen]))
    sums = columns.sum(axis=0)
    return Lift(
        lift=days.value(columns, lambda s: s[..., 1] / s[..., 3]),
        over_chance=days.value(columns, lambda s: s[..., 1] / s[..., 2]),
        share=float(sums[1] / sums[0]),
        chance=float(sums[2] / sums[0]),
        expected=float(sums[3] / sums[0]),
        perfect=float(sums[4] / sums[0]),
        source=source,
        horizon_ns=horizon_ns,
        step=STEP,
        maps=len(seen),
        days=days.count,
        located=float(sums[0] / all_usd),
        bins=tuple(
            LiftBin(
                from_distance=low,
                to_distance=high,
                levels=int(row[0]),
                usd=float(row[1]),
                share=float(row[2] / row[1]) if row[1] > 0.0 else None,
                expected=float(row[4] / row[3]) if row[3] > 0.0 else None,
            )
            for low, high, row in zip(_SHOWN[:-1], _SHOWN[1:], tally, strict=True)
            if row[0] > 0.0
        ),
    )


def lift(
    bars: BarSeries,
    liquidations: LiquidationSeries,
    *,
    from_ns: int,
    to_ns: int,
    prints: Placed | None = None,
    horizon_ns: int | None = None,
    recipe: Recipe | None = None,
) -> Lift:
    """Return the lift over [from_ns, to_ns).

    Parameters
    ----------
    liquidations
        What the weights learn from, and where liquidations are located by if there are no prints.
    prints
        Forced orders with prices.
    horizon_ns
        How long a map stays frozen; default: an hour with prints, four intervals of the sums without.

    Raises
    ------
    NoData
        If nothing can be located.
    BadArgument
        If the horizon is not a multiple of the sums' interval.
    """
    horizon = horizon_ns or (NS_PER_HOUR if prints is not None else SUMS_PER_MAP * liquidations.interval_ns)
    if horizon < liquidations.interval_ns or horizon % liquidations.interval_ns:
        raise BadArgument(f"lift: expected a horizon of whole intervals of {liquidations.interval_ns} ns, received {horizon} ns")
    from_ns = -(-from_ns // horizon) * horizon
    maps: list[Seen] = []
    for frozen in freeze(bars, liquidations, from_ns=from_ns, to_ns=to_ns, horizon_ns=horizon, recipe=recipe):
        seen = look(frozen, prints if prints is not None else place_sums(frozen, bars, liquidations))
        if seen is not None:
            maps.append(seen)
    if prints is not None:
        every = float(prints.usd[(prints.ts_ns >= from_ns) & (prints.ts_ns < to_ns)].sum())
    else:
        inside = (liquidations.start_ns >= from_ns) & (liquidations.start_ns < to_ns)
        every = float(liquidations.long_usd[inside].sum() + liquidations.short_usd[inside].sum())
    return measure(maps, source=prints.source if prints is not None else "sums", horizon_ns=horizon, all_usd=every)
