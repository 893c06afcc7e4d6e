"""Kraken Futures: hand-made payloads with the documented fields."""

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
    TakerSide,
    Ticker,
    Trade,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.kraken import Kraken, parse
from liqscape.venues.wire import Parsed

T = 1_789_999_980_000  # the start of a minute
WRITTEN = "2026-09-21T14:13:00.000Z"
NS = T * 1_000_000
_VENUE = Kraken()


def _spec(symbol: str, kind: ContractKind) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("kraken", symbol),
        base="BTC",
        quote="USD",
        kind=kind,
        contract_size=1.0,
        tick_size=0.5,
        funding_interval_ns=NS_PER_HOUR,
        max_leverage=50.0,
        market="inverse" if kind is ContractKind.INVERSE else "multi-collateral",
    )


SPECS = {
    "PF_XBTUSD": _spec("PF_XBTUSD", ContractKind.LINEAR),
    "PI_XBTUSD": _spec("PI_XBTUSD", ContractKind.INVERSE),
}
LINEAR, INVERSE = SPECS.values()


def liquidation(spec: InstrumentSpec, side: PositionSide, price: float, base: float, ts: int = NS) -> Liquidation:
    return Liquidation(
        instrument=spec.id,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.AVERAGE_FILL,
        quantity_base=base,
        completeness=Completeness.ALL,
        ts_venue=ts,
        ts_recv=RECV_NS,
    )


def trade(product: str, side: str, kind: str, quantity: float, price: float) -> dict[str, object]:
    return {
        "feed": "trade",
        "product_id": product,
        "uid": "05af78ac-a774-478c-a50c-8b9c234e071e",
        "side": side,
        "type": kind,
        "seq": 653_355,
        "time": T,
        "qty": quantity,
        "price": price,
    }


def past_trade(side: str, kind: str, size: float, price: float, uid: str = "a", time: str = WRITTEN) -> dict[str, object]:
    return {"time": time, "trade_id": 100, "price": price, "size": size, "side": side, "type": kind, "uid": uid}


def history(*rows: dict[str, object]) -> str:
    return json.dumps({"result": "success", "history": list(rows), "serverTime": WRITTEN})


def _live(body: bytes) -> Parsed:
    return _VENUE.streams(SPECS)[0].session().receive(body, RECV_NS).records


def past(body: bytes, spec: InstrumentSpec = LINEAR) -> Parsed:
    return _VENUE.ask_liquidations(spec, NS, NS + NS_PER_MINUTE).parse(body, RECV_NS)


def _bar(spec: InstrumentSpec, kind: PriceKind, volume: float | None) -> Bar:
    return Bar(
        instrument=spec.id,
        price_kind=kind,
        interval_ns=NS_PER_MINUTE,
        ts_venue=NS,
        ts_recv=RECV_NS,
        open=100_000.0,
        high=100_010.0,
        low=99_990.0,
        close=100_000.0,
        volume_base=volume,
        taker_buy_base=None,
    )


def _candles(volume: object) -> str:
    row = {"time": T, "open": "100000", "high": "100010", "low": "99990", "close": "100000", "volume": volume}
    return json.dumps({"candles": [row], "more_candles": False})


_INSTRUMENTS = json.dumps(
    {
        "result": "success",
        "instruments": [
            {
                "symbol": "PI_XBTUSD",
                "type": "futures_inverse",
                "underlying": "rr_xbtusd",
                "tickSize": 0.5,
                "contractSize": 1,
                "tradeable": True,
                "marginLevels": [
                    {"contracts": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01},
                    {"contracts": 500_000, "initialMargin": 0.04, "maintenanceMargin": 0.02},
                ],
                "base": "BTC",
                "quote": "USD",
            },
            {
                "symbol": "PF_XBTUSD",
                "type": "flexible_futures",
                "tickSize": 0.5,
                "contractSize": 1,
                "tradeable": True,
                "marginLevels": [
                    {"numNonContractUnits": 0.0, "initialMargin": 0.02, "maintenanceMargin": 0.01},
                    {"numNonContractUnits": 2_000_000.0, "initialMargin": 0.04, "maintenanceMargin": 0.02},
                ],
                "base": "BTC",
                "quote": "USD",
            },
            {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False},
        ],
        "serverTime": WRITTEN,
    }
)
_TIERS = (RiskTier(0.0, 0.01, None, 50.0),)

CASES = [
    Case(
        "a liquidation that sells closes a long; PF_ quantities are coins",
        json.dumps(trade("PF_XBTUSD", "sell", "liquidation", 0.25, 99_000.0)),
        _live,
        [
            Trade(
                instrument=LINEAR.id,
                taker_side=TakerSide.SELL,
                price=99_000.0,
                quantity_base=0.25,
                ts_venue=NS,
                ts_recv=RECV_NS,
            ),
            liquidation(LINEAR, PositionSide.LONG, 99_000.0, 0.25),
        ],
    ),
    Case(
        "a liquidation that buys closes a short; PI_ quantities are USD",
        json.dumps(trade("PI_XBTUSD", "buy", "liquidation", 50_500.0, 101_000.0)),
        _live,
        [
            Trade(
                instrument=INVERSE.id,
                taker_side=TakerSide.BUY,
                price=101_000.0,
                quantity_base=0.5,
                ts_venue=NS,
                ts_recv=RECV_NS,
            ),
            liquidation(INVERSE, PositionSide.SHORT, 101_000.0, 0.5),
        ],
    ),
    Case(
        "a fill is a trade and no more",
        json.dumps(trade("PF_XBTUSD", "buy", "fill", 0.25, 99_000.0)),
        _live,
        [
            Trade(
                instrument=LINEAR.id,
                taker_side=TakerSide.BUY,
                price=99_000.0,
                quantity_base=0.25,
                ts_venue=NS,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case("an assignment happens off the book", json.dumps(trade("PF_XBTUSD", "buy", "assignment", 0.25, 99_000.0)), _live, []),
    Case(
        "the snapshot repeats the last trades: only liquidations are read from it, oldest first",
        json.dumps(
            {
                "feed": "trade_snapshot",
                "product_id": "PF_XBTUSD",
                "trades": [
                    trade("PF_XBTUSD", "sell", "liquidation", 0.5, 98_000.0),
                    trade("PF_XBTUSD", "sell", "fill", 1.0, 98_500.0),
                    trade("PF_XBTUSD", "buy", "liquidation", 0.25, 99_000.0),
                ],
            }
        ),
        _live,
        [liquidation(LINEAR, PositionSide.SHORT, 99_000.0, 0.25), liquidation(LINEAR, PositionSide.LONG, 98_000.0, 0.5)],
    ),
    Case(
        "past trades give their liquidations only",
        history(past_trade("sell", "liquidation", 0.25, 99_000.0), past_trade("buy", "fill", 1.0, 99_000.0, "b")),
        past,
        [liquidation(LINEAR, PositionSide.LONG, 99_000.0, 0.25)],
    ),
    Case(
        "funding is the relative rate; a next time of 0 is none",
        json.dumps(
            {
                "time": T,
                "feed": "ticker",
                "product_id": "PF_XBTUSD",
                "funding_rate": 0.91,
                "relative_funding_rate": 1.1e-05,
                "next_funding_rate_time": 0,
                "index": 99_999.0,
                "markPrice": 100_000.0,
                "openInterest": 2_189.5,
                "volume": 4_000.0,
                "volumeQuote": 400_000_000.0,
            }
        ),
        _live,
        [
            Ticker(
                instrument=LINEAR.id,
                ts_venue=NS,
                ts_recv=RECV_NS,
                mark_price=100_000.0,
                index_price=99_999.0,
                open_interest_base=2_189.5,
                funding_rate=1.1e-05,
                volume_24h_usd=4e8,
            )
        ],
    ),
    Case(
        "open interest and volume of the inverse line are USD",
        json.dumps(
            {
                "time": T,
                "feed": "ticker",
                "product_id": "PI_XBTUSD",
                "next_funding_rate_time": T + 60_000,
                "markPrice": 100_000.0,
                "openInterest": 400_000.0,
                "volume": 31_000_000.0,
                "volumeQuote": 310.0,
            }
        ),
        _live,
        [
            Ticker(
                instrument=INVERSE.id,
                ts_venue=NS,
                ts_recv=RECV_NS,
                mark_price=100_000.0,
                open_interest_base=4.0,
                next_funding_ns=NS + NS_PER_MINUTE,
                volume_24h_usd=31e6,
            )
        ],
    ),
    Case(
        "tickers by request: their funding is absolute and left out",
        json.dumps(
            {
                "result": "success",
                "serverTime": WRITTEN,
                "tickers": [
                    {
                        "symbol": "PF_XBTUSD",
                        "markPrice": 100_000.0,
                        "indexPrice": 99_999.0,
                        "openInterest": 2_189.5,
                        "vol24h": 4_000.0,
                        "volumeQuote": 4e8,
                        "fundingRate": 0.91,
                    },
                    {"symbol": "in_xbtusd", "last": 99_999.0},
                ],
            }
        ),
        lambda b: parse.tickers(b, SPECS, RECV_NS),
        [
            Ticker(
                instrument=LINEAR.id,
                ts_venue=NS,
                ts_recv=RECV_NS,
                mark_price=100_000.0,
                index_price=99_999.0,
                open_interest_base=2_189.5,
                volume_24h_usd=4e8,
            )
        ],
    ),
    Case(
        "candles of trades",
        _candles("12.5"),
        lambda b: parse.bars(b, LINEAR, PriceKind.LAST, RECV_NS),
        [_bar(LINEAR, PriceKind.LAST, 12.5)],
    ),
    Case(
        "volume of the inverse line is USD",
        _candles("200000"),
        lambda b: parse.bars(b, INVERSE, PriceKind.LAST, RECV_NS),
        [_bar(INVERSE, PriceKind.LAST, 2.0)],
    ),
    Case(
        "candles of mark prices have no volume",
        _candles(0),
        lambda b: parse.bars(b, LINEAR, PriceKind.MARK, RECV_NS),
        [_bar(LINEAR, PriceKind.MARK, None)],
    ),
    Case(
        "funding that was paid, newest first on the wire, cut to what was asked for",
        json.dumps(
            {
                "result": "success",
                "rates": [
                    {"timestamp": WRITTEN, "relativeFundingRate": 0.0001, "fundingRate": 9.1},
                    {"timestamp": "2026-09-20T14:00:00.000Z", "relativeFundingRate": -0.0001, "fundingRate": -9.1},
                ],
            }
        ),
        lambda b: parse.funding(b, LINEAR, NS, NS + NS_PER_MINUTE, RECV_NS),
        [FundingRate(instrument=LINEAR.id, ts_venue=NS, ts_recv=RECV_NS, rate=0.0001, interval_ns=NS_PER_HOUR)],
    ),
    Case(
        "a book of the inverse line",
        json.dumps(
            {
                "result": "success",
                "orderBook": {"bids": [[50_000.0, 100_000.0]], "asks": [[100_000.0, 50_000.0]]},
                "serverTime": WRITTEN,
            }
        ),
        lambda b: parse.book(b, INVERSE, RECV_NS),
        [Book(instrument=INVERSE.id, ts_venue=NS, ts_recv=RECV_NS, bids=[(50_000.0, 2.0)], asks=[(100_000.0, 0.5)])],
    ),
    Case("instruments of both lines, no indices", _INSTRUMENTS, lambda b: parse.instruments(b, RECV_NS), [INVERSE, LINEAR]),
    Case(
        "margin levels: contracts of 1 USD for the inverse line, dollars of notional for the other",
        _INSTRUMENTS,
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=INVERSE.id, tiers=(*_TIERS, RiskTier(500_000.0, 0.02, None, 25.0)), in_size=True, ts_recv=RECV_NS
            ),
            RiskLadder(instrument=LINEAR.id, tiers=(*_TIERS, RiskTier(2e6, 0.02, None, 25.0)), ts_recv=RECV_NS),
        ],
    ),
]


def _fixture(_label: str, entry: object) -> object:
    """Read recorded frames with a session that knows the product in them."""
    if not isinstance(entry, dict) or "event" in entry or entry.get("feed") not in ("trade", "ticker", "trade_snapshot"):
        return None
    product = str(entry["product_id"])
    known = {product: _spec(product, ContractKind.LINEAR if product.startswith("PF") else ContractKind.INVERSE)}
    return _VENUE.streams(known)[0].session().receive(json.dumps(entry), RECV_NS).records


def _answers(label: str, entry: object) -> object:
    """Read recorded answers."""
    body = json.dumps(entry).encode()
    readers = {
        "http_futures_candles_trade": lambda: parse.bars(body, LINEAR, PriceKind.LAST, RECV_NS),
        "http_futures_historical_funding_rates": lambda: parse.funding(body, LINEAR, 0, 2**63, RECV_NS),
        "http_futures_instruments": lambda: parse.instruments(body, RECV_NS) + parse.tiers(body, SPECS, RECV_NS),
        "http_futures_orderbook": lambda: parse.book(body, LINEAR, RECV_NS),
        "http_futures_tickers": lambda: parse.tickers(body, SPECS, RECV_NS),
        "fetch_trades#1": lambda: parse.liquidations(body, LINEAR, (0, 2**63), 2**63, frozenset(), RECV_NS),
        "fetch_ohlcv#0": lambda: parse.bars(body, LINEAR, PriceKind.LAST, RECV_NS),
    }
    return readers[label]() if label in readers else _fixture(label, entry)


VENUE_CASES = [
    VenueCases(
        venue=_VENUE,
        specs=SPECS,
        cases=CASES,
        fixtures={
            "kraken_futures/ws_messages_recorded.json": _fixture,
            "kraken_futures/ws_cryptofeed_recorded.json": _fixture,
            "kraken_futures/nautilus_samples.json": _answers,
            "kraken_futures/ccxt_comment_examples.json": _answers,
        },
    )
]
