"""What goes wrong with MEXC and KuCoin if one does not know them: seconds, contracts, pages, hidden refusals."""

from __future__ import annotations

import json

import cases_kucoin
import cases_mexc
import pytest
from venue_case import RECV_NS

from liqscape.errors import CorruptRecord
from liqscape.model import (
    Completeness,
    ContractKind,
    FundingRate,
    InstrumentId,
    InstrumentSpec,
    Kind,
    PriceKind,
    RiskLadder,
    Ticker,
    describe,
)
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.base import Answer, Venue
from liqscape.venues.kucoin import Kucoin
from liqscape.venues.mexc import Mexc

MEXC, KUCOIN = Mexc(), Kucoin()
BTC, COIN = cases_mexc.SPECS["BTC_USDT"], cases_mexc.SPECS["BTC_USD"]
XBT, XBT_USD = cases_kucoin.SPECS["XBTUSDTM"], cases_kucoin.SPECS["XBTUSDM"]
NOW = RECV_NS // NS_PER_MINUTE * NS_PER_MINUTE


@pytest.mark.parametrize("venue", [MEXC, KUCOIN], ids=["mexc", "kucoin"])
def test_no_liquidations_are_said_and_none_are_asked_for(venue: Venue):
    facts = venue.facts
    assert Kind.LIQUIDATIONS not in facts.streams | facts.asks
    assert facts.completeness is Completeness.UNKNOWN
    assert "no liquidations" in facts.completeness_note


# MEXC


def test_mexc_times_of_klines_are_seconds_in_the_question_and_in_the_answer():
    ask = MEXC.ask_bars(BTC, PriceKind.MARK, NOW - 2 * NS_PER_MINUTE, NOW)
    assert ask.request.path == "/api/v1/contract/kline/fair_price/BTC_USDT"
    assert int(ask.request.params["start"]) == NOW // NS_PER_S - 120
    assert int(ask.request.params["end"]) == NOW // NS_PER_S - 1
    columns = {name: [100, 100, 100] for name in ("open", "close", "high", "low")}
    times = [NOW // NS_PER_S - 120 + 60 * n for n in range(3)]
    bars = ask.parse(cases_mexc.answer({**columns, "time": times}).encode(), RECV_NS)
    # The third begins where the question ends, and has not ended.
    assert [bar.ts_venue for bar in bars] == [NOW - 2 * NS_PER_MINUTE, NOW - NS_PER_MINUTE]  # type: ignore[union-attr]


def test_mexc_milliseconds_where_seconds_belong_are_refused():
    ask = MEXC.ask_bars(BTC, PriceKind.MARK, NOW - NS_PER_MINUTE, NOW)
    columns = {name: [100] for name in ("open", "close", "high", "low")}
    (wrong,) = ask.parse(cases_mexc.answer({**columns, "time": [NOW // 1_000_000]}).encode(), RECV_NS)
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == "time"


def test_mexc_columns_of_unequal_length_are_no_rows():
    ask = MEXC.ask_bars(BTC, PriceKind.LAST, NOW - NS_PER_MINUTE, NOW)
    columns = {"time": [1], "open": [100, 101], "close": [100], "high": [100], "low": [100], "vol": [1]}
    with pytest.raises(CorruptRecord, match="columns"):
        ask.parse(cases_mexc.answer(columns).encode(), RECV_NS)


def test_mexc_volume_of_a_coin_margined_contract_is_dollars_over_the_price():
    ask = MEXC.ask_bars(COIN, PriceKind.LAST, NOW - NS_PER_MINUTE, NOW)
    columns = {"time": [NOW // NS_PER_S - 60], **{name: [50_000] for name in ("open", "close", "high", "low")}, "vol": [1_000]}
    (bar,) = ask.parse(cases_mexc.answer(columns).encode(), RECV_NS)
    assert bar.volume_base == 2.0  # type: ignore[union-attr]  # 1,000 contracts of 100 dollars at 50,000


def test_mexc_funding_goes_back_page_by_page_until_it_has_the_beginning():
    def page(number: int, *ages_h: int) -> bytes:
        rows = [{"symbol": "BTC_USDT", "fundingRate": 0.0001, "settleTime": (NOW - h * NS_PER_HOUR) // 1_000_000} for h in ages_h]
        return cases_mexc.answer({"currentPage": number, "totalPage": 3, "resultList": rows}).encode()

    ask = MEXC.ask_funding(BTC, NOW - NS_PER_DAY, NOW)
    assert ask.more is not None
    second = ask.more(page(1, 1, 9))
    assert second is not None
    assert second.request.params["page_num"] == "2"
    assert second.more is not None
    found = second.parse(page(2, 17, 25), RECV_NS)
    assert [(rate.ts_venue, rate.interval_ns) for rate in found if isinstance(rate, FundingRate)] == [
        (NOW - 17 * NS_PER_HOUR, 8 * NS_PER_HOUR)
    ]
    assert second.more(page(2, 17, 25)) is None  # the day before yesterday is not wanted
    assert second.more(page(3, 17)) is None  # the last page
    assert ask.more(page(1)) is None


def test_mexc_tiers_by_rule_do_not_mistake_contracts_for_dollars():
    (ask,) = MEXC.ask_tiers(cases_mexc.SPECS)
    rule = {**cases_mexc._RULE, "riskLevelLimit": 5}
    (ladder,) = ask.parse(cases_mexc.answer([cases_mexc.contract(**rule)]).encode(), RECV_NS)
    assert isinstance(ladder, RiskLadder)
    # 10,000 contracts of 0.0001 BTC are one bitcoin, not 10,000 dollars; then 20 more for each step.
    assert ladder.in_size
    assert [tier.floor for tier in ladder.tiers] == [0.0, 1.0, 21.0, 41.0, 61.0]
    assert [round(tier.maintenance_margin_rate, 6) for tier in ladder.tiers] == [0.004, 0.008, 0.012, 0.016, 0.02]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"riskLimitType": "BY_MOOD"}, "riskLimitType"),
        ({"riskLevelLimit": 0}, "riskLevelLimit"),
        ({"riskLevelLimit": 10**9}, "riskLevelLimit"),
        ({"riskLevelLimit": None}, "riskLevelLimit"),
        ({"riskLimitMode": "CUSTOM", "riskLimitCustom": [{"maxVol": 5, "mmr": None}]}, "mmr"),
        (
            {
                "riskLimitMode": "CUSTOM",
                "riskLimitCustom": [{"maxVol": 5, "mmr": 0.1}, {"maxVol": 5, "mmr": 0.1, "maxLeverage": 9}],
            },
            "maxVol",
        ),
        ({"maintenanceMarginRate": 1.5}, "mmr"),
        ({"riskIncrMmr": None}, "riskIncrMmr"),
        ({"initialMarginRate": 0}, "initialMarginRate"),
    ],
)
def test_mexc_tiers_that_cannot_be_true_are_refused(more: dict[str, object], field: str):
    (ask,) = MEXC.ask_tiers(cases_mexc.SPECS)
    row = cases_mexc.contract(**{**cases_mexc._RULE, **more})
    (wrong,) = ask.parse(cases_mexc.answer([row]).encode(), RECV_NS)
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == field


def test_mexc_contracts_in_a_third_coin_are_left_out():
    (ask,) = MEXC.ask_instruments()
    rows = [cases_mexc.contract(settleCoin="USDC"), cases_mexc.contract(state=3)]
    (spec,) = ask.parse(cases_mexc.answer(rows).encode(), RECV_NS)
    assert isinstance(spec, InstrumentSpec)
    assert spec.trading is False


def test_mexc_talk():
    specs = {f"C{n}_USDT": BTC for n in range(150)}
    streams = MEXC.streams(specs)
    assert [len(stream.session().opening()) for stream in streams] == [100, 50]
    session = streams[0].session()
    assert json.loads(str(session.opening()[0])) == {"method": "sub.ticker", "param": {"symbol": "C0_USDT"}, "gzip": False}
    assert session.heartbeat() == '{"method":"ping"}'
    pong = session.receive('{"channel":"pong","data":1587442022003}', RECV_NS)
    assert (pong.records, pong.data, pong.refused) == ([], False, None)
    assert session.receive('{"channel":"rs.error","data":"Contract not exists"}', RECV_NS).refused == "Contract not exists"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"success": True, "code": 0, "data": []}, Answer.FINE),
        ({"success": False, "code": 510, "message": "Requests are too frequent"}, Answer.LIMITED),
        ({"success": False, "code": 501, "message": "System busy"}, Answer.BUSY),
        ({"success": False, "code": 1001, "message": "Contract does not exist"}, Answer.REFUSED),
    ],
)
def test_mexc_refusals_hide_in_a_fine_status(body: dict[str, object], answer: Answer):
    assert MEXC.judge(200, {}, json.dumps(body).encode()).answer is answer
    assert MEXC.judge(403, {}, b"<html>Access Denied</html>").answer is Answer.BANNED


# KuCoin


def test_kucoin_symbols_say_what_they_are():
    linear, inverse = describe(InstrumentId("kucoin", "XBTUSDTM")), describe(InstrumentId("kucoin", "XBTUSDM"))
    assert (linear.base, linear.quote, linear.kind) == ("BTC", "USDT", ContractKind.LINEAR)
    assert (inverse.base, inverse.quote, inverse.kind) == ("BTC", "USD", ContractKind.INVERSE)
    atom = describe(InstrumentId("kucoin", "ATOMUSDTM"))
    assert (atom.base, atom.quote) == ("ATOM", "USDT")


def test_kucoin_next_funding_is_time_left_and_lies_on_a_whole_minute():
    (ask,) = KUCOIN.ask_tickers(cases_kucoin.SPECS)
    hour = RECV_NS // NS_PER_HOUR * NS_PER_HOUR + 3 * NS_PER_HOUR
    left_ms = (hour - RECV_NS) // 1_000_000 - 180  # the answer was 180 ms on its way
    (ticker,) = ask.parse(cases_kucoin.answer([cases_kucoin.contract(nextFundingRateTime=left_ms)]).encode(), RECV_NS)
    assert isinstance(ticker, Ticker)
    assert ticker.next_funding_ns == hour
    # An instant instead of a length of time would lie in the next century.
    body = cases_kucoin.answer([cases_kucoin.contract(nextFundingRateTime=RECV_NS // 1_000_000)]).encode()
    (wrong,) = ask.parse(body, RECV_NS)
    assert isinstance(wrong, CorruptRecord)
    assert wrong.context["field"] == "nextFundingRateTime"


def test_kucoin_dated_contracts_and_paused_ones():
    (ask,) = KUCOIN.ask_instruments()
    rows = [cases_kucoin.contract("XBTMZ26", type="FFICSX", fundingRateGranularity=None), cases_kucoin.contract(status="Paused")]
    dated, paused = ask.parse(cases_kucoin.answer(rows).encode(), RECV_NS)
    assert isinstance(dated, InstrumentSpec)
    assert isinstance(paused, InstrumentSpec)
    assert (dated.perpetual, dated.funding_interval_ns, paused.trading) == (False, None, False)


def test_kucoin_has_neither_mark_bars_nor_a_history_of_inverse_open_interest():
    assert KUCOIN.ask_bars(XBT, PriceKind.MARK, NOW - NS_PER_MINUTE, NOW) is None
    assert KUCOIN.ask_open_interest(XBT_USD, NOW - NS_PER_DAY, NOW) is None
    assert KUCOIN.streams(cases_kucoin.SPECS) == []
    ask = KUCOIN.ask_open_interest(XBT, NOW - NS_PER_HOUR, NOW)
    assert ask is not None
    assert ask.request.host == "ua"
    rows = [{"openInterest": "1000", "ts": (NOW - age * NS_PER_MINUTE) // 1_000_000} for age in (5, 10, 65)]
    found = ask.parse(cases_kucoin.answer(rows).encode(), RECV_NS)
    assert [one.ts_venue for one in found] == [NOW - 10 * NS_PER_MINUTE, NOW - 5 * NS_PER_MINUTE]  # type: ignore[union-attr]
    assert KUCOIN.facts.history_ns[Kind.OPEN_INTEREST] < 7 * NS_PER_DAY


@pytest.mark.parametrize(
    ("status", "headers", "body", "answer", "wait_s"),
    [
        (200, {}, {"code": "200000", "data": []}, Answer.FINE, None),
        (429, {"gw-ratelimit-reset": "12500"}, {"code": "429000"}, Answer.LIMITED, 12.5),
        (429, {}, {"code": "429000"}, Answer.LIMITED, None),
        (200, {"gw-ratelimit-reset": "nonsense"}, {"code": "429000", "msg": "Too many requests"}, Answer.LIMITED, None),
        (200, {}, {"code": "1015"}, Answer.LIMITED, 30.0),
        (200, {}, {"code": "100001", "msg": "Symbol does not exist"}, Answer.REFUSED, None),
        (503, {}, {}, Answer.BUSY, None),
        (403, {}, {"code": "403", "msg": "Your IP is forbidden"}, Answer.BANNED, None),
    ],
)
def test_kucoin_answers_are_judged(
    status: int, headers: dict[str, str], body: dict[str, object], answer: Answer, wait_s: float | None
):
    judged = KUCOIN.judge(status, headers, json.dumps(body).encode())
    assert (judged.answer, judged.wait_s) == (answer, wait_s)


def test_kucoin_risk_limits_with_a_hole_are_refused():
    ask = KUCOIN.ask_tiers({"XBTUSDTM": XBT})[0]
    rows = [{"minRiskLimit": low, "maxRiskLimit": low + 5, "maintainMargin": 0.01} for low in (0, 9)]
    with pytest.raises(CorruptRecord, match="minRiskLimit"):
        ask.parse(cases_kucoin.answer(rows).encode(), RECV_NS)
    assert ask.parse(b'{"code":"200000","data":[]}', RECV_NS) == []
