"""Kraken Futures' frames and answers into records. Pure.

A liquidation is a trade of type `liquidation`; `side` is the taker's, so that a sell closes a long. Assignments and terminations
are what follows a failed liquidation off the book and are not counted. Source: https://docs.kraken.com (futures websocket, trade
feed), read 2026-11.
"""

from __future__ import annotations

from datetime import datetime

from liqscape.model import (
    Bar,
    Book,
    Completeness,
    ContractKind,
    FundingRate,
    Gap,
    InstrumentSpec,
    Kind,
    Liquidation,
    LiquidationPriceKind,
    PositionSide,
    PriceKind,
    Record,
    RiskLadder,
    RiskTier,
    TakerSide,
    Ticker,
    Trade,
)
from liqscape.units import NS_PER_HOUR
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.kraken import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "kraken"
_CLOSED = {"sell": PositionSide.LONG, "buy": PositionSide.SHORT}
_TAKER = {"buy": TakerSide.BUY, "sell": TakerSide.SELL}
_LINES = {"flexible_futures": ContractKind.LINEAR, "futures_inverse": ContractKind.INVERSE}
# Before this, a next_funding_rate_time is a length of time and no instant (the documentation says so, the frames do not).
_SHORTEST_INSTANT_MS = 1e12
HISTORY_PAGE = 100

_TRADE = wire.decoder(payloads.TradeRow)
_SNAPSHOT = wire.decoder(payloads.Snapshot)
_TICKER = wire.decoder(payloads.TickerFrame)
_TICKERS = wire.decoder(payloads.Tickers)
_INSTRUMENTS = wire.decoder(payloads.Instruments)
_CANDLES = wire.decoder(payloads.Candles)
_FUNDING = wire.decoder(payloads.Funding)
_HISTORY = wire.decoder(payloads.History)
_BOOK = wire.decoder(payloads.Book)


def find(specs: Specs, product: str) -> InstrumentSpec | None:
    """Return the instrument of a product; some are written with small letters (PF_AAPLxUSD)."""
    return specs.get(product) or specs.get(product.upper())


def trade(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `trade`: one trade, and behind it what it liquidated."""
    row = wire.decode(_TRADE, frame, VENUE, "trade")
    spec = find(specs, row.product_id)
    if spec is None or row.type not in ("fill", "liquidation"):
        return []
    what = f"{row.product_id} trade"
    side = _TAKER.get(row.side)
    if side is None:
        raise wire.corrupt(VENUE, what, "side", "buy or sell", row.side)
    ts = wire.instant(row.time, MS, VENUE, what, "time")
    price = wire.positive(row.price, VENUE, what, "price")
    base = wire.base_quantity(spec, row.qty, price, VENUE, what, "qty")
    found: Parsed = [Trade(instrument=spec.id, taker_side=side, price=price, quantity_base=base, ts_venue=ts, ts_recv=recv_ns)]
    if row.type == "liquidation":
        found.append(_liquidation(spec, row.side, price, row.qty, ts, recv_ns))
    return found


def snapshot(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `trade_snapshot`: only its liquidations, for they are known again by their keys and trades are not."""

    def read(row: payloads.TradeRow) -> Liquidation | None:
        spec = find(specs, row.product_id)
        if spec is None or row.type != "liquidation":
            return None
        ts = wire.instant(row.time, MS, VENUE, f"{row.product_id} trade", "time")
        return _liquidation(spec, row.side, row.price, row.qty, ts, recv_ns)

    return wire.rows(wire.decode(_SNAPSHOT, frame, VENUE, "trade_snapshot").trades[::-1], read)


def history(body: bytes) -> list[payloads.HistoryRow]:
    """Read /history as it is, for the page behind it."""
    return wire.decode(_HISTORY, body, VENUE, "history").history


def liquidations(
    body: bytes, spec: InstrumentSpec, stretch: tuple[int, int], before_ns: int, known: frozenset[str], recv_ns: int
) -> Parsed:
    """Read /history and keep the liquidations of a stretch [start, end), but for those that a newer page had.

    The history ends 7 days ago or when the engine was last restarted, and does not say which: a page that is not full and does
    not reach the start of the stretch ends with the gap that it leaves.
    """
    start_ns, end_ns = stretch
    what = f"{spec.id.symbol} history"

    def read(row: payloads.HistoryRow) -> Liquidation | None:
        ts = instant(row.time, what, "time")
        if row.type != "liquidation" or row.uid in known or not start_ns <= ts < end_ns:
            return None
        return _liquidation(spec, row.side, row.price, row.size, ts, recv_ns)

    page = history(body)
    found = wire.rows(sorted(page, key=lambda row: row.time), read)
    oldest_ns = min((instant(row.time, what, "time") for row in page), default=before_ns)
    if len(page) < HISTORY_PAGE and oldest_ns > start_ns:
        gap = Gap(
            instrument=spec.id,
            kind=Kind.LIQUIDATIONS,
            ts_venue=start_ns,
            end_ns=min(oldest_ns, end_ns),
            ts_recv=recv_ns,
            reason="the venue's history of trades begins later",
        )
        found.append(gap)
    return found


def _liquidation(spec: InstrumentSpec, side: str, price: float, quantity: float, ts: int, recv_ns: int) -> Liquidation:
    what = f"{spec.id.symbol} liquidation"
    closed = _CLOSED.get(side)
    if closed is None:
        raise wire.corrupt(VENUE, what, "side", "buy or sell", side)
    price = wire.positive(price, VENUE, what, "price")
    return Liquidation(
        instrument=spec.id,
        position_side=closed,
        price=price,
        price_kind=LiquidationPriceKind.AVERAGE_FILL,
        quantity_base=wire.base_quantity(spec, quantity, price, VENUE, what, "quantity"),
        completeness=Completeness.ALL,
        ts_venue=ts,
        ts_recv=recv_ns,
    )


def instant(time: datetime, what: str, field: str) -> int:
    """Return ns UTC of a written time, which is exact to the millisecond."""
    return wire.instant(round(time.timestamp() * 1000.0), MS, VENUE, what, field)


def ticker(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `ticker`; funding is the relative rate of the hour that runs."""
    row = wire.decode(_TICKER, frame, VENUE, "ticker")
    spec = find(specs, row.product_id)
    if spec is None:
        return []
    what = f"{row.product_id} ticker"
    mark = wire.optional_positive(row.markPrice, VENUE, what, "markPrice")
    next_ms = wire.optional_not_negative(row.next_funding_rate_time, VENUE, what, "next_funding_rate_time")
    if next_ms is not None and 0.0 < next_ms < _SHORTEST_INSTANT_MS:
        next_ms += row.time
    return [
        Ticker(
            instrument=spec.id,
            ts_venue=wire.instant(row.time, MS, VENUE, what, "time"),
            ts_recv=recv_ns,
            mark_price=mark,
            index_price=wire.optional_positive(row.index, VENUE, what, "index"),
            open_interest_base=_open_interest(row.openInterest, spec, mark, what),
            funding_rate=wire.optional(row.relative_funding_rate, VENUE, what, "relative_funding_rate"),
            next_funding_ns=wire.instant(next_ms, MS, VENUE, what, "next_funding_rate_time") if next_ms else None,
            volume_24h_usd=_volume(row.volume, row.volumeQuote, spec, what),
        )
    ]


def tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /tickers; its funding rates are absolute and left out."""
    found = wire.decode(_TICKERS, body, VENUE, "tickers")
    ts = recv_ns if found.serverTime is None else instant(found.serverTime, "tickers", "serverTime")

    def read(row: payloads.TickerRow) -> Ticker | None:
        spec = find(specs, row.symbol)
        if spec is None:
            return None
        what = f"{row.symbol} ticker"
        mark = wire.optional_positive(row.markPrice, VENUE, what, "markPrice")
        return Ticker(
            instrument=spec.id,
            ts_venue=ts,
            ts_recv=recv_ns,
            mark_price=mark,
            index_price=wire.optional_positive(row.indexPrice, VENUE, what, "indexPrice"),
            open_interest_base=_open_interest(row.openInterest, spec, mark, what),
            volume_24h_usd=_volume(row.vol24h, row.volumeQuote, spec, what),
        )

    return wire.rows(found.tickers, read)


def _open_interest(value: payloads.Loose, spec: InstrumentSpec, mark: float | None, what: str) -> float | None:
    """Inverse open interest is USD and needs the mark price beside it."""
    amount = wire.optional_not_negative(value, VENUE, what, "openInterest")
    if amount is None or (spec.kind is ContractKind.INVERSE and mark is None):
        return None
    return wire.base_amount(spec, amount, mark or 1.0, VENUE, what, "openInterest")


def _volume(contracts: payloads.Loose, quote: payloads.Loose, spec: InstrumentSpec, what: str) -> float | None:
    """Contracts of the inverse line are USD; the other line has its quote volume beside."""
    value = contracts if spec.kind is ContractKind.INVERSE else quote
    return wire.optional_not_negative(value, VENUE, what, "volume")


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read /instruments: futures of the two lines that are known, perpetual if they have no last day."""

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        kind = _LINES.get(row.type)
        if kind is None:
            return None
        what = f"{row.symbol} instrument"
        instrument = wire.symbol_id(VENUE, row.symbol, what)
        if row.base is None or row.quote is None:
            raise wire.corrupt(VENUE, what, "base", "a coin and its quote", (row.base, row.quote))
        return InstrumentSpec(
            id=instrument,
            base="BTC" if row.base.upper() == "XBT" else row.base.upper(),
            quote=row.quote.upper(),
            kind=kind,
            contract_size=wire.optional_positive(row.contractSize, VENUE, what, "contractSize") or 1.0,
            tick_size=wire.optional_positive(row.tickSize, VENUE, what, "tickSize"),
            funding_interval_ns=NS_PER_HOUR if _perpetual(row) else None,
            max_leverage=_leverage(row.marginLevels[0], what) if row.marginLevels else None,
            perpetual=_perpetual(row),
            trading=row.tradeable,
            market="multi-collateral" if kind is ContractKind.LINEAR else "inverse",
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "instruments").instruments, read)


def _perpetual(row: payloads.InstrumentRow) -> bool:
    return row.lastTradingTime is None and row.symbol.upper().startswith(("PF_", "PI_"))


def _leverage(level: payloads.MarginLevel, what: str) -> float:
    return wire.positive(1.0 / wire.positive(level.initialMargin, VENUE, what, "initialMargin"), VENUE, what, "initialMargin")


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read the margin levels of /instruments: floors are contracts of 1 USD (PI_) or USD of notional (PF_); no deduction."""

    def read(row: payloads.InstrumentRow) -> RiskLadder | None:
        spec = find(specs, row.symbol)
        if spec is None or not row.marginLevels:
            return None
        what = f"{row.symbol} margin levels"
        inverse = spec.kind is ContractKind.INVERSE
        found: list[RiskTier] = []
        for level in row.marginLevels:
            name = "contracts" if inverse else "numNonContractUnits"
            floor = wire.optional_not_negative(level.contracts if inverse else level.numNonContractUnits, VENUE, what, name)
            if floor is None:
                raise wire.corrupt(VENUE, what, name, "a size", level)
            rate = wire.positive(level.maintenanceMargin, VENUE, what, "maintenanceMargin")
            found.append(RiskTier(floor, rate, None, _leverage(level, what)))
        return RiskLadder(
            instrument=spec.id,
            tiers=tuple(sorted(found, key=lambda tier: tier.floor)),
            in_size=inverse,
            ts_recv=recv_ns,
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "instruments").instruments, read)


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read charts; volume is base coins (PF_) or USD (PI_), and none for mark prices."""
    what = f"{spec.id.symbol} candles"

    def read(row: payloads.Candle) -> Bar | None:
        start = wire.instant(row.time, MS, VENUE, what, "time")
        volume: float | None = None
        if kind is PriceKind.LAST:
            volume = wire.optional_not_negative(row.volume, VENUE, what, "volume")
            if volume is None:
                raise wire.corrupt(VENUE, what, "volume", "a number", row.volume)
            volume = wire.base_amount(spec, volume, wire.positive(row.close, VENUE, what, "close"), VENUE, what, "volume")
        return wire.bar(spec, kind, start, (row.open, row.high, row.low, row.close), volume, None, recv_ns)

    return wire.rows(wire.decode(_CANDLES, body, VENUE, "candles").candles, read)


def funding(body: bytes, spec: InstrumentSpec, start_ns: int, end_ns: int, recv_ns: int) -> Parsed:
    """Read /historical-funding-rates, which answers with the whole history: what was paid in [start_ns, end_ns)."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate | None:
        ts = instant(row.timestamp, what, "timestamp")
        if not start_ns <= ts < end_ns:
            return None
        return FundingRate(
            instrument=spec.id,
            ts_venue=ts,
            ts_recv=recv_ns,
            rate=wire.finite(row.relativeFundingRate, VENUE, what, "relativeFundingRate"),
            interval_ns=spec.funding_interval_ns or NS_PER_HOUR,
        )

    found = wire.rows(wire.decode(_FUNDING, body, VENUE, "funding").rates, read)
    return sorted(found, key=lambda row: row.ts_venue if isinstance(row, FundingRate) else 0)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /orderbook; sizes are base coins (PF_) or USD (PI_)."""
    found = wire.decode(_BOOK, body, VENUE, "orderbook")
    what = f"{spec.id.symbol} book"

    def side(levels: list[tuple[float, float]], name: str) -> list[tuple[float, float]]:
        return [(wire.positive(p, VENUE, what, name), wire.base_quantity(spec, q, p, VENUE, what, name)) for p, q in levels]

    one: Record = Book(
        instrument=spec.id,
        ts_venue=instant(found.serverTime, what, "serverTime"),
        ts_recv=recv_ns,
        bids=side(found.orderBook.bids, "bids"),
        asks=side(found.orderBook.asks, "asks"),
    )
    return [one]
