"""Hyperliquid: hand-made payloads with the documented fields, of markets and of accounts."""

from __future__ import annotations

import json

from venue_case import RECV_NS, Case, VenueCases

from liqscape.model import (
    AccountListing,
    AccountPosition,
    AccountState,
    Bar,
    Book,
    Completeness,
    ContractKind,
    FundingRate,
    InstrumentId,
    InstrumentSpec,
    Liquidation,
    LiquidationPriceKind,
    MarginMode,
    PositionSide,
    PriceKind,
    RiskLadder,
    RiskTier,
    TakerSide,
    Ticker,
    Trade,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues.hyperliquid import Hyperliquid, accounts, parse

_T = 1_789_999_980_000  # the start of a minute
_NS = _T * 1_000_000
_VENUE = Hyperliquid()


def hyperliquid_spec(coin: str, leverage: float = 40.0) -> InstrumentSpec:
    symbol = coin.upper()
    return InstrumentSpec(
        id=InstrumentId("hyperliquid", symbol),
        base=f"1000{symbol[1:]}" if coin.startswith("k") else symbol,
        quote="USDC",
        kind=ContractKind.LINEAR,
        contract_size=1.0,
        funding_interval_ns=NS_PER_HOUR,
        max_leverage=leverage,
        market="perp",
    )


SPECS = {"BTC": hyperliquid_spec("BTC"), "KPEPE": hyperliquid_spec("kPEPE", 10.0)}
BTC, PEPE = SPECS["BTC"].id, SPECS["KPEPE"].id
ALICE, BOB = "0x" + "a" * 40, "0x" + "b" * 40
_UNIVERSE = [
    {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
    {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10, "marginTableId": 10, "onlyIsolated": True},
]
_TABLES = [
    [
        56,
        {
            "description": "tiered 40x",
            "marginTiers": [
                {"lowerBound": "0.0", "maxLeverage": 40},
                {"lowerBound": "150000000.0", "maxLeverage": 20},
            ],
        },
    ]
]
_META = {"universe": _UNIVERSE, "marginTables": _TABLES, "collateralToken": 0}
_CONTEXT = {
    "funding": "0.0000125",
    "openInterest": "27353.5",
    "prevDayPx": "99000.0",
    "dayNtlVlm": "1516669192.25",
    "premium": None,
    "oraclePx": "100010.0",
    "markPx": "100000.0",
    "midPx": None,
}


def _ticker(instrument: InstrumentId) -> Ticker:
    return Ticker(
        instrument=instrument,
        ts_venue=RECV_NS,
        ts_recv=RECV_NS,
        mark_price=100_000.0,
        index_price=100_010.0,
        open_interest_base=27_353.5,
        funding_rate=0.0000125,
        next_funding_ns=(RECV_NS // NS_PER_HOUR + 1) * NS_PER_HOUR,
        volume_24h_usd=1_516_669_192.25,
    )


def _levels(prices: list[str], size: str) -> list[dict[str, object]]:
    return [{"px": price, "sz": size, "n": 2} for price in prices]


_CLEARINGHOUSE = {
    "assetPositions": [
        {
            "type": "oneWay",
            "position": {
                "coin": "BTC",
                "szi": "-0.5",
                "entryPx": "99000.0",
                "leverage": {"type": "isolated", "value": 20, "rawUsd": "52475.0"},
                "liquidationPx": "103654.32",
                "marginUsed": "2475.0",
                "positionValue": "50000.0",
                "unrealizedPnl": "-500.0",
                "maxLeverage": 40,
            },
        },
        {
            "type": "oneWay",
            "position": {
                "coin": "kPEPE",
                "szi": "1000.0",
                "entryPx": "0.01",
                "leverage": {"type": "cross", "value": 5},
                "liquidationPx": None,
                "marginUsed": "2.0",
                "positionValue": "10.0",
                "unrealizedPnl": "0.0",
                "maxLeverage": 10,
            },
        },
    ],
    "marginSummary": {"accountValue": "3975.0", "totalNtlPos": "50010.0", "totalRawUsd": "0.0", "totalMarginUsed": "2477.0"},
    "crossMarginSummary": {"accountValue": "1500.0", "totalNtlPos": "10.0", "totalRawUsd": "1490.0", "totalMarginUsed": "2.0"},
    "crossMaintenanceMarginUsed": "0.5",
    "withdrawable": "1498.0",
    "time": _T,
}
_STATE = AccountState(
    venue="hyperliquid",
    account=ALICE,
    ts_venue=_NS,
    ts_recv=RECV_NS,
    cross_equity_usd=1500.0,
    cross_maintenance_usd=0.5,
    positions=(
        AccountPosition(
            instrument=BTC,
            quantity_base=-0.5,
            entry_price=99_000.0,
            mark_price=100_000.0,
            margin_mode=MarginMode.ISOLATED,
            margin_usd=2475.0,
            max_leverage=40.0,
            liquidation_price=103_654.32,
        ),
        AccountPosition(
            instrument=PEPE,
            quantity_base=1000.0,
            entry_price=0.01,
            mark_price=0.01,
            margin_mode=MarginMode.CROSS,
            margin_usd=2.0,
            max_leverage=10.0,
        ),
    ),
)
_EMPTY = {"assetPositions": [], "crossMarginSummary": {"accountValue": "0.0"}, "time": _T}


def _fill(side: str, price: str, size: str, mark: str, user: str, time: int = _T) -> dict[str, object]:
    return {
        "coin": "BTC",
        "px": price,
        "sz": size,
        "side": side,
        "time": time,
        "startPosition": "3.0",
        "dir": "Liquidated Cross Long" if side == "A" else "Liquidated Isolated Short",
        "closedPnl": "-1000.0",
        "hash": mark,
        "oid": 1,
        "crossed": True,
        "fee": "0.0",
        "tid": 2,
        "liquidation": {"liquidatedUser": user, "markPx": "99000.0", "method": "market"},
    }


def _print(side: PositionSide, price: float, base: float) -> Liquidation:
    return Liquidation(
        instrument=BTC,
        position_side=side,
        price=price,
        price_kind=LiquidationPriceKind.AVERAGE_FILL,
        quantity_base=base,
        completeness=Completeness.UNKNOWN,
        ts_venue=_NS,
        ts_recv=RECV_NS,
    )


def _leader(account: str, equity: str, volume: str) -> dict[str, object]:
    windows = [
        ["day", {"pnl": "1", "roi": "0", "vlm": volume}],
        ["week", {"pnl": "1", "roi": "0", "vlm": "9"}],
        ["month", {"pnl": "1", "roi": "0", "vlm": "9"}],
        ["allTime", {"pnl": "1", "roi": "0", "vlm": "9"}],
    ]
    return {"ethAddress": account, "accountValue": equity, "windowPerformances": windows, "prize": 0, "displayName": None}


def _listing(account: str, equity: float | None = None, volume: float | None = None) -> AccountListing:
    return AccountListing(venue="hyperliquid", account=account, ts_recv=RECV_NS, equity_usd=equity, volume_1d_usd=volume)


_MARKET_CASES = [
    Case(
        "a trade names its buyer and its seller; A is a taker who sold",
        json.dumps(
            {
                "channel": "trades",
                "data": [
                    {
                        "coin": "BTC",
                        "side": "A",
                        "px": "100000.0",
                        "sz": "0.25",
                        "time": _T,
                        "hash": "0x0",
                        "tid": 7,
                        "users": ["0x" + "A" * 40, BOB],
                    }
                ],
            }
        ),
        lambda b: parse.trades(b, SPECS, RECV_NS),
        [
            Trade(
                instrument=BTC,
                taker_side=TakerSide.SELL,
                price=100_000.0,
                quantity_base=0.25,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                accounts=(ALICE, BOB),
            )
        ],
    ),
    Case(
        "trades of 2024 name nobody",
        json.dumps(
            {"channel": "trades", "data": [{"coin": "kPEPE", "side": "B", "px": "0.01", "sz": "5", "time": _T, "tid": 8}]}
        ),
        lambda b: parse.trades(b, SPECS, RECV_NS),
        [Trade(instrument=PEPE, taker_side=TakerSide.BUY, price=0.01, quantity_base=5.0, ts_venue=_NS, ts_recv=RECV_NS)],
    ),
    Case(
        "a context has no time of its own, the rate is hourly, open interest is base units",
        json.dumps({"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": _CONTEXT}}),
        lambda b: parse.context(b, SPECS, RECV_NS),
        [_ticker(BTC)],
    ),
    Case(
        "contexts stand in the order of the universe",
        json.dumps([_META, [_CONTEXT, {"funding": "0.0", "openInterest": "0.0", "markPx": "0.01"}]]),
        lambda b: parse.tickers(b, SPECS, RECV_NS),
        [
            _ticker(BTC),
            Ticker(
                instrument=PEPE,
                ts_venue=RECV_NS,
                ts_recv=RECV_NS,
                mark_price=0.01,
                open_interest_base=0.0,
                funding_rate=0.0,
                next_funding_ns=(RECV_NS // NS_PER_HOUR + 1) * NS_PER_HOUR,
            ),
        ],
    ),
    Case(
        "instruments; a small k is a thousand coins",
        json.dumps(_META),
        lambda b: parse.instruments(b, RECV_NS),
        list(SPECS.values()),
    ),
    Case(
        "margin tables: half of the initial margin at the highest leverage; a small id is one tier",
        json.dumps(_META),
        lambda b: parse.tiers(b, SPECS, RECV_NS),
        [
            RiskLadder(
                instrument=BTC,
                tiers=(RiskTier(0.0, 0.0125, 0.0, 40.0), RiskTier(150e6, 0.025, 1_875_000.0, 20.0)),
                ts_recv=RECV_NS,
            ),
            RiskLadder(instrument=PEPE, tiers=(RiskTier(0.0, 0.05, 0.0, 10.0),), ts_recv=RECV_NS),
        ],
    ),
    Case(
        "candles",
        json.dumps(
            [
                {
                    "t": _T,
                    "T": _T + 59_999,
                    "s": "BTC",
                    "i": "1m",
                    "o": "100000",
                    "h": "100010",
                    "l": "99990",
                    "c": "100000",
                    "v": "12.5",
                    "n": 3,
                }
            ]
        ),
        lambda b: parse.bars(b, SPECS["BTC"], RECV_NS),
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
        "funding is paid on the hour, told some milliseconds later",
        json.dumps([{"coin": "BTC", "fundingRate": "-0.00001", "premium": "0.0", "time": 1_789_999_200_048}]),
        lambda b: parse.funding(b, SPECS["BTC"], RECV_NS),
        [
            FundingRate(
                instrument=BTC,
                ts_venue=1_789_999_200_000_000_000,
                ts_recv=RECV_NS,
                rate=-0.00001,
                interval_ns=NS_PER_HOUR,
            )
        ],
    ),
    Case(
        "a book, best first",
        json.dumps(
            {
                "coin": "BTC",
                "time": _T,
                "levels": [_levels(["99900", "99800"], "2.0"), _levels(["100100"], "3.0")],
            }
        ),
        lambda b: parse.book(b, SPECS["BTC"], RECV_NS),
        [
            Book(
                instrument=BTC,
                ts_venue=_NS,
                ts_recv=RECV_NS,
                bids=[(99_900.0, 2.0), (99_800.0, 2.0)],
                asks=[(100_100.0, 3.0)],
            )
        ],
    ),
]

_ACCOUNT_CASES = [
    Case(
        "an account: isolated and cross, with a level and without one",
        json.dumps(_CLEARINGHOUSE),
        lambda b: accounts.state(b, ALICE, RECV_NS),
        [_STATE],
    ),
    Case(
        "a batch answers in the order of the question",
        json.dumps([_CLEARINGHOUSE, _EMPTY]),
        lambda b: accounts.states(b, (ALICE, BOB), RECV_NS),
        [
            _STATE,
            AccountState(venue="hyperliquid", account=BOB, ts_venue=_NS, ts_recv=RECV_NS, cross_equity_usd=0.0, positions=()),
        ],
    ),
    Case(
        "the largest of a leaderboard, by equity and a day's volume",
        json.dumps(
            {"leaderboardRows": [_leader("0x" + "c" * 40, "1.5", "2"), _leader(BOB, "10", "5"), _leader(ALICE, "9", "90")]}
        ),
        lambda b: accounts.leaderboard(b, 2, RECV_NS),
        [_listing(ALICE, 9.0, 90.0), _listing(BOB, 10.0, 5.0)],
    ),
    Case(
        "a vault with its children",
        json.dumps({"name": "HLP", "vaultAddress": ALICE, "relationship": {"type": "parent", "data": {"childAddresses": [BOB]}}}),
        lambda b: accounts.vault_children(b, RECV_NS),
        [_listing(ALICE), _listing(BOB)],
    ),
    Case(
        "fills of one hash are one liquidation at their average price; the other side's mark does not count",
        json.dumps(
            [
                _fill("B", "101000", "0.5", "0x2", ALICE),
                _fill("A", "98000", "1.0", "0x1", ALICE),
                _fill("A", "99000", "1.0", "0x1", ALICE),
                _fill("B", "99000", "1.0", "0x3", BOB),
            ]
        ),
        lambda b: accounts.fills(b, SPECS, ALICE, RECV_NS),
        [_print(PositionSide.SHORT, 101_000.0, 0.5), _print(PositionSide.LONG, 98_500.0, 2.0)],
    ),
]


def _response(read):
    """Read the answer of a recorded pair of request and response."""
    return lambda label, entry: read(json.dumps(entry).encode()) if label == "response" else None


def _frame(_label: str, entry: object) -> object:
    if not isinstance(entry, dict) or entry.get("channel") not in ("trades", "activeAssetCtx"):
        return None
    data = entry["data"]
    coin = str(data[0]["coin"] if isinstance(data, list) else data["coin"])
    return _VENUE.streams({coin.upper(): hyperliquid_spec(coin)})[0].session().receive(json.dumps(entry), RECV_NS).records


_PEPE_SPEC = SPECS["KPEPE"]
_DYDX = hyperliquid_spec("DYDX")
VENUE_CASES = [
    VenueCases(
        venue=_VENUE,
        specs=SPECS,
        cases=[*_MARKET_CASES, *_ACCOUNT_CASES],
        fixtures={
            "hyperliquid/ws_messages_recorded.json": _frame,
            "hyperliquid/info_meta.json": _response(lambda b: parse.instruments(b, RECV_NS)),
            "hyperliquid/info_candleSnapshot.json": _response(lambda b: parse.bars(b, _PEPE_SPEC, RECV_NS)),
            "hyperliquid/info_fundingHistory.json": _response(lambda b: parse.funding(b, SPECS["BTC"], RECV_NS)),
            "hyperliquid/info_l2Book.json": _response(lambda b: parse.book(b, _DYDX, RECV_NS)),
            "hyperliquid/info_clearinghouseState.json": _response(lambda b: accounts.state(b, ALICE, RECV_NS)),
        },
    )
]
