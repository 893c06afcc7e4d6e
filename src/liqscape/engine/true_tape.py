"""What was liquidated behind a throttled feed, from stored prints, with the price of each second where that is stored.

Sums of intervals cannot be inverted, only prints can. Nothing here changes what `tape.published` shows; it stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import MapState
from liqscape.estimate.throttled import ThrottledLearner, beside, fine_recipe, sweep
from liqscape.estimate.throttled_free import recover_from_prints
from liqscape.estimate.throttled_prints import FeedRule, SecondPrints, by_second
from liqscape.estimate.throttled_recovered import Recovered
from liqscape.estimate.throttled_rule import RuleTest, which_rule
from liqscape.model import BarSeries, Completeness, InstrumentId, Kind
from liqscape.model.arrays import IntArray
from liqscape.store import Table, read_bars
from liqscape.units import NS_PER_HOUR, NS_PER_S, parse_duration_ns


@dataclass(frozen=True)
class TrueTape:
    """Estimated true liquidations of one instrument, hour by hour.

    Parameters
    ----------
    as_of_ns
        Nothing known later is in it.
    rule
        What the feed was taken to show; `test` says what its sizes say of that.
    with_price
        Whether the price of each second was there. Without it the estimate is a lower one (docs/throttled.md).
    hours
        Ascending; hours of which nothing is estimated hold NaN.
    """

    instrument: InstrumentId
    as_of_ns: int
    rule: FeedRule
    with_price: bool
    hours: tuple[Recovered, ...]
    test: RuleTest

    @property
    def reported_share(self) -> tuple[float, float, float] | None:
        """Share of dollars that the feed showed: over all estimated hours, and with the ends of their 80 % intervals added up.

        In the order of the setting `reported_share` (median, low, high). Hours err together, so the ends are not narrowed. None
        where nothing is estimated.
        """
        told = [hour for hour in self.hours if np.isfinite(hour.true_usd).all()]
        reported = sum(float(hour.reported_usd.sum()) for hour in told)
        if not reported > 0.0:
            return None
        parts = (sum(float(getattr(hour, name).sum()) for hour in told) for name in ("true_usd", "high_usd", "low_usd"))
        middle, low, high = (min(reported / total, 1.0) for total in parts)
        return max(min(middle, high), low), low, high


def true_tape(
    workspace: Workspace,
    instrument: InstrumentId,
    *,
    as_of_ns: int | None = None,
    window: str = "30d",
    rule: FeedRule = FeedRule.LATEST,
) -> TrueTape:
    """Estimate what was liquidated in the whole hours of a window, from throttled prints.

    Parameters
    ----------
    as_of_ns
        Default: the newest stored print.
    rule
        Binance documents "latest" (science.md A4 [S21]); older copies of its page say "largest".

    Raises
    ------
    NoData
        If no prints are stored in the window.
    BadArgument
        If the prints come from a feed that shows everything.
    """
    rows = workspace.store.read(Table.LIQUIDATIONS, instrument, known_by_ns=as_of_ns, end_ns=as_of_ns)
    if rows.is_empty():
        raise NoData(
            f"{instrument}: no single liquidations are stored, only prints can be traced to what a feed hides",
            hint="Import a recorded feed (Tardis `liquidations`, or forceOrder prints); sums of intervals are not enough.",
        )
    at = as_of_ns if as_of_ns is not None else int(rows.get_column("ts").to_numpy().max()) + 1
    rows = rows.filter(pl.col("ts") >= at - parse_duration_ns(window))
    if rows.is_empty():
        raise NoData(f"{instrument}: no single liquidations are stored in the {window} before then", hint="Ask for a longer one.")
    if set(rows.get_column("completeness").to_list()) == {Completeness.ALL.value}:
        raise BadArgument(
            f"{instrument}: this feed shows every liquidation, nothing is hidden",
            hint="Use `liqscape liquidations`: its sums are whole.",
        )
    prints = _prints(rows, silences(workspace, instrument, as_of_ns))
    # Whole hours: the first is the one after the first print, the last ends by then.
    start_ns = (int(rows.get_column("ts").to_numpy().min()) // NS_PER_HOUR + 1) * NS_PER_HOUR
    end_ns = at // NS_PER_HOUR * NS_PER_HOUR
    if end_ns <= start_ns:
        raise NoData(f"{instrument}: the stored prints do not span a whole hour", hint="Record for longer.")
    bars = _seconds(workspace, instrument, start_ns, end_ns, as_of_ns)
    if bars is None:
        hours = recover_from_prints(prints, rule, start_ns // NS_PER_S, (end_ns - start_ns) // NS_PER_S)
    else:
        hours = _with_price(bars, prints, rule)
    return TrueTape(instrument, at, rule, bars is not None, tuple(hours), which_rule(prints))


def estimated_true(workspace: Workspace, instrument: InstrumentId, *, as_of_ns: int | None, window: str) -> TrueTape | None:
    """Return the estimate where the price of each second stands beside throttled prints; None where that is not stored."""
    stored = [c for c in workspace.store.coverage() if c.instrument == instrument]
    if not any(c.table is Table.BARS and c.interval_ns == NS_PER_S for c in stored):
        return None
    if any(c.table is Table.LIQUIDATION_TOTALS for c in stored):
        return None  # what is shown as published are sums of other feeds too
    try:
        found = true_tape(workspace, instrument, as_of_ns=as_of_ns, window=window)
    except (NoData, BadArgument):
        return None
    return found if found.with_price and found.reported_share is not None else None


def silences(workspace: Workspace, instrument: InstrumentId, known_by_ns: int | None = None) -> IntArray:
    """Return the stretches in which nobody listened, int64[n, 2], ns UTC, ascending and apart."""
    gaps = workspace.store.read(Table.GAPS, instrument, known_by_ns=known_by_ns, where={"kind": Kind.LIQUIDATIONS.value})
    out: list[list[int]] = []
    for start, end in gaps.sort("ts").select("ts", "end_ts").iter_rows():
        if out and start <= out[-1][1]:
            out[-1][1] = max(out[-1][1], int(end))
        elif end > start:
            out.append([int(start), int(end)])
    return np.array(out, np.int64).reshape(-1, 2)


def _prints(rows: pl.DataFrame, silences_ns: IntArray) -> SecondPrints:
    usd = (rows.get_column("price") * rows.get_column("quantity_base")).to_numpy().astype(np.float64)
    sign = np.where((rows.get_column("position_side") == "long").to_numpy(), 1, -1).astype(np.int64)
    return by_second(rows.get_column("ts").to_numpy().astype(np.int64), sign, usd, silences_ns)


def _seconds(
    workspace: Workspace, instrument: InstrumentId, start_ns: int, end_ns: int, known_by_ns: int | None
) -> BarSeries | None:
    """Return bars of one second with known open interest, or None where they are not stored."""
    stored = [c for c in workspace.store.coverage() if c.instrument == instrument and c.table is Table.BARS]
    if not any(c.interval_ns == NS_PER_S and c.first_ns < end_ns and c.last_ns >= start_ns for c in stored):
        return None
    bars = read_bars(workspace.store, instrument, start_ns=start_ns, end_ns=end_ns, known_by_ns=known_by_ns, interval_ns=NS_PER_S)
    known = np.flatnonzero(bars.open_interest_base > 0.0)
    return bars.slice(int(known[0]), len(bars)) if known.size else None


def _with_price(bars: BarSeries, prints: SecondPrints, rule: FeedRule) -> list[Recovered]:
    """Run the censored learner over the clock hours of bars of one second."""
    recipe = fine_recipe()
    state = MapState(recipe, float(bars.open[0]), float(bars.open_interest_base[0]), bars.interval_ns)
    learner = ThrottledLearner(recipe, rule)
    edges = np.append(np.flatnonzero(np.diff(bars.start_ns // NS_PER_HOUR, prepend=-1)), len(bars)).tolist()
    return [learner.observe(beside(sweep(state, bars.slice(i, j)), prints)) for i, j in pairwise(edges)]
