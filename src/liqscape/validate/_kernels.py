"""The loops of the cruder maps that a map must beat.

Words used by every kernel here
-------------------------------
K : number of distances. Side 0 is long, side 1 short.
fineness : float64, cells per unit of log price; floor(log(price) * fineness) is the absolute cell of a price.
first : int, absolute index of cell 0.
offset : float64[2, K], log price of a level less that of its entry.
level : float64[2, cells], contracts over `scale` that would be liquidated in each cell, changed in place.
opens : float64[n, 2], contracts that each bar opens on each side; every distance gets the same share.
block : int64[n], row of `out` that the bar belongs to.
out : float64[blocks, 2], gains USD: contracts times the extreme that reached them.
"""

from __future__ import annotations

import math

from liqscape._jit import kernel
from liqscape.model.arrays import FloatArray as F
from liqscape.model.arrays import IntArray as I

NARROW = 1e-6  # no bar is narrower than this, log price


@kernel
def stack(level: F, s: int, u0: float, u1: float, amount: float) -> None:
    """Spread `amount` evenly over the cells of [u0, u1], in cells counted from cell 0."""
    per_cell = amount / (u1 - u0)
    g = math.floor(u0)
    while g < u1:
        level[s, g] += (min(u1, g + 1.0) - max(u0, float(g))) * per_cell
        g += 1


@kernel
def open_levels(level: F, first: int, fineness: float, offset: F, low: float, high: float, opened: float, s: int) -> None:
    """Open contracts at every distance of one side, with entries evenly over the bar's log range."""
    u_low = math.log(low) * fineness - first
    u_high = max(math.log(high) * fineness - first, u_low + NARROW * fineness)
    for k in range(offset.shape[1]):
        shift = offset[s, k] * fineness
        stack(level, s, u_low + shift, u_high + shift, opened / offset.shape[1])


@kernel
def burn(low: F, high: F, opens: F, block: I, first: int, fineness: float, offset: F, level: F, out: F) -> None:
    """Sweep what each bar touches, then open; nothing is ever closed.

    low, high : float64[n], quote per base
    """
    cells = level.shape[1]
    highest = -1  # the long level nearest to price, and the short one
    lowest = cells
    for i in range(low.size):
        touched = math.floor(math.log(low[i]) * fineness) - first
        for g in range(touched, highest + 1):
            out[block[i], 0] += level[0, g] * low[i]
            level[0, g] = 0.0
        highest = min(highest, touched - 1)
        touched = math.floor(math.log(high[i]) * fineness) - first
        for g in range(lowest, touched + 1):
            out[block[i], 1] += level[1, g] * high[i]
            level[1, g] = 0.0
        lowest = max(lowest, touched + 1)
        for s in range(2):
            if opens[i, s] > 0.0:
                open_levels(level, first, fineness, offset, low[i], high[i], opens[i, s], s)
                # The nearest distance comes first.
                if s == 0:
                    highest = max(highest, math.floor(math.log(high[i]) * fineness - first + offset[0, 0] * fineness) + 1)
                else:
                    lowest = min(lowest, math.floor(math.log(low[i]) * fineness - first + offset[1, 0] * fineness))


@kernel
def cross(
    low: F, high: F, before: F, opens: F, block: I, keep: float, first: int, fineness: float, offset: F, level: F, out: F,
) -> None:  # fmt: skip
    """Count what lies between the close before each bar and its extremes, take nothing away, forget, then open.

    low, high, before : float64[n], quote per base; `before` is the close before each bar
    keep : float64, share of every level that is left after a bar
    """
    scale = 1.0
    for i in range(low.size):
        for s in range(2):
            u0 = math.log(low[i] if s == 0 else before[i]) * fineness - first
            u1 = math.log(before[i] if s == 0 else high[i]) * fineness - first
            g = math.floor(u0)
            while g < u1:
                share = min(u1, g + 1.0) - max(u0, float(g))
                out[block[i], s] += share * level[s, g] * scale * (low[i] if s == 0 else high[i])
                g += 1
        scale *= keep
        if scale < 1e-100:
            for s in range(2):
                for g in range(level.shape[1]):
                    level[s, g] *= scale
            scale = 1.0
        for s in range(2):
            if opens[i, s] > 0.0:
                open_levels(level, first, fineness, offset, low[i], high[i], opens[i, s] / scale, s)
