"""KuCoin's answers into records. Pure.

Sources: https://www.kucoin.com/docs-new (futures market data, risk limits, open interest); read 2026-11.
"""

from __future__ import annotations

from liqscape.model import (
    Bar,
    Book,
    ContractKind,
    FundingRate,
    InstrumentSpec,
    OpenInterest,
    PriceKind,
    RiskLadder,
    RiskTier,
    Ticker,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.kucoin import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "kucoin"
FUNDING_NS = 8 * NS_PER_HOUR
_LONGEST_FUNDING_NS = 7 * 24 * NS_PER_HOUR
_PERPETUAL = "FFWCSX"

_CONTRACTS = wire.decoder(payloads.Answer[list[payloads.ContractRow]])
_KLINES = wire.decoder(payloads.Answer[list[payloads.KlineRow]])
_FUNDING = wire.decoder(payloads.Answer[list[payloads.FundingRow]])
_OPEN_INTEREST = wire.decoder(payloads.Answer[list[payloads.OpenInterestRow]])
_TIERS = wire.decoder(payloads.Answer[list[payloads.TierRow]])
_BOOK = wire.decoder(payloads.Answer[payloads.BookData])


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read contracts/active; KuCoin's XBT is BTC, and the multiplier of an inverse contract is negative.

    Left out is what is priced in no dollar.
    """

    def read(row: payloads.ContractRow) -> InstrumentSpec | None:
        if not row.symbol.isascii() or "USD" not in row.quoteCurrency:
            return None
        what, base = f"{row.symbol} instrument", row.baseCurrency.upper()
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.symbol, what),
            base="BTC" if base == "XBT" else base,
            quote=row.quoteCurrency.upper(),
            kind=ContractKind.INVERSE if row.isInverse else ContractKind.LINEAR,
            contract_size=wire.positive(abs(row.multiplier), VENUE, what, "multiplier"),
            tick_size=wire.optional_positive(row.tickSize, VENUE, what, "tickSize"),
            funding_interval_ns=wire.interval(row.fundingRateGranularity, MS, VENUE, what, "fundingRateGranularity"),
            max_leverage=wire.optional_positive(row.maxLeverage, VENUE, what, "maxLeverage"),
            perpetual=row.type == _PERPETUAL,
            trading=row.status == "Open",
            market="futures",
        )

    return wire.rows(wire.decode(_CONTRACTS, body, VENUE, "contracts/active").data, read)


def tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read contracts/active, which tells no time of its own: it is true when it arrives."""

    def read(row: payloads.ContractRow) -> Ticker | None:
        spec = specs.get(row.symbol)
        if spec is None:
            return None
        what, inverse = f"{row.symbol} ticker", spec.kind is ContractKind.INVERSE
        mark = wire.optional_positive(row.markPrice, VENUE, what, "markPrice")
        held = wire.optional(row.openInterest, VENUE, what, "openInterest")
        if held is not None:
            held = None if inverse and mark is None else wire.base_amount(spec, held, mark or 1.0, VENUE, what, "openInterest")
        turnover = wire.optional_not_negative(row.turnoverOf24h, VENUE, what, "turnoverOf24h")
        return Ticker(
            instrument=spec.id,
            ts_venue=recv_ns,
            ts_recv=recv_ns,
            mark_price=mark,
            index_price=wire.optional_positive(row.indexPrice, VENUE, what, "indexPrice"),
            open_interest_base=held,
            funding_rate=wire.optional(row.fundingFeeRate, VENUE, what, "fundingFeeRate"),
            next_funding_ns=_next_funding(row.nextFundingRateTime, what, recv_ns),
            volume_24h_usd=None if inverse else turnover,
        )

    return wire.rows(wire.decode(_CONTRACTS, body, VENUE, "contracts/active").data, read)


def _next_funding(left_ms: payloads.Loose, what: str, recv_ns: int) -> int | None:
    """Return the instant of the next funding, which lies on a whole minute, from the time that is left until it."""
    left = wire.optional_not_negative(left_ms, VENUE, what, "nextFundingRateTime")
    if left is None:
        return None
    if left * MS > _LONGEST_FUNDING_NS:
        raise wire.corrupt(VENUE, what, "nextFundingRateTime", "at most a week from now, in ms", left)
    return round((recv_ns + left * MS) / NS_PER_MINUTE) * NS_PER_MINUTE


def bars(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read kline/query, oldest first; KuCoin has no taker volume."""
    what = f"{spec.id.symbol} kline"

    def read(row: payloads.KlineRow) -> Bar | None:
        if len(row) < 6:
            raise wire.corrupt(VENUE, what, "row", "time, open, high, low, close, lots", row)
        start = wire.instant(row[0], MS, VENUE, what, "time")
        close = wire.positive(row[4], VENUE, what, "close")
        volume = wire.base_amount(spec, row[5], close, VENUE, what, "volume")
        return wire.bar(spec, PriceKind.LAST, start, (row[1], row[2], row[3], row[4]), volume, None, recv_ns)

    return wire.rows(wire.decode(_KLINES, body, VENUE, "kline/query").data, read)


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read contract/funding-rates; the interval may have been another one then, so it is told from the stamps."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(row.timepoint, MS, VENUE, what, "timepoint"),
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate"),
            interval_ns=spec.funding_interval_ns or FUNDING_NS,
        )

    return wire.funding_spaced(wire.rows(wire.decode(_FUNDING, body, VENUE, "contract/funding-rates").data, read))


def open_interest(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read market/open-interest of a linear contract (lots of an inverse one are dollars without a price: not asked for)."""
    what = f"{spec.id.symbol} open interest"

    def read(row: payloads.OpenInterestRow) -> OpenInterest:
        return OpenInterest(
            instrument=spec.id,
            ts_venue=wire.instant(row.ts, MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            open_interest_base=wire.base_amount(spec, row.openInterest, 1.0, VENUE, what, "openInterest"),
        )

    return wire.rows(wire.decode(_OPEN_INTEREST, body, VENUE, "market/open-interest").data, read)[::-1]


def tiers(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read contracts/risk-limit; limits are notionals in the currency of settlement."""
    what, floor, out = f"{spec.id.symbol} risk limit", 0.0, list[RiskTier]()
    for row in sorted(wire.decode(_TIERS, body, VENUE, "contracts/risk-limit").data, key=lambda row: row.minRiskLimit):
        if row.minRiskLimit != floor:
            raise wire.corrupt(VENUE, what, "minRiskLimit", f"{floor}, the limit below it", row.minRiskLimit)
        rate = wire.positive(row.maintainMargin, VENUE, what, "maintainMargin")
        if rate >= 1.0:
            raise wire.corrupt(VENUE, what, "maintainMargin", "a fraction below 1", rate)
        out.append(RiskTier(floor, rate, None, wire.optional_positive(row.maxLeverage, VENUE, what, "maxLeverage")))
        floor = wire.positive(row.maxRiskLimit, VENUE, what, "maxRiskLimit")
    return [RiskLadder(instrument=spec.id, tiers=tuple(out), known_to=floor, ts_recv=recv_ns)] if out else []


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read level2/snapshot."""
    found = wire.decode(_BOOK, body, VENUE, "level2/snapshot").data
    what = f"{spec.id.symbol} book"

    def side(levels: list[tuple[float, float]], name: str) -> list[tuple[float, float]]:
        return [(wire.positive(p, VENUE, what, name), wire.base_amount(spec, q, p, VENUE, what, name)) for p, q in levels]

    return [
        Book(
            instrument=spec.id,
            ts_venue=recv_ns if found.ts is None else wire.instant(found.ts, 1, VENUE, what, "ts"),
            ts_recv=recv_ns,
            bids=side(found.bids, "bids"),
            asks=side(found.asks, "asks"),
        )
    ]
