"""The adapters against venues that somebody else rehearses: what arrives is what the market did, in the house's units."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TypeVar

import pytest

from liqscape.errors import CorruptRecord
from liqscape.model import (
    AccountRatio,
    Bar,
    Book,
    FundingRate,
    InstrumentSpec,
    Kind,
    Liquidation,
    OpenInterest,
    PriceKind,
    Record,
    RiskLadder,
    Ticker,
)
from liqscape.testing.exchange import MemoryTransport, RehearsalExchange, World
from liqscape.testing.exchange.dialects.binance import BinanceCoinm, BinanceUsdm
from liqscape.testing.exchange.dialects.kucoin import Kucoin
from liqscape.testing.exchange.dialects.mexc import Mexc
from liqscape.testing.exchange.listing import Listing
from liqscape.testing.virtual import VirtualLoop, run_virtual
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Ask
from liqscape.venues.client import Client
from liqscape.venues.feed import Feed
from liqscape.venues.registry import VENUES

KEYS = ("binance_usdm", "binance_coinm", "mexc", "kucoin")
venues = pytest.mark.parametrize("key", KEYS)
R = TypeVar("R", bound=Record)


class Rehearsal:
    """One venue, a client and what the client was told."""

    def __init__(self, key: str, loop: VirtualLoop) -> None:
        self.world = World(seed=3, coins=("BTC", "ETH"), forced_per_percent=400.0)
        dialects = [dialect(self.world) for dialect in (BinanceUsdm, BinanceCoinm, Mexc, Kucoin)]
        self.dialect = next(one for one in dialects if one.key == key)
        self.transport = MemoryTransport(RehearsalExchange(dialects), loop)
        self.venue = VENUES[key]
        self.corrupt: list[CorruptRecord] = []
        self.client = Client(
            self.venue, self.transport, now_ns=loop.now_ns, on_corrupt=lambda _key, _ask, _body, error: self.corrupt.append(error)
        )
        self.now_ns = loop.now_ns

    async def run(self, asks: list[Ask] | Ask | None) -> list[Record]:
        """Run asks one after the other."""
        many = asks if isinstance(asks, list) else [] if asks is None else [asks]
        return [record for ask in many for record in await self.client.run(ask)]

    async def specs(self) -> dict[str, InstrumentSpec]:
        """Ask for the contracts."""
        found = await self.run(self.venue.ask_instruments())
        return {spec.id.symbol: spec for spec in found if isinstance(spec, InstrumentSpec)}

    def contract(self, symbol: str) -> Listing:
        """Return the rehearsed contract."""
        return self.dialect.contracts[symbol]


def of(kind: type[R], records: list[Record]) -> list[R]:
    """Return the records of a kind."""
    return [record for record in records if isinstance(record, kind)]


@venues
def test_contracts_are_what_they_are(key: str):
    async def main(loop: VirtualLoop) -> None:
        rehearsal = Rehearsal(key, loop)
        specs = await rehearsal.specs()
        assert set(specs) == set(rehearsal.dialect.contracts)
        for symbol, spec in specs.items():
            contract = rehearsal.contract(symbol)
            assert (spec.base, spec.quote, spec.kind) == (contract.base, contract.quote, contract.kind)
            assert (spec.perpetual, spec.trading) == (True, True)
            # One unit of the venue's quantity at the price of 50,000, in coins.
            assert spec.contract_size / (50_000.0 if spec.quote == "USD" else 1.0) == pytest.approx(
                contract.base_of(1.0, 50_000.0)
            )
            assert spec.tick_size == pytest.approx(contract.tick)

    run_virtual(main)


@venues
def test_tickers_tell_the_market_in_coins_and_dollars(key: str):
    async def main(loop: VirtualLoop) -> None:
        rehearsal = Rehearsal(key, loop)
        specs = await rehearsal.specs()
        tickers = of(Ticker, await rehearsal.run(rehearsal.venue.ask_tickers(specs)))
        assert rehearsal.corrupt == []
        for symbol, spec in specs.items():
            mine = [ticker for ticker in tickers if ticker.instrument == spec.id]
            truth = rehearsal.world.ticker(rehearsal.contract(symbol), rehearsal.now_ns())
            held = [one.open_interest_base for one in mine if one.open_interest_base is not None]
            contract = rehearsal.contract(symbol)
            assert held == [pytest.approx(contract.base_of(truth.open_interest, truth.mark), rel=2e-3)]
            assert [one.mark_price for one in mine if one.mark_price] == [pytest.approx(truth.mark, rel=2e-3)]
            dollars = [one.volume_24h_usd for one in mine if one.volume_24h_usd is not None]
            if not (key == "kucoin" and spec.quote == "USD"):
                assert dollars == [pytest.approx(truth.turnover, rel=0.01)]

    run_virtual(main)


@venues
def test_bars_are_the_minutes_of_the_market_whatever_page_they_came_on(key: str):
    async def main(loop: VirtualLoop) -> None:
        rehearsal = Rehearsal(key, loop)
        specs = await rehearsal.specs()
        end = rehearsal.now_ns() // NS_PER_MINUTE * NS_PER_MINUTE + NS_PER_MINUTE
        start = end - 6 * NS_PER_MINUTE
        for symbol, spec in specs.items():
            contract = rehearsal.contract(symbol)
            for kind, truth in ((PriceKind.LAST, rehearsal.world.minute), (PriceKind.MARK, rehearsal.world.mark_minute)):
                ask = rehearsal.venue.ask_bars(spec, kind, start, end)
                assert (ask is None) == (kind is PriceKind.MARK and Kind.MARK_BARS not in rehearsal.venue.facts.asks)
                if ask is None:
                    continue
                bars = of(Bar, await rehearsal.run(ask))
                # The last minute has not ended, and is left out.
                assert [bar.ts_venue for bar in bars] == list(range(start, end - NS_PER_MINUTE, NS_PER_MINUTE))
                for bar in bars:
                    candle = truth(contract, bar.ts_venue)
                    assert (bar.open, bar.high, bar.low, bar.close) == (candle.open, candle.high, candle.low, candle.close)
                    if kind is PriceKind.LAST:
                        assert bar.volume_base == pytest.approx(candle.base, rel=0.01)
                    if key.startswith("binance") and kind is PriceKind.LAST:
                        assert bar.taker_buy_base == pytest.approx(candle.taker_buy_base, rel=1e-5)

    run_virtual(main)


@venues
def test_histories_books_and_tables(key: str):
    async def main(loop: VirtualLoop) -> None:
        rehearsal = Rehearsal(key, loop)
        venue, world = rehearsal.venue, rehearsal.world
        specs = await rehearsal.specs()
        end = rehearsal.now_ns()
        for symbol, spec in specs.items():
            contract = rehearsal.contract(symbol)
            for one in of(OpenInterest, await rehearsal.run(venue.ask_open_interest(spec, end - NS_PER_HOUR, end))):
                truth = contract.base_of(world.open_interest(contract, one.ts_venue), world.ticker(contract, one.ts_venue).mark)
                assert one.open_interest_base == pytest.approx(truth, rel=1e-6)
            paid = of(FundingRate, await rehearsal.run(venue.ask_funding(spec, end - 100 * NS_PER_HOUR, end)))
            assert [(one.ts_venue, pytest.approx(one.rate, abs=1e-8)) for one in paid] == world.funding(
                contract, end - 100 * NS_PER_HOUR, end
            )
            assert {one.interval_ns for one in paid} == {contract.funding_hours * NS_PER_HOUR}
            ratios = of(AccountRatio, await rehearsal.run(venue.ask_ratios(spec, end - NS_PER_HOUR, end)))
            assert len(ratios) == (36 if key.startswith("binance") else 0)
            (book,) = of(Book, await rehearsal.run(venue.ask_book(spec)))
            truth = world.book(contract, book.ts_venue, 1000)
            assert book.bids[0] == (
                truth.bids[0][0],
                pytest.approx(contract.base_of(truth.bids[0][1], truth.bids[0][0]), rel=1e-6),
            )
        ladders = of(RiskLadder, await rehearsal.run(venue.ask_tiers(specs)))
        assert {ladder.instrument for ladder in ladders} == {spec.id for spec in specs.values()}
        assert rehearsal.corrupt == []

    run_virtual(main)


@pytest.mark.parametrize("key", ["binance_usdm", "binance_coinm", "mexc"])
def test_streams_bring_every_print_once_a_line_and_marks(key: str):
    async def main(loop: VirtualLoop) -> None:
        rehearsal = Rehearsal(key, loop)
        specs = await rehearsal.specs()
        feed = Feed(rehearsal.venue, specs, rehearsal.transport, lines=1, now_ns=loop.now_ns)
        start = loop.now_ns() + 10 * NS_PER_S
        end = start + 20 * NS_PER_MINUTE
        records: list[Record] = []

        async def listen() -> None:
            async for batch in feed.batches():
                records.extend(batch.records)

        task = asyncio.create_task(listen())
        await asyncio.sleep((end - loop.now_ns()) / NS_PER_S + 5.0)
        task.cancel()
        assert [line.connects for line in feed.health()] == [1] * len(feed.health())
        seen = {one.instrument.symbol for one in of(Ticker, records) if one.mark_price is not None}
        assert seen == set(specs)
        if Kind.LIQUIDATIONS not in rehearsal.venue.facts.streams:
            return
        # Binance shows the latest of each symbol and second.
        latest = {
            (symbol, p.ts_ns // NS_PER_S): (symbol, p.ts_ns, p.position_side, p.price, p.quantity)
            for symbol in specs
            for p in rehearsal.world.liquidations(rehearsal.contract(symbol), start, end)
        }
        shown = Counter(
            (one.instrument.symbol, one.ts_venue, one.position_side, one.price)
            for one in of(Liquidation, records)
            if start <= one.ts_venue < end
        )
        assert shown == Counter(row[:4] for row in latest.values())
        assert len(shown) > 10
        for one in of(Liquidation, records):
            truth = latest.get((one.instrument.symbol, one.ts_venue // NS_PER_S))
            if truth is not None and truth[1] == one.ts_venue:
                base = rehearsal.contract(one.instrument.symbol).base_of(truth[4], one.price)
                assert one.quantity_base == pytest.approx(base, rel=1e-9)

    run_virtual(main)
