"""Append, read, latest, coverage and maintenance of one process."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from store_rows import BTC, DAY, ETH, MINUTES, bars, files_on_disk, prints, raw, stamps, totals

from liqscape.errors import BadArgument, StoreError
from liqscape.store import SCHEMAS, DeltaStore, Table, open_store
from liqscape.store._maintenance import OPEN_DAY_FILES, maintain_table
from liqscape.units import NS_PER_DAY


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path)


def minute(instant_ns: int) -> int:
    return (instant_ns - DAY) // MINUTES


def closes(frame: pl.DataFrame) -> list[float]:
    return frame.get_column("close").to_list()


def test_a_store_that_does_not_exist_reads_as_empty_and_stays_away(tmp_path):
    store = open_store(tmp_path / "home")
    for table in Table:
        assert store.read(table, BTC, known_by_ns=DAY).schema == SCHEMAS[table].columns
        assert store.latest(table).schema == SCHEMAS[table].columns
        assert store.last_batch(table, "import") is None
    assert store.coverage() == []
    assert store.maintain(full=True).files_before == 0
    assert list(tmp_path.iterdir()) == []


def test_a_reader_opened_before_the_first_append_sees_it(tmp_path):
    reader, writer = open_store(tmp_path), open_store(tmp_path)
    assert reader.read(Table.BARS).is_empty()
    writer.append(Table.BARS, bars([0, 5]), writer="w", batch=0)
    assert closes(reader.read(Table.BARS)) == [100.0, 101.0]
    writer.append(Table.BARS, bars([10]), writer="w", batch=1)
    assert reader.read(Table.BARS).height == 3


def test_missing_nullable_columns_are_added_and_rows_come_back_sorted(store):
    store.append(Table.BARS, bars([10, 0, 5], [3.0, 1.0, 2.0]), writer="w", batch=0)
    found = store.read(Table.BARS)
    assert found.schema == SCHEMAS[Table.BARS].columns
    assert closes(found) == [1.0, 2.0, 3.0]
    assert found.get_column("volume_base").null_count() == found.get_column("ts_recv").null_count() == 3


def test_start_is_inside_and_end_is_not(store):
    store.append(Table.BARS, bars(range(0, 2880, 5)), writer="w", batch=0)
    midnight = DAY + NS_PER_DAY
    found = store.read(Table.BARS, BTC, start_ns=midnight - 5 * MINUTES, end_ns=midnight + 5 * MINUTES)
    assert found.get_column("ts").to_list() == [midnight - 5 * MINUTES, midnight]
    assert store.read(Table.BARS, BTC, end_ns=midnight).height == 288
    assert store.read(Table.BARS, BTC, start_ns=midnight).height == 288
    assert store.read(Table.BARS, BTC, start_ns=midnight, end_ns=midnight).is_empty()
    assert store.read(Table.BARS, ETH).is_empty()


def test_where_takes_columns_of_the_key_only(store):
    store.append(Table.BARS, pl.concat([bars([0]), bars([0], [7.0], kind="last")]), writer="w", batch=0)
    assert closes(store.read(Table.BARS, where={"price_kind": "last"})) == [7.0]
    with pytest.raises(BadArgument, match="close"):
        store.read(Table.BARS, where={"close": 7})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop("close"), "column close is missing"),
        (lambda f: f.with_columns(colour=pl.lit("red")), "unknown columns colour"),
        (lambda f: f.with_columns(pl.col("ts").cast(pl.Float64)), "column ts: expected Int64, received Float64"),
        (lambda f: f.with_columns(close=pl.when(pl.col("ts") > DAY).then("close")), "column close: 1 of 2 rows are null"),
        (lambda f: f.with_columns(close=None), "column close holds nothing but null"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_whole(store, spoil, message):
    with pytest.raises(StoreError, match=message):
        store.append(Table.BARS, spoil(bars([0, 5])), writer="w", batch=0)
    assert store.read(Table.BARS).is_empty()
    assert store.last_batch(Table.BARS, "w") is None


@pytest.mark.parametrize(("writer", "batch"), [("", 0), ("w", -1)])
def test_a_batch_needs_a_writer_and_a_number(store, writer, batch):
    with pytest.raises(BadArgument, match="expected a writer and a batch >= 0"):
        store.append(Table.BARS, bars([0]), writer=writer, batch=batch)


def test_a_batch_is_stored_once(tmp_path):
    store = open_store(tmp_path)
    assert store.append(Table.BARS, bars([0]), writer="w", batch=7) is True
    for again in (store, open_store(tmp_path)):
        assert again.append(Table.BARS, bars([0]), writer="w", batch=7) is False
        assert again.append(Table.BARS, bars([5]), writer="w", batch=6) is False
        assert again.last_batch(Table.BARS, "w") == 7
    # Numbers belong to a writer and a table.
    assert store.append(Table.BARS, bars([5]), writer="other", batch=7) is True
    assert store.append(Table.OPEN_INTEREST, stamps([0], [1.0]), writer="w", batch=7) is True
    assert raw(store, Table.BARS).height == 2


def test_one_batch_from_many_at_once_is_stored_once(tmp_path):
    stores = [open_store(tmp_path) for _ in range(4)]
    start, answers = threading.Barrier(4), []

    def run(store: DeltaStore) -> None:
        start.wait()
        answers.append(store.append(Table.BARS, bars([0, 5]), writer="w", batch=0))

    threads = [threading.Thread(target=run, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, False, False, True]
    assert raw(stores[0], Table.BARS).height == 2


def test_an_empty_batch_counts(store):
    assert store.append(Table.BARS, bars([]), writer="w", batch=3) is True
    assert store.last_batch(Table.BARS, "w") == 3
    assert store.read(Table.BARS).is_empty()
    assert store.coverage() == []
    assert store.latest(Table.BARS).is_empty()


def test_the_first_stored_of_a_key_counts_before_and_after_maintenance(store):
    store.append(Table.BARS, bars([0, 5, 0], [1.0, 2.0, 3.0]), writer="w", batch=0)
    store.append(Table.BARS, bars([5, 10], [8.0, 9.0]), writer="w", batch=1)
    assert raw(store, Table.BARS).height == 4  # the commit dropped its own duplicate
    assert closes(store.read(Table.BARS)) == [1.0, 2.0, 9.0]
    report = store.maintain()
    assert (report.partitions_rewritten, report.duplicate_rows_dropped, report.files_after) == (1, 1, 1)
    assert closes(store.read(Table.BARS)) == [1.0, 2.0, 9.0]
    assert raw(store, Table.BARS).height == 3
    assert store.maintain().partitions_rewritten == 0


def test_equal_prints_differ_by_occurrence(store):
    two = pl.concat([prints([(1, "long", 100, 2)]), prints([(1, "long", 100, 2)]).with_columns(pl.col("occurrence") + 1)])
    store.append(Table.LIQUIDATIONS, two, writer="w", batch=0)
    assert store.read(Table.LIQUIDATIONS).height == 2


def test_a_row_is_known_when_received_or_when_its_interval_is_over(store):
    store.append(Table.BARS, bars([0, 5, 10], received=[None, 17, 15]), writer="w", batch=0)
    store.append(Table.OPEN_INTEREST, stamps([0, 5], [1.0, 2.0], received=[None, 6]), writer="w", batch=0)
    known = {m: store.read(Table.BARS, known_by_ns=DAY + m * MINUTES).height for m in (4, 5, 14, 15, 16, 17)}
    assert known == {4: 0, 5: 1, 14: 1, 15: 2, 16: 2, 17: 3}
    assert [store.read(Table.OPEN_INTEREST, known_by_ns=DAY + m * MINUTES).height for m in (0, 5, 6)] == [1, 1, 2]


row = st.tuples(st.integers(0, 600), st.one_of(st.none(), st.integers(0, 1300)))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(row, max_size=6), min_size=1, max_size=3), st.integers(0, 1400), st.integers(0, 3000), st.integers(0, 3000)
)
def test_reading_is_the_plain_law(batches, known_by, start, end):
    first: dict[int, tuple[int | None, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        for number, batch in enumerate(batches):
            values = [number * 10.0 + i for i in range(len(batch))]
            at, received = [r[0] * 5 for r in batch], [r[1] for r in batch]
            store.append(Table.BARS, bars(at, values, received=received), writer="w", batch=number)
            for begin, when, value in zip(at, received, values, strict=True):
                first.setdefault(begin, (when, value))
        expected = [
            value
            for at, (when, value) in sorted(first.items())
            if start <= at < end and (at + 5 if when is None else when) <= known_by
        ]
        window = {"start_ns": DAY + start * MINUTES, "end_ns": DAY + end * MINUTES, "known_by_ns": DAY + known_by * MINUTES}
        assert closes(store.read(Table.BARS, BTC, **window)) == expected
        store.maintain()
        assert closes(store.read(Table.BARS, BTC, **window)) == expected
        spans = [(c.rows, c.first_ns, c.last_ns) for c in store.coverage()]
        assert spans == ([(len(first), DAY + min(first) * MINUTES, DAY + max(first) * MINUTES)] if first else [])


def test_coverage_and_latest_of_several_series(store):
    long_name = "binance,bitget,bitmex,bybit,deribit,hyperliquid,kraken,okx"
    store.append(
        Table.BARS,
        pl.concat([bars([0, 5]), bars([0, 5, 10], kind="last"), bars([3], minutes=1), bars([1445], [9.0], instrument=ETH)]),
        writer="w",
        batch=0,
    )
    store.append(Table.BARS, bars([10, 5, 2880]), writer="w", batch=1)
    store.append(Table.LIQUIDATION_TOTALS, totals([0, 1], [1.0, 2.0], [0.0, 0.0], venues=long_name), writer="w", batch=0)
    store.append(Table.LIQUIDATION_TOTALS, totals([2], [1.0], [0.0], venues=long_name + "x"), writer="w", batch=1)

    def told() -> list[tuple[object, ...]]:
        return [
            (
                str(c.table),
                str(c.instrument),
                c.price_kind,
                c.interval_ns,
                c.venues,
                c.rows,
                minute(c.first_ns),
                minute(c.last_ns),
            )
            for c in store.coverage()
        ]

    expected = [
        ("bars", "binance:BTCUSDT", "last", 5 * MINUTES, None, 3, 0, 10),
        ("bars", "binance:BTCUSDT", "mark", MINUTES, None, 1, 3, 3),
        ("bars", "binance:BTCUSDT", "mark", 5 * MINUTES, None, 4, 0, 2880),
        ("bars", "binance:ETHUSDT", "mark", 5 * MINUTES, None, 1, 1445, 1445),
        ("liquidation_totals", "binance:BTCUSDT", None, 60 * MINUTES, long_name, 2, 0, 60),
        ("liquidation_totals", "binance:BTCUSDT", None, 60 * MINUTES, long_name + "x", 1, 120, 120),
    ]
    latest = [(10, 102.0), (3, 100.0), (2880, 102.0), (1445, 9.0)]
    for _ in range(2):
        assert told() == expected
        newest = store.latest(Table.BARS)
        assert [((t - DAY) // MINUTES, c) for t, c in newest.select("ts", "close").iter_rows()] == latest
        store.maintain()


def test_an_open_day_is_rewritten_when_it_has_many_files(store):
    today = "2026-01-30"
    for number in range(OPEN_DAY_FILES - 1):
        store.append(Table.BARS, bars([number * 5, 0]), writer="w", batch=number)
    folder = store.path / "bars"
    assert maintain_table(Table.BARS, folder, today=today, full=False).partitions_rewritten == 0
    store.append(Table.BARS, bars([600]), writer="w", batch=OPEN_DAY_FILES)
    report = maintain_table(Table.BARS, folder, today=today, full=False)
    assert (report.partitions_rewritten, report.files_before, report.files_after) == (1, OPEN_DAY_FILES, 1)
    assert store.read(Table.BARS).height == OPEN_DAY_FILES


def test_a_replaced_file_stays_while_a_reader_may_need_it(store):
    for number in range(3):
        store.append(Table.BARS, bars([number * 5]), writer="w", batch=number)
    before = files_on_disk(store.path)
    store.maintain(full=True)
    assert before < files_on_disk(store.path)


def test_numbers_of_writers_survive_checkpoints_and_log_clean_up(tmp_path):
    store, idle = open_store(tmp_path), open_store(tmp_path)
    store.append(Table.BARS, bars([0]), writer="once", batch=5)
    assert idle.read(Table.BARS).height == 1
    for number in range(60):  # beyond the checkpoint interval
        store.append(Table.BARS, bars([5 + number * 5]), writer="w", batch=number)
    log = tmp_path / "store" / "bars" / "_delta_log"
    table = DeltaTable(log.parent)
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 seconds"})
    table.create_checkpoint()
    table.cleanup_metadata()
    assert len(list(log.glob("*.json"))) < 5
    # A process that slept meanwhile misses the log entries and still finds the newest version.
    for reader in (idle, open_store(tmp_path)):
        assert reader.read(Table.BARS).height == 61
        assert reader.last_batch(Table.BARS, "once") == 5
        assert reader.append(Table.BARS, bars([0]), writer="once", batch=5) is False


def test_a_store_that_was_removed_meanwhile_reads_as_empty_and_begins_anew(tmp_path):
    store = open_store(tmp_path)
    store.append(Table.BARS, bars([0]), writer="w", batch=0)
    shutil.rmtree(tmp_path / "store")
    assert store.read(Table.BARS).is_empty()
    assert store.append(Table.BARS, bars([0, 5]), writer="w", batch=0) is True
    assert store.read(Table.BARS).height == 2


@pytest.mark.parametrize("name", ["with blank", "50% off", "größe", "a#b?c", "日本"])
def test_a_folder_may_have_any_ordinary_name(tmp_path, name):
    store = open_store(tmp_path / name)
    store.append(Table.BARS, bars([0, 5]), writer="w", batch=0)
    store.append(Table.BARS, bars([5, 10]), writer="w", batch=1)
    assert store.maintain(full=True).duplicate_rows_dropped == 1
    assert open_store(tmp_path / name).read(Table.BARS).height == 3
    assert [c.rows for c in store.coverage()] == [3]
    assert store.latest(Table.BARS).height == 1


@pytest.mark.parametrize("name", ["a[b]", "a^b", "a|b", "a%20b"])
def test_a_folder_that_delta_cannot_address_is_refused_in_words(tmp_path, name):
    with pytest.raises(BadArgument, match="cannot address"):
        open_store(tmp_path / name)


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "store").write_text("a file where the folder should be")
    store = open_store(tmp_path)
    assert store.read(Table.BARS).is_empty()
    with pytest.raises(StoreError, match="create bars"):
        store.append(Table.BARS, bars([0]), writer="w", batch=0)


def test_a_damaged_store_is_an_error_of_the_tree(store):
    store.append(Table.BARS, bars([0]), writer="w", batch=0)
    (file,) = files_on_disk(store.path)
    file.write_bytes(b"not parquet")
    with pytest.raises(StoreError, match="read of bars"):
        store.read(Table.BARS)
