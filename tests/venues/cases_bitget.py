"""Bitget USDT perpetuals: hand-made payloads with the documented fields."""

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
from liqscape.venues.bitget import Bitget, parse

T = 1_789_999_980_000  # the start of a minute
_NS = T * 1_000_000


def spec(symbol: str) -> InstrumentSpec:
    """Describe a pair."""
    return InstrumentSpec(
        id=InstrumentId("bitget", symbol),
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        kind=ContractKind.LINEAR,
        contract_size=1.0,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        max_leverage=125.0,
        market="usdt",
    )


SPECS = {"BTCUSDT": spec("BTCUSDT"), "APEUSDT": spec("APEUSDT")}
BTC, APE = SPECS["BTCUSDT"], SPECS["APEUSDT"]
VENUE = Bitget(now_ns=lambda: RECV_NS)


def liquidation(one: InstrumentSpec, side: PositionSide, price: float, base: float) -> Liquidation:
    """Build the record of a print."""
    return Liquidation(
        instrument=one.id,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.UNKNOWN,
        quantity_base=base,
        completeness=Completeness.THROTTLED,
        ts_venue=_NS,
        ts_recv=RECV_NS,
    )


def row(symbol: str, side: str, price: str, amount: str, at: int = T) -> dict[str, str]:
    """Build one print as Bitget writes it."""
    return {"symbol": symbol, "side": side, "price": price, "amount": amount, "ts": str(at)}


def frame(arg: dict[str, str], data: list[object], ts: int = T + 17_000, action: str = "update") -> str:
    """Build a frame of a topic."""
    head = {"action": action, "arg": {"instType": "usdt-futures", **arg}}
    return json.dumps({**head, "data": data, "ts": ts}, separators=(",", ":"))


def receive(body: bytes) -> list[object]:
    """Read a frame as a stream's session does."""
    return VENUE.streams(SPECS)[0].session().receive(body, RECV_NS).records


def answer(data: object) -> str:
    """Build an answer."""
    return json.dumps({"code": "00000", "msg": "success", "requestTime": T, "data": data})


def _bar(kind: PriceKind, volume: float | None) -> Bar:
    return Bar(
        instrument=BTC.id,
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


_CANDLES = [
    [str(T), "100000", "100010", "99990", "100000", "12.5", "1250000"],
    [str(T + 60_000), "100000", "100010", "99990", "100000", "0.1", "10000"],
]
_PRINTS = [row("BTCUSDT", "buy", "100000", "50000"), row("APEUSDT", "sell", "0.5", "500"), row("ETHUSDT", "buy", "1", "1")]
_TRADE = Trade(instrument=BTC.id, taker_side=TakerSide.SELL, price=100_000.0, quantity_base=0.25, ts_venue=_NS, ts_recv=RECV_NS)

_CASES = [
    Case(
        "buy is a long position that was liquidated; amount is quote: 50,000 USDT at 100,000 are half a coin",
        frame({"topic": "liquidation"}, list(_PRINTS)),
        receive,
        [liquidation(BTC, PositionSide.LONG, 100_000.0, 0.5), liquidation(APE, PositionSide.SHORT, 0.5, 1000.0)],
    ),
    Case(
        "past prints are rows like the stream's",
        answer({"list": _PRINTS, "cursor": "77"}),
        lambda b: parse.past_liquidations(b, SPECS, RECV_NS),
        [liquidation(BTC, PositionSide.LONG, 100_000.0, 0.5), liquidation(APE, PositionSide.SHORT, 0.5, 1000.0)],
    ),
    Case(
        "a v3 ticker: sizes are coins, the time is the frame's",
        frame(
            {"topic": "ticker", "symbol": "BTCUSDT"},
            [
                {
                    "lastPrice": "100000",
                    "markPrice": "100000.5",
                    "indexPrice": "100001",
                    "fundingRate": "-0.00003",
                    "openInterest": "29539.5",
                    "turnover24h": "2914473798.5",
                    "deliveryTime": "",
                    "nextFundingTime": str(T + 3_600_000),
                }
            ],
            ts=T,
        ),
        receive,
        [
            Ticker(
                instrument=BTC.id,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                mark_price=100_000.5,
                index_price=100_001.0,
                open_interest_base=29_539.5,
                funding_rate=-0.00003,
                next_funding_ns=_NS + NS_PER_HOUR,
                volume_24h_usd=2_914_473_798.5,
            )
        ],
    ),
    Case(
        "a v2 ticker names other fields",
        frame(
            {"channel": "ticker", "instId": "APEUSDT"},
            [{"instId": "APEUSDT", "markPrice": "0.5", "holdingAmount": "8572031.5", "quoteVolume": "9", "ts": str(T)}],
        ),
        receive,
        [
            Ticker(
                instrument=APE.id,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                mark_price=0.5,
                open_interest_base=8_572_031.5,
                volume_24h_usd=9.0,
            )
        ],
    ),
    Case(
        "tickers of every pair in one answer",
        answer(
            [
                {"symbol": "BTCUSDT", "ts": str(T), "indexPrice": "100001", "holdingAmount": "125.5", "fundingRate": "0.0001"},
                {"symbol": "XYZUSDT", "ts": str(T), "indexPrice": "1", "holdingAmount": "1", "fundingRate": ""},
            ]
        ),
        lambda b: parse.tickers(b, SPECS, RECV_NS),
        [
            Ticker(
                instrument=BTC.id,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                index_price=100_001.0,
                open_interest_base=125.5,
                funding_rate=0.0001,
            )
        ],
    ),
    Case(
        "v3 trades",
        frame({"topic": "publicTrade", "symbol": "BTCUSDT"}, [{"i": "1", "p": "100000", "v": "0.25", "S": "sell", "T": str(T)}]),
        receive,
        [_TRADE],
    ),
    Case(
        "v2 trades",
        frame({"channel": "trade", "instId": "BTCUSDT"}, [{"ts": str(T), "price": "100000", "size": "0.25", "side": "sell"}]),
        receive,
        [_TRADE],
    ),
    Case(
        "candles, oldest first; one that is still open is left out",
        answer(_CANDLES),
        lambda b: parse.bars(b, BTC, PriceKind.LAST, _NS + NS_PER_MINUTE),
        [Bar(**{**{f: getattr(_bar(PriceKind.LAST, 12.5), f) for f in Bar.__struct_fields__}, "ts_recv": _NS + NS_PER_MINUTE})],
    ),
    Case(
        "candles of the mark price have no volume",
        answer([[*_CANDLES[0][:5], "0", "0"]]),
        lambda b: parse.bars(b, BTC, PriceKind.MARK, RECV_NS),
        [_bar(PriceKind.MARK, None)],
    ),
    Case(
        "funding",
        answer([{"symbol": "BTCUSDT", "fundingRate": "-0.0003", "fundingTime": str(T)}]),
        lambda b: parse.funding(b, BTC, RECV_NS),
        [FundingRate(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, rate=-0.0003, interval_ns=8 * NS_PER_HOUR)],
    ),
    Case(
        "share of accounts that are long",
        answer([{"longAccountRatio": "0.75", "shortAccountRatio": "0.25", "longShortAccountRatio": "3", "ts": str(T)}]),
        lambda b: parse.ratios(b, BTC, RECV_NS),
        [AccountRatio(instrument=BTC.id, population=Population.ACCOUNTS, ts_venue=_NS, ts_recv=RECV_NS, long_share=0.75)],
    ),
    Case(
        "tiers in quote notional",
        answer(
            [
                {
                    "symbol": "BTCUSDT",
                    "level": str(i + 1),
                    "startUnit": low,
                    "endUnit": high,
                    "leverage": lever,
                    "keepMarginRate": rate,
                }
                for i, (low, high, lever, rate) in enumerate(
                    [("0", "50000", "125", "0.004"), ("50000", "200000", "100", "0.005")]
                )
            ]
        ),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=BTC.id,
                tiers=(RiskTier(0.0, 0.004, None, 125.0), RiskTier(50_000.0, 0.005, None, 100.0)),
                known_to=200_000.0,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a book in coins",
        answer({"asks": [[100001.0, 3]], "bids": [["99999", "1"], ["99998", "2"]], "ts": str(T), "scale": "0.1"}),
        lambda b: parse.book(b, BTC, RECV_NS),
        [
            Book(
                instrument=BTC.id,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                bids=[(99_999.0, 1.0), (99_998.0, 2.0)],
                asks=[(100_001.0, 3.0)],
            )
        ],
    ),
    Case(
        "an instrument: the tick is 1 at the first decimal",
        answer(
            [
                {
                    "symbol": "BTCUSDT",
                    "baseCoin": "BTC",
                    "quoteCoin": "USDT",
                    "symbolType": "perpetual",
                    "symbolStatus": "normal",
                    "pricePlace": "1",
                    "priceEndStep": "1",
                    "fundInterval": "8",
                    "maxLever": "125",
                    "supportMarginCoins": ["USDT"],
                }
            ]
        ),
        lambda b: parse.instruments(b, RECV_NS),
        [BTC],
    ),
]


def _fixture(_label: str, entry: object) -> object:
    """Read recorded frames and answers with specs that know what is in them."""
    if not isinstance(entry, dict) or not entry.get("data"):
        return None
    data, arg, text = entry["data"], entry.get("arg"), json.dumps(entry, separators=(",", ":"))
    if arg is not None:
        if arg["instType"].lower() != "usdt-futures" or "books" in arg.get("topic", arg.get("channel")):
            return None
        symbols = {arg.get("symbol"), arg.get("instId"), *(one.get("symbol") for one in data)} - {None}
        known = {str(symbol): spec(str(symbol)) for symbol in symbols}
        return Bitget().streams(known)[0].session().receive(text, RECV_NS).records
    body, first = text.encode(), data[0] if isinstance(data, list) else data
    if "longAccountRatio" in first:
        return parse.ratios(body, BTC, RECV_NS)
    if "keepMarginRate" in first:
        return parse.tiers(body, SPECS, RECV_NS)
    return parse.funding(body, BTC, RECV_NS) if "fundingTime" in first else None


VENUE_CASES = [
    VenueCases(
        venue=VENUE,
        specs=SPECS,
        cases=_CASES,
        fixtures={
            f"bitget/{name}.json": _fixture for name in ("ws_messages_recorded", "ccxt_comment_examples", "official_doc_examples")
        },
    )
]
