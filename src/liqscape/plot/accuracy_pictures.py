"""Pictures of how right a map was: bands against what happened, dollars by the hour, lift by distance, the truth beside it."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from liqscape.model.arrays import FloatArray, IntArray
from liqscape.plot.canvas import Box, Canvas, points
from liqscape.plot.frame import MARGIN, set_ticks
from liqscape.plot.panels import key, panel, sheet
from liqscape.plot.ticks import steps, time_ticks, usd_ticks
from liqscape.plot.words import UNTESTED
from liqscape.units import NS_PER_HOUR, format_usd

_FLOOR_USD = 1e3  # hours below are drawn here: a log scale has no nought


@dataclass(frozen=True)
class SideRecord:
    """What a picture needs of one side's scores.

    Parameters
    ----------
    pit
        Share of the hours in each tenth of their predicted distribution.
    coverage
        (level of the band, share of hours inside; None unknown).
    tenths
        (predicted, published) mean USD of tenths of the hours, from the smallest prediction up.
    """

    hours: int
    pit: tuple[float, ...]
    coverage: tuple[tuple[float, float | None], ...]
    tenths: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LiftRow:
    """Levels of one class of distance: liquidated dollars, their share on the dense quarter, and that by distance alone."""

    from_distance: float
    to_distance: float
    usd: float
    share: float | None
    expected: float | None


def plot_record(
    title: str,
    subline: Sequence[str],
    long: SideRecord,
    short: SideRecord,
    lift: Sequence[LiftRow],
    *,
    lift_text: str,
    badge: str = UNTESTED,
    simulated: bool = False,
    dark: bool = True,
    size: tuple[int, int] = (1600, 900),
) -> Figure:
    """Draw a verdict: bands and their PIT, predicted against published dollars, lift by distance."""
    canvas, top = sheet(title, subline, badge, simulated, dark, size)
    wide = (canvas.width - 2.0 * MARGIN - 2.0 * 26.0) / 3.0
    height = canvas.height - top - MARGIN
    boxes = [Box(MARGIN + i * (wide + 26.0), top, wide, height) for i in range(3)]
    upper = Box(boxes[0].left, top, wide, 0.5 * height - 8.0)
    lower = Box(boxes[0].left, top + 0.5 * height + 8.0, wide, 0.5 * height - 8.0)
    draw_pit(canvas, upper, long, short)
    draw_coverage(canvas, lower, long, short)
    draw_tenths(canvas, boxes[1], long, short)
    draw_lift(canvas, boxes[2], lift, lift_text)
    canvas.figure.set_label(f"{title}. {', '.join(subline)}. {lift_text}")
    return canvas.figure


def plot_calibration(
    title: str,
    subline: Sequence[str],
    long: SideRecord,
    short: SideRecord,
    *,
    badge: str = UNTESTED,
    dark: bool = True,
    size: tuple[int, int] = (1600, 620),
) -> Figure:
    """Draw reliability and PIT: bands against what happened, and predicted against published dollars."""
    canvas, top = sheet(title, subline, badge, False, dark, size)
    wide = (canvas.width - 2.0 * MARGIN - 2.0 * 26.0) / 3.0
    boxes = [Box(MARGIN + i * (wide + 26.0), top, wide, canvas.height - top - MARGIN) for i in range(3)]
    draw_pit(canvas, boxes[0], long, short)
    draw_coverage(canvas, boxes[1], long, short)
    draw_tenths(canvas, boxes[2], long, short)
    canvas.figure.set_label(f"{title}. {', '.join(subline)}.")
    return canvas.figure


def plot_hours(
    title: str,
    subline: Sequence[str],
    start_ns: IntArray,
    realised: FloatArray,
    predicted: FloatArray,
    quantiles: FloatArray,
    *,
    badge: str = UNTESTED,
    dark: bool = True,
    size: tuple[int, int] = (1600, 1000),
) -> Figure:
    """Draw published against predicted dollars, every hour a dot, and both along time.

    Parameters
    ----------
    start_ns : int64[n], ns UTC, ascending
    realised, predicted : float64[n, 2], USD (long, short)
    quantiles : float64[n, 2, 2], USD: ends of the 80 % band
    """
    canvas, top = sheet(title, subline, badge, False, dark, size)
    height, wide = canvas.height - top - MARGIN, 0.5 * (canvas.width - 2.0 * MARGIN - 30.0)
    upper = 0.58 * height
    for side, name in enumerate(
        ("Longs: published against predicted, every hour", "Shorts: published against predicted, every hour")
    ):
        box = Box(MARGIN + side * (wide + 30.0), top, wide, upper - 14.0)
        _draw_dots(canvas, box, name, side, realised[:, side], predicted[:, side], quantiles[:, side])
    below = Box(MARGIN, top + upper, canvas.width - 2.0 * MARGIN, height - upper)
    _draw_hours(canvas, below, start_ns, realised, predicted)
    canvas.figure.set_label(f"{title}. {', '.join(subline)}.")
    return canvas.figure


def plot_lift(
    title: str,
    subline: Sequence[str],
    lift: Sequence[LiftRow],
    *,
    lift_text: str,
    badge: str = UNTESTED,
    dark: bool = True,
    size: tuple[int, int] = (1600, 620),
) -> Figure:
    """Draw the share of liquidated dollars on the dense quarter of traded levels, by distance, beside what distance expects."""
    canvas, top = sheet(title, subline, badge, False, dark, size)
    draw_lift(canvas, Box(MARGIN, top, canvas.width - 2.0 * MARGIN, canvas.height - top - MARGIN), lift, lift_text)
    canvas.figure.set_label(f"{title}. {', '.join(subline)}. {lift_text}")
    return canvas.figure


def plot_against_truth(
    title: str,
    subline: Sequence[str],
    distance: FloatArray,
    estimated: FloatArray,
    low: FloatArray,
    high: FloatArray,
    truth: FloatArray,
    *,
    dark: bool = True,
    size: tuple[int, int] = (1600, 700),
) -> Figure:
    """Draw an estimated map over the true one of a simulated market, summed outward from the mark.

    Parameters
    ----------
    distance : float64[n], outer edge of each bucket, fraction > 0
    estimated, low, high, truth : float64[2, n], USD within each distance (long, short); the map, its 80 % interval, the truth
    """
    canvas, top = sheet(title, subline, "", True, dark, size)
    theme, wide = canvas.theme, 0.5 * (canvas.width - 2.0 * MARGIN - 30.0)
    for side, (name, color) in enumerate((("longs below the mark", theme.long), ("shorts above the mark", theme.short))):
        box = Box(MARGIN + side * (wide + 30.0), top, wide, canvas.height - top - MARGIN)
        axes = panel(canvas, box, name, "dollars between the mark and the distance")
        axes.fill_between(distance, low[side], high[side], color=color, alpha=0.22, linewidth=0)
        axes.plot(distance, estimated[side], color=color, linewidth=2.2, label="map, with its 80 % interval")
        axes.plot(distance, truth[side], color=theme.mark, linewidth=1.8, linestyle=(0, (5, 2)), label="true positions")
        axes.set_xlim(0.0, float(distance[-1]))
        ceiling = 1.08 * float(max(high[side].max(), truth[side].max()))
        axes.set_ylim(0.0, ceiling)
        set_ticks(axes.xaxis, [(at, f"{at * 100:g} %") for at in steps(0.0, float(distance[-1]), 0.02)[1:]])
        set_ticks(axes.yaxis, [(at, text) for at, text in usd_ticks(ceiling, 5) if at > 0.0])
        key(canvas, axes, "upper left")
    canvas.figure.set_label(f"{title}. {', '.join(subline)}.")
    return canvas.figure


def draw_pit(canvas: Canvas, box: Box, long: SideRecord, short: SideRecord) -> None:
    """Draw how many hours fell into each tenth of their predicted distribution; level is right."""
    axes = panel(
        canvas, box, "Where hours fell in their predicted distribution", "level is right; a heap at an end is a surprise"
    )
    theme, size = canvas.theme, max(len(long.pit), 1)
    place = (np.arange(size) + 0.5) / size
    width = 0.4 / size
    axes.axhline(1.0 / size, color=theme.muted, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.bar(place - 0.5 * width, long.pit, width=0.92 * width, color=theme.long, label="longs")
    axes.bar(place + 0.5 * width, short.pit, width=0.92 * width, color=theme.short, label="shorts")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.45 * max(*long.pit, *short.pit, 1.0 / size))
    set_ticks(axes.xaxis, [(at, f"{at * 100:.0f} %") for at in (0.0, 0.25, 0.5, 0.75, 1.0)])
    set_ticks(axes.yaxis, [(at, f"{at * 100:.0f} %") for at in (0.05, 0.10, 0.15) if at < axes.get_ylim()[1]])
    key(canvas, axes, "upper right")


def draw_coverage(canvas: Canvas, box: Box, long: SideRecord, short: SideRecord) -> None:
    """Draw the share of hours inside the bands against what the bands say."""
    axes = panel(canvas, box, "Hours inside the bands", "on the line is right; below it bands are too narrow")
    theme = canvas.theme
    axes.plot([0.0, 1.0], [0.0, 1.0], color=theme.muted, linewidth=1.2, linestyle=(0, (4, 3)))
    for record, color, name in ((long, theme.long, "longs"), (short, theme.short, "shorts")):
        known = [(level, held) for level, held in record.coverage if held is not None]
        axes.plot(*zip(*known, strict=True), color=color, linewidth=1.6, marker="o", markersize=points(9.0), label=name)
    axes.set_xlim(0.4, 1.0)
    axes.set_ylim(0.4, 1.0)
    set_ticks(axes.xaxis, [(at, f"{at * 100:.0f} % band") for at in (0.5, 0.8, 0.9)])
    set_ticks(axes.yaxis, [(at, f"{at * 100:.0f} %") for at in (0.5, 0.8, 0.9)])
    key(canvas, axes, "upper left")


def draw_tenths(canvas: Canvas, box: Box, long: SideRecord, short: SideRecord) -> None:
    """Draw predicted against published dollars of tenths of the hours, both on a log scale."""
    axes = panel(canvas, box, "Tenths of the hours: published against predicted", "mean dollars an hour; on the line is right")
    theme = canvas.theme
    values = [value for record in (long, short) for pair in record.tenths for value in pair if value > 0.0]
    low, high = (0.6 * min(values), 1.7 * max(values)) if values else (1.0, 10.0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot([low, high], [low, high], color=theme.muted, linewidth=1.2, linestyle=(0, (4, 3)))
    for record, color, name in ((long, theme.long, "longs"), (short, theme.short, "shorts")):
        if record.tenths:
            axes.plot(
                *zip(*record.tenths, strict=True), color=color, linewidth=1.6, marker="o", markersize=points(9.0), label=name
            )
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    decades = [10.0**k for k in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    for axis in (axes.xaxis, axes.yaxis):
        set_ticks(axis, [(at, format_usd(at, digits=1)) for at in decades])
        axis.set_minor_locator(NullLocator())
    key(canvas, axes, "upper left")


def draw_lift(canvas: Canvas, box: Box, lift: Sequence[LiftRow], text: str) -> None:
    """Draw by distance: share of liquidated dollars on the dense quarter, beside what distance alone expects."""
    axes = panel(canvas, box, "Dollars on the densest quarter of the traded levels", text or "nothing could be located")
    theme = canvas.theme
    place = np.arange(len(lift), dtype=np.float64)
    for offset, color, name, values in (
        (-0.19, theme.mark, "liquidated there", [row.share for row in lift]),
        (0.19, theme.muted, "expected from distance alone", [row.expected for row in lift]),
    ):
        heights = [math.nan if value is None else value for value in values]
        axes.bar(place + offset, heights, width=0.34, color=color, label=name)
    axes.axhline(0.25, color=theme.amber, linewidth=1.2, linestyle=(0, (4, 3)), label="levels drawn at random")
    axes.set_xlim(-0.6, max(len(lift) - 0.4, 0.6))
    ceiling = min(1.4 * max([0.35, *(value for row in lift for value in (row.share, row.expected) if value is not None)]), 1.3)
    axes.set_ylim(0.0, ceiling)
    labels = [
        f"{row.from_distance * 100:g}-{row.to_distance * 100:g} %"
        if row.to_distance < 1.0
        else f"> {row.from_distance * 100:g} %"
        for row in lift
    ]
    dollars = [format_usd(row.usd, digits=2) for row in lift]
    set_ticks(axes.xaxis, [(float(at), f"{label}\n{usd}") for at, label, usd in zip(place, labels, dollars, strict=True)])
    set_ticks(axes.yaxis, [(at, f"{at * 100:.0f} %") for at in (0.25, 0.5, 0.75, 1.0) if at < ceiling])
    axes.tick_params(axis="x", labelsize=points(11.5))
    key(canvas, axes, "upper left")


def _draw_dots(
    canvas: Canvas, box: Box, name: str, side: int, realised: FloatArray, predicted: FloatArray, quantiles: FloatArray
) -> None:
    """Draw every hour as a dot, both axes on a log scale, with the 80 % band along the prediction."""
    theme = canvas.theme
    axes = panel(canvas, box, name, "dollars an hour, log scales; the band holds 80 % of the hours if it is right")
    axes.set_xscale("log")
    axes.set_yscale("log")
    order = np.argsort(predicted, kind="stable")
    groups = [part for part in np.array_split(order, 24) if part.size]
    middle = np.array([np.exp(np.log(predicted[part]).mean()) for part in groups])
    low, high = (np.array([np.median(quantiles[part, end]) for part in groups]) for end in (0, 1))
    axes.fill_between(
        middle, np.maximum(low, _FLOOR_USD), high, color=theme.muted, alpha=0.3, linewidth=0, label="predicted, 80 % band"
    )
    inside = (realised >= quantiles[:, 0]) & (realised <= quantiles[:, 1])
    shown = np.maximum(realised, _FLOOR_USD)
    color = (theme.long, theme.short)[side]
    axes.scatter(predicted[inside], shown[inside], s=points(5.0) ** 2, color=color, linewidths=0, alpha=0.85, label="inside")
    outside = f"outside, {(~inside).mean() * 100:.0f} %"
    axes.scatter(
        predicted[~inside], shown[~inside], s=points(6.5) ** 2, facecolor="none", edgecolor=color, linewidths=0.9, label=outside
    )
    ends = (0.7 * float(predicted.min()), 1.6 * float(predicted.max()))
    axes.plot(ends, ends, color=theme.mark, linewidth=1.1, linestyle=(0, (4, 3)))
    axes.set_xlim(*ends)
    axes.set_ylim(0.8 * _FLOOR_USD, 2.5 * float(max(realised.max(), high.max())))
    for axis, (start, stop) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        decades = [10.0**k for k in range(math.ceil(math.log10(start)), math.floor(math.log10(stop)) + 1)]
        axis.set_minor_locator(NullLocator())
        under = "under " if axis is axes.yaxis else ""
        set_ticks(axis, [(at, f"{under if at == _FLOOR_USD else ''}{format_usd(at, digits=1)}") for at in decades])
    key(canvas, axes, "upper left")


def _draw_hours(canvas: Canvas, box: Box, start_ns: IntArray, realised: FloatArray, predicted: FloatArray) -> None:
    """Draw both along time: shorts upward and longs downward, heights on a square-root scale."""
    theme = canvas.theme
    axes = panel(
        canvas, box, "Hour by hour", "coloured: published; white: predicted. Shorts upward, longs downward; square-root scale"
    )
    hours = (start_ns - start_ns[0]) / NS_PER_HOUR
    for side, (sign, color) in enumerate(((-1.0, theme.long), (1.0, theme.short))):
        axes.bar(hours, sign * np.sqrt(realised[:, side]), width=1.0, color=color, linewidth=0)
        axes.plot(hours, sign * np.sqrt(predicted[:, side]), color=theme.mark, linewidth=0.7, alpha=0.9)
    axes.set_xlim(-1.0, float(hours[-1]) + 1.0)
    high = 1.08 * float(np.sqrt(max(realised.max(), predicted.max())))
    axes.set_ylim(-high, high)
    days = time_ticks(int(start_ns[0]), int(start_ns[-1]), 12)
    set_ticks(axes.xaxis, [((at - int(start_ns[0])) / NS_PER_HOUR, _day(at)) for at, _, _ in days])
    dollars = [at for at in (1e5, 1e6, 5e6, 2e7, 5e7, 1e8, 2e8) if 0.2 * high < math.sqrt(at) < high]
    ticks = [(sign * math.sqrt(at), format_usd(at, digits=1)) for at in dollars for sign in (-1.0, 1.0)]
    set_ticks(axes.yaxis, sorted([*ticks, (0.0, "0")]))


def _day(ns: int) -> str:
    moment = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    return f"{moment.day} {moment:%b}"
