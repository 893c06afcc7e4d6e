"""B(x): the dollars that the market takes within a horizon before the price has moved by x, and how sure that is.

With a book: standing depth by distance, times what refills within the horizon, times what is withdrawn as volatility rises.
Without one: the square-root law of impact, turned round into dollars. Which of the two was used is part of the answer.

The defaults were fitted to Binance BTCUSDT (depth within 1 % every 4 hours, 2024-11-13 .. 2025-11-14; hourly taker flow,
2026-02-01 .. 2026-02-15); each says so. They are one venue's: the depth that goes in must be that of the venues whose levels
are on the map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from msgspec import Struct

from liqscape.cascade.base import SEED, Depth, Direction, Factor, Multiplier, checked_distance, exactly, stratified_normal
from liqscape.cascade.depth import DepthProfile
from liqscape.errors import BadArgument, NoData
from liqscape.model.arrays import FloatArray

HORIZON_S = 900.0
LONGEST_HORIZON_S = 3600.0  # refill was fitted to hours: nothing is known beyond
DRAWS = 128
FLOOR = 0.02  # quotes never vanish altogether: 10 October 2025 left about 2 % (the lowest account that was found)

_BOOKS = "Binance BTCUSDT, depth within 1 % every 4 hours"
_BOOK_DAYS = "2024-11-13 .. 2025-11-14"

# Depth beyond the last known distance grows as a power of it: the snapshot has 0.76 (bids) and 0.71 (asks) from 1 % to 5 %,
# spot 0.67 from 10 to 100 bp.
FAR_EXPONENT = Factor(
    median=0.72, lo=0.65, hi=0.8, source="Binance BTCUSDT, one snapshot; BTC/FDUSD spot", date="2025-05-19; 2025-07 .. 2025-08"
)
# Net taker flow per 1 % of price in the 53 hours of over $100M, by the standing book of such a volatility, is 1.38 [1.27-1.50]
# by blocks of days. With that, and the map's levels, 14 of 52 hours should have run 2.5 % from their open; 8 did. 1.8 [1.45-2.2]
# expects those 8 (reality check; levels divided by a published share of 0.3). Wider here: the book is that of the year before.
REFILL = Factor(
    median=1.8,
    lo=1.3,
    hi=2.5,
    source="Binance BTCUSDT: runs of 2.5 % expected and seen in hours of over $100M net taker flow",
    date="2026-02-01 .. 2026-02-15",
)
# Exponent of the depth found next in the ratio of volatility to its usual; scatter of what that leaves unexplained.
WITHDRAWAL_EXPONENT = Factor(median=0.147, lo=0.126, hi=0.164, source=_BOOKS, date=_BOOK_DAYS)
WITHDRAWAL_SCATTER = 0.19
# Impact of metaorders is of order 1 (arXiv:1412.4503). For net taker flow, which comes with news and with flow elsewhere, hourly
# returns say 2.7 [2.5-3.0], and the runs of 2.5 % that were seen (8 in 52 hours of over $100M) 4.1 [3.6-4.6].
IMPACT_Y = Factor(
    median=4.1,
    lo=3.1,
    hi=5.4,
    source="Binance BTCUSDT: runs of 2.5 % expected and seen in hours of over $100M net taker flow",
    date="2026-02-01 .. 2026-02-15",
)
# Below this distance impact is taken as linear: the law holds for large orders, and would leave no depth at the touch.
LINEAR_BELOW = 0.005

NOW = exactly(1.0, source="as it stands")
THIN_HOUR = Factor(median=0.72, lo=0.62, hi=0.84, source=f"{_BOOKS}: lowest twentieth by its two weeks' median", date=_BOOK_DAYS)
OCTOBER_2025 = Factor(
    median=0.07,
    lo=0.02,
    hi=0.26,
    source="accounts of -90 % and -98 %; the 4-hour book had 26 % left",
    date="2025-10-10 .. 2025-10-11",
)


class Basis(StrEnum):
    """What absorption was computed from."""

    BOOK = "book"
    IMPACT_LAW = "impact_law"

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        return {
            Basis.BOOK: "Order book times refill times withdrawal.",
            Basis.IMPACT_LAW: "No order book is known for this time: the square-root law of impact stands in for it.",
        }[self]


class Part(Struct, frozen=True, kw_only=True):
    """One factor of absorption as it entered: its middle, its ends, where it comes from."""

    name: str
    median: float
    lo: float
    hi: float
    source: str
    date: str


@dataclass(frozen=True)
class BookDepth:
    """Depth of a known book; beyond its last distance a power of the distance."""

    profile: DepthProfile
    far_exponent: Factor = FAR_EXPONENT

    def cumulative(self, distance: FloatArray, direction: Direction, generator: np.random.Generator, draws: int) -> FloatArray:
        """Return float64[draws, n], USD."""
        known, usd = self.profile.distance, self.profile.toward(direction)
        near = np.interp(distance, np.concatenate(([0.0], known)), np.concatenate(([0.0], usd)))
        exponent = self.far_exponent.draws(generator, draws)
        return near * np.exp(np.outer(exponent, np.log(np.maximum(distance / known[-1], 1.0))))


@dataclass(frozen=True)
class SquareRootImpact:
    """I = Y sigma sqrt(Q / V) turned round: Q = V (x / (Y sigma))^2, linear below `linear_below`.

    Parameters
    ----------
    sigma_1d
        Volatility of one day, fraction.
    volume_1d_usd
        Dollars traded in one day on the venues of the map.
    """

    sigma_1d: float
    volume_1d_usd: float
    y: Factor = IMPACT_Y
    linear_below: float = LINEAR_BELOW

    def __post_init__(self) -> None:
        """Refuse a market without volatility or volume."""
        for name, value in (("sigma_1d", self.sigma_1d), ("volume_1d_usd", self.volume_1d_usd)):
            if not (0.0 < value < math.inf):
                raise BadArgument(
                    f"cascade: impact law: {name}: expected a number > 0, received {value}.",
                    hint="Give the volatility and the dollars traded of the last day, or an order book.",
                )

    def cumulative(self, distance: FloatArray, direction: Direction, generator: np.random.Generator, draws: int) -> FloatArray:
        """Return float64[draws, n], USD; the same in both directions."""
        moved = distance * np.maximum(distance, self.linear_below)
        scale = self.y.draws(generator, draws) * self.sigma_1d
        return self.volume_1d_usd * moved / scale[:, None] ** 2


@dataclass(frozen=True)
class Refill:
    """Dollars absorbed within a horizon per dollar that stands: 1 at once, the fitted number after 15 minutes, linear between."""

    fitted: Factor = REFILL

    def factors(self, horizon_s: float, generator: np.random.Generator, draws: int) -> FloatArray:
        """Return float64[draws]."""
        return np.maximum(1.0 + (self.fitted.draws(generator, draws) - 1.0) * horizon_s / HORIZON_S, FLOOR)


@dataclass(frozen=True)
class Withdrawal:
    """Depth left as volatility rises: (volatility / volatility when the book was seen) ** -exponent, with scatter.

    Parameters
    ----------
    volatility_ratio
        Volatility expected by that at which the book was seen; 1 changes nothing.
    scatter
        Standard deviation of the logarithm of what is unexplained; 0 for a book of this very second.
    """

    volatility_ratio: float = 1.0
    exponent: Factor = WITHDRAWAL_EXPONENT
    scatter: float = WITHDRAWAL_SCATTER

    def __post_init__(self) -> None:
        """Refuse a ratio that is no positive number."""
        if not (0.0 < self.volatility_ratio < math.inf) or not (0.0 <= self.scatter < math.inf):
            raise BadArgument(
                f"cascade: withdrawal: expected volatility_ratio > 0 and scatter >= 0, "
                f"received {self.volatility_ratio}, {self.scatter}.",
                hint="The ratio of two volatilities of the same length of time.",
            )

    def factors(self, horizon_s: float, generator: np.random.Generator, draws: int) -> FloatArray:
        """Return float64[draws]."""
        left = self.volatility_ratio ** -self.exponent.draws(generator, draws)
        return np.maximum(left * np.exp(self.scatter * stratified_normal(generator, draws)), FLOOR)


@dataclass(frozen=True)
class Stress:
    """A given multiple of depth, such as `THIN_HOUR` or `OCTOBER_2025`."""

    factor: Factor = NOW

    def factors(self, horizon_s: float, generator: np.random.Generator, draws: int) -> FloatArray:
        """Return float64[draws]."""
        return np.maximum(self.factor.draws(generator, draws), FLOOR)


@dataclass(frozen=True)
class Absorption:
    """B(x) in both directions over an ensemble.

    Parameters
    ----------
    distance : float64[n + 1], fraction of the mark, begins at 0
    bid_usd, ask_usd : float64[draws, n + 1], USD absorbed down to and up to each distance; column 0 is 0
    horizon_s
        Seconds within which it is absorbed; 0 is the standing book.
    as_of_ns
        When the book was seen, ns UTC; None without one.
    """

    distance: FloatArray
    bid_usd: FloatArray
    ask_usd: FloatArray
    basis: Basis
    horizon_s: float
    as_of_ns: int | None
    parts: tuple[Part, ...]

    def toward(self, direction: Direction) -> FloatArray:
        """float64[draws, n + 1], USD absorbed by a move that way."""
        return self.ask_usd if direction is Direction.UP else self.bid_usd

    def at(self, direction: Direction, distance: float) -> FloatArray:
        """float64[draws], USD absorbed up to one distance: the shock that pushes so far where nothing is forced.

        Raises
        ------
        BadArgument
            If the distance lies outside of the grid.
        """
        if not (0.0 <= distance <= self.distance[-1]):
            raise BadArgument(
                f"cascade: push: expected a distance between 0 and {self.distance[-1]:.3g}, received {distance}.",
                hint="Give a fraction of the mark, such as 2%.",
            )
        return _between(self.distance, self.toward(direction), distance)


def absorption(
    distance: FloatArray,
    *,
    book: DepthProfile | None = None,
    impact: SquareRootImpact | None = None,
    refill: Multiplier | None = None,
    withdrawal: Multiplier | None = None,
    stress: Factor = NOW,
    horizon_s: float = HORIZON_S,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Absorption:
    """Compute B(x) on a grid of distances.

    Parameters
    ----------
    distance : float64[n + 1], fraction of the mark, begins at 0
    book
        Depth by distance, if any is known; then `refill` (default `Refill()`) and `withdrawal` (default `Withdrawal()`) apply.
    impact
        The law that stands in where no book is known. It knows no horizon: what refills is in it.
    stress
        A further multiple of depth.
    horizon_s
        Seconds, 0 to 3600; 0 is the standing book, which a simulation in time refills by itself.

    Raises
    ------
    NoData
        If there is neither book nor law: depth is never invented.
    """
    edges = checked_distance(distance)
    if not (0.0 <= horizon_s <= LONGEST_HORIZON_S) or draws < 1:
        raise BadArgument(
            f"cascade: absorption: expected 0 <= horizon_s <= {LONGEST_HORIZON_S:.0f} and draws >= 1, "
            f"received {horizon_s}, {draws}.",
            hint="Refill was fitted to hours; nothing is known about longer horizons.",
        )
    if book is None and impact is None:
        raise NoData(
            "cascade: absorption: no order book is known and no impact law was given.",
            hint="Import a depth profile, or give volatility and volume of a day for the square-root law.",
        )
    multipliers: list[tuple[str, Multiplier]] = [("stress", Stress(stress))]
    if book is not None:
        depth, basis, as_of_ns, source = BookDepth(book), Basis.BOOK, book.ts_ns, book.source
        multipliers = [("refill", refill or Refill()), ("withdrawal", withdrawal or Withdrawal()), *multipliers]
    else:
        assert impact is not None
        depth, basis, as_of_ns, source = impact, Basis.IMPACT_LAW, None, impact.y.source
    generator = np.random.default_rng(seed)
    scale, parts = _scale(multipliers, horizon_s, generator, draws)
    up, down = (_cumulative(depth, edges, way, seed, draws) * scale[:, None] for way in Direction)
    return Absorption(
        edges, down, up, basis, horizon_s, as_of_ns, (_depth_part(edges, down, up, scale, source, as_of_ns), *parts)
    )


def _cumulative(depth: Depth, edges: FloatArray, direction: Direction, seed: int, draws: int) -> FloatArray:
    # The same seed both ways: what is uncertain about the market is uncertain for both sides at once.
    return depth.cumulative(edges, direction, np.random.default_rng([seed, 1]), draws)


def _scale(
    multipliers: list[tuple[str, Multiplier]], horizon_s: float, generator: np.random.Generator, draws: int
) -> tuple[FloatArray, tuple[Part, ...]]:
    scale, parts = np.ones(draws), list[Part]()
    for name, multiplier in multipliers:
        factors = multiplier.factors(horizon_s, generator, draws)
        lo, median, hi = np.quantile(factors, (0.1, 0.5, 0.9))
        known = _fitted(multiplier)
        parts.append(Part(name=name, median=float(median), lo=float(lo), hi=float(hi), source=known[0], date=known[1]))
        scale *= factors
    return scale, tuple(parts)


def _fitted(multiplier: Multiplier) -> tuple[str, str]:
    factors = [value for value in vars(multiplier).values() if isinstance(value, Factor)]
    return (factors[0].source, factors[0].date) if factors else (type(multiplier).__name__, "")


def _depth_part(
    edges: FloatArray, down: FloatArray, up: FloatArray, scale: FloatArray, source: str, as_of_ns: int | None
) -> Part:
    """Dollars per 1 % before the multipliers, mean of both sides: the number people compare."""
    place = min(0.01, float(edges[-1]))
    usd = _between(edges, 0.5 * (down + up), place) / scale
    lo, median, hi = np.quantile(usd, (0.1, 0.5, 0.9))
    date = "" if as_of_ns is None else str(np.datetime64(as_of_ns, "ns").astype("datetime64[s]")) + "Z"
    return Part(name=f"depth_{place:.3g}_usd", median=float(median), lo=float(lo), hi=float(hi), source=source, date=date)


def _between(edges: FloatArray, usd: FloatArray, distance: float) -> FloatArray:
    """float64[draws], every row of cumulative dollars at one distance, linear between the edges."""
    edge = min(int(np.searchsorted(edges, distance, side="right")) - 1, edges.size - 2)
    part = (distance - edges[edge]) / (edges[edge + 1] - edges[edge])
    return usd[:, edge] * (1.0 - part) + usd[:, edge + 1] * part
