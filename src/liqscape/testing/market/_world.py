"""The arrays of simulated markets, named. No behaviour: see `_kernels.py`.

A seat is one position of one account in one market. The seats of a market lie together: traders and scripted accounts, makers,
hedgers, one arbitrageur, the insurance fund. A compiled kernel reads fields by position and is cached by the stamp of
`_kernels.py` alone: whoever reorders fields here has to touch that file too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from liqscape.model.arrays import FloatArray, IntArray


class Seats(NamedTuple):
    """Who sits where. The first five: first seat of each kind, one value per market; the fund is the last seat."""

    traders: IntArray
    makers: IntArray
    hedgers: IntArray
    fund: IntArray  # the arbitrageur sits just before it
    asset: IntArray  # markets of one asset have one number
    market: IntArray  # per seat
    partner: IntArray  # per seat: the other position of the same wallet, -1: none
    pairs: IntArray  # the lower seat of each pair of partners


# The constants of a market; `World.rules` holds one record per market (one array: a kernel call copies every array it is given).
# Times in steps, `depth` in USD per unit of log price.
RULES = np.dtype(
    [
        ("step_s", np.float64),  # the same for all
        ("arbitrage_speed", np.float64),  # the same for all: share of a gap that closes in a step
        ("arbitrage_band", np.float64),  # the same for all
        ("lot", np.float64),
        ("impact", np.bool_),
        ("depth", np.float64),
        ("depth_withdrawal", np.float64),
        ("depth_floor", np.float64),
        ("maker_limit", np.float64),
        ("book_end", np.float64),
        ("lasting", np.float64),
        ("lasting_keep", np.float64),
        ("refill", np.float64),
        ("taker_cap", np.float64),
        ("half_spread", np.float64),
        ("fee", np.float64),
        ("mark_bound", np.float64),
        ("mark_gain", np.float64),
        ("calm_move", np.float64),
        ("funding_steps", np.int64),
        ("part_above", np.float64),
        ("part_share", np.float64),
        ("part_pause", np.int64),
        ("deleverages", np.bool_),
        ("size_jitter", np.float64),
        ("leverage_jitter", np.float64),
        ("long_leverage", np.float64),
        ("life_jitter", np.float64),
        ("crowding", np.float64),
        ("burst_odds", np.float64),
        ("clock_profit", np.float64),
        ("clock_loss", np.float64),
        ("clock_deep_loss", np.float64),
    ]
)


# What does not change about an account, one record per seat; only traders use it.
TRAITS = np.dtype(
    [
        ("size_usd", np.float64),
        ("leverage", np.float64),
        ("life_s", np.float64),
        ("wait_s", np.float64),
        ("signal", np.float64),
        ("bias", np.float64),
        ("slow", np.bool_),
        ("stops", np.bool_),
        ("tops_up", np.bool_),
        ("cross", np.bool_),
    ]
)

# A margin tier [markets, tiers], ascending; a market with fewer tiers has floors of infinity behind its own.
BRACKETS = np.dtype([("floor", np.float64), ("max_leverage", np.float64), ("rate", np.float64), ("deduction", np.float64)])


class Script(NamedTuple):
    """Orders placed by hand, by step; signed lots."""

    step: IntArray
    seat: IntArray
    lots: IntArray
    leverage: FloatArray


class Outside(NamedTuple):
    """What comes from outside, float64[markets, steps]."""

    log_return: FloatArray
    mood: FloatArray
    activity: FloatArray
    burst: FloatArray


class Ledger(NamedTuple):
    """What every seat holds: signed lots, entry price, money behind the position, money beside it, step of entry."""

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
    hold: IntArray  # first step in which the rest of a partly liquidated position may be liquidated


class Tape(NamedTuple):
    """What is written down: [markets, steps], per liquidation, deleveraging, funding payment and snapshot."""

    mark: FloatArray
    last: FloatArray
    index_price: FloatArray
    depth: FloatArray
    volume: FloatArray
    taker_buy: FloatArray
    long_lots: IntArray
    short_lots: IntArray
    opened_long: IntArray  # gross lots that traders opened within the step
    opened_short: IntArray
    fund_usd: FloatArray
    rows: IntArray  # how many rows `forced` and `deleveraged` would have
    forced: FloatArray  # [m, 9]: step, seat, lots, bankruptcy, mark, liquidation price, equity, maintenance, part
    deleveraged: FloatArray  # [d, 6]: step, seat, lots, price, mark, score
    funding: FloatArray  # [markets, k, 2]: step, rate
    money_usd: FloatArray  # [s, 2]: held by accounts, funds and fee pots at cost; deposited less withdrawn
    snapshot_step: IntArray
    snapshot_lots: IntArray  # [s, seats]
    snapshot: FloatArray  # [s, seats, 3]: entry, balance, liquidation price
    snapshot_opened: IntArray


class World(NamedTuple):
    """Everything, so that kernels pass one thing on."""

    rules: Any  # records of RULES [markets]
    seats: Seats
    brackets: Any  # records of BRACKETS [markets, tiers]
    traits: Any  # records of TRAITS [seats]
    ledger: Ledger
    plan: Plan
    state: FloatArray  # [markets, values]
    totals: IntArray  # [markets, totals]
    rng: np.random.Generator
