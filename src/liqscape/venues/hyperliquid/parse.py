"""Hyperliquid's market data into records. Pure. Accounts are read in `accounts`.

Sources: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (info endpoint, websocket subscriptions) and
/trading/margin-tiers ("maintenance margin is half of the initial margin at max leverage"); read 2026-11.
Coins are written as on the venue (`kPEPE` is a thousand PEPE) and stored in capitals.
"""

from __future__ import annotations

from liqscape.model import (
    Bar,
    Book,
    ContractKind,
    FundingRate,
    InstrumentId,
    InstrumentSpec,
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
from liqscape.venues.hyperliquid import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "hyperliquid"
_TAKER = {"B": TakerSide.BUY, "A": TakerSide.SELL}
_THOUSAND = "1000"

_TRADES = wire.decoder(payloads.Trades)
_CONTEXT = wire.decoder(payloads.ContextFrame)
_META = wire.decoder(payloads.Meta)
_META_AND_CONTEXTS = wire.decoder(tuple[payloads.Meta, list[payloads.Context]])
_CANDLES = wire.decoder(list[payloads.Candle])
_FUNDING = wire.decoder(list[payloads.FundingRow])
_BOOK = wire.decoder(payloads.Book)

Side = list[tuple[float, float]]


def coin_of(spec: InstrumentSpec) -> str:
    """Return the venue's own spelling, which requests need: `kPEPE` of base 1000PEPE."""
    scaled = spec.base.startswith(_THOUSAND) and spec.id.symbol.startswith("K")
    return f"k{spec.id.symbol[1:]}" if scaled else spec.id.symbol


def trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read channel `trades`. The first frame after subscribing holds recent trades, which may have been told before."""

    def read(row: payloads.TradeRow) -> Trade | None:
        spec = specs.get(row.coin.upper())
        if spec is None:
            return None
        what = f"{row.coin} trade"
        side = _TAKER.get(row.side)
        if side is None:
            raise wire.corrupt(VENUE, what, "side", "B or A", row.side)
        return Trade(
            instrument=spec.id,
            taker_side=side,
            price=wire.positive(row.px, VENUE, what, "px"),
            quantity_base=wire.positive(row.sz, VENUE, what, "sz"),
            ts_venue=wire.instant(row.time, MS, VENUE, what, "time"),
            ts_recv=recv_ns,
            accounts=None if row.users is None else (row.users[0].lower(), row.users[1].lower()),
        )

    return wire.rows(wire.decode(_TRADES, frame, VENUE, "trades").data, read)


def context(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read channel `activeAssetCtx`; it carries no time, so that it is as of its arrival."""
    row = wire.decode(_CONTEXT, frame, VENUE, "activeAssetCtx").data
    return wire.rows([row], lambda row: _ticker(row.coin, row.ctx, specs, recv_ns))


def tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read `metaAndAssetCtxs`: contexts stand in the order of the universe."""
    meta, contexts = wire.decode(_META_AND_CONTEXTS, body, VENUE, "metaAndAssetCtxs")
    if len(meta.universe) != len(contexts):
        found = f"{len(meta.universe)} coins, {len(contexts)} contexts"
        raise wire.corrupt(VENUE, "metaAndAssetCtxs", "contexts", "one per coin of the universe", found)
    pairs = list(zip(meta.universe, contexts, strict=True))
    return wire.rows(pairs, lambda pair: _ticker(pair[0].name, pair[1], specs, recv_ns))


def _ticker(coin: str, row: payloads.Context, specs: Specs, recv_ns: int) -> Ticker | None:
    spec = specs.get(coin.upper())
    if spec is None:
        return None
    what = f"{coin} context"

    def number(value: payloads.Loose, field: str) -> float | None:
        found = wire.optional(value, VENUE, what, field)
        return None if found is None else wire.not_negative(found, VENUE, what, field)

    def price(value: payloads.Loose, field: str) -> float | None:
        found = wire.optional(value, VENUE, what, field)
        return None if found is None else wire.positive(found, VENUE, what, field)

    return Ticker(
        instrument=spec.id,
        ts_venue=recv_ns,
        ts_recv=recv_ns,
        mark_price=price(row.markPx, "markPx"),
        index_price=price(row.oraclePx, "oraclePx"),
        open_interest_base=number(row.openInterest, "openInterest"),
        funding_rate=wire.optional(row.funding, VENUE, what, "funding"),
        next_funding_ns=(recv_ns // NS_PER_HOUR + 1) * NS_PER_HOUR,
        volume_24h_usd=number(row.dayNtlVlm, "dayNtlVlm"),
    )


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read `meta`. A price may have five significant figures, so that no step of it is the same everywhere: tick is None."""

    def read(row: payloads.Asset) -> InstrumentSpec:
        what = f"{row.name} instrument"
        symbol = row.name.upper()
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.name, what),
            base=_THOUSAND + symbol[1:] if row.name.startswith("k") else symbol,
            quote="USDC",
            kind=ContractKind.LINEAR,
            contract_size=1.0,
            funding_interval_ns=NS_PER_HOUR,
            max_leverage=wire.positive(row.maxLeverage, VENUE, what, "maxLeverage"),
            trading=not row.isDelisted,
            market="perp",
        )

    return wire.rows(wire.decode(_META, body, VENUE, "meta").universe, read)


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read the margin tables of `meta`; ids below 50 are one tier of so much leverage and stand in no table.

    A tier's deduction is that of the recurrence `D_n = D_(n-1) + floor_n (mmr_n - mmr_(n-1))`: the documentation names the
    deductions but the answer does not carry them.
    """
    meta = wire.decode(_META, body, VENUE, "meta")
    tables = {number: table.marginTiers for number, table in meta.marginTables}

    def read(row: payloads.Asset) -> RiskLadder | None:
        spec = specs.get(row.name.upper())
        if spec is None:
            return None
        what = f"{row.name} margin table"
        found = tables.get(row.marginTableId or 0) or [payloads.MarginTier(0.0, row.maxLeverage)]
        out: list[RiskTier] = []
        for tier in sorted(found, key=lambda tier: tier.lowerBound):
            leverage = wire.positive(tier.maxLeverage, VENUE, what, "maxLeverage")
            floor, rate = wire.not_negative(tier.lowerBound, VENUE, what, "lowerBound"), 0.5 / leverage
            before = out[-1] if out else RiskTier(0.0, rate, 0.0)
            deduction = (before.deduction or 0.0) + floor * (rate - before.maintenance_margin_rate)
            out.append(wire.tier(floor, rate, deduction, leverage, VENUE, what, "maxLeverage"))
        if out[0].floor != 0.0:
            raise wire.corrupt(VENUE, what, "lowerBound", "a first tier from 0", out[0].floor)
        return RiskLadder(instrument=spec.id, tiers=tuple(out), ts_recv=recv_ns)

    return wire.rows(meta.universe, read)


def bars(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read `candleSnapshot` of one minute: last prices, oldest first; nobody says what takers bought."""
    what = f"{spec.id.symbol} candle"

    def read(row: payloads.Candle) -> Bar | None:
        start = wire.instant(row.t, MS, VENUE, what, "t")
        volume = wire.not_negative(row.v, VENUE, what, "v")
        return wire.bar(spec, PriceKind.LAST, start, (row.o, row.h, row.l, row.c), volume, None, recv_ns)

    return wire.rows(wire.decode(_CANDLES, body, VENUE, "candleSnapshot"), read)


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read `fundingHistory`; stamps are some milliseconds after the hour that was paid."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        ts = wire.instant(row.time, MS, VENUE, what, "time")
        return FundingRate(
            instrument=spec.id,
            ts_venue=ts // NS_PER_HOUR * NS_PER_HOUR,
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate"),
            interval_ns=NS_PER_HOUR,
        )

    return wire.rows(wire.decode(_FUNDING, body, VENUE, "fundingHistory"), read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int, finer: bytes | None = None) -> Parsed:
    """Read `l2Book`, 20 levels a side.

    Parameters
    ----------
    body
        Of few significant figures: wide and coarse.
    finer
        The same with one figure more: it is used as far as it reaches, and only what stands beyond it is taken from `body`.
    """
    found = wire.decode(_BOOK, body, VENUE, "l2Book")
    near = None if finer is None else wire.decode(_BOOK, finer, VENUE, "l2Book")
    what = f"{spec.id.symbol} book"
    sides: list[Side] = []
    for number, name in enumerate(("bids", "asks")):
        wide = _side(found.levels[number], what, name)
        sides.append(wide if near is None else _beyond(_side(near.levels[number], what, name), wide, 1 if number else -1))
    return [
        Book(
            instrument=spec.id,
            ts_venue=wire.instant(found.time, MS, VENUE, what, "time"),
            ts_recv=recv_ns,
            bids=sides[0],
            asks=sides[1],
        )
    ]


def _side(levels: list[payloads.BookLevel], what: str, name: str) -> Side:
    return [(wire.positive(row.px, VENUE, what, name), wire.not_negative(row.sz, VENUE, what, name)) for row in levels]


def _beyond(near: Side, wide: Side, outward: int) -> Side:
    """Go on from the end of the finer side: a coarse bucket that the finer side reaches into keeps what is left of it."""
    if not near:
        return wide
    end, left = near[-1][0] * outward, sum(size for _, size in near)
    out = list(near)
    for price, size in wide:
        if price * outward <= end:
            left -= size
        else:
            # `left` is what the finer side already told of this bucket; later ones are new as a whole.
            out.append((price, max(size - max(left, 0.0), 0.0)))
            left = 0.0
    return out


def known_coin(name: str) -> InstrumentId:
    """Return the instrument of a coin as positions name it."""
    return wire.symbol_id(VENUE, name, "position")
