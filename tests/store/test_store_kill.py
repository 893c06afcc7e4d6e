"""A kill at any instant loses nothing that was acknowledged, doubles nothing and leaves nothing half done."""

from __future__ import annotations

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from store_rows import BATCH, batch_rows, complete_batches, files_on_disk, raw
from store_workers import Workers

from liqscape.store import DeltaStore, Table

KILLS = 30  # of each of two writers


@pytest.fixture
def workers(tmp_path):
    both = [Workers(tmp_path), Workers(tmp_path)]
    yield both
    for each in both:
        each.close()


def kill_again_and_again(workers: Workers, path, writer: str, dice: random.Random) -> int:
    """Kill a writer `KILLS` times; return its last acknowledged batch. It begins anew with the batch it had no answer for."""
    acknowledged = -1
    for _ in range(KILLS):
        workers.start("append", path=str(path), writer=writer, first=acknowledged + 1)
        time.sleep(dice.uniform(0.0, 0.25))
        acknowledged = max([acknowledged, *workers.kill()])
        assert workers.status == 9
    return acknowledged


class Watch:
    """A reader that polls all the while: batches are whole, and what was seen once stays."""

    def __init__(self, store: DeltaStore) -> None:
        self.store, self.problems, self.polls, self._end = store, [], 0, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        seen: set[str] = set()
        while not self._end.is_set():
            try:
                found = complete_batches(self.store.read(Table.LIQUIDATIONS))
            except Exception as error:
                self.problems.append(repr(error))
                return
            self.problems += [f"partial {name}: {rows}" for name, rows in found.items() if rows != BATCH]
            self.problems += [f"lost {name}" for name in seen - found.keys()]
            seen = set(found)
            self.polls += 1
            time.sleep(0.02)


def test_sixty_kills_of_two_writers(tmp_path, workers):
    path = tmp_path / "store"
    with Watch(DeltaStore(path)) as watch, ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(kill_again_and_again, each, path, writer, random.Random(seed))
            for each, writer, seed in zip(workers, ("a", "b"), (1, 2), strict=True)
        ]
        last = {writer: job.result() for writer, job in zip(("a", "b"), jobs, strict=True)}
    assert watch.problems == []
    assert watch.polls > 20
    store = DeltaStore(path)
    for writer, acknowledged in last.items():
        assert acknowledged > KILLS  # real work was done between the kills
        # A commit may be done and not yet acknowledged when the kill comes: one batch more, never two.
        assert store.last_batch(Table.LIQUIDATIONS, writer) in (acknowledged, acknowledged + 1)
    expected = {f"{w}/{n}": BATCH for w in last for n in range(store.last_batch(Table.LIQUIDATIONS, w) + 1)}
    assert complete_batches(raw(store, Table.LIQUIDATIONS)) == expected
    store.maintain(full=True)
    assert complete_batches(raw(store, Table.LIQUIDATIONS)) == expected


def test_kills_during_maintenance_lose_nothing(tmp_path, workers):
    path = tmp_path / "store"
    store = DeltaStore(path)
    dice = random.Random(3)
    written = 0
    with Watch(DeltaStore(path)) as watch:
        for _ in range(10):
            for _ in range(4):
                rows = batch_rows(written, "a")
                store.append(Table.LIQUIDATIONS, rows, writer="a", batch=written)
                written += 1
            workers[0].start("maintain", path=str(path))
            time.sleep(dice.uniform(0.0, 0.15))
            workers[0].kill()
            assert workers[0].status == 9
    assert watch.problems == []
    assert complete_batches(raw(store, Table.LIQUIDATIONS)) == {f"a/{n}": BATCH for n in range(written)}
    report = store.maintain(full=True)
    assert report.files_after == 2  # two days, one file each
    assert complete_batches(raw(store, Table.LIQUIDATIONS)) == {f"a/{n}": BATCH for n in range(written)}


def test_processes_append_at_once_while_others_read_and_maintain(tmp_path, workers):
    path = tmp_path / "store"
    store = DeltaStore(path)
    with Watch(DeltaStore(path)) as watch:
        # Neither finds a table yet: they are made by both at once.
        for each, writer in zip(workers, ("a", "b"), strict=True):
            each.start("append", path=str(path), writer=writer, first=0, count=40)
        for number in range(20):
            assert store.append(Table.LIQUIDATIONS, batch_rows(number, "c"), writer="c", batch=number)
            if number % 7 == 0:
                store.maintain()
        noted = [each.wait() for each in workers]
        assert [each.status for each in workers] == [0, 0]
    assert watch.problems == []
    assert noted == [list(range(40))] * 2
    expected = {f"{w}/{n}": BATCH for w, count in (("a", 40), ("b", 40), ("c", 20)) for n in range(count)}
    assert complete_batches(raw(store, Table.LIQUIDATIONS)) == expected
    store.maintain()
    assert complete_batches(raw(store, Table.LIQUIDATIONS)) == expected


def test_files_of_killed_writers_are_found_by_full_maintenance(tmp_path):
    store = DeltaStore(tmp_path / "store")
    store.append(Table.LIQUIDATIONS, batch_rows(0, "a"), writer="a", batch=0)
    named = files_on_disk(store.path)
    orphan = next(iter(named)).with_name("part-0-left-behind.parquet")
    orphan.write_bytes(b"half a file")
    long_ago = time.time() - 3 * 3600
    os.utime(orphan, (long_ago, long_ago))
    fresh = orphan.with_name("part-0-just-being-written.parquet")
    fresh.write_bytes(b"half a file")
    assert store.read(Table.LIQUIDATIONS).height == BATCH
    store.maintain()
    report = store.maintain(full=True)
    assert report.files_removed == 1
    assert files_on_disk(store.path) == named | {fresh}
