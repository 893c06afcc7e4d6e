"""BitMEX's traps: orders without a time, contracts of many sizes, buckets stamped with their end."""

from __future__ import annotations

import json

import pytest
from cases_bitmex import INVERSE, INVERSE_ROW, LINEAR, LINEAR_ROW, NS, SPECS, order, table
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import InstrumentSpec, Liquidation, PriceKind, Ticker
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Session
from liqscape.venues.bitmex import Bitmex, parse

VENUE = Bitmex()


def session() -> Session:
    return VENUE.streams(SPECS)[0].session()


def prints(talk: Session, frame: str, recv_ns: int = RECV_NS) -> list[Liquidation]:
    return [r for r in talk.receive(frame, recv_ns).records if isinstance(r, Liquidation)]


def test_an_order_counts_once_with_what_it_brought():
    talk, one = session(), order("one", "XBTUSD", "Sell", 99_000, 99_000)
    assert [r.quantity_base for r in prints(talk, table("liquidation", "insert", one))] == [1.0]
    assert prints(talk, table("liquidation", "update", {**one, "leavesQty": 50_000})) == []
    assert prints(talk, table("liquidation", "update", {"orderID": "one", "symbol": "XBTUSD", "price": 98_000})) == []
    assert prints(talk, table("liquidation", "delete", {"orderID": "one", "symbol": "XBTUSD"})) == []
    # The venue may speak of everything again on the same socket.
    assert prints(talk, table("liquidation", "partial", one)) == []


def test_two_lines_and_a_reconnect_name_the_same_order():
    frame = table("liquidation", "insert", order("one", "XBTUSD", "Sell", 99_000, 99_000))
    again = table("liquidation", "partial", order("one", "XBTUSD", "Sell", 99_000, 40_000))
    seen = [prints(session(), text, RECV_NS + i * NS_PER_S)[0] for i, text in enumerate((frame, frame, again))]
    assert len({print_.ts_venue for print_ in seen}) == 3  # arrival is all there is, so that time cannot name a print
    assert {print_.venue_id for print_ in seen} == {"one"}


def test_a_corrupt_order_may_come_again_whole():
    talk = session()
    (found,) = talk.receive(table("liquidation", "insert", order("one", "XBTUSD", "Sell", 99_000, 0)), RECV_NS).records
    assert isinstance(found, CorruptRecord)
    assert len(prints(talk, table("liquidation", "insert", order("one", "XBTUSD", "Sell", 99_000, 10)))) == 1


def test_the_memory_of_orders_is_bounded():
    orders = parse.Orders(most=100)
    assert all(orders.is_new(str(number)) for number in range(1_000))
    assert len(orders._seen) == 100
    assert not orders.is_new("999")
    assert orders.is_new("0")  # long gone


def test_open_interest_of_an_inverse_contract_uses_the_mark_that_was_told_before():
    talk = session()
    alone = table("instrument", "update", {"symbol": "XBTUSD", "openInterest": 400_000})
    (before,) = talk.receive(alone, RECV_NS).records
    assert isinstance(before, Ticker)
    assert before.open_interest_base is None
    talk.receive(table("instrument", "update", {"symbol": "XBTUSD", "markPrice": 50_000}), RECV_NS)
    (after,) = talk.receive(alone, RECV_NS).records
    assert isinstance(after, Ticker)
    assert (after.open_interest_base, after.mark_price) == (8.0, None)


def test_sizes_of_contracts():
    def size(row: dict[str, object]) -> float:
        (spec,) = parse.instruments(json.dumps([row]).encode(), RECV_NS)
        assert isinstance(spec, InstrumentSpec)
        return spec.contract_size

    assert size(INVERSE_ROW) == 1.0  # USD
    assert size(LINEAR_ROW) == 1e-6  # coins
    assert size({**LINEAR_ROW, "underlyingToPositionMultiplier": None}) == 1e-6
    (refused,) = parse.instruments(json.dumps([{**LINEAR_ROW, "underlyingToPositionMultiplier": 1_000}]).encode(), RECV_NS)
    assert isinstance(refused, CorruptRecord)


def test_quanto_contracts_never_reach_the_map():
    quanto = {**INVERSE_ROW, "symbol": "ETHUSD", "isQuanto": True, "isInverse": False}
    assert parse.instruments(json.dumps([quanto]).encode(), RECV_NS) == []
    assert prints(session(), table("liquidation", "insert", order("one", "ETHUSD", "Sell", 3_000, 100))) == []


def test_buckets_are_asked_for_by_their_ends():
    ask = VENUE.ask_bars(INVERSE, PriceKind.LAST, NS, NS + 2 * NS_PER_MINUTE)
    assert ask is not None
    assert ask.request.params["startTime"] == "2026-09-21T14:14:00.000Z"
    assert ask.request.params["endTime"] == "2026-09-21T14:15:00.000Z"
    assert VENUE.ask_bars(LINEAR, PriceKind.MARK, NS, NS + NS_PER_MINUTE) is None


def test_a_bucket_without_trades_before_it_is_left_out():
    row = {"timestamp": "2026-09-21T14:14:00.000Z", "symbol": "XBTUSD", "open": None, "high": None, "low": None, "close": None}
    assert parse.bars(json.dumps([row]).encode(), INVERSE, RECV_NS) == []


def test_talk_of_the_socket():
    talk = session()
    assert json.loads(str(talk.opening()[0])) == {
        "op": "subscribe",
        "args": ["liquidation", "instrument:XBTUSD", "instrument:XBTUSDT"],
    }
    assert talk.heartbeat() == "ping"
    for quiet in ("pong", '{"info":"Welcome to the BitMEX Realtime API."}', '{"success":true,"subscribe":"liquidation"}'):
        told = talk.receive(quiet, RECV_NS)
        assert (told.records, told.data, told.refused) == ([], False, None)
    assert talk.receive('{"status":400,"error":"Unknown table"}', RECV_NS).refused == "Unknown table"


@pytest.mark.parametrize("name", ["requests", "burst"])
def test_thirty_requests_a_minute_are_kept(name):
    assert all(name in dict(ask.request.costs) for ask in (*VENUE.ask_instruments(), VENUE.ask_book(INVERSE)))
    assert VENUE.facts.buckets["requests"].capacity == 30
