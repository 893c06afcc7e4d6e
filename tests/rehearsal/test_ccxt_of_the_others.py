"""An independent client understands the rehearsed venues: ccxt reads the market that the world holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import ccxt
import pytest

from liqscape.testing.exchange import Dialect, Listing, RehearsalExchange, World, every_dialect
from liqscape.testing.exchange.listing import NS_PER_MS
from liqscape.testing.exchange.server import local_url, served
from liqscape.units import NS_PER_MINUTE

WORLD = World(11)
BTC, ONLY_SWAPS = "BTC/USDT:USDT", {"defaultType": "swap"}
# ccxt's class, its options, its symbol and the venue's own.
CLIENTS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "gate": ("gate", {"fetchMarkets": {"types": ["swap"]}}, BTC, "BTC_USDT"),
    "bitget": ("bitget", {"fetchMarkets": ["swap"]}, BTC, "BTCUSDT"),
    "htx": ("htx", {"fetchMarkets": {"types": {"spot": False, "linear": True, "inverse": False}}}, BTC, "BTC-USDT"),
    "mexc": ("mexc", {}, BTC, "BTC_USDT"),
    "kucoin": ("kucoinfutures", {}, BTC, "XBTUSDTM"),
    "deribit": ("deribit", {}, "BTC/USDC:USDC", "BTC_USDC-PERPETUAL"),
    "kraken": ("krakenfutures", {}, "BTC/USD:USD", "PF_XBTUSD"),
    "hyperliquid": ("hyperliquid", {"fetchMarkets": {"types": ["swap"]}}, "BTC/USDC:USDC", "BTC"),
}
DIALECTS = {dialect.key: dialect for dialect in every_dialect(WORLD, list(CLIENTS))}
every = pytest.mark.parametrize("key", CLIENTS)
Client = Any


@pytest.fixture(scope="module")
def base() -> Generator[str]:
    with served(RehearsalExchange(list(DIALECTS.values()))) as address:
        yield address


@pytest.fixture(scope="module")
def clients(base: str) -> Generator[Callable[[str], Client]]:
    made: dict[str, Client] = {}

    def of(key: str) -> Client:
        if key not in made:
            name, options, _, _ = CLIENTS[key]
            client = getattr(ccxt, name)({"options": ONLY_SWAPS | options, "enableRateLimit": False})
            point(client, base)
            client.has["fetchCurrencies"] = False
            if key == "mexc":
                client.set_markets(client.fetch_swap_markets())
            client.load_markets()
            made[key] = client
        return made[key]

    yield of
    for client in made.values():
        client.session.close()


def point(client: Client, base: str) -> None:
    """Let a client ask the rehearsal instead of the venue."""

    def local(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: local(value) for name, value in node.items()}
        if not isinstance(node, str) or not node.startswith(("http", "ws")):
            return node
        if "hostnames" in client.urls:
            return node.replace("https://", "http://")
        return local_url(node.replace("{hostname}", str(client.hostname)), base)

    client.urls["api"] = local(client.urls["api"])
    if "hostnames" in client.urls:
        client.urls["hostnames"] = {
            name: f"{base.removeprefix('http://')}/{host}" for name, host in client.urls["hostnames"].items()
        }


def listing_of(key: str) -> tuple[Dialect, Listing, str]:
    dialect = DIALECTS[key]
    return dialect, dialect.contracts[CLIENTS[key][3]], CLIENTS[key][2]


@every
def test_contracts(key: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    market = clients(key).market(symbol)
    assert (market["base"], market["swap"], market["linear"], market["active"]) == ("BTC", True, True, True)
    # Deribit's amounts are coins whatever the size of a contract.
    assert market["contractSize"] == pytest.approx(listing.step if key == "deribit" else listing.contract_size)
    if key != "hyperliquid":
        assert market["precision"]["price"] == pytest.approx(listing.tick)


@every
def test_candles(key: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    now_ms = int(time.time() * 1000)
    since = now_ms - now_ms % 60_000 - 600_000
    rows = clients(key).fetch_ohlcv(symbol, "1m", since=since, limit=5)
    assert len(rows) >= 4
    for at, *prices, volume in rows:
        candle = WORLD.minute(listing, at * NS_PER_MS)
        assert prices == pytest.approx([candle.open, candle.high, candle.low, candle.close])
        # HTX counts both sides; Deribit and HTX tell coins, the others contracts.
        told = {"htx": 2.0 * candle.base, "deribit": candle.base}.get(key, candle.quantity)
        assert volume == pytest.approx(told)


@every
def test_books(key: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    book = clients(key).fetch_order_book(symbol, 20)
    assert book["bids"][0][0] < book["asks"][0][0]
    middle = WORLD.last_price(listing, time.time_ns() - time.time_ns() % NS_PER_MINUTE)
    assert book["bids"][0][0] == pytest.approx(middle, rel=0.02)


@every
def test_funding(key: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    now_ns = time.time_ns()
    rows = clients(key).fetch_funding_rate_history(symbol, since=now_ns // NS_PER_MS - 3 * 86_400_000, limit=5)
    assert len(rows) >= 3
    for row in rows:
        at = round(row["timestamp"] / 60_000) * NS_PER_MINUTE
        ((stamp, rate),) = WORLD.funding(listing, at, at + 1)
        assert stamp == at
        if key == "deribit":
            continue  # ccxt reads the rate of eight hours
        assert row["fundingRate"] == pytest.approx(rate)


@pytest.mark.parametrize("key", ["bitget", "htx", "hyperliquid"])
def test_open_interest(key: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    before = WORLD.open_interest(listing, time.time_ns())
    told = clients(key).fetch_open_interest(symbol)["openInterestAmount"]
    after = WORLD.open_interest(listing, time.time_ns())
    scale = 2.0 if key == "htx" else 1.0  # HTX counts both sides
    assert told == pytest.approx(scale * before) or told == pytest.approx(scale * after)


@pytest.mark.parametrize(("key", "interval"), [("gate", "5m"), ("htx", "1h"), ("kucoin", "5m")])
def test_history_of_open_interest(key: str, interval: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    rows = clients(key).fetch_open_interest_history(symbol, interval)
    assert len(rows) >= 20
    for row in rows[:5]:
        held = WORLD.open_interest(listing, row["timestamp"] * NS_PER_MS)
        scale = 2.0 * listing.contract_size if key == "htx" else 1.0
        assert row["openInterestAmount"] == pytest.approx(scale * held)


@pytest.mark.parametrize("key", ["gate", "htx"])
def test_liquidations(key: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    rows = clients(key).fetch_liquidations(symbol)
    assert rows
    unit = 1000 if key == "gate" else 1
    for row in rows:
        at = row["timestamp"] * NS_PER_MS
        near = [
            p for p in WORLD.liquidations(listing, at, at + unit * NS_PER_MS) if p.quantity == pytest.approx(row["contracts"])
        ]
        assert near
        # ccxt tells the position's side of Gate and the order's side of HTX.
        sides = {p.position_side.value if key == "gate" else p.taker_side.value for p in near}
        assert {"long": "buy", "short": "sell"}.get(next(iter(sides)), next(iter(sides))) == row["side"] or len(sides) > 1


@pytest.mark.parametrize("key", ["gate", "bitget", "kucoin", "kraken"])
def test_margin_tables(key: str, clients: Callable[[str], Client]):
    _, listing, symbol = listing_of(key)
    rows = (
        clients(key).fetch_market_leverage_tiers(symbol)
        if key != "kraken"
        else clients(key).fetch_leverage_tiers([symbol])[symbol]
    )
    tiers = WORLD.tiers(listing)
    assert [row["maintenanceMarginRate"] for row in rows] == pytest.approx([tier.maintenance_margin_rate for tier in tiers])
    assert [row["minNotional"] for row in rows] == pytest.approx([tier.floor for tier in tiers])


@pytest.mark.parametrize("key", [key for key in CLIENTS if key != "hyperliquid"])  # there ccxt sends the name of the coin
def test_a_symbol_that_is_none_is_an_error_of_the_venue(key: str, clients: Callable[[str], Client]):
    client = clients(key)
    market = client.market(CLIENTS[key][2])
    real = market["id"]
    market["id"] = "NOTHING"
    try:
        with pytest.raises(ccxt.BaseError):
            assert client.fetch_order_book(CLIENTS[key][2], 20)["bids"]
    finally:
        market["id"] = real
