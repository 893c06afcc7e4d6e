"""What is easily got wrong about Hyperliquid: whose fill a liquidation is, how coins are spelt, what requests weigh."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases_hyperliquid import ALICE, BOB, SPECS, hyperliquid_spec
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import Book, Kind, PriceKind, Trade, describe
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.hyperliquid import Hyperliquid, accounts, parse

_VENUE = Hyperliquid()
_FIXTURES = Path(__file__).parents[3] / "shared" / "reference" / "fixtures" / "hyperliquid"
_T = 1_789_999_980_000


def _body(ask) -> dict[str, object]:
    return json.loads(ask.request.body)


def _weight(ask) -> float:
    return dict(ask.request.costs)["ip"]


def test_requests_spell_the_coin_as_the_venue_does():
    pepe = SPECS["KPEPE"]
    assert describe(pepe.id).base == "1000PEPE"
    assert _body(_VENUE.ask_book(pepe))["coin"] == "kPEPE"
    assert _body(_VENUE.ask_bars(pepe, PriceKind.LAST, 0, NS_PER_MINUTE))["req"]["coin"] == "kPEPE"
    assert '"coin":"kPEPE"' in "".join(_VENUE.streams(SPECS)[0].session().opening())
    # KAS begins with a capital and is one coin.
    assert _body(_VENUE.ask_book(hyperliquid_spec("KAS")))["coin"] == "KAS"


def test_weights_are_those_of_the_documentation():
    btc = SPECS["BTC"]
    assert _weight(_VENUE.ask_account(ALICE)) == 2
    assert _weight(_VENUE.ask_book(btc)) == 2
    assert _weight(_VENUE.ask_bars(btc, PriceKind.LAST, 0, NS_PER_MINUTE)) == 21
    assert _weight(_VENUE.ask_bars(btc, PriceKind.LAST, 0, 5000 * NS_PER_MINUTE)) == 20 + 84
    assert _weight(_VENUE.ask_funding(btc, 0, NS_PER_DAY)) == 20 + 2
    assert _weight(_VENUE.ask_funding(btc, 0, 500 * NS_PER_HOUR)) == 20 + 25


def test_there_are_no_mark_candles_and_no_liquidations():
    assert _VENUE.ask_bars(SPECS["BTC"], PriceKind.MARK, 0, NS_PER_MINUTE) is None
    assert _VENUE.ask_liquidations(SPECS["BTC"], 0, 1) is None
    assert Kind.LIQUIDATIONS not in _VENUE.facts.streams | _VENUE.facts.asks
    assert "no public liquidation stream" in _VENUE.facts.completeness_note


def test_a_counterpartys_fill_is_nobodys_liquidation_but_his():
    if not _FIXTURES.is_dir():
        pytest.skip("shared reference is not there")
    held = json.loads((_FIXTURES / "nautilus_samples.json").read_text(encoding="utf-8"))
    found = held["ws_user_fill_liquidation"]["data"]["fills"]
    body = json.dumps(found).encode()
    assert accounts.fills(body, SPECS, ALICE, RECV_NS) == []
    victim = found[0]["liquidation"]["liquidatedUser"].upper().replace("0X", "0x")
    assert len(accounts.fills(body, SPECS, victim, RECV_NS)) == 1


def test_a_batch_of_another_length_is_refused_whole():
    empty = {"assetPositions": [], "crossMarginSummary": {"accountValue": "1.0"}, "time": _T}
    with pytest.raises(CorruptRecord, match="2 states"):
        accounts.states(json.dumps([empty]).encode(), (ALICE, BOB), RECV_NS)
    # A place without a state says nothing of the account in it.
    told = accounts.states(json.dumps([None, empty]).encode(), (ALICE, BOB), RECV_NS)
    assert [each.account for each in told] == [BOB]


def test_fills_of_both_sides_under_one_hash_are_corrupt():
    row = {"coin": "BTC", "px": "1", "sz": "1", "time": _T, "hash": "0x1", "liquidation": {"liquidatedUser": ALICE}}
    body = json.dumps([{**row, "side": "A"}, {**row, "side": "B"}]).encode()
    (found,) = accounts.fills(body, SPECS, ALICE, RECV_NS)
    assert isinstance(found, CorruptRecord)


def test_a_level_at_nought_is_no_level():
    position = {"coin": "BTC", "szi": "1", "entryPx": "100", "leverage": {"type": "cross"}, "liquidationPx": "0.0"}
    position |= {"marginUsed": "100", "positionValue": "100"}
    body = {"assetPositions": [{"position": position}], "crossMarginSummary": {"accountValue": "200"}}
    (state,) = accounts.state(json.dumps(body).encode(), ALICE, RECV_NS)
    assert state.positions[0].liquidation_price is None
    assert state.ts_venue == RECV_NS  # states of 2023 carry no time


def _levels(start: float, step: float, size: float) -> list[dict[str, str]]:
    return [{"px": str(start + step * i), "sz": str(size)} for i in range(20)]


def test_two_books_are_one_that_is_fine_and_wide():
    # Asks stand 1 a dollar from 100,000.5 on: the fine book shows buckets of 10, the coarse one of 100.
    fine = {"coin": "BTC", "time": _T, "levels": [[], _levels(100_010.0, 10.0, 10.0)]}
    wide = {"coin": "BTC", "time": _T + 5, "levels": [[], _levels(100_100.0, 100.0, 100.0)]}
    first = _VENUE.ask_book(SPECS["BTC"])
    body = json.dumps(fine).encode()
    assert first.parse(body, RECV_NS) == []
    assert first.more is not None
    second = first.more(body)
    assert (_body(first)["nSigFigs"], _body(second)["nSigFigs"]) == (4, 3)
    (book,) = second.parse(json.dumps(wide).encode(), RECV_NS)
    assert isinstance(book, Book)
    assert book.asks[:20] == [(100_010.0 + 10.0 * i, 10.0) for i in range(20)]
    # The fine book ends with 100,200, the end of the second coarse bucket: from there on the coarse ones count whole.
    assert book.asks[20:] == [(100_300.0 + 100.0 * i, 100.0) for i in range(18)]


def test_a_coarse_bucket_keeps_what_the_fine_book_did_not_tell():
    fine = [(99_990.0, 10.0), (99_980.0, 10.0), (99_950.0, 5.0)]
    wide = [(99_900.0, 60.0), (99_800.0, 40.0)]
    assert parse._beyond(fine, wide, -1) == [*fine, (99_900.0, 35.0), (99_800.0, 40.0)]


def test_talk_pings_and_hears_refusals():
    talk = _VENUE.streams(SPECS)[0].session()
    assert json.loads(talk.heartbeat()) == {"method": "ping"}
    assert talk.receive('{"channel":"pong"}', RECV_NS).records == []
    assert not talk.receive('{"channel":"subscriptionResponse","data":{}}', RECV_NS).data
    assert talk.receive('{"channel":"error","data":"Invalid subscription"}', RECV_NS).refused == "Invalid subscription"
    assert talk.receive('{"channel":"error","data":"Already subscribed: {}"}', RECV_NS).refused is None


def test_the_first_frame_of_trades_tells_older_ones():
    rows = [{"coin": "BTC", "side": "B", "px": "1", "sz": "1", "time": _T - 1000 * i, "users": [ALICE, BOB]} for i in range(3)]
    talk = _VENUE.streams(SPECS)[0].session()
    found = talk.receive(json.dumps({"channel": "trades", "data": rows}), RECV_NS).records
    assert [each.ts_venue // 1_000_000 for each in found if isinstance(each, Trade)] == [_T, _T - 1000, _T - 2000]


def test_a_leaderboard_of_the_real_size_is_read_quickly_and_a_bad_row_costs_no_other():
    day = [["day", {"pnl": "-3.5", "roi": "0.0", "vlm": "10.0"}]] + [[n, {"vlm": "1"}] for n in ("week", "month", "allTime")]
    rows = [
        {"ethAddress": f"0x{i:040x}", "accountValue": str(i % 1000), "windowPerformances": day, "displayName": None}
        for i in range(5000)
    ]
    rows[7]["ethAddress"] = "somebody"
    found = accounts.leaderboard(json.dumps({"leaderboardRows": rows}).encode(), 100, RECV_NS)
    assert len(found) == 101
    assert isinstance(found[-1], CorruptRecord)
    best = found[:-1]
    assert all(each.equity_usd >= 980.0 for each in best if not isinstance(each, CorruptRecord))
