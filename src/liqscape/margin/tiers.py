"""Maintenance tiers: the table, its deductions, and what it asks of a position.

With deductions only the slice above a floor pays its rate, so maintenance is continuous and convex in the notional; without
them the rate applies to the whole position and maintenance jumps at every floor.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from liqscape.errors import BadArgument
from liqscape.margin._checks import require_finite


class Evidence(StrEnum):
    """How well a venue's rule or number is known; the marks of the margin reference."""

    OFFICIAL = "official"
    THIRD_PARTY = "third-party"
    COMPUTED = "computed"
    UNVERIFIED = "unverified"


class TierMeasure(StrEnum):
    """What a tier's floor is compared with.

    Notional: size x price in the margin currency (quote for linear, coin for inverse), which moves with the price. Size: the
    position's own unit (base for linear, USD for inverse), which does not; venues that list tiers in contracts.
    """

    NOTIONAL = "notional"
    SIZE = "size"


class MaintenanceTier(Struct, frozen=True):
    """One row of a table: above `floor`, up to and with the next row's floor, maintenance = rate x notional - deduction.

    Parameters
    ----------
    floor
        In the unit of the table's measure; the first is 0.
    maintenance_margin_rate
        Fraction of the whole notional.
    maintenance_deduction
        Margin currency: quote (USD) for linear, coin for inverse.
    max_leverage
        Highest leverage the venue allows in the tier, None if not given.
    """

    floor: float
    maintenance_margin_rate: float
    maintenance_deduction: float = 0.0
    max_leverage: float | None = None


class TierTable(Struct, frozen=True):
    """The tiers of one instrument, and where they come from.

    Parameters
    ----------
    tiers
        Ascending floors from 0, ascending rates below 1.
    measure
        What the floors are compared with.
    known_to
        Largest notional (or size) the source covers, None if it covers all; above it the last rate is only a lower bound.
    source
        Page or dump the numbers come from, with its date.
    evidence
        How well they are known.

    Raises
    ------
    BadArgument
        If there is no tier, the first floor is not 0, floors or rates do not ascend, or a rate is outside [0, 1).
    """

    tiers: tuple[MaintenanceTier, ...]
    measure: TierMeasure = TierMeasure.NOTIONAL
    known_to: float | None = None
    source: str = ""
    evidence: Evidence = Evidence.UNVERIFIED

    def __post_init__(self) -> None:
        if not self.tiers or self.tiers[0].floor != 0.0:
            found = self.tiers[0].floor if self.tiers else "no tier"
            raise _bad_table(self.source, f"expected a first tier with floor 0, received {found!r}")
        for tier in self.tiers:
            if not (0.0 <= tier.maintenance_margin_rate < 1.0 and math.isfinite(tier.maintenance_deduction)):
                raise _bad_table(self.source, f"expected a rate in [0, 1) and a finite deduction, received {tier!r}")
        for below, above in zip(self.tiers, self.tiers[1:], strict=False):
            if not (below.floor < above.floor < math.inf and below.maintenance_margin_rate <= above.maintenance_margin_rate):
                raise _bad_table(self.source, f"expected ascending floors and rates, received {below!r} before {above!r}")


def _bad_table(source: str, what: str) -> BadArgument:
    return BadArgument(f"margin: tier table {source or '(no source)'}: {what}.", hint="Read the venue's table again.")


def tier_deduction(
    *, floor: float, maintenance_margin_rate: float, previous_rate: float, previous_deduction: float = 0.0
) -> float:
    """Return the deduction that makes maintenance continuous at a tier's floor: `D_n = D_(n-1) + floor_n (m_n - m_(n-1))`.

    Parameters
    ----------
    floor
        Where the tier begins, margin currency.
    maintenance_margin_rate, previous_rate
        Rates of this tier and of the one below.
    previous_deduction
        Deduction of the tier below; 0 for the first.

    Notes
    -----
    Official for Binance (FAQ ceccfcfb4e3a45e3b48b0b1bb1a8ae46); the documented example of Gate's risk limit tiers obeys it too.

    Examples
    --------
    >>> tier_deduction(floor=250_000, maintenance_margin_rate=0.01, previous_rate=0.005, previous_deduction=50)
    1300.0
    """
    return previous_deduction + floor * (maintenance_margin_rate - previous_rate)


def continuous_tiers(
    rows: Iterable[tuple[float, float]],
    *,
    source: str = "",
    evidence: Evidence = Evidence.UNVERIFIED,
    known_to: float | None = None,
) -> TierTable:
    """Build a table from (floor, rate) rows, with the deductions of the recurrence: only the slice above a floor pays its rate.

    Parameters
    ----------
    rows
        Floors in the margin currency, ascending from 0, each with its rate.
    source, evidence, known_to
        As in `TierTable`.
    """
    tiers: list[MaintenanceTier] = []
    for floor, rate in rows:
        deduction = 0.0
        if tiers:
            below = tiers[-1]
            deduction = tier_deduction(
                floor=floor,
                maintenance_margin_rate=rate,
                previous_rate=below.maintenance_margin_rate,
                previous_deduction=below.maintenance_deduction,
            )
        tiers.append(MaintenanceTier(float(floor), rate, deduction))
    return TierTable(tuple(tiers), known_to=known_to, source=source, evidence=evidence)


def whole_position_tiers(
    rows: Iterable[tuple[float, float]],
    *,
    measure: TierMeasure = TierMeasure.NOTIONAL,
    source: str = "",
    evidence: Evidence = Evidence.UNVERIFIED,
    known_to: float | None = None,
) -> TierTable:
    """Build a table from (floor, rate) rows without deductions: the whole position pays the rate, maintenance jumps at a floor.

    Parameters
    ----------
    rows
        Floors in the unit of the measure, ascending from 0, each with its rate.
    measure
        Size for venues that list contracts: convert them to base (linear) or USD (inverse) first.
    source, evidence, known_to
        As in `TierTable`.
    """
    tiers = tuple(MaintenanceTier(float(floor), rate) for floor, rate in rows)
    return TierTable(tiers, measure=measure, known_to=known_to, source=source, evidence=evidence)


def flat_tiers(maintenance_margin_rate: float, *, source: str = "", evidence: Evidence = Evidence.UNVERIFIED) -> TierTable:
    """Build a table with one rate for every size."""
    return TierTable((MaintenanceTier(0.0, maintenance_margin_rate),), source=source, evidence=evidence)


def scaled_tiers(tiers: TierTable, factor: float) -> TierTable:
    """Return the table whose maintenance is `factor` times as large (Hyperliquid's backstop: 2/3)."""
    rows = tuple(
        MaintenanceTier(
            row.floor, row.maintenance_margin_rate * factor, row.maintenance_deduction * factor, max_leverage=row.max_leverage
        )
        for row in tiers.tiers
    )
    return TierTable(rows, tiers.measure, tiers.known_to, f"{tiers.source} x {factor:.6g}", tiers.evidence)


def is_continuous(tiers: TierTable) -> bool:
    """Tell whether maintenance has no jumps: its deductions are those of the recurrence, up to rounding in the source."""
    if tiers.measure is TierMeasure.SIZE:
        return len(tiers.tiers) == 1
    if tiers.tiers[0].maintenance_deduction != 0.0:
        return False
    for below, above in zip(tiers.tiers, tiers.tiers[1:], strict=False):
        jump = above.floor * (above.maintenance_margin_rate - below.maintenance_margin_rate)
        jump -= above.maintenance_deduction - below.maintenance_deduction
        if abs(jump) > 1e-6 * above.floor * above.maintenance_margin_rate:
            return False
    return True


def tier_at(tiers: TierTable, *, notional: float, size: float | None = None) -> MaintenanceTier:
    """Return the tier that a position is in.

    Parameters
    ----------
    tiers
        The table.
    notional
        Size x price, margin currency.
    size
        Base (linear) or USD (inverse); needed for tables measured by size.

    Raises
    ------
    BadArgument
        If the table is measured by size and `size` is None.
    """
    return tiers.tiers[tier_index(tiers, notional, size)]


def maintenance_margin(tiers: TierTable, *, notional: float, size: float | None = None) -> float:
    """Return what the venue asks of a position, margin currency: rate x notional - deduction of its tier.

    Parameters
    ----------
    tiers, notional, size
        As for `tier_at`.

    Examples
    --------
    >>> two = continuous_tiers([(0, 0.004), (300_000, 0.005)])
    >>> maintenance_margin(two, notional=300_000.0), maintenance_margin(two, notional=400_000.0)   # 400,000 x 0.5 % - 300
    (1200.0, 1700.0)
    """
    tier = tier_at(tiers, notional=notional, size=size)
    return notional * tier.maintenance_margin_rate - tier.maintenance_deduction


def tier_index(tiers: TierTable, notional: float, size: float | None) -> int:
    """Return the row that a position is in; `size` may be None only for tables measured by notional."""
    measured = notional if tiers.measure is TierMeasure.NOTIONAL else size
    if measured is None:
        raise BadArgument(f"margin: tier table {tiers.source}: expected a size, the tiers are measured by it.", hint="Give size.")
    require_finite(notional=measured)
    # A tier ends with its upper edge ("0.4 % to 300k"), so the edge belongs to the tier below.
    return max(0, bisect_left(_floors(tiers), measured) - 1)


def _floors(tiers: TierTable) -> Sequence[float]:
    return [tier.floor for tier in tiers.tiers]
