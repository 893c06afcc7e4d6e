"""The loop that learns: predict an interval, then move the weights and the level with what was published of it."""

from __future__ import annotations

import math

from liqscape._jit import kernel
from liqscape.model.arrays import FloatArray as F


@kernel
def learn(
    exposure: F, realised: F, weights: F, numerator: F, denominator: F, prior_mean: F, prior_strength: F, level: F, dispersion: F,
    wander: F, decay: F, floor_usd: float, predicted: F, raw_out: F, weights_out: F, prior_out: F,
) -> None:  # fmt: skip
    """Predict each interval from the weights as they stand, then learn from what was published of it.

    exposure : float64[n, 2, T], USD swept per tier-class T; realised : float64[n, 2], USD, NaN unknown (nothing is learned)
    weights, numerator, denominator, prior_mean, prior_strength : float64[2, T], the Gamma discount filter, changed in place
    level : float64[2, 4] = fast and slow (numerator, denominator, prior dollars, power), changed in place
    dispersion : float64[2, 2] = per side (weighted sum, weight) of (y - mu)^2 / mu, changed in place
    wander : float64[2] = (sum of squares, weight) of past log levels, changed in place
    decay : float64[3], per interval: of the mix, of the fast and of the slow level
    floor_usd : float64, added to every prediction
    predicted, raw_out : float64[n, 2], filled with mu and with its value before the level
    weights_out, prior_out : float64[n, 2, T], filled with the weights BEFORE each interval, and with the share
        of each weight that is prior; both may have length 0
    """
    tiers = exposure.shape[2]
    keep = weights_out.shape[0] > 0
    for t in range(exposure.shape[0]):
        fast = (level[0, 2] + level[0, 0]) / (level[0, 2] + level[0, 1])
        slow = (level[1, 2] + level[1, 0]) / (level[1, 2] + level[1, 1])
        for s in range(2):
            swept = 0.0
            for k in range(tiers):
                swept += weights[s, k] * exposure[t, s, k]
                if keep:
                    weights_out[t, s, k] = weights[s, k]
                    prior_out[t, s, k] = 1.0
                    if not math.isinf(prior_strength[s, k]):
                        prior_out[t, s, k] = prior_strength[s, k] / (denominator[s, k] + prior_strength[s, k])
            raw_out[t, s] = 1.0 + swept + floor_usd
            predicted[t, s] = raw_out[t, s] * slow * fast
        if math.isnan(realised[t, 0]) or math.isnan(realised[t, 1]):
            continue
        both = realised[t, 0] + realised[t, 1]
        lifted = 0.0
        for s in range(2):
            lifted += raw_out[t, s]
        for i, dollars in ((1, lifted), (0, lifted * slow)):
            power = level[i, 3]
            level[i, 0] = decay[1 + i] * level[i, 0] + both * dollars ** (power - 1.0)
            level[i, 1] = decay[1 + i] * level[i, 1] + dollars**power
        log_level = math.log(fast * slow)
        wander[0] = decay[0] * wander[0] + log_level * log_level
        wander[1] = decay[0] * wander[1] + 1.0
        for s in range(2):
            error = realised[t, s] - predicted[t, s]
            dispersion[s, 0] = decay[0] * dispersion[s, 0] + error * error / predicted[t, s]
            dispersion[s, 1] = decay[0] * dispersion[s, 1] + 1.0
            swept = raw_out[t, s] - floor_usd
            for k in range(tiers):
                share = weights[s, k] * exposure[t, s, k] / swept
                numerator[s, k] = decay[0] * numerator[s, k] + realised[t, s] * share
                denominator[s, k] = decay[0] * denominator[s, k] + exposure[t, s, k]
                weights[s, k] = (numerator[s, k] + prior_strength[s, k] * prior_mean[s, k]) / (
                    denominator[s, k] + prior_strength[s, k]
                )
