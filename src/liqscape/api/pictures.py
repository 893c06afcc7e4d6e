"""Pictures of what the doors return."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from liqscape.analytics import caveats_for, headline
from liqscape.model.maps import Heatmap, LiquidationMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(
    result: LiquidationMap | Heatmap,
    path: str | Path | None = None,
    *,
    within: float = 0.15,
    scale: tuple[float, float] | None = None,
    dark: bool = True,
    size: tuple[int, int] = (1600, 900),
) -> Figure:
    """Draw a map or a heatmap with its source, window, instant and caveats inside.

    Parameters
    ----------
    path
        Where to write it (.png or .svg); None only returns the figure.
    within
        Reach of a map's price axis, fraction.
    scale
        Fixed dollars of a heatmap's colours (floor, ceiling), so that pictures compare; default: chosen from the heatmap.
    size
        Pixels.

    Raises
    ------
    BadArgument
        If the path's ending is unknown.
    """
    from liqscape.plot import plot_heatmap, plot_map, save

    if isinstance(result, LiquidationMap):
        caption = [f"{c.code} {c.text}" for c in caveats_for(result, "map")]
        figure = plot_map(result, within=within, caption=caption, headline=headline(result), dark=dark, size=size)
    else:
        caption = [f"{c.code} {c.text}" for c in caveats_for(result, "heatmap")]
        figure = plot_heatmap(result, scale=scale, caption=caption, dark=dark, size=size)
    if path is not None:
        save(figure, Path(path))
    return figure
