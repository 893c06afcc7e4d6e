"""What a rehearsed venue is: REST answers and WebSocket conversations in its own formats, as functions of the world and the time.

A dialect is written from the venue's documentation (`exchanges.md` and the official field names), never from a parser of ours:
two readings of one page check each other. Everything it says follows from the `World` and the clock that is passed in, so no
answer depends on who asked before. Answers carry the fields that the venue sends, known to us or not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from liqscape.model import ContractKind
from liqscape.testing.exchange.listing import NS_PER_MS, Listing, usual_step, usual_tick
from liqscape.testing.exchange.world import World

Frame = str | bytes
# What a request takes of a published limit: (name of the limit, weight, the most in a stretch of time, its seconds).
Cost = tuple[str, float, float, float]


@dataclass(frozen=True)
class Asked:
    """An HTTP request as it reaches a venue.

    Parameters
    ----------
    host
        The venue's host name, such as `api.bybit.com`.
    path
        Begins with a slash.
    headers
        Names in lower case.
    """

    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def instant(self, name: str, unit_ns: int = NS_PER_MS) -> int | None:
        """Return a time of the query in ns, or None if it is not there."""
        value = self.query.get(name, "")
        return int(float(value) * unit_ns) if value else None

    def count(self, name: str, usual: int, most: int) -> int:
        """Return a count of the query, `usual` if it is not there and never above `most`."""
        return min(int(self.query.get(name) or usual), most)


@dataclass(frozen=True)
class Answer:
    """An HTTP response; `headers` beside the content type."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Refusal(StrEnum):
    """Ways in which a venue turns a client away."""

    LIMITED = "limited"
    BANNED = "banned"
    MAINTENANCE = "maintenance"


def dumps(value: Any) -> str:
    """Write JSON as venues do, without spaces."""
    return msgspec.json.encode(value).decode()


def said(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer whose body is `value` in JSON."""
    return Answer(status, msgspec.json.encode(value), headers or {})


def beats(from_ns: int, to_ns: int, every_ns: int) -> range:
    """Return the multiples of `every_ns` in [from_ns, to_ns)."""
    return range(-(-from_ns // every_ns) * every_ns, to_ns, every_ns)


class Conversation(ABC):
    """One WebSocket as the venue sees it.

    Frames must not depend on how time is cut: `frames(a, b) + frames(b, c)` is `frames(a, c)` if nothing was received at b. A
    frame that sums up a stretch of time stands on a fixed grid and covers the stretch before it.
    """

    hung_up = False  # set it when the venue closes the socket, for instance because no pong came

    def opening(self, now_ns: int) -> list[Frame]:
        """Return what the venue says at once after the connection is made."""
        return []

    @abstractmethod
    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Return the replies to a message: acknowledgement, snapshots, pong."""

    @abstractmethod
    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Return what the venue pushes in [from_ns, to_ns), with the instant of each, ascending: data and its own pings."""


class Topics(Conversation):
    """A conversation made of topics that are subscribed by name; a dialect says what each one emits."""

    def __init__(self) -> None:
        self.since_ns: dict[str, int] = {}

    def subscribe(self, topic: str, now_ns: int) -> None:
        """Begin to push a topic."""
        self.since_ns.setdefault(topic, now_ns)

    def unsubscribe(self, topic: str) -> None:
        """Push it no more."""
        self.since_ns.pop(topic, None)

    @abstractmethod
    def emit(self, topic: str, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield the frames of one topic in [from_ns, to_ns)."""

    def own(self, from_ns: int, to_ns: int) -> Iterator[tuple[int, Frame]]:
        """Yield what comes without a subscription, such as the venue's pings."""
        return iter(())

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Return the frames of all topics in the order of their instants."""
        found = list(self.own(from_ns, to_ns))
        for topic, since in self.since_ns.items():
            found += self.emit(topic, max(from_ns, since), to_ns)
        found.sort(key=lambda pair: pair[0])
        return found


class Silent(Conversation):
    """A socket that answers like a living one and delivers nothing: a path that is wrong on venues that do not say so."""

    def __init__(self, living: Conversation) -> None:
        self._living = living

    def receive(self, message: Frame, now_ns: int) -> list[Frame]:
        """Return what the living one would reply first: the acknowledgement, without snapshots."""
        return self._living.receive(message, now_ns)[:1]

    def frames(self, from_ns: int, to_ns: int) -> list[tuple[int, Frame]]:
        """Return nothing."""
        return []


class Dialect(ABC):
    """One venue's side of the wire.

    Parameters
    ----------
    world
        The market that it tells of.

    Attributes
    ----------
    key
        Name of the dialect, such as `bybit`; it may speak for several adapters (`bybit_linear`, `bybit_inverse`).
    hosts
        Host names it answers for, as they stand in the venue's real addresses. Requests are routed by them, in memory as well as
        on loopback, where `https://api.bybit.com/v5/..` is found under `http://127.0.0.1:PORT/api.bybit.com/v5/..`.
    contracts : dict[str, Listing]
        What it lists, by the venue's symbol.
    """

    key: str
    hosts: tuple[str, ...]

    def __init__(self, world: World) -> None:
        self.world = world
        self.contracts: dict[str, Listing] = {contract.symbol: contract for contract in self.listings()}

    @abstractmethod
    def listings(self) -> list[Listing]:
        """Return the contracts that the venue lists, for every coin of the world that it has."""

    @abstractmethod
    def rest(self, asked: Asked, now_ns: int) -> Answer:
        """Answer a request; `missing(asked)` for what the venue does not have."""

    @abstractmethod
    def converse(self, asked: Asked, now_ns: int) -> Conversation | None:
        """Open a WebSocket; None refuses it with 404."""

    def costs(self, asked: Asked) -> tuple[Cost, ...]:
        """Return what a request takes of the limits that the venue publishes; nothing if it publishes none."""
        return ()

    def missing(self, asked: Asked) -> Answer:
        """Return the venue's way to say that there is no such path."""
        return said({"error": "not found", "path": asked.path}, 404)

    def misunderstood(self, asked: Asked, words: str, now_ns: int) -> Answer:
        """Return the venue's way to say that a parameter is missing or makes no sense."""
        return said({"error": "bad request", "path": asked.path, "message": words}, 400)

    def refuse(self, refusal: Refusal, wait_s: float | None, now_ns: int) -> Answer:
        """Return the venue's way to turn a client away; `wait_s` goes into Retry-After if it has a place for it."""
        status = {Refusal.LIMITED: 429, Refusal.BANNED: 418, Refusal.MAINTENANCE: 503}[refusal]
        headers = {} if wait_s is None else {"retry-after": f"{wait_s:g}"}
        return said({"message": refusal.value}, status, headers)

    def linear(
        self, venue: str, symbol: str, base: str, quote: str, *, coins_per_contract: float | None = None, **more: Any
    ) -> Listing:
        """Make a linear listing with the usual steps; quantities in coins, or in whole contracts of `coins_per_contract`."""
        price = self.world.price_of(base)
        size, step = (1.0, usual_step(price)) if coins_per_contract is None else (coins_per_contract, 1.0)
        return Listing(venue, symbol, base, quote, ContractKind.LINEAR, size, step, usual_tick(price), **more)

    def inverse(self, venue: str, symbol: str, base: str, usd_per_contract: float, **more: Any) -> Listing:
        """Make an inverse listing, quoted in USD, with quantities in whole contracts of `usd_per_contract`."""
        tick = usual_tick(self.world.price_of(base))
        return Listing(venue, symbol, base, "USD", ContractKind.INVERSE, usd_per_contract, 1.0, tick, **more)
