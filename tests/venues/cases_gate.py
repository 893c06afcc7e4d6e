"""Gate USDT perpetuals: hand-made payloads with the documented fields."""

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
from liqscape.venues.gate import Gate, parse

S = 1_789_999_980  # the start of a minute, in Gate's seconds
_NS = S * 1_000_000_000


def spec(symbol: str, size: float) -> InstrumentSpec:
    """Describe a contract of `size` coins."""
    base, _, quote = symbol.partition("_")
    return InstrumentSpec(
        id=InstrumentId("gate", symbol),
        base=base,
        quote=quote,
        kind=ContractKind.LINEAR,
        contract_size=size,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        max_leverage=125.0,
        market="usdt",
    )


SPECS = {"BTC_USDT": spec("BTC_USDT", 0.0001), "HEI_USDT": spec("HEI_USDT", 10.0)}
BTC, HEI = SPECS["BTC_USDT"], SPECS["HEI_USDT"]
VENUE = Gate(now_ns=lambda: RECV_NS)


def liquidation(
    one: InstrumentSpec, side: PositionSide, price: float, base: float, at_ns: int = _NS, told: Completeness = Completeness.ALL
) -> Liquidation:
    """Build the record of a print."""
    return Liquidation(
        instrument=one.id,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.ORDER_LIMIT,
        quantity_base=base,
        completeness=told,
        ts_venue=at_ns,
        ts_recv=RECV_NS,
    )


def frame(channel: str, result: object, event: str = "update", **head: object) -> str:
    """Build a frame of a channel."""
    stamps = {"time": S, "time_ms": S * 1000, "channel": f"futures.{channel}", "event": event}
    return json.dumps({**stamps, **head, "result": result}, separators=(",", ":"))


def receive(body: bytes) -> list[object]:
    """Read a frame as a stream's session does."""
    return VENUE.streams(SPECS)[0].session().receive(body, RECV_NS).records


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


def _ticker(**told: float) -> Ticker:
    return Ticker(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, **told)  # type: ignore[arg-type]


_CANDLE = {"t": S, "o": "100000", "h": "100010", "l": "99990", "c": "100000"}
_STATS = {
    "time": S,
    "open_interest": 124_724,
    "lsr_account": 3,
    "top_lsr_account": "1",
    "top_lsr_size": 0,
    "mark_price": "100000",
    "long_liq_size": 0,
}
_TICKER = {
    "contract": "BTC_USDT",
    "last": "100000",
    "mark_price": "100000.5",
    "index_price": "100001",
    "total_size": "32323904",
    "volume_24h_quote": "360157621",
    "funding_rate": "-0.0001",
    "quanto_base_rate": "",
}
_TOLD = _ticker(
    mark_price=100_000.5,
    index_price=100_001.0,
    open_interest_base=32_323_904 * 0.0001,
    volume_24h_usd=360_157_621.0,
    funding_rate=-0.0001,
)

_CASES = [
    Case(
        "a negative order sold and closed a long; rows of several contracts, decimals as text",
        frame(
            "public_liquidates",
            [
                {"contract": "HEI_USDT", "price": "0.125", "size": "-24.5", "time": S * 1000 + 531},
                {"contract": "BTC_USDT", "price": "100000", "size": "5000", "time": S * 1000 + 999},
                {"contract": "ETH_USDT", "price": "1", "size": "-1", "time": S * 1000},
            ],
        ),
        receive,
        [liquidation(HEI, PositionSide.LONG, 0.125, 245.0), liquidation(BTC, PositionSide.SHORT, 100_000.0, 0.5)],
    ),
    Case(
        "before 2026-08-20 a bare row with numbers; the feed was throttled then",
        frame("public_liquidates", {"contract": "HEI_USDT", "price": 0.125, "time": 1_786_327_033_531, "size": -23}),
        receive,
        [liquidation(HEI, PositionSide.LONG, 0.125, 230.0, 1_786_327_033_000_000_000, Completeness.THROTTLED)],
    ),
    Case(
        "the documentation's time_ms, and seconds",
        frame(
            "public_liquidates",
            [
                {"price": 215.1, "size": -124, "time_ms": S * 1000 + 123, "contract": "HEI_USDT"},
                {"price": 215.1, "size": -124, "time": S, "contract": "HEI_USDT"},
            ],
        ),
        receive,
        [liquidation(HEI, PositionSide.LONG, 215.1, 1240.0)] * 2,
    ),
    Case(
        "by REST a positive size is the long position: the same record as the stream's",
        json.dumps(
            [
                {
                    "time": S,
                    "contract": "HEI_USDT",
                    "size": "24.5",
                    "order_size": "-24.5",
                    "order_price": "0.125",
                    "fill_price": "0.126",
                    "left": 0,
                },
                {"time": S, "contract": "BTC_USDT", "size": -5000, "order_price": "100000", "fill_price": "99000", "left": 0},
            ]
        ),
        lambda b: parse.past_liquidations(b, SPECS, RECV_NS),
        [liquidation(HEI, PositionSide.LONG, 0.125, 245.0), liquidation(BTC, PositionSide.SHORT, 100_000.0, 0.5)],
    ),
    Case(
        "the sign of a trade is the taker's; takeovers by the insurance fund are left out",
        frame(
            "trades",
            [
                {
                    "size": "-2500",
                    "id": 1,
                    "create_time": S,
                    "create_time_ms": S * 1000,
                    "price": "100000",
                    "contract": "BTC_USDT",
                },
                {"size": 1, "id": 2, "create_time": S, "price": "100000", "contract": "BTC_USDT", "is_internal": True},
            ],
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
    Case("a ticker; open interest is contracts", frame("tickers", [_TICKER]), receive, [_TOLD]),
    Case("a bare ticker", frame("tickers", _TICKER), receive, [_TOLD]),
    Case(
        "tickers by REST tell no time",
        json.dumps([_TICKER, {"contract": "ETH_USDT", "total_size": "1"}]),
        lambda b: parse.tickers(b, SPECS, _NS),
        [Ticker(**{**{f: getattr(_TOLD, f) for f in Ticker.__struct_fields__}, "ts_recv": _NS})],
    ),
    Case(
        "candles: volume is contracts, times are seconds",
        json.dumps([{**_CANDLE, "v": 125_000, "sum": "1250000"}]),
        lambda b: parse.bars(b, BTC, PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, 12.5)],
    ),
    Case(
        "candles of the mark price have no volume",
        json.dumps([_CANDLE]),
        lambda b: parse.bars(b, BTC, PriceKind.MARK, RECV_NS),
        [_bar(PriceKind.MARK, None)],
    ),
    Case(
        "history of open interest, contracts",
        json.dumps([_STATS]),
        lambda b: parse.open_interest(b, BTC, RECV_NS),
        [OpenInterest(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=124_724 * 0.0001)],
    ),
    Case(
        "three longs per short are three quarters; 0 is no number",
        json.dumps([_STATS]),
        lambda b: parse.ratios(b, BTC, RECV_NS),
        [
            AccountRatio(instrument=BTC.id, population=population, ts_venue=_NS, ts_recv=RECV_NS, long_share=share)
            for population, share in ((Population.ACCOUNTS, 0.75), (Population.TOP_ACCOUNTS, 0.5))
        ],
    ),
    Case(
        "funding",
        json.dumps([{"r": "0.0001", "t": S}]),
        lambda b: parse.funding(b, BTC, RECV_NS),
        [FundingRate(instrument=BTC.id, ts_venue=_NS, ts_recv=RECV_NS, rate=0.0001, interval_ns=8 * NS_PER_HOUR)],
    ),
    Case(
        "tiers end at their risk_limit",
        json.dumps(
            [
                {
                    "tier": i,
                    "risk_limit": end,
                    "initial_rate": "0.02",
                    "maintenance_rate": rate,
                    "leverage_max": lever,
                    "deduction": less,
                    "contract": "BTC_USDT",
                }
                for i, (end, rate, lever, less) in enumerate([("20000", "0.01", "50", "0"), ("30000", "0.013", "40", "60")])
            ]
        ),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=BTC.id,
                tiers=(RiskTier(0.0, 0.01, 0.0, 50.0), RiskTier(20_000.0, 0.013, 60.0, 40.0)),
                known_to=30_000.0,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a book in contracts; the time is seconds with a fraction",
        json.dumps(
            {
                "id": 1,
                "current": S + 0.1,
                "update": S + 0.125,
                "asks": [{"p": "100001", "s": 30_000}],
                "bids": [{"p": "99999", "s": "10000"}, {"p": "99998", "s": 20_000}],
            }
        ),
        lambda b: parse.book(b, BTC, RECV_NS),
        [
            Book(
                instrument=BTC.id,
                ts_venue=_NS + 125_000_000,
                ts_recv=RECV_NS,
                bids=[(99_999.0, 1.0), (99_998.0, 2.0)],
                asks=[(100_001.0, 3.0)],
            )
        ],
    ),
    Case(
        "an instrument: a contract is quanto_multiplier coins",
        json.dumps(
            [
                {
                    "name": "BTC_USDT",
                    "type": "direct",
                    "quanto_multiplier": "0.0001",
                    "order_price_round": "0.1",
                    "in_delisting": False,
                    "status": "trading",
                    "funding_interval": 28_800,
                    "leverage_max": "125",
                }
            ]
        ),
        lambda b: parse.instruments(b, RECV_NS),
        [BTC],
    ),
]


def _fixture(_label: str, entry: object) -> object:
    """Read recorded frames and answers with specs that know what is in them."""
    text = json.dumps(entry, separators=(",", ":"))
    if isinstance(entry, dict) and entry.get("event") == "update":
        if entry["channel"].split(".")[1] not in ("public_liquidates", "tickers", "trades"):
            return None
        rows = entry["result"] if isinstance(entry["result"], list) else [entry["result"]]
        rows = rows[0] if isinstance(rows[0], list) else rows
        known = {str(row["contract"]): spec(str(row["contract"]), 0.01) for row in rows}
        return Gate().streams(known)[0].session().receive(text, RECV_NS).records
    first, body = entry[0] if isinstance(entry, list) else entry, text.encode()
    if "fill_price" in first:
        return parse.past_liquidations(body, SPECS, RECV_NS)
    if "lsr_account" in first:
        return [*parse.open_interest(body, BTC, RECV_NS), *parse.ratios(body, BTC, RECV_NS)]
    if "maintenance_rate" in first:
        return parse.tiers(body, {first.get("contract", ""): BTC}, RECV_NS)
    if "sum" in first:
        return parse.bars(body, BTC, PriceKind.LAST, RECV_NS)
    return parse.funding(f"[{text}]".encode(), BTC, RECV_NS) if "r" in first else None


VENUE_CASES = [
    VenueCases(
        venue=VENUE,
        specs=SPECS,
        cases=_CASES,
        fixtures={
            f"gate/{name}.json": _fixture
            for name in (
                "ws_messages_recorded",
                "ws_public_liquidates_recorded",
                "ccxt_comment_examples",
                "official_doc_examples",
            )
        },
    )
]
