"""Pictures of a cascade: fuel against brakes with what ignites it, a fan of end prices with and without the map, the rounds.

The room knows no cascade: what it draws arrives as arrays and as nouns with the few fields named here. `Curves`, `Ignition`, and
the quantiles of `fan` fit as they are. A move up runs into shorts and is drawn in their colour, a move down in that of longs.
"""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Estimate
from liqscape.plot.canvas import Box, Canvas, points
from liqscape.plot.frame import MARGIN, draw_strip, make_strip, set_ticks
from liqscape.plot.panels import LABEL_PX, key, panel, sheet
from liqscape.plot.ticks import decimals_of, distance_ticks, nice_step, steps, usd_range, usd_ticks
from liqscape.plot.words import CAVEATS, UNTESTED, price_text
from liqscape.units import format_percent, format_usd

WITHIN = 0.05
_GAP, _EDGE = 30.0, 26.0  # between panels; right of axes whose last label stands on their border
_R_CEILING = 2.0
_TAIL = 2.5  # of the farthest quartile: the outer tenth may leave the picture, and is then told in words
_MINUTE_S = 60
_CODES = ("POTENTIAL", "MODEL")


class Bands(Protocol):
    """Bands of one direction: 10 %, 50 % and 90 % of the ensemble (`cascade.Curves`)."""

    @property
    def distance(self) -> FloatArray:
        """float64[n + 1], fraction of the mark, from 0."""
        ...

    @property
    def potential_usd(self) -> FloatArray:
        """float64[3, n + 1], U = B - F, USD."""
        ...

    @property
    def reproduction(self) -> FloatArray:
        """float64[3, n], R = f / b of each bucket."""
        ...


class Odds(Protocol):
    """A probability."""

    @property
    def value(self) -> float:
        """Between 0 and 1."""
        ...


class Ignites(Protocol):
    """What it takes to ignite one direction (`cascade.Ignition`)."""

    @property
    def p_ignites(self) -> Odds:
        """Share of the ensemble that ignites."""
        ...

    @property
    def dollars(self) -> Estimate:
        """USD that start it; unknown if nothing ignites."""
        ...

    @property
    def distance(self) -> Estimate:
        """Where, fraction of the mark."""
        ...


@dataclass(frozen=True)
class CascadeSide:
    """One direction of the picture; what is None is left out.

    Parameters
    ----------
    bands, ignites
        Potential and what ignites it.
    fan, fan_no_map : float64[5, points], distance in that direction at 10, 25, 50, 75 and 90 % of the paths, evenly in time
    by_round_usd
        Mean forced dollars of each round; the last holds all later ones.
    """

    bands: Bands | None = None
    ignites: Ignites | None = None
    fan: FloatArray | None = None
    fan_no_map: FloatArray | None = None
    by_round_usd: Sequence[float] = ()


def plot_cascade(
    title: str,
    subline: Sequence[str],
    *,
    up: CascadeSide | None = None,
    down: CascadeSide | None = None,
    mark_price: float,
    every_s: int = 10,
    shock_usd: float | None = None,
    within: float = WITHIN,
    caption: Sequence[str] = (),
    badge: str = UNTESTED,
    simulated: bool = False,
    dark: bool = True,
    size: tuple[int, int] = (1600, 1200),
) -> Figure:
    """Draw both directions on one sheet: U(x) over R(x), and below them the fan and the rounds if there are any.

    Parameters
    ----------
    title, subline
        Headline and the facts under it.
    every_s
        Seconds between the points of a fan.
    shock_usd
        Drawn as a line where it is given: a shock ends where U first reaches it.
    within
        Reach of U(x) to both sides, fraction.
    caption
        Caveat sentences with their numbers, such as the book's time; the general ones are always there.

    Raises
    ------
    BadArgument
        If neither direction has bands.
    """
    sides = _sides(up, down)
    canvas, top = sheet(title, subline, badge, simulated, dark, size)
    bottom = _caveats(canvas, caption)
    below = any(side.fan is not None or len(side.by_round_usd) for _, side in sides)
    height = bottom - top
    upper = 0.56 * height if below else height
    draw_potential(canvas, Box(MARGIN, top, canvas.width - 2.0 * MARGIN, upper - 12.0), sides, mark_price, within, shock_usd)
    if below:
        wide = 0.5 * (canvas.width - 2.0 * MARGIN - _GAP)
        draw_fan(canvas, Box(MARGIN, top + upper, wide, height - upper), sides, mark_price, every_s)
        draw_rounds(canvas, Box(MARGIN + wide + _GAP, top + upper, wide, height - upper), sides)
    canvas.figure.set_label(". ".join((title, ", ".join(subline), *(_said(sign, side, mark_price) for sign, side in sides))))
    return canvas.figure


def plot_potential(
    title: str,
    subline: Sequence[str],
    *,
    up: CascadeSide | None = None,
    down: CascadeSide | None = None,
    mark_price: float,
    shock_usd: float | None = None,
    within: float = WITHIN,
    caption: Sequence[str] = (),
    badge: str = UNTESTED,
    simulated: bool = False,
    dark: bool = True,
    size: tuple[int, int] = (1600, 900),
) -> Figure:
    """Draw U(x) over R(x) alone."""
    bare = [None if side is None else CascadeSide(bands=side.bands, ignites=side.ignites) for side in (up, down)]
    return plot_cascade(
        title, subline, up=bare[0], down=bare[1], mark_price=mark_price, shock_usd=shock_usd, within=within, caption=caption,
        badge=badge, simulated=simulated, dark=dark, size=size,
    )  # fmt: skip


def draw_potential(
    canvas: Canvas,
    box: Box,
    sides: Sequence[tuple[int, CascadeSide]],
    mark_price: float,
    within: float,
    shock_usd: float | None,
) -> None:
    """Draw U(x) with its 80 % band and where it ignites, and R(x) below on the same distances."""
    strip = 0.24 * box.height
    scale = "dollars a shock needs to get this far, 80 % band, square-root scale"
    caption = f"{scale}; where the curve turns down, forced orders carry the move on"
    axes = panel(canvas, Box(box.left, box.top, box.width - _EDGE, box.height - strip), "Brakes less fuel: U = B - F", caption)
    theme, ceiling, floor = canvas.theme, 0.0, 0.0
    for sign, side in sides:
        if side.bands is None:
            continue
        shown = side.bands.distance <= within * (1.0 + 1e-9)
        at, (low, middle, high) = sign * side.bands.distance[shown], side.bands.potential_usd[:, shown]
        axes.fill_between(at, low, high, color=_color(canvas, sign), alpha=0.2, linewidth=0)
        axes.plot(at, middle, color=_color(canvas, sign), linewidth=2.4, label=_name(sign))
        ceiling, floor = max(ceiling, float(high.max())), min(floor, float(low.min()))
    if shock_usd:
        # Far out U dwarfs what is asked about: it may leave the picture there.
        lit = [side.ignites.dollars.hi or 0.0 for _, side in sides if side.ignites is not None]
        ceiling = min(ceiling, max(4.0 * shock_usd, 1.3 * max(lit, default=0.0)))
    ceiling, floor = 1.9 * max(ceiling, shock_usd or 0.0, 1.0), max(1.1 * floor, -0.2 * max(ceiling, 1.0))
    axes.set_yscale("function", functions=(_root, _square))
    axes.set_xlim(-within if any(sign < 0 for sign, _ in sides) else 0.0, within if any(sign > 0 for sign, _ in sides) else 0.0)
    axes.set_ylim(floor, ceiling)
    axes.axhline(0.0, color=theme.muted, linewidth=1.0)
    axes.axvline(0.0, ymax=0.86, color=theme.mark, linewidth=1.4)
    if shock_usd:
        label = f"shock of {format_usd(shock_usd)}"
        axes.axhline(shock_usd, color=theme.amber, linewidth=1.4, linestyle=(0, (5, 3)), label=label)
    for sign, side in sides:
        _ignition_point(canvas, axes, sign, side, within)
    set_ticks(axes.xaxis, [])
    set_ticks(axes.yaxis, _root_ticks(floor, ceiling))
    axes.yaxis.set_minor_locator(NullLocator())
    key(canvas, axes, "upper center", columns=3)
    _reproduction(
        canvas, Box(box.left, box.bottom - strip - 34.0, box.width - _EDGE, strip + 34.0), axes, sides, mark_price, within
    )


def draw_fan(canvas: Canvas, box: Box, sides: Sequence[tuple[int, CascadeSide]], mark_price: float, every_s: int) -> None:
    """Draw where paths are along time: half of them and 80 % of them, and dashed the same without a map."""
    axes = panel(
        canvas,
        Box(box.left, box.top, box.width - _EDGE, box.height),
        "Where the price is",
        "half and 80 % of the paths; dashed: median and 80 % with no map",
    )
    theme, reach, farthest, minutes = canvas.theme, 0.0, 0.0, 1.0
    for sign, side in sides:
        color = _color(canvas, sign)
        if side.fan is None:
            continue
        at: FloatArray = np.arange(side.fan.shape[1] + 1, dtype=np.float64) * every_s / _MINUTE_S
        minutes = float(at[-1])
        path = sign * np.concatenate((np.zeros((5, 1)), side.fan), axis=1)
        axes.fill_between(at, path[0], path[4], color=color, alpha=0.18, linewidth=0)
        axes.fill_between(at, path[1], path[3], color=color, alpha=0.25, linewidth=0)
        axes.plot(at, path[2], color=color, linewidth=2.4, label=_name(sign))
        reach = max(reach, _TAIL * float(np.abs(path[1:4]).max()))
        farthest = max(farthest, float(np.abs(path).max()))
        if side.fan_no_map is not None:
            alone = sign * np.concatenate((np.zeros((5, 1)), side.fan_no_map), axis=1)
            for row, width in ((0, 0.9), (2, 1.6), (4, 0.9)):
                axes.plot(at, alone[row], color=theme.text, linewidth=width, linestyle=(0, (4, 3)))
            reach = max(reach, float(np.abs(alone).max()))
    if reach == 0.0:
        _empty(canvas, axes, "not simulated")
        return
    signs = {sign for sign, _ in sides}
    reach = min(reach, farthest) if farthest > 0.0 else reach
    low, high = (-1.08 if 1 in signs else -1.25) * reach, 1.25 * reach  # the key stands on one end
    axes.set_ylim(low if -1 in signs else 0.0, high if 1 in signs else 0.0)
    axes.set_xlim(0.0, minutes)
    axes.axhline(0.0, color=theme.mark, linewidth=1.2)
    low, high = axes.get_ylim()
    set_ticks(axes.yaxis, [(at, label) for at, label in distance_ticks(1.25 * reach, 8) if low <= at <= high])
    for sign, side in sides:
        _beyond(canvas, axes, sign, side)
    step = nice_step(minutes, 4)
    set_ticks(axes.xaxis, [(at, f"{at:.{decimals_of(step)}f} min") for at in steps(step, minutes, step)])
    key(canvas, axes, "upper left" if 1 in signs else "lower left", columns=2)


def _beyond(canvas: Canvas, axes: Axes, sign: int, side: CascadeSide) -> None:
    """Say where the outer paths are if they left the picture."""
    edge = axes.get_ylim()[1 if sign > 0 else 0]
    if side.fan is None or float(side.fan[4].max()) <= abs(edge):
        return
    axes.text(
        0.985, 0.91 if sign > 0 else 0.03, f"a tenth of the paths goes beyond {_away(sign, float(side.fan[4].max()))}",
        transform=axes.transAxes, ha="right", color=_color(canvas, sign), fontsize=points(LABEL_PX),
    )  # fmt: skip


def draw_rounds(canvas: Canvas, box: Box, sides: Sequence[tuple[int, CascadeSide]]) -> None:
    """Draw the mean forced dollars of each round: the first is what the shock itself reaches."""
    axes = panel(canvas, box, "Forced dollars by round", "mean of all paths; round 1 is what the shock reaches by itself")
    shown = [(sign, side) for sign, side in sides if len(side.by_round_usd)]
    ceiling = 1.25 * max((max(side.by_round_usd) for _, side in shown), default=0.0)
    if ceiling == 0.0:
        _empty(canvas, axes, "nothing is forced" if shown else "not simulated")
        return
    rounds = max(len(side.by_round_usd) for _, side in shown)
    width = 0.8 / len(shown)
    for place, (sign, side) in enumerate(shown):
        at = np.arange(len(side.by_round_usd)) + (place - 0.5 * (len(shown) - 1)) * width
        total = format_usd(sum(side.by_round_usd))
        axes.bar(at, side.by_round_usd, width=0.94 * width, color=_color(canvas, sign), label=f"{_name(sign)}, {total} in all")
    axes.set_xlim(-0.6, rounds - 0.4)
    axes.set_ylim(0.0, ceiling)
    axes.grid(visible=False, axis="x")
    set_ticks(axes.xaxis, [(float(i), f"{i + 1}" if i + 1 < rounds else f"{rounds} on") for i in range(rounds)])
    set_ticks(axes.yaxis, [(at, text) for at, text in usd_ticks(ceiling, 5) if at > 0.0])
    key(canvas, axes, "upper right")


def _reproduction(
    canvas: Canvas, box: Box, above: Axes, sides: Sequence[tuple[int, CascadeSide]], mark_price: float, within: float
) -> None:
    theme = canvas.theme
    place = above.get_position()
    left, width = place.x0 * canvas.width, place.width * canvas.width
    axes = canvas.axes(Box(left, box.top, width, box.height - 46.0))
    axes.tick_params(which="both", length=0, colors=theme.muted, labelsize=points(LABEL_PX), pad=points(7))
    for spine in axes.spines.values():
        spine.set_visible(False)
    for sign, side in sides:
        if side.bands is None:
            continue
        edges = side.bands.distance
        shown = int(np.searchsorted(edges, within * (1.0 + 1e-9), side="right")) - 1
        middles = sign * 0.5 * (edges[:shown] + edges[1 : shown + 1])
        low, middle, high = np.minimum(np.nan_to_num(side.bands.reproduction[:, :shown], posinf=_R_CEILING), _R_CEILING)
        axes.fill_between(middles, low, high, color=_color(canvas, sign), alpha=0.2, linewidth=0, step="mid")
        axes.plot(middles, middle, color=_color(canvas, sign), linewidth=1.6, drawstyle="steps-mid")
    axes.axhline(1.0, color=theme.amber, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.axvline(0.0, color=theme.mark, linewidth=1.4)
    axes.set_xlim(*above.get_xlim())
    axes.set_ylim(0.0, _R_CEILING)
    canvas.write(left + 8.0, box.top + 5.0, "R = f / b", LABEL_PX, color=theme.muted)
    low, high = above.get_xlim()
    ticks = [(at, label) for at, label in distance_ticks(within, 10) if low <= at <= high]
    set_ticks(axes.xaxis, [(at, f"{label}\n{_price(mark_price * (1.0 + at))}") for at, label in ticks])
    set_ticks(axes.yaxis, [(1.0, "1")])


def _ignition_point(canvas: Canvas, axes: Axes, sign: int, side: CascadeSide, within: float) -> None:
    """Mark the median ignition with its 80 % bars and say its odds."""
    if side.ignites is None:
        return
    found, color = side.ignites, _color(canvas, sign)
    odds = f"P(ignites) {format_percent(found.p_ignites.value, decimals=0)}"
    lines = [odds]
    at, usd = found.distance, found.dollars
    if at.median is not None and usd.median is not None and at.lo is not None and at.hi is not None:
        assert usd.lo is not None, "an interval has both ends or none"
        assert usd.hi is not None, "an interval has both ends or none"
        spread = np.array([[at.median - at.lo], [at.hi - at.median]]), np.array([[usd.median - usd.lo], [usd.hi - usd.median]])
        axes.errorbar(
            [sign * at.median], [usd.median], xerr=spread[0][::sign], yerr=spread[1], fmt="o", color=canvas.theme.mark,
            ecolor=color, elinewidth=1.6, markersize=points(11.0), markeredgecolor=color, markeredgewidth=1.6, zorder=6,
        )  # fmt: skip
        lines += [
            f"if so, {format_usd(usd.median)} {usd_range(usd.lo, usd.hi)}",
            f"at {_away(sign, at.median)} [{_away(sign, at.lo)} to {_away(sign, at.hi)}]",
        ]
    place, align = (0.99, "right") if sign > 0 else (0.01, "left")
    text = axes.text(
        place, 0.96, "\n".join(lines), transform=axes.transAxes, ha=align, va="top",
        fontsize=points(LABEL_PX + 1.0), color=color, zorder=7, linespacing=1.35,
    )  # fmt: skip
    text.set_parse_math(False)
    text.set_bbox({"facecolor": canvas.theme.panel, "edgecolor": "none", "alpha": 0.8, "pad": points(4.0)})
    text.set_gid(f"ignition-{'up' if sign > 0 else 'down'}")


def _caveats(canvas: Canvas, caption: Sequence[str]) -> float:
    """Draw the caveats at the bottom of the sheet; return the y above them."""
    said = {line.split(maxsplit=1)[0].rstrip(":") for line in caption if line.strip()}
    own = [f"{code} {CAVEATS[code]}" for code in _CODES if code not in said]
    width = canvas.width - 2.0 * MARGIN
    strip = make_strip(canvas, [], [*own, *caption], width)
    top = canvas.height - MARGIN - strip.height
    draw_strip(canvas, strip, Box(MARGIN, top, width, strip.height))
    return top - 14.0


def _sides(up: CascadeSide | None, down: CascadeSide | None) -> list[tuple[int, CascadeSide]]:
    sides = [(sign, side) for sign, side in ((-1, down), (1, up)) if side is not None]
    if not any(side.bands is not None for _, side in sides):
        raise BadArgument("cascade picture: neither direction has bands of U(x).", hint="Give the curves of up, down or both.")
    return sides


def _said(sign: int, side: CascadeSide, mark_price: float) -> str:
    if side.ignites is None:
        return _name(sign)
    said = f"{_name(sign)}: P(ignites) {format_percent(side.ignites.p_ignites.value, decimals=0)}"
    usd, at = side.ignites.dollars.median, side.ignites.distance.median
    if usd is None or at is None:
        return said
    return f"{said}, if so after {format_usd(usd)} at {_price(mark_price * (1.0 + sign * at))}"


def _color(canvas: Canvas, sign: int) -> str:
    return canvas.theme.short if sign > 0 else canvas.theme.long


def _name(sign: int) -> str:
    return "up, into shorts" if sign > 0 else "down, into longs"


def _away(sign: int, distance: float) -> str:
    return f"{'+' if sign > 0 else chr(0x2212)}{format_percent(distance)}"


def _price(price: float) -> str:
    return price_text(float(f"{price:.5g}"))


def _root(values: FloatArray) -> FloatArray:
    return np.sign(values) * np.sqrt(np.abs(values))


def _square(values: FloatArray) -> FloatArray:
    return np.sign(values) * np.square(values)


def _root_ticks(floor: float, ceiling: float) -> list[tuple[float, str]]:
    """Return 0 and round dollars that stand apart on a square-root scale."""
    apart = 0.11 * (math.sqrt(ceiling) + math.sqrt(-floor))
    ticks, last = [(0.0, "0")], 0.0
    for power in range(math.floor(math.log10(ceiling)) - 4, math.floor(math.log10(ceiling)) + 1):
        for usd in (10.0**power, 2.5 * 10.0**power, 5.0 * 10.0**power):
            if usd <= ceiling and math.sqrt(usd) - last >= apart:
                last = math.sqrt(usd)
                ticks.append((usd, format_usd(usd, digits=2)))
                if -usd >= floor:
                    ticks.append((-usd, f"\N{MINUS SIGN}{ticks[-1][1]}"))
    return ticks


def _empty(canvas: Canvas, axes: Axes, text: str) -> None:
    set_ticks(axes.xaxis, [])
    set_ticks(axes.yaxis, [])
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=canvas.theme.muted, fontsize=points(LABEL_PX)
    )
