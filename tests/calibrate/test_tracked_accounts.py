"""Tracked Hyperliquid accounts, where they are at hand: what is said of them in docs/truth.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liqscape.calibrate import distance_profile, position_prior, survivals
from liqscape.estimate import Recipe

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "hl_positions_2026q1"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the shared data")
def test_large_accounts_stand_far_and_hold_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from benchmarks.positions import read_tracked

    sample = read_tracked(FOLDER)
    assert np.unique(sample.ts_ns).size == 65
    profile = distance_profile(sample, np.array([0.0, 0.1]), draws=200)
    assert np.all((profile.share[:, 0] > 0.02) & (profile.share[:, 0] < 0.12))  # few dollars stand within 10 %
    assert np.all((profile.slope > 1.0) & (profile.slope < 2.6))  # a power law about as steep as the prior's 1.5
    lives = survivals(sample)
    assert 0.85 < float((lives.usd * lives.survived).sum() / lives.usd.sum()) < 0.97
    prior = position_prior(sample)
    recipe = Recipe()
    shape = prior.shape.reshape(2, recipe.tiers, recipe.classes)
    middle = (recipe.distances > 0.04) & (recipe.distances < 0.4)
    assert np.all(shape[:, middle, 0] / shape[:, middle].sum(axis=2) > 0.85)
    assert np.all(prior.effective_positions < 60.0)  # few carry it, however many rows they fill
