"""Long-tail venues at the doors that people use: recorded beside others, backfilled, down without harm, read by ccxt itself."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from recording_scenes import WORLD

from liqscape.api.envelope import meta_of
from liqscape.engine.backfill import Backfill, BackfillReport
from liqscape.engine.contact import Contact, contact
from liqscape.engine.maps import build_map
from liqscape.engine.recording import Recorder, RecorderHealth, Wanted
from liqscape.engine.venue_state import describe_venues
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData, RateLimited
from liqscape.model import Kind
from liqscape.store import Table
from liqscape.testing.exchange import MemoryTransport, RehearsalExchange, World, every_dialect
from liqscape.testing.exchange.server import local_url, served
from liqscape.testing.virtual import START_NS, VirtualLoop, run_virtual
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.longtail_client import Tail, TailClient, open_client
from liqscape.venues.registry import VENUES, choose

MS = 1_000_000
HOUR_MS, EIGHT_HOURS_MS = 3_600_000, 28_800_000
TAIL = "tail:BTCUSDT"


class NetworkError(Exception):
    """Named as ccxt's is: that is how it is known."""


class RateLimitExceeded(Exception):
    pass


class Exchange:
    """A ccxt exchange on the virtual clock: BTC at 100,000 + the minute, contracts of 0.001, open interest in both units."""

    rateLimit, precisionMode = 50, 4  # noqa: N815 - ccxt's names
    has = {"swap": True, "fetchOHLCV": True, "fetchOpenInterest": True, "fetchFundingRateHistory": True}  # noqa: RUF012

    def __init__(self, fault: Callable[[float], Exception | None] = lambda _minute: None) -> None:
        self.urls: dict[str, Any] = {"api": {"public": "https://tail.example"}}
        self.fault, self.asked, self.closed = fault, list[tuple[str, float]](), False

    async def _answer(self, name: str) -> int:
        await asyncio.sleep(0.05)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        minute = (loop.now_ns() - START_NS) / NS_PER_MINUTE
        self.asked.append((name, minute))
        wrong = self.fault(minute)
        if wrong is not None:
            raise wrong
        return loop.now_ns() // MS

    async def load_markets(self, _reload: bool) -> Any:
        await self._answer("markets")
        market = {"symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT", "swap": True, "linear": True}
        return {"BTC/USDT:USDT": market | {"contractSize": 0.001, "precision": {"price": 0.1}, "limits": {}, "active": True}}

    async def fetch_ohlcv(self, _symbol: str, _timeframe: str, since: int, limit: int) -> Any:
        now = await self._answer("ohlcv")
        starts = range(since, min(since + limit * 60_000, now + 1), 60_000)  # the open minute too, as venues tell it
        return [[at, *(4 * [100_000.0 + at // 60_000 % 100]), 7.0] for at in starts]

    async def fetch_open_interest(self, _symbol: str) -> Any:
        now = await self._answer("interest")
        return {"openInterestAmount": 5e6, "openInterestValue": 5e8, "timestamp": now}

    async def fetch_ticker(self, _symbol: str) -> Any:
        await self._answer("ticker")
        return {"last": 100_000.0}

    async def fetch_funding_rate_history(self, _symbol: str, since: int, limit: int) -> Any:
        now = await self._answer("funding")
        stamps = [at for at in range(since - since % EIGHT_HOURS_MS, now, EIGHT_HOURS_MS) if at >= since]
        return [{"timestamp": at, "fundingRate": 0.0001} for at in stamps[:limit]]

    async def close(self) -> None:
        self.closed = True


def record(
    home: Path,
    exchange: Exchange,
    minutes: float,
    beside: Sequence[str] = ("bybit_linear",),
    *,
    start_ns: int = START_NS,
) -> RecorderHealth:
    async def main(loop: VirtualLoop) -> RecorderHealth:
        transport = MemoryTransport(RehearsalExchange(every_dialect(WORLD)), loop)
        venues = [*(VENUES[key] for key in beside), Tail("tail", lambda _name: exchange)]
        recorder = Recorder(
            Workspace(home),
            venues,
            Wanted(("BTC",)),
            transport,
            urls={},
            now_ns=loop.now_ns,
            chance=random.Random(1),
            upkeep=False,
        )
        ending = loop.now_ns() + round(minutes * NS_PER_MINUTE)
        seen: list[RecorderHealth] = []

        async def watch() -> None:
            while True:
                await asyncio.sleep(5.0)
                seen.append(recorder.health())

        task = loop.create_task(watch())
        try:
            await recorder.run(ending)
        finally:
            task.cancel()
        return seen[-1]

    return run_virtual(main, start_ns=start_ns)


def backfill(home: Path, exchange: Exchange, hours: float) -> BackfillReport:
    async def main(loop: VirtualLoop) -> BackfillReport:
        transport = MemoryTransport(RehearsalExchange(every_dialect(WORLD)), loop)
        filling = Backfill(
            Workspace(home),
            [Tail("tail", lambda _name: exchange)],
            Wanted(("BTC",)),
            transport,
            now_ns=loop.now_ns,
            chance=random.Random(1),
        )
        return await filling.run(loop.now_ns() - round(hours * NS_PER_HOUR))

    return run_virtual(main)


def minutes_of(home: Path, table: Table, instrument: str = TAIL) -> list[int]:
    """Minutes after the start of all tests with a row, as they lie in the table."""
    rows = Workspace(home).store.read(table).filter(pl.col("instrument") == instrument)
    if table is Table.BARS:
        rows = rows.filter((pl.col("interval_ns") == NS_PER_MINUTE) & (pl.col("price_kind") == "last"))
    return [(ts - START_NS) // NS_PER_MINUTE for ts in rows.get_column("ts")]


def test_it_is_recorded_beside_the_others(tmp_path: Path):
    exchange = Exchange()
    health = record(tmp_path, exchange, 6.8)
    assert minutes_of(tmp_path, Table.BARS) == minutes_of(tmp_path, Table.BARS, "bybit:BTCUSDT") == list(range(6))
    assert len(set(minutes_of(tmp_path, Table.OPEN_INTEREST))) >= 5
    store = Workspace(tmp_path).store
    held = store.read(Table.OPEN_INTEREST).filter(pl.col("instrument") == TAIL)
    assert set(held.get_column("open_interest_base")) == {5_000.0}  # 500 million USD at 100,000: amounts are contracts
    assert set(store.read(Table.LIQUIDATIONS).get_column("instrument")) == {"bybit:BTCUSDT"}
    assert store.read(Table.GAPS).height == 0
    other, tail = health.venues
    assert (tail.key, tail.venue, tail.state, tail.instruments) == ("ccxt_tail", "tail", "live", (TAIL,))
    assert [(line.stream, line.state) for line in tail.lines] == [("asked", "up")]
    assert tail.age_s is not None
    assert tail.age_s < 60.0
    assert (tail.prints, tail.gaps, tail.corrupt, tail.budget_left) == (0, 0, 0, {})
    assert other.state == "live"
    assert exchange.closed


def test_funding_is_asked_for_each_hour(tmp_path: Path):
    hour = START_NS - START_NS % NS_PER_HOUR + NS_PER_HOUR
    record(tmp_path, Exchange(), 2.8, beside=(), start_ns=hour)
    rows = Workspace(tmp_path).store.read(Table.FUNDING)
    assert rows.height == 3  # of the day before
    assert set(rows.get_column("rate")) == {0.0001}


def test_while_it_is_down_the_others_go_on_and_nothing_is_lost(tmp_path: Path):
    def broken(minute: float) -> Exception | None:
        return NetworkError("no route") if 2.0 < minute < 7.0 else None

    down = record(tmp_path / "down", Exchange(broken), 6.5)
    other, tail = down.venues
    assert (other.state, tail.state) == ("live", "down")
    assert tail.last_error == "ccxt_tail bars BTCUSDT: NetworkError: no route"
    assert tail.lines[0].state == "waiting"
    record(tmp_path / "back", Exchange(broken), 9.8)
    assert minutes_of(tmp_path / "back", Table.BARS) == list(range(9))
    assert minutes_of(tmp_path / "back", Table.BARS, "bybit:BTCUSDT") == list(range(9))
    # What open interest was meanwhile cannot be asked for later: it is a gap, not a line drawn through.
    (gap,) = Workspace(tmp_path / "back").store.read(Table.GAPS).iter_rows(named=True)
    assert (gap["instrument"], gap["kind"]) == (TAIL, "open_interest")


def test_a_venue_that_is_down_at_the_start_is_tried_again(tmp_path: Path):
    health = record(tmp_path, Exchange(lambda minute: NetworkError("no route") if minute < 3.0 else None), 9.8)
    assert [venue.state for venue in health.venues] == ["live", "live"]
    assert minutes_of(tmp_path, Table.BARS)[-1] == 8


def test_a_limit_is_obeyed():
    exchange = Exchange(lambda minute: RateLimitExceeded("slow down") if minute < 0.5 else None)

    async def main(loop: VirtualLoop) -> float:
        transport = MemoryTransport(RehearsalExchange(every_dialect(WORLD)), loop)
        client = open_client(Tail("tail", lambda _name: exchange), transport, now_ns=loop.now_ns, chance=random.Random(1))
        (ask,) = client.venue.ask_instruments()
        with pytest.raises(RateLimited):
            await client.run(ask, patience_s=10.0)
        assert len(exchange.asked) == 1
        await client.run(ask)
        return loop.time()

    assert run_virtual(main) >= 120.0
    assert len(exchange.asked) == 2


def test_its_past_is_stored_and_not_asked_for_again(tmp_path: Path):
    first = Exchange()
    report = backfill(tmp_path, first, 26.0)
    (venue,) = report.venues
    assert venue.failures == ()
    # The newest minute has just ended: it is the recorder's, or the next run's.
    assert {str(table): count for table, count in venue.stored.items()} == {"bars": 26 * 60 - 1, "funding": 3}
    assert minutes_of(tmp_path, Table.BARS) == list(range(-26 * 60, -1))
    again = Exchange()
    assert backfill(tmp_path, again, 26.0).came
    assert [name for name, _ in again.asked].count("ohlcv") == 0
    assert first.closed
    assert again.closed


def test_a_joined_map_holds_it_at_its_share_of_open_interest(tmp_path: Path):
    record(tmp_path, Exchange(), 8.0)
    found = build_map(Workspace(tmp_path), "BTC")
    assert found.left_out == ()
    parts = {part.instrument: part for part in meta_of(found).coverage.parts}
    assert set(parts) == {"bybit:BTCUSDT", TAIL}
    part = parts[TAIL]
    assert part.open_interest_usd == pytest.approx(5e8, rel=0.01)
    assert part.share == pytest.approx(part.open_interest_usd / found.open_interest_usd)
    # That it shows no liquidation is not taken for hours in which nobody died: it adds no feed, and its weights are shipped.
    assert (part.completeness, part.feeds) == ("unknown", [])
    (rests_on,) = [each for each in found.inputs if str(each.instrument) == TAIL]
    assert rests_on.weights.source == "shipped"
    assert rests_on.last_liquidation_ns is None


def test_that_it_shows_no_liquidations_is_said(tmp_path: Path):
    record(tmp_path, Exchange(), 2.8)
    (state,) = describe_venues(Workspace(tmp_path), [Tail("tail", lambda _name: Exchange())], START_NS + 3 * NS_PER_MINUTE)
    assert state.completeness is None
    assert state.completeness_note.startswith("no liquidations")
    assert state.instruments == (TAIL,)
    assert "liquidations" not in state.streams + state.asks


def test_without_ccxt_the_names_say_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ccxt.async_support", None)
    with pytest.raises(NoData) as told:
        choose(("bybit", "ccxt:phemex"))
    assert "pip install 'liqscape[ccxt]'" in str(told.value.hint)


def test_names():
    (bingx,) = choose(("ccxt:bingx", "ccxt_bingx"))
    assert bingx.facts.key == "ccxt_bingx"
    assert bingx.facts.streams == frozenset()
    assert bingx.facts.asks == {Kind.INSTRUMENTS, Kind.BARS, Kind.TICKERS, Kind.FUNDING}
    with pytest.raises(BadArgument, match="nosuchexchange"):
        choose(("ccxt:nosuchexchange",))
    with pytest.raises(BadArgument, match="kucoinfutures has an adapter of its own") as told:
        choose(("ccxt:kucoinfutures",))
    assert "kucoin " in str(told.value.hint)
    with pytest.raises(BadArgument, match="no adapter for 'phemex'") as told:
        choose(("phemex",))
    assert "ccxt:phemex" in str(told.value.hint)


def test_nobody_loads_ccxt_who_did_not_ask_for_it():
    code = "import liqscape, liqscape.engine.recording, liqscape.venues.registry, sys; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Venues that have adapters, read as if they had none: ccxt's own classes against the rehearsal, over HTTP.
REAL = {"binanceusdm": ("BTCUSDT", True), "kucoinfutures": ("XBTUSDTM", False)}


@pytest.fixture(scope="module")
def rehearsal():
    exchange = RehearsalExchange(every_dialect(World(3, ("BTC",)), ["binance_usdm", "kucoin"]))
    with served(exchange) as base:
        yield exchange, base


@pytest.mark.parametrize("name", REAL)
def test_ccxt_itself_fills_the_store(name: str, rehearsal: tuple[RehearsalExchange, str], tmp_path: Path):
    pytest.importorskip("ccxt.async_support")
    exchange, base = rehearsal
    ours, told = REAL[name]
    dialect = exchange.dialects["binance_usdm" if name == "binanceusdm" else "kucoin"]
    contract = dialect.contracts[ours]
    tail = Tail(name)
    urls = {f"ccxt_{name}.{host}": local_url(address, base) for host, address in tail.facts.hosts.items()}
    transport: Any = None  # ccxt has its own

    async def run() -> tuple[BackfillReport, list[Any], list[Contact]]:
        filling = Backfill(Workspace(tmp_path), [tail], Wanted(("BTC",)), transport, urls=urls)
        report = await filling.run(time.time_ns() - 2 * NS_PER_HOUR)
        client = TailClient(tail, transport, urls=urls)
        try:
            specs = {spec.id.symbol: spec for spec in await client.run(client.venue.ask_instruments()[0])}  # type: ignore[union-attr]
            (ask,) = tail.ask_tickers({"BTCUSDT": specs["BTCUSDT"]})  # type: ignore[dict-item]
            tickers = await client.run(ask)
        finally:
            await client.close()
        return report, tickers, [one async for one in contact([tail], transport, urls=urls)]

    report, tickers, (called,) = asyncio.run(run())
    assert report.venues[0].failures == ()
    bars = Workspace(tmp_path).store.read(Table.BARS)
    assert set(bars.get_column("instrument")) == {f"{name}:BTCUSDT"}
    assert bars.height in (118, 119, 120)
    for ts, *prices in bars.select("ts", "open", "high", "low", "close").iter_rows():
        candle = dialect.world.minute(contract, ts)
        assert prices == [candle.open, candle.high, candle.low, candle.close]
    # Binance tells coins and its contracts are coins; KuCoin tells contracts of 0.001 and no value: not guessed.
    held = [ticker.open_interest_base for ticker in tickers]
    now = time.time_ns()
    true = {dialect.world.open_interest(contract, now - back * NS_PER_MINUTE) for back in (0, 1)}
    assert held == [] if not told else (len(held) == 1 and held[0] in true)
    assert called.unreachable is None
    assert called.changed == ()
    assert called.lacks == (() if told else ("open interest",))
