"""Markets in which the reproduction number of forced orders is known: even levels against an even book."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from liqscape.errors import BadArgument
from liqscape.model import PositionSide
from liqscape.testing.market.config import Bracket, MarketConfig, ScriptedOrder
from liqscape.units import NS_PER_MINUTE

_START = 100.0
_MAINTENANCE = 0.0005
_SETTLED = 2  # steps until every level is placed


@dataclass(frozen=True)
class KnownCascade:
    """A market and what must happen in it.

    Forced dollars lie with density `f` per unit of log price below (longs) or above (shorts) the price, the book absorbs `b` per
    unit of log price and does not refill: a forced dollar moves the price by `1 / b` and so forces `R = f / b` more. An outside
    move of `shock` becomes `shock / (1 - R)` where R < 1, and runs through all levels where R >= 1.

    Parameters
    ----------
    config
        The market; its outside price moves by `shock` in step `shock_step`, and never again.
    reproduction_number
        R.
    shock
        Log move, negative where longs are forced.
    extent
        Log distance within which levels stand.
    expected_move
        `shock / (1 - R)`; where that is more than `extent`, or R >= 1, the move through all levels: `shock - sign R extent`.
    expected_forced_usd
        Dollars forced, at their levels.
    """

    config: MarketConfig
    reproduction_number: float
    shock: float
    shock_step: int
    extent: float
    expected_move: float
    expected_forced_usd: float

    @property
    def amplification(self) -> float:
        """Expected move over the outside move."""
        return self.expected_move / self.shock


def _even_levels(position_side: PositionSide, usd: float, extent: float, levels: int) -> list[ScriptedOrder]:
    """Return isolated positions of `usd` at their liquidation prices, which lie evenly within `extent`."""
    sign = 1 if position_side is PositionSide.LONG else -1
    orders: list[ScriptedOrder] = []
    for i in range(levels):
        price = _START * math.exp(-sign * extent * (i + 0.5) / levels)
        # level = entry (1 - s / L) / (1 - s m), so 1 / L = s (1 - level (1 - s m) / entry).
        rate = sign * (1.0 - price * (1.0 - sign * _MAINTENANCE) / _START)
        orders.append(ScriptedOrder(step=0, position_side=position_side, quantity_base=usd / price, leverage=1.0 / rate))
    return orders


def _even_book(depth_usd_per_percent: float, steps: int) -> MarketConfig:
    """Return a market without traders whose book is even, endless and never refills, and whose mark is the last price."""
    return MarketConfig(
        days=steps / 86_400,
        warmup_days=0.0,
        step_s=1,
        start_price=_START,
        brackets=(Bracket(0.0, 1e6, _MAINTENANCE),),
        accounts=0,
        depth_usd_per_percent=depth_usd_per_percent,
        depth_withdrawal=0.0,
        maker_limit_usd=math.inf,
        book_end=10.0,
        lasting_share=0.0,
        refill_half_life_s=math.inf,
        taker_share_of_depth=0.0,
        half_spread=0.0,
        taker_fee_rate=0.0,
        mark_bound=10.0,
        mark_time_s=1e-9,
        funding_interval_s=10 * steps,
        partial_liquidation=None,
        auto_deleveraging=False,
        insurance_fund_usd=1e12,
        outside_turnover_per_day=0.0,
        bar_interval_ns=NS_PER_MINUTE,
        snapshot_interval_ns=NS_PER_MINUTE,
    )


def known_cascade(
    reproduction_number: float,
    shock: float = 0.01,
    extent: float = 0.15,
    levels: int = 3_000,
    depth_usd_per_percent: float = 10e6,
    position_side: PositionSide = PositionSide.LONG,
    steps: int = 240,
) -> KnownCascade:
    """Return a market whose reproduction number at the start of a shock is known.

    Every level is one isolated position that opens without touching the book; the mark is the last price, so that nothing but
    the book lies between one forced order and the next.

    Parameters
    ----------
    reproduction_number
        R = f / b > 0.
    shock
        Size of the outside log move towards the levels, > 0.
    extent, levels
        Log distance that levels fill evenly, and their number.
    depth_usd_per_percent
        b / 100.
    position_side
        Whose levels they are.
    steps
        Length of the run, seconds; a multiple of 60. A cascade takes a step a generation.

    Raises
    ------
    BadArgument
        If a number makes no sense, or levels would stand farther apart than the shock.

    Examples
    --------
    >>> case = known_cascade(0.5, shock=0.01)
    >>> round(case.amplification, 9)
    2.0
    """
    if not (reproduction_number > 0.0 and 0.0 < shock < extent <= 0.5 and levels * shock > 10.0 * extent and steps % 60 == 0):
        raise BadArgument(
            "known cascade: needs reproduction_number > 0, 0 < shock < extent <= 0.5, over ten levels within the shock and steps"
            f" that are a multiple of 60; received {reproduction_number}, {shock}, {extent}, {levels} levels and {steps}"
        )
    sign = 1 if position_side is PositionSide.LONG else -1
    usd = reproduction_number * depth_usd_per_percent * 100.0 * extent / levels
    moved = _START * math.exp(-sign * shock)
    config = replace(
        _even_book(depth_usd_per_percent, steps),
        lot_base=usd / _START / 1e4,
        price_path=tuple(_START if step < _SETTLED else moved for step in range(steps)),
        scripted=tuple(_even_levels(position_side, usd, extent, levels)),
    )
    whole = shock + reproduction_number * extent
    move = min(shock / (1.0 - reproduction_number), whole) if reproduction_number < 1.0 else whole
    return KnownCascade(
        config=config,
        reproduction_number=reproduction_number,
        shock=-sign * shock,
        shock_step=_SETTLED,
        extent=extent,
        expected_move=-sign * move,
        expected_forced_usd=usd / extent * levels * min(move, extent),
    )
