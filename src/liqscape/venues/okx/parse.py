"""OKX's frames and answers into records. Pure.

Sources: https://www.okx.com/docs-v5/en/ (liquidation-orders: `side` is the order that closes, `sz` contracts, `bkPx` the
bankruptcy price; one update a second and contract at most, "does not represent the total number of liquidations"); read 2026-11.
"""

from __future__ import annotations

import math

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
    quantity_base,
)
from liqscape.units import NS_PER_HOUR
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.okx import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "okx"
SUFFIX = "-SWAP"
_CLOSED = {"buy": PositionSide.SHORT, "sell": PositionSide.LONG}
_TAKER = {"buy": TakerSide.BUY, "sell": TakerSide.SELL}
# What posSide may say beside a side: the position's own name, or nothing in one-way mode.
_NO_SIDE = ("", "net")

_LIQUIDATIONS = wire.decoder(payloads.Liquidations)
_TRADES = wire.decoder(payloads.Trades)
_TICKERS = wire.decoder(payloads.Answer[payloads.TickerRow])
_INSTRUMENTS = wire.decoder(payloads.Answer[payloads.InstrumentRow])
_CANDLES = wire.decoder(payloads.Answer[payloads.CandleRow])
_OPEN_INTEREST = wire.decoder(payloads.Answer[payloads.OpenInterestRow])
_FUNDING = wire.decoder(payloads.Answer[payloads.FundingRow])
_RATIOS = wire.decoder(payloads.Answer[payloads.RatioRow])
_TIERS = wire.decoder(payloads.Answer[payloads.TierRow])
_BOOK = wire.decoder(payloads.Answer[payloads.BookRow])


def liquidations(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `liquidation-orders`: every detail of every row.

    The first frame after subscribing repeats older prints with their own times: they are returned, and counted once by who
    stores them.
    """
    out: Parsed = []
    for row in wire.decode(_LIQUIDATIONS, frame, VENUE, "liquidation-orders").data:
        spec = specs.get(row.instId)
        if spec is None:
            continue
        for detail in row.details:
            try:
                out.append(_liquidation(detail, spec, recv_ns))
            except CorruptRecord as error:
                out.append(error)
    return out


def _liquidation(row: payloads.Detail, spec: InstrumentSpec, recv_ns: int) -> Liquidation:
    position, price = _CLOSED.get(row.side), row.bkPx
    if position is None or (row.posSide not in _NO_SIDE and row.posSide != position.value):
        found = f"{row.side} of {row.posSide}"
        raise wire.corrupt(VENUE, f"{spec.id.symbol} liquidation", "side", "buy of a short or sell of a long", found)
    if not (0.0 < price < math.inf and 0.0 < (base := quantity_base(spec, row.sz, price)) < math.inf):
        raise wire.corrupt(VENUE, f"{spec.id.symbol} liquidation", "bkPx, sz", "numbers > 0", f"{price}, {row.sz}")
    return Liquidation(
        instrument=spec.id,
        position_side=position,
        price=price,
        price_kind=LiquidationPriceKind.BANKRUPTCY,
        quantity_base=base,
        completeness=Completeness.THROTTLED,
        ts_venue=wire.instant(row.ts, MS, VENUE, "liquidation", "ts"),
        ts_recv=recv_ns,
    )


def trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read channel `trades`."""

    def read(row: payloads.TradeRow) -> Trade | None:
        spec = specs.get(row.instId)
        if spec is None:
            return None
        side = _TAKER.get(row.side)
        if side is None:
            raise wire.corrupt(VENUE, f"{row.instId} trade", "side", "buy or sell", row.side)
        price = wire.positive(row.px, VENUE, "trade", "px")
        return Trade(
            instrument=spec.id,
            taker_side=side,
            price=price,
            quantity_base=wire.positive(quantity_base(spec, row.sz, price), VENUE, "trade", "sz"),
            ts_venue=wire.instant(row.ts, MS, VENUE, "trade", "ts"),
            ts_recv=recv_ns,
        )

    return wire.rows(wire.decode(_TRADES, frame, VENUE, "trades").data, read)


def tickers(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read mark-price, open-interest, funding-rate, tickers or index-tickers, by WebSocket or REST: each tells a part.

    An index is named without `-SWAP` and belongs to the swap of that name.
    """

    def read(row: payloads.TickerRow) -> Ticker | None:
        spec = specs.get(row.instId) or specs.get(row.instId + SUFFIX)
        return None if spec is None else _ticker(row, spec, recv_ns)

    return wire.rows(wire.decode(_TICKERS, frame, VENUE, "ticker").data, read)


def _ticker(row: payloads.TickerRow, spec: InstrumentSpec, recv_ns: int) -> Ticker:
    what = f"{row.instId} ticker"

    def number(value: payloads.Loose, field: str, low: float = 0.0) -> float | None:
        found = wire.optional(value, VENUE, what, field)
        if found is not None and found < low:
            raise wire.corrupt(VENUE, what, field, f"a number >= {low}", found)
        return found

    def price(value: payloads.Loose, field: str) -> float | None:
        found = wire.optional(value, VENUE, what, field)
        return None if found is None else wire.positive(found, VENUE, what, field)

    ts, due = wire.optional(row.ts, VENUE, what, "ts"), wire.optional(row.fundingTime, VENUE, what, "fundingTime")
    if ts is None and row.markPx is not None:
        # A price at another instant than its own would close its second too early.
        raise wire.corrupt(VENUE, what, "ts", "the instant of the mark price", row.ts)
    held, contracts = number(row.oiCcy, "oiCcy"), number(row.oi, "oi")
    if held is None and contracts is not None and spec.kind is ContractKind.LINEAR:
        held = contracts * spec.contract_size
    last, volume = price(row.last, "last"), number(row.volCcy24h, "volCcy24h")
    return Ticker(
        instrument=spec.id,
        ts_venue=recv_ns if ts is None else wire.instant(ts, MS, VENUE, what, "ts"),
        ts_recv=recv_ns,
        mark_price=price(row.markPx, "markPx"),
        index_price=price(row.idxPx, "idxPx"),
        open_interest_base=held,
        funding_rate=wire.optional(row.fundingRate, VENUE, what, "fundingRate"),
        next_funding_ns=wire.instant(due, MS, VENUE, what, "fundingTime") if due else None,
        volume_24h_usd=None if volume is None or last is None else wire.not_negative(volume * last, VENUE, what, "volCcy24h"),
    )


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read /public/instruments: a contract is ctVal x ctMult, base coins if linear and USD if inverse.

    Left out are families such as USD_UM, whose symbols say nothing about their margin, symbols that are not ASCII, and contracts
    that have no size or tick yet.
    """

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        what = f"{row.instId} instrument"
        value, tick = wire.optional(row.ctVal, VENUE, what, "ctVal"), wire.optional(row.tickSz, VENUE, what, "tickSz")
        unready = row.state != "live" and (value is None or tick is None)
        if unready or "_" in row.instId or not row.instId.isascii():
            return None
        base, _, quote = row.instFamily.upper().partition("-")
        linear = row.ctType == "linear"
        unit = base if linear else "USD"
        if row.ctType not in ("linear", "inverse") or row.ctValCcy.upper() != unit:
            raise wire.corrupt(VENUE, what, "ctValCcy", f"{unit} of a linear or inverse contract", f"{row.ctValCcy} {row.ctType}")
        size = (value or 0.0) * (wire.optional(row.ctMult, VENUE, what, "ctMult") or 1.0)
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.instId, what),
            base=base,
            quote=quote,
            kind=ContractKind.LINEAR if linear else ContractKind.INVERSE,
            contract_size=wire.positive(size, VENUE, what, "ctVal"),
            tick_size=wire.positive(tick or 0.0, VENUE, what, "tickSz"),
            max_leverage=wire.optional_positive(row.lever, VENUE, what, "lever"),
            perpetual=row.instType == "SWAP",
            trading=row.state == "live",
            market="swap",
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "instruments").data, read)


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read candles or mark-price-candles, newest first on the wire; OKX has no taker volume. Open candles are left out."""
    what, width = f"{spec.id.symbol} candle", 9 if kind is PriceKind.LAST else 6

    def read(row: payloads.CandleRow) -> Bar | None:
        if len(row) < width:
            raise wire.corrupt(VENUE, what, "row", f"{width} columns", row)
        if row[width - 1] != 1.0:
            return None
        start = wire.instant(row[0], MS, VENUE, what, "ts")
        volume = wire.not_negative(row[6], VENUE, what, "volCcy") if kind is PriceKind.LAST else None
        return wire.bar(spec, kind, start, (row[1], row[2], row[3], row[4]), volume, None, recv_ns)

    return wire.rows(wire.decode(_CANDLES, body, VENUE, "candles").data, read)[::-1]


def open_interest(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read rubik open-interest-history: the third column is base coins."""
    what = f"{spec.id.symbol} open interest"

    def read(row: payloads.OpenInterestRow) -> OpenInterest:
        if len(row) < 3:
            raise wire.corrupt(VENUE, what, "row", "ts, oi, oiCcy, oiUsd", row)
        return OpenInterest(
            instrument=spec.id,
            ts_venue=wire.instant(row[0], MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            open_interest_base=wire.not_negative(row[2], VENUE, what, "oiCcy"),
        )

    return wire.rows(wire.decode(_OPEN_INTEREST, body, VENUE, "open-interest-history").data, read)[::-1]


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /public/funding-rate-history; the interval is not listed and is told from the stamps."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        paid = wire.optional(row.realizedRate, VENUE, what, "realizedRate")
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(row.fundingTime, MS, VENUE, what, "fundingTime"),
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate") if paid is None else paid,
            interval_ns=8 * NS_PER_HOUR,
        )

    return wire.funding_spaced(wire.rows(wire.decode(_FUNDING, body, VENUE, "funding-rate-history").data, read))


def ratios(body: bytes, spec: InstrumentSpec, population: Population, recv_ns: int) -> Parsed:
    """Read a rubik long/short ratio: longs per short, of accounts or of sizes."""
    what = f"{spec.id.symbol} {population.value} ratio"

    def read(row: payloads.RatioRow) -> AccountRatio:
        if len(row) < 2:
            raise wire.corrupt(VENUE, what, "row", "ts, ratio", row)
        ratio = wire.not_negative(row[1], VENUE, what, "ratio")
        return AccountRatio(
            instrument=spec.id,
            population=population,
            ts_venue=wire.instant(row[0], MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            long_share=ratio / (1.0 + ratio),
        )

    return wire.rows(wire.decode(_RATIOS, body, VENUE, "long-short ratio").data, read)[::-1]


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /public/position-tiers of several families into one ladder each; its sizes are contracts and become base or USD.

    A family's table holds for its swap. A row begins where the one before it ends (minSz is one contract higher).
    """
    by_family: dict[str, list[payloads.TierRow]] = {}
    for row in wire.decode(_TIERS, body, VENUE, "position-tiers").data:
        by_family.setdefault(row.instFamily or row.uly, []).append(row)

    def read(item: tuple[str, list[payloads.TierRow]]) -> RiskLadder | None:
        spec = specs.get(item[0] + SUFFIX)
        if spec is None:
            return None
        what, floor, out = f"{spec.id.symbol} position-tiers", 0.0, list[RiskTier]()
        for row in sorted(item[1], key=lambda row: row.minSz):
            rate = wire.positive(row.mmr, VENUE, what, "mmr")
            out.append(RiskTier(floor, rate, None, wire.positive(row.maxLever, VENUE, what, "maxLever")))
            floor = wire.positive(row.maxSz * spec.contract_size, VENUE, what, "maxSz")
        return RiskLadder(instrument=spec.id, tiers=tuple(out), in_size=True, known_to=floor, ts_recv=recv_ns)

    return wire.rows(list(by_family.items()), read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /market/books-full: price, contracts, orders."""
    what = f"{spec.id.symbol} book"

    def side(levels: list[list[float]], name: str) -> list[tuple[float, float]]:
        if any(len(level) < 2 for level in levels):
            raise wire.corrupt(VENUE, what, name, "price, contracts, orders", levels)
        prices = [wire.positive(level[0], VENUE, what, name) for level in levels]
        return [
            (p, quantity_base(spec, wire.not_negative(level[1], VENUE, what, name), p))
            for p, level in zip(prices, levels, strict=True)
        ]

    def read(row: payloads.BookRow) -> Book:
        return Book(
            instrument=spec.id,
            ts_venue=wire.instant(row.ts, MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            bids=side(row.bids, "bids"),
            asks=side(row.asks, "asks"),
        )

    return wire.rows(wire.decode(_BOOK, body, VENUE, "books-full").data, read)
