"""The cascade engine against the simulated exchange."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from liqscape.cascade import Absorption, Basis, Direction, static_paths


@pytest.fixture
def market(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from benchmarks import cascade_market

    return cascade_market


@pytest.mark.parametrize(("reproduction", "percent"), [(0.3, 1.0), (0.6, 1.5), (0.8, 0.5)])
def test_an_even_market_moves_as_the_engine_says(market, reproduction, percent):
    # even levels and an even book in log price: the outside move by 1 / (1 - R)
    density = np.full(market.ZONES, reproduction * market.DEPTH_USD_PER_PERCENT)
    fell = market.moved(density, market.DEPTH_USD_PER_PERCENT, percent / 100.0)
    assert -np.log(1.0 - fell) == pytest.approx(percent / 100.0 / (1.0 - reproduction), rel=0.025)
    away = -np.log(1.0 - market.DISTANCE)[None]
    book = 100.0 * market.DEPTH_USD_PER_PERCENT * away
    standing = Absorption(market.DISTANCE, book, book, Basis.BOOK, 0.0, None, ())
    levels = np.diff(np.minimum(away, market.ZONE * market.ZONES)) * 100.0 * density[0]
    found = static_paths(levels, standing, Direction.DOWN, shock_usd=percent * market.DEPTH_USD_PER_PERCENT, paths=1)
    assert found.run == pytest.approx([fell], rel=0.025)


def judged(market, count):
    shocks = [market.shocked(seed) for seed in range(count)]
    engine, alone, climate = market.brier(shocks)
    assert engine < climate
    assert engine < alone
    for _, predicted, ran, error in market.reliability(shocks):
        assert abs(ran - predicted) < 3.5 * max(error, 0.02)


def test_probabilities_are_kept_by_the_simulated_exchange(market):
    judged(market, 60)


@pytest.mark.long
def test_probabilities_are_kept_over_many_shocks(market):
    judged(market, 400)
