"""The distance between maps, and the folder that `import` reads."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import wasserstein_distance

from liqscape.errors import BadArgument
from liqscape.model.arrays import FloatArray
from liqscape.testing.market import MarketConfig, SimulatedMarket, spatial_distance, write_dataset

masses = arrays(np.float64, 20, elements=st.floats(0.0, 1e6))


def test_mass_moved_by_one_per_cent_is_a_hundred_basis_points_away() -> None:
    estimated, true, none = np.zeros(20), np.zeros(20), np.zeros(20)
    estimated[3], true[5] = 7.0, 14.0  # two buckets of 0.5 %; only shares count
    score = spatial_distance(none, estimated, none, true, width=0.005)
    assert score.w1_bps == pytest.approx(100.0)
    assert score.short_near_log_error is None  # nothing true within 2 %
    assert score.long_near_error is None


def test_sides_are_joined_at_the_mark() -> None:
    # From the middle of the first long bucket to the middle of the first short one: one width.
    first, none = np.eye(20)[0], np.zeros(20)
    score = spatial_distance(first, none, none, first, width=0.005)
    assert score.w1_bps == pytest.approx(50.0)
    assert score.long_near_error is None
    assert score.short_near_error == pytest.approx(-1.0)


def test_near_mass_is_compared_in_dollars() -> None:
    ones = np.ones(20)
    score = spatial_distance(3 * ones, ones / 2, ones, ones, width=0.005)
    assert score.long_near_error == pytest.approx(2.0)
    assert score.short_near_error == pytest.approx(-0.5)
    assert score.short_near_log_error == pytest.approx(-np.log(2.0))


def test_an_empty_map_has_no_distance() -> None:
    none, ones = np.zeros(20), np.ones(20)
    assert spatial_distance(none, none, ones, ones, width=0.005).w1_bps is None


def test_maps_that_do_not_reach_are_refused() -> None:
    ones = np.ones(10)
    with pytest.raises(BadArgument, match=r"reach 0\.05 of the mark, 0\.1 is needed"):
        spatial_distance(ones, ones, ones, ones, width=0.005)


@given(masses, masses, masses, masses)
def test_agrees_with_scipy(a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray) -> None:
    score = spatial_distance(a, b, c, d, width=0.005)
    estimated, true = np.concatenate([a[::-1], b]), np.concatenate([c[::-1], d])
    if estimated.sum() == 0.0 or true.sum() == 0.0:
        assert score.w1_bps is None
    else:
        place = np.arange(40) * 50.0
        shares = estimated / estimated.sum(), true / true.sum()
        assert score.w1_bps == pytest.approx(wasserstein_distance(place, place, *shares), rel=1e-6, abs=1e-6)


def test_folder_holds_what_the_venue_published_and_the_truth(tmp_path: Path) -> None:
    run = SimulatedMarket(MarketConfig(days=2.0, warmup_days=0.5, accounts=300), seed=4).run()
    folder = write_dataset(run, tmp_path / "simulated")
    said = tomllib.loads((folder / "dataset.toml").read_text())
    assert said["instrument"] == "simulated:BTCUSDT"
    assert said["simulated"] is True
    assert said["bars"] == {"file": "bars_5m.parquet", "interval": "5m", "price_kind": "mark", "open_interest": "base"}
    assert said["liquidations"]["venues"] == ["simulated"]
    assert said["liquidations"]["complete"] is True
    bars = pl.read_parquet(folder / "bars_5m.parquet")
    assert bars.height == 576
    assert bars["ts"].dt.epoch("ns").to_list() == run.bars.start_ns.tolist()
    assert bars["open_interest_base"].to_list() == run.bars.open_interest_base.tolist()
    totals = pl.read_parquet(folder / "liquidations_1h.parquet")
    assert totals.columns == ["ts", "long_usd", "short_usd"]
    assert totals.height == 48
    assert pl.read_parquet(folder / "funding.parquet").height == 6
    truth = pl.read_parquet(folder / "truth.parquet")
    end = truth.filter(pl.col("ts") == truth["ts"].max())
    assert end.height == len(run.truth())
    assert end["liquidation_price"].null_count() == int(np.isnan(run.truth().liquidation_price).sum())
