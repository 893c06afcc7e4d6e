"""What is left to ask: stretches of time, without what is stored, what was asked before and what the recorder owns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from liqscape.model import InstrumentSpec, Kind, PriceKind
from liqscape.model.arrays import IntArray
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.base import Facts

Stretch = tuple[int, int]  # [start, end), ns UTC

RATIO_NS = 5 * NS_PER_MINUTE  # every adapter asks for the ratios of five minutes
_DEFAULT_PAGE = 100
# Past liquidations are asked for by the hour: no venue that keeps them refuses so short a stretch (Gate allows one hour).
_LIQUIDATIONS_NS = NS_PER_HOUR


@dataclass(frozen=True)
class Series:
    """One kind of one instrument, as it is asked for.

    Parameters
    ----------
    key
        Of the adapter.
    interval_ns
        Distance of its rows where they lie on a grid (bars, open interest), else None.
    page_ns
        What one ask may cover.
    """

    key: str
    spec: InstrumentSpec
    kind: Kind
    interval_ns: int | None
    page_ns: int

    @property
    def name(self) -> str:
        """Name in the small state and in messages, such as `bybit_linear bybit:BTCUSDT mark_bars`."""
        return f"{self.key} {self.spec.id} {self.kind}"

    @property
    def price_kind(self) -> PriceKind:
        """Of bars."""
        return PriceKind.MARK if self.kind is Kind.MARK_BARS else PriceKind.LAST


# In the order of what a map needs first.
KINDS = (Kind.BARS, Kind.MARK_BARS, Kind.OPEN_INTEREST, Kind.FUNDING, Kind.LIQUIDATIONS, Kind.RATIOS)


def series_of(facts: Facts, spec: InstrumentSpec, kinds: Iterable[Kind] = KINDS) -> Iterator[Series]:
    """Yield what a venue's past holds of an instrument."""
    for kind in kinds:
        if kind not in facts.asks:
            continue
        rows = facts.page.get(kind, _DEFAULT_PAGE)
        if kind in (Kind.BARS, Kind.MARK_BARS):
            yield Series(facts.key, spec, kind, NS_PER_MINUTE, rows * NS_PER_MINUTE)
        elif kind is Kind.OPEN_INTEREST and facts.open_interest_interval_ns is not None:
            yield Series(facts.key, spec, kind, facts.open_interest_interval_ns, rows * facts.open_interest_interval_ns)
        elif kind is Kind.FUNDING:
            # Intervals were changed now and then, down to an hour: a page of hours never overflows.
            yield Series(facts.key, spec, kind, None, rows * NS_PER_HOUR)
        elif kind is Kind.RATIOS:
            yield Series(facts.key, spec, kind, None, rows * RATIO_NS)
        elif kind is Kind.LIQUIDATIONS:
            yield Series(facts.key, spec, kind, None, _LIQUIDATIONS_NS)


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Join stretches that touch; ascending.

    Examples
    --------
    >>> merged([(5, 7), (0, 2), (2, 3)])
    [(0, 3), (5, 7)]
    """
    out: list[Stretch] = []
    for start, end in sorted(stretches):
        if end <= start:
            continue
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def without(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """Return the stretches less what is taken; ascending.

    Examples
    --------
    >>> without([(0, 10)], [(2, 3), (8, 20)])
    [(0, 2), (3, 8)]
    """
    out: list[Stretch] = []
    holes = merged(taken)
    for start, end in merged(stretches):
        at = start
        for low, high in holes:
            if high <= at or low >= end:
                continue
            if low > at:
                out.append((at, low))
            at = max(at, high)
        if at < end:
            out.append((at, end))
    return out


def covered(stamps: IntArray, interval_ns: int) -> list[Stretch]:
    """Return the stretches that rows on a grid cover, ascending; `stamps` need not be sorted.

    Examples
    --------
    >>> covered(np.array([0, 60, 180]), 60)
    [(0, 120), (180, 240)]
    """
    if stamps.size == 0:
        return []
    found = np.unique(stamps)
    cuts = np.flatnonzero(np.diff(found) > interval_ns) + 1
    return [(int(run[0]), int(run[-1]) + interval_ns) for run in np.split(found, cuts)]


def windows(stretches: Sequence[Stretch], page_ns: int) -> list[Stretch]:
    """Cut stretches into what one ask may cover, newest first.

    Newest first, because a map needs the days before now: whenever a backfill ends, what came reaches up to the present without
    a hole, and two empty windows in a row are the beginning of the record.

    Examples
    --------
    >>> windows([(0, 250), (300, 350)], 100)
    [(300, 350), (150, 250), (50, 150), (0, 50)]
    """
    out: list[Stretch] = []
    for start, end in reversed(merged(stretches)):
        at = end
        while at > start:
            out.append((max(start, at - page_ns), at))
            at -= page_ns
    return out
