"""On the shared pack: predictions of the hours to come agree with the one-file reference, and 24 tiers lose nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from estimate_scenes import BTC, FIVE_MINUTES

from liqscape.clock import parse_instant
from liqscape.estimate import Estimator, Recipe
from liqscape.model import BarSeries, Completeness, LiquidationSeries, PriceKind
from liqscape.units import NS_PER_HOUR

PACK = Path(__file__).parents[2] / "../shared/data/btcusdt_backtest"
REFERENCE = replace(Recipe(), tiers=12, smear=0.35, nodes=(-1.28, -0.52, 0.0, 0.52, 1.28), blur=0.0, coarser=())
TEST_FROM, TEST_TO = parse_instant("2026-02-16"), parse_instant("2026-04-01")
BURN_IN = 168  # hours

pytestmark = pytest.mark.skipif(not PACK.is_dir(), reason="the shared pack is not here")


@pytest.fixture(scope="module")
def pack():
    """Bars and liquidations up to the end of the test window."""
    bars = pl.read_parquet(PACK / "bars_5m.parquet").with_columns(pl.col("ts").dt.epoch("ns"))
    bars = bars.filter(pl.col("ts") < TEST_TO)
    sums = pl.read_parquet(PACK / "liquidations_1h.parquet").with_columns(pl.col("ts").dt.epoch("ns"))
    sums = sums.filter(pl.col("ts") < TEST_TO)
    start, hour = bars["ts"].to_numpy(), sums["ts"].to_numpy()
    price = {name: bars[name].to_numpy().astype(float) for name in ("open", "high", "low", "close")}
    unknown = np.full(start.size, np.nan)
    return (
        BarSeries(
            instrument=BTC,
            interval_ns=FIVE_MINUTES,
            price_kind=PriceKind.MARK,
            start_ns=start,
            known_ns=start + FIVE_MINUTES,
            volume_base=unknown,
            taker_buy_base=unknown,
            open_interest_base=bars["open_interest_base"].to_numpy().astype(float),
            **price,
        ),
        LiquidationSeries(
            instrument=BTC,
            interval_ns=NS_PER_HOUR,
            start_ns=hour,
            known_ns=hour + NS_PER_HOUR,
            long_usd=sums["long_usd"].to_numpy().astype(float),
            short_usd=sums["short_usd"].to_numpy().astype(float),
            venues=("binance", "bybit", "okx"),
            completeness=Completeness.THROTTLED,
        ),
    )


def deviance(realised, predicted):
    """Poisson deviance of dollars."""
    likely = np.where(realised > 0.0, realised * np.log(np.maximum(realised, 1e-9) / predicted), 0.0)
    return 2.0 * np.sum(likely - (realised - predicted))


def scored(pack, recipe):
    """D2 of both sides on the test window against the mean of the known hours before it; and the record."""
    bars, liquidations = pack
    estimator = Estimator(FIVE_MINUTES, NS_PER_HOUR, (recipe,))
    estimator.observe(bars, liquidations, TEST_TO)
    start = np.array([i.start_ns for i in estimator.record])
    realised = np.array([i.realised_usd for i in estimator.record])
    predicted = np.array([i.predicted_usd for i in estimator.record])
    known = ~np.isnan(realised).any(axis=1)
    before = known & (start >= start[0] + BURN_IN * NS_PER_HOUR) & (start < TEST_FROM)
    test = known & (start >= TEST_FROM)
    null = np.broadcast_to(realised[before].mean(axis=0), realised[test].shape)
    return [1.0 - deviance(realised[test, s], predicted[test, s]) / deviance(realised[test, s], null[:, s]) for s in (0, 1)], test


def test_production_agrees_with_the_one_file_reference(pack):
    # estimator_reference.py on the same window: .901 and .878.
    found, test = scored(pack, REFERENCE)
    assert test.sum() > 1000
    assert found == pytest.approx([0.901, 0.878], abs=0.005)


def test_the_drawn_model_is_as_good_as_the_reference(pack):
    found, _ = scored(pack, Recipe())
    assert found[0] >= 0.898
    assert found[1] >= 0.875
