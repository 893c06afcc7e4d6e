"""Scores, distributions and tests by hand, then their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from validate_scenes import rows_of, tape

from liqscape.errors import BadArgument, NoData
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.bands import LEVELS, Predictive, negative_binomial_loss, predictive, weighted_crps
from liqscape.validate.bootstrap import Days, diebold_mariano, holm
from liqscape.validate.panel import BURN_IN_NS, Schedule
from liqscape.validate.scores import Scored, card, poisson_deviance, ranks


def scored(y: np.ndarray, m: np.ndarray, null: float) -> Scored:
    """One side's hours, laid on both sides, without distributions."""
    n = y.size
    none = np.full((n, 2), np.nan)
    both = np.column_stack((y, y)), np.column_stack((m, m))
    bands = Predictive(np.full((n, 2, len(LEVELS)), np.nan), none, none, none, none)
    return Scored(NS_PER_HOUR * np.arange(n), *both, np.full((n, 2), null), np.full(2, null), bands)


def test_deviance_by_hand():
    # y = 2 against 1: 2 (2 ln 2 - 1); y = 0 against 1: 2
    assert poisson_deviance(np.array([2e6]), np.array([1e6])) == pytest.approx(2e6 * (2 * np.log(2) - 1))
    assert poisson_deviance(np.array([0.0]), np.array([1e6])) == pytest.approx(2e6)


def test_a_perfect_prediction_scores_one_and_the_null_scores_nought():
    y = np.array([1e6, 0.0, 3e6, 2e6])
    every = np.full(4, True)
    assert card(scored(y, np.maximum(y, 1.0), 1.5e6), every, (0,)).d2.value == pytest.approx(1.0, abs=1e-6)
    assert card(scored(y, np.full(4, 1.5e6), 1.5e6), every, (0,)).d2.value == pytest.approx(0.0, abs=1e-9)
    found = card(scored(y, y * 2.0, 1.5e6), every, (0, 1))
    assert (found.intervals, found.spearman.value, found.total_ratio.value) == (8, pytest.approx(1.0), pytest.approx(2.0))
    assert (found.log_loss.value, found.coverage_90.value, found.pit) == (None, None, ())  # unknown is not zero


def test_a_score_needs_something_to_score():
    with pytest.raises(NoData, match="at least 3"):
        card(scored(np.ones(2), np.ones(2), 1.0), np.full(2, True), (0,))
    with pytest.raises(NoData, match="holding"):
        card(scored(np.zeros(5), np.ones(5), 1.0), np.full(5, True), (0,))


def test_crps_by_hand():
    # one certain value: the distance; two values 0 and 2 against 1: E|X - y| = 1, E|X - X'| / 2 = 1/2
    assert weighted_crps(np.array([3.0]), np.array([1.0]), 5.0) == 2.0
    assert weighted_crps(np.array([0.0, 2.0]), np.array([0.5, 0.5]), 1.0) == 0.5


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=20), st.floats(0.0, 1e6))
def test_crps_is_the_integral_of_squared_differences(values: list[float], y: float):
    sample = np.sort(np.array(values))
    weight = np.full(sample.size, 1.0 / sample.size)
    edges = np.sort(np.append(sample, y))
    below = np.searchsorted(sample, edges[:-1], side="right") / sample.size
    exact = np.sum((below - (edges[:-1] >= y)) ** 2 * np.diff(edges))
    assert weighted_crps(sample, weight, y) == pytest.approx(exact, rel=1e-9, abs=1e-6)


def test_negative_binomial_is_scipys():
    y, m, dispersion = np.array([0.0, 3e3, 40e3]), np.array([2e3, 2e3, 10e3]), 0.5
    size = 1.0 / dispersion
    expected = -stats.nbinom.logpmf(y / 1e3, size, size / (size + m / 1e3))
    assert negative_binomial_loss(y, m, dispersion) == pytest.approx(expected)


def test_ranks_of_ties_are_shared():
    assert ranks(np.array([5.0, 1.0, 5.0, 9.0])).tolist() == [2.5, 1.0, 2.5, 4.0]


def test_holm_and_harvey_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == [0.03, 0.06, 0.06]
    # independent differences with mean 1 and variance 1 over 4: t = 2 sqrt(3/4)
    t, p = diebold_mariano(np.array([0.0, 2.0, 2.0, 0.0]), lag=0)
    assert t == pytest.approx(2.0 * np.sqrt(0.75))
    assert p == pytest.approx(2 * stats.t.sf(t, 3))
    assert diebold_mariano(np.zeros(9), lag=2)[1] == 1.0


def test_diebold_mariano_keeps_its_size_on_correlated_differences():
    rng = np.random.default_rng(3)
    rejected = 0
    for _ in range(300):
        shocks = rng.standard_normal(700)
        rejected += diebold_mariano(shocks[2:] + 0.6 * shocks[1:-1] + 0.3 * shocks[:-2], lag=12)[1] < 0.05
    assert 0.02 < rejected / 300 < 0.10


def test_days_are_drawn_whole():
    # 24 equal hours a day: the mean of a day's hours is all that varies
    start = NS_PER_HOUR * np.arange(24 * 30)
    days = np.repeat(np.arange(30.0), 24)
    found = Days(start).value(np.column_stack((days, np.ones(days.size))), lambda s: s[..., 0] / s[..., 1])
    assert found.value == pytest.approx(14.5)
    spread = np.std(np.arange(30.0)) / np.sqrt(30)
    assert found.hi is not None
    assert found.hi - 14.5 == pytest.approx(1.645 * spread, rel=0.1)


def test_two_days_have_no_interval():
    start = NS_PER_HOUR * np.arange(48)
    found = Days(start).value(np.ones((48, 2)), lambda s: s[..., 0] / s[..., 1])
    assert (found.value, found.lo, found.hi) == (1.0, None, None)


def test_bands_hold_what_they_say_and_the_past_alone_speaks():
    bars, liquidations = tape(days=60, seed=9)
    rng = np.random.default_rng(1)
    rows = rows_of(bars, liquidations)
    mean = rows.realised * np.exp(0.7 * rng.standard_normal(rows.realised.shape))
    schedule = Schedule(anchor_ns=int(rows.start_ns[900]))
    asked = np.arange(rows.start_ns.size) >= 900
    found = predictive(rows, mean, asked, schedule, np.quantile(rows.realised[:900], 0.9, axis=0))
    low, high = found.quantiles[asked, :, 0], found.quantiles[asked, :, -1]
    held = np.mean((rows.realised[asked] >= low) & (rows.realised[asked] <= high))
    assert 0.85 < held < 0.95
    assert np.all(np.diff(found.quantiles[asked], axis=2) >= 0.0)
    assert np.isnan(found.quantiles[~asked]).all()
    counts = np.histogram(found.pit[asked], 5, (0, 1))[0]
    assert counts.min() > 0.14 * counts.sum()
    assert np.all(found.tail_crps[asked] <= found.crps[asked] + 1e-9)
    # what comes later changes nothing before
    rows.realised[1200:] *= 50.0
    again = predictive(rows, mean, asked, schedule, np.quantile(rows.realised[:900], 0.9, axis=0))
    assert again.quantiles[900:1201] == pytest.approx(found.quantiles[900:1201], nan_ok=True)
    assert again.quantiles[1250:] != pytest.approx(found.quantiles[1250:], rel=1e-3)


def test_a_fit_ends_before_the_embargo():
    bars, liquidations = tape(days=60)
    rows = rows_of(bars, liquidations)
    schedule = Schedule(anchor_ns=int(rows.start_ns[0]) + 40 * NS_PER_DAY, fit_days=10, refit_days=7, embargo_days=3)
    served = np.zeros(rows.start_ns.size, int)
    for fit, serve in schedule.folds(rows):
        served += serve
        at = rows.start_ns[serve][0]
        assert rows.start_ns[fit][-1] + NS_PER_HOUR <= at - 3 * NS_PER_DAY
        assert rows.start_ns[fit][0] >= max(at - 13 * NS_PER_DAY, rows.start_ns[0] + BURN_IN_NS)
        # every refit lies whole weeks from the anchor
        assert (schedule.anchor_ns - at) % (7 * NS_PER_DAY) == 0
    assert set(served) == {0, 1}
    assert served[24 * 26 :].all()
    with pytest.raises(BadArgument, match="above 0"):
        Schedule(anchor_ns=0, refit_days=0.0)
