"""OKX swaps, linear and inverse: hand-made payloads with the documented fields."""

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
from liqscape.venues.okx import Okx, parse

T = 1_789_999_980_000  # the start of a minute
_NS = T * 1_000_000


def spec(symbol: str, kind: ContractKind, size: float) -> InstrumentSpec:
    """Describe a swap."""
    base, quote, _ = symbol.split("-")
    return InstrumentSpec(
        id=InstrumentId("okx", symbol),
        base=base,
        quote=quote,
        kind=kind,
        contract_size=size,
        tick_size=0.1,
        max_leverage=100.0,
        market="swap",
    )


SPECS = {
    "BTC-USDT-SWAP": spec("BTC-USDT-SWAP", ContractKind.LINEAR, 0.01),
    "BTC-USD-SWAP": spec("BTC-USD-SWAP", ContractKind.INVERSE, 100.0),
}
LINEAR, INVERSE = SPECS["BTC-USDT-SWAP"], SPECS["BTC-USD-SWAP"]
VENUE = Okx(now_ns=lambda: RECV_NS)


def liquidation(one: InstrumentSpec, side: PositionSide, price: float, base: float, at_ns: int = _NS) -> Liquidation:
    """Build the record of a print."""
    return Liquidation(
        instrument=one.id,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=base,
        completeness=Completeness.THROTTLED,
        ts_venue=at_ns,
        ts_recv=RECV_NS,
    )


def detail(side: str, position: str, price: str, size: str, at: int = T) -> dict[str, str]:
    """Build one print as OKX writes it."""
    return {"side": side, "posSide": position, "bkPx": price, "sz": size, "bkLoss": "0", "ccy": "", "ts": str(at)}


def frame(channel: str, data: list[object], **arg: str) -> str:
    """Build a frame of a channel."""
    return json.dumps({"arg": {"channel": channel, **arg}, "data": data}, separators=(",", ":"))


def printed(*rows: tuple[str, list[dict[str, str]]]) -> str:
    """Build a frame of liquidations: (instrument, prints)."""
    data = [
        {"instType": "SWAP", "instFamily": one.removesuffix("-SWAP"), "uly": one[:8], "instId": one, "details": details}
        for one, details in rows
    ]
    return frame("liquidation-orders", list(data), instType="SWAP")


def receive(body: bytes) -> list[object]:
    """Read a frame as a stream's session does."""
    return VENUE.streams(SPECS)[0].session().receive(body, RECV_NS).records


def _answer(data: list[object]) -> str:
    return json.dumps({"code": "0", "msg": "", "data": data})


def _bar(kind: PriceKind, volume: float | None) -> Bar:
    return Bar(
        instrument=LINEAR.id,
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


def _ticker(one: InstrumentSpec, **told: float) -> Ticker:
    return Ticker(instrument=one.id, ts_venue=_NS, ts_recv=RECV_NS, **told)  # type: ignore[arg-type]


_CANDLE = [str(T), "100000", "100010", "99990", "100000"]
_OPEN = [str(T + 60_000), "100000", "100010", "99990", "100000"]

_CASES = [
    Case(
        "every entry of data and of details: buy closes a short, sell a long; contracts are 0.01 BTC or 100 USD",
        printed(
            ("BTC-USDT-SWAP", [detail("buy", "short", "101000", "13"), detail("sell", "long", "99000", "200")]),
            ("DOGE-USDT-SWAP", [detail("buy", "short", "0.1", "1")]),
            ("BTC-USD-SWAP", [detail("sell", "net", "100000", "500"), detail("buy", "", "100000", "1000")]),
        ),
        receive,
        [
            liquidation(LINEAR, PositionSide.SHORT, 101_000.0, 0.13),
            liquidation(LINEAR, PositionSide.LONG, 99_000.0, 2.0),
            liquidation(INVERSE, PositionSide.LONG, 100_000.0, 0.5),
            liquidation(INVERSE, PositionSide.SHORT, 100_000.0, 1.0),
        ],
    ),
    Case(
        "an old print repeated after subscribing keeps its own time",
        printed(("BTC-USDT-SWAP", [detail("sell", "long", "99000", "1", T - 7_200_000)])),
        receive,
        [liquidation(LINEAR, PositionSide.LONG, 99_000.0, 0.01, _NS - 2 * NS_PER_HOUR)],
    ),
    Case(
        "trades are contracts",
        frame("trades", [{"instId": "BTC-USDT-SWAP", "tradeId": "1", "px": "100000", "sz": "5", "side": "sell", "ts": str(T)}]),
        receive,
        [
            Trade(
                instrument=LINEAR.id,
                taker_side=TakerSide.SELL,
                price=100_000.0,
                quantity_base=0.05,
                ts_venue=_NS,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "a mark price",
        frame("mark-price", [{"instId": "BTC-USDT-SWAP", "instType": "SWAP", "markPx": "100000.5", "ts": str(T)}]),
        receive,
        [_ticker(LINEAR, mark_price=100_000.5)],
    ),
    Case(
        "an index is named without -SWAP",
        frame("index-tickers", [{"instId": "BTC-USD", "idxPx": "100001", "high24h": "1", "ts": str(T)}], instId="BTC-USD"),
        receive,
        [_ticker(INVERSE, index_price=100_001.0)],
    ),
    Case(
        "open interest is told in coins beside contracts, for inverse swaps too",
        frame(
            "open-interest",
            [
                {"instId": "BTC-USDT-SWAP", "oi": "2800476.45", "oiCcy": "28004.7645", "oiUsd": "1", "ts": str(T)},
                {"instId": "BTC-USD-SWAP", "oi": "100", "oiCcy": "0.1", "ts": str(T)},
            ],
        ),
        receive,
        [_ticker(LINEAR, open_interest_base=28_004.7645), _ticker(INVERSE, open_interest_base=0.1)],
    ),
    Case(
        "contracts alone are coins if the swap is linear and unknown if it is inverse",
        frame(
            "open-interest",
            [
                {"instId": "BTC-USDT-SWAP", "oi": "250", "oiCcy": "", "ts": str(T)},
                {"instId": "BTC-USD-SWAP", "oi": "100", "oiCcy": "", "ts": str(T)},
            ],
        ),
        receive,
        [_ticker(LINEAR, open_interest_base=2.5), _ticker(INVERSE)],
    ),
    Case(
        "funding: fundingTime is the next stamp",
        frame(
            "funding-rate",
            [
                {
                    "instId": "BTC-USDT-SWAP",
                    "fundingRate": "-0.0001",
                    "nextFundingRate": "",
                    "fundingTime": str(T + 3_600_000),
                    "ts": str(T),
                }
            ],
        ),
        receive,
        [
            Ticker(
                instrument=LINEAR.id,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                funding_rate=-0.0001,
                next_funding_ns=_NS + NS_PER_HOUR,
            )
        ],
    ),
    Case(
        "volCcy24h is base coins of linear and inverse swaps",
        _answer(
            [
                {"instId": "BTC-USDT-SWAP", "last": "100000", "vol24h": "1000", "volCcy24h": "10", "ts": str(T)},
                {"instId": "BTC-USD-SWAP", "last": "100000", "vol24h": "1000", "volCcy24h": "1", "ts": str(T)},
            ]
        ),
        lambda b: parse.tickers(b, SPECS, RECV_NS),
        [_ticker(LINEAR, volume_24h_usd=1e6), _ticker(INVERSE, volume_24h_usd=1e5)],
    ),
    Case(
        "candles come newest first; one that is not confirmed is left out",
        _answer([[*_OPEN, "9", "0.09", "9000", "0"], [*_CANDLE, "1250", "12.5", "1250000", "1"]]),
        lambda b: parse.bars(b, LINEAR, PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, 12.5)],
    ),
    Case(
        "candles of the mark price have no volume",
        _answer([[*_OPEN, "0"], [*_CANDLE, "1"]]),
        lambda b: parse.bars(b, LINEAR, PriceKind.MARK, RECV_NS),
        [_bar(PriceKind.MARK, None)],
    ),
    Case(
        "history of open interest: the third column is coins",
        _answer([[str(T), "2800476.45", "28006.5419", "2360916466.88"]]),
        lambda b: parse.open_interest(b, LINEAR, RECV_NS),
        [OpenInterest(instrument=LINEAR.id, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=28_006.5419)],
    ),
    Case(
        "funding that was paid, each for the time since the one before",
        _answer(
            [
                {"instId": "BTC-USDT-SWAP", "fundingRate": "0.0002", "realizedRate": "0.00019", "fundingTime": str(T)},
                {"instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "realizedRate": "", "fundingTime": str(T - 14_400_000)},
            ]
        ),
        lambda b: parse.funding(b, LINEAR, RECV_NS),
        [
            FundingRate(
                instrument=LINEAR.id, ts_venue=_NS - i * 4 * NS_PER_HOUR, ts_recv=RECV_NS, rate=rate, interval_ns=4 * NS_PER_HOUR
            )
            for i, rate in ((1, 0.0001), (0, 0.00019))
        ],
    ),
    Case(
        "three longs per short are three quarters",
        _answer([[str(T), "3"]]),
        lambda b: parse.ratios(b, LINEAR, Population.TOP_POSITIONS, RECV_NS),
        [AccountRatio(instrument=LINEAR.id, population=Population.TOP_POSITIONS, ts_venue=_NS, ts_recv=RECV_NS, long_share=0.75)],
    ),
    Case(
        "tiers are contracts: 1,000 of them are 10 BTC or 100,000 USD",
        _answer(
            [
                {"instFamily": family, "tier": tier, "minSz": low, "maxSz": high, "mmr": mmr, "imr": "0.01", "maxLever": lever}
                for family in ("BTC-USDT", "BTC-USD")
                for tier, low, high, mmr, lever in (("1", "0", "1000", "0.004", "100"), ("2", "1001", "2000", "0.005", "75"))
            ]
        ),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=one.id,
                tiers=(RiskTier(0.0, 0.004, None, 100.0), RiskTier(end, 0.005, None, 75.0)),
                in_size=True,
                known_to=2.0 * end,
                ts_recv=RECV_NS,
            )
            for one, end in ((LINEAR, 10.0), (INVERSE, 100_000.0))
        ],
    ),
    Case(
        "a book in contracts",
        _answer([{"asks": [["100001", "300", "2"]], "bids": [["99999", "100", "1"], ["99998", "200", "1"]], "ts": str(T)}]),
        lambda b: parse.book(b, LINEAR, RECV_NS),
        [
            Book(
                instrument=LINEAR.id,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                bids=[(99_999.0, 1.0), (99_998.0, 2.0)],
                asks=[(100_001.0, 3.0)],
            )
        ],
    ),
    Case(
        "instruments: ctVal is coins or USD",
        _answer(
            [
                {
                    "instId": one.id.symbol,
                    "instType": "SWAP",
                    "instFamily": one.id.symbol[:-5],
                    "state": "live",
                    "ctType": one.kind.value,
                    "ctVal": str(one.contract_size),
                    "ctMult": "1",
                    "ctValCcy": currency,
                    "tickSz": "0.1",
                    "lever": "100",
                    "baseCcy": "",
                    "quoteCcy": "",
                }
                for one, currency in ((LINEAR, "BTC"), (INVERSE, "USD"))
            ]
        ),
        lambda b: parse.instruments(b, RECV_NS),
        [LINEAR, INVERSE],
    ),
]


def _known(symbol: str) -> dict[str, InstrumentSpec]:
    base, quote = symbol.split("-")[:2]
    kind = ContractKind.INVERSE if quote == "USD" else ContractKind.LINEAR
    one = InstrumentSpec(id=InstrumentId("okx", symbol), base=base, quote=quote, kind=kind, contract_size=0.1)
    return {symbol: one, f"{symbol}-SWAP": one}


def _fixture(_label: str, entry: object) -> object:
    """Read recorded frames and answers with specs that know what is in them."""
    if not isinstance(entry, dict) or not entry.get("data"):
        return None
    first, text = entry["data"][0], json.dumps(entry, separators=(",", ":"))
    channel = entry.get("arg", {}).get("channel")
    if channel in ("trades", "mark-price", "open-interest", "funding-rate", "index-tickers", "liquidation-orders"):
        return Okx().streams(_known(first["instId"]))[0].session().receive(text, RECV_NS).records
    if channel is not None:
        return None
    body = text.encode()
    if isinstance(first, list):
        if len(first) == 4:
            return parse.open_interest(body, LINEAR, RECV_NS)
        return parse.ratios(body, LINEAR, Population.ACCOUNTS, RECV_NS) if len(first) == 2 else None
    if "realizedRate" in first:
        return parse.funding(body, LINEAR, RECV_NS)
    if "ctVal" in first:
        return parse.instruments(body, RECV_NS)
    if "asks" in first:
        return parse.book(body, LINEAR, RECV_NS)
    return parse.tickers(body, SPECS, RECV_NS) if "markPx" in first or "oiCcy" in first else None


VENUE_CASES = [
    VenueCases(
        venue=VENUE,
        specs=SPECS,
        cases=_CASES,
        fixtures={f"okx/{name}.json": _fixture for name in ("ws_messages_recorded", "ccxt_comment_examples", "nautilus_samples")},
    )
]
