"""A transport that repeats a few minutes of the rehearsal exchange for ever, so that making the market costs next to nothing.

The first `PERIOD_NS` are asked of the real rehearsal; every later answer and frame is one of those with its times moved. What the
recorder sees is a market of the venues' own payloads whose prints all differ.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from liqscape.errors import Unreachable
from liqscape.testing.exchange import Answer, Asked, Conversation, RehearsalExchange, Topics
from liqscape.testing.exchange.memory import asked_of
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S

PERIOD_NS = 5 * NS_PER_MINUTE
BURST_S = 0.2  # frames of so long come together, as they do from a socket
_STAMP = re.compile(
    r"(?<![\d.])1[78]\d{8}(?:\d{3}){0,3}(?!\d)|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z|\"orderID\":\"[0-9a-f]{8}"
)
_UNITS = {10: NS_PER_S, 13: 1_000_000, 16: 1_000, 19: 1}


@dataclass
class Pattern:
    """A text with holes where times stand: (unit, value in that unit); unit 0 is ISO 8601, unit -1 an order's name."""

    pieces: list[str]
    holes: list[tuple[int, int]]
    packed: bool
    binary: bool

    @classmethod
    def of(cls, frame: str | bytes, near_ns: int) -> Pattern:
        """Find the times in a frame."""
        packed = isinstance(frame, bytes) and frame[:2] == b"\x1f\x8b"
        text = frame if isinstance(frame, str) else (gzip.decompress(frame) if packed else frame).decode()
        pieces, holes, at = [], [], 0
        for found in _STAMP.finditer(text):
            hole = _hole(found[0], near_ns)
            if hole is not None:
                pieces.append(text[at : found.start()])
                holes.append(hole)
                at = found.end()
        return cls([*pieces, text[at:]], holes, packed, not isinstance(frame, str))

    def at(self, shift_ns: int) -> str | bytes:
        """The text with its times moved by whole minutes."""
        parts = [self.pieces[0]]
        for (unit, value), piece in zip(self.holes, self.pieces[1:], strict=True):
            if unit > 0:
                parts.append(str(value + shift_ns // unit))
            elif unit == 0:
                moved = datetime.fromtimestamp((value + shift_ns // 1_000_000) / 1000.0, UTC)
                parts.append(moved.isoformat(timespec="milliseconds")[:-6] + "Z")
            else:
                parts.append(f'"orderID":"{(value + shift_ns // NS_PER_S) % (1 << 32):08x}')
            parts.append(piece)
        text = "".join(parts)
        if self.packed:
            return gzip.compress(text.encode(), 1)
        return text.encode() if self.binary else text


def _hole(text: str, near_ns: int) -> tuple[int, int] | None:
    if text.startswith('"'):
        return -1, int(text[-8:], 16)
    if "T" in text:
        return 0, round(datetime.fromisoformat(text).timestamp() * 1000.0)
    unit = _UNITS[len(text)]
    return (unit, int(text)) if abs(int(text) * unit - near_ns) < 2 * NS_PER_DAY else None


class LoopedMarket:
    """Answers and frames of a rehearsal, repeated."""

    def __init__(self, exchange: RehearsalExchange, now_ns: Callable[[], int]) -> None:
        self.exchange, self.now_ns = exchange, now_ns
        self.begin_ns = now_ns() // NS_PER_MINUTE * NS_PER_MINUTE
        self.frames_sent = 0
        self._answers: dict[tuple[object, ...], tuple[int, Pattern, int]] = {}
        self._streams: dict[tuple[object, ...], tuple[list[int], list[Pattern]]] = {}
        self._begins: dict[int, int] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> Answer:
        """Answer as a transport does."""
        now = self.now_ns()
        asked = asked_of(method, url, params, headers, body)
        if b'"user' in asked.body:
            # Accounts are asked for in ever new company: to keep those answers would fill the memory that is measured.
            await asyncio.sleep(0.05)
            if (told := self.exchange.request(asked, now).answer) is None:
                raise Unreachable(f"{url}: no answer")
            return told
        key = self._key(asked, now)
        held = self._answers.get(key)
        if held is None:
            reply = self.exchange.request(asked, now).answer
            if reply is None:
                raise Unreachable(f"{url}: no answer")
            held = self._answers[key] = (now, Pattern.of(reply.body, now), reply.status)
        then, pattern, status = held
        shift = (now - then) // NS_PER_MINUTE * NS_PER_MINUTE
        text = pattern.at(shift)
        await asyncio.sleep(0.05)
        return Answer(status, text.encode() if isinstance(text, str) else text)

    def _key(self, asked: Asked, now: int) -> tuple[object, ...]:
        """What an answer depends on: the question without its times, how long a stretch it asks for, and the minute."""
        text = repr((asked.host, asked.path, sorted(asked.query.items()), asked.method, asked.body))
        found = [hole for match in _STAMP.finditer(text) if (hole := _hole(match[0], now)) is not None]
        minutes = [round(value * (unit or 1_000_000) / NS_PER_MINUTE) for unit, value in found]
        phase = (now - self.begin_ns) % PERIOD_NS // NS_PER_MINUTE
        return _STAMP.sub("#", text), tuple(minute - minutes[0] for minute in minutes[1:]), phase

    async def connect(self, url: str, *, timeout_s: float) -> Line:
        """Connect as a transport does."""
        await asyncio.sleep(0.05)
        asked = asked_of("GET", url, {}, {}, None)
        link, frames = self.exchange.open(asked, self.now_ns())
        return Line(self, asked, link.conversation, frames)

    def stream(self, asked: Asked, said: tuple[object, ...], conversation: Conversation) -> tuple[list[int], list[Pattern]]:
        """The frames of a period of a stream: one list for all of its lines."""
        key = (asked.host, asked.path, *said)
        held = self._streams.get(key)
        if held is None:
            begin = self.now_ns() // PERIOD_NS * PERIOD_NS + PERIOD_NS
            # Whatever a venue wants to hear meanwhile (pings, pongs): a living client says it in time.
            frames = partial(Topics.frames, conversation) if isinstance(conversation, Topics) else conversation.frames
            found = frames(begin, begin + PERIOD_NS)
            held = self._streams[key] = ([at - begin for at, _ in found], [Pattern.of(frame, begin) for _, frame in found])
            self._begins[id(held)] = begin
        return held

    def begin_of(self, held: tuple[list[int], list[Pattern]]) -> int:
        """When the period began that a stream's frames were taken from."""
        return self._begins[id(held)]

    async def close(self) -> None:
        """Nothing is open."""


class Line:
    """One connection to the repeated market."""

    def __init__(self, market: LoopedMarket, asked: Asked, conversation: Conversation, opening: list[str | bytes]) -> None:
        self._market, self._asked, self._conversation = market, asked, conversation
        self._ready: deque[str | bytes] = deque(opening)
        self._said: list[object] = []
        self._reached = market.now_ns()

    async def send(self, message: str | bytes) -> None:
        """Say something to the venue."""
        found = self._conversation.receive(message, self._market.now_ns())
        text = message if isinstance(message, str) else message.decode()
        if "ping" not in text and "pong" not in text and "test" not in text:
            self._said.append(re.sub(r"1[78]\d{8}\d*", "#", text))
        self._ready.extend(found)

    async def receive(self) -> str | bytes:
        """Wait for the next frame."""
        while not self._ready:
            said = len(self._said)
            await asyncio.sleep(BURST_S)
            if said == len(self._said):  # not while it is still subscribing
                self._fill()
        self._market.frames_sent += 1
        return self._ready.popleft()

    def _fill(self) -> None:
        held = self._market.stream(self._asked, tuple(self._said), self._conversation)
        offsets, patterns = held
        begin, now = self._market.begin_of(held), self._market.now_ns()
        while self._reached < now:
            phase = (self._reached - begin) % PERIOD_NS
            start = self._reached - phase
            until = min(now - start, PERIOD_NS)
            for at in range(bisect_left(offsets, phase), bisect_left(offsets, until)):
                self._ready.append(patterns[at].at(start - begin))
            self._reached = start + until

    async def ping(self) -> None:
        """Wait for a pong."""
        await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Nothing is held."""
