"""The door of the simulated market: draws the world, runs the kernel, cuts the tape into what a venue publishes."""

from __future__ import annotations

import math

import numpy as np

from liqscape.model import BarSeries, Completeness, LiquidationSeries, PriceKind
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.testing.market import _kernels as k
from liqscape.testing.market._world import Brackets, Ledger, Plan, Rules, Tape, World
from liqscape.testing.market.config import MarketConfig
from liqscape.testing.market.exogenous import Outside, draw_outside
from liqscape.testing.market.population import draw_traits, first_waits, script
from liqscape.testing.market.run import FundingSeries, LiquidationPrints, SimulatedRun, StepSeries, TruePositions
from liqscape.units import NS_PER_HOUR, NS_PER_S

_YEAR_S = 365 * 86_400
_PRINT_LEAD_NS = 1_000_000


class SimulatedMarket:
    """A perpetual-futures venue with exact accounts; opens no socket.

    Each step: the outside moves the fair price and the book refills; the mark is the index with the smoothed basis, bound to the
    last price; positions whose mark is beyond their liquidation price are taken over by the insurance fund at the bankruptcy
    price, and their forced orders walk a bounded book; stops, top-ups, closes and openings; makers pass inventory to hedgers;
    funding.
    Not modelled: partial liquidation and auto-deleveraging (a fund below zero is a deficit the venue carries).

    Parameters
    ----------
    config
        The market; default: the demo's.
    seed
        The same seed gives the same run, bit for bit, on one platform. The outside has its own random stream, so without impact
        prices do not depend on who trades.

    Examples
    --------
    >>> run = SimulatedMarket(MarketConfig(days=0.5, warmup_days=0.0, accounts=50), seed=1).run()
    >>> bool((run.steps.long_lots == run.steps.short_lots).all())
    True
    """

    def __init__(self, config: MarketConfig | None = None, seed: int = 1) -> None:
        self.config = MarketConfig() if config is None else config
        self.seed = seed

    def run(self) -> SimulatedRun:
        """Simulate the whole market and return what it published, with the truth."""
        config = self.config
        outside_seed, people_seed, play_seed = np.random.SeedSequence(self.seed).spawn(3)
        outside = draw_outside(config, np.random.default_rng(outside_seed))
        rows = 4_096
        while True:
            world = _new_world(config, np.random.default_rng(people_seed), np.random.default_rng(play_seed))
            snapshots = _snapshot_steps(config)
            tape = _new_tape(outside.log_return.size, rows, snapshots.size, world.ledger.lots.size, config)
            orders = script(config)
            orders.step[:] += config.warmup_steps
            happened = k.simulate(
                world, orders, outside.log_return, outside.mood, outside.activity, outside.burst, snapshots, tape
            )
            if happened <= rows:
                break
            rows = 2 * happened
        forced = tape.forced[:happened]
        paid = tape.funding[: int(world.totals[k.FUNDED])]
        return _publish(config, self.seed, outside, tape._replace(forced=forced, funding=paid), world)


def _snapshot_steps(config: MarketConfig) -> IntArray:
    every = config.snapshot_interval_ns // config.step_ns
    steps = np.arange(every, config.steps + 1, every) - 1
    if steps.size == 0 or steps[-1] != config.steps - 1:
        steps = np.append(steps, config.steps - 1)
    return (config.warmup_steps + steps).astype(np.int64)


def _new_brackets(config: MarketConfig) -> Brackets:
    floor = np.array([b.notional_floor_usd for b in config.brackets])
    rate = np.array([b.maintenance_margin_rate for b in config.brackets])
    # The deduction makes maintenance continuous: D_n = D_(n-1) + floor_n * (rate_n - rate_(n-1)) (margin.md 1).
    deduction = np.concatenate([[0.0], np.cumsum(floor[1:] * np.diff(rate))])
    return Brackets(floor, np.array([b.max_leverage for b in config.brackets]), rate, deduction)


def _new_rules(config: MarketConfig) -> Rules:
    habits, step_s = config.behaviour, float(config.step_s)
    return Rules(
        traders=config.accounts + len(config.scripted),
        makers=config.makers,
        hedgers=config.hedgers,
        lot=config.lot_base,
        step_s=step_s,
        impact=config.impact,
        depth=config.depth_usd_per_percent * 100.0,
        depth_withdrawal=config.depth_withdrawal,
        book_end=config.book_end,
        lasting=config.lasting_share,
        lasting_keep=0.5 ** (step_s / config.lasting_half_life_s),
        refill=0.5 ** (step_s / config.refill_half_life_s),
        taker_cap=config.taker_share_of_depth,
        half_spread=config.half_spread,
        fee=config.taker_fee_rate,
        mark_bound=config.mark_bound,
        mark_gain=1.0 - math.exp(-step_s / config.mark_time_s),
        calm_move=config.annual_volatility * math.sqrt(step_s / _YEAR_S),
        funding_steps=max(1, config.funding_interval_s // config.step_s),
        size_jitter=habits.size_jitter,
        leverage_jitter=habits.leverage_jitter,
        life_jitter=habits.life_jitter,
        crowding=habits.crowding,
        burst_odds=0.0 if config.bursts is None else math.log(config.bursts.one_sided / (1.0 - config.bursts.one_sided)),
        clock_profit=habits.clock_profit,
        clock_loss=habits.clock_loss,
        clock_deep_loss=habits.clock_deep_loss,
    )


def _new_world(config: MarketConfig, people: np.random.Generator, play: np.random.Generator) -> World:
    """Return a market in which nobody holds anything yet."""
    traits = draw_traits(config, people)
    rules = _new_rules(config)
    everyone = rules.traders + config.makers + config.hedgers + 1
    ledger = Ledger(
        lots=np.zeros(everyone, np.int64),
        entry=np.zeros(everyone),
        balance=np.zeros(everyone),
        free=np.zeros(everyone),
        opened=np.zeros(everyone, np.int64),
    )
    ledger.balance[-1] = config.insurance_fund_usd
    plan = Plan(*(np.zeros(rules.traders) for _ in range(8)), wait=first_waits(traits, people))
    state, totals = np.zeros(k.VALUES), np.zeros(k.COUNTS, np.int64)
    state[[k.FAIR, k.FAST_MEAN, k.SLOW_MEAN]] = math.log(config.start_price)
    state[k.STRESS] = 0.7
    state[k.DEPOSITS] = config.insurance_fund_usd
    return World(rules, _new_brackets(config), traits, ledger, plan, state, totals, play)


def _new_tape(steps: int, liquidations: int, snapshots: int, accounts: int, config: MarketConfig) -> Tape:
    payments = steps // max(1, config.funding_interval_s // config.step_s)
    return Tape(
        mark=np.empty(steps),
        last=np.empty(steps),
        index_price=np.empty(steps),
        volume=np.empty(steps),
        taker_buy=np.empty(steps),
        long_lots=np.empty(steps, np.int64),
        short_lots=np.empty(steps, np.int64),
        opened_long=np.empty(steps, np.int64),
        opened_short=np.empty(steps, np.int64),
        fund_usd=np.empty(steps),
        money_usd=np.empty((snapshots, 2)),
        forced=np.empty((liquidations, 8)),
        funding=np.empty((payments, 2)),
        snapshot_step=np.empty(snapshots, np.int64),
        snapshot_lots=np.empty((snapshots, accounts), np.int64),
        snapshot=np.empty((snapshots, accounts, 3)),
        snapshot_opened=np.empty((snapshots, accounts), np.int64),
    )


def _publish(config: MarketConfig, seed: int, outside: Outside, tape: Tape, world: World) -> SimulatedRun:
    first = config.warmup_steps
    end_ns = config.start_ns + (np.arange(config.steps, dtype=np.int64) + 1) * config.step_ns
    steps = StepSeries(
        end_ns=end_ns,
        mark=tape.mark[first:],
        last=tape.last[first:],
        index=tape.index_price[first:],
        long_lots=tape.long_lots[first:],
        short_lots=tape.short_lots[first:],
        opened_long_lots=tape.opened_long[first:],
        opened_short_lots=tape.opened_short[first:],
        insurance_fund_usd=tape.fund_usd[first:],
    )
    prints = _prints(config, tape)
    paid = tape.funding[tape.funding[:, 0] >= first]
    funding_ns = config.start_ns + (paid[:, 0].astype(np.int64) + 1 - first) * config.step_ns
    return SimulatedRun(
        config=config,
        seed=seed,
        bars=_bars(config, outside, tape),
        prints=prints,
        liquidations=_totals(config, prints),
        funding=FundingSeries(funding_ns, paid[:, 1], config.funding_interval_s * NS_PER_S),
        steps=steps,
        snapshots=tuple(_positions(config, tape, world, row) for row in range(tape.snapshot_step.size)),
        money_usd=tape.money_usd,
    )


def _bars(config: MarketConfig, outside: Outside, tape: Tape) -> BarSeries:
    """Return bars of the mark: a bar opens at the mark before it, and its extremes are those of all its steps."""
    first, per_bar = config.warmup_steps, config.bar_interval_ns // config.step_ns

    def grouped(values: FloatArray) -> FloatArray:
        return values[first:].reshape(-1, per_bar)

    mark = grouped(tape.mark)
    before = float(tape.mark[first - 1]) if first else config.start_price
    opens = np.concatenate([[before], mark[:-1, -1]])
    start_ns = config.start_ns + np.arange(mark.shape[0], dtype=np.int64) * config.bar_interval_ns
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
        volume_base=grouped(tape.volume + outside.volume_base).sum(axis=1),
        taker_buy_base=grouped(tape.taker_buy + outside.taker_buy_base).sum(axis=1),
        open_interest_base=np.asarray(tape.long_lots[first:][per_bar - 1 :: per_bar] * config.lot_base, np.float64),
    )


def _prints(config: MarketConfig, tape: Tape) -> LiquidationPrints:
    forced = tape.forced[tape.forced[:, 0] >= config.warmup_steps]
    step = forced[:, 0].astype(np.int64) - config.warmup_steps
    return LiquidationPrints(
        instrument=config.instrument,
        ts_ns=config.start_ns + (step + 1) * config.step_ns - _PRINT_LEAD_NS,
        sign=np.sign(forced[:, 2]).astype(np.int8),
        price=forced[:, 3].copy(),
        quantity_base=np.abs(forced[:, 2]) * config.lot_base,
        account=forced[:, 1].astype(np.int64),
        mark_price=forced[:, 4].copy(),
        liquidation_price=forced[:, 5].copy(),
        equity_usd=forced[:, 6].copy(),
        maintenance_usd=forced[:, 7].copy(),
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


def _positions(config: MarketConfig, tape: Tape, world: World, row: int) -> TruePositions:
    step, lots = int(tape.snapshot_step[row]), tape.snapshot_lots[row]
    account = np.flatnonzero(lots).astype(np.int64)
    trader = account < world.rules.traders
    cross = np.ones(account.size, np.bool_)
    cross[trader] = world.traits.cross[account[trader]]
    age = (step - tape.snapshot_opened[row, account]) * float(config.step_s)
    return TruePositions(
        as_of_ns=config.start_ns + (step + 1 - config.warmup_steps) * config.step_ns,
        mark_price=float(tape.mark[step]),
        sign=np.sign(lots[account]).astype(np.int8),
        quantity_base=np.abs(lots[account]) * config.lot_base,
        entry_price=tape.snapshot[row, account, 0],
        margin_usd=tape.snapshot[row, account, 1],
        liquidation_price=tape.snapshot[row, account, 2],
        cross=cross,
        account=account,
        age_s=np.where(trader, age, np.nan),
        trader=trader,
    )
