"""Baselines by hand: numbers a reader can redo in the head, then laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from baselines_scenes import SCHEDULE, START, rows_of, tape
from hypothesis import given
from hypothesis import strategies as st

from liqscape.units import NS_PER_DAY
from liqscape.validate import baselines_maps as maps
from liqscape.validate import baselines_path as paths
from liqscape.validate.baselines import BASELINES
from liqscape.validate.baselines_boosting import _binned
from liqscape.validate.panel import Schedule
from liqscape.validate.scores import poisson_deviance


@pytest.fixture(scope="module")
def rows():
    return rows_of(*tape())


def last_fold(rows):
    return list(SCHEDULE.folds(rows))[-1]


def test_names_are_told_apart_and_say_what_they_are():
    assert len({b.name for b in BASELINES}) == len(BASELINES) == 12
    assert all(b.about.endswith(".") for b in BASELINES)
    assert [b.name for b in BASELINES if b.needs_boosting] == ["boosting", "boosting + map", "map x boosting"]


def test_the_mean_is_that_of_the_fit_period(rows):
    fit, serve = last_fold(rows)
    found = paths.fit_period_mean(rows, SCHEDULE)
    assert found[serve] == pytest.approx(np.tile(rows.realised[fit].mean(axis=0), (serve.sum(), 1)))


def test_a_market_made_of_a_power_of_the_move_is_found_out():
    rows = rows_of(*tape(power=1.5))
    _, serve = last_fold(rows)
    found = paths.move_power(rows, SCHEDULE)[serve]
    # The tape takes the move from the bar's open, which is the close before: 1e9 x move ** 1.5; its noise leaves a small floor.
    told = 1e9 * rows.adverse[serve] ** 1.5
    assert found == pytest.approx(told, rel=0.03, abs=0.01 * told.mean())


def test_parts_by_hand():
    # Parts (1, 0) and (0, 1) and dollars 3 and 5: weights 3 and 5. A part that is nowhere gets nothing.
    parts = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert paths.sum_of_parts(parts, np.array([3.0, 5.0])) == pytest.approx([3.0, 5.0, 0.0])


@given(st.integers(0, 10_000))
def test_parts_sum_to_what_was_realised_and_no_scaling_does_better(seed):
    rng = np.random.default_rng(seed)
    parts = np.column_stack((np.ones(60), rng.gamma(0.5, 1.0, (60, 3))))
    dollars = 1e5 * (parts @ rng.gamma(1.0, 1.0, 4)) * rng.gamma(2.0, 0.5, 60)
    weights = paths.sum_of_parts(parts, dollars, steps=2000)
    assert (weights >= 0.0).all()
    assert (parts @ weights).sum() == pytest.approx(dollars.sum())
    best = poisson_deviance(dollars, parts @ weights)
    for k in range(4):
        for factor in (0.9, 1.1):
            other = weights * np.where(np.arange(4) == k, factor, 1.0)
            assert poisson_deviance(dollars, parts @ other) >= best * (1.0 - 1e-6)


def test_distance_beyond_extremes_by_hand(rows):
    bars = rows.bars  # three bars an hour
    i = 500
    a = int(rows.first_bar[i])
    low, high = bars.low[a : a + 3].min(), bars.high[a : a + 3].max()
    expected = np.log(bars.low[a - 12 : a].min() / low), np.log(high / bars.high[a - 12 : a].max())
    assert paths.beyond(rows, 4.0)[i] == pytest.approx(np.maximum(expected, 0.0))
    assert (np.diff([paths.beyond(rows, h)[24 * 8 :].sum() for h in paths.LOOKBACK_H]) <= 0.0).all()


def test_climatology_knows_hours_of_the_week():
    bars, liquidations = tape()
    busy = (liquidations.start_ns // (3600 * 10**9)) % 24 == 14
    lifted = replace(liquidations, **{n: np.where(busy, 20.0, 1.0) * getattr(liquidations, n) for n in ("long_usd", "short_usd")})
    rows = rows_of(bars, lifted)
    _, serve = last_fold(rows)
    found = paths.climatology(rows, SCHEDULE)
    assert found[serve & busy].mean() > 2.5 * found[serve & ~busy].mean()


def test_scale_and_floor_give_back_a_line(rows):
    # If dollars are 1,000 plus 7 times the raw number, those two are found.
    raw = 1e6 * rows.adverse
    told = replace(rows, realised=1e3 + 7.0 * raw)
    found = paths.scale_and_floor(told, SCHEDULE, raw)
    served = np.isfinite(found)
    assert found[served] == pytest.approx(told.realised[served], rel=0.02)


def test_unknown_volume_is_taken_from_the_range():
    bars, _ = tape(days=2)
    known = replace(bars, volume_base=1e3 * np.log(bars.high / bars.low))
    partly = replace(known, volume_base=np.where(np.arange(len(bars)) < 50, known.volume_base, np.nan))
    assert maps.traded_base(partly) == pytest.approx(known.volume_base)
    never = replace(bars, volume_base=np.full(len(bars), np.nan))
    assert maps.traded_base(never) == pytest.approx(np.log(bars.high / bars.low))


def test_the_survey_puts_less_on_high_leverage_than_an_even_menu(rows):
    assert sum(maps.SURVEY) == pytest.approx(0.99)
    assert sum(maps.SURVEY[:2]) == 0.36
    even, survey = maps.swept_by_mix(rows, np.full(10, 0.1)), maps.swept_by_mix(rows, np.array(maps.SURVEY))
    assert survey.sum() < even.sum()


def test_more_open_interest_is_more_dollars(rows):
    mix = np.full(10, 0.1)
    twice = replace(rows, bars=replace(rows.bars, open_interest_base=2.0 * rows.bars.open_interest_base))
    assert maps.swept_by_mix(twice, mix) == pytest.approx(2.0 * maps.swept_by_mix(rows, mix))


def test_schedules_without_a_fold_predict_nothing(rows):
    late = Schedule(anchor_ns=START + 300 * NS_PER_DAY, embargo_days=200.0)
    assert np.isnan(paths.move_power(rows, late)).all()


def test_a_feature_that_is_nowhere_known_is_left_out():
    known, served = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]]), np.array([[9.0, 5.0]])
    told, asked = _binned(known, served)
    assert (told.shape, asked.shape) == ((3, 1), (1, 1))
    assert asked[0, 0] >= told.max()
