"""One venue being recorded: its feed, its bars, its samples, its repairs. Everything that it learns goes into the inbox."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from liqscape.engine.positions import Tracker, track
from liqscape.engine.recording import rows
from liqscape.engine.recording.health import LineHealth, VenueHealth
from liqscape.engine.recording.inbox import Inbox
from liqscape.engine.recording.keeper import BarKeeper
from liqscape.engine.recording.market import Market
from liqscape.engine.recording.memory import Known, Past, stored_prints
from liqscape.engine.recording.merger import Merger
from liqscape.engine.recording.quarantine import Quarantine
from liqscape.engine.recording.repairs import Repairs
from liqscape.engine.recording.samples import Samples
from liqscape.engine.recording.seconds import Seconds
from liqscape.engine.recording.selfcheck import Sides
from liqscape.engine.workspace import Workspace
from liqscape.model import Bar, Gap, InstrumentId, Kind, Liquidation, PriceKind, Ticker
from liqscape.store import Table
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Specs
from liqscape.venues.client import Client
from liqscape.venues.feed import Batch, Feed, Tape
from liqscape.venues.feed import LineHealth as FeedLine
from liqscape.venues.hyperliquid import Hyperliquid
from liqscape.venues.transport import Transport

ANSWERED_NS = 3 * NS_PER_MINUTE  # a venue without streams is asked every minute: silent for longer, it is down


@dataclass
class Shared:
    """What all venues of a recorder have in common."""

    workspace: Workspace
    transport: Transport
    inbox: Inbox
    quarantine: Quarantine
    past: Past
    urls: Mapping[str, str]
    seconds: frozenset[str]
    lines: int
    now_ns: Callable[[], int]
    chance: random.Random
    tape: Tape | None = None


@dataclass
class Counts:
    """What a venue's health adds up over restarts of its part."""

    gaps: int = 0
    heard_ns: int | None = None


class VenueRecorder:
    """Records the instruments of one adapter until it is cancelled.

    Parameters
    ----------
    merger, counts, sides
        Outlive this part: it may be begun anew after an error.
    known
        What was stored and heard before: edges and holes of bars, since when nobody listened.
    """

    def __init__(
        self, shared: Shared, specs: Specs, client: Client, merger: Merger, counts: Counts, sides: Sides, known: Known
    ) -> None:
        self.shared, self.specs, self.client, self.merger = shared, dict(specs), client, merger
        self.counts, self.sides, self.market = counts, sides, Market()
        self.venue = venue = client.venue
        self.key = venue.facts.key
        self._seconds = Seconds()
        self._by_second = {spec.id for spec in specs.values() if spec.base in shared.seconds}
        self._since = dict(known.since)  # instruments that were recorded before, and until when: the feed ends the gap
        self._rest = f"{self.key} rest"
        self._settling: list[tuple[int, Gap]] = []
        self.feed = Feed(
            venue,
            specs,
            shared.transport,
            urls=shared.urls,
            lines=shared.lines,
            now_ns=shared.now_ns,
            chance=shared.chance,
            tape=shared.tape,
            on_corrupt=shared.quarantine.take,
        )
        # Streams of which data frames alone show that they live.
        self._busy = {stream.name for stream in self.feed.streams if stream.data_silence_s is not None}
        self.keeper = BarKeeper(
            client, specs, edges=known.edges, holes=known.holes, keep=self._bars, lost=self._lost, now_ns=shared.now_ns
        )
        self.repairs = Repairs(
            client,
            {spec.id: spec for spec in specs.values()},
            merger,
            stored=lambda name, start, end: stored_prints(shared.workspace.store, name, start, end),
            keep=lambda found, occurrence: self._print(found, occurrence, self._rest),
            lost=self._lost,
            settled=self._settled,
            now_ns=shared.now_ns,
        )
        self.samples = Samples(
            client, specs, self.market, shared.inbox, shared.workspace, known.newest, shared.now_ns, self._lost
        )
        self.tracker = Tracker(client, specs, state=shared.workspace.state) if isinstance(venue, Hyperliquid) else None

    async def run(self) -> None:
        """Record for ever; an error of the program itself ends all parts and is raised."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(), name=f"{self.key} feed")
            tasks.create_task(self.repairs.run(), name=f"{self.key} repairs")
            tasks.create_task(self._watch(), name=f"{self.key} watch")
            for name, part in self.samples.parts(self.keeper):
                tasks.create_task(part, name=f"{self.key} {name}")
            if self.tracker is not None:
                store, writer = self.shared.workspace.store, f"positions {self.key}"
                tasks.create_task(track(self.tracker, store, writer=writer), name=f"{self.key} positions")

    async def _listen(self) -> None:
        if not self.feed.streams:
            return
        try:
            async with aclosing(self.feed.batches()) as batches:
                async for batch in batches:
                    self.take(batch)
                    if self.shared.inbox.full:
                        await self.shared.inbox.room()
        finally:
            for batch in self.feed.rest():
                self.take(batch)

    def take(self, batch: Batch) -> None:
        """Sort the records of a batch into tables."""
        if batch.line >= 0:
            self.counts.heard_ns = batch.recv_ns
        witness = (batch.stream, batch.line, batch.connection)
        for record in batch.records:
            if isinstance(record, Ticker):
                self.market.take(record, streamed=True)
                if record.instrument in self._by_second:
                    self._bars(self._seconds.take(record))
            elif isinstance(record, Liquidation):
                occurrence = self.merger.offer(record, witness, batch.recv_ns)
                if occurrence is not None:
                    self._print(record, occurrence, self.key)
            elif isinstance(record, Gap):
                self.repairs.take(record)
        if self.tracker is not None:
            self.tracker.hear(batch.records)

    async def _watch(self) -> None:
        """End the gap of the time before this start at each stream's first sign of life; judge sides."""
        while True:
            await asyncio.sleep(1.0)
            if self._since:
                self._end_of_silence()
            self.tick(self.shared.now_ns())

    def tick(self, now_ns: int) -> None:
        """Judge what is due by an instant."""
        self.sides.judge(now_ns)

    def _end_of_silence(self) -> None:
        up = {line.stream for line in self.feed.health() if line.state == "up"}
        now = self.shared.now_ns()
        for stream in self.feed.streams:
            if stream.name not in up or Kind.LIQUIDATIONS not in stream.kinds:
                continue
            for name in stream.instruments:
                since = self._since.pop(name, None)
                if since is not None:
                    self.repairs.take(
                        Gap(
                            instrument=name,
                            kind=Kind.LIQUIDATIONS,
                            ts_venue=since - round(self.venue.facts.late_s * NS_PER_S),
                            end_ns=now,
                            ts_recv=now,
                            reason="nobody recorded",
                        )
                    )

    def complete_to(self, safe_ns: int) -> dict[InstrumentId, int]:
        """Return until when each instrument's liquidations are on disk or told as a gap; those never heard are absent.

        Parameters
        ----------
        safe_ns
            Everything that was taken before is on disk.
        """
        found: dict[InstrumentId, int] = {}
        read_ns = self.counts.heard_ns if self.feed.waiting() else None  # what is queued is not with us yet
        heard: dict[str, int] = {}
        for line in self.feed.health():
            last = line.last_data_ns if line.stream in self._busy else line.last_frame_ns
            if last is not None:
                heard[line.stream] = max(heard.get(line.stream, 0), last)
        for stream in self.feed.streams:
            if Kind.LIQUIDATIONS in stream.kinds and (until := heard.get(stream.name)) is not None:
                for name in stream.instruments:
                    found[name] = min(until, safe_ns, safe_ns if read_ns is None else read_ns)
        self._settling = [one for one in self._settling if one[0] >= safe_ns]
        settling = {gap.instrument: gap.ts_venue for _, gap in reversed(self._settling)}
        for waiting in (self._since, self.repairs.oldest(), settling):
            for name, start in waiting.items():
                found[name] = min(found.get(name, start), start)
        return found

    def known(self) -> Known:
        """Return what another recorder of the same instruments must know to go on."""
        edges, holes = self.keeper.known()
        return Known(
            edges=edges, holes=holes, newest=dict(self.samples.newest), since=self.complete_to(self.shared.inbox.safe_ns)
        )

    def _bars(self, bars: list[Bar]) -> None:
        if not bars:
            return
        source = self._rest if bars[0].interval_ns >= NS_PER_MINUTE else self.key
        self.shared.inbox.put(Table.BARS, [rows.bar_row(bar, source) for bar in bars])
        for bar in bars:
            if bar.price_kind is PriceKind.LAST:
                self.sides.take_bar(bar)

    def _print(self, found: Liquidation, occurrence: int, source: str) -> None:
        self.sides.take_print(found)
        recv_ns = found.ts_recv if found.ts_recv is not None else self.shared.now_ns()
        self.shared.inbox.put_print(rows.liquidation_row(found, occurrence, source), recv_ns)

    def _lost(self, gap: Gap) -> None:
        self.counts.gaps += 1
        self.shared.inbox.put(Table.GAPS, [rows.gap_row(gap, self.key)])
        self._settled(gap)

    def _settled(self, gap: Gap) -> None:
        """Note that what became of a gap is on its way to disk: until it is there, a next start must ask again."""
        if gap.kind is Kind.LIQUIDATIONS:
            self._settling.append((self.shared.now_ns(), gap))

    def _asked(self, now: int) -> FeedLine:
        """Return what stands for a line where nothing is streamed: the answers to what is asked each minute."""
        heard, error = self.client.heard_ns, self.client.last_error
        fresh = heard is not None and now - heard <= ANSWERED_NS
        return FeedLine(
            stream="asked",
            line=0,
            state="up" if fresh else "connecting" if error is None else "waiting",
            last_frame_ns=heard,
            last_data_ns=heard,
            frames=0,
            corrupt=0,
            connects=1,
            last_error=error,
        )

    def health(self, state: str, last_error: str | None, skew_ns: int | None) -> VenueHealth:
        """Return how it is now."""
        now, corrupt = self.shared.now_ns(), self.shared.quarantine

        def age(ns: int | None) -> float | None:
            return None if ns is None else max(0.0, (now - ns) / NS_PER_S)

        lines = self.feed.health() if self.feed.streams else [self._asked(now)]
        if state == "live":
            up = {line.stream for line in lines if line.state == "up"}
            state = "live" if up == {line.stream for line in lines} else "partly" if up else "down"
        return VenueHealth(
            key=self.key,
            venue=self.venue.facts.venue,
            state=state,
            instruments=tuple(str(spec.id) for spec in self.specs.values()),
            age_s=age(self.counts.heard_ns if self.feed.streams else self.client.heard_ns),
            prints=self.merger.new,
            prints_repeated=self.merger.repeated,
            prints_old=self.merger.old,
            gaps=self.counts.gaps,
            repairs_waiting=len(self.repairs),
            bars_late=self.keeper.late(),
            corrupt=corrupt.counts.get(self.key, 0),
            last_corrupt=corrupt.last.get(self.key),
            last_error=last_error or self.client.last_error,
            budget_left=self.client.budget_left(),
            skew_ns=skew_ns,
            queued=self.feed.waiting(),
            lines=tuple(
                LineHealth(
                    stream=line.stream,
                    line=line.line,
                    state=line.state,
                    data_age_s=age(line.last_data_ns),
                    frame_age_s=age(line.last_frame_ns),
                    reconnects=max(0, line.connects - 1),
                    last_error=line.last_error,
                )
                for line in lines
            ),
        )
