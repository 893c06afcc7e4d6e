"""A random walk whose liquidations follow the path, in hourly bars."""

import numpy as np

from liqscape.clock import parse_instant
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries, PriceKind
from liqscape.units import NS_PER_HOUR
from liqscape.validate import Panel, panel

ONE = InstrumentId("test", "XUSDT")


def tape(days: int = 70, seed: int = 5) -> tuple[BarSeries, LiquidationSeries]:
    """Liquidations are exactly 1e9 times the square of the adverse move."""
    rng = np.random.default_rng(seed)
    n = 24 * days
    close = 100.0 * np.exp(np.cumsum(0.005 * rng.standard_normal(n)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = (f(opened, close) * (1.0 + s * 0.002 * rng.random(n)) for f, s in ((np.maximum, 1), (np.minimum, -1)))
    ts = parse_instant("2026-01-01") + NS_PER_HOUR * np.arange(n)
    nothing = np.full(n, np.nan)
    bars = BarSeries(
        ONE, NS_PER_HOUR, PriceKind.MARK, ts, ts + NS_PER_HOUR, opened, high, low, close, nothing, nothing, np.full(n, 1e6)
    )
    usd = [1e9 * (1.0 - low / opened) ** 2, 1e9 * (high / opened - 1.0) ** 2]
    return bars, LiquidationSeries(ONE, NS_PER_HOUR, ts, ts + NS_PER_HOUR, usd[0], usd[1], ("test",), Completeness.ALL)


def rows_of(bars: BarSeries, liquidations: LiquidationSeries) -> Panel:
    """Every hour of a tape."""
    return panel(bars, liquidations, bars.start_ns, np.column_stack((liquidations.long_usd, liquidations.short_usd)))


def poisoned(
    bars: BarSeries, liquidations: LiquidationSeries, first: int, *, dollars: float = 100.0, prices: float = 1.3
) -> tuple[BarSeries, LiquidationSeries]:
    """The same tape, spoilt from hour `first` on."""
    late = np.arange(len(bars)) >= first
    names = ("open", "high", "low", "close")
    return (
        BarSeries(**(vars(bars) | {n: getattr(bars, n) * np.where(late, prices, 1.0) for n in names})),
        LiquidationSeries(
            **(
                vars(liquidations)
                | {n: getattr(liquidations, n) * np.where(late, dollars, 1.0) for n in ("long_usd", "short_usd")}
            )
        ),
    )
