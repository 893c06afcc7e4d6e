"""What every picture has around its data: header with badges, the strip with source and caveats, the legend."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.text import Text

from liqscape.plot.canvas import Box, Canvas, points
from liqscape.plot.theme import FONT, mix
from liqscape.plot.words import SIMULATED

MARGIN = 26.0
STRIP_PX = 12.5
_STRIP_LINE = 18.0
_STRIP_PAD = 9.0
_HEADLINE_PX = 25.0
_SUBLINE_PX = 15.0


@dataclass(frozen=True)
class Strip:
    """Wrapped lines of the strip, ready to be drawn; the first `facts` lines say what, the others what to beware of."""

    lines: tuple[str, ...]
    facts: int

    @property
    def height(self) -> float:
        """Design pixels that the strip takes."""
        return len(self.lines) * _STRIP_LINE + 2.0 * _STRIP_PAD


def draw_header(canvas: Canvas, headline: str, subline: Sequence[str], simulated: bool, badge: str) -> float:
    """Draw headline, subline and badges at the top of the sheet; return the y where the header ends."""
    theme, right = canvas.theme, canvas.width - MARGIN
    badges = ([(badge, theme.muted)] if badge else []) + ([(SIMULATED, theme.amber)] if simulated else [])
    for text, color in badges:
        canvas.pill(right - 6.0, 40.0, text, 14.0, color, align="right").set_gid(f"badge-{text.split()[0].lower().rstrip(',')}")
        right -= canvas.measure(text, 14.0, bold=True) + 30.0
    y = 26.0
    for line in canvas.wrap(headline, _HEADLINE_PX, right - MARGIN - 12.0, bold=True):
        canvas.write(MARGIN, y, line, _HEADLINE_PX, bold=True)
        y += 33.0
    y += 3.0
    for line in canvas.flow(subline, _SUBLINE_PX, canvas.width - 2.0 * MARGIN):
        canvas.write(MARGIN, y, line, _SUBLINE_PX, color=theme.muted)
        y += 21.0
    return y


def make_strip(canvas: Canvas, facts: Sequence[str], beware: Sequence[str], width: float) -> Strip:
    """Wrap facts and caveats to `width` design pixels."""
    inner = width - 2.0 * _STRIP_PAD - 6.0
    first = canvas.flow(facts, STRIP_PX, inner)
    return Strip((*first, *canvas.flow(beware, STRIP_PX, inner)), len(first))


def draw_strip(canvas: Canvas, strip: Strip, box: Box) -> None:
    """Draw the strip at the top of `box`, inside the plot, so that a crop of the plot keeps it."""
    theme = canvas.theme
    canvas.plate(Box(box.left, box.top, box.width, strip.height), mix(theme.text, theme.panel, 0.05))
    y = box.top + _STRIP_PAD
    for number, line in enumerate(strip.lines):
        color = theme.muted if number < strip.facts else theme.text
        canvas.write(box.left + _STRIP_PAD + 3.0, y, line, STRIP_PX, color=color).set_gid("strip")
        y += _STRIP_LINE


def watermark(canvas: Canvas, axes: Axes, box: Box, layer: float, color: str, alpha: float) -> None:
    """Write SIMULATED large and faint across `box`, a part of the axes, behind what is drawn above `layer`."""
    px = min(0.11 * box.width, 0.5 * box.height)
    axes.text(
        (box.left + box.width / 2.0) / canvas.width,
        1.0 - (box.top + box.height / 2.0) / canvas.height,
        SIMULATED,
        transform=canvas.figure.transFigure,
        fontsize=points(px),
        fontfamily=FONT,
        fontweight="bold",
        color=color,
        alpha=alpha,
        ha="center",
        va="center",
        zorder=layer,
        gid="watermark",
    )


def make_legend(canvas: Canvas, handles: Sequence[Artist], labels: Sequence[str], left: float, width: float) -> Legend:
    """Add a frameless legend whose lower left corner is at `left`, in as few rows as `width` allows."""
    legend = None
    for columns in range(len(handles), 0, -1):
        if legend is not None:
            legend.remove()
        legend = canvas.figure.legend(
            list(handles),
            list(labels),
            loc="lower left",
            bbox_to_anchor=(left / canvas.width, 9.0 / canvas.height),
            ncols=columns,
            frameon=False,
            prop=FontProperties(family=FONT, size=points(13.0)),
            labelcolor=canvas.theme.text,
            handlelength=2.0,
            handleheight=1.0,
            handletextpad=0.6,
            columnspacing=1.8,
            borderaxespad=0.0,
            borderpad=0.0,
            labelspacing=0.55,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
        if legend.get_window_extent(canvas.renderer).width / canvas.scale <= width:
            break
    assert legend is not None, "a legend has at least one handle"
    return legend


def height_of(canvas: Canvas, artist: Legend | Text) -> float:
    """Return the height of something drawn on the sheet, design pixels."""
    return artist.get_window_extent(canvas.renderer).height / canvas.scale


def set_ticks(axis: Axis, ticks: Sequence[tuple[float, str]]) -> None:
    """Put labelled ticks on an axis; dollar signs are plain characters."""
    axis.set_ticks([at for at, _ in ticks], [label for _, label in ticks])
    for tick in axis.get_major_ticks():
        tick.label1.set_parse_math(False)
        tick.label2.set_parse_math(False)


def style_ticks(canvas: Canvas, axes: Axes) -> None:
    """Give ticks the look of the house: labels only, muted."""
    axes.tick_params(which="both", length=0, colors=canvas.theme.muted, labelsize=points(14), labelfontfamily=FONT, pad=points(7))
    for spine in axes.spines.values():
        spine.set_visible(False)


def draw_axis_name(canvas: Canvas, axes: Axes, text: str, *, right: bool = False) -> None:
    """Write the name of a vertical axis outside of it, turned."""
    box = axes.get_position()
    y = (1.0 - (box.y0 + box.y1) / 2.0) * canvas.height
    x = (box.x1 * canvas.width + canvas.width) / 2.0 + 24.0 if right else box.x0 * canvas.width / 2.0 - 24.0
    label = canvas.write(x, y, text, 13.0, color=canvas.theme.muted, align="center", vertical="center")
    label.set_rotation(-90 if right else 90)
