"""What callers may write, read into what the engine takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from liqscape.clock import Instant, parse_instant
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.units import parse_fraction, parse_usd

Home = str | Path | None
Venues = str | Sequence[str] | None


def workspace(home: Home) -> Workspace:
    """Open a home folder; None is LIQSCAPE_HOME or the platform's."""
    return Workspace(Path(home) if home is not None else None)


def instant(value: Instant | None, name: str = "as_of") -> int | None:
    """Read an instant; None stays None.

    Raises
    ------
    BadArgument
        If it is no instant.
    """
    try:
        return None if value is None else parse_instant(value)
    except ValueError as error:
        raise BadArgument(f"{name}: {error}", hint="Write it like 2026-01-30T22:55Z.") from None


def venue_names(value: Venues) -> tuple[str, ...]:
    """Read `binance`, `binance,bybit` or a list of names."""
    parts = value.split(",") if isinstance(value, str) else list(value or ())
    return tuple(part.strip().lower() for part in parts if part.strip())


def fractions(value: str | float | Iterable[str | float], name: str = "within") -> tuple[float, ...]:
    """Read `1%,2%`, 0.02 or a list of either."""
    return _numbers(value, name, parse_fraction, "2% or 0.02")


def dollars(value: str | float | Iterable[str | float], name: str = "usd") -> tuple[float, ...]:
    """Read `250M,1B`, 2.5e8 or a list of either."""
    return _numbers(value, name, parse_usd, "250M or 2.5e8")


def _numbers(
    value: str | float | Iterable[str | float], name: str, parse: Callable[[str], float], example: str
) -> tuple[float, ...]:
    parts: list[str | float] = []
    for part in (value,) if isinstance(value, str | int | float) else value:
        parts += part.split(",") if isinstance(part, str) else [part]
    try:
        return tuple(parse(part) if isinstance(part, str) else float(part) for part in parts)
    except ValueError as error:
        raise BadArgument(f"{name}: {error}", hint=f"Write it like {example}.") from None
