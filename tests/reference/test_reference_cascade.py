"""The kernels of the cascade against their plain twins."""

from __future__ import annotations

import numpy as np
from cascade_twin import dynamic_path, static_path
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.cascade import Absorption, Basis, Direction, Factor, static_paths
from liqscape.cascade.base import SEED
from liqscape.cascade.dynamic import ROUNDS, _nature, simulate
from liqscape.cascade.venues import ForcedVenue, Physics

BUCKETS = 60


@st.composite
def worlds(draw):
    """Levels and absorption in tenths of a dollar, so that ties and flat stretches are common."""
    seed, rows, brakes = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    generator = np.random.default_rng(seed)
    levels = generator.integers(0, draw(st.integers(1, 40)), (rows, BUCKETS)) / 10.0
    total = np.zeros((brakes, BUCKETS + 1))
    np.cumsum(generator.integers(0, 30, (brakes, BUCKETS)) / 10.0, axis=1, out=total[:, 1:])
    distance = np.concatenate(([0.0], np.cumsum(generator.uniform(0.001, 0.01, BUCKETS))))
    return levels, Absorption(distance, total, total, Basis.BOOK, 900.0, 0, ())


@settings(max_examples=200, deadline=None)
@given(worlds(), st.floats(0.0, 40.0), st.floats(0.02, 0.3), st.floats(0.001, 0.05))
def test_static_paths_are_the_plain_twins(world, shock, within, sustained):
    levels, absorbed = world
    found = static_paths(levels, absorbed, Direction.DOWN, shock_usd=shock, within=within, sustained=sustained, paths=16)
    forced = np.concatenate((np.zeros((len(levels), 1)), np.cumsum(levels, axis=1)), axis=1)
    window = int((absorbed.distance <= within * (1.0 + 1e-9)).sum()) - 1
    for k in range(16):
        rows = forced[found.map_draw[k]], absorbed.bid_usd[found.absorption_draw[k]]
        expected = static_path(*rows, absorbed.distance, shock, window, sustained * (1.0 - 1e-9))
        mine = (
            found.ignition_usd[k],
            found.ignition_distance[k],
            found.extent[k],
            float(found.critical[k]),
            found.run[k],
            found.forced_usd[k],
        )
        np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-9)


@st.composite
def venues(draw):
    """One to three venues whose depth shares make 1, with partial steps, slow engines and small funds."""
    count = draw(st.integers(1, 3))
    parts = draw(st.lists(st.integers(1, 5), min_size=count, max_size=count))
    out = []
    for i, part in enumerate(parts):
        partial = draw(st.booleans())
        out.append(
            ForcedVenue(
                name=str(i),
                depth_share=part / sum(parts),
                engine_usd_per_s=draw(st.sampled_from([float("inf"), 40.0])),
                first_step=draw(st.sampled_from([0.2, 0.6])) if partial else 1.0,
                cooldown_s=draw(st.integers(1, 9)) if partial else 0,
                bankruptcy_gap=draw(st.sampled_from([0.001, 0.004, 0.05])),
                insurance_fund_usd=draw(st.sampled_from([None, 0.0, 0.05, 5.0])),
                adl_drawdown=draw(st.sampled_from([0.3, 1.0])),
            )
        )
    return out


@settings(max_examples=60, deadline=None)
@given(venues(), st.integers(0, 2**32 - 1), st.floats(20.0, 900.0), st.integers(1, 30), st.sampled_from([0.0, 2.0, 8.0]))
def test_dynamic_paths_are_the_plain_twins(rules, seed, shock, shock_s, arbitrage_s):
    generator = np.random.default_rng(seed)
    levels = generator.integers(0, 30, (len(rules), 2, BUCKETS)) * generator.choice([0.1, 1.0], BUCKETS)
    total = np.zeros((3, BUCKETS + 1))
    np.cumsum(generator.uniform(5.0, 40.0, (3, BUCKETS)), axis=1, out=total[:, 1:])
    distance = np.arange(BUCKETS + 1) * 0.002
    standing = Absorption(distance, total, total, Basis.BOOK, 0.0, 0, ())
    physics = Physics(tau_s=Factor(median=10.0, lo=4.0, hi=25.0, source="", date=""), arbitrage_s=arbitrage_s)
    asked = {"shock_usd": shock, "shock_s": shock_s, "horizon_s": 90, "physics": physics, "paths": 6, "every_s": 1}
    found = simulate(levels, standing, Direction.UP, rules, **asked)
    nature = _nature(physics, standing, Direction.UP, found.absorption_draw, np.random.default_rng(SEED))
    arbitrage = 1.0 - np.exp(-1.0 / arbitrage_s) if arbitrage_s else 1.0
    for k in range(6):
        rows = levels[:, found.map_draw[k]], total[found.absorption_draw[k]]
        end, peak, ignited, prices, by_round, by_venue, ledger = dynamic_path(
            *rows, distance, rules, nature[k], shock, shock_s, 90, arbitrage, ROUNDS
        )
        close = {"rtol": 1e-6, "atol": 1e-6}
        np.testing.assert_allclose((found.end[k], found.peak[k]), (end, peak), **close)
        np.testing.assert_allclose(found.ignition_s[k], ignited, **close)
        np.testing.assert_allclose(found.track[k], prices, **close)
        np.testing.assert_allclose(found.by_round[k], by_round, **close)
        np.testing.assert_allclose(found.by_venue[k], by_venue, **close)
        mine = [getattr(found, f"{name}_usd")[k] for name in ledger]
        np.testing.assert_allclose(mine, list(ledger.values()), rtol=1e-6, atol=1e-5)
