"""The benchmark of truth draws the product's own map, and its trackers follow whom they say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from liqscape.calibrate import position_prior
from liqscape.estimate import Estimator, members, side_sum
from liqscape.model.maps import BUCKET_WIDTH
from liqscape.testing.market import MarketConfig, SimulatedMarket, SimulatedRun
from liqscape.units import NS_PER_HOUR


@pytest.fixture(scope="module")
def run() -> SimulatedRun:
    config = MarketConfig(days=18.0, warmup_days=1.0, accounts=900, step_s=60, snapshot_interval_ns=24 * NS_PER_HOUR)
    return SimulatedMarket(config, seed=11).run()


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from benchmarks import truth_maps

    return truth_maps


def test_the_drawn_map_is_the_products(run: SimulatedRun, maps: ModuleType) -> None:
    end = len(run.bars)
    mark, oi = float(run.bars.close[-1]), float(run.bars.open_interest_base[-1])
    recipes = members()
    rolls = [maps.rolled(run.bars, recipe, [end // 24 * 12, end], NS_PER_HOUR) for recipe in recipes]
    drawn = maps.estimated(recipes, [roll[1] for roll in rolls], maps.hours_of(run), NS_PER_HOUR, mark, oi)
    estimator = Estimator(run.bars.interval_ns, NS_PER_HOUR, recipes)
    estimator.observe(run.bars, run.liquidations, int(run.bars.end_ns[-1]))
    assert estimator.learners[0].learned
    for side in (0, 1):
        border = maps.edges(side, mark)
        product = side_sum(side, border, estimator.states, estimator.mixes(), (), oi, seed=side)
        # The product begins with the first bar's close, the benchmark before it: one bar of 5,184.
        assert drawn.usd[side].sum() == pytest.approx(product.usd.sum(), rel=0.02)
        assert np.abs(np.cumsum(drawn.usd[side] - product.usd)).max() < 0.02 * product.usd.sum()


def test_trackers_follow_whom_they_say(run: SimulatedRun, maps: ModuleType) -> None:
    by_lot = maps.tracked(run.snapshots, 0.1, by_profit=False, seed=3)
    board = maps.tracked(run.snapshots, 0.1, by_profit=True, seed=3)
    assert np.unique(by_lot.account).size == len(by_lot) / len(run.snapshots)  # the same accounts on every day
    assert np.unique(board.account).size > np.unique(by_lot.account).size  # ranked again every week
    first = board.ts_ns == run.snapshots[0].as_of_ns
    profit = (board.sign * (board.mark_price / board.entry_price - 1.0))[first]
    assert np.nanmin(profit) >= 0.0  # nobody is on the first board with a loss
    shot = run.snapshots[4]
    rows = (by_lot.ts_ns == shot.as_of_ns) & by_lot.held
    place = np.searchsorted(shot.account, by_lot.account[rows])
    assert np.array_equal(shot.quantity_base[place], by_lot.quantity_base[rows])
    assert np.array_equal(shot.liquidation_price[place], by_lot.liquidation_price[rows], equal_nan=True)
    assert position_prior(by_lot, lives=False).accounts == np.unique(by_lot.account).size


def test_a_map_without_closes_keeps_what_price_has_not_touched(run: SimulatedRun, maps: ModuleType) -> None:
    mark, oi = float(run.bars.close[-1]), 1e8
    usd = maps.without_closes(run.bars, mark, oi).usd
    assert usd.sum(axis=1) == pytest.approx([oi, oi])
    assert maps.flat(oi).usd[:, 0] == pytest.approx(oi * BUCKET_WIDTH / 0.5)
    # nothing stands between the mark and the last hour's extremes
    hour = run.bars.slice(len(run.bars) - 12, len(run.bars))
    clear = int((1.0 - hour.low.min() / mark) / BUCKET_WIDTH)
    late = maps.without_closes(hour, mark, oi).usd
    assert late[0, : max(clear - 1, 0)].sum() == 0.0 or clear <= 1


def test_far_tiers_are_long_lived(maps: ModuleType) -> None:
    recipe = maps.long_lived_far(members()[0])
    shape = recipe.prior_shapes().reshape(2, recipe.tiers, recipe.classes)
    plain = members()[0].prior_shapes().reshape(shape.shape)
    assert shape.sum(axis=2) == pytest.approx(plain.sum(axis=2), rel=1e-4)
    share = shape[0, :, 0] / shape[0].sum(axis=1)
    assert share[0] == pytest.approx(1 / 3, abs=0.01)
    assert share[-1] > 0.99
    assert np.all(np.diff(share) > 0.0)


def test_the_slow_recipe_has_one_class_of_17_days(maps: ModuleType) -> None:
    recipe = maps.one_slow_class(members()[0])
    assert recipe.class_life_s / 86_400.0 == pytest.approx([17.36], abs=0.01)  # 5 minutes / 0.0002
    assert recipe.distances == pytest.approx(members()[0].distances)
