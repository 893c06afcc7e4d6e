"""Time as the house keeps it: integer nanoseconds since 1970, UTC. The only place that asks what time it is."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from liqscape.units import NS_PER_S

Instant = int | str | datetime
_FRACTION = re.compile(r"\.(\d+)")
# Unix nanoseconds between the years 1990 and 2200; a number outside is most likely in another unit.
_EARLIEST_NS, _LATEST_NS = 631_152_000 * NS_PER_S, 7_258_118_400 * NS_PER_S


def now_ns() -> int:
    """Return the present, ns UTC."""
    return time.time_ns()


def parse_instant(value: Instant) -> int:
    """Read an instant into ns UTC.

    Parameters
    ----------
    value
        ns since 1970 (int); a datetime (without a zone it is read as UTC); or ISO 8601 text such as `2026-01-30T22:55Z`,
        `2026-01-30 22:55` or `2026-01-30` (midnight), read as UTC when it names no zone; or `now`.

    Raises
    ------
    ValueError
        If the text is no ISO 8601 instant or the number is not in nanoseconds.
    """
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
        return (delta.days * 86_400 + delta.seconds) * NS_PER_S + delta.microseconds * 1_000
    if isinstance(value, int):
        if not _EARLIEST_NS <= value <= _LATEST_NS:
            raise ValueError(f"expected an instant in nanoseconds since 1970, received {value}")
        return value
    text = value.strip()
    if text.lower() == "now":
        return now_ns()
    # datetime keeps microseconds; digits beyond them are added by hand, so that no instant is rounded.
    extra_ns = 0
    if (match := _FRACTION.search(text)) is not None and len(match[1]) > 6:
        extra_ns = int(match[1][6:9].ljust(3, "0"))
        text = text[: match.start(1) + 6] + text[match.end(1) :]
    try:
        return parse_instant(datetime.fromisoformat(text)) + extra_ns
    except ValueError:
        raise ValueError(f"expected an instant such as 2026-01-30T22:55Z, received {value!r}") from None


def iso(instant_ns: int) -> str:
    """Write ns UTC as `2026-01-30T22:55:00Z`, with as many decimals as it needs.

    Examples
    --------
    >>> iso(parse_instant("2026-01-30 22:55"))
    '2026-01-30T22:55:00Z'
    """
    seconds, fraction = divmod(instant_ns, NS_PER_S)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}".rstrip("0") + "Z" if fraction else f"{text}Z"


def utc_date(instant_ns: int) -> str:
    """Return the UTC day of an instant, `2026-01-30`."""
    return datetime.fromtimestamp(instant_ns // NS_PER_S, UTC).strftime("%Y-%m-%d")
