"""Books as they were stored: cumulative dollars by distance from the mid, one book per instant."""

from __future__ import annotations

import polars as pl

from liqscape.model import InstrumentId
from liqscape.store.base import Store
from liqscape.store.schema import Table


def read_depth(store: Store, instrument: InstrumentId, *, start_ns: int, at_ns: int) -> pl.DataFrame:
    """Return the newest book in [start_ns, at_ns] that was known by `at_ns`.

    Returns
    -------
    Columns ts (ns UTC), distance (fraction, ascending), bid_usd, ask_usd (cumulative, USD), source; empty if there is none.
    """
    rows = store.read(Table.DEPTH, instrument, start_ns=start_ns, end_ns=at_ns + 1, known_by_ns=at_ns)
    return rows.filter(pl.col("ts") == pl.col("ts").max()).select("ts", "distance", "bid_usd", "ask_usd", "source")


def last_depth_ns(store: Store, instrument: InstrumentId, *, at_ns: int) -> int | None:
    """Return the instant of the newest book at or before `at_ns` that was known then, or None."""
    rows = store.read(Table.DEPTH, instrument, end_ns=at_ns + 1, known_by_ns=at_ns)
    return None if rows.is_empty() else int(rows.item(-1, "ts"))
