"""The journal: acknowledged is on disk, stored exactly once, in order, whatever is torn, full or killed."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import threading

import polars as pl
import pytest
from store_rows import DAY, raw

from liqscape.errors import StoreError
from liqscape.store import DeltaStore, Journal, Table


def prints(*numbers: int) -> dict[Table, list[list[object]]]:
    """Liquidations that differ by their price."""
    rows = [["sim:BTC", DAY + n, DAY + n, "long", float(n + 1), "bankruptcy", 1.0, "all", 0, "live"] for n in numbers]
    return {Table.LIQUIDATIONS: rows}


def interest(*numbers: int) -> dict[Table, list[list[object]]]:
    return {Table.OPEN_INTEREST: [["sim:BTC", DAY + n, DAY + n, float(n), "live"] for n in numbers]}


@pytest.fixture
def store(tmp_path):
    return DeltaStore(tmp_path / "store")


@pytest.fixture
def journal(tmp_path, store):
    opened = Journal(tmp_path / "journal", store, "a")
    opened.open()
    yield opened
    opened.abandon()


def stored(store: DeltaStore) -> list[int]:
    """The numbers of all prints as they lie in the files, duplicates and all."""
    if store.last_batch(Table.LIQUIDATIONS, "a") is None:
        return []
    return sorted(int(price) - 1 for price in raw(store, Table.LIQUIDATIONS).get_column("price"))


def test_rows_are_on_disk_before_they_are_in_the_tables(journal, store):
    assert journal.write(prints(1, 2) | interest(1)) == 3
    assert stored(store) == []
    journal.rotate()
    assert journal.waiting() == 1
    assert journal.commit() == 3
    assert stored(store) == [1, 2]
    assert store.read(Table.OPEN_INTEREST).height == 1
    assert journal.waiting() == 0
    assert not list(journal.folder.glob("*.journal"))


def test_writing_nothing_makes_no_segment(journal):
    assert journal.write({Table.BARS: []}) == 0
    journal.rotate()
    assert journal.waiting() == 0


def test_what_a_killed_process_left_is_stored_first(tmp_path, store, journal):
    journal.write(prints(1))
    journal.rotate()
    journal.write(prints(2))
    journal.abandon()
    again = Journal(tmp_path / "journal", store, "a")
    assert again.open() == 2
    again.write(prints(3))
    again.close()
    assert stored(store) == [1, 2, 3]


def test_a_kill_between_tables_and_removal_stores_nothing_twice(tmp_path, store, journal):
    journal.write(prints(1) | interest(1))
    journal.rotate()
    (segment,) = journal.folder.glob("*.journal")
    kept = segment.read_bytes()
    journal.commit()
    segment.write_bytes(kept)  # as if the kill came before the removal
    journal.abandon()
    again = Journal(tmp_path / "journal", store, "a")
    assert again.open() == 0
    again.close()
    assert stored(store) == [1]
    assert raw(store, Table.OPEN_INTEREST).height == 1


def test_a_kill_between_two_tables_stores_the_second(tmp_path, store, journal):
    journal.write(prints(1) | interest(1))
    journal.abandon()
    rows = pl.DataFrame(
        [["sim:BTC", DAY + 1, DAY + 1, "long", 2.0, "bankruptcy", 1.0, "all", 0, "live"]],
        schema=dict(store.read(Table.LIQUIDATIONS).schema),
        orient="row",
    )
    store.append(Table.LIQUIDATIONS, rows, writer="a", batch=0)
    again = Journal(tmp_path / "journal", store, "a")
    assert again.open() == 1
    again.close()
    assert stored(store) == [1]
    assert raw(store, Table.OPEN_INTEREST).height == 1


def test_a_torn_tail_is_cut_at_the_last_whole_record(tmp_path, store, journal):
    for number in range(5):
        journal.write(prints(number))
    journal.abandon()
    (segment,) = journal.folder.glob("*.journal")
    whole = segment.read_bytes()
    record = len(whole) // 5
    for cut in (len(whole) - 1, len(whole) - record + 3, 4 * record, 2):
        path = tmp_path / f"cut-{cut}"
        (path / "journal").mkdir(parents=True)
        (path / "journal" / segment.name).write_bytes(whole[:cut])
        here = DeltaStore(path / "store")
        again = Journal(path / "journal", here, "a")
        assert again.open() == cut // record
        assert again.bytes_cut == cut % record
        again.close()
        assert stored(here) == list(range(cut // record))


def test_damage_in_the_middle_costs_one_record(tmp_path, store, journal):
    dice = random.Random(5)
    for number in range(20):
        journal.write(prints(number))
    journal.abandon()
    (segment,) = journal.folder.glob("*.journal")
    whole = bytearray(segment.read_bytes())
    record = len(whole) // 20
    place = 7 * record + dice.randrange(record)
    whole[place] ^= 0xFF
    segment.write_bytes(bytes(whole))
    again = Journal(tmp_path / "journal", store, "a")
    assert again.open() == 19
    again.close()
    assert stored(store) == [n for n in range(20) if n != 7]
    assert again.bytes_cut == record


class Full:
    """A disk that is full for a while: `os.fdatasync` fails behind a write that got through in part."""

    def __init__(self, monkeypatch) -> None:
        self.full = False
        real = os.fdatasync

        def flush(handle: int) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(handle)

        monkeypatch.setattr(os, "fdatasync", flush)


def test_a_full_disk_is_told_and_loses_nothing_acknowledged(monkeypatch, store, journal):
    disk = Full(monkeypatch)
    journal.write(prints(1))
    disk.full = True
    with pytest.raises(StoreError, match="No space left") as told:
        journal.write(prints(2))
    assert "free space" in str(told.value.hint)
    with pytest.raises(StoreError):
        journal.write(prints(2))
    disk.full = False
    journal.write(prints(2))
    journal.write(prints(3))
    journal.close()
    assert stored(store) == [1, 2, 3]


def test_a_segment_that_could_not_be_stored_is_never_overtaken(monkeypatch, store, journal):
    journal.write(prints(1))
    journal.rotate()
    journal.write(prints(2))
    journal.rotate()
    real, broken = DeltaStore.append, [True]

    def append(self, table, frame, *, writer, batch):
        if broken[0] and batch == 0:
            raise StoreError("full")
        return real(self, table, frame, writer=writer, batch=batch)

    monkeypatch.setattr(DeltaStore, "append", append)
    with pytest.raises(StoreError):
        journal.commit()
    assert stored(store) == []  # batch 1 must not go first: batch 0 would be refused for ever
    assert journal.waiting() == 2
    broken[0] = False
    journal.commit()
    assert stored(store) == [1, 2]


def test_one_process_holds_a_journal(tmp_path, store, journal):
    other = Journal(tmp_path / "journal", store, "a")
    with pytest.raises(StoreError, match=f"process {os.getpid()} holds"):
        other.open()
    second = Journal(tmp_path / "second", store, "b")
    second.open()
    journal.write(prints(1))
    second.write(prints(2))
    journal.close()
    second.close()
    assert stored(store) == [1, 2]
    other.open()
    other.close()


def test_a_process_that_died_holds_nothing(tmp_path, store):
    code = (
        "import os, sys; from pathlib import Path; from liqscape.store import DeltaStore, Journal\n"
        "j = Journal(Path(sys.argv[1]) / 'journal', DeltaStore(Path(sys.argv[1]) / 'store'), 'a'); j.open(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    journal = Journal(tmp_path / "journal", store, "a")
    journal.open()
    journal.close()


def test_columns_that_another_version_wrote_are_left_out_and_missing_ones_are_null(store, journal, monkeypatch):
    from liqscape.store import journal as room

    schema = room.SCHEMAS[Table.OPEN_INTEREST]
    old = {**{k: v for k, v in schema.columns.items() if k != "source"}, "mood": pl.String()}
    monkeypatch.setitem(room.SCHEMAS, Table.OPEN_INTEREST, type(schema)(old, schema.key, schema.required, False))
    journal.write({Table.OPEN_INTEREST: [["sim:BTC", DAY, DAY, 1.0, "good"]]})
    monkeypatch.setitem(room.SCHEMAS, Table.OPEN_INTEREST, schema)
    journal.rotate()
    assert journal.commit() == 1
    assert store.read(Table.OPEN_INTEREST).row(0) == ("sim:BTC", DAY, DAY, 1.0, None)


class Memory:
    """A store that takes rows at once, so that commits look at the folder all the while."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def last_batch(self, table, writer) -> None:
        return None

    def append(self, table, frame, *, writer, batch) -> bool:
        self.numbers += [int(price) - 1 for price in frame.get_column("price")]
        return True


def test_a_segment_that_is_just_begun_is_never_taken_for_a_closed_one(tmp_path):
    # Writing and committing run in two threads: a commit that looks while a segment is made must leave it alone.
    store, ended = Memory(), threading.Event()
    journal = Journal(tmp_path / "journal", store, "a")
    journal.open()

    def commit() -> None:
        while not ended.is_set():
            journal.commit()

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        for number in range(1000):
            journal.write(prints(number))
            journal.rotate()
    finally:
        ended.set()
        thread.join()
    journal.close()
    assert store.numbers == list(range(1000))


def test_a_row_that_no_table_takes_holds_up_nothing(journal, store):
    journal.write({Table.OPEN_INTEREST: [["sim:BTC", DAY, DAY, None, "live"], ["sim:BTC", DAY + 1, DAY, 1.0, "live"]]})
    journal.rotate()
    assert journal.commit() == 1
    assert journal.rows_refused == 1
    assert [path.name for path in journal.folder.glob("*.refused")] == ["0000000000.refused"]
