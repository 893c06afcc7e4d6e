"""Cut the tape of one market into what its venue publishes, and the truth beside it."""

from __future__ import annotations

import numpy as np

from liqscape.model import BarSeries, Completeness, LiquidationSeries, PriceKind
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.testing.market import _kernels as k
from liqscape.testing.market._world import Tape, World
from liqscape.testing.market.config import MarketConfig
from liqscape.testing.market.exogenous import MarketOutside
from liqscape.testing.market.run import (
    Deleveragings,
    FundingSeries,
    LiquidationPrints,
    SimulatedRun,
    StepSeries,
    TruePositions,
)
from liqscape.units import NS_PER_HOUR, NS_PER_S


def publish(
    config: MarketConfig, seed: int, market: int, outside: MarketOutside, tape: Tape, world: World, rng: np.random.Generator
) -> SimulatedRun:
    """Return the run of one market; `rng` draws when within its second a print happened, and how late open interest is."""
    first, seats = config.warmup_steps, world.seats
    end_ns = config.start_ns + (np.arange(config.steps, dtype=np.int64) + 1) * config.step_ns
    steps = StepSeries(
        end_ns=end_ns,
        mark=tape.mark[market, first:],
        last=tape.last[market, first:],
        index=tape.index_price[market, first:],
        depth_usd_per_percent=0.01 * tape.depth[market, first:] * tape.last[market, first:],
        long_lots=tape.long_lots[market, first:],
        short_lots=tape.short_lots[market, first:],
        opened_long_lots=tape.opened_long[market, first:],
        opened_short_lots=tape.opened_short[market, first:],
        insurance_fund_usd=tape.fund_usd[market, first:],
    )
    forced, prints = _prints(config, market, tape, world, rng)
    paid = tape.funding[market, : world.totals[market, k.FUNDED]]
    paid = paid[paid[:, 0] >= first]
    funding_ns = config.start_ns + (paid[:, 0].astype(np.int64) + 1 - first) * config.step_ns
    return SimulatedRun(
        config=config,
        seed=seed,
        bars=_bars(config, market, outside, tape, rng),
        prints=prints,
        partial=forced[:, 8] > 0.0,
        deleveraged=_deleveraged(config, market, tape, world),
        liquidations=_totals(config, prints),
        funding=FundingSeries(funding_ns, paid[:, 1], config.funding_interval_s * NS_PER_S),
        steps=steps,
        snapshots=tuple(_positions(config, market, tape, world, row) for row in range(tape.snapshot_step.size)),
        money_usd=tape.money_usd,
        partner=np.where(seats.partner >= 0, seats.partner - seats.traders[seats.market[seats.partner]], -1)[
            seats.traders[market] : seats.fund[market] + 1
        ],
    )


def _bars(config: MarketConfig, market: int, outside: MarketOutside, tape: Tape, rng: np.random.Generator) -> BarSeries:
    """Return bars of the mark: a bar opens at the mark before it, and its extremes are those of all its steps."""
    first, per_bar = config.warmup_steps, config.bar_interval_ns // config.step_ns

    def grouped(values: FloatArray) -> FloatArray:
        return values[first:].reshape(-1, per_bar)

    mark = grouped(tape.mark[market])
    before = float(tape.mark[market, first - 1]) if first else config.start_price
    opens = np.concatenate([[before], mark[:-1, -1]])
    start_ns = config.start_ns + np.arange(mark.shape[0], dtype=np.int64) * config.bar_interval_ns
    stamped = _stamped(config, first + per_bar * (np.arange(mark.shape[0], dtype=np.int64) + 1) - 1, rng)
    return BarSeries(
        instrument=config.instrument,
        interval_ns=config.bar_interval_ns,
        price_kind=PriceKind.MARK,
        start_ns=start_ns,
        known_ns=start_ns + config.bar_interval_ns,
        open=opens,
        high=np.maximum(opens, mark.max(axis=1)),
        low=np.minimum(opens, mark.min(axis=1)),
        close=mark[:, -1].copy(),
        volume_base=grouped(tape.volume[market] + outside.volume_base).sum(axis=1),
        taker_buy_base=grouped(tape.taker_buy[market] + outside.taker_buy_base).sum(axis=1),
        open_interest_base=np.asarray(tape.long_lots[market, stamped] * config.lot_base, np.float64),
    )


def _stamped(config: MarketConfig, ends: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the step whose open interest is published at the end of each bar: late, and held where a stamp is missing."""
    late = config.late_open_interest
    if late is None:
        return ends
    delay_s = late.delay_s + late.jitter_s * rng.random(ends.size)
    seen = np.maximum(ends - np.ceil(delay_s / config.step_s).astype(np.int64), 0)
    missing = rng.random(ends.size) < late.missing_share
    missing[:1] = False
    seen[missing] = 0
    return np.maximum.accumulate(seen)  # a later stamp is never older


def _clock(config: MarketConfig, rows: FloatArray) -> IntArray:
    return config.start_ns + (rows[:, 0].astype(np.int64) - config.warmup_steps + 1) * config.step_ns


def _of_market(config: MarketConfig, market: int, rows: FloatArray, world: World) -> FloatArray:
    mine = world.seats.market[rows[:, 1].astype(np.int64)] == market
    return rows[mine & (rows[:, 0] >= config.warmup_steps)]


def _prints(
    config: MarketConfig, market: int, tape: Tape, world: World, rng: np.random.Generator
) -> tuple[FloatArray, LiquidationPrints]:
    forced = _of_market(config, market, tape.forced, world)
    # Within the last second of their step, in the order in which they were executed.
    lead = rng.integers(1, NS_PER_S, len(forced))
    ends = _clock(config, forced)
    lead = lead[np.lexsort((-lead, ends))]
    prints = LiquidationPrints(
        instrument=config.instrument,
        ts_ns=ends - lead,
        sign=np.sign(forced[:, 2]).astype(np.int8),
        price=forced[:, 3].copy(),
        quantity_base=np.abs(forced[:, 2]) * config.lot_base,
        account=forced[:, 1].astype(np.int64) - world.seats.traders[market],
        mark_price=forced[:, 4].copy(),
        liquidation_price=forced[:, 5].copy(),
        equity_usd=forced[:, 6].copy(),
        maintenance_usd=forced[:, 7].copy(),
    )
    return forced, prints


def _deleveraged(config: MarketConfig, market: int, tape: Tape, world: World) -> Deleveragings:
    rows = _of_market(config, market, tape.deleveraged, world)
    return Deleveragings(
        ts_ns=_clock(config, rows) - 1,
        sign=np.sign(rows[:, 2]).astype(np.int8),
        quantity_base=np.abs(rows[:, 2]) * config.lot_base,
        account=rows[:, 1].astype(np.int64) - world.seats.traders[market],
        price=rows[:, 3].copy(),
        mark_price=rows[:, 4].copy(),
        score=rows[:, 5].copy(),
    )


def _totals(config: MarketConfig, prints: LiquidationPrints) -> LiquidationSeries:
    """Return hourly sums; every recorded hour that is over is known, an hour without prints is a measured zero."""
    hours = config.steps * config.step_ns // NS_PER_HOUR
    hour = (prints.ts_ns - config.start_ns) // NS_PER_HOUR
    start_ns = config.start_ns + np.arange(hours, dtype=np.int64) * NS_PER_HOUR

    def summed(sign: int) -> FloatArray:
        chosen = (prints.sign == sign) & (hour < hours)
        return np.bincount(hour[chosen], weights=prints.notional_usd[chosen], minlength=hours).astype(np.float64)

    return LiquidationSeries(
        instrument=config.instrument,
        interval_ns=NS_PER_HOUR,
        start_ns=start_ns,
        known_ns=start_ns + NS_PER_HOUR,
        long_usd=summed(1),
        short_usd=summed(-1),
        venues=(config.instrument.venue,),
        completeness=Completeness.ALL,
    )


def _positions(config: MarketConfig, market: int, tape: Tape, world: World, row: int) -> TruePositions:
    seats = world.seats
    first, step = int(seats.traders[market]), int(tape.snapshot_step[row])
    here = slice(first, int(seats.fund[market]) + 1)
    lots = tape.snapshot_lots[row, here]
    account = np.flatnonzero(lots).astype(np.int64)
    trader = account < seats.makers[market] - first
    cross = np.ones(account.size, np.bool_)
    cross[trader] = world.traits["cross"][here][account[trader]]
    age = (step - tape.snapshot_opened[row, here][account]) * float(config.step_s)
    kept = tape.snapshot[row, here][account]
    return TruePositions(
        as_of_ns=config.start_ns + (step + 1 - config.warmup_steps) * config.step_ns,
        mark_price=float(tape.mark[market, step]),
        sign=np.sign(lots[account]).astype(np.int8),
        quantity_base=np.abs(lots[account]) * config.lot_base,
        entry_price=kept[:, 0].copy(),
        margin_usd=kept[:, 1].copy(),
        liquidation_price=kept[:, 2].copy(),
        cross=cross,
        account=account,
        age_s=np.where(trader, age, np.nan),
        trader=trader,
    )
