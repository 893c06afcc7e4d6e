"""HTX's frames and answers into records. Pure: frames come unpacked here, `unpack` does it.

Sources: https://www.htx.com/en-us/opend/newApiPages/ (USDT margined contracts; "Sum of both buy and sell sides" of open interest,
volumes and turnovers), read 2026-11.
"""

from __future__ import annotations

import math
import zlib
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
from liqscape.units import NS_PER_HOUR, NS_PER_S
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.htx import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "htx"
BOTH_SIDES = 2.0
# No honest frame is longer unpacked; deflate makes at most 1,032 bytes of one, so short frames need no counting.
LONGEST_FRAME = 16 * 2**20
_SAFE = LONGEST_FRAME // 1032
_CLOSED = {"buy": PositionSide.SHORT, "sell": PositionSide.LONG}
_POSITION = {"long": PositionSide.LONG, "short": PositionSide.SHORT}
_TAKER = {"buy": TakerSide.BUY, "sell": TakerSide.SELL}
# Turnover is contracts x size x price in every print that is known. Another size stands out by a factor of ten; a turnover by
# the fills instead of the bankruptcy price would not.
_FACTOR = 2.0
# Members of an enumeration are looked up slowly, and prints come by the hundred thousand.
_LINEAR, _BANKRUPTCY, _UNKNOWN = ContractKind.LINEAR, LiquidationPriceKind.BANKRUPTCY, Completeness.UNKNOWN

_LIQUIDATIONS = wire.decoder(payloads.Liquidations)
_NEW_LIQUIDATIONS = wire.decoder(payloads.Answer[list[payloads.NewRow]])
_FUNDING_FRAME = wire.decoder(payloads.FundingFrame)
_TRADES = wire.decoder(payloads.Trades)
_OPEN_INTEREST = wire.decoder(payloads.Answer[list[payloads.OpenInterestRow]])
_FUNDING_NOW = wire.decoder(payloads.Answer[list[payloads.FundingRow]])
_INDEX = wire.decoder(payloads.Answer[list[payloads.IndexRow]])
_PAST_OPEN_INTEREST = wire.decoder(payloads.Answer[payloads.OpenInterestHistory])
_INSTRUMENTS = wire.decoder(payloads.Answer[list[payloads.InstrumentRow]])
_CANDLES = wire.decoder(payloads.Answer[list[payloads.CandleRow]])
_FUNDING = wire.decoder(payloads.Answer[payloads.FundingPage])
_RATIOS = wire.decoder(payloads.Answer[payloads.Ratios])
_TIERS = wire.decoder(payloads.Answer[list[payloads.TierRow]])
_BOOK = wire.decoder(payloads.BookAnswer)


def unpack(frame: str | bytes) -> str | bytes:
    """Return a frame's text: HTX packs every frame with gzip; what is no gzip is taken as text.

    Raises
    ------
    CorruptRecord
        If the gzip is damaged, cut, or unpacks to more than any honest frame.
    """
    if isinstance(frame, str) or frame[:2] != b"\x1f\x8b":
        return frame
    try:
        if len(frame) <= _SAFE:
            return zlib.decompress(frame, 31)
        reader = zlib.decompressobj(31)
        text = reader.decompress(frame, LONGEST_FRAME)
        if reader.eof:
            return text
        found = "more" if reader.unconsumed_tail else "a gzip that is cut"
    except zlib.error as error:
        raise wire.corrupt(VENUE, "frame", "gzip", "an undamaged gzip", error) from None
    raise wire.corrupt(VENUE, "frame", "gzip", f"at most {LONGEST_FRAME} bytes", found)


def liquidations(frame: bytes | str, specs: Specs, recv_ns: int, after_id: int = -1) -> Parsed:
    """Read topic `public.*.liquidation_orders`, or a page of its history: the rows are the same.

    Rows of a page up to `after_id` are left out: the page before told them.
    """
    out: Parsed = []
    for row in wire.decode(_LIQUIDATIONS, frame, VENUE, "liquidation_orders").data:
        spec = specs.get(row.contract_code)
        if spec is None or (row.query_id is not None and row.query_id <= after_id):
            continue
        try:
            side = _CLOSED.get(row.direction)
            if side is None:
                raise wire.corrupt(VENUE, f"{row.contract_code} liquidation", "direction", "buy or sell", row.direction)
            out.append(_liquidation(spec, side, row.volume, row.price, row.trade_turnover, row.created_at, recv_ns))
        except CorruptRecord as error:
            out.append(error)
    return out


def last_id(body: bytes) -> int | None:
    """Return the largest id of a page of history, from which the next page goes on; None if it is the last."""
    ids = [row.query_id for row in wire.decode(_LIQUIDATIONS, body, VENUE, "swap_liquidation_orders").data]
    return max((one for one in ids if one is not None), default=None)


def new_liquidations(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /v5/market/liquidation_orders."""

    def read(row: payloads.NewRow) -> Liquidation | None:
        spec, side = specs.get(row.contract_code), _POSITION.get(row.position_side)
        if spec is None:
            return None
        if side is None:
            what = f"{row.contract_code} liquidation"
            raise wire.corrupt(VENUE, what, "position_side", "long or short", row.position_side)
        return _liquidation(spec, side, row.volume, row.bankrupt_price, row.trade_turnover, row.liquidation_time, recv_ns)

    return wire.rows(wire.decode(_NEW_LIQUIDATIONS, body, VENUE, "v5 liquidation_orders").data, read)


def _liquidation(
    spec: InstrumentSpec,
    side: PositionSide,
    contracts: float,
    price: float,
    turnover: payloads.Loose,
    time: float,
    recv_ns: int,
) -> Liquidation:
    if not (0.0 < price < math.inf and 0.0 < (base := quantity_base(spec, contracts, price)) < math.inf):
        found = f"{price}, {contracts}"
        raise wire.corrupt(VENUE, f"{spec.id.symbol} liquidation", "price, volume", "numbers > 0", found)
    if turnover is not None and spec.kind is _LINEAR:
        quote = turnover if isinstance(turnover, float) else wire.optional(turnover, VENUE, "liquidation", "trade_turnover")
        if quote and not 1.0 / _FACTOR < base * price / quote < _FACTOR:
            expected = f"{contracts} contracts of {spec.contract_size} at {price}"
            raise wire.corrupt(VENUE, f"{spec.id.symbol} liquidation", "trade_turnover", expected, turnover)
    return Liquidation(
        instrument=spec.id,
        position_side=side,
        price=price,
        price_kind=_BANKRUPTCY,
        quantity_base=base,
        completeness=_UNKNOWN,
        ts_venue=wire.instant(time, MS, VENUE, "liquidation", "created_at"),
        ts_recv=recv_ns,
    )


def trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `market.{code}.trade.detail`; a row without direction tells no taker and is left out."""
    found = wire.decode(_TRADES, frame, VENUE, "trade.detail")
    spec = specs.get(found.ch.removeprefix("market.").removesuffix(".trade.detail"))

    def read(row: payloads.TradeRow) -> Trade | None:
        side = _TAKER.get(row.direction)
        if spec is None or row.direction == "":
            return None
        if side is None:
            raise wire.corrupt(VENUE, f"{spec.id.symbol} trade", "direction", "buy, sell or empty", row.direction)
        price = wire.positive(row.price, VENUE, "trade", "price")
        return Trade(
            instrument=spec.id,
            taker_side=side,
            price=price,
            quantity_base=wire.positive(quantity_base(spec, row.amount, price), VENUE, "trade", "amount"),
            ts_venue=wire.instant(row.ts, MS, VENUE, "trade", "ts"),
            ts_recv=recv_ns,
        )

    return wire.rows(found.tick.data, read)


def funding_now(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read topic `public.*.funding_rate`: settlement_time is the next stamp, funding_time the minute of the message."""
    found = wire.decode(_FUNDING_FRAME, frame, VENUE, "funding_rate")
    at = wire.instant(found.ts, MS, VENUE, "funding_rate", "ts")
    return wire.rows(found.data, lambda row: _funding_now(row, row.settlement_time, specs, at, recv_ns))


def funding_rates(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read swap_batch_funding_rate: funding_time is the next stamp."""
    found = wire.decode(_FUNDING_NOW, body, VENUE, "swap_batch_funding_rate")
    at = _told(found.ts, "swap_batch_funding_rate", recv_ns)
    return wire.rows(found.data, lambda row: _funding_now(row, row.funding_time, specs, at, recv_ns))


def _funding_now(row: payloads.FundingRow, due: payloads.Loose, specs: Specs, at_ns: int, recv_ns: int) -> Ticker | None:
    spec = specs.get(row.contract_code)
    rate = None if spec is None else wire.optional(row.funding_rate, VENUE, f"{row.contract_code} funding", "funding_rate")
    if spec is None or rate is None:
        return None
    stamp = wire.optional(due, VENUE, f"{row.contract_code} funding", "settlement_time")
    next_ns = wire.instant(stamp, MS, VENUE, f"{row.contract_code} funding", "settlement_time") if stamp else None
    return Ticker(
        instrument=spec.id,
        ts_venue=at_ns,
        ts_recv=recv_ns,
        funding_rate=rate,
        next_funding_ns=next_ns if next_ns is not None and next_ns > at_ns else None,
    )


def _told(ts: payloads.Loose, what: str, recv_ns: int) -> int:
    at = wire.optional(ts, VENUE, what, "ts")
    return recv_ns if at is None else wire.instant(at, MS, VENUE, what, "ts")


def open_interest_now(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read swap_open_interest: coins and turnover of both sides, so halved."""
    found = wire.decode(_OPEN_INTEREST, body, VENUE, "swap_open_interest")
    at = _told(found.ts, "swap_open_interest", recv_ns)

    def read(row: payloads.OpenInterestRow) -> Ticker | None:
        spec, what = specs.get(row.contract_code), f"{row.contract_code} open interest"
        if spec is None:
            return None
        held = wire.optional(row.amount, VENUE, what, "amount")
        traded = wire.optional(row.trade_turnover, VENUE, what, "trade_turnover")
        return Ticker(
            instrument=spec.id,
            ts_venue=at,
            ts_recv=recv_ns,
            open_interest_base=None if held is None else wire.not_negative(held, VENUE, what, "amount") / BOTH_SIDES,
            volume_24h_usd=None if traded is None else wire.not_negative(traded, VENUE, what, "trade_turnover") / BOTH_SIDES,
        )

    return wire.rows(found.data, read)


def index_now(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read swap_index."""

    def read(row: payloads.IndexRow) -> Ticker | None:
        spec, what = specs.get(row.contract_code), f"{row.contract_code} index"
        if spec is None:
            return None
        price = wire.positive(row.index_price, VENUE, what, "index_price")
        return Ticker(instrument=spec.id, ts_venue=_told(row.index_ts, what, recv_ns), ts_recv=recv_ns, index_price=price)

    return wire.rows(wire.decode(_INDEX, body, VENUE, "swap_index").data, read)


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read swap_contract_info: a contract is contract_size coins. Names beyond ASCII are left out."""

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        if not row.contract_code.isascii():
            return None
        what = f"{row.contract_code} instrument"
        base, _, quote = row.contract_code.upper().partition("-")
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.contract_code, what),
            base=base,
            quote=quote,
            kind=ContractKind.LINEAR,
            contract_size=wire.positive(row.contract_size, VENUE, what, "contract_size"),
            tick_size=wire.positive(row.price_tick, VENUE, what, "price_tick"),
            perpetual=row.business_type == "swap" and "-" not in quote,
            trading=row.contract_status == 1,
            market="linear",
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "swap_contract_info").data, read)


def bars(body: bytes, spec: InstrumentSpec, kind: PriceKind, recv_ns: int) -> Parsed:
    """Read history/kline or linear_swap_mark_price_kline, oldest first; amount is coins of both sides. No taker volume."""
    what = f"{spec.id.symbol} kline"

    def read(row: payloads.CandleRow) -> Bar | None:
        volume = wire.not_negative(row.amount, VENUE, what, "amount") / BOTH_SIDES if kind is PriceKind.LAST else None
        start = wire.instant(row.id, NS_PER_S, VENUE, what, "id")
        return wire.bar(spec, kind, start, (row.open, row.high, row.low, row.close), volume, None, recv_ns)

    return wire.rows(wire.decode(_CANDLES, body, VENUE, "kline").data, read)


def open_interest(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read swap_his_open_interest in coins (amount_type 2), both sides, so halved; in contracts if amount_type is 1."""
    what = f"{spec.id.symbol} open interest"

    def read(row: payloads.PastOpenInterest) -> OpenInterest:
        unit = {"1": spec.contract_size, "2": 1.0}.get(str(row.amount_type))
        if unit is None:
            raise wire.corrupt(VENUE, what, "amount_type", "1 or 2", row.amount_type)
        return OpenInterest(
            instrument=spec.id,
            ts_venue=wire.instant(row.ts, MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            open_interest_base=wire.not_negative(row.volume * unit, VENUE, what, "volume") / BOTH_SIDES,
        )

    found = wire.rows(wire.decode(_PAST_OPEN_INTEREST, body, VENUE, "swap_his_open_interest").data.tick, read)
    return sorted(found, key=lambda one: one.ts_venue if isinstance(one, OpenInterest) else 0)


def funding_page(body: bytes) -> tuple[int, int]:
    """Return (this page, all pages) of the history of funding."""
    found = wire.decode(_FUNDING, body, VENUE, "swap_historical_funding_rate").data
    return found.current_page, found.total_page


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read swap_historical_funding_rate, newest first; the interval is not listed and is told from the stamps."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        paid = wire.optional(row.realized_rate, VENUE, what, "realized_rate")
        rate = wire.optional(row.funding_rate, VENUE, what, "funding_rate") if paid is None else paid
        stamp = wire.optional(row.funding_time, VENUE, what, "funding_time")
        if rate is None or stamp is None:
            raise wire.corrupt(VENUE, what, "funding_rate, funding_time", "numbers", row)
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(stamp, MS, VENUE, what, "funding_time"),
            ts_recv=recv_ns,
            rate=rate,
            interval_ns=8 * NS_PER_HOUR,
        )

    return wire.funding_spaced(wire.rows(wire.decode(_FUNDING, body, VENUE, "swap_historical_funding_rate").data.data, read))


def ratios(body: bytes, spec: InstrumentSpec, population: Population, recv_ns: int) -> Parsed:
    """Read an elite ratio: shares of top traders' accounts or sizes; accounts that hold both sides are left out."""
    what = f"{spec.id.symbol} {population.value} ratio"

    def read(row: payloads.RatioRow) -> AccountRatio | None:
        long = wire.optional(row.buy_ratio, VENUE, what, "buy_ratio")
        short = wire.optional(row.sell_ratio, VENUE, what, "sell_ratio")
        if long is None or short is None:
            return None
        check: Callable[[float, str], float] = lambda value, name: wire.not_negative(value, VENUE, what, name)  # noqa: E731
        both = wire.positive(check(long, "buy_ratio") + check(short, "sell_ratio"), VENUE, what, "buy_ratio + sell_ratio")
        return AccountRatio(
            instrument=spec.id,
            population=population,
            ts_venue=wire.instant(row.ts, MS, VENUE, what, "ts"),
            ts_recv=recv_ns,
            long_share=long / both,
        )

    found = wire.rows(wire.decode(_RATIOS, body, VENUE, "elite ratio").data.rows, read)
    return sorted(found, key=lambda one: one.ts_venue if isinstance(one, AccountRatio) else 0)


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read swap_cross_adjustfactor: of each contract the rungs of its highest leverage, in contracts, converted to coins.

    HTX liquidates when equity / position margin falls to the adjust factor, and position margin is notional / leverage: so the
    maintenance rate is adjust_factor / leverage.
    """

    def read(row: payloads.TierRow) -> RiskLadder | None:
        spec, what = specs.get(row.contract_code), f"{row.contract_code} adjust factors"
        if spec is None or not row.rows:
            return None
        highest = max(row.rows, key=lambda one: one.lever_rate)
        leverage = wire.positive(highest.lever_rate, VENUE, what, "lever_rate")
        rungs = sorted(highest.ladders, key=lambda rung: rung.min_size)
        out = [
            RiskTier(
                wire.not_negative(rung.min_size * spec.contract_size, VENUE, what, "min_size"),
                wire.positive(rung.adjust_factor / leverage, VENUE, what, "adjust_factor"),
                None,
                leverage,
            )
            for rung in rungs
        ]
        end = wire.optional(rungs[-1].max_size, VENUE, what, "max_size") if rungs else None
        known = None if end is None else wire.positive(end * spec.contract_size, VENUE, what, "max_size")
        return RiskLadder(instrument=spec.id, tiers=tuple(out), in_size=True, known_to=known, ts_recv=recv_ns) if out else None

    return wire.rows(wire.decode(_TIERS, body, VENUE, "swap_cross_adjustfactor").data, read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read market/depth; sizes are contracts, an empty side is absent."""
    found, what = wire.decode(_BOOK, body, VENUE, "depth").tick, f"{spec.id.symbol} book"

    def side(levels: list[tuple[float, float]] | None, name: str) -> list[tuple[float, float]]:
        return [
            (wire.positive(p, VENUE, what, name), quantity_base(spec, wire.not_negative(q, VENUE, what, name), p))
            for p, q in levels or []
        ]

    at = wire.instant(found.ts, MS, VENUE, what, "ts")
    return [Book(instrument=spec.id, ts_venue=at, ts_recv=recv_ns, bids=side(found.bids, "bids"), asks=side(found.asks, "asks"))]
