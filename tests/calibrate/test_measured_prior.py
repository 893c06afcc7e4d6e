"""The estimator takes measured weights in place of its power law."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liqscape.errors import BadArgument
from liqscape.estimate import Learner, Recipe, members, shipped_weights
from liqscape.units import NS_PER_HOUR

RECIPE = Recipe(tiers=2, nearest=0.02, farthest=0.08, churn=(0.001, 0.1))


def as_measured(rows: list[list[float]]) -> Recipe:
    return replace(RECIPE, measured=(tuple(rows[0]), tuple(rows[1])))


def test_only_the_shape_counts() -> None:
    # power law: 1 and 4 ** 1.5 = 8 per unit of log distance, ln 4 apart, twice (two classes): 18 ln 4 in all
    power = RECIPE.prior_shapes()
    assert power[0] == pytest.approx(np.array([1.0, 1.0, 8.0, 8.0]) * np.log(4.0))
    measured = as_measured([[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]]).prior_shapes()
    assert measured[0] == pytest.approx(18.0 * np.log(4.0) * np.array([0.1, 0.2, 0.3, 0.4]))
    assert measured.sum(axis=1) == pytest.approx(power.sum(axis=1))
    assert as_measured([[10.0, 20.0, 30.0, 40.0], [1.0, 1.0, 1.0, 1.0]]).prior_shapes() == pytest.approx(measured)


def test_measuring_the_power_law_changes_nothing() -> None:
    power = RECIPE.prior_shapes().tolist()
    measured = as_measured(power)
    for plain, bent in zip(members(RECIPE), members(measured), strict=True):
        assert bent.prior_shapes() == pytest.approx(plain.prior_shapes())
    swept = np.random.default_rng(3).gamma(2.0, 1e6, (400, 2, 4))
    published = (swept @ np.array([0.02, 0.01, 0.03, 0.01])) * np.random.default_rng(4).gamma(5.0, 0.2, (400, 2))
    learners = [Learner(recipe, NS_PER_HOUR, shipped_weights()) for recipe in (RECIPE, measured)]
    predicted = [learner.observe(swept, published) for learner in learners]
    assert learners[0].learned
    assert predicted[1] == pytest.approx(predicted[0])


@pytest.mark.parametrize("rows", [[[1.0] * 3] * 2, [[1.0, 1.0, 0.0, 1.0], [1.0] * 4]])
def test_measured_weights_must_fit_the_recipe(rows: list[list[float]]) -> None:
    with pytest.raises(BadArgument, match="measured weights must be positive, 4 a side"):
        as_measured(rows).prior_shapes()
