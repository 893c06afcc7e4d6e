"""The kernel that learns, against a twin that keeps the whole past and sums it anew each interval."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_twin import TwinFilter
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.estimate import _learn_kernels


def run_kernel(exposure, realised, pi, beta, decays, fast, slow, floor):
    n, _, tiers = exposure.shape
    arrays = {
        "weights": pi.copy(),
        "numerator": np.zeros((2, tiers)),
        "denominator": np.zeros((2, tiers)),
        "prior_mean": pi.copy(),
        "prior_strength": beta.copy(),
        "level": np.array([[0.0, 0.0, *fast], [0.0, 0.0, *slow]]),
        "dispersion": np.zeros((2, 2)),
        "wander": np.zeros(2),
        "decay": np.array(decays),
    }
    out = {
        "predicted": np.empty((n, 2)),
        "raw": np.empty((n, 2)),
        "weights": np.empty((n, 2, tiers)),
        "prior": np.empty((n, 2, tiers)),
    }
    _learn_kernels.learn(exposure, realised, *arrays.values(), floor, *out.values())
    return arrays, out


@st.composite
def histories(draw):
    """Exposure float64[n, 2, T], liquidations float64[n, 2] with unknown intervals, a prior, decays and levels."""
    n, tiers = draw(st.integers(1, 25)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    exposure = rng.exponential(1e8, (n, 2, tiers)) * (rng.random((n, 2, tiers)) < 0.7)
    realised = rng.exponential(1e6, (n, 2)) * (rng.random((n, 2)) < 0.9)
    realised[rng.random(n) < draw(st.sampled_from((0.0, 0.3, 1.0)))] = np.nan
    pi = rng.uniform(1e-4, 1e-2, (2, tiers))
    beta = np.full((2, tiers), draw(st.sampled_from((1e5, 3e7, 1e10))))
    decays = draw(st.sampled_from(((0.9995, 0.944, 0.997), (0.9, 0.5, 0.99), (1.0, 1.0, 1.0))))
    return exposure, realised, pi, beta, decays, (2e4, 0.5), (3e5, 0.75), draw(st.sampled_from((0.0, 5e3)))


@settings(max_examples=100, deadline=None)
@given(histories())
def test_learning_is_the_plain_twins(history):
    exposure, realised, pi, beta, decays, fast, slow, floor = history
    state, out = run_kernel(*history)
    twin = TwinFilter(pi, beta, decays, fast, slow, floor)
    for t in range(len(exposure)):
        np.testing.assert_allclose(out["weights"][t], twin.weights(), rtol=1e-9)
        np.testing.assert_allclose(out["prior"][t], twin.prior_share(), rtol=1e-9)
        np.testing.assert_allclose(out["predicted"][t], twin.interval(exposure[t], realised[t]), rtol=1e-9)
    np.testing.assert_allclose(state["weights"], twin.weights(), rtol=1e-9)
    np.testing.assert_allclose(state["denominator"], twin.denominator(), rtol=1e-9, atol=1e-3)
    if twin.past:
        np.testing.assert_allclose(state["dispersion"][:, 0], twin.discounted(twin.errors), rtol=1e-9)
        assert state["wander"][0] == pytest.approx(twin.discounted([x * x for x in twin.levels]), rel=1e-9)
    else:
        assert not state["dispersion"].any()


def test_one_interval_by_hand():
    # One tier: weight 0.01 of 100 M swept = 1 M + 1; half of the evidence is prior (strength 100 M), 3 M were published,
    # so the weight moves half way from 0.01 to 0.03. The side that swept nothing keeps its prior.
    exposure = np.array([[[1e8], [0.0]]])
    realised = np.array([[3e6, 0.0]])
    level = (1e30, 0.5)  # so much prior that the level stays 1
    state, out = run_kernel(exposure, realised, np.full((2, 1), 0.01), np.full((2, 1), 1e8), (1.0, 1.0, 1.0), level, level, 0.0)
    assert out["predicted"][0] == pytest.approx([1e6 + 1.0, 1.0])
    assert state["weights"][0, 0] == pytest.approx(0.02, rel=1e-5)
    assert state["weights"][1, 0] == pytest.approx(0.01)


def test_before_a_fit_nothing_moves_and_all_is_prior():
    exposure, unknown = np.full((3, 2, 2), 1e8), np.full((3, 2), np.nan)
    pi, never = np.full((2, 2), 0.003), np.full((2, 2), np.inf)
    state, out = run_kernel(exposure, unknown, pi, never, (0.9, 0.9, 0.9), (1e4, 0.5), (1e4, 0.5), 5e3)
    np.testing.assert_array_equal(state["weights"], pi)
    np.testing.assert_array_equal(out["prior"], 1.0)
    np.testing.assert_allclose(out["predicted"], 2 * 0.003 * 1e8 + 5e3 + 1.0)
