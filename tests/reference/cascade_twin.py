"""The static cascade as it is written on paper: whole arrays of one path, no loop that stops early."""

from __future__ import annotations

import numpy as np


def static_path(forced, absorbed, distance, shock, window, sustained):
    """Return (hill_usd, hill_at, extent, critical, run, run_forced) of one path; arguments as for the kernel, one row each."""
    u = absorbed - forced
    flat = 1e-12 * absorbed[-1]
    critical = bool((np.diff(u[: window + 1]) <= flat).any())
    hill = (float("nan"),) * 3
    top, best = 0.0, 0
    for i in range(1, window + 1):
        if u[i] > top + flat:
            top, best = u[i], i
        elif distance[i] - distance[best] >= sustained:
            above = np.flatnonzero(u[i:] >= top + 2.0 * flat)
            hill = (top, distance[best], crossing(u, distance, i + above[0], top) if above.size else float("inf"))
            break
    if shock <= 0.0:
        return (*hill, critical, 0.0, 0.0)
    reached = np.flatnonzero(u[1:] >= shock)
    if reached.size == 0:
        return (*hill, critical, float("inf"), forced[-1])
    x = crossing(u, distance, reached[0] + 1, shock)
    return (*hill, critical, x, np.interp(x, distance, forced))


def crossing(u, distance, i, level):
    """Where the straight line from edge i - 1 to edge i is at `level`."""
    part = max(level - u[i - 1], 0.0) / (u[i] - u[i - 1])
    return distance[i - 1] + part * (distance[i] - distance[i - 1])


class TwinVenue:
    """One venue of a simulated path."""

    def __init__(self, levels, distance, rule):
        self.distance, self.rule = distance, rule
        self.forced = np.concatenate(([0.0], np.cumsum(levels)))
        self.lasting = self.fading = self.inventory = self.held = self.held_level = 0.0
        self.queue = []  # (usd, level, round): judged at its mean
        self.fronts = [0.0]
        self.pending = []  # (due second, low, high)
        self.by_round = {}
        self.ledger = dict.fromkeys(("swept", "executed", "fund", "adl", "spared"), 0.0)

    def standing(self, y):
        return float(np.interp(y, self.distance, self.forced))

    def price(self):
        return self.lasting + self.fading

    def queued(self):
        return sum(usd for usd, _, _ in self.queue)

    def waiting(self):
        return sum((self.standing(high) - self.standing(low)) * (1 - self.rule.first_step) for _, low, high in self.pending)

    def mean(self, column):
        return sum(part[0] * part[column] for part in self.queue) / self.queued()

    def take(self, usd):
        whole = self.queued()
        self.queue = [(part * (1.0 - usd / whole), level, number) for part, level, number in self.queue]

    def enqueue(self, usd, level, number, rounds):
        self.queue.append((usd, level, number))
        key = min(int(number - 0.5), rounds - 1)
        self.by_round[key] = self.by_round.get(key, 0.0) + usd


def push(absorbed, distance, scale, y, usd, limit=float("inf")):
    """Where `usd` pushes the price from y along B(x) times scale, not beyond limit: (y, USD without a taker)."""
    room = max(np.interp(min(limit, distance[-1]), distance, absorbed) - np.interp(y, distance, absorbed), 0.0) * scale
    spent = min(usd, room)
    if spent == 0.0:
        return y, usd
    return max(y, float(np.interp(np.interp(y, distance, absorbed) + spent / scale, absorbed, distance))), usd - spent


def dynamic_path(levels, absorbed, distance, venues, nature, shock, shock_s, seconds, arbitrage, rounds):
    """Simulate one path second by second.

    levels : float64[V, n]; absorbed : float64[n + 1], B of all venues; venues : their rules (`ForcedVenue`); nature : the five
    numbers of the path. Returns (end, peak, ignition_s, prices by second, forced by round, forced by venue, ledger).
    """
    permanent, tau, kappa, bearable, memory_s = nature
    decay, memory = np.exp(-1.0 / tau), np.exp(-1.0 / memory_s)
    market = [TwinVenue(levels[v], distance, rule) for v, rule in enumerate(venues)]
    prices, moved, multiple, generation, quiet, ignited, beyond = [], 0.0, 1.0, 0.0, 0, float("nan"), False
    mean = 0.0
    for t in range(seconds):
        flows, numbers = 0.0, 0.0
        for at in market:
            share = at.rule.depth_share
            scale = share * multiple
            if at.inventory > bearable * share:
                scale *= max(0.02, bearable * share / at.inventory)
            before = at.price()
            wanted = shock / shock_s * share if t < shock_s else 0.0
            y, lost = push(absorbed, distance, scale, before, wanted)
            beyond |= lost > 1e-9 * max(shock, 1.0)
            flow = wanted - lost
            if at.queued() > 0.0:
                sent, limit = min(at.queued(), at.rule.engine_usd_per_s), at.mean(1) + at.rule.bankruptcy_gap
                number = at.mean(2)
                y, refused = push(absorbed, distance, scale, y, sent, limit)
                done = sent - refused
                at.ledger["executed"] += done
                if refused > 0.0 and limit > distance[-1]:
                    beyond, sent = True, done
                elif refused > 0.0:
                    fund = float("inf") if at.rule.insurance_fund_usd is None else at.rule.insurance_fund_usd
                    if at.held * y - at.held_level < fund * at.rule.adl_drawdown:
                        at.held, at.held_level = at.held + refused, at.held_level + refused * limit
                        at.ledger["fund"] += refused
                    else:
                        at.ledger["adl"] += refused
                at.take(sent)
                flow, numbers = flow + done, numbers + done * number
            flows += flow
            at.inventory = at.inventory * memory + flow
            at.lasting += permanent * (y - before)
            at.fading += (1.0 - permanent) * (y - before)
        if flows > 0.0:
            generation = numbers / flows
        lasting = sum(at.rule.depth_share * at.lasting for at in market)
        fading = sum(at.rule.depth_share * at.fading for at in market)
        for at in market:
            at.lasting += (lasting - at.lasting) * arbitrage
            at.fading += (fading - at.fading) * arbitrage
        moved = moved * memory + abs(lasting + fading - mean)
        mean = lasting + fading
        prices.append(mean)
        multiple = max(0.02, np.exp(-kappa * moved))
        fresh = 0.0
        for at in market:
            y, last = at.price(), at.fronts[-1]
            at.fronts.append(max(y, last))
            if y > last:
                swept = at.standing(y) - at.standing(last)
                fresh += swept
                at.ledger["swept"] += swept
                at.enqueue(swept * at.rule.first_step, 0.5 * (y + last), 1.0 + generation, rounds)
                if at.rule.first_step < 1.0:
                    at.pending.append((t + at.rule.cooldown_s, last, y))
            for due, low, high in [each for each in at.pending if each[0] == t]:
                at.pending.remove((due, low, high))
                part = 1.0 - at.rule.first_step
                whole, back = part * (at.standing(high) - at.standing(low)), min(high, y)
                again = part * (at.standing(back) - at.standing(low)) if back > low else 0.0
                at.ledger["spared"] += whole - again
                if again > 0.0:
                    at.enqueue(again, 0.5 * (back + low), 1.0 + generation, rounds)
            at.fading *= decay
        i = min(int(mean / distance[1]), distance.size - 2)
        if fresh > 0.0 and np.isnan(ignited) and levels[:, i].sum() >= (absorbed[i + 1] - absorbed[i]) * multiple:
            ignited = t + 1.0
        if beyond:
            break
        idle = sum(at.queued() + at.waiting() for at in market) < len(market)
        quiet = quiet + 1 if t + 1 >= shock_s and idle else 0
        if quiet > 3.0 * tau:
            break
    peak, ledger = max(prices), {name: sum(at.ledger[name] for at in market) for name in market[0].ledger}
    ledger["unfinished"] = sum(at.queued() + at.waiting() for at in market)
    lasting = sum(at.rule.depth_share * at.lasting for at in market)
    fading = sum(at.rule.depth_share * at.fading for at in market)
    past = len(prices)
    end = lasting + fading * decay ** (seconds - past)
    if beyond:
        end = peak = float("inf")
    rest = [distance[-1] if beyond else lasting + fading * decay ** (s - past) for s in range(past, seconds)]
    by_round = np.array([sum(at.by_round.get(r, 0.0) for at in market) for r in range(rounds)])
    by_venue = np.array([sum(at.by_round.values()) for at in market])
    return end, peak, ignited, np.array(prices + rest), by_round, by_venue, ledger
