"""Small state: JSON by namespace and key, shared by processes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from liqscape.errors import StoreError
from liqscape.store import StateDb, open_state


def test_what_is_set_is_read_back_until_it_is_deleted(tmp_path):
    state = open_state(tmp_path / "home")
    assert state.get("instrument", "binance:BTCUSDT") is None
    assert state.items("instrument") == {}
    assert state.delete("instrument", "binance:BTCUSDT") is False
    assert list(tmp_path.iterdir()) == []
    state.set("instrument", "sim:BTCUSDT", {"simulated": True})
    state.set("instrument", "binance:BTCUSDT", {"simulated": False, "note": None, "tiers": [1, 2.5, "x"]})
    state.set("cursor", "binance:BTCUSDT", 7)
    state.set("cursor", "binance:BTCUSDT", 8)
    other = open_state(tmp_path / "home")
    assert other.get("cursor", "binance:BTCUSDT") == 8
    assert list(other.items("instrument")) == ["binance:BTCUSDT", "sim:BTCUSDT"]
    assert other.get("instrument", "binance:BTCUSDT") == {"simulated": False, "note": None, "tiers": [1, 2.5, "x"]}
    assert other.delete("instrument", "sim:BTCUSDT") is True
    assert list(state.items("instrument")) == ["binance:BTCUSDT"]


def test_processes_and_threads_set_at_once(tmp_path):
    path = tmp_path / "state.sqlite"
    program = (
        "import sys, pathlib\n"
        "from liqscape.store.state import StateDb\n"
        "state = StateDb(pathlib.Path(sys.argv[1]))\n"
        "for i in range(25): state.set('n', f'{sys.argv[2]}-{i}', i)\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "ab"]
    state = StateDb(path)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda i: state.set("n", f"c-{i}", i), range(25)))
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert state.items("n") == {f"{name}-{i}": i for name in "abc" for i in range(25)}


def test_what_cannot_be_kept_is_refused(tmp_path):
    state = StateDb(tmp_path / "state.sqlite")
    with pytest.raises(StoreError, match="not a JSON value"):
        state.set("n", "k", object())
    state.path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        state.get("n", "k")
