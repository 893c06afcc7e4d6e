"""Tables of the venues that publish something else than a rate per tier: HTX adjust factors, MEXC and BitMEX increments.

Forms as in the venues' public instrument endpoints (unverified where the docstring says so).
"""

from __future__ import annotations

from liqscape.errors import BadArgument
from liqscape.margin._checks import require_positive
from liqscape.margin.tiers import Evidence, TierMeasure, TierTable, whole_position_tiers


def htx_maintenance_margin_rate(*, adjust_factor: float, leverage: float) -> float:
    """Return HTX's maintenance rate, `adjust_factor / leverage` (unverified): `equity / position margin - adjust_factor <= 0`.

    Parameters
    ----------
    adjust_factor
        Of the ladder that holds the position's contracts, for this leverage.
    leverage
        Chosen leverage; position margin = notional / leverage.

    Examples
    --------
    >>> round(htx_maintenance_margin_rate(adjust_factor=0.7, leverage=75), 5)
    0.00933
    """
    require_positive(adjust_factor=adjust_factor, leverage=leverage)
    return adjust_factor / leverage


def stepped_tiers(
    *,
    first_cap: float,
    cap_step: float,
    first_rate: float,
    rate_step: float,
    count: int,
    measure: TierMeasure = TierMeasure.NOTIONAL,
    source: str = "",
) -> TierTable:
    """Build the table of a venue that gives a first tier and increments: tier k ends at `first_cap + k cap_step`.

    MEXC: riskBaseVol, riskIncrVol, maintenanceMarginRate, riskIncrMmr and riskLevelLimit of `contract/detail`, measured by size
    for BY_VOLUME (contracts, converted to base) and by notional for BY_VALUE. BitMEX: riskLimit, riskStep and maintMargin. That
    the rate applies to the whole position is unverified.

    Parameters
    ----------
    first_cap, cap_step
        Upper edge of tier 0 and the width of the others, in the unit of the measure.
    first_rate, rate_step
        Rate of tier 0 and what each further tier adds.
    count
        Number of tiers, >= 1.
    measure, source
        As in `TierTable`.

    Examples
    --------
    >>> table = stepped_tiers(first_cap=1e6, cap_step=5e5, first_rate=0.004, rate_step=0.004, count=3)
    >>> [(tier.floor, tier.maintenance_margin_rate) for tier in table.tiers]
    [(0.0, 0.004), (1000000.0, 0.008), (1500000.0, 0.012)]
    """
    require_positive(first_cap=first_cap, cap_step=cap_step)
    if count < 1:
        raise BadArgument(f"margin: count: expected at least one tier, received {count}.", hint="Give riskLevelLimit.")
    rows = [(0.0 if k == 0 else first_cap + (k - 1) * cap_step, first_rate + k * rate_step) for k in range(count)]
    last_cap = first_cap + (count - 1) * cap_step
    return whole_position_tiers(rows, measure=measure, source=source, evidence=Evidence.UNVERIFIED, known_to=last_cap)
