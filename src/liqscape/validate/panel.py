"""What every predictor sees: the intervals of one instrument, the bars inside them, and when constants may be refitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY

BURN_IN_NS = 7 * NS_PER_DAY  # the state forgets its made-up start; nothing before is fitted on or scored
_LEAST_FIT_NS = 7 * NS_PER_DAY


@dataclass(frozen=True)
class Panel:
    """Intervals in time order.

    Parameters
    ----------
    bars
        Bars that cover the intervals; open interest is that at a bar's end.
    start_ns : int64[n], ns UTC
    interval_ns
        Length of an interval.
    realised : float64[n, 2], USD (long, short); NaN where it was not published
    first_bar, end_bar : int64[n], bars `first_bar[i]:end_bar[i]` lie in interval i
    adverse : float64[n, 2], fraction: how far price went against longs and shorts from the close before the interval
    funding : float64[n], last funding rate (fraction per its interval) known at the start; NaN unknown
    """

    bars: BarSeries
    start_ns: IntArray
    interval_ns: int
    realised: FloatArray
    first_bar: IntArray
    end_bar: IntArray
    adverse: FloatArray
    funding: FloatArray

    @property
    def known(self) -> BoolArray:
        """bool[n], whether both sides were published."""
        return np.isfinite(self.realised.sum(axis=1))

    def between(self, from_ns: int | None, to_ns: int | None) -> BoolArray:
        """bool[n], known intervals that start in [from_ns, to_ns)."""
        low = self.known if from_ns is None else self.known & (self.start_ns >= from_ns)
        return low if to_ns is None else low & (self.start_ns < to_ns)


def panel(
    bars: BarSeries,
    liquidations: LiquidationSeries,
    start_ns: IntArray,
    realised: FloatArray,
    funding: tuple[IntArray, FloatArray] | None = None,
) -> Panel:
    """Join intervals with the bars inside them.

    Parameters
    ----------
    start_ns, realised
        Intervals that were predicted, with what was published in them.
    funding
        (instants at which a rate became known, rates), ascending.
    """
    interval_ns = liquidations.interval_ns
    first = np.searchsorted(bars.start_ns, start_ns)
    last = np.searchsorted(bars.start_ns, start_ns + interval_ns)
    adverse = np.zeros((start_ns.size, 2))
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        before = bars.close[a - 1] if a > 0 else bars.open[a]
        adverse[i] = 1.0 - bars.low[a:b].min() / before, bars.high[a:b].max() / before - 1.0
    rates = np.full(start_ns.size, np.nan)
    if funding is not None and funding[0].size:
        at = np.searchsorted(funding[0], start_ns, side="right") - 1
        rates = np.where(at >= 0, funding[1][np.maximum(at, 0)], np.nan)
    return Panel(bars, start_ns, interval_ns, realised, first, last, np.maximum(adverse, 0.0), rates)


class Schedule(Struct, frozen=True, kw_only=True):
    """When constants are refitted, and on what.

    Parameters
    ----------
    anchor_ns
        A refit falls on this instant (the start of the scored window), others whole refits before and after.
    fit_days, refit_days, embargo_days
        A refit at T reads intervals that lie in [T - embargo - fit, T - embargo) and serves [T, T + refit).
    """

    anchor_ns: int
    fit_days: float = 75.0
    refit_days: float = 7.0
    embargo_days: float = 7.0

    def __post_init__(self) -> None:
        if not (self.fit_days > 0.0 and self.refit_days > 0.0 and self.embargo_days >= 0.0):
            raise BadArgument(
                "validate: expected --fit-days and --refit-days above 0 and --embargo-days of at least 0, received "
                f"{self.fit_days:g}, {self.refit_days:g} and {self.embargo_days:g}"
            )

    def folds(self, rows: Panel) -> Iterator[tuple[BoolArray, BoolArray]]:
        """Yield (fit, serve), bool[n] each; intervals with less than a week to fit on are served by no fold."""
        refit = int(self.refit_days * NS_PER_DAY)
        first = int(rows.start_ns[0])
        begin = self.anchor_ns - -(-(self.anchor_ns - first) // refit) * refit
        for at in range(begin, int(rows.start_ns[-1]) + 1, refit):
            serve = (rows.start_ns >= at) & (rows.start_ns < at + refit)
            fit = self.fit(rows, at)
            if serve.any() and fit.sum() * rows.interval_ns >= _LEAST_FIT_NS:
                yield fit, serve

    def fit(self, rows: Panel, at_ns: int) -> BoolArray:
        """bool[n], the known intervals that a refit at `at_ns` reads: after burn-in, over before the embargo."""
        until = at_ns - int(self.embargo_days * NS_PER_DAY)
        low = max(until - int(self.fit_days * NS_PER_DAY), int(rows.start_ns[0]) + BURN_IN_NS)
        return rows.known & (rows.start_ns >= low) & (rows.start_ns + rows.interval_ns <= until)
