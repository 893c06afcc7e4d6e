"""The reality check (F04): runs that the maps of the last 90 days should have brought about, against those that were seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from msgspec import Struct

from liqscape.cascade import Absorption, Basis, Direction, Factor, Reality, reality
from liqscape.cascade.absorption import WITHDRAWAL_EXPONENT
from liqscape.cascade.base import SEED
from liqscape.engine.brakes import Brakes
from liqscape.engine.heat import build_heatmap
from liqscape.engine.workspace import Workspace
from liqscape.model import BarSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.model.maps import Heatmap, LiquidationMap
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

RUN = 0.025
DAYS = 90
_DRAWS = 64
_ROWS = 600
_STEPS = 25  # of 0.1 % to a run
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
    workspace: Workspace, found: LiquidationMap, bars: BarSeries, brakes: Brakes, reported: Factor
) -> RealityCheck | None:
    """Compare the runs that the flow of the last 90 days should have brought about with those that happened.

    Parameters
    ----------
    found
        The map of now, of one instrument; every hour is judged by the map of its own beginning.
    bars
        Of that instrument, to the map's instant.
    brakes
        Absorption now; taken to other hours by the volatility before them, that of the impact law by their volume too.
    reported
        Share of forced dollars that the feeds publish.

    Returns
    -------
    None if fewer than 14 days of hours have a volume and a map.

    Notes
    -----
    An hour runs if its net flow exceeds the highest U = B - F up to 2.5 %, both from its open.
    """
    hours = _hours(bars)
    if hours is None:
        return None
    scale = _scale(hours, brakes.within_15_min, None if brakes.volume is None else brakes.volume.usd)
    heat = build_heatmap(
        workspace,
        str(bars.instrument),
        as_of_ns=found.as_of_ns,
        window=f"{DAYS}d",
        within=2.0 * RUN,
        rows=_ROWS,
        column_ns=NS_PER_HOUR,
    )
    forced = {way: _forced(heat, hours, way) for way in Direction}
    known = np.isfinite(scale) & np.all([np.isfinite(usd).all(axis=1) for usd in forced.values()], axis=0)
    if known.sum() < _LEAST_HOURS:
        return None
    shares = np.minimum(reported.draws(np.random.default_rng(SEED), _DRAWS), 1.0)
    taker = bool(np.isfinite(hours.net_usd[known]).mean() > 0.9)
    expected = dict.fromkeys((True, False), 0.0)
    for way in Direction:
        for with_map in (True, False):
            needed = _needed(forced[way][known] * with_map, brakes.within_15_min, way, scale[known], shares)
            expected[with_map] += _ran(needed, hours, known, way.sign if taker else 0)
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
        self.open = opened
        usd: FloatArray = cut(bars.volume_base * bars.close).sum(axis=1)
        squares: FloatArray = cut(np.diff(np.log(bars.close), prepend=np.nan) ** 2).sum(axis=1)
        self.up: FloatArray = cut(bars.high).max(axis=1) / opened - 1.0
        self.down: FloatArray = 1.0 - cut(bars.low).min(axis=1) / opened
        self.volume_usd = usd
        self.net_usd: FloatArray = cut((2.0 * bars.taker_buy_base - bars.volume_base) * bars.close).sum(axis=1)
        self.day_volume_usd = 24.0 * _trailing(usd, 24)
        self.sigma: FloatArray = np.sqrt(24.0 * _trailing(squares, 168))
        self.start_ns: IntArray = bars.start_ns[first::per_hour][: opened.size]
        self.recent = self.start_ns >= int(bars.end_ns[-1]) - DAYS * NS_PER_DAY


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


def _forced(heat: Heatmap, hours: _Hours, way: Direction) -> FloatArray:
    """float64[hours, steps + 1], published USD from each hour's open outward, by the newest map before it; NaN without one."""
    column = np.searchsorted(heat.start_ns + heat.interval_ns, hours.start_ns, side="right") - 1
    late = hours.start_ns - (heat.start_ns[np.maximum(column, 0)] + heat.interval_ns)
    fresh = (column >= 0) & (late < NS_PER_HOUR)
    step = math.log(heat.edge_price[1] / heat.edge_price[0])
    usd: FloatArray = np.cumsum(np.nan_to_num(heat.usd_per_permille.astype(np.float64)) * step * 1000.0, axis=0)
    total = np.concatenate((np.zeros((1, usd.shape[1])), usd))
    total[:, np.isnan(heat.usd_per_permille[0])] = np.nan
    price = hours.open[:, None] * (1.0 + way.sign * RUN / _STEPS * np.arange(_STEPS + 1))
    place = np.clip(np.log(price / heat.edge_price[0]) / step, 0.0, usd.shape[0] - 1e-9)
    row, at = place.astype(np.int64), np.maximum(column, 0)[:, None]
    below = total[row, at] + (place - row) * (total[row + 1, at] - total[row, at])
    out = way.sign * (below - below[:, :1])
    out[~fresh] = np.nan
    return out


def _needed(forced: FloatArray, brakes: Absorption, way: Direction, scale: FloatArray, shares: FloatArray) -> FloatArray:
    """float64[hours, draws], dollars of flow that run the price to 2.5 %."""
    absorbed = brakes.toward(way)
    draws = np.arange(_DRAWS) * len(absorbed) // _DRAWS
    out: FloatArray = np.zeros((scale.size, _DRAWS), dtype=np.float64)
    for step in range(1, _STEPS + 1):
        usd = brakes.at(way, RUN * step / _STEPS)[draws]
        np.maximum(out, scale[:, None] * usd - forced[:, step, None] / shares, out=out)
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
