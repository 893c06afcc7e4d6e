"""Regressions in the head, against plain ones, and the resampling of days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.validate import claims_fit as fit
from liqscape.validate.claims import Verdict, benjamini_hochberg, verdict_of

SEEDS = st.integers(0, 10_000)


def test_logit_of_counts():
    # 300 of 1,000 touched with a 1 in the design, 200 of 1,000 with a 0: log odds -1.386, log odds ratio 0.539.
    y = np.concatenate([np.repeat([1.0, 0.0], [300, 700]), np.repeat([1.0, 0.0], [200, 800])])[None]
    x = np.repeat([1.0, 0.0], 1_000)
    design = np.stack([np.ones(2_000), x], axis=1)[None]
    beta, error = fit.logit(y, design, np.zeros((1, 2_000)))
    assert beta[0] == pytest.approx([np.log(0.25), np.log(300 / 700) - np.log(0.25)], abs=0.002)
    assert error[0, 1] == pytest.approx(np.sqrt(1 / 300 + 1 / 700 + 1 / 200 + 1 / 800), rel=0.01)
    # What the offset says already is not said again.
    given_odds = np.where(x == 1.0, np.log(300 / 700), np.log(0.25))[None]
    assert fit.logit(y, design, given_odds)[0][0] == pytest.approx([0.0, 0.0], abs=0.002)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_a_weight_is_a_repetition_and_batches_are_separate(seed):
    rng = np.random.default_rng(seed)
    y, x, offset = (rng.random(60) < 0.4).astype(float), rng.normal(size=(60, 3)), rng.normal(size=60)
    weight = rng.integers(0, 4, 60)
    again = np.repeat(np.arange(60), weight)
    both = fit.logit(np.stack([y, y]), np.stack([x, x]), np.stack([offset, offset]), np.stack([weight, np.ones(60)]))[0]
    assert both[0] == pytest.approx(fit.logit(y[again][None], x[again][None], offset[again][None])[0][0], abs=1e-6)
    assert both[1] == pytest.approx(fit.logit(y[None], x[None], offset[None])[0][0], abs=1e-6)
    line = fit.least_squares(offset[None], x[None], weight[None].astype(float))[0][0]
    assert line == pytest.approx(np.linalg.lstsq(x[again], offset[again], rcond=None)[0], abs=1e-6)


def test_least_squares_error_is_the_textbook_one():
    rng = np.random.default_rng(3)
    x, noise = np.stack([np.ones(50), rng.normal(size=50)], axis=1), rng.normal(size=50)
    y = x @ np.array([1.0, 2.0]) + noise
    beta, error = fit.least_squares(y[None], x[None], np.ones((1, 50)))
    left = y - x @ beta[0]
    expected = np.sqrt(left @ left / 48 * np.diag(np.linalg.inv(x.T @ x)))
    assert error[0] == pytest.approx(expected, rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_days_change_places_within_their_stratum(seed):
    rng = np.random.default_rng(seed)
    strata = rng.integers(0, 3, 15)
    permuted = fit.permuted_days(strata, 40, rng)
    assert (np.sort(permuted, axis=1) == np.arange(15)).all()
    assert (strata[permuted] == strata).all()
    assert fit.of_days(np.array([2, 0]), 3).tolist() == [6, 7, 8, 0, 1, 2]
    assert (fit.resampled_days(15, 40, rng).sum(axis=1) == 15).all()


def test_p_counts_what_was_observed_as_one_of_the_permutations():
    # 2 of 9 permutations are as far from 0 as 1.5: (1 + 2) / (1 + 9).
    assert fit.two_sided_p(1.5, np.array([-2.0, 1.5, 1.0, 0.0, -1.0, 0.2, 0.3, -0.4, 0.1])) == pytest.approx(0.3)


def test_verdicts_and_q_values():
    assert verdict_of(0.2, 0.05) is Verdict.FOUND
    assert verdict_of(-0.2, 0.01) is Verdict.OPPOSITE
    assert verdict_of(0.2, 0.051) is Verdict.NOT_FOUND
    # 0.01 * 3 / 1, 0.04 * 3 / 2 no larger than what follows it, 0.05 * 3 / 3.
    assert benjamini_hochberg([0.04, 0.01, 0.05]) == pytest.approx([0.05, 0.03, 0.05])
