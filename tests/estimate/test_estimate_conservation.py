"""No contract appears or vanishes: cells add up to what stands, flows add up, and no map places more than is open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from estimate_scenes import FIVE_MINUTES, SHIPPED, liquidations_of, random_bars, small
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.estimate import DRAWS, Canvas, Estimator, MapState, Shipped, members, side_sum
from liqscape.units import NS_PER_HOUR

EVERYWHERE = np.array([[-1e3, 1e3], [-1e3, 1e3]])


def cells_sum(state):
    return (state.mass * state.scale[:, None, :, None]).sum(axis=3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.0002, 0.02), st.booleans())
def test_cells_add_up_to_what_stands_and_flows_to_the_change(seed, volatility, opens):
    recipe = small()
    bars = random_bars(200, seed, volatility=volatility)
    state = MapState(recipe, 60_000.0, 8e4, FIVE_MINUTES)
    before = state.total.sum(axis=(1, 2))
    exposure = np.zeros((1, 2, 6, 3))
    canvas = Canvas.counting(recipe, np.ones((2, 6, 3)))
    flows = state.roll(bars, np.zeros(200, np.int64), exposure, opens=opens, canvas=canvas, region=EVERYWHERE)
    np.testing.assert_allclose(cells_sum(state), state.total, rtol=1e-9, atol=1e-9 * 8e4)
    burnt, closed, opened = flows.T
    np.testing.assert_allclose(before - burnt - closed + opened, state.total.sum(axis=(1, 2)), rtol=1e-9)
    assert (flows >= -1e-6).all()
    assert (state.mass >= 0.0).all()
    if not opens:
        np.testing.assert_allclose(opened, 0.0, atol=1e-9 * 8e4)


def estimator(shipped=SHIPPED, recipes=None, weeks=2.2, liquidations=True):
    bars = random_bars(int(weeks * 2016))
    made = Estimator(FIVE_MINUTES, NS_PER_HOUR, recipes or members(small(drawn_from=0.0)), shipped)
    published = liquidations_of(bars) if liquidations else liquidations_of(bars).empty(bars.instrument, NS_PER_HOUR)
    made.observe(bars, published, int(bars.end_ns[-1]))
    return made, float(bars.close[-1])


def sides(made, mark, reach=500):
    ladder = 0.001 * np.arange(reach + 1.0)
    oi = made.states[0].open_interest_base
    edges = (mark * (1.0 - ladder), mark * (1.0 + ladder))
    return [side_sum(s, edges[s], made.states, made.mixes(), (), oi, 7) for s in (0, 1)], oi


@pytest.mark.parametrize("learned", [True, False])
def test_no_map_and_no_draw_places_more_than_is_open(learned):
    # Shipped weights 100 times too big stand for a venue that publishes more than it has.
    for scale in (1.0, 100.0):
        shipped = replace_scales(SHIPPED, scale)
        made, mark = estimator(shipped, liquidations=learned)
        assert made.mixes()[0].learned is learned
        parts, oi = sides(made, mark)
        for part in parts:
            assert 0.0 < part.placed_base <= oi * (1.0 + 1e-12)
            assert part.base.sum() <= part.placed_base * (1.0 + 1e-9)
            assert part.usd == pytest.approx(part.tier_usd.sum(axis=0))
            assert part.usd == pytest.approx(part.class_usd.sum(axis=0))
            assert (part.prior_usd <= part.usd * (1.0 + 1e-12)).all()
            assert len(part.draws_usd) == len(part.prior_draws_usd) == 3 * DRAWS >= 3 * 256
            assert part.capped == (scale > 1.0 and not learned)


def test_every_draw_stays_within_open_interest():
    # Recipes without far tiers keep all levels within 50 %: then a draw's contracts can be counted from its dollars.
    shipped = Shipped(0.5, 0.5, "x", "", "", 0, "")
    near = small(farthest=0.2, drawn_from=0.0)
    made, mark = estimator(shipped, members(near), weeks=0.5, liquidations=False)
    parts, oi = sides(made, mark)
    ladder = 0.001 * (np.arange(500) + 0.5)
    for part, price in zip(parts, (mark * (1.0 - ladder), mark * (1.0 + ladder)), strict=True):
        assert part.capped
        contracts = (part.draws_usd / price).sum(axis=1)
        assert contracts.max() <= oi * (1.0 + 1e-9)
        assert np.median(contracts) == pytest.approx(oi, rel=0.02)


def test_tiers_that_only_predict_are_not_drawn():
    made, mark = estimator(recipes=members(small(drawn_from=0.03)), weeks=0.3)
    parts, _ = sides(made, mark)
    drawn = made.recipes[0].distances >= 0.03
    for part in parts:
        assert not part.tier_usd[~drawn].any()
        assert part.tier_usd[drawn].sum() > 0.0
        assert part.usd.sum() == pytest.approx(part.tier_usd.sum())


def test_shipped_weights_are_all_prior():
    made, mark = estimator(weeks=0.5, liquidations=False)
    parts, _ = sides(made, mark)
    for part in parts:
        np.testing.assert_array_equal(part.prior_usd, part.usd)


def test_a_halved_prior_halves_the_map_before_a_fit_and_not_after():
    half = replace_scales(SHIPPED, 0.5)
    one, mark = estimator(weeks=0.5, liquidations=False)
    two, _ = estimator(half, weeks=0.5, liquidations=False)
    np.testing.assert_allclose(sides(two, mark)[0][0].usd, 0.5 * sides(one, mark)[0][0].usd, rtol=1e-9)
    one, mark = estimator()
    two, _ = estimator(half)
    np.testing.assert_array_equal(sides(two, mark)[0][0].usd, sides(one, mark)[0][0].usd)


def replace_scales(shipped, factor):
    return Shipped(shipped.long_scale * factor, shipped.short_scale * factor, *(getattr(shipped, n) for n in _REST))


_REST = ("instrument", "from_date", "to_date", "hours", "score")


def test_members_bracket_the_scored_recipe():
    central, short_lived, long_lived = members()
    assert short_lived.churn > central.churn > long_lived.churn
    assert short_lived.exponent < central.exponent < long_lived.exponent
    assert short_lived.smear < central.smear < long_lived.smear
    assert replace(short_lived, churn=central.churn, exponent=central.exponent, smear=central.smear) == central
