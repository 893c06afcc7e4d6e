"""What a simulated venue leaves behind: the records it would publish, and the truth that no venue tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqscape.clock import iso
from liqscape.errors import OutOfRecord
from liqscape.model import (
    BarSeries,
    Completeness,
    InstrumentId,
    Liquidation,
    LiquidationPriceKind,
    LiquidationSeries,
    PositionSide,
)
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.model.maps import BUCKET_WIDTH, BUCKETS
from liqscape.testing.market.config import MarketConfig


@dataclass(frozen=True)
class StepSeries:
    """The market at the end of every recorded step.

    Parameters
    ----------
    end_ns : int64[n], ns UTC
    mark, last, index : float64[n], quote per base
    depth_usd_per_percent : float64[n], USD that move the price by 1 %
    long_lots, short_lots : int64[n], contracts of each side in lots; equal at every step
    opened_long_lots, opened_short_lots : int64[n], what traders opened within the step on each side, in lots, closes not taken
        off: no venue publishes it
    insurance_fund_usd : float64[n], cash and unrealised profit of the fund; below zero is a deficit that the venue carries
    """

    end_ns: IntArray
    mark: FloatArray
    last: FloatArray
    index: FloatArray
    depth_usd_per_percent: FloatArray
    long_lots: IntArray
    short_lots: IntArray
    opened_long_lots: IntArray
    opened_short_lots: IntArray
    insurance_fund_usd: FloatArray


@dataclass(frozen=True)
class LiquidationPrints:
    """Every forced order, complete, with what the venue knew when it took the position over.

    Parameters
    ----------
    ts_ns : int64[n], ns UTC, within the last second of the step whose mark caused it, in the order of execution
    sign : int8[n], +1 a long was closed, -1 a short
    price : float64[n], bankruptcy price, quote per base: the published price
    quantity_base : float64[n]
    account : int64[n]
    mark_price, liquidation_price : float64[n], the mark that triggered and the level that it crossed
    equity_usd, maintenance_usd : float64[n], of the position at that mark
    """

    instrument: InstrumentId
    ts_ns: IntArray
    sign: np.ndarray[tuple[int], np.dtype[np.int8]]
    price: FloatArray
    quantity_base: FloatArray
    account: IntArray
    mark_price: FloatArray
    liquidation_price: FloatArray
    equity_usd: FloatArray
    maintenance_usd: FloatArray

    def __len__(self) -> int:
        return self.ts_ns.size

    @property
    def notional_usd(self) -> FloatArray:
        """float64[n], quantity at the published price."""
        return self.quantity_base * self.price

    def records(self) -> list[Liquidation]:
        """Return the prints as records of a venue."""
        return [
            Liquidation(
                instrument=self.instrument,
                position_side=PositionSide.LONG if self.sign[i] > 0 else PositionSide.SHORT,
                price=float(self.price[i]),
                price_kind=LiquidationPriceKind.BANKRUPTCY,
                quantity_base=float(self.quantity_base[i]),
                completeness=Completeness.ALL,
                ts_venue=int(self.ts_ns[i]),
                ts_recv=None,
            )
            for i in range(len(self))
        ]


@dataclass(frozen=True)
class Deleveragings:
    """Winning positions that were closed because the fund had no money, in the order in which they were chosen.

    Parameters
    ----------
    ts_ns : int64[n], ns UTC
    sign : int8[n], +1 a long was reduced, -1 a short
    quantity_base : float64[n]
    account : int64[n]
    price, mark_price : float64[n], what they were closed at (the price at which the fund had taken over) and the mark
    score : float64[n], rank: profit x effective leverage, or profit / leverage where it is a loss
    """

    ts_ns: IntArray
    sign: np.ndarray[tuple[int], np.dtype[np.int8]]
    quantity_base: FloatArray
    account: IntArray
    price: FloatArray
    mark_price: FloatArray
    score: FloatArray

    def __len__(self) -> int:
        return self.ts_ns.size


@dataclass(frozen=True)
class FundingSeries:
    """Funding as paid: int64[n] ns UTC, float64[n] fraction per interval."""

    ts_ns: IntArray
    rate: FloatArray
    interval_ns: int


@dataclass(frozen=True)
class TruePositions:
    """Every open position of one instant, makers, hedgers and the fund included.

    Parameters
    ----------
    as_of_ns, mark_price
        The instant and the mark then.
    sign : int8[n], +1 long, -1 short
    quantity_base, entry_price : float64[n]
    margin_usd : float64[n], money behind the position
    liquidation_price : float64[n], mark that would liquidate, the other contract of a shared wallet held at its mark; NaN where
        none does
    cross : bool[n], cross margin; makers and hedgers always
    account : int64[n]
    age_s : float64[n], since the position was opened, NaN for those who always hold something
    trader : bool[n], False for makers, hedgers and the insurance fund
    """

    as_of_ns: int
    mark_price: float
    sign: np.ndarray[tuple[int], np.dtype[np.int8]]
    quantity_base: FloatArray
    entry_price: FloatArray
    margin_usd: FloatArray
    liquidation_price: FloatArray
    cross: BoolArray
    account: IntArray
    age_s: FloatArray
    trader: BoolArray

    def __len__(self) -> int:
        return self.account.size

    def __repr__(self) -> str:
        long_base = float(self.quantity_base[self.sign > 0].sum())
        return f"TruePositions(as_of={iso(self.as_of_ns)}, positions={len(self)}, open_interest_base={long_base:.3f})"


@dataclass(frozen=True)
class SimulatedRun:
    """A simulated market from its recorded beginning to its end.

    Parameters
    ----------
    config, seed
        What it was made from; the same two give the same run, bit for bit, on one platform.
    bars
        Mark-price bars with the true extremes over the steps, volume and open interest.
    prints, liquidations
        Every forced order, and their hourly sums: complete, in USD at the published price.
    partial : bool[prints], a step of a large position, closed in the book for its own account; else it was taken over whole
    deleveraged
        Winners closed because the insurance fund had no money.
    money_usd : float64[snapshots, 2], held by everyone at cost, and deposited less withdrawn, over all markets of the run: equal
        up to rounding
    partner : int64[accounts], account of the venue's other market that has the same wallet, -1 where there is none
    """

    config: MarketConfig
    seed: int
    bars: BarSeries
    prints: LiquidationPrints
    partial: BoolArray
    deleveraged: Deleveragings
    liquidations: LiquidationSeries
    funding: FundingSeries
    steps: StepSeries
    snapshots: tuple[TruePositions, ...]
    money_usd: FloatArray
    partner: IntArray

    @property
    def snapshot_ns(self) -> IntArray:
        """int64[n], ns UTC, instants of which the truth was kept."""
        return np.array([s.as_of_ns for s in self.snapshots], np.int64)

    def truth(self, as_of_ns: int | None = None) -> TruePositions:
        """Return every open position at an instant that was kept; default: the end.

        Raises
        ------
        OutOfRecord
            If no snapshot was taken at that instant.
        """
        if as_of_ns is None:
            return self.snapshots[-1]
        for snapshot in self.snapshots:
            if snapshot.as_of_ns == as_of_ns:
                return snapshot
        times = self.snapshot_ns
        nearest = int(times[np.argmin(np.abs(times - as_of_ns))])
        raise OutOfRecord(
            f"simulated market: no truth was kept at {iso(as_of_ns)}; the nearest is {iso(nearest)}",
            hint="Ask for an instant in `snapshot_ns`, or set a smaller `snapshot_interval_ns`.",
        )

    def __repr__(self) -> str:
        return (
            f"SimulatedRun(seed={self.seed}, bars={len(self.bars)}, liquidations={len(self.prints)},"
            f" snapshots={len(self.snapshots)})"
        )


def true_levels(
    positions: TruePositions,
    mark_price: float | None = None,
    width: float = BUCKET_WIDTH,
    buckets: int = BUCKETS,
) -> tuple[FloatArray, FloatArray]:
    """Return what would be liquidated, by distance from the mark, in the buckets of a map.

    Parameters
    ----------
    positions
        The truth of one instant.
    mark_price
        Quote per base; default: the mark of `positions`.
    width, buckets
        Bucket i holds levels between `mark * (1 -+ i * width)` and `mark * (1 -+ (i + 1) * width)`.

    Returns
    -------
    long_usd, short_usd : float64[buckets], USD at the liquidation price; longs below the mark, shorts above. Positions that
        nothing liquidates, or that lie farther out, are in no bucket; one that is due already is in the first.
    """
    mark = positions.mark_price if mark_price is None else mark_price
    sides: list[FloatArray] = []
    for sign in (1, -1):
        of_side = (positions.sign == sign) & np.isfinite(positions.liquidation_price)
        level = positions.liquidation_price[of_side]
        distance = np.maximum(sign * (1.0 - level / mark), 0.0)
        bucket = np.floor(distance / width).astype(np.int64)
        inside = bucket < buckets
        usd = (positions.quantity_base[of_side] * level)[inside]
        sides.append(np.bincount(bucket[inside], weights=usd, minlength=buckets).astype(np.float64))
    return sides[0], sides[1]
