"""Fitted parameters that ship with the package, and how they are fitted.

May depend on `estimate` and below.
"""

from liqscape.calibrate.fixed_mix import fit_fixed_mix, fixed_predictions, sweep_exposure

__all__ = ["fit_fixed_mix", "fixed_predictions", "sweep_exposure"]
