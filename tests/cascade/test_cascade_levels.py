"""From the two sides of a map to ensembles on one grid."""

from __future__ import annotations

import numpy as np
import pytest

from liqscape.cascade import Direction, levels_of, map_distance, split
from liqscape.errors import BadArgument, NoData
from liqscape.model import PositionSide
from liqscape.model.maps import SideLevels


def side(which, usd, mark=84_178.9):
    n = np.size(usd)
    draws = np.array([usd, 2.0 * np.asarray(usd)])
    edges = mark * (1.0 - which.sign * 0.001 * np.arange(n + 1))
    return SideLevels(which, edges, *np.zeros((4, n)), *np.zeros((2, 1, n)), draws, draws)


LONG, SHORT = side(PositionSide.LONG, [1.0, 2.0, 0.0]), side(PositionSide.SHORT, [0.0, 5.0, 5.0])


def test_a_move_up_forces_shorts_and_a_move_down_longs():
    found = levels_of(LONG, SHORT)
    assert found[Direction.UP].tolist() == [[0.0, 5.0, 5.0], [0.0, 10.0, 10.0]]
    assert found[Direction.DOWN].tolist() == [[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]]
    assert Direction.UP.other.forced_side is PositionSide.LONG


def test_both_sides_have_one_grid():
    for each in (LONG, SHORT):
        assert map_distance(each, 84_178.9) == pytest.approx([0.0, 0.001, 0.002, 0.003])
        assert map_distance(each, 84_178.9)[0] == 0.0


def test_an_empty_map_is_said():
    empty = side(PositionSide.LONG, [0.0, 0.0])
    assert levels_of(empty, SHORT)[Direction.DOWN].sum() == 0.0
    with pytest.raises(NoData, match="the map is empty"):
        levels_of(empty, side(PositionSide.SHORT, [0.0, 0.0]))


def test_split_by_shares():
    # 5 dollars, 40 and 60 %
    found = split(levels_of(LONG, SHORT)[Direction.UP], [0.4, 0.6])
    assert found[:, 0, 1].tolist() == [2.0, 3.0]
    with pytest.raises(BadArgument, match="make 1"):
        split(np.ones((1, 2)), [0.4, 0.4])
