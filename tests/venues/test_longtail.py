"""Long-tail venues: what ccxt says is judged, what it leaves open is not guessed, and without ccxt the error says what to do."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from liqscape.errors import BadArgument, CorruptRecord, NoData, RateLimited, Unreachable, VenueError
from liqscape.model import Bar, ContractKind, FundingRate, InstrumentId, InstrumentSpec, Kind, OpenInterest, PriceKind, describe
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.longtail import EXCEPTIONS, LongTail

T = 1_789_999_980_000  # the start of a minute
NS = T * 1_000_000
NOW_NS = NS + 10 * NS_PER_MINUTE
FIXTURE = Path(__file__).parents[3] / "shared" / "reference" / "fixtures" / "bingx" / "ccxt_comment_examples.json"


class NetworkError(Exception):
    pass


class BaseError(Exception):
    pass


class RateLimitExceeded(BaseError):
    pass


def market(symbol: str = "BTC/USDT:USDT", **more: object) -> dict[str, Any]:
    base, _, settle = symbol.partition("/")
    return {
        "id": "BTCUSDT",
        "symbol": symbol,
        "base": base,
        "quote": settle.partition(":")[0],
        "settle": settle.partition(":")[2],
        "swap": True,
        "linear": True,
        "active": True,
        "contractSize": 0.001,
        "precision": {"price": 0.1},
        "limits": {"leverage": {"max": 50}},
        **more,
    }


class Exchange:
    """What `LongTail` uses of a ccxt exchange."""

    id, rateLimit, precisionMode = "tail", 50, 4  # noqa: N815 - ccxt's names
    has = {"fetchOHLCV": True, "fetchOpenInterest": True, "fetchFundingRateHistory": True}  # noqa: RUF012

    def __init__(self, **answers: object) -> None:
        self.urls: dict[str, Any] = {"api": {"public": "https://tail.example/v1", "swap": {"v2": "https://tail.example/v2"}}}
        self.answers = {"markets": {"BTC/USDT:USDT": market()}, "ticker": {"last": 100_000.0}, **answers}
        self.asked: list[tuple[object, ...]] = []
        self.closed = False

    async def _answer(self, name: str, *asked: object) -> Any:
        self.asked.append((name, *asked))
        found = self.answers[name]
        if isinstance(found, Exception):
            raise found
        return found

    async def load_markets(self, reload: bool) -> Any:
        return await self._answer("markets", reload)

    async def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> Any:
        return await self._answer("ohlcv", symbol, timeframe, since, limit)

    async def fetch_open_interest(self, symbol: str) -> Any:
        return await self._answer("interest", symbol)

    async def fetch_ticker(self, symbol: str) -> Any:
        return await self._answer("ticker", symbol)

    async def fetch_funding_rate_history(self, symbol: str, since: int, limit: int) -> Any:
        return await self._answer("funding", symbol, since, limit)

    async def close(self) -> None:
        self.closed = True


def tail(exchange: Exchange, **more: Any) -> LongTail:
    return LongTail("tail", exchange=exchange, now_ns=lambda: NOW_NS, **more)


def asked(exchange: Exchange, what: str, *arguments: object, corrupt: list[CorruptRecord] | None = None) -> list[Any]:
    """List the instruments, then ask about the first."""

    async def run() -> list[Any]:
        made = tail(exchange, on_corrupt=lambda _key, _what, error: corrupt.append(error) if corrupt is not None else None)
        spec, *_ = await made.instruments()
        return await getattr(made, what)(spec, *arguments)

    return asyncio.run(run())


def test_instruments_are_linear_perpetuals_named_by_coin_and_settlement():
    corrupt: list[CorruptRecord] = []
    exchange = Exchange(
        markets={
            m["symbol"]: m
            for m in (
                market(),
                market("ETH/USD:USDC", contractSize=1),
                market("ETH/USDC:USDC", contractSize=1),  # the same house symbol: the first stays
                market("BTC/USD:BTC", linear=False),
                market("BTC/USDT", swap=False),
                market("SOL/USDT:USDT", contractSize=None),
            )
        }
    )
    made = tail(exchange, on_corrupt=lambda _key, _what, error: corrupt.append(error))
    found = asyncio.run(made.instruments())
    assert found[0] == InstrumentSpec(
        id=InstrumentId("tail", "BTCUSDT"),
        base="BTC",
        quote="USDT",
        kind=ContractKind.LINEAR,
        contract_size=0.001,
        tick_size=0.1,
        max_leverage=50.0,
        market="linear",
    )
    assert [spec.id.symbol for spec in found if isinstance(spec, InstrumentSpec)] == ["BTCUSDT", "ETHUSDC"]
    assert [error.context["field"] for error in corrupt] == ["contractSize"]
    for spec in found:
        assert isinstance(spec, InstrumentSpec)
        assert (describe(spec.id).base, describe(spec.id).kind) == (spec.base, spec.kind)


def test_digits_are_no_step_of_the_price():
    exchange = Exchange()
    exchange.precisionMode = 2
    (spec,) = asyncio.run(tail(exchange).instruments())
    assert isinstance(spec, InstrumentSpec)
    assert spec.tick_size is None


def test_bars_are_closed_ordered_and_without_volume():
    rows = [
        [T + 60_000, 100, 101, 99, 100, 5.0],
        [T, 99, 100, 98, 100, 7.0],
        [T + 600_000, 1, 1, 1, 1, 1],
        [T - 60_000, 1, 1, 1, 1, 1],
    ]
    exchange = Exchange(ohlcv=rows)
    found = asked(exchange, "bars", NS, NS + 20 * NS_PER_MINUTE)
    assert exchange.asked[-1] == ("ohlcv", "BTC/USDT:USDT", "1m", T, 20)
    assert [bar.ts_venue for bar in found] == [NS, NS + NS_PER_MINUTE]
    assert found[0] == Bar(
        instrument=InstrumentId("tail", "BTCUSDT"),
        price_kind=PriceKind.LAST,
        interval_ns=NS_PER_MINUTE,
        ts_venue=NS,
        ts_recv=NOW_NS,
        open=99.0,
        high=100.0,
        low=98.0,
        close=100.0,
        volume_base=None,
        taker_buy_base=None,
    )


@pytest.mark.parametrize(
    ("told", "base"),
    [
        ({"openInterestValue": 1e9}, 10_000.0),
        ({"openInterestAmount": 10_000.0, "openInterestValue": 1e9}, 10_000.0),  # coins
        ({"openInterestAmount": 1e7, "openInterestValue": 1.01e9}, 10_000.0),  # contracts of 0.001
        ({"openInterestAmount": 0.0, "openInterestValue": 0.0}, 0.0),
        ({"openInterestAmount": 1e7}, None),  # coins or contracts: not guessed
        ({}, None),
    ],
)
def test_open_interest_is_taken_where_its_unit_can_be_told(told, base):
    found = asked(Exchange(interest={**told, "timestamp": T}), "open_interest")
    expected = [
        OpenInterest(instrument=InstrumentId("tail", "BTCUSDT"), ts_venue=NS, ts_recv=NOW_NS, open_interest_base=base or 0.0)
    ]
    assert found == ([] if base is None else expected)


def test_two_units_that_tell_two_stories_are_refused():
    corrupt: list[CorruptRecord] = []
    assert asked(Exchange(interest={"openInterestAmount": 5e5, "openInterestValue": 1e9}), "open_interest", corrupt=corrupt) == []
    assert corrupt[0].context["field"] == "openInterestAmount"


def test_funding_takes_its_interval_from_its_stamps():
    hour = 3_600_000
    rows = [{"timestamp": T + n * 4 * hour, "fundingRate": 0.0001 * n} for n in range(3)]
    found = asked(Exchange(funding=rows), "funding", NS, NS + 9 * NS_PER_HOUR)
    assert found[1] == FundingRate(
        instrument=InstrumentId("tail", "BTCUSDT"),
        ts_venue=NS + 4 * NS_PER_HOUR,
        ts_recv=NOW_NS,
        rate=0.0001,
        interval_ns=4 * NS_PER_HOUR,
    )
    assert len(found) == 3


@pytest.mark.parametrize("bad", [None, "x", float("nan"), float("inf"), -1.0, True, {}, "1e999"])
def test_nonsense_is_told_and_costs_no_other_row(bad):
    corrupt: list[CorruptRecord] = []
    rows = [[T, bad, 101, 99, 100, 1], [T + 60_000, 100, 101, 99, 100, 1]]
    assert len(asked(Exchange(ohlcv=rows), "bars", NS, NS + 2 * NS_PER_MINUTE, corrupt=corrupt)) == 1
    assert {"venue", "field", "value"} <= set(corrupt[0].context)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (RateLimitExceeded("slow down"), RateLimited),
        (NetworkError("gone"), Unreachable),
        (BaseError("no"), VenueError),
        (KeyError("data"), CorruptRecord),
    ],
)
def test_errors_of_ccxt_become_ours(error, ours):
    with pytest.raises(ours, match="tail"):
        asked(Exchange(ohlcv=error), "bars", NS, NOW_NS)


def test_addresses_can_be_replaced_one_by_one_or_all():
    one = Exchange()
    tail(one, urls={"ccxt_tail.swap.v2": "http://127.0.0.1:1"})
    assert one.urls["api"] == {"public": "https://tail.example/v1", "swap": {"v2": "http://127.0.0.1:1"}}
    every = Exchange()
    facts = tail(every, urls={"ccxt_tail.rest": "http://127.0.0.1:1"}).facts
    assert every.urls["api"] == {"public": "http://127.0.0.1:1", "swap": {"v2": "http://127.0.0.1:1"}}
    # Facts say the venue's own addresses, and by which names they are replaced.
    assert facts.hosts == {"public": "https://tail.example/v1", "swap.v2": "https://tail.example/v2"}


def test_facts_say_what_it_has_and_what_it_never_has():
    exchange = Exchange()
    exchange.has = {"fetchOHLCV": True, "fetchOpenInterest": "emulated", "fetchLiquidations": True}
    facts = tail(exchange).facts
    assert facts.asks == {Kind.INSTRUMENTS, Kind.BARS}
    assert facts.streams == frozenset()
    assert {"streams", "liquidations", "inverse", "volume"} <= set(EXCEPTIONS)
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())


def test_an_instrument_must_have_been_listed():
    spec = InstrumentSpec(
        id=InstrumentId("tail", "BTCUSDT"), base="BTC", quote="USDT", kind=ContractKind.LINEAR, contract_size=1.0
    )
    with pytest.raises(BadArgument, match="not listed"):
        asyncio.run(tail(Exchange()).bars(spec, NS, NOW_NS))


def test_closing_closes_ccxt():
    exchange = Exchange()
    asyncio.run(tail(exchange).close())
    assert exchange.closed


def test_without_ccxt_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ccxt.async_support", None)
    with pytest.raises(NoData, match="ccxt is not installed") as told:
        LongTail("phemex")
    assert "liqscape[ccxt]" in str(told.value.hint)


def bingx(answer: object) -> Any:
    """Return ccxt's own BingX, which knows one market and whose every request gets `answer`."""
    ccxt: Any = pytest.importorskip("ccxt.async_support")
    exchange = ccxt.bingx()
    exchange.set_markets([{**exchange.safe_market("BTC-USDT"), **market(contractSize=1.0), "id": "BTC-USDT", "type": "swap"}])
    exchange.asked = []

    async def fetch(url: str, *_: object, **__: object) -> object:
        exchange.asked.append(url)
        return answer

    async def load_markets(_reload: bool = False) -> object:
        return exchange.markets

    exchange.fetch, exchange.load_markets = fetch, load_markets
    return exchange


def test_an_unknown_exchange_is_no_exchange():
    pytest.importorskip("ccxt.async_support")
    with pytest.raises(BadArgument, match="nosuchexchange"):
        LongTail("nosuchexchange")


def test_recorded_open_interest_through_ccxt_itself():
    if not FIXTURE.is_file():
        pytest.skip("shared reference is not there")
    recorded = json.loads(FIXTURE.read_text(encoding="utf-8"))["fetch_open_interest#0"]
    exchange = bingx(recorded)

    async def ticker(_symbol: str) -> dict[str, float]:
        return {"last": 16_800.0}

    exchange.fetch_ticker = ticker

    async def run() -> list[Any]:
        made = LongTail("bingx", exchange=exchange, urls={"ccxt_bingx.rest": "http://127.0.0.1:9"})
        try:
            spec, *_ = await made.instruments()
            return await made.open_interest(spec)  # type: ignore[arg-type]
        finally:
            await made.close()

    (found,) = asyncio.run(run())
    # BingX tells dollars: 3.29 billion of them at 16,800 are 195,812 BTC.
    assert found.open_interest_base == pytest.approx(3_289_641_547.10 / 16_800.0)
    assert found.ts_venue == 1_672_026_617_364_000_000
    assert exchange.asked[0].startswith("http://127.0.0.1:9/")


def test_bars_through_ccxt_itself():
    row = {"open": "100000.1", "close": "100000.5", "high": "100010", "low": "99990", "volume": "12", "time": T}
    exchange = bingx({"code": 0, "msg": "", "data": [row]})

    async def run() -> list[Any]:
        made = LongTail("bingx", exchange=exchange, urls={"ccxt_bingx.rest": "http://127.0.0.1:9"}, now_ns=lambda: NOW_NS)
        try:
            spec, *_ = await made.instruments()
            return await made.bars(spec, NS, NS + NS_PER_MINUTE)  # type: ignore[arg-type]
        finally:
            await made.close()

    (found,) = asyncio.run(run())
    assert (found.ts_venue, found.open, found.high, found.low, found.close) == (NS, 100_000.1, 100_010.0, 99_990.0, 100_000.5)
