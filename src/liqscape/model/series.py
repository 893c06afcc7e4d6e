"""Records in columns: what the store hands to the maths tower. Ascending in time, no two rows of one instant."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from liqscape.model.arrays import FloatArray, IntArray
from liqscape.model.instruments import InstrumentId
from liqscape.model.sides import Completeness, PriceKind


@dataclass(frozen=True)
class BarSeries:
    """Bars of one instrument, one interval; NaN is unknown.

    Parameters
    ----------
    start_ns : int64[n], ns UTC, start of each bar, ascending; bars may be missing
    known_ns : int64[n], ns UTC from which on each bar (with its open interest) may be used
    open, high, low, close : float64[n], quote per base, finite, low <= open, close <= high
    volume_base, taker_buy_base : float64[n], base units in the bar, NaN where unknown
    open_interest_base : float64[n], base units, one-sided, at the bar's END; held from the last stamp, NaN before the first
    price_kind
        What the prices are. MARK only if every bar is a mark bar.
    recorded
        True only if every row was recorded live (has a `ts_recv`).
    """

    instrument: InstrumentId
    interval_ns: int
    price_kind: PriceKind
    start_ns: IntArray
    known_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume_base: FloatArray
    taker_buy_base: FloatArray
    open_interest_base: FloatArray
    recorded: bool = False

    def __len__(self) -> int:
        return self.start_ns.size

    @property
    def end_ns(self) -> IntArray:
        """int64[n], ns UTC, end of each bar."""
        return self.start_ns + self.interval_ns

    def slice(self, first: int, last: int) -> BarSeries:
        """Return the bars [first, last) as views."""
        names = (
            "start_ns",
            "known_ns",
            "open",
            "high",
            "low",
            "close",
            "volume_base",
            "taker_buy_base",
            "open_interest_base",
        )
        return replace(self, **{name: getattr(self, name)[first:last] for name in names})


@dataclass(frozen=True)
class LiquidationSeries:
    """Published liquidations of one instrument per interval, by side of the position that was closed.

    Parameters
    ----------
    start_ns : int64[n], ns UTC, start of each interval, ascending; an interval that is absent is unknown, not zero
    known_ns : int64[n], ns UTC from which on each sum may be used
    long_usd, short_usd : float64[n], USD >= 0
    venues
        Whose feeds are summed.
    completeness
        ALL only if every feed shows everything.
    """

    instrument: InstrumentId
    interval_ns: int
    start_ns: IntArray
    known_ns: IntArray
    long_usd: FloatArray
    short_usd: FloatArray
    venues: tuple[str, ...]
    completeness: Completeness
    recorded: bool = False

    def __len__(self) -> int:
        return self.start_ns.size

    @classmethod
    def empty(cls, instrument: InstrumentId, interval_ns: int) -> LiquidationSeries:
        """Return a series that knows nothing."""
        none, nothing = np.empty(0, np.int64), np.empty(0, np.float64)
        return cls(instrument, interval_ns, none, none, nothing, nothing, (), Completeness.UNKNOWN)
