"""Pictures of a map and of a heatmap, for people: PNG and SVG.

Depends on `model` and the ground, and on matplotlib without pyplot: no global state, no window, safe in threads. What a
picture needs beyond its noun (a headline, caveats with numbers, liquidations, the truth) arrives as an argument.
"""

from liqscape.plot.dots import LiquidationDots
from liqscape.plot.files import png, save
from liqscape.plot.heatmap_picture import plot_heatmap
from liqscape.plot.map_picture import plot_map

__all__ = ["LiquidationDots", "plot_heatmap", "plot_map", "png", "save"]
