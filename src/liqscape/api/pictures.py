"""Pictures of what the doors return."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from liqscape.analytics import caveats_for, headline
from liqscape.engine.cascade import Cascades
from liqscape.engine.verdict import Badge
from liqscape.model.maps import Heatmap, LiquidationMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(
    result: LiquidationMap | Heatmap | Cascades,
    path: str | Path | None = None,
    *,
    within: float = 0.15,
    scale: tuple[float, float] | None = None,
    dark: bool = True,
    size: tuple[int, int] = (1600, 900),
    badge: Badge | None = None,
) -> Figure:
    """Draw a map, a heatmap or a cascade with its source, window, instant and caveats inside.

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
    badge
        The out-of-sample record that is printed; default: what the result carries, else none.

    Raises
    ------
    BadArgument
        If the path's ending is unknown.
    """
    from liqscape.api.answers.maps import prior_share_within
    from liqscape.api.cascade import draw_cascade
    from liqscape.api.maps import History, Map
    from liqscape.plot import plot_heatmap, plot_map, save

    if isinstance(result, Cascades):
        return draw_cascade(result, path, badge=(badge or Badge()).text, dark=dark)
    record = badge or (result.badge if isinstance(result, Map | History) else Badge())
    if isinstance(result, LiquidationMap):
        drawn = prior_share_within(result, within)
        caption = [f"{c.code} {c.text}" for c in caveats_for(result, "map", tested=record.has_record, prior_share=drawn)]
        figure = plot_map(
            result, within=within, caption=caption, headline=headline(result), dark=dark, size=size, badge=record.text
        )
    else:
        caption = [f"{c.code} {c.text}" for c in caveats_for(result, "heatmap", tested=record.has_record)]
        figure = plot_heatmap(result, scale=scale, caption=caption, dark=dark, size=size, badge=record.text)
    if path is not None:
        save(figure, Path(path))
    return figure
