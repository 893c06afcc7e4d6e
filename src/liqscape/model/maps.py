"""The map of one instant and the heatmap of many: where forced orders would sit, in dollars at their level.

Levels are counted outward from the mark price in buckets of equal distance: bucket i of a side holds prices between
`mark * (1 +- i * width)` and `mark * (1 +- (i + 1) * width)`. Shorts are liquidated above the mark, longs below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from msgspec import Struct

from liqscape.model.arrays import FloatArray, IntArray
from liqscape.model.instruments import InstrumentId
from liqscape.model.sides import Completeness, PositionSide, PriceKind

BUCKET_WIDTH = 0.001  # fraction of the mark price
BUCKETS = 500  # per side: the map reaches 50 % each way
INTERVAL_LEVEL = 0.8  # printed intervals hold this share of the ensemble


class Estimate(Struct, frozen=True, kw_only=True):
    """A modelled number with its interval; None is unknown.

    Parameters
    ----------
    median
        The map's own value. Pools of one map add up exactly in this field.
    lo, hi
        Ends of the central interval of the ensemble, recentred on `median`.
    level
        Share of the ensemble between `lo` and `hi`.
    prior_share
        Fraction of the number that is assumption and not data, None where that has no meaning.
    """

    median: float | None
    lo: float | None
    hi: float | None
    level: float = INTERVAL_LEVEL
    prior_share: float | None = None


class Reading(StrEnum):
    """Which dollars: what the feeds show, or published divided by the setting `reported_share`."""

    PUBLISHED = "published"
    TRUE = "true"


class Outcome(StrEnum):
    """How the estimate came about; `sentence` says it in words."""

    LEARNED = "learned"
    SHIPPED = "shipped"
    CAPPED = "capped"

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        return {
            Outcome.LEARNED: "Weights were learned from this instrument's own published liquidations.",
            Outcome.SHIPPED: "Too few liquidations of it were known to learn from: shipped weights, all of it is prior.",
            Outcome.CAPPED: "The weights asked for more contracts than are open; they were scaled down to open interest.",
        }[self]


@dataclass(frozen=True)
class SideLevels:
    """Standing positions of one side by distance from the mark, outward; all arrays have n buckets.

    Parameters
    ----------
    side
        LONG: liquidated below the mark; SHORT: above it.
    edge_price : float64[n + 1], quote per base, from the mark outward
    usd : float64[n], USD at the level, the map's own value
    base : float64[n], contracts in base units
    prior_usd : float64[n], the part of `usd` that is prior and not data
    age_s : float64[n], mean age of the modelled mass in seconds, NaN where there is none
    tier_usd : float64[tiers, n], `usd` split by distance tier; sums to `usd`
    class_usd : float64[classes, n], `usd` split by lifetime class; sums to `usd`
    draws_usd : float64[draws, n], the ensemble: members x posterior draws of the weights
    prior_draws_usd : float64[draws, n], the same with the weights drawn from the prior alone
    measured_usd : float64[n], the part of `usd` that is known position by position; left out: nothing is
    """

    side: PositionSide
    edge_price: FloatArray
    usd: FloatArray
    base: FloatArray
    prior_usd: FloatArray
    age_s: FloatArray
    tier_usd: FloatArray
    class_usd: FloatArray
    draws_usd: FloatArray
    prior_draws_usd: FloatArray
    measured_usd: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if self.measured_usd.size != self.usd.size:
            object.__setattr__(self, "measured_usd", np.zeros_like(self.usd))

    @property
    def mid_price(self) -> FloatArray:
        """float64[n], quote per base, middle of each bucket."""
        return 0.5 * (self.edge_price[:-1] + self.edge_price[1:])


class Balance(Struct, frozen=True, kw_only=True):
    """Where the contracts are, base units, published reading.

    `long_base + long_reservoir_base = short_base + short_reservoir_base = open_interest_base`; a reservoir holds what the
    weights do not place on the map (hedged, unlevered, market makers, unpublished) and what is measured and has no level.
    Of each side `measured_base` is known position by position, with and without a level; the rest is modelled.
    """

    open_interest_base: float
    long_base: float
    short_base: float
    long_reservoir_base: float
    short_reservoir_base: float
    long_measured_base: float = 0.0
    short_measured_base: float = 0.0

    @property
    def measured_share(self) -> float:
        """Fraction of open interest that is known position by position, mean of both sides."""
        known = 0.5 * (self.long_measured_base + self.short_measured_base)
        return known / self.open_interest_base if self.open_interest_base > 0.0 else 0.0


class WeightsOrigin(Struct, frozen=True, kw_only=True):
    """Where the weights come from: window of the liquidations they learned from, and a score if one is known."""

    source: str  # "learned" or "shipped"
    instrument: str
    from_ns: int | None
    to_ns: int | None
    hours: int
    score: str | None = None


class MeasuredInput(Struct, frozen=True, kw_only=True):
    """What of an instrument's open interest is known position by position.

    Parameters
    ----------
    accounts
        Accounts whose position is in the map.
    long_share, short_share
        Known contracts over open interest, at most 1.
    solved, held
        Levels of cross accounts with other legs: solved anew at the present marks, and kept as the venue said them because
        the solver does not reproduce them.
    passed, stale
        Positions left out because price went through their level since the look, and accounts whose last look is too old:
        both are modelled.
    oldest_ns, newest_ns
        Of the looks, ns UTC; None if every look is too old.
    more_than_open
        True if more was known than is open; then all was scaled down, and one of the two numbers is wrong.
    """

    accounts: int
    long_share: float
    short_share: float
    solved: int
    held: int
    passed: int
    stale: int
    oldest_ns: int | None
    newest_ns: int | None
    more_than_open: bool = False


class Inputs(Struct, frozen=True, kw_only=True):
    """What a map was built from; `open_interest_usd` is this instrument's part of a joined map, at the joined mark."""

    instrument: InstrumentId
    venues: tuple[str, ...]  # whose liquidations the weights were fitted to
    price_kind: PriceKind
    bar_interval_ns: int
    window_from_ns: int
    window_to_ns: int
    bars: int
    missing_bars: int
    last_bar_end_ns: int
    last_open_interest_ns: int | None
    last_liquidation_ns: int | None
    completeness: Completeness
    recorded: bool
    sha256: str
    level_fast: float
    level_slow: float
    weights: WeightsOrigin
    open_interest_usd: float | None = None
    measured: MeasuredInput | None = None  # where accounts are public and followed


class LeftOut(Struct, frozen=True, kw_only=True):
    """An instrument that the name means and that is not in the map.

    Parameters
    ----------
    reason
        For people.
    last_bar_end_ns, behind_ns
        End of its newest known bar and how far that lies before the newest of the others; None if no bar is known.
    """

    instrument: InstrumentId
    reason: str
    last_bar_end_ns: int | None
    behind_ns: int | None


def left_out_by_reason(left_out: tuple[LeftOut, ...]) -> dict[str, list[str]]:
    """Return the names of what was left out, by reason, in the order given."""
    found: dict[str, list[str]] = {}
    for one in left_out:
        found.setdefault(one.reason, []).append(str(one.instrument))
    return found


@dataclass(frozen=True)
class LiquidationMap:
    """The landscape of one instant.

    Parameters
    ----------
    asked
        The name that was asked for (`BTC` or `binance:BTCUSDT`).
    as_of_ns, mark_price
        The instant and the price that judges margin then.
    short, long
        Levels above and below the mark.
    tiers : float64[tiers], effective distances of the drawn tiers, fraction
    class_life_s : float64[classes], mean voluntary lifetime of each class, seconds
    sigma_1d
        Realised volatility of one day (7 days of 5-minute returns), fraction; None if fewer than 1 day is known.
    open_interest_usd
        One-sided, at the mark.
    reported_share
        (median, low, high) that published dollars were divided by; None in the published reading.
    filters
        What was left out on request, in the words of the request; empty if nothing was.
    caveats
        Codes of the caveats that apply, most important first.
    survivor_share
        Hours as text (`1h`, `4h`, `24h`) to the fraction of liquidated dollars, over the last week, that came from positions in
        the map at the start of as many hours; None if the record is too short to tell.
    left_out
        Stored instruments of the name that are not in the map, because they are stale or lack open interest.
    """

    asked: str
    inputs: tuple[Inputs, ...]
    as_of_ns: int
    computed_at_ns: int
    mark_price: float
    price_kind: PriceKind
    short: SideLevels
    long: SideLevels
    balance: Balance
    tiers: FloatArray
    class_life_s: FloatArray
    sigma_1d: float | None
    open_interest_usd: float
    funding_rate: float | None
    funding_interval_ns: int | None
    price_change_24h: float | None
    reading: Reading
    reported_share: tuple[float, float, float] | None
    outcome: Outcome
    model: str
    simulated: bool
    filters: dict[str, str] = field(default_factory=dict[str, str])
    caveats: tuple[str, ...] = ()
    survivor_share: dict[str, float] | None = None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def instruments(self) -> tuple[InstrumentId, ...]:
        """The instruments that were joined."""
        return tuple(i.instrument for i in self.inputs)

    def side(self, side: PositionSide) -> SideLevels:
        """Return the levels of one side."""
        return self.long if side is PositionSide.LONG else self.short


@dataclass(frozen=True)
class Heatmap:
    """One map per time column; a column uses only what was known at its end, so nothing repaints.

    Parameters
    ----------
    start_ns : int64[columns], ns UTC, start of each column
    interval_ns
        Width of a column.
    edge_price : float64[rows + 1], quote per base, ascending, equal steps in log price
    usd_per_permille : float32[rows, columns], USD per 0.1 % of price, longs below the close and shorts above it; NaN in
        columns without data
    prior_share : float32[rows, columns], fraction of the cell that is prior; the rest is `data_per_permille`
    open, high, low, close : float64[columns], quote per base, NaN where no bar is known
    """

    asked: str
    inputs: tuple[Inputs, ...]
    as_of_ns: int
    computed_at_ns: int
    start_ns: IntArray
    interval_ns: int
    edge_price: FloatArray
    usd_per_permille: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    prior_share: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    reading: Reading
    model: str
    simulated: bool
    price_kind: PriceKind
    filters: dict[str, str] = field(default_factory=dict[str, str])
    caveats: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def data_per_permille(self) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """float32[rows, columns], USD per 0.1 % of price that is data and not prior; NaN in columns without data."""
        return np.multiply(self.usd_per_permille, np.float32(1.0) - self.prior_share, dtype=np.float32)
