"""The exchange itself, step by step: exact ledgers, bounded books, liquidation at mark. Changes its arrays in place.

Quantities are whole lots, so that longs and shorts balance exactly; money is in USD. A seat is one position of one account in
one market; a market is one contract of one venue. One file, although it is long: a compiled kernel is cached by the stamp of its
own file, `simulate` calls every other kernel in every step, and a call from Python per step would cost more than the step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from liqscape._jit import kernel
from liqscape.model.arrays import IntArray
from liqscape.testing.market._world import Outside, Script, Tape, World

# Where things are in a row of `World.state`: MARK in quote per base, DEPTH in base per unit of log price, prices else logs.
FAIR, EATEN, BASIS, MARK, STRESS, DEPTH, FAST_MEAN, SLOW_MEAN, VOLUME, TAKER_BUY = range(10)
FEES, DEPOSITS, PREMIUM, LASTING, COMMON_FAIR, COMMON_EATEN, SEEN = range(10, 17)
VALUES = 17
# Where things are in a row of `World.totals`, and in `Tape.rows`.
LONG, SHORT, OPENED_LONG, OPENED_SHORT, FUNDED = range(5)
TOTALS = 5
FORCED, DELEVERAGED = range(2)


@kernel
def _tier(brackets: Any, market: int, notional: float) -> int:
    tier = 0
    while tier + 1 < brackets.shape[1] and notional >= brackets[market, tier + 1].floor:
        tier += 1
    return tier


@kernel
def maintenance(brackets: Any, market: int, notional: float) -> float:
    """Return the maintenance margin of a notional, USD: `notional * rate - deduction` of its tier."""
    tier = _tier(brackets, market, notional)
    return notional * brackets[market, tier].rate - brackets[market, tier].deduction


@kernel
def liquidation_price(brackets: Any, market: int, quantity: float, entry: float, margin: float) -> float:
    """Return the mark at which `margin + quantity * (mark - entry)` meets maintenance; NaN if no price does.

    quantity : float, base units, signed; the tier is the one of the notional at the price found (margin.md 1)
    """
    size, sign = abs(quantity), math.copysign(1.0, quantity)
    for tier in range(brackets.shape[1] - 1, -1, -1):
        needed = quantity * entry - margin - brackets[market, tier].deduction
        price = needed / (size * (sign - brackets[market, tier].rate))
        if size * price >= brackets[market, tier].floor and price > 0.0:
            return price
    return np.nan


@kernel
def _market(world: World, seat: int) -> int:
    return world.seats.market[seat]


@kernel
def _base(world: World, seat: int) -> float:
    """Return the signed base units of a position."""
    return world.ledger.lots[seat] * world.rules[_market(world, seat)].lot


@kernel
def _equity(world: World, seat: int) -> float:
    """Return the money behind a position with its unrealised profit at mark, USD; without that of a partner."""
    mark = world.state[_market(world, seat), MARK]
    return world.ledger.balance[seat] + _base(world, seat) * (mark - world.ledger.entry[seat])


@kernel
def _notional(world: World, seat: int) -> float:
    return abs(_base(world, seat)) * world.state[_market(world, seat), MARK]


@kernel
def _partner(world: World, seat: int) -> int:
    """Return the other open position of the same wallet, -1 if there is none."""
    other = world.seats.partner[seat]
    return other if other >= 0 and world.ledger.lots[other] != 0 else -1


@kernel
def _level(world: World, seat: int) -> float:
    """Return the mark at which the wallet of a position is liquidated, the marks of its other position as they are.

    A short of a wallet that no fall could save is at 0: any mark liquidates it.
    """
    ledger, market, other = world.ledger, _market(world, seat), _partner(world, seat)
    margin = ledger.balance[seat]
    if other >= 0:
        margin += _equity(world, other) - maintenance(world.brackets, _market(world, other), _notional(world, other))
    price = liquidation_price(world.brackets, market, _base(world, seat), ledger.entry[seat], margin)
    return 0.0 if ledger.lots[seat] < 0 and margin < 0.0 and math.isnan(price) else price


@kernel
def _watch(world: World, seat: int) -> None:
    """Recompute the liquidation price a position lives with."""
    price = _level(world, seat)
    world.plan.liquidation[seat] = price if world.ledger.lots[seat] > 0 else -price


@kernel
def _change(world: World, seat: int, lots: int, price: float) -> None:
    """Add signed lots to a position at a price; what is reduced realises its profit into the balance."""
    ledger, market = world.ledger, _market(world, seat)
    old = ledger.lots[seat]
    new = old + lots
    if old == 0 or (old > 0) == (lots > 0):
        held, added = float(abs(old)), float(abs(lots))
        ledger.entry[seat] = (held * ledger.entry[seat] + added * price) / (held + added)
    else:
        closing = min(abs(old), abs(lots))
        profit = closing * world.rules[market].lot * (price - ledger.entry[seat])
        ledger.balance[seat] += profit if old > 0 else -profit
        if abs(lots) > abs(old):
            ledger.entry[seat] = price
        elif new == 0:
            ledger.entry[seat] = 0.0
    ledger.lots[seat] = new
    world.totals[market, LONG] += max(new, 0) - max(old, 0)
    world.totals[market, SHORT] += max(-new, 0) - max(-old, 0)


@kernel
def _counterparty(world: World, first: int, end: int, lots: int) -> int:
    """Return who of [first, end) holds most of what is bought (`lots` > 0) or sold."""
    held, best = world.ledger.lots, first
    for seat in range(first + 1, end):
        if (held[seat] > held[best]) if lots > 0 else (held[seat] < held[best]):
            best = seat
    return best


@kernel
def _trade(world: World, seat: int, lots: int, price: float) -> None:
    """Trade with the maker who wants it most."""
    seats, market = world.seats, _market(world, seat)
    maker = _counterparty(world, seats.makers[market], seats.hedgers[market], lots)
    _change(world, seat, lots, price)
    _change(world, maker, -lots, price)


@kernel
def _depth(world: World, market: int, sign: int) -> float:
    """Return the depth that an order meets, base units per unit of log price: makers quote less of what they are short of."""
    seats, held = world.seats, 0
    for maker in range(seats.makers[market], seats.hedgers[market]):
        held += world.ledger.lots[maker]
    load = -sign * held * world.rules[market].lot * world.state[market, MARK] / world.rules[market].maker_limit
    return world.state[market, DEPTH] / (1.0 + max(0.0, load))


@kernel
def _walk(world: World, market: int, base: float) -> float:
    """Execute a taker order of signed base units in the book; return its average fill before the spread."""
    rules, value = world.rules[market], world.state[market]
    before = value[FAIR] + value[EATEN]
    if not rules.impact:
        return math.exp(before)
    move = base / _depth(world, market, 1 if base > 0.0 else -1)
    value[FAIR] += rules.lasting * move
    value[LASTING] += rules.lasting * move
    value[EATEN] += (1.0 - rules.lasting) * move
    return math.exp(before + 0.5 * move)


@kernel
def _room(world: World, market: int, sign: int) -> float:
    """Return the base units that fit into the book before it ends, buying (+1) or selling (-1)."""
    rules = world.rules[market]
    if not rules.impact:
        return np.inf
    left = max(0.0, rules.book_end - sign * world.state[market, EATEN])
    return left * _depth(world, market, sign) / (1.0 - rules.lasting)


@kernel
def _take(world: World, seat: int, lots: int) -> float:
    """Execute a whole order of signed lots in the book, whatever it costs; return its average price."""
    market = _market(world, seat)
    base = lots * world.rules[market].lot
    fill = _walk(world, market, base) * (1.0 + (1 if lots > 0 else -1) * world.rules[market].half_spread)
    _trade(world, seat, lots, fill)
    world.state[market, VOLUME] += abs(base)
    if lots > 0:
        world.state[market, TAKER_BUY] += base
    return fill


@kernel
def _order(world: World, seat: int, lots: int) -> float:
    """Execute a voluntary order; return its average price.

    A part up to `taker_cap` of 1 % depth takes from the book, the rest is worked patiently at the price before.
    """
    market = _market(world, seat)
    rules = world.rules[market]
    value, sign = world.state[market], 1 if lots > 0 else -1
    base = abs(lots) * rules.lot
    taken = base
    if rules.impact:
        taken = min(base, rules.taker_cap * 0.01 * value[DEPTH], _room(world, market, sign))
    before = math.exp(value[FAIR] + value[EATEN])
    fill = _walk(world, market, sign * taken) * (1.0 + sign * rules.half_spread)
    price = (taken * fill + (base - taken) * before) / base
    _trade(world, seat, lots, price)
    value[VOLUME] += base
    value[TAKER_BUY] += taken if sign > 0 else base - taken
    return price


@kernel
def _deleverage(world: World, market: int, step: int, tape: Tape) -> None:
    """Close what the fund holds against the other side at the fund's own price, so that it loses nothing more.

    First in rank is who has the largest profit times leverage (a loss is divided by it); everybody of the other side is ranked,
    and since contracts balance, they suffice.
    """
    ledger, seats = world.ledger, world.seats
    fund: int = seats.fund[market]
    mark, price = world.state[market, MARK], ledger.entry[fund]
    while ledger.lots[fund] != 0:
        side, best, chosen = 1 if ledger.lots[fund] > 0 else -1, -np.inf, -1
        for seat in range(seats.traders[market], fund):
            if ledger.lots[seat] * side < 0:
                gain = -side * (mark / ledger.entry[seat] - 1.0)
                leverage = _notional(world, seat) / max(_equity(world, seat), 1e-9)
                score = gain * leverage if gain > 0.0 else gain / leverage
                if score > best:
                    best, chosen = score, seat
        lots = side * min(abs(ledger.lots[fund]), abs(ledger.lots[chosen]))
        row = tape.rows[DELEVERAGED]
        if row < tape.deleveraged.shape[0]:
            out = tape.deleveraged[row]
            out[0], out[1], out[2], out[3], out[4], out[5] = step, chosen, -lots, price, mark, best
        tape.rows[DELEVERAGED] += 1
        _change(world, chosen, lots, price)
        _change(world, fund, -lots, price)
        if ledger.lots[chosen] != 0:
            _watch(world, chosen)
        elif chosen < seats.makers[market]:
            _rest(world, chosen, 1.0)


@kernel
def _settle(world: World, market: int, step: int, tape: Tape) -> None:
    """Let the fund get rid of what it took over: in the book as far as that reaches, or on the winners when it has no money."""
    fund: int = world.seats.fund[market]
    lots: int = world.ledger.lots[fund]
    sign = -1 if lots > 0 else 1
    if world.rules[market].deleverages and _equity(world, fund) < 0.0:
        _deleverage(world, market, step, tape)
        return
    fit = _room(world, market, sign) / world.rules[market].lot
    size = abs(lots) if fit >= abs(lots) else math.floor(fit)
    if size > 0:
        _take(world, fund, sign * size)


@kernel
def _rest(world: World, seat: int, patience: float) -> None:
    """Send a flat position into its pause; its money stays in the wallet, a debt of the wallet is the fund's."""
    ledger, plan, fund = world.ledger, world.plan, world.seats.fund[_market(world, seat)]
    other = _partner(world, seat)
    if other >= 0:
        ledger.balance[other] += ledger.balance[seat]
        _watch(world, other)
    else:
        ledger.free[seat] += ledger.balance[seat]
    ledger.balance[seat] = 0.0
    if ledger.free[seat] < 0.0:
        ledger.balance[fund] += ledger.free[seat]
        ledger.free[seat] = 0.0
    plan.wait[seat] = patience * world.traits[seat].wait_s * world.rng.standard_exponential()


@kernel
def _record(
    world: World, seat: int, lots: int, bankruptcy: float, equity: float, needed: float, part: bool, step: int, tape: Tape
) -> None:
    """Write a forced order down: what the venue prints and what it knew."""
    row = tape.rows[FORCED]
    if row < tape.forced.shape[0]:
        out = tape.forced[row]
        out[0], out[1], out[2], out[3], out[4] = step, seat, lots, bankruptcy, world.state[_market(world, seat), MARK]
        out[5], out[6], out[7], out[8] = abs(world.plan.liquidation[seat]), equity, needed, 1.0 if part else 0.0
    tape.rows[FORCED] += 1


@kernel
def _take_over(world: World, seat: int, left: float, needed: float, step: int, tape: Tape) -> None:
    """Let the fund take a position over at its bankruptcy price; `left`, `needed`: equity and maintenance per dollar of it."""
    market = _market(world, seat)
    lots, mark = world.ledger.lots[seat], world.state[market, MARK]
    notional = _notional(world, seat)
    bankruptcy = mark * (1.0 - (left if lots > 0 else -left))
    _record(world, seat, lots, bankruptcy, left * notional, needed * notional, False, step, tape)
    _change(world, seat, -lots, bankruptcy)
    _change(world, world.seats.fund[market], lots, bankruptcy)
    _rest(world, seat, 2.0)


@kernel
def _reduce(world: World, seat: int, left: float, needed: float, step: int, tape: Tape) -> None:
    """Close a step of a large position in the book for its own account, then let it be for a while."""
    market = _market(world, seat)
    rules = world.rules[market]
    lots = world.ledger.lots[seat]
    sign = 1 if lots > 0 else -1
    size = max(1, math.ceil(rules.part_share * abs(lots)))
    fit = _room(world, market, -sign) / rules.lot
    size = size if fit >= size else math.floor(fit)
    if size <= 0:
        return
    notional = _notional(world, seat) * size / abs(lots)
    bankruptcy = world.state[market, MARK] * (1.0 - sign * left)
    _record(world, seat, sign * size, bankruptcy, left * notional, needed * notional, True, step, tape)
    _take(world, seat, -sign * size)
    world.plan.hold[seat] = step + rules.part_pause
    if world.ledger.lots[seat] != 0:
        _watch(world, seat)
    else:
        _rest(world, seat, 2.0)


@kernel
def _liquidate(world: World, seat: int, step: int, tape: Tape) -> None:
    """Liquidate a wallet that is below maintenance: a step of a large position, or all that it holds."""
    market, other, brackets = _market(world, seat), _partner(world, seat), world.brackets
    gross, equity = _notional(world, seat), _equity(world, seat)
    needed = maintenance(brackets, market, gross)
    if other >= 0:
        notional = _notional(world, other)
        gross, equity = gross + notional, equity + _equity(world, other)
        needed += maintenance(brackets, _market(world, other), notional)
        if equity > needed:  # the other position was changed within this step
            _watch(world, seat)
            return
    if equity > 0.0 and _notional(world, seat) > world.rules[market].part_above:
        _reduce(world, seat, equity / gross, needed / gross, step, tape)
        return
    _take_over(world, seat, equity / gross, needed / gross, step, tape)
    _settle(world, market, step, tape)
    if other >= 0:
        _take_over(world, other, equity / gross, needed / gross, step, tape)
        _settle(world, _market(world, other), step, tape)


@kernel
def _close(world: World, seat: int) -> None:
    """Close a position by the account's own will (or its stop) and pay the fee."""
    market = _market(world, seat)
    rules = world.rules[market]
    lots = world.ledger.lots[seat]
    price = _order(world, seat, -lots)
    fee = abs(lots) * rules.lot * price * rules.fee
    world.ledger.balance[seat] -= fee
    world.state[market, FEES] += fee
    _rest(world, seat, 1.0)


@kernel
def _open(world: World, seat: int, lots: int, leverage: float, spare: float, step: int) -> None:
    """Open a position with margin `notional / leverage`; in cross margin the wallet is at least `1 + spare` times that."""
    ledger, traits, market = world.ledger, world.traits, _market(world, seat)
    rules = world.rules[market]
    price = _order(world, seat, lots)
    notional = abs(lots) * rules.lot * price
    fee, need = notional * rules.fee, notional / leverage
    if traits[seat].cross:
        need *= 1.0 + spare
    missing = need + fee - ledger.free[seat]
    # Idle money beyond four positions' worth is withdrawn.
    flow = missing if missing > 0.0 else min(0.0, missing + 4.0 * need)
    ledger.free[seat] += flow - fee
    world.state[market, DEPOSITS] += flow
    world.state[market, FEES] += fee
    moved = ledger.free[seat] if traits[seat].cross else need
    ledger.free[seat] -= moved
    ledger.balance[seat] += moved
    ledger.opened[seat] = step
    world.totals[market, OPENED_LONG if lots > 0 else OPENED_SHORT] += abs(lots)
    _watch(world, seat)
    _plan(world, seat, price)


@kernel
def _plan(world: World, seat: int, price: float) -> None:
    """Draw lifetime, stop and top-up level of a new position. Zones of profit widen with the planned lifetime."""
    plan, traits, rng = world.plan, world.traits, world.rng
    sign = 1.0 if world.ledger.lots[seat] > 0 else -1.0
    life = traits[seat].life_s
    zone = min(0.12, 0.5 * 0.03 * math.sqrt(min(life, 8e6) / 86_400.0))
    at = sign * price
    plan.entry[seat] = at
    plan.profit[seat] = at + zone * price
    plan.deep_loss[seat] = at - zone * price
    plan.clock[seat] = 0.0
    plan.hold[seat] = -1
    plan.life[seat] = life * math.exp(world.rules[_market(world, seat)].life_jitter * rng.standard_normal())
    distance = (at - plan.liquidation[seat]) / price  # NaN where nothing liquidates
    limit = distance if distance < 0.4 else 0.4
    plan.stop[seat] = at - price * limit * (0.25 + 0.6 * rng.random()) if traits[seat].stops else -np.inf
    plan.top_up[seat] = at - price * distance * 0.75 if traits[seat].tops_up else -np.inf


@kernel
def _top_up(world: World, seat: int) -> None:
    """Add half of the money that stood behind the position; the next call comes closer to the new liquidation price."""
    ledger, plan = world.ledger, world.plan
    amount = 0.5 * max(ledger.balance[seat], 0.0)
    from_free = min(amount, ledger.free[seat])
    ledger.free[seat] -= from_free
    ledger.balance[seat] += amount
    world.state[_market(world, seat), DEPOSITS] += amount - from_free
    _watch(world, seat)
    again = world.rng.random() < 0.35
    room = plan.entry[seat] - plan.liquidation[seat]
    plan.top_up[seat] = plan.entry[seat] - 0.85 * room if again else -np.inf


@kernel
def _arrive(world: World, seat: int, step: int, mood: float, burst: float) -> None:
    """Let an account whose pause is over choose side, size and leverage, and open unless the venue would refuse."""
    traits, rng, brackets, seats, market = world.traits, world.rng, world.brackets, world.seats, _market(world, seat)
    rules, value = world.rules[market], world.state[market]
    log_last = value[FAIR] + value[EATEN]
    mean = value[SLOW_MEAN] if traits[seat].slow else value[FAST_MEAN]
    steps = (86_400.0 if traits[seat].slow else 7_200.0) / rules.step_s
    signal = (log_last - mean) / (rules.calm_move * math.sqrt(steps))
    passive = 0
    for other in range(seats.makers[market], seats.fund[market] + 1):
        passive += world.ledger.lots[other]
    crowd = -passive / max(world.totals[market, LONG], 1)
    odds = traits[seat].signal * max(-3.0, min(3.0, signal)) + traits[seat].bias + mood - rules.crowding * crowd
    if burst != 0.0:  # inside a burst its side decides, not the account's own view
        odds = burst * rules.burst_odds
    sign = 1 if rng.random() < 1.0 / (1.0 + math.exp(-odds)) else -1
    price = math.exp(log_last)
    notional = traits[seat].size_usd * math.exp(rules.size_jitter * rng.standard_normal())
    lots = sign * max(1, round(notional / (price * rules.lot)))
    base = lots * rules.lot
    notional = abs(base) * price
    wanted = traits[seat].leverage * math.exp(rules.leverage_jitter * rng.standard_normal())
    if sign > 0:
        wanted *= rules.long_leverage
    leverage = max(1.0, min(wanted, brackets[market, _tier(brackets, market, notional)].max_leverage))
    spare = 0.8 * rng.standard_exponential()
    level = liquidation_price(brackets, market, base, price, notional / leverage)
    if sign * value[MARK] <= sign * level:
        world.plan.wait[seat] = rules.step_s
        return
    _open(world, seat, lots, leverage, spare, step)


@kernel
def _due(world: World, market: int, busy: float, stir: float, due: IntArray) -> int:
    """Let a step pass for everybody of a market; write who has something to do into `due` and return how many they are.

    busy, stir : float, seconds by which pauses and lives pass; both pass faster when prices move

    The one loop over all accounts: it touches plain arrays only, everything rarer happens in `_act`.
    """
    rules, plan, lots = world.rules[market], world.plan, world.ledger.lots
    mark, last = world.state[market, MARK], math.exp(world.state[market, FAIR] + world.state[market, EATEN])
    fast, slow, slowest = rules.clock_profit, rules.clock_loss, rules.clock_deep_loss
    number = 0
    for seat in range(world.seats.traders[market], world.seats.makers[market]):
        held = lots[seat]
        if held == 0:
            plan.wait[seat] -= busy
            ready = plan.wait[seat] <= 0.0
        else:
            sign = 1.0 if held > 0 else -1.0
            at = sign * mark
            speed = 1.0
            if at >= plan.profit[seat]:
                speed = fast
            elif at < plan.deep_loss[seat]:
                speed = slowest
            elif at < plan.entry[seat]:
                speed = slow
            plan.clock[seat] += speed * stir
            worse = at <= plan.liquidation[seat] or at <= plan.top_up[seat] or sign * last <= plan.stop[seat]
            ready = worse or plan.clock[seat] >= plan.life[seat]
        if ready:
            due[number] = seat
            number += 1
    return number


@kernel
def _act(world: World, seat: int, step: int, last: float, mood: float, burst: float, tape: Tape) -> None:
    """Do what is due at this mark, the worst first; signed prices, see `Plan`."""
    plan, lots = world.plan, world.ledger.lots[seat]
    sign = 1.0 if lots > 0 else -1.0
    at = sign * world.state[_market(world, seat), MARK]
    if lots == 0:
        if plan.wait[seat] <= 0.0:  # else it was closed by others within this step
            _arrive(world, seat, step, mood, burst)
    elif at <= plan.liquidation[seat]:
        if step >= plan.hold[seat]:
            _liquidate(world, seat, step, tape)
    elif sign * last <= plan.stop[seat] or plan.clock[seat] >= plan.life[seat]:
        _close(world, seat)
    elif at <= plan.top_up[seat]:
        _top_up(world, seat)


@kernel
def _advance_price(world: World, market: int, log_return: float) -> None:
    """Move the fair price and refill the book, of which makers take away what moves frighten them."""
    rules, value = world.rules[market], world.state[market]
    fading = value[LASTING] * (1.0 - rules.lasting_keep)
    value[LASTING] -= fading
    value[FAIR] += log_return - fading
    value[EATEN] *= rules.refill
    last = value[FAIR] + value[EATEN]
    value[STRESS] += rules.step_s / 750.0 * (abs(last - value[SEEN]) / rules.calm_move - value[STRESS])
    value[SEEN] = last
    shrink = max(rules.depth_floor, math.exp(-rules.depth_withdrawal * max(0.0, value[STRESS] - 1.0)))
    value[DEPTH] = rules.depth * shrink / math.exp(last)


@kernel
def _arbitrage(world: World) -> None:
    """Couple the markets of one asset: quotes follow the common fair price, arbitrageurs trade the rest beyond a band."""
    state, seats = world.state, world.seats
    for market in range(state.shape[0]):
        weight, fair, eaten = 0.0, 0.0, 0.0
        for other in range(state.shape[0]):
            if seats.asset[other] == seats.asset[market]:
                depth = state[other, DEPTH]
                weight += depth
                fair += depth * state[other, FAIR]
                eaten += depth * state[other, EATEN]
        state[market, COMMON_FAIR], state[market, COMMON_EATEN] = fair / weight, eaten / weight
    for market in range(state.shape[0]):
        rules = world.rules[market]
        pulled = rules.arbitrage_speed * (state[market, COMMON_FAIR] - state[market, FAIR])
        state[market, FAIR] += pulled
        state[market, LASTING] += pulled
        gap = state[market, EATEN] - state[market, COMMON_EATEN]
        excess = abs(gap) - rules.arbitrage_band
        if excess > 0.0 and rules.impact:
            sign = -1 if gap > 0.0 else 1
            base = rules.arbitrage_speed * excess * _depth(world, market, sign)
            lots = math.floor(base / rules.lot)
            if lots > 0:
                _take(world, seats.fund[market] - 1, sign * lots)


@kernel
def _set_mark(world: World, market: int) -> None:
    """Set the mark: the index with the smoothed basis, bound to the last price; and the means that traders look at."""
    rules, value = world.rules[market], world.state[market]
    last = value[FAIR] + value[EATEN]
    value[FAST_MEAN] += rules.step_s / 7_200.0 * (last - value[FAST_MEAN])
    value[SLOW_MEAN] += rules.step_s / 86_400.0 * (last - value[SLOW_MEAN])
    value[BASIS] += rules.mark_gain * (value[EATEN] - value[BASIS])
    value[PREMIUM] += value[BASIS]
    mark, bound = value[FAIR] + value[BASIS], rules.mark_bound
    value[MARK] = math.exp(max(last - bound, min(last + bound, mark)))


@kernel
def _pay_funding(world: World, market: int, step: int, tape: Tape) -> None:
    """Let longs pay shorts (or the reverse): 1 bp plus the mean premium plus a charge on the crowded side."""
    seats, value, ledger, totals = world.seats, world.state[market], world.ledger, world.totals
    net = 0
    for seat in range(seats.traders[market], seats.makers[market]):
        net += ledger.lots[seat]
    premium = value[PREMIUM] / world.rules[market].funding_steps + 0.0005 * net / max(totals[market, LONG], 1)
    rate = max(-0.003, min(0.003, 0.0001 + premium))
    value[PREMIUM] = 0.0
    for seat in range(seats.traders[market], seats.fund[market] + 1):
        if ledger.lots[seat] != 0:
            ledger.balance[seat] -= _base(world, seat) * value[MARK] * rate
            if seat < seats.makers[market]:
                _watch(world, seat)
    row = totals[market, FUNDED]
    tape.funding[market, row, 0], tape.funding[market, row, 1] = step, rate
    totals[market, FUNDED] += 1


@kernel
def _keep_house(world: World, market: int) -> None:
    """Pass a part of what makers and arbitrageurs hold on to hedgers and keep all of them unlevered."""
    seats, value, ledger = world.seats, world.state[market], world.ledger
    fund = seats.fund[market]
    for seat in range(seats.makers[market], fund):
        if seats.hedgers[market] <= seat < fund - 1:
            continue
        lots = ledger.lots[seat] // 4 if ledger.lots[seat] > 0 else -(-ledger.lots[seat] // 4)
        if lots != 0:
            hedger = _counterparty(world, seats.hedgers[market], fund - 1, -lots)
            _change(world, seat, -lots, value[MARK])
            _change(world, hedger, lots, value[MARK])
    for seat in range(seats.makers[market], fund):
        missing = _notional(world, seat) - _equity(world, seat)
        if missing > 0.0:
            ledger.balance[seat] += missing
            value[DEPOSITS] += missing


@kernel
def _write(world: World, market: int, step: int, tape: Tape) -> None:
    """Write down the state at the end of a step."""
    value, totals = world.state[market], world.totals
    tape.mark[market, step], tape.last[market, step] = value[MARK], math.exp(value[FAIR] + value[EATEN])
    tape.index_price[market, step] = math.exp(value[FAIR])
    tape.depth[market, step] = value[DEPTH]
    tape.volume[market, step], tape.taker_buy[market, step] = value[VOLUME], value[TAKER_BUY]
    value[VOLUME], value[TAKER_BUY] = 0.0, 0.0
    tape.long_lots[market, step], tape.short_lots[market, step] = totals[market, LONG], totals[market, SHORT]
    tape.opened_long[market, step], tape.opened_short[market, step] = totals[market, OPENED_LONG], totals[market, OPENED_SHORT]
    totals[market, OPENED_LONG], totals[market, OPENED_SHORT] = 0, 0
    tape.fund_usd[market, step] = _equity(world, world.seats.fund[market])


@kernel
def _take_snapshot(world: World, row: int, step: int, tape: Tape) -> None:
    """Copy every position with its liquidation price, and the money law of this instant."""
    ledger, seats = world.ledger, world.seats
    held, deposited = 0.0, 0.0
    for market in range(world.state.shape[0]):
        held += world.state[market, FEES]
        deposited += world.state[market, DEPOSITS]
    for seat in range(ledger.lots.size):
        held += ledger.balance[seat] + ledger.free[seat] - _base(world, seat) * ledger.entry[seat]
        tape.snapshot_lots[row, seat] = ledger.lots[seat]
        tape.snapshot_opened[row, seat] = ledger.opened[seat]
        tape.snapshot[row, seat, 0] = ledger.entry[seat]
        tape.snapshot[row, seat, 1] = ledger.balance[seat]
        holds = ledger.lots[seat] != 0 and seat != seats.fund[_market(world, seat)]
        tape.snapshot[row, seat, 2] = _level(world, seat) if holds else np.nan
    tape.money_usd[row, 0], tape.money_usd[row, 1] = held, deposited
    tape.snapshot_step[row] = step


@kernel
def simulate(world: World, script: Script, outside: Outside, snapshots: IntArray, tape: Tape) -> None:
    """Run all markets; everything is written into `tape`. Rows that `tape` has no room for are counted only.

    snapshots : int64[s], steps at whose end positions are copied, ascending
    """
    state, ledger, seats = world.state, world.ledger, world.seats
    markets, row, order = state.shape[0], 0, 0
    house_steps = max(1, round(600.0 / world.rules[0].step_s))
    due = np.empty(ledger.lots.size, np.int64)
    for step in range(outside.log_return.shape[1]):
        for market in range(markets):
            _advance_price(world, market, outside.log_return[market, step])
        if markets > 1:
            _arbitrage(world)
        for market in range(markets):
            _set_mark(world, market)
        for i in range(seats.pairs.size):
            seat: int = seats.pairs[i]
            other: int = seats.partner[seat]
            if ledger.lots[seat] != 0 and ledger.lots[other] != 0:
                _watch(world, seat)
                _watch(world, other)
        for market in range(markets):
            last = math.exp(state[market, FAIR] + state[market, EATEN])
            if ledger.lots[seats.fund[market]] != 0:
                _settle(world, market, step, tape)
            stir = world.rules[0].step_s * (0.35 + 0.65 * min(state[market, STRESS], 5.0) ** 2)
            busy = stir * outside.activity[market, step]
            for i in range(_due(world, market, busy, stir, due)):
                _act(world, due[i], step, last, outside.mood[market, step], outside.burst[market, step], tape)
        while order < script.step.size and script.step[order] == step:
            _open(world, script.seat[order], script.lots[order], script.leverage[order], 0.0, step)
            order += 1
        for market in range(markets):
            if (step + 1) % house_steps == 0:
                _keep_house(world, market)
            if (step + 1) % world.rules[market].funding_steps == 0:
                _pay_funding(world, market, step, tape)
            _write(world, market, step, tape)
        if row < snapshots.size and snapshots[row] == step:
            _take_snapshot(world, row, step, tape)
            row += 1
