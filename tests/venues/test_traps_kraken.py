"""Kraken's traps: replayed trades, two ways to count a quantity, pages that go back in time, next funding as two things."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from cases_kraken import INVERSE, LINEAR, NS, SPECS, T, history, past_trade, trade
from venue_case import RECV_NS

from liqscape.model import ContractKind, Gap, InstrumentId, Kind, Liquidation, Ticker, describe
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Answer, Ask, Session
from liqscape.venues.kraken import Kraken, parse
from liqscape.venues.wire import Parsed

VENUE = Kraken()


def session() -> Session:
    return VENUE.streams(SPECS)[0].session()


def keys(found: Parsed) -> Counter[tuple[object, ...]]:
    """What a print is known by."""
    return Counter(
        (r.instrument, r.ts_venue, r.position_side, r.price, r.quantity_base) for r in found if isinstance(r, Liquidation)
    )


def written(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def everything(ask: Ask | None, server: list[tuple[int, dict[str, object]]], *, inclusive: bool = False) -> tuple[Parsed, int]:
    """Run an ask with all its pages against trades as the venue would answer from them: newest first, 100 at most."""
    found: Parsed = []
    pages = 0
    while ask is not None:
        before = round(datetime.fromisoformat(ask.request.params["lastTime"]).timestamp() * 1000) + inclusive
        page = sorted((item for item in server if item[0] < before), key=lambda item: -item[0])[:100]
        body = history(*(item[1] for item in page)).encode()
        found += ask.parse(body, RECV_NS)
        pages += 1
        assert ask.more is not None
        ask = ask.more(body)
    return found, pages


@pytest.mark.parametrize("spec", SPECS.values(), ids=str)
def test_live_replayed_and_past_prints_have_the_same_keys(spec):
    made = [("sell", 1.5, 99_000.5), ("buy", 0.003, 98_000.0), ("sell", 1.5, 99_000.5)]
    live_rows = [{**trade(spec.id.symbol, side, "liquidation", q, p), "time": T + 7} for side, q, p in made]
    past_rows = [past_trade(side, "liquidation", q, p, uid=str(n), time=written(T + 7)) for n, (side, q, p) in enumerate(made)]
    live = [r for one in live_rows for r in session().receive(json.dumps(one), RECV_NS).records]
    replayed = session().receive(json.dumps({"feed": "trade_snapshot", "trades": live_rows}), RECV_NS).records
    past = VENUE.ask_liquidations(spec, NS, NS + NS_PER_MINUTE).parse(history(*past_rows).encode(), RECV_NS)
    assert keys(live) == keys(replayed) == keys(past)
    assert sum(keys(live).values()) == 3
    assert max(keys(live).values()) == 2  # equal prints stay two


@pytest.mark.parametrize("inclusive", [False, True], ids=["before", "up to"])
def test_pages_neither_lose_nor_double_a_trade(inclusive):
    # Seven trades in each millisecond: pages of 100 end inside of a millisecond.
    server = [(T + n // 7, past_trade("sell", "liquidation", 0.1, 99_000.0, str(n), written(T + n // 7))) for n in range(950)]
    found, pages = everything(VENUE.ask_liquidations(LINEAR, NS, NS + NS_PER_MINUTE), server, inclusive=inclusive)
    assert len(found) == 950
    assert pages < 15


def test_the_way_back_ends_where_it_was_asked_to():
    server = [
        (T + 1_000 * n, past_trade("sell", "liquidation", 0.1, 99_000.0, str(n), written(T + 1_000 * n))) for n in range(-900, 60)
    ]
    found, pages = everything(VENUE.ask_liquidations(LINEAR, NS, NS + NS_PER_MINUTE), server)
    assert len(found) == 60
    assert pages == 1


def test_a_history_that_begins_later_leaves_a_gap():
    rows = [past_trade("sell", "liquidation", 0.1, 99_000.0, "a", written(T + 20_000))]
    ask = VENUE.ask_liquidations(LINEAR, NS, NS + NS_PER_MINUTE)
    (print_, gap) = ask.parse(history(*rows).encode(), RECV_NS)
    assert isinstance(print_, Liquidation)
    assert isinstance(gap, Gap)
    assert (gap.kind, gap.ts_venue, gap.end_ns) == (Kind.LIQUIDATIONS, NS, NS + 20 * NS_PER_S)
    (alone,) = ask.parse(history().encode(), RECV_NS)
    assert isinstance(alone, Gap)
    assert (alone.ts_venue, alone.end_ns) == (NS, NS + NS_PER_MINUTE)
    # One trade from before the stretch proves that the history reaches it.
    older = past_trade("sell", "fill", 0.1, 99_000.0, "b", written(T - 1))
    assert [type(r) for r in ask.parse(history(*rows, older).encode(), RECV_NS)] == [Liquidation]


def test_quantities_of_the_two_lines():
    # 0.5 coins in one line, 50,000 USD at 100,000 in the other
    for spec, quantity in ((LINEAR, 0.5), (INVERSE, 50_000.0)):
        found = session().receive(json.dumps(trade(spec.id.symbol, "sell", "liquidation", quantity, 100_000.0)), RECV_NS).records
        assert [r.quantity_base for r in found if isinstance(r, Liquidation)] == [0.5]


def test_the_lines_are_told_by_their_symbols():
    kinds = {symbol: describe(InstrumentId("kraken", symbol)).kind for symbol in ("PF_XBTUSD", "PI_XBTUSD", "FF_XBTUSD_260925")}
    assert kinds == {
        "PF_XBTUSD": ContractKind.LINEAR,
        "PI_XBTUSD": ContractKind.INVERSE,
        "FF_XBTUSD_260925": ContractKind.LINEAR,
    }
    assert describe(InstrumentId("kraken", "PF_PIUSD")).base == "PI"


@pytest.mark.parametrize(("value", "expected"), [(0, None), (T + 3_600_000, NS + NS_PER_HOUR), (3_600_000, NS + NS_PER_HOUR)])
def test_next_funding_is_an_instant_or_a_length_of_time(value, expected):
    frame = json.dumps({"feed": "ticker", "product_id": "PF_XBTUSD", "time": T, "next_funding_rate_time": value})
    (found,) = session().receive(frame, RECV_NS).records
    assert isinstance(found, Ticker)
    assert found.next_funding_ns == expected


def test_products_with_small_letters_are_found():
    assert parse.find(SPECS, "pf_xbtusd") is LINEAR
    assert parse.find(SPECS, "PF_ETHUSD") is None


def test_dated_contracts_are_no_perpetuals():
    def row(symbol: str, **more: object) -> dict[str, object]:
        return {"symbol": symbol, "type": "futures_inverse", "tradeable": True, "base": "BTC", "quote": "USD", **more}

    body = json.dumps(
        {"result": "success", "instruments": [row("FI_XBTUSD_261225", lastTradingTime="2026-12-25T08:00:00Z"), row("PI_XBTUSD")]}
    )
    assert [spec.perpetual for spec in parse.instruments(body.encode(), RECV_NS)] == [False, True]  # type: ignore[union-attr]


def test_candles_are_asked_in_seconds():
    ask = VENUE.ask_bars(LINEAR, parse.PriceKind.MARK, NS, NS + 2 * NS_PER_MINUTE)
    assert ask.request.path == "/mark/PF_XBTUSD/1m"
    assert ask.request.params == {"from": str(T // 1000), "to": str(T // 1000 + 119)}


def test_refusals_and_trouble():
    assert session().receive('{"event":"alert","message":"Bad websocket message"}', RECV_NS).refused == "Bad websocket message"
    assert session().receive('{"event":"subscribed","feed":"trade","product_ids":["PF_XBTUSD"]}', RECV_NS).refused is None
    answers = [
        VENUE.judge(200, {}, json.dumps({"result": "error", "error": words}).encode()).answer
        for words in ("apiLimitExceeded", "Server Error", "nonceBelowThreshold")
    ]
    assert answers == [Answer.LIMITED, Answer.BUSY, Answer.REFUSED]
    assert VENUE.judge(200, {}, b'{"candles":[]}').answer is Answer.FINE
