"""Heatmaps as grids of tiles: which exist, their bytes (compressed once), and what changed since a revision."""

from __future__ import annotations

import hashlib
import itertools
import math
import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from msgspec import Struct

from liqscape.analytics.pyramid import STEPS, TILE_COLUMNS, VERSION, Pyramid, build_pyramid, floor_of, tile
from liqscape.api.answers.history import Shape, find_heatmap
from liqscape.api.question import Question, Words
from liqscape.clock import iso
from liqscape.errors import BadArgument
from liqscape.estimate import Recipe
from liqscape.model import PriceGrid
from liqscape.model.heat_scale import DollarScale, Part, choose_scale, part_of
from liqscape.model.maps import Heatmap
from liqscape.server.bodies import Body
from liqscape.server.memory import PAST_S, Memory, Remembered
from liqscape.units import NS_PER_S

GRIDS = 12  # kept in memory, about 20 MB each
LONGEST_COLUMNS = 12_000
MOST_NEW = 512  # columns in one delta; more are another grid
_HARD, _EASY = 16, 10  # how hard tiles are compressed


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
        Step 1 begins at the floor, the last ends so many decades above it. A byte is twice its step, plus 1 where
        more than half of the cell is assumption; step 0 is less than the floor, byte 255 not known.
    part
        Whose dollars the steps and the scale count: of the data, or all; all too where nothing is data yet.
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
    part: Part
    scale: DollarScale
    tiles: list[tuple[int, int]]
    from_: str = msgspec.field(name="from")
    to: str


@dataclass(eq=False)
class Grid:
    """A heatmap as it stands; replaced, not changed, when rows come.

    Parameters
    ----------
    past
        Whether it is of a past instant: then its name says what it was made of, and its tiles never change.
    found
        Without its cells: the pyramid has them.
    revision
        1 at first, one more with every change.
    scale
        Of the colours, as it is chosen for the cells.
    bodies
        Tiles that were asked for.
    """

    name: str
    key: Hashable
    found: Heatmap
    pyramid: Pyramid
    rows: PriceGrid
    revision: int
    scale: DollarScale
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
        self._made: Remembered[Grid] = Remembered(GRIDS)
        self._named: OrderedDict[str, Grid] = OrderedDict()
        self._newest: dict[Hashable, Grid] = {}
        self._lock = threading.Lock()
        # Tiles of a live grid may be kept for ever under its name, so no other run of the server may give it again.
        self._run, self._count = secrets.token_hex(8), itertools.count()

    def grid(self, question: Question, words: Words, shape: Shape) -> Grid:
        """Return the grid of a heatmap, built or brought up to date; rows stay while they hold the prices.

        Grids of other heatmaps are never waited for; of the same one, whoever asks meanwhile gets what the first one builds.
        """
        plain = replace(shape, scale=None)  # the colours of a screen do not change the cells
        key = (question.asked, question.as_of_ns, question.venues, words.reading, plain)
        past = question.as_of_ns is not None
        made = self._made.get(
            key, self._memory.version(), lambda: self._build(question, plain, words, key), least_s=PAST_S if past else 0.0
        )
        question.guard(words, made.found)
        return made

    def _build(self, question: Question, shape: Shape, words: Words, key: Hashable) -> Grid:
        with self._lock:
            old = self._newest.get(key)
        found = find_heatmap(question, Words(reading=words.reading), shape, None, None, grid=None if old is None else old.rows)
        if found.start_ns.size > LONGEST_COLUMNS:
            raise BadArgument(
                f"heat: {found.start_ns.size:,} columns; at most {LONGEST_COLUMNS:,} are sent",
                hint="Ask for a shorter window or a longer interval.",
            )
        # The scale may only grow: a floor that moved back and forth would make every tile another one.
        part = shape.part or part_of(found)
        lowest = floor_of(found, part=part)
        floor = lowest if old is None or old.pyramid.part != part else max(old.pyramid.floor_usd, lowest)
        pyramid, scale = build_pyramid(found, floor_usd=floor, part=part), choose_scale(found, part=part)
        if old is not None and not old.past and _continues(old, found, pyramid):
            whole = {
                place: body for place, body in dict(old.bodies).items() if body.whole and place[1] in pyramid.tiles(place[0])
            }
            unchanged = first_change(old.pyramid, pyramid) is None
            revision = old.revision if unchanged else old.revision + 1
            made = Grid(old.name, key, _light(found), pyramid, old.rows, revision, scale, False, whole)
        else:
            past = question.as_of_ns is not None
            salt = "+".join(each.sha256 for each in found.inputs) if past else f"{self._run}{next(self._count)}"
            marks = (VERSION, part, repr(key), found.model, found.edge_price.tobytes(), found.interval_ns, floor, salt)
            name = hashlib.blake2b(repr(marks).encode(), digest_size=9).hexdigest()
            made = Grid(name, key, _light(found), pyramid, _rows_of(found), 1, scale, past)
        self._keep(made, old)
        return made

    def _keep(self, made: Grid, old: Grid | None) -> None:
        with self._lock:
            self._newest[made.key] = made
            self._named[made.name] = made
            self._named.move_to_end(made.name)
            if old is not None and old.name != made.name:
                self._named.pop(old.name, None)
            while len(self._named) > GRIDS:
                gone = self._named.popitem(last=False)[1]
                if self._newest.get(gone.key) is gone:
                    del self._newest[gone.key]

    def named(self, name: str) -> Grid:
        """Return a grid by its name.

        Raises
        ------
        KeyError
            If it is not kept any more.
        """
        with self._lock:
            self._named.move_to_end(name)
            return self._named[name]

    def body(self, name: str, level: int, index: int) -> Body:
        """Return a tile.

        Raises
        ------
        KeyError
            If there is no such grid any more.
        IndexError
            If it has no such tile.
        """
        grid = self.named(name)
        held = grid.bodies.get((level, index))
        if held is None:
            plain = tile(grid.pyramid, level, index)
            whole = grid.past or grid.pyramid.whole(level, index)
            # The finest levels have most of the bytes and are fetched bit by bit: they are worth the time.
            held = Body.of(plain, whole=whole, level=_HARD if whole and level < 2 else _EASY)
            grid.bodies[level, index] = held
        return held

    def candle_body(self, name: str) -> Body:
        """Return the candles of a grid: four planes of float32 (open, high, low, close), one price a column, NaN unknown."""
        grid = self.named(name)
        if grid.candles is None:
            found = grid.found
            planes = np.stack([found.open, found.high, found.low, found.close]).astype("<f4")
            grid.candles = Body.of(planes.tobytes(), whole=grid.past, level=_EASY)
        return grid.candles


def describe_grid(grid: Grid, scale: DollarScale) -> HeatData:
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
        part=pyramid.part,
        scale=scale,
        tiles=[(tiles[0], tiles[-1]) for tiles in (pyramid.tiles(level) for level in range(len(pyramid.levels)))],
        from_=iso(int(found.start_ns[0])),
        to=iso(int(found.start_ns[-1]) + found.interval_ns),
    )


def _light(found: Heatmap) -> Heatmap:
    """Return a heatmap without its cells, which are most of its memory."""
    none = np.zeros((0, 0), np.float32)
    return replace(found, usd_per_permille=none, prior_share=none)


def _rows_of(found: Heatmap) -> PriceGrid:
    """Return the rows of a heatmap as a grid that a later one can be built on: with the very same edges, to the last bit."""
    rows, fine = found.edge_price.size - 1, Recipe().step
    step = round(math.log(found.edge_price[-1] / found.edge_price[0]) / rows / fine) * fine  # as the engine lays them out
    return PriceGrid(step, round(math.log(found.edge_price[0]) / step), rows)


def _continues(old: Grid, found: Heatmap, new: Pyramid) -> bool:
    """Whether a heatmap is an earlier one with news at its end: same axes, and no tile that was sent for ever is another one."""
    before = old.pyramid
    same_axes = (
        before.interval_ns == new.interval_ns
        and before.part == new.part
        and before.floor_usd == new.floor_usd
        and len(before.levels) == len(new.levels)
        and np.array_equal(old.found.edge_price, found.edge_price)
    )
    if not same_axes or not before.first <= new.first <= before.first + before.columns:
        return False
    changed = first_change(before, new)
    if changed is None:
        return True
    end = before.first + before.columns
    return changed >= end - end % TILE_COLUMNS and new.first + new.columns - changed <= MOST_NEW


def first_change(old: Pyramid, new: Pyramid) -> int | None:
    """Return the absolute number of the first column that is new or another one; None if there is none."""
    start, end = max(old.first, new.first), min(old.first + old.columns, new.first + new.columns)
    same = old.levels[0][start - old.first : end - old.first] == new.levels[0][start - new.first : end - new.first]
    places = np.flatnonzero(~same.all(axis=1))
    if places.size:
        return start + int(places[0])
    return end if new.first + new.columns > end else None
