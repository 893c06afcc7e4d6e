"""A heatmap as tiles for a screen: one byte a cell on a logarithmic dollar scale, and coarser levels by the largest cell.

The dollars are those of the data: far from the mark a map is mostly assumption, smooth and large, and would outshine what is
known. The lowest bit of a byte says where assumption is more than half of the cell. Of a map without any data, or if it is asked
for, the dollars are all of them.

A tile has 256 columns at most and all rows. Its body is a 32-byte header and one byte a cell, time-major, each column as the
difference from the one before (modulo 256), which compresses far better than the bytes themselves. Tiles lie on absolute
multiples of their width, so that a tile that is over never changes and may be kept for ever.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from liqscape.model.heat_scale import Part, dollars_of, part_of
from liqscape.model.maps import Heatmap

Cells = npt.NDArray[np.uint8]

TILE_COLUMNS = 256
LEVELS = 6
DECADES = 4.0
NOTHING, NOT_KNOWN = 0, 255  # below the floor; and nothing known at all
ASSUMED = 1  # this bit: more than half of the cell is assumption; alone it is a cell whose data are below the floor
MOSTLY = 0.5  # share of the prior from which a cell counts as assumed, the same as where the page refuses a ratio
STEPS = 110  # bytes 2 to 221, two a step; 8.7 % apart: a map is not better known, and finer steps double what is sent
_HEADER = struct.Struct("<4sBBBBIHHffH6x")
VERSION = 2
_MAGIC, _LAYOUT = b"LQHT", 0


@dataclass(frozen=True)
class Pyramid:
    """A heatmap in bytes, at several widths of a column.

    Parameters
    ----------
    first
        Absolute number of the first column at level 0: its start over its width.
    interval_ns
        Width of a column at level 0.
    floor_usd
        USD per 0.1 % where step 1 begins; `decades` above it step `STEPS` ends. An error of at most 4.4 % over four decades.
    levels
        uint8[columns, rows] of each level; level k joins the 2**k columns that lie in one absolute multiple of 2**k.
    part
        Which dollars the steps count.
    """

    first: int
    interval_ns: int
    floor_usd: float
    decades: float
    levels: tuple[Cells, ...]
    part: Part = "data"

    @property
    def columns(self) -> int:
        """Columns at level 0."""
        return self.levels[0].shape[0]

    @property
    def rows(self) -> int:
        """Rows of every level."""
        return self.levels[0].shape[1]

    def first_at(self, level: int) -> int:
        """Return the absolute number of the first column of a level."""
        return self.first >> level

    def tiles(self, level: int) -> range:
        """Return the absolute numbers of the tiles of a level that hold columns of this pyramid."""
        first = self.first_at(level)
        return range(first // TILE_COLUMNS, (first + self.levels[level].shape[0] - 1) // TILE_COLUMNS + 1)

    def whole(self, level: int, index: int) -> bool:
        """Whether a tile lies wholly inside what is known: then it will never change."""
        start, end = (index * TILE_COLUMNS) << level, ((index + 1) * TILE_COLUMNS) << level
        return self.first <= start and end <= self.first + self.columns


def quantise(
    usd: npt.NDArray[np.floating],
    floor_usd: float,
    decades: float = DECADES,
    *,
    prior_share: npt.ArrayLike = 0.0,
    part: Part = "data",
) -> Cells:
    """Return a byte per cell: twice the step of its dollars, plus ASSUMED.

    NaN is NOT_KNOWN, less than the floor is step 0, more than the ceiling the last step. A cell of less than the floor, data and
    assumption together, is NOTHING.

    Parameters
    ----------
    usd
        USD per 0.1 %, data and assumption.
    prior_share
        Fraction of it that is assumption.
    part
        Which dollars the steps count.
    """
    share = np.asarray(prior_share)
    counted = usd * (1.0 - share) if part == "data" else usd
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.floor(np.log10(counted.astype(np.float64) / floor_usd) / decades * STEPS + 1e-9) + 1.0
    bytes_ = 2 * np.clip(np.nan_to_num(steps, nan=0.0, neginf=0.0, posinf=0.0), 0.0, STEPS).astype(np.uint8)
    bytes_ |= np.where((share > MOSTLY) & (usd >= floor_usd), np.uint8(ASSUMED), np.uint8(0))
    bytes_[np.isnan(usd)] = NOT_KNOWN
    return bytes_


def dollars(cells: Cells, floor_usd: float, decades: float = DECADES) -> npt.NDArray[np.float64]:
    """Return the USD in the middle of a byte's step, NaN where nothing is known."""
    steps = cells >> 1
    usd = floor_usd * 10.0 ** (decades * (steps.astype(np.float64) - 0.5) / STEPS)
    return np.where(cells == NOT_KNOWN, np.nan, np.where(steps == 0, 0.0, usd))


def floor_of(heatmap: Heatmap, decades: float = DECADES, *, part: Part | None = None) -> float:
    """Return a floor whose scale just holds the largest cell, a power of ten over the decades; stable while maps are alike."""
    usd = dollars_of(heatmap, part or part_of(heatmap))
    largest = float(np.nanmax(usd, initial=0.0)) if usd.size else 0.0
    top = np.ceil(np.log10(largest)) if largest > 0.0 else decades
    return float(10.0 ** (top - decades))


def build_pyramid(heatmap: Heatmap, *, floor_usd: float | None = None, levels: int = LEVELS, part: Part | None = None) -> Pyramid:
    """Return a heatmap's bytes at all levels.

    Parameters
    ----------
    floor_usd
        USD per 0.1 % of the lowest step; default: `floor_of`.
    part
        Which dollars the steps count; default: `part_of`.
    """
    part = part or part_of(heatmap)
    floor = floor_of(heatmap, part=part) if floor_usd is None else floor_usd
    usd, share = heatmap.usd_per_permille.T, heatmap.prior_share.T  # they lie a column after the other
    finest = np.ascontiguousarray(quantise(usd, floor, prior_share=share, part=part))
    first = int(heatmap.start_ns[0]) // heatmap.interval_ns
    found = [finest]
    for level in range(1, levels):
        if found[-1].shape[0] < 2:
            break
        found.append(_halved(found[-1], first >> (level - 1)))
    return Pyramid(first, heatmap.interval_ns, floor, DECADES, tuple(found), part)


def _halved(cells: Cells, first: int) -> Cells:
    """Join pairs of columns by their largest known cell; `first` is the absolute number of the first column."""
    columns, rows = cells.shape
    before, after = first & 1, (first + columns) & 1
    padded = np.full((columns + before + after, rows), NOT_KNOWN, np.uint8)
    padded[before : before + columns] = cells
    # One more turns "not known" into the smallest byte, so that the largest of two is the known one.
    joined = (padded + np.uint8(1)).reshape(-1, 2, rows).max(axis=1)
    return joined - np.uint8(1)


def tile(pyramid: Pyramid, level: int, index: int) -> bytes:
    """Return one tile: `TILE_COLUMNS` columns, those outside the pyramid not known.

    Raises
    ------
    IndexError
        If the level or the tile is not among those of the pyramid.
    """
    if not 0 <= level < len(pyramid.levels) or index not in pyramid.tiles(level):
        raise IndexError(f"level {level}, tile {index}")
    cells, first = pyramid.levels[level], pyramid.first_at(level)
    start = index * TILE_COLUMNS
    body = np.full((TILE_COLUMNS, pyramid.rows), NOT_KNOWN, np.uint8)
    low, high = max(start, first), min(start + TILE_COLUMNS, first + cells.shape[0])
    body[low - start : high - start] = cells[low - first : high - first]
    differences = body.copy()
    differences[1:] -= body[:-1]
    head = _HEADER.pack(
        _MAGIC,
        VERSION,
        level,
        _LAYOUT,
        0 if pyramid.whole(level, index) else 1,
        index,
        TILE_COLUMNS,
        pyramid.rows,
        pyramid.floor_usd,
        pyramid.decades,
        STEPS,
    )
    return head + differences.tobytes()
