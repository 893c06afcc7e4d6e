"""What goes wrong at Bitget if it is read carelessly."""

from __future__ import annotations

import json

import pytest
from cases_bitget import APE, BTC, SPECS, VENUE, T, answer, frame, liquidation, row, spec
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import Kind, Liquidation, PositionSide, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Answer


def _session():
    return VENUE.streams(SPECS)[0].session()


def test_the_recorded_amount_is_quote_83_point_1_coins_exactly():
    found = _session().receive(frame({"topic": "liquidation"}, [row("APEUSDT", "buy", "0.1649", "13.70319")]), RECV_NS)
    (one,) = found.records
    assert isinstance(one, Liquidation)
    assert one.quantity_base == pytest.approx(83.1, rel=1e-12)
    assert one.quantity_base * one.price == pytest.approx(13.70319, rel=1e-12)
    assert one.position_side is PositionSide.LONG


def test_prints_are_older_than_their_frame_and_a_gap_begins_as_much_earlier():
    text = frame({"topic": "liquidation"}, [row("APEUSDT", "buy", "0.5", "500", T - 20_000)], ts=T)
    (one,) = _session().receive(text, RECV_NS).records
    assert isinstance(one, Liquidation)
    assert one.ts_venue == (T - 20_000) * 1_000_000
    assert VENUE.facts.late_s * NS_PER_S > T * 1_000_000 - one.ts_venue


def test_a_bad_print_costs_only_itself():
    rows = [row("APEUSDT", "short", "1", "1"), row("APEUSDT", "sell", "0", "1"), row("BTCUSDT", "sell", "100000", "50000")]
    found = _session().receive(frame({"topic": "liquidation"}, list(rows)), RECV_NS).records
    assert [one.context["field"] for one in found if isinstance(one, CorruptRecord)] == ["side", "price, amount"]
    assert found[2] == liquidation(BTC, PositionSide.SHORT, 100_000.0, 0.5)


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_fields_does_not_matter(turned: bool):
    held = json.loads(frame({"topic": "liquidation"}, [row("APEUSDT", "sell", "0.5", "500")]))
    text = json.dumps(dict(reversed(held.items())) if turned else held)
    assert _session().receive(text.encode(), RECV_NS).records == [liquidation(APE, PositionSide.SHORT, 0.5, 1000.0)]


def test_messages_are_short_and_liquidations_come_first():
    many = {f"C{i:03}USDT": spec(f"C{i:03}USDT") for i in range(100)}
    streams = VENUE.streams(many)
    assert [len(stream.instruments) for stream in streams] == [45, 45, 10]
    for stream in streams:
        messages = stream.session().opening()
        assert json.loads(messages[0])["args"] == [{"instType": "usdt-futures", "topic": "liquidation"}]
        assert all(len(message) < 4096 for message in messages)
    assert streams[0].session().heartbeat() == "ping"
    assert streams[0].session().receive("pong", RECV_NS).data is False


def test_a_ticker_that_does_not_exist_does_not_close_the_line_but_missing_liquidations_do():
    said = {"event": "error", "code": 30001, "msg": "doesn't exist"}
    for topic, refused in (("ticker", None), ("liquidation", "30001 doesn't exist")):
        text = json.dumps({**said, "arg": {"instType": "usdt-futures", "topic": topic, "symbol": "X"}})
        assert _session().receive(text, RECV_NS).refused == refused


def test_candles_older_than_a_month_are_in_other_archives():
    for age, last, mark in (
        (NS_PER_HOUR, "candles", "candles"),
        (40 * NS_PER_DAY, "history-candles", "history-mark-candles"),
    ):
        start = RECV_NS - age
        for kind, path in ((PriceKind.LAST, last), (PriceKind.MARK, mark)):
            ask = VENUE.ask_bars(BTC, kind, start, start + NS_PER_HOUR)
            assert ask.request.path == f"/api/v2/mix/market/{path}"
            assert ask.request.params.get("kLineType") == ("MARK" if path == "candles" and kind is PriceKind.MARK else None)


def test_what_a_page_has_too_much_is_left_out():
    start = T * 1_000_000
    ask = VENUE.ask_bars(BTC, PriceKind.LAST, start, start + NS_PER_MINUTE)
    rows = [[str(T + i * 60_000), "1", "1", "1", "1", "1", "1"] for i in (-1, 0, 1)]
    found = ask.parse(answer(rows).encode(), start + NS_PER_HOUR)
    assert [one.ts_venue for one in found if not isinstance(one, CorruptRecord)] == [start]


def test_past_prints_follow_the_cursor_until_the_start():
    end = T * 1_000_000
    ask = VENUE.ask_liquidations(APE, end - NS_PER_HOUR, end)
    assert ask.request.path == "/api/v3/market/liquidations"
    assert ask.more is not None
    page = answer({"list": [row("APEUSDT", "sell", "0.5", "500", T - 1000)], "cursor": "41"}).encode()
    following = ask.more(page)
    assert following is not None
    assert following.request.params["cursor"] == "41"
    assert following.more is not None
    assert following.more(page) is None, "a cursor that does not move ends it"
    old = answer({"list": [row("APEUSDT", "sell", "0.5", "500", T - 3_700_000)], "cursor": "42"}).encode()
    assert following.more(old) is None
    assert following.parse(old, RECV_NS) == []
    assert ask.more(answer({"list": [], "cursor": ""}).encode()) is None


def test_funding_is_asked_for_by_pages():
    end = T * 1_000_000
    ask = VENUE.ask_funding(BTC, end - 60 * NS_PER_DAY, end)
    rows = [{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingTime": str(T - i * 28_800_000)} for i in range(100)]
    assert ask.more is not None
    following = ask.more(answer(rows).encode())
    assert following is not None
    assert following.request.params["pageNo"] == "2"
    assert ask.more(answer(rows[:99]).encode()) is None
    assert VENUE.ask_funding(BTC, end - 10 * NS_PER_DAY, end).more(answer(rows).encode()) is None  # type: ignore[misc]


def test_ratios_have_a_narrow_limit_of_their_own():
    (ask,) = VENUE.ask_ratios(BTC, RECV_NS - NS_PER_HOUR, RECV_NS)
    assert ask.kind is Kind.RATIOS
    assert dict(ask.request.costs) == {"ratios": 1, "ip": 1}
    assert (VENUE.facts.buckets["ratios"].capacity, VENUE.facts.buckets["ratios"].per_s) == (1, 1)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (200, "00000", Answer.FINE),
        (200, "429", Answer.LIMITED),
        (429, "429", Answer.LIMITED),
        (200, "40200", Answer.BUSY),
        (400, "40034", Answer.REFUSED),
        (200, "40034", Answer.REFUSED),
    ],
)
def test_refusals_hide_in_the_code(status: int, code: str, expected: Answer):
    body = json.dumps({"code": code, "msg": "words", "requestTime": T, "data": None}).encode()
    assert VENUE.judge(status, {}, body).answer is expected
