"""Where ticks stand and what they say: prices, dollars, distances, times."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S, format_usd

_TIME_STEPS_NS = (
    *(n * NS_PER_MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * NS_PER_HOUR for n in (1, 2, 3, 6, 12)),
    *(n * NS_PER_DAY for n in (1, 2, 3, 7, 14, 28, 56, 91)),
)


def nice_step(span: float, most: int) -> float:
    """Return the smallest step of 1, 2, 2.5 or 5 times a power of ten that cuts `span` into at most `most` parts.

    Examples
    --------
    >>> nice_step(30.0, 7), nice_step(0.004, 5)
    (5.0, 0.001)
    """
    rough = span / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 2.5, 5.0, 10.0):
        if factor * power >= rough * (1.0 - 1e-9):
            return float(f"{factor * power:.6g}")
    raise AssertionError("unreachable: ten times the power is above")


def steps(low: float, high: float, step: float) -> list[float]:
    """Return the multiples of `step` in [low, high], free of rounding dust."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def decimals_of(step: float) -> int:
    """Return how many decimals a multiple of `step` needs.

    Examples
    --------
    >>> decimals_of(250.0), decimals_of(0.5), decimals_of(0.00025)
    (0, 1, 5)
    """
    decimals = 0
    while decimals < 14 and abs(round(step, decimals) - step) > 1e-6 * step:
        decimals += 1
    return decimals


def price_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Return about `most` round prices in [low, high] with their labels.

    Beyond a factor of four the prices follow 1-2-5 per decade, because even steps would crowd at the top of a log axis.
    """
    if high / low > 4.0:
        values = [m * 10.0**k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)]
        values = [v for v in values if low <= v <= high]
        return [(v, f"{v:,.{max(0, -math.floor(math.log10(v)))}f}") for v in values]
    step = nice_step(high - low, most)
    return [(v, f"{v:,.{decimals_of(step)}f}") for v in steps(low, high, step)]


def usd_ticks(high: float, most: int) -> list[tuple[float, str]]:
    """Return round dollar amounts from 0 to `high` with labels that all use one unit: $0, $2.5M, $5.0M."""
    step = nice_step(high, most)
    values = steps(0.0, high, step)
    top = values[-1]
    size, letter = next(((s, c) for s, c in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")) if max(top, step) >= s), (1.0, ""))
    decimals = decimals_of(step / size)
    return [(v, f"${v / size:,.{decimals}f}{letter}" if v else "0") for v in values]


def distance_ticks(within: float, most: int) -> list[tuple[float, str]]:
    """Return signed distances from the mark, mirrored, with labels such as `-5 %`, `0`, `+5 %`."""
    step = nice_step(2.0 * within * 100.0, most)
    decimals = decimals_of(step)
    outward = steps(step, within * 100.0, step)
    signed = [-v for v in reversed(outward)] + [0.0, *outward]
    return [(v / 100.0, f"{v:+.{decimals}f} %".replace("-", "\N{MINUS SIGN}") if v else "0") for v in signed]


def time_ticks(first_ns: int, last_ns: int, most: int) -> list[tuple[int, str, bool]]:
    """Return (ns UTC, label, starts a day) at round times in [first_ns, last_ns], at most `most` of them."""
    step = next((s for s in _TIME_STEPS_NS if (last_ns - first_ns) / s <= most), _TIME_STEPS_NS[-1])
    start = -(-first_ns // step) * step
    ticks: list[tuple[int, str, bool]] = []
    for instant in range(start, last_ns + 1, step):
        moment = datetime.fromtimestamp(instant // NS_PER_S, UTC)
        midnight = instant % NS_PER_DAY == 0
        ticks.append((instant, f"{moment.day} {moment:%b}" if midnight else f"{moment:%H:%M}", midnight))
    return ticks


def usd_range(low: float | None, high: float | None) -> str:
    """Write an interval of dollars, `[$300M to $460M]`; unknown is empty."""
    if low is None or high is None:
        return ""
    return f"[{format_usd(low)} to {format_usd(high)}]"
