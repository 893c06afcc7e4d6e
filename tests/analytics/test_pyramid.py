"""Bytes and tiles of a heatmap: unknown is not zero, no level hides a dense row, a tile that is over never changes."""

import math
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.analytics.pyramid import (
    ASSUMED,
    NOT_KNOWN,
    STEPS,
    TILE_COLUMNS,
    build_pyramid,
    dollars,
    floor_of,
    quantise,
    tile,
)
from liqscape.model import PriceKind
from liqscape.model.maps import Heatmap, Reading

MINUTE = 60_000_000_000


def heatmap(usd: np.ndarray, first: int = 1000) -> Heatmap:
    rows, columns = usd.shape
    known = np.full(columns, 100.0)
    return Heatmap(
        asked="BTC",
        inputs=(),
        as_of_ns=(first + columns) * MINUTE,
        computed_at_ns=0,
        start_ns=(first + np.arange(columns, dtype=np.int64)) * MINUTE,
        interval_ns=MINUTE,
        edge_price=100.0 * np.exp(0.001 * np.arange(rows + 1)),
        usd_per_permille=usd.astype(np.float32),
        prior_share=np.zeros((rows, columns), np.float32),
        open=known,
        high=known,
        low=known,
        close=known,
        reading=Reading.PUBLISHED,
        model="test",
        simulated=True,
        price_kind=PriceKind.MARK,
    )


def random_map(columns: int, rows: int, seed: int, first: int = 1000) -> Heatmap:
    chance = np.random.default_rng(seed)
    usd = np.where(chance.random((rows, columns)) < 0.3, 0.0, 10.0 ** chance.uniform(2, 7.9, (rows, columns)))
    usd[:, chance.random(columns) < 0.1] = np.nan
    return heatmap(usd, first)


def decoded(body: bytes) -> tuple[tuple, np.ndarray]:
    """Read a tile without the code that wrote it."""
    head = struct.unpack_from("<4sBBBBIHHffH", body)
    columns, rows = head[6], head[7]
    cells = np.frombuffer(body, np.uint8, offset=32).reshape(columns, rows)
    return head, np.cumsum(cells.astype(np.int64), axis=0).astype(np.uint8)


@given(st.floats(1e3, 9.99e6))
def test_a_byte_is_within_half_a_step_of_its_dollars(usd):
    (shown,) = dollars(quantise(np.array([usd]), 1e3), 1e3)
    assert abs(shown / usd - 1.0) <= 0.044


def test_nothing_and_unknown_are_two_things():
    cells = quantise(np.array([0.0, 999.0, np.nan, 1000.0, 1e12]), 1000.0)
    assert cells.tolist() == [0, 0, NOT_KNOWN, 2, 2 * STEPS]
    found = dollars(cells, 1000.0)
    assert found[0] == 0.0
    assert math.isnan(found[2])


def test_a_byte_holds_the_data_and_says_where_assumption_is_more():
    usd, share = np.array([1e5, 1e5, 1e5, 1e5, 500.0, np.nan]), np.array([0.0, 0.4, 0.75, 1.0, 1.0, 0.9])
    cells = quantise(usd, 1e3, prior_share=share)
    assert (cells & ASSUMED).tolist() == [0, 0, 1, 1, 0, 1]
    assert dollars(cells, 1e3) == pytest.approx([1e5, 6e4, 2.5e4, 0.0, 0.0, np.nan], rel=0.045, nan_ok=True)
    assert cells[-1] == NOT_KNOWN
    assert cells[3] == ASSUMED  # assumption alone is neither nothing nor unknown
    assert cells[4] == 0
    assert quantise(np.array([1e12]), 1e3, prior_share=0.6)[0] < NOT_KNOWN


def test_the_floor_just_holds_the_largest_cell():
    assert floor_of(heatmap(np.array([[3.2e6, 5.0]]))) == pytest.approx(1e3)
    assert floor_of(heatmap(np.full((2, 3), np.nan))) == pytest.approx(1.0)
    assumed = replace(heatmap(np.array([[3.2e6, 4.1e4]])), prior_share=np.array([[1.0, 0.0]], np.float32))
    assert floor_of(assumed) == pytest.approx(10.0)


@given(st.integers(0, 40), st.integers(2, 70), st.integers(0, 5))
def test_a_level_shows_the_largest_known_cell_of_its_columns(first, columns, seed):
    pyramid = build_pyramid(random_map(columns, 7, seed, 1000 + first))
    finest = pyramid.levels[0].astype(int)
    for level, cells in enumerate(pyramid.levels):
        for k in range(cells.shape[0]):
            number = pyramid.first_at(level) + k
            low = max(0, (number << level) - pyramid.first)
            part = finest[low : ((number + 1) << level) - pyramid.first]
            expected = np.where((part == NOT_KNOWN).all(0), NOT_KNOWN, np.where(part == NOT_KNOWN, -1, part).max(0))
            assert cells[k].tolist() == expected.tolist()


def test_tiles_hold_every_column_once_at_its_absolute_place():
    pyramid = build_pyramid(random_map(700, 11, 3))
    for level in range(len(pyramid.levels)):
        parts = [decoded(tile(pyramid, level, index)) for index in pyramid.tiles(level)]
        whole = np.concatenate([cells for _, cells in parts])
        start = pyramid.tiles(level)[0] * TILE_COLUMNS
        at = pyramid.first_at(level) - start
        held = pyramid.levels[level]
        assert (whole[at : at + held.shape[0]] == held).all()
        assert (whole[:at] == NOT_KNOWN).all()
        assert (whole[at + held.shape[0] :] == NOT_KNOWN).all()
        for index, (head, _) in zip(pyramid.tiles(level), parts, strict=True):
            assert head[0] == b"LQHT"
            assert (head[1], head[2], head[5], head[6], head[7]) == (2, level, index, TILE_COLUMNS, 11)
            assert head[10] == STEPS
            assert bool(head[4]) != pyramid.whole(level, index)


def test_a_tile_that_is_over_stays_as_it_is():
    later = random_map(1400, 5, 1, first=1024)
    earlier = replace(
        later,
        start_ns=later.start_ns[:1000],
        usd_per_permille=later.usd_per_permille[:, :1000],
        prior_share=later.prior_share[:, :1000],
    )
    floor = floor_of(later)
    before, after = build_pyramid(earlier, floor_usd=floor), build_pyramid(later, floor_usd=floor)
    closed = [(level, i) for level in range(6) for i in before.tiles(level) if before.whole(level, i)]
    assert len(closed) >= 4
    for level, index in closed:
        assert tile(before, level, index) == tile(after, level, index)


def test_a_tile_that_does_not_exist_is_refused():
    pyramid = build_pyramid(random_map(10, 3, 1))
    with pytest.raises(IndexError):
        tile(pyramid, 0, 0)
    with pytest.raises(IndexError):
        tile(pyramid, 9, 3)
