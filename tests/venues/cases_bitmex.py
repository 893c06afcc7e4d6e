"""BitMEX: hand-made payloads with the fields of recorded frames."""

from __future__ import annotations

import json

from venue_case import RECV_NS, Case, VenueCases

from liqscape.model import (
    Bar,
    Book,
    Completeness,
    ContractKind,
    FundingRate,
    InstrumentId,
    InstrumentSpec,
    Liquidation,
    LiquidationPriceKind,
    PositionSide,
    PriceKind,
    RiskLadder,
    RiskTier,
    Ticker,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.bitmex import Bitmex, parse
from liqscape.venues.wire import Parsed

START = "2026-09-21T14:13:00.000Z"
END = "2026-09-21T14:14:00.000Z"
NS = 1_789_999_980_000_000_000  # START
_VENUE = Bitmex()


def _spec(symbol: str, quote: str, kind: ContractKind, size: float) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("bitmex", symbol),
        base="BTC",
        quote=quote,
        kind=kind,
        contract_size=size,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        max_leverage=100.0,
        market=kind.value,
    )


SPECS = {
    "XBTUSD": _spec("XBTUSD", "USD", ContractKind.INVERSE, 1.0),
    "XBTUSDT": _spec("XBTUSDT", "USDT", ContractKind.LINEAR, 1e-6),
}
INVERSE, LINEAR = SPECS.values()


def liquidation(spec: InstrumentSpec, side: PositionSide, price: float, base: float, order: str) -> Liquidation:
    return Liquidation(
        instrument=spec.id,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=base,
        completeness=Completeness.ALL,
        ts_venue=RECV_NS,
        ts_recv=RECV_NS,
        venue_id=order,
    )


def table(name: str, action: str, *rows: dict[str, object]) -> str:
    return json.dumps({"table": name, "action": action, "data": list(rows)})


def order(order_id: str, symbol: str, side: str, price: float, quantity: float) -> dict[str, object]:
    return {"orderID": order_id, "symbol": symbol, "side": side, "price": price, "leavesQty": quantity}


def _live(body: bytes) -> Parsed:
    return _VENUE.streams(SPECS)[0].session().receive(body, RECV_NS).records


INVERSE_ROW: dict[str, object] = {
    "symbol": "XBTUSD",
    "state": "Open",
    "typ": "FFWCSX",
    "underlying": "XBT",
    "quoteCurrency": "USD",
    "tickSize": 0.1,
    "multiplier": -100_000_000,
    "settlCurrency": "XBt",
    "underlyingToPositionMultiplier": None,
    "isQuanto": False,
    "isInverse": True,
    "initMargin": 0.01,
    "maintMargin": 0.005,
    "riskLimit": 20_000_000_000,
    "riskStep": 15_000_000_000,
    "fundingInterval": "2000-01-01T08:00:00.000Z",
}
LINEAR_ROW: dict[str, object] = {
    **INVERSE_ROW,
    "symbol": "XBTUSDT",
    "quoteCurrency": "USDT",
    "multiplier": 1,
    "settlCurrency": "USDt",
    "underlyingToPositionMultiplier": 1_000_000,
    "quoteToSettleMultiplier": 1_000_000,
    "isInverse": False,
    "riskLimit": 1_000_000_000_000,
}
_QUANTO_ROW = {**INVERSE_ROW, "symbol": "ETHUSD", "underlying": "ETH", "isInverse": False, "isQuanto": True, "multiplier": 100}
_SPOT_ROW = {"symbol": "XBT_USDT", "state": "Open", "typ": "IFXXXP", "underlying": "XBT", "quoteCurrency": "USDT"}

CASES = [
    Case(
        "an order that sells closes a long; a contract of XBTUSD is 1 USD: 99,000 at 99,000 are 1 BTC",
        table("liquidation", "insert", order("one", "XBTUSD", "Sell", 99_000, 99_000)),
        _live,
        [liquidation(INVERSE, PositionSide.LONG, 99_000.0, 1.0, "one")],
    ),
    Case(
        "an order that buys closes a short; a contract of XBTUSDT is a millionth of a coin; what stands at the start counts too",
        table("liquidation", "partial", order("two", "XBTUSDT", "Buy", 101_000, 500_000)),
        _live,
        [liquidation(LINEAR, PositionSide.SHORT, 101_000.0, 0.5, "two")],
    ),
    Case(
        "an order that shrinks or goes is no new order",
        table("liquidation", "update", {"orderID": "one", "symbol": "XBTUSD", "leavesQty": 50_000}),
        _live,
        [],
    ),
    Case(
        "a whole row of the instrument table; open interest of XBTUSD is USD",
        table(
            "instrument",
            "partial",
            {
                **INVERSE_ROW,
                "timestamp": START,
                "markPrice": 100_000,
                "indicativeSettlePrice": 99_999,
                "openInterest": 400_000,
                "fundingRate": 0.0001,
                "fundingTimestamp": "2026-09-21T20:00:00.000Z",
                "foreignNotional24h": 419_742_700,
            },
        ),
        _live,
        [
            Ticker(
                instrument=INVERSE.id,
                ts_venue=NS,
                ts_recv=RECV_NS,
                mark_price=100_000.0,
                index_price=99_999.0,
                open_interest_base=4.0,
                funding_rate=0.0001,
                next_funding_ns=1_790_020_800_000_000_000,
                volume_24h_usd=419_742_700.0,
            )
        ],
    ),
    Case(
        "a change tells what changed; one of nothing that we read is left out",
        table(
            "instrument",
            "update",
            {"symbol": "XBTUSDT", "openInterest": 5_000_000, "timestamp": START},
            {"symbol": "XBTUSDT", "lastTickDirection": "ZeroMinusTick", "timestamp": START},
        ),
        _live,
        [Ticker(instrument=LINEAR.id, ts_venue=NS, ts_recv=RECV_NS, open_interest_base=5.0)],
    ),
    Case(
        "tickers by request",
        json.dumps([{**LINEAR_ROW, "timestamp": START, "markPrice": 100_000, "openInterest": 2_000_000}]),
        lambda b: parse.active_tickers(b, SPECS, RECV_NS),
        [Ticker(instrument=LINEAR.id, ts_venue=NS, ts_recv=RECV_NS, mark_price=100_000.0, open_interest_base=2.0)],
    ),
    Case(
        "a bucket is stamped with its end; its opening is moved into what was traded",
        json.dumps(
            [
                {
                    "timestamp": END,
                    "symbol": "XBTUSD",
                    "open": 99_980,
                    "high": 100_010,
                    "low": 99_990,
                    "close": 100_000,
                    "trades": 45,
                    "volume": 250_000,
                    "homeNotional": 2.5,
                    "foreignNotional": 250_000,
                }
            ]
        ),
        lambda b: parse.bars(b, INVERSE, RECV_NS),
        [
            Bar(
                instrument=INVERSE.id,
                price_kind=PriceKind.LAST,
                interval_ns=NS_PER_MINUTE,
                ts_venue=NS,
                ts_recv=RECV_NS,
                open=99_990.0,
                high=100_010.0,
                low=99_990.0,
                close=100_000.0,
                volume_base=2.5,
                taker_buy_base=None,
            )
        ],
    ),
    Case(
        "funding with its interval written as a time of day",
        json.dumps(
            [
                {
                    "timestamp": START,
                    "symbol": "XBTUSD",
                    "fundingInterval": "2000-01-01T08:00:00.000Z",
                    "fundingRate": -0.0001,
                    "fundingRateDaily": -0.0003,
                }
            ]
        ),
        lambda b: parse.funding(b, INVERSE, RECV_NS),
        [FundingRate(instrument=INVERSE.id, ts_venue=NS, ts_recv=RECV_NS, rate=-0.0001, interval_ns=8 * NS_PER_HOUR)],
    ),
    Case(
        "a book comes in rows of any order",
        json.dumps(
            [
                {"symbol": "XBTUSD", "id": 1, "side": "Sell", "size": 100_000, "price": 100_000.0, "timestamp": START},
                {"symbol": "XBTUSD", "id": 2, "side": "Buy", "size": 10_000, "price": 40_000.0, "timestamp": START},
                {"symbol": "XBTUSD", "id": 3, "side": "Buy", "size": 100_000, "price": 50_000.0, "timestamp": START},
            ]
        ),
        lambda b: parse.book(b, INVERSE, RECV_NS),
        [
            Book(
                instrument=INVERSE.id,
                ts_venue=RECV_NS,
                ts_recv=RECV_NS,
                bids=[(50_000.0, 2.0), (40_000.0, 0.25)],
                asks=[(100_000.0, 1.0)],
            )
        ],
    ),
    Case(
        "inverse and linear instruments; quanto and spot are left out",
        json.dumps([INVERSE_ROW, LINEAR_ROW, _QUANTO_ROW, _SPOT_ROW]),
        lambda b: parse.instruments(b, RECV_NS),
        [INVERSE, LINEAR],
    ),
    Case(
        "the first tier and where it ends, in the margin currency",
        json.dumps([INVERSE_ROW, LINEAR_ROW]),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(instrument=INVERSE.id, tiers=(RiskTier(0.0, 0.005, None, 100.0),), known_to=200.0, ts_recv=RECV_NS),
            RiskLadder(instrument=LINEAR.id, tiers=(RiskTier(0.0, 0.005, None, 100.0),), known_to=1e6, ts_recv=RECV_NS),
        ],
    ),
]


def _fixture(_label: str, entry: object) -> object:
    """Read recorded frames with a session that knows the symbols in them."""
    if not isinstance(entry, dict) or entry.get("table") not in ("liquidation", "instrument"):
        return None
    known = {str(row["symbol"]): _spec(str(row["symbol"]), "USD", ContractKind.INVERSE, 1.0) for row in entry["data"]}
    return _VENUE.streams(known)[0].session().receive(json.dumps(entry), RECV_NS).records


def _answers(label: str, entry: object) -> object:
    """Read recorded answers and rows of tables."""
    body = json.dumps(entry).encode()
    one = json.dumps([entry]).encode()
    readers = {
        "http_get_instrument_xbtusd": lambda: parse.instruments(one, RECV_NS) + parse.tiers(one, SPECS, RECV_NS),
        "http_get_trade_bins": lambda: parse.bars(body, INVERSE, RECV_NS),
        "ws_funding_rate": lambda: parse.funding(one, INVERSE, RECV_NS),
        "ws_instrument": lambda: _live(table("instrument", "update", entry).encode()),  # type: ignore[arg-type]
        "ws_liquidation": lambda: _live(table("liquidation", "insert", entry).encode()),  # type: ignore[arg-type]
    }
    return readers[label]() if label in readers else None


VENUE_CASES = [
    VenueCases(
        venue=_VENUE,
        specs=SPECS,
        cases=CASES,
        fixtures={"bitmex/ws_messages_recorded.json": _fixture, "bitmex/nautilus_samples.json": _answers},
    )
]
