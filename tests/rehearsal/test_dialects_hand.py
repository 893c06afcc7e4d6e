"""What each rehearsed venue says of one bitcoin, long or short, liquidated at 60,000: numbers that a reader can redo."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from liqscape.model import ContractKind, TakerSide
from liqscape.testing.exchange import Asked, Dialect, Listing, Print, World, every_dialect
from liqscape.testing.virtual import START_NS
from liqscape.units import NS_PER_HOUR, NS_PER_S

AT = START_NS + 30 * NS_PER_S + 123_000_000  # 123 ms into a second
LONG, SHORT = TakerSide.SELL, TakerSide.BUY
NOW = START_NS + 60 * NS_PER_S
BEFORE = AT - 10 * NS_PER_S


class OnePrint(World):
    """A market in which one bitcoin of one side is liquidated: filled at 60,000, bankrupt at 59,800 (a short: 60,200)."""

    side = LONG
    number = 4

    def one(self, contract: Listing) -> Print:
        gone = 59_800.0 if self.side is LONG else 60_200.0
        quantity = 60_000.0 if contract.kind is ContractKind.INVERSE else 1.0 / contract.contract_size
        return Print(AT, self.side, 60_000.0, round(quantity, 8), self.number, gone)

    def liquidations(self, contract: Listing, start_ns: int, end_ns: int) -> list[Print]:
        return [self.one(contract)] if contract.base == "BTC" and start_ns <= AT < end_ns else []

    trades = liquidations


def market(key: str, side: TakerSide = LONG, number: int = 4) -> Dialect:
    world = OnePrint(1, ("BTC",))
    world.side, world.number = side, number
    return every_dialect(world, [key])[0]


def get(dialect: Dialect, path: str, host: int = 0, **query: Any) -> Any:
    asked = Asked(dialect.hosts[host], path, {name.rstrip("_"): str(value) for name, value in query.items()})
    return json.loads(dialect.rest(asked, NOW).body)


def pushed(dialect: Dialect, path: str, *messages: Any, host: int = 0) -> list[dict[str, Any]]:
    """Return what a socket says from shortly before the print to shortly after it."""
    talk = dialect.converse(Asked(dialect.hosts[host], path), BEFORE)
    assert talk is not None
    frames = talk.opening(BEFORE)
    for message in messages:
        frames += talk.receive(message if isinstance(message, str) else json.dumps(message), BEFORE)
    frames += [frame for _, frame in talk.frames(BEFORE, NOW)]
    read = [gzip.decompress(f).decode() if isinstance(f, bytes) else f for f in frames]
    return [json.loads(text) for text in read if text.startswith("{")]


def rows_of(frames: list[dict[str, Any]], where: Any) -> list[dict[str, Any]]:
    return [row for frame in frames for row in (where(frame) or [])]


@pytest.mark.parametrize(("side", "order", "position"), [(LONG, -10_000, 10_000), (SHORT, 10_000, -10_000)])
def test_gate_signs_the_order_on_the_socket_and_the_position_in_rest(side: TakerSide, order: int, position: int):
    dialect = market("gate", side)
    subscribe = {"time": 1, "channel": "futures.public_liquidates", "event": "subscribe", "payload": ["!all"]}
    frames = pushed(dialect, "/v4/ws/usdt", subscribe, host=1)
    assert frames[0]["result"] == {"status": "success"}
    # 10,000 contracts of 0.0001 BTC; the price is the order's; milliseconds
    price = "59800.0" if side is LONG else "60200.0"
    assert rows_of(frames[1:], lambda f: f["result"]) == [
        {"contract": "BTC_USDT", "price": price, "time": AT // 10**6, "size": order}
    ]
    assert get(dialect, "/api/v4/futures/usdt/liq_orders", contract="BTC_USDT") == [
        {
            "time": AT // 10**9,
            "contract": "BTC_USDT",
            "size": position,
            "order_size": order,
            "order_price": price,
            "fill_price": "60000.0",
            "left": 0,
        }
    ]
    stats = get(dialect, "/api/v4/futures/usdt/contract_stats", contract="BTC_USDT", interval="1h", limit=1)[0]
    mine = "long" if side is LONG else "short"
    assert (stats[f"{mine}_liq_size"], stats[f"{mine}_liq_amount"], stats[f"{mine}_liq_usd"]) == (10_000, 1.0, 60_000.0)


def test_gate_told_one_order_a_second_before_the_twentieth_of_august_and_not_in_a_list():
    dialect = market("gate")
    talk = dialect.converse(Asked("fx-ws.gateio.ws", "/v4/ws/usdt"), START_NS)
    contract = dialect.contracts["BTC_USDT"]
    three = [(contract, dialect.world.one(contract))] * 3  # type: ignore[attr-defined]
    before, since = 1_787_183_999 * NS_PER_S, 1_787_184_000 * NS_PER_S
    old = [json.loads(frame)["result"] for frame in talk._liquidations(before, three)]  # type: ignore[union-attr]
    new = [json.loads(frame)["result"] for frame in talk._liquidations(since, three)]  # type: ignore[union-attr]
    assert old == [{"contract": "BTC_USDT", "price": "59800.0", "time": AT // 10**6, "size": -10_000}]
    assert new == [old * 3]


@pytest.mark.parametrize(("side", "word"), [(LONG, "buy"), (SHORT, "sell")])
def test_bitget_tells_the_positions_side_and_dollars(side: TakerSide, word: str):
    dialect = market("bitget", side)
    row = {"symbol": "BTCUSDT", "side": word, "price": "60000.0", "amount": "60000", "ts": str(AT // 10**6)}
    subscribe = {"op": "subscribe", "args": [{"instType": "usdt-futures", "topic": "liquidation"}]}
    frames = pushed(dialect, "/v3/ws/public", subscribe, host=1)
    assert frames[0] == {"event": "subscribe", "arg": {"instType": "usdt-futures", "topic": "liquidation"}}
    assert rows_of(frames[1:], lambda f: f["data"]) == [row]
    assert frames[1]["ts"] - int(row["ts"]) > 5_000  # batched and late
    assert get(dialect, "/api/v3/market/liquidations", category="USDT-FUTURES")["data"] == {"list": [row], "cursor": ""}


@pytest.mark.parametrize(("side", "word", "price"), [(LONG, "sell", 59_800.0), (SHORT, "buy", 60_200.0)])
def test_htx_tells_contracts_and_coins_of_the_closing_order(side: TakerSide, word: str, price: float):
    dialect = market("htx", side)
    frames = pushed(dialect, "/linear-swap-notification", {"op": "sub", "cid": "1", "topic": "public.*.liquidation_orders"})
    assert frames[0]["err-code"] == 0
    rows = rows_of(frames[1:], lambda f: f.get("data"))
    names = ("direction", "offset", "volume", "price", "amount", "trade_turnover", "created_at")
    # 1,000 contracts of 0.001 BTC at the bankruptcy price
    assert [tuple(row[name] for name in names) for row in rows] == [(word, "close", 1000.0, price, 1.0, price, AT // 10**6)]
    assert [f for f in frames if f.get("op") == "ping"]
    kind = 5 if side is LONG else 6
    old = get(dialect, "/linear-swap-api/v3/swap_liquidation_orders", contract="BTC-USDT", trade_type=kind)["data"]
    assert [tuple(row[name] for name in names) for row in old] == [(word, "close", 1000.0, price, 1.0, price, AT // 10**6)]
    assert get(dialect, "/linear-swap-api/v3/swap_liquidation_orders", contract="BTC-USDT", trade_type=11 - kind)["data"] == []
    new = get(dialect, "/v5/market/liquidation_orders", contract_code="BTC-USDT")["data"][0]
    # contracts stand in both fields: the trap of the newer answer
    assert (new["volume"], new["amount"], new["position_side"]) == ("1000", "1000", "long" if side is LONG else "short")


def test_htx_counts_both_sides():
    dialect = market("htx")
    one_side = dialect.world.open_interest(dialect.contracts["BTC-USDT"], NOW)
    told = get(dialect, "/linear-swap-api/v1/swap_open_interest", contract_code="BTC-USDT")["data"][0]
    assert told["volume"] == 2 * one_side
    assert told["amount"] == pytest.approx(2 * one_side * 0.001)
    past = get(dialect, "/linear-swap-api/v1/swap_his_open_interest", contract_code="BTC-USDT", period="60min", amount_type=2)
    newest = past["data"]["tick"][0]
    then = dialect.world.open_interest(dialect.contracts["BTC-USDT"], newest["ts"] * 10**6)
    assert newest["volume"] == pytest.approx(2 * then * 0.001)


@pytest.mark.parametrize(("side", "word", "price"), [(LONG, "Sell", 59_800.0), (SHORT, "Buy", 60_200.0)])
def test_bitmex_inserts_shrinks_and_deletes_an_order_without_a_time(side: TakerSide, word: str, price: float):
    dialect = market("bitmex", side)
    frames = pushed(dialect, "/realtime", {"op": "subscribe", "args": ["liquidation:XBTUSDT"]}, host=1)
    assert frames[0]["info"].startswith("Welcome")
    assert frames[1]["success"]
    assert [frame["action"] for frame in frames[2:]] == ["partial", "insert", "update", "delete"]
    insert, update, delete = (frame["data"][0] for frame in frames[3:])
    # a millionth of a bitcoin a contract
    assert {name: insert[name] for name in ("side", "price", "leavesQty")} == {
        "side": word,
        "price": price,
        "leavesQty": 1_000_000,
    }
    assert (update["leavesQty"], update["orderID"], delete["orderID"]) == (500_000, insert["orderID"], insert["orderID"])
    assert not any("time" in name for name in insert)
    inverse = pushed(dialect, "/realtime", {"op": "subscribe", "args": ["liquidation:XBTUSD"]}, host=1)
    assert inverse[3]["data"][0]["leavesQty"] == 60_000  # dollars


@pytest.mark.parametrize(
    ("side", "number", "mark", "direction"),
    [(LONG, 4, "T", "sell"), (SHORT, 4, "T", "buy"), (LONG, 7, "M", "buy"), (SHORT, 7, "M", "sell")],
)
def test_deribit_marks_who_was_liquidated(side: TakerSide, number: int, mark: str, direction: str):
    dialect = market("deribit", side, number)
    channels = ["trades.BTC-PERPETUAL.100ms", "trades.BTC_USDC-PERPETUAL.100ms"]
    call = {"jsonrpc": "2.0", "id": 3, "method": "public/subscribe", "params": {"channels": channels}}
    frames = pushed(dialect, "/ws/api/v2", call)
    assert (frames[0]["id"], frames[0]["result"]) == (3, channels)
    rows = rows_of(frames[1:], lambda f: f["params"]["data"])
    told = {row["instrument_name"]: (row["liquidation"], row["direction"], row["amount"], row["price"]) for row in rows}
    # dollars of the inverse contract, coins of the linear one
    assert told["BTC-PERPETUAL"] == (mark, direction, 60_000.0, 60_000.0)
    assert told["BTC_USDC-PERPETUAL"] == (mark, direction, 1.0, 60_000.0)


def test_deribit_keeps_raw_channels_for_those_with_a_key():
    call = {"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": {"channels": ["trades.BTC-PERPETUAL.raw"]}}
    assert pushed(market("deribit"), "/ws/api/v2", call)[0]["error"]["code"] == 13778


@pytest.mark.parametrize(("side", "word"), [(LONG, "sell"), (SHORT, "buy")])
def test_kraken_has_another_type_of_trade(side: TakerSide, word: str):
    dialect = market("kraken", side)
    frames = pushed(dialect, "/ws/v1", {"event": "subscribe", "feed": "trade", "product_ids": ["PF_XBTUSD", "PI_XBTUSD"]})
    trades = {f["product_id"]: (f["type"], f["side"], f["qty"], f["price"]) for f in frames if f.get("type") == "liquidation"}
    assert trades == {
        "PF_XBTUSD": ("liquidation", word, 1.0, 60_000.0),
        "PI_XBTUSD": ("liquidation", word, 60_000.0, 60_000.0),
    }
    assert [f["event"] for f in frames if "event" in f] == ["info", "subscribed", "subscribed"]
    old = get(dialect, "/derivatives/api/v3/history", symbol="PF_XBTUSD")["history"]
    assert [(row["type"], row["side"], row["size"]) for row in old] == [("liquidation", word, 1.0)]


def test_kraken_tells_funding_as_money_and_as_a_fraction():
    dialect = market("kraken")
    for symbol in ("PF_XBTUSD", "PI_XBTUSD"):
        quote = dialect.world.ticker(dialect.contracts[symbol], NOW)
        rows = get(dialect, "/derivatives/api/v3/tickers")["tickers"]
        rate = next(row["fundingRate"] for row in rows if row["symbol"] == symbol)
        # dollars per coin and hour, or coins per dollar and hour
        back = rate / quote.index if symbol == "PF_XBTUSD" else rate * quote.index
        assert back == pytest.approx(quote.funding_rate)


@pytest.mark.parametrize(("side", "way", "letter"), [(LONG, "Long", "A"), (SHORT, "Short", "B")])
def test_hyperliquid_tells_only_those_who_took_part(side: TakerSide, way: str, letter: str):
    dialect = market("hyperliquid", side)
    subscribe = {"method": "subscribe", "subscription": {"type": "trades", "coin": "BTC"}}
    trade = pushed(dialect, "/ws", subscribe)[-1]["data"][0]
    assert (trade["side"], trade["px"], trade["sz"]) == (letter, "60000.0", "1.00000")
    assert "liquidation" not in trade
    buyer, seller = trade["users"]
    loser, other = (seller, buyer) if side is LONG else (buyer, seller)
    for user in (loser, other):
        body = json.dumps({"type": "userFillsByTime", "user": user, "startTime": START_NS // 10**6}).encode()
        fills = json.loads(dialect.rest(Asked("api.hyperliquid.xyz", "/info", {}, "POST", {}, body), NOW).body)
        assert [fill["liquidation"]["liquidatedUser"] for fill in fills] == [loser]
        assert (fills[0]["dir"] == f"Liquidated Cross {way}") is (user == loser)


def test_open_interest_is_told_in_each_venues_unit():
    units = {
        "gate": ("/api/v4/futures/usdt/tickers", {"contract": "BTC_USDT"}, lambda a: float(a[0]["total_size"]) * 0.0001),
        "mexc": ("/api/v1/contract/ticker", {"symbol": "BTC_USDT"}, lambda a: a["data"]["holdVol"] * 0.0001),
        "kucoin": ("/api/v1/contracts/XBTUSDTM", {}, lambda a: float(a["data"]["openInterest"]) * 0.001),
        "bitmex": ("/api/v1/instrument", {"symbol": "XBTUSDT"}, lambda a: a[0]["openInterest"] / 1e6),
        "bitget": (
            "/api/v2/mix/market/open-interest",
            {"symbol": "BTCUSDT", "productType": "USDT-FUTURES"},
            lambda a: float(a["data"]["openInterestList"][0]["size"]),
        ),
        "deribit": ("/api/v2/public/ticker", {"instrument_name": "BTC_USDC-PERPETUAL"}, lambda a: a["result"]["open_interest"]),
    }
    for key, (path, query, read) in units.items():
        dialect = market(key)
        symbol = {"kucoin": "XBTUSDTM"}.get(key) or next(iter(query.values()))
        listing = dialect.contracts[symbol]
        coins = dialect.world.open_interest(listing, NOW) * listing.contract_size
        assert read(get(dialect, path, **query)) == pytest.approx(coins), key


def test_accounts_of_hyperliquid_sum_to_the_share_that_is_stated():
    from liqscape.testing.exchange.dialects.hyperliquid_accounts import LONG_SHARE, POOL_PARTS, SHORT_SHARE

    world = World(3)
    dialect = every_dialect(world, ["hyperliquid"])[0]
    hour = START_NS - START_NS % NS_PER_HOUR
    accounts = dialect.accounts.at(hour)  # type: ignore[attr-defined]
    for contract in dialect.contracts.values():
        sizes = [h.size for a in accounts.values() if a.address not in POOL_PARTS for h in a.holdings if h.contract is contract]
        interest = world.open_interest(contract, hour)
        assert sum(s for s in sizes if s > 0) == pytest.approx(LONG_SHARE * interest, rel=1e-3)
        assert -sum(s for s in sizes if s < 0) == pytest.approx(SHORT_SHARE * interest, rel=1e-3)
