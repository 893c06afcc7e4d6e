"""From a configuration to the arrays of the kernels: seats, rules, brackets, an empty ledger, an empty tape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from liqscape.model import PositionSide
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.testing.market import _kernels as k
from liqscape.testing.market._world import BRACKETS, RULES, TRAITS, Ledger, Outside, Plan, Script, Seats, Tape, World
from liqscape.testing.market.config import MarketConfig, VenuesConfig
from liqscape.testing.market.exogenous import MarketOutside
from liqscape.testing.market.population import draw_traits, first_waits

_YEAR_S = 365 * 86_400
# Constants that are as the configuration (or its behaviour) says, by the names of the two.
_AS_CONFIGURED = {
    "lot": "lot_base",
    "impact": "impact",
    "depth_withdrawal": "depth_withdrawal",
    "depth_floor": "depth_floor",
    "maker_limit": "maker_limit_usd",
    "book_end": "book_end",
    "lasting": "lasting_share",
    "taker_cap": "taker_share_of_depth",
    "half_spread": "half_spread",
    "fee": "taker_fee_rate",
    "mark_bound": "mark_bound",
    "deleverages": "auto_deleveraging",
}
_AS_BEHAVIOUR = (
    "size_jitter", "leverage_jitter", "long_leverage", "life_jitter", "crowding", "clock_profit", "clock_loss", "clock_deep_loss",
)  # fmt: skip


def new_seats(config: VenuesConfig) -> Seats:
    """Return who sits where. Wallets are shared by the last accounts of two markets of a venue, and by scripts of one name."""
    markets = config.markets
    traders = [m.accounts + len(m.scripted) for m in markets]
    sizes = [n + m.makers + m.hedgers + 2 for n, m in zip(traders, markets, strict=True)]
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    makers = first[:-1] + np.array(traders, np.int64)
    hedgers = makers + np.array([m.makers for m in markets], np.int64)
    symbols = [m.instrument.symbol for m in markets]
    partner = np.full(first[-1], -1, np.int64)
    named: dict[tuple[str, str], int] = {}
    for i, market in enumerate(markets):
        for j, other in enumerate(markets[:i]):
            if other.instrument.venue == market.instrument.venue:
                mine = int(first[i]) + market.accounts - 1 - np.arange(config.shared_wallets)
                theirs = int(first[j]) + other.accounts - 1 - np.arange(config.shared_wallets)
                partner[mine], partner[theirs] = theirs, mine
        for place, order in enumerate(market.scripted):
            seat = int(first[i]) + market.accounts + place
            if order.wallet is not None:
                other_seat = named.setdefault((market.instrument.venue, order.wallet), seat)
                if other_seat != seat:
                    partner[seat], partner[other_seat] = other_seat, seat
    return Seats(
        traders=first[:-1],
        makers=makers,
        hedgers=hedgers,
        fund=first[1:] - 1,
        asset=np.array([symbols.index(s) for s in symbols], np.int64),
        market=np.repeat(np.arange(len(markets), dtype=np.int64), sizes),
        partner=partner,
        pairs=np.flatnonzero(partner > np.arange(partner.size)).astype(np.int64),
    )


def new_brackets(markets: Sequence[MarketConfig]) -> Any:
    """Return the tiers of all markets: records of `BRACKETS`."""
    tiers = np.zeros((len(markets), max(len(m.brackets) for m in markets)), BRACKETS)
    tiers["floor"] = np.inf
    for row, market in zip(tiers, markets, strict=True):
        floor = np.array([b.notional_floor_usd for b in market.brackets])
        rate = np.array([b.maintenance_margin_rate for b in market.brackets])
        own = row[: floor.size]
        own["floor"], own["rate"] = floor, rate
        own["max_leverage"] = [b.max_leverage for b in market.brackets]
        # Continuous maintenance: D_n = D_(n-1) + floor_n * (rate_n - rate_(n-1)) (margin.md 1).
        own["deduction"] = np.concatenate([[0.0], np.cumsum(floor[1:] * np.diff(rate))])
    return tiers


def new_rules(config: VenuesConfig) -> Any:
    """Return the constants of all markets, in steps: records of `RULES`."""
    step_s = float(config.markets[0].step_s)
    rules = np.zeros(len(config.markets), RULES)
    for row, m in zip(rules, config.markets, strict=True):
        row["step_s"] = step_s
        row["arbitrage_speed"] = 1.0 - 0.5 ** (step_s / config.arbitrage_half_life_s)
        row["arbitrage_band"] = config.arbitrage_band
        row["depth"] = m.depth_usd_per_percent * 100.0
        row["lasting_keep"] = 0.5 ** (step_s / m.lasting_half_life_s)
        row["refill"] = 0.5 ** (step_s / m.refill_half_life_s)
        row["mark_gain"] = 1.0 - math.exp(-step_s / m.mark_time_s)
        row["calm_move"] = m.annual_volatility * math.sqrt(step_s / _YEAR_S)
        row["funding_steps"] = _funding_steps(m)
        part = m.partial_liquidation
        row["part_above"] = math.inf if part is None else part.above_usd
        row["part_share"] = 1.0 if part is None else part.share
        row["part_pause"] = 1 if part is None else max(1, math.ceil(part.pause_s / step_s))
        row["burst_odds"] = 0.0 if m.bursts is None else math.log(m.bursts.one_sided / (1.0 - m.bursts.one_sided))
        for name, field in _AS_CONFIGURED.items():
            row[name] = getattr(m, field)
        for name in _AS_BEHAVIOUR:
            row[name] = getattr(m.behaviour, name)
    return rules


def _funding_steps(market: MarketConfig) -> int:
    return max(1, market.funding_interval_s // market.step_s)


def new_script(config: VenuesConfig, seats: Seats) -> Script:
    """Return the scripted orders of all markets, by step; their accounts sit behind the traders."""
    rows: list[tuple[int, int, int, float]] = []
    for market, first in zip(config.markets, seats.traders, strict=True):
        for place, order in enumerate(market.scripted):
            sign = 1 if order.position_side is PositionSide.LONG else -1
            lots = sign * round(order.quantity_base / market.lot_base)
            rows.append((order.step + market.warmup_steps, int(first) + market.accounts + place, lots, order.leverage))
    rows.sort(key=lambda row: row[0])  # stable: orders of one step come in the order they were given
    columns = tuple(zip(*rows, strict=True)) if rows else ((), (), (), ())
    step, seat, lots = (np.array(column, np.int64) for column in columns[:3])
    return Script(step, seat, lots, np.array(columns[3], np.float64))


def new_world(config: VenuesConfig, people: Sequence[np.random.Generator], play: np.random.Generator) -> World:
    """Return markets in which nobody holds anything yet."""
    seats, rules, markets = new_seats(config), new_rules(config), config.markets
    drawn = [draw_traits(m, rng) for m, rng in zip(markets, people, strict=True)]
    n = seats.market.size
    traits, wait = np.zeros(n, TRAITS), np.zeros(n)
    for first, own, rng in zip(seats.traders, drawn, people, strict=True):
        traits[first : first + own.size] = own
        wait[first : first + own.size] = first_waits(own, rng)
    traits["cross"][seats.partner >= 0] = True
    ledger = Ledger(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n, np.int64))
    ledger.balance[seats.fund] = [m.insurance_fund_usd for m in markets]
    plan = Plan(*(np.zeros(n) for _ in range(8)), wait=wait, hold=np.full(n, -1, np.int64))
    state, totals = np.zeros((len(markets), k.VALUES)), np.zeros((len(markets), k.TOTALS), np.int64)
    for row, market in zip(state, markets, strict=True):
        row[[k.FAIR, k.FAST_MEAN, k.SLOW_MEAN, k.SEEN]] = math.log(market.start_price)
        row[k.MARK], row[k.STRESS], row[k.DEPOSITS] = market.start_price, 0.7, market.insurance_fund_usd
    return World(rules, seats, new_brackets(markets), traits, ledger, plan, state, totals, play)


def new_tape(config: VenuesConfig, snapshots: int, seats: int, rows: IntArray) -> Tape:
    """Return an empty tape with room for `rows` liquidations and deleveragings."""
    first, markets = config.markets[0], len(config.markets)
    steps = first.warmup_steps + first.steps
    payments = max(steps // _funding_steps(m) for m in config.markets)

    def series() -> FloatArray:
        return np.empty((markets, steps))

    def counts() -> IntArray:
        return np.empty((markets, steps), np.int64)

    return Tape(
        mark=series(),
        last=series(),
        index_price=series(),
        depth=series(),
        volume=series(),
        taker_buy=series(),
        long_lots=counts(),
        short_lots=counts(),
        opened_long=counts(),
        opened_short=counts(),
        fund_usd=series(),
        rows=np.zeros(2, np.int64),
        forced=np.empty((int(rows[k.FORCED]), 9)),
        deleveraged=np.empty((int(rows[k.DELEVERAGED]), 6)),
        funding=np.empty((markets, payments, 2)),
        money_usd=np.empty((snapshots, 2)),
        snapshot_step=np.empty(snapshots, np.int64),
        snapshot_lots=np.empty((snapshots, seats), np.int64),
        snapshot=np.empty((snapshots, seats, 3)),
        snapshot_opened=np.empty((snapshots, seats), np.int64),
    )


def stacked(outside: Sequence[MarketOutside]) -> Outside:
    """Return what the kernels need of the outside of all markets."""
    return Outside(*(np.array([getattr(o, name) for o in outside]) for name in Outside._fields))


def snapshot_steps(market: MarketConfig) -> IntArray:
    """Return the steps, warm-up included, at whose end the truth is kept."""
    every = market.snapshot_interval_ns // market.step_ns
    steps = np.arange(every, market.steps + 1, every) - 1
    if steps.size == 0 or steps[-1] != market.steps - 1:
        steps = np.append(steps, market.steps - 1)
    return (market.warmup_steps + steps).astype(np.int64)
