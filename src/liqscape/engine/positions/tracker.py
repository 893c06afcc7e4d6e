"""Polling accounts: find them, ask for each as often as it matters, keep within what the recorder leaves of the rate budget."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import cast

from liqscape.engine.positions.rows import changed, rows_of
from liqscape.engine.positions.schedule import Schedule, urgency
from liqscape.errors import BadArgument, LiqscapeError
from liqscape.model import (
    AccountListing,
    AccountState,
    InstrumentId,
    InstrumentSpec,
    Record,
    RiskLadder,
    Ticker,
    Trade,
)
from liqscape.store import StateDb, Store, Table
from liqscape.venues.base import Ask, Specs
from liqscape.venues.budget import HEADROOM
from liqscape.venues.client import Client
from liqscape.venues.hyperliquid import Hyperliquid
from liqscape.venues.hyperliquid.venue import BATCH, KNOWN_CHILDREN, LIQUIDITY_VAULT

ADDRESSES, LADDERS = "accounts", "risk_ladders"  # namespaces of the small state, keys are venues
_ALONE, _BATCHED = 2.0, 20.0  # weights of a single look and of a batch
# What the recorder asks for every minute: a candle and two books of each coin, all contexts once.
_PER_COIN, _ALWAYS = 21.0 + 4.0, 20.0
_LEAST = 0.2  # of the bucket: what polling keeps even beside many coins
_FREE = 0.05  # of the bucket: below, polling waits, so that what the recorder asks need not
_AT_ONCE = 4
_TRIES = 3
_PROBE = 6
_RENEW_S = 5.0
_BACK_OFF_S = 30.0
# A map takes a level that price has touched since the stored look as liquidated: near ones are stored anew so often.
_NEAR, _CONFIRM_NS = 0.03, 300_000_000_000


@dataclass(frozen=True)
class Plan:
    """How accounts are followed.

    Parameters
    ----------
    most_accounts
        Accounts that are remembered; those that hold and are worth least are forgotten first.
    weight_per_min
        What polling may take of the venue's bucket; None: what is left beside the recorder, see `spare_weight`.
    snapshot_s
        Every account is stored so often; changes between are stored within `flush_s`.
    leaderboard_s, keep_s
        The public list and margin tables are read so often; the address book is written so often.
    """

    most_accounts: int = 20_000
    weight_per_min: float | None = None
    snapshot_s: float = 3600.0
    flush_s: float = 30.0
    leaderboard_s: float = 6 * 3600.0
    keep_s: float = 600.0


@dataclass(frozen=True)
class Health:
    """How following goes; None is not known yet.

    Parameters
    ----------
    accounts, holding
        Known accounts, and those that held something at their last look.
    looks_per_min
        Accounts that were read in the last minute.
    lateness
        Largest factor by which an account waits longer than it should.
    batched
        Whether many accounts are read at once.
    """

    accounts: int
    holding: int
    looks_per_min: int
    lateness: float
    batched: bool
    last_error: str | None


def spare_weight(capacity_per_min: float, coins: int) -> float:
    """Return the weight a minute that recording so many coins leaves to polling.

    Examples
    --------
    >>> spare_weight(1200.0, 0), spare_weight(1200.0, 10), spare_weight(1200.0, 100)
    (1060.0, 810.0, 240.0)
    """
    return max(HEADROOM * capacity_per_min - _ALWAYS - coins * _PER_COIN, _LEAST * capacity_per_min)


class Tracker:
    """The state of following one venue's accounts.

    Parameters
    ----------
    client
        The one that the recorder asks with: they share its budget.
    specs
        What is recorded of the venue, by symbol; an account matters by what it holds of these.
    state
        Where the address book and the margin tables are remembered; None: nowhere.
    monotonic
        Seconds on a clock that never jumps; default: the running loop's.

    Raises
    ------
    BadArgument
        If the client's venue is not public about accounts.
    """

    def __init__(
        self,
        client: Client,
        specs: Specs,
        *,
        plan: Plan | None = None,
        state: StateDb | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        if not isinstance(client.venue, Hyperliquid):
            raise BadArgument(f"positions: {client.venue.facts.title} is not public about accounts")
        self.client, self.venue, self.plan, self.state = client, client.venue, plan or Plan(), state
        self._monotonic = monotonic
        self.schedule = Schedule(self.plan.most_accounts)
        self.schedule.exclude((LIQUIDITY_VAULT, *KNOWN_CHILDREN))
        self.batched = False
        self.last_error: str | None = None
        self.states: dict[str, AccountState] = {}  # last look of every account that holds something
        self._wanted = frozenset(spec.id for spec in specs.values())
        self._marks: dict[InstrumentId, float] = {}
        self._stored: dict[str, AccountState] = {}
        self._due: dict[str, AccountState] = {}  # changed since they were stored
        self._looks: deque[tuple[float, int]] = deque()
        self._unread = 0  # batches in a row that could not be read

    def hear(self, records: Iterable[Record]) -> None:
        """Take what the feed says: trades name accounts, which are asked the sooner, tickers give marks. Never raises."""
        now = self._now_s()
        for record in records:
            if isinstance(record, Trade) and record.accounts is not None and record.instrument in self._wanted:
                for account in record.accounts:
                    self.schedule.traded(account, now, record.price * record.quantity_base)
            elif isinstance(record, Ticker) and record.mark_price is not None:
                self._marks[record.instrument] = record.mark_price

    def health(self) -> Health:
        """Say how it goes, for doctor and the recorder's line."""
        now = self._now_s()
        while self._looks and self._looks[0][0] < now - 60.0:
            self._looks.popleft()
        return Health(
            accounts=len(self.schedule),
            holding=len(self.states),
            looks_per_min=sum(count for _, count in self._looks),
            lateness=self.schedule.lateness(now),
            batched=self.batched,
            last_error=self.last_error,
        )

    async def discover(self) -> None:
        """Read the margin tables, who trades for the venue's own vault, and the public list of accounts."""
        for step in (self._read_ladders, self._read_vault, self._read_leaderboard):
            await self._quietly(step())

    async def probe(self) -> None:
        """Find out by content whether many accounts can be read at once: the same answers as one by one, in order."""
        asked = self.schedule.next(self._now_s(), _PROBE)
        singly: dict[str, AccountState] = {}
        for account in asked:
            await self._quietly(self._read(self.venue.ask_account(account), singly))
        self.take(singly.values())
        held = {account: _legs(state) for account, state in singly.items()}
        together: dict[str, AccountState] = {}
        if len({legs for legs in held.values() if legs}) < 2:
            return  # accounts that hold alike do not show whose answer is whose
        try:
            await self._read(self.venue.ask_accounts(list(held)), together)
        except LiqscapeError as error:
            self.last_error = f"many accounts at once: {error.message}"
            return
        # One account may have traded between the two answers.
        self.batched = sum(_legs(together[a]) != legs if a in together else True for a, legs in held.items()) <= 1

    def take(self, states: Iterable[AccountState]) -> None:
        """Take looks at accounts; one that was forgotten meanwhile is left out."""
        for state in states:
            if state.account not in self.schedule:
                continue
            self.states.pop(state.account, None)
            if state.positions:
                self.states[state.account] = state
            stored = self._stored.get(state.account)
            if changed(stored, state) or (stored is not None and self._confirms(stored, state)):
                self._due[state.account] = state
            else:
                self._due.pop(state.account, None)
            notional = sum(abs(p.quantity_base) * p.mark_price for p in state.positions if p.instrument in self._wanted)
            self.schedule.seen(state.account, urgency(state, self._marks, self._wanted), notional)

    def _confirms(self, stored: AccountState, now: AccountState) -> bool:
        """Whether an unchanged account is worth storing: price is near a level, and that it still stands there is news."""
        return now.ts_venue - stored.ts_venue > _CONFIRM_NS and any(
            position.liquidation_price is not None
            and position.instrument in self._wanted
            and abs(position.liquidation_price / position.mark_price - 1.0) < _NEAR
            for position in now.positions
        )

    async def flush(self, store: Store, writer: str, *, everything: bool = False) -> None:
        """Store what changed, or every look that is not stored yet; what could not be stored stays due."""
        chosen = {**self.states, **self._due} if everything else dict(self._due)
        fresh = [(state, self._stored.get(account)) for account, state in chosen.items()]
        rows = rows_of([(state, before) for state, before in fresh if before is not state])
        if not rows.height:
            return

        def append() -> None:
            batch = store.last_batch(Table.POSITIONS, writer)
            store.append(Table.POSITIONS, rows, writer=writer, batch=0 if batch is None else batch + 1)

        await asyncio.to_thread(append)
        for account, state in chosen.items():
            if self._due.get(account) is state:
                del self._due[account]
            if state.positions:
                self._stored[account] = state
            else:
                self._stored.pop(account, None)

    async def poll(self) -> None:
        """Ask for ever, evenly within the weight a minute, a few requests at once."""
        capacity = self.venue.facts.buckets["ip"].capacity
        rate = self.plan.weight_per_min or spare_weight(capacity, len(self._wanted))
        flying: set[asyncio.Task[None]] = set()
        at = self._now_s()
        try:
            while True:
                at = max(at, self._now_s()) + (_BATCHED if self.batched else _ALONE) * 60.0 / rate
                await asyncio.sleep(max(0.0, at - self._now_s()))
                while len(flying) >= _AT_ONCE or self.client.budget_left()["ip"] < _FREE:
                    await asyncio.sleep(0.25)
                accounts = self.schedule.next(self._now_s(), BATCH if self.batched else 1)
                if not accounts:
                    await asyncio.sleep(1.0)
                    continue
                task = asyncio.create_task(self._quietly(self._look(accounts)))
                flying.add(task)
                task.add_done_callback(flying.discard)
        finally:
            for task in flying:
                task.cancel()

    async def renew(self) -> None:
        """Judge anew, with the newest marks, how near every account is to liquidation; drop who was forgotten."""
        for account, state in list(self.states.items()):
            if account not in self.schedule:
                del self.states[account]
            elif (found := urgency(state, self._marks, self._wanted)) is not None:
                self.schedule.nearer(account, found)

    def remember(self) -> None:
        """Write the address book."""
        if self.state is not None:
            rows = [
                [k.account, k.worth_usd, 0.0 if math.isnan(k.notional_usd) else k.notional_usd] for k in self.schedule.known()
            ]
            self.state.set(ADDRESSES, self.venue.facts.venue, rows)

    def recall(self) -> None:
        """Read the address book of the last run; who held something comes first."""
        found = None if self.state is None else self.state.get(ADDRESSES, self.venue.facts.venue)
        for account, worth, notional in cast("list[tuple[str, float, float]]", found or []):
            self.schedule.add(account, self._now_s(), max(worth, 10.0 * notional))

    async def _look(self, accounts: list[str]) -> None:
        found: dict[str, AccountState] = {}
        ask = self.venue.ask_accounts(accounts) if self.batched else self.venue.ask_account(accounts[0])
        try:
            await self._read(ask, found)
        except LiqscapeError:
            self._unread += 1
            if self.batched and self._unread >= _TRIES:
                self.batched = False  # withdrawn without a word: go on one by one
            for account in accounts:
                self.schedule.failed(account)
            raise
        self._unread = 0
        self._looks.append((self._now_s(), len(found)))
        self.take(found.values())

    async def _read(self, ask: Ask, into: dict[str, AccountState]) -> None:
        for record in await self.client.run(ask, tries=2):
            if isinstance(record, AccountState):
                into[record.account] = record

    async def _read_leaderboard(self) -> None:
        now = self._now_s()
        for record in await self.client.run(self.venue.ask_leaderboard(self.plan.most_accounts // 2), tries=2):
            if isinstance(record, AccountListing):
                self.schedule.add(record.account, now, (record.equity_usd or 0.0) + 0.1 * (record.volume_1d_usd or 0.0))

    async def _read_vault(self) -> None:
        found = await self.client.run(self.venue.ask_vault(), tries=2)
        own = [record.account for record in found if isinstance(record, AccountListing)]
        self.schedule.exclude(own)
        for account in own:
            self.states.pop(account, None)

    async def _read_ladders(self) -> None:
        specs: dict[str, InstrumentSpec] = {}
        for ask in self.venue.ask_instruments():
            specs |= {r.id.symbol: r for r in await self.client.run(ask, tries=2) if isinstance(r, InstrumentSpec)}
        found: dict[str, list[list[float | None]]] = {}
        for ask in self.venue.ask_tiers(specs):
            for ladder in await self.client.run(ask, tries=2):
                if isinstance(ladder, RiskLadder):
                    rows = [[t.floor, t.maintenance_margin_rate, t.deduction, t.max_leverage] for t in ladder.tiers]
                    found[str(ladder.instrument)] = rows
        if self.state is not None and found:
            self.state.set(LADDERS, self.venue.facts.venue, found)

    async def _quietly(self, work: Awaitable[None]) -> None:
        try:
            await work
        except LiqscapeError as error:
            self.last_error = error.message

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() if self._monotonic is None else self._monotonic()


def _legs(state: AccountState) -> frozenset[tuple[str, float]]:
    return frozenset((p.instrument.symbol, p.quantity_base) for p in state.positions)


async def track(tracker: Tracker, store: Store, *, writer: str = "positions") -> None:
    """Follow accounts until cancelled, storing into `Table.POSITIONS`; then store and remember what is held."""
    plan = tracker.plan
    tracker.recall()

    async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except LiqscapeError as error:
                tracker.last_error = error.message
                await asyncio.sleep(_BACK_OFF_S)

    async def remember() -> None:
        await asyncio.to_thread(tracker.remember)

    async def discover() -> None:
        await tracker.discover()
        if not tracker.batched:
            await tracker.probe()

    async def follow() -> None:
        await discover()
        await tracker.poll()

    tasks = [
        asyncio.create_task(work)
        for work in (
            follow(),
            every(plan.flush_s, lambda: tracker.flush(store, writer)),
            every(plan.snapshot_s, lambda: tracker.flush(store, writer, everything=True)),
            every(plan.leaderboard_s, discover),
            every(plan.keep_s, remember),
            every(_RENEW_S, tracker.renew),
        )
    ]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await tracker.flush(store, writer)
            tracker.remember()
        except LiqscapeError as error:
            tracker.last_error = error.message
