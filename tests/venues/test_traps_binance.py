"""What goes wrong with Binance if one does not know it: silent paths, two products in one stream, units, weights, bans."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from cases_binance import BTC, BTC_USD, ETH_USD, INVERSE, LINEAR, order, print_of
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import InstrumentSpec, Kind, LiquidationPriceKind, PositionSide, PriceKind, Ticker, describe
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.base import Answer, Ask
from liqscape.venues.binance_coinm import BinanceCoinm
from liqscape.venues.binance_usdm import BinanceUsdm

USDM, COINM = BinanceUsdm(), BinanceCoinm()
EVERY = LINEAR | INVERSE


def _one(found: list[object]) -> object:
    (record,) = found
    return record


def _received(venue: BinanceUsdm, specs: dict[str, InstrumentSpec], frame: str) -> list[object]:
    return list(venue.streams(specs)[0].session().receive(frame, RECV_NS).records)


def test_liquidations_are_asked_for_on_the_path_that_delivers_them():
    (stream,) = USDM.streams(LINEAR)
    parts = urlsplit(stream.path)
    # On any other path the socket opens, acknowledges and never sends anything.
    assert parts.path == "/market/stream"
    assert "!forceOrder@arr" in parse_qs(parts.query)["streams"][0].split("/")


@pytest.mark.parametrize("venue", [USDM, COINM], ids=["usdm", "coinm"])
def test_a_silent_path_is_noticed_by_the_marks_beside_it(venue: BinanceUsdm):
    specs = LINEAR if venue is USDM else INVERSE
    (stream,) = venue.streams(specs)
    assert Kind.LIQUIDATIONS in stream.kinds
    assert stream.data_silence_s == 10.0
    assert "markPrice@1s" in stream.path or "markPrice@arr@1s" in stream.path
    session = stream.session()
    acknowledged = session.receive('{"result":null,"id":1}', RECV_NS)
    assert (acknowledged.data, acknowledged.records) == (False, [])
    other = session.receive('{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1789999980000}}', RECV_NS)
    assert (other.data, other.records) == (True, [])
    # A refusal is said out loud.
    refused = session.receive('{"error":{"code":2,"msg":"Invalid request: unknown"},"id":1}', RECV_NS)
    assert refused.refused == "2 Invalid request: unknown"


def test_coin_margined_streams_are_not_split_by_path():
    (stream,) = COINM.streams(INVERSE)
    assert stream.path == "/stream?streams=!forceOrder@arr/btcusd_perp@markPrice@1s/ethusd_perp@markPrice@1s"


def test_one_stream_of_both_products_is_counted_once_and_in_the_right_unit():
    frames = [
        order("BTCUSDT", "SELL", "0.5", "99000", st=1, ps="BTCUSDT"),
        order("BTCUSD_PERP", "SELL", "990", "99000", st=2, ps="BTCUSD"),
        order("ETHUSD_PERP", "BUY", "800", "4000"),  # before 2026-06-30 there was no st
        order("BTCUSD_261225", "SELL", "3", "99000", st=2),  # a quarterly contract: nobody's
    ]
    usdm = [record for frame in frames for record in _received(USDM, LINEAR, frame)]
    coinm = [record for frame in frames for record in _received(COINM, INVERSE, frame)]
    assert usdm == [print_of(BTC, PositionSide.LONG, 99_000.0, 0.5)]
    assert coinm == [
        print_of(BTC_USD, PositionSide.LONG, 99_000.0, 1.0),
        print_of(ETH_USD, PositionSide.SHORT, 4_000.0, 2.0),
    ]


def test_a_symbol_that_contradicts_its_product_is_refused():
    wrong = _one(_received(USDM, LINEAR, order("BTCUSDT", "SELL", "0.5", "99000", st=2)))
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == "st"


def test_the_quantity_is_what_was_filled_in_all_never_the_last_fill():
    # A recorded oddity: the last fill is larger than the sum.
    frame = order("BTCUSDT", "BUY", "0.014", "4706.04", p="4793.91")
    assert json.loads(frame)["data"]["o"]["l"] == "777"
    record = _one(_received(USDM, LINEAR, frame))
    assert record == print_of(BTC, PositionSide.SHORT, 4_706.04, 0.014)


@pytest.mark.parametrize("ap", [None, "0", "0.0000"])
def test_without_an_average_price_the_limit_is_named_as_what_it_is(ap: str | None):
    record = _one(_received(USDM, LINEAR, order("BTCUSDT", "SELL", "1", ap, p="98000")))
    assert record == print_of(BTC, PositionSide.LONG, 98_000.0, 1.0, LiquidationPriceKind.ORDER_LIMIT)


def test_an_order_of_which_nothing_was_filled_closed_nothing():
    assert _received(USDM, LINEAR, order("BTCUSDT", "SELL", "0", "0")) == []


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        (order("BTCUSDT", "HOLD", "1", "99000"), "S"),
        (order("BTCUSDT", "SELL", "-1", "99000"), "z"),
        (order("BTCUSDT", "SELL", "1", "-5"), "ap"),
        (order("BTCUSDT", "SELL", "1", "nan"), "ap"),
        (order("BTCUSDT", "SELL", "1", None, p="0"), "p"),
    ],
)
def test_what_cannot_be_true_is_refused_by_field(frame: str, field: str):
    wrong = _one(_received(USDM, LINEAR, frame))
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == field


def test_frames_are_told_apart_however_they_are_spaced_and_typed():
    frame = order("BTCUSDT", "SELL", "0.5", "99000")
    packed = json.dumps(json.loads(frame), separators=(",", ":"))
    session = USDM.streams(LINEAR)[0].session()
    assert session.receive(frame, RECV_NS) == session.receive(packed, RECV_NS) == session.receive(packed.encode(), RECV_NS)


def test_bars_cost_by_the_rows_they_ask_for():
    spec = LINEAR["BTCUSDT"]
    start = RECV_NS - NS_PER_DAY

    def asked(minutes: int) -> tuple[str, float]:
        ask = USDM.ask_bars(spec, PriceKind.MARK, start, start + minutes * NS_PER_MINUTE)
        ((bucket, weight),) = ask.request.costs
        assert bucket == "weight"
        return ask.request.params["limit"], weight

    assert asked(1) == ("1", 1)
    assert asked(99) == ("99", 1)
    assert asked(100) == ("100", 2)
    assert asked(USDM.facts.page[Kind.MARK_BARS]) == ("499", 2)


def test_the_interval_ends_before_its_end():
    spec = LINEAR["BTCUSDT"]
    params = USDM.ask_bars(spec, PriceKind.LAST, RECV_NS, RECV_NS + 2 * NS_PER_MINUTE).request.params
    # Binance includes endTime; a bar that starts at the end belongs to the next page.
    assert int(params["endTime"]) - int(params["startTime"]) == 2 * 60_000 - 1
    assert params["limit"] == "2"


def test_archives_of_statistics_have_a_bucket_and_a_reach_of_their_own():
    spec, start = LINEAR["BTCUSDT"], RECV_NS - NS_PER_DAY
    ask = USDM.ask_open_interest(spec, start, RECV_NS)
    assert ask.request.path == "/futures/data/openInterestHist"
    assert ask.request.costs == (("data", 1),)
    assert (USDM.facts.buckets["data"].capacity, USDM.facts.buckets["data"].per_s) == (1000, 300)
    # Thirty days are kept; a request that is a minute on its way must not fall behind them.
    assert 29 * NS_PER_DAY < USDM.facts.history_ns[Kind.OPEN_INTEREST] < 30 * NS_PER_DAY


def test_coin_margined_statistics_are_asked_for_by_pair():
    spec = INVERSE["BTCUSD_PERP"]
    interest = COINM.ask_open_interest(spec, RECV_NS - NS_PER_DAY, RECV_NS).request.params
    assert (interest["pair"], interest["contractType"], "symbol" in interest) == ("BTCUSD", "PERPETUAL", False)
    for ask in COINM.ask_ratios(spec, RECV_NS - NS_PER_DAY, RECV_NS):
        assert (ask.request.params["pair"], "contractType" in ask.request.params) == ("BTCUSD", False)


def _more(ask: Ask, body: str) -> Ask:
    assert ask.more is not None
    following = ask.more(body.encode())
    assert following is not None
    return following


def test_coin_margined_open_interest_takes_the_price_from_the_answer_before():
    ask = COINM.ask_tickers({"BTCUSD_PERP": INVERSE["BTCUSD_PERP"]})[1]
    premium = json.dumps([{"symbol": "BTCUSD_PERP", "markPrice": "50000", "time": 1_789_999_980_000}])
    following = _more(ask, premium)
    assert following.request.path == "/dapi/v1/openInterest"
    record = _one(list(following.parse(b'{"symbol":"BTCUSD_PERP","openInterest":"1000","time":1789999980000}', RECV_NS)))
    assert isinstance(record, Ticker)
    assert record.open_interest_base == 2.0  # 1,000 contracts of 100 USD at 50,000
    assert ask.more is not None
    assert ask.more(b"[]") is None


def test_funding_intervals_other_than_eight_hours_come_from_a_second_answer():
    (ask,) = USDM.ask_instruments()
    row = {"contractType": "PERPETUAL", "status": "TRADING", "quoteAsset": "USDT", "filters": []}
    info = {"symbols": [{**row, "symbol": f"{base}USDT", "baseAsset": base} for base in ("BTC", "SOL", "XRP")]}
    first = ask.parse(json.dumps(info).encode(), RECV_NS)
    following = _more(ask, json.dumps(info))
    rows = [("SOLUSDT", 4), ("XRPUSDT", 8), ("GONEUSDT", 1)]
    intervals = json.dumps([{"symbol": symbol, "fundingIntervalHours": hours} for symbol, hours in rows])
    second = following.parse(intervals.encode(), RECV_NS)
    found = {spec.id.symbol: spec.funding_interval_ns for spec in first + second if isinstance(spec, InstrumentSpec)}
    assert found == {"BTCUSDT": 8 * NS_PER_HOUR, "SOLUSDT": 4 * NS_PER_HOUR, "XRPUSDT": 8 * NS_PER_HOUR}
    assert len(second) == 1


def test_contracts_priced_in_no_dollar_are_left_out():
    (ask,) = USDM.ask_instruments()
    row = {"contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "ETH"}
    rows = [{**row, "symbol": f"ETH{quote}", "quoteAsset": quote} for quote in ("USDT", "BTC", "U", "USD1", "USDC")]
    found = ask.parse(json.dumps({"symbols": rows}).encode(), RECV_NS)
    specs = [spec for spec in found if isinstance(spec, InstrumentSpec)]
    assert [spec.quote for spec in specs] == ["USDT", "USD1", "USDC"]
    # Elsewhere in the house a symbol alone must say the same.
    assert [(describe(spec.id).base, describe(spec.id).quote) for spec in specs] == [("ETH", spec.quote) for spec in specs]


def test_dated_contracts_are_no_perpetuals():
    (ask,) = USDM.ask_instruments()
    row = {"symbol": "BTCUSDT_261225", "contractType": "CURRENT_QUARTER", "status": "TRADING", "baseAsset": "BTC"}
    (spec,) = ask.parse(json.dumps({"symbols": [{**row, "quoteAsset": "USDT"}]}).encode(), RECV_NS)
    assert isinstance(spec, InstrumentSpec)
    assert (spec.perpetual, spec.funding_interval_ns) == (False, None)


@pytest.mark.parametrize(
    ("status", "headers", "body", "answer", "wait_s"),
    [
        (200, {}, b"[]", Answer.FINE, None),
        (429, {"retry-after": "7"}, b'{"code":-1003,"msg":"Too many requests"}', Answer.LIMITED, 7.0),
        (418, {"retry-after": "1800"}, b'{"code":-1003}', Answer.BANNED, 1800.0),
        (403, {}, b"<html>the website wants a browser</html>", Answer.REFUSED, None),
        (400, {}, b'{"code":-1130,"msg":"parameter startTime is invalid."}', Answer.REFUSED, None),
        (401, {}, b'{"code":-2014,"msg":"API-key format invalid."}', Answer.REFUSED, None),
        (503, {}, b"", Answer.BUSY, None),
        (200, {}, b'{"code":"000000","data":{"brackets":[]},"success":true}', Answer.FINE, None),
        (200, {}, b'{"code":"100001","message":"closed","data":null,"success":false}', Answer.REFUSED, None),
    ],
)
def test_answers_are_judged(status: int, headers: dict[str, str], body: bytes, answer: Answer, wait_s: float | None):
    judged = USDM.judge(status, headers, body)
    assert (judged.answer, judged.wait_s) == (answer, wait_s)


def test_the_margin_table_comes_from_the_website_without_our_symbols_it_is_none():
    (ask,) = USDM.ask_tiers(EVERY)
    assert (ask.request.host, ask.request.method) == ("web", "GET")
    assert ask.parse(b'{"data":{"brackets":[{"symbol":"XUSDT","riskBrackets":[]}]}}', RECV_NS) == []
    gap = [
        {"bracketNotionalFloor": floor, "bracketNotionalCap": floor + 5, "bracketMaintenanceMarginRate": 0.01} for floor in (0, 9)
    ]
    body = json.dumps({"data": {"brackets": [{"symbol": "BTCUSDT", "riskBrackets": gap}]}}).encode()
    wrong = _one(list(ask.parse(body, RECV_NS)))
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == "bracketNotionalFloor"
