"""What a simulated market is made of: contract and brackets, book, price process, traders, recording."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from msgspec import Struct

from liqscape.clock import parse_instant
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId, MarginMode, PositionSide
from liqscape.units import NS_PER_DAY, NS_PER_S


class Bracket(Struct, frozen=True):
    """A margin tier; it begins where the one before it ends.

    Parameters
    ----------
    notional_floor_usd
        Lowest notional of the tier, USD.
    max_leverage
        Highest leverage with which a position of this notional may be opened.
    maintenance_margin_rate
        Fraction of the notional; the deduction follows from continuity at the floors.
    """

    notional_floor_usd: float
    max_leverage: float
    maintenance_margin_rate: float


# The shape of a large venue's BTC brackets (science.md A1 [S11]): generous for small positions, strict for large ones.
DEFAULT_BRACKETS: tuple[Bracket, ...] = (
    Bracket(0.0, 125.0, 0.004),
    Bracket(50e3, 100.0, 0.005),
    Bracket(250e3, 50.0, 0.010),
    Bracket(1e6, 20.0, 0.025),
    Bracket(10e6, 10.0, 0.050),
    Bracket(20e6, 5.0, 0.100),
    Bracket(50e6, 4.0, 0.125),
    Bracket(100e6, 3.0, 0.150),
    Bracket(200e6, 2.0, 0.250),
)


class Group(Struct, frozen=True, kw_only=True):
    """One kind of trader; accounts scatter around its medians.

    Parameters
    ----------
    share
        Fraction of all accounts.
    life_s
        Median planned lifetime of a position, seconds (lognormal; losers are held longer, see `Behaviour`).
    wait_s
        Mean pause between two positions at average activity, seconds.
    leverage
        Median of the leverage preference (lognormal per account).
    size_usd
        Smallest usual position, USD; accounts scatter upwards with a Pareto tail.
    """

    share: float
    life_s: float
    wait_s: float
    leverage: float
    size_usd: float


DEFAULT_GROUPS: tuple[Group, ...] = (
    Group(share=0.20, life_s=2_700, wait_s=57_600, leverage=27.0, size_usd=55e3),
    Group(share=0.33, life_s=43_200, wait_s=172_800, leverage=12.5, size_usd=75e3),
    Group(share=0.30, life_s=345_600, wait_s=345_600, leverage=6.2, size_usd=130e3),
    Group(share=0.17, life_s=1_728_000, wait_s=1_209_600, leverage=3.5, size_usd=230e3),
)


class Behaviour(Struct, frozen=True, kw_only=True):
    """How traders decide. None of this is known to an estimator.

    Parameters
    ----------
    size_tail
        Pareto exponent of account sizes, cut at `size_cut` times the smallest usual one.
    small_share, small_scatter
        Fraction of accounts that trade less than usual, and the mean log of by how much (exponential).
    momentum_share, contrarian_share
        Fractions of accounts that enter with and against the recent return; the rest does not look.
    long_bias, long_leverage
        Mean log-odds of going long, and how much more leverage longs take than shorts (science.md A1 [S10]).
    clock_loss, clock_deep_loss, clock_profit
        Speed of a position's life clock in loss, deep loss and good profit; between entry and profit it is 1. Values below 1
        in loss are the disposition to hold losers.
    stop_share, top_up_share, cross_share
        Fractions of accounts that place stops, add margin when close to liquidation, and trade in cross margin.
    """

    size_tail: float = 1.5
    size_cut: float = 60.0
    small_share: float = 0.45
    small_scatter: float = 3.5
    size_jitter: float = 0.5
    leverage_scatter: float = 0.45
    leverage_jitter: float = 0.30
    leverage_size_slope: float = 0.10
    life_jitter: float = 1.0
    momentum_share: float = 0.40
    contrarian_share: float = 0.30
    signal_strength: float = 0.9
    long_bias: float = 0.12
    long_leverage: float = 1.25
    crowding: float = 3.0
    clock_profit: float = 1.7
    clock_loss: float = 0.6
    clock_deep_loss: float = 0.3
    stop_share: float = 0.35
    top_up_share: float = 0.20
    cross_share: float = 0.45


class Bursts(Struct, frozen=True, kw_only=True):
    """Times in which many open at once, mostly on one side; volatility knows nothing of them.

    Parameters
    ----------
    ratio
        Rate of opening inside a burst over the rate outside. The mean rate over time stays what it was.
    share_of_time, mean_s
        Fraction of all time inside bursts and their mean length, seconds (exponential).
    one_sided
        Fraction of a burst's openings on its own side, which is drawn anew for each burst.
    """

    ratio: float = 10.0
    share_of_time: float = 0.10
    mean_s: float = 1_200.0
    one_sided: float = 0.85


class ScriptedOrder(Struct, frozen=True, kw_only=True):
    """An account of its own that opens once at the end of `step` and never closes by itself.

    `wallet`: orders of one name in two markets of one venue are positions of one cross-margined account.
    """

    step: int
    position_side: PositionSide
    quantity_base: float
    leverage: float
    margin_mode: MarginMode = MarginMode.ISOLATED
    wallet: str | None = None


class PartialLiquidation(Struct, frozen=True, kw_only=True):
    """How a venue liquidates large positions: step by step (science.md A6 [S35]).

    Parameters
    ----------
    above_usd
        A position of more notional at mark is only reduced; below, or when its equity is gone, it is taken over whole.
    share
        Part of the position that one step closes in the book, for the account's own money.
    pause_s
        Time until the next step; who is healthy by then keeps the rest.
    """

    above_usd: float = 1e6
    share: float = 0.20
    pause_s: float = 30.0


class LateOpenInterest(Struct, frozen=True, kw_only=True):
    """How published open interest lags: the stamp at t is the open interest of `t - delay_s - U(0, jitter_s)`.

    `missing_share` of the stamps fail; the one before is held.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    missing_share: float = 0.0


@dataclass(frozen=True)
class MarketConfig:
    """A simulated market; the defaults are the demo's.

    Parameters
    ----------
    days, warmup_days, step_s
        Recorded length, length simulated before the record begins, and width of a step.
    start_ns
        Where the record begins, ns UTC.
    accounts, makers, hedgers
        Number of traders, of market makers (they fill every order) and of hedgers (they take the makers' inventory over).
    annual_volatility
        Of the outside price process; flow and forced orders add to it.
    jumps_per_day, jump_size
        Rate of jumps and the scale of their Laplace size in log price.
    impact
        False: orders fill at the last price and do not move it, so the price path knows nothing of positions.
    partial_liquidation
        Rule for large positions; None: everything is taken over whole.
    auto_deleveraging
        True: a fund that would be below zero at mark closes what it holds against the winners. False: the venue carries a
        deficit.
    maker_limit_usd
        Inventory at which makers quote half as much on the side that would add to it.
    depth_withdrawal, depth_floor
        Log of the depth lost per unit by which moves exceed the calm measure, and the share that always stays.
    late_open_interest
        Delay of published open interest; None: it is of the bar's end. `steps` and the truth are never late.
    depth_usd_per_percent
        Calm book depth per 1 % of price and side. The book ends at `book_end` of displacement; what does not fit waits.
    lasting_share, lasting_half_life_s, refill_half_life_s
        Part of the impact that other venues follow, how quickly it fades against the outside, and how quickly the rest refills.
    mark_bound
        Largest log difference of mark to last.
    price_path
        Outside prices at the end of each step instead of the random process; needs no warm-up. Without impact they are the
        prices.
    bursts
        Bursts of opening; None: none.
    scripted
        Orders placed by hand, one account each.
    bar_interval_ns, snapshot_interval_ns
        Width of published bars and distance of truth snapshots; the end is always a snapshot.

    Raises
    ------
    BadArgument
        If the times do not fit each other or a number makes no sense.
    """

    days: float = 60.0
    warmup_days: float = 8.0
    step_s: int = 30
    start_ns: int = field(default_factory=lambda: parse_instant("2026-01-01"))
    instrument: InstrumentId = InstrumentId("simulated", "BTCUSDT")  # noqa: RUF009 - frozen
    start_price: float = 84_000.0
    lot_base: float = 0.001
    brackets: tuple[Bracket, ...] = DEFAULT_BRACKETS
    accounts: int = 3_600
    makers: int = 8
    hedgers: int = 16
    groups: tuple[Group, ...] = DEFAULT_GROUPS
    behaviour: Behaviour = Behaviour()  # noqa: RUF009 - frozen
    annual_volatility: float = 0.52
    volatility_scatter: float = 0.45
    jumps_per_day: float = 0.5
    jump_size: float = 0.006
    impact: bool = True
    depth_usd_per_percent: float = 15e6
    depth_withdrawal: float = 0.44
    depth_floor: float = 0.05
    maker_limit_usd: float = 100e6
    book_end: float = 0.03
    lasting_share: float = 0.3
    lasting_half_life_s: float = 14_400.0
    refill_half_life_s: float = 90.0
    taker_share_of_depth: float = 0.03
    half_spread: float = 0.00002
    taker_fee_rate: float = 0.0004
    partial_liquidation: PartialLiquidation | None = PartialLiquidation()  # noqa: RUF009 - frozen
    auto_deleveraging: bool = True
    insurance_fund_usd: float = 20e6
    mark_bound: float = 0.004
    mark_time_s: float = 150.0
    funding_interval_s: int = 28_800
    late_open_interest: LateOpenInterest | None = None
    outside_turnover_per_day: float = 2_000.0
    price_path: tuple[float, ...] | None = None
    bursts: Bursts | None = None
    scripted: tuple[ScriptedOrder, ...] = ()
    bar_interval_ns: int = 300 * NS_PER_S
    snapshot_interval_ns: int = NS_PER_DAY

    def __post_init__(self) -> None:
        for name in ("bar_interval_ns", "snapshot_interval_ns"):
            value: int = getattr(self, name)
            if value <= 0 or value % self.step_ns:
                raise BadArgument(f"market: {name} must be a multiple of the step of {self.step_s} s, received {value}")
        if self.steps <= 0 or self.steps * self.step_ns % self.bar_interval_ns:
            raise BadArgument(f"market: days must be a positive whole number of bars, received {self.days}")
        if self.price_path is not None and (self.warmup_days or len(self.price_path) != self.steps):
            raise BadArgument(
                f"market: price_path needs warmup_days=0 and one price per step ({self.steps}),"
                f" received {len(self.price_path)} prices"
            )
        if self.accounts and not math.isclose(sum(g.share for g in self.groups), 1.0):
            raise BadArgument(f"market: shares of groups must sum to 1, received {sum(g.share for g in self.groups)}")
        b = self.bursts
        if b is not None and not (b.ratio >= 1.0 and 0.0 < b.share_of_time < 1.0 and b.mean_s > 0.0 and 0.5 <= b.one_sided < 1.0):
            raise BadArgument(
                "market: bursts need ratio >= 1, a share_of_time inside (0, 1), mean_s > 0 and one_sided in [0.5, 1),"
                f" received {b}"
            )
        floors = [b.notional_floor_usd for b in self.brackets]
        if not floors or floors[0] != 0.0 or sorted(set(floors)) != floors:
            raise BadArgument(f"market: bracket floors must ascend from 0, received {floors}")
        part = self.partial_liquidation
        if part is not None and not (part.above_usd >= 0.0 and 0.0 < part.share <= 1.0 and part.pause_s >= 0.0):
            raise BadArgument(
                f"market: partial liquidation needs above_usd >= 0, a share in (0, 1] and pause_s >= 0, received {part}"
            )
        late = self.late_open_interest
        if late is not None and not (late.delay_s >= 0.0 and late.jitter_s >= 0.0 and 0.0 <= late.missing_share < 1.0):
            raise BadArgument(f"market: late open interest needs times >= 0 and a missing_share in [0, 1), received {late}")
        if self.makers < 1 or self.hedgers < 1:
            raise BadArgument(f"market: at least one maker and one hedger, received {self.makers} and {self.hedgers}")

    @property
    def step_ns(self) -> int:
        """Width of a step, ns."""
        return self.step_s * NS_PER_S

    @property
    def steps(self) -> int:
        """Number of recorded steps."""
        return round(self.days * 86_400 / self.step_s)

    @property
    def warmup_steps(self) -> int:
        """Number of steps before the record begins."""
        return round(self.warmup_days * 86_400 / self.step_s)


@dataclass(frozen=True)
class VenuesConfig:
    """Markets that live side by side.

    Parameters
    ----------
    markets
        One per venue and contract; markets of one symbol have the same outside price and are coupled by arbitrage.
    correlation
        Of the outside returns of other assets with those of the first market's.
    shared_wallets
        Accounts of each venue that trade both of its two contracts from one cross-margined wallet.
    arbitrage_half_life_s
        Time in which half of a gap between venues closes.
    arbitrage_band
        Log gap of last prices that costs leave alone; beyond it arbitrageurs trade.

    Raises
    ------
    BadArgument
        If the markets do not share their clock, or wallets cannot be shared as asked.
    """

    markets: tuple[MarketConfig, ...]
    correlation: float = 0.75
    shared_wallets: int = 0
    arbitrage_half_life_s: float = 10.0
    arbitrage_band: float = 0.0003

    def __post_init__(self) -> None:
        clocks = {(m.days, m.warmup_days, m.step_s, m.start_ns, m.snapshot_interval_ns) for m in self.markets}
        if len(clocks) != 1:
            raise BadArgument(
                "venues: all markets need the same days, warmup_days, step_s, start_ns and snapshot_interval_ns,"
                f" received {sorted(clocks)}"
            )
        names = [m.instrument for m in self.markets]
        if len(set(names)) != len(names):
            raise BadArgument(f"venues: every market needs an instrument of its own, received {[str(n) for n in names]}")
        if not (-1.0 <= self.correlation <= 1.0 and self.arbitrage_half_life_s > 0.0 and self.arbitrage_band >= 0.0):
            raise BadArgument(
                "venues: correlation must be in [-1, 1], arbitrage_half_life_s > 0 and arbitrage_band >= 0, received"
                f" {self.correlation}, {self.arbitrage_half_life_s} and {self.arbitrage_band}"
            )
        crowded = max(sum(m.instrument.venue == n.venue for m in self.markets) for n in names)
        fewest = min(m.accounts for m in self.markets)
        if self.shared_wallets and (crowded > 2 or not 0 < self.shared_wallets <= fewest):
            raise BadArgument(
                f"venues: shared_wallets needs venues of at most two markets and at most {fewest} wallets,"
                f" received {self.shared_wallets} with {crowded} markets on a venue"
            )
