"""Small maps made by hand: dollars per bucket in, a whole `LiquidationMap` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import settings

from liqscape.model import Completeness, InstrumentId, PositionSide, PriceKind
from liqscape.model.maps import (
    BUCKET_WIDTH,
    BUCKETS,
    Balance,
    Inputs,
    LiquidationMap,
    Outcome,
    Reading,
    SideLevels,
    WeightsOrigin,
)

# Laws run on machines that do other things too: no deadline per example.
law = settings(max_examples=40, deadline=None)

BTC = InstrumentId("binance", "BTCUSDT")
MARK = 84_178.9
AS_OF_NS = 1_769_813_700_000_000_000  # 2026-01-30T22:55Z
MINUTE_NS = 60_000_000_000


def bucket_usd(spans: Mapping[tuple[float, float], float]) -> np.ndarray:
    """Spread each `(from, to): usd` evenly over the whole buckets between two distances."""
    usd = np.zeros(BUCKETS)
    for (near, far), total in spans.items():
        first, last = round(near / BUCKET_WIDTH), round(far / BUCKET_WIDTH)
        usd[first:last] += total / (last - first)
    return usd


def side_levels(
    side: PositionSide, usd: np.ndarray, mark: float, *, prior: float, draws: int, sigma: float, seed: int, limit: float
) -> SideLevels:
    """Two tiers (2 % and 20 %) share each bucket 3 : 1, two classes 1 : 1; draws are usd times a lognormal factor."""
    factor = np.random.default_rng([seed, int(side is PositionSide.LONG)]).lognormal(0.0, sigma, (draws, 1))
    sign = -side.sign
    return SideLevels(
        side=side,
        edge_price=mark * (1.0 + sign * BUCKET_WIDTH * np.arange(usd.size + 1)),
        usd=usd,
        base=usd / mark,
        prior_usd=prior * usd,
        age_s=np.where(usd > 0.0, 3600.0, np.nan),
        tier_usd=np.array([[0.75], [0.25]]) * usd,
        class_usd=np.array([[0.5], [0.5]]) * usd,
        draws_usd=factor * usd,
        prior_draws_usd=np.linspace(0.0, limit, draws)[:, None] * usd,
    )


def make_inputs(**changes: object) -> Inputs:
    fields: dict = {
        "instrument": BTC,
        "venues": ("binance",),
        "price_kind": PriceKind.MARK,
        "bar_interval_ns": 5 * MINUTE_NS,
        "window_from_ns": AS_OF_NS - 30 * 1440 * MINUTE_NS,
        "window_to_ns": AS_OF_NS,
        "bars": 8640,
        "missing_bars": 0,
        "last_bar_end_ns": AS_OF_NS,
        "last_open_interest_ns": AS_OF_NS,
        "last_liquidation_ns": AS_OF_NS,
        "completeness": Completeness.THROTTLED,
        "recorded": False,
        "sha256": "0" * 64,
        "level_fast": 1.0,
        "level_slow": 1.0,
        "weights": WeightsOrigin(source="learned", instrument=str(BTC), from_ns=0, to_ns=AS_OF_NS, hours=700),
    }
    return Inputs(**{**fields, **changes})


def make_map(
    short: Mapping[tuple[float, float], float] | np.ndarray,
    long: Mapping[tuple[float, float], float] | np.ndarray,
    *,
    mark: float = MARK,
    open_interest_usd: float = 19.4e9,
    sigma_1d: float | None = 0.0226,
    prior: float = 0.1,
    draws: int = 200,
    sigma: float = 0.2,
    seed: int = 7,
    prior_limit: float = 2.0,
    **changes: object,
) -> LiquidationMap:
    """Build a map. `prior_limit`: the prior's draws run evenly from 0 to this multiple of the map's own dollars."""
    arrays = [each if isinstance(each, np.ndarray) else bucket_usd(each) for each in (short, long)]
    sides = [
        side_levels(side, usd, mark, prior=prior, draws=draws, sigma=sigma, seed=seed, limit=prior_limit)
        for side, usd in zip((PositionSide.SHORT, PositionSide.LONG), arrays, strict=True)
    ]
    open_interest_base = open_interest_usd / mark
    long_base, short_base = (float(each.base.sum()) for each in (sides[1], sides[0]))
    fields: dict = {
        "asked": "BTC",
        "inputs": (make_inputs(),),
        "as_of_ns": AS_OF_NS,
        "computed_at_ns": AS_OF_NS,
        "mark_price": mark,
        "price_kind": PriceKind.MARK,
        "short": sides[0],
        "long": sides[1],
        "balance": Balance(
            open_interest_base=open_interest_base,
            long_base=long_base,
            short_base=short_base,
            long_reservoir_base=open_interest_base - long_base,
            short_reservoir_base=open_interest_base - short_base,
        ),
        "tiers": np.array([0.02, 0.2]),
        "class_life_s": np.array([300_000.0, 500.0]),
        "sigma_1d": sigma_1d,
        "open_interest_usd": open_interest_usd,
        "funding_rate": None,
        "funding_interval_ns": None,
        "price_change_24h": None,
        "reading": Reading.PUBLISHED,
        "reported_share": None,
        "outcome": Outcome.LEARNED,
        "model": "test",
        "simulated": False,
    }
    return LiquidationMap(**{**fields, **changes})


def mirrored(liquidation_map: LiquidationMap) -> LiquidationMap:
    """Swap the sides: what stood above stands below at the same distance."""
    mark = liquidation_map.mark_price

    def turned(levels: SideLevels, side: PositionSide) -> SideLevels:
        return replace(levels, side=side, edge_price=2.0 * mark - levels.edge_price)

    return replace(
        liquidation_map,
        short=turned(liquidation_map.long, PositionSide.SHORT),
        long=turned(liquidation_map.short, PositionSide.LONG),
    )
