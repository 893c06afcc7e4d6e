"""What several dialects need: times as venues write them, prints put into frames, requests read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zlib import crc32

import msgspec

from liqscape.model import PositionSide
from liqscape.testing.exchange.dialect import Asked, Frame
from liqscape.testing.exchange.listing import NS_PER_MS, Listing
from liqscape.testing.exchange.world import Candle, Print, World
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Answers one path: given the contract that was named (None if none was), the value that becomes JSON.
Reader = Callable[[Any], Any]


def ms(ts_ns: int) -> int:
    """Return a time in whole milliseconds."""
    return ts_ns // NS_PER_MS


def seconds(ts_ns: int) -> int:
    """Return a time in whole seconds."""
    return ts_ns // NS_PER_S


def iso(ts_ns: int) -> str:
    """Write a time as ISO 8601 with milliseconds.

    Examples
    --------
    >>> iso(1_790_000_040_123_000_000)
    '2026-09-21T14:14:00.123Z'
    """
    at = _EPOCH + timedelta(milliseconds=ts_ns // NS_PER_MS)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def from_iso(value: str) -> int:
    """Read a time written as ISO 8601 (or as milliseconds) into ns UTC."""
    if value.isdigit():
        return int(value) * NS_PER_MS
    at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(microseconds=1) * 1_000


def number(value: float, digits: int = 12) -> str:
    """Write a number as venues do: without exponent, without needless zeros.

    Examples
    --------
    >>> number(0.00001), number(1500.0), number(13.70319)
    ('0.00001', '1500', '13.70319')
    """
    written = f"{value:.{digits}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def mark_of(contract: Listing) -> int:
    """Return a number of four hexadecimal digits that tells contracts of a venue apart, for identifiers."""
    return crc32(contract.symbol.encode()) % 16**4


def whole(value: float) -> int | float:
    """Return a number without a fraction as an integer: many venues write contracts so."""
    return int(value) if value == int(value) else value


def stamps(from_ns: int | None, to_ns: int | None, now_ns: int, step_ns: int, limit: int, *, newest: bool) -> list[int]:
    """Return the multiples of `step_ns` in [from_ns, to_ns] that a page holds, ascending, none in the future.

    Parameters
    ----------
    limit
        Of the page: if more were asked for, it keeps the newest or the oldest of them.
    """
    last = now_ns if to_ns is None else min(to_ns, now_ns)
    first = last - step_ns * limit + 1 if from_ns is None else from_ns
    found = range(-(-first // step_ns) * step_ns, last + 1, step_ns)
    return list(found[-limit:] if newest else found[:limit])


def minutes(world: World, contract: Listing, starts: Iterable[int], price: str = "last") -> list[Candle]:
    """Return the candles of minutes: of the `last` price, the `mark` or the `index`."""
    read = {"last": world.minute, "mark": world.mark_minute, "index": world.index_minute}[price]
    return [read(contract, start) for start in starts]


def batched(
    world: World, contracts: Iterable[Listing], from_ns: int, to_ns: int, batch_ns: int, *, forced: bool
) -> Iterator[tuple[int, list[tuple[Listing, Print]]]]:
    """Yield (instant, prints of the batch before it) for every batch that ends in [from_ns, to_ns) and holds any.

    Parameters
    ----------
    forced
        Liquidations only, else every trade.
    """
    first, last = -(-from_ns // batch_ns) * batch_ns, -(-to_ns // batch_ns) * batch_ns
    if first >= last:
        return
    slots: dict[int, list[tuple[Listing, Print]]] = {}
    for contract in contracts:
        read = world.liquidations if forced else world.trades
        for found in read(contract, first - batch_ns, last - batch_ns):
            slots.setdefault(found.ts_ns // batch_ns * batch_ns + batch_ns, []).append((contract, found))
    for at in sorted(slots):
        yield at, sorted(slots[at], key=lambda pair: pair[1].ts_ns)


def largest_a_second(prints: Iterable[Print]) -> list[Print]:
    """Return what a feed shows that tells the largest long and the largest short of a contract in each second."""
    best: dict[tuple[int, PositionSide], Print] = {}
    for found in prints:
        slot = (found.ts_ns // NS_PER_S, found.position_side)
        if slot not in best or found.quantity > best[slot].quantity:
            best[slot] = found
    return sorted(best.values(), key=lambda p: p.ts_ns)


def recent(world: World, contract: Listing, now_ns: int, most: int) -> list[Print]:
    """Return the newest trades, ascending, at most `most`, none older than an hour."""
    found: list[Print] = []
    for minute in range(now_ns - now_ns % NS_PER_MINUTE, now_ns - 60 * NS_PER_MINUTE, -NS_PER_MINUTE):
        found = world.trades(contract, minute, min(minute + NS_PER_MINUTE, now_ns)) + found
        if len(found) >= most:
            break
    return found[-most:]


def second_of(asked: Asked, name: str) -> int | None:
    """Return a time of the query that is written in seconds, in ns."""
    return asked.instant(name, NS_PER_S)


def heard(message: Frame) -> dict[str, Any]:
    """Return the object that a client sent; empty if it is none."""
    try:
        found: Any = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def words(value: Any) -> list[str]:
    """Return a list of a message as text; a single value stands for a list of one, nothing for none."""
    if value is None:
        return []
    return [str(one) for one in cast("list[Any]", value)] if isinstance(value, list) else [str(value)]
