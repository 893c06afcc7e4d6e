"""The static cascade as it is written on paper: whole arrays of one path, no loop that stops early."""

from __future__ import annotations

import numpy as np


def static_path(forced, absorbed, distance, shock, window, sustained):
    """Return (hill_usd, hill_at, extent, critical, run, run_forced) of one path; arguments as for the kernel, one row each."""
    u = absorbed - forced
    flat = 1e-12 * absorbed[-1]
    critical = bool((np.diff(u[: window + 1]) <= flat).any())
    hill = (float("nan"),) * 3
    top, best = 0.0, 0
    for i in range(1, window + 1):
        if u[i] > top + flat:
            top, best = u[i], i
        elif distance[i] - distance[best] >= sustained:
            above = np.flatnonzero(u[i:] >= top + 2.0 * flat)
            hill = (top, distance[best], crossing(u, distance, i + above[0], top) if above.size else float("inf"))
            break
    if shock <= 0.0:
        return (*hill, critical, 0.0, 0.0)
    reached = np.flatnonzero(u[1:] >= shock)
    if reached.size == 0:
        return (*hill, critical, float("inf"), forced[-1])
    x = crossing(u, distance, reached[0] + 1, shock)
    return (*hill, critical, x, np.interp(x, distance, forced))


def crossing(u, distance, i, level):
    """Where the straight line from edge i - 1 to edge i is at `level`."""
    part = max(level - u[i - 1], 0.0) / (u[i] - u[i - 1])
    return distance[i - 1] + part * (distance[i] - distance[i - 1])
