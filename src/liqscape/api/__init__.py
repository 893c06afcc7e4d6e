"""The Python door: `import liqscape as ls; m = ls.map("BTC")`. The same words as in the shell.

May depend on everything below. Functions here read text and times as people write them and hand them to `engine`; results
are frozen nouns that print themselves and turn into frames.
"""

from liqscape.api.cascade import attribute, calc, cascade, ignition
from liqscape.api.frames import frame
from liqscape.api.live import backfill, venues
from liqscape.api.maps import Map, heatmap, map
from liqscape.api.pictures import plot
from liqscape.api.readings import asymmetry, fuel, headline, ladder, liquidations, move_to, tilt, zones
from liqscape.api.record import accuracy, episodes
from liqscape.api.stores import import_data, instruments

__all__ = [
    "Map",
    "accuracy",
    "asymmetry",
    "attribute",
    "backfill",
    "calc",
    "cascade",
    "episodes",
    "frame",
    "fuel",
    "headline",
    "heatmap",
    "ignition",
    "import_data",
    "instruments",
    "ladder",
    "liquidations",
    "map",
    "move_to",
    "plot",
    "tilt",
    "venues",
    "zones",
]
