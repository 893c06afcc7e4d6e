"""Deribit's frames and answers into records. Pure.

A liquidation is a trade whose `liquidation` names the forced side: "T" the taker, "M" the maker, "MT" both; `direction` is the
taker's. Sources: https://docs.deribit.com, read 2026-11; amounts as in its "amount" notes (USD or base coins, never lots).
"""

from __future__ import annotations

from liqscape.errors import CorruptRecord
from liqscape.model import (
    Bar,
    Book,
    Completeness,
    ContractKind,
    FundingRate,
    InstrumentSpec,
    Liquidation,
    LiquidationPriceKind,
    PositionSide,
    PriceKind,
    TakerSide,
    Ticker,
    Trade,
)
from liqscape.units import NS_PER_HOUR
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.deribit import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "deribit"
_LONG, _SHORT = PositionSide.LONG, PositionSide.SHORT
_TAKER = {"buy": TakerSide.BUY, "sell": TakerSide.SELL}
# (direction of the taker, forced side) -> positions that were closed: who is forced to sell was long.
_CLOSED = {
    ("sell", "T"): (_LONG,),
    ("buy", "T"): (_SHORT,),
    ("buy", "M"): (_LONG,),
    ("sell", "M"): (_SHORT,),
    ("sell", "MT"): (_LONG, _SHORT),
    ("buy", "MT"): (_SHORT, _LONG),
}

_TRADES = wire.decoder(payloads.Trades)
_TICKER = wire.decoder(payloads.TickerFrame)
_PAGE = wire.decoder(payloads.Answer[payloads.TradePage])
_SUMMARIES = wire.decoder(payloads.Answer[list[payloads.SummaryRow]])
_INSTRUMENTS = wire.decoder(payloads.Answer[list[payloads.InstrumentRow]])
_CHART = wire.decoder(payloads.Answer[payloads.Chart])
_FUNDING = wire.decoder(payloads.Answer[list[payloads.FundingRow]])
_BOOK = wire.decoder(payloads.Answer[payloads.Book])


def trades(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `trades.{instrument}.100ms`: each trade, and behind it what it liquidated; block trades are not of the book."""
    out: Parsed = []
    for row in wire.decode(_TRADES, frame, VENUE, "trades").params.data:
        spec = specs.get(row.instrument_name)
        if spec is None:
            continue
        try:
            ts, base = _checked(row, spec)
            side = _TAKER[row.direction]
            forced = _forced(row, spec, ts, base, recv_ns) if row.liquidation else ()
        except CorruptRecord as error:
            out.append(error)
            continue
        if row.block_trade_id is None:
            out.append(
                Trade(
                    instrument=spec.id,
                    taker_side=side,
                    price=row.price,
                    quantity_base=base,
                    ts_venue=ts,
                    ts_recv=recv_ns,
                )
            )
        out.extend(forced)
    return out


def page(body: bytes) -> payloads.TradePage:
    """Read public/get_last_trades_by_instrument_and_time as it is, for the page behind it."""
    return wire.decode(_PAGE, body, VENUE, "trades").result


def liquidations(body: bytes, spec: InstrumentSpec, start_ns: int, end_ns: int, known: frozenset[str], recv_ns: int) -> Parsed:
    """Read past trades and keep what they liquidated in [start_ns, end_ns), but for trades that an earlier page had."""
    out: Parsed = []
    for row in page(body).trades:
        if not row.liquidation or row.trade_id in known:
            continue
        try:
            ts, base = _checked(row, spec)
            if start_ns <= ts < end_ns:
                out.extend(_forced(row, spec, ts, base, recv_ns))
        except CorruptRecord as error:
            out.append(error)
    return out


def _checked(row: payloads.TradeRow, spec: InstrumentSpec) -> tuple[int, float]:
    """Return the instant and the base quantity of a trade whose every number can be true."""
    if row.direction not in _TAKER:
        raise wire.corrupt(VENUE, f"{row.instrument_name} trade", "direction", "buy or sell", row.direction)
    price = wire.positive(row.price, VENUE, "trade", "price")
    base = wire.base_quantity(spec, row.amount, price, VENUE, "trade", "amount")
    return wire.instant(row.timestamp, MS, VENUE, "trade", "timestamp"), base


def _forced(row: payloads.TradeRow, spec: InstrumentSpec, ts: int, base: float, recv_ns: int) -> list[Liquidation]:
    closed = _CLOSED.get((row.direction, row.liquidation or ""))
    if closed is None:
        raise wire.corrupt(VENUE, f"{row.instrument_name} trade", "liquidation", "M, T or MT", row.liquidation)
    return [
        Liquidation(
            instrument=spec.id,
            position_side=side,
            price=row.price,
            price_kind=LiquidationPriceKind.AVERAGE_FILL,
            quantity_base=base,
            completeness=Completeness.ALL,
            ts_venue=ts,
            ts_recv=recv_ns,
        )
        for side in closed
    ]


def ticker(frame: bytes | str, specs: Specs, recv_ns: int) -> Parsed:
    """Read `ticker.{instrument}.100ms`."""

    def read(row: payloads.TickerRow) -> Ticker | None:
        spec = specs.get(row.instrument_name)
        if spec is None:
            return None
        what = f"{row.instrument_name} ticker"
        mark = wire.optional_positive(row.mark_price, VENUE, what, "mark_price")
        return Ticker(
            instrument=spec.id,
            ts_venue=wire.instant(row.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            mark_price=mark,
            index_price=wire.optional_positive(row.index_price, VENUE, what, "index_price"),
            open_interest_base=_open_interest(row.open_interest, spec, mark, what),
            volume_24h_usd=wire.optional_not_negative(row.stats.volume_usd if row.stats else None, VENUE, what, "volume_usd"),
        )

    return wire.rows([wire.decode(_TICKER, frame, VENUE, "ticker").params.data], read)


def summaries(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read public/get_book_summary_by_currency; it has no index price of its own."""

    def read(row: payloads.SummaryRow) -> Ticker | None:
        spec = specs.get(row.instrument_name)
        if spec is None:
            return None
        what = f"{row.instrument_name} book summary"
        mark = wire.optional_positive(row.mark_price, VENUE, what, "mark_price")
        return Ticker(
            instrument=spec.id,
            ts_venue=wire.instant(row.creation_timestamp, MS, VENUE, what, "creation_timestamp"),
            ts_recv=recv_ns,
            mark_price=mark,
            open_interest_base=_open_interest(row.open_interest, spec, mark, what),
            volume_24h_usd=wire.optional_not_negative(row.volume_usd, VENUE, what, "volume_usd"),
        )

    return wire.rows(wire.decode(_SUMMARIES, body, VENUE, "book summary").result, read)


def _open_interest(value: payloads.Loose, spec: InstrumentSpec, mark: float | None, what: str) -> float | None:
    """Inverse open interest is USD and needs the mark price beside it."""
    amount = wire.optional_not_negative(value, VENUE, what, "open_interest")
    if amount is None or (spec.kind is ContractKind.INVERSE and mark is None):
        return None
    return wire.base_amount(spec, amount, mark or 1.0, VENUE, what, "open_interest")


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read public/get_instruments; `contract_size` there is the size of a lot, while amounts are USD or base coins: it is 1."""

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        what = f"{row.instrument_name} instrument"
        if row.kind != "future":
            return None
        line = row.instrument_type or row.future_type
        if line not in ("reversed", "linear"):
            raise wire.corrupt(VENUE, what, "instrument_type", "reversed or linear", line)
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.instrument_name, what),
            base=row.base_currency.upper(),
            quote=row.quote_currency.upper(),
            kind=ContractKind.INVERSE if line == "reversed" else ContractKind.LINEAR,
            contract_size=1.0,
            tick_size=wire.positive(row.tick_size, VENUE, what, "tick_size"),
            funding_interval_ns=NS_PER_HOUR if row.settlement_period == "perpetual" else None,
            max_leverage=wire.optional_positive(row.max_leverage, VENUE, what, "max_leverage"),
            perpetual=row.settlement_period == "perpetual",
            trading=row.is_active,
            market=line,
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "get_instruments").result, read)


def bars(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read public/get_tradingview_chart_data; volume is base coins for both kinds of contract."""
    what = f"{spec.id.symbol} chart"
    chart = wire.decode(_CHART, body, VENUE, "chart").result
    if chart.status == "no_data":
        return []
    columns = (chart.ticks, chart.open, chart.high, chart.low, chart.close, chart.volume)
    if len({len(column) for column in columns}) != 1:
        raise wire.corrupt(VENUE, what, "ticks", "columns of one length", [len(column) for column in columns])

    def read(row: tuple[float, ...]) -> Bar | None:
        start = wire.instant(row[0], MS, VENUE, what, "ticks")
        volume = wire.not_negative(row[5], VENUE, what, "volume")
        return wire.bar(spec, PriceKind.LAST, start, (row[1], row[2], row[3], row[4]), volume, None, recv_ns)

    return wire.rows(list(zip(*columns, strict=True)), read)


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read public/get_funding_rate_history: interest of the hour that ended at each stamp; it is paid all the time."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        return FundingRate(
            instrument=spec.id,
            ts_venue=wire.instant(row.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            rate=wire.finite(row.interest_1h, VENUE, what, "interest_1h"),
            interval_ns=NS_PER_HOUR,
        )

    return wire.rows(wire.decode(_FUNDING, body, VENUE, "funding").result, read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read public/get_order_book; amounts are USD (inverse) or base coins (linear)."""
    found = wire.decode(_BOOK, body, VENUE, "order book").result
    what = f"{spec.id.symbol} book"

    def side(levels: list[tuple[float, float]], name: str) -> list[tuple[float, float]]:
        return [(wire.positive(p, VENUE, what, name), wire.base_quantity(spec, q, p, VENUE, what, name)) for p, q in levels]

    return [
        Book(
            instrument=spec.id,
            ts_venue=wire.instant(found.timestamp, MS, VENUE, what, "timestamp"),
            ts_recv=recv_ns,
            bids=side(found.bids, "bids"),
            asks=side(found.asks, "asks"),
        )
    ]
