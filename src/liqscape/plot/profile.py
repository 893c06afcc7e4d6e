"""The profile beside a heatmap: the last known column as bars on the same price axis."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Heatmap
from liqscape.model.sides import PositionSide
from liqscape.plot.canvas import Box, Canvas
from liqscape.plot.frame import set_ticks, style_ticks
from liqscape.plot.levels import rectangles
from liqscape.plot.theme import PRIOR_HATCH, mix
from liqscape.plot.ticks import usd_ticks

_BAR_PX = 4.0


def draw_profile(canvas: Canvas, box: Box, limits: tuple[float, float], heatmap: Heatmap, strip: float, row: float) -> Axes:
    """Draw shorts above the last price in orange and longs below it in blue, solid for data and hatched for prior.

    Parameters
    ----------
    limits
        Lower and upper end of the vertical axis, log of price.
    strip, row
        Heights of the strip at the top and of a row of labels, design pixels.
    """
    axes = canvas.axes(box)
    style_ticks(canvas, axes)
    axes.set_ylim(*limits)
    theme = canvas.theme
    known = np.flatnonzero(np.isfinite(heatmap.usd_per_permille).any(axis=0) & np.isfinite(heatmap.close))
    top = 0.0
    if known.size:
        column = int(known[-1])
        usd = np.nan_to_num(heatmap.usd_per_permille[:, column].astype(np.float64))
        prior = usd * np.clip(np.nan_to_num(heatmap.prior_share[:, column].astype(np.float64)), 0.0, 1.0)
        above = np.sqrt(heatmap.edge_price[:-1] * heatmap.edge_price[1:]) > heatmap.close[column]
        per_row = box.height * (np.log(heatmap.edge_price[-1] / heatmap.edge_price[0])) / (limits[1] - limits[0]) / usd.size
        group = max(1, round(_BAR_PX / max(per_row, 1e-9)))
        for side, chosen in ((PositionSide.SHORT, above), (PositionSide.LONG, ~above)):
            rows = np.flatnonzero(chosen)
            if rows.size:
                edges = np.log(heatmap.edge_price[rows[0] : rows[-1] + 2])
                top = max(top, _draw_side(canvas, axes, side, edges, usd[rows], prior[rows], group))
    top = top or 1.0
    axes.set_xlim(0.0, 1.06 * top)
    ticks = usd_ticks(top, max(1, int(box.width / 70.0)))
    set_ticks(axes.xaxis, ticks if len(ticks) < 2 else ticks[1:])
    y = box.top + strip + row / 2.0
    canvas.write(box.left + 8.0, y, "shorts above", 13.0, color=theme.short, bold=True, vertical="center")
    canvas.write(box.left + 8.0, box.bottom - row / 2.0, "longs below", 13.0, color=theme.long, bold=True, vertical="center")
    return axes


def _draw_side(
    canvas: Canvas, axes: Axes, side: PositionSide, edges: FloatArray, usd: FloatArray, prior: FloatArray, group: int
) -> float:
    """Draw one side in groups of rows and return its longest bar, USD per 0.1 %."""
    starts = np.arange(0, usd.size, group)
    sizes = np.diff(np.append(starts, usd.size))
    whole, assumed = np.add.reduceat(usd, starts) / sizes, np.add.reduceat(prior, starts) / sizes
    borders = edges[np.append(starts, usd.size)]
    gap = 0.1 * np.diff(borders)
    low, high = borders[:-1] + gap, borders[1:] - gap
    color, name = canvas.theme.side(side), "long" if side is PositionSide.LONG else "short"
    data = whole - assumed
    solid = PolyCollection(rectangles(np.zeros_like(data), data, low, high), facecolor=color, edgecolor="none", zorder=3)
    solid.set_gid(f"profile-data-{name}")
    axes.add_collection(solid, autolim=False)
    shown = assumed > 0.002 * whole.max(initial=0.0)
    if shown.any():
        hatched = PolyCollection(
            rectangles(data[shown], whole[shown], low[shown], high[shown]),
            facecolor=mix(color, canvas.theme.panel, 0.22),
            edgecolor=color,
            hatch=PRIOR_HATCH,
            linewidth=0.0,
            zorder=3,
        )
        hatched.set_hatch_linewidth(0.9)
        hatched.set_gid(f"profile-prior-{name}")
        axes.add_collection(hatched, autolim=False)
    return float(whole.max(initial=0.0))
