"""Binance's frames and answers into records, USD-M and COIN-M. Pure.

An instrument's spec says which product it is, and with it the unit of every quantity. A liquidation stream may carry both
products: each adapter takes the symbols of its own specs.

Sources: https://developers.binance.com/docs/derivatives (USD-M and COIN-M, Liquidation Order Streams, market data); read 2026-11.
"""

from __future__ import annotations

from msgspec import structs

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
    Ticker,
)
from liqscape.units import NS_PER_HOUR
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.binance_usdm import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "binance"
USDM, COINM = "usdm", "coinm"
FUNDING_NS = 8 * NS_PER_HOUR  # "default", see fundingInfo
# The closing order sells what was long.
_CLOSED = {"SELL": PositionSide.LONG, "BUY": PositionSide.SHORT}
_AVERAGE, _LIMIT = LiquidationPriceKind.AVERAGE_FILL, LiquidationPriceKind.ORDER_LIMIT
_COMPLETENESS = Completeness.THROTTLED
_ST_COINM = 2

_FORCE = wire.decoder(payloads.ForceOrderFrame)
_MARKS = wire.decoder(payloads.MarkFrame)
_INSTRUMENTS = wire.decoder(payloads.ExchangeInfo)
_INTERVALS = wire.decoder(list[payloads.FundingInfoRow])
_PREMIUM = wire.decoder(list[payloads.PremiumRow])
_DAY = wire.decoder(list[payloads.DayRow])
_OPEN_INTEREST_NOW = wire.decoder(payloads.OpenInterestNow)
_OPEN_INTEREST = wire.decoder(list[payloads.OpenInterestRow])
_KLINES = wire.decoder(list[payloads.KlineRow])
_FUNDING = wire.decoder(list[payloads.FundingRow])
_RATIOS = wire.decoder(list[payloads.RatioRow])
_BOOK = wire.decoder(payloads.BookAnswer)
_BRACKETS = wire.decoder(payloads.BracketAnswer)


def liquidations(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `forceOrder`: at most one order per symbol and second."""
    found = wire.decode(_FORCE, frame, VENUE, "forceOrder").data
    spec = specs.get(found.o.s)
    if spec is None:
        return []
    try:
        record = _liquidation(found, spec, recv_ns)
    except CorruptRecord as error:
        return [error]
    return [] if record is None else [record]


def _liquidation(found: payloads.ForceOrder, spec: InstrumentSpec, recv_ns: int) -> Liquidation | None:
    """Read z at the average price; an order of which nothing was filled closed nothing."""
    order = found.o
    if order.z == 0.0:
        return None
    what = f"{order.s} forceOrder"
    # The documentation shows `st` 1 on COIN-M frames too, so only the reverse contradicts a symbol.
    if found.st == _ST_COINM and spec.market == USDM:
        raise wire.corrupt(VENUE, what, "st", "1, for the symbol is one of USD-M", found.st)
    side = _CLOSED.get(order.S)
    if side is None:
        raise wire.corrupt(VENUE, what, "S", "BUY or SELL", order.S)
    if order.ap:
        price, kind = wire.positive(order.ap, VENUE, what, "ap"), _AVERAGE
    else:
        price, kind = wire.positive(order.p, VENUE, what, "p"), _LIMIT
    return Liquidation(
        instrument=spec.id,
        position_side=side,
        price=price,
        price_kind=kind,
        quantity_base=wire.base_quantity(spec, order.z, price, VENUE, what, "z"),
        completeness=_COMPLETENESS,
        ts_venue=wire.instant(order.T, MS, VENUE, what, "T"),
        ts_recv=recv_ns,
    )


def marks(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `!markPrice@arr@1s` or `{symbol}@markPrice@1s`."""
    data = wire.decode(_MARKS, frame, VENUE, "markPrice").data

    def read(row: payloads.Mark) -> Ticker | None:
        spec = specs.get(row.s)
        return None if spec is None else _ticker(spec, row.E, row.p, row.i, row.r, row.T, recv_ns)

    return wire.rows(data if isinstance(data, list) else [data], read)


def premium(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read premiumIndex."""

    def read(row: payloads.PremiumRow) -> Ticker | None:
        spec = specs.get(row.symbol)
        if spec is None:
            return None
        return _ticker(spec, row.time, row.markPrice, row.indexPrice, row.lastFundingRate, row.nextFundingTime, recv_ns)

    return wire.rows(wire.decode(_PREMIUM, body, VENUE, "premiumIndex"), read)


def _ticker(
    spec: InstrumentSpec,
    ts_ms: float,
    mark: payloads.Loose,
    index: payloads.Loose,
    rate: payloads.Loose,
    next_ms: float | None,
    recv_ns: int,
) -> Ticker:
    what = f"{spec.id.symbol} mark price"
    return Ticker(
        instrument=spec.id,
        ts_venue=wire.instant(ts_ms, MS, VENUE, what, "time"),
        ts_recv=recv_ns,
        mark_price=wire.optional_positive(mark, VENUE, what, "mark price"),
        index_price=wire.optional_positive(index, VENUE, what, "index price"),
        funding_rate=wire.optional(rate, VENUE, what, "funding rate"),
        next_funding_ns=wire.instant(next_ms, MS, VENUE, what, "next funding") if next_ms else None,
    )


def volumes(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read ticker/24hr: dollars are the quote volume (USD-M) or contracts of so many dollars (COIN-M)."""

    def read(row: payloads.DayRow) -> Ticker | None:
        spec = specs.get(row.symbol)
        if spec is None:
            return None
        what, inverse = f"{row.symbol} 24 h", spec.kind is ContractKind.INVERSE
        volume = wire.optional_not_negative(row.volume if inverse else row.quoteVolume, VENUE, what, "volume")
        if volume is None:
            return None
        return Ticker(
            instrument=spec.id,
            ts_venue=wire.instant(row.closeTime, MS, VENUE, what, "closeTime"),
            ts_recv=recv_ns,
            volume_24h_usd=wire.finite(volume * spec.contract_size, VENUE, what, "volume") if inverse else volume,
        )

    return wire.rows(wire.decode(_DAY, body, VENUE, "ticker/24hr"), read)


def mark_price(body: bytes) -> float | None:
    """Return the mark price that premiumIndex gave for one symbol, None if it gave none."""
    rows = wire.decode(_PREMIUM, body, VENUE, "premiumIndex")
    return wire.optional_positive(rows[0].markPrice, VENUE, f"{rows[0].symbol} mark price", "markPrice") if rows else None


def open_interest_now(body: bytes, spec: InstrumentSpec, price: float, recv_ns: int) -> Parsed:
    """Read openInterest; `price` turns COIN-M contracts into coins."""
    found = wire.decode(_OPEN_INTEREST_NOW, body, VENUE, "openInterest")
    what = f"{spec.id.symbol} open interest"
    return wire.rows(
        [found],
        lambda row: Ticker(
            instrument=spec.id,
            ts_venue=recv_ns if row.time is None else wire.instant(row.time, MS, VENUE, what, "time"),
            ts_recv=recv_ns,
            open_interest_base=wire.base_amount(
                spec, row.openInterest, wire.positive(price, VENUE, what, "price"), VENUE, what, "openInterest"
            ),
        ),
    )


def instruments(body: bytes, market: str, recv_ns: int) -> Parsed:
    """Read exchangeInfo; every contract is taken to be funded each 8 hours until `funding_intervals` knows better.

    Left out are coins named in Chinese, for instruments are not, and contracts priced in no dollar (ETHBTC), for maps are.
    """

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        if not row.symbol.isascii() or "USD" not in row.quoteAsset:
            return None
        what = f"{row.symbol} instrument"
        tick = next((one.tickSize for one in row.filters if one.filterType == "PRICE_FILTER"), None)
        perpetual = row.contractType.endswith("PERPETUAL")
        size = 1.0
        if market == COINM:
            size = wire.positive(row.contractSize or 0.0, VENUE, what, "contractSize")
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.symbol, what),
            base=row.baseAsset.upper(),
            quote=row.quoteAsset.upper(),
            kind=ContractKind.INVERSE if market == COINM else ContractKind.LINEAR,
            contract_size=size,
            tick_size=wire.optional_positive(tick, VENUE, what, "tickSize"),
            funding_interval_ns=FUNDING_NS if perpetual else None,
            perpetual=perpetual,
            trading=(row.contractStatus if market == COINM else row.status) == "TRADING",
            market=market,
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "exchangeInfo").symbols, read)


def funding_intervals(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read fundingInfo: the specs of those instruments that are funded at another interval, in full."""

    def read(row: payloads.FundingInfoRow) -> InstrumentSpec | None:
        spec = specs.get(row.symbol)
        if spec is None:
            return None
        what = f"{row.symbol} instrument"
        interval = wire.interval(row.fundingIntervalHours, NS_PER_HOUR, VENUE, what, "fundingIntervalHours")
        return None if interval in (None, spec.funding_interval_ns) else structs.replace(spec, funding_interval_ns=interval)

    return wire.rows(wire.decode(_INTERVALS, body, VENUE, "fundingInfo"), read)


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read klines or markPriceKlines, oldest first; mark bars have fillers for volumes."""
    what = f"{spec.id.symbol} kline"
    volume_at, taker_at = (7, 10) if spec.kind is ContractKind.INVERSE else (5, 9)
    least = 11 if kind is PriceKind.LAST else 5

    def read(row: payloads.KlineRow) -> Bar | None:
        if len(row) < least:
            raise wire.corrupt(VENUE, what, "row", f"at least {least} numbers from the open time on", row)
        volume = taker = None
        if kind is PriceKind.LAST:
            volume = wire.not_negative(row[volume_at], VENUE, what, "volume")
            taker = wire.not_negative(row[taker_at], VENUE, what, "taker volume")
        start = wire.instant(row[0], MS, VENUE, what, "open time")
        return wire.bar(spec, kind, start, (row[1], row[2], row[3], row[4]), volume, taker, recv_ns)

    return wire.rows(wire.decode(_KLINES, body, VENUE, "klines"), read)


def open_interest(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read openInterestHist: base units are the sum (USD-M) or, COIN-M, the value, which is in the coin."""
    what = f"{spec.id.symbol} open interest"

    def read(row: payloads.OpenInterestRow) -> OpenInterest:
        inverse = spec.kind is ContractKind.INVERSE
        name = "sumOpenInterestValue" if inverse else "sumOpenInterest"
        amount = row.sumOpenInterestValue if inverse else row.sumOpenInterest
        return OpenInterest(
            instrument=spec.id,
            ts_venue=wire.instant(row.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            open_interest_base=wire.not_negative(amount, VENUE, what, name),
        )

    return wire.rows(wire.decode(_OPEN_INTEREST, body, VENUE, "openInterestHist"), read)


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read fundingRate; the interval may have been another one then, so it is told from the stamps."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(row.fundingTime, MS, VENUE, what, "fundingTime"),
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate"),
            interval_ns=spec.funding_interval_ns or FUNDING_NS,
        )

    return wire.funding_spaced(wire.rows(wire.decode(_FUNDING, body, VENUE, "fundingRate"), read))


def ratios(body: bytes, spec: InstrumentSpec, population: Population, recv_ns: int) -> Parsed:
    """Read one of the three long-short ratios; those of COIN-M count all contracts of a pair."""
    what = f"{spec.id.symbol} {population.value} ratio"

    def read(row: payloads.RatioRow) -> AccountRatio:
        name, value = ("longAccount", row.longAccount) if row.longAccount is not None else ("longPosition", row.longPosition)
        share = wire.optional(value, VENUE, what, name)
        if share is None or not 0.0 <= share <= 1.0:
            raise wire.corrupt(VENUE, what, name, "a share of 0 to 1", value)
        return AccountRatio(
            instrument=spec.id,
            population=population,
            ts_venue=wire.instant(row.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            long_share=share,
        )

    return wire.rows(wire.decode(_RATIOS, body, VENUE, "ratio"), read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read depth."""
    found = wire.decode(_BOOK, body, VENUE, "depth")
    what = f"{spec.id.symbol} book"

    def side(levels: list[tuple[float, float]], name: str) -> list[tuple[float, float]]:
        return [(wire.positive(p, VENUE, what, name), wire.base_amount(spec, q, p, VENUE, what, name)) for p, q in levels]

    ts = found.T if found.T is not None else found.E
    return [
        Book(
            instrument=spec.id,
            ts_venue=recv_ns if ts is None else wire.instant(ts, MS, VENUE, what, "T"),
            ts_recv=recv_ns,
            bids=side(found.bids, "bids"),
            asks=side(found.asks, "asks"),
        )
    ]


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read the website's brackets; floors and deductions are quote (USD-M) or coin (COIN-M)."""

    def read(found: payloads.Brackets) -> RiskLadder | None:
        spec = specs.get(found.symbol)
        if spec is None or not found.riskBrackets:
            return None
        what, floor, out = f"{found.symbol} brackets", 0.0, list[RiskTier]()
        for row in sorted(found.riskBrackets, key=lambda row: row.bracketNotionalFloor):
            if row.bracketNotionalFloor != floor:
                raise wire.corrupt(VENUE, what, "bracketNotionalFloor", f"{floor}, the cap below it", row.bracketNotionalFloor)
            rate = wire.positive(row.bracketMaintenanceMarginRate, VENUE, what, "bracketMaintenanceMarginRate")
            if rate >= 1.0:
                raise wire.corrupt(VENUE, what, "bracketMaintenanceMarginRate", "a fraction below 1", rate)
            leverage = wire.optional_positive(row.maxOpenPosLeverage, VENUE, what, "maxOpenPosLeverage")
            deduction = wire.optional(row.cumFastMaintenanceAmount, VENUE, what, "cumFastMaintenanceAmount")
            out.append(RiskTier(floor, rate, deduction, leverage))
            floor = wire.positive(row.bracketNotionalCap, VENUE, what, "bracketNotionalCap")
        return RiskLadder(instrument=spec.id, tiers=tuple(out), known_to=floor, ts_recv=recv_ns)

    return wire.rows(wire.decode(_BRACKETS, body, VENUE, "brackets").data.brackets, read)
