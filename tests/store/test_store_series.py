"""Rows become the model's columns: what is read, what joins it, and that nothing looks ahead."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_rows import BTC, DAY, ETH, MINUTES, bars, prints, stamps, totals

from liqscape.errors import BadArgument, OutOfRecord, UnknownInstrument
from liqscape.model import Completeness, PriceKind
from liqscape.store import (
    Table,
    last_open_interest_ns,
    open_store,
    read_bars,
    read_funding,
    read_liquidations,
)

HOUR = 60


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path)


def put(store, table, *frames):
    for frame in frames:
        store.append(table, frame, writer="w", batch=(store.last_batch(table, "w") or 0) + 1)


def minutes(instants) -> list[int]:
    return [(int(t) - DAY) // MINUTES for t in instants]


def same(found, expected) -> bool:
    return np.array_equal(np.asarray(found, float), np.asarray(expected, float), equal_nan=True)


def test_open_interest_is_the_newest_stamp_at_the_end_of_the_bar(store):
    put(store, Table.BARS, bars([0, 5, 10, 15, 20]))
    # At 10 exactly: counts for the bar that ends there. At 16: within the bar 15-20, so for it and, held, for the next.
    put(store, Table.OPEN_INTEREST, stamps([10, 16, 26], [7.0, 8.0, 9.0]))
    found = read_bars(store, BTC)
    assert same(found.open_interest_base, [math.nan, 7.0, 7.0, 8.0, 8.0])
    assert minutes(found.known_ns) == [5, 10, 15, 20, 25]
    assert found.recorded is False
    assert found.price_kind is PriceKind.MARK
    assert len(found) == 5
    # Arrays of their own, which a kernel may take like any other.
    assert all(a.flags.writeable and a.flags.c_contiguous for a in (found.close, found.start_ns, found.known_ns))


def test_a_stamp_is_held_from_long_before_the_window(store):
    put(store, Table.BARS, bars([8000, 8005]))
    put(store, Table.OPEN_INTEREST, stamps([3], [7.0]))
    assert same(read_bars(store, BTC, start_ns=DAY + 8000 * MINUTES).open_interest_base, [7.0, 7.0])


def test_a_bar_is_known_when_the_last_of_its_parts_is(store):
    put(store, Table.BARS, bars([0, 5], received=[5, 11]), bars([0, 5], kind="last", volume=[1.0, 2.0], received=[7, 10]))
    put(store, Table.OPEN_INTEREST, stamps([4, 9], [7.0, 8.0], received=[6, 13]))
    found = read_bars(store, BTC)
    assert minutes(found.known_ns) == [7, 13]
    assert found.recorded is True
    # A minute before the second stamp was known its bar is there, with the stamp before.
    earlier = read_bars(store, BTC, known_by_ns=DAY + 12 * MINUTES)
    assert same(earlier.open_interest_base, [7.0, 7.0])
    assert minutes(earlier.known_ns) == [7, 11]


def test_recorded_needs_every_row_that_was_used(store):
    put(store, Table.BARS, bars([0, 5], received=[5, 10]))
    put(store, Table.OPEN_INTEREST, stamps([4], [7.0]))
    assert read_bars(store, BTC).recorded is False


def test_mark_bars_are_preferred_and_take_the_volume_of_last_bars(store):
    put(store, Table.BARS, bars([0, 5, 10], [1.0, 2.0, 3.0], kind="last", volume=[10.0, 20.0, 30.0], taker_buy=[4.0, None, 6.0]))
    only_last = read_bars(store, BTC)
    assert only_last.price_kind is PriceKind.LAST
    assert same(only_last.taker_buy_base, [4.0, math.nan, 6.0])
    put(store, Table.BARS, bars([0, 5, 15], [1.1, 2.1, 4.1], volume=[None, 99.0, None]))
    found = read_bars(store, BTC)
    assert found.price_kind is PriceKind.MARK
    assert same(found.close, [1.1, 2.1, 4.1])
    assert same(found.volume_base, [10.0, 99.0, math.nan])
    assert same(found.taker_buy_base, [4.0, math.nan, math.nan])
    assert same(read_bars(store, BTC, price_kind=PriceKind.LAST).close, [1.0, 2.0, 3.0])


def test_the_interval_with_the_longest_history_is_read_and_the_finer_of_equals(store):
    put(store, Table.BARS, bars(range(0, 600, 5)), bars(range(600), minutes=1), bars(range(0, 660, 60), minutes=60))
    put(store, Table.BARS, bars(range(600)).with_columns(interval_ns=pl.lit(MINUTES // 60, dtype=pl.Int64)))
    # One-second bars are never chosen unasked; the hour bars know 11 hours, the others 10.
    assert read_bars(store, BTC).interval_ns == 60 * MINUTES
    put(store, Table.BARS, bars(range(600, 655), minutes=1))  # five minutes are missing: still as good as as long
    assert read_bars(store, BTC).interval_ns == MINUTES
    assert read_bars(store, BTC, interval_ns=5 * MINUTES).interval_ns == 5 * MINUTES
    assert read_bars(store, BTC, interval_ns=MINUTES // 60).interval_ns == MINUTES // 60


def test_nothing_that_was_known_later_changes_the_answer(store):
    put(store, Table.BARS, bars(range(0, 60, 5), kind="last"))
    put(store, Table.OPEN_INTEREST, stamps([0, 30], [1.0, 2.0]))
    put(store, Table.LIQUIDATIONS, prints([(1, "long", 100, 1), (61, "short", 100, 2)]))
    as_of = DAY + 62 * MINUTES

    def ask():
        return read_bars(store, BTC, known_by_ns=as_of), read_liquidations(store, BTC, known_by_ns=as_of)

    before = ask()
    put(store, Table.BARS, bars(range(0, 60, 5), received=[63] * 12), bars(range(62, 9000), minutes=1))
    put(store, Table.OPEN_INTEREST, stamps([59, 63], [9.0, 9.0], received=[63, None]))
    put(store, Table.LIQUIDATIONS, prints([(2, "long", 100, 7), (63, "long", 1, 1)], received=[63, 63]))
    put(store, Table.LIQUIDATION_TOTALS, totals([1], [5.0], [5.0]))
    for one, other in zip(before, ask(), strict=True):
        for name, value in vars(one).items():
            assert same(value, getattr(other, name)) if isinstance(value, np.ndarray) else value == getattr(other, name), name


moment = st.integers(0, 200)
stamp = st.tuples(moment, st.one_of(st.none(), st.integers(0, 260)))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(moment, min_size=1, max_size=8, unique=True),
    st.lists(stamp, max_size=8, unique_by=lambda s: s[0]),
    st.integers(0, 300),
    st.integers(0, 200),
)
def test_open_interest_never_looks_ahead(starts, known_stamps, known_by, first):
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        put(store, Table.BARS, bars([5 * s for s in starts]))
        at, received = [s[0] * 5 + 2 for s in known_stamps], [None if s[1] is None else s[1] * 5 for s in known_stamps]
        put(store, Table.OPEN_INTEREST, stamps(at, [float(t) for t in at], received=received))
        window = {"start_ns": DAY + 5 * first * MINUTES, "known_by_ns": DAY + 5 * known_by * MINUTES}
        expected = []
        for end in sorted(5 * s + 5 for s in starts if s >= first and s + 1 <= known_by):
            # The plain law: of the stamps at or before the bar's end that were known by then, the newest.
            usable = [
                (t, t if r is None else r)
                for t, r in zip(at, received, strict=True)
                if t <= end and (t if r is None else r) <= 5 * known_by
            ]
            newest = max(usable, default=(math.nan, end))
            expected.append((newest[0], max(end, newest[1])))
        if not expected:
            with pytest.raises(OutOfRecord):
                read_bars(store, BTC, **window)
            return
        found = read_bars(store, BTC, **window)
        assert same(found.open_interest_base, [value for value, _ in expected])
        assert minutes(found.known_ns) == [known for _, known in expected]


def test_the_instant_of_the_last_stamp(store):
    assert last_open_interest_ns(store, BTC) is None
    put(store, Table.OPEN_INTEREST, stamps([0, 30, 5000], [1.0, 2.0, 3.0], received=[None, 40, None]))
    assert minutes([last_open_interest_ns(store, BTC)]) == [5000]
    assert minutes([last_open_interest_ns(store, BTC, at_ns=DAY + 4999 * MINUTES)]) == [30]
    assert minutes([last_open_interest_ns(store, BTC, at_ns=DAY + 35 * MINUTES, known_by_ns=DAY + 35 * MINUTES)]) == [0]


def test_missing_bars_are_told_apart(store):
    with pytest.raises(UnknownInstrument, match="binance:BTCUSDT: no bars are stored"):
        read_bars(store, BTC)
    put(store, Table.BARS, bars([0, 5]))
    with pytest.raises(UnknownInstrument, match="ETHUSDT"):
        read_bars(store, ETH)
    with pytest.raises(OutOfRecord, match="2026-01-30T00:00:00Z to 2026-01-30T00:05:00Z") as caught:
        read_bars(store, BTC, start_ns=DAY + 10 * MINUTES)
    assert caught.value.context == {"first_ns": DAY, "last_ns": DAY + 5 * MINUTES}
    with pytest.raises(OutOfRecord):
        read_bars(store, BTC, interval_ns=MINUTES)


def test_prints_are_summed_by_hour_of_days_that_have_one(store):
    put(
        store,
        Table.LIQUIDATIONS,
        prints([(30, "long", 100, 2), (45, "long", 50, 1), (50, "short", 10, 3), (3 * HOUR + 5, "short", 100, 1)]),
        prints([(72 * HOUR + 61, "long", 10, 1), (72 * HOUR + 150, "long", 10, 5)]),
    )
    found = read_liquidations(store, BTC)
    # The day of the first four is whole; two days have no print and are unknown; of the last day two hours are over.
    assert minutes(found.start_ns) == [h * HOUR for h in (*range(24), 72, 73)]
    expected = {0: (250.0, 30.0), 3: (0.0, 100.0), 73: (10.0, 0.0)}
    for start, long_usd, short_usd in zip(minutes(found.start_ns), found.long_usd, found.short_usd, strict=True):
        assert (long_usd, short_usd) == expected.get(start // HOUR, (0.0, 0.0))
    assert found.venues == ("binance",)
    assert found.completeness is Completeness.THROTTLED
    # Hour 1 is told by the print of hour 3, hour 4 by the first one three days later.
    known = dict(zip(minutes(found.start_ns), minutes(found.known_ns), strict=True))
    assert (known[0], known[HOUR], known[3 * HOUR]) == (HOUR, 3 * HOUR + 5, 4 * HOUR)
    assert known[4 * HOUR] == 72 * HOUR + 61
    # As soon as it is over the hour of the newest print is known, the one after it is not.
    later = read_liquidations(store, BTC, known_by_ns=DAY + 80 * HOUR * MINUTES)
    assert minutes(later.start_ns)[-1] == 74 * HOUR
    assert later.long_usd[-1] == 50.0
    by_four_hours = read_liquidations(store, BTC, interval_ns=4 * HOUR * MINUTES)
    assert (by_four_hours.long_usd[0], by_four_hours.short_usd[0]) == (250.0, 130.0)
    with pytest.raises(BadArgument, match="does not divide a day"):
        read_liquidations(store, BTC, interval_ns=7 * HOUR * MINUTES)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 5 * 24 * HOUR), st.integers(0, 90)), min_size=1, max_size=10, unique_by=lambda p: p[0]),
    st.integers(0, 6 * 24),
    st.integers(0, 6 * 24),
    st.integers(0, 6 * 24),
)
def test_sums_known_later_are_those_that_are_known_by_then(rows, known_by_hour, first, last):
    """Reading all and keeping what was known by an instant says which hours reading as of then says."""
    rows = [(at, at + delay) for at, delay in rows]
    known_by = DAY + known_by_hour * HOUR * MINUTES
    window = {"start_ns": DAY + first * HOUR * MINUTES, "end_ns": DAY + last * HOUR * MINUTES}
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        put(store, Table.LIQUIDATIONS, prints([(at, "long", 1, 1) for at, _ in rows], received=[known for _, known in rows]))
        everything = read_liquidations(store, BTC, known_by_ns=DAY + 9 * 24 * HOUR * MINUTES, **window)
        then = read_liquidations(store, BTC, known_by_ns=known_by, **window)
    assert set(everything.start_ns[everything.known_ns <= known_by]) <= set(then.start_ns)
    assert (then.known_ns <= known_by).all()
    hours = {at // HOUR for at, _ in rows if first <= at // HOUR < last}
    assert everything.long_usd.sum() == sum(at // HOUR in hours for at, _ in rows)
    assert ((everything.start_ns >= window["start_ns"]) & (everything.start_ns < window["end_ns"])).all()
    assert (np.diff(everything.start_ns) > 0).all()


def test_stored_totals_are_preferred_and_never_added_up(store):
    put(store, Table.LIQUIDATIONS, prints([(30, "long", 100, 2), (90, "long", 100, 2)]))
    put(
        store,
        Table.LIQUIDATION_TOTALS,
        totals([0, 1, 3], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0], venues="binance,bybit,okx"),
        totals([0, 1, 3], [0.1, 0.2, 0.3], [0.0, 0.0, 0.0], venues="binance"),
        totals([0], [9.0], [9.0], interval_minutes=120, venues="binance,bybit,okx"),
    )
    found = read_liquidations(store, BTC)
    assert found.venues == ("binance", "bybit", "okx")
    assert minutes(found.start_ns) == [0, HOUR, 3 * HOUR]
    assert minutes(found.known_ns) == [HOUR, 2 * HOUR, 4 * HOUR]
    assert same(found.long_usd, [1.0, 2.0, 3.0])
    assert same(found.short_usd, [4.0, 5.0, 6.0])
    assert found.recorded is False
    assert read_liquidations(store, BTC, interval_ns=120 * MINUTES).long_usd.tolist() == [9.0]
    assert minutes(read_liquidations(store, BTC, known_by_ns=DAY + 119 * MINUTES).start_ns) == [0]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["all", "all"], Completeness.ALL),
        (["all", None], Completeness.UNKNOWN),
        (["all", "throttled"], Completeness.THROTTLED),
        ([None, "throttled"], Completeness.THROTTLED),
    ],
)
def test_completeness_is_that_of_the_weakest(store, said, expected):
    rows = totals([0, 1], [1.0, 1.0], [1.0, 1.0]).with_columns(completeness=pl.Series(said, dtype=pl.String))
    put(store, Table.LIQUIDATION_TOTALS, rows)
    assert read_liquidations(store, BTC).completeness is expected


def test_no_liquidations_are_an_empty_series(store):
    found = read_liquidations(store, BTC)
    assert len(found) == 0
    assert found.completeness is Completeness.UNKNOWN
    assert found.interval_ns == HOUR * MINUTES


def test_funding(store):
    paid = pl.DataFrame(
        {
            "instrument": [str(BTC)] * 2,
            "ts": [DAY + 480 * MINUTES, DAY],
            "ts_recv": [DAY + 481 * MINUTES, None],
            "rate": [2e-4, 1e-4],
            "interval_ns": [480 * MINUTES] * 2,
        }
    )
    put(store, Table.FUNDING, paid)
    found = read_funding(store, BTC)
    assert found.columns == ["ts", "known_ns", "rate", "interval_ns"]
    assert found.get_column("rate").to_list() == [1e-4, 2e-4]
    assert minutes(found.get_column("known_ns")) == [0, 481]
    assert read_funding(store, BTC, known_by_ns=DAY + 480 * MINUTES).height == 1


def test_marks_by_the_second_do_not_hide_bars_of_last_prices(store):
    # Venues without mark candles: minutes of last prices, and the mark only by the second, while it was recorded.
    put(store, Table.BARS, bars(range(5), kind="last", minutes=1))
    seconds = bars(range(5), kind="mark", minutes=1).with_columns(pl.lit(10**9).cast(pl.Int64).alias("interval_ns"))
    put(store, Table.BARS, seconds)
    found = read_bars(store, BTC)
    assert (found.price_kind, found.interval_ns, len(found)) == (PriceKind.LAST, MINUTES, 5)


def test_nothing_is_known_before_the_record_began_nor_in_its_gaps(store):
    # Recorded from half past two on; from 05:10 to 06:20 nobody listened, and for ten seconds at eight.
    at = [150, 200, 300, 400, 500, 700]
    own = prints([(t, "long", 100, 1) for t in at], received=at).with_columns(source=pl.lit("binance_usdm"))
    put(store, Table.LIQUIDATIONS, own)
    gaps = [(310, 380), (480, 480 + 1 / 6)]
    put(
        store,
        Table.GAPS,
        pl.DataFrame(
            {
                "instrument": [str(BTC)] * 2,
                "kind": ["liquidations"] * 2,
                "ts": [DAY + round(a * MINUTES) for a, _ in gaps],
                "end_ts": [DAY + round(b * MINUTES) for _, b in gaps],
                "reason": ["nobody recorded", "both lines were down"],
            }
        ),
    )
    hours = [start // HOUR for start in minutes(read_liquidations(store, BTC).start_ns)]
    assert hours == [3, 4, 7, 8, 9, 10]  # two is half heard, five and six are lost, ten seconds of eight are not
    # Imported files hold whole days: they are read as before.
    put(store, Table.LIQUIDATIONS, prints([(150, "short", 100, 1)], instrument=ETH).with_columns(source=pl.lit("file.csv.gz")))
    put(store, Table.LIQUIDATIONS, prints([(450, "short", 100, 1)], instrument=ETH))
    assert [start // HOUR for start in minutes(read_liquidations(store, ETH).start_ns)] == list(range(7))


def test_finer_bars_go_on_where_the_longest_history_ends(store):
    # An import of an hour of 5-minute bars, then 12 recorded minutes: two whole groups of five, and two minutes that wait.
    store.append(Table.BARS, bars(range(0, 60, 5), volume=[1.0] * 12), writer="import", batch=1)
    late = bars(
        range(60, 72), [200.0 + i for i in range(12)], minutes=1, received=[m + 2 for m in range(60, 72)], volume=[2.0] * 12
    )
    store.append(Table.BARS, late.with_columns(high=pl.col("close") + 7.0), writer="recorder", batch=1)
    found = read_bars(store, BTC)
    assert found.interval_ns == 5 * MINUTES
    assert ((found.start_ns - DAY) // MINUTES).tolist() == list(range(0, 70, 5))
    assert found.close[-2:].tolist() == [204.0, 209.0]
    assert found.open[-1] == 205.0
    assert found.high[-1] == 216.0
    assert found.volume_base[-1] == 10.0
    # Known when its last minute was; what came later changes nothing that was known before.
    assert (found.known_ns[-1] - DAY) / MINUTES == 71
    before = read_bars(store, BTC, known_by_ns=DAY + 70 * MINUTES)
    assert ((before.start_ns - DAY) // MINUTES).tolist() == list(range(0, 65, 5))
    assert not found.recorded


def test_a_group_with_a_missing_minute_is_not_made_up(store):
    store.append(Table.BARS, bars(range(0, 60, 5)), writer="import", batch=1)
    store.append(Table.BARS, bars([60, 61, 63, 64, 65, 66, 67, 68, 69], minutes=1), writer="recorder", batch=1)
    found = read_bars(store, BTC)
    assert ((found.start_ns - DAY) // MINUTES).tolist() == [*range(0, 60, 5), 65]
