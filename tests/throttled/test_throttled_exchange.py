"""The whole instrument on the simulated exchange, as `python -m benchmarks.throttle` runs it."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from liqscape.estimate.throttled_prints import FeedRule
from liqscape.testing.market import SimulatedMarket

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.throttle import busy_market, score, swept_hours


@pytest.mark.long
@pytest.mark.parametrize("seed", [5, 7])
def test_the_exchange_s_true_volume_is_recovered(seed):
    run = SimulatedMarket(busy_market(5.0, 6_000, 0.85, 1_500.0), seed=seed).run()
    hours = swept_hours(run.bars)
    for rule in FeedRule:
        line = score(run, hours, rule)
        assert line.reported < (0.4 if rule is FeedRule.LATEST else 0.7)
        assert line.recovered == pytest.approx(1.0, abs=0.15)
        assert line.largest_hours == pytest.approx(1.0, abs=0.2)
        assert line.reported < line.free < line.recovered + 0.15
        assert 0.7 < line.inside < 0.97
        assert line.verdict in (rule.value, "undecided")


def test_a_small_exchange_runs_through_feed_and_estimate():
    run = SimulatedMarket(busy_market(0.25, 300, 0.85, 1_500.0), seed=2).run()
    hours = swept_hours(run.bars)
    assert len(hours) == 6
    assert sum(hour.count for hour in hours) == 6 * 3_600
    assert all((hour.exposure >= 0.0).all() for hour in hours)
    line = score(run, hours, FeedRule.LATEST, scored_from_h=0)
    assert math.isnan(line.recovered)  # too few prints to learn from: nothing is said
    assert line.verdict == "undecided"
