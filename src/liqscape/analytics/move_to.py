"""How far price must move to liquidate a number of dollars, up and down (features F05 and F43)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from liqscape.analytics._curves import Curve, both, share
from liqscape.analytics._estimates import negated, positive
from liqscape.analytics.odds import odds_by_horizon, sigma_multiple, touch_odds
from liqscape.analytics.round_prices import RoundNumber, round_number_near
from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.model.instruments import describe
from liqscape.model.maps import Estimate, LiquidationMap
from liqscape.model.sides import PositionSide

DEFAULT_USD = (5e7, 1e8, 2.5e8, 5e8, 1e9, 2.5e9, 5e9)
FARTHEST = 0.30  # a budget that needs a longer move has no answer


class Move(Struct, frozen=True, kw_only=True):
    """The least move in one direction that passes over a budget of dollars.

    Parameters
    ----------
    price
        Where the move ends, quote per base.
    move
        price - mark, quote per base; negative for a move down.
    distance
        (price - mark) / mark, fraction; negative for a move down.
    distance_estimate
        The same with its interval; `prior_share` is that of the dollars passed.
    sigma_1d
        |ln(1 + distance)| in daily standard deviations; None if the volatility is unknown.
    no_map_odds
        Probability that a driftless random walk touches the price within 24 hours.
    no_map_odds_by_horizon
        The same at 4 hours, 24 hours and 7 days.
    round_number
        The round price within 0.1 % of `price`, if there is one (F39).
    """

    price: float
    move: float
    distance: float
    distance_estimate: Estimate
    sigma_1d: float | None
    no_map_odds: float | None
    no_map_odds_by_horizon: dict[str, float] | None
    round_number: RoundNumber | None


class MoveRow(Struct, frozen=True, kw_only=True):
    """Both directions for one budget; a direction is None if the budget does not stand within 30 %.

    Parameters
    ----------
    usd
        The budget, USD.
    ease
        Length of the move down / length of the move up: above 1, up is nearer. None unless both exist.
    """

    usd: float
    up: Move | None
    down: Move | None
    ease: Estimate | None


class MoveTo(Struct, frozen=True, kw_only=True):
    """Rows by budget, in the order asked.

    Parameters
    ----------
    farthest
        The longest move that counts as an answer, fraction.
    """

    moves: tuple[MoveRow, ...]
    farthest: float


def move_to(liquidation_map: LiquidationMap, usd: Sequence[float] | float = DEFAULT_USD) -> MoveTo:
    """Return the least move up and down that liquidates each budget (F05).

    Dollars lie evenly within a bucket, so the answer is the exact inverse of `pool`.

    Parameters
    ----------
    usd
        Budgets, USD > 0.

    Raises
    ------
    BadArgument
        If a budget is not a positive number.

    Notes
    -----
    In the published reading the dollars are those that throttled feeds show, so distances are upper bounds.
    """
    budgets = (float(usd),) if isinstance(usd, int | float) else tuple(float(value) for value in usd)
    for budget in budgets:
        if not (np.isfinite(budget) and budget > 0.0):
            raise BadArgument(f"usd: expected a positive number of dollars, received {budget:g}", hint="Write it like 250M.")
    long, short = both(liquidation_map)
    return MoveTo(moves=tuple(_row(liquidation_map, long, short, budget) for budget in budgets), farthest=FARTHEST)


def _row(liquidation_map: LiquidationMap, long: Curve, short: Curve, usd: float) -> MoveRow:
    up_distance, up_draws = short.least_distance(usd), short.least_distance_of_draws(usd)
    down_distance, down_draws = long.least_distance(usd), long.least_distance_of_draws(usd)
    up = _move(liquidation_map, short, up_distance, up_draws)
    down = _move(liquidation_map, long, down_distance, down_draws)
    ease = None
    if up is not None and down is not None:
        prior_share = share(_prior(long, down_distance) + _prior(short, up_distance), 2.0 * usd)
        ease = positive(ease_of(-down.move, up.move), down_draws / up_draws, prior_share=prior_share)
    return MoveRow(usd=usd, up=up, down=down, ease=ease)


def ease_of(move_down: float, move_up: float) -> float:
    """Return length of the move down / length of the move up, both in one unit.

    Examples
    --------
    >>> round(ease_of(2_000, 770), 2)
    2.6
    """
    return move_down / move_up


def _move(liquidation_map: LiquidationMap, curve: Curve, distance: float, draws: FloatArray) -> Move | None:
    """Describe the move to an absolute distance, or None if it is farther than 30 % or does not exist."""
    if not distance <= FARTHEST:
        return None
    region = curve.between(0.0, distance)
    estimate = positive(distance, draws, prior_share=region.prior_share)
    down = curve.levels.side is PositionSide.LONG
    signed_distance = -distance if down else distance
    sigma = liquidation_map.sigma_1d
    price = liquidation_map.mark_price * (1.0 + signed_distance)
    return Move(
        price=price,
        move=liquidation_map.mark_price * signed_distance,
        distance=signed_distance,
        distance_estimate=negated(estimate) if down else estimate,
        sigma_1d=sigma_multiple(signed_distance, sigma),
        no_map_odds=touch_odds(signed_distance, sigma),
        no_map_odds_by_horizon=odds_by_horizon(signed_distance, sigma),
        round_number=round_number_near(price, describe(liquidation_map.instruments[0]).base),
    )


def _prior(curve: Curve, distance: float) -> float:
    return curve.between(0.0, distance).prior_usd
