"""Fitted parameters: those that ship with the package, and what measured positions say of the estimator's prior.

May depend on `estimate` and below.
"""

from liqscape.calibrate.fixed_mix import fit_fixed_mix, fixed_predictions, sweep_exposure
from liqscape.calibrate.lifetimes import Survivals, class_shares, survivals
from liqscape.calibrate.positions import DistanceProfile, PositionPrior, distance_profile, position_prior, published_share
from liqscape.calibrate.sample import PositionSample

__all__ = [
    "DistanceProfile",
    "PositionPrior",
    "PositionSample",
    "Survivals",
    "class_shares",
    "distance_profile",
    "fit_fixed_mix",
    "fixed_predictions",
    "position_prior",
    "published_share",
    "survivals",
    "sweep_exposure",
]
