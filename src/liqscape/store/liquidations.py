"""Published liquidations as the model's columns: stored totals, or prints summed by hour."""

from __future__ import annotations

import numpy as np
import polars as pl

from liqscape.errors import BadArgument
from liqscape.model import Completeness, InstrumentId, Kind, LiquidationSeries
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.store._columns import floats, ints, longest
from liqscape.store._frames import known_at
from liqscape.store.base import Store
from liqscape.store.schema import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

BACKFILLED = "backfill"  # source of rows that venues were asked for
_GAP_SHARE = 0.01


def read_liquidations(
    store: Store,
    instrument: InstrumentId,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    known_by_ns: int | None = None,
    interval_ns: int | None = None,
) -> LiquidationSeries:
    """Return published liquidations of the intervals that start in [start_ns, end_ns) and were known by `known_by_ns`.

    Stored totals are preferred. Of several series (intervals, sets of venues) the one with the longest history is read;
    histories within 2 % count as equal, then the finer interval, then the larger set of venues. Sets are never added up:
    the same venue may be in both.

    Without totals, prints are summed by hour (or `interval_ns`), price times quantity. Every hour of a UTC day with at least
    one print is known, and zero if it has none, as soon as it is over and a print in it or after it shows that the feed went
    on; hours of other days are unknown and absent. Without `known_by_ns` the hour of the newest print is not over.

    Of prints that this program recorded or asked for itself no more is known than it heard: on the first day of a record the
    hours up to the one of the first print are unknown, and so is every hour of which stored gaps cover more than a hundredth.

    Returns
    -------
    Empty if nothing is known. `known_ns` of a sum of prints is the end of its hour or, if later, when the last of the prints
    it rests on was known.

    Raises
    ------
    BadArgument
        If prints must be summed and `interval_ns` does not divide a day.
    """
    where = None if interval_ns is None else {"interval_ns": interval_ns}
    rows = store.read(
        Table.LIQUIDATION_TOTALS, instrument, start_ns=start_ns, end_ns=end_ns, known_by_ns=known_by_ns, where=where
    )
    if rows.is_empty():
        return _sum_prints(store, instrument, start_ns, end_ns, known_by_ns, interval_ns or NS_PER_HOUR)
    choice = longest(rows, ("interval_ns", "venues")).with_columns(pl.col("venues").str.count_matches(",").alias("count"))
    best = choice.sort("interval_ns", "count", "rows", "venues", descending=[False, True, True, False]).row(0, named=True)
    rows = rows.filter((pl.col("interval_ns") == best["interval_ns"]) & (pl.col("venues") == best["venues"]))
    rows = rows.with_columns(known_at(Table.LIQUIDATION_TOTALS).alias("known"))
    return LiquidationSeries(
        instrument=instrument,
        interval_ns=best["interval_ns"],
        start_ns=ints(rows, "ts"),
        known_ns=ints(rows, "known"),
        long_usd=floats(rows, "long_usd"),
        short_usd=floats(rows, "short_usd"),
        venues=tuple(name.strip() for name in best["venues"].split(",") if name.strip()),
        completeness=_completeness(rows),
        recorded=not rows.get_column("ts_recv").has_nulls(),
    )


def _sum_prints(
    store: Store, instrument: InstrumentId, start_ns: int | None, end_ns: int | None, known_by_ns: int | None, interval_ns: int
) -> LiquidationSeries:
    if interval_ns <= 0 or NS_PER_DAY % interval_ns:
        raise BadArgument(
            f"liquidations of {instrument}: interval of {interval_ns} ns does not divide a day",
            hint="Only prints are stored, which are summed into equal parts of a UTC day, such as 1h.",
        )
    # Whole days, because a day counts as a whole, with the one before; and what follows: a later print shows the feed went on.
    prints = store.read(
        Table.LIQUIDATIONS,
        instrument,
        start_ns=None if start_ns is None else start_ns - start_ns % NS_PER_DAY - NS_PER_DAY,
        end_ns=None if known_by_ns is None else known_by_ns + NS_PER_DAY,
        known_by_ns=known_by_ns,
    ).with_columns(known_at(Table.LIQUIDATIONS).alias("known"), (pl.col("price") * pl.col("quantity_base")).alias("usd"))
    if prints.is_empty():
        return LiquidationSeries.empty(instrument, interval_ns)
    ts, known = ints(prints, "ts"), ints(prints, "known")
    days = np.unique(ts - ts % NS_PER_DAY)
    start = (days[:, None] + np.arange(0, NS_PER_DAY, interval_ns)[None, :]).ravel()
    cell = np.searchsorted(start, ts, side="right") - 1
    known_ns = _sums_known(start, start + interval_ns, ts, known, cell)
    over_by = int(ts[-1]) if known_by_ns is None else known_by_ns
    usd, is_long = floats(prints, "usd"), (prints.get_column("position_side") == "long").to_numpy()
    keep = (start + interval_ns <= over_by) & (known_ns <= (np.iinfo(np.int64).max - 1 if known_by_ns is None else known_by_ns))
    keep &= start >= (start[0] if start_ns is None else start_ns)
    keep &= start < (start[-1] + 1 if end_ns is None else end_ns)
    keep &= ~_before_the_record(prints, start) & ~_in_gaps(store, instrument, known_by_ns, start, interval_ns)
    return LiquidationSeries(
        instrument=instrument,
        interval_ns=interval_ns,
        start_ns=start[keep],
        known_ns=known_ns[keep],
        long_usd=_sums(cell, np.where(is_long, usd, 0.0), start.size)[keep],
        short_usd=_sums(cell, np.where(is_long, 0.0, usd), start.size)[keep],
        venues=(instrument.venue,),
        completeness=_completeness(prints),
        recorded=not prints.get_column("ts_recv").has_nulls(),
    )


def _before_the_record(prints: pl.DataFrame, start: IntArray) -> BoolArray:
    """Return which cells lie on a day that begins a record of ours, before its first print or in the cell of it."""
    day = pl.col("ts") // NS_PER_DAY
    own = (pl.col("ts_recv").is_not_null() & pl.col("source").is_not_null()) | (pl.col("source") == BACKFILLED).fill_null(False)
    first = prints.group_by(day.alias("day")).agg(pl.col("ts").min(), own.sort_by("ts").first().alias("own")).sort("day")
    opens = first.filter("own", (pl.col("day") - pl.col("day").shift(1)).fill_null(2) > 1)
    out = np.zeros(start.size, bool)
    for number, ts in opens.select("day", "ts").iter_rows():
        out |= (start >= number * NS_PER_DAY) & (start <= ts)
    return out


def _in_gaps(store: Store, instrument: InstrumentId, known_by_ns: int | None, start: IntArray, interval_ns: int) -> BoolArray:
    """Return which cells are covered by gaps for more than `_GAP_SHARE` of their length."""
    gaps = store.read(Table.GAPS, instrument, known_by_ns=known_by_ns, where={"kind": Kind.LIQUIDATIONS.value})
    lost = np.zeros(start.size, np.int64)
    for low, high in gaps.select("ts", "end_ts").iter_rows():
        lost += np.maximum(np.minimum(start + interval_ns, high) - np.maximum(start, low), 0)
    return lost > _GAP_SHARE * interval_ns


def _sums_known(start: IntArray, end: IntArray, ts: IntArray, known: IntArray, cell: IntArray) -> IntArray:
    """Return when the sum of each cell was known; int64 max where no print shows that the feed went on.

    A cell is known when it is over, when all its prints were known, when the first print of its day was (the day counts),
    and when the first of the prints in it or after it was (the feed went on).
    """
    never = np.iinfo(np.int64).max
    # later[i]: the earliest instant at which a print i or a later one was known.
    later = np.append(np.minimum.accumulate(known[::-1])[::-1], never)
    result = np.maximum(end, later[np.searchsorted(ts, start, side="left")])
    np.maximum.at(result, cell, known)
    day = np.searchsorted(start, ts - ts % NS_PER_DAY, side="left")
    of_day = np.full(start.size, never)
    np.minimum.at(of_day, day, known)
    first_cell = np.searchsorted(start, start - start % NS_PER_DAY, side="left")
    return np.maximum(result, of_day[first_cell])


def _sums(cell: IntArray, usd: FloatArray, size: int) -> FloatArray:
    sums = np.zeros(size)
    np.add.at(sums, cell, usd)
    return sums


def _completeness(rows: pl.DataFrame) -> Completeness:
    """ALL only if every row shows everything; THROTTLED if one is known not to."""
    found = set(rows.get_column("completeness").unique().to_list())
    if found == {Completeness.ALL.value}:
        return Completeness.ALL
    return Completeness.THROTTLED if Completeness.THROTTLED.value in found else Completeness.UNKNOWN
