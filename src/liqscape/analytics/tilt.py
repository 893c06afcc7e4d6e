"""Which way the same dollars stand nearer: the sign of the tilt interval (feature F06); the cascade adds what ignites."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from msgspec import Struct

from liqscape.analytics._curves import Curve, both, share
from liqscape.analytics._estimates import signed
from liqscape.analytics.move_to import FARTHEST, ease_of
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import Estimate, LiquidationMap

BUDGET_SHARES = (0.005, 0.01, 0.02)  # of open interest


class TiltState(StrEnum):
    """The word of the headline."""

    UP_FRAGILE = "UP-FRAGILE"
    DOWN_FRAGILE = "DOWN-FRAGILE"
    NONE = "NO CLEAR TILT"


class Tilt(Struct, frozen=True, kw_only=True):
    """Mean of ln(move down / move up) over the budgets.

    Parameters
    ----------
    state
        UP-FRAGILE if the whole interval is above 0 (the same dollars stand nearer above), DOWN-FRAGILE if it is below.
    value
        The mean with its interval; None if nothing could be compared.
    budgets_usd
        The budgets that entered, USD.
    skipped_usd
        Those that do not stand within 30 % on both sides.
    ignites
        Share of the ensemble in which a move up or down within 5 % feeds itself; None where that was not computed.
    """

    state: TiltState
    value: Estimate | None
    budgets_usd: tuple[float, ...]
    skipped_usd: tuple[float, ...]
    ignites: dict[str, float] | None = None


def tilt(liquidation_map: LiquidationMap) -> Tilt:
    """Return which side is the more fragile one, or that it is not clear (F06).

    Notes
    -----
    Budgets are 0.5, 1 and 2 % of open interest. One that does not stand within 30 % on both sides is skipped; if that is all
    of them, the largest budget that does (the smaller of the two pools within 30 %) takes their place.
    """
    long, short = both(liquidation_map)
    wanted = tuple(part * liquidation_map.open_interest_usd for part in BUDGET_SHARES)
    budgets = tuple(usd for usd in wanted if usd > 0.0 and _stands(long, usd) and _stands(short, usd))
    skipped = tuple(usd for usd in wanted if usd not in budgets)
    if not budgets:
        largest = min(curve.between(0.0, min(FARTHEST, curve.reach)).usd for curve in (long, short))
        if not largest > 0.0:
            return Tilt(state=TiltState.NONE, value=None, budgets_usd=(), skipped_usd=skipped)
        budgets = (largest,)
    median = float(np.mean([np.log(ease_of(long.least_distance(usd), short.least_distance(usd))) for usd in budgets]))
    value = signed(median, _draws(long, short, budgets), prior_share=_prior_share(long, short, max(budgets)))
    return Tilt(state=state_of(value), value=value, budgets_usd=budgets, skipped_usd=skipped)


def state_of(value: Estimate) -> TiltState:
    """Return the word for a tilt: an interval that holds 0, or none at all, is not clear."""
    if value.lo is not None and value.lo > 0.0:
        return TiltState.UP_FRAGILE
    if value.hi is not None and value.hi < 0.0:
        return TiltState.DOWN_FRAGILE
    return TiltState.NONE


def _stands(curve: Curve, usd: float) -> bool:
    return curve.least_distance(usd) <= FARTHEST


def _draws(long: Curve, short: Curve, budgets: tuple[float, ...]) -> FloatArray:
    """Return float64[draws], the tilt in each draw; NaN where a budget does not stand in it."""
    logs = [np.log(long.least_distance_of_draws(usd) / short.least_distance_of_draws(usd)) for usd in budgets]
    return np.asarray(np.mean(logs, axis=0))


def _prior_share(long: Curve, short: Curve, usd: float) -> float | None:
    """Return the prior part of what the longest moves pass over, both sides."""
    regions = [curve.between(0.0, curve.least_distance(usd)) for curve in (long, short)]
    return share(sum(region.prior_usd for region in regions), sum(region.usd for region in regions))
