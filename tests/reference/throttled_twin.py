"""Plain, slow twins of the throttled-feed kernels: every sum is written out anew."""

from __future__ import annotations

import math

from liqscape.estimate._throttled_kernels import EM_ROUNDS, PRINTED, UNSEEN


def orders_behind(rate: float, largest: bool, below: float) -> float:
    """Mean number of orders of a printing second, as a sum over the Poisson law."""
    if largest:  # given the largest is x, the others are Poisson with rate F(x)
        return 1.0 + sum(n * math.exp(-rate * below) * (rate * below) ** n / math.factorial(n) for n in range(1, 120))
    chances = [math.exp(-rate) * rate**n / math.factorial(n) for n in range(1, 120)]
    return sum(n * p for n, p in enumerate(chances, 1)) / sum(chances)


def levels(second, rate, seen, below, largest, prior, about, keep, start):
    """The level and the orders of each second; the past is summed from its beginning each time."""
    level, orders = [], []
    for t in range(len(second)):
        past = [u for u in range(t) if seen[u] != UNSEEN]
        fade = [keep ** (second[t] - second[u]) for u in past]
        found = start[0] * keep ** (second[t] - start[2]) + sum(f * orders[u] for f, u in zip(fade, past, strict=True))
        expected = start[1] * keep ** (second[t] - start[2]) + sum(f * rate[u] for f, u in zip(fade, past, strict=True))
        here, behind = (prior * about + found) / (prior + expected), 0.0
        if seen[t] != UNSEEN:
            for _ in range(EM_ROUNDS):
                behind = orders_behind(rate[t] * here, largest, below[t]) if seen[t] == PRINTED else 0.0
                here = (prior * about + found + behind) / (prior + expected + rate[t])
        level.append(here)
        orders.append(behind)
    return level, orders


def weights_of_largest(count, rate, shown):
    """Weights of sizes, ascending, from the top down."""
    weights = [0.0] * len(shown)
    for i in reversed(range(len(shown))):
        beyond = min(sum(weights[i + 1 :]), 1.0)
        weights[i] = shown[i] / sum(c * r * math.exp(-r * beyond) for c, r in zip(count, rate, strict=True))
    return weights
