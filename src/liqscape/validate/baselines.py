"""What a map must beat. Each baseline sees the same path and learns only from intervals that are over."""

from __future__ import annotations

import numpy as np

from liqscape.model.arrays import FloatArray
from liqscape.units import NS_PER_DAY
from liqscape.validate.scores import poisson_deviance
from liqscape.validate.walk_forward import Predictions

_POWERS = np.arange(0.5, 3.01, 0.25)


def move_power(predictions: Predictions, fit_until_ns: int) -> tuple[FloatArray, tuple[float, float]]:
    """Predict scale * |adverse move| ** power, no map.

    The power of each side is the one with the least deviance before `fit_until_ns`; the scale is renewed every week from all
    known intervals before that week.

    Returns
    -------
    predicted : float64[n, 2], USD
    powers
        (long, short)
    """
    fit = predictions.between(None, fit_until_ns)
    out = np.zeros_like(predictions.realised)
    week = (predictions.start_ns - predictions.start_ns[0]) // (7 * NS_PER_DAY)
    chosen: list[float] = []
    for s in range(2):
        realised, move = predictions.realised[:, s], predictions.adverse[:, s]

        def deviance(power: float, y: FloatArray = realised[fit], x: FloatArray = move[fit]) -> float:
            raw = x**power
            return poisson_deviance(y, raw * y.sum() / raw.sum())

        power = float(min(_POWERS, key=deviance))
        raw = move**power
        for w in np.unique(week):
            past = predictions.known & (week < w)
            # The first week has no past: its own is never used, it is not predicted (and never scored, it is burn-in).
            if past.any():
                out[week == w, s] = raw[week == w] * realised[past].sum() / raw[past].sum()
        chosen.append(power)
    return out, (chosen[0], chosen[1])
