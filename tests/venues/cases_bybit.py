"""Bybit, both categories: hand-made payloads with the documented fields."""

from __future__ import annotations

import json

from venue_case import RECV_NS, Case, VenueCases

from liqscape.model import (
    AccountRatio,
    Bar,
    Book,
    Completeness,
    ContractKind,
    FundingRate,
    InstrumentId,
    InstrumentSpec,
    Liquidation,
    LiquidationPriceKind,
    OpenInterest,
    Population,
    PositionSide,
    PriceKind,
    RiskLadder,
    RiskTier,
    TakerSide,
    Ticker,
    Trade,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.bybit import Bybit, parse

_T = 1_789_999_980_000  # the start of a minute
_NS = _T * 1_000_000


def _spec(symbol: str, base: str, quote: str, kind: ContractKind, market: str) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("bybit", symbol),
        base=base,
        quote=quote,
        kind=kind,
        contract_size=1.0,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        max_leverage=100.0,
        market=market,
    )


LINEAR = {"BTCUSDT": _spec("BTCUSDT", "BTC", "USDT", ContractKind.LINEAR, "linear")}
INVERSE = {"BTCUSD": _spec("BTCUSD", "BTC", "USD", ContractKind.INVERSE, "inverse")}
BTC, BTC_USD = LINEAR["BTCUSDT"].id, INVERSE["BTCUSD"].id


def _liquidation(instrument: InstrumentId, side: PositionSide, price: float, base: float) -> Liquidation:
    return Liquidation(
        instrument=instrument,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=base,
        completeness=Completeness.ALL,
        ts_venue=_NS,
        ts_recv=RECV_NS,
    )


def _frame(topic: str, rows: list[dict[str, object]]) -> str:
    return json.dumps({"topic": topic, "type": "snapshot", "ts": _T + 175, "data": rows})


def _answer(result: object) -> str:
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": _T})


def _bar(kind: PriceKind, instrument: InstrumentId, volume: float | None) -> Bar:
    return Bar(
        instrument=instrument,
        price_kind=kind,
        interval_ns=NS_PER_MINUTE,
        ts_venue=_NS,
        ts_recv=RECV_NS,
        open=100_000.0,
        high=100_010.0,
        low=99_990.0,
        close=100_000.0,
        volume_base=volume,
        taker_buy_base=None,
    )


_KLINE = [str(_T), "100000", "100010", "99990", "100000"]
_TICKER = {
    "symbol": "BTCUSDT",
    "markPrice": "100000.5",
    "indexPrice": "100001",
    "openInterest": "200",
    "singleOpenInterest": "100",
}
_LINEAR, _INVERSE = Bybit("linear"), Bybit("inverse")
_SPEC = LINEAR["BTCUSDT"]

_LINEAR_CASES = [
    Case(
        "Buy is a long position that was liquidated, Sell a short one",
        _frame(
            "allLiquidation.BTCUSDT",
            [
                {"T": _T, "s": "BTCUSDT", "S": "Buy", "v": "0.5", "p": "99000"},
                {"T": _T, "s": "BTCUSDT", "S": "Sell", "v": "2", "p": "101000"},
            ],
        ),
        lambda b: parse.liquidations(b, LINEAR, RECV_NS),
        [_liquidation(BTC, PositionSide.LONG, 99_000.0, 0.5), _liquidation(BTC, PositionSide.SHORT, 101_000.0, 2.0)],
    ),
    Case(
        "a block trade is no trade of the book",
        _frame(
            "publicTrade.BTCUSDT",
            [
                {"T": _T, "s": "BTCUSDT", "S": "Sell", "v": "0.1", "p": "100000", "BT": False},
                {"T": _T, "s": "BTCUSDT", "S": "Buy", "v": "50", "p": "100000", "BT": True},
            ],
        ),
        lambda b: parse.trades(b, LINEAR, RECV_NS),
        [Trade(instrument=BTC, taker_side=TakerSide.SELL, price=100_000.0, quantity_base=0.1, ts_venue=_NS, ts_recv=RECV_NS)],
    ),
    Case(
        "openInterest counts both sides, singleOpenInterest one",
        json.dumps({"topic": "tickers.BTCUSDT", "type": "snapshot", "ts": _T, "data": _TICKER}),
        lambda b: parse.ticker(b, LINEAR, RECV_NS),
        [
            Ticker(
                instrument=BTC,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                mark_price=100_000.5,
                index_price=100_001.0,
                open_interest_base=100.0,
            )
        ],
    ),
    Case(
        "before singleOpenInterest existed the two-sided sum is halved",
        _answer(
            {
                "category": "linear",
                "list": [{"symbol": "BTCUSDT", "openInterest": "200", "markPrice": "", "fundingRate": "0.0001"}],
            }
        ),
        lambda b: parse.tickers(b, LINEAR, RECV_NS),
        [Ticker(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=100.0, funding_rate=0.0001)],
    ),
    Case(
        "klines come newest first and without taker volume",
        _answer({"category": "linear", "list": [[*_KLINE, "12.5", "1250000"]]}),
        lambda b: parse.bars(b, _SPEC, PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, BTC, 12.5)],
    ),
    Case(
        "mark klines have no volume",
        _answer({"category": "linear", "list": [_KLINE]}),
        lambda b: parse.bars(b, _SPEC, PriceKind.MARK, RECV_NS),
        [_bar(PriceKind.MARK, BTC, None)],
    ),
    Case(
        "history of open interest, one side",
        _answer({"list": [{"openInterest": "200", "singleOpenInterest": "100", "timestamp": str(_T)}]}),
        lambda b: parse.open_interest(b, _SPEC, RECV_NS),
        [OpenInterest(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=100.0)],
    ),
    Case(
        "funding",
        _answer({"list": [{"symbol": "BTCUSDT", "fundingRate": "-0.0001", "fundingRateTimestamp": str(_T)}]}),
        lambda b: parse.funding(b, _SPEC, RECV_NS),
        [FundingRate(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, rate=-0.0001, interval_ns=8 * NS_PER_HOUR)],
    ),
    Case(
        "share of accounts that are long",
        _answer({"list": [{"symbol": "BTCUSDT", "buyRatio": "0.49", "sellRatio": "0.51", "timestamp": str(_T)}]}),
        lambda b: parse.ratios(b, _SPEC, RECV_NS),
        [AccountRatio(instrument=BTC, population=Population.ACCOUNTS, ts_venue=_NS, ts_recv=RECV_NS, long_share=0.49)],
    ),
    Case(
        "a maintenance rate that is a per cent is read as one; floors are the value of the row before",
        _answer(
            {
                "list": [
                    {
                        "symbol": "BTCUSDT",
                        "riskLimitValue": "2000000",
                        "maintenanceMargin": "0.5",
                        "maxLeverage": "100",
                        "mmDeduction": "",
                    },
                    {
                        "symbol": "BTCUSDT",
                        "riskLimitValue": "5000000",
                        "maintenanceMargin": "0.01",
                        "maxLeverage": "50",
                        "mmDeduction": "10000",
                    },
                ]
            }
        ),
        lambda b: parse.tiers(b, LINEAR, RECV_NS),
        [
            RiskLadder(
                instrument=BTC,
                tiers=(RiskTier(0.0, 0.005, None, 100.0), RiskTier(2e6, 0.01, 10_000.0, 50.0)),
                known_to=5e6,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a book, best first",
        _answer({"s": "BTCUSDT", "b": [["99999", "1"], ["99998", "2"]], "a": [["100001", "3"]], "ts": _T, "u": 1, "seq": 1}),
        lambda b: parse.book(b, _SPEC, RECV_NS),
        [Book(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, bids=[(99_999.0, 1.0), (99_998.0, 2.0)], asks=[(100_001.0, 3.0)])],
    ),
    Case(
        "an instrument",
        _answer(
            {
                "list": [
                    {
                        "symbol": "BTCUSDT",
                        "contractType": "LinearPerpetual",
                        "status": "Trading",
                        "baseCoin": "BTC",
                        "quoteCoin": "USDT",
                        "priceFilter": {"tickSize": "0.1"},
                        "fundingInterval": 480,
                        "leverageFilter": {"maxLeverage": "100.00"},
                    }
                ]
            }
        ),
        lambda b: parse.instruments(b, "linear", RECV_NS),
        [_SPEC],
    ),
]

_INVERSE_CASES = [
    Case(
        "an inverse contract is 1 USD: 99,000 of them at 99,000 are 1 BTC",
        _frame("allLiquidation.BTCUSD", [{"T": _T, "s": "BTCUSD", "S": "Buy", "v": "99000", "p": "99000"}]),
        lambda b: parse.liquidations(b, INVERSE, RECV_NS),
        [_liquidation(BTC_USD, PositionSide.LONG, 99_000.0, 1.0)],
    ),
    Case(
        "a short of an inverse contract",
        _frame("allLiquidation.BTCUSD", [{"T": _T, "s": "BTCUSD", "S": "Sell", "v": "50500", "p": "101000"}]),
        lambda b: parse.liquidations(b, INVERSE, RECV_NS),
        [_liquidation(BTC_USD, PositionSide.SHORT, 101_000.0, 0.5)],
    ),
    Case(
        "inverse open interest is USD and needs the price beside it",
        json.dumps(
            {"topic": "tickers.BTCUSD", "ts": _T, "data": {"symbol": "BTCUSD", "markPrice": "100000", "openInterest": "400000"}}
        ),
        lambda b: parse.ticker(b, INVERSE, RECV_NS),
        [Ticker(instrument=BTC_USD, ts_venue=_NS, ts_recv=RECV_NS, mark_price=100_000.0, open_interest_base=2.0)],
    ),
    Case(
        "inverse volume is USD",
        _answer({"list": [[*_KLINE, "200000", "2"]]}),
        lambda b: parse.bars(b, INVERSE["BTCUSD"], PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, BTC_USD, 2.0)],
    ),
]


def _fixture(venue: Bybit, specs: dict[str, InstrumentSpec]):
    """Read recorded frames with the session of a stream that knows every symbol in them."""

    def read(_label: str, entry: object) -> object:
        if not isinstance(entry, dict) or "topic" not in entry or "option" in str(entry.get("topic")):
            return None
        topic = str(entry["topic"])
        if not topic.startswith(("publicTrade", "tickers", "allLiquidation", "liquidation")) or topic.count("-") > 1:
            return None
        data = entry["data"]
        first = data[0] if isinstance(data, list) else data
        symbol = str(first.get("s") or first.get("symbol"))
        known = {symbol: _spec(symbol, symbol, "USDT", ContractKind.LINEAR, "linear")}
        return venue.streams(known)[0].session().receive(json.dumps(entry), RECV_NS).records

    return read


VENUE_CASES = [
    VenueCases(
        venue=_LINEAR,
        specs=LINEAR,
        cases=_LINEAR_CASES,
        fixtures={
            "bybit/ws_messages_recorded.json": _fixture(_LINEAR, LINEAR),
            "bybit/official_doc_examples.json": _fixture(_LINEAR, LINEAR),
        },
    ),
    VenueCases(venue=_INVERSE, specs=INVERSE, cases=_INVERSE_CASES, fixtures={}),
]
