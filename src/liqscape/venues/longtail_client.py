"""Long-tail venues where adapters stand: what is asked of one is an `Ask` like any other, and its client lets ccxt send it.

Recorder, backfill and `doctor --live` meet `Venue` and `Client` alone, so that they know nothing of ccxt.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import liqscape.clock as clock
from liqscape.errors import BadArgument, CorruptRecord, RateLimited, Unreachable, VenueError
from liqscape.model import InstrumentSpec, Kind, OpenInterest, PriceKind, Record, Ticker
from liqscape.venues.base import Ask, Request, Specs, Stream, Venue
from liqscape.venues.client import Client
from liqscape.venues.longtail import LongTail, load
from liqscape.venues.transport import Transport
from liqscape.venues.wire import Parsed

PREFIX = "ccxt"
# ccxt's names of what has an adapter here: twice recorded, it would stand twice in a joined map.
OWN: Mapping[str, str] = {
    **dict.fromkeys(("binance", "binanceusdm", "binancecoinm"), "binance"),
    **dict.fromkeys(("okx", "myokx", "okxus"), "okx"),
    **dict.fromkeys(("bybit", "bybiteu"), "bybit"),
    **dict.fromkeys(("gate", "gateio", "gateeu"), "gate"),
    **dict.fromkeys(("htx", "huobi"), "htx"),
    **dict.fromkeys(("kucoin", "kucoinfutures"), "kucoin"),
    **dict.fromkeys(("kraken", "krakenfutures"), "kraken"),
    **{name: name for name in ("bitget", "bitmex", "deribit", "hyperliquid", "mexc")},
}
Corrupt = Callable[[str, str, bytes, CorruptRecord], None]
Fetch = Callable[[LongTail], Awaitable[list[Record]]]


_NO_REQUEST = Request("ccxt", "/")


def _no_body(_body: bytes, _recv_ns: int) -> Parsed:
    raise VenueError("ccxt reads its answers itself: there is no body to parse", hint="Run the ask with `TailClient`.")


@dataclass(frozen=True, kw_only=True)
class TailAsk(Ask):
    """What is asked through ccxt, which builds the request and reads the answer."""

    fetch: Fetch
    request: Request = _NO_REQUEST
    parse: Callable[[bytes, int], Parsed] = _no_body


class Tail(Venue):
    """A venue of ccxt: last bars, open interest and funding of linear perpetuals; no liquidations, no stream.

    Parameters
    ----------
    exchange_id
        ccxt's name, such as `phemex`; the venue's name in instruments.
    make
        Makes the ccxt exchange of a client from its name.

    Raises
    ------
    NoData
        If ccxt is not installed.
    BadArgument
        If ccxt knows no such exchange, or it has no perpetuals.
    """

    def __init__(self, exchange_id: str, make: Callable[[str], Any] = load) -> None:
        self.exchange_id, self.make = exchange_id.lower(), make
        exchange = make(self.exchange_id)
        if exchange.has.get("swap") is False:
            raise BadArgument(f"venue: ccxt's {self.exchange_id} has no perpetuals", hint="A map needs contracts with leverage.")
        self.facts = LongTail(self.exchange_id, exchange=exchange).facts

    def ask_instruments(self) -> list[Ask]:
        """Ask for every linear perpetual -> InstrumentSpec."""
        return [TailAsk(name="instruments", kind=Kind.INSTRUMENTS, fetch=lambda tail: tail.instruments())]

    def ask_bars(self, spec: InstrumentSpec, price_kind: PriceKind, start_ns: int, end_ns: int) -> Ask | None:
        """Ask for closed 1-minute bars of the last price -> Bar."""
        if price_kind is not PriceKind.LAST or Kind.BARS not in self.facts.asks:
            return None
        name = f"bars {spec.id.symbol}"
        return TailAsk(name=name, kind=Kind.BARS, fetch=lambda tail: tail.bars(spec, start_ns, end_ns))

    def ask_tickers(self, specs: Specs) -> list[Ask]:
        """Ask for open interest now, one instrument at a time -> Ticker."""
        if Kind.TICKERS not in self.facts.asks:
            return []
        return [
            TailAsk(name=f"open interest {spec.id.symbol}", kind=Kind.TICKERS, fetch=_interest(spec)) for spec in specs.values()
        ]

    def ask_funding(self, spec: InstrumentSpec, start_ns: int, end_ns: int) -> Ask | None:
        """Ask for funding paid in [start_ns, end_ns) -> FundingRate."""
        if Kind.FUNDING not in self.facts.asks:
            return None
        name = f"funding {spec.id.symbol}"
        return TailAsk(name=name, kind=Kind.FUNDING, fetch=lambda tail: tail.funding(spec, start_ns, end_ns))

    def streams(self, specs: Specs) -> list[Stream]:
        """Return no socket."""
        del specs
        return []


def _interest(spec: InstrumentSpec) -> Fetch:
    async def fetch(tail: LongTail) -> list[Record]:
        return [
            Ticker(
                instrument=one.instrument, ts_venue=one.ts_venue, ts_recv=one.ts_recv, open_interest_base=one.open_interest_base
            )
            for one in await tail.open_interest(spec)
            if isinstance(one, OpenInterest)
        ]

    return fetch


class TailClient(Client):
    """Executes the asks of a long-tail venue: ccxt spaces and sends them; back-off, bans and health are as for any other."""

    def __init__(
        self,
        venue: Tail,
        transport: Transport,
        *,
        urls: Mapping[str, str] | None = None,
        now_ns: Callable[[], int] = clock.now_ns,
        chance: random.Random | None = None,
        on_corrupt: Corrupt | None = None,
    ) -> None:
        super().__init__(venue, transport, urls=urls, now_ns=now_ns, chance=chance, on_corrupt=on_corrupt)
        exchange = venue.make(venue.exchange_id)
        self.tail = LongTail(venue.exchange_id, exchange=exchange, urls=urls, now_ns=now_ns, on_corrupt=self._tell_row)

    async def run(self, ask: Ask, *, tries: int = 6, patience_s: float = 180.0) -> list[Record]:
        """Ask and return the records; errors and patience are those of `Client.run`."""
        if not isinstance(ask, TailAsk):
            raise VenueError(f"{self.venue.facts.key} {ask.name}: not an ask of ccxt")
        error: VenueError | CorruptRecord = VenueError(f"{self.venue.facts.key} {ask.name}: not asked")
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(self._back_off_s(attempt - 1))
            async with self._at_once:
                await self._wait_while_shut(f"{self.venue.facts.key} {ask.name}", patience_s)
                try:
                    if ask.kind is not Kind.INSTRUMENTS and not self.tail.listed:
                        await self.tail.instruments()  # the instruments were remembered from another day
                    found = await ask.fetch(self.tail)
                except RateLimited as limited:
                    self._shut_until = asyncio.get_running_loop().time() + self.venue.facts.ban_s
                    error = self._remember(limited)
                except Unreachable as lost:
                    error = self._remember(lost)
                except CorruptRecord as nonsense:
                    error = self._remember(nonsense)
                except VenueError as refused:
                    raise self._remember(refused) from None
                else:
                    self.heard_ns = self._now_ns()
                    return found
        raise error

    def budget_left(self) -> dict[str, float]:
        """Return nothing: what ccxt leaves of a venue's limits is not known."""
        return {}

    async def close(self) -> None:
        """Close ccxt's connections."""
        await self.tail.close()

    def _tell_row(self, key: str, name: str, error: CorruptRecord) -> None:
        self._remember(error)
        if self._on_corrupt is not None:
            self._on_corrupt(key, name, error.message.encode(), error)


def open_client(
    venue: Venue,
    transport: Transport,
    *,
    urls: Mapping[str, str] | None = None,
    now_ns: Callable[[], int] = clock.now_ns,
    chance: random.Random | None = None,
    on_corrupt: Corrupt | None = None,
) -> Client:
    """Return the client of any venue; the parameters are those of `Client`."""
    if isinstance(venue, Tail):
        return TailClient(venue, transport, urls=urls, now_ns=now_ns, chance=chance, on_corrupt=on_corrupt)
    return Client(venue, transport, urls=urls, now_ns=now_ns, chance=chance, on_corrupt=on_corrupt)


def tail_of(name: str) -> Tail | None:
    """Return the venue that `ccxt:phemex`, or its key `ccxt_phemex`, means; None if a name is no such name.

    Raises
    ------
    BadArgument
        If that venue has an adapter, or ccxt does not know it.
    NoData
        If ccxt is not installed.
    """
    head, exchange_id = name[: len(PREFIX)], name[len(PREFIX) + 1 :]
    if head != PREFIX or name[len(PREFIX) : len(PREFIX) + 1] not in (":", "_"):
        return None
    if exchange_id in OWN:
        raise BadArgument(f"venue: {exchange_id} has an adapter of its own", hint=f"Write {OWN[exchange_id]} in place of {name}.")
    return Tail(exchange_id)
