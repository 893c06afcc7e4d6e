"""Forced orders as dots: their side by shape, height and colour, their size by dollars."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.plot.canvas import Canvas
from liqscape.units import NS_PER_S

MOST_DOTS = 600  # the largest are drawn
_LARGEST_PT2 = 170.0
_SMALLEST_PT2 = 9.0


@dataclass(frozen=True)
class LiquidationDots:
    """Forced orders to be drawn on a heatmap.

    Parameters
    ----------
    time_ns : int64[n], ns UTC
    price : float64[n], quote per base
    usd : float64[n], USD
    long : bool[n], true where a long was closed
    throttled
        The feed shows only a part of what happened; such dots are hollow.
    """

    time_ns: IntArray
    price: FloatArray
    usd: FloatArray
    long: BoolArray
    throttled: bool


def draw_dots(canvas: Canvas, axes: Axes, dots: LiquidationDots, first_ns: int, last_ns: int) -> None:
    """Draw the largest dots inside the picture; area is proportional to dollars."""
    inside = np.flatnonzero((dots.time_ns >= first_ns) & (dots.time_ns < last_ns) & (dots.usd > 0.0) & np.isfinite(dots.price))
    if inside.size == 0:
        return
    chosen = inside[np.argsort(-dots.usd[inside], kind="stable")[:MOST_DOTS]]
    area = np.maximum(_SMALLEST_PT2, _LARGEST_PT2 * dots.usd[chosen] / dots.usd[chosen].max())
    for long, marker in ((True, "v"), (False, "^")):
        side = dots.long[chosen] == long
        if not side.any():
            continue
        color = canvas.theme.long if long else canvas.theme.short
        points = axes.scatter(
            (dots.time_ns[chosen][side] - first_ns) / NS_PER_S,
            np.log(dots.price[chosen][side]),
            s=area[side],
            marker=marker,
            facecolors="none" if dots.throttled else color,
            edgecolors=color if dots.throttled else canvas.theme.halo,
            linewidths=1.2 if dots.throttled else 0.6,
            zorder=9,
        )
        points.set_gid(f"dots-{'long' if long else 'short'}")
