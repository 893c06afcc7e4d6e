"""Bursts of opening: how strong, how one-sided, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from liqscape.errors import BadArgument
from liqscape.testing.market import Bursts, MarketConfig, SimulatedMarket, SimulatedRun, VenuesConfig
from liqscape.testing.market.exogenous import draw_outside

CALM = MarketConfig(days=12.0, warmup_days=3.0, accounts=1_500, impact=False, step_s=60)
WILD = replace(CALM, bursts=Bursts())


@pytest.fixture(scope="module")
def wild() -> SimulatedRun:
    return SimulatedMarket(WILD, seed=2).run()


def burst_sides(config: MarketConfig) -> np.ndarray:
    first = np.random.SeedSequence(2).spawn(4)[0]
    return draw_outside(VenuesConfig(markets=(config,)), first)[0].burst[config.warmup_steps :]


def test_many_more_open_inside_a_burst_and_on_its_side(wild: SimulatedRun) -> None:
    side, opened_long, opened_short = burst_sides(WILD), wild.steps.opened_long_lots, wild.steps.opened_short_lots
    inside = side != 0.0
    opened = opened_long + opened_short
    assert 0.06 <= inside.mean() <= 0.14
    # Those who wait are fewer after the first minutes of a burst, so that tenfold eagerness is less than tenfold in lots.
    assert 5.0 <= opened[inside].mean() / opened[~inside].mean() <= 10.5
    own = np.where(side > 0, opened_long, opened_short)[inside].sum() / opened[inside].sum()
    assert own == pytest.approx(0.85, abs=0.03)


def test_bursts_leave_the_path_and_the_mean_rate_alone(wild: SimulatedRun) -> None:
    calm = SimulatedMarket(CALM, seed=2).run()
    assert np.array_equal(calm.steps.mark, wild.steps.mark)
    rates = [(r.steps.opened_long_lots + r.steps.opened_short_lots).sum() for r in (calm, wild)]
    assert 0.75 <= rates[1] / rates[0] <= 1.15


def test_open_interest_grows_by_what_is_opened_at_most(wild: SimulatedRun) -> None:
    # A new contract has one trader on a side at least: growth of open interest <= gross opens of both sides.
    growth = np.diff(wild.steps.long_lots)
    assert (growth <= (wild.steps.opened_long_lots + wild.steps.opened_short_lots)[1:]).all()
    assert wild.steps.opened_long_lots.sum() > wild.steps.long_lots.max()  # churn


def test_bursts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadArgument, match=r"share_of_time inside \(0, 1\)"):
        MarketConfig(bursts=Bursts(share_of_time=1.0))
