"""What is new in a heatmap, as a binary frame: the columns that changed, each as runs against the column before it.

Little-endian: `LQHD`, version (1 byte), kind (1: columns, 2: another grid), rows (2), revision (4), previous revision (4), first
column (4, absolute), columns (2), length of the grid's name (2), the name; then per column the number of runs (2), and per run
first row (2), length (2) and its bytes. The column before the first one is the one that the reader has there (NOT_KNOWN if none).
"""

from __future__ import annotations

import struct

import numpy as np

from liqscape.analytics.pyramid import NOT_KNOWN, Cells
from liqscape.server.heat import Grid, first_change

_HEAD = struct.Struct("<4sBBHIIIHH")
_MAGIC, _VERSION, _COLUMNS, _RESET = b"LQHD", 1, 1, 2
_JOINED = 4  # runs closer than this are cheaper as one


def reset(grid: Grid) -> bytes:
    """Return the frame that tells a reader to fetch a grid anew."""
    return _frame(_RESET, grid, 0, 0, ())


def delta(before: Grid, after: Grid) -> bytes | None:
    """Return what changed between two states of a heatmap; a reset if the grid is another one, None if nothing changed."""
    if before.name != after.name:
        return reset(after)
    new = after.pyramid
    changed = first_change(before.pyramid, new)
    if changed is None:
        return None
    cells, first = new.levels[0], changed - new.first
    columns = tuple(
        _runs(cells[k - 1] if k > 0 else np.full(new.rows, NOT_KNOWN, np.uint8), cells[k]) for k in range(first, new.columns)
    )
    return _frame(_COLUMNS, after, before.revision, changed, columns)


def _frame(kind: int, grid: Grid, previous: int, first: int, columns: tuple[bytes, ...]) -> bytes:
    name = grid.name.encode()
    rows = grid.pyramid.rows
    head = _HEAD.pack(_MAGIC, _VERSION, kind, rows, grid.revision, previous, first, len(columns), len(name))
    return head + name + b"".join(columns)


def _runs(before: Cells, now: Cells) -> bytes:
    """Write a column as the stretches where it differs from the one before it."""
    places = np.flatnonzero(before != now)
    if not places.size:
        return struct.pack("<H", 0)
    cuts = np.flatnonzero(np.diff(places) > _JOINED)
    starts, ends = places[np.r_[0, cuts + 1]], places[np.r_[cuts, places.size - 1]] + 1
    parts = [struct.pack("<H", starts.size)]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        parts += [struct.pack("<HH", start, end - start), now[start:end].tobytes()]
    return b"".join(parts)
