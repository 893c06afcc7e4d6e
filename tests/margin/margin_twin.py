"""Slow, plain twins: maintenance summed slice by slice, and the liquidation price by bisection or by looking everywhere."""

from __future__ import annotations

from collections.abc import Callable

Rows = list[tuple[float, float]]


def slice_maintenance(rows: Rows, notional: float) -> float:
    """Every slice of the notional pays the rate of its own tier: continuous without any deduction."""
    total = 0.0
    for index, (floor, rate) in enumerate(rows):
        cap = rows[index + 1][0] if index + 1 < len(rows) else float("inf")
        total += rate * max(0.0, min(notional, cap) - floor)
    return total


def whole_maintenance(rows: Rows, notional: float) -> float:
    """The whole notional pays the rate of the tier it ends in: jumps at every floor."""
    rate = rows[0][1]
    for floor, tier_rate in rows:
        if notional > floor:
            rate = tier_rate
    return rate * notional


def excess(sign: int, quantity: float, entry: float, margin: float, fee: float, maintenance: Callable[[float], float]):
    """Equity less maintenance and fee of a linear position, as a function of the price."""
    return lambda price: margin + sign * quantity * (price - entry) - maintenance(quantity * price) - fee * quantity * price


def inverse_excess(sign: int, notional: float, entry: float, margin: float, fee: float, maintenance: Callable[[float], float]):
    """The same of an inverse position, in coin."""
    return lambda price: (
        margin + sign * notional * (1 / entry - 1 / price) - maintenance(notional / price) - fee * notional / price
    )


def bisect(function: Callable[[float], float], low: float, high: float) -> float | None:
    """Return the root between two prices, None if the ends have one sign."""
    if (function(low) > 0) == (function(high) > 0):
        return None
    low_positive = function(low) > 0
    for _ in range(200):
        middle = (low + high) / 2
        if (function(middle) > 0) == low_positive:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def first_crossing(function: Callable[[float], float], start: float, end: float, steps: int = 4000) -> float | None:
    """Look at many prices from `start` to `end`; return the first where the function is no longer positive."""
    before = start
    for step in range(1, steps + 1):
        price = start + (end - start) * step / steps
        if function(price) <= 0:
            return bisect(function, before, price)
        before = price
    return None
