"""KuCoin: hand-made payloads with the documented fields."""

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
    OpenInterest,
    PriceKind,
    RiskLadder,
    RiskTier,
    Ticker,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.kucoin import Kucoin, parse
from liqscape.venues.wire import Parsed

_T = 1_789_999_980_000  # the start of a minute
_NS = _T * 1_000_000


def _spec(symbol: str, base: str, quote: str, kind: ContractKind, size: float) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("kucoin", symbol),
        base=base,
        quote=quote,
        kind=kind,
        contract_size=size,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        max_leverage=125.0,
        market="futures",
    )


SPECS = {
    "XBTUSDTM": _spec("XBTUSDTM", "BTC", "USDT", ContractKind.LINEAR, 0.001),
    "XBTUSDM": _spec("XBTUSDM", "BTC", "USD", ContractKind.INVERSE, 1.0),
}
_SPEC, _COIN = SPECS["XBTUSDTM"], SPECS["XBTUSDM"]
BTC, BTC_USD = _SPEC.id, _COIN.id


def answer(data: object) -> str:
    """Write an answer around its data."""
    return json.dumps({"code": "200000", "data": data})


def contract(symbol: str = "XBTUSDTM", **more: object) -> dict[str, object]:
    """Write a row of contracts/active."""
    inverse = symbol == "XBTUSDM"
    return {
        "symbol": symbol,
        "type": "FFWCSX",
        "baseCurrency": "XBT",
        "quoteCurrency": "USD" if inverse else "USDT",
        "settleCurrency": "XBT" if inverse else "USDT",
        "multiplier": -1.0 if inverse else 0.001,
        "isInverse": inverse,
        "isQuanto": False,
        "status": "Open",
        "tickSize": 0.1,
        "maxLeverage": 125,
        "fundingRateGranularity": 28_800_000,
        **more,
    }


_CASES = [
    Case(
        "lots of 0.001 BTC; lots of a dollar, whose multiplier is negative",
        answer(
            [
                contract(
                    markPrice=100_000.5, indexPrice=100_001, openInterest="9000000", fundingFeeRate=3.8e-05, turnoverOf24h=6e8
                ),
                contract("XBTUSDM", markPrice=50_000, openInterest="100000", turnoverOf24h=2.5),
            ]
        ),
        lambda b: parse.tickers(b, SPECS, RECV_NS),
        [
            Ticker(
                instrument=BTC,
                ts_venue=RECV_NS,
                ts_recv=RECV_NS,
                mark_price=100_000.5,
                index_price=100_001.0,
                open_interest_base=9_000.0,
                funding_rate=3.8e-05,
                volume_24h_usd=6e8,
            ),
            Ticker(instrument=BTC_USD, ts_venue=RECV_NS, ts_recv=RECV_NS, mark_price=50_000.0, open_interest_base=2.0),
        ],
    ),
    Case(
        "klines without taker volume",
        answer([[_T, 100_000, 100_010, 99_990, 100_000, 12_500]]),
        lambda b: parse.bars(b, _SPEC, RECV_NS),
        [
            Bar(
                instrument=BTC,
                price_kind=PriceKind.LAST,
                interval_ns=NS_PER_MINUTE,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                open=100_000.0,
                high=100_010.0,
                low=99_990.0,
                close=100_000.0,
                volume_base=12.5,
                taker_buy_base=None,
            )
        ],
    ),
    Case(
        "history of open interest, newest first on the wire",
        answer([{"openInterest": "5000000", "ts": _T}, {"openInterest": "4000000", "ts": _T - 300_000}]),
        lambda b: parse.open_interest(b, _SPEC, RECV_NS),
        [
            OpenInterest(instrument=BTC, ts_venue=_NS - 5 * NS_PER_MINUTE, ts_recv=RECV_NS, open_interest_base=4_000.0),
            OpenInterest(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=5_000.0),
        ],
    ),
    Case(
        "funding",
        answer([{"symbol": "XBTUSDTM", "fundingRate": -0.0001, "timepoint": _T}]),
        lambda b: parse.funding(b, _SPEC, RECV_NS),
        [FundingRate(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, rate=-0.0001, interval_ns=8 * NS_PER_HOUR)],
    ),
    Case(
        "risk limits",
        answer(
            [
                {
                    "symbol": "XBTUSDTM",
                    "level": level,
                    "minRiskLimit": low,
                    "maxRiskLimit": high,
                    "maxLeverage": leverage,
                    "initialMargin": 1 / leverage,
                    "maintainMargin": rate,
                }
                for level, low, high, leverage, rate in ((2, 250_000, 1_000_000, 100, 0.005), (1, 0, 250_000, 125, 0.004))
            ]
        ),
        lambda b: parse.tiers(b, _SPEC, RECV_NS),
        [
            RiskLadder(
                instrument=BTC,
                tiers=(RiskTier(0.0, 0.004, None, 125.0), RiskTier(250_000.0, 0.005, None, 100.0)),
                known_to=1e6,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a book, its time in nanoseconds",
        answer({"symbol": "XBTUSDTM", "sequence": 1, "bids": [[99_999, 1_000]], "asks": [["100001", 3_000]], "ts": _NS + 1024}),
        lambda b: parse.book(b, _SPEC, RECV_NS),
        [Book(instrument=BTC, ts_venue=_NS + 1024, ts_recv=RECV_NS, bids=[(99_999.0, 1.0)], asks=[(100_001.0, 3.0)])],
    ),
    Case(
        "instruments: XBT is BTC",
        answer([contract(), contract("XBTUSDM")]),
        lambda b: parse.instruments(b, RECV_NS),
        [_SPEC, _COIN],
    ),
]


def _fixture(_label: str, entry: object) -> Parsed | None:
    """Read what was asked for by REST and recorded as frames: a contract and a book."""
    assert isinstance(entry, dict)
    topic = str(entry["topic"])
    if topic.startswith("/contract/details"):
        body = json.dumps({"code": "200000", "data": [entry["data"]]}).encode()
        return [*parse.instruments(body, RECV_NS), *parse.tickers(body, SPECS, RECV_NS)]
    if topic.startswith("/contractMarket/level2Snapshot"):
        return parse.book(json.dumps(entry).encode(), _SPEC, RECV_NS)
    return None


VENUE_CASES = [
    VenueCases(
        venue=Kucoin(),
        specs=SPECS,
        cases=_CASES,
        fixtures={"kucoin_futures/ws_messages_recorded.json": _fixture},
    )
]
