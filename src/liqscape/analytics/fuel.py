"""Fuel left in a region: what was there, what was swept, closed and opened, what is there now (feature F17).

The flows come from the estimator, which replays the bars between the two instants; here they are put together so that they
add up exactly.
"""

from __future__ import annotations

import math

from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.model.sides import PositionSide


class FuelRegion(Struct, frozen=True, kw_only=True):
    """Positions of one side that are force-closed between two prices (ascending, quote per base)."""

    side: PositionSide
    from_price: float
    to_price: float


class Fuel(Struct, frozen=True, kw_only=True):
    """The account of a region between two instants.

    `pool_now_usd = pool_reference_usd - burnt_usd - closed_usd + opened_usd + drift_usd`, exactly.

    Parameters
    ----------
    reference_ns, as_of_ns
        ns UTC, from and to.
    pool_reference_usd, pool_now_usd
        USD at the level, then and now.
    burnt_usd
        USD that the mark swept.
    closed_usd, opened_usd
        USD that left without force, and USD that came.
    drift_usd
        What re-learned weights and the level of reporting changed.
    left_fraction
        pool now / pool at the reference; None if nothing stood there. Above 1 the region was refilled.
    forced_seen_usd
        Forced orders that the feeds showed and that belong to the region's sweeps; None if no feed was known.
    burn_ratio
        Forced orders seen / burnt; None if either is unknown or nothing was burnt. A sweep empties a map by construction:
        this says whether forced orders were there.
    """

    reference_ns: int
    as_of_ns: int
    region: FuelRegion
    pool_reference_usd: float
    burnt_usd: float
    closed_usd: float
    opened_usd: float
    drift_usd: float
    pool_now_usd: float
    left_fraction: float | None
    forced_seen_usd: float | None
    burn_ratio: float | None


def fuel(
    *,
    reference_ns: int,
    as_of_ns: int,
    region: FuelRegion,
    pool_reference_usd: float,
    burnt_usd: float,
    closed_usd: float,
    opened_usd: float,
    drift_usd: float = 0.0,
    forced_seen_usd: float | None = None,
) -> Fuel:
    """Put the account of a region together (F17).

    Parameters
    ----------
    pool_reference_usd, burnt_usd, closed_usd, opened_usd, forced_seen_usd
        USD >= 0.
    drift_usd
        USD of either sign.

    Raises
    ------
    BadArgument
        If the reference is later than `as_of_ns`, a sum is negative or not finite, or less than nothing would be left.

    Examples
    --------
    >>> region = FuelRegion(side=PositionSide.SHORT, from_price=84_000.0, to_price=86_000.0)
    >>> account = fuel(reference_ns=0, as_of_ns=1, region=region, pool_reference_usd=200.0,
    ...                burnt_usd=120.0, closed_usd=30.0, opened_usd=10.0)
    >>> account.pool_now_usd, account.left_fraction
    (60.0, 0.3)
    """
    if reference_ns > as_of_ns:
        raise BadArgument(
            f"reference: expected an instant at or before as_of ({as_of_ns} ns), received {reference_ns} ns",
            hint="Fuel is read from an earlier instant to a later one.",
        )
    sums = {
        "pool_reference_usd": pool_reference_usd,
        "burnt_usd": burnt_usd,
        "closed_usd": closed_usd,
        "opened_usd": opened_usd,
        "forced_seen_usd": 0.0 if forced_seen_usd is None else forced_seen_usd,
    }
    for name, value in sums.items():
        if not (math.isfinite(value) and value >= 0.0):
            raise BadArgument(f"{name}: expected USD >= 0, received {value:g}", hint="Only drift may have either sign.")
    pool_now_usd = pool_reference_usd - burnt_usd - closed_usd + opened_usd + drift_usd
    # Rounding of the four sums may leave a hair below nothing; more than a hair is an account that does not add up.
    if not pool_now_usd >= -1e-6 * (pool_reference_usd + opened_usd + abs(drift_usd)):
        raise BadArgument(
            f"fuel: expected at least 0 USD to be left, the flows leave {pool_now_usd:g}",
            hint="More was burnt and closed than stood there and came: look at the sums.",
            context=dict(sums, drift_usd=drift_usd),
        )
    return Fuel(
        reference_ns=reference_ns,
        as_of_ns=as_of_ns,
        region=region,
        pool_reference_usd=pool_reference_usd,
        burnt_usd=burnt_usd,
        closed_usd=closed_usd,
        opened_usd=opened_usd,
        drift_usd=drift_usd,
        pool_now_usd=pool_now_usd,
        left_fraction=pool_now_usd / pool_reference_usd if pool_reference_usd > 0.0 else None,
        forced_seen_usd=forced_seen_usd,
        burn_ratio=forced_seen_usd / burnt_usd if forced_seen_usd is not None and burnt_usd > 0.0 else None,
    )
