"""Watched prices on a map: a dashed line each, with labels that keep clear of each other."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from liqscape.plot.canvas import Box, Canvas
from liqscape.plot.words import price_text
from liqscape.units import format_percent

_PX = 13.0
_CLEAR = 16.0  # between two labels of a row


def label_rows(canvas: Canvas, prices: Sequence[float], mark_price: float, within: float, box: Box) -> list[int]:
    """Return the row of each label, prices ascending: the first row in which it keeps clear of its neighbour."""
    ends: list[float] = []
    rows: list[int] = []
    for price in prices:
        x, width = _place(canvas, price, mark_price, within, box)
        row = next((r for r, end in enumerate(ends) if x - width / 2.0 > end + _CLEAR), len(ends))
        ends[row : row + 1] = [x + width / 2.0]
        rows.append(row)
    return rows


def draw_watch(canvas: Canvas, axes: Axes, price: float, mark_price: float, within: float, box: Box, down: float) -> None:
    """Draw a watched price with its label `down` design pixels under the top of the plot."""
    color = canvas.theme.muted
    axes.axvline(price, ymax=1.0 - (down + 10.0) / box.height, color=color, linewidth=1.1, dashes=(4, 3), zorder=6.5)
    x, _ = _place(canvas, price, mark_price, within, box)
    canvas.pill(x, box.top + down, _label(price, mark_price), _PX, color, align="center").set_gid("watch")


def _label(price: float, mark_price: float) -> str:
    distance = format_percent(price / mark_price - 1.0, decimals=2, sign=True).replace("-", "\N{MINUS SIGN}")
    return f"watch {price_text(price)}  {distance}"


def _place(canvas: Canvas, price: float, mark_price: float, within: float, box: Box) -> tuple[float, float]:
    """Return the middle and the width of a label, pushed inside the plot."""
    width = canvas.measure(_label(price, mark_price), _PX, bold=True) + 14.0
    x = box.left + box.width * (price / mark_price - 1.0 + within) / (2.0 * within)
    return min(max(x, box.left + width / 2.0 + 4.0), box.right - width / 2.0 - 4.0), width
