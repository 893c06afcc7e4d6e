"""The loop of the static cascade: one pass outward over U(x) = B(x) - F(x) for every path.

Words used here
---------------
forced : float64[D, n + 1], F, cumulative USD of forced orders up to each edge of the grid; column 0 is 0.
absorbed : float64[A, n + 1], B, cumulative USD that the market takes up to each edge; column 0 is 0.
distance : float64[n + 1], fraction of the mark, ascending from 0. Between edges all three are straight lines.
Path k joins row `map_draw[k]` of `forced` with row `absorption_draw[k]` of `absorbed`.
"""

from __future__ import annotations

import math

from liqscape._jit import kernel
from liqscape.model.arrays import BoolArray as Bools
from liqscape.model.arrays import FloatArray as F
from liqscape.model.arrays import IntArray as I

STRIDE = 16  # edges that are passed over at once where B at their end less F at their beginning is still too little
FLAT = 1e-12  # of all that is absorbed on the grid: U that rises by less between two edges does not rise


@kernel
def first_reaching(forced: F, absorbed: F, d: int, a: int, start: int, level: float) -> int:
    """Return the first edge from `start` >= 1 on with U >= level, or the number of edges. B and F never fall."""
    edges = forced.shape[1]
    i = start
    while i < edges:
        end = min(i + STRIDE, edges) - 1
        if absorbed[a, end] - forced[d, i - 1] >= level:
            for j in range(i, end + 1):
                if absorbed[a, j] - forced[d, j] >= level:
                    return j
        i = end + 1
    return edges


@kernel
def static_paths(
    forced: F, absorbed: F, distance: F, map_draw: I, absorption_draw: I, shock: float, window: int, sustained: float,
    hill_usd: F, hill_at: F, extent: F, critical: Bools, run: F, run_forced: F,
) -> None:  # fmt: skip
    """Fill for every path what ignites it and how far the shock runs.

    shock : USD from outside. window : last edge within which U must have peaked and fallen.
    sustained : distance over which U must stay at or below its peak to count as a fall.
    hill_usd, hill_at : float64[paths], peak of U before the first fall and its distance; NaN if there is none in the window
    extent : float64[paths], distance at which U is above that peak again; inf if not on the grid, NaN without a fall
    critical : bool[paths], whether forced orders outweigh what is absorbed anywhere in the window (R >= 1)
    run, run_forced : float64[paths], least x with B >= shock + F and F there; inf and all of F if not on the grid
    """
    edges = distance.size
    for path in range(map_draw.size):
        d, a = map_draw[path], absorption_draw[path]
        flat = FLAT * absorbed[a, edges - 1]
        top, best, before = 0.0, 0, 0.0
        found, steep = -1, False
        for i in range(1, window + 1):
            u = absorbed[a, i] - forced[d, i]
            if u <= before + flat:
                steep = True
            before = u
            if u > top + flat:
                top, best = u, i
            elif distance[i] - distance[best] >= sustained:
                found = i
                break
        critical[path] = steep
        hill_usd[path], hill_at[path], extent[path] = math.nan, math.nan, math.nan
        if found >= 0:
            hill_usd[path], hill_at[path], extent[path] = top, distance[best], math.inf
            i = first_reaching(forced, absorbed, d, a, found, top + 2.0 * flat)
            if i < edges:
                u, last = absorbed[a, i] - forced[d, i], absorbed[a, i - 1] - forced[d, i - 1]
                extent[path] = distance[i - 1] + (distance[i] - distance[i - 1]) * max(top - last, 0.0) / (u - last)
        run[path], run_forced[path] = math.inf, forced[d, edges - 1]
        if shock <= 0.0:
            run[path], run_forced[path] = 0.0, 0.0
            continue
        i = first_reaching(forced, absorbed, d, a, 1, shock)
        if i < edges:
            u, last = absorbed[a, i] - forced[d, i], absorbed[a, i - 1] - forced[d, i - 1]
            part = (shock - last) / (u - last)
            run[path] = distance[i - 1] + (distance[i] - distance[i - 1]) * part
            run_forced[path] = forced[d, i - 1] + (forced[d, i] - forced[d, i - 1]) * part
