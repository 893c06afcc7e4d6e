"""Venues behind one counter: routes by host name, applies the script of faults, keeps a log. Knows neither socket nor clock.

`memory` and `server` are its two doors. Time comes in as an argument, ns UTC, and never goes back.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import formatdate

from liqscape.testing.exchange.dialect import Answer, Asked, Conversation, Dialect, Frame, Refusal, Silent
from liqscape.testing.exchange.faults import OF_FRAMES, OF_REQUESTS, REFUSALS, Deed, Fault, FaultKind, spoilt
from liqscape.testing.exchange.meter import Meter
from liqscape.units import NS_PER_S

_REMEMBERED = 200
_LOST = (FaultKind.SILENT, FaultKind.HALF_OPEN)


class Lost(Exception):
    """No connection can be made, or an open one broke."""


@dataclass
class _Running:
    """A fault that has begun."""

    number: int
    fault: Fault
    left: int


@dataclass
class Link:
    """One open WebSocket with what befalls it.

    Attributes
    ----------
    number
        Ascending over the life of the exchange.
    opened_ns
        When it was opened.
    data_ns
        When frames were pushed over it unharmed, by poll.
    said
        The messages that the client sent first; two links with the same subscriptions are two lines of one stream.
    closed, silent, deaf
        Broken; delivering nothing more; hearing nothing more either (no pong comes back).
    """

    number: int
    key: str
    asked: Asked
    conversation: Conversation
    opened_ns: int
    polled_ns: int
    data_ns: list[int] = field(default_factory=list[int])
    said: list[Frame] = field(default_factory=list[Frame])
    closed: bool = False
    silent: bool = False
    deaf: bool = False
    running: list[_Running] = field(default_factory=list[_Running])
    held: list[tuple[int, Frame]] = field(default_factory=list[tuple[int, Frame]])

    @property
    def signature(self) -> tuple[str, str, str, tuple[str, ...]]:
        """What the link is for: the same for all lines of one stream."""
        # Without numbers: some subscriptions carry the time.
        asked_for = tuple(re.sub(r"\d+", "", str(message)) for message in self.said if "sub" in str(message).lower())
        return self.asked.host, self.asked.path, str(sorted(self.asked.query.items())), asked_for


@dataclass(frozen=True)
class Reply:
    """An answer and how long it takes; None: none ever comes."""

    answer: Answer | None
    after_s: float = 0.0


class RehearsalExchange:
    """All venues of a rehearsal.

    Parameters
    ----------
    dialects
        The venues; a host name may belong to several, the first one that knows the path answers.
    faults
        The script, in any order.
    seed
        For what faults leave to chance.
    """

    def __init__(self, dialects: Sequence[Dialect], faults: Sequence[Fault] = (), *, seed: int = 1) -> None:
        self.dialects = {dialect.key: dialect for dialect in dialects}
        self.faults = list(faults)
        self.log: list[Deed] = []
        self.links: list[Link] = []
        self.past: list[Link] = []
        self.answered_ns: dict[str, list[int]] = {dialect.key: [] for dialect in dialects}
        self.meter = Meter()
        self._chance = random.Random(seed)
        self._waiting = sorted(range(len(self.faults)), key=lambda i: -self.faults[i].at_ns)
        self._running: list[_Running] = []
        self._hosts: dict[str, list[Dialect]] = {}
        for dialect in dialects:
            for host in dialect.hosts:
                self._hosts.setdefault(host, []).append(dialect)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Host names that are answered for."""
        return tuple(self._hosts)

    def request(self, asked: Asked, now_ns: int) -> Reply:
        """Answer an HTTP request.

        Raises
        ------
        Lost
            If nobody has that host, or connects are refused.
        """
        self._begin(now_ns)
        dialect, answer = self._answer(asked, now_ns)
        wait_s = self.meter.take(dialect.key, dialect.costs(asked), now_ns)
        if wait_s > 0.0:
            answer = dialect.refuse(Refusal.LIMITED, wait_s, now_ns)
        reply = Reply(answer, self._chance.uniform(0.03, 0.15))
        for running in self._of(dialect.key, asked.path, now_ns):
            fault = running.fault
            if fault.kind is FaultKind.REFUSED and fault.connection is None:
                self._did(running, now_ns, None, f"refused {asked.path}")
                raise Lost(f"{asked.host}: connection refused")
            if fault.kind in OF_REQUESTS:
                reply = self._spoil(running, dialect, asked, answer, now_ns)
                break
        else:
            self.answered_ns[dialect.key].append(now_ns)
        if reply.answer is None:
            return reply
        dated = {"date": formatdate(now_ns / NS_PER_S, usegmt=True), "content-type": "application/json", **reply.answer.headers}
        return Reply(Answer(reply.answer.status, reply.answer.body, dated), reply.after_s)

    def _answer(self, asked: Asked, now_ns: int) -> tuple[Dialect, Answer]:
        owners = self._hosts.get(asked.host)
        if owners is None:
            raise Lost(f"{asked.host}: no such host in this rehearsal (it has {', '.join(self._hosts)})")
        for dialect in owners:
            try:
                answer = dialect.rest(asked, now_ns)
            except (KeyError, ValueError, IndexError) as error:  # a parameter that is missing or means nothing
                answer = dialect.misunderstood(asked, f"{type(error).__name__}: {error}", now_ns)
            if answer.status != 404:
                return dialect, answer
        return owners[0], owners[0].missing(asked)

    def _spoil(self, running: _Running, dialect: Dialect, asked: Asked, answer: Answer, now_ns: int) -> Reply:
        kind = running.fault.kind
        self._did(running, now_ns, None, f"{asked.path} {dict(asked.query)}"[:200])
        if kind is FaultKind.NO_ANSWER:
            return Reply(None)
        if kind in REFUSALS:
            wait_s = max(1.0, (running.fault.end_ns - now_ns) / NS_PER_S)
            return Reply(dialect.refuse(REFUSALS[kind], round(wait_s + 0.5), now_ns), 0.05)
        how = (
            FaultKind.DRIFT
            if kind is FaultKind.DRIFTED_ANSWER
            else self._chance.choice((FaultKind.TRUNCATE, FaultKind.MALFORMED))
        )
        body = spoilt(answer.body, how, self._chance)
        return Reply(Answer(answer.status, body if isinstance(body, bytes) else body.encode(), answer.headers), 0.1)

    def open(self, asked: Asked, now_ns: int) -> tuple[Link, list[Frame]]:
        """Open a WebSocket and return it with what the venue says at once.

        Raises
        ------
        Lost
            If nobody has that host or path, or connects are refused.
        """
        self._begin(now_ns)
        found: tuple[Dialect, Conversation] | None = None
        for dialect in self._hosts.get(asked.host, []):
            conversation = dialect.converse(asked, now_ns)
            if conversation is not None:
                found = dialect, conversation
                break
        if found is None:
            raise Lost(f"{asked.host}{asked.path}: no such socket in this rehearsal")
        dialect, conversation = found
        for running in self._of(dialect.key, asked.path, now_ns):
            kind = running.fault.kind
            if kind in (FaultKind.REFUSED, FaultKind.MAINTENANCE):
                self._did(running, now_ns, None, f"refused a connection to {asked.path}")
                raise Lost(f"{asked.host}: connection refused")
            if kind is FaultKind.WRONG_PATH:
                conversation = Silent(conversation)
                self._did(running, now_ns, None, f"a connection to {asked.path} lives in silence")
        number = len(self.links) + len(self.past)
        link = Link(number, dialect.key, asked, conversation, now_ns, now_ns)
        self.links.append(link)
        return link, conversation.opening(now_ns)

    def hear(self, link: Link, message: Frame, now_ns: int) -> list[Frame]:
        """Give a message of the client to the venue and return the replies, as faults leave them."""
        self._begin(now_ns)
        if link.closed:
            raise Lost("connection closed")
        if len(link.said) < _REMEMBERED:
            link.said.append(message)
        if link.deaf:
            return []
        replies = link.conversation.receive(message, now_ns)
        return [] if link.silent else replies

    def poll(self, link: Link, now_ns: int) -> list[tuple[int, Frame]]:
        """Return what the venue pushed over a link since the last poll, with the instants to deliver it, as faults leave it."""
        self._begin(now_ns)
        if link.closed:
            raise Lost("connection closed")
        pushed = link.conversation.frames(link.polled_ns, now_ns)
        link.polled_ns = now_ns
        if link.conversation.hung_up:
            self.close(link)
            raise Lost("the venue closed the connection")
        if link.silent:
            return []
        if not link.running and not link.held:
            if pushed:
                link.data_ns.append(now_ns)
            return pushed
        return self._harmed(link, pushed, now_ns)

    def answers_pings(self, link: Link) -> bool:
        """Return whether a protocol ping over this link gets its pong."""
        return not link.deaf and not link.closed

    def close(self, link: Link) -> None:
        """Close a link, whoever wants it."""
        if not link.closed:
            link.closed = True
            self.links.remove(link)
            self.past.append(link)

    def _harmed(self, link: Link, pushed: list[tuple[int, Frame]], now_ns: int) -> list[tuple[int, Frame]]:
        out: list[tuple[int, Frame]] = []
        clean = False
        for at, frame in pushed:
            running = link.running[0] if link.running else None
            if running is None:
                out.append((at, frame))
                clean = True
                continue
            kind = running.fault.kind
            self._did(running, at, link.number, repr(frame[:160]))
            running.left -= 1
            if running.left <= 0:
                link.running.pop(0)
            if kind is FaultKind.DROP:
                continue
            if kind is FaultKind.DUPLICATE:
                out += [(at, frame), (at, frame)]
            elif kind is FaultKind.DELAY:
                link.held.append((now_ns + round(running.fault.lasts_s * NS_PER_S), frame))
            elif kind is FaultKind.REORDER:
                link.held.append((now_ns, frame))  # goes out behind what the next poll brings
            else:
                out.append((at, spoilt(frame, kind, self._chance)))
        if clean:
            link.data_ns.append(now_ns)
        due = [(at, frame) for at, frame in link.held if at < now_ns]
        link.held = [(at, frame) for at, frame in link.held if at >= now_ns]
        return out + due

    def _of(self, key: str, path: str, now_ns: int) -> list[_Running]:
        """Return the faults that spoil requests and connects of a venue now."""
        self._running = [r for r in self._running if now_ns < r.fault.end_ns and (r.fault.count == 0 or r.left > 0)]
        return [r for r in self._running if r.fault.key == key and r.fault.path in path]

    def _begin(self, now_ns: int) -> None:
        """Begin the faults whose time has come."""
        while self._waiting and self.faults[self._waiting[-1]].at_ns <= now_ns:
            number = self._waiting.pop()
            fault = self.faults[number]
            running = _Running(number, fault, max(1, fault.count))
            if fault.kind in (*OF_REQUESTS, FaultKind.REFUSED, FaultKind.WRONG_PATH):
                self._running.append(running)
            if fault.kind in OF_FRAMES:
                for link in self._targets(fault):
                    link.running.append(_Running(number, fault, max(1, fault.count)))
            elif fault.kind not in OF_REQUESTS or fault.kind is FaultKind.MAINTENANCE:
                self._break(running, now_ns)

    def _break(self, running: _Running, now_ns: int) -> None:
        fault = running.fault
        if fault.kind is FaultKind.CLOCK_JUMP:
            return  # the client's clock is not ours: the door that has it in hand lets it jump
        for link in self._targets(fault):
            self._did(running, now_ns, link.number, f"{link.asked.path} opened {link.opened_ns}")
            if fault.kind in _LOST:
                link.silent = True
                link.deaf = fault.kind is FaultKind.HALF_OPEN
            else:
                self.close(link)

    def _targets(self, fault: Fault) -> list[Link]:
        found = [link for link in self.links if link.key == fault.key and fault.path in link.asked.path]
        if fault.connection is None or not found:
            return found
        return [found[fault.connection % len(found)]]

    def _did(self, running: _Running, now_ns: int, connection: int | None, what: str) -> None:
        if connection is None and running.fault.count:
            running.left -= 1
        self.log.append(Deed(running.number, running.fault.kind, running.fault.key, now_ns, connection, what))
