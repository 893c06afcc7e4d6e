"""Asking a venue: within its budget, patient with its troubles, obedient to its bans."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from statistics import median
from typing import TypeVar

import liqscape.clock as clock
from liqscape.errors import CorruptRecord, RateLimited, Unreachable, VenueError
from liqscape.model import Record
from liqscape.units import NS_PER_S
from liqscape.venues.base import Answer, Ask, Judgement, Venue
from liqscape.venues.budget import Budget
from liqscape.venues.transport import Response, Transport

E = TypeVar("E", VenueError, CorruptRecord, Unreachable, RateLimited)

TIMEOUT_S = 20.0
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 0.5, 60.0
MOST_PAGES = 1000
AT_ONCE = 8  # requests on their way at the same time
_SKEW_SAMPLES = 15


class Client:
    """Executes the asks of one venue.

    Parameters
    ----------
    venue
        The adapter whose asks are run.
    transport
        Where requests go.
    urls
        Replacements of the venue's hosts by `key.host`, as in the setting `venue_urls`.
    now_ns
        The wall clock, ns UTC.
    chance
        Jitter of the back-off.
    on_corrupt
        Called with (key, name of the ask, body, error) for every answer or row that cannot be true.
    """

    def __init__(
        self,
        venue: Venue,
        transport: Transport,
        *,
        urls: Mapping[str, str] | None = None,
        now_ns: Callable[[], int] = clock.now_ns,
        chance: random.Random | None = None,
        on_corrupt: Callable[[str, str, bytes, CorruptRecord], None] | None = None,
    ) -> None:
        self.venue = venue
        self.budget = Budget(venue.facts.buckets)
        self.last_error: str | None = None
        self.heard_ns: int | None = None  # newest answer that made sense
        self._transport = transport
        self._hosts = {name: (urls or {}).get(f"{venue.facts.key}.{name}", url) for name, url in venue.facts.hosts.items()}
        self._now_ns = now_ns
        self._chance = chance or random.Random()
        self._on_corrupt = on_corrupt
        self._shut_until = 0.0  # on the loop's clock: nothing is asked before
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._skews: deque[int] = deque(maxlen=_SKEW_SAMPLES)

    async def run(self, ask: Ask, *, tries: int = 6, patience_s: float = 180.0) -> list[Record]:
        """Ask, with all further pages, and return the records.

        Parameters
        ----------
        tries
            How often one page is asked for when the venue has troubles, limits us or answers nonsense.
        patience_s
            Longest wait that the venue may impose at once; if it asks for more, `RateLimited` is raised at once.

        Raises
        ------
        RateLimited
            If the venue tells us to stay away for longer than `patience_s`; `context["retry_after_s"]` says how long.
        VenueError
            If it refuses, or could not be asked after all tries.
        CorruptRecord
            If the answer as a whole made no sense in every try. Single bad rows go to `on_corrupt`.
        """
        records: list[Record] = []
        following: Ask | None = ask
        for _ in range(MOST_PAGES):
            if following is None:
                return records
            found, body = await self._page(following, tries, patience_s)
            records.extend(found)
            self.heard_ns = self._now_ns()
            following = following.more(body) if following.more is not None else None
        raise VenueError(f"{self.venue.facts.key} {ask.name}: over {MOST_PAGES} pages", hint="Ask for a shorter stretch of time.")

    async def close(self) -> None:
        """Close what this client opened: nothing, for the transport belongs to who gave it."""

    def budget_left(self) -> dict[str, float]:
        """Return the share of each bucket that is free, 0 to 1; all 0 while the venue keeps us out."""
        return dict.fromkeys(self.venue.facts.buckets, 0.0) if self.shut_s() > 0.0 else self.budget.left()

    def shut_s(self) -> float:
        """Return for how many seconds the venue wants no request; 0 if it does not."""
        return max(0.0, self._shut_until - asyncio.get_running_loop().time())

    @property
    def skew_ns(self) -> int | None:
        """Our clock minus the venue's, ns, from `Date` headers (whole seconds, so good to half a second); None if unknown."""
        return round(median(self._skews)) if len(self._skews) >= 3 else None

    async def _page(self, ask: Ask, tries: int, patience_s: float) -> tuple[list[Record], bytes]:
        name = f"{self.venue.facts.key} {ask.name}"
        error: VenueError | CorruptRecord = VenueError(f"{name}: not asked")
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(self._back_off_s(attempt - 1))
            try:
                answer = await self._send(name, ask, patience_s)
            except Unreachable as lost:
                error = self._remember(Unreachable(f"{name}: {lost.message}", hint="Is this machine connected?"))
                continue
            judged = self._judge(answer)
            if judged.answer is Answer.FINE:
                try:
                    return self._parsed(ask, answer.body, last=attempt == tries - 1), answer.body
                except CorruptRecord as corrupt:
                    error = corrupt
                    continue
            error = self._refusal(name, answer, judged)
            if judged.answer is Answer.REFUSED:
                raise error
        raise error

    async def _send(self, name: str, ask: Ask, patience_s: float) -> Response:
        request = ask.request
        async with self._at_once:
            await self._wait_while_shut(name, patience_s)
            await self.budget.take(request.costs)
            # A ban may have come while this request waited for its turn.
            await self._wait_while_shut(name, patience_s)
            sent_ns = self._now_ns()
            answer = await self._transport.request(
                request.method,
                self._hosts[request.host] + request.path,
                params=request.params,
                headers=request.headers,
                body=request.body,
                timeout_s=TIMEOUT_S,
            )
        self._measure_skew(sent_ns, self._now_ns(), answer.headers.get("date"))
        return answer

    def _judge(self, answer: Response) -> Judgement:
        try:
            return self.venue.judge(answer.status, answer.headers, answer.body)
        except CorruptRecord as error:
            # A 200 whose body is cut or no JSON: the venue's trouble, worth another try.
            return Judgement(Answer.BUSY, None, error.message)

    def _parsed(self, ask: Ask, body: bytes, *, last: bool) -> list[Record]:
        """Parse; a row that is corrupt is asked for once more, unless this was the last try."""
        try:
            found = ask.parse(body, self._now_ns())
        except CorruptRecord as error:
            self._tell(ask, body, error)
            raise
        wrong = [row for row in found if isinstance(row, CorruptRecord)]
        for row in wrong:
            self._tell(ask, body, row)
        if wrong and not last:
            raise wrong[0]
        return [row for row in found if not isinstance(row, CorruptRecord)]

    def _tell(self, ask: Ask, body: bytes, error: CorruptRecord) -> None:
        self._remember(error)
        if self._on_corrupt is not None:
            self._on_corrupt(self.venue.facts.key, ask.name, body, error)

    def _refusal(self, name: str, answer: Response, judged: Judgement) -> VenueError:
        now = asyncio.get_running_loop().time()
        words = f"{name}: HTTP {answer.status}: {judged.words or 'no words'}"
        if judged.answer in (Answer.LIMITED, Answer.BANNED):
            rule = self.venue.facts.ban_s if judged.answer is Answer.BANNED else 5.0
            wait_s = judged.wait_s if judged.wait_s is not None else rule
            self._shut_until = max(self._shut_until, now + wait_s)
            return self._remember(RateLimited(words, context={"retry_after_s": wait_s}))
        if judged.wait_s:
            self._shut_until = max(self._shut_until, now + judged.wait_s)
        return self._remember(VenueError(words, context={"status": answer.status}))

    async def _wait_while_shut(self, name: str, patience_s: float) -> None:
        while (wait_s := self.shut_s()) > 0.0:
            if wait_s > patience_s:
                raise RateLimited(
                    f"{name}: the venue wants no requests for another {wait_s:.0f} s",
                    hint="It goes on by itself; nothing needs to be done.",
                    context={"retry_after_s": wait_s},
                )
            await asyncio.sleep(wait_s + self._chance.uniform(0.0, 0.25))

    def _back_off_s(self, attempt: int) -> float:
        return min(LONGEST_BACK_OFF_S, FIRST_BACK_OFF_S * 2.0**attempt) * self._chance.uniform(0.5, 1.0)

    def _measure_skew(self, sent_ns: int, recv_ns: int, date: str | None) -> None:
        try:
            said = parsedate_to_datetime(date or "").timestamp()
        except ValueError:
            return
        # The header drops the fraction of its second: on average half of one.
        self._skews.append((sent_ns + recv_ns) // 2 - round((said + 0.5) * NS_PER_S))

    def _remember(self, error: E) -> E:
        self.last_error = error.message
        return error
