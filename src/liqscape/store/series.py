"""Rows turned into the model's columns: which series is read, what joins it, and from when on each number was known."""

from __future__ import annotations

import numpy as np
import polars as pl

from liqscape.clock import iso
from liqscape.errors import OutOfRecord, UnknownInstrument
from liqscape.model import BarSeries, InstrumentId, PriceKind
from liqscape.store._columns import floats, ints, longest
from liqscape.store._frames import known_at
from liqscape.store.base import Store
from liqscape.store.schema import Table
from liqscape.units import NS_PER_DAY, NS_PER_MINUTE, format_duration


def read_bars(
    store: Store,
    instrument: InstrumentId,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    known_by_ns: int | None = None,
    interval_ns: int | None = None,
    price_kind: PriceKind | None = None,
) -> BarSeries:
    """Return the bars that start in [start_ns, end_ns) and were known by `known_by_ns`, with volume and open interest.

    Everything is chosen among the rows that were known by then, so that later rows never change the answer.

    Parameters
    ----------
    interval_ns
        Default: of the intervals of at least a minute the one with the longest history (rows times interval) in the stretch
        asked for; histories within 2 % of the longest count as equal, and the finest of them is read. Where that history ends,
        finer bars go on: they are joined to its interval, whole groups only, so that a record that follows an import is read.
    price_kind
        Default: mark if any mark bar (of at least a minute) is there, else last.

    Returns
    -------
    Volume and taker-buy volume of mark bars that have none come from the last bars of the same interval. Open interest is
    that of the newest stamp at or before the end of a bar, held until the next one, NaN before the first. `known_ns` of a
    bar is when the last of its parts was known. `recorded` is True only if every row that was used was recorded.

    Raises
    ------
    UnknownInstrument
        If no bar of the instrument is stored.
    OutOfRecord
        If bars are stored, but none in this stretch, of this kind and interval, known by then.
    """
    where = None if interval_ns is None else {"interval_ns": interval_ns}
    least_ns = NS_PER_MINUTE if interval_ns is None else None
    rows = store.read(
        Table.BARS,
        instrument,
        start_ns=start_ns,
        end_ns=end_ns,
        known_by_ns=known_by_ns,
        where=where,
        least_interval_ns=least_ns,
    )
    rows = rows.with_columns(known_at(Table.BARS).alias("known"))
    kind = price_kind or (PriceKind.MARK if (rows.get_column("price_kind") == PriceKind.MARK).any() else PriceKind.LAST)
    bars = rows.filter(pl.col("price_kind") == kind.value)
    if interval_ns is None and not bars.is_empty():
        if (interval_ns := _interval(bars)) is not None:
            rows = _continued(rows, interval_ns)
        bars = rows.filter((pl.col("price_kind") == kind.value) & (pl.col("interval_ns") == interval_ns))
    if bars.is_empty() or interval_ns is None:
        raise _no_bars(store, instrument, start_ns, end_ns, known_by_ns)
    if kind is PriceKind.MARK:
        last = rows.filter((pl.col("price_kind") == PriceKind.LAST.value) & (pl.col("interval_ns") == interval_ns))
        bars = _with_volume(bars, last)
    end = bars.get_column("ts") + interval_ns
    stamps = _open_interest(store, instrument, start_ns, int(end[0]), int(end[-1]), known_by_ns)
    stamp = np.searchsorted(ints(stamps, "ts"), ints(end.to_frame(), "ts"), side="right") - 1
    held = stamp >= 0
    open_interest = np.full(len(bars), np.nan)
    open_interest[held] = floats(stamps, "open_interest_base")[stamp[held]]
    known = ints(bars, "known")
    known[held] = np.maximum(known[held], ints(stamps, "known")[stamp[held]])
    used = stamps[np.unique(stamp[held])] if held.any() else stamps[:0]
    return BarSeries(
        instrument=instrument,
        interval_ns=interval_ns,
        price_kind=kind,
        start_ns=ints(bars, "ts"),
        known_ns=known,
        open=floats(bars, "open"),
        high=floats(bars, "high"),
        low=floats(bars, "low"),
        close=floats(bars, "close"),
        volume_base=floats(bars, "volume_base"),
        taker_buy_base=floats(bars, "taker_buy_base"),
        open_interest_base=open_interest,
        recorded=not bars.get_column("ts_recv").has_nulls() and not used.get_column("ts_recv").has_nulls(),
    )


def last_open_interest_ns(
    store: Store, instrument: InstrumentId, *, at_ns: int | None = None, known_by_ns: int | None = None
) -> int | None:
    """Return the instant of the newest open-interest stamp at or before `at_ns` that was known by `known_by_ns`, or None."""
    end_ns = None if at_ns is None else at_ns + 1
    recent_ns = None if at_ns is None else at_ns - NS_PER_DAY
    for start_ns in (recent_ns, None) if recent_ns is not None else (None,):
        stamps = store.read(Table.OPEN_INTEREST, instrument, start_ns=start_ns, end_ns=end_ns, known_by_ns=known_by_ns)
        if not stamps.is_empty():
            return int(stamps.item(-1, "ts"))
    return None


def read_funding(
    store: Store,
    instrument: InstrumentId,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    known_by_ns: int | None = None,
) -> pl.DataFrame:
    """Return the funding rates paid in [start_ns, end_ns) and known by `known_by_ns`, oldest first.

    Returns
    -------
    Columns ts (instant of payment, ns UTC), known_ns, rate (fraction per interval), interval_ns.
    """
    rows = store.read(Table.FUNDING, instrument, start_ns=start_ns, end_ns=end_ns, known_by_ns=known_by_ns)
    return rows.select("ts", known_at(Table.FUNDING).alias("known_ns"), "rate", "interval_ns")


def _interval(bars: pl.DataFrame) -> int | None:
    whole = bars.filter(pl.col("interval_ns") >= NS_PER_MINUTE)
    return None if whole.is_empty() else int(longest(whole, ("interval_ns",)).item(0, "interval_ns"))


def _continued(rows: pl.DataFrame, interval_ns: int) -> pl.DataFrame:
    """Add to the bars of an interval what finer ones tell after its last bar, of each kind of price; ascending in time."""
    whole = rows.filter(pl.col("interval_ns") == interval_ns)
    ends = whole.group_by("price_kind").agg((pl.col("ts").max() + interval_ns).alias("ended"))
    finer = rows.filter((pl.col("interval_ns") < interval_ns) & (pl.lit(interval_ns) % pl.col("interval_ns") == 0))
    finer = finer.join(ends, on="price_kind").filter(pl.col("ts") >= pl.col("ended"))
    if finer.is_empty():
        return rows
    start = (pl.col("ts") - pl.col("ts") % interval_ns).alias("start")
    joined = (
        finer.sort("price_kind", "interval_ns", "ts")
        .group_by("price_kind", "interval_ns", start, maintain_order=True)
        .agg(
            pl.len().alias("parts"),
            pl.col("instrument").first(),
            pl.col("known").max(),
            # A sum that holds one unknown part, or a row that was not recorded, is unknown or not recorded as a whole.
            *(
                pl.when(pl.col(name).null_count() == 0).then(value).alias(name)
                for name, value in (
                    ("ts_recv", pl.col("ts_recv").max()),
                    ("volume_base", pl.col("volume_base").sum()),
                    ("taker_buy_base", pl.col("taker_buy_base").sum()),
                )
            ),
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("source").first(),
        )
        .filter(pl.col("parts") == pl.lit(interval_ns) // pl.col("interval_ns"))
        .sort("price_kind", "start", "interval_ns")
        .unique(["price_kind", "start"], keep="first", maintain_order=True)
        .with_columns(pl.col("start").alias("ts"), pl.lit(interval_ns, dtype=pl.Int64).alias("interval_ns"))
    )
    return pl.concat([rows, joined.select(rows.columns)]).sort("ts", maintain_order=True)


def _with_volume(bars: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Fill the volumes that mark bars lack from last bars of the same start; a bar is known when both are."""
    given = last.select(
        "ts", *(pl.col(name).alias(f"last_{name}") for name in ("known", "ts_recv", "volume_base", "taker_buy_base"))
    )
    lacks = (pl.col("volume_base").is_null() & pl.col("last_volume_base").is_not_null()) | (
        pl.col("taker_buy_base").is_null() & pl.col("last_taker_buy_base").is_not_null()
    )
    return bars.join(given, on="ts", how="left", maintain_order="left").with_columns(
        pl.when(lacks).then(pl.max_horizontal("known", "last_known")).otherwise("known").alias("known"),
        pl.when(lacks & pl.col("last_ts_recv").is_null()).then(None).otherwise("ts_recv").alias("ts_recv"),
        pl.coalesce("volume_base", "last_volume_base").alias("volume_base"),
        pl.coalesce("taker_buy_base", "last_taker_buy_base").alias("taker_buy_base"),
    )


def _open_interest(
    store: Store, instrument: InstrumentId, start_ns: int | None, first_end_ns: int, last_end_ns: int, known_by_ns: int | None
) -> pl.DataFrame:
    """Return the stamps that bars ending in [first_end_ns, last_end_ns] may hold, with when each was known."""
    recent_ns = None if start_ns is None else first_end_ns - NS_PER_DAY
    stamps = store.read(Table.OPEN_INTEREST, instrument, start_ns=recent_ns, end_ns=last_end_ns + 1, known_by_ns=known_by_ns)
    if recent_ns is not None and (stamps.is_empty() or stamps.item(0, "ts") > first_end_ns):
        # Nothing in the day before the first bar: the stamp it holds is older, if there is one.
        older = store.read(Table.OPEN_INTEREST, instrument, end_ns=recent_ns, known_by_ns=known_by_ns)
        stamps = pl.concat([older, stamps])
    return stamps.with_columns(known_at(Table.OPEN_INTEREST).alias("known"))


def _no_bars(
    store: Store, instrument: InstrumentId, start_ns: int | None, end_ns: int | None, known_by_ns: int | None
) -> UnknownInstrument | OutOfRecord:
    stored = [c for c in store.coverage() if c.table is Table.BARS and c.instrument == instrument]
    if not stored:
        return UnknownInstrument(
            f"{instrument}: no bars are stored",
            hint=f"Ask for some: liqscape backfill {instrument} --days 30; or liqscape import PATH.",
        )
    first, last = min(c.first_ns for c in stored), max(c.last_ns for c in stored)
    asked = ", ".join(
        f"{name} {iso(value)}"
        for name, value in (("from", start_ns), ("before", end_ns), ("known by", known_by_ns))
        if value is not None
    )
    kinds = ", ".join(f"{c.price_kind} of {format_duration(c.interval_ns or 0)}" for c in stored)
    return OutOfRecord(
        f"{instrument}: no bars {asked or 'of the kind and interval asked for'}; stored are {kinds}, {iso(first)} to {iso(last)}",
        hint="Ask for a time, kind and interval inside the record, or import more.",
        context={"first_ns": first, "last_ns": last},
    )
