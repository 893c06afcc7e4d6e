"""Readings of a map: pools, asymmetry, moves, tilt, zones, odds, ladder, fuel, filters, caveats.

Each is a pure function of a frozen map and returns a frozen record that serialises to its JSON shape. Depends on `model` and
the ground; knows no clock, file or network.
"""

from liqscape.analytics.caveats import Caveat, CaveatCode, caveats_for, sentence
from liqscape.analytics.filters import filter_map, parse_leverage
from liqscape.analytics.fuel import Fuel, FuelRegion, fuel
from liqscape.analytics.headline import headline
from liqscape.analytics.ladder import Ladder, LadderRow, RestingOrders, ladder
from liqscape.analytics.move_to import Move, MoveRow, MoveTo, move_to
from liqscape.analytics.odds import odds_by_horizon, sigma_multiple, touch_odds
from liqscape.analytics.pools import Asymmetry, RangeRow, WindowRow, asymmetry, pool, ratio_text
from liqscape.analytics.round_prices import RoundNumber
from liqscape.analytics.shape import SideShape, Staircase, side_shape
from liqscape.analytics.tilt import Tilt, TiltState, tilt
from liqscape.analytics.zones import MixShare, Zone, Zones, zones

__all__ = [
    "Asymmetry",
    "Caveat",
    "CaveatCode",
    "Fuel",
    "FuelRegion",
    "Ladder",
    "LadderRow",
    "MixShare",
    "Move",
    "MoveRow",
    "MoveTo",
    "RangeRow",
    "RestingOrders",
    "RoundNumber",
    "SideShape",
    "Staircase",
    "Tilt",
    "TiltState",
    "WindowRow",
    "Zone",
    "Zones",
    "asymmetry",
    "caveats_for",
    "filter_map",
    "fuel",
    "headline",
    "ladder",
    "move_to",
    "odds_by_horizon",
    "parse_leverage",
    "pool",
    "ratio_text",
    "sentence",
    "side_shape",
    "sigma_multiple",
    "tilt",
    "touch_odds",
    "zones",
]
