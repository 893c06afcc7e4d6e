"""A sheet with a ruler: places axes and text in design pixels and measures text before it is drawn.

The sheet is a bare `Figure` with the Agg canvas: no pyplot, no global state, no window, so pictures may be made in threads.
"""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from liqscape.errors import BadArgument
from liqscape.plot.theme import FONT, Theme, mix, theme_of

_DESIGN_SIDE = 1200.0  # sqrt(1600 x 900): the size at which one design pixel is one pixel
_DPI = 100.0
SMALLEST, LARGEST = 480, 8000  # pixels per side
LEAST_ROOM = 120.0
SEPARATOR = "  ·  "


@dataclass(frozen=True)
class Box:
    """A rectangle in design pixels; y runs downward from the top of the sheet."""

    left: float
    top: float
    width: float
    height: float

    def below(self, down: float, height: float) -> Box:
        """Return the part of the box that begins `down` pixels under its top."""
        return Box(self.left, self.top + down, self.width, height)

    @property
    def right(self) -> float:
        """Right border."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Lower border."""
        return self.top + self.height


class Canvas:
    """A sheet of `size` pixels.

    Everything scales with the sheet: fonts and lines of a 3200 x 1800 picture are twice those of 1600 x 900.

    Parameters
    ----------
    size
        Width and height in pixels, each within 480 .. 8000.
    dark
        Dark or light theme.

    Raises
    ------
    BadArgument
        If the size is out of bounds.
    """

    def __init__(self, size: tuple[int, int], dark: bool) -> None:
        width, height = size
        if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
            raise BadArgument(
                f"picture size: expected {SMALLEST} to {LARGEST} pixels per side, received {width} x {height}",
                hint="Common sizes are 1600 x 900 and 1080 x 1350.",
            )
        self.theme: Theme = theme_of(dark)
        self.scale = math.sqrt(width * height) / _DESIGN_SIDE
        self.width, self.height = width / self.scale, height / self.scale
        dpi = _DPI * self.scale
        # The hundredth of a pixel keeps the size whole where the backend truncates.
        inches = ((width + 0.01) / dpi, (height + 0.01) / dpi)
        self.figure = Figure(figsize=inches, dpi=dpi, facecolor=self.theme.background, layout=None)
        self.renderer = FigureCanvasAgg(self.figure).get_renderer()

    def require_room(self, height: float) -> None:
        """Refuse a sheet whose texts leave less than `LEAST_ROOM` design pixels of height for the data.

        Raises
        ------
        BadArgument
            If there is too little room.
        """
        if height < LEAST_ROOM:
            wide, high = round(self.width * self.scale), round(self.height * self.scale)
            raise BadArgument(
                f"picture size: {wide} x {high} leaves no room for the data under source and caveats",
                hint="Make the picture higher or the caption shorter; 1600 x 900 and 1080 x 1350 work.",
            )

    def axes(self, box: Box) -> Axes:
        """Add axes that fill `box`: in the panel's colour, without margins."""
        rectangle = (
            box.left / self.width,
            1.0 - box.bottom / self.height,
            box.width / self.width,
            box.height / self.height,
        )
        axes = self.figure.add_axes(rectangle)
        axes.set_facecolor(self.theme.panel)
        axes.set_axisbelow(True)
        axes.margins(0.0)
        return axes

    def measure(self, text: str, px: float, *, bold: bool = False) -> float:
        """Return the width of one line of text, design pixels."""
        font = FontProperties(family=FONT, size=points(px), weight="bold" if bold else "normal")
        return self.renderer.get_text_width_height_descent(text, font, ismath=False)[0] / self.scale

    def write(
        self,
        x: float,
        y: float,
        text: str,
        px: float,
        *,
        color: str | None = None,
        bold: bool = False,
        align: str = "left",
        vertical: str = "top",
    ) -> Text:
        """Write text at design pixels (x, y); dollar signs are plain characters."""
        return self.figure.text(
            x / self.width,
            1.0 - y / self.height,
            text,
            fontsize=points(px),
            fontfamily=FONT,
            fontweight="bold" if bold else "normal",
            color=color or self.theme.text,
            ha=align,
            va=vertical,
            parse_math=False,
        )

    def pill(
        self, x: float, y: float, text: str, px: float, color: str, *, align: str = "left", vertical: str = "center"
    ) -> Text:
        """Write text in a rounded box of the background's colour with a border of `color`."""
        label = self.write(x, y, text, px, color=color, bold=True, align=align, vertical=vertical)
        label.set_bbox(
            {
                "boxstyle": "round,pad=0.32,rounding_size=0.3",
                "facecolor": mix(color, self.theme.background, 0.12),
                "edgecolor": color,
                "linewidth": 1.0,
            }
        )
        return label

    def plate(self, box: Box, color: str | tuple[float, float, float]) -> None:
        """Fill a box with a colour, under the text and over the axes."""
        patch = FancyBboxPatch(
            (box.left / self.width, 1.0 - box.bottom / self.height),
            box.width / self.width,
            box.height / self.height,
            boxstyle="square,pad=0",
            facecolor=color,
            edgecolor="none",
            transform=self.figure.transFigure,
            zorder=2,
        )
        self.figure.add_artist(patch)

    def wrap(self, text: str, px: float, width: float, *, bold: bool = False) -> list[str]:
        """Break text at spaces into lines no wider than `width` design pixels and of about equal length.

        A word that is longer than a line stands alone; no-break spaces hold a number and its unit together.
        """
        words = text.split(" ")
        lines = self._flow(words, " ", px, width, bold)
        for share in (0.9, 0.8, 0.7, 0.6):
            narrower = self._flow(words, " ", px, share * width, bold)
            if len(narrower) > len(lines):
                break
            lines = narrower
        return lines if len(lines) > 1 else [text]

    def flow(self, items: Iterable[str], px: float, width: float) -> list[str]:
        """Join items by dots into lines no wider than `width`; an item that is too long alone is broken at spaces."""
        pieces: list[str] = []
        for item in items:
            pieces += [item] if self.measure(item, px) <= width else self.wrap(item, px, width)
        return self._flow(pieces, SEPARATOR, px, width, False)

    def _flow(self, pieces: Sequence[str], joint: str, px: float, width: float, bold: bool) -> list[str]:
        lines: list[str] = []
        for piece in pieces:
            longer = f"{lines[-1]}{joint}{piece}" if lines else piece
            if lines and self.measure(longer, px, bold=bold) <= width:
                lines[-1] = longer
            else:
                lines.append(piece)
        return lines


def points(px: float) -> float:
    """Turn design pixels into matplotlib's points."""
    return px * 72.0 / _DPI
