"""The picture of a map: bars of both sides over price, sums outward from the mark with their interval."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import LiquidationMap
from liqscape.model.sides import PositionSide
from liqscape.plot.canvas import Box, Canvas
from liqscape.plot.frame import (
    MARGIN,
    Strip,
    draw_axis_name,
    draw_header,
    draw_strip,
    height_of,
    make_legend,
    make_strip,
    set_ticks,
    style_ticks,
    watermark,
)
from liqscape.plot.levels import Bars, Curve, bars_of, buckets_within, curve_of, group_size, rectangles
from liqscape.plot.theme import PRIOR_HATCH, mix
from liqscape.plot.ticks import distance_ticks, price_ticks, usd_range, usd_ticks
from liqscape.plot.watch_labels import draw_watch, label_rows
from liqscape.plot.words import UNTESTED, caveats, instant, name_of, percent_text, price_text, reading, stamps
from liqscape.units import format_percent, format_usd

_BAR_PX = 8.0  # narrowest bar with its gap, design pixels
_GUTTER = 88.0  # room for dollar labels on either side
_ROW = 27.0  # a row of labels under the strip


@dataclass(frozen=True)
class _Side:
    """One side, ready to be drawn."""

    side: PositionSide
    bars: Bars
    curve: Curve
    pool: tuple[float, float | None, float | None]  # USD within the distance, and its interval

    @property
    def name(self) -> str:
        return "long" if self.side is PositionSide.LONG else "short"


def plot_map(
    map: LiquidationMap,
    *,
    within: float = 0.15,
    caption: Sequence[str] = (),
    headline: str | None = None,
    watch: Sequence[float] = (),
    truth: tuple[FloatArray, FloatArray] | None = None,
    dark: bool = True,
    size: tuple[int, int] = (1600, 900),
    badge: str = UNTESTED,
) -> Figure:
    """Draw a map: longs in blue left of the mark, shorts in orange right of it, solid for data and hatched for prior.

    Parameters
    ----------
    within
        Distance from the mark that is drawn each way, fraction; at most the reach of the map.
    caption
        Lines added to the strip, such as caveats that hold numbers ("PRIOR 38 % of this number is assumption, not data.").
    headline
        Title; without one the two pools within the distance, both sides always.
    watch
        Prices to mark, quote per base; those outside the picture are named in the strip.
    truth
        (short, long): the true dollars per bucket where they are known, float64[n] outward like the map's own levels; drawn
        as outlines.
    dark
        Dark or light theme.
    size
        Width and height, pixels.
    badge
        The out-of-sample record in short, as it is printed: `WEAK lift 1.01 [0.97-1.04], 41 d`.

    Raises
    ------
    BadArgument
        If `within` is not in (0, reach of the map], the truth has another number of buckets, the size is out
        of bounds, or the texts leave no room for the data.
    """
    canvas = Canvas(size, dark)
    _check(map, within, truth)
    sides = _sides(map, within, truth, 0.5 * (canvas.width - 2.0 * _GUTTER))
    name_pools = " and ".join(f"{format_usd(s.pool[0])} of {s.name}s {_where(s.side)}" for s in sides)
    subline = [name_of(map), f"mark {price_text(map.mark_price)}", f"as of {instant(map.as_of_ns)}", reading(map)]
    title = headline or f"{map.asked}: {name_pools} within {percent_text(within)}"
    top = draw_header(canvas, title, subline, map.simulated, badge) + 38.0
    legend = make_legend(canvas, *_legend(canvas, sides), _GUTTER, canvas.width - _GUTTER - MARGIN)
    foot = height_of(canvas, legend) + 9.0 + 58.0
    box = Box(_GUTTER, top, canvas.width - 2.0 * _GUTTER, canvas.height - top - foot)
    outside = [p for p in watch if abs(p / map.mark_price - 1.0) > within]
    facts = [*stamps(map), *(f"watch {price_text(p)} lies outside" for p in outside)]
    strip = make_strip(canvas, facts, caveats(map.caveats, caption, badge), box.width)
    canvas.require_room(box.height - strip.height - 2.0 * _ROW)
    axes = canvas.axes(box)
    style_ticks(canvas, axes)
    if map.simulated:
        watermark(canvas, axes, box.below(strip.height, box.height - strip.height), 1.0, canvas.theme.amber, 0.14)
    _draw_data(canvas, axes, map, sides, within, watch, box, strip)
    draw_strip(canvas, strip, box)
    canvas.figure.set_label(f"{title}. {', '.join(subline)}. {caveats(map.caveats, caption, badge)[0]}")
    return canvas.figure


def _check(map: LiquidationMap, within: float, truth: tuple[FloatArray, FloatArray] | None) -> None:
    reach = min(abs(float(s.edge_price[-1]) / map.mark_price - 1.0) for s in (map.short, map.long))
    if not 0.0 < within <= reach + 1e-9:
        raise BadArgument(
            f"within: expected a distance in (0, {reach:g}], received {within!r}",
            hint=f"The map reaches {reach:.0%} each way; draw at most that.",
        )
    expected = (map.short.usd.size, map.long.usd.size)
    if truth is not None and (truth[0].size, truth[1].size) != expected:
        raise BadArgument(
            f"truth: expected {expected[0]} short and {expected[1]} long buckets, received {truth[0].size} and {truth[1].size}",
            hint="Give the true dollars in the buckets of the map, outward from the mark: (short, long).",
        )


def _sides(
    map: LiquidationMap,
    within: float,
    truth: tuple[FloatArray, FloatArray] | None,
    pixels: float,
) -> tuple[_Side, _Side]:
    sides: list[_Side] = []
    for number, levels in enumerate((map.short, map.long)):
        count = buckets_within(levels, map.mark_price, within)
        bars = bars_of(levels, count, group_size(count, pixels, _BAR_PX), None if truth is None else truth[number])
        curve = curve_of(levels, count)
        end = map.mark_price * (1.0 - levels.side.sign * within)
        sides.append(_Side(levels.side, bars, curve, curve.at(end)))
    return sides[0], sides[1]


def _draw_data(
    canvas: Canvas,
    axes: Axes,
    map: LiquidationMap,
    sides: tuple[_Side, _Side],
    within: float,
    watch: Sequence[float],
    box: Box,
    strip: Strip,
) -> None:
    inside = sorted(p for p in watch if abs(p / map.mark_price - 1.0) <= within)
    rows = label_rows(canvas, inside, map.mark_price, within, box)
    reserved = strip.height + _ROW * (2 + max(rows, default=-1)) + 12.0
    share = 1.0 - reserved / box.height  # of the height, for the data
    low, high = map.mark_price * (1.0 - within), map.mark_price * (1.0 + within)
    axes.set_xlim(low, high)
    tallest = max(s.bars.highest_usd for s in sides) or 1.0
    axes.set_ylim(0.0, tallest * 1.02 / share)
    sums = axes.twinx()
    sums.set_facecolor("none")
    style_ticks(canvas, sums)
    farthest = max(float(np.nanmax([s.pool[0], s.pool[2] or 0.0])) for s in sides) or 1.0
    sums.set_ylim(0.0, farthest * 1.02 / share)
    _draw_axes(canvas, axes, sums, map, within, box, share)
    for side in sides:
        _draw_bars(canvas, axes, side, tallest * 0.002)
        _draw_curve(canvas, sums, side)
    _draw_mark(canvas, axes, map, box, strip)
    _draw_pools(canvas, sides, map, box, strip)
    for price, row in zip(inside, rows, strict=True):
        draw_watch(canvas, axes, price, map.mark_price, within, box, strip.height + _ROW * (row + 1) + _ROW / 2 + 7.0)


def _draw_axes(
    canvas: Canvas,
    axes: Axes,
    sums: Axes,
    map: LiquidationMap,
    within: float,
    box: Box,
    share: float,
) -> None:
    theme = canvas.theme
    most = max(3, int(share * box.height / 62.0))
    bars_top, sums_top = axes.get_ylim()[1] * share, sums.get_ylim()[1] * share
    set_ticks(axes.yaxis, usd_ticks(bars_top, most))
    set_ticks(sums.yaxis, usd_ticks(sums_top, most))
    across = max(4, int(box.width / 105.0))
    set_ticks(axes.xaxis, price_ticks(*axes.get_xlim(), across))
    axes.grid(axis="y", color=theme.grid, linewidth=0.7)
    mirror = axes.twiny()
    mirror.set_xlim(*axes.get_xlim())
    style_ticks(canvas, mirror)
    ticks = distance_ticks(within, max(4, int(box.width / 90.0)))
    set_ticks(mirror.xaxis, [(map.mark_price * (1.0 + at), label) for at, label in ticks])
    draw_axis_name(canvas, axes, "bars: $ per 0.1 % of price")
    draw_axis_name(canvas, axes, "lines: $ summed out from the mark", right=True)
    base_y = box.bottom + 33.0
    text = f"{map.price_kind.value} price; at the top the distance from the mark"
    canvas.write(box.left + box.width / 2, base_y, text, 13.0, color=theme.muted, align="center")


def _draw_bars(canvas: Canvas, axes: Axes, side: _Side, least: float) -> None:
    """Draw solid data, brightly from the axis up what is measured of it, hatched prior on top, and the truth as an outline."""
    theme, bars, color = canvas.theme, side.bars, canvas.theme.side(side.side)
    inner, outer = bars.edge_price[:-1], bars.edge_price[1:]
    gap = 0.09 * (outer - inner)
    left, right = inner + gap, outer - gap
    zero = np.zeros_like(bars.data_usd)
    solid = PolyCollection(rectangles(left, right, zero, bars.data_usd), facecolor=color, edgecolor="none", zorder=3)
    solid.set_gid(f"data-{side.name}")
    axes.add_collection(solid, autolim=False)
    if (known := bars.measured_usd > least).any():
        exact = PolyCollection(
            rectangles(left[known], right[known], zero[known], bars.measured_usd[known]),
            facecolor=mix(color, theme.text, 0.55),
            edgecolor="none",
            zorder=3.2,
        )
        exact.set_gid(f"measured-{side.name}")
        axes.add_collection(exact, autolim=False)
    shown = bars.prior_usd > least
    if shown.any():
        top = bars.data_usd + bars.prior_usd
        prior = PolyCollection(
            rectangles(left[shown], right[shown], bars.data_usd[shown], top[shown]),
            facecolor=mix(color, theme.panel, 0.22),
            edgecolor=color,
            hatch=PRIOR_HATCH,
            linewidth=0.0,
            zorder=3,
        )
        prior.set_hatch_linewidth(1.1)
        prior.set_gid(f"prior-{side.name}")
        axes.add_collection(prior, autolim=False)
    if bars.truth_usd is not None:
        outline = axes.stairs(
            bars.truth_usd if outer[-1] > inner[0] else bars.truth_usd[::-1],
            bars.edge_price if outer[-1] > inner[0] else bars.edge_price[::-1],
            color=theme.text,
            linewidth=1.5,
            baseline=None,
            zorder=4.5,
        )
        outline.set_gid(f"truth-{side.name}")


def _draw_curve(canvas: Canvas, sums: Axes, side: _Side) -> None:
    color, curve = canvas.theme.side(side.side), side.curve
    known = ~np.isnan(curve.low_usd)
    if known.sum() > 1:
        band = sums.fill_between(
            curve.price, curve.low_usd, curve.high_usd, where=known, color=color, alpha=0.16, linewidth=0.0, zorder=2
        )
        band.set_gid(f"band-{side.name}")
    # A halo keeps the line readable where it crosses its own bars.
    sums.plot(curve.price, curve.usd, color=canvas.theme.panel, linewidth=5.0, zorder=5, solid_capstyle="round")
    bright = mix(color, canvas.theme.text, 0.62)
    sums.plot(curve.price, curve.usd, color=bright, linewidth=2.4, zorder=6, solid_capstyle="round", gid=f"sum-{side.name}")


def _draw_mark(canvas: Canvas, axes: Axes, map: LiquidationMap, box: Box, strip: Strip) -> None:
    theme = canvas.theme
    highest = 1.0 - (strip.height + _ROW) / box.height
    axes.axvline(map.mark_price, ymax=highest, color=theme.mark, linewidth=1.3, zorder=7)
    y = box.top + strip.height + _ROW / 2 + 7.0
    canvas.pill(box.left + box.width / 2, y, f"mark {price_text(map.mark_price)}", 14.0, theme.mark, align="center")


def _draw_pools(canvas: Canvas, sides: tuple[_Side, _Side], map: LiquidationMap, box: Box, strip: Strip) -> None:
    """Name both sides where they stand: their dollars within the picture and the interval."""
    y = box.top + strip.height + _ROW / 2 + 7.0
    half = box.width / 2 - canvas.measure(f"mark {price_text(map.mark_price)}", 14.0, bold=True) / 2 - 40.0
    for side in sides:
        label = f"{side.name}s liquidated {_where(side.side)}"
        pool = f"{format_usd(side.pool[0])} {usd_range(*side.pool[1:])}".strip()
        options = (f"{label}: {pool}", f"{side.name}s {_where(side.side)}: {pool}", f"{side.name}s: {format_usd(side.pool[0])}")
        text = next((t for t in options if canvas.measure(t, 14.5, bold=True) <= half), options[-1])
        left = side.side is PositionSide.LONG
        canvas.write(
            box.left + 12.0 if left else box.right - 12.0,
            y,
            text,
            14.5,
            color=canvas.theme.side(side.side),
            bold=True,
            align="left" if left else "right",
            vertical="center",
        ).set_gid(f"pool-{side.name}")


def _legend(canvas: Canvas, sides: tuple[_Side, _Side]) -> tuple[list[Artist], list[str]]:
    theme = canvas.theme
    handles: list[Artist] = [Patch(facecolor=theme.long), Patch(facecolor=theme.short)]
    labels = ["longs", "shorts"]
    total = sum(float((s.bars.data_usd + s.bars.prior_usd).sum()) for s in sides)
    prior = sum(float(s.bars.prior_usd.sum()) for s in sides)
    measured = sum(float(s.bars.measured_usd.sum()) for s in sides)
    if measured > 0.0:
        handles.append(Patch(facecolor=mix(theme.muted, theme.text, 0.55)))
        labels.append(f"bright: measured position by position, {format_percent(measured / total, decimals=0)}")
    if prior > 0.0:
        hatched = Patch(facecolor=mix(theme.muted, theme.panel, 0.22), edgecolor=theme.muted, hatch=PRIOR_HATCH, linewidth=0.0)
        hatched.set_hatch_linewidth(1.1)
        handles.append(hatched)
        labels.append(f"hatched: prior, {format_percent(prior / total, decimals=0)} of what is drawn; solid: data")
    handles.append(Line2D([], [], color=theme.text, linewidth=2.4))
    labels.append("summed outward")
    if any(not np.isnan(s.curve.low_usd).all() for s in sides):
        handles.append(Patch(facecolor=theme.text, alpha=0.2))
        labels.append("80 % interval of the sum")
    if any(s.bars.truth_usd is not None for s in sides):
        handles.append(Line2D([], [], color=theme.text, linewidth=1.5, drawstyle="steps-mid"))
        labels.append("true levels")
    return handles, labels


def _where(side: PositionSide) -> str:
    return "below" if side is PositionSide.LONG else "above"
