"""Which instruments are recorded: by base, by name, or the largest by open interest; and what is remembered of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, LiqscapeError, NoData
from liqscape.model import DOLLARS, InstrumentId, InstrumentSpec, Ticker
from liqscape.venues.base import Venue
from liqscape.venues.client import Client
from liqscape.venues.longtail_client import TailClient

WAIT_FOR_ALL_S = 120.0  # for venues that do not answer, before the largest bases are chosen without them
SPECS = "specs"  # namespaces of the small state, one per adapter: what it said of its instruments


@dataclass(frozen=True)
class Wanted:
    """What to record.

    Parameters
    ----------
    names
        Bases such as `BTC` (all perpetuals of it) and instruments such as `bybit:BTCUSDT`.
    top
        Or the bases with the largest open interest in USD over all chosen venues; not together with names.

    Raises
    ------
    BadArgument
        If neither or both are given, or a name is none.
    """

    names: tuple[str, ...] = ()
    top: int | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if (self.top is None) == (not self.names) or (self.top is not None and self.top < 1):
            raise BadArgument(
                f"record: expected names or a number of the largest, received {list(self.names)} and {self.top}",
                hint="Write `liqscape record BTC ETH` or `liqscape record --top 50`.",
            )
        for name in self.names:
            if ":" in name:
                InstrumentId.parse(name)

    def of(self, specs: Iterable[InstrumentSpec], bases: frozenset[str] | None = None) -> dict[str, InstrumentSpec]:
        """Return the perpetuals that trade and are wanted, by symbol; `bases` are what `top` came to.

        A base means its contracts in dollars: a price in euros belongs on no grid of dollars. Others must be named in full.
        """
        wanted = bases if bases is not None else frozenset(n.strip().upper() for n in self.names if ":" not in n)
        named = {InstrumentId.parse(name) for name in self.names if ":" in name}
        return {
            spec.id.symbol: spec
            for spec in sorted(specs, key=lambda spec: spec.id)
            if spec.perpetual and spec.trading and ((spec.base in wanted and spec.quote in DOLLARS) or spec.id in named)
        }


def largest(top: int, specs: Mapping[InstrumentId, InstrumentSpec], tickers: Iterable[Ticker]) -> frozenset[str]:
    """Return the bases with the largest one-sided open interest in USD, summed over venues."""
    latest: dict[InstrumentId, tuple[float | None, float | None]] = {}
    for ticker in tickers:
        open_interest, price = latest.get(ticker.instrument, (None, None))
        latest[ticker.instrument] = (
            ticker.open_interest_base if ticker.open_interest_base is not None else open_interest,
            ticker.mark_price if ticker.mark_price is not None else (price or ticker.index_price),
        )
    usd: dict[str, float] = {}
    for instrument, (open_interest, price) in latest.items():
        spec = specs.get(instrument)
        if spec is None or not (spec.perpetual and spec.trading and spec.quote in DOLLARS):
            continue
        if open_interest is not None and price is not None:
            usd[spec.base] = usd.get(spec.base, 0.0) + open_interest * price
    return frozenset(sorted(usd, key=lambda base: (-usd[base], base))[:top])


class Selection:
    """Decides which instruments each venue records; for `top` all venues are heard first.

    Parameters
    ----------
    venues
        How many adapters take part.
    """

    def __init__(self, workspace: Workspace, wanted: Wanted, venues: int) -> None:
        self._workspace, self._wanted, self._venues = workspace, wanted, venues
        self._specs: dict[InstrumentId, InstrumentSpec] = {}
        self._tickers: list[Ticker] = []
        self._answered: set[str] = set()
        self._empty: set[str] = set()
        self._bases: frozenset[str] | None = None
        self._all, self._nothing = asyncio.Event(), asyncio.Event()

    async def of(self, client: Client) -> dict[str, InstrumentSpec]:
        """Return the instruments of a venue that are to be recorded, by symbol; what a venue says is remembered.

        A venue that does not answer is taken by what it said last.

        Raises
        ------
        VenueError
            If it does not answer and never did.
        """
        key = client.venue.facts.key
        specs = await self._listed(client)
        if self._wanted.top is not None:
            await self._weigh(client, specs)
        chosen = self._wanted.of(specs, self._bases)
        self._empty.discard(key)
        await asyncio.to_thread(self._workspace.remember, chosen.values())
        if not chosen:
            self._empty.add(key)
        if len(self._empty) == self._venues:
            self._nothing.set()
        return chosen

    async def nothing(self) -> None:
        """Wait until it is clear that no venue has anything that is wanted, and say so.

        Raises
        ------
        NoData
            Then.
        """
        await self._nothing.wait()
        raise NoData(
            f"record: no venue has a perpetual of {', '.join(self._wanted.names) or 'any kind'}",
            hint="`liqscape venues` lists what there is; names are bases such as BTC or instruments such as bybit:BTCUSDT.",
        )

    async def _listed(self, client: Client) -> list[InstrumentSpec]:
        key = client.venue.facts.key
        try:
            specs = await ask_specs(client)
        except LiqscapeError:
            specs = await asyncio.to_thread(remembered, self._workspace, client.venue)
            if not specs:
                raise
            return specs
        await asyncio.to_thread(remember, self._workspace, key, specs)
        return specs

    async def _weigh(self, client: Client, specs: Sequence[InstrumentSpec]) -> None:
        """Wait for every venue's open interest, but not for ever for one that does not answer."""
        key, top = client.venue.facts.key, self._wanted.top
        live = {spec.id.symbol: spec for spec in specs if spec.perpetual and spec.trading}
        if key not in self._answered:
            self._specs |= {spec.id: spec for spec in live.values()}
            with suppress(LiqscapeError):
                self._tickers += await ask_tickers(client, live)
            self._answered.add(key)
        if len(self._answered) == self._venues:
            self._all.set()
        if self._bases is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all.wait(), WAIT_FOR_ALL_S)
        if self._bases is None and top is not None:
            self._bases = largest(top, self._specs, self._tickers)


async def ask_specs(client: Client) -> list[InstrumentSpec]:
    """Ask a venue for its instruments."""
    found: dict[InstrumentId, InstrumentSpec] = {}
    for ask in client.venue.ask_instruments():
        found |= {record.id: record for record in await client.run(ask) if isinstance(record, InstrumentSpec)}
    return [found[name] for name in sorted(found)]


async def ask_tickers(client: Client, specs: Mapping[str, InstrumentSpec]) -> list[Ticker]:
    """Ask a venue for what is true of instruments now, to find the largest; long-tail venues are not asked.

    Some venues answer for one instrument at a time: these are asked at once, and what is refused for one costs no other.

    Raises
    ------
    LiqscapeError
        The first refusal, if nothing was answered.
    """
    if isinstance(client, TailClient):
        return []  # a request or two for each of hundreds of contracts: the other venues decide which bases are the largest
    asks = client.venue.ask_tickers(specs)
    answers = await asyncio.gather(*(client.run(ask) for ask in asks), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    for error in refused:
        if len(refused) == len(answers) or not isinstance(error, LiqscapeError):
            raise error
    heard = [answer for answer in answers if not isinstance(answer, BaseException)]
    return [record for records in heard for record in records if isinstance(record, Ticker)]


def remember(workspace: Workspace, key: str, specs: Sequence[InstrumentSpec]) -> None:
    """Keep an adapter's instruments in the small state, so that names, bases and kinds are known offline."""
    workspace.state.set_many(f"{SPECS} {key}", {str(spec.id): msgspec.to_builtins(spec) for spec in specs})


def remembered(workspace: Workspace, venue: Venue) -> list[InstrumentSpec]:
    """Return what was last kept of an adapter's instruments, empty if nothing was."""
    values = workspace.state.items(f"{SPECS} {venue.facts.key}").values()
    return [msgspec.convert(value, InstrumentSpec) for value in values]
