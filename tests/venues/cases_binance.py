"""Binance, both products: hand-made payloads with the documented fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

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
    Ticker,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.base import Venue
from liqscape.venues.binance_coinm import BinanceCoinm
from liqscape.venues.binance_usdm import BinanceUsdm, parse
from liqscape.venues.wire import Parsed

_T = 1_789_999_980_000  # the start of a minute
_NS = _T * 1_000_000


def _usdm(symbol: str) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("binance", symbol),
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        kind=ContractKind.LINEAR,
        contract_size=1.0,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        market="usdm",
    )


def _coinm(symbol: str) -> InstrumentSpec:
    return InstrumentSpec(
        id=InstrumentId("binance", symbol),
        base=symbol.partition("USD")[0],
        quote="USD",
        kind=ContractKind.INVERSE,
        contract_size=100.0 if symbol.startswith("BTC") else 10.0,
        tick_size=0.1,
        funding_interval_ns=8 * NS_PER_HOUR,
        market="coinm",
    )


LINEAR = {"BTCUSDT": _usdm("BTCUSDT")}
INVERSE = {"BTCUSD_PERP": _coinm("BTCUSD_PERP"), "ETHUSD_PERP": _coinm("ETHUSD_PERP")}
BTC, BTC_USD, ETH_USD = LINEAR["BTCUSDT"].id, INVERSE["BTCUSD_PERP"].id, INVERSE["ETHUSD_PERP"].id
_SPEC, _COIN = LINEAR["BTCUSDT"], INVERSE["BTCUSD_PERP"]
_USDM, _COINM = BinanceUsdm(), BinanceCoinm()


def order(symbol: str, side: str, z: str, ap: str | None = None, p: str = "100000", **more: object) -> str:
    """Write a liquidation as the combined stream does; `l`, the last fill, is never the quantity."""
    inside: dict[str, object] = {"s": symbol, "S": side, "o": "LIMIT", "f": "IOC", "q": z, "p": p, "X": "FILLED", "l": "777"}
    inside |= {"z": z, "T": _T} | ({} if ap is None else {"ap": ap})
    return json.dumps({"stream": "!forceOrder@arr", "data": {"e": "forceOrder", "E": _T + 4, "o": inside, **more}})


def print_of(
    instrument: InstrumentId,
    side: PositionSide,
    price: float,
    base: float,
    kind: LiquidationPriceKind = LiquidationPriceKind.AVERAGE_FILL,
) -> Liquidation:
    """Return the record of a liquidation."""
    return Liquidation(
        instrument=instrument,
        position_side=side,
        price=price,
        price_kind=kind,
        quantity_base=base,
        completeness=Completeness.THROTTLED,
        ts_venue=_NS,
        ts_recv=RECV_NS,
    )


def _ticker(instrument: InstrumentId, **values: float) -> Ticker:
    return Ticker(instrument=instrument, ts_venue=_NS, ts_recv=RECV_NS, **values)  # type: ignore[arg-type]


def _bar(kind: PriceKind, instrument: InstrumentId, volume: float | None, taker: float | None) -> Bar:
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
        taker_buy_base=taker,
    )


def _ratio(instrument: InstrumentId, population: Population, share: float) -> AccountRatio:
    return AccountRatio(instrument=instrument, population=population, ts_venue=_NS, ts_recv=RECV_NS, long_share=share)


def receive(venue: Venue, specs: Mapping[str, InstrumentSpec]) -> Callable[[bytes], Parsed]:
    """Return the way of a frame through the session, where frames are told apart."""
    return lambda frame: venue.streams(specs)[0].session().receive(frame, RECV_NS).records


_PRICES = ["100000", "100010", "99990", "100000"]
_MARK = {"e": "markPriceUpdate", "E": _T, "s": "BTCUSDT", "p": "100000.5", "ap": "1", "P": "2", "i": "100001", "r": "0.0001"}
_DEPTH = {"lastUpdateId": 1, "E": _T + 2, "T": _T, "bids": [["99999", "1"], ["99998", "2"]], "asks": [["100001", "3"]]}


def _brackets(symbol: str, *rows: tuple[float, float, float, float, float]) -> str:
    names = ("bracketNotionalFloor", "bracketNotionalCap", "bracketMaintenanceMarginRate", "cumFastMaintenanceAmount")
    found = [dict(zip((*names, "maxOpenPosLeverage"), row, strict=True)) for row in rows]
    one = {"symbol": symbol, "riskBrackets": [{"bracketSeq": n + 1, **row} for n, row in enumerate(found)]}
    return json.dumps({"code": "000000", "message": None, "data": {"version": str(_T), "brackets": [one]}, "success": True})


_LINEAR_CASES = [
    Case(
        "a closing order that sells closed a long: z at the average price, whatever the last fill was",
        order("BTCUSDT", "SELL", "0.5", "99000", p="98000", st=1, ps="BTCUSDT"),
        receive(_USDM, LINEAR),
        [print_of(BTC, PositionSide.LONG, 99_000.0, 0.5)],
    ),
    Case(
        "a closing order that buys closed a short; without an average the order's limit stands",
        order("BTCUSDT", "BUY", "2", "0", p="101000"),
        receive(_USDM, LINEAR),
        [print_of(BTC, PositionSide.SHORT, 101_000.0, 2.0, LiquidationPriceKind.ORDER_LIMIT)],
    ),
    Case(
        "marks of all symbols in one frame; others are left out",
        json.dumps({"stream": "!markPrice@arr@1s", "data": [{**_MARK, "T": _T}, {**_MARK, "s": "ETHUSDT", "T": _T}]}),
        receive(_USDM, LINEAR),
        [
            Ticker(
                instrument=BTC,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                mark_price=100_000.5,
                index_price=100_001.0,
                funding_rate=0.0001,
                next_funding_ns=_NS,
            )
        ],
    ),
    Case(
        "mark and index now",
        json.dumps(
            [
                {
                    "symbol": "BTCUSDT",
                    "markPrice": "100000.5",
                    "indexPrice": "100001",
                    "lastFundingRate": "",
                    "nextFundingTime": 0,
                    "time": _T,
                }
            ]
        ),
        lambda b: parse.premium(b, LINEAR, RECV_NS),
        [_ticker(BTC, mark_price=100_000.5, index_price=100_001.0)],
    ),
    Case(
        "volume of a day is the quote's",
        json.dumps([{"symbol": "BTCUSDT", "volume": "100", "quoteVolume": "10000000", "closeTime": _T}]),
        lambda b: parse.volumes(b, LINEAR, RECV_NS),
        [_ticker(BTC, volume_24h_usd=1e7)],
    ),
    Case(
        "open interest now is base units",
        json.dumps({"symbol": "BTCUSDT", "openInterest": "10659.5", "time": _T}),
        lambda b: parse.open_interest_now(b, _SPEC, 1.0, RECV_NS),
        [_ticker(BTC, open_interest_base=10_659.5)],
    ),
    Case(
        "klines with taker-buy base",
        json.dumps([[_T, *_PRICES, "12.5", _T + 59_999, "1250000", 308, "7.5", "750000", "0"]]),
        lambda b: parse.bars(b, _SPEC, PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, BTC, 12.5, 7.5)],
    ),
    Case(
        "mark klines: what stands in the place of volume is none",
        json.dumps([[_T, *_PRICES, "0", _T + 59_999, "0", 60, "0", "0", "0"]]),
        lambda b: parse.bars(b, _SPEC, PriceKind.MARK, RECV_NS),
        [_bar(PriceKind.MARK, BTC, None, None)],
    ),
    Case(
        "history of open interest",
        json.dumps([{"symbol": "BTCUSDT", "sumOpenInterest": "80000", "sumOpenInterestValue": "8000000000", "timestamp": _T}]),
        lambda b: parse.open_interest(b, _SPEC, RECV_NS),
        [OpenInterest(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=80_000.0)],
    ),
    Case(
        "funding",
        json.dumps([{"symbol": "BTCUSDT", "fundingRate": "-0.0001", "fundingTime": _T, "markPrice": "", "rateType": "Regular"}]),
        lambda b: parse.funding(b, _SPEC, RECV_NS),
        [FundingRate(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, rate=-0.0001, interval_ns=8 * NS_PER_HOUR)],
    ),
    Case(
        "share of top accounts that are long",
        json.dumps([{"longShortRatio": "1.5", "longAccount": "0.6", "shortAccount": "0.4", "timestamp": _T}]),
        lambda b: parse.ratios(b, _SPEC, Population.TOP_ACCOUNTS, RECV_NS),
        [_ratio(BTC, Population.TOP_ACCOUNTS, 0.6)],
    ),
    Case(
        "a book, best first",
        json.dumps(_DEPTH),
        lambda b: parse.book(b, _SPEC, RECV_NS),
        [Book(instrument=BTC, ts_venue=_NS, ts_recv=RECV_NS, bids=[(99_999.0, 1.0), (99_998.0, 2.0)], asks=[(100_001.0, 3.0)])],
    ),
    Case(
        "margin table as the website shows it",
        _brackets("BTCUSDT", (0, 300_000, 0.004, 0, 150), (300_000, 800_000, 0.005, 300, 100)),
        lambda b: parse.tiers(b, LINEAR, RECV_NS),
        [
            RiskLadder(
                instrument=BTC,
                tiers=(RiskTier(0.0, 0.004, 0.0, 150.0), RiskTier(3e5, 0.005, 300.0, 100.0)),
                known_to=8e5,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "an instrument; one that is named in Chinese is left out",
        json.dumps(
            {
                "symbols": [
                    {
                        "symbol": symbol,
                        "contractType": "PERPETUAL",
                        "status": "TRADING",
                        "baseAsset": "BTC",
                        "quoteAsset": "USDT",
                        "filters": [{"filterType": "LOT_SIZE"}, {"filterType": "PRICE_FILTER", "tickSize": "0.10"}],
                    }
                    for symbol in ("BTCUSDT", "币安人生USDT")
                ]
            }
        ),
        lambda b: parse.instruments(b, "usdm", RECV_NS),
        [_SPEC],
    ),
]

_INVERSE_CASES = [
    Case(
        "a contract of bitcoin is 100 USD: 990 of them at 99,000 are 1 BTC",
        order("BTCUSD_PERP", "SELL", "990", "99000", st=2, ps="BTCUSD"),
        receive(_COINM, INVERSE),
        [print_of(BTC_USD, PositionSide.LONG, 99_000.0, 1.0)],
    ),
    Case(
        "a contract of ether is 10 USD: 800 of them at 4,000 are 2 ETH; `st` may say 1",
        order("ETHUSD_PERP", "BUY", "800", "4000", st=1),
        receive(_COINM, INVERSE),
        [print_of(ETH_USD, PositionSide.SHORT, 4_000.0, 2.0)],
    ),
    Case(
        "the mark of one symbol",
        json.dumps(
            {
                "stream": "btcusd_perp@markPrice@1s",
                "data": {"E": _T, "s": "BTCUSD_PERP", "p": "100000", "P": "9", "r": "", "T": 0},
            }
        ),
        receive(_COINM, INVERSE),
        [_ticker(BTC_USD, mark_price=100_000.0)],
    ),
    Case(
        "open interest now is contracts and needs the price",
        json.dumps({"symbol": "BTCUSD_PERP", "pair": "BTCUSD", "openInterest": "2000", "contractType": "PERPETUAL", "time": _T}),
        lambda b: parse.open_interest_now(b, _COIN, 100_000.0, RECV_NS),
        [_ticker(BTC_USD, open_interest_base=2.0)],
    ),
    Case(
        "volume of a day is contracts of so many dollars",
        json.dumps([{"symbol": "BTCUSD_PERP", "volume": "494109", "baseVolume": "494.1", "closeTime": _T}]),
        lambda b: parse.volumes(b, INVERSE, RECV_NS),
        [_ticker(BTC_USD, volume_24h_usd=49_410_900.0)],
    ),
    Case(
        "klines: contracts in place 5, coins in places 7 and 10",
        json.dumps([[_T, *_PRICES, "2000", _T + 59_999, "2", 308, "1500", "1.5", "0"]]),
        lambda b: parse.bars(b, _COIN, PriceKind.LAST, RECV_NS),
        [_bar(PriceKind.LAST, BTC_USD, 2.0, 1.5)],
    ),
    Case(
        "history of open interest: the value is in the coin",
        json.dumps(
            [
                {
                    "pair": "BTCUSD",
                    "contractType": "PERPETUAL",
                    "sumOpenInterest": "10000000",
                    "sumOpenInterestValue": "10000",
                    "timestamp": _T,
                }
            ]
        ),
        lambda b: parse.open_interest(b, _COIN, RECV_NS),
        [OpenInterest(instrument=BTC_USD, ts_venue=_NS, ts_recv=RECV_NS, open_interest_base=10_000.0)],
    ),
    Case(
        "top positions are called so",
        json.dumps([{"pair": "BTCUSD", "longShortRatio": "1.5", "longPosition": "0.6", "shortPosition": "0.4", "timestamp": _T}]),
        lambda b: parse.ratios(b, _COIN, Population.TOP_POSITIONS, RECV_NS),
        [_ratio(BTC_USD, Population.TOP_POSITIONS, 0.6)],
    ),
    Case(
        "funding",
        json.dumps([{"symbol": "BTCUSD_PERP", "fundingTime": _T, "fundingRate": "0.0001"}]),
        lambda b: parse.funding(b, _COIN, RECV_NS),
        [FundingRate(instrument=BTC_USD, ts_venue=_NS, ts_recv=RECV_NS, rate=0.0001, interval_ns=8 * NS_PER_HOUR)],
    ),
    Case(
        "a book is contracts",
        json.dumps({**_DEPTH, "symbol": "BTCUSD_PERP", "bids": [["50000", "1000"]], "asks": [["100000", "1000"]]}),
        lambda b: parse.book(b, _COIN, RECV_NS),
        [Book(instrument=BTC_USD, ts_venue=_NS, ts_recv=RECV_NS, bids=[(50_000.0, 2.0)], asks=[(100_000.0, 1.0)])],
    ),
    Case(
        "floors and deductions of the margin table are coins",
        _brackets("BTCUSD_PERP", (0, 5, 0.004, 0, 125), (5, 10, 0.005, 0.005, 100)),
        lambda b: parse.tiers(b, INVERSE, RECV_NS),
        [
            RiskLadder(
                instrument=BTC_USD,
                tiers=(RiskTier(0.0, 0.004, 0.0, 125.0), RiskTier(5.0, 0.005, 0.005, 100.0)),
                known_to=10.0,
                ts_recv=RECV_NS,
            )
        ],
    ),
    Case(
        "an instrument",
        json.dumps(
            {
                "symbols": [
                    {
                        "symbol": "BTCUSD_PERP",
                        "contractType": "PERPETUAL",
                        "contractStatus": "TRADING",
                        "contractSize": 100,
                        "baseAsset": "BTC",
                        "quoteAsset": "USD",
                        "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.1"}],
                    }
                ]
            }
        ),
        lambda b: parse.instruments(b, "coinm", RECV_NS),
        [_COIN],
    ),
]


def _official(specs_of: Callable[[str], InstrumentSpec], market: str) -> Callable[[str, object], Parsed | None]:
    """Read the documentation's examples, each with the parser of its endpoint; klines there are cut to one number."""

    def read(label: str, entry: object) -> Parsed | None:
        first = entry[0] if isinstance(entry, list) else entry
        if not isinstance(first, dict):
            return None
        symbol = str(first.get("symbol") or first.get("pair") or first.get("s") or first.get("o", {}).get("s"))
        spec, body = specs_of(symbol), json.dumps(entry).encode()
        specs = {symbol: spec}
        name = label.removeprefix("rest.")
        if "liquidation_order" in label or "mark_price_stream" in label or "mark_price_of_all" in label:
            topic = "!forceOrder@arr" if "liquidation" in label else "!markPrice@arr@1s"
            venue = _USDM if market == "usdm" else _COINM
            return receive(venue, specs)(json.dumps({"stream": topic, "data": entry}).encode())
        if name in ("mark_price", "index_price_and_mark_price"):
            return parse.premium(body if isinstance(entry, list) else json.dumps([entry]).encode(), specs, RECV_NS)
        if name == "exchange_information":
            return parse.instruments(body, market, RECV_NS)
        if name == "ticker24hr_price_change_statistics":
            return parse.volumes(body if isinstance(entry, list) else json.dumps([entry]).encode(), specs, RECV_NS)
        if name == "open_interest":
            return parse.open_interest_now(body, spec, 10_000.0, RECV_NS)
        if name == "open_interest_statistics":
            return parse.open_interest(body, spec, RECV_NS)
        if name.startswith("get_funding_rate_history"):
            return parse.funding(body, spec, RECV_NS)
        if name in ("long_short_ratio", "top_trader_long_short_ratio_accounts", "top_trader_long_short_ratio_positions"):
            return parse.ratios(body, spec, Population.ACCOUNTS, RECV_NS)
        return parse.book(body, spec, RECV_NS) if name == "order_book" else None

    return read


def _recorded(venue: Venue, specs_of: Callable[[str], InstrumentSpec]) -> Callable[[str, object], Parsed | None]:
    """Read recorded frames with a session that knows every symbol in them."""

    def read(_label: str, entry: object) -> Parsed | None:
        if not isinstance(entry, dict) or "stream" not in entry or entry.get("generated"):
            return None
        data = entry["data"]
        symbol = str(data["o"]["s"] if "o" in data and isinstance(data["o"], dict) else data.get("s"))
        return receive(venue, {symbol: specs_of(symbol)})(json.dumps(entry).encode())

    return read


VENUE_CASES = [
    VenueCases(
        venue=_USDM,
        specs=LINEAR,
        cases=_LINEAR_CASES,
        fixtures={
            "binance_usdm/ws_messages_recorded.json": _recorded(_USDM, _usdm),
            "binance_usdm/official_doc_examples.json": _official(_usdm, "usdm"),
        },
    ),
    VenueCases(
        venue=_COINM,
        specs=INVERSE,
        cases=_INVERSE_CASES,
        fixtures={
            "binance_coinm/ws_messages_recorded.json": _recorded(_COINM, _coinm),
            "binance_coinm/official_doc_examples.json": _official(_coinm, "coinm"),
        },
    ),
]
