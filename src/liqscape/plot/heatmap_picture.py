"""The picture of a heatmap: candles over the dollars that stood at each price, and today's profile beside them."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from liqscape.clock import iso
from liqscape.errors import NoData
from liqscape.model.arrays import FloatArray
from liqscape.model.heat_scale import DollarScale, choose_scale, scale_between
from liqscape.model.maps import Heatmap
from liqscape.plot.candles import Candles, candles_of
from liqscape.plot.canvas import Box, Canvas
from liqscape.plot.dots import LiquidationDots, draw_dots
from liqscape.plot.frame import (
    MARGIN,
    Strip,
    draw_header,
    draw_strip,
    height_of,
    make_legend,
    make_strip,
    set_ticks,
    style_ticks,
    watermark,
)
from liqscape.plot.heat_legend import SCALE_ROW, draw_scale, legend_of
from liqscape.plot.levels import rectangles
from liqscape.plot.profile import draw_profile
from liqscape.plot.raster import Raster, paint, rasterise
from liqscape.plot.theme import mix
from liqscape.plot.ticks import price_ticks, time_ticks
from liqscape.plot.words import UNTESTED, caveats, instant, name_of, price_text, reading, stamps
from liqscape.units import NS_PER_S, format_duration

_CANDLES = 300  # at most
_CANDLE_PX = 4.5  # narrowest candle, design pixels
_GUTTER = 98.0  # least room for price labels at the right
_GAP = 8.0  # between heat and profile
_LEGEND_ROW = 18.0
_EMPTY = (1e4, 1e6)
_ROW = 26.0  # a row of labels over and under the profile


@dataclass(frozen=True)
class _Plot:
    """Where things are: `box` holds heat and profile, x is seconds since `first_ns`, y is the log of price."""

    box: Box
    heat: Box
    profile: Box
    strip: Strip
    first_ns: int
    last_ns: int
    low: float
    high: float

    def x(self, ns: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
        return (ns - self.first_ns) / NS_PER_S


def plot_heatmap(
    heatmap: Heatmap,
    *,
    scale: tuple[float, float] | None = None,
    liquidations: LiquidationDots | None = None,
    headline: str | None = None,
    caption: Sequence[str] = (),
    dark: bool = True,
    size: tuple[int, int] = (1600, 900),
    badge: str = UNTESTED,
) -> Figure:
    """Draw a heatmap under candles on a log price axis, with the profile of its last known column at the right.

    Parameters
    ----------
    scale
        (low, high) of the colours, USD per 0.1 % of price, low < high; cells below are clear, cells above have the top colour.
        The same dollars have the same colour in all pictures of one scale. Without it: see
        `choose_scale`.
    liquidations
        Forced orders to draw as dots, or None.
    headline, caption
        Title, and lines added to the strip.
    dark
        Dark or light theme.
    size
        Width and height, pixels.
    badge
        The out-of-sample record in short, as it is printed.

    Raises
    ------
    BadArgument
        If the scale is not 0 < low < high, the size is out of bounds, or the texts leave no room for the data.
    NoData
        If the heatmap has no columns.
    """
    if heatmap.start_ns.size == 0:
        raise NoData("heatmap: no columns to draw", hint="Ask for a longer window, or import bars first.")
    canvas = Canvas(size, dark)
    title = headline or f"{heatmap.asked}: where positions would be liquidated, and what the price swept"
    last_close = _last(heatmap.close)
    subline = [name_of(heatmap), *([f"{heatmap.price_kind.value} {price_text(last_close)}"] if last_close else [])]
    subline += [f"as of {instant(heatmap.as_of_ns)}", reading(heatmap)]
    top = draw_header(canvas, title, subline, heatmap.simulated, badge) + 14.0
    borders = np.asarray(_scale(heatmap, scale).edges_usd)
    plot, raster, candles, foot = _prepare(canvas, heatmap, liquidations, caption, badge, top)
    axes = _draw_heat(canvas, plot, raster, borders)
    _draw_candles(canvas, axes, plot, candles)
    if liquidations is not None:
        draw_dots(canvas, axes, liquidations, plot.first_ns, plot.last_ns)
    profile = draw_profile(canvas, plot.profile, axes.get_ylim(), heatmap, plot.strip.height, _ROW)
    _draw_axes(canvas, axes, profile, plot, last_close)
    if heatmap.simulated:
        watermark(
            canvas, axes, plot.heat.below(plot.strip.height, plot.heat.height - plot.strip.height), 4.0, canvas.theme.mark, 0.3
        )
    draw_strip(canvas, plot.strip, plot.box)
    draw_scale(canvas, borders, raster.part, scale is not None, plot.heat.left, plot.box.bottom + foot, plot.box.width)
    canvas.figure.set_label(f"{title}. {', '.join(subline)}. {caveats(heatmap.caveats, caption, badge)[0]}")
    return canvas.figure


def _scale(heatmap: Heatmap, asked: tuple[float, float] | None) -> DollarScale:
    if asked is not None:
        return scale_between(*asked)
    try:
        return choose_scale(heatmap)
    except NoData:
        return scale_between(*_EMPTY)  # nothing has a colour; the page says so


def _prepare(
    canvas: Canvas, heatmap: Heatmap, dots: LiquidationDots | None, caption: Sequence[str], badge: str, top: float
) -> tuple[_Plot, Raster, Candles, float]:
    """Measure everything around the heat, then fit the heat into what is left."""
    last_close = _last(heatmap.close)
    label = canvas.measure(price_text(last_close), 13.0, bold=True) if last_close else 0.0
    wide = round(canvas.width - MARGIN - max(_GUTTER, label + 28.0))
    beside = min(max(0.16 * canvas.width, 150.0), 250.0)
    strip = make_strip(canvas, stamps(heatmap), caveats(heatmap.caveats, caption, badge), wide)
    heat_width = round(wide - beside - _GAP)
    candles = candles_of(heatmap, min(_CANDLES, int(heat_width / _CANDLE_PX)))
    foot = 36.0
    fixed = 9.0 + SCALE_ROW + foot + top + strip.height + 2.0 * _ROW  # all but legend and heat
    canvas.require_room(canvas.height - fixed - _LEGEND_ROW)
    pixels = round(heat_width * canvas.scale)
    # The legend names only what is drawn, and its own height decides how much is: begin with one row of legend.
    rows = _rows(canvas, canvas.height - fixed - _LEGEND_ROW)
    raster, first, last = rasterise(heatmap, pixels, rows)
    legend = make_legend(canvas, *legend_of(canvas, raster, candles, dots), MARGIN, canvas.width - 2.0 * MARGIN)
    taken = max(_LEGEND_ROW, height_of(canvas, legend))
    if _rows(canvas, canvas.height - fixed - taken) != rows:
        raster, _, _ = rasterise(heatmap, pixels, _rows(canvas, canvas.height - fixed - taken))
    bottom = canvas.height - taken - 9.0 - SCALE_ROW - foot
    box = Box(MARGIN, round(top), wide, round(bottom - top))
    low, high = float(np.log(heatmap.edge_price[0])), float(np.log(heatmap.edge_price[-1]))
    heat = Box(box.left, box.top, heat_width, box.height)
    profile = Box(heat.right + _GAP, box.top, wide - heat_width - _GAP, box.height)
    plot = _Plot(box, heat, profile, strip, first, last, low, high)
    return plot, raster, candles, foot


def _rows(canvas: Canvas, height: float) -> int:
    return max(16, round(height * canvas.scale))


def _draw_heat(canvas: Canvas, plot: _Plot, raster: Raster, borders: FloatArray) -> Axes:
    axes = canvas.axes(plot.heat)
    style_ticks(canvas, axes)
    data = plot.box.height - plot.strip.height - 2.0 * _ROW
    per_px = (plot.high - plot.low) / max(data, 16.0)
    axes.set_xlim(0.0, (plot.last_ns - plot.first_ns) / NS_PER_S)
    axes.set_ylim(plot.low - _ROW * per_px, plot.high + (plot.strip.height + _ROW) * per_px)
    right = axes.get_xlim()[1]
    image = axes.imshow(
        paint(raster, borders, canvas.theme, max(1, round(canvas.scale))),
        origin="lower",
        extent=(0.0, right, plot.low, plot.high),
        aspect="auto",
        interpolation="nearest",
        zorder=1,
    )
    image.set_gid("heat")
    axes.set_xlim(0.0, right)
    axes.set_ylim(plot.low - _ROW * per_px, plot.high + (plot.strip.height + _ROW) * per_px)
    _draw_gaps(canvas, axes, plot, raster)
    return axes


def _draw_gaps(canvas: Canvas, axes: Axes, plot: _Plot, raster: Raster) -> None:
    """Hatch the stretches of time without data; nothing is drawn across them."""
    gap = raster.empty_columns
    change = np.flatnonzero(np.diff(np.concatenate([[0], gap.astype(np.int8), [0]])))
    right, theme = axes.get_xlim()[1], canvas.theme
    for first, last in zip(change[::2], change[1::2], strict=True):
        left, end = right * first / gap.size, right * last / gap.size
        span = axes.fill_between(
            [left, end],
            plot.low,
            plot.high,
            facecolor=mix(theme.muted, theme.panel, 0.08),
            edgecolor=mix(theme.muted, theme.panel, 0.5),
            hatch="\\\\\\\\",
            linewidth=0.0,
            zorder=2,
        )
        span.set_hatch_linewidth(0.8)
        span.set_gid("gap")


def _draw_candles(canvas: Canvas, axes: Axes, plot: _Plot, candles: Candles) -> None:
    """Draw wicks and bodies with a halo, so that they stand out from dark and bright heat alike."""
    if candles.start_ns.size == 0:
        return
    theme, length = canvas.theme, candles.length_ns / NS_PER_S
    x = np.clip(plot.x(candles.start_ns) + 0.5 * length, 0.0, axes.get_xlim()[1])
    low, high = np.log(candles.low), np.log(candles.high)
    wicks = list(np.stack([np.stack([x, low], 1), np.stack([x, high], 1)], 1))
    rising = candles.close >= candles.open
    bottom, top = np.log(np.minimum(candles.open, candles.close)), np.log(np.maximum(candles.open, candles.close))
    per_px = (axes.get_ylim()[1] - axes.get_ylim()[0]) / plot.box.height
    # A body without height would vanish: it gets one pixel.
    top = np.maximum(top, bottom + per_px)
    half = 0.36 * length
    bodies = rectangles(x - half, x + half, bottom, top)
    axes.add_collection(LineCollection(wicks, colors=theme.halo, linewidths=2.6, zorder=5), autolim=False)
    axes.add_collection(
        PolyCollection(bodies, facecolor=theme.halo, edgecolor=theme.halo, linewidths=1.8, zorder=5), autolim=False
    )
    axes.add_collection(LineCollection(wicks, colors=theme.mark, linewidths=0.9, zorder=6), autolim=False)
    for chosen, fill in ((rising, theme.mark), (~rising, mix(theme.mark, theme.halo, 0.3))):
        if chosen.any():
            shown = [body for body, wanted in zip(bodies, chosen, strict=True) if wanted]
            body = PolyCollection(shown, facecolor=fill, edgecolor=theme.mark, linewidths=0.7, zorder=7)
            axes.add_collection(body, autolim=False)


def _draw_axes(canvas: Canvas, axes: Axes, profile: Axes, plot: _Plot, last_close: float | None) -> None:
    theme, box = canvas.theme, plot.box
    most = max(3, int((box.height - plot.strip.height) / 60.0))
    bottom, top = axes.get_ylim()
    spread = (top - bottom) / box.height
    ticks = [(float(np.log(v)), label) for v, label in price_ticks(float(np.exp(plot.low)), float(np.exp(plot.high)), most)]
    if last_close is not None:
        level = float(np.log(last_close))
        ticks = [(y, label) for y, label in ticks if abs(y - level) > 22.0 * spread]
        for axis in (axes, profile):
            axis.axhline(level, color=theme.mark, linewidth=0.9, dashes=(2, 3), zorder=8)
        y = box.top + (top - level) / spread
        canvas.pill(box.right + 8.0, y, price_text(last_close), 13.0, theme.mark).set_gid("last")
    kept: list[tuple[float, str]] = []
    for y, label in ticks:
        if not kept or y - kept[-1][0] > 20.0 * spread:
            kept.append((y, label))
    set_ticks(axes.yaxis, kept)
    axes.tick_params(axis="y", labelleft=False)
    profile.yaxis.tick_right()
    set_ticks(profile.yaxis, kept)
    for axis in (axes, profile):
        axis.grid(axis="y", color=theme.muted, alpha=0.16, linewidth=0.7)
        axis.set_axisbelow(False)
        axis.set_ylim(bottom, top)
    times = time_ticks(plot.first_ns, plot.last_ns, max(3, int(plot.heat.width / 92.0)))
    set_ticks(axes.xaxis, [((ns - plot.first_ns) / NS_PER_S, label) for ns, label, _ in times])
    for tick, (_, _, day) in zip(axes.xaxis.get_major_ticks(), times, strict=True):
        tick.label1.set_color(theme.text if day else theme.muted)
    span = f"{format_duration(plot.last_ns - plot.first_ns)} to {iso(plot.last_ns)[:16].replace('T', ' ')} UTC"
    canvas.write(plot.heat.left + 10.0, box.bottom - 7.0, span, 12.5, color=theme.muted, vertical="bottom")


def _last(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else None
