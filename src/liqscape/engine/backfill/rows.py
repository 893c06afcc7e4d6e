"""Records of the past into rows of the store's tables.

`ts_recv` stays null, as for imports: these rows were not recorded when they happened, but they were public from the end of their
interval on, so that is when a replay may know them. A map built from them says that it was rebuilt (RECOMPUTED).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl

from liqscape.model import AccountRatio, Bar, FundingRate, Liquidation, OpenInterest, Record
from liqscape.store import SCHEMAS, Table

SOURCE = "backfill"


def frames(records: Sequence[Record]) -> dict[Table, pl.DataFrame]:
    """Return rows by table with `file` and `line`, as `settle` takes them; records of other kinds are left out.

    Prints that are equal in everything are told apart by counting, so `records` must hold all of a stretch of time.
    """
    rows: dict[Table, list[dict[str, Any]]] = {}
    seen: Counter[tuple[Any, ...]] = Counter()
    for record in records:
        named = {"instrument": str(getattr(record, "instrument", "")), "ts_recv": None, "source": SOURCE}
        if isinstance(record, Bar):
            bar = {
                "price_kind": record.price_kind.value,
                "interval_ns": record.interval_ns,
                "ts": record.ts_venue,
                "open": record.open,
                "high": record.high,
                "low": record.low,
                "close": record.close,
                "volume_base": record.volume_base,
                "taker_buy_base": record.taker_buy_base,
            }
            rows.setdefault(Table.BARS, []).append(named | bar)
        elif isinstance(record, OpenInterest):
            stamp = {"ts": record.ts_venue, "open_interest_base": record.open_interest_base}
            rows.setdefault(Table.OPEN_INTEREST, []).append(named | stamp)
        elif isinstance(record, FundingRate):
            paid = {"ts": record.ts_venue, "rate": record.rate, "interval_ns": record.interval_ns}
            rows.setdefault(Table.FUNDING, []).append(named | paid)
        elif isinstance(record, AccountRatio):
            ratio = {"population": record.population.value, "ts": record.ts_venue, "long_share": record.long_share}
            rows.setdefault(Table.RATIOS, []).append(named | ratio)
        elif isinstance(record, Liquidation):
            rows.setdefault(Table.LIQUIDATIONS, []).append(named | _print(record, seen))
    return {table: _frame(table, found) for table, found in rows.items()}


def _print(record: Liquidation, seen: Counter[tuple[Any, ...]]) -> dict[str, Any]:
    key = (record.instrument, record.ts_venue, record.position_side, record.price, record.quantity_base)
    seen[key] += 1
    return {
        "ts": record.ts_venue,
        "position_side": record.position_side.value,
        "price": record.price,
        "price_kind": record.price_kind.value,
        "quantity_base": record.quantity_base,
        "completeness": record.completeness.value,
        "occurrence": seen[key] - 1,
    }


def _frame(table: Table, found: list[dict[str, Any]]) -> pl.DataFrame:
    schema = SCHEMAS[table].columns
    frame = pl.DataFrame(found, schema=schema, orient="row")
    return frame.with_columns(pl.lit(0, pl.Int64).alias("file"), pl.int_range(pl.len(), dtype=pl.Int64).alias("line"))
