"""Loops of variants that did not make it into the estimator: kept so that their scores can be measured again.

Plain and slow on purpose: they scan whole rows. Words and shapes as in `liqscape.estimate._kernels`.
"""

from __future__ import annotations

import math

import numpy as np

from liqscape._jit import kernel
from liqscape.estimate import _kernels as standard
from liqscape.model.arrays import FloatArray as F
from liqscape.model.arrays import IntArray as I

EMPTY = 400  # cells without anything after which a row is taken to be empty

spread_evenly = standard.deposit
remember = standard.remember
open_tilt = standard.open_tilt


@kernel
def gone_share(o0: float, o1: float, before: float, behind: float) -> float:
    """Share of a cell [o0, o1] of overshoot that dies: a ramp from 0 at -before to 1 at +behind, averaged over the cell."""
    p0 = min(max(o0, -before), behind) + before
    p1 = min(max(o1, -before), behind) + before
    return ((p1 * p1 - p0 * p0) / (2.0 * (before + behind)) + max(o1 - max(o0, behind), 0.0)) / (o1 - o0)


@kernel
def sweep_softly(
    mass: F, later: F, scale: F, total: F, first: I, fineness: F, log_low: float, log_high: float, shape: F, exposure: F,
) -> None:  # fmt: skip
    """Sweep with a soft edge, whole cells, or a part that dies only with depth. shape : see `roll`."""
    whole_cells, before, behind, at_once, depth = shape[0] > 0.0, shape[1], shape[2], shape[3], shape[4]
    cells = mass.shape[3]
    for s in range(2):
        edge = log_low if s == 0 else log_high
        price = math.exp(edge)
        for k in range(mass.shape[1]):
            width = 1.0 / fineness[k]
            reach = before if not whole_cells else 0.0
            turn = math.floor((edge - reach if s == 0 else edge + reach) * fineness[k]) - first[s, k]
            g0, g1 = (max(turn, 0), cells - 1) if s == 0 else (0, min(turn, cells - 1))
            empty = 0
            for i in range(g1 - g0 + 1):
                if empty > EMPTY:
                    break
                empty += 1
                g = g0 + i if s == 0 else g1 - i
                low = (g + first[s, k]) * width
                o0, o1 = (low - edge, low + width - edge) if s == 0 else (edge - low - width, edge - low)
                share = (1.0 if o1 > 0.0 else 0.0) if whole_cells else gone_share(o0, o1, before, behind)
                if at_once < 1.0:
                    share *= at_once + (1.0 - at_once) * (1.0 - math.exp(-max(0.5 * (o0 + o1), 0.0) / depth))
                for c in range(mass.shape[2]):
                    stood = mass[s, k, c, g] + later[s, k, c, g]
                    if stood > 0.0:
                        empty = 0
                        gone = share * stood * scale[c]
                        mass[s, k, c, g] *= 1.0 - share
                        later[s, k, c, g] *= 1.0 - share
                        exposure[s, k, c] += gone * price
                        total[s, k, c] -= gone


@kernel
def die_in_order(
    churn: F, before: float, low: float, high: float, rises: bool, offset: F, weight: float, order: float, out: F
) -> None:
    """Deaths inside the bar, more of the side that the bar hits last, by `order`."""
    span = math.log(high / low)
    if span <= 0.0:
        return
    for k in range(offset.shape[1]):
        for s in range(2):
            share = max(0.0, 1.0 - abs(offset[s, k, 0, 0]) / span)
            lean = 1.0 - order if (s == 0) == rises else 1.0 + order
            for c in range(churn.size):
                out[s, k, c] += 0.5 * weight * lean * churn[c] * before * share * (low if s == 0 else high)


@kernel
def roll(
    mass: F, later: F, scale: F, total: F, first: I, fineness: F, offset: F, momentum: F, closes: F, churn: F, clock: F,
    opened: F, low: F, high: F, close_price: F, before: F, after: F, block: I, in_bar: float, tilt: float, shape: F, exposure: F,
) -> None:  # fmt: skip
    """Move a state over bars without gaps. scale : float64[C], common factor of a class, of both sides.

    later : like mass; with two stages those who have closed once and go at the next, else it stays empty
    clock : float64[n], usual bars that pass in each bar. opened : float64[n], open price
    shape : float64[9] = whole cells (1 or 0), soft edge before and behind the mark (log price), share of a touched level that
        dies at once, depth that kills the rest (log price), order of the bar (-1 .. 1), share of entries at the close,
        their width over the range, stages of a life (1 or 2)
    """
    memory = np.empty(2)
    amounts = np.empty(churn.size)
    for i in range(low.size):
        out = exposure[block[i]]
        log_low, log_high = math.log(low[i]), math.log(high[i])
        sweep_softly(mass, later, scale, total, first, fineness, log_low, log_high, shape, out)
        die_in_order(churn, before[i], low[i], high[i], close_price[i] >= opened[i], offset, in_bar, shape[5], out)
        lost = max(before[i] - after[i], 0.0) / before[i]
        for c in range(churn.size):
            rate = 1.0 - (1.0 - churn[c]) ** clock[i]
            kept = 1.0 - min(max(0.5, rate), lost + rate)
            if shape[8] > 1.0:
                hop = min(2.0 * rate, 0.95)
                for s in range(2):
                    for k in range(mass.shape[1]):
                        total[s, k, c] -= hop * later[s, k, c].sum() * scale[c]
                        later[s, k, c] += hop * (mass[s, k, c] - later[s, k, c])
                        mass[s, k, c] *= 1.0 - hop
                kept = 1.0 - min(0.5, lost)
            scale[c] *= kept
            total[:, :, c] *= kept
            if scale[c] < 1e-100:
                mass[:, :, c] *= scale[c]
                later[:, :, c] *= scale[c]
                scale[c] = 1.0
        remember(close_price[i], momentum, closes, memory)
        lean = open_tilt(tilt, before[i], after[i], memory)
        width = max(log_high, log_low + 1e-6) - log_low
        for part, share in ((0, 1.0 - shape[6]), (1, shape[6])):
            if share <= 0.0:
                continue
            bottom = log_low if part == 0 else math.log(close_price[i]) - 0.5 * shape[7] * width
            top = bottom + (width if part == 0 else shape[7] * width + 1e-6)
            for s in range(2):
                for k in range(mass.shape[1]):
                    for c in range(churn.size):
                        amounts[c] = share * max(after[i] - total[s, k, c], 0.0) * (1.0 + lean if s == 0 else 1.0 - lean)
                        amounts[c] /= scale[c]
                    ends = bottom + offset[s, k, 0, 1], top + offset[s, k, 0, 2]
                    fine, zero = fineness[k], first[s, k]
                    spread_evenly(mass, s, k, ends[0] * fine - zero, ends[1] * fine - zero, amounts)
        for s in range(2):
            for k in range(mass.shape[1]):
                for c in range(churn.size):
                    missing = max(after[i] - total[s, k, c], 0.0) * (1.0 + lean if s == 0 else 1.0 - lean)
                    total[s, k, c] += missing


@kernel
def learn(
    exposure: F, first: I, realised: F, weights: F, pi: F, beta: F, level: F, decay: F, floor_usd: float,
    power: float, knee: float, bend: float, predicted: F,
) -> None:  # fmt: skip
    """The online filter over bars: reported dollars of a bar bend with its intensity, hours count by a power of the prediction.

    exposure : float64[bars, 2, T]; first : int64[hours + 1], first bar of each hour; realised, predicted : float64[hours, 2]
    power : hours weigh like prediction ** (1 - power): 1 is Poisson, 2 a Gamma's
    knee, bend : a bar of x dollars is reported by (1 + x / knee) ** -bend
    """
    size = exposure.shape[2]
    a, b = np.zeros((2, size)), np.zeros((2, size))
    swept = np.empty((2, size))
    for t in range(first.size - 1):
        fast = (level[0, 2] + level[0, 0]) / (level[0, 2] + level[0, 1])
        slow = (level[1, 2] + level[1, 0]) / (level[1, 2] + level[1, 1])
        raw = np.full(2, 1.0 + floor_usd)
        swept[:] = 0.0
        for i in range(first[t], first[t + 1]):
            for s in range(2):
                seen = 1.0
                if bend != 0.0:
                    intensity = floor_usd / (first[t + 1] - first[t])
                    for k in range(size):
                        intensity += weights[s, k] * exposure[i, s, k]
                    seen = (1.0 + intensity / knee) ** -bend
                for k in range(size):
                    swept[s, k] += seen * exposure[i, s, k]
        for s in range(2):
            for k in range(size):
                raw[s] += weights[s, k] * swept[s, k]
            predicted[t, s] = raw[s] * slow * fast
        if math.isnan(realised[t, 0]) or math.isnan(realised[t, 1]):
            continue
        both = realised[t, 0] + realised[t, 1]
        for j, dollars in ((1, raw[0] + raw[1]), (0, (raw[0] + raw[1]) * slow)):
            level[j, 0] = decay[1 + j] * level[j, 0] + both * dollars ** (level[j, 3] - 1.0)
            level[j, 1] = decay[1 + j] * level[j, 1] + dollars ** level[j, 3]
        for s in range(2):
            counts = (raw[s] / 1e6) ** (1.0 - power)
            for k in range(size):
                part = weights[s, k] * swept[s, k] / (raw[s] - floor_usd)
                a[s, k] = decay[0] * a[s, k] + counts * realised[t, s] * part
                b[s, k] = decay[0] * b[s, k] + counts * swept[s, k]
                weights[s, k] = (a[s, k] + beta[s, k] * pi[s, k]) / (b[s, k] + beta[s, k])
