"""The arrays of a simulated market, named. No behaviour: see `_kernels.py`.

A compiled kernel reads fields by position and is cached by the stamp of `_kernels.py` alone: whoever reorders fields here has to
touch that file too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from liqscape.model.arrays import BoolArray, FloatArray, IntArray


class Rules(NamedTuple):
    """Constants of a market; times in steps, `depth` in USD per unit of log price."""

    traders: int
    makers: int
    hedgers: int
    lot: float
    step_s: float
    impact: bool
    depth: float
    depth_withdrawal: float
    book_end: float
    lasting: float
    lasting_keep: float
    refill: float
    taker_cap: float
    half_spread: float
    fee: float
    mark_bound: float
    mark_gain: float
    calm_move: float
    funding_steps: int
    size_jitter: float
    leverage_jitter: float
    life_jitter: float
    crowding: float
    burst_odds: float
    clock_profit: float
    clock_loss: float
    clock_deep_loss: float


class Traits(NamedTuple):
    """What does not change about an account, one value per trader and scripted account."""

    size_usd: FloatArray
    leverage: FloatArray
    life_s: FloatArray
    wait_s: FloatArray
    signal: FloatArray
    bias: FloatArray
    slow: BoolArray
    stops: BoolArray
    tops_up: BoolArray
    cross: BoolArray


class Brackets(NamedTuple):
    """Margin tiers, ascending."""

    floor: FloatArray
    max_leverage: FloatArray
    rate: FloatArray
    deduction: FloatArray


class Script(NamedTuple):
    """Orders placed by hand."""

    step: IntArray
    account: IntArray
    side: IntArray
    lots: IntArray
    leverage: FloatArray


class Ledger(NamedTuple):
    """What every account holds: signed lots, entry price, money behind the position, money beside it, step of entry."""

    lots: IntArray
    entry: FloatArray
    balance: FloatArray
    free: FloatArray
    opened: IntArray


class Plan(NamedTuple):
    """What traders watch; prices are multiplied by the sign of the position, so that "below" is always "worse"."""

    liquidation: FloatArray
    stop: FloatArray
    top_up: FloatArray
    profit: FloatArray
    entry: FloatArray
    deep_loss: FloatArray
    clock: FloatArray
    life: FloatArray
    wait: FloatArray


class Tape(NamedTuple):
    """What is written down: per step, per liquidation, per funding payment and per snapshot."""

    mark: FloatArray
    last: FloatArray
    index_price: FloatArray
    volume: FloatArray
    taker_buy: FloatArray
    long_lots: IntArray
    short_lots: IntArray
    opened_long: IntArray  # gross lots that traders opened within the step
    opened_short: IntArray
    fund_usd: FloatArray
    money_usd: FloatArray  # [n, 2]: held by accounts, fund and fee pot at cost; deposited less withdrawn
    forced: FloatArray  # [m, 8]: step, account, lots, bankruptcy, mark, liquidation price, equity, maintenance
    funding: FloatArray  # [k, 2]: step, rate
    snapshot_step: IntArray
    snapshot_lots: IntArray  # [s, accounts]
    snapshot: FloatArray  # [s, accounts, 3]: entry, balance, liquidation price
    snapshot_opened: IntArray


class World(NamedTuple):
    """Everything, so that kernels pass one thing on."""

    rules: Rules
    brackets: Brackets
    traits: Traits
    ledger: Ledger
    plan: Plan
    state: FloatArray
    totals: IntArray
    rng: np.random.Generator
