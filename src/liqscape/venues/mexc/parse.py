"""MEXC's frames and answers into records. Pure.

Sources: https://www.mexc.com/api-docs/futures (market endpoints, WebSocket public channels); read 2026-11.
"""

from __future__ import annotations

import math

from liqscape.model import (
    Bar,
    Book,
    ContractKind,
    FundingRate,
    InstrumentSpec,
    PriceKind,
    RiskLadder,
    RiskTier,
    Ticker,
)
from liqscape.units import NS_PER_HOUR, NS_PER_S
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.mexc import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "mexc"
FUNDING_NS = 8 * NS_PER_HOUR
_ENABLED = 0
# More steps than any table has: a damaged number must not build a list without end.
_MOST_TIERS = 500

_CONTRACTS = wire.decoder(payloads.Answer[list[payloads.ContractRow]])
_TICKERS = wire.decoder(payloads.Answer[list[payloads.TickerRow]])
_TICKER = wire.decoder(payloads.TickerFrame)
_KLINES = wire.decoder(payloads.Answer[payloads.KlineColumns])
_FUNDING = wire.decoder(payloads.Answer[payloads.FundingPage])
_BOOK = wire.decoder(payloads.Answer[payloads.BookData])


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read /detail; left out is what is settled in a third coin, priced in no dollar or named in Chinese."""

    def read(row: payloads.ContractRow) -> InstrumentSpec | None:
        if not row.symbol.isascii() or row.settleCoin not in (row.quoteCoin, row.baseCoin) or "USD" not in row.quoteCoin:
            return None
        what = f"{row.symbol} instrument"
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.symbol, what),
            base=row.baseCoin.upper(),
            quote=row.quoteCoin.upper(),
            kind=ContractKind.LINEAR if row.settleCoin == row.quoteCoin else ContractKind.INVERSE,
            contract_size=wire.positive(row.contractSize, VENUE, what, "contractSize"),
            tick_size=wire.optional_positive(row.priceUnit, VENUE, what, "priceUnit"),
            funding_interval_ns=FUNDING_NS,
            max_leverage=wire.optional_positive(row.maxLeverage, VENUE, what, "maxLeverage"),
            trading=row.state == _ENABLED,
            market="swap",
        )

    return wire.rows(wire.decode(_CONTRACTS, body, VENUE, "detail").data, read)


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read the margin tables of /detail.

    By rule, tier k (from 0) ends at `riskBaseVol + k riskIncrVol` and has the rate `maintenanceMarginRate + k riskIncrMmr`.
    BY_VOLUME counts contracts, BY_VALUE the notional; there is no deduction.
    """

    def read(row: payloads.ContractRow) -> RiskLadder | None:
        spec = specs.get(row.symbol)
        if spec is None:
            return None
        what = f"{row.symbol} risk limit"
        if row.riskLimitType not in (None, "BY_VOLUME", "BY_VALUE"):
            raise wire.corrupt(VENUE, what, "riskLimitType", "BY_VOLUME or BY_VALUE", row.riskLimitType)
        in_size = row.riskLimitType != "BY_VALUE"
        steps = _custom(row, what) if row.riskLimitMode == "CUSTOM" and row.riskLimitCustom else _by_rule(row, what)
        scale, floor, out = spec.contract_size if in_size else 1.0, 0.0, list[RiskTier]()
        for cap, rate, leverage in steps:
            if not floor < cap * scale < math.inf:
                raise wire.corrupt(VENUE, what, "maxVol", f"more than {floor / scale}", cap)
            out.append(wire.tier(floor, rate, None, leverage, VENUE, what, "mmr"))
            floor = cap * scale
        return RiskLadder(instrument=spec.id, tiers=tuple(out), in_size=in_size, known_to=floor, ts_recv=recv_ns)

    return wire.rows(wire.decode(_CONTRACTS, body, VENUE, "detail").data, read)


def _custom(row: payloads.ContractRow, what: str) -> list[tuple[float, float, float | None]]:
    found = [
        (
            _number(one.maxVol, what, "maxVol"),
            _number(one.mmr, what, "mmr"),
            wire.optional_positive(one.maxLeverage, VENUE, what, "maxLeverage"),
        )
        for one in row.riskLimitCustom or []
    ]
    return sorted(found, key=lambda tier: tier[0])


def _by_rule(row: payloads.ContractRow, what: str) -> list[tuple[float, float, float | None]]:
    """Return (end, maintenance rate, leverage) of each tier; one tier where the limit does not grow."""
    base, step = _number(row.riskBaseVol, what, "riskBaseVol"), _number(row.riskIncrVol, what, "riskIncrVol")
    rate, rate_step = (
        _number(row.maintenanceMarginRate, what, "maintenanceMarginRate"),
        _number(row.riskIncrMmr, what, "riskIncrMmr"),
    )
    initial, initial_step = (
        _number(row.initialMarginRate, what, "initialMarginRate"),
        _number(row.riskIncrImr, what, "riskIncrImr"),
    )
    levels = row.riskLevelLimit if step > 0.0 else 1
    if levels is None or not 1 <= levels <= _MOST_TIERS:
        raise wire.corrupt(VENUE, what, "riskLevelLimit", f"1 to {_MOST_TIERS}", levels)
    wire.positive(initial, VENUE, what, "initialMarginRate")
    return [(base + k * step, rate + k * rate_step, 1.0 / (initial + k * initial_step)) for k in range(levels)]


def _number(value: payloads.Loose, what: str, field: str) -> float:
    found = wire.optional_not_negative(value, VENUE, what, field)
    if found is None:
        raise wire.corrupt(VENUE, what, field, "a number", value)
    return found


def ticker(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `push.ticker`."""
    found = wire.decode(_TICKER, frame, VENUE, "push.ticker").data
    return wire.rows([found], lambda row: _ticker(row, specs, recv_ns))


def tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /ticker."""
    return wire.rows(wire.decode(_TICKERS, body, VENUE, "ticker").data, lambda row: _ticker(row, specs, recv_ns))


def _ticker(row: payloads.TickerRow, specs: Specs, recv_ns: int) -> Ticker | None:
    spec = specs.get(row.symbol)
    if spec is None:
        return None
    what, inverse = f"{row.symbol} ticker", spec.kind is ContractKind.INVERSE
    mark = wire.optional_positive(row.fairPrice, VENUE, what, "fairPrice")
    held = wire.optional(row.holdVol, VENUE, what, "holdVol")
    if held is not None:
        held = None if inverse and mark is None else wire.base_amount(spec, held, mark or 1.0, VENUE, what, "holdVol")
    volume = wire.optional_not_negative(row.volume24 if inverse else row.amount24, VENUE, what, "24 h volume")
    return Ticker(
        instrument=spec.id,
        ts_venue=wire.instant(row.timestamp, MS, VENUE, what, "timestamp"),
        ts_recv=recv_ns,
        mark_price=mark,
        index_price=wire.optional_positive(row.indexPrice, VENUE, what, "indexPrice"),
        open_interest_base=held,
        funding_rate=wire.optional(row.fundingRate, VENUE, what, "fundingRate"),
        volume_24h_usd=None
        if volume is None
        else wire.finite(volume * (spec.contract_size if inverse else 1.0), VENUE, what, "24 h volume"),
    )


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read /kline or /kline/fair_price: columns, times in seconds, volumes in contracts; no taker volume."""
    found = wire.decode(_KLINES, body, VENUE, "kline").data
    what = f"{spec.id.symbol} kline"
    last = kind is PriceKind.LAST
    volumes = found.vol if last and found.vol is not None else [0.0] * len(found.time)
    columns = (found.time, found.open, found.high, found.low, found.close, volumes)
    if len({len(column) for column in columns}) != 1 or (last and found.vol is None):
        raise wire.corrupt(VENUE, what, "columns", f"{len(found.time)} rows in each", [len(column) for column in columns])

    def read(row: tuple[float, float, float, float, float, float]) -> Bar | None:
        volume = None
        if last:
            close = wire.positive(row[4], VENUE, what, "close")
            volume = wire.base_amount(spec, row[5], close, VENUE, what, "vol")
        start = wire.instant(row[0], NS_PER_S, VENUE, what, "time")
        return wire.bar(spec, kind, start, (row[1], row[2], row[3], row[4]), volume, None, recv_ns)

    return wire.rows(list(zip(*columns, strict=True)), read)


def funding(body: bytes, spec: InstrumentSpec, start_ns: int, end_ns: int, recv_ns: int) -> Parsed:
    """Read one page of /funding_rate/history, newest first on the wire; what lies outside [start, end) is left out.

    No interval is listed: it is told from the stamps of the page.
    """
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(row.settleTime, MS, VENUE, what, "settleTime"),
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate"),
            interval_ns=spec.funding_interval_ns or FUNDING_NS,
        )

    found = wire.rows(wire.decode(_FUNDING, body, VENUE, "funding_rate/history").data.resultList, read)
    return wire.between(wire.funding_spaced(found), start_ns, end_ns)


def next_funding_page(body: bytes, start_ns: int) -> int | None:
    """Return the number of the page with older rows, None if there is none or this one reaches `start_ns`."""
    found = wire.decode(_FUNDING, body, VENUE, "funding_rate/history").data
    oldest = min((row.settleTime for row in found.resultList), default=0.0) * MS
    return found.currentPage + 1 if found.currentPage < found.totalPage and oldest > start_ns else None


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /depth."""
    found = wire.decode(_BOOK, body, VENUE, "depth").data
    what = f"{spec.id.symbol} book"

    def side(levels: list[list[float]], name: str) -> list[tuple[float, float]]:
        out: list[tuple[float, float]] = []
        for level in levels:
            if len(level) < 2:
                raise wire.corrupt(VENUE, what, name, "price, contracts, orders", level)
            price = wire.positive(level[0], VENUE, what, name)
            out.append((price, wire.base_amount(spec, level[1], price, VENUE, what, name)))
        return out

    return [
        Book(
            instrument=spec.id,
            ts_venue=recv_ns if found.timestamp is None else wire.instant(found.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            bids=side(found.bids, "bids"),
            asks=side(found.asks, "asks"),
        )
    ]
