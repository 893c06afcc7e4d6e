"""What a venue is asked for in rounds: open interest, books, funding, ratios, margin tiers; and its bars."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from liqscape.engine.recording import rows
from liqscape.engine.recording.inbox import Inbox
from liqscape.engine.recording.keeper import BarKeeper
from liqscape.engine.recording.market import Market
from liqscape.engine.recording.memory import Newest
from liqscape.engine.recording.rounds import Round, go_round
from liqscape.engine.workspace import Workspace
from liqscape.errors import LiqscapeError
from liqscape.model import (
    AccountRatio,
    Book,
    FundingRate,
    Gap,
    InstrumentId,
    InstrumentSpec,
    Kind,
    OpenInterest,
    RiskLadder,
    Ticker,
)
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Ask, Specs
from liqscape.venues.client import Client

TIERS = "tiers"  # namespace of the small state
# Second of the minute: bars first, then repairs, books when the budget has recovered, open interest at the end.
BARS_S, AGAIN_S, BOOKS_S, TICKERS_S = 20.0, (27.0, 42.0), (24.0, 26.0), (50.0, 8.0)
LEAST_BUDGET = 0.3  # books and ratios leave so much of every rate limit to bars
TRIES = 2
LONGEST_STEP_NS = 90 * NS_PER_S  # open interest is sampled every minute


class Samples:
    """The rounds of one venue."""

    def __init__(
        self,
        client: Client,
        specs: Specs,
        market: Market,
        inbox: Inbox,
        workspace: Workspace,
        newest: Mapping[Newest, int],
        now_ns: Callable[[], int],
        lost: Callable[[Gap], None],
    ) -> None:
        self.skipped = 0  # books and ratios that the budget had no room for
        self._client, self._specs, self._market, self._inbox = client, dict(specs), market, inbox
        self._workspace, self._now_ns, self._lost = workspace, now_ns, lost
        self.newest = dict(newest)  # instant of the newest row that was kept, by table, instrument and population
        self._source = f"{client.venue.facts.key} rest"

    def parts(self, keeper: BarKeeper) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Return what must run, by name; what the venue does not have is left out."""
        asks, now_ns = self._client.venue.facts.asks, self._now_ns
        settle = min(max(self._client.venue.facts.settle_s, 0.5), 15.0)
        specs = list(self._specs.values())
        parts: list[tuple[str, Coroutine[Any, Any, None]]] = [
            ("bars", go_round(Round(60, settle, BARS_S), keeper.behind, keeper.ask, now_ns)),
            *((f"bars again {s:.0f}", go_round(Round(60, settle + s, 8), keeper.behind, keeper.ask, now_ns)) for s in AGAIN_S),
            ("holes", go_round(Round(60, 34, 20), keeper.with_holes, keeper.repair, now_ns)),
            ("open interest", go_round(Round(60, 0.2, 1), lambda: [None], self._interest, now_ns)),
        ]
        if Kind.TICKERS in asks:
            parts.append(("tickers", go_round(Round(60, *TICKERS_S), self._unheard, self._tickers, now_ns, name=_name)))
        if Kind.DEPTH in asks:
            parts.append(("books", go_round(Round(60, *BOOKS_S), lambda: specs, self._book, now_ns)))
        if Kind.FUNDING in asks:
            parts.append(("funding", go_round(Round(3600, 75, 300), lambda: specs, self._paid, now_ns)))
        if Kind.RATIOS in asks:
            parts.append(("ratios", go_round(Round(300, 65, 150), lambda: specs, self._ratio, now_ns)))
        if Kind.TIERS in asks:
            parts.append(("tiers", self._tiers()))
        return parts

    async def _interest(self, _: None) -> None:
        self.sample(self._now_ns())

    def sample(self, now_ns: int) -> None:
        """Keep the open interest that is known now; say where minutes are without any."""
        found: list[OpenInterest] = []
        for one in self._market.sample(now_ns):
            before = self.newest.get((Table.OPEN_INTEREST, one.instrument, ""))
            if not self._is_new(Table.OPEN_INTEREST, one.instrument, one.ts_venue):
                continue
            found.append(one)
            if before is not None and one.ts_venue - before > LONGEST_STEP_NS:
                self._lost(
                    Gap(
                        instrument=one.instrument,
                        kind=Kind.OPEN_INTEREST,
                        ts_venue=before,
                        end_ns=one.ts_venue,
                        ts_recv=now_ns,
                        reason="no open interest was told",
                    )
                )
        self._inbox.put(Table.OPEN_INTEREST, [rows.open_interest_row(one, self._client.venue.facts.key) for one in found])

    def _unheard(self) -> list[Ask]:
        """Return the asks for tickers of the instruments whose open interest no stream tells."""
        lacking = self._market.lacking((spec.id for spec in self._specs.values()), self._now_ns())
        specs = {symbol: spec for symbol, spec in self._specs.items() if spec.id in lacking}
        return self._client.venue.ask_tickers(specs) if specs else []

    async def _tickers(self, ask: Ask) -> None:
        for record in await self._client.run(ask, tries=TRIES, patience_s=5.0):
            if isinstance(record, Ticker):
                self._market.take(record, streamed=False)

    async def _book(self, spec: InstrumentSpec) -> None:
        """Ask for the book of this minute; what cannot be had now can never be had."""
        ask = self._client.venue.ask_book(spec)
        if ask is None:
            return
        minute, why = self._now_ns() // NS_PER_MINUTE * NS_PER_MINUTE, "no room in the venue's rate limits"
        if self._room():
            try:
                for record in await self._client.run(ask, tries=1, patience_s=1.0):
                    if isinstance(record, Book) and self._is_new(Table.DEPTH, record.instrument, record.ts_venue):
                        self._inbox.put(Table.DEPTH, rows.depth_rows(record, f"{self._client.venue.facts.key} book"))
                return
            except LiqscapeError as error:
                why = error.message
        self._lost(
            Gap(
                instrument=spec.id,
                kind=Kind.DEPTH,
                ts_venue=minute,
                end_ns=minute + NS_PER_MINUTE,
                ts_recv=self._now_ns(),
                reason=f"no book in this minute: {why}",
            )
        )

    async def _paid(self, spec: InstrumentSpec) -> None:
        """Ask for what was paid since the newest stored payment, at most a month back."""
        now = self._now_ns()
        since = max(self.newest.get((Table.FUNDING, spec.id, ""), now - NS_PER_DAY), now - 30 * NS_PER_DAY)
        ask = self._client.venue.ask_funding(spec, since + 1, now)
        if ask is None:
            return
        found = [record for record in await self._client.run(ask, tries=TRIES) if isinstance(record, FundingRate)]
        for record in sorted(found, key=lambda record: record.ts_venue):
            if since < record.ts_venue <= now and self._is_new(Table.FUNDING, spec.id, record.ts_venue):
                self._inbox.put(Table.FUNDING, [rows.funding_row(record, self._source)])

    async def _ratio(self, spec: InstrumentSpec) -> None:
        if not self._room():
            return
        now = self._now_ns()
        known = [at for (table, name, _), at in self.newest.items() if table is Table.RATIOS and name == spec.id]
        since = max(min(known, default=0), now - NS_PER_HOUR)
        for ask in self._client.venue.ask_ratios(spec, since + 1, now):
            found = [one for one in await self._client.run(ask, tries=TRIES, patience_s=30.0) if isinstance(one, AccountRatio)]
            for record in sorted(found, key=lambda record: record.ts_venue):
                if record.ts_venue <= now and self._is_new(Table.RATIOS, spec.id, record.ts_venue, record.population.value):
                    self._inbox.put(Table.RATIOS, [rows.ratio_row(record, self._source)])

    async def _tiers(self) -> None:
        """Ask once at the start, then daily."""
        start_s = (self._now_ns() % NS_PER_DAY / NS_PER_S + 20.0) % 86_400
        await go_round(Round(86_400, start_s, 1_800), self._ladders, self._ladder, self._now_ns, name=_name)

    def _ladders(self) -> list[Ask]:
        return self._client.venue.ask_tiers(self._specs)

    async def _ladder(self, ask: Ask) -> None:
        found = [record for record in await self._client.run(ask, tries=TRIES) if isinstance(record, RiskLadder)]
        known = {spec.id for spec in self._specs.values()}
        values = {str(ladder.instrument): msgspec.to_builtins(ladder) for ladder in found if ladder.instrument in known}
        if values:
            self._workspace.state.set_many(TIERS, values)

    def _is_new(self, table: Table, name: InstrumentId, ts: int, population: str = "") -> bool:
        key = (table, name, population)
        if ts <= self.newest.get(key, 0):
            return False
        self.newest[key] = ts
        return True

    def _room(self) -> bool:
        if min(self._client.budget_left().values(), default=1.0) >= LEAST_BUDGET:
            return True
        self.skipped += 1
        return False


def _name(ask: Ask) -> str:
    return ask.name
