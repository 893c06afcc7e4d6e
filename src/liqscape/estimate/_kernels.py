"""The loops of the estimator: sweep, close and open a bar; read densities.

Words used by every kernel here
-------------------------------
K, C : numbers of distance tiers and lifetime classes. J : smear nodes of a tier. Side 0 is long, side 1 short.
fineness : float64[K], cells per unit of log price of each tier: near tiers need finer cells than far ones, whose smear is wide.
    floor(log(price) * fineness[k]) is the absolute cell of a price in tier k.
first : int64[2, K], absolute index of cell 0 of each side and tier.
mass : float64[2, K, C, N]. `mass[s, k, c, g] * scale[s, c]` contracts of side s, tier k, class c would be liquidated in cell g.
    Every (s, k, c) is carried as if all open interest stood there; the learned weights turn that into shares.
scale : float64[2, C], common factor of a side's class: closing multiplies one number and not the whole array.
total : float64[2, K, C], contracts standing.
frontier : int64[2, K], the occupied cell nearest to price: highest for longs, lowest for shorts.
offset : float64[2, K, J, 3], log price of a level less that of its entry, for the smear nodes of each tier, nearest node first:
    middle of the node, and the lower and the upper end of the stretch that it is spread over.
exposure : float64[2, K, C], USD that each (side, tier, class) would have lost to the sweep so far in this interval.
"""

from __future__ import annotations

import math

import numpy as np

from liqscape._jit import kernel
from liqscape.model.arrays import Float32Array as Fs
from liqscape.model.arrays import FloatArray as F
from liqscape.model.arrays import IntArray as I

DONE = -1
NARROW = 1e-6  # no bar is narrower than this, log price: much less than a cell, and enough to be divided by


@kernel
def deposit(mass: F, s: int, k: int, u0: float, u1: float, amounts: F) -> None:
    """Spread `amounts` evenly over the cells of [u0, u1] of side s and tier k.

    u0, u1 : float64, log price in cells counted from cell 0 of the row
    amounts : float64[C]
    """
    g0 = np.uintp(u0)  # unsigned: cells are never counted from the end, and the compiler can add several at once
    g1 = np.uintp(u1)
    if g0 == g1:
        for c in range(amounts.size):
            mass[s, k, c, g0] += amounts[c]
        return
    per_cell = 1.0 / (u1 - u0)
    head = (np.float64(g0) + 1.0 - u0) * per_cell
    tail = (u1 - np.float64(g1)) * per_cell
    for c in range(amounts.size):
        mass[s, k, c, g0] += amounts[c] * head
        mass[s, k, c, g1] += amounts[c] * tail
        share = amounts[c] * per_cell
        for g in range(g0 + np.uintp(1), g1):
            mass[s, k, c, g] += share


@kernel
def sweep(
    mass: F, scale: F, total: F, frontier: I, first: I, fineness: F, low: float, high: float, exposure: F,
) -> None:  # fmt: skip
    """Remove all that the mark touched: long levels at or above the low, short levels at or below the high.

    Levels lie evenly within a cell: of the cell in which the mark turned the share that it covered is gone. (To take the whole
    cell sweeps half a cell too far in each bar, which shows in the scores: far tiers have wide cells.)

    low, high : float64, quote per base, extremes of the bar. `exposure` gains contracts times that extreme, in USD.
    """
    tiers, cells = mass.shape[1], mass.shape[3]
    log_low, log_high = math.log(low), math.log(high)
    for s in range(2):
        price = low if s == 0 else high
        for k in range(tiers):
            edge = (log_low if s == 0 else log_high) * fineness[k]
            turn = math.floor(edge)
            covered = turn + 1.0 - edge if s == 0 else edge - turn
            turn -= first[s, k]
            if s == 0:
                g0, g1 = max(turn + 1, 0), frontier[s, k]
                if g1 < turn:
                    continue
                frontier[s, k] = turn
            else:
                g0, g1 = frontier[s, k], min(turn - 1, cells - 1)
                if g0 > turn:
                    continue
                frontier[s, k] = turn
            for c in range(scale.shape[1]):
                swept = 0.0
                for g in range(g0, g1 + 1):
                    swept += mass[s, k, c, g]
                    mass[s, k, c, g] = 0.0
                if 0 <= turn < cells:
                    part = covered * mass[s, k, c, turn]
                    mass[s, k, c, turn] -= part
                    swept += part
                swept *= scale[s, c]
                exposure[s, k, c] += swept * price
                total[s, k, c] -= swept


@kernel
def in_bar_deaths(churn: F, open_interest: float, low: float, high: float, offset: F, weight: float, exposure: F) -> None:
    """Count positions that are opened and liquidated within the bar; uses the open interest known before the bar.

    churn : float64[C], closing rate per bar. Entries are even over the bar's log range; one dies if its level lies inside.
    """
    span = math.log(high / low)
    tiers, nodes = offset.shape[1], offset.shape[2]
    if span <= 0.0:
        return
    for k in range(tiers):
        if offset[1, k, 0, 0] >= span and -offset[0, k, 0, 0] >= span:
            break  # tiers ascend: the rest is farther than the bar is long
        for s in range(2):
            share = 0.0
            for j in range(nodes):
                share += max(0.0, 1.0 - abs(offset[s, k, j, 0]) / span)
            for c in range(churn.size):
                exposure[s, k, c] += weight * churn[c] * open_interest / nodes * share * (low if s == 0 else high)


@kernel
def close(churn: F, change: float, before: float, scale: F, total: F) -> None:
    """Close a share of every class: its churn, and what open interest lost. No dependence on profit or tier.

    churn : float64[2, C]. A fall of open interest closes half at most, so that one odd stamp cannot empty a map. Churn over a gap
    may close more, but never all: openings are divided by the common factor.
    """
    lost = -change / before if change < 0.0 else 0.0
    for s in range(2):
        for c in range(scale.shape[1]):
            kept = max(1.0 - min(max(0.5, churn[s, c]), lost + churn[s, c]), 1e-12)
            scale[s, c] *= kept
            for k in range(total.shape[1]):
                total[s, k, c] *= kept


@kernel
def turnover(churn: F, elapsed: int, clock: F, bar: int, out: F) -> None:
    """Fill `out` (float64[2, C]) with the churn of the time that passed: of `elapsed` bars, or by the clock of the streams."""
    for s in range(2):
        for c in range(churn.size):
            passed = clock[bar, s, c] if clock.shape[0] > 0 else float(elapsed)
            out[s, c] = churn[c] if passed == 1.0 else 1.0 - (1.0 - churn[c]) ** passed


@kernel
def refill(
    mass: F, scale: F, total: F, frontier: I, first: I, fineness: F, offset: F, low: float, high: float, tilt: float,
    open_interest: float, amounts: F,
) -> None:  # fmt: skip
    """Open what is missing to open interest in every (side, tier, class), with entries evenly over the bar's log range.

    tilt : float64, longs open (1 + tilt) times what is missing, shorts (1 - tilt). amounts : float64[C], scratch
    """
    tiers, nodes = offset.shape[1], offset.shape[2]
    log_low = math.log(low)
    log_high = max(math.log(high), log_low + NARROW)
    for s in range(2):
        gain = 1.0 + tilt if s == 0 else 1.0 - tilt
        for k in range(tiers):
            for c in range(scale.shape[1]):
                opened = max(open_interest - total[s, k, c], 0.0) * gain
                total[s, k, c] += opened
                amounts[c] = opened / scale[s, c] / nodes
            fine = fineness[k]
            u_low = log_low * fine - first[s, k]
            u_high = log_high * fine - first[s, k]
            for j in range(nodes):
                u0 = u_low + offset[s, k, j, 1] * fine
                u1 = u_high + offset[s, k, j, 2] * fine
                deposit(mass, s, k, u0, u1, amounts)
            if s == 0:
                frontier[s, k] = max(frontier[s, k], math.floor(u_high + offset[s, k, 0, 2] * fine))
            else:
                frontier[s, k] = min(frontier[s, k], math.floor(u_low + offset[s, k, 0, 1] * fine))


@kernel
def renormalise(mass: F, scale: F) -> None:
    """Fold a class's factor into its mass before it underflows."""
    for s in range(2):
        for c in range(scale.shape[1]):
            if scale[s, c] < 1e-100:
                mass[s, :, c] *= scale[s, c]
                scale[s, c] = 1.0


@kernel
def remember(close_price: float, momentum: F, closes: F, out: F) -> None:
    """Move the memory of past returns on by one close.

    momentum : float64[4] = (weighted sum of |r|, sum of weights, closes seen, decay per bar), changed in place
    closes : float64[bars per hour], ring of past closes, changed in place
    out : float64[2], filled with the return over the last hour and the average |r| of the bars before this one, brought to
        5 minutes (returns grow with the square root of time)
    """
    seen = int(momentum[2])
    n = closes.size
    out[0] = 0.0
    out[1] = math.sqrt(n / 12.0) * momentum[0] / momentum[1] if momentum[1] > 0.0 else 0.0
    if seen > 0:
        previous = closes[(seen - 1) % n]
        oldest = closes[seen % n] if seen >= n else closes[0]
        out[0] = math.log(close_price / oldest)
        momentum[0] = momentum[0] * momentum[3] + abs(math.log(close_price / previous)) * (1.0 - momentum[3])
        momentum[1] = momentum[1] * momentum[3] + (1.0 - momentum[3])
    closes[seen % n] = close_price
    momentum[2] = seen + 1


@kernel
def open_tilt(tilt: float, before: float, after: float, memory: F) -> float:
    """Lean of the openings: with the last hour's return, in bars in which open interest rose."""
    if after <= before:
        return 0.0
    return tilt * math.tanh(memory[0] / max(4.0 * memory[1], 4e-5))


@kernel
def roll(
    mass: F, scale: F, total: F, frontier: I, first: I, fineness: F, offset: F, momentum: F, closes: F, churn: F,
    low: F, high: F, close_price: F, before: F, after: F, elapsed: I, clock: F, block: I, inner: F,
    in_bar: float, tilt: float, opens: bool, exposure: F,
    weights: F, prior_share: F, column: I, top: float, row_height: float, usd: Fs, prior: Fs,
    region: F, flows: F,
) -> int:  # fmt: skip
    """Move the state over bars; returns DONE, or the index of the bar for which the grid is too small.

    low, high, close_price : float64[n], quote per base
    before, after : float64[n], base units, open interest at the start and at the end of each bar
    elapsed : int64[n], bars since the end of the previous one: 1, or more after a gap
    clock : float64[n, 2, C], usual bars that passed for each side and class (flow streams); may have length 0: `elapsed` for all
    block : int64[n], row of `exposure` (and of `weights`) that the bar belongs to
    inner : float64[2], lowest and highest log price that entries may have without leaving the grid
    churn : float64[C], closing rate per bar; in_bar, tilt : strengths of in-bar deaths and of the opening tilt
    opens : bool, False rolls on without new positions (what survives)
    exposure : float64[blocks, 2, K, C], gains USD

    Read on the way, when asked for:
    weights, prior_share : float64[blocks, 2, K, C], 0 for tiers that are not drawn
    column : int64[n], column of `usd` and `prior` to fill after the bar, or -1; may have length 0
    top, row_height : float64, upper border of the highest row and height of a row, log price
    usd, prior : float32[columns, rows], filled (row 0 is the LOWEST), USD per 0.1 % of price, and the prior's part
    region : float64[2, 2], per side the log prices between which flows are counted (low >= high: none); may have length 0
    flows : float64[2, 3], per side, gains burnt, closed and opened contracts, with the weights of row 0
    """
    memory = np.empty(2)
    amounts = np.empty(scale.shape[1])
    rate = np.empty((2, scale.shape[1]))
    counting = region.shape[0] > 0
    for i in range(low.size):
        if math.log(low[i]) < inner[0] or math.log(high[i]) > inner[1]:
            return i
        if counting:
            count(mass, scale, first, fineness, weights[0], region, flows[:, 0], 1.0)
        sweep(mass, scale, total, frontier, first, fineness, low[i], high[i], exposure[block[i]])
        if opens:
            in_bar_deaths(churn, before[i], low[i], high[i], offset, 0.5 * in_bar, exposure[block[i]])
        if counting:
            count(mass, scale, first, fineness, weights[0], region, flows[:, 0], -1.0)
            count(mass, scale, first, fineness, weights[0], region, flows[:, 1], 1.0)
        # From here on the bar's own open interest and close are known.
        turnover(churn, elapsed[i], clock, i, rate)
        close(rate, after[i] - before[i], before[i], scale, total)
        remember(close_price[i], momentum, closes, memory)
        if counting:
            count(mass, scale, first, fineness, weights[0], region, flows[:, 1], -1.0)
            count(mass, scale, first, fineness, weights[0], region, flows[:, 2], -1.0)
        if opens:
            lean = open_tilt(tilt, before[i], after[i], memory)
            refill(mass, scale, total, frontier, first, fineness, offset, low[i], high[i], lean, after[i], amounts)
        if counting:
            count(mass, scale, first, fineness, weights[0], region, flows[:, 2], 1.0)
        renormalise(mass, scale)
        if column.size > 0 and column[i] >= 0:
            paint(
                mass, scale, first, fineness, weights[block[i]], prior_share[block[i]], math.log(close_price[i]), top, row_height,
                usd[column[i]], prior[column[i]],
            )  # fmt: skip
    return DONE


@kernel
def count(mass: F, scale: F, first: I, fineness: F, weights: F, region: F, out: F, sign: float) -> None:
    """Add `sign` times the weighted contracts inside the region of each side. weights : float64[2, K, C]; out : float64[2]."""
    for s in range(2):
        if region[s, 0] >= region[s, 1]:
            continue
        for k in range(mass.shape[1]):
            row = mass[s, k]
            low = max(region[s, 0] * fineness[k] - first[s, k], 0.0)
            high = min(region[s, 1] * fineness[k] - first[s, k], float(row.shape[1]))
            g = math.floor(low)
            while g < high:
                share = min(high, g + 1.0) - max(low, float(g))
                for c in range(scale.shape[1]):
                    out[s] += sign * share * row[c, g] * scale[s, c] * weights[s, k, c]
                g += 1


@kernel
def paint(
    mass: F, scale: F, first: I, fineness: F, weights: F, prior_share: F, log_price: float, top: float, row_height: float,
    usd: Fs, prior: Fs,
) -> None:  # fmt: skip
    """Fill one column of a heatmap: longs below the price, shorts above it, both in USD per 0.1 % of price.

    usd, prior : float32[rows], row 0 is the lowest; changed in place
    """
    rows = usd.shape[0]
    tiers = mass.shape[1]
    bottom = top - rows * row_height
    painted = np.zeros((rows, 2))
    lanes = np.empty((2, tiers, 2, scale.shape[1]))
    for s in range(2):
        for k in range(tiers):
            for c in range(scale.shape[1]):
                lanes[s, k, 0, c] = scale[s, c] * weights[s, k, c]
                lanes[s, k, 1, c] = lanes[s, k, 0, c] * prior_share[s, k, c]
    for s in range(2):
        k = 0
        while k < tiers:  # tiers of one fineness share their cells: they are added up before they are cut into rows
            fine = fineness[k]
            lowest = math.floor(bottom * fine)
            # level[:, g] is what lies below cell `lowest + g`: contracts, and the part of them that is prior.
            level = np.zeros((2, math.ceil(top * fine) - lowest + 2))
            here = min(max(math.floor(log_price * fine) - lowest, 0), level.shape[1] - 2)
            start = 0 if s == 0 else here
            end = here + 1 if s == 0 else level.shape[1] - 1
            while k < tiers and fineness[k] == fine:
                gather(mass, s, k, lanes, first[s, k] - lowest, start, end, level)
                k += 1
            for i in range(2):
                for g in range(1, level.shape[1]):
                    level[i, g] += level[i, g - 1]
            cut(level, fine, lowest, log_price, s == 0, bottom, row_height, painted)
    # Contracts of a row in USD per 0.1 % of price: times its price, over its height in per mille.
    growth = math.exp(row_height)
    per_permille = math.exp(bottom + 0.5 * row_height) * 0.001 / (growth - 1.0)
    for r in range(rows):
        usd[r] = painted[r, 0] * per_permille
        prior[r] = painted[r, 1] * per_permille
        per_permille *= growth


@kernel
def gather(mass: F, s: int, k: int, lanes: F, shift: int, start: int, end: int, level: F) -> None:
    """Add the weighted contracts of one side and tier to `level[:, g + shift + 1]`, for start <= g + shift < end.

    lanes : float64[2, K, 2, C], weight x scale of each class, and the part of it that is prior; all 0 for a tier not drawn
    """
    from_cell = max(start - shift, 0)
    to_cell = min(end - shift, mass.shape[3])
    if from_cell >= to_cell:
        return
    for c in range(mass.shape[2]):
        for i in range(2):
            lane = lanes[s, k, i, c]
            if lane == 0.0:
                continue
            for n in range(np.uintp(to_cell - from_cell)):
                level[i, np.uintp(from_cell + shift + 1) + n] += mass[s, k, c, np.uintp(from_cell) + n] * lane


@kernel
def cut(
    level: F, fine: float, lowest: int, log_price: float, below: bool, bottom: float, row_height: float, painted: F,
) -> None:  # fmt: skip
    """Add running sums of cells to rows, a cut cell by its share; what lies on the wrong side of the price is left out."""
    rows = painted.shape[0]
    inside = min(max(int((log_price - bottom) / row_height), 0), rows)  # the row that the price lies in
    old_heavy = 0.0
    old_prior = 0.0
    for r in range(0 if below else inside, min(inside + 1, rows) + 1 if below else rows + 1):
        border = bottom + r * row_height
        u = (min(border, log_price) if below else max(border, log_price)) * fine - lowest
        u = min(max(u, 0.0), level.shape[1] - 1.001)
        g = int(u)
        heavy = level[0, g] + (u - g) * (level[0, g + 1] - level[0, g])
        prior = level[1, g] + (u - g) * (level[1, g + 1] - level[1, g])
        if r > (0 if below else inside):
            painted[r - 1, 0] += heavy - old_heavy
            painted[r - 1, 1] += prior - old_prior
        old_heavy = heavy
        old_prior = prior


@kernel
def spread(row: F, scale: F, first: int, fine: float, borders: F, out: F) -> None:
    """Add the contracts of one side and tier to buckets of log price; a cut cell gives a proportional share.

    row : float64[C, N]; scale : float64[C]; borders : float64[n + 1], log price, ascending; out : float64[C, n], changed in place
    """
    for b in range(borders.size - 1):
        low = max(borders[b] * fine - first, 0.0)
        high = min(borders[b + 1] * fine - first, float(row.shape[1]))
        g = math.floor(low)
        while g < high:
            share = min(high, g + 1.0) - max(low, float(g))
            for c in range(scale.size):
                out[c, b] += row[c, g] * scale[c] * share
            g += 1


@kernel
def bucketise(mass: F, scale: F, first: I, fineness: F, side: int, borders: F, out: F) -> None:
    """Sum the contracts of one side into buckets. borders : float64[n + 1], log price; out : float64[K, C, n], filled."""
    out[:] = 0.0
    for k in range(mass.shape[1]):
        spread(mass[side, k], scale[side], first[side, k], fineness[k], borders, out[k])
