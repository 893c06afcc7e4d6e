"""The estimator by itself, in memory."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import paths
from benchmarks.measure import Measured, rated, seconds, timed
from liqscape.estimate import Estimator, MapState, Recipe
from liqscape.model import BarSeries
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

_FIVE_MINUTES_NS = 5 * NS_PER_MINUTE
_MEMBERS = 64
_TWIN = Path(__file__).parents[1] / "tests" / "reference" / "estimator_twin.py"


def roll(recipe: Recipe, bars: BarSeries) -> MapState:
    """Roll a fresh state over all bars, with exposure by hour as in an estimate."""
    state = MapState(recipe, float(bars.close[0]), float(bars.open_interest_base[0]), bars.interval_ns)
    state.end_ns = int(bars.end_ns[0])
    hour = (bars.start_ns[1:] - bars.start_ns[0]) // NS_PER_HOUR
    exposure = np.zeros((int(hour[-1]) + 1, 2, recipe.tiers, recipe.classes))
    state.roll(bars.slice(1, len(bars)), hour, exposure)
    return state


def full_recipe() -> Iterator[Measured]:
    """Bar-tier-side updates per second of the whole recipe on one core; every lifetime class has tiers and sides of its own."""
    year = paths.bars(365, _FIVE_MINUTES_NS)
    for tiers in (12, 24):
        taken = seconds(partial(roll, Recipe(tiers=tiers), year), 7)
        recipe = Recipe(tiers=tiers)
        work = len(year) * tiers * recipe.classes * 2 / 1e6
        what = f"full recipe, {tiers} tiers x 2 sides x 3 classes, a year of 5-minute bars, one core"
        yield rated(what, "M bar-tier-sides/s", work, taken, bar=25.0, aim=50.0)


def minute_year() -> Iterator[Measured]:
    """A year of 1-minute bars with one class."""
    year = paths.bars(365, NS_PER_MINUTE)
    recipe = Recipe(tiers=10, churn=(0.001,))
    taken = seconds(lambda: roll(recipe, year), 7)
    yield timed("a year of 1-minute bars, 10 tiers x 2 sides x 1 class", taken, bar=0.5, aim=0.2)


def ensemble() -> Iterator[Measured]:
    """64 members with learning, a year each, two threads."""
    year = paths.bars(365, _FIVE_MINUTES_NS)
    published = paths.liquidations(year)
    base = Recipe(tiers=12)
    factors = np.exp(np.random.default_rng(3).uniform(-0.5, 0.5, _MEMBERS))
    recipes = [replace(base, churn=tuple(min(0.9, rate * factor) for rate in base.churn)) for factor in factors]

    def member(recipe: Recipe) -> int:
        estimator = Estimator(year.interval_ns, published.interval_ns, (recipe,))
        estimator.observe(year, published, int(year.end_ns[-1]))
        return len(estimator.record)

    def everyone() -> None:
        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(member, recipes))

    what = f"{_MEMBERS} members with learning, a year of 5-minute bars, 12 tiers, 2 threads"
    yield timed(what, seconds(everyone, 3), bar=60.0)


def against_twin() -> Iterator[Measured]:
    """How much quicker the kernels are than their plain twin of the tests, over the same bars."""
    if not _TWIN.is_file():
        return
    specification = importlib.util.spec_from_file_location("estimator_twin", _TWIN)
    assert specification is not None
    assert specification.loader is not None
    twin: Any = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = twin
    specification.loader.exec_module(twin)
    recipe, bars = Recipe(tiers=12), paths.bars(0.25, _FIVE_MINUTES_NS)
    rows = list(zip(bars.low, bars.high, bars.close, bars.open_interest_base, strict=True))[1:]

    def plainly() -> None:
        state = twin.TwinState(recipe, float(bars.close[0]), float(bars.open_interest_base[0]), bars.interval_ns)
        exposure = np.zeros((2, recipe.tiers, recipe.classes))
        for low, high, close, after in rows:
            state.bar(low, high, close, after, exposure)

    slow, quick = min(seconds(plainly, 1)), min(seconds(lambda: roll(recipe, bars), 5))
    yield Measured(
        "the same bars through the plain twin of the tests, against the kernels", "x slower", slow / quick, slow / quick, 1
    )
