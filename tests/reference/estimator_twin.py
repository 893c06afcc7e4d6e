"""Slow, plain twins of the estimator's kernels: every position decays by itself, nothing is lazy, nothing is skipped.

A level is an absolute cell of log price, `floor(log(price) * fineness[tier])`. Positions of one side, tier and class are a
dictionary from cell to contracts; what stands is their sum.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

LONG, SHORT = 0, 1
NARROW = 1e-6


class TwinState:
    """Contracts by (side, tier, class) and cell, rolled bar by bar exactly as the update equations are written."""

    def __init__(self, recipe, price, open_interest, interval_ns):
        self.recipe = recipe
        self.fineness = recipe.fineness
        self.offset = recipe.offsets()
        self.churn = [1.0 - (1.0 - rate) ** (interval_ns / 300e9) for _ in recipe.streams for rate in recipe.churn]
        self.usual = 0.5 ** (interval_ns / (7 * 86_400e9))
        self.flows = {}  # known flows of each (stream, side), oldest first
        self.bars_per_hour = max(1, round(3600e9 / interval_ns))
        self.forget = 0.95 ** (interval_ns / 300e9)
        self.closes = []
        self.open_interest = open_interest
        self.cells = {
            (s, k, c): {} for s in (LONG, SHORT) for k in range(recipe.tiers) for c in range(recipe.classes)
        }  # fmt: skip
        for s, k, c in self.cells:
            for _, lower, upper in self.offset[s, k]:
                entry = math.log(price)
                self._deposit(s, k, c, entry + lower - 0.05, entry + upper + 0.05, open_interest / self.offset.shape[2])

    def _deposit(self, s, k, c, low, high, contracts):
        """Spread contracts evenly over the cells between two log prices."""
        row = self.cells[s, k, c]
        for cell, share in overlaps(low * self.fineness[k], high * self.fineness[k]):
            row[cell] = row.get(cell, 0.0) + contracts * share

    def standing(self, s, k, c):
        """Contracts of one side, tier and class."""
        return math.fsum(self.cells[s, k, c].values())

    def bar(self, low, high, close, after, exposure, *, elapsed=1, opens=True, volume=math.nan, buy=math.nan):
        """One bar. Returns contracts [2, K, C] that were burnt, closed and opened."""
        burnt = self.sweep(low, high, exposure)
        if opens:
            self.die_in_bar(low, high, exposure)
        closed = self.close(after, self.passed(low, high, after, elapsed, volume, buy))
        hour_return, typical = self.remember(close)
        opened = np.zeros_like(closed)
        if opens:
            rises = after > self.open_interest
            lean = self.recipe.tilt * math.tanh(hour_return / max(4.0 * typical, 4e-5)) if rises else 0.0
            opened = self.refill(low, high, after, lean)
        self.open_interest = after
        return burnt, closed, opened

    def sweep(self, low, high, exposure):
        """The mark touched every long level at or above the low and every short level at or below the high.

        Levels lie evenly within their cell: of a cell that the mark entered only the share that it covered is gone.
        """
        burnt = np.zeros((2, self.recipe.tiers, self.recipe.classes))
        for (s, k, c), row in self.cells.items():
            price = low if s == LONG else high
            edge = math.log(price) * self.fineness[k]
            gone = {cell: min(max(cell + 1 - edge if s == LONG else edge - cell, 0.0), 1.0) for cell in row}
            burnt[s, k, c] = math.fsum(row[cell] * share for cell, share in gone.items())
            for cell, share in gone.items():
                row[cell] *= 1.0 - share
            exposure[s, k, c] += burnt[s, k, c] * price
        return burnt

    def die_in_bar(self, low, high, exposure):
        """Of what churn turns over, entries are even over the bar; one dies if its level lies between its entry and the end."""
        bottom, top = math.log(low), math.log(high)
        if top <= bottom:
            return
        for s, k, c in self.cells:
            turned_over = 0.5 * self.recipe.in_bar * self.churn[c] * self.open_interest / self.offset.shape[2]
            for shift, _, _ in self.offset[s, k]:
                # A long entered at e dies if e + shift > bottom: its entry lies in (bottom - shift, top).
                share = (top - (bottom - shift) if s == LONG else (top - shift) - bottom) / (top - bottom)
                exposure[s, k, c] += turned_over * max(share, 0.0) * (low if s == LONG else high)

    def passed(self, low, high, after, elapsed, volume, buy):
        """Usual bars that passed for each (side, class): by its stream's flow over what is usual, one for each missing bar."""
        out = {}
        for j, stream in enumerate(self.recipe.streams):
            for s, flow in enumerate(self.flow(stream, low, high, after - self.open_interest, volume, buy)):
                ratio = 1.0
                if not math.isnan(flow):
                    past = self.flows.setdefault((stream, s), [])
                    past.append(flow)
                    ages = [self.usual**i for i in reversed(range(len(past)))]
                    average = math.fsum(a * x for a, x in zip(ages, past, strict=True)) / math.fsum(ages)
                    ratio = flow / average if average > 0.0 else 0.0
                for c in range(len(self.recipe.churn)):
                    out[s, j * len(self.recipe.churn) + c] = ratio + elapsed - 1
        return out

    def flow(self, stream, low, high, change, volume, buy):
        """What flowed into longs and shorts in a bar."""
        gross = max(0.7 * volume + change, 0.0) / 2.0 if not math.isnan(volume) else math.nan
        if stream == "sided":
            share = buy / volume if volume > 0.0 and not math.isnan(buy) else 0.5
            lean = min(max(2.0 * share - 0.5, 0.0), 1.0)
            return gross * lean, gross * (1.0 - lean)
        sold = max(volume - buy, 0.0) if not math.isnan(volume - buy) else math.nan
        flow = {
            "even": 1.0,
            "range": math.log(high / low),
            "rise": max(change, 0.0),
            "volume": volume,
            "buy": buy,
            "sell": sold,
            "gross": gross,
        }[stream]
        return flow, flow

    def close(self, after, passed):
        """Churn of the time that passed, for all alike or by (side, class), and what open interest lost (half at most)."""
        lost = max(self.open_interest - after, 0.0) / self.open_interest if self.open_interest > 0.0 else 0.0
        closed = np.zeros((2, self.recipe.tiers, self.recipe.classes))
        for (s, k, c), row in self.cells.items():
            still = (1.0 - self.churn[c]) ** (passed[s, c] if isinstance(passed, dict) else passed)
            rate = min(1.0 - still + lost, max(0.5, 1.0 - still))
            for cell in row:
                closed[s, k, c] += rate * row[cell]
                row[cell] *= 1.0 - rate
        return closed

    def remember(self, close):
        """The return over the last hour, and the average |return| of earlier bars brought to 5 minutes."""
        n, past = self.bars_per_hour, self.closes
        hour_return = math.log(close / (past[-n] if len(past) >= n else past[0])) if past else 0.0
        sizes = [abs(math.log(b / a)) for a, b in itertools.pairwise(past)]
        ages = [self.forget**i for i in reversed(range(len(sizes)))]
        typical = math.fsum(a * x for a, x in zip(ages, sizes, strict=True)) / math.fsum(ages) if sizes else 0.0
        past.append(close)
        return hour_return, typical * math.sqrt(n / 12)

    def refill(self, low, high, after, lean):
        """Open what is missing to open interest in every (side, tier, class), entries even over the bar's log range."""
        opened = np.zeros((2, self.recipe.tiers, self.recipe.classes))
        bottom = math.log(low)
        top = max(math.log(high), bottom + NARROW)
        for s, k, c in self.cells:
            missing = max(after - self.standing(s, k, c), 0.0)
            opened[s, k, c] = missing * (1.0 + lean if s == LONG else 1.0 - lean)
            for _, lower, upper in self.offset[s, k]:
                self._deposit(s, k, c, bottom + lower, top + upper, opened[s, k, c] / self.offset.shape[2])
        return opened

    def between(self, s, k, c, low, high):
        """Contracts between two log prices; a cut cell gives a proportional share."""
        fine = self.fineness[k]
        return sum(
            contracts * max(0.0, min(high * fine, cell + 1) - max(low * fine, cell))
            for cell, contracts in self.cells[s, k, c].items()
        )

    def count(self, weights, region):
        """Weighted contracts inside the region (log prices) of each side."""
        return [sum(weights[key] * self.between(*key, *region[key[0]]) for key in self.cells if key[0] == s) for s in (0, 1)]

    def column(self, weights, prior_share, close, top, row_height, rows):
        """A heatmap column, row 0 lowest: USD per 0.1 % of price and the prior's part; longs below the close, shorts above."""
        usd, prior = np.zeros(rows), np.zeros(rows)
        for r in range(rows):
            low = top - (rows - r) * row_height
            high = low + row_height
            per_permille = math.exp(low + 0.5 * row_height) * 0.001 / (math.exp(row_height) - 1.0)
            for key in self.cells:
                if key[0] == LONG:
                    contracts = self.between(*key, low, min(high, math.log(close)))
                else:
                    contracts = self.between(*key, max(low, math.log(close)), high)
                usd[r] += weights[key] * contracts * per_permille
                prior[r] += weights[key] * prior_share[key] * contracts * per_permille
        return usd, prior


def overlaps(low, high):
    """Shares of the stretch [low, high] that lie in each whole cell; they add up to 1."""
    cells = range(math.floor(low), math.floor(high) + 1)
    lengths = [max(0.0, min(high, cell + 1) - max(low, cell)) for cell in cells]
    return [(cell, length / math.fsum(lengths)) for cell, length in zip(cells, lengths, strict=True) if length > 0.0]


class TwinLevel:
    """A level filter: published dollars over predicted ones, discounted, shrunk to 1."""

    def __init__(self, prior_dollars, power, decay):
        self.prior, self.power, self.decay = prior_dollars, power, decay
        self.past = []  # (dollars predicted, dollars published), oldest first

    def value(self):
        """The level as the past says it."""
        ages = [self.decay**i for i in reversed(range(len(self.past)))]
        seen = math.fsum(a * y * m ** (self.power - 1.0) for a, (m, y) in zip(ages, self.past, strict=True))
        size = math.fsum(a * m**self.power for a, (m, _) in zip(ages, self.past, strict=True))
        return (self.prior + seen) / (self.prior + size)


class TwinFilter:
    """Weights of both sides, kept as the whole discounted past instead of running sums."""

    def __init__(self, prior_mean, prior_strength, decays, fast, slow, floor_usd):
        self.pi, self.beta = prior_mean, prior_strength
        self.decay_mix, decay_fast, decay_slow = decays
        self.fast = TwinLevel(*fast, decay_fast)
        self.slow = TwinLevel(*slow, decay_slow)
        self.floor = floor_usd
        self.past = []  # (numerator, denominator) of each learned interval, float64[2, T] each
        self.errors = []  # squared error over prediction of each learned interval, float64[2]
        self.levels = []  # log level of each learned interval

    def discounted(self, history):
        """Sum of the history, older terms smaller."""
        return sum(self.decay_mix**i * term for i, term in enumerate(reversed(history)))

    def denominator(self):
        """Discounted exposure behind each weight."""
        return self.discounted([b for _, b in self.past]) + np.zeros_like(self.pi)

    def weights(self):
        """Posterior means; the prior's own where nothing was learned."""
        if not self.past:
            return self.pi.copy()
        a = self.discounted([a for a, _ in self.past])
        return (a + self.beta * self.pi) / (self.denominator() + self.beta)

    def prior_share(self):
        """Share of each weight that is prior."""
        return np.where(np.isinf(self.beta), 1.0, self.beta / (self.denominator() + np.where(np.isinf(self.beta), 1, self.beta)))

    def interval(self, exposure, realised):
        """Predict one interval, then learn from it unless it is unknown. Returns USD (long, short)."""
        weights, fast, slow = self.weights(), self.fast.value(), self.slow.value()
        swept = 1.0 + (weights * exposure).sum(axis=1)
        raw = swept + self.floor
        predicted = raw * slow * fast
        if not np.isnan(realised).any():
            self.slow.past.append((raw.sum(), realised.sum()))
            self.fast.past.append((slow * raw.sum(), realised.sum()))
            self.levels.append(math.log(fast * slow))
            self.errors.append((realised - predicted) ** 2 / predicted)
            self.past.append((realised[:, None] * weights * exposure / swept[:, None], exposure))
        return predicted
