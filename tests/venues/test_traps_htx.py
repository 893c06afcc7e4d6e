"""What goes wrong at HTX if it is read carelessly."""

from __future__ import annotations

import gzip
import json
import random

import pytest
from cases_htx import BTC, SPECS, VENUE, T, frame, liquidation, ok, row
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import PositionSide, PriceKind
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.base import Answer
from liqscape.venues.htx import parse

_ONE = frame("liquidation_orders", [row("BTC-USDT", "sell", 500, 100_000.0)])
_READ = [liquidation(BTC, PositionSide.LONG, 100_000.0, 0.5)]


def _session():
    return VENUE.streams(SPECS)[0].session()


def _received(packed: bytes) -> object:
    try:
        return _session().receive(packed, RECV_NS).records
    except CorruptRecord as error:
        return error


@pytest.mark.parametrize("level", [0, 1, 9])
def test_frames_are_unpacked_and_text_is_taken_as_it_is(level: int):
    for sent in (gzip.compress(_ONE.encode(), level), _ONE.encode(), _ONE):
        found = _session().receive(sent, RECV_NS)
        assert found.records == _READ
        assert found.data


def test_a_long_honest_frame_is_unpacked():
    rows = [row("BTC-USDT", "sell", i + 1, 100_000.0 + i, padding=f"{random.Random(i).random()}") for i in range(2000)]
    packed = gzip.compress(frame("liquidation_orders", list(rows)).encode())
    assert len(packed) > parse.LONGEST_FRAME // 1032
    assert len(_session().receive(packed, RECV_NS).records) == 2000


def test_a_bomb_is_refused_before_it_unpacks():
    bomb = gzip.compress(b" " * (parse.LONGEST_FRAME + 1))
    with pytest.raises(CorruptRecord) as caught:
        parse.unpack(bomb)
    assert caught.value.context["field"] == "gzip"
    nested = gzip.compress(gzip.compress(_ONE.encode()))
    with pytest.raises(CorruptRecord):
        _session().receive(nested, RECV_NS)


def test_damage_of_the_packing_is_a_clear_error_or_harmless():
    chance, packed = random.Random(3), gzip.compress(_ONE.encode())
    for _ in range(3000):
        at = chance.randrange(len(packed))
        damaged = packed[:at] if chance.random() < 0.5 else packed[:at] + bytes([chance.randrange(256)]) + packed[at + 1 :]
        found = _received(damaged)
        if isinstance(found, CorruptRecord):
            assert {"venue", "field", "value"} <= set(found.context)
        else:
            assert found == _READ, "gzip has a checksum: what unpacks is what was packed"
    long = gzip.compress(b"".join(random.Random(i).randbytes(64) for i in range(2000)))
    with pytest.raises(CorruptRecord):
        parse.unpack(long[:-9])


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ('{"op":"ping","ts":"1790000000123"}', '{"op":"pong","ts":"1790000000123"}'),
        ('{"op":"ping","ts":1790000000123}', '{"op":"pong","ts":1790000000123}'),
        ('{"ts": "1790000000123", "op": "ping"}', '{"op":"pong","ts":"1790000000123"}'),
        ('{"ping":1790000000123}', '{"pong":1790000000123}'),
    ],
)
def test_pings_are_answered_with_their_own_stamp_as_it_was_written(said: str, reply: str):
    found = _session().receive(gzip.compress(said.encode()), RECV_NS)
    assert found.reply == reply
    assert (found.records, found.data) == ([], False)


def test_liquidations_that_are_refused_close_the_line_and_funding_does_not():
    for topic, refused in (("liquidation_orders", True), ("funding_rate", False)):
        text = {"op": "sub", "cid": "0", "topic": f"public.*.{topic}", "err-code": 2011, "err-msg": "no", "ts": T}
        assert (_session().receive(gzip.compress(json.dumps(text).encode()), RECV_NS).refused is not None) == refused
    fine = {"op": "sub", "cid": "0", "topic": "public.*.liquidation_orders", "err-code": 0, "ts": T}
    assert _session().receive(gzip.compress(json.dumps(fine).encode()), RECV_NS).refused is None
    assert [json.loads(text)["topic"] for text in _session().opening()] == [
        "public.*.liquidation_orders",
        "public.*.funding_rate",
    ]


def test_another_contract_size_than_listed_stands_out_by_the_turnover():
    rows = [
        row("BTC-USDT", "sell", 227, 23_350.5, amount=0.227, trade_turnover=5300.5635),
        row("BTC-USDT", "sell", 227, 23_350.5, amount=2.27, trade_turnover=53_005.635),
        row("BTC-USDT", "", 1, 1.0),
    ]
    good, wrong, nobody = _session().receive(frame("liquidation_orders", list(rows)), RECV_NS).records
    assert good == liquidation(BTC, PositionSide.LONG, 23_350.5, 0.227)
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == "trade_turnover"
    assert isinstance(nobody, CorruptRecord)
    assert nobody.context["field"] == "direction"


def test_mark_klines_are_counted_back_from_now():
    for start, size in (
        (RECV_NS - NS_PER_MINUTE, "11"),
        (RECV_NS - 100 * NS_PER_MINUTE, "110"),
        (RECV_NS - 9**18, "2000"),
        (RECV_NS + NS_PER_HOUR, "2000"),
    ):
        ask = VENUE.ask_bars(BTC, PriceKind.MARK, start, RECV_NS)
        assert ask.request.params == {"contract_code": "BTC-USDT", "period": "1min", "size": size}
    start = T * 1_000_000
    ask = VENUE.ask_bars(BTC, PriceKind.MARK, start, start + NS_PER_MINUTE)
    rows = [{"id": T // 1000 + 60 * i, "open": "1", "high": "1", "low": "1", "close": "1"} for i in (-1, 0, 1)]
    found = ask.parse(ok(rows).encode(), start + NS_PER_HOUR)
    assert [one.ts_venue for one in found if not isinstance(one, CorruptRecord)] == [start]


def test_klines_are_asked_for_in_seconds_both_of_which_count():
    start = T * 1_000_000
    ask = VENUE.ask_bars(BTC, PriceKind.LAST, start, start + 2 * NS_PER_MINUTE)
    assert (ask.request.params["from"], ask.request.params["to"]) == (str(T // 1000), str(T // 1000 + 119))
    assert "size" not in ask.request.params, "a size makes HTX ignore the times"


def test_past_prints_go_page_by_page_and_by_two_hours():
    end = T * 1_000_000
    start = end - 5 * NS_PER_HOUR
    ask = VENUE.ask_liquidations(BTC, start, end)
    assert int(ask.request.params["end_time"]) - int(ask.request.params["start_time"]) < 7_200_000
    at = T - 5 * 3_600_000 + 1000
    page = json.dumps(
        {"code": 200, "msg": "", "data": [row("BTC-USDT", "sell", 1, 1.0, query_id=i, created_at=at) for i in (7, 8)]}
    )
    assert ask.more is not None
    second = ask.more(page.encode())
    assert second is not None
    assert (second.request.params["from_id"], second.request.params["start_time"]) == ("8", ask.request.params["start_time"])
    assert len(ask.parse(page.encode(), RECV_NS)) == 2
    assert second.parse(page.encode(), RECV_NS) == [], "rows that the page before told are not counted again"
    assert second.more is not None
    third = second.more(page.encode())
    assert third is not None
    assert "from_id" not in third.request.params
    assert int(third.request.params["start_time"]) == T - 3 * 3_600_000
    assert third.more is not None
    last = third.more(b'{"code":200,"msg":"","data":[]}')
    assert last is not None
    assert last.more is not None
    assert last.more(b'{"code":200,"msg":"","data":[]}') is None


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"status": "ok", "data": []}, Answer.FINE),
        ({"code": 200, "msg": "", "data": []}, Answer.FINE),
        ({"status": "error", "err_code": 1032, "err_msg": "too many"}, Answer.LIMITED),
        ({"status": "error", "err_code": 1004, "err_msg": "busy"}, Answer.BUSY),
        ({"status": "maintain"}, Answer.BUSY),
        ({"status": "error", "err_code": 1014, "err_msg": "no such contract"}, Answer.REFUSED),
        ({"status": "error", "err-code": "invalid-parameter"}, Answer.REFUSED),
        ({"code": 1067, "msg": "Illegal parameter", "data": None}, Answer.REFUSED),
    ],
)
def test_refusals_hide_in_a_200(body: dict[str, object], answer: Answer):
    assert VENUE.judge(200, {}, json.dumps(body).encode()).answer is answer
