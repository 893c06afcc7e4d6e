"""No baseline sees what comes after: the future is spoilt and nothing before it moves."""

from __future__ import annotations

import numpy as np
import pytest
from baselines_scenes import SCHEDULE, rows_of, spoilt, tape

from liqscape.units import NS_PER_HOUR
from liqscape.validate import baselines_boosting
from liqscape.validate.baselines import BASELINES


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setattr(baselines_boosting, "SEEDS", (1,))
    monkeypatch.setattr(baselines_boosting, "TREES", {**baselines_boosting.TREES, "max_iter": 10})
    monkeypatch.setattr(baselines_boosting, "FEW_TREES", {**baselines_boosting.FEW_TREES, "max_iter": 10})


@pytest.fixture(scope="module")
def clean():
    bars, liquidations = tape()
    return bars, liquidations, rows_of(bars, liquidations)


def some_map(rows):
    """What a map may have said: it knows the path of the interval and nothing later."""
    return 1e8 * rows.adverse + 1e4


def predictions(baseline, rows):
    if baseline.needs_boosting:
        pytest.importorskip("sklearn", reason="the extra boosting is not installed")
    return baseline.predict(rows, SCHEDULE, some_map(rows))


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
def test_nothing_before_an_instant_knows_what_comes_after(baseline, clean):
    bars, liquidations, rows = clean
    at = int(rows.start_ns[40 * 24 + 5])
    later = rows_of(*spoilt(bars, liquidations, at))
    before, after = predictions(baseline, rows), predictions(baseline, later)
    first = int(np.searchsorted(rows.start_ns, at))
    served = np.isfinite(before[:first])
    assert served.sum() > 400
    assert after[:first][served] == pytest.approx(before[:first][served], rel=1e-9)
    assert np.isnan(after[:first][~served]).all()
    assert np.isfinite(before[first:]).all()
    # The spoilt tape is not simply ignored: constants fitted on it are others.
    assert after[first:] != pytest.approx(before[first:], rel=1e-3)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
def test_an_interval_knows_its_path_but_not_its_own_open_interest_volume_or_liquidations(baseline):
    bars, liquidations = tape(minutes=60)
    at = int(liquidations.start_ns[40 * 24])
    before = predictions(baseline, rows_of(bars, liquidations))
    after = predictions(baseline, rows_of(*spoilt(bars, liquidations, at, prices=1.0)))
    known = slice(36 * 24, 40 * 24 + 1)  # the spoilt hour itself included
    assert after[known] == pytest.approx(before[known], rel=1e-9)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
def test_only_what_a_fold_serves_is_predicted_and_it_is_dollars(baseline, clean):
    *_, rows = clean
    found = predictions(baseline, rows)
    served = np.zeros(rows.start_ns.size, bool)
    for fit, serve in SCHEDULE.folds(rows):
        served |= serve
        assert rows.start_ns[fit].max() + NS_PER_HOUR <= rows.start_ns[serve].min() - SCHEDULE.embargo_days * 24 * NS_PER_HOUR
    assert found.shape == (rows.start_ns.size, 2)
    assert np.isfinite(found[served]).all()
    assert np.isnan(found[~served]).all()
    assert (found[served] >= 0.0).all()
