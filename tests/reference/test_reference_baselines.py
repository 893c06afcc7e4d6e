"""The baselines' kernels against their plain twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from baselines_twin import burn_twin, cross_twin
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.validate import _kernels


@st.composite
def markets(draw):
    """Bars of a walk, what they open, and one to four distances."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(1, 60))
    close = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(n)))
    before = np.concatenate(([100.0], close[:-1]))
    width = draw(st.sampled_from((0.0, 1e-5, 0.004)))
    low = np.minimum(before, close) * (1.0 - width * rng.random(n))
    high = np.maximum(before, close) * (1.0 + width * rng.random(n))
    if draw(st.booleans()):
        low = high = before = np.full(n, 100.0)  # a price that stands still
    opens = rng.gamma(1.0, 1e3, (n, 2)) * (rng.random((n, 2)) < 0.7)
    d = np.sort(draw(st.lists(st.sampled_from((0.004, 0.01, 0.02, 0.1, 0.5)), min_size=1, max_size=4, unique=True)))
    return low, high, before, opens, np.stack([np.log1p(-d), np.log1p(d)])


def grid(low, high, offset, fineness):
    first = math.floor((math.log(low.min()) + offset[0, -1]) * fineness) - 2
    last = math.ceil((math.log(high.max()) + offset[1, -1]) * fineness) + 2
    return first, np.zeros((2, last - first + 1))


@settings(max_examples=60)
@given(markets(), st.sampled_from((200.0, 2000.0)))
def test_burning_is_the_plain_twins(market, fineness):
    low, high, _, opens, offset = market
    first, level = grid(low, high, offset, fineness)
    out = np.zeros((low.size, 2))
    _kernels.burn(low, high, opens, np.arange(low.size), first, fineness, offset, level, out)
    assert out == pytest.approx(np.array(burn_twin(low, high, opens, fineness, offset)), rel=1e-9, abs=1e-6)


@settings(max_examples=60)
@given(markets(), st.sampled_from((200.0, 2000.0)), st.sampled_from((1.0, 0.97, 1e-30)))
def test_crossing_is_the_plain_twins(market, fineness, keep):
    low, high, before, opens, offset = market
    first, level = grid(low, high, offset, fineness)
    out = np.zeros((low.size, 2))
    _kernels.cross(low, high, before, opens, np.arange(low.size), keep, first, fineness, offset, level, out)
    twin = np.array(cross_twin(low, high, before, opens, keep, fineness, offset))
    assert out == pytest.approx(twin, rel=1e-7, abs=1e-6)


def test_what_opens_is_what_burns_or_stands():
    low, high = np.array([100.0, 100.0, 50.0]), np.array([101.0, 101.0, 110.0])
    opens = np.array([[4.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    offset = np.array([[math.log(0.9)], [math.log(1.1)]])
    first, level = grid(low, high, offset, 2000.0)
    out = np.zeros((3, 2))
    _kernels.burn(low, high, opens, np.arange(3), first, 2000.0, offset, level, out)
    # 4 long contracts with levels 90 .. 90.9 burn at 50; shorts have levels 110 .. 111.1: at 110 only the first cell is touched
    assert out[2, 0] == pytest.approx(200.0)
    assert out[:2].sum() == 0.0
    assert out[2, 1] / 110.0 + level[1].sum() == pytest.approx(2.0)
