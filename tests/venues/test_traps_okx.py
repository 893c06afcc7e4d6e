"""What goes wrong at OKX if it is read carelessly."""

from __future__ import annotations

import json

import pytest
from cases_okx import INVERSE, LINEAR, SPECS, VENUE, T, detail, frame, liquidation, printed, spec
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import ContractKind, PositionSide, PriceKind
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.base import Answer
from liqscape.venues.okx import Okx, parse


def _session():
    return VENUE.streams(SPECS)[0].session()


def test_a_bad_detail_costs_only_itself():
    text = printed(
        ("BTC-USDT-SWAP", [detail("buy", "long", "101000", "13"), detail("sell", "long", "99000", "100")]),
        ("BTC-USD-SWAP", [detail("hold", "", "1", "1"), detail("sell", "net", "0", "5"), detail("buy", "", "100000", "1000")]),
    )
    found = _session().receive(text, RECV_NS)
    assert found.data
    errors = [one for one in found.records if isinstance(one, CorruptRecord)]
    assert [one.context["field"] for one in errors] == ["side", "side", "bkPx, sz"]
    assert "buy of long" in errors[0].message
    assert [one for one in found.records if not isinstance(one, CorruptRecord)] == [
        liquidation(LINEAR, PositionSide.LONG, 99_000.0, 1.0),
        liquidation(INVERSE, PositionSide.SHORT, 100_000.0, 1.0),
    ]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_fields_and_blanks_do_not_matter(separators: tuple[str, str], turned: bool):
    held = json.loads(printed(("BTC-USDT-SWAP", [detail("sell", "long", "99000", "100")])))
    text = json.dumps(dict(reversed(held.items())) if turned else held, separators=separators)
    expected = [liquidation(LINEAR, PositionSide.LONG, 99_000.0, 1.0)]
    assert _session().receive(text, RECV_NS).records == expected
    assert _session().receive(text.encode(), RECV_NS).records == expected


def test_liquidations_are_asked_for_first_and_once_and_an_index_by_its_own_name():
    first, second = (json.loads(message) for message in _session().opening())
    assert first == {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]}
    assert {"channel": "index-tickers", "instId": "BTC-USD"} in second["args"]
    assert {"channel": "mark-price", "instId": "BTC-USD-SWAP"} in second["args"]
    many = {f"C{i}-USDT-SWAP": spec(f"C{i}-USDT-SWAP", ContractKind.LINEAR, 1.0) for i in range(250)}
    streams = VENUE.streams(many)
    assert [len(stream.instruments) for stream in streams] == [100, 100, 50]
    assert all(len(message) < 64_000 for stream in streams for message in stream.session().opening())


def test_words_and_acknowledgements_are_no_data():
    session = _session()
    assert session.heartbeat() == "ping"
    for text in ("pong", '{"event":"subscribe","arg":{"channel":"mark-price","instId":"BTC-USDT-SWAP"},"connId":"a"}'):
        found = session.receive(text, RECV_NS)
        assert (found.records, found.data, found.refused) == ([], False, None)


def test_a_ticker_that_does_not_exist_does_not_close_the_line_but_missing_liquidations_do():
    words = "Wrong URL or channel:{},instId:X doesn't exist. Please use the correct URL, channel and parameters."
    said = {"event": "error", "code": "60018", "connId": "a"}
    quiet = _session().receive(json.dumps({**said, "msg": words.format("index-tickers")}), RECV_NS)
    assert quiet.refused is None
    loud = _session().receive(json.dumps({**said, "msg": words.format("liquidation-orders")}), RECV_NS)
    assert loud.refused is not None
    assert "60018" in loud.refused


def test_old_candles_are_in_another_archive():
    for kind, now, old in (
        (PriceKind.LAST, "candles", "history-candles"),
        (PriceKind.MARK, "mark-price-candles", "history-mark-price-candles"),
    ):
        for age_ns, path in ((NS_PER_HOUR, now), (2 * NS_PER_DAY, old)):
            start = RECV_NS - age_ns
            ask = VENUE.ask_bars(LINEAR, kind, start, start + NS_PER_HOUR)
            assert ask.request.path == f"/api/v5/market/{path}"


def test_the_edges_of_a_page_belong_to_it_though_before_and_after_leave_theirs_out():
    start = T * 1_000_000
    ask = VENUE.ask_bars(LINEAR, PriceKind.LAST, start, start + 2 * NS_PER_MINUTE)
    assert (ask.request.params["before"], ask.request.params["after"]) == (str(T - 1), str(T + 120_000))
    rows = [[str(T + i * 60_000), "1", "1", "1", "1", "1", "1", "1", "1"] for i in (2, 1, 0, -1)]
    found = ask.parse(json.dumps({"code": "0", "msg": "", "data": rows}).encode(), start + NS_PER_HOUR)
    assert [one.ts_venue for one in found if not isinstance(one, CorruptRecord)] == [start, start + NS_PER_MINUTE]


def test_past_prints_are_asked_for_page_by_page_until_the_start():
    end = T * 1_000_000
    ask = VENUE.ask_liquidations(LINEAR, end - NS_PER_HOUR, end)
    page = printed(("BTC-USDT-SWAP", [detail("sell", "long", "1", "1", T - i * 600_000) for i in (1, 2)]))
    assert ask.more is not None
    following = ask.more(page.encode())
    assert following is not None
    assert following.request.params["after"] == str(T - 1_200_000)
    last = printed(("BTC-USDT-SWAP", [detail("sell", "long", "1", "1", T - 3_700_000)]))
    assert following.more is not None
    assert following.more(last.encode()) is None
    assert following.more(b'{"code":"0","msg":"","data":[]}') is None
    assert following.parse(last.encode(), RECV_NS) == []


def test_a_contract_in_an_unknown_unit_is_refused_and_other_families_are_left_out():
    row = {
        "instId": "BTC-USDT-SWAP",
        "instType": "SWAP",
        "instFamily": "BTC-USDT",
        "state": "live",
        "ctType": "linear",
        "ctVal": "1",
        "ctMult": "1",
        "ctValCcy": "USDT",
        "tickSz": "0.1",
    }
    odd = {**row, "instId": "BTC-USD_UM-SWAP", "instFamily": "BTC-USD_UM", "ctValCcy": "BTC"}
    early = {**row, "instId": "NEW-USDT-SWAP", "instFamily": "NEW-USDT", "ctValCcy": "NEW", "ctVal": "", "state": "preopen"}
    (wrong,) = parse.instruments(json.dumps({"code": "0", "data": [row, odd, early]}).encode(), RECV_NS)
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == "ctValCcy"


@pytest.mark.parametrize(
    ("status", "code", "answer"),
    [
        (200, "0", Answer.FINE),
        (200, "50011", Answer.LIMITED),
        (429, "50011", Answer.LIMITED),
        (200, "50013", Answer.BUSY),
        (503, "50001", Answer.BUSY),
        (200, "51001", Answer.REFUSED),
        (400, "51000", Answer.REFUSED),
    ],
)
def test_refusals_hide_in_the_code(status: int, code: str, answer: Answer):
    body = json.dumps({"code": code, "msg": "words", "data": []}).encode()
    assert VENUE.judge(status, {}, body).answer is answer


def test_a_page_of_a_proxy_is_no_answer():
    with pytest.raises(CorruptRecord):
        Okx().judge(200, {}, b"<html>")
    assert Okx().judge(404, {}, b"<html>").answer is Answer.REFUSED


def test_a_frame_of_nothing_asked_for_is_left_alone():
    assert _session().receive(frame("books", [{"asks": [], "bids": []}], instId="BTC-USDT-SWAP"), RECV_NS).records == []
    with pytest.raises(CorruptRecord):
        _session().receive('{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"da', RECV_NS)
