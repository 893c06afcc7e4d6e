"""MEXC: hand-made payloads with the documented fields."""

from __future__ import annotations

import json

from venue_case import RECV_NS, Case, VenueCases

from liqscape.model import (
    Bar,
    Book,
    ContractKind,
    FundingRate,
    InstrumentId,
    InstrumentSpec,
    PriceKind,
    RiskLadder,
    RiskTier,
    Ticker,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.mexc import Mexc, parse
from liqscape.venues.wire import Parsed

_T = 1_789_999_980_000  # the start of a minute
_NS = _T * 1_000_000


def _spec(symbol: str, size: float) -> InstrumentSpec:
    base, _, quote = symbol.partition("_")
    return InstrumentSpec(
        id=InstrumentId("mexc", symbol),
        base=base,
        quote=quote,
        kind=ContractKind.INVERSE if quote == "USD" else ContractKind.LINEAR,
        contract_size=size,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        max_leverage=500.0,
        market="swap",
    )


SPECS = {"BTC_USDT": _spec("BTC_USDT", 0.0001), "BTC_USD": _spec("BTC_USD", 100.0)}
_SPEC, _COIN = SPECS["BTC_USDT"], SPECS["BTC_USD"]
BTC, BTC_USD = _SPEC.id, _COIN.id
_MEXC = Mexc()


def answer(data: object) -> str:
    """Write an answer around its data."""
    return json.dumps({"success": True, "code": 0, "data": data})


def contract(symbol: str = "BTC_USDT", **more: object) -> dict[str, object]:
    """Write a row of /detail."""
    base, _, quote = symbol.partition("_")
    row = {"symbol": symbol, "baseCoin": base, "quoteCoin": quote, "settleCoin": quote, "contractSize": 0.0001, "priceUnit": 0.1}
    return {**row, "maxLeverage": 500, "state": 0, **more}


_RULE = {
    "maintenanceMarginRate": 0.004,
    "initialMarginRate": 0.008,
    "riskBaseVol": 10_000,
    "riskIncrVol": 200_000,
    "riskIncrMmr": 0.004,
    "riskIncrImr": 0.008,
    "riskLevelLimit": 2,
}
_ROW = {"timestamp": _T, "fairPrice": 100_000.5, "indexPrice": 100_001, "fundingRate": 0.0001, "lastPrice": 100_000}


def _bar(kind: PriceKind, volume: float | None) -> Bar:
    return Bar(
        instrument=BTC,
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


_COLUMNS = {"time": [_T // 1000], "open": [100_000], "close": [100_000], "high": [100_010], "low": [99_990]}
_CASES = [
    Case(
        "holdVol is contracts of contractSize",
        json.dumps(
            {"channel": "push.ticker", "data": {**_ROW, "symbol": "BTC_USDT", "holdVol": 2_000_000}, "symbol": "BTC_USDT"}
        ),
        lambda b: _MEXC.streams(SPECS)[0].session().receive(b, RECV_NS).records,
        [
            Ticker(
                instrument=BTC,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                mark_price=100_000.5,
                index_price=100_001.0,
                open_interest_base=200.0,
                funding_rate=0.0001,
            )
        ],
    ),
    Case(
        "all tickers; a coin-margined contract is dollars",
        answer(
            [
                {"symbol": "BTC_USDT", "timestamp": _T, "fairPrice": 50_000, "holdVol": 30_000, "amount24": 1e9},
                {"symbol": "BTC_USD", "timestamp": _T, "fairPrice": 50_000, "holdVol": 1_000, "volume24": 700, "amount24": 1.4},
                {"symbol": "SPARE_USDT", "timestamp": _T},
            ]
        ),
        lambda b: parse.tickers(b, SPECS, RECV_NS),
        [
            Ticker(
                instrument=one,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                mark_price=50_000.0,
                open_interest_base=base,
                volume_24h_usd=volume,
            )
            for one, base, volume in ((BTC, 3.0, 1e9), (BTC_USD, 2.0, 70_000.0))
        ],
    ),
    Case(
        "klines are columns, their times seconds, their volume contracts",
        answer({**_COLUMNS, "vol": [125_000], "amount": [1_250_000]}),
        lambda b: parse.bars(b, _SPEC, PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, 12.5)],
    ),
    Case(
        "fair-price klines are the mark's",
        answer({**_COLUMNS, "vol": [0], "amount": [0]}),
        lambda b: parse.bars(b, _SPEC, PriceKind.MARK, RECV_NS),
        [_bar(PriceKind.MARK, None)],
    ),
    Case(
        "funding between two instants, each 4 hours as its stamps tell",
        answer(
            {
                "pageSize": 100,
                "totalCount": 3,
                "totalPage": 1,
                "currentPage": 1,
                "resultList": [
                    {"symbol": "BTC_USDT", "fundingRate": rate, "settleTime": ts}
                    for rate, ts in ((0.9, _T + 14_400_000), (-0.0001, _T), (0.8, _T - 14_400_000))
                ],
            }
        ),
        lambda b: parse.funding(b, _SPEC, _NS, _NS + NS_PER_MINUTE, RECV_NS),
        [FundingRate(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, rate=-0.0001, interval_ns=4 * NS_PER_HOUR)],
    ),
    Case(
        "a margin table by rule, in contracts: the second tier begins at 1 BTC",
        answer([contract(riskLimitType="BY_VOLUME", **_RULE)]),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=BTC,
                tiers=(RiskTier(0.0, 0.004, None, 125.0), RiskTier(1.0, 0.008, None, 62.5)),
                in_size=True,
                known_to=21.0,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a margin table as a list, in dollars",
        answer(
            [
                contract(
                    riskLimitType="BY_VALUE",
                    riskLimitMode="CUSTOM",
                    riskLimitCustom=[
                        {"level": 1, "maxVol": 500_000, "mmr": 0.004, "imr": 0.008, "maxLeverage": 125},
                        {"level": 2, "maxVol": 1_000_000, "mmr": 0.01, "imr": 0.02, "maxLeverage": 50},
                    ],
                    **_RULE,
                )
            ]
        ),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=BTC,
                tiers=(RiskTier(0.0, 0.004, None, 125.0), RiskTier(5e5, 0.01, None, 50.0)),
                known_to=1e6,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a book is price, contracts, orders",
        answer(
            {"bids": [[99_999, 10_000, 1], [99_998, 20_000, 3]], "asks": [[100_001, 30_000, 2]], "version": 1, "timestamp": _T}
        ),
        lambda b: parse.book(b, _SPEC, RECV_NS),
        [Book(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, bids=[(99_999.0, 1.0), (99_998.0, 2.0)], asks=[(100_001.0, 3.0)])],
    ),
    Case(
        "instruments: linear and coin-margined",
        answer([contract(), contract("BTC_USD", settleCoin="BTC", contractSize=100)]),
        lambda b: parse.instruments(b, RECV_NS),
        [_SPEC, _COIN],
    ),
]


def _fixture(_label: str, entry: object) -> Parsed | None:
    if isinstance(entry, dict) and entry.get("channel") == "push.ticker":
        return _MEXC.streams(SPECS)[0].session().receive(json.dumps(entry), RECV_NS).records
    return None


def _official(label: str, entry: object) -> Parsed | None:
    if label == "rest.contract/kline":
        return parse.bars(json.dumps(entry).encode(), _SPEC, PriceKind.LAST, RECV_NS)
    return _fixture(label, entry)


def _quoted(label: str, entry: object) -> Parsed | None:
    body = json.dumps(entry).encode()
    if label.startswith("fetch_leverage_tiers"):
        return [*parse.instruments(body, RECV_NS), *parse.tiers(body, SPECS, RECV_NS)]
    return parse.funding(body, _SPEC, 0, RECV_NS, RECV_NS)


VENUE_CASES = [
    VenueCases(
        venue=_MEXC,
        specs=SPECS,
        cases=_CASES,
        fixtures={
            "mexc/ws_messages_recorded.json": _fixture,
            "mexc/official_doc_examples.json": _official,
            "mexc/ccxt_comment_examples.json": _quoted,
        },
    )
]
