"""The loop of the cascade in time: forced orders, their impact, what they trigger, second by second.

Words used here
---------------
V, D, A, n : venues, map draws, absorption draws, buckets of equal `width` (fraction of the mark) outward.
summed : float64[V, D, n + 1], cumulative USD of forced orders of each venue up to each edge.
slope : float64[A, n], USD that stand per unit of distance in each bucket, all venues together.
rules : float64[V, 7], of each venue: share of the depth, USD its engine sends per second, share of a position closed at once,
    seconds until the rest is judged again, distance from liquidation to bankruptcy, insurance fund USD, and the share of the
    fund that may be lost before winners are deleveraged.
nature : float64[paths, 5], of each path: permanent share of impact, its transient part's time constant in s, withdrawal of
    depth per unit of recent movement, USD of inventory that makers bear, time constant of the memory of both in s.
state : float64[V, 10], of each venue, in the order of the columns named below: lasting and fading impact (fraction of the mark),
    USD of forced orders in the queue with USD x distance of their levels and USD x round, USD waiting for a cool-down, what the
    insurance fund holds in USD and in USD x distance, what makers
    hold in USD, USD swept so far.
account : float64[paths, 6 + V + rounds], USD: swept, executed in the market, taken by funds, deleveraged, spared, unfinished, of
    which the first is the sum of the others; then what each venue was told to execute, then the same by round.
"""

from __future__ import annotations

import math

import numpy as np

from liqscape._jit import kernel
from liqscape.model.arrays import FloatArray as F
from liqscape.model.arrays import IntArray as I

FLOOR = 0.02  # least depth that is left, of what stood
DUST = 1.0  # USD: a queue below this is empty
LASTING, FADING, QUEUE, QUEUE_LEVEL, QUEUE_ROUND, WAITING, HELD, HELD_LEVEL, INVENTORY, GONE = range(10)
SWEPT, EXECUTED, FUND, DELEVERAGED, SPARED, UNFINISHED, BY_VENUE = range(7)
DEPTH_SHARE, ENGINE_USD_PER_S, FIRST_STEP, COOLDOWN_S, BANKRUPTCY_GAP, FUND_USD, DRAWDOWN = range(7)
QUIET = 3.0  # time constants of the transient impact without forced orders, after which a path is over


@kernel
def walk(slope: F, a: int, scale: float, width: float, y: float, usd: float, limit: float) -> tuple[float, float]:
    """Push the price outward from distance y with `usd`, not beyond `limit`: (where it ends, USD that found no taker)."""
    i = int(y * (1.0 / width))
    left = usd
    while left > 0.0 and i < slope.shape[1]:
        edge = min((i + 1) * width, limit)
        b = slope[a, i] * scale
        room = max(edge - y, 0.0) * b
        if left < room:
            return y + left / b, 0.0
        left -= room
        y = max(y, edge)
        if (i + 1) * width >= limit:
            return y, left
        i += 1
    return y, left


@kernel
def forced_up_to(summed: F, v: int, d: int, width: float, y: float) -> float:
    """F of one venue at distance y, a straight line between edges."""
    n = summed.shape[2] - 1
    i = min(int(y / width), n - 1)
    part = min(y * (1.0 / width) - i, 1.0)
    return summed[v, d, i] + (summed[v, d, i + 1] - summed[v, d, i]) * part


@kernel
def execute(
    slope: F, a: int, scale: float, width: float, y: float, state: F, v: int, rules: F, account: F, path: int
) -> tuple[float, float, float, bool]:
    """Send what venue v's engine sends in a second: (where the price ends, USD executed, USD x round, beyond the grid?).

    What finds no taker before its bankruptcy price goes to the fund at that price, or is deleveraged if the fund has lost its
    share: marked at the price, it has lost USD held x (price - price at which it was taken).
    """
    sent = min(state[v, QUEUE], rules[v, ENGINE_USD_PER_S])
    level, number = state[v, QUEUE_LEVEL] / state[v, QUEUE], state[v, QUEUE_ROUND] / state[v, QUEUE]
    limit = level + rules[v, BANKRUPTCY_GAP]
    y, refused = walk(slope, a, scale, width, y, sent, limit)
    done, beyond = sent - refused, False
    if refused > 0.0 and limit > slope.shape[1] * width:  # the grid ends before bankruptcy: what follows is not known
        beyond, sent = True, done
    elif refused > 0.0:
        loss = state[v, HELD] * y - state[v, HELD_LEVEL]
        if loss < rules[v, FUND_USD] * rules[v, DRAWDOWN]:
            state[v, HELD] += refused
            state[v, HELD_LEVEL] += refused * limit
            account[path, FUND] += refused
        else:
            account[path, DELEVERAGED] += refused
    account[path, EXECUTED] += done
    rest = max(state[v, QUEUE] - sent, 0.0)
    state[v, QUEUE], state[v, QUEUE_LEVEL], state[v, QUEUE_ROUND] = rest, rest * level, rest * number
    return y, done, done * number, beyond


@kernel
def enqueue(state: F, v: int, usd: float, level: float, number: float, account: F, path: int) -> None:
    """Put forced orders of a mean level and round into the queue of venue v."""
    state[v, QUEUE] += usd
    state[v, QUEUE_LEVEL] += usd * level
    state[v, QUEUE_ROUND] += usd * number
    account[path, BY_VENUE + v] += usd
    account[path, min(BY_VENUE + state.shape[0] + int(number - 0.5), account.shape[1] - 1)] += usd


@kernel
def ordered(account: F, path: int, venues: int) -> float:
    """USD of forced orders of a path so far."""
    usd = 0.0
    for v in range(venues):
        usd += account[path, BY_VENUE + v]
    return usd


@kernel
def reach_levels(
    summed: F, d: int, width: float, front: F, t: int, state: F, v: int, rules: F, number: float,
    account: F, path: int,
) -> float:  # fmt: skip
    """Let venue v's price reach new levels, and judge those again whose cool-down is over; return the USD newly swept."""
    y, last, swept = state[v, LASTING] + state[v, FADING], front[v, t], 0.0
    later = 1.0 - rules[v, FIRST_STEP]
    if y > last:
        gone = forced_up_to(summed, v, d, width, y)
        swept = gone - state[v, GONE]
        state[v, GONE] = gone
        account[path, SWEPT] += swept
        state[v, WAITING] += swept * later
        enqueue(state, v, swept - swept * later, 0.5 * (y + last), number, account, path)
    s = t - int(rules[v, COOLDOWN_S])
    if later > 0.0 and s >= 0 and front[v, s + 1] > front[v, s]:
        low, high = front[v, s], min(front[v, s + 1], y)
        base = forced_up_to(summed, v, d, width, low)
        whole = (forced_up_to(summed, v, d, width, front[v, s + 1]) - base) * later
        due = 0.0
        if high > low:
            due = (forced_up_to(summed, v, d, width, high) - base) * later
            enqueue(state, v, due, 0.5 * (high + low), number, account, path)
        state[v, WAITING] = max(state[v, WAITING] - whole, 0.0)
        account[path, SPARED] += whole - due
    return swept


@kernel
def couple(state: F, rules: F, arbitrage: float) -> tuple[float, float]:
    """Pull the venues' prices towards their mean by depth: (lasting, fading) part of that mean."""
    lasting, fading = 0.0, 0.0
    for v in range(state.shape[0]):
        lasting += rules[v, DEPTH_SHARE] * state[v, LASTING]
        fading += rules[v, DEPTH_SHARE] * state[v, FADING]
    for v in range(state.shape[0]):
        state[v, LASTING] += (lasting - state[v, LASTING]) * arbitrage
        state[v, FADING] += (fading - state[v, FADING]) * arbitrage
    return lasting, fading


@kernel
def feeds_itself(summed: F, d: int, slope: F, a: int, width: float, y: float, left_of_depth: float) -> bool:
    """Tell whether forced orders outweigh the depth that is left in the bucket of distance y (R >= 1)."""
    i = min(int(y / width), slope.shape[1] - 1)
    forced = 0.0
    for v in range(summed.shape[0]):
        forced += summed[v, d, i + 1] - summed[v, d, i]
    return forced >= slope[a, i] * width * left_of_depth


@kernel
def finish(
    state: F, rules: F, account: F, path: int, past: int, seconds: int, every: int, point: int, decay: float, beyond: bool,
    reach: float, end: F, peak: F, track: F, told: F,
) -> None:  # fmt: skip
    """Let what is left of a path fade until the horizon, `past` seconds being over and `point` points of the track written."""
    lasting, fading = couple(state, rules, 0.0)
    for v in range(state.shape[0]):
        account[path, UNFINISHED] += state[v, QUEUE] + state[v, WAITING]
    end[path] = lasting + fading * decay ** (seconds - past)
    left, step = fading * decay ** ((point + 1) * every - past - 1), decay**every
    usd = ordered(account, path, state.shape[0])
    for j in range(point, track.shape[1]):
        track[path, j], told[path, j] = lasting + left, usd
        left *= step
    if beyond:
        end[path] = peak[path] = math.inf
        for j in range(point, track.shape[1]):
            track[path, j] = reach


@kernel
def dynamic_paths(
    summed: F, slope: F, width: float, rules: F, nature: F, map_draw: I, absorption_draw: I,
    shock: float, shock_s: int, seconds: int, every: int, arbitrage: float,
    end: F, peak: F, ignition_s: F, track: F, told: F, account: F,
) -> None:  # fmt: skip
    """Simulate every path.

    shock, shock_s : USD from outside, spread evenly over so many seconds and over the venues by depth.
    arbitrage : share of the distance between a venue's price and the mean that is closed each second.
    end, peak : float64[paths], distance at the end of `seconds` and the farthest touched; inf beyond the grid
    ignition_s : float64[paths], first second in which new levels are reached where R >= 1 with the depth that is left; NaN: none
    track, told : float64[paths, seconds // every], distance every so many seconds, and USD of forced orders until then
    account : float64[paths, 6 + V + rounds]; orders that the shock itself triggers are round 1, the last one holds all later ones
    """
    venues, n = summed.shape[0], slope.shape[1]
    state, front = np.empty((venues, 10)), np.empty((venues, seconds + 1))
    account[:], ignition_s[:] = 0.0, math.nan
    for path in range(end.size):
        d, a = map_draw[path], absorption_draw[path]
        decay, memory = math.exp(-1.0 / nature[path, 1]), math.exp(-1.0 / nature[path, 4])
        state[:], front[:, 0] = 0.0, 0.0
        top, mean, moved, left_of_depth, generation = 0.0, 0.0, 0.0, 1.0, 0.0
        beyond, quiet, past, point, after = False, 0, 0, 0, every
        while past < seconds and not beyond and quiet <= QUIET * nature[path, 1]:
            outside = shock / shock_s if past < shock_s else 0.0
            flow, flow_round = 0.0, 0.0
            for v in range(venues):
                scale, bearable = rules[v, DEPTH_SHARE] * left_of_depth, nature[path, 3] * rules[v, DEPTH_SHARE]
                if state[v, INVENTORY] > bearable:
                    scale *= max(FLOOR, bearable / state[v, INVENTORY])
                before = state[v, LASTING] + state[v, FADING]
                pushed = outside * rules[v, DEPTH_SHARE]
                y, lost = walk(slope, a, scale, width, before, pushed, math.inf)
                beyond = beyond or lost > 0.0
                pushed -= lost
                if state[v, QUEUE] > 0.0:
                    y, done, done_round, off = execute(slope, a, scale, width, y, state, v, rules, account, path)
                    beyond = beyond or off
                    pushed += done
                    flow_round += done_round
                flow += pushed
                state[v, INVENTORY] = state[v, INVENTORY] * memory + pushed
                state[v, LASTING] += nature[path, 0] * (y - before)
                state[v, FADING] += (1.0 - nature[path, 0]) * (y - before)
            if flow > 0.0:
                generation = flow_round / flow
            lasting, fading = couple(state, rules, arbitrage)
            moved = moved * memory + abs(lasting + fading - mean)
            mean = lasting + fading
            top = max(top, mean)
            left_of_depth = max(FLOOR, math.exp(-nature[path, 2] * moved))
            swept, standing = 0.0, 0.0
            for v in range(venues):
                y = state[v, LASTING] + state[v, FADING]
                front[v, past + 1] = max(front[v, past], y)
                if (y > front[v, past] and summed[v, d, n] > state[v, GONE]) or state[v, WAITING] > 0.0:
                    swept += reach_levels(summed, d, width, front, past, state, v, rules, 1.0 + generation, account, path)
                state[v, FADING] *= decay
                standing += state[v, QUEUE] + state[v, WAITING]
            past += 1
            if past == after:
                track[path, point], told[path, point] = mean, ordered(account, path, venues)
                point, after = point + 1, after + every
            if swept > 0.0 and math.isnan(ignition_s[path]) and feeds_itself(summed, d, slope, a, width, mean, left_of_depth):
                ignition_s[path] = past
            quiet = quiet + 1 if past >= shock_s and standing < DUST * venues else 0
        peak[path] = top
        finish(state, rules, account, path, past, seconds, every, point, decay, beyond, n * width, end, peak, track, told)
