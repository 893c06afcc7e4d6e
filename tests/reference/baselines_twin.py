"""Slow, plain twins of the baselines' kernels: every level is a dictionary entry, every touch is a comparison of cells."""

from __future__ import annotations

import math

NARROW = 1e-6


def overlaps(u0, u1):
    """Yield (cell, length) of the stretch [u0, u1] in cells."""
    for cell in range(math.floor(u0), math.ceil(u1)):
        yield cell, min(u1, cell + 1) - max(u0, cell)


def opened(levels, fineness, offsets, low, high, amount):
    """Add a bar's openings, spread evenly over its log range, to every distance's levels."""
    for offset in offsets:
        u0 = (math.log(low) + offset) * fineness
        u1 = (max(math.log(high), math.log(low) + NARROW) + offset) * fineness
        for cell, length in overlaps(u0, u1):
            levels[cell] = levels.get(cell, 0.0) + amount / len(offsets) * length / (u1 - u0)


def burn_twin(low, high, opens, fineness, offset):
    """Dollars [bars][side]: levels at or beyond the extreme burn once; then the bar opens."""
    out, levels = [], ({}, {})
    for lo, hi, pair in zip(low, high, opens, strict=True):
        swept = []
        for s, price in ((0, lo), (1, hi)):
            touched = math.floor(math.log(price) * fineness)
            dead = [cell for cell in levels[s] if (cell >= touched if s == 0 else cell <= touched)]
            swept.append(price * math.fsum(levels[s].pop(cell) for cell in dead))
        out.append(swept)
        for s in range(2):
            opened(levels[s], fineness, offset[s], lo, hi, pair[s])
    return out


def cross_twin(low, high, before, opens, keep, fineness, offset):
    """Dollars [bars][side]: what lies between the close before and the extreme; nothing burns, all is forgotten by and by."""
    out, levels = [], [{}, {}]
    for lo, hi, close, pair in zip(low, high, before, opens, strict=True):
        row = []
        for s, (a, b, price) in enumerate(((lo, close, lo), (close, hi, hi))):
            stretch = overlaps(math.log(a) * fineness, math.log(b) * fineness)
            row.append(price * math.fsum(levels[s].get(cell, 0.0) * length for cell, length in stretch))
        out.append(row)
        for s in range(2):
            levels[s] = {cell: amount * keep for cell, amount in levels[s].items()}
            opened(levels[s], fineness, offset[s], lo, hi, pair[s])
    return out
