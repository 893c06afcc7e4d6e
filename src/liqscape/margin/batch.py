"""The same rules for many positions at once: arrays in, arrays out. Linear contracts, tables with deductions.

With the deductions of the recurrence, maintenance is the largest of the tiers' lines `rate x notional - deduction`, so equity
less maintenance is the smallest of lines in the price: the liquidation price is the highest of the tiers' own prices for a
long and the lowest for a short. No tier has to be looked up, and an edge needs no care.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from liqscape.errors import BadArgument
from liqscape.margin._checks import require_rate
from liqscape.margin.price import ROUNDING
from liqscape.margin.tiers import TierMeasure, TierTable, is_continuous
from liqscape.model.arrays import FloatArray


def liquidation_prices(
    entry_price: npt.ArrayLike,
    quantity_base: npt.ArrayLike,
    margin: npt.ArrayLike,
    side_sign: npt.ArrayLike,
    tiers: TierTable,
    *,
    closing_fee_rate: float = 0.0,
) -> FloatArray:
    """Return the liquidation prices of n linear positions; the array form of `tiered_liquidation_price`.

    Parameters
    ----------
        entry_price
            float64[n] or scalar, quote per base, > 0.
        quantity_base
            float64[n] or scalar, base, >= 0; a position of size 0 cannot be liquidated.
        margin
            float64[n] or scalar, USD: isolated margin, or free equity of a cross account.
        side_sign
            [n] or scalar, +1 long, -1 short.
        tiers
            Maintenance table with deductions (continuous), measured by notional.
        closing_fee_rate
            Closing fee that the venue counts in the trigger.

    Returns
    -------
        float64[n]
            Quote per base, n = 1 if all arguments are scalars. NaN where no positive price liquidates, and where an input is NaN.

    Raises
    ------
        BadArgument
            If the table jumps, or a short's margin is so negative that every price liquidates.

    Examples
    --------
        >>> from liqscape.margin.tiers import continuous_tiers
        >>> table = continuous_tiers([(0, 0.004), (50_000, 0.005), (250_000, 0.01)])
        >>> liquidation_prices(60_000.0, [5.0, 4.0], 60_000.0, [1, -1], table).round(2).tolist()
        [48231.16, 74579.21]
    """
    if not is_continuous(tiers):
        raise BadArgument(
            f"margin: tier table {tiers.source or '(no source)'}: expected deductions that make maintenance continuous.",
            hint="Use tiered_liquidation_price, which walks over jumps, one position at a time.",
        )
    require_rate(tiers.tiers[-1].maintenance_margin_rate, closing_fee_rate)
    entry, quantity, equity, sign = np.broadcast_arrays(
        np.asarray(entry_price, dtype=np.float64),
        np.asarray(quantity_base, dtype=np.float64),
        np.asarray(margin, dtype=np.float64),
        np.asarray(side_sign, dtype=np.float64),
    )
    signed_cost = np.atleast_1d(sign * quantity * entry - equity)
    best = np.full(signed_cost.shape, -np.inf)
    # Size 0 divides by zero; its answer is set below.
    with np.errstate(divide="ignore", invalid="ignore"):
        for tier in tiers.tiers:
            rate = tier.maintenance_margin_rate + closing_fee_rate
            # Times the sign, the highest price of a long and the lowest of a short are both a maximum.
            candidate = sign * (signed_cost - tier.maintenance_deduction) / (quantity * (sign - rate))
            np.maximum(best, candidate, out=best)
    prices = sign * best
    prices[np.atleast_1d(quantity) == 0.0] = np.nan
    _refuse_never_solvent(prices, sign)
    prices[~(prices > ROUNDING * entry)] = np.nan
    return prices


def _refuse_never_solvent(prices: FloatArray, sign: FloatArray) -> None:
    hopeless = (prices <= 0.0) & (sign < 0.0)
    if hopeless.any():
        first = int(np.flatnonzero(hopeless)[0])
        raise BadArgument(
            f"margin: short position {first}: the margin is below maintenance at every mark price, no liquidation price exists.",
            hint="The loss exceeds what any price can repair; check the margin or free equity, its sign and its unit.",
        )


def maintenance_margins(notional: npt.ArrayLike, tiers: TierTable) -> FloatArray:
    """Return what the venue asks of n positions; the array form of `maintenance_margin`.

    Parameters
    ----------
    notional
        float64[n] or scalar, margin currency, >= 0; NaN gives NaN.
    tiers
        Table measured by notional; it may jump.

    Returns
    -------
    float64[n]
        Margin currency.

    Raises
    ------
    BadArgument
        If the table is measured by size.
    """
    if tiers.measure is TierMeasure.SIZE:
        raise BadArgument(
            f"margin: tier table {tiers.source or '(no source)'}: expected tiers measured by notional, received tiers by size.",
            hint="Use maintenance_margin with the size, one position at a time.",
        )
    values = np.asarray(notional, dtype=np.float64)
    floors = np.array([tier.floor for tier in tiers.tiers])
    rates = np.array([tier.maintenance_margin_rate for tier in tiers.tiers])
    deductions = np.array([tier.maintenance_deduction for tier in tiers.tiers])
    index = np.maximum(np.searchsorted(floors, values, side="left") - 1, 0)
    return np.asarray(values * rates[index] - deductions[index], dtype=np.float64)
