"""Records as rows of the tables: values in the order of `SCHEMAS[table].columns`, as the journal takes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from liqscape.cascade import depth_profile
from liqscape.errors import CorruptRecord, NoData
from liqscape.model import AccountRatio, Bar, Book, FundingRate, Gap, Liquidation, OpenInterest

Row = list[Any]


def bar_row(bar: Bar, source: str) -> Row:
    """Return a row of `Table.BARS`."""
    return [
        str(bar.instrument),
        bar.price_kind.value,
        bar.interval_ns,
        bar.ts_venue,
        bar.ts_recv,
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.volume_base,
        bar.taker_buy_base,
        source,
    ]


def liquidation_row(found: Liquidation, occurrence: int, source: str) -> Row:
    """Return a row of `Table.LIQUIDATIONS`; `occurrence` counts prints that are alike."""
    return [
        str(found.instrument),
        found.ts_venue,
        found.ts_recv,
        found.position_side.value,
        found.price,
        found.price_kind.value,
        found.quantity_base,
        found.completeness.value,
        occurrence,
        source,
    ]


def open_interest_row(found: OpenInterest, source: str) -> Row:
    """Return a row of `Table.OPEN_INTEREST`."""
    return [str(found.instrument), found.ts_venue, found.ts_recv, found.open_interest_base, source]


def funding_row(found: FundingRate, source: str) -> Row:
    """Return a row of `Table.FUNDING`."""
    return [str(found.instrument), found.ts_venue, found.ts_recv, found.rate, found.interval_ns, source]


def ratio_row(found: AccountRatio, source: str) -> Row:
    """Return a row of `Table.RATIOS`."""
    return [str(found.instrument), found.population.value, found.ts_venue, found.ts_recv, found.long_share, source]


def gap_row(found: Gap, source: str) -> Row:
    """Return a row of `Table.GAPS`."""
    return [str(found.instrument), found.kind.value, found.ts_venue, found.end_ns, found.ts_recv, found.reason, source]


def depth_rows(book: Book, source: str) -> list[Row]:
    """Return the rows of `Table.DEPTH` of one book: cumulative USD by distance, absent beyond what the book shows.

    Empty if the book has no two sides or is crossed, as it is for moments after a halt.
    """
    bids, asks = np.array(book.bids, dtype=float).reshape(-1, 2), np.array(book.asks, dtype=float).reshape(-1, 2)
    try:
        found = depth_profile(bids[:, 0], bids[:, 1], asks[:, 0], asks[:, 1], ts_ns=book.ts_venue, source=source)
    except (NoData, CorruptRecord):
        return []
    name = str(book.instrument)
    columns = zip(found.distance.tolist(), found.bid_usd.tolist(), found.ask_usd.tolist(), strict=True)
    return [[name, book.ts_venue, book.ts_recv, distance, bid, ask, source] for distance, bid, ask in columns]
