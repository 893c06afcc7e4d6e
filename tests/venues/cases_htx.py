"""HTX USDT perpetuals: hand-made payloads with the documented fields; frames are packed as HTX packs them."""

from __future__ import annotations

import gzip
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
from liqscape.venues.htx import Htx, parse

T = 1_789_999_980_000  # the start of a minute
_NS = T * 1_000_000


def spec(symbol: str, size: float, kind: ContractKind = ContractKind.LINEAR) -> InstrumentSpec:
    """Describe a contract of `size` coins (or USD)."""
    base, _, quote = symbol.partition("-")
    return InstrumentSpec(
        id=InstrumentId("htx", symbol),
        base=base,
        quote=quote,
        kind=kind,
        contract_size=size,
        tick_size=0.1,
        market="linear",
    )


SPECS = {"BTC-USDT": spec("BTC-USDT", 0.001), "DOGE-USDT": spec("DOGE-USDT", 100.0)}
BTC, DOGE = SPECS["BTC-USDT"], SPECS["DOGE-USDT"]
VENUE = Htx(now_ns=lambda: RECV_NS)


def liquidation(one: InstrumentSpec, side: PositionSide, price: float, base: float) -> Liquidation:
    """Build the record of a print."""
    return Liquidation(
        instrument=one.id,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=base,
        completeness=Completeness.UNKNOWN,
        ts_venue=_NS,
        ts_recv=RECV_NS,
    )


def row(symbol: str, direction: str, volume: float, price: float, **more: object) -> dict[str, object]:
    """Build one print as HTX writes it."""
    return {
        "symbol": symbol.split("-")[0],
        "contract_code": symbol,
        "direction": direction,
        "offset": "close",
        "volume": volume,
        "price": price,
        "created_at": T,
        "business_type": "swap",
        **more,
    }


def frame(topic: str, data: list[object]) -> str:
    """Build a notification, not packed yet."""
    return json.dumps({"op": "notify", "topic": f"public.*.{topic}", "ts": T, "data": data}, separators=(",", ":"))


def receive(body: bytes) -> list[object]:
    """Pack a frame and read it as a stream's session does."""
    return VENUE.streams(SPECS)[0].session().receive(gzip.compress(body, 1), RECV_NS).records


def ok(data: object) -> str:
    """Build an answer of the older kind."""
    return json.dumps({"status": "ok", "data": data, "ts": T})


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


def _ratio(population: Population, share: float) -> AccountRatio:
    return AccountRatio(instrument=BTC.id, population=population, ts_venue=_NS, ts_recv=RECV_NS, long_share=share)


_PRINTS = [
    row("BTC-USDT", "sell", 500, 100_000.0, amount=0.5, trade_turnover=50_000.0, query_id=7),
    row("DOGE-USDT", "buy", 3.0, 0.25),
    row("BTC-USDT-261225", "buy", 1, 1.0),
]
_READ = [liquidation(BTC, PositionSide.LONG, 100_000.0, 0.5), liquidation(DOGE, PositionSide.SHORT, 0.25, 300.0)]
_CANDLE = {"id": T // 1000, "open": 100_000, "high": 100_010, "low": 99_990, "close": 100_000, "count": 4}
_BOTH = {"symbol": "BTC", "contract_code": "BTC-USDT", "volume": 200_000, "amount": 200.0, "trade_turnover": 8e6}

_CASES = [
    Case(
        "sell closed a long, buy a short; volume is contracts", frame("liquidation_orders", list(_PRINTS)), receive, list(_READ)
    ),
    Case(
        "past prints are rows like the stream's",
        json.dumps({"code": 200, "msg": "", "data": _PRINTS, "ts": T}),
        lambda b: parse.liquidations(b, SPECS, RECV_NS),
        list(_READ),
    ),
    Case(
        "v5 repeats contracts as amount: 2 of them are 0.002 BTC, as the turnover says",
        json.dumps(
            {
                "code": 200,
                "message": "Success",
                "data": [
                    {
                        "id": "1",
                        "contract_code": "BTC-USDT",
                        "liquidation_time": str(T),
                        "side": "buy",
                        "position_side": "short",
                        "volume": "2",
                        "amount": "2",
                        "bankrupt_price": "62978.5",
                        "trade_turnover": "125.957",
                    }
                ],
            }
        ),
        lambda b: parse.new_liquidations(b, SPECS, RECV_NS),
        [liquidation(BTC, PositionSide.SHORT, 62_978.5, 0.002)],
    ),
    Case(
        "funding by notification: settlement_time is the next stamp, funding_time is over",
        frame(
            "funding_rate",
            [
                {
                    "symbol": "BTC",
                    "contract_code": "BTC-USDT",
                    "funding_time": str(T),
                    "funding_rate": "0.000100000000000000",
                    "estimated_rate": None,
                    "settlement_time": str(T + 3_600_000),
                }
            ],
        ),
        receive,
        [Ticker(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, funding_rate=0.0001, next_funding_ns=_NS + NS_PER_HOUR)],
    ),
    Case(
        "funding by request: funding_time is the next stamp",
        ok([{"contract_code": "BTC-USDT", "funding_rate": "-0.0002", "funding_time": str(T + 3_600_000), "fee_asset": "USDT"}]),
        lambda b: parse.funding_rates(b, SPECS, RECV_NS),
        [Ticker(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, funding_rate=-0.0002, next_funding_ns=_NS + NS_PER_HOUR)],
    ),
    Case(
        "open interest and turnover are sums of both sides",
        ok([_BOTH, {**_BOTH, "contract_code": "XYZ-USDT"}]),
        lambda b: parse.open_interest_now(b, SPECS, RECV_NS),
        [Ticker(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=100.0, volume_24h_usd=4e6)],
    ),
    Case(
        "an index price",
        ok([{"index_price": 100_001.0, "index_ts": T, "contract_code": "BTC-USDT"}]),
        lambda b: parse.index_now(b, SPECS, RECV_NS),
        [Ticker(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, index_price=100_001.0)],
    ),
    Case(
        "trades are contracts; one without direction tells no taker",
        json.dumps(
            {
                "ch": "market.BTC-USDT.trade.detail",
                "ts": T,
                "tick": {
                    "id": 1,
                    "ts": T,
                    "data": [
                        {"amount": 250, "quantity": 0.25, "ts": T, "id": 10, "price": 100_000, "direction": "sell"},
                        {"amount": 2, "ts": T, "id": 11, "price": 100_000, "direction": ""},
                    ],
                },
            }
        ),
        receive,
        [
            Trade(
                instrument=BTC.id,
                taker_side=TakerSide.SELL,
                price=100_000.0,
                quantity_base=0.25,
                ts_venue=_NS,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "candles: the amount of coins counts both sides",
        ok([{**_CANDLE, "vol": 25_000, "amount": 25.0, "trade_turnover": 2_500_000.0}]),
        lambda b: parse.bars(b, BTC, PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, 12.5)],
    ),
    Case(
        "candles of the mark price, as text",
        ok([{**{key: str(value) for key, value in _CANDLE.items()}, "id": T // 1000, "vol": "0", "amount": "0"}]),
        lambda b: parse.bars(b, BTC, PriceKind.MARK, RECV_NS),
        [_bar(PriceKind.MARK, None)],
    ),
    Case(
        "history of open interest, coins (2) or contracts (1), both sides, put in order",
        ok(
            {
                "symbol": "BTC",
                "contract_code": "BTC-USDT",
                "tick": [
                    {"volume": "400000.0", "amount_type": 1, "ts": T},
                    {"volume": "300.0", "amount_type": "2", "value": "1", "ts": str(T - 3_600_000)},
                ],
            }
        ),
        lambda b: parse.open_interest(b, BTC, RECV_NS),
        [
            OpenInterest(instrument=BTC.id, ts_venue=_NS - NS_PER_HOUR, ts_recv=RECV_NS, open_interest_base=150.0),
            OpenInterest(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=200.0),
        ],
    ),
    Case(
        "funding that was paid, for the time since the one before",
        ok(
            {
                "total_page": 2,
                "current_page": 1,
                "data": [
                    {
                        "contract_code": "BTC-USDT",
                        "funding_rate": "0.0001",
                        "realized_rate": realized,
                        "funding_time": str(at),
                        "avg_premium_index": "0",
                    }
                    for realized, at in ((None, T), ("0.0002", T - 14_400_000))
                ],
            }
        ),
        lambda b: parse.funding(b, BTC, RECV_NS),
        [
            FundingRate(
                instrument=BTC.id, ts_venue=_NS - i * 4 * NS_PER_HOUR, ts_recv=RECV_NS, rate=rate, interval_ns=4 * NS_PER_HOUR
            )
            for i, rate in ((1, 0.0002), (0, 0.0001))
        ],
    ),
    Case(
        "top traders' accounts; those that hold both sides are left out",
        ok({"contract_code": "BTC-USDT", "list": [{"buy_ratio": 0.6, "sell_ratio": 0.2, "locked_ratio": 0.2, "ts": T}]}),
        lambda b: parse.ratios(b, BTC, Population.TOP_ACCOUNTS, RECV_NS),
        [_ratio(Population.TOP_ACCOUNTS, 0.6 / (0.6 + 0.2))],
    ),
    Case(
        "top traders' sizes",
        ok({"contract_code": "BTC-USDT", "list": [{"buy_ratio": 0.25, "sell_ratio": 0.75, "ts": T}]}),
        lambda b: parse.ratios(b, BTC, Population.TOP_POSITIONS, RECV_NS),
        [_ratio(Population.TOP_POSITIONS, 0.25)],
    ),
    Case(
        "adjust factors of the highest leverage: 0.65 at 125x is 0.52 %; 9,000 contracts are 9 BTC",
        ok(
            [
                {
                    "contract_code": "BTC-USDT",
                    "margin_mode": "cross",
                    "list": [
                        {"lever_rate": 1, "ladders": [{"ladder": 0, "min_size": 0, "max_size": None, "adjust_factor": 0.01}]},
                        {
                            "lever_rate": 125,
                            "ladders": [
                                {"ladder": 0, "min_size": 0, "max_size": 8999, "adjust_factor": 0.65},
                                {"ladder": 1, "min_size": 9000, "max_size": None, "adjust_factor": 0.8},
                            ],
                        },
                    ],
                }
            ]
        ),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=BTC.id,
                tiers=(RiskTier(0.0, 0.0052, None, 125.0), RiskTier(9.0, 0.0064, None, 125.0)),
                in_size=True,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a book in contracts",
        json.dumps(
            {"ch": "x", "status": "ok", "tick": {"asks": [[100_001, 3000]], "bids": [[99_999, 1000], [99_998, 2000]], "ts": T}}
        ),
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
        "an instrument: a contract is contract_size coins",
        ok(
            [
                {
                    "symbol": "BTC",
                    "contract_code": "BTC-USDT",
                    "contract_size": 0.001,
                    "price_tick": 0.1,
                    "contract_status": 1,
                    "business_type": "swap",
                    "trade_partition": "USDT",
                }
            ]
        ),
        lambda b: parse.instruments(b, RECV_NS),
        [BTC],
    ),
]


def _fixture(_label: str, entry: object) -> object:
    """Read recorded frames and answers with specs that know what is in them."""
    assert isinstance(entry, dict)
    text = json.dumps(entry, separators=(",", ":"))
    if entry.get("op") == "notify" or "trade.detail" in str(entry.get("ch")):
        rows = entry["data"] if "data" in entry else [{"contract_code": entry["ch"].split(".")[1]}]
        sizes = {"BTC-USD": 100.0, "BTC-USDT": 0.001}
        known = {
            symbol: spec(symbol, sizes.get(symbol, 10.0), ContractKind.INVERSE if symbol.endswith("USD") else ContractKind.LINEAR)
            for symbol in (str(row["contract_code"]) for row in rows)
        }
        return Htx().streams(known)[0].session().receive(gzip.compress(text.encode()), RECV_NS).records
    body, data = text.encode(), entry.get("data")
    if isinstance(data, list) and data:
        first = data[0]
        known = {str(first["contract_code"]): BTC}
        if "bankrupt_price" in first:
            return parse.new_liquidations(body, known, RECV_NS)
        if "direction" in first:
            return parse.liquidations(body, known, RECV_NS)
        if "adjust_factor" in text:
            return parse.tiers(body, known, RECV_NS)
        return parse.open_interest_now(body, known, RECV_NS) if "amount" in first else None
    if isinstance(data, dict) and "tick" in data:
        return parse.open_interest(body, BTC, RECV_NS)
    return parse.funding(body, BTC, RECV_NS) if isinstance(data, dict) and "total_page" in data else None


VENUE_CASES = [
    VenueCases(
        venue=VENUE,
        specs=SPECS,
        cases=_CASES,
        fixtures={
            f"htx/{name}.json": _fixture for name in ("ws_messages_recorded", "ccxt_comment_examples", "official_doc_examples")
        },
    )
]
