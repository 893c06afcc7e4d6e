"""The exchange itself, step by step: exact ledgers, a bounded book, liquidation at mark. Changes its arrays in place.

Quantities are whole lots, so that longs and shorts balance exactly; money is in USD. Account numbers: traders and scripted
accounts first, then makers, hedgers and last the insurance fund. A kernel calls kernels of this file only.
"""

from __future__ import annotations

import math

import numpy as np

from liqscape._jit import kernel
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.testing.market._world import Brackets, Plan, Rules, Script, Tape, World

# Where things are in `World.value`.
FAIR, EATEN, BASIS, STRESS, DEPTH, FAST_MEAN, SLOW_MEAN, VOLUME, TAKER_BUY, FEES, DEPOSITS, PREMIUM, LASTING = range(13)
VALUES = 13
# Where things are in `World.totals`.
LONG, SHORT, LIQUIDATIONS, ORDERS, FUNDED, OPENED_LONG, OPENED_SHORT = range(7)
COUNTS = 7


@kernel
def maintenance(brackets: Brackets, notional: float) -> float:
    """Return the maintenance margin of a notional, USD: `notional * rate - deduction` of its tier."""
    tier = np.searchsorted(brackets.floor, notional, side="right") - 1
    return notional * brackets.rate[tier] - brackets.deduction[tier]


@kernel
def liquidation_price(brackets: Brackets, quantity: float, entry: float, margin: float) -> float:
    """Return the mark at which `margin + quantity * (mark - entry)` meets maintenance; NaN if no price does.

    quantity : float, base units, signed; the tier is the one of the notional at the price found (margin.md 1)
    """
    size, sign = abs(quantity), math.copysign(1.0, quantity)
    for tier in range(brackets.floor.size - 1, -1, -1):
        price = (quantity * entry - margin - brackets.deduction[tier]) / (size * (sign - brackets.rate[tier]))
        if size * price >= brackets.floor[tier] and price > 0.0:
            return price
    return np.nan


@kernel
def _change(world: World, account: int, lots: int, price: float) -> None:
    """Add signed lots to a position at a price; what is reduced realises its profit into the balance."""
    ledger, count = world.ledger, world.totals
    old = ledger.lots[account]
    new = old + lots
    if old == 0 or (old > 0) == (lots > 0):
        held, added = float(abs(old)), float(abs(lots))
        ledger.entry[account] = (held * ledger.entry[account] + added * price) / (held + added)
    else:
        closing = min(abs(old), abs(lots))
        profit = closing * world.rules.lot * (price - ledger.entry[account])
        ledger.balance[account] += profit if old > 0 else -profit
        if abs(lots) > abs(old):
            ledger.entry[account] = price
        elif new == 0:
            ledger.entry[account] = 0.0
    ledger.lots[account] = new
    count[LONG] += max(new, 0) - max(old, 0)
    count[SHORT] += max(-new, 0) - max(-old, 0)


@kernel
def _counterparty(world: World, first: int, number: int, lots: int) -> int:
    """Return who of [first, first + number) holds most of what is bought (`lots` > 0) or sold."""
    held = world.ledger.lots[first : first + number]
    return first + int(np.argmax(held) if lots > 0 else np.argmin(held))


@kernel
def _trade(world: World, account: int, lots: int, price: float) -> None:
    """Trade with the maker who wants it most; makers pass what they hold on to hedgers."""
    rules = world.rules
    maker = _counterparty(world, rules.traders, rules.makers, lots)
    _change(world, account, lots, price)
    _change(world, maker, -lots, price)


@kernel
def _walk(world: World, base: float) -> float:
    """Execute a taker order of signed base units in the book; return its average fill before the spread."""
    rules, value = world.rules, world.state
    before = value[FAIR] + value[EATEN]
    if not rules.impact:
        return math.exp(before)
    move = base / value[DEPTH]
    value[FAIR] += rules.lasting * move
    value[LASTING] += rules.lasting * move
    value[EATEN] += (1.0 - rules.lasting) * move
    return math.exp(before + 0.5 * move)


@kernel
def _room(world: World, sign: int) -> float:
    """Return the base units that fit into the book before it ends, buying (+1) or selling (-1)."""
    rules, value = world.rules, world.state
    if not rules.impact:
        return np.inf
    return max(0.0, rules.book_end - sign * value[EATEN]) * value[DEPTH] / (1.0 - rules.lasting)


@kernel
def _order(world: World, account: int, lots: int) -> float:
    """Execute a voluntary order; return its average price.

    A part up to `taker_cap` of 1 % depth takes from the book, the rest is worked patiently at the price before.
    """
    rules, value = world.rules, world.state
    sign, base = (1 if lots > 0 else -1), abs(lots) * rules.lot
    taken = min(base, rules.taker_cap * 0.01 * value[DEPTH], _room(world, sign)) if rules.impact else base
    before = math.exp(value[FAIR] + value[EATEN])
    fill = _walk(world, sign * taken) * (1.0 + sign * rules.half_spread)
    price = (taken * fill + (base - taken) * before) / base
    _trade(world, account, lots, price)
    value[VOLUME] += base
    value[TAKER_BUY] += taken if sign > 0 else base - taken
    return price


@kernel
def _unwind(world: World, fund: int) -> None:
    """Sell or buy back in the book what the fund took over, as far as the book reaches."""
    rules, value, ledger = world.rules, world.state, world.ledger
    lots, sign = ledger.lots[fund], -1 if ledger.lots[fund] > 0 else 1
    fit = _room(world, sign) / rules.lot
    size = abs(lots) if fit >= abs(lots) else math.floor(fit)
    if size <= 0:
        return
    base = size * rules.lot
    fill = _walk(world, sign * base) * (1.0 + sign * rules.half_spread)
    _trade(world, fund, sign * size, fill)
    value[VOLUME] += base
    if sign > 0:
        value[TAKER_BUY] += base


@kernel
def _watch(world: World, account: int) -> None:
    """Recompute the liquidation price an account lives with."""
    ledger, plan = world.ledger, world.plan
    lots = ledger.lots[account]
    price = liquidation_price(world.brackets, lots * world.rules.lot, ledger.entry[account], ledger.balance[account])
    plan.liquidation[account] = price if lots > 0 else -price


@kernel
def _rest(world: World, account: int, patience: float) -> None:
    """Send a flat account into its pause; money behind the position goes aside, a debt is the fund's."""
    ledger, plan, fund = world.ledger, world.plan, world.ledger.lots.size - 1
    ledger.free[account] += ledger.balance[account]
    ledger.balance[account] = 0.0
    if ledger.free[account] < 0.0:
        ledger.balance[fund] += ledger.free[account]
        ledger.free[account] = 0.0
    plan.wait[account] = patience * world.traits.wait_s[account] * world.rng.standard_exponential()


@kernel
def _liquidate(world: World, account: int, step: int, mark: float, tape: Tape) -> None:
    """Take a position over at its bankruptcy price, write the print down and execute as much as the book takes."""
    ledger, rules, fund = world.ledger, world.rules, world.ledger.lots.size - 1
    lots, entry, margin = ledger.lots[account], ledger.entry[account], ledger.balance[account]
    base = lots * rules.lot
    bankruptcy = entry - margin / base
    row = world.totals[LIQUIDATIONS]
    if row < tape.forced.shape[0]:
        forced = tape.forced[row]
        forced[0], forced[1], forced[2], forced[3], forced[4] = step, account, lots, bankruptcy, mark
        forced[5] = abs(world.plan.liquidation[account])
        forced[6] = margin + base * (mark - entry)
        forced[7] = maintenance(world.brackets, abs(base) * mark)
    world.totals[LIQUIDATIONS] += 1
    _change(world, account, -lots, bankruptcy)
    _change(world, fund, lots, bankruptcy)
    _rest(world, account, 2.0)
    _unwind(world, fund)


@kernel
def _close(world: World, account: int) -> None:
    """Close a position by the account's own will (or its stop) and pay the fee."""
    ledger, rules = world.ledger, world.rules
    lots = ledger.lots[account]
    price = _order(world, account, -lots)
    fee = abs(lots) * rules.lot * price * rules.fee
    ledger.balance[account] -= fee
    world.state[FEES] += fee
    world.totals[ORDERS] += 1
    _rest(world, account, 1.0)


@kernel
def _open(world: World, account: int, lots: int, leverage: float, spare: float, step: int) -> None:
    """Open a position with margin `notional / leverage`; in cross margin the wallet is at least `1 + spare` times that."""
    ledger, traits, rules, value = world.ledger, world.traits, world.rules, world.state
    price = _order(world, account, lots)
    notional = abs(lots) * rules.lot * price
    fee, need = notional * rules.fee, notional / leverage
    if traits.cross[account]:
        need *= 1.0 + spare
    missing = need + fee - ledger.free[account]
    # Idle money beyond four positions' worth is withdrawn.
    flow = missing if missing > 0.0 else min(0.0, missing + 4.0 * need)
    ledger.free[account] += flow - fee
    value[DEPOSITS] += flow
    value[FEES] += fee
    moved = ledger.free[account] if traits.cross[account] else need
    ledger.free[account] -= moved
    ledger.balance[account] += moved
    ledger.opened[account] = step
    world.totals[ORDERS] += 1
    world.totals[OPENED_LONG if lots > 0 else OPENED_SHORT] += abs(lots)
    _watch(world, account)
    _plan(world, account, price)


@kernel
def _plan(world: World, account: int, price: float) -> None:
    """Draw lifetime, stop and top-up level of a new position. Zones of profit widen with the planned lifetime."""
    plan, traits, rules, rng = world.plan, world.traits, world.rules, world.rng
    sign = 1.0 if world.ledger.lots[account] > 0 else -1.0
    life = traits.life_s[account]
    zone = min(0.12, 0.5 * 0.03 * math.sqrt(min(life, 8e6) / 86_400.0))
    at = sign * price
    plan.entry[account] = at
    plan.profit[account] = at + zone * price
    plan.deep_loss[account] = at - zone * price
    plan.clock[account] = 0.0
    plan.life[account] = life * math.exp(rules.life_jitter * rng.standard_normal())
    distance = (at - plan.liquidation[account]) / price  # NaN where nothing liquidates
    limit = distance if distance < 0.4 else 0.4
    plan.stop[account] = at - price * limit * (0.25 + 0.6 * rng.random()) if traits.stops[account] else -np.inf
    plan.top_up[account] = at - price * distance * 0.75 if traits.tops_up[account] else -np.inf


@kernel
def _top_up(world: World, account: int) -> None:
    """Add half of the money that stood behind the position; the next call comes closer to the new liquidation price."""
    ledger, plan = world.ledger, world.plan
    amount = 0.5 * max(ledger.balance[account], 0.0)
    from_free = min(amount, ledger.free[account])
    ledger.free[account] -= from_free
    ledger.balance[account] += amount
    world.state[DEPOSITS] += amount - from_free
    _watch(world, account)
    again = world.rng.random() < 0.35
    room = plan.entry[account] - plan.liquidation[account]
    plan.top_up[account] = plan.entry[account] - 0.85 * room if again else -np.inf


@kernel
def _arrive(world: World, account: int, step: int, mark: float, mood: float, burst: float) -> None:
    """Let an account whose pause is over choose side, size and leverage, and open unless the venue would refuse."""
    traits, rules, value, rng, brackets = world.traits, world.rules, world.state, world.rng, world.brackets
    log_last = value[FAIR] + value[EATEN]
    mean = value[SLOW_MEAN] if traits.slow[account] else value[FAST_MEAN]
    steps = (86_400.0 if traits.slow[account] else 7_200.0) / rules.step_s
    signal = (log_last - mean) / (rules.calm_move * math.sqrt(steps))
    crowd = -world.ledger.lots[rules.traders :].sum() / max(world.totals[LONG], 1)
    odds = traits.signal[account] * max(-3.0, min(3.0, signal)) + traits.bias[account] + mood - rules.crowding * crowd
    if burst != 0.0:  # inside a burst its side decides, not the account's own view
        odds = burst * rules.burst_odds
    sign = 1 if rng.random() < 1.0 / (1.0 + math.exp(-odds)) else -1
    price = math.exp(log_last)
    notional = traits.size_usd[account] * math.exp(rules.size_jitter * rng.standard_normal())
    lots = sign * max(1, round(notional / (price * rules.lot)))
    notional = abs(lots) * rules.lot * price
    tier = np.searchsorted(brackets.floor, notional, side="right") - 1
    wanted = traits.leverage[account] * math.exp(rules.leverage_jitter * rng.standard_normal())
    leverage = max(1.0, min(wanted, brackets.max_leverage[tier]))
    spare = 0.8 * rng.standard_exponential()
    level = liquidation_price(brackets, lots * rules.lot, price, notional / leverage)
    if sign * mark <= sign * level:
        world.plan.wait[account] = rules.step_s
        return
    _open(world, account, lots, leverage, spare, step)


@kernel
def _due(rules: Rules, lots: IntArray, plan: Plan, mark: float, last: float, busy: float, due: IntArray) -> int:
    """Let a step pass for everybody; write who has something to do into `due` and return how many they are.

    The one loop over all accounts: it touches plain arrays only, everything rarer happens in `_act`.
    """
    number = 0
    for account in range(rules.traders):
        held = lots[account]
        if held == 0:
            plan.wait[account] -= busy
            ready = plan.wait[account] <= 0.0
        else:
            sign = 1.0 if held > 0 else -1.0
            at = sign * mark
            speed = 1.0
            if at >= plan.profit[account]:
                speed = rules.clock_profit
            elif at < plan.deep_loss[account]:
                speed = rules.clock_deep_loss
            elif at < plan.entry[account]:
                speed = rules.clock_loss
            plan.clock[account] += speed * rules.step_s
            worse = at <= plan.liquidation[account] or at <= plan.top_up[account] or sign * last <= plan.stop[account]
            ready = worse or plan.clock[account] >= plan.life[account]
        if ready:
            due[number] = account
            number += 1
    return number


@kernel
def _act(world: World, account: int, step: int, mark: float, last: float, mood: float, burst: float, tape: Tape) -> None:
    """Do what is due at this mark, the worst first; signed prices, see `Plan`."""
    plan, lots = world.plan, world.ledger.lots[account]
    sign = 1.0 if lots > 0 else -1.0
    if lots == 0:
        _arrive(world, account, step, mark, mood, burst)
    elif sign * mark <= plan.liquidation[account]:
        _liquidate(world, account, step, mark, tape)
    elif sign * last <= plan.stop[account] or plan.clock[account] >= plan.life[account]:
        _close(world, account)
    elif sign * mark <= plan.top_up[account]:
        _top_up(world, account)


@kernel
def _advance_price(world: World, log_return: float) -> float:
    """Move the fair price, refill the book and return the mark: index and smoothed basis, bound to the last price."""
    rules, value = world.rules, world.state
    before = value[FAIR] + value[EATEN]
    fading = value[LASTING] * (1.0 - rules.lasting_keep)
    value[LASTING] -= fading
    value[FAIR] += log_return - fading
    value[EATEN] *= rules.refill
    last = value[FAIR] + value[EATEN]
    value[STRESS] += rules.step_s / 750.0 * (abs(last - before) / rules.calm_move - value[STRESS])
    # Makers withdraw when moves exceed the calm measure; a seventh of the book always stays.
    shrink = max(0.15, math.exp(-rules.depth_withdrawal * max(0.0, value[STRESS] - 1.0)))
    value[DEPTH] = rules.depth * shrink / math.exp(last)
    value[FAST_MEAN] += rules.step_s / 7_200.0 * (last - value[FAST_MEAN])
    value[SLOW_MEAN] += rules.step_s / 86_400.0 * (last - value[SLOW_MEAN])
    value[BASIS] += rules.mark_gain * (value[EATEN] - value[BASIS])
    mark = value[FAIR] + value[BASIS]
    return math.exp(max(last - rules.mark_bound, min(last + rules.mark_bound, mark)))


@kernel
def _pay_funding(world: World, step: int, mark: float, tape: Tape) -> None:
    """Let longs pay shorts (or the reverse): 1 bp plus the mean premium plus a charge on the crowded side."""
    rules, value, ledger, count = world.rules, world.state, world.ledger, world.totals
    premium = value[PREMIUM] / rules.funding_steps + 0.0005 * ledger.lots[: rules.traders].sum() / max(count[LONG], 1)
    rate = max(-0.003, min(0.003, 0.0001 + premium))
    value[PREMIUM] = 0.0
    for account in range(ledger.lots.size):
        if ledger.lots[account] != 0:
            ledger.balance[account] -= ledger.lots[account] * rules.lot * mark * rate
            if account < rules.traders:
                _watch(world, account)
    row = count[FUNDED]
    tape.funding[row, 0], tape.funding[row, 1] = step, rate
    count[FUNDED] += 1


@kernel
def _keep_house(world: World, mark: float) -> None:
    """Pass a part of the makers' inventory on to hedgers and keep both unlevered."""
    rules, value, ledger = world.rules, world.state, world.ledger
    for maker in range(rules.traders, rules.traders + rules.makers):
        lots = ledger.lots[maker] // 4 if ledger.lots[maker] > 0 else -(-ledger.lots[maker] // 4)
        if lots != 0:
            hedger = _counterparty(world, rules.traders + rules.makers, rules.hedgers, -lots)
            _change(world, maker, -lots, mark)
            _change(world, hedger, lots, mark)
    for account in range(rules.traders, rules.traders + rules.makers + rules.hedgers):
        base = ledger.lots[account] * rules.lot
        equity = ledger.balance[account] + base * (mark - ledger.entry[account])
        missing = abs(base) * mark - equity
        if missing > 0.0:
            ledger.balance[account] += missing
            value[DEPOSITS] += missing


@kernel
def _write(world: World, step: int, mark: float, tape: Tape) -> None:
    """Write down the state at the end of a step."""
    value, count, ledger, fund = world.state, world.totals, world.ledger, world.ledger.lots.size - 1
    tape.mark[step], tape.last[step], tape.index_price[step] = mark, math.exp(value[FAIR] + value[EATEN]), math.exp(value[FAIR])
    tape.volume[step], tape.taker_buy[step] = value[VOLUME], value[TAKER_BUY]
    value[VOLUME], value[TAKER_BUY] = 0.0, 0.0
    tape.long_lots[step], tape.short_lots[step] = count[LONG], count[SHORT]
    tape.opened_long[step], tape.opened_short[step] = count[OPENED_LONG], count[OPENED_SHORT]
    count[OPENED_LONG], count[OPENED_SHORT] = 0, 0
    tape.fund_usd[step] = ledger.balance[fund] + ledger.lots[fund] * world.rules.lot * (mark - ledger.entry[fund])


@kernel
def _take_snapshot(world: World, row: int, step: int, tape: Tape) -> None:
    """Copy every position with its liquidation price, and the money law of this instant."""
    ledger, rules = world.ledger, world.rules
    held = world.state[FEES]
    for account in range(ledger.lots.size):
        lots = ledger.lots[account]
        held += ledger.balance[account] + ledger.free[account] - lots * rules.lot * ledger.entry[account]
        tape.snapshot_lots[row, account] = lots
        tape.snapshot_opened[row, account] = ledger.opened[account]
        tape.snapshot[row, account, 0] = ledger.entry[account]
        tape.snapshot[row, account, 1] = ledger.balance[account]
        level = np.nan
        if lots != 0 and account < ledger.lots.size - 1:
            level = liquidation_price(world.brackets, lots * rules.lot, ledger.entry[account], ledger.balance[account])
        tape.snapshot[row, account, 2] = level
    tape.money_usd[row, 0], tape.money_usd[row, 1] = held, world.state[DEPOSITS]
    tape.snapshot_step[row] = step


@kernel
def simulate(
    world: World,
    script: Script,
    log_return: FloatArray,
    mood: FloatArray,
    activity: FloatArray,
    burst: FloatArray,
    snapshots: IntArray,
    tape: Tape,
) -> int:
    """Run the market; everything is written into `tape`.

    log_return, mood, activity, burst : float64[n], one per step
    snapshots : int64[s], steps at whose end positions are copied, ascending
    returns the number of liquidations; if it exceeds the rows of `tape.forced`, the caller gives more rows
    """
    rules, value, ledger, plan = world.rules, world.state, world.ledger, world.plan
    fund, row = ledger.lots.size - 1, 0
    house_steps = max(1, round(600.0 / rules.step_s))
    due = np.empty(rules.traders, np.int64)
    for step in range(log_return.size):
        mark = _advance_price(world, log_return[step])
        last = math.exp(value[FAIR] + value[EATEN])
        value[PREMIUM] += value[BASIS]
        if ledger.lots[fund] != 0:
            _unwind(world, fund)
        busy = rules.step_s * activity[step] * (0.5 + 0.5 * min(value[STRESS], 4.0))
        for i in range(_due(rules, ledger.lots, plan, mark, last, busy, due)):
            _act(world, due[i], step, mark, last, mood[step], burst[step], tape)
        for order in range(script.step.size):
            if script.step[order] == step:
                lots = script.side[order] * script.lots[order]
                _open(world, script.account[order], lots, script.leverage[order], 0.0, step)
        if (step + 1) % house_steps == 0:
            _keep_house(world, mark)
        if (step + 1) % rules.funding_steps == 0:
            _pay_funding(world, step, mark, tape)
        _write(world, step, mark, tape)
        if row < snapshots.size and snapshots[row] == step:
            _take_snapshot(world, row, step, tape)
            row += 1
    return world.totals[LIQUIDATIONS]
