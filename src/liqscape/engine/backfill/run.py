"""Asking venues for their past: several at once, each within its budget, stored as it comes, resumed where it stopped."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

import liqscape.clock as clock
from liqscape.engine.backfill.keep import Keeper
from liqscape.engine.backfill.plan import KINDS, Series, Stretch, covered, series_of, windows, without
from liqscape.engine.recording.wanted import Wanted, ask_specs, ask_tickers, largest, remember
from liqscape.engine.workspace import Workspace
from liqscape.errors import CorruptRecord, LiqscapeError, NoData, RateLimited, Unreachable, VenueError
from liqscape.model import InstrumentId, InstrumentSpec, Kind, Record, Ticker
from liqscape.store import Table
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Ask, Venue
from liqscape.venues.client import Client
from liqscape.venues.longtail_client import open_client
from liqscape.venues.transport import Transport

AT_ONCE = 3  # series of one venue, each with as many asks on their way
KEEP_ROWS = 20_000  # a commit costs as much as some thousand rows
KEEP_EVERY_S = 20.0
_EMPTY_BEFORE_THE_BEGINNING = 2  # empty windows in a row, going back
_SHORTEST_NS = NS_PER_MINUTE  # a full answer over so short a stretch is taken as it is
_HOLE_ROWS = 30  # rows in a row that an answer lacks: shorter holes are the venue's own
_PATIENCE_S = 900.0  # a ban of up to this length is sat out


@dataclass(frozen=True)
class BackfillProgress:
    """Where one venue stands: windows asked of all that are to be asked, rows that came, what is asked now."""

    key: str
    doing: str
    windows_done: int
    windows: int
    rows: int


@dataclass(frozen=True)
class VenueReport:
    """What became of one adapter.

    Parameters
    ----------
    stored, known
        New rows by table, and rows that were there already.
    contradicting
        Rows that said something else than the stored row of the same time; the stored one stays.
    asks
        Answered windows; 0 with no failure means that everything was stored before.
    failures
        What could not be had, in words; the rest of the venue was asked all the same.
    """

    key: str
    instruments: tuple[InstrumentId, ...] = ()
    stored: Mapping[Table, int] = field(default_factory=dict[Table, int])
    known: Mapping[Table, int] = field(default_factory=dict[Table, int])
    contradicting: int = 0
    asks: int = 0
    failures: tuple[str, ...] = ()

    @property
    def came(self) -> bool:
        """Whether the venue answered anything, or nothing had to be asked."""
        return bool(self.asks) or not self.failures


@dataclass(frozen=True)
class BackfillReport:
    """What became of every adapter."""

    start_ns: int
    end_ns: int
    venues: tuple[VenueReport, ...]

    @property
    def came(self) -> bool:
        """Whether anything came from anywhere."""
        return any(venue.came for venue in self.venues)

    @property
    def instruments(self) -> tuple[InstrumentId, ...]:
        """What was asked for, sorted."""
        return tuple(sorted({name for venue in self.venues for name in venue.instruments}))


@dataclass
class _Draft:
    """A venue's report while it is filled in."""

    client: Client
    instruments: list[InstrumentSpec] = field(default_factory=list[InstrumentSpec])
    tickers: list[Ticker] = field(default_factory=list[Ticker])
    failures: list[str] = field(default_factory=list[str])
    keeper: Keeper | None = None
    asks: int = 0
    windows: int = 0
    done: int = 0
    rows: int = 0

    @property
    def key(self) -> str:
        return self.client.venue.facts.key

    def finished(self) -> VenueReport:
        kept = self.keeper
        return VenueReport(
            key=self.key,
            instruments=tuple(spec.id for spec in self.instruments),
            stored=dict(kept.stored) if kept else {},
            known=dict(kept.known) if kept else {},
            contradicting=kept.contradicting if kept else 0,
            asks=self.asks,
            failures=tuple(self.failures),
        )


class Backfill:
    """Fills the store with the public past.

    Parameters
    ----------
    workspace
        Whose store and small state are written.
    venues
        Adapters, as `venues.registry.choose` returns them.
    wanted
        Which instruments.
    transport
        Where requests go; it is not closed.
    urls
        Replacements of hosts by `key.host`, as in the setting `venue_urls`.
    kinds
        What is asked for, where a venue has it; instruments are always.
    now_ns, chance
        The wall clock, ns UTC, and the source of jitter.
    progress
        Called after every window.
    """

    def __init__(
        self,
        workspace: Workspace,
        venues: Sequence[Venue],
        wanted: Wanted,
        transport: Transport,
        *,
        urls: Mapping[str, str] | None = None,
        kinds: Sequence[Kind] = KINDS,
        now_ns: Callable[[], int] = clock.now_ns,
        chance: random.Random | None = None,
        progress: Callable[[BackfillProgress], None] | None = None,
    ) -> None:
        self.workspace, self.wanted, self.kinds = workspace, wanted, tuple(kinds)
        self._now_ns, self._progress = now_ns, progress
        self._drafts = [
            _Draft(open_client(venue, transport, urls=urls, now_ns=now_ns, chance=chance or random.Random())) for venue in venues
        ]
        self._writing = asyncio.Lock()

    async def run(self, start_ns: int, end_ns: int | None = None) -> BackfillReport:
        """Ask for everything in [start_ns, end_ns) that is not stored yet; the default end is now.

        A venue that fails does not stop the others, nor one kind the other kinds of a venue; the report says what is missing.
        What came before a failure, or before this is cancelled, is stored, and a later run asks for the rest only.

        Raises
        ------
        NoData
            If every venue answered and none has any of the wanted instruments.
        """
        try:
            return await self._run(start_ns, min(end_ns or self._now_ns(), self._now_ns()))
        finally:
            await asyncio.gather(*(draft.client.close() for draft in self._drafts), return_exceptions=True)

    async def _run(self, start_ns: int, end: int) -> BackfillReport:
        await asyncio.gather(*(self._choose(draft) for draft in self._drafts))
        bases = self._largest() if self.wanted.top is not None else None
        for draft in self._drafts:
            draft.instruments = list(self.wanted.of(draft.instruments, bases).values())
        if not any(draft.instruments or draft.failures for draft in self._drafts):
            asked = ", ".join(self.wanted.names) or f"the largest {self.wanted.top}"
            keys = ", ".join(draft.key for draft in self._drafts)
            raise NoData(f"backfill: no perpetual of {asked} on {keys}", hint="`liqscape venues` lists the venues.")
        await asyncio.gather(*(self._venue(draft, start_ns, end) for draft in self._drafts))
        return BackfillReport(start_ns, end, tuple(draft.finished() for draft in self._drafts))

    async def _choose(self, draft: _Draft) -> None:
        self._tell(draft, "instruments")
        try:
            draft.instruments = await ask_specs(draft.client)
            if self.wanted.top is not None:
                draft.tickers = await ask_tickers(draft.client, {spec.id.symbol: spec for spec in draft.instruments})
        except (VenueError, CorruptRecord) as error:
            draft.failures.append(error.message)
            return
        await asyncio.to_thread(remember, self.workspace, draft.key, draft.instruments)

    def _largest(self) -> frozenset[str]:
        specs = {spec.id: spec for draft in self._drafts for spec in draft.instruments}
        return largest(self.wanted.top or 0, specs, (ticker for draft in self._drafts for ticker in draft.tickers))

    async def _venue(self, draft: _Draft, start_ns: int, end_ns: int) -> None:
        """Ask one venue for everything: a few series at a time, bars of all instruments first."""
        facts = draft.client.venue.facts
        if draft.failures or not draft.instruments:
            return
        settled_ns = self._now_ns() - round(facts.settle_s * NS_PER_S)
        keeper = draft.keeper = Keeper(self.workspace, draft.key, self._writing, self._now_ns)
        series = [one for spec in draft.instruments for one in series_of(facts, spec, self.kinds)]
        series.sort(key=lambda one: self.kinds.index(one.kind))
        plans: list[tuple[Series, list[Stretch]]] = []
        for one in series:
            first = max(start_ns, self._now_ns() - facts.history_ns.get(one.kind, self._now_ns()))
            last = min(end_ns, settled_ns)
            step = one.interval_ns or 1
            wanted = (-(-first // step) * step, last // step * step)
            missing = await asyncio.to_thread(keeper.missing, one, wanted)
            plans.append((one, windows(missing, one.page_ns)))
        draft.windows = sum(len(cut) for _, cut in plans)
        turn, stop = asyncio.Semaphore(AT_ONCE), asyncio.Event()

        async def ask(one: Series, cut: list[Stretch]) -> None:
            async with turn:
                if not stop.is_set():
                    await self._series(draft, one, cut, stop)

        await asyncio.gather(*(ask(one, cut) for one, cut in plans if cut))

    async def _series(self, draft: _Draft, series: Series, cut: list[Stretch], stop: asyncio.Event) -> None:
        """Ask for one series, newest first, and keep what came whatever happens."""
        assert draft.keeper is not None
        hand = draft.keeper.hand(series)
        empty = 0
        loop = asyncio.get_running_loop()
        kept_at = loop.time()
        try:
            for at in range(0, len(cut), AT_ONCE):
                group = cut[at : at + AT_ONCE]
                answers = await asyncio.gather(*(self._window(draft, series, one) for one in group), return_exceptions=True)
                for window, answer in zip(group, answers, strict=True):
                    if isinstance(answer, BaseException):
                        raise answer
                    hand.take(window, answer)
                    draft.done += 1
                    draft.rows += len(answer)
                    # A sliver without rows says nothing, a whole window does.
                    empty = 0 if answer else empty + (window[1] - window[0] >= series.page_ns // 2)
                self._tell(draft, f"{series.kind} {series.spec.id.symbol}")
                if empty >= _EMPTY_BEFORE_THE_BEGINNING and series.kind is not Kind.LIQUIDATIONS:
                    draft.windows -= len(cut) - at - len(group)
                    return
                if stop.is_set():
                    return
                if hand.rows >= KEEP_ROWS or loop.time() - kept_at >= KEEP_EVERY_S:
                    await hand.keep()
                    kept_at = loop.time()
        except (Unreachable, RateLimited) as error:
            # The other series would wait for the same door.
            if not stop.is_set():
                draft.failures.append(error.message)
            stop.set()
        except (VenueError, CorruptRecord) as error:
            draft.failures.append(error.message)
        finally:
            await hand.keep()

    async def _window(self, draft: _Draft, series: Series, window: Stretch) -> list[Record]:
        """Ask for one window; a full answer may have been cut, so both halves are asked for instead."""
        records: list[Record] = []
        asks = self._asks(draft.client.venue, series, window)
        for ask in asks:
            found = await draft.client.run(ask, patience_s=_PATIENCE_S)
            draft.asks += 1
            full = ask.more is None and series.interval_ns is None and series.kind is not Kind.RATIOS
            if full and len(found) >= draft.client.venue.facts.page.get(series.kind, len(found) + 1):
                start, end = window
                if end - start > _SHORTEST_NS:
                    middle = (start + end) // 2
                    return [
                        *await self._window(draft, series, (start, middle)),
                        *await self._window(draft, series, (middle, end)),
                    ]
            records.extend(found)
        start, end = window
        records = [record for record in records if start <= getattr(record, "ts_venue", -1) < end]
        return records + await self._rest(draft, series, window, records)

    async def _rest(self, draft: _Draft, series: Series, window: Stretch, records: list[Record]) -> list[Record]:
        """Ask again for a long stretch that an answer left out: a page may hold fewer rows than the venue's pages say."""
        if series.interval_ns is None or not records:
            return []
        stamps = np.array([getattr(record, "ts_venue", 0) for record in records], np.int64)
        held = covered(stamps - stamps % series.interval_ns, series.interval_ns)
        holes = [(a, b) for a, b in without([window], held) if b - a >= _HOLE_ROWS * series.interval_ns]
        more: list[Record] = []
        for hole in reversed(holes):
            more += await self._window(draft, series, hole)
        return more

    @staticmethod
    def _asks(venue: Venue, series: Series, window: Stretch) -> list[Ask]:
        spec, (start, end) = series.spec, window
        if series.kind in (Kind.BARS, Kind.MARK_BARS):
            found = venue.ask_bars(spec, series.price_kind, start, end)
        elif series.kind is Kind.OPEN_INTEREST:
            found = venue.ask_open_interest(spec, start, end)
        elif series.kind is Kind.FUNDING:
            found = venue.ask_funding(spec, start, end)
        elif series.kind is Kind.LIQUIDATIONS:
            found = venue.ask_liquidations(spec, start, end)
        elif series.kind is Kind.RATIOS:
            return venue.ask_ratios(spec, start, end)
        else:
            raise LiqscapeError(f"backfill: there is no past of {series.kind}")
        return [] if found is None else [found]

    def _tell(self, draft: _Draft, doing: str) -> None:
        if self._progress is not None:
            self._progress(BackfillProgress(draft.key, doing, draft.done, draft.windows, draft.rows))


def totals(venues: Sequence[VenueReport]) -> Counter[Table]:
    """Return new rows by table over all venues."""
    found: Counter[Table] = Counter()
    for venue in venues:
        found.update(venue.stored)
    return found
