"""Bitget's frames and answers into records. Pure.

Sources: https://www.bitget.com/api-doc/ (contract and uta pages). That a liquidation's `amount` is quote notional is computed
from a recorded frame: 13.70319 / 0.1649 is 83.1 coins exactly. That `side` is the position's is tardis-node's reading. Read
2026-11.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from liqscape.errors import CorruptRecord
from liqscape.model import (
    AccountRatio,
    Bar,
    Book,
    Completeness,
    ContractKind,
    FundingRate,
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
from liqscape.units import NS_PER_HOUR
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.bitget import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "bitget"
_POSITION = {"buy": PositionSide.LONG, "sell": PositionSide.SHORT}
_TAKER = {"buy": TakerSide.BUY, "sell": TakerSide.SELL}

_LIQUIDATIONS = wire.decoder(payloads.Liquidations)
_HISTORY = wire.decoder(payloads.Answer[payloads.History])
_TRADES = wire.decoder(payloads.Trades)
_OLD_TRADES = wire.decoder(payloads.OldTrades)
_TICKER = wire.decoder(payloads.TickerFrame)
_TICKERS = wire.decoder(payloads.Answer[list[payloads.TickerRow]])
_INSTRUMENTS = wire.decoder(payloads.Answer[list[payloads.InstrumentRow]])
_CANDLES = wire.decoder(payloads.Answer[list[payloads.CandleRow]])
_FUNDING = wire.decoder(payloads.Answer[list[payloads.FundingRow]])
_RATIOS = wire.decoder(payloads.Answer[list[payloads.RatioRow]])
_TIERS = wire.decoder(payloads.Answer[list[payloads.TierRow]])
_BOOK = wire.decoder(payloads.Answer[payloads.BookData])


def liquidations(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read v3 `liquidation`; its rows are 10 to 20 s older than the frame."""
    return _liquidations(wire.decode(_LIQUIDATIONS, frame, VENUE, "liquidation").data, specs, recv_ns)


def past_liquidations(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /api/v3/market/liquidations: rows like the stream's."""
    return _liquidations(wire.decode(_HISTORY, body, VENUE, "liquidations").data.rows, specs, recv_ns)


def cursor(body: bytes) -> str | None:
    """Return where the prints go on, None at the end."""
    found = wire.decode(_HISTORY, body, VENUE, "liquidations").data
    return str(found.cursor) if found.rows and found.cursor not in (None, "", 0) else None


def _liquidations(rows: list[payloads.Row], specs: Specs, recv_ns: int) -> Parsed:
    out: Parsed = []
    for row in rows:
        spec = specs.get(row.symbol)
        if spec is None:
            continue
        try:
            out.append(_liquidation(row, spec, recv_ns))
        except CorruptRecord as error:
            out.append(error)
    return out


def _liquidation(row: payloads.Row, spec: InstrumentSpec, recv_ns: int) -> Liquidation:
    position, price = _POSITION.get(row.side), row.price
    if position is None:
        raise wire.corrupt(VENUE, f"{row.symbol} liquidation", "side", "buy or sell", row.side)
    if not (0.0 < price < math.inf and 0.0 < (base := row.amount / price) < math.inf):
        raise wire.corrupt(VENUE, f"{row.symbol} liquidation", "price, amount", "numbers > 0", f"{price}, {row.amount}")
    return Liquidation(
        instrument=spec.id,
        position_side=position,
        price=price,
        price_kind=LiquidationPriceKind.UNKNOWN,
        quantity_base=base,
        completeness=Completeness.THROTTLED,
        ts_venue=wire.instant(row.ts, MS, VENUE, "liquidation", "ts"),
        ts_recv=recv_ns,
    )


def trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read v3 `publicTrade`; the instrument is named once for all rows."""
    found = wire.decode(_TRADES, frame, VENUE, "publicTrade")
    spec = specs.get(found.arg.symbol)
    return [] if spec is None else wire.rows(found.data, lambda row: _trade(spec, row.p, row.v, row.S, row.T, recv_ns))


def old_trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read v2 `trade`."""
    found = wire.decode(_OLD_TRADES, frame, VENUE, "trade")
    spec = specs.get(found.arg.instId)
    return [] if spec is None else wire.rows(found.data, lambda r: _trade(spec, r.price, r.size, r.side, r.ts, recv_ns))


def _trade(spec: InstrumentSpec, price: float, size: float, side: str, ts: float, recv_ns: int) -> Trade:
    taker = _TAKER.get(side)
    if taker is None:
        raise wire.corrupt(VENUE, f"{spec.id.symbol} trade", "side", "buy or sell", side)
    return Trade(
        instrument=spec.id,
        taker_side=taker,
        price=wire.positive(price, VENUE, "trade", "price"),
        quantity_base=wire.positive(size, VENUE, "trade", "size"),
        ts_venue=wire.instant(ts, MS, VENUE, "trade", "ts"),
        ts_recv=recv_ns,
    )


def ticker(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read v3 topic or v2 channel `ticker`."""
    found = wire.decode(_TICKER, frame, VENUE, "ticker")
    named = found.arg.symbol or found.arg.instId
    return wire.rows(found.data, lambda row: _ticker(row, row.instId or row.symbol or named, found.ts, specs, recv_ns))


def tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /api/v2/mix/market/tickers."""
    found = wire.decode(_TICKERS, body, VENUE, "tickers")
    return wire.rows(found.data, lambda row: _ticker(row, row.symbol, found.requestTime, specs, recv_ns))


def _ticker(row: payloads.TickerRow, symbol: str, told_at: payloads.Loose, specs: Specs, recv_ns: int) -> Ticker | None:
    spec = specs.get(symbol)
    if spec is None:
        return None
    what = f"{symbol} ticker"

    def number(
        value: payloads.Loose, field: str, check: Callable[[float, str, str, str], float] = wire.not_negative
    ) -> float | None:
        found = wire.optional(value, VENUE, what, field)
        return None if found is None else check(found, VENUE, what, field)

    at = number(row.ts if row.ts is not None else told_at, "ts")
    due = number(row.nextFundingTime, "nextFundingTime")
    held = number(row.openInterest, "openInterest")
    traded = number(row.turnover24h, "turnover24h")
    return Ticker(
        instrument=spec.id,
        ts_venue=recv_ns if at is None else wire.instant(at, MS, VENUE, what, "ts"),
        ts_recv=recv_ns,
        mark_price=number(row.markPrice, "markPrice", wire.positive),
        index_price=number(row.indexPrice, "indexPrice", wire.positive),
        open_interest_base=number(row.holdingAmount, "holdingAmount") if held is None else held,
        funding_rate=number(row.fundingRate, "fundingRate", wire.finite),
        next_funding_ns=wire.instant(due, MS, VENUE, what, "nextFundingTime") if due else None,
        volume_24h_usd=number(row.quoteVolume, "quoteVolume") if traded is None else traded,
    )


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read /api/v2/mix/market/contracts: sizes are base coins; a tick is priceEndStep at the last of pricePlace decimals.

    Names beyond ASCII are left out.
    """

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        if not row.symbol.isascii():
            return None
        what = f"{row.symbol} instrument"
        if not 0.0 <= row.pricePlace <= 30.0:
            raise wire.corrupt(VENUE, what, "pricePlace", "decimals, 0 to 30", row.pricePlace)
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.symbol, what),
            base=row.baseCoin.upper(),
            quote=row.quoteCoin.upper(),
            kind=ContractKind.LINEAR,
            contract_size=1.0,
            tick_size=wire.positive(row.priceEndStep / 10.0 ** int(row.pricePlace), VENUE, what, "priceEndStep"),
            funding_interval_ns=wire.interval(row.fundInterval, NS_PER_HOUR, VENUE, what, "fundInterval"),
            max_leverage=wire.optional_positive(row.maxLever, VENUE, what, "maxLever"),
            perpetual=row.symbolType == "perpetual",
            trading=row.symbolStatus == "normal",
            market="usdt",
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "contracts").data, read)


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read candles, history-candles or history-mark-candles, oldest first; Bitget has no taker volume in them."""
    what = f"{spec.id.symbol} candle"

    def read(row: payloads.CandleRow) -> Bar | None:
        if len(row) < 6:
            raise wire.corrupt(VENUE, what, "row", "ts, open, high, low, close, volume, ..", row)
        volume = wire.not_negative(row[5], VENUE, what, "volume") if kind is PriceKind.LAST else None
        start = wire.instant(row[0], MS, VENUE, what, "ts")
        return wire.bar(spec, kind, start, (row[1], row[2], row[3], row[4]), volume, None, recv_ns)

    return wire.rows(wire.decode(_CANDLES, body, VENUE, "candles").data, read)


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /api/v2/mix/market/history-fund-rate, newest first on the wire."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(row.fundingTime, MS, VENUE, what, "fundingTime"),
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate"),
            interval_ns=spec.funding_interval_ns or 8 * NS_PER_HOUR,
        )

    return wire.rows(wire.decode(_FUNDING, body, VENUE, "history-fund-rate").data, read)[::-1]


def ratios(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read account-long-short: shares of accounts; what neither holds is left out of the sum."""
    what = f"{spec.id.symbol} account-long-short"

    def read(row: payloads.RatioRow) -> AccountRatio:
        long = wire.not_negative(row.longAccountRatio, VENUE, what, "longAccountRatio")
        short = wire.not_negative(row.shortAccountRatio, VENUE, what, "shortAccountRatio")
        both = wire.positive(long + short, VENUE, what, "longAccountRatio + shortAccountRatio")
        return AccountRatio(
            instrument=spec.id,
            population=Population.ACCOUNTS,
            ts_venue=wire.instant(row.ts, MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            long_share=long / both,
        )

    return wire.rows(wire.decode(_RATIOS, body, VENUE, "account-long-short").data, read)


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read query-position-lever of one symbol; keepMarginRate includes the closing fee, and there is no deduction."""
    found = sorted(wire.decode(_TIERS, body, VENUE, "query-position-lever").data, key=lambda row: row.startUnit)
    spec = specs.get(found[0].symbol) if found else None
    if spec is None:
        return []
    what = f"{spec.id.symbol} query-position-lever"

    def read(row: payloads.TierRow) -> RiskTier:
        rate = wire.positive(row.keepMarginRate, VENUE, what, "keepMarginRate")
        floor = wire.not_negative(row.startUnit, VENUE, what, "startUnit")
        return RiskTier(floor, rate, None, wire.positive(row.leverage, VENUE, what, "leverage"))

    ladder = tuple(read(row) for row in found)
    known_to = wire.positive(found[-1].endUnit, VENUE, what, "endUnit")
    return [RiskLadder(instrument=spec.id, tiers=ladder, known_to=known_to, ts_recv=recv_ns)]


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read merge-depth; sizes are base coins."""
    found, what = wire.decode(_BOOK, body, VENUE, "merge-depth").data, f"{spec.id.symbol} book"

    def side(levels: list[tuple[float, float]], name: str) -> list[tuple[float, float]]:
        return [(wire.positive(p, VENUE, what, name), wire.not_negative(q, VENUE, what, name)) for p, q in levels]

    at = wire.instant(found.ts, MS, VENUE, what, "ts")
    return [Book(instrument=spec.id, ts_venue=at, ts_recv=recv_ns, bids=side(found.bids, "bids"), asks=side(found.asks, "asks"))]
