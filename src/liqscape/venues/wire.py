"""From a venue's text to checked numbers. What cannot be true stops here, with venue, field and value in the message.

Payload structs declare numbers as `float` even where the venue writes text: `decoder` reads both. A field that the venue may
leave empty is declared `str | float | None` and read with `optional`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from liqscape.errors import BadArgument, CorruptRecord
from liqscape.model import Bar, FundingRate, InstrumentId, InstrumentSpec, PriceKind, Record, RiskTier, quantity_base
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S

T = TypeVar("T")

MS = 1_000_000
# Instants that venues send lie between 2009 and 2100; anything else is in another unit or damaged.
_EARLIEST_NS, _LATEST_NS = 1_230_768_000_000_000_000, 4_102_444_800_000_000_000
_SHOWN = 120
# Where the parser of a venue lies, if not in the folder of its name.
_FOLDERS = {"binance": "binance_usdm"}

# What a parser returns: records, and in their place the rows that could not be true.
Parsed = list[Record | CorruptRecord]
Parser = Callable[[bytes, int], Parsed]


def decoder(payload: type[T]) -> msgspec.json.Decoder[T]:
    """Return a decoder that takes numbers as numbers or as text; unknown fields are ignored."""
    return msgspec.json.Decoder(payload, strict=False)


def corrupt(venue: str, what: str, field: str, expected: str, found: object) -> CorruptRecord:
    """Build the error for a value that cannot be true."""
    return CorruptRecord(
        f"{venue} {what}, {field}: expected {expected}, received {str(found)[:_SHOWN]!r}",
        hint=f"Look at the payload; if the venue means it, add a dated parser in venues/{_FOLDERS.get(venue, venue)}/parse.py.",
        context={"venue": venue, "what": what, "field": field, "value": str(found)[:_SHOWN]},
    )


def decode(reader: msgspec.json.Decoder[T], frame: bytes | str, venue: str, what: str) -> T:
    """Read a frame into its payload.

    Raises
    ------
    CorruptRecord
        If it is no JSON or does not have the payload's shape; the field is the path that msgspec names.
    """
    try:
        return reader.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = str(error)
        field = text.partition(" - at `")[2].rstrip("`") or "frame"
        shown = frame[:_SHOWN] if isinstance(frame, str) else frame[:_SHOWN].decode(errors="replace")
        raise corrupt(venue, what, field, text.partition(" - at `")[0], shown) from None


def positive(value: float, venue: str, what: str, field: str) -> float:
    """Return a number that must be above zero and finite."""
    if not 0.0 < value < math.inf:
        raise corrupt(venue, what, field, "a number > 0", value)
    return value


def not_negative(value: float, venue: str, what: str, field: str) -> float:
    """Return a number that must be zero or more and finite."""
    if not 0.0 <= value < math.inf:
        raise corrupt(venue, what, field, "a number >= 0", value)
    return value


def finite(value: float, venue: str, what: str, field: str) -> float:
    """Return a number that may have any sign."""
    if not math.isfinite(value):
        raise corrupt(venue, what, field, "a finite number", value)
    return value


def optional(value: str | float | None, venue: str, what: str, field: str) -> float | None:
    """Read a field that may be absent or empty, which is None; anything else must be a finite number."""
    if value is None or value == "":
        return None
    try:
        return finite(float(value), venue, what, field)
    except ValueError:
        raise corrupt(venue, what, field, "a number", value) from None


def optional_positive(value: str | float | None, venue: str, what: str, field: str) -> float | None:
    """Read a field that may be absent or empty and is else a number above zero, such as a price."""
    number = optional(value, venue, what, field)
    return None if number is None else positive(number, venue, what, field)


def optional_not_negative(value: str | float | None, venue: str, what: str, field: str) -> float | None:
    """Read a field that may be absent or empty and is else zero or more, such as open interest."""
    number = optional(value, venue, what, field)
    return None if number is None else not_negative(number, venue, what, field)


def base_quantity(spec: InstrumentSpec, quantity: float, price: float, venue: str, what: str, field: str) -> float:
    """Return a venue's quantity in base units: above zero and finite, as it is written and as it is converted."""
    return positive(quantity_base(spec, positive(quantity, venue, what, field), price), venue, what, field)


def base_amount(spec: InstrumentSpec, amount: float, price: float, venue: str, what: str, field: str) -> float:
    """Return a venue's sum in base units: zero or more and finite, as it is written and as it is converted."""
    return not_negative(quantity_base(spec, not_negative(amount, venue, what, field), price), venue, what, field)


def instant(value: float, unit_ns: int, venue: str, what: str, field: str) -> int:
    """Return ns UTC of a time in units of `unit_ns`; refuses what lies outside 2009 to 2100."""
    if not _EARLIEST_NS <= value * unit_ns <= _LATEST_NS:
        raise corrupt(venue, what, field, f"an instant in units of {unit_ns} ns", value)
    return int(value) * unit_ns


def interval(value: str | float | None, unit_ns: int, venue: str, what: str, field: str) -> int | None:
    """Read a length of time in units of `unit_ns`, of a second to a month; None if it is absent, empty or zero."""
    number = optional(value, venue, what, field)
    if number is None or number == 0.0:
        return None
    ns = number * unit_ns
    if not NS_PER_S <= ns <= 31 * NS_PER_DAY:
        raise corrupt(venue, what, field, f"a length of time in units of {unit_ns} ns", value)
    return round(ns)


def tier(
    floor: float, rate: float, deduction: float | None, leverage: float | None, venue: str, what: str, field: str
) -> RiskTier:
    """Build a row of a margin table out of numbers that were computed and may be next to nothing; `field` is the rate's."""
    if not 0.0 < rate < 1.0:
        raise corrupt(venue, what, field, "a fraction between 0 and 1", rate)
    return RiskTier(
        not_negative(floor, venue, what, "floor"),
        rate,
        None if deduction is None else finite(deduction, venue, what, "deduction"),
        None if leverage is None else positive(leverage, venue, what, "leverage"),
    )


def bar(
    spec: InstrumentSpec,
    kind: PriceKind,
    start_ns: int,
    prices: tuple[float, float, float, float],
    volume_base: float | None,
    taker_buy_base: float | None,
    recv_ns: int,
) -> Bar | None:
    """Build a 1-minute bar of (open, high, low, close); None if it was still open when the answer arrived.

    Raises
    ------
    CorruptRecord
        If a price is not above zero, low and high do not hold open and close, or takers bought more than was traded.
    """
    if start_ns + NS_PER_MINUTE > recv_ns:
        return None
    venue, what = spec.id.venue, f"{spec.id.symbol} {kind.value} bar"
    first, high, low, last = (
        positive(price, venue, what, name) for price, name in zip(prices, ("open", "high", "low", "close"), strict=True)
    )
    if not (low <= first <= high and low <= last <= high):
        raise corrupt(venue, what, "low", "low <= open, close <= high", prices)
    if start_ns % NS_PER_MINUTE:
        raise corrupt(venue, what, "start", "the start of a minute", start_ns)
    if taker_buy_base is not None and volume_base is not None and taker_buy_base > volume_base * (1.0 + 1e-9):
        raise corrupt(venue, what, "taker volume", f"at most {volume_base}", taker_buy_base)
    return Bar(
        instrument=spec.id,
        price_kind=kind,
        interval_ns=NS_PER_MINUTE,
        ts_venue=start_ns,
        ts_recv=recv_ns,
        open=first,
        high=high,
        low=low,
        close=last,
        volume_base=volume_base,
        taker_buy_base=taker_buy_base,
    )


def symbol_id(venue: str, symbol: str, what: str) -> InstrumentId:
    """Return the instrument of a venue's symbol.

    Raises
    ------
    CorruptRecord
        If it holds characters that no symbol has.
    """
    try:
        return InstrumentId.parse(f"{venue}:{symbol}")
    except BadArgument:
        raise corrupt(venue, what, "symbol", "a symbol", symbol) from None


def rows(found: list[T], read: Callable[[T], Record | None]) -> Parsed:
    """Read row by row: one that is corrupt stands in its place as the error and costs no other; None leaves a row out."""
    out: Parsed = []
    for row in found:
        try:
            record = read(row)
        except CorruptRecord as error:
            out.append(error)
        else:
            if record is not None:
                out.append(record)
    return out


def between(found: Parsed, start_ns: int, end_ns: int) -> Parsed:
    """Keep errors and what begins in [start_ns, end_ns): some venues give more than they were asked for."""
    return [r for r in found if isinstance(r, CorruptRecord) or start_ns <= (getattr(r, "ts_venue", None) or start_ns) < end_ns]


def funding_spaced(found: Parsed) -> Parsed:
    """Put funding rates in order and give each the interval since the one before it, in whole hours.

    For venues that list no interval. A stamp that is missing makes the step after it too long, so a step counts only if it is
    1 to 8 hours; otherwise the interval that the rate came with stays.
    """
    rates = sorted((r for r in found if isinstance(r, FundingRate)), key=lambda rate: rate.ts_venue)
    steps = [round((b.ts_venue - a.ts_venue) / NS_PER_HOUR) for a, b in pairwise(rates)]
    out: Parsed = [r for r in found if not isinstance(r, FundingRate)]
    for rate, hours in zip(rates, [*steps[:1], *steps] or [0], strict=False):
        out.append(replace(rate, interval_ns=hours * NS_PER_HOUR) if 1 <= hours <= 8 else rate)
    return out
