"""Loops of the throttled feed: what stands behind a print, the level that follows it, and the law of sizes from largest prints.

Words used by every kernel here
-------------------------------
rate : float64[n], orders expected in each second before the level. Seconds that are absent expect nothing.
seen : int64[n], 1 printed, 0 silent, 2 not listened to (nothing is known).
below : float64[n], share of sizes below the printed one, F(x); 0 where none is printed. Only the rule "largest" reads it.
"""

from __future__ import annotations

import math

from liqscape._jit import kernel
from liqscape.model.arrays import FloatArray as F
from liqscape.model.arrays import IntArray as I

PRINTED, UNSEEN = 1, 2
EM_ROUNDS = 12


@kernel
def expected_orders(rate: float, largest: bool, below: float) -> float:
    """Orders behind one print: rate / (1 - exp(-rate)) of which the latest was shown, or 1 + rate F(x) below the largest."""
    if largest:
        return 1.0 + rate * below
    if rate < 1e-6:
        return 1.0 + 0.5 * rate
    return rate / (1.0 - math.exp(-rate))


@kernel
def follow(
    second: I, rate: F, seen: I, below: F, largest: bool, prior: float, about: float, keep: float, state: F, level: F, orders: F,
) -> None:  # fmt: skip
    """Find the level of each second: orders behind the prints so far against orders expected, the past fading.

        level_t = (prior about + sum_u<=t keep^(t - u) E[N_u]) / (prior + sum_u<=t keep^(t - u) rate_u)

    with `E[N_t]` at `level_t rate_t` (a few rounds of EM). Only the second itself and those before it are used: what follows a
    burst is overrated by the map, whose tiers refill at once, and would pull the burst down.

    second : int64[n], ascending; keep : float64, share that is left after a second; prior : float64, orders
    about : float64, mean of the Gamma prior; state : float64[3] = (found, expected, last second), changed in place
    level, orders : float64[n], filled; orders are 0 where silent or not seen
    """
    for t in range(rate.size):
        fade = keep ** (second[t] - state[2])
        found, expected = state[0] * fade, state[1] * fade
        level[t] = (prior * about + found) / (prior + expected)
        orders[t] = 0.0
        if seen[t] != UNSEEN:
            for _ in range(EM_ROUNDS):
                orders[t] = expected_orders(rate[t] * level[t], largest, below[t]) if seen[t] == PRINTED else 0.0
                level[t] = (prior * about + found + orders[t]) / (prior + expected + rate[t])
            found += orders[t]
            expected += rate[t]
        state[0], state[1], state[2] = found, expected, second[t]


@kernel
def sizes_of_largest(count: F, rate: F, shown: F, weight: F) -> float:
    """Fill the weight of each size such that the largest of every second are as often seen as they should be.

    A second of rate L shows a largest order of size x with intensity `L exp(-L (1 - F(x))) dF(x)`. So, from the top down,
    `dF(x) = prints at x / sum over seconds of L exp(-L (1 - F(x)))`: the estimate of maximum likelihood.

    count, rate : float64[b], number of seconds of each rate; shown : float64[n], prints of each size, sizes ascending
    weight : float64[n], filled. Returns their sum: 1 where rates and prints agree.
    """
    beyond = 0.0
    for i in range(shown.size - 1, -1, -1):
        intensity = 0.0
        for b in range(rate.size):
            intensity += count[b] * rate[b] * math.exp(-rate[b] * beyond)
        weight[i] = shown[i] / intensity
        beyond = min(beyond + weight[i], 1.0)
    total = 0.0
    for i in range(shown.size):
        total += weight[i]
    return total
