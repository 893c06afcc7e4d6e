"""The kernels of the cascade against their plain twins."""

from __future__ import annotations

import numpy as np
from cascade_twin import static_path
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.cascade import Absorption, Basis, Direction, static_paths

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
