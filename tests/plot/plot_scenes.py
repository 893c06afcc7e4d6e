"""Maps and heatmaps with structure, made from a seed: a price that wanders, bands laid down at distances and swept."""

from __future__ import annotations

import numpy as np

from liqscape.clock import parse_instant
from liqscape.model import Completeness, InstrumentId, PositionSide, PriceKind
from liqscape.model.maps import (
    BUCKET_WIDTH,
    BUCKETS,
    Balance,
    Heatmap,
    Inputs,
    LiquidationMap,
    Outcome,
    Reading,
    SideLevels,
    WeightsOrigin,
)
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE

AS_OF = parse_instant("2026-01-30T22:55Z")
TIERS, CLASSES, DRAWS = 4, 3, 64


def make_inputs(symbol: str = "binance:BTCUSDT") -> Inputs:
    return Inputs(
        instrument=InstrumentId.parse(symbol),
        venues=("binance", "bybit", "okx"),
        price_kind=PriceKind.MARK,
        bar_interval_ns=5 * NS_PER_MINUTE,
        window_from_ns=AS_OF - 60 * NS_PER_DAY,
        window_to_ns=AS_OF,
        bars=17_279,
        missing_bars=1,
        last_bar_end_ns=AS_OF - NS_PER_MINUTE,
        last_open_interest_ns=AS_OF,
        last_liquidation_ns=AS_OF,
        completeness=Completeness.THROTTLED,
        recorded=False,
        sha256="3fa9c2d1" * 8,
        level_fast=1.0,
        level_slow=1.0,
        weights=WeightsOrigin(source="learned", instrument=symbol, from_ns=None, to_ns=None, hours=1400),
    )


def make_side(side: PositionSide, mark: float, rng: np.random.Generator, total_usd: float, prior: str) -> SideLevels:
    """Density ~ distance^1.5 times bumps; `prior` is none, some (grows outward) or all."""
    sign = -side.sign
    edges = mark * (1.0 + sign * BUCKET_WIDTH * np.arange(BUCKETS + 1))
    distance = BUCKET_WIDTH * (np.arange(BUCKETS) + 0.5)
    usd = distance**0.5 * np.exp(rng.normal(0.0, 0.35, BUCKETS))
    for centre in rng.uniform(0.005, 0.45, 18):
        usd += rng.uniform(0.5, 2.5) * np.exp(-0.5 * ((distance - centre) / rng.uniform(0.001, 0.006)) ** 2) * centre**0.3
    usd[distance < 0.012] *= 0.15
    usd *= total_usd / usd.sum()
    share = {"none": np.zeros(BUCKETS), "some": np.clip(distance * 2.5, 0.03, 0.9), "all": np.ones(BUCKETS)}[prior]
    factors = np.exp(rng.normal(0.0, 0.25, (DRAWS, 1)) + 0.15 * rng.normal(size=(DRAWS, BUCKETS)))
    return SideLevels(
        side=side,
        edge_price=edges,
        usd=usd,
        base=usd / (0.5 * (edges[:-1] + edges[1:])),
        prior_usd=usd * share,
        age_s=np.full(BUCKETS, 3600.0),
        tier_usd=np.tile(usd / TIERS, (TIERS, 1)),
        class_usd=np.tile(usd / CLASSES, (CLASSES, 1)),
        draws_usd=usd * factors,
        prior_draws_usd=usd * factors * share,
    )


def make_map(
    *,
    mark: float = 84_178.9,
    seed: int = 1,
    short_usd: float = 1.2e9,
    long_usd: float = 1.0e9,
    prior: str = "some",
    simulated: bool = False,
    caveats: tuple[str, ...] = ("POTENTIAL", "WINDOW", "MODEL", "THROTTLED", "UNTESTED"),
    asked: str = "BTC",
    symbol: str = "binance:BTCUSDT",
) -> LiquidationMap:
    rng = np.random.default_rng(seed)
    short = make_side(PositionSide.SHORT, mark, rng, short_usd, prior)
    long = make_side(PositionSide.LONG, mark, rng, long_usd, prior)
    held = 60_000.0
    return LiquidationMap(
        asked=asked,
        inputs=(make_inputs(symbol),),
        as_of_ns=AS_OF,
        computed_at_ns=AS_OF,
        mark_price=mark,
        price_kind=PriceKind.MARK,
        short=short,
        long=long,
        balance=Balance(
            open_interest_base=held,
            long_base=0.12 * held,
            short_base=0.1 * held,
            long_reservoir_base=0.88 * held,
            short_reservoir_base=0.9 * held,
        ),
        tiers=np.geomspace(0.005, 0.6, TIERS),
        class_life_s=np.array([300_000.0, 10_000.0, 480.0]),
        sigma_1d=0.0226,
        open_interest_usd=held * mark,
        funding_rate=0.0001,
        funding_interval_ns=8 * 3600 * 10**9,
        price_change_24h=-0.0041,
        reading=Reading.PUBLISHED,
        reported_share=None,
        outcome=Outcome.LEARNED,
        model="L3.1",
        simulated=simulated,
        caveats=caveats,
    )


def make_heatmap(
    *,
    columns: int = 288,
    rows: int = 400,
    start_price: float = 84_000.0,
    volatility: float = 0.0016,
    seed: int = 3,
    usd: float = 4e6,
    prior: bool = True,
    gap: slice | None = None,
    simulated: bool = False,
    interval_ns: int = 5 * NS_PER_MINUTE,
    reach: float = 0.08,
) -> Heatmap:
    """Lay bands at several distances from a wandering price and sweep them when it comes back."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, volatility, columns) * (1.0 + 1.5 * (np.sin(np.arange(columns) / 40.0) > 0.7))
    close = start_price * np.exp(np.cumsum(steps))
    open_ = np.concatenate([[start_price], close[:-1]])
    wick = np.abs(rng.normal(0.0, 0.6 * volatility, (2, columns)))
    high, low = np.maximum(open_, close) * np.exp(wick[0]), np.minimum(open_, close) * np.exp(-wick[1])
    edges = np.geomspace(low.min() * (1.0 - reach), high.max() * (1.0 + reach), rows + 1)
    middle, step = np.sqrt(edges[:-1] * edges[1:]), np.log(edges[1] / edges[0])
    grid, mass = np.empty((rows, columns), np.float32), np.zeros((2, rows))
    age = np.zeros(rows)
    for t in range(columns):
        mass[:, (middle >= low[t]) & (middle <= high[t])] = 0.0
        mass[0, middle > close[t]] = 0.0
        mass[1, middle < close[t]] = 0.0
        flow = np.exp(rng.normal(0.0, 1.3))
        for distance in (0.01, 0.02, 0.04, 0.08):
            for side, sign in ((0, -1.0), (1, 1.0)):
                level = np.log(close[t] * (1.0 + sign * distance))
                bump = np.exp(-0.5 * ((np.log(middle) - level) / max(0.0012, 1.3 * step)) ** 2)
                mass[side] += flow * bump * usd * distance**0.5
        mass *= 0.997
        age += 1.0
        grid[:, t] = mass.sum(axis=0) + usd * 0.01 * np.abs(np.log(middle / close[t]))
    share = np.broadcast_to((np.abs(np.log(middle / close.mean())) > 0.09)[:, None], grid.shape)
    prior_share = np.where(share & prior, 0.8, 0.2 if prior else 0.0).astype(np.float32)
    if gap is not None:
        grid[:, gap] = np.nan
        for series in (open_, high, low, close):
            series[gap] = np.nan
    return Heatmap(
        asked="BTC",
        inputs=(make_inputs(),),
        as_of_ns=AS_OF,
        computed_at_ns=AS_OF,
        start_ns=AS_OF - interval_ns * np.arange(columns, 0, -1, dtype=np.int64),
        interval_ns=interval_ns,
        edge_price=edges,
        usd_per_permille=grid,
        prior_share=prior_share,
        open=open_,
        high=high,
        low=low,
        close=close,
        reading=Reading.PUBLISHED,
        model="L3.1",
        simulated=simulated,
        price_kind=PriceKind.MARK,
        caveats=("POTENTIAL", "WINDOW", "MODEL", "THROTTLED"),
    )
