"""What goes wrong at Gate if it is read carelessly."""

from __future__ import annotations

import json

import pytest
from cases_gate import BTC, HEI, SPECS, VENUE, S, frame, liquidation, spec
from hypothesis import given
from hypothesis import strategies as st
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import Completeness, PositionSide, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Answer
from liqscape.venues.gate import parse


def _session():
    return VENUE.streams(SPECS)[0].session()


@given(
    contracts=st.integers(1, 10**6),
    tenths=st.integers(0, 9),
    long=st.booleans(),
    price=st.floats(1e-6, 1e6),
    ms=st.integers(0, 999),
    text=st.booleans(),
)
def test_stream_and_history_tell_one_event_as_the_same_record(
    contracts: int, tenths: int, long: bool, price: float, ms: int, text: bool
):
    # A long position of +size is closed by an order of -size: the stream signs the order, the history the position.
    size = float(f"{contracts}.{tenths}")
    order, position = (-size, size) if long else (size, -size)
    said = (lambda value: f"{value}") if text else (lambda value: value)
    pushed = frame(
        "public_liquidates", [{"contract": "HEI_USDT", "price": f"{price!r}", "size": said(order), "time": S * 1000 + ms}]
    )
    past = [
        {
            "time": S,
            "contract": "HEI_USDT",
            "size": said(position),
            "order_size": said(order),
            "order_price": f"{price!r}",
            "fill_price": "1",
            "left": 0,
        }
    ]
    live = _session().receive(pushed, RECV_NS).records
    assert live == parse.past_liquidations(json.dumps(past).encode(), SPECS, RECV_NS)
    side = PositionSide.LONG if long else PositionSide.SHORT
    assert live == [liquidation(HEI, side, price, size * 10.0)]


def test_the_day_of_the_new_regime_divides_what_is_complete():
    for at, told in ((parse.ALL_SINCE_NS - NS_PER_S, Completeness.THROTTLED), (parse.ALL_SINCE_NS, Completeness.ALL)):
        text = frame("public_liquidates", {"contract": "HEI_USDT", "price": "1", "size": -1, "time": at // 1_000_000})
        assert _session().receive(text, RECV_NS).records == [liquidation(HEI, PositionSide.LONG, 1.0, 10.0, at, told)]


def test_a_bad_row_costs_only_itself():
    rows = [
        {"contract": "HEI_USDT", "price": "1", "size": 0, "time": S},
        {"contract": "HEI_USDT", "price": "-1", "size": 5, "time": S},
        {"contract": "HEI_USDT", "price": "1", "size": 5, "time": 17},
        {"contract": "HEI_USDT", "price": "1", "size": 5, "time": S},
    ]
    found = _session().receive(frame("public_liquidates", rows), RECV_NS).records
    assert [one.context["field"] for one in found if isinstance(one, CorruptRecord)] == ["price, size", "price, size", "time"]
    assert found[3] == liquidation(HEI, PositionSide.SHORT, 1.0, 50.0)


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_fields_does_not_matter(turned: bool):
    held = json.loads(frame("public_liquidates", {"contract": "HEI_USDT", "price": "1", "size": 5, "time": S}))
    text = json.dumps(dict(reversed(held.items())) if turned else held)
    assert _session().receive(text.encode(), RECV_NS).records == [liquidation(HEI, PositionSide.SHORT, 1.0, 50.0)]


def test_a_ticker_that_does_not_exist_does_not_close_the_line_but_missing_liquidations_do():
    error = {"code": 2, "message": "unknown contract X"}
    for channel, refused in (("tickers", None), ("public_liquidates", "2.0 unknown contract X")):
        text = frame(channel, None, event="subscribe", error=error)
        found = _session().receive(text, RECV_NS)
        assert (found.records, found.data) == ([], False)
        assert (found.refused is None) == (refused is None)
    fine = frame("public_liquidates", {"status": "success"}, event="subscribe", error=None)
    assert _session().receive(fine, RECV_NS).refused is None
    assert _session().receive(frame("pong", None, event=""), RECV_NS).data is False


def test_messages_carry_the_time():
    liquidations, tickers = (json.loads(message) for message in _session().opening())
    assert liquidations == {
        "time": RECV_NS // NS_PER_S,
        "channel": "futures.public_liquidates",
        "event": "subscribe",
        "payload": ["!all"],
    }
    assert tickers["payload"] == ["BTC_USDT", "HEI_USDT"]
    assert json.loads(_session().heartbeat())["channel"] == "futures.ping"
    many = {f"C{i}_USDT": spec(f"C{i}_USDT", 1.0) for i in range(101)}
    streams = VENUE.streams(many)
    assert [len(stream.instruments) for stream in streams] == [100, 1]
    asked = [json.loads(message)["payload"] for message in streams[0].session().opening()]
    assert [len(part) for part in asked] == [1, 20, 20, 20, 20, 20], "one unknown contract fails its whole message"


def test_requests_ask_for_decimals_and_count_both_ends_in():
    start = S * NS_PER_S
    ask = VENUE.ask_bars(BTC, PriceKind.MARK, start, start + 5 * NS_PER_MINUTE)
    assert ask.request.headers == {"x-gate-size-decimal": "1"}
    assert ask.request.params == {
        "contract": "mark_BTC_USDT",
        "interval": "1m",
        "from": str(S),
        "to": str(S + 299),
    }
    assert VENUE.facts.page is not None
    assert all(one <= 2000 for one in VENUE.facts.page.values())


def test_past_prints_are_asked_for_by_hours_of_seconds_the_latest_first():
    end = S * NS_PER_S + 300_000_000
    start = end - 5 * NS_PER_HOUR // 2
    ask, spans = VENUE.ask_liquidations(HEI, start, end), []
    while ask is not None:
        spans.append((int(ask.request.params["from"]), int(ask.request.params["to"])))
        assert ask.more is not None
        ask = ask.more(b"[]")
    assert all(0 <= last - first <= 3600 for first, last in spans)
    assert spans[0][1] == S
    assert spans[-1][0] == start // NS_PER_S
    assert [last for _, last in spans[1:]] == [first for first, _ in spans[:-1]]


def test_a_full_answer_is_gone_on_with_from_its_oldest_print():
    end = S * NS_PER_S
    row = {"contract": "HEI_USDT", "size": 1, "order_price": "1", "fill_price": "1", "left": 0}
    full = json.dumps([{**row, "time": S - 1 - i // 2} for i in range(1000)]).encode()
    ask = VENUE.ask_liquidations(HEI, end - NS_PER_HOUR, end)
    assert ask.more is not None
    following = ask.more(full)
    assert following is not None
    assert int(following.request.params["to"]) == S - 500 - 1


def test_the_instant_of_the_reset_is_obeyed():
    headers = {"x-gate-ratelimit-reset-timestamp": str(RECV_NS // NS_PER_S + 7)}
    judged = VENUE.judge(429, headers, b'{"label":"TOO_MANY_REQUESTS"}')
    assert judged.answer is Answer.LIMITED
    assert judged.wait_s == pytest.approx(7.0, abs=1.0)
    assert VENUE.judge(429, {"x-gate-ratelimit-reset-timestamp": "soon"}, b"").wait_s is None
    assert VENUE.judge(403, {}, b"{}").answer is Answer.BANNED
    assert VENUE.judge(400, {}, b'{"label":"INVALID_PARAM_VALUE"}').answer is Answer.REFUSED
    assert VENUE.judge(200, {}, b"[]").answer is Answer.FINE


def test_tiers_go_on_while_a_page_is_full_of_markets():
    (ask,) = VENUE.ask_tiers(SPECS)
    assert ask.more is not None
    rows = [
        {"tier": 1, "risk_limit": "1", "maintenance_rate": "0.1", "leverage_max": "1", "contract": f"C{i // 2}_USDT"}
        for i in range(200)
    ]
    following = ask.more(json.dumps(rows).encode())
    assert following is not None
    assert following.request.params["offset"] == "100"
    assert ask.more(json.dumps(rows[:150]).encode()) is None


def test_contracts_whose_names_are_beyond_ascii_are_left_out():
    row = {"name": "BTC_USDT", "quanto_multiplier": "0.0001", "order_price_round": "0.1", "funding_interval": 3600}
    found = parse.instruments(json.dumps([{**row, "name": "龙虾_USDT"}, row]).encode(), RECV_NS)
    assert [one.id.symbol for one in found] == ["BTC_USDT"]  # type: ignore[union-attr]
