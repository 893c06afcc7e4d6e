"""Round prices, at which orders gather without any map (feature F39)."""

from __future__ import annotations

import math

from msgspec import Struct

ROUND_TOLERANCE = 0.001  # fraction of the price
BITCOIN_ROUND_STEP = 1_000.0


class RoundNumber(Struct, frozen=True, kw_only=True):
    """A round price; `major` marks multiples of five steps (5,000 for BTC)."""

    price: float
    major: bool


def round_step(price: float, base: str) -> float:
    """Return the step of round prices: 1,000 for BTC, else the power of ten nearest to 1 % of the price.

    Examples
    --------
    >>> round_step(84_178.9, "BTC"), round_step(2_600.0, "ETH"), round_step(0.5, "XRP")
    (1000.0, 10.0, 0.01)
    """
    return BITCOIN_ROUND_STEP if base == "BTC" else 10.0 ** round(math.log10(0.01 * price))


def is_round(price: float, base: str) -> bool:
    """Return whether a price lies within 0.1 % of a round one."""
    return round_number_near(price, base) is not None


def round_number_near(price: float, base: str) -> RoundNumber | None:
    """Return the round price within 0.1 % of a price, or None."""
    step = round_step(price, base)
    count = round(price / step)
    if abs(price - count * step) > ROUND_TOLERANCE * price:
        return None
    return _round_number(count, step)


def round_numbers(low: float, high: float, base: str) -> tuple[RoundNumber, ...]:
    """Return the round prices in [low, high] widened by 0.1 %, ascending."""
    step = round_step(math.sqrt(low * high), base)
    first = math.ceil(low * (1.0 - ROUND_TOLERANCE) / step)
    last = math.floor(high * (1.0 + ROUND_TOLERANCE) / step)
    return tuple(_round_number(count, step) for count in range(first, last + 1))


def _round_number(count: int, step: float) -> RoundNumber:
    # Twelve significant digits: 3 * 0.1 is written 0.3.
    return RoundNumber(price=float(f"{count * step:.12g}"), major=count % 5 == 0)
