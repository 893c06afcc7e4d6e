"""ccxt, which nobody here wrote, understands the rehearsed venues: the same market through another client's eyes."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import ccxt
import ccxt.pro
import pytest

from liqscape.testing.exchange import RehearsalExchange, World, every_dialect
from liqscape.testing.exchange.server import served
from liqscape.units import NS_PER_MINUTE

MS = 1_000_000
# Exchange of ccxt: (dialect, its name of the bitcoin swap, the venue's, what it can ask for here).
CALLS = ("ohlcv", "book", "interest", "interest history", "funding", "funding history", "ratios", "tiers", "trades")
VENUES = {
    "binanceusdm": ("binance_usdm", "BTC/USDT:USDT", "BTCUSDT", set(CALLS) - {"tiers"}),
    "binancecoinm": ("binance_coinm", "BTC/USD:BTC", "BTCUSD_PERP", set(CALLS) - {"tiers"}),
    "bybit": ("bybit", "BTC/USDT:USDT", "BTCUSDT", set(CALLS)),
    "okx": ("okx", "BTC/USDT:USDT", "BTC-USDT-SWAP", set(CALLS)),
    "gate": ("gate", "BTC/USDT:USDT", "BTC_USDT", set(CALLS) - {"interest", "ratios"}),
    "bitget": ("bitget", "BTC/USDT:USDT", "BTCUSDT", {"ohlcv", "book", "interest", "funding history"}),
    "htx": ("htx", "BTC/USDT:USDT", "BTC-USDT", {"ohlcv", "book", "funding history"}),
    "deribit": ("deribit", "BTC/USD:BTC", "BTC-PERPETUAL", {"ohlcv", "book", "trades"}),
    "krakenfutures": ("kraken", "BTC/USD:USD", "PF_XBTUSD", {"ohlcv", "book", "tiers"}),
    "hyperliquid": ("hyperliquid", "BTC/USDC:USDC", "BTC", {"ohlcv", "book", "interest", "funding history"}),
    "kucoinfutures": ("kucoin", "BTC/USDT:USDT", "XBTUSDTM", {"ohlcv", "book", "interest", "funding history"}),
    "mexc": ("mexc", "BTC/USDT:USDT", "BTC_USDT", {"ohlcv", "book", "funding history"}),
}
# Only the contracts: ccxt would list the venues' spot markets too.
OPTIONS = {
    **{name: {"fetchMarkets": {"types": ["swap"]}} for name in ("gate", "bitget", "hyperliquid")},
    "htx": {"fetchMarkets": {"types": {"spot": False, "linear": True, "inverse": False}}},
}
WATCHED = ("binanceusdm", "binancecoinm", "bybit", "okx")


def redirected(exchange: Any, base: str) -> Any:
    """Point every address of an exchange at the rehearsal; currencies belong to spot and to accounts."""

    def local(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: local(inner) for name, inner in value.items()}
        if not isinstance(value, str):
            return value
        return re.sub(r"^(http|ws)s?://", lambda m: f"{m.group(1)}://{base.removeprefix('http://')}/", value)

    exchange.urls["api"] = local(exchange.urls["api"])
    exchange.has["fetchCurrencies"] = False
    exchange.timeout = 60_000  # ms; the machine may have other things to do
    return exchange


@pytest.fixture(scope="module")
def rehearsal():
    exchange = RehearsalExchange(every_dialect(World(3, beat_ns=1_000_000_000, forced_in_quiet=400.0)))
    with served(exchange) as base:
        yield exchange, base


@pytest.mark.parametrize("name", VENUES)
def test_ccxt_reads_our_answers(name: str, rehearsal: tuple[RehearsalExchange, str]):
    exchange, base = rehearsal
    key, symbol, ours, can = VENUES[name]
    dialect = exchange.dialects[key]
    world, contract = dialect.world, dialect.contracts[ours]
    # Bitget keeps to its limit of one request a second.
    slow = name == "bitget"
    client = redirected(getattr(ccxt, name)({"enableRateLimit": slow, "options": OPTIONS.get(name, {})}), base)

    if name == "mexc":
        client.fetch_markets = client.fetch_swap_markets
    market = client.load_markets()[symbol]
    assert ours in (market["id"], market["baseName"] if name == "hyperliquid" else None)
    assert market["swap"]
    if name != "hyperliquid":  # ccxt makes its own of significant figures
        assert market["precision"]["price"] == pytest.approx(contract.tick)
    if name != "deribit":  # quantities are USD there, in steps of the contract's size
        assert market["contractSize"] == pytest.approx(contract.contract_size)
    if "ohlcv" in can:
        bars = client.fetch_ohlcv(symbol, "1m", limit=5)
        assert len(bars) >= 3
        for start, *prices, _ in bars[:-1]:
            candle = world.minute(contract, start * MS)
            assert prices == [candle.open, candle.high, candle.low, candle.close]
    if "book" in can:
        book = client.fetch_order_book(symbol, 20)
        bids, asks = book["bids"], book["asks"]
        assert len(bids) >= 20
        assert bids[0][0] < asks[0][0]
        assert (bids[0][0] + asks[0][0]) / 2.0 == pytest.approx(world.last_price(contract, client.milliseconds() * MS), rel=0.01)
    if "interest" in can and name != "bybit":
        told = client.fetch_open_interest(symbol)
        assert told["openInterestAmount"] == world.open_interest(contract, (told["timestamp"] or client.milliseconds()) * MS)
    if "interest history" in can:
        for row in client.fetch_open_interest_history(symbol, "5m", limit=3):
            sides = 2.0 if name == "bybit" else 1.0  # ccxt passes Bybit's sum of both sides on
            told = row["openInterestAmount"] if row["openInterestAmount"] is not None else row["openInterestValue"]
            assert told == pytest.approx(sides * world.open_interest(contract, row["timestamp"] * MS))
    if "funding" in can:
        rate = client.fetch_funding_rate(symbol)
        assert rate["fundingRate"] == pytest.approx(world.funding_rate(contract, client.milliseconds() * MS))
    if "funding history" in can:
        for row in client.fetch_funding_rate_history(symbol, limit=3):
            at = row["timestamp"] * MS // NS_PER_MINUTE * NS_PER_MINUTE  # Hyperliquid pays some milliseconds late
            ((_, true_rate),) = world.funding(contract, at, at + 1)
            assert row["fundingRate"] == pytest.approx(true_rate)
    if "ratios" in can:
        period = "5min" if name == "bybit" else "5m"
        (row, *_) = client.fetch_long_short_ratio_history(symbol, period, limit=2)
        assert row["timestamp"] * MS % (5 * NS_PER_MINUTE) == 0
        assert row["longShortRatio"] > 0.0
    if "tiers" in can:
        tiers = client.fetch_market_leverage_tiers(symbol)
        assert [t["maintenanceMarginRate"] for t in tiers] == [t.maintenance_margin_rate for t in world.tiers(contract)]
    if "trades" in can:
        trades = client.fetch_trades(symbol, limit=10)
        # Without the side: on Deribit the liquidated may be the maker.
        look = [(t["timestamp"] * MS, t["price"]) for t in trades]
        true_trades = world.trades(contract, min(look)[0], max(look)[0] + MS)
        assert set(look) <= {(p.ts_ns, p.price) for p in true_trades}


@pytest.mark.parametrize("name", WATCHED)
def test_ccxt_hears_our_sockets(name: str, rehearsal: tuple[RehearsalExchange, str]):
    exchange, base = rehearsal
    key, symbol, ours, _ = VENUES[name]
    dialect = exchange.dialects[key]
    world, contract = dialect.world, dialect.contracts[ours]

    async def watch() -> list[dict[str, Any]]:
        client = redirected(getattr(ccxt.pro, name)({"enableRateLimit": False}), base)
        try:
            await client.load_markets()
            return await asyncio.wait_for(client.watch_liquidations(symbol), 60.0)
        finally:
            await client.close()

    found = asyncio.run(watch())
    assert found
    for row in found:
        at = row["timestamp"] * MS
        # The price is the fill on Binance and that of bankruptcy on Bybit and OKX; the side means what the venue's does.
        true = world.liquidations(contract, at, at + MS)
        assert row["price"] in {price for p in true for price in (p.price, p.bankruptcy)}
