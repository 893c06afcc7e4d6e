"""How openings become levels: states, weights, ensemble, levels. Arrays in, arrays out; no clock, network or disk.

Depends on `model` and the ground only.
"""

from liqscape.estimate.estimator import Estimator, Interval
from liqscape.estimate.levels import AGE_KNOTS_NS, DRAWS, MeasuredSide, SideSum, contracts, side_sum
from liqscape.estimate.recipe import MODEL, Recipe, members
from liqscape.estimate.shipped import Shipped, shipped_weights
from liqscape.estimate.state import Canvas, MapState
from liqscape.estimate.weights import BURN_IN_H, Kept, Learner, Mix

__all__ = [
    "AGE_KNOTS_NS",
    "BURN_IN_H",
    "DRAWS",
    "MODEL",
    "Canvas",
    "Estimator",
    "Interval",
    "Kept",
    "Learner",
    "MapState",
    "MeasuredSide",
    "Mix",
    "Recipe",
    "Shipped",
    "SideSum",
    "contracts",
    "members",
    "shipped_weights",
    "side_sum",
]
