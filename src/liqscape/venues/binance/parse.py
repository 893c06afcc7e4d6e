"""Binance bulk archives into bars and open interest. Pure: rows as text in, rows in the house's units out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from liqscape.errors import BadArgument
from liqscape.units import parse_duration_ns
from liqscape.venues._columns import OFF_RANGE, instant, number, numbers
from liqscape.venues.binance.payloads import KLINE_COLUMNS, METRICS_COLUMNS, ArchiveName, Dataset

KLINE_WIRE = {
    "ts": "open_time",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume_base": "volume",
    "trades": "count",
    "taker_buy_base": "taker_buy_volume",
}
METRICS_WIRE = {"ts": "create_time", "symbol": "symbol", "open_interest_base": "sum_open_interest"}

_NAME = re.compile(r"(?P<symbol>[^-]+)-(?P<what>metrics|\d+(?:m|h|d|w|mo))-(?P<period>\d{4}-\d{2}(?:-\d{2})?)")
_MS = 1_000_000
# A futures time in ms has 13 digits until the year 2286; 16 digits are the microseconds of spot archives since 2025.
_MICROSECONDS = 10**15


def read_name(stem: str) -> ArchiveName | None:
    """Read `BTCUSDT-5m-2024-03` or `BTCUSDT-metrics-2024-03-01`; None if the name is no such name.

    Raises
    ------
    BadArgument
        If the bars are calendar months, which have no fixed length.
    """
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    what = match["what"]
    if what == "metrics":
        return ArchiveName(match["symbol"], None, match["period"])
    if what.endswith("mo"):
        raise BadArgument(f"bars of {what}: a calendar month has no fixed length", hint="Import bars of one day or less.")
    return ArchiveName(match["symbol"], parse_duration_ns(what), match["period"])


def dataset_of(parts: Sequence[str]) -> Dataset | None:
    """Return which archive a file belongs to by the folders it lies in, None if they do not say.

    Raises
    ------
    BadArgument
        If the folders say that it is no archive of USD-M futures.
    """
    for market, period in pairwise(parts):
        if market in ("spot", "cm", "option") and period in ("daily", "monthly"):
            raise BadArgument(
                f"the file lies in {market}/{period}: it is no archive of USD-M futures",
                hint="Spot is not the perpetual's price, COIN-M amounts are contracts; take data/futures/um.",
            )
    known = {dataset.value: dataset for dataset in Dataset}
    return next((known[part] for part in reversed(parts) if part in known), None)


def name_columns(width: int, dataset: Dataset) -> tuple[str, ...] | None:
    """Return the columns of a file without a header row, None if it has not as many as the format."""
    columns = METRICS_COLUMNS if dataset is Dataset.METRICS else KLINE_COLUMNS
    return columns if width == len(columns) else None


def parse_klines(raw: pl.DataFrame) -> pl.DataFrame:
    """Read one block of `klines` or `markPriceKlines`.

    Parameters
    ----------
    raw
        Text columns as in `KLINE_COLUMNS` (only those of `KLINE_WIRE` are used) and `line`.

    Returns
    -------
    line, ts (ns UTC, start of the bar), open, high, low, close, volume_base, taker_buy_base, trades. In a mark-price archive
    the last three are zeros or fillers: the caller drops them.

    Raises
    ------
    BadArgument
        If the times are microseconds, as only spot archives have them.
    """
    opened = raw.get_column("open_time").str.strip_chars().cast(pl.Int64, strict=False)
    if ((median := opened.median()) is not None) and isinstance(median, float) and median >= _MICROSECONDS:
        raise BadArgument(
            f"open_time: expected milliseconds, received {opened.drop_nulls()[0]}",
            hint="Microseconds are written by spot archives; take data/futures/um.",
        )
    values = numbers(raw, {name: column for name, column in KLINE_WIRE.items() if name != "ts"})
    return raw.select("line", instant("open_time", _MS).alias("ts")).hstack(values)


def parse_metrics(raw: pl.DataFrame, symbol: str) -> pl.DataFrame:
    """Read one block of `metrics`.

    Returns
    -------
    line, ts (ns UTC, `create_time`), open_interest_base, problem. `problem` names a row of another symbol, else it is null.
    """
    seconds = pl.col("create_time").str.strip_chars().str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    micro = seconds.dt.epoch("us")
    fits = micro.is_between(0, (2**63 - 1) // 1000)
    named = pl.col("symbol").str.strip_chars()
    return raw.select(
        "line",
        pl.when(fits).then(micro * 1000).when(micro.is_not_null()).then(pl.lit(OFF_RANGE, pl.Int64)).alias("ts"),
        number("sum_open_interest").alias("open_interest_base"),
        pl.when(named.ne_missing(symbol)).then(pl.lit(f"expected {symbol}, the symbol of the file's name")).alias("problem"),
        pl.lit("symbol").alias("problem_field"),
    )
