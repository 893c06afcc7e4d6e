"""Acceleration: runs, speeds and continuations by hand; what must be found and what must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from claim_scenes import FOUR_HOURS, random_maps, random_windows, series

from liqscape.errors import BadArgument
from liqscape.validate.acceleration import Measure, acceleration
from liqscape.validate.claims_windows import Levels, claim_windows


def scripted(beyond=0.0, seed=2):
    """Quiet zigzags of 0.1 %; in every window price rises by 1 % at bar 10 and crosses a level at 0.9 %, and stays there.

    In half of the windows, drawn at random, it rises by `beyond` more two bars later; their levels are the heavy ones.
    """
    days = 24
    heavy = np.random.default_rng(seed).random(days * 6) < 0.5
    log = np.tile(np.where(np.arange(48) % 2 == 0, 0.0005, -0.0005), (days * 6, 1))
    log[:, 10:] += 0.01
    log[:, 12:] += np.where(heavy, beyond, 0.0)[:, None]
    log[:, -1] = 0.0
    bars = series(80_000.0 * np.exp(log.ravel()))
    windows = claim_windows(bars, random_maps(bars), FOUR_HOURS)
    contrast = np.where(heavy[windows.first_bar // 48], 0.8, 0.2)
    return bars, replace(windows, level=Levels(np.ones(len(windows), np.int64), 0.009 / windows.unit, contrast))


def test_measures_by_hand():
    bars, windows = scripted()
    usual = windows.unit / np.sqrt(48)  # of one bar
    start = np.log(windows.price / 80_000.0)
    run = acceleration(bars, windows, minutes=5, measure=Measure.RUN, permutations=20)
    # Crossed by the bar that ends 1.05 % above 80,000; the level lies 0.9 % above the window's start.
    value = (0.0105 - start - 0.009) / usual
    assert run.crossings_level == len(windows)
    assert run.crossings_mirror == 0
    assert run.mean_level == pytest.approx(np.minimum(value, np.quantile(value, 0.98)).mean(), rel=1e-6)
    back = acceleration(bars, windows, minutes=5, measure=Measure.CONTINUATION, permutations=20)
    assert back.mean_level == pytest.approx(-(0.001 / usual).mean(), rel=0.01)  # the next bar of the zigzag falls by 0.1 %
    speed = acceleration(bars, windows, minutes=10, measure=Measure.SPEED, permutations=20)
    assert speed.mean_level == pytest.approx((0.001 / usual).mean(), rel=0.01)  # two bars of 0.1 %, over sqrt(2) usual ones


def test_heavier_levels_that_are_followed_by_more_are_found():
    bars, windows = scripted(beyond=0.01)
    heavy = acceleration(bars, windows, minutes=15, measure=Measure.RUN, permutations=199)
    assert heavy.lo > 0.0
    assert heavy.p == 1 / 200
    light = replace(windows, level=replace(windows.level, contrast=1.0 - windows.level.contrast))
    assert acceleration(bars, light, minutes=15, permutations=50).hi < 0.0
    # In 10 minutes the second rise has not begun.
    assert abs(acceleration(bars, windows, minutes=10, permutations=50).slope) < 0.05 * heavy.slope


def test_nothing_is_found_where_nothing_is():
    rejected = 0
    for seed in range(20):
        bars, windows = random_windows(20, seed=seed)
        found = acceleration(bars, windows, minutes=15, permutations=99)
        assert found.lo <= found.slope <= found.hi
        assert found.smallest_slope > 0.0
        rejected += found.p <= 0.05
    assert rejected <= 4  # of 20 tests of 5 % more than 4 reject once in 400 times


def test_the_end_of_the_record_is_unknown():
    bars, windows = random_windows(14, seed=4)
    every = acceleration(bars, windows, minutes=5, measure=Measure.SPEED, permutations=20)
    until = int(windows.first_bar[-1]) + 48
    cut = acceleration(bars.slice(0, until), windows, minutes=240, measure=Measure.SPEED, permutations=20)
    assert cut.crossings_level <= every.crossings_level
    with pytest.raises(BadArgument, match="multiple"):
        acceleration(bars, windows, minutes=7)
