"""What a venue is: what it can be asked, what it streams, and its limits. Pure: nothing here opens a socket.

An `Ask` is one request with the parser of its answer; a `Stream` is one WebSocket with the session that reads it. `client`
executes asks within the venue's budget, `feed` keeps streams alive; both take any `Transport`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct

from liqscape.errors import CorruptRecord
from liqscape.model import Completeness, InstrumentId, InstrumentSpec, Kind, PriceKind
from liqscape.venues.wire import Parsed, decode

T = TypeVar("T")

Specs = Mapping[str, InstrumentSpec]


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Parameters
    ----------
    host
        A name in `Facts.hosts`.
    path
        Begins with a slash.
    costs
        What it takes from the venue's buckets: (bucket, weight).
    """

    host: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    costs: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Ask:
    """A request and the pure parser of its answer: (body, ns UTC of its arrival) -> records.

    Parameters
    ----------
    name
        For people, such as `klines BTCUSDT`.
    more
        Given the records of the answer, the ask for the next page, or None. Only where pages cannot be cut by time.
    """

    name: str
    kind: Kind
    request: Request
    parse: Callable[[bytes, int], Parsed]
    more: Callable[[bytes], Ask | None] | None = None


class Received(Struct, frozen=True, gc=False):
    """What a session made of a frame.

    Parameters
    ----------
    records
        In the frame's order.
    reply
        What must be sent back at once (a pong), or None.
    data
        True if the frame carries market data: shows that the subscription lives. Acknowledgements and pongs do not.
    refused
        The venue's words if it refused the subscription, else None: the stream is opened anew.
    """

    records: Parsed
    reply: str | bytes | None = None
    data: bool = False
    refused: str | None = None


NOTHING = Received([])


class Session(ABC):
    """One connection's conversation; it may hold state (partial tickers), so each connection gets its own."""

    @abstractmethod
    def opening(self) -> Sequence[str | bytes]:
        """Return the messages to send after connecting, in order."""

    @abstractmethod
    def receive(self, frame: str | bytes, recv_ns: int) -> Received:
        """Read one frame.

        Raises
        ------
        CorruptRecord
            If the frame as a whole makes no sense; single bad rows stand in `records` instead.
        """

    def heartbeat(self) -> str | bytes | None:
        """Return the venue's own ping, or None to use the protocol's."""
        return None


@dataclass(frozen=True)
class Stream:
    """One WebSocket to keep open.

    Parameters
    ----------
    name
        Unique within the venue, such as `liquidations` or `tickers-2`.
    host, path
        A name in `Facts.hosts`, and what follows it.
    kinds, instruments
        What is lost while it is down.
    heartbeat_s
        How often a ping is sent: the session's, else the protocol's. None: none is sent, for the venue pings by itself, and
        only that shows that it lives.
    silence_s
        Without any frame or pong for so long the socket is dead.
    data_silence_s
        Without a data frame for so long the subscription is dead though the socket lives; None where quiet is normal
        (liquidations alone): such a stream carries a busy topic beside it.
    pause_s
        Least time between two messages of ours.
    """

    name: str
    host: str
    path: str
    session: Callable[[], Session]
    kinds: tuple[Kind, ...]
    instruments: tuple[InstrumentId, ...]
    heartbeat_s: float | None = 15.0
    silence_s: float = 40.0
    data_silence_s: float | None = None
    pause_s: float = 0.0


@dataclass(frozen=True)
class Bucket:
    """A published limit: at most `capacity` weight in any stretch of `per_s` seconds."""

    capacity: float
    per_s: float


class Trust(StrEnum):
    """How a fact about a venue is known."""

    OFFICIAL = "official"
    THIRD_PARTY = "third-party"
    UNVERIFIED = "unverified"


@dataclass(frozen=True)
class Doubt:
    """Something that the reference does not prove: said here once, looked at when the venue answers, shown by doctor.

    Parameters
    ----------
    what
        The assumption, in words.
    check
        How the running program would notice that it is wrong, or why it cannot.
    """

    what: str
    check: str


@dataclass(frozen=True)
class Facts:
    """What is known of a venue before a byte is exchanged.

    Parameters
    ----------
    key
        Name of this adapter, such as `binance_usdm`; its folder, its tape, its settings.
    venue
        The name in instruments, such as `binance`.
    title
        For people.
    completeness, completeness_note
        What its liquidation feed shows, and since when; Kind.LIQUIDATIONS is absent from `streams` and `asks` if it has none.
    streams, asks
        Kinds that come by WebSocket, and kinds that can be asked for by REST.
    history_ns
        How far back each kind can be asked for; absent: to the launch.
    page
        Rows that one ask of a kind returns at most: the backfill cuts time into so many intervals.
    open_interest_interval_ns
        Interval of its open-interest history, None without one.
    settle_s
        A bar is asked for so long after its end.
    late_s
        A liquidation is published at most so long after it happened: a gap begins so much before the last sign of life.
    hosts
        Base addresses by name; the setting `venue_urls` replaces them one by one (`binance_usdm.rest`).
    buckets
        Rate limits by name, each with its source in the venue's file.
    ban_s
        How long to stay away when the venue bans without saying for how long.
    doubts
        What is unverified.
    """

    key: str
    venue: str
    title: str
    completeness: Completeness
    completeness_note: str
    streams: frozenset[Kind]
    asks: frozenset[Kind]
    hosts: Mapping[str, str]
    buckets: Mapping[str, Bucket]
    history_ns: Mapping[Kind, int] = field(default_factory=dict[Kind, int])
    page: Mapping[Kind, int] = field(default_factory=dict[Kind, int])
    open_interest_interval_ns: int | None = None
    settle_s: float = 3.0
    late_s: float = 2.0
    ban_s: float = 120.0
    doubts: tuple[Doubt, ...] = ()


class Answer(StrEnum):
    """How a response is to be taken."""

    FINE = "fine"
    LIMITED = "limited"  # too fast: wait, then ask again
    BANNED = "banned"  # stay away for a while
    BUSY = "busy"  # the venue's own trouble or maintenance: ask again later
    REFUSED = "refused"  # asking again will not help


@dataclass(frozen=True)
class Judgement:
    """How a response is to be taken, for how long to wait (None: by rule) and the venue's words."""

    answer: Answer
    wait_s: float | None = None
    words: str = ""


class Venue(ABC):
    """One adapter. Every method is pure; what a venue does not have is None, as its facts say.

    Methods that take `spec` give what concerns one instrument; those that take `specs` may join several in one ask.
    """

    facts: Facts

    @abstractmethod
    def ask_instruments(self) -> list[Ask]:
        """Ask for every contract -> InstrumentSpec."""

    @abstractmethod
    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask | None:
        """Ask for the closed 1-minute bars that start in [start_ns, end_ns), at most a page -> Bar."""

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        """Ask for mark, index, funding, open interest and volume now -> Ticker."""
        return []

    def ask_open_interest(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask | None:
        """Ask for the history of open interest in [start_ns, end_ns) -> OpenInterest."""
        return None

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask | None:
        """Ask for funding paid in [start_ns, end_ns) -> FundingRate."""
        return None

    def ask_ratios(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> list[Ask]:
        """Ask for account and top-trader ratios in [start_ns, end_ns) -> AccountRatio."""
        return []

    def ask_book(self, spec: InstrumentSpec) -> Ask | None:
        """Ask for the deepest book that one request gives -> Book."""
        return None

    def ask_tiers(self, specs: Specs) -> list[Ask]:
        """Ask for margin tables -> RiskLadder."""
        return []

    def ask_liquidations(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask | None:
        """Ask for past liquidation prints in [start_ns, end_ns), where the venue keeps them -> Liquidation."""
        return None

    @abstractmethod
    def streams(self, specs: Specs) -> list[Stream]:
        """Return the sockets that carry the venue's streamed kinds of these instruments."""

    def judge(self, status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
        """Judge a response. Default: by HTTP status; venues that hide errors in a 200 override it and call `judge_status`."""
        return judge_status(status, headers, body)


def parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a list into what one message, request or socket may hold."""
    return [items[i : i + size] for i in range(0, len(items), size)]


def sockets(specs: Specs, size: int, make: Callable[[int, Specs], Stream]) -> list[Stream]:
    """Make as many streams as the instruments need: each takes its number and its instruments, `size` at most, by symbol."""
    return [
        make(number, {symbol: specs[symbol] for symbol in symbols}) for number, symbols in enumerate(parts(sorted(specs), size))
    ]


def judge_status(status: int, headers: Mapping[str, str], body: bytes) -> Judgement:
    """Judge by HTTP status and Retry-After (seconds; header names in lower case).

    A 403 comes from the wall before the venue: whoever goes on asking is shut out for longer, so it counts as a ban.
    """
    words = body[:200].decode(errors="replace")
    try:
        wait_s = max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        wait_s = None
    if 200 <= status < 300:
        return Judgement(Answer.FINE)
    if status == 429:
        return Judgement(Answer.LIMITED, wait_s, words)
    if status in (403, 418):
        return Judgement(Answer.BANNED, wait_s, words)
    if status >= 500 or status in (408, 425):
        return Judgement(Answer.BUSY, wait_s, words)
    return Judgement(Answer.REFUSED, None, words)


def envelope(judged: Judgement, reader: msgspec.json.Decoder[T], body: bytes, venue: str) -> T | None:
    """Read what a venue says of its answer inside the answer; None where the status has said all there is to know.

    Raises
    ------
    CorruptRecord
        If an answer that is fine by its status is not in the venue's own form.
    """
    if judged.answer not in (Answer.FINE, Answer.REFUSED):
        return None
    try:
        return decode(reader, body, venue, "answer")
    except CorruptRecord:
        if judged.answer is Answer.FINE:
            raise
        return None  # a wall before the venue answered
