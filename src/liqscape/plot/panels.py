"""Sheets of several panels: a header, axes with a title and a caption over them, a key inside."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes

from liqscape.plot.canvas import Box, Canvas, points
from liqscape.plot.frame import MARGIN, draw_header, style_ticks
from liqscape.plot.theme import FONT

GUTTER = 56.0  # left of the axes, for their labels
LABEL_PX = 13.0
_CAPTION_PX, _TITLE_PX = 14.0, 17.0
_BELOW = 46.0


def sheet(
    title: str, subline: Sequence[str], badge: str, simulated: bool, dark: bool, size: tuple[int, int]
) -> tuple[Canvas, float]:
    """Return a sheet with its header drawn, and the y where the header ends."""
    canvas = Canvas(size, dark)
    top = draw_header(canvas, title, subline, simulated, badge) + 16.0
    canvas.require_room(canvas.height - top - MARGIN - 90.0)
    return canvas, top


def panel(canvas: Canvas, box: Box, title: str, caption: str) -> Axes:
    """Add axes with a title and a caption over them, and room for their labels."""
    canvas.write(box.left, box.top, title, _TITLE_PX, bold=True)
    y = box.top + 25.0
    for line in canvas.wrap(caption, _CAPTION_PX, box.width):
        canvas.write(box.left, y, line, _CAPTION_PX, color=canvas.theme.muted)
        y += 19.0
    inner = Box(box.left + GUTTER, y + 6.0, box.width - GUTTER, box.bottom - y - _BELOW)
    axes = canvas.axes(inner)
    style_ticks(canvas, axes)
    axes.tick_params(labelsize=points(LABEL_PX))
    axes.grid(color=canvas.theme.grid, linewidth=0.8)
    return axes


def key(
    canvas: Canvas, axes: Axes, place: Literal["upper left", "upper right", "upper center", "lower left"], *, columns: int = 1
) -> None:
    """Add a frameless key inside the axes; dollar signs are plain characters."""
    legend = axes.legend(
        loc=place,
        ncols=columns,
        frameon=False,
        prop={"family": FONT, "size": points(LABEL_PX)},
        labelcolor=canvas.theme.text,
        borderaxespad=0.6,
        handlelength=1.6,
        columnspacing=1.4,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
