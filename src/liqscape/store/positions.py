"""Followed accounts as they stood at an instant: of every account the newest look that was known then."""

from __future__ import annotations

import polars as pl

from liqscape.model import InstrumentId
from liqscape.store.base import Store
from liqscape.store.schema import Table


def read_positions(store: Store, instrument: InstrumentId, *, at_ns: int, max_age_ns: int) -> pl.DataFrame:
    """Return all positions of the accounts that held `instrument` when they were last looked at.

    Parameters
    ----------
    at_ns
        The instant; only rows that were known then are read.
    max_age_ns
        An account that was looked at longer ago is left out.

    Returns
    -------
    The table's columns, every leg of these accounts on the venue, sorted by account and instrument; empty if none is known.
    """
    rows = store.read(Table.POSITIONS, start_ns=at_ns - max_age_ns, end_ns=at_ns + 1, known_by_ns=at_ns)
    same_venue = pl.col("instrument").str.starts_with(f"{instrument.venue}:")
    rows = rows.filter(same_venue).filter(pl.col("ts") == pl.col("ts").max().over("account"))
    rows = rows.filter(pl.col("quantity_base") != 0.0)
    holders = rows.filter(pl.col("instrument") == str(instrument)).select("account")
    return rows.join(holders, on="account", how="semi").sort("account", "instrument")
