"""Gate's frames and answers into records. Pure.

Sources: https://www.gate.io/docs/developers/apiv4/en/ and https://www.gate.io/docs/developers/futures/ws/en/, read 2026-11.

One event, one key. A liquidation is told twice, and differently: the stream gives milliseconds, the order's price and the
signed order; /liq_orders gives whole seconds, the order's and the fills' price and the signed position (the opposite sign). Both
are read into the same record: side of the position, ORDER price, size, and the second it happened in. So a print that both tell
is one print for whoever counts equal rows, and the fills' price is left out, for the stream cannot know it.
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
)
from liqscape.units import NS_PER_HOUR, NS_PER_S
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.gate import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "gate"
# 2026-08-20: since then all orders of a contract are told, before that one a second at most.
ALL_SINCE_NS = 1_787_184_000 * NS_PER_S
_MS_FROM = 1e11

_LIQUIDATIONS = wire.decoder(payloads.Liquidations)
_PAST = wire.decoder(list[payloads.PastRow])
_TRADES = wire.decoder(payloads.Trades)
_TICKER = wire.decoder(payloads.TickerFrame)
_TICKERS = wire.decoder(list[payloads.TickerRow])
_INSTRUMENTS = wire.decoder(list[payloads.InstrumentRow])
_CANDLES = wire.decoder(list[payloads.CandleRow])
_STATS = wire.decoder(list[payloads.StatsRow])
_FUNDING = wire.decoder(list[payloads.FundingRow])
_TIERS = wire.decoder(list[payloads.TierRow])
_BOOK = wire.decoder(payloads.BookData)


def when(value: float, what: str, field: str) -> int:
    """Return ns UTC of seconds or milliseconds, whole or with a fraction."""
    ms = value if value >= _MS_FROM else value * 1000.0
    return wire.instant(round(ms) if math.isfinite(ms) else ms, MS, VENUE, what, field)


def liquidations(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `futures.public_liquidates`; a negative size sold, so it closed a long."""
    found = wire.decode(_LIQUIDATIONS, frame, VENUE, "public_liquidates").result
    out: Parsed = []
    for row in found if isinstance(found, list) else (found,):
        spec = specs.get(row.contract)
        if spec is None:
            continue
        try:
            out.append(_liquidation(spec, -row.size, row.price, row.time_ms or row.time, recv_ns))
        except CorruptRecord as error:
            out.append(error)
    return out


def past_liquidations(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /liq_orders; a positive size is the long position that was closed."""
    out: Parsed = []
    for row in wire.decode(_PAST, body, VENUE, "liq_orders"):
        spec = specs.get(row.contract)
        if spec is None:
            continue
        try:
            out.append(_liquidation(spec, row.size, row.order_price, row.time, recv_ns))
        except CorruptRecord as error:
            out.append(error)
    return out


def _liquidation(spec: InstrumentSpec, position: float, price: float, time: float, recv_ns: int) -> Liquidation:
    base = abs(position) * spec.contract_size
    if not (0.0 < price < math.inf and 0.0 < base < math.inf):
        raise wire.corrupt(VENUE, f"{spec.id.symbol} liquidation", "price, size", "a price > 0, a size", f"{price}, {position}")
    at = when(time, "liquidation", "time")
    at -= at % NS_PER_S
    return Liquidation(
        instrument=spec.id,
        position_side=PositionSide.LONG if position > 0.0 else PositionSide.SHORT,
        price=price,
        price_kind=LiquidationPriceKind.ORDER_LIMIT,
        quantity_base=base,
        completeness=Completeness.ALL if at >= ALL_SINCE_NS else Completeness.THROTTLED,
        ts_venue=at,
        ts_recv=recv_ns,
    )


def trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `futures.trades`; internal ones are no trades of the book and are left out."""

    def read(row: payloads.TradeRow) -> Trade | None:
        spec = specs.get(row.contract)
        if spec is None or row.is_internal:
            return None
        return Trade(
            instrument=spec.id,
            taker_side=TakerSide.BUY if row.size > 0.0 else TakerSide.SELL,
            price=wire.positive(row.price, VENUE, "trade", "price"),
            quantity_base=wire.positive(abs(row.size) * spec.contract_size, VENUE, "trade", "size"),
            ts_venue=when(row.create_time_ms or row.create_time, "trade", "create_time"),
            ts_recv=recv_ns,
        )

    return wire.rows(wire.decode(_TRADES, frame, VENUE, "trades").result, read)


def ticker(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `futures.tickers`."""
    found = wire.decode(_TICKER, frame, VENUE, "tickers")
    at = when(found.time_ms or found.time, "tickers", "time")
    rows: list[payloads.TickerRow] = []
    for row in found.result if isinstance(found.result, list) else [found.result]:
        rows += row if isinstance(row, list) else [row]
    return wire.rows(rows, lambda row: _ticker(row, specs, at, recv_ns))


def tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /tickers, which tells no time."""
    return wire.rows(wire.decode(_TICKERS, body, VENUE, "tickers"), lambda row: _ticker(row, specs, recv_ns, recv_ns))


def _ticker(row: payloads.TickerRow, specs: Specs, at_ns: int, recv_ns: int) -> Ticker | None:
    spec = specs.get(row.contract)
    if spec is None:
        return None
    what = f"{row.contract} ticker"

    def price(value: payloads.Loose, field: str) -> float | None:
        found = wire.optional(value, VENUE, what, field)
        return None if found is None else wire.positive(found, VENUE, what, field)

    def amount(value: payloads.Loose, field: str, unit: float = 1.0) -> float | None:
        found = wire.optional(value, VENUE, what, field)
        return None if found is None else wire.not_negative(found * unit, VENUE, what, field)

    return Ticker(
        instrument=spec.id,
        ts_venue=at_ns,
        ts_recv=recv_ns,
        mark_price=price(row.mark_price, "mark_price"),
        index_price=price(row.index_price, "index_price"),
        open_interest_base=amount(row.total_size, "total_size", spec.contract_size),
        funding_rate=wire.optional(row.funding_rate, VENUE, what, "funding_rate"),
        volume_24h_usd=amount(row.volume_24h_quote, "volume_24h_quote"),
    )


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read /contracts of the USDT market: a contract is quanto_multiplier coins. Names beyond ASCII are left out."""

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        if not row.name.isascii():
            return None
        what = f"{row.name} instrument"
        base, _, quote = row.name.upper().partition("_")
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.name, what),
            base=base,
            quote=quote,
            kind=ContractKind.LINEAR,
            contract_size=wire.positive(row.quanto_multiplier, VENUE, what, "quanto_multiplier"),
            tick_size=wire.positive(row.order_price_round, VENUE, what, "order_price_round"),
            funding_interval_ns=wire.interval(row.funding_interval, NS_PER_S, VENUE, what, "funding_interval"),
            max_leverage=wire.optional_positive(row.leverage_max, VENUE, what, "leverage_max"),
            perpetual=quote == "USDT",
            trading=not row.in_delisting and row.status == "trading",
            market="usdt",
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "contracts"), read)


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read /candlesticks, oldest first; volume is contracts, of the mark price there is none. No taker volume."""
    what = f"{spec.id.symbol} candlestick"

    def read(row: payloads.CandleRow) -> Bar | None:
        volume = None
        if kind is PriceKind.LAST:
            contracts = wire.optional(row.v, VENUE, what, "v")
            if contracts is None:
                raise wire.corrupt(VENUE, what, "v", "a volume beside a price that was traded", row.v)
            volume = wire.not_negative(contracts * spec.contract_size, VENUE, what, "v")
        return wire.bar(spec, kind, when(row.t, what, "t"), (row.o, row.h, row.l, row.c), volume, None, recv_ns)

    return wire.rows(wire.decode(_CANDLES, body, VENUE, "candlesticks"), read)


def open_interest(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read the open interest of /contract_stats."""
    what = f"{spec.id.symbol} contract_stats"

    def read(row: payloads.StatsRow) -> OpenInterest | None:
        contracts = wire.optional(row.open_interest, VENUE, what, "open_interest")
        if contracts is None:
            return None
        return OpenInterest(
            instrument=spec.id,
            ts_venue=when(row.time, what, "time"),
            ts_recv=recv_ns,
            open_interest_base=wire.not_negative(contracts * spec.contract_size, VENUE, what, "open_interest"),
        )

    return wire.rows(wire.decode(_STATS, body, VENUE, "contract_stats"), read)


def ratios(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read the three ratios of /contract_stats; 0 longs per short means that Gate has no number."""
    what = f"{spec.id.symbol} contract_stats"

    def read(item: tuple[payloads.StatsRow, Population, payloads.Loose]) -> AccountRatio | None:
        row, population, value = item
        ratio = wire.optional(value, VENUE, what, population.value)
        if not ratio:
            return None
        return AccountRatio(
            instrument=spec.id,
            population=population,
            ts_venue=when(row.time, what, "time"),
            ts_recv=recv_ns,
            long_share=(positive := wire.positive(ratio, VENUE, what, population.value)) / (1.0 + positive),
        )

    told = [
        (row, population, value)
        for row in wire.decode(_STATS, body, VENUE, "contract_stats")
        for population, value in (
            (Population.ACCOUNTS, row.lsr_account),
            (Population.TOP_ACCOUNTS, row.top_lsr_account),
            (Population.TOP_POSITIONS, row.top_lsr_size),
        )
    ]
    return wire.rows(told, read)


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /funding_rate."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        return FundingRate(
            instrument=spec.id,
            ts_venue=when(row.t, what, "t"),
            ts_recv=recv_ns,
            rate=wire.finite(row.r, VENUE, what, "r"),
            interval_ns=spec.funding_interval_ns or 8 * NS_PER_HOUR,
        )

    return wire.rows(wire.decode(_FUNDING, body, VENUE, "funding_rate"), read)


def tier_markets(body: bytes) -> int:
    """Return how many markets a page of /risk_limit_tiers holds."""
    return len({row.contract for row in wire.decode(_TIERS, body, VENUE, "risk_limit_tiers")})


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /risk_limit_tiers into one ladder per contract; risk_limit is a row's end, so its floor is the one before it."""
    by_contract: dict[str, list[payloads.TierRow]] = {}
    for row in wire.decode(_TIERS, body, VENUE, "risk_limit_tiers"):
        by_contract.setdefault(row.contract, []).append(row)

    def read(rows: list[payloads.TierRow]) -> RiskLadder | None:
        spec = specs.get(rows[0].contract)
        if spec is None:
            return None
        what, floor, out = f"{spec.id.symbol} risk_limit_tiers", 0.0, list[RiskTier]()
        for row in sorted(rows, key=lambda row: row.risk_limit):
            rate = wire.positive(row.maintenance_rate, VENUE, what, "maintenance_rate")
            deduction = wire.optional(row.deduction, VENUE, what, "deduction")
            out.append(RiskTier(floor, rate, deduction, wire.positive(row.leverage_max, VENUE, what, "leverage_max")))
            floor = wire.positive(row.risk_limit, VENUE, what, "risk_limit")
        return RiskLadder(instrument=spec.id, tiers=tuple(out), known_to=floor, ts_recv=recv_ns)

    return wire.rows(list(by_contract.values()), read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /order_book; sizes are contracts."""
    found, what = wire.decode(_BOOK, body, VENUE, "order_book"), f"{spec.id.symbol} book"

    def side(levels: list[payloads.Level], name: str) -> list[tuple[float, float]]:
        return [
            (wire.positive(one.p, VENUE, what, name), wire.not_negative(one.s * spec.contract_size, VENUE, what, name))
            for one in levels
        ]

    at = when(wire.optional(found.update, VENUE, what, "update") or found.current, what, "current")
    return [Book(instrument=spec.id, ts_venue=at, ts_recv=recv_ns, bids=side(found.bids, "bids"), asks=side(found.asks, "asks"))]
