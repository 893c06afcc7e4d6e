"""Deribit's traps: what is liquidated hides in trades, live and past prints must be known as the same, pages must not overlap."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from cases_deribit import INVERSE, LINEAR, NS, SPECS, T, answer, frame, row
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import Liquidation, PriceKind
from liqscape.units import NS_PER_MINUTE
from liqscape.venues.base import Answer, Ask, Session
from liqscape.venues.deribit import Deribit
from liqscape.venues.wire import Parsed

VENUE = Deribit()


def session() -> Session:
    return VENUE.streams(SPECS)[0].session()


def keys(found: Parsed) -> Counter[tuple[object, ...]]:
    """What a print is known by."""
    return Counter(
        (r.instrument, r.ts_venue, r.position_side, r.price, r.quantity_base) for r in found if isinstance(r, Liquidation)
    )


def everything(ask: Ask | None, server: list[dict[str, object]]) -> tuple[Parsed, int]:
    """Run an ask with all its pages against trades as the venue would answer from them; count the pages."""
    found: Parsed = []
    pages = 0
    while ask is not None:
        query = ask.request.params
        inside = [t for t in server if int(query["start_timestamp"]) <= t["timestamp"] <= int(query["end_timestamp"])]  # type: ignore[operator]
        page = inside[: int(query["count"])]
        body = answer({"trades": page, "has_more": len(inside) > len(page)}).encode()
        found += ask.parse(body, RECV_NS)
        pages += 1
        assert ask.more is not None
        ask = ask.more(body)
    return found, pages


@pytest.mark.parametrize("spec", SPECS.values(), ids=str)
def test_live_and_past_prints_have_the_same_keys(spec):
    rows = [
        {**row(spec.id.symbol, side, 99_000.5, amount, str(number), liquidation=kind), "timestamp": T + number}
        for number, (side, amount, kind) in enumerate(
            [("sell", 70.0, "T"), ("buy", 30.0, "M"), ("sell", 10.0, "MT"), ("sell", 10.0, "MT"), ("buy", 1e-3, "T")]
        )
    ]
    live = session().receive(frame(f"trades.{spec.id.symbol}.100ms", rows), RECV_NS).records
    past, _ = everything(VENUE.ask_liquidations(spec, NS, NS + NS_PER_MINUTE), rows)
    assert keys(live) == keys(past)
    assert sum(keys(live).values()) == 7  # an MT is two


def test_pages_neither_lose_nor_double_a_trade():
    # 2,500 trades, ten in each millisecond: pages of 1,000 end inside of a millisecond.
    rows = [
        {**row("BTC-PERPETUAL", "sell", 99_000.0, 10.0, str(n), liquidation="T"), "timestamp": T + (n + 5) // 10}
        for n in range(2_500)
    ]
    found, pages = everything(VENUE.ask_liquidations(INVERSE, NS, NS + NS_PER_MINUTE), rows)
    assert len(found) == 2_500
    assert pages == 3


def test_a_page_of_one_instant_does_not_turn_in_circles():
    rows = [{**row("BTC-PERPETUAL", "sell", 99_000.0, 10.0, str(n), liquidation="T")} for n in range(1_200)]
    found, pages = everything(VENUE.ask_liquidations(INVERSE, NS, NS + NS_PER_MINUTE), rows)
    assert (len(found), pages) == (1_000, 2)


def test_only_what_was_asked_for_is_returned():
    rows = [
        {**row("BTC-PERPETUAL", "sell", 99_000.0, 10.0, str(n), liquidation="T"), "timestamp": T + n}
        for n in (-1, 0, 59_999, 60_000)
    ]
    ask = VENUE.ask_liquidations(INVERSE, NS, NS + NS_PER_MINUTE)
    found = ask.parse(answer({"trades": rows, "has_more": False}).encode(), RECV_NS)
    assert [r.ts_venue - NS for r in found if isinstance(r, Liquidation)] == [0, 59_999_000_000]


def test_a_test_request_is_answered():
    told = session().receive('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}', RECV_NS)
    assert json.loads(str(told.reply))["method"] == "public/test"
    assert not told.data
    beat = session().receive('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}', RECV_NS)
    assert beat.reply is None
    assert not beat.data


def test_the_conversation_opens_with_heartbeats_and_asks_for_every_channel():
    first, *others = [json.loads(str(message)) for message in session().opening()]
    assert (first["method"], first["params"]) == ("public/set_heartbeat", {"interval": 30})
    channels = [channel for message in others for channel in message["params"]["channels"]]
    assert sorted(channels) == sorted(f"{kind}.{symbol}.100ms" for kind in ("ticker", "trades") for symbol in SPECS)


def test_a_refused_subscription_is_told():
    assert (
        session().receive('{"jsonrpc":"2.0","id":101,"error":{"code":13028,"message":"busy"}}', RECV_NS).refused == "13028 busy"
    )
    assert session().receive('{"jsonrpc":"2.0","id":101,"result":[]}', RECV_NS).refused is not None
    assert session().receive('{"jsonrpc":"2.0","id":101,"result":["ticker.BTC-PERPETUAL.100ms"]}', RECV_NS).refused is None
    assert session().receive('{"jsonrpc":"2.0","id":9,"result":{"version":"1.2.26"}}', RECV_NS).refused is None


def test_an_unknown_mark_of_liquidation_is_no_guess():
    found = session().receive(frame("trades.X", [row("BTC-PERPETUAL", "sell", 99_000.0, 10.0, liquidation="X")]), RECV_NS).records
    assert isinstance(found[0], CorruptRecord)
    assert found[0].context["field"] == "liquidation"


def test_trouble_hides_in_the_body():
    def judged(code: int, status: int = 200) -> Answer:
        return VENUE.judge(status, {}, json.dumps({"jsonrpc": "2.0", "error": {"code": code, "message": "no"}}).encode()).answer

    assert [judged(10028), judged(10028, 400), judged(13028), judged(11044)] == [
        Answer.LIMITED,
        Answer.LIMITED,
        Answer.BUSY,
        Answer.REFUSED,
    ]
    assert VENUE.judge(503, {}, b"<html>").answer is Answer.BUSY
    assert VENUE.judge(200, {}, b'{"jsonrpc":"2.0","result":[]}').answer is Answer.FINE


def test_tickers_are_asked_by_the_currency_of_settlement():
    assert [ask.request.params["currency"] for ask in VENUE.ask_tickers(SPECS)] == ["BTC", "USDC"]


def test_there_are_no_mark_bars_and_columns_must_fit():
    assert VENUE.ask_bars(LINEAR, PriceKind.MARK, NS, NS + NS_PER_MINUTE) is None
    ask = VENUE.ask_bars(LINEAR, PriceKind.LAST, NS, NS + NS_PER_MINUTE)
    assert ask is not None
    assert ask.parse(answer({"status": "no_data"}).encode(), RECV_NS) == []
    with pytest.raises(CorruptRecord, match="ticks"):
        ask.parse(answer({"status": "ok", "ticks": [T], "open": []}).encode(), RECV_NS)
