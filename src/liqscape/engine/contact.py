"""Calling venues once: every endpoint and every stream, and whether what comes back is what the parsers expect.

No venue can be reached from where this program is built. On a connected machine this says within a minute what changed since
the formats were written down, and which part of a map that concerns.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from msgspec import Struct

import liqscape.clock as clock
from liqscape.errors import CorruptRecord, RateLimited, Unreachable, VenueError
from liqscape.model import Bar, InstrumentSpec, Kind, OpenInterest, PriceKind, Record, Ticker
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Ask, Stream, Venue
from liqscape.venues.client import Client
from liqscape.venues.longtail_client import Tail, open_client
from liqscape.venues.transport import Connection, Transport

VENUE_S = 45.0  # a venue that has not told everything by then is left
STREAM_S = 12.0  # a busy topic is never quiet for so long
_CONNECT_S = 8.0
_PROBES = ("BTC", "ETH")
_EDGES = 50 * NS_PER_MINUTE  # of bars that are asked for


class Verdict(StrEnum):
    """How one call went."""

    FINE = "fine"
    EMPTY = "empty"  # understood, but nothing in it
    CHANGED = "changed"  # not what the parser expects
    SILENT = "silent"  # connected, and no market data came
    REFUSED = "refused"  # the venue does not want to answer
    UNREACHABLE = "unreachable"


class Call(Struct, frozen=True, kw_only=True):
    """One endpoint or stream.

    Parameters
    ----------
    name
        Such as `klines BTCUSDT` or `stream public-0`.
    records
        What was read out of it.
    field, words
        What changed: the path in the payload; and what was seen.
    """

    name: str
    kinds: tuple[Kind, ...]
    verdict: Verdict
    records: int = 0
    field: str | None = None
    words: str | None = None


class Contact(Struct, frozen=True, kw_only=True):
    """One adapter after it was called.

    Parameters
    ----------
    unreachable
        Why, if it could not be reached at all; then there are no calls.
    lacks
        What a map needs and no answer told, in words.
    skew_ns
        Our clock minus the venue's, ns; None if unknown.
    """

    key: str
    took_s: float
    calls: tuple[Call, ...]
    unreachable: str | None = None
    lacks: tuple[str, ...] = ()
    skew_ns: int | None = None

    @property
    def changed(self) -> tuple[Call, ...]:
        """Calls whose answer was not as expected."""
        return tuple(call for call in self.calls if call.verdict not in (Verdict.FINE, Verdict.EMPTY))


# What is lost when a kind cannot be read.
AFFECTS: Mapping[Kind, str] = {
    Kind.INSTRUMENTS: "nothing of this venue can be recorded",
    Kind.BARS: "no volume and, without mark bars, no map of this venue",
    Kind.MARK_BARS: "maps of it are swept with last prices, not with the mark",
    Kind.TICKERS: "mark, index, funding and open interest of now are missing: its map grows stale",
    Kind.OPEN_INTEREST: "no past open interest: its map begins with what is recorded",
    Kind.FUNDING: "no funding beside the map",
    Kind.RATIOS: "no account ratios",
    Kind.DEPTH: "no book: cascades use an impact law",
    Kind.TIERS: "margin tables of the shipped kind are used",
    Kind.LIQUIDATIONS: "no liquidations of it: its weights are the shipped ones",
    Kind.TRADES: "no trades: where liquidations or accounts ride on them, they are missing",
    Kind.POSITIONS: "no measured positions",
}


@dataclass
class _Told:
    """What the answers of one venue told, put together."""

    counts: Counter[str] = field(default_factory=Counter[str])

    def take(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, Bar):
                self.counts["mark price" if record.price_kind is PriceKind.MARK else "last price"] += 1
            elif isinstance(record, OpenInterest):
                self.counts["open interest"] += 1
            elif isinstance(record, Ticker):
                self.counts["mark price"] += record.mark_price is not None
                self.counts["open interest"] += record.open_interest_base is not None

    def lacks(self) -> tuple[str, ...]:
        return tuple(what for what in ("last price", "mark price", "open interest") if not self.counts[what])


async def contact(
    venues: Sequence[Venue],
    transport: Transport,
    *,
    urls: Mapping[str, str] | None = None,
    now_ns: Callable[[], int] = clock.now_ns,
    chance: random.Random | None = None,
) -> AsyncGenerator[Contact]:
    """Call venues, all at once, and yield each as it is done; none takes longer than `VENUE_S`."""
    tasks = [asyncio.ensure_future(_venue(venue, transport, urls or {}, now_ns, chance or random.Random())) for venue in venues]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _venue(
    venue: Venue, transport: Transport, urls: Mapping[str, str], now_ns: Callable[[], int], chance: random.Random
) -> Contact:
    loop = asyncio.get_running_loop()
    began = loop.time()
    wrong: dict[str, CorruptRecord] = {}

    def on_corrupt(key: str, name: str, body: bytes, error: CorruptRecord) -> None:
        del key, body
        wrong.setdefault(name, error)

    client = open_client(venue, transport, urls=urls, now_ns=now_ns, chance=chance, on_corrupt=on_corrupt)
    calls: list[Call] = []
    told = _Told()
    try:
        async with asyncio.timeout(VENUE_S):
            specs = await _instruments(client, calls, wrong)
            probes = {spec.id.symbol: spec for spec in _probes(specs)}
            if probes:
                jobs = [_ask(client, ask, calls, wrong, told) for ask in _asks(venue, probes, now_ns())]
                streams = venue.streams(probes)
                jobs += [_stream(client, stream, transport, urls, now_ns, calls, told) for stream in streams]
                await asyncio.gather(*jobs)
    except Unreachable as error:
        return Contact(key=venue.facts.key, took_s=loop.time() - began, calls=(), unreachable=error.message)
    except TimeoutError:
        words = f"not everything was answered within {VENUE_S:g} s"
        if not calls:
            return Contact(key=venue.facts.key, took_s=loop.time() - began, calls=(), unreachable=f"nothing, {words}")
        calls.append(Call(name="the rest", kinds=(), verdict=Verdict.SILENT, words=words))
    finally:
        await client.close()
    # Without instruments nothing else was asked: only that is said.
    lacks = told.lacks() if len(calls) > 1 else ()
    if isinstance(venue, Tail):
        lacks = tuple(what for what in lacks if what != "mark price")  # last prices stand for it
    return Contact(key=venue.facts.key, took_s=loop.time() - began, calls=tuple(calls), lacks=lacks, skew_ns=client.skew_ns)


async def _instruments(client: Client, calls: list[Call], wrong: dict[str, CorruptRecord]) -> list[InstrumentSpec]:
    name, kinds = "instruments", (Kind.INSTRUMENTS,)
    specs: list[InstrumentSpec] = []
    try:
        for ask in client.venue.ask_instruments():
            found = await client.run(ask, tries=2, patience_s=2.0)
            specs += [record for record in found if isinstance(record, InstrumentSpec)]
    except Unreachable:
        raise
    except CorruptRecord as error:
        calls.append(_changed(name, kinds, error))
        return []
    except VenueError as error:
        calls.append(Call(name=name, kinds=kinds, verdict=Verdict.REFUSED, words=error.message))
        return []
    if wrong:
        calls.append(_changed(name, kinds, next(iter(wrong.values())), len(specs)))
    else:
        calls.append(Call(name=name, kinds=kinds, verdict=Verdict.FINE if specs else Verdict.EMPTY, records=len(specs)))
    return specs


def _probes(specs: Sequence[InstrumentSpec]) -> list[InstrumentSpec]:
    """Return the perpetuals of the busiest coins, at most two: what changed is seen in them."""
    good = [spec for spec in specs if spec.perpetual and spec.trading]
    found = [next((spec for spec in good if spec.base == base), None) for base in _PROBES]
    return [spec for spec in found if spec is not None] or good[:1]


def _asks(venue: Venue, probes: Mapping[str, InstrumentSpec], now_ns: int) -> list[Ask]:
    """Return one ask of every kind that the venue has, for the first instrument."""
    spec = next(iter(probes.values()))
    minute = (now_ns - round(venue.facts.settle_s * NS_PER_S)) // NS_PER_MINUTE * NS_PER_MINUTE
    single: list[tuple[Kind, Ask | None]] = [
        (Kind.BARS, venue.ask_bars(spec, PriceKind.LAST, minute - _EDGES, minute)),
        (Kind.OPEN_INTEREST, venue.ask_open_interest(spec, now_ns - 3 * NS_PER_HOUR, now_ns)),
        (Kind.FUNDING, venue.ask_funding(spec, now_ns - 2 * NS_PER_DAY, now_ns)),
        (Kind.DEPTH, venue.ask_book(spec)),
        (Kind.LIQUIDATIONS, venue.ask_liquidations(spec, now_ns - NS_PER_HOUR, now_ns)),
    ]
    if Kind.MARK_BARS in venue.facts.asks:
        single.append((Kind.MARK_BARS, venue.ask_bars(spec, PriceKind.MARK, minute - _EDGES, minute)))
    asks = [ask for kind, ask in single if ask is not None and kind in venue.facts.asks]
    several = (
        (Kind.TICKERS, venue.ask_tickers(probes)),
        (Kind.RATIOS, venue.ask_ratios(spec, now_ns - 3 * NS_PER_HOUR, now_ns)),
        (Kind.TIERS, venue.ask_tiers({spec.id.symbol: spec})),
    )
    return asks + [ask for kind, found in several if kind in venue.facts.asks for ask in found]


async def _ask(client: Client, ask: Ask, calls: list[Call], wrong: dict[str, CorruptRecord], told: _Told) -> None:
    kinds = (ask.kind,)
    # One page shows the shape.
    one = replace(ask, more=None)
    try:
        records = await client.run(one, tries=2, patience_s=2.0)
    except CorruptRecord as error:
        calls.append(_changed(ask.name, kinds, error))
        return
    except Unreachable as error:
        calls.append(Call(name=ask.name, kinds=kinds, verdict=Verdict.UNREACHABLE, words=error.message))
        return
    except (RateLimited, VenueError) as error:
        calls.append(Call(name=ask.name, kinds=kinds, verdict=Verdict.REFUSED, words=error.message))
        return
    told.take(records)
    if ask.name in wrong:
        calls.append(_changed(ask.name, kinds, wrong[ask.name], len(records)))
    else:
        verdict = Verdict.FINE if records else Verdict.EMPTY
        calls.append(Call(name=ask.name, kinds=kinds, verdict=verdict, records=len(records)))


async def _stream(
    client: Client,
    stream: Stream,
    transport: Transport,
    urls: Mapping[str, str],
    now_ns: Callable[[], int],
    calls: list[Call],
    told: _Told,
) -> None:
    """Open a stream, listen until market data came, and judge it."""
    facts = client.venue.facts
    name = f"stream {stream.name}"
    url = urls.get(f"{facts.key}.{stream.host}", facts.hosts[stream.host]) + stream.path
    try:
        socket = await transport.connect(url, timeout_s=_CONNECT_S)
    except Unreachable as error:
        calls.append(Call(name=name, kinds=stream.kinds, verdict=Verdict.UNREACHABLE, words=error.message))
        return
    try:
        calls.append(await _listen(socket, stream, name, now_ns, told))
    finally:
        await socket.close()


async def _listen(socket: Connection, stream: Stream, name: str, now_ns: Callable[[], int], told: _Told) -> Call:
    session = stream.session()
    frames = records = data = 0

    def judged(verdict: Verdict, words: str | None = None) -> Call:
        return Call(name=name, kinds=stream.kinds, verdict=verdict, records=records, words=words)

    try:
        async with asyncio.timeout(STREAM_S):
            for message in session.opening():
                await socket.send(message)
                await asyncio.sleep(stream.pause_s)
            while data < 3 or not told.counts["mark price"]:
                frame = await socket.receive()
                frames += 1
                received = session.receive(frame, now_ns())
                if received.reply is not None:
                    await socket.send(received.reply)
                if received.refused is not None:
                    return judged(Verdict.REFUSED, received.refused)
                bad = [row for row in received.records if isinstance(row, CorruptRecord)]
                if bad:
                    return _changed(name, stream.kinds, bad[0], records)
                good = [row for row in received.records if not isinstance(row, CorruptRecord)]
                told.take(good)
                records += len(good)
                data += received.data
    except TimeoutError:
        pass
    except CorruptRecord as error:
        return _changed(name, stream.kinds, error, records)
    except Unreachable as error:
        return judged(Verdict.UNREACHABLE, error.message)
    if data:
        return judged(Verdict.FINE)
    if stream.data_silence_s is None:
        return judged(Verdict.EMPTY, f"connected, {frames} frames, no print within {STREAM_S:g} s: quiet is normal here")
    return judged(
        Verdict.SILENT, f"connected, {frames} frames, but no market data within {STREAM_S:g} s: path or topics changed?"
    )


def _changed(name: str, kinds: tuple[Kind, ...], error: CorruptRecord, records: int = 0) -> Call:
    found = error.context.get("field")
    return Call(
        name=name,
        kinds=kinds,
        verdict=Verdict.CHANGED,
        records=records,
        field=None if found is None else str(found),
        words=error.message,
    )
