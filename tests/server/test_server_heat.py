"""Heatmaps as tiles: what is kept for ever never changes, news come as deltas, a reader that applies them has what is new.

The frames are read here with a decoder of its own, written from the page of the protocol, not from the encoder.
"""

import dataclasses
import struct
import threading

import numpy as np
import pytest
from served import Asker

from liqscape.analytics.pyramid import NOT_KNOWN
from liqscape.api.answers.history import Shape
from liqscape.api.question import Words, ask
from liqscape.cli.demo_market import DemoMarket
from liqscape.estimate import Recipe
from liqscape.model import PriceGrid
from liqscape.server.bodies import ASK_AGAIN
from liqscape.server.deltas import delta, reset
from liqscape.server.heat import Heat, _rows_of
from liqscape.server.memory import Memory
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

NOON = 20_400 * NS_PER_DAY + 12 * NS_PER_HOUR
SHAPE = Shape(window="3d", rows=120)


def read_tile(body):
    """Return (level, index, open, cells[columns, rows]) of a tile."""
    magic, version, level, layout, flags, index, columns, rows = struct.unpack_from("<4sBBBBIHH", body)
    assert (magic, version, layout) == (b"LQHT", 2, 0)
    differences = np.frombuffer(body, np.uint8, columns * rows, 32).reshape(columns, rows)
    return level, index, flags & 1, np.cumsum(differences, axis=0, dtype=np.uint8)


def read_frame(frame):
    """Return the head of a frame as a dictionary, with each column's runs as (row, bytes)."""
    magic, version, kind, rows, revision, previous, first, count, length = struct.unpack_from("<4sBBHIIIHH", frame)
    assert (magic, version) == (b"LQHD", 1)
    at, columns = 24 + length, []
    name = frame[24:at].decode()
    for _ in range(count):
        (runs,) = struct.unpack_from("<H", frame, at)
        at += 2
        column = []
        for _ in range(runs):
            row, size = struct.unpack_from("<HH", frame, at)
            column.append((row, frame[at + 4 : at + 4 + size]))
            at += 4 + size
        columns.append(column)
    assert at == len(frame)
    facts = {"kind": kind, "rows": rows, "revision": revision, "previous": previous, "first": first, "grid": name}
    return facts | {"columns": columns}


def apply(cells, start, frame):
    """Return the cells [columns, rows] of a reader, whose first column is `start`, after a frame."""
    at = frame["first"] - start
    before = cells[at - 1] if at > 0 else np.full(frame["rows"], NOT_KNOWN, np.uint8)
    found = list(cells[:at])
    for runs in frame["columns"]:
        column = before.copy()
        for row, stretch in runs:
            column[row : row + len(stretch)] = np.frombuffer(stretch, np.uint8)
        found.append(column)
        before = column
    return np.array(found)


class Market:
    """A simulated market whose clock is in our hands, and the server's grids over it."""

    def __init__(self, folder):
        self.at = NOON
        self.market = DemoMarket(folder, at_ns=self.at, past_days=4)
        self.memory = Memory(self.market.workspace)
        self.heat = Heat(self.memory)

    def later(self, minutes):
        self.at += minutes * NS_PER_MINUTE
        self.market.step(self.at)
        return self.grid()

    def grid(self, as_of=None):
        self.memory._version = (-9.0, ())
        for held in (self.heat._made, self.memory.maps):
            held._held.clear()
        question = ask("heat", self.market.workspace, "BTC", as_of=as_of, maps=self.memory.build_map)
        return self.heat.grid(question, Words(), SHAPE)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    return Market(tmp_path_factory.mktemp("heat"))


def test_deltas_give_what_a_fresh_pyramid_has(market):
    reader, held = None, market.grid()
    cells, start = held.pyramid.levels[0], held.pyramid.first
    frames = 0
    for minutes in (5, 5, 0, 25, 60, 5):
        new = market.later(minutes)
        frame = delta(held, new)
        if frame is None:
            assert new.revision == held.revision
            held = new
            continue
        reader = read_frame(frame)
        if reader["kind"] == 2:
            assert reader["grid"] == new.name
            cells, start = new.pyramid.levels[0], new.pyramid.first
        else:
            frames += 1
            assert (reader["previous"], reader["revision"], reader["grid"]) == (held.revision, new.revision, new.name)
            cells = apply(cells, start, reader)
            at = new.pyramid.first - start
            np.testing.assert_array_equal(cells[at:], new.pyramid.levels[0])
        held = new
    assert frames >= 3


def test_a_live_grid_keeps_its_name_while_it_holds_the_prices(tmp_path):
    """New columns are columns of the same grid: rows that moved in their last bit once made every tile another one."""
    market = Market(tmp_path)
    first = market.grid()
    held = [market.later(minutes) for minutes in (5, 5, 60, 5, 240, 5)]
    assert {grid.name for grid in held} == {first.name}
    assert held[-1].revision > first.revision
    for grid in held:
        np.testing.assert_array_equal(grid.found.edge_price, first.found.edge_price)


def test_the_rows_of_a_grid_are_laid_out_again_to_the_last_bit(market):
    found = market.grid().found
    rng = np.random.default_rng(5)
    for low, factor, cells in zip(10.0 ** rng.uniform(-4, 5, 99), rng.uniform(1.01, 3, 99), rng.integers(1, 40, 99), strict=True):
        grid = PriceGrid.covering(float(low), float(low * factor), int(cells) * Recipe().step)
        assert _rows_of(dataclasses.replace(found, edge_price=grid.edges)) == grid


def test_a_price_that_leaves_the_rows_makes_another_grid(tmp_path, monkeypatch):
    from liqscape.engine import heat as sheets

    market = Market(tmp_path)
    first = market.grid()
    monkeypatch.setattr(sheets, "_REACH", 0.4)  # as if prices had come nearer to the edge than half of the reach
    new = market.later(5)
    assert new.name != first.name
    assert read_frame(delta(first, new))["kind"] == 2


def test_a_delta_is_small(market):
    held = market.grid()
    frame = delta(held, market.later(5))
    assert frame is None or len(frame) < 2_000


def test_a_reset_names_the_grid(market):
    grid = market.grid()
    head = read_frame(reset(grid))
    assert (head["kind"], head["grid"], head["revision"], head["columns"]) == (2, grid.name, grid.revision, [])


def test_a_tile_that_is_kept_for_ever_never_changes(market):
    first = market.grid()
    kept = {}
    for level in range(len(first.pyramid.levels)):
        for index in first.pyramid.tiles(level):
            body = market.heat.body(first.name, level, index)
            if body.whole:
                kept[first.name, level, index] = body.plain
    assert kept
    for _ in range(4):
        new = market.later(30)
        for (name, level, index), plain in kept.items():
            if name == new.name and index in new.pyramid.tiles(level):
                assert market.heat.body(name, level, index).plain == plain


def test_tiles_hold_the_cells_of_the_pyramid(market):
    grid = market.grid()
    pyramid = grid.pyramid
    for level, cells in enumerate(pyramid.levels):
        for index in pyramid.tiles(level):
            found = read_tile(market.heat.body(grid.name, level, index).plain)
            assert found[:2] == (level, index)
            low = max(index * 256, pyramid.first_at(level))
            high = min(index * 256 + 256, pyramid.first_at(level) + len(cells))
            np.testing.assert_array_equal(
                found[3][low - index * 256 : high - index * 256],
                cells[low - pyramid.first_at(level) : high - pyramid.first_at(level)],
            )


def test_a_past_grid_has_the_same_name_and_bytes_in_every_run(market, tmp_path):
    as_of = "2025-11-07T06:00Z"
    one = market.grid(as_of)
    heat = Heat(Memory(market.market.workspace))
    question = ask("heat", market.market.workspace, "BTC", as_of=as_of)
    two = heat.grid(question, Words(), SHAPE)
    assert one.past
    assert one.name == two.name
    index = two.pyramid.tiles(0)[0]
    assert market.heat.body(one.name, 0, index).plain == heat.body(two.name, 0, index).plain
    assert heat.body(two.name, 0, index).whole


def test_a_live_name_is_never_given_again(market):
    """What a browser keeps for ever under a live grid's name must not be another run's tile."""
    again = Heat(Memory(market.market.workspace))
    question = ask("heat", market.market.workspace, "BTC")
    assert again.grid(question, Words(), SHAPE).name != market.grid().name


def test_many_who_ask_at_once_get_one_grid(market, monkeypatch):
    from liqscape.server import heat as rooms

    built = []
    plain = rooms.find_heatmap
    monkeypatch.setattr(rooms, "find_heatmap", lambda *a, **k: built.append(1) or plain(*a, **k))
    fresh = Heat(Memory(market.market.workspace))
    question = ask("heat", market.market.workspace, "BTC")
    found = []
    threads = [threading.Thread(target=lambda: found.append(fresh.grid(question, Words(), SHAPE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(grid) for grid in found}) == 1
    assert len(built) == 1


def test_tiles_over_http_are_cached_as_they_may_be(home):
    asker = Asker(home)
    try:
        live = asker("/api/v1/BTC/heat").json()
        past = asker(f"/api/v1/BTC/heat?as_of={live['meta']['as_of']}").json()["data"]
        forever = asker(f"/api/v1/heat/{past['grid']}/0/{past['tiles'][0][1]}")
        assert forever.headers["cache-control"] == "public, max-age=31536000, immutable"
        grid = live["data"]
        path = f"/api/v1/heat/{grid['grid']}/{grid['levels'] - 1}/{grid['tiles'][-1][1]}"
        newest = asker(path)
        assert newest.headers["cache-control"] == ASK_AGAIN
        assert asker(path, if_none_match=newest.headers["etag"]).status_code == 304
        assert read_tile(newest.content)[2] == 1
        assert asker(f"/api/v1/heat/{grid['grid']}/0/{grid['tiles'][0][1] + 1}").status_code == 404
        assert asker(f"/api/v1/heat/{grid['grid']}/9/0").status_code == 404
        planes = np.frombuffer(asker(f"/api/v1/heat/{grid['grid']}/candles").content, "<f4").reshape(4, -1)
        assert planes.shape[1] == grid["columns"]
        assert np.nanmax(planes[1] - planes[2]) > 0.0
    finally:
        asker.close()


def test_tiles_hold_data_and_all_dollars_if_they_are_asked_for(get):
    known, every = (get(f"/api/v1/BTC/heat{words}").json()["data"] for words in ("", "?part=all"))
    assert (known["part"], every["part"]) == ("data", "all")
    assert known["grid"] != every["grid"]
    numbers = get("/api/v1/BTC/heatmap").json()["data"]
    usd, prior = (np.array(numbers[name], float) for name in ("usd", "prior_share"))
    assert known["scale"] == numbers["scale"]
    assert known["scale"]["ceiling_usd"] <= 2.5 * np.nanmax(usd * (1.0 - prior))
    top = [np.array([]), np.array([])]
    for k, grid in enumerate((known, every)):
        cells = read_tile(get(f"/api/v1/heat/{grid['grid']}/0/{grid['tiles'][0][1]}").content)[3]
        held = cells[cells != NOT_KNOWN]
        assert (held & 1).any()  # far from the mark it is mostly assumption
        top[k] = grid["floor_usd"] * 10 ** (grid["decades"] * ((held >> 1).astype(float) - 0.5) / grid["steps"])
    assert top[1].max() > top[0].max()
    assert get("/api/v1/BTC/heatmap?part=all").status_code == 422


def test_a_heatmap_that_is_too_wide_is_refused(get, monkeypatch):
    from liqscape.server import heat as rooms

    monkeypatch.setattr(rooms, "LONGEST_COLUMNS", 100)
    answer = get("/api/v1/BTC/heat?within=5%25")
    assert answer.status_code == 422
    assert "columns" in answer.json()["error"]["message"]
