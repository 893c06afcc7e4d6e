"""The tables: their columns, what makes a row the same row, and when a row is known.

Times are int64 ns UTC. `ts_recv` is null for imported rows. `source` says where a row came from, for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Table(StrEnum):
    """The tables of the store."""

    BARS = "bars"
    OPEN_INTEREST = "open_interest"
    LIQUIDATIONS = "liquidations"
    LIQUIDATION_TOTALS = "liquidation_totals"
    FUNDING = "funding"
    DEPTH = "depth"
    RATIOS = "ratios"
    GAPS = "gaps"
    POSITIONS = "positions"


@dataclass(frozen=True)
class TableSchema:
    """Columns of a table in order; `key` identifies a row, `required` may not be null."""

    columns: dict[str, pl.DataType]
    key: tuple[str, ...]
    required: tuple[str, ...]
    has_interval: bool  # a row describes [ts, ts + interval_ns), else the instant ts


_TEXT, _INT, _FLOAT = pl.String(), pl.Int64(), pl.Float64()

SCHEMAS: dict[Table, TableSchema] = {
    Table.BARS: TableSchema(
        columns={
            "instrument": _TEXT,
            "price_kind": _TEXT,  # mark | last
            "interval_ns": _INT,
            "ts": _INT,  # start of the bar
            "ts_recv": _INT,
            "open": _FLOAT,  # quote per base
            "high": _FLOAT,
            "low": _FLOAT,
            "close": _FLOAT,
            "volume_base": _FLOAT,
            "taker_buy_base": _FLOAT,
            "source": _TEXT,
        },
        key=("instrument", "price_kind", "interval_ns", "ts"),
        required=("instrument", "price_kind", "interval_ns", "ts", "open", "high", "low", "close"),
        has_interval=True,
    ),
    Table.OPEN_INTEREST: TableSchema(
        columns={
            "instrument": _TEXT,
            "ts": _INT,
            "ts_recv": _INT,
            "open_interest_base": _FLOAT,  # one side counted
            "source": _TEXT,
        },
        key=("instrument", "ts"),
        required=("instrument", "ts", "open_interest_base"),
        has_interval=False,
    ),
    Table.LIQUIDATIONS: TableSchema(
        columns={
            "instrument": _TEXT,
            "ts": _INT,
            "ts_recv": _INT,
            "position_side": _TEXT,  # long | short: the position that was closed
            "price": _FLOAT,
            "price_kind": _TEXT,
            "quantity_base": _FLOAT,
            "completeness": _TEXT,
            "occurrence": _INT,  # 0, 1, .. among prints that are equal in every other key column
            "source": _TEXT,
        },
        key=("instrument", "ts", "position_side", "price", "quantity_base", "occurrence"),
        required=("instrument", "ts", "position_side", "price", "quantity_base", "occurrence"),
        has_interval=False,
    ),
    Table.LIQUIDATION_TOTALS: TableSchema(
        columns={
            "instrument": _TEXT,
            "interval_ns": _INT,
            "ts": _INT,  # start of the interval
            "ts_recv": _INT,
            "long_usd": _FLOAT,
            "short_usd": _FLOAT,
            "venues": _TEXT,  # names joined by commas, sorted
            "completeness": _TEXT,
            "source": _TEXT,
        },
        key=("instrument", "interval_ns", "venues", "ts"),
        required=("instrument", "interval_ns", "venues", "ts", "long_usd", "short_usd"),
        has_interval=True,
    ),
    Table.FUNDING: TableSchema(
        columns={
            "instrument": _TEXT,
            "ts": _INT,  # instant of payment
            "ts_recv": _INT,
            "rate": _FLOAT,
            "interval_ns": _INT,
            "source": _TEXT,
        },
        key=("instrument", "ts"),
        required=("instrument", "ts", "rate", "interval_ns"),
        has_interval=False,
    ),
    Table.DEPTH: TableSchema(
        columns={
            "instrument": _TEXT,
            "ts": _INT,  # instant of the book; its rows share it
            "ts_recv": _INT,
            "distance": _FLOAT,  # from the mid price, fraction
            "bid_usd": _FLOAT,  # standing within the distance, below the mid
            "ask_usd": _FLOAT,  # the same above it
            "source": _TEXT,
        },
        key=("instrument", "ts", "distance"),
        required=("instrument", "ts", "distance", "bid_usd", "ask_usd"),
        has_interval=False,
    ),
    Table.RATIOS: TableSchema(
        columns={
            "instrument": _TEXT,
            "population": _TEXT,  # accounts | top_accounts | top_positions
            "ts": _INT,  # start of the interval that the venue counts
            "ts_recv": _INT,
            "long_share": _FLOAT,  # 0 to 1
            "source": _TEXT,
        },
        key=("instrument", "population", "ts"),
        required=("instrument", "population", "ts", "long_share"),
        has_interval=False,
    ),
    Table.GAPS: TableSchema(
        columns={
            "instrument": _TEXT,
            "kind": _TEXT,  # what was lost, a word of `model.Kind`
            "ts": _INT,  # the last instant known to be complete
            "end_ts": _INT,  # the first instant that is complete again
            "ts_recv": _INT,
            "reason": _TEXT,
            "source": _TEXT,
        },
        key=("instrument", "kind", "ts", "end_ts"),
        required=("instrument", "kind", "ts", "end_ts", "reason"),
        has_interval=False,
    ),
    Table.POSITIONS: TableSchema(
        columns={
            "instrument": _TEXT,
            "account": _TEXT,  # the venue's name of it, an address
            "ts": _INT,  # when the account stood so; all rows of one look at it share it
            "ts_recv": _INT,
            "quantity_base": _FLOAT,  # > 0 long, < 0 short, 0 says that the account was seen and holds none any more
            "entry_price": _FLOAT,
            "mark_price": _FLOAT,  # at `ts`
            "liquidation_price": _FLOAT,  # as the venue said at `ts`; null where no price liquidated
            "margin_mode": _TEXT,  # isolated | cross
            "margin_usd": _FLOAT,  # isolated: the position's own equity; cross: its initial margin
            "max_leverage": _FLOAT,
            "equity_usd": _FLOAT,  # behind the account's cross positions, at `ts`
            "source": _TEXT,
        },
        key=("instrument", "account", "ts"),
        required=("instrument", "account", "ts", "quantity_base"),
        has_interval=False,
    ),
}
