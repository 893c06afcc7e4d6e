"""The one sentence over a map.

`{tilt}: {strongest fact}, but {strongest counter-fact}. Potential, not a forecast.`

There is always a counter-fact: what points the other way, or else what the number rests on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from liqscape.analytics.move_to import MoveRow, move_to
from liqscape.analytics.pools import Asymmetry, WindowRow, asymmetry, ratio_text
from liqscape.analytics.tilt import Tilt, TiltState, tilt
from liqscape.model.maps import LiquidationMap
from liqscape.units import format_percent, format_usd

ENDING = "Potential, not a forecast."
NOTICEABLE = math.log(1.05)  # a difference under 5 % is no fact
SMALLEST_BUFFER = 0.001
MUCH_PRIOR = 0.25


@dataclass(frozen=True)
class Fact:
    """Something that makes one direction the more fragile one.

    Parameters
    ----------
    up
        Whether it points up.
    strength
        |ln| of the ratio between the sides, counted by its data share.
    text
        The clause, without a capital and a stop.
    odds
        No-map odds of the nearer of the two moves, if the fact is about moves.
    """

    up: bool
    strength: float
    text: str
    odds: float | None = None


def headline(liquidation_map: LiquidationMap, lean: Tilt | None = None) -> str:
    """Return the headline sentence of a map; `lean` is its tilt where more is known of it (what ignites)."""
    reading = asymmetry(liquidation_map)
    lean = tilt(liquidation_map) if lean is None else lean
    moves = move_to(liquidation_map, lean.budgets_usd).moves
    return compose(lean, reading, moves)


def compose(lean: Tilt, reading: Asymmetry, moves: tuple[MoveRow, ...]) -> str:
    """Build the headline from readings of one map.

    Parameters
    ----------
    lean
        The tilt.
    reading
        The asymmetry over the default windows.
    moves
        Rows of `move_to` for the tilt's budgets.
    """
    facts = sorted(_facts(reading, moves), key=lambda fact: -fact.strength)
    wanted = {TiltState.UP_FRAGILE: True, TiltState.DOWN_FRAGILE: False}.get(lean.state)
    first = next((fact for fact in facts if wanted is None or fact.up is wanted), None)
    if first is None:
        counter = next((fact.text for fact in facts), None)
        return f"{lean.state}: {_plain_fact(lean)}, but {counter or _reservation(reading, None)}. {ENDING}"
    against = next((fact.text for fact in facts if fact.up is not first.up), None)
    return f"{lean.state}: {first.text}, but {against or _reservation(reading, first.odds)}. {ENDING}"


def _facts(reading: Asymmetry, moves: tuple[MoveRow, ...]) -> list[Fact]:
    facts = [_pool_fact(row) for row in reading.within] + [_move_fact(row) for row in moves] + [_zone_fact(reading)]
    return [fact for fact in facts if fact is not None and fact.strength >= NOTICEABLE]


def _pool_fact(row: WindowRow) -> Fact | None:
    if row.ratio is None or not row.ratio.median:
        return None
    ratio, shorts = row.ratio.median, row.ratio.median > 1.0
    text = ratio_text(ratio if shorts else 1.0 / ratio)
    window = format_percent(row.distance, decimals=0 if round(row.distance * 100, 6).is_integer() else 1)
    strength = abs(math.log(ratio)) * (1.0 - (row.ratio.prior_share or 0.0))
    return Fact(shorts, strength, f"more {'short' if shorts else 'long'} fuel within {window} ({text})")


def _move_fact(row: MoveRow) -> Fact | None:
    if row.up is None or row.down is None or row.ease is None or not row.ease.median:
        return None
    nearer_up = row.ease.median > 1.0
    near, far = (row.up, row.down) if nearer_up else (row.down, row.up)
    text = (
        f"{format_usd(row.usd)} stands nearer {'above' if nearer_up else 'below'} "
        f"({format_percent(near.distance, sign=True)} against {format_percent(far.distance, sign=True)})"
    )
    strength = abs(math.log(row.ease.median)) * (1.0 - (row.ease.prior_share or 0.0))
    return Fact(nearer_up, strength, text, near.no_map_odds)


def _zone_fact(reading: Asymmetry) -> Fact | None:
    above, below = reading.short.buffer, reading.long.buffer
    if above is None or below is None:
        return None
    nearer_up = above < below
    near, far = sorted((above, below))
    strength = abs(math.log(max(far, SMALLEST_BUFFER) / max(near, SMALLEST_BUFFER)))
    prior = [side.spread.prior_share or 0.0 for side in (reading.long, reading.short) if side.spread is not None]
    text = (
        f"the first dense zone is nearer {'above' if nearer_up else 'below'} "
        f"({format_percent(near)} away against {format_percent(far)})"
    )
    return Fact(nearer_up, strength * (1.0 - max(prior, default=0.0)), text)


def _plain_fact(lean: Tilt) -> str:
    """Say what the tilt itself says, when no single fact is large enough to be named."""
    if lean.state is TiltState.NONE:
        return "both sides look about alike" if lean.value is not None else "too little stands on the map to compare its sides"
    return f"the same dollars stand slightly nearer {'above' if lean.state is TiltState.UP_FRAGILE else 'below'}"


def _reservation(reading: Asymmetry, odds: float | None) -> str:
    """Return the counter-fact of a map on which nothing points the other way: what its numbers rest on."""
    prior = max((row.short_pool_usd.prior_share or 0.0 for row in reading.within if row.distance <= 0.05), default=0.0)
    prior = max(prior, *(row.long_pool_usd.prior_share or 0.0 for row in reading.within if row.distance <= 0.05), 0.0)
    if prior >= MUCH_PRIOR:
        return f"up to {format_percent(prior, decimals=0)} of what stands within 5 % is assumption, not data"
    if odds is not None:
        return f"with no map at all the odds of that move within 24 h are {format_percent(odds, decimals=0)}"
    return "this map has no out-of-sample record yet"
