"""One venue's part of a recorder, begun anew when it fails: a venue in trouble never stops the others."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import cast

from liqscape.engine.recording.alarms import Alarms
from liqscape.engine.recording.health import VenueHealth
from liqscape.engine.recording.market import skew_words
from liqscape.engine.recording.memory import Known, heard, recent_prints
from liqscape.engine.recording.merger import Merger
from liqscape.engine.recording.selfcheck import Sides
from liqscape.engine.recording.venue import Counts, Shared, VenueRecorder
from liqscape.engine.recording.wanted import Selection
from liqscape.errors import LiqscapeError
from liqscape.model import InstrumentSpec
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Venue
from liqscape.venues.feed import Batch
from liqscape.venues.longtail_client import open_client
from liqscape.venues.tape import tape_specs

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
STEADY_S = 600.0  # a part that ran so long begins anew with the shortest pause
SKEW_NS = 2 * NS_PER_S


class Part:
    """Chooses the instruments of one adapter, records them, and begins anew when that fails.

    Parameters
    ----------
    selection
        Decides together with the other venues; None: a tape is played.
    """

    def __init__(self, shared: Shared, venue: Venue, selection: Selection | None, alarms: Alarms) -> None:
        self.venue, self.key = venue, venue.facts.key
        self.state = "starting"
        self.last_error: str | None = None
        self._shared, self._selection, self._alarms = shared, selection, alarms
        self._client = open_client(
            venue,
            shared.transport,
            urls=shared.urls,
            now_ns=shared.now_ns,
            chance=shared.chance,
            on_corrupt=shared.quarantine.take,
        )
        self._merger: Merger | None = None
        self._counts, self._sides = Counts(), Sides()
        self._recorder: VenueRecorder | None = None
        self._heard: dict[str, int] = {}  # what former recorders left
        self._minute = 0  # of the tape

    async def run(self) -> None:
        """Record for ever."""
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._record()
            except Exception as error:
                # Also an error of this program itself: one venue's part is lost for a pause, not the recording of all.
                self.last_error = _words(error)
            self.state = "waiting"
            self._alarms.tell("venue", self.key, f"begins anew: {self.last_error}")
            failures = 1 if loop.time() - began > STEADY_S else failures + 1
            longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**failures)
            await asyncio.sleep(longest * self._shared.chance.uniform(0.5, 1.0))

    async def _record(self) -> None:
        assert self._selection is not None
        specs = await self._selection.of(self._client)
        if not specs:
            self.state = "nothing wanted"
            await asyncio.Event().wait()
        known = await self._begin(specs)
        recorder = self._recorder = VenueRecorder(
            self._shared, specs, self._client, self._memory(), self._counts, self._sides, known
        )
        self.state = "live"
        self._alarms.tell("venue", self.key, None)
        await recorder.run()

    async def _begin(self, specs: dict[str, InstrumentSpec]) -> Known:
        """Read what is known from the tables; a part that is begun anew knows it, and what is still in the journal too."""
        now = self._shared.now_ns()
        if self._recorder is not None:
            return self._recorder.known()
        merger = self._merger = Merger(now)
        merger.recall(await asyncio.to_thread(recent_prints, self._shared.workspace, specs, merger.floor_ns))
        self._heard = await asyncio.to_thread(heard, self._shared.workspace, self.key)
        return await asyncio.to_thread(self._shared.past.of, self.key, specs)

    def _memory(self) -> Merger:
        assert self._merger is not None
        return self._merger

    async def play(self, folder: Path, batch: Batch) -> None:
        """Take a batch of a tape, on the clock of the tape."""
        if self._recorder is None:
            specs = tape_specs(folder).get(self.key, {})
            merger = self._merger = Merger(batch.recv_ns)
            merger.recall(await asyncio.to_thread(recent_prints, self._shared.workspace, specs, merger.floor_ns))
            self._recorder = VenueRecorder(self._shared, specs, self._client, merger, self._counts, self._sides, Known())
            self.state = "tape"
        self._recorder.take(batch)
        self._recorder.tick(batch.recv_ns)
        if batch.recv_ns // NS_PER_MINUTE != self._minute:
            self._minute = batch.recv_ns // NS_PER_MINUTE
            self._recorder.samples.sample(batch.recv_ns)

    def heard(self, safe_ns: int) -> dict[str, int]:
        """Return until when each instrument's liquidations are complete and on disk; empty before the first start."""
        if self._recorder is None or self._selection is None:
            return {}
        # Instruments that are not recorded this time keep what was known of them.
        return self._heard | {str(name): until for name, until in self._recorder.complete_to(safe_ns).items()}

    async def close(self) -> None:
        """Close what its client opened by itself."""
        with suppress(Exception):  # everything it told is taken: a connection that cannot be closed loses nothing
            await self._client.close()

    def health(self, *, stopped: bool) -> VenueHealth:
        """Return how it is now, and raise or let down the alarms that concern it."""
        state = "stopped" if stopped else self.state
        skew = self._skew()
        self._alarms.tell("clock", self.key, skew_words(skew) if skew is not None and abs(skew) > SKEW_NS else None)
        check = self._sides.last
        words = None
        if check is not None and not check.plausible:
            words = (
                f"over {check.events} liquidations of one hour longs died while the price rose (correlation "
                f"{check.correlation:+.2f} over {check.minutes} minutes): a side is read the wrong way; "
                "look at the venue's parser before you use them"
            )
        self._alarms.tell("sides", self.key, words)
        if self._recorder is not None:
            return self._recorder.health(state, self.last_error, skew)
        return VenueHealth(
            key=self.key,
            venue=self.venue.facts.venue,
            state=state,
            instruments=(),
            age_s=None,
            prints=0,
            prints_repeated=0,
            prints_old=0,
            gaps=0,
            repairs_waiting=0,
            bars_late=0,
            corrupt=self._shared.quarantine.counts.get(self.key, 0),
            last_corrupt=self._shared.quarantine.last.get(self.key),
            last_error=self.last_error or self._client.last_error,
            budget_left=self._client.budget_left(),
            skew_ns=skew,
            queued=0,
            lines=(),
        )

    def _skew(self) -> int | None:
        """Return our clock minus the venue's: from headers, or because messages seem to come from the future."""
        told = self._client.skew_ns
        delay = self._recorder.market.delay_ns if self._recorder is not None else None
        if told is not None and abs(told) > SKEW_NS:
            return told
        return delay if delay is not None and delay < -SKEW_NS else told


def _words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        parts = cast("tuple[BaseException, ...]", error.exceptions)
        return "; ".join(_words(part) for part in parts)
    return error.message if isinstance(error, LiqscapeError) else f"{type(error).__name__}: {error}"
