"""Whether moves after a breached level grow with what lay just behind it: the instrument beside attribution (F30).

Every hour of the record before an instant has levels at fixed distances from its open, above and below, and the map of its own
beginning. Where one is breached within the hour, the jump of the map at the level (dollars just beyond it less those just short
of it) is compared with the move that followed, the path before held fixed.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from liqscape.cascade import Direction, Discontinuity, Factor, discontinuity
from liqscape.engine.heat import build_heatmap
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData
from liqscape.model import BarSeries
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Heatmap
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

DAYS = 60
DISTANCES = (0.003, 0.005, 0.0075, 0.01)  # chosen beforehand: no level is picked for what the map shows there
SPAN = 0.002  # what counts as just beyond and just short of a level, fraction
AFTER_NS = 15 * NS_PER_MINUTE
_ROWS = 800


class Breaches(Struct, frozen=True, kw_only=True):
    """The test and what it looked at.

    Parameters
    ----------
    found
        Move after a breach per unit of excess: forced dollars at the jump by those that move the price as far.
    days, after_s
        Length of the record, and of the move after a breach.
    """

    found: Discontinuity
    days: int
    after_s: float


def breaches(workspace: Workspace, bars: BarSeries, *, depth_usd: float, reported: Factor, as_of_ns: int) -> Breaches | None:
    """Run the test on the 60 days before an instant; None if too few levels were breached.

    Parameters
    ----------
    bars
        Of one instrument, to that instant, of 15 minutes or less.
    depth_usd
        Dollars per unit of log distance, taken as that of the whole record.
    reported
        Share of forced dollars that the feeds publish; its middle is used.
    """
    if AFTER_NS % bars.interval_ns or NS_PER_HOUR % bars.interval_ns:
        return None
    try:
        heat = build_heatmap(
            workspace,
            str(bars.instrument),
            as_of_ns=as_of_ns,
            window=f"{DAYS}d",
            within=0.05,
            rows=_ROWS,
            column_ns=NS_PER_HOUR,
        )
        rows = _breached(bars, heat)
        excess, after, before, day = (rows[:, column] for column in range(4))
        scale = 1.0 / (reported.median * depth_usd)
        found = discontinuity(excess * scale, after, before, day.astype(np.int64))
    except NoData:
        return None
    return Breaches(found=found, days=DAYS, after_s=AFTER_NS / 1e9)


def _breached(bars: BarSeries, heat: Heatmap) -> FloatArray:
    """float64[breaches, 4]: jump in published USD, move after, move before, day.

    Raises
    ------
    NoData
        If there is none.
    """
    step = math.log(heat.edge_price[1] / heat.edge_price[0])
    total = np.zeros((heat.usd_per_permille.shape[0] + 1, heat.usd_per_permille.shape[1]))
    np.cumsum(np.nan_to_num(heat.usd_per_permille) * (1000.0 * step), axis=0, dtype=np.float64, out=total[1:])
    per_hour, later = NS_PER_HOUR // bars.interval_ns, AFTER_NS // bars.interval_ns
    rows: list[tuple[float, float, float, int]] = []
    for column in np.flatnonzero(~np.isnan(heat.usd_per_permille[0])):
        begin_ns = int(heat.start_ns[column]) + heat.interval_ns
        first = int(np.searchsorted(bars.start_ns, begin_ns))
        last = first + per_hour + later
        if first < later or last > len(bars):
            continue
        if int(bars.start_ns[last - 1] - bars.start_ns[first - later]) != (last - 1 - first + later) * bars.interval_ns:
            continue
        for way in Direction:
            for distance in DISTANCES:
                level = float(bars.open[first]) * (1.0 + way.sign * distance)
                bar = _first(bars, first, per_hour, level, way)
                if bar is None:
                    continue
                after = way.sign * math.log(float(bars.close[bar + later]) / level)
                before = way.sign * math.log(level / float(bars.close[bar - later]))
                jump = _jump(total[:, column], float(heat.edge_price[0]), step, level, way)
                rows.append((jump, after, before, begin_ns // NS_PER_DAY))
    if not rows:
        raise NoData("breaches: no level was breached", hint="Take a longer record.")
    return np.array(rows, dtype=np.float64)


def _first(bars: BarSeries, first: int, count: int, level: float, way: Direction) -> int | None:
    """Return the first of some bars that reaches a level."""
    cut = slice(first, first + count)
    reached = bars.high[cut] >= level if way is Direction.UP else bars.low[cut] <= level
    return first + int(np.argmax(reached)) if reached.any() else None


def _jump(total: FloatArray, lowest: float, step: float, level: float, way: Direction) -> float:
    """Dollars just beyond a level less those just short of it; `total` sums the rows of a map upward."""
    place = [math.log(level * (1.0 + part) / lowest) / step for part in (-SPAN, 0.0, SPAN)]
    below, middle, above = np.interp(place, np.arange(total.size), total).tolist()
    return way.sign * ((above - middle) - (middle - below))
