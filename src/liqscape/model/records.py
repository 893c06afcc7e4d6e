"""What an exchange tells: bars, open interest, liquidations, funding.

`ts_venue` is when the venue says it happened; `ts_recv` is when we learned it, None for rows that were imported and not
recorded. A row is known at `ts_recv` if it was recorded, else at the end of its interval (`known_at`).
"""

from __future__ import annotations

from msgspec import Struct

from liqscape.model.instruments import InstrumentId
from liqscape.model.sides import Completeness, LiquidationPriceKind, PositionSide, PriceKind


class Bar(Struct, frozen=True, kw_only=True):
    """Prices of one interval; every quantity that a venue does not give is None."""

    instrument: InstrumentId
    price_kind: PriceKind
    interval_ns: int
    ts_venue: int  # ns UTC, START of the interval
    ts_recv: int | None  # ns UTC
    open: float  # quote per base
    high: float
    low: float
    close: float
    volume_base: float | None
    taker_buy_base: float | None

    @property
    def known_at(self) -> int:
        """ns UTC from which on the bar may be used."""
        return self.ts_recv if self.ts_recv is not None else self.ts_venue + self.interval_ns


class OpenInterest(Struct, frozen=True, kw_only=True):
    """Open contracts at one instant, one side counted."""

    instrument: InstrumentId
    ts_venue: int  # ns UTC, the instant it describes
    ts_recv: int | None
    open_interest_base: float

    @property
    def known_at(self) -> int:
        """ns UTC from which on the stamp may be used."""
        return self.ts_recv if self.ts_recv is not None else self.ts_venue


class Liquidation(Struct, frozen=True, kw_only=True):
    """One forced order as published."""

    instrument: InstrumentId
    position_side: PositionSide  # the position that was closed
    price: float  # quote per base
    price_kind: LiquidationPriceKind
    quantity_base: float  # > 0
    completeness: Completeness
    ts_venue: int  # ns UTC, when the venue says it happened
    ts_recv: int | None
    # The venue's own name of the order, where the print has no time of its own (`ts_venue` is then when we learned of it):
    # two sightings are one print if their names agree. None: a print is known by its time, side, price and quantity.
    venue_id: str | None = None

    @property
    def known_at(self) -> int:
        """ns UTC from which on the print may be used."""
        return self.ts_recv if self.ts_recv is not None else self.ts_venue


class LiquidationTotal(Struct, frozen=True, kw_only=True):
    """Published liquidations of one interval, summed, by side of the position that was closed."""

    instrument: InstrumentId
    interval_ns: int
    ts_venue: int  # ns UTC, START of the interval
    ts_recv: int | None
    long_usd: float
    short_usd: float
    venues: tuple[str, ...]  # whose feeds are in the sum
    completeness: Completeness

    @property
    def known_at(self) -> int:
        """ns UTC from which on the sum may be used."""
        return self.ts_recv if self.ts_recv is not None else self.ts_venue + self.interval_ns


class FundingRate(Struct, frozen=True, kw_only=True):
    """A funding rate that was paid."""

    instrument: InstrumentId
    ts_venue: int  # ns UTC, the instant of payment
    ts_recv: int | None
    rate: float  # fraction per interval
    interval_ns: int

    @property
    def known_at(self) -> int:
        """ns UTC from which on the rate may be used."""
        return self.ts_recv if self.ts_recv is not None else self.ts_venue
