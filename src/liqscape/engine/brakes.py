"""What absorbs a shock at an instant: a stored book if one is fresh, else the law of impact from stored bars, and says which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from liqscape.cascade import (
    HORIZON_S,
    NOW,
    OCTOBER_2025,
    THIN_HOUR,
    Absorption,
    DepthProfile,
    Factor,
    SquareRootImpact,
    absorption,
)
from liqscape.cascade.absorption import IMPACT_Y, REFILL
from liqscape.clock import iso
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.model import BarSeries, InstrumentId
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import LiquidationMap
from liqscape.store import last_depth_ns, read_bars, read_depth
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, format_duration

BOOK_AGE_NS = NS_PER_HOUR  # an older book is not used: depth halves and doubles within hours
LOOK_BACK_NS = 97 * NS_PER_DAY  # 90 days of the reality check, and the week of volatility before the first of them
_KNOWN_SHARE = 0.95  # of a day's bars must have a volume


class Preset(StrEnum):
    """How thin the market is taken to be."""

    NOW = "now"
    THIN_HOUR = "thin-hour"
    OCTOBER_2025 = "2025-10-10"

    @property
    def stress(self) -> Factor:
        """The multiple of depth."""
        return {Preset.NOW: NOW, Preset.THIN_HOUR: THIN_HOUR, Preset.OCTOBER_2025: OCTOBER_2025}[self]


def parse_preset(text: str) -> Preset:
    """Read `now`, `thin-hour` or `2025-10-10`."""
    try:
        return Preset(text.lower())
    except ValueError:
        raise BadArgument(f"preset: expected one of {', '.join(Preset)}, received {text!r}", hint="Or leave it out.") from None


@dataclass(frozen=True)
class Volume:
    """Dollars traded in one day on the map's instruments, and when that day ended, ns UTC."""

    usd: float
    end_ns: int


@dataclass(frozen=True)
class Brakes:
    """Absorption of one map.

    Parameters
    ----------
    within_15_min, standing
        B(x) for the closed form; the book alone for the simulation in time, where it refills by itself.
    book, volume
        What they were computed from; one of the two is None.
    notes
        What a reader must know about them, in words.
    """

    within_15_min: Absorption
    standing: Absorption
    book: DepthProfile | None
    volume: Volume | None
    notes: tuple[str, ...]


def recent_bars(workspace: Workspace, found: LiquidationMap, back_ns: int = LOOK_BACK_NS) -> tuple[BarSeries, ...]:
    """Return the bars of the last 97 days (or `back_ns`) that were known at a map's instant, one series per instrument."""
    at = found.as_of_ns
    read = (read_bars(workspace.store, i, start_ns=at - back_ns, end_ns=at, known_by_ns=at) for i in found.instruments)
    return tuple(read)


def build_brakes(
    workspace: Workspace, found: LiquidationMap, bars: tuple[BarSeries, ...], distance: FloatArray, preset: Preset = Preset.NOW
) -> Brakes:
    """Compute absorption of a map's market as it was known at the map's instant.

    Parameters
    ----------
    bars
        `recent_bars` of the map.
    distance : float64[n + 1], fraction of the mark

    Raises
    ------
    NoData
        If there is neither a book of the last hour nor volume and volatility for the law.
    """
    book, notes = stored_book(workspace, found.instruments, found.as_of_ns)
    if book is not None:
        fast = absorption(distance, book=book, stress=preset.stress, horizon_s=HORIZON_S)
        return Brakes(fast, absorption(distance, book=book, stress=preset.stress, horizon_s=0.0), book, None, notes)
    if found.sigma_1d is None or not found.sigma_1d > 0.0:
        raise NoData(
            f"{found.asked}: no order book of {iso(found.as_of_ns)} is stored, and volatility is not known: under a day of bars",
            hint="Import a depth file (ts, distance, bid_usd, ask_usd) or more bars.",
        )
    volume = day_volume(found.asked, bars, found.as_of_ns)
    notes = (*notes, "the law is the same up and down")
    late = found.as_of_ns - volume.end_ns
    if late > NS_PER_HOUR:
        notes = (*notes, f"volume of the day to {iso(volume.end_ns)[:16]}Z, {format_duration(late)} before: none is stored since")
    law = SquareRootImpact(sigma_1d=found.sigma_1d, volume_1d_usd=volume.usd)
    # The law knows no horizon: what refills is in it. The simulation refills by itself, so that it starts from less.
    bare = replace(law, y=IMPACT_Y.times(REFILL.median**0.5))
    fast = absorption(distance, impact=law, stress=preset.stress)
    return Brakes(fast, absorption(distance, impact=bare, stress=preset.stress, horizon_s=0.0), None, volume, notes)


def stored_book(
    workspace: Workspace, instruments: tuple[InstrumentId, ...], at_ns: int
) -> tuple[DepthProfile | None, tuple[str, ...]]:
    """Return the sum of the instruments' newest books, None unless each has one of the last hour; and why not."""
    books: list[DepthProfile] = []
    for instrument in instruments:
        rows = read_depth(workspace.store, instrument, start_ns=at_ns - BOOK_AGE_NS, at_ns=at_ns)
        if rows.is_empty():
            newest = last_depth_ns(workspace.store, instrument, at_ns=at_ns)
            if newest is None:
                return None, (f"no order book of {instrument} is stored",)
            return None, (f"the newest stored book of {instrument} is {format_duration(at_ns - newest)} old: not used",)
        columns = (rows.get_column(name).to_numpy() for name in ("distance", "bid_usd", "ask_usd"))
        books.append(DepthProfile(*columns, ts_ns=int(rows.item(0, "ts")), source=f"{instrument}, {rows.item(0, 'source')}"))
    return _joined(books), ()


def _joined(books: list[DepthProfile]) -> DepthProfile:
    """Sum books up to the distance that all of them reach."""
    if len(books) == 1:
        return books[0]
    reach = min(float(book.distance[-1]) for book in books)
    distance = np.unique(np.concatenate([book.distance[book.distance <= reach] for book in books]))

    def total(side: str) -> FloatArray:
        edges = ((np.append(0.0, book.distance), np.append(0.0, getattr(book, side))) for book in books)
        return np.sum([np.interp(distance, at, usd) for at, usd in edges], axis=0)

    source = "; ".join(book.source for book in books)
    return DepthProfile(distance, total("bid_usd"), total("ask_usd"), ts_ns=min(book.ts_ns for book in books), source=source)


def day_volume(asked: str, bars: tuple[BarSeries, ...], at_ns: int) -> Volume:
    """Return the dollars traded in the newest day whose volume is known on every instrument.

    Raises
    ------
    NoData
        If there is no such day.
    """
    newest = min((_last_known(one) for one in bars), default=0)
    sums = [_day(one, newest) for one in bars]
    if not newest or any(usd is None for usd in sums):
        raise NoData(
            f"{asked}: no order book of {iso(at_ns)} is stored, and no day with volume in the 90 days before it",
            hint="Import a depth file (ts, distance, bid_usd, ask_usd), or bars with volume_base.",
        )
    return Volume(float(sum(usd for usd in sums if usd is not None)), newest)


def _last_known(bars: BarSeries) -> int:
    """End of the newest day of bars of which enough have a volume, 0 if there is none."""
    known = np.isfinite(bars.volume_base)
    per_day = max(1, NS_PER_DAY // bars.interval_ns)
    if len(bars) < per_day:
        return 0
    running = np.concatenate(([0], np.cumsum(known)))
    enough = np.flatnonzero((running[per_day:] - running[:-per_day] >= _KNOWN_SHARE * per_day) & known[per_day - 1 :])
    return int(bars.end_ns[enough[-1] + per_day - 1]) if enough.size else 0


def _day(bars: BarSeries, end_ns: int) -> float | None:
    """USD traded in the day before an instant, missing bars filled by the mean of the others."""
    first, last = np.searchsorted(bars.start_ns, (end_ns - NS_PER_DAY, end_ns))
    usd = bars.volume_base[first:last] * bars.close[first:last]
    known = usd[np.isfinite(usd)]
    per_day = max(1, NS_PER_DAY // bars.interval_ns)
    return float(known.mean()) * per_day if known.size >= _KNOWN_SHARE * per_day and known.sum() > 0.0 else None
