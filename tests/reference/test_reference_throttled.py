"""The kernels of the throttled feed against their plain twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from throttled_twin import levels, orders_behind, weights_of_largest

from liqscape.estimate import _throttled_kernels as kernels


@given(st.floats(0.0, 30.0), st.booleans(), st.floats(0.0, 1.0))
def test_orders_behind_a_print_are_the_mean_of_the_poisson_law(rate, largest, below):
    if rate == 0.0:
        assert kernels.expected_orders(rate, largest, below) == 1.0
    else:
        assert kernels.expected_orders(rate, largest, below) == pytest.approx(orders_behind(rate, largest, below), rel=1e-6)


@st.composite
def stretches(draw):
    """Seconds with gaps, rates, what was seen of each, and the constants of the level."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    second = 1_000 + np.cumsum(rng.integers(1, 50, n))
    seen = rng.choice(3, n, p=draw(st.sampled_from(((0.4, 0.5, 0.1), (0.0, 1.0, 0.0), (0.9, 0.0, 0.1)))))
    rate, below = rng.exponential(draw(st.sampled_from((0.1, 3.0))), n), rng.random(n)
    keep, prior = draw(st.sampled_from((1.0, 0.999, 0.5))), draw(st.sampled_from((0.5, 30.0)))
    return second, rate, seen.astype(np.int64), below, draw(st.booleans()), prior, draw(st.floats(0.2, 5.0)), keep


def run(stretch, state):
    second, rate, seen, below, largest, prior, about, keep = stretch
    level, orders = np.empty(rate.size), np.empty(rate.size)
    kernels.follow(second, rate, seen, below, largest, prior, about, keep, state, level, orders)
    return level, orders


@settings(max_examples=60, deadline=None)
@given(stretches())
def test_the_level_is_the_plain_twins(stretch):
    start = np.array([3.0, 4.0, 990.0])
    level, orders = run(stretch, start.copy())
    twin = levels(*stretch, start)
    np.testing.assert_allclose(level, twin[0], rtol=1e-6)
    np.testing.assert_allclose(orders, twin[1], rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(stretches(), st.floats(0.0, 1.0))
def test_any_split_of_the_seconds_gives_the_same_level(stretch, where):
    whole = run(stretch, np.array([0.0, 0.0, 990.0]))
    cut = int(where * stretch[0].size)
    state = np.array([0.0, 0.0, 990.0])
    parts = [run((*(a[piece] for a in stretch[:4]), *stretch[4:]), state) for piece in (slice(0, cut), slice(cut, None))]
    for i in range(2):
        np.testing.assert_allclose(np.concatenate([part[i] for part in parts]), whole[i], rtol=1e-9)


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 2**32))
def test_weights_of_largest_are_the_plain_twins(sizes, rates, seed):
    rng = np.random.default_rng(seed)
    count, rate, shown = rng.integers(1, 500, rates) * 1.0, rng.exponential(1.0, rates), rng.integers(1, 9, sizes) * 1.0
    weight = np.empty(sizes)
    total = kernels.sizes_of_largest(count, rate, shown, weight)
    np.testing.assert_allclose(weight, weights_of_largest(count, rate, shown), rtol=1e-9)
    assert total == pytest.approx(weight.sum())
