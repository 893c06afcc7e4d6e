"""What the colours and marks of a heatmap mean: the dollar scale and the legend."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from liqscape.model.arrays import FloatArray
from liqscape.model.heat_scale import Part
from liqscape.plot.candles import Candles
from liqscape.plot.canvas import Canvas
from liqscape.plot.dots import LiquidationDots
from liqscape.plot.raster import Raster
from liqscape.plot.theme import CLASSES, mix
from liqscape.units import format_duration, format_usd

SCALE_ROW = 50.0  # design pixels that the scale takes
_SWATCH = (64.0, 14.0)
_IDLE_ZERO = re.compile(r"\.0(?=[KMBT]?$)")
_SHADES = 8  # steps inside a class


def draw_scale(canvas: Canvas, borders: FloatArray, part: Part, fixed: bool, left: float, top: float, width: float) -> None:
    """Draw the seven classes of dollars as graded swatches with their borders written under them."""
    theme = canvas.theme
    what = "$ of data" if part == "data" else "$"
    name = f"heat: {what} per 0.1 % of price" + (", fixed scale" if fixed else "")
    if canvas.measure(name, 13.0) + 34.0 + CLASSES * _SWATCH[0] + 60.0 > width:
        name = f"{what} per 0.1 %"
    canvas.write(left, top + _SWATCH[1] / 2.0, name, 13.0, vertical="center").set_gid("unit")
    x = left + canvas.measure(name, 13.0) + 34.0
    swatch = min(_SWATCH[0], (left + width - x) / (CLASSES + 0.6))
    for number in range(CLASSES * _SHADES):
        place = np.array([(number + 0.5) / (CLASSES * _SHADES)])
        red, green, blue = (float(c) for c in theme.heat(place)[0])
        last = number % _SHADES == _SHADES - 1
        patch = Rectangle(
            ((x + number * swatch / _SHADES) / canvas.width, 1.0 - (top + _SWATCH[1]) / canvas.height),
            (swatch / _SHADES + (-1.5 if last else 0.4)) / canvas.width,
            _SWATCH[1] / canvas.height,
            facecolor=(red, green, blue),
            edgecolor="none",
            transform=canvas.figure.transFigure,
            zorder=2.0,
        )
        patch.set_gid(f"class-{number // _SHADES}")
        canvas.figure.add_artist(patch)
    for number, border in enumerate(borders):
        text = _IDLE_ZERO.sub("", format_usd(float(border), digits=2)) + ("+" if number == CLASSES else "")
        canvas.write(x + number * swatch, top + _SWATCH[1] + 5.0, text, 12.0, color=theme.muted, align="center")


def legend_of(canvas: Canvas, raster: Raster, candles: Candles, dots: LiquidationDots | None) -> tuple[list[Artist], list[str]]:
    """Return handles and labels of what is in the picture, and of nothing that is not."""
    theme = canvas.theme
    handles: list[Artist] = [
        Line2D([], [], linestyle="none", marker="|", markersize=11.0, markeredgewidth=3.4, color=theme.mark),
    ]
    falling = "dark" if theme.dark else "pale"
    labels = [f"candles of {format_duration(candles.length_ns).replace('.0 ', ' ')}, {falling} when falling"]
    if raster.prior.any():
        over = raster.part == "all"
        red, green, blue = (float(c) for c in theme.heat(np.array([0.7]))[0])
        fill, line = ((red, green, blue), theme.panel) if over else (theme.panel, mix(theme.muted, theme.panel, 0.6))
        hatched = Patch(facecolor=fill, edgecolor=line, hatch="/////", linewidth=0.0)
        hatched.set_hatch_linewidth(1.6 if over else 0.8)
        handles.append(hatched)
        labels.append("hatched: more than half is prior" if over else "lines: prior, little or no data")
    if raster.empty_columns.any():
        gap = Patch(facecolor=mix(theme.muted, theme.panel, 0.08), edgecolor=mix(theme.muted, theme.panel, 0.5), hatch="\\\\\\\\")
        gap.set(linewidth=0.0)
        gap.set_hatch_linewidth(0.8)
        handles.append(gap)
        labels.append("no data")
    if dots is not None and dots.usd.size:
        for marker, color, name in (("v", theme.long, "longs"), ("^", theme.short, "shorts")):
            fill = "none" if dots.throttled else color
            handles.append(
                Line2D([], [], linestyle="none", marker=marker, markersize=8.0, markerfacecolor=fill, markeredgecolor=color)
            )
            labels.append(f"{name} liquidated" + (" (lower bound)" if dots.throttled else ""))
    return handles, labels
