"""Deribit: hand-made payloads with the documented fields."""

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
    TakerSide,
    Ticker,
    Trade,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.deribit import Deribit, parse
from liqscape.venues.wire import Parsed

T = 1_789_999_980_000  # the start of a minute
NS = T * 1_000_000
_VENUE = Deribit()


def _spec(symbol: str, base: str, quote: str, kind: ContractKind) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("deribit", symbol),
        base=base,
        quote=quote,
        kind=kind,
        contract_size=1.0,
        tick_size=0.5,
        funding_interval_ns=NS_PER_HOUR,
        max_leverage=50.0,
        market="reversed" if kind is ContractKind.INVERSE else "linear",
    )


SPECS = {
    "BTC-PERPETUAL": _spec("BTC-PERPETUAL", "BTC", "USD", ContractKind.INVERSE),
    "SOL_USDC-PERPETUAL": _spec("SOL_USDC-PERPETUAL", "SOL", "USDC", ContractKind.LINEAR),
}
INVERSE, LINEAR = SPECS.values()


def liquidation(spec: InstrumentSpec, side: PositionSide, price: float, base: float) -> Liquidation:
    return Liquidation(
        instrument=spec.id,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.AVERAGE_FILL,
        quantity_base=base,
        completeness=Completeness.ALL,
        ts_venue=NS,
        ts_recv=RECV_NS,
    )


def _trade(spec: InstrumentSpec, side: TakerSide, price: float, base: float) -> Trade:
    return Trade(instrument=spec.id, taker_side=side, price=price, quantity_base=base, ts_venue=NS, ts_recv=RECV_NS)


def row(symbol: str, direction: str, price: float, amount: float, trade_id: str = "1", **more: object) -> dict[str, object]:
    return {
        "trade_seq": 271_252_854,
        "trade_id": trade_id,
        "timestamp": T,
        "tick_direction": 2,
        "price": price,
        "mark_price": price,
        "instrument_name": symbol,
        "index_price": price,
        "direction": direction,
        "contracts": amount / 10,
        "amount": amount,
        **more,
    }


def frame(channel: str, data: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}})


def answer(result: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result, "usIn": T * 1000, "usOut": T * 1000 + 181, "testnet": False})


def _live(body: bytes) -> Parsed:
    return _VENUE.streams(SPECS)[0].session().receive(body, RECV_NS).records


def past(body: bytes, spec: InstrumentSpec = INVERSE) -> Parsed:
    return _VENUE.ask_liquidations(spec, NS, NS + NS_PER_MINUTE).parse(body, RECV_NS)


_BAR = Bar(
    instrument=INVERSE.id,
    price_kind=PriceKind.LAST,
    interval_ns=NS_PER_MINUTE,
    ts_venue=NS,
    ts_recv=RECV_NS,
    open=100_000.0,
    high=100_010.0,
    low=99_990.0,
    close=100_000.5,
    volume_base=2.5,
    taker_buy_base=None,
)
_INSTRUMENT = {
    "price_index": "btc_usd",
    "kind": "future",
    "instrument_name": "BTC-PERPETUAL",
    "max_leverage": 50,
    "instrument_type": "reversed",
    "is_active": True,
    "tick_size": 0.5,
    "contract_size": 10.0,
    "settlement_period": "perpetual",
    "base_currency": "BTC",
    "quote_currency": "USD",
}

CASES = [
    Case(
        "T: the taker was liquidated; who is forced to sell was long; 99,000 USD at 99,000 are 1 BTC",
        frame("trades.BTC-PERPETUAL.100ms", [row("BTC-PERPETUAL", "sell", 99_000.0, 99_000.0, liquidation="T")]),
        _live,
        [_trade(INVERSE, TakerSide.SELL, 99_000.0, 1.0), liquidation(INVERSE, PositionSide.LONG, 99_000.0, 1.0)],
    ),
    Case(
        "T and a buy: a short; linear amounts are coins",
        frame("trades.SOL_USDC-PERPETUAL.100ms", [row("SOL_USDC-PERPETUAL", "buy", 200.0, 3.0, liquidation="T")]),
        _live,
        [_trade(LINEAR, TakerSide.BUY, 200.0, 3.0), liquidation(LINEAR, PositionSide.SHORT, 200.0, 3.0)],
    ),
    Case(
        "M: the maker was liquidated; a buyer takes from a forced seller, who was long",
        frame("trades.BTC-PERPETUAL.100ms", [row("BTC-PERPETUAL", "buy", 100_000.0, 50_000.0, liquidation="M")]),
        _live,
        [_trade(INVERSE, TakerSide.BUY, 100_000.0, 0.5), liquidation(INVERSE, PositionSide.LONG, 100_000.0, 0.5)],
    ),
    Case(
        "M and a sell: a short",
        frame("trades.BTC-PERPETUAL.100ms", [row("BTC-PERPETUAL", "sell", 100_000.0, 50_000.0, liquidation="M")]),
        _live,
        [_trade(INVERSE, TakerSide.SELL, 100_000.0, 0.5), liquidation(INVERSE, PositionSide.SHORT, 100_000.0, 0.5)],
    ),
    Case(
        "MT: both sides were liquidated by one trade",
        frame("trades.BTC-PERPETUAL.100ms", [row("BTC-PERPETUAL", "sell", 100_000.0, 50_000.0, liquidation="MT")]),
        _live,
        [
            _trade(INVERSE, TakerSide.SELL, 100_000.0, 0.5),
            liquidation(INVERSE, PositionSide.LONG, 100_000.0, 0.5),
            liquidation(INVERSE, PositionSide.SHORT, 100_000.0, 0.5),
        ],
    ),
    Case(
        "a block trade is no trade of the book",
        frame(
            "trades.BTC-PERPETUAL.100ms",
            [
                row("BTC-PERPETUAL", "sell", 100_000.0, 10.0),
                row("BTC-PERPETUAL", "sell", 100_000.0, 200_000.0, block_trade_id="B-1"),
            ],
        ),
        _live,
        [_trade(INVERSE, TakerSide.SELL, 100_000.0, 0.0001)],
    ),
    Case(
        "past trades give their liquidations only",
        answer(
            {
                "has_more": False,
                "trades": [
                    row("BTC-PERPETUAL", "sell", 100_000.0, 10.0),
                    row("BTC-PERPETUAL", "sell", 99_000.0, 99_000.0, "2", liquidation="T"),
                ],
            }
        ),
        past,
        [liquidation(INVERSE, PositionSide.LONG, 99_000.0, 1.0)],
    ),
    Case(
        "open interest of an inverse contract is USD",
        frame(
            "ticker.BTC-PERPETUAL.100ms",
            {
                "timestamp": T,
                "state": "open",
                "stats": {"high": 100_100.0, "low": 99_900.0, "volume": 12_000.0, "volume_usd": 1_200_000_000.0},
                "open_interest": 400_000.0,
                "mark_price": 100_000.0,
                "last_price": 100_000.5,
                "instrument_name": "BTC-PERPETUAL",
                "index_price": 99_999.0,
                "funding_8h": 1.7e-05,
                "current_funding": 0.0,
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
                volume_24h_usd=1.2e9,
            )
        ],
    ),
    Case(
        "open interest of a linear contract is coins",
        answer(
            [
                {
                    "instrument_name": "SOL_USDC-PERPETUAL",
                    "open_interest": 5_000.0,
                    "mark_price": 200.0,
                    "volume_usd": 7e6,
                    "creation_timestamp": T,
                }
            ]
        ),
        lambda b: parse.summaries(b, SPECS, RECV_NS),
        [
            Ticker(
                instrument=LINEAR.id,
                ts_venue=NS,
                ts_recv=RECV_NS,
                mark_price=200.0,
                open_interest_base=5_000.0,
                volume_24h_usd=7e6,
            )
        ],
    ),
    Case(
        "charts are columns; volume is coins, cost dollars",
        answer(
            {
                "status": "ok",
                "ticks": [T],
                "open": [100_000.0],
                "high": [100_010.0],
                "low": [99_990.0],
                "close": [100_000.5],
                "volume": [2.5],
                "cost": [250_000.0],
            }
        ),
        lambda b: parse.bars(b, INVERSE, RECV_NS),
        [_BAR],
    ),
    Case(
        "funding of the hour that ended",
        answer(
            [
                {
                    "timestamp": T,
                    "index_price": 100_000.0,
                    "prev_index_price": 99_000.0,
                    "interest_8h": -9.2e-05,
                    "interest_1h": -4.7e-07,
                }
            ]
        ),
        lambda b: parse.funding(b, INVERSE, RECV_NS),
        [FundingRate(instrument=INVERSE.id, ts_venue=NS, ts_recv=RECV_NS, rate=-4.7e-07, interval_ns=NS_PER_HOUR)],
    ),
    Case(
        "a book of an inverse contract: 100,000 USD at 100,000 are 1 BTC",
        answer(
            {
                "asks": [[100_000.0, 100_000.0]],
                "bids": [[50_000.0, 100_000.0], [40_000.0, 10_000.0]],
                "instrument_name": "BTC-PERPETUAL",
                "state": "open",
                "timestamp": T,
            }
        ),
        lambda b: parse.book(b, INVERSE, RECV_NS),
        [
            Book(
                instrument=INVERSE.id,
                ts_venue=NS,
                ts_recv=RECV_NS,
                bids=[(50_000.0, 2.0), (40_000.0, 0.25)],
                asks=[(100_000.0, 1.0)],
            )
        ],
    ),
    Case(
        "a lot of 10 USD is not the unit of amounts: the contract size is 1",
        answer([_INSTRUMENT, {**_INSTRUMENT, "kind": "option", "instrument_name": "BTC-25DEC26-100000-C"}]),
        lambda b: parse.instruments(b, RECV_NS),
        [INVERSE],
    ),
]


def _fixture(_label: str, entry: object) -> object:
    """Read recorded frames with a session that knows the perpetuals in them."""
    if not isinstance(entry, dict) or "params" not in entry:
        return None
    channel = str(entry["params"]["channel"])
    symbol = channel.split(".")[1]
    if not channel.startswith(("trades.", "ticker.")) or not symbol.endswith("-PERPETUAL"):
        return None
    known = {symbol: _spec(symbol, symbol.partition("-")[0], "USD", ContractKind.INVERSE)}
    return _VENUE.streams(known)[0].session().receive(json.dumps(entry), RECV_NS).records


def _answers(label: str, entry: object) -> object:
    """Read recorded answers."""
    body = json.dumps(entry).encode()
    eth = _spec("ETH-PERPETUAL", "ETH", "USD", ContractKind.INVERSE)
    readers = {
        "http_get_last_trades": lambda: parse.liquidations(body, eth, 0, 2**63, frozenset(), RECV_NS),
        "http_get_order_book": lambda: parse.book(body, INVERSE, RECV_NS),
        "http_get_tradingview_chart_data": lambda: parse.bars(body, INVERSE, RECV_NS),
        "fetch_open_interest#0": lambda: parse.summaries(body, SPECS, RECV_NS),
        "fetch_funding_rate_history#0": lambda: parse.funding(body, INVERSE, RECV_NS),
        "http_get_instrument": lambda: parse.instruments(json.dumps({"result": [entry["result"]]}).encode(), RECV_NS),  # type: ignore[index]
    }
    return readers[label]() if label in readers else _fixture(label, entry)


VENUE_CASES = [
    VenueCases(
        venue=_VENUE,
        specs=SPECS,
        cases=CASES,
        fixtures={
            "deribit/ws_messages_recorded.json": _fixture,
            "deribit/nautilus_samples.json": _answers,
            "deribit/ccxt_comment_examples.json": _answers,
        },
    )
]
