"""The chain by hand, and that every way to change it is found."""

import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqscape as ls
from liqscape.engine.issue import issue
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.errors import StoreError
from liqscape.store import open_ledger
from liqscape.store.ledger import GENESIS, Ledger, link
from liqscape.validate.ledger import verify


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "ledger.sqlite")
    for i in range(6):
        made.append({"map": i}, 1_000 + i)
    return made


def edited(ledger, *statements):
    connection = sqlite3.connect(ledger.path)
    with connection:
        for statement, *values in statements:
            connection.execute(statement, values)
    connection.close()
    return verify(ledger)


def test_a_chain_by_hand(ledger):
    first, second = ledger.entries()[:2]
    assert (first.number, first.previous, first.entry) == (1, GENESIS, b'{"map":0}')
    assert first.hash == hashlib.sha256(f"{GENESIS}\n1\n1000\n".encode() + b'{"map":0}').hexdigest()
    assert second.previous == first.hash
    found = verify(ledger)
    assert (found.entries, found.intact, found.head) == (6, True, ledger.entries()[-1].hash)


def test_nothing_there_is_intact(tmp_path):
    found = verify(Ledger(tmp_path / "none.sqlite"))
    assert (found.entries, found.intact, found.head) == (0, True, None)
    assert not (tmp_path / "none.sqlite").exists()


def test_the_same_is_written_once(ledger):
    assert ledger.append({"map": 3}, 9_999) == ledger.entries()[3]
    assert len(ledger.entries()) == 6
    assert verify(ledger).intact


CHANGES = {
    "edited entry": [("UPDATE entries SET entry = ? WHERE number = 3", b'{"map":9}')],
    "entry as text": [("UPDATE entries SET entry = ? WHERE number = 3", '{"map":9}')],
    "edited time": [("UPDATE entries SET noted_ns = 5 WHERE number = 3",)],
    "edited digest": [("UPDATE entries SET digest = 'x' WHERE number = 3",)],
    "first removed": [("DELETE FROM entries WHERE number = 1",)],
    "one removed": [("DELETE FROM entries WHERE number = 3",)],
    "removed and renumbered": [
        ("DELETE FROM entries WHERE number = 3",),
        ("UPDATE entries SET number = number - 1 WHERE number > 3",),
    ],
    "last removed": [("DELETE FROM entries WHERE number = 6",)],
    "all removed": [("DELETE FROM entries",)],
    "head removed": [("DELETE FROM head",)],
    "two swapped": [
        ("UPDATE entries SET number = 99 WHERE number = 2",),
        ("UPDATE entries SET number = 2 WHERE number = 3",),
        ("UPDATE entries SET number = 3 WHERE number = 99",),
    ],
    "one inserted": [
        ("UPDATE entries SET number = number + 100 WHERE number > 3",),
        ("UPDATE entries SET number = number - 99 WHERE number > 3",),
        ("INSERT INTO entries SELECT 4, 'new', noted_ns, entry, previous, hash FROM entries WHERE number = 3",),
    ],
    "one added behind": [
        ("INSERT INTO entries VALUES (7, 'new', 5, ?, 'p', 'h')", b"{}"),
    ],
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_found(ledger, change):
    found = edited(ledger, *CHANGES[change])
    assert not found.intact
    assert all(fault.what for fault in found.faults)


def test_a_rewritten_chain_is_found_by_a_hash_noted_before(ledger):
    noted = verify(ledger).head
    previous, statements = GENESIS, []
    for each in ledger.entries():
        entry = b'{"map":"forged"}' if each.number == 2 else each.entry
        hashed = link(previous, each.number, each.noted_ns, entry)
        digest = hashlib.sha256(entry).hexdigest()
        statements.append(
            (
                "UPDATE entries SET entry=?, digest=?, previous=?, hash=? WHERE number=?",
                entry,
                digest,
                previous,
                hashed,
                each.number,
            )
        )
        previous = hashed
    assert edited(ledger, *statements, ("UPDATE head SET hash = ?", previous)).intact
    assert "noted before" in verify(ledger, noted).faults[0].what
    ledger.append({"map": "next"}, 2_000)


@settings(max_examples=15)
@given(st.lists(st.integers(0, 5), max_size=12))
def test_any_order_of_appends_is_a_chain_of_the_different_ones(tmp_path_factory, numbers):
    ledger = Ledger(tmp_path_factory.mktemp("chain") / "ledger.sqlite")
    for i, number in enumerate(numbers):
        ledger.append({"map": number}, i)
    assert [each.entry for each in ledger.entries()] == [b'{"map":%d}' % number for number in dict.fromkeys(numbers)]
    assert verify(ledger).intact


def test_writers_at_the_same_time_make_one_chain(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: Ledger(path).append({"map": i % 20}, i), range(60)))
    found = verify(Ledger(path))
    assert (found.entries, found.intact) == (20, True)


def test_a_file_that_is_no_ledger_is_refused_in_words(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="ledger"):
        verify(Ledger(path))


def test_every_map_that_leaves_a_door_is_kept_once(home):
    m = ls.map("BTC", home=home)
    ls.map("BTC", home=home)
    ls.map("BTC", side="long", home=home)
    ls.heatmap("BTC", window="1d", interval="1h", home=home)
    entries = open_ledger(home).entries()
    kinds = [b'"kind":"heatmap"' in each.entry for each in entries]
    assert kinds == [False, False, True]
    for fact in (m.inputs[0].sha256, m.model, "2026-02-15T00:00:00Z"):
        assert fact.encode() in entries[0].entry
    assert verify(open_ledger(home)).intact


def test_a_home_that_cannot_be_written_still_gives_its_map(home, monkeypatch):
    found = build_map(Workspace(home), "BTC")
    monkeypatch.setattr(Ledger, "append", _refuse)
    assert issue(Workspace(home), found) is None
    assert ls.map("BTC", home=home).mark_price == found.mark_price
    # the same without any pretence: a folder stands where the file would be
    monkeypatch.undo()
    (home / "ledger.sqlite").mkdir()
    assert issue(Workspace(home), found) is None


def _refuse(*_):
    raise StoreError("ledger: attempt to write a readonly database")
