"""Numbers as people write them: dollars, fractions, durations; and the constants of time.

Inside the house a fraction is a fraction (0.01), a time is integer nanoseconds UTC and a dollar is a float. These functions
stand at the doors: they read what people type and write what people read.
"""

from __future__ import annotations

import math
import re

NS_PER_S = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_S
NS_PER_HOUR = 3600 * NS_PER_S
NS_PER_DAY = 86_400 * NS_PER_S

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|min|h|d|w|y)\s*", re.IGNORECASE)
_DURATION_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": NS_PER_S,
    "m": NS_PER_MINUTE,
    "min": NS_PER_MINUTE,
    "h": NS_PER_HOUR,
    "d": NS_PER_DAY,
    "w": 7 * NS_PER_DAY,
    "y": 365 * NS_PER_DAY,
}
_AMOUNT = re.compile(r"\s*\$?\s*([+-]?[\d_,]*\.?\d+(?:e[+-]?\d+)?)\s*([kmbt]?)\s*", re.IGNORECASE)
_AMOUNT_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def parse_duration_ns(text: str) -> int:
    """Read a length of time such as `30d`, `5m`, `12h`, `1y` (365 days) into nanoseconds.

    Raises
    ------
    ValueError
        If the text is not a positive number followed by one of ns us ms s m min h d w y.
    """
    match = _DURATION.fullmatch(text)
    if match is None or float(match[1]) <= 0.0:
        raise ValueError(f"expected a duration such as 30d, 12h or 5m, received {text!r}")
    return round(float(match[1]) * _DURATION_NS[match[2].lower()])


def parse_fraction(text: str) -> float:
    """Read `2%`, `0.02` or `20bp` into a fraction.

    Raises
    ------
    ValueError
        If the text is not a number, optionally followed by % or bp.
    """
    stripped = text.strip().lower().replace(" ", "")
    for suffix, scale in (("%", 100.0), ("bps", 1e4), ("bp", 1e4)):
        if stripped.endswith(suffix):
            # The decimal point is moved in the text, so that "1%" is exactly the float 0.01.
            value = float(stripped.removesuffix(suffix)) / scale
            break
    else:
        value = float(stripped)
    if not math.isfinite(value):
        raise ValueError(f"expected a finite fraction such as 2% or 0.02, received {text!r}")
    return value


def parse_usd(text: str) -> float:
    """Read `250M`, `$1.1B`, `5e8` or `1,000,000` into dollars.

    Raises
    ------
    ValueError
        If the text is not a number, optionally with $ before and K, M, B or T behind.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"expected an amount such as 250M or 1.1B, received {text!r}")
    return float(match[1].replace(",", "").replace("_", "")) * _AMOUNT_SCALE[match[2].lower()]


def format_usd(value: float | None, *, digits: int = 3) -> str:
    """Write dollars for people: `$107M`, `$1.23B`, `$950`; unknown is `-`.

    Examples
    --------
    >>> format_usd(106_900_000), format_usd(1.234e9), format_usd(0.0), format_usd(None)
    ('$107M', '$1.23B', '$0', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size < 0.005:  # less than half a cent is rounding, not money
        return "$0"
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"), (1.0, "")):
        # Compare after rounding, so that 999.96M is written 1B and not 1000M.
        if float(f"{size / scale:.{digits}g}") >= 1.0 or scale == 1.0:
            number = float(f"{size / scale:.{digits}g}")
            decimals = max(0, digits - 1 - math.floor(math.log10(number))) if number > 0 else 0
            text = f"{number:.{min(decimals, digits - 1)}f}"
            return f"{sign}${text}{letter}"
    raise AssertionError("unreachable: the last scale is 1")


def format_price(value: float | None, *, digits: int = 6) -> str:
    """Write a price with thousands separators and about `digits` significant digits; unknown is `-`.

    Examples
    --------
    >>> format_price(84178.9), format_price(0.0123456), format_price(None)
    ('84,178.9', '0.0123456', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    if value == 0.0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def format_percent(value: float | None, *, decimals: int = 1, sign: bool = False) -> str:
    """Write a fraction in per cent with a space before the sign: `2.0 %`; unknown is `-`."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value * 100:{'+' if sign else ''}.{decimals}f} %"


def format_duration(duration_ns: float) -> str:
    """Write a length of time with its largest fitting unit: `3 s`, `12 min`, `5.2 h`, `61 d`."""
    seconds = duration_ns / NS_PER_S
    for limit, scale, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            number = seconds / scale
            return f"{number:.1f} {unit}" if number < 10 and unit == "h" else f"{number:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
