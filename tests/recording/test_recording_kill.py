"""kill -9 of a recording process, again and again: nothing acknowledged is lost, nothing is stored twice, gaps are honest."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter

import polars as pl
import pytest
from recording_worker import Template

from liqscape.clock import now_ns
from liqscape.engine.workspace import Workspace
from liqscape.store import SCHEMAS, Table
from liqscape.testing.exchange import RehearsalExchange, World, every_dialect
from liqscape.testing.exchange.server import served
from liqscape.units import NS_PER_S

# Many prints a second, so that a kill hits writes of every kind.
COINS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LINK", "AVAX", "LTC", "DOT")
WORLD = World(5, COINS, forced_per_percent=4000.0, beat_ns=NS_PER_S)
KEYS = ["bybit_linear", "gate"]


def kill_again_and_again(home, kills: int, seed: int) -> list[tuple[str, list[object]]]:
    """Return the acknowledged rows of all lives of a recorder."""
    dice, notes = random.Random(seed), home / "notes"
    template = Template()
    try:
        with served(RehearsalExchange(every_dialect(WORLD))) as base:
            given = {"home": str(home), "notes": str(notes), "base": base, "keys": KEYS, "coins": COINS}
            for number in range(kills):
                template.start(**given)
                # Half of them die while they start, the others after some rows, on a machine of any speed; a few live longer,
                # so that there is time between the gaps.
                wait_for(notes, 250 if number % 20 == 19 else dice.choice((0, dice.randrange(1, 25))))
                time.sleep(dice.uniform(0.0, 0.4))
                assert template.end() == signal.SIGKILL
            template.start(**given)  # what the last one left is stored, and the last one ends in order
            # By then one of ten coins has three prints of Bybit's in this life: its last one aside, some lie outside every gap.
            wait_for(notes, 2 * len(COINS) + 1, b'["liquidations", ["bybit:')
            assert template.end(signal.SIGTERM) == 0
    finally:
        template.close()
    # A line that was being noted when the kill came is no note.
    whole = notes.read_text().rpartition("\n")[0].split("\n")
    return [(table, row) for table, row in map(_note, whole) if table]


def wait_for(notes, rows: int, what: bytes = b"\n") -> None:
    """Wait until so many more rows (or rows that hold these bytes) were acknowledged, a minute at most."""
    before = _rows(notes, what)
    deadline = time.monotonic() + 60.0
    while _rows(notes, what) < before + rows and time.monotonic() < deadline:
        time.sleep(0.02)


def _rows(notes, what: bytes) -> int:
    return notes.read_bytes().count(what) if notes.exists() else 0


def _note(line: str) -> tuple[str, list[object]]:
    try:
        table, row = json.loads(line[line.rfind("}{") + 1 :])
    except ValueError:
        return "", []
    return table, row


def check(home, acknowledged: list[tuple[str, list[object]]], start_ns: int) -> int:
    """Return how many prints lay outside the gaps."""
    store = Workspace(home).store
    assert not list((home / "journal").rglob("*.journal"))
    for table in {table for table, _ in acknowledged}:
        schema = SCHEMAS[Table(table)]
        places = [list(schema.columns).index(name) for name in schema.key]
        files = store._files(Table(table))
        raw = pl.concat([pl.read_parquet(path, hive_partitioning=False) for path in files])
        held = Counter(raw.select(schema.key).iter_rows())
        noted = Counter(tuple(row[place] for place in places) for name, row in acknowledged if name == table)
        assert not [key for key in noted if key not in held], f"{table}: acknowledged and lost"
        assert not [key for key, count in held.items() if count > 1], f"{table}: stored twice"
    return outside_gaps(home, start_ns)


def outside_gaps(home, start_ns: int) -> int:
    """Outside the gaps that were told, the tables hold exactly what happened on Bybit; Gate's history leaves no gap at all."""
    store = Workspace(home).store
    prints, gaps = store.read(Table.LIQUIDATIONS), store.read(Table.GAPS)
    compared = 0
    for contract in every_dialect(WORLD, ["bybit"])[0].contracts.values():
        name = f"bybit:{contract.symbol}"
        mine = prints.filter(instrument=name)
        if mine.is_empty():
            continue
        first, last = mine.get_column("ts").min() + 1, mine.get_column("ts").max()
        told = gaps.filter(instrument=name, kind="liquidations").select("ts", "end_ts").rows()
        lost = [(begin, end) for begin, end in told]

        def kept(ts: int, lost=lost, first=first, last=last) -> bool:
            return first <= ts < last and not any(begin <= ts < end for begin, end in lost)

        truth = Counter(p.ts_ns for p in WORLD.liquidations(contract, start_ns, now_ns()) if kept(p.ts_ns))
        found = Counter(ts for ts in mine.get_column("ts") if kept(ts))
        assert found == truth, name
        compared += truth.total()
    assert gaps.filter(pl.col("instrument").str.starts_with("gate:"), kind="liquidations").is_empty()
    return compared


def test_ten_kills(tmp_path):
    start_ns = now_ns() - 60 * NS_PER_S
    acknowledged = kill_again_and_again(tmp_path, 10, 1)
    assert len(acknowledged) > 60
    assert check(tmp_path, acknowledged, start_ns) > 0


@pytest.mark.long
def test_two_hundred_kills(tmp_path):
    start_ns = now_ns() - 60 * NS_PER_S
    acknowledged = kill_again_and_again(tmp_path, 200, 2)
    assert len(acknowledged) > 1000
    compared = check(tmp_path, acknowledged, start_ns)
    assert compared > 100
    print(f"200 kills, {len(acknowledged)} acknowledged rows, none lost, none twice; {compared} prints outside gaps, all there")
