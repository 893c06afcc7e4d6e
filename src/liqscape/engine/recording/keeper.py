"""Closed minutes of one venue, asked for right after each minute's end: a lost frame can never bend a candle.

Every series (instrument and kind of price) has an edge, the first minute that is not stored, and holes behind it. The edge is
asked for first, so that the newest bar is there in time however much is still to be repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from liqscape.model import Bar, Gap, InstrumentId, InstrumentSpec, Kind, PriceKind
from liqscape.units import NS_PER_MINUTE
from liqscape.venues.base import Ask, Specs
from liqscape.venues.client import Client

TRIES = 6  # a minute that the venue left out so often, while it told later ones, does not exist
PAGE = 200  # minutes in one ask if the venue does not say
_KIND = {PriceKind.LAST: Kind.BARS, PriceKind.MARK: Kind.MARK_BARS}

Stretch = tuple[int, int]
Key = tuple[InstrumentId, PriceKind]


@dataclass(eq=False)
class _Hole:
    start_ns: int
    end_ns: int
    tries: int = 0


@dataclass(eq=False)
class _Series:
    spec: InstrumentSpec
    price_kind: PriceKind
    edge_ns: int
    holes: list[_Hole] = field(default_factory=list[_Hole])
    asked: bool = False  # an ask is on its way


class BarKeeper:
    """Asks for bars until it has them.

    Parameters
    ----------
    client, specs
        Of the venue, and the instruments to keep.
    edges
        First minute that is not stored per (instrument, kind of price), ns UTC; absent: the present minute.
    holes
        Stretches before the edge that are not stored.
    keep, lost
        Called with new bars, and with a `Gap` for minutes that the venue does not have.
    now_ns
        The wall clock, ns UTC.
    """

    def __init__(
        self,
        client: Client,
        specs: Specs,
        *,
        edges: Mapping[Key, int],
        holes: Mapping[Key, Sequence[Stretch]],
        keep: Callable[[list[Bar]], None],
        lost: Callable[[Gap], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._client, self._keep, self._lost, self._now_ns = client, keep, lost, now_ns
        facts = client.venue.facts
        present = now_ns() // NS_PER_MINUTE * NS_PER_MINUTE
        self.series: list[_Series] = []
        for spec in specs.values():
            for price_kind, kind in _KIND.items():
                if kind in facts.asks:
                    edge = min(edges.get((spec.id, price_kind), present), present)
                    behind = [_Hole(*stretch) for stretch in holes.get((spec.id, price_kind), ())]
                    self.series.append(_Series(spec, price_kind, edge, behind))
        for one in self.series:
            self._cut(one, present)

    def late(self) -> int:
        """Return how many closed minutes are missing over all series."""
        present = self._now_ns() // NS_PER_MINUTE * NS_PER_MINUTE
        return sum(
            max(0, present - one.edge_ns) // NS_PER_MINUTE
            + sum((hole.end_ns - hole.start_ns) // NS_PER_MINUTE for hole in one.holes)
            for one in self.series
        )

    def known(self) -> tuple[dict[Key, int], dict[Key, Sequence[Stretch]]]:
        """Return edges and holes, so that another keeper can go on."""
        keys = {(one.spec.id, one.price_kind): one for one in self.series}
        holes: dict[Key, Sequence[Stretch]] = {
            key: [(hole.start_ns, hole.end_ns) for hole in one.holes] for key, one in keys.items()
        }
        return {key: one.edge_ns for key, one in keys.items()}, holes

    def behind(self) -> list[_Series]:
        """Return the series whose newest closed minute is not there, and that nobody asks for right now."""
        present = self._now_ns() // NS_PER_MINUTE * NS_PER_MINUTE
        return [one for one in self.series if one.edge_ns < present and not one.asked]

    def with_holes(self) -> list[_Series]:
        """Return the series that have something to repair."""
        return [one for one in self.series if one.holes and not one.asked]

    async def ask(self, one: _Series) -> None:
        """Bring one series up to the newest closed minute.

        Raises
        ------
        VenueError
            If the venue did not answer; what is missing is asked for in the next round.
        """
        present = self._now_ns() // NS_PER_MINUTE * NS_PER_MINUTE
        if one.asked or one.edge_ns >= present:
            return
        one.asked = True
        try:
            self._cut(one, present)
            await self._edge(one, present)
        finally:
            one.asked = False

    async def repair(self, one: _Series) -> None:
        """Ask for one page of the holes of a series; raises as `ask` does."""
        if one.asked or not one.holes:
            return
        one.asked = True
        try:
            self._cut(one, self._now_ns() // NS_PER_MINUTE * NS_PER_MINUTE)
            if one.holes:
                await self._hole(one)
        finally:
            one.asked = False

    def _page_ns(self, one: _Series) -> int:
        return self._client.venue.facts.page.get(_KIND[one.price_kind], PAGE) * NS_PER_MINUTE

    def _cut(self, one: _Series, present: int) -> None:
        """Turn all but the newest page of a long outage into a hole, and forget what the venue does not keep."""
        if present - one.edge_ns > self._page_ns(one):
            begin = present - self._page_ns(one)
            one.holes.append(_Hole(one.edge_ns, begin))
            one.edge_ns = begin
        history = self._client.venue.facts.history_ns.get(_KIND[one.price_kind])
        if history is None:
            return
        for hole in list(one.holes):
            kept = min(hole.end_ns, max(hole.start_ns, present - history + NS_PER_MINUTE))
            kept -= kept % NS_PER_MINUTE
            if kept > hole.start_ns:
                self._give_up(one, hole.start_ns, kept, "older than what the venue keeps")
                hole.start_ns = kept
            if hole.start_ns >= hole.end_ns:
                one.holes.remove(hole)

    async def _edge(self, one: _Series, present: int) -> None:
        begin = one.edge_ns
        starts = await self._get(one, begin, present)
        if not starts:
            return
        one.edge_ns = max(starts) + NS_PER_MINUTE
        for start, end in _missing(starts, begin, one.edge_ns):
            one.holes.append(_Hole(start, end, 1))

    async def _hole(self, one: _Series) -> None:
        """Ask for the newest page of the newest hole."""
        hole = max(one.holes, key=lambda hole: (-hole.tries, hole.end_ns))
        begin = max(hole.start_ns, hole.end_ns - self._page_ns(one))
        starts = await self._get(one, begin, hole.end_ns)
        one.holes.remove(hole)
        if begin > hole.start_ns:
            one.holes.append(_Hole(hole.start_ns, begin, 0))
        for start, end in _missing(starts, begin, hole.end_ns):
            if hole.tries + 1 >= TRIES:
                self._give_up(one, start, end, "the venue tells no bar of these minutes")
            else:
                one.holes.append(_Hole(start, end, hole.tries + 1))

    async def _get(self, one: _Series, begin: int, end: int) -> set[int]:
        """Ask for [begin, end) and keep what came."""
        ask: Ask | None = self._client.venue.ask_bars(one.spec, one.price_kind, begin, end)
        if ask is None:
            self.series.remove(one)
            return set()
        found: dict[int, Bar] = {}
        for record in await self._client.run(ask, tries=3, patience_s=20.0):
            if isinstance(record, Bar) and begin <= record.ts_venue < end and record.instrument == one.spec.id:
                found.setdefault(record.ts_venue, record)
        self._keep([found[start] for start in sorted(found)])
        return set(found)

    def _give_up(self, one: _Series, start: int, end: int, reason: str) -> None:
        kind = _KIND[one.price_kind]
        now = self._now_ns()
        self._lost(Gap(instrument=one.spec.id, kind=kind, ts_venue=start, end_ns=end, ts_recv=now, reason=reason))


def _missing(starts: set[int], begin: int, end: int) -> list[Stretch]:
    """Return the stretches of [begin, end) without a bar."""
    found: list[Stretch] = []
    for start in range(begin, end, NS_PER_MINUTE):
        if start in starts:
            continue
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], start + NS_PER_MINUTE)
        else:
            found.append((start, start + NS_PER_MINUTE))
    return found


def settle_s(client: Client) -> float:
    """Return how long after a minute's end its bar is asked for."""
    return min(max(client.venue.facts.settle_s, 0.5), 20.0)
