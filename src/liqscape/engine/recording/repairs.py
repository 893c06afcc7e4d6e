"""Stretches in which nothing was heard: their history is asked for where the venue keeps one, and only the rest is a `Gap`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import msgspec

from liqscape.engine.recording.merger import Key, Merger
from liqscape.errors import CorruptRecord, VenueError
from liqscape.model import Gap, InstrumentId, InstrumentSpec, Kind, Liquidation
from liqscape.units import NS_PER_HOUR, NS_PER_S
from liqscape.venues.client import Client

SETTLE_NS = 15 * NS_PER_S  # histories lag behind the stream
WINDOW_NS = NS_PER_HOUR  # the longest stretch that every venue answers (Gate)
TRIES = 12
_PAUSES_S = (20.0, 30.0, 60.0, 120.0, 300.0)
_LOOK_S = 2.0


@dataclass(frozen=True)
class _Waiting:
    gap: Gap
    due_ns: int
    tries: int = 0
    last_error: str = ""


class Repairs:
    """Takes gaps of one venue and fills what can be filled.

    Parameters
    ----------
    client, specs
        Of the venue, and its recorded instruments by name.
    merger
        Knows which prints of the last half hour are stored.
    stored
        (instrument, start, end) -> keys of the prints that the tables hold; called in a thread.
    keep, lost, settled
        Called with (print, which of the prints alike), with what stays unknown, and with a gap that was filled.
    """

    def __init__(
        self,
        client: Client,
        specs: dict[InstrumentId, InstrumentSpec],
        merger: Merger,
        *,
        stored: Callable[[InstrumentId, int, int], Iterable[Key]],
        keep: Callable[[Liquidation, int], None],
        lost: Callable[[Gap], None],
        settled: Callable[[Gap], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._client, self._specs, self._merger = client, specs, merger
        self._stored, self._keep, self._lost, self._settled, self._now_ns = stored, keep, lost, settled, now_ns
        self._waiting: list[_Waiting] = []

    def take(self, gap: Gap) -> None:
        """Take a gap that the feed told, or the time in which nobody recorded."""
        facts = self._client.venue.facts
        if gap.kind is Kind.TRADES or gap.instrument not in self._specs:
            return  # trades are not stored
        if gap.kind is not Kind.LIQUIDATIONS or Kind.LIQUIDATIONS not in facts.asks:
            self._lost(gap)
            return
        kept = facts.history_ns.get(Kind.LIQUIDATIONS)
        oldest = self._now_ns() - kept if kept is not None else 0
        if gap.ts_venue < oldest:
            end = min(gap.end_ns, oldest)
            self._lost(msgspec.structs.replace(gap, end_ns=end, reason=f"{gap.reason}; older than what the venue keeps"))
            if end == gap.end_ns:
                return
            gap = msgspec.structs.replace(gap, ts_venue=end)
        self._waiting.append(_Waiting(gap, max(self._now_ns(), gap.end_ns) + SETTLE_NS))

    def __len__(self) -> int:
        return len(self._waiting)

    def oldest(self) -> dict[InstrumentId, int]:
        """Return from when on an instrument's liquidations are not settled yet."""
        found: dict[InstrumentId, int] = {}
        for one in self._waiting:
            found[one.gap.instrument] = min(found.get(one.gap.instrument, one.gap.ts_venue), one.gap.ts_venue)
        return found

    async def run(self) -> None:
        """Repair for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            now = self._now_ns()
            for one in [one for one in self._waiting if one.due_ns <= now]:
                await self._repair(one)

    async def _repair(self, one: _Waiting) -> None:
        gap = one.gap
        try:
            found = await self._history(self._specs[gap.instrument], gap.ts_venue, gap.end_ns)
        except (VenueError, CorruptRecord) as error:
            self._waiting.remove(one)
            if one.tries + 1 >= TRIES:
                reason = f"{gap.reason}; its history could not be had: {error.message}"
                self._lost(msgspec.structs.replace(gap, reason=reason, ts_recv=self._now_ns()))
                return
            pause_s = _PAUSES_S[min(one.tries, len(_PAUSES_S) - 1)]
            due = self._now_ns() + round(pause_s * NS_PER_S)
            self._waiting.append(replace(one, due_ns=due, tries=one.tries + 1, last_error=error.message))
            return
        if gap.ts_venue < self._merger.floor_ns:
            older = await asyncio.to_thread(
                lambda: list(self._stored(gap.instrument, gap.ts_venue - NS_PER_S, gap.end_ns + NS_PER_S))
            )
        else:
            older = []
        for print_, occurrence in self._merger.settle(found, older):
            self._keep(print_, occurrence)
        self._settled(gap)
        self._waiting.remove(one)

    async def _history(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Liquidation]:
        """Ask for every print of a stretch, in windows that the venue answers whole."""
        found: list[Liquidation] = []
        begin = start_ns
        while begin < end_ns:
            # Edges in between are whole seconds: where a history tells those, a print is in one window only.
            end = min((begin + WINDOW_NS) // NS_PER_S * NS_PER_S, end_ns)
            found += await self._window(spec, begin, end)
            begin = end
        return found

    async def _window(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Liquidation]:
        ask = self._client.venue.ask_liquidations(spec, start_ns, end_ns)
        if ask is None:
            raise VenueError(f"{spec.id}: the venue keeps no liquidations")
        records = await self._client.run(ask, tries=3, patience_s=60.0)
        page = self._client.venue.facts.page.get(Kind.LIQUIDATIONS)
        if ask.more is None and page is not None and len(records) >= page and end_ns - start_ns > 2 * NS_PER_S:
            middle = (start_ns + end_ns) // 2
            return [*await self._window(spec, start_ns, middle), *await self._window(spec, middle, end_ns)]
        for record in records:
            if isinstance(record, Gap):  # the venue's history begins later than was asked for
                self._lost(record)
        first_ns = start_ns - start_ns % NS_PER_S  # some histories tell whole seconds
        return [
            record
            for record in records
            if isinstance(record, Liquidation) and record.instrument == spec.id and first_ns <= record.ts_venue < end_ns
        ]
