"""Heatmaps as grids of tiles: which exist, their bytes (compressed once), and what changed since a revision."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zstandard
from msgspec import Struct

from liqscape.analytics.heat import DollarScale
from liqscape.analytics.pyramid import STEPS, TILE_COLUMNS, Pyramid, build_pyramid, floor_of, tile
from liqscape.api.answers.history import Shape, find_heatmap
from liqscape.api.question import Question, Words
from liqscape.clock import iso
from liqscape.engine.heat import build_heatmap
from liqscape.model import PriceGrid
from liqscape.model.maps import Heatmap
from liqscape.server.memory import Memory
from liqscape.units import NS_PER_S

GRIDS = 6  # kept in memory, about 20 MB each
LONGEST_COLUMNS = 12_000


class HeatData(Struct, kw_only=True):
    """A heatmap's grid: where its tiles lie, and the dollar scale.

    Parameters
    ----------
    grid
        Name of the grid in the address of its tiles: `/api/v1/heat/{grid}/{level}/{index}`.
    revision
        Grows with every change; of a past instant it is 0 for ever.
    first, columns, interval_s
        Absolute number of the first column (its start over its width), how many, and their width.
    price0, log_step, rows
        Lowest edge, and the step of the edges in natural log.
    levels, tile_columns
        Level k joins 2**k columns by the largest cell; a tile has so many columns of its level and lies on absolute multiples.
    floor_usd, decades, steps
        Byte 1 begins at the floor, byte `steps` ends so many decades above it; 0 is less than the floor, 255 not known.
    tiles
        Of each level: [first, last] absolute tile.
    """

    grid: str
    revision: int
    first: int
    columns: int
    interval_s: float
    price0: float
    log_step: float
    rows: int
    levels: int
    tile_columns: int
    floor_usd: float
    decades: float
    steps: int
    scale: DollarScale
    tiles: list[tuple[int, int]]
    from_: str
    to: str


@dataclass(frozen=True)
class Body:
    """Bytes that were compressed once.

    Parameters
    ----------
    whole
        True if they will never change.
    """

    plain: bytes
    zstd: bytes
    gzip: bytes
    etag: str
    whole: bool

    @classmethod
    def of(cls, plain: bytes, *, whole: bool, level: int = 10) -> Body:
        """Compress bytes for every browser."""
        packed = zstandard.ZstdCompressor(level=level).compress(plain)
        return cls(
            plain, packed, gzip.compress(plain, 6, mtime=0), f'"{hashlib.blake2b(plain, digest_size=12).hexdigest()}"', whole
        )

    def encoded(self, accepts: str) -> tuple[bytes, str | None]:
        """Return the smallest form that a client accepts, and its name."""
        names = {part.split(";")[0].strip().lower() for part in accepts.split(",") if not part.replace(" ", "").endswith(";q=0")}
        if "zstd" in names:
            return self.zstd, "zstd"
        if "gzip" in names:
            return self.gzip, "gzip"
        return self.plain, None


@dataclass
class Grid:
    """A heatmap as it stands."""

    name: str
    key: tuple[Any, ...]
    found: Heatmap
    pyramid: Pyramid
    rows: PriceGrid
    revision: int
    version: tuple[int, ...]
    past: bool
    bodies: dict[tuple[int, int], Body] = field(default_factory=dict[tuple[int, int], Body])
    candles: Body | None = None


class Heat:
    """The grids of a server.

    Parameters
    ----------
    memory
        Tells whether the store has new rows.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._grids: OrderedDict[str, Grid] = OrderedDict()
        self._lock = threading.Lock()

    def grid(self, question: Question, words: Words, shape: Shape) -> Grid:
        """Return the grid of a heatmap, built or brought up to date; rows stay while they hold the prices."""
        key = (question.asked, question.as_of_ns, question.venues, words.reading, words.window, shape)
        version = self._memory.version()
        with self._lock:
            old = next((grid for grid in self._grids.values() if grid.key == key), None)
            if old is not None and old.version == version:
                self._grids.move_to_end(old.name)
                return old
            made = self._build(question, words, shape, key, version, old)
            self._grids[made.name] = made
            if old is not None and old.name != made.name:
                del self._grids[old.name]
            self._grids.move_to_end(made.name)
            while len(self._grids) > GRIDS:
                self._grids.popitem(last=False)
            return made

    def _build(
        self, question: Question, words: Words, shape: Shape, key: tuple[Any, ...], version: tuple[int, ...], old: Grid | None
    ) -> Grid:
        kept = None if old is None else old.rows
        found = find_heatmap(question, words, shape, None, None, grid=kept)
        step = float(np.log(found.edge_price[1] / found.edge_price[0]))
        rows = kept
        if rows is None or not np.isclose(rows.edges[0], found.edge_price[0]) or rows.size != found.edge_price.size - 1:
            rows = PriceGrid.covering(
                float(found.edge_price[0]) * np.exp(step / 2), float(found.edge_price[-2]) * np.exp(step / 2), step
            )
        # The scale may only grow: a floor that moved back and forth would make every tile another one.
        floor = floor_of(found) if old is None else max(old.pyramid.floor_usd, floor_of(found))
        pyramid = build_pyramid(found, floor_usd=floor)
        marks = (key, found.model, float(found.edge_price[0]), found.edge_price.size, step, found.interval_ns, floor)
        name = hashlib.blake2b(repr(marks).encode(), digest_size=9).hexdigest()
        same = old is not None and old.name == name
        revision = old.revision + 1 if same and old is not None else 1
        grid = Grid(name, key, found, pyramid, rows, revision, version, question.as_of_ns is not None)
        if same and old is not None:
            grid.bodies = {place: body for place, body in old.bodies.items() if body.whole}
        return grid

    def data(self, grid: Grid, scale: DollarScale) -> HeatData:
        """Describe a grid."""
        pyramid, found = grid.pyramid, grid.found
        return HeatData(
            grid=grid.name,
            revision=grid.revision,
            first=pyramid.first,
            columns=pyramid.columns,
            interval_s=found.interval_ns / NS_PER_S,
            price0=float(found.edge_price[0]),
            log_step=float(np.log(found.edge_price[-1] / found.edge_price[0]) / pyramid.rows),
            rows=pyramid.rows,
            levels=len(pyramid.levels),
            tile_columns=TILE_COLUMNS,
            floor_usd=pyramid.floor_usd,
            decades=pyramid.decades,
            steps=STEPS,
            scale=scale,
            tiles=[(tiles[0], tiles[-1]) for tiles in (pyramid.tiles(level) for level in range(len(pyramid.levels)))],
            from_=iso(int(found.start_ns[0])),
            to=iso(int(found.start_ns[-1]) + found.interval_ns),
        )

    def body(self, name: str, level: int, index: int) -> Body:
        """Return a tile.

        Raises
        ------
        KeyError
            If there is no such grid any more.
        IndexError
            If it has no such tile.
        """
        grid = self._grids[name]
        held = grid.bodies.get((level, index))
        if held is None:
            plain = tile(grid.pyramid, level, index)
            whole = grid.past or grid.pyramid.whole(level, index)
            # The finest levels have most of the bytes and are fetched bit by bit: they are worth the time.
            held = Body.of(plain, whole=whole, level=16 if whole and level < 2 else 10)
            grid.bodies[level, index] = held
        return held

    def candle_body(self, name: str) -> Body:
        """Return the candles of a grid: four planes of float32 (open, high, low, close), one price a column, NaN unknown."""
        grid = self._grids[name]
        if grid.candles is None:
            found = grid.found
            planes = np.stack([found.open, found.high, found.low, found.close]).astype("<f4")
            grid.candles = Body.of(planes.tobytes(), whole=grid.past)
        return grid.candles


__all__ = ["Body", "Grid", "Heat", "HeatData", "build_heatmap"]
