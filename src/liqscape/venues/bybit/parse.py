"""Bybit's frames and answers into records. Pure.

Sources: https://bybit-exchange.github.io/docs/v5/ (websocket/public/all-liquidation: "Position side. Buy, Sell. When you receive
a Buy update, this means that a long position has been liquidated"); read 2026-11.
"""

from __future__ import annotations

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
from liqscape.units import NS_PER_MINUTE
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.bybit import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "bybit"
_POSITION = {"Buy": PositionSide.LONG, "Sell": PositionSide.SHORT}
_TAKER = {"Buy": TakerSide.BUY, "Sell": TakerSide.SELL}

_LIQUIDATIONS = wire.decoder(payloads.Liquidations)
_OLD_LIQUIDATIONS = wire.decoder(payloads.OldLiquidations)
_TRADES = wire.decoder(payloads.Trades)
_TICKER = wire.decoder(payloads.TickerFrame)
_INSTRUMENTS = wire.decoder(payloads.Answer[payloads.InstrumentRow])
_KLINES = wire.decoder(payloads.Answer[payloads.KlineRow])
_TICKERS = wire.decoder(payloads.Answer[payloads.TickerData])
_OPEN_INTEREST = wire.decoder(payloads.Answer[payloads.OpenInterestRow])
_FUNDING = wire.decoder(payloads.Answer[payloads.FundingRow])
_RATIOS = wire.decoder(payloads.Answer[payloads.RatioRow])
_TIERS = wire.decoder(payloads.Answer[payloads.TierRow])
_BOOK = wire.decoder(payloads.BookAnswer)


def liquidations(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `allLiquidation.{symbol}`: every liquidation, batched twice a second."""
    found = wire.decode(_LIQUIDATIONS, frame, VENUE, "allLiquidation")
    return wire.rows(found.data, lambda row: _liquidation(row.s, row.S, row.v, row.p, row.T, specs, recv_ns, Completeness.ALL))


def old_liquidations(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `liquidation.{symbol}`, which old tapes hold (until 2025-02): at most one a second."""
    row = wire.decode(_OLD_LIQUIDATIONS, frame, VENUE, "liquidation").data
    return wire.rows(
        [row],
        lambda row: _liquidation(
            row.symbol, row.side, row.size, row.price, row.updatedTime, specs, recv_ns, Completeness.THROTTLED
        ),
    )


def _liquidation(
    symbol: str, side: str, size: float, price: float, ts: float, specs: Specs, recv_ns: int, completeness: Completeness
) -> Liquidation | None:
    spec = specs.get(symbol)
    if spec is None:
        return None
    what = f"{symbol} liquidation"
    price = wire.positive(price, VENUE, what, "p")
    position = _POSITION.get(side)
    if position is None:
        raise wire.corrupt(VENUE, what, "S", "Buy or Sell", side)
    return Liquidation(
        instrument=spec.id,
        position_side=position,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=wire.base_quantity(spec, size, price, VENUE, what, "v"),
        completeness=completeness,
        ts_venue=wire.instant(ts, MS, VENUE, what, "T"),
        ts_recv=recv_ns,
    )


def trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `publicTrade.{symbol}`; block trades are no trades of the book and are left out."""

    def read(row: payloads.TradeRow) -> Trade | None:
        spec = specs.get(row.s)
        if spec is None or row.BT:
            return None
        what = f"{row.s} trade"
        side = _TAKER.get(row.S)
        if side is None:
            raise wire.corrupt(VENUE, what, "S", "Buy or Sell", row.S)
        price = wire.positive(row.p, VENUE, what, "p")
        return Trade(
            instrument=spec.id,
            taker_side=side,
            price=price,
            quantity_base=wire.base_quantity(spec, row.v, price, VENUE, what, "v"),
            ts_venue=wire.instant(row.T, MS, VENUE, what, "T"),
            ts_recv=recv_ns,
        )

    return wire.rows(wire.decode(_TRADES, frame, VENUE, "publicTrade").data, read)


def ticker(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `tickers.{symbol}`; what a delta leaves out is None."""
    found = wire.decode(_TICKER, frame, VENUE, "tickers")
    ts = recv_ns if found.ts is None else wire.instant(found.ts, MS, VENUE, "tickers", "ts")
    return wire.rows([found.data], lambda row: _ticker(row, specs, ts, recv_ns))


def tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /v5/market/tickers."""
    found = wire.decode(_TICKERS, body, VENUE, "tickers")
    ts = recv_ns if found.time is None else wire.instant(found.time, MS, VENUE, "tickers", "time")
    return wire.rows(found.result.rows, lambda row: _ticker(row, specs, ts, recv_ns))


def _ticker(row: payloads.TickerData, specs: Specs, ts: int, recv_ns: int) -> Ticker | None:
    spec = specs.get(row.symbol)
    if spec is None:
        return None
    what = f"{row.symbol} ticker"

    mark = wire.optional_positive(row.markPrice, VENUE, what, "markPrice")
    turnover = wire.optional_not_negative(row.turnover24h, VENUE, what, "turnover24h")
    next_ms = wire.optional(row.nextFundingTime, VENUE, what, "nextFundingTime")
    return Ticker(
        instrument=spec.id,
        ts_venue=ts,
        ts_recv=recv_ns,
        mark_price=mark,
        index_price=wire.optional_positive(row.indexPrice, VENUE, what, "indexPrice"),
        open_interest_base=_one_sided(row.openInterest, row.singleOpenInterest, spec, mark, what),
        funding_rate=wire.optional(row.fundingRate, VENUE, what, "fundingRate"),
        next_funding_ns=wire.instant(next_ms, MS, VENUE, what, "nextFundingTime") if next_ms else None,
        volume_24h_usd=_dollars(turnover, spec, mark, what),
    )


def _dollars(turnover: float | None, spec: InstrumentSpec, mark: float | None, what: str) -> float | None:
    """Turnover is quote if linear, coins if inverse."""
    if turnover is None or spec.kind is ContractKind.LINEAR:
        return turnover
    return None if mark is None else wire.not_negative(turnover * mark, VENUE, what, "turnover24h")


def _one_sided(
    both: payloads.Loose, single: payloads.Loose, spec: InstrumentSpec, price: float | None, what: str
) -> float | None:
    """`openInterest` counts longs and shorts, `singleOpenInterest` one of them; inverse contracts are USD and need a price."""
    one = wire.optional(single, VENUE, what, "singleOpenInterest")
    if one is None:
        two = wire.optional(both, VENUE, what, "openInterest")
        one = None if two is None else two / 2.0
    if one is None or (spec.kind is ContractKind.INVERSE and price is None):
        return None
    return wire.base_amount(spec, one, price or 1.0, VENUE, what, "openInterest")


def instruments(body: bytes, market: str, recv_ns: int) -> Parsed:
    """Read /v5/market/instruments-info; linear sizes are base coins, inverse contracts are 1 USD."""

    def read(row: payloads.InstrumentRow) -> InstrumentSpec:
        what = f"{row.symbol} instrument"
        leverage = row.leverageFilter.maxLeverage if row.leverageFilter else None
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.symbol, what),
            base=row.baseCoin.upper(),
            quote=row.quoteCoin.upper(),
            kind=ContractKind.INVERSE if market == "inverse" else ContractKind.LINEAR,
            contract_size=1.0,
            tick_size=wire.positive(row.priceFilter.tickSize, VENUE, what, "tickSize"),
            funding_interval_ns=wire.interval(row.fundingInterval, NS_PER_MINUTE, VENUE, what, "fundingInterval"),
            max_leverage=wire.optional_positive(leverage, VENUE, what, "maxLeverage"),
            perpetual=row.contractType in ("LinearPerpetual", "InversePerpetual"),
            trading=row.status == "Trading",
            market=market,
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "instruments-info").result.rows, read)


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read /v5/market/kline or mark-price-kline, newest first on the wire; Bybit has no taker volume.

    The newest row may still be open: only bars that ended before the answer arrived are returned.
    """
    what = f"{spec.id.symbol} kline"

    def read(row: payloads.KlineRow) -> Bar | None:
        if len(row) < (6 if kind is PriceKind.LAST else 5):
            raise wire.corrupt(VENUE, what, "row", "start, open, high, low, close, ..", row)
        start = wire.instant(row[0], MS, VENUE, what, "start")
        volume = wire.not_negative(row[5], VENUE, what, "volume") if kind is PriceKind.LAST else None
        if volume is not None and spec.kind is ContractKind.INVERSE:
            volume = wire.base_amount(spec, volume, wire.positive(row[4], VENUE, what, "close"), VENUE, what, "volume")
        return wire.bar(spec, kind, start, (row[1], row[2], row[3], row[4]), volume, None, recv_ns)

    found = wire.rows(wire.decode(_KLINES, body, VENUE, "kline").result.rows, read)
    return found[::-1]


def open_interest(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /v5/market/open-interest of a linear contract (inverse sums are USD without a price and are not asked for)."""
    what = f"{spec.id.symbol} open interest"

    def read(row: payloads.OpenInterestRow) -> OpenInterest:
        one = _one_sided(row.openInterest, row.singleOpenInterest, spec, None, what)
        if one is None:
            raise CorruptRecord(f"{VENUE} {what}: an inverse sum has no price")
        return OpenInterest(
            instrument=spec.id,
            ts_venue=wire.instant(row.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            open_interest_base=one,
        )

    return wire.rows(wire.decode(_OPEN_INTEREST, body, VENUE, "open-interest").result.rows, read)[::-1]


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /v5/market/funding/history."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(row.fundingRateTimestamp, MS, VENUE, what, "fundingRateTimestamp"),
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate"),
            interval_ns=spec.funding_interval_ns or 480 * NS_PER_MINUTE,
        )

    return wire.rows(wire.decode(_FUNDING, body, VENUE, "funding/history").result.rows, read)[::-1]


def ratios(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /v5/market/account-ratio: the share of accounts."""
    what = f"{spec.id.symbol} account-ratio"

    def read(row: payloads.RatioRow) -> AccountRatio:
        share = wire.not_negative(row.buyRatio, VENUE, what, "buyRatio")
        if share > 1.0:
            raise wire.corrupt(VENUE, what, "buyRatio", "a share of 0 to 1", row.buyRatio)
        return AccountRatio(
            instrument=spec.id,
            population=Population.ACCOUNTS,
            ts_venue=wire.instant(row.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            long_share=share,
        )

    return wire.rows(wire.decode(_RATIOS, body, VENUE, "account-ratio").result.rows, read)[::-1]


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /v5/market/risk-limit into one ladder per symbol.

    `riskLimitValue` is the largest notional of a row, so a row's floor is the one before it. `maintenanceMargin` is documented
    as a rate, but its example is a per cent: a rate at or above 1 / maxLeverage is one.
    """
    by_symbol: dict[str, list[payloads.TierRow]] = {}
    for row in wire.decode(_TIERS, body, VENUE, "risk-limit").result.rows:
        by_symbol.setdefault(row.symbol, []).append(row)

    def read(rows: list[payloads.TierRow]) -> RiskLadder | None:
        spec = specs.get(rows[0].symbol)
        if spec is None:
            return None
        what, floor, out = f"{rows[0].symbol} risk-limit", 0.0, list[RiskTier]()
        for row in sorted(rows, key=lambda row: row.riskLimitValue):
            leverage = wire.positive(row.maxLeverage, VENUE, what, "maxLeverage")
            rate = wire.positive(row.maintenanceMargin, VENUE, what, "maintenanceMargin")
            rate = rate / 100.0 if rate >= 1.0 / leverage else rate
            out.append(RiskTier(floor, rate, wire.optional(row.mmDeduction, VENUE, what, "mmDeduction"), leverage))
            floor = wire.positive(row.riskLimitValue, VENUE, what, "riskLimitValue")
        return RiskLadder(instrument=spec.id, tiers=tuple(out), known_to=floor, ts_recv=recv_ns)

    return wire.rows(list(by_symbol.values()), read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /v5/market/orderbook; sizes are base coins (linear) or USD (inverse)."""
    found = wire.decode(_BOOK, body, VENUE, "orderbook").result
    what = f"{spec.id.symbol} book"

    def side(levels: list[tuple[float, float]], name: str) -> list[tuple[float, float]]:
        return [(wire.positive(p, VENUE, what, name), wire.base_amount(spec, q, p, VENUE, what, name)) for p, q in levels]

    return [
        Book(
            instrument=spec.id,
            ts_venue=wire.instant(found.ts, MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            bids=side(found.b, "b"),
            asks=side(found.a, "a"),
        )
    ]
