"""A desk between the adapters and the rehearsed venues: asks are answered and sessions are led, without a client or a feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from liqscape.errors import CorruptRecord
from liqscape.model import InstrumentSpec, Record
from liqscape.testing.exchange import Dialect, Listing, RehearsalExchange, World, every_dialect
from liqscape.testing.exchange.memory import asked_of
from liqscape.testing.virtual import START_NS
from liqscape.units import NS_PER_HOUR, NS_PER_S
from liqscape.venues.base import Answer, Ask, Stream, Venue
from liqscape.venues.registry import VENUES

WORLD = World(7)
# Some seconds into a minute and a quarter into an hour: nothing falls on an edge by chance.
NOW_NS = START_NS + 5 * NS_PER_HOUR + 17 * NS_PER_S
DIALECTS = {dialect.key: dialect for dialect in every_dialect(WORLD)}
REPLY_NS = 50_000_000

# Contracts that a rehearsed venue lists and that none of our adapters speaks for, with the reason.
LEFT_OUT: dict[str, dict[str, str]] = {
    "gate": {"BTC_USD": "the one contract settled in BTC"},
    "bitget": {"BTCPERP": "settled in USDC"},
    "htx": {"BTC-USD": "coin-margined", "ETH-USD": "coin-margined", "SOL-USD": "coin-margined"},
}


def dialect_of(venue: Venue) -> Dialect:
    """Return the rehearsed venue that an adapter talks to."""
    return next(dialect for key, dialect in DIALECTS.items() if venue.facts.key == key or venue.facts.key.startswith(f"{key}_"))


def exchange() -> RehearsalExchange:
    """Return all venues without faults."""
    return RehearsalExchange(list(DIALECTS.values()))


def asked(venue: Venue, ask: Ask, now_ns: int = NOW_NS) -> list[Record]:
    """Return what an adapter reads out of a venue's answer, with all further pages; nothing in it may be corrupt."""
    desk = exchange()
    found: list[Record] = []
    following: Ask | None = ask
    while following is not None:
        request = following.request
        url = venue.facts.hosts[request.host] + request.path
        answer = desk.request(asked_of(request.method, url, request.params, request.headers, request.body), now_ns).answer
        assert answer is not None
        judged = venue.judge(answer.status, answer.headers, answer.body)
        assert judged.answer is Answer.FINE, f"{following.name}: {answer.status} {answer.body[:300]!r}"
        for row in following.parse(answer.body, now_ns):
            assert not isinstance(row, CorruptRecord), f"{following.name}: {row}"
            found.append(row)
        following = following.more(answer.body) if following.more is not None else None
    return found


@cache
def specs_of(key: str) -> dict[str, InstrumentSpec]:
    """Return what an adapter would record, by symbol."""
    venue = VENUES[key]
    rows = [row for ask in venue.ask_instruments() for row in asked(venue, ask)]
    found = [row for row in rows if isinstance(row, InstrumentSpec)]
    return {spec.id.symbol: spec for spec in found if spec.perpetual and spec.trading}


def pairs(key: str, most: int = 3) -> list[tuple[InstrumentSpec, Listing]]:
    """Return some contracts of an adapter, as it knows them and as the venue lists them, inverse ones first."""
    contracts = dialect_of(VENUES[key]).contracts
    found = [(spec, contracts[symbol]) for symbol, spec in specs_of(key).items() if symbol in contracts]
    found.sort(key=lambda pair: (pair[1].kind.value != "inverse", pair[1].base))
    return found[:most]


@dataclass
class Talk:
    """What came over one socket.

    Parameters
    ----------
    records
        In the order of arrival.
    refused
        The venue's words.
    replies
        What the session sent back to frames.
    """

    records: list[Record] = field(default_factory=list[Record])
    refused: list[str] = field(default_factory=list[str])
    replies: int = 0
    data_frames: int = 0


def talk(venue: Venue, stream: Stream, start_ns: int, lasts_s: int, *, step_s: float = 0.5, answering: bool = True) -> Talk:
    """Lead one session for a while, as a feed would: opening, heartbeats, replies.

    Parameters
    ----------
    answering
        False: keep the session's replies and heartbeats back.

    Raises
    ------
    Lost
        If the venue hangs up.
    """
    desk, session, said = exchange(), stream.session(), Talk()
    address = asked_of("GET", venue.facts.hosts[stream.host] + stream.path, {}, {}, None)
    link, first = desk.open(address, start_ns)
    waiting = [(start_ns, frame) for frame in first]
    now_ns = start_ns
    for message in session.opening():
        now_ns += round(stream.pause_s * NS_PER_S)
        waiting += [(now_ns + REPLY_NS, reply) for reply in desk.hear(link, message, now_ns)]
    beat_ns = round((stream.heartbeat_s or 1e6) * NS_PER_S)  # None: the venue pings
    next_beat = start_ns + beat_ns
    end_ns = start_ns + lasts_s * NS_PER_S
    while now_ns < end_ns:
        now_ns += round(step_s * NS_PER_S)
        waiting += desk.poll(link, now_ns)
        waiting.sort(key=lambda pair: pair[0])
        due, waiting = [pair for pair in waiting if pair[0] <= now_ns], [pair for pair in waiting if pair[0] > now_ns]
        for at, frame in due:
            received = session.receive(frame, at)
            for row in received.records:
                assert not isinstance(row, CorruptRecord), f"{stream.name}: {row}"
                said.records.append(row)
            if received.refused is not None:
                said.refused.append(received.refused)
            said.data_frames += received.data
            if received.reply is not None:
                said.replies += 1
                if answering:
                    waiting += [(now_ns + REPLY_NS, reply) for reply in desk.hear(link, received.reply, now_ns)]
        if now_ns >= next_beat and answering:
            next_beat += beat_ns
            beat = session.heartbeat()
            if beat is not None:
                waiting += [(now_ns + REPLY_NS, reply) for reply in desk.hear(link, beat, now_ns)]
    return said
