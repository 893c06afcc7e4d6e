"""BitMEX's frames and answers into records. Pure.

The table `liquidation` shows the engine's orders while they stand on the book: `side` is the order's, so that a sell closes a
long; what an order brings when it is first seen is counted, once per orderID. It has no time: a print's `ts_venue` is its arrival
and its `venue_id` the orderID. Quanto contracts (ETHUSD and the like) are left out: what one is worth in base coins hangs on the
price of bitcoin. Sources: recorded frames of 2019 to 2022, https://www.bitmex.com/app/wsAPI, read 2026-11.
"""

from __future__ import annotations

from datetime import UTC, datetime

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
    RiskLadder,
    RiskTier,
    Ticker,
)
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.venues import wire
from liqscape.venues.base import Specs
from liqscape.venues.bitmex import payloads
from liqscape.venues.wire import MS, Parsed

VENUE = "bitmex"
_CLOSED = {"Sell": PositionSide.LONG, "Buy": PositionSide.SHORT}
# FFWCSX: perpetual on a coin; FFWCSF: perpetual on a currency pair; FF..: other futures. Anything else is spot or an index.
_PERPETUAL = ("FFWCSX", "FFWCSF")
_SATOSHIS = 1e8
_SETTLED_IN = {"XBt": 1e8, "USDt": 1e6}  # units of margin per coin or dollar
_MIDNIGHT = datetime(2000, 1, 1, tzinfo=UTC)

_LIQUIDATIONS = wire.decoder(payloads.Table[payloads.LiquidationRow])
_INSTRUMENT = wire.decoder(payloads.Table[payloads.InstrumentRow])
_INSTRUMENTS = wire.decoder(list[payloads.InstrumentRow])
_BUCKETS = wire.decoder(list[payloads.BucketRow])
_FUNDING = wire.decoder(list[payloads.FundingRow])
_BOOK = wire.decoder(list[payloads.BookRow])


class Orders:
    """The orders that were seen lately; the oldest is forgotten when there are too many.

    Parameters
    ----------
    most
        How many are remembered: an order stands for seconds, so this is days of them.
    """

    def __init__(self, most: int = 20_000) -> None:
        self._seen: dict[str, None] = {}
        self._most = most

    def is_new(self, order: str) -> bool:
        """Remember an order; True if it was not known."""
        if order in self._seen:
            return False
        self._seen[order] = None
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
        return True


def liquidations(frame: bytes | str, specs: Specs, orders: Orders, recv_ns: int) -> Parsed:
    """Read the table `liquidation`: an order counts when it is first seen, in a `partial` or an `insert`."""
    found = wire.decode(_LIQUIDATIONS, frame, VENUE, "liquidation")
    if found.action not in ("partial", "insert"):
        return []

    def read(row: payloads.LiquidationRow) -> Liquidation | None:
        spec = specs.get(row.symbol)
        if spec is None:
            return None
        what = f"{row.symbol} liquidation"
        closed = _CLOSED.get(row.side or "")
        if closed is None:
            raise wire.corrupt(VENUE, what, "side", "Buy or Sell", row.side)
        if not row.orderID:
            raise wire.corrupt(VENUE, what, "orderID", "an order's id", row.orderID)
        price = wire.positive(row.price or 0.0, VENUE, what, "price")
        made = Liquidation(
            instrument=spec.id,
            position_side=closed,
            price=price,
            price_kind=LiquidationPriceKind.BANKRUPTCY,
            quantity_base=wire.base_quantity(spec, row.leavesQty or 0.0, price, VENUE, what, "leavesQty"),
            completeness=Completeness.ALL,
            ts_venue=recv_ns,
            ts_recv=recv_ns,
            venue_id=row.orderID,
        )
        return made if orders.is_new(row.orderID) else None

    return wire.rows(found.data, read)


def tickers(frame: bytes | str, specs: Specs, marks: dict[str, float], recv_ns: int) -> Parsed:
    """Read the table `instrument`; `marks` holds the last mark price of each symbol, which inverse open interest needs."""
    found = wire.decode(_INSTRUMENT, frame, VENUE, "instrument")
    return wire.rows(found.data, lambda row: _ticker(row, specs, marks, recv_ns))


def active_tickers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read /instrument/active as tickers."""
    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "instruments"), lambda row: _ticker(row, specs, {}, recv_ns))


def _ticker(row: payloads.InstrumentRow, specs: Specs, marks: dict[str, float], recv_ns: int) -> Ticker | None:
    spec = specs.get(row.symbol)
    if spec is None:
        return None
    what = f"{row.symbol} instrument"
    told = (row.markPrice, row.indicativeSettlePrice, row.openInterest, row.fundingRate, row.foreignNotional24h)
    if told == (None,) * len(told):
        return None
    mark = wire.optional_positive(row.markPrice, VENUE, what, "markPrice")
    if mark is not None:
        marks[row.symbol] = mark
    return Ticker(
        instrument=spec.id,
        ts_venue=recv_ns if row.timestamp is None else instant(row.timestamp, what, "timestamp"),
        ts_recv=recv_ns,
        mark_price=mark,
        index_price=wire.optional_positive(row.indicativeSettlePrice, VENUE, what, "indicativeSettlePrice"),
        open_interest_base=_open_interest(row.openInterest, spec, marks.get(row.symbol), what),
        funding_rate=wire.optional(row.fundingRate, VENUE, what, "fundingRate"),
        next_funding_ns=None if row.fundingTimestamp is None else instant(row.fundingTimestamp, what, "fundingTimestamp"),
        volume_24h_usd=wire.optional_not_negative(row.foreignNotional24h, VENUE, what, "foreignNotional24h"),
    )


def _open_interest(contracts: float | None, spec: InstrumentSpec, mark: float | None, what: str) -> float | None:
    number = wire.optional_not_negative(contracts, VENUE, what, "openInterest")
    if number is None or (spec.kind is ContractKind.INVERSE and mark is None):
        return None
    return wire.base_amount(spec, number, mark or 1.0, VENUE, what, "openInterest")


def instant(time: datetime, what: str, field: str) -> int:
    """Return ns UTC of a written time, which is exact to the millisecond."""
    return wire.instant(round(time.timestamp() * 1000.0), MS, VENUE, what, field)


def instruments(body: bytes, recv_ns: int) -> Parsed:
    """Read /instrument/active: futures that are linear or inverse; spot, indices and quanto contracts are left out."""

    def read(row: payloads.InstrumentRow) -> InstrumentSpec | None:
        if not (row.typ or "").startswith("FF") or row.isQuanto:
            return None
        what = f"{row.symbol} instrument"
        if not row.underlying or not row.quoteCurrency:
            raise wire.corrupt(VENUE, what, "underlying", "a coin and its quote", (row.underlying, row.quoteCurrency))
        margin = wire.optional_positive(row.initMargin, VENUE, what, "initMargin")
        return InstrumentSpec(
            id=wire.symbol_id(VENUE, row.symbol, what),
            base=_coin(row.underlying),
            quote=_coin(row.quoteCurrency),
            kind=ContractKind.INVERSE if row.isInverse else ContractKind.LINEAR,
            contract_size=_contract(row, what),
            tick_size=wire.optional_positive(row.tickSize, VENUE, what, "tickSize"),
            funding_interval_ns=None if row.fundingInterval is None else _interval(row.fundingInterval, what),
            max_leverage=None if margin is None else wire.positive(1.0 / margin, VENUE, what, "initMargin"),
            perpetual=row.typ in _PERPETUAL,
            trading=row.state == "Open",
            market="inverse" if row.isInverse else "linear",
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "instruments"), read)


def _coin(name: str) -> str:
    return "BTC" if name.upper() == "XBT" else name.upper()


def _contract(row: payloads.InstrumentRow, what: str) -> float:
    """Inverse: quote per contract. Linear: base per contract, which two multipliers tell; they must agree where both stand."""
    multiplier = abs(wire.finite(row.multiplier or 0.0, VENUE, what, "multiplier"))
    if row.isInverse:
        return wire.positive(multiplier / _SATOSHIS, VENUE, what, "multiplier")
    per_base = wire.optional_positive(row.underlyingToPositionMultiplier, VENUE, what, "underlyingToPositionMultiplier")
    to_settle = wire.optional_positive(row.quoteToSettleMultiplier, VENUE, what, "quoteToSettleMultiplier")
    by_value = multiplier / to_settle if to_settle is not None else None
    by_position = 1.0 / per_base if per_base is not None else None
    if by_value is not None and by_position is not None and abs(by_value / by_position - 1.0) > 1e-6:
        raise wire.corrupt(VENUE, what, "underlyingToPositionMultiplier", f"1 / {by_value} base coins", per_base)
    return wire.positive(by_position or by_value or 0.0, VENUE, what, "underlyingToPositionMultiplier")


def _interval(time: datetime, what: str) -> int:
    hours = (time - _MIDNIGHT).total_seconds() / 3600.0
    if not 0.0 < hours <= 24.0:
        raise wire.corrupt(VENUE, what, "fundingInterval", "hours of 2000-01-01", time)
    return round(hours * NS_PER_HOUR)


def tiers(body: bytes, specs: Specs, recv_ns: int) -> Parsed:
    """Read the first tier of /instrument/active: its margin up to riskLimit; what every riskStep adds is not told there."""

    def read(row: payloads.InstrumentRow) -> RiskLadder | None:
        spec = specs.get(row.symbol)
        unit = _SETTLED_IN.get(row.settlCurrency or "")
        # A linear contract that settles in bitcoin has its limit in another currency than its notional.
        if spec is None or unit is None or (row.settlCurrency == "XBt") != (spec.kind is ContractKind.INVERSE):
            return None
        what = f"{row.symbol} margin"
        rate = wire.positive(row.maintMargin or 0.0, VENUE, what, "maintMargin")
        limit = wire.optional_positive(row.riskLimit, VENUE, what, "riskLimit")
        return RiskLadder(
            instrument=spec.id,
            tiers=(RiskTier(0.0, rate, None, spec.max_leverage),),
            known_to=None if limit is None else wire.positive(limit / unit, VENUE, what, "riskLimit"),
            ts_recv=recv_ns,
        )

    return wire.rows(wire.decode(_INSTRUMENTS, body, VENUE, "instruments"), read)


def bars(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /trade/bucketed of 1 minute, stamped with its end.

    A bucket opens with the price of the trade before it, which may lie outside of what was traded in it: such an opening is moved
    to the nearer end, so that high and low stay what was traded.
    """
    what = f"{spec.id.symbol} bucket"

    def read(row: payloads.BucketRow) -> Bar | None:
        if row.open is None or row.high is None or row.low is None or row.close is None:
            return None
        start = instant(row.timestamp, what, "timestamp") - NS_PER_MINUTE
        volume = wire.optional_not_negative(row.homeNotional, VENUE, what, "homeNotional")
        first = min(max(wire.positive(row.open, VENUE, what, "open"), row.low), row.high)
        return wire.bar(spec, PriceKind.LAST, start, (first, row.high, row.low, row.close), volume, None, recv_ns)

    return wire.rows(wire.decode(_BUCKETS, body, VENUE, "bucketed"), read)


def funding(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /funding."""
    what = f"{spec.id.symbol} funding"

    def read(row: payloads.FundingRow) -> FundingRate:
        interval = spec.funding_interval_ns if row.fundingInterval is None else _interval(row.fundingInterval, what)
        return FundingRate(
            instrument=spec.id,
            ts_venue=instant(row.timestamp, what, "timestamp"),
            ts_recv=recv_ns,
            rate=wire.finite(row.fundingRate, VENUE, what, "fundingRate"),
            interval_ns=interval or 8 * NS_PER_HOUR,
        )

    return wire.rows(wire.decode(_FUNDING, body, VENUE, "funding"), read)


def book(body: bytes, spec: InstrumentSpec, recv_ns: int) -> Parsed:
    """Read /orderBook/L2, rows of both sides in any order; a row's time is its last change, so the book has the answer's."""
    found = wire.decode(_BOOK, body, VENUE, "orderBook")
    what = f"{spec.id.symbol} book"

    def side(name: str) -> list[tuple[float, float]]:
        return [
            (wire.positive(row.price, VENUE, what, "price"), wire.base_quantity(spec, row.size, row.price, VENUE, what, "size"))
            for row in found
            if row.side == name
        ]

    bids, asks = side("Buy"), side("Sell")
    if len(bids) + len(asks) < len(found):
        raise wire.corrupt(VENUE, what, "side", "Buy or Sell", {row.side for row in found})
    return [
        Book(
            instrument=spec.id,
            ts_venue=recv_ns,
            ts_recv=recv_ns,
            bids=sorted(bids, reverse=True),
            asks=sorted(asks),
        )
    ]
