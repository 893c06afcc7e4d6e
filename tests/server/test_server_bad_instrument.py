"""One bad instrument never takes the rest down: not the other answers, not the list, not the live topics, not the server."""

import asyncio
import json

import polars as pl
import pytest
from served import Asker, make_home, running
from websockets.asyncio.client import connect

from liqscape.engine.workspace import Workspace
from liqscape.store import Table

BAD = "binance:BADUSDT"


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """A home in which one of two instruments has bars that cannot be true, written past every check."""
    home = make_home(tmp_path_factory.mktemp("spoilt"))
    store = Workspace(home).store
    good = str(next(iter(Workspace(home).stored())))
    for table in (Table.BARS, Table.OPEN_INTEREST, Table.LIQUIDATION_TOTALS):
        rows = store.read(table).filter(pl.col("instrument") == good).with_columns(instrument=pl.lit(BAD))
        if table is Table.BARS:
            rows = rows.with_columns(low=pl.lit(float("nan")), high=pl.lit(-1.0), close=pl.lit(float("inf")))
        store.append(table, rows, writer="spoiler", batch=1)
    return home


def test_its_own_answers_say_what_is_wrong_and_the_others_are_given(spoilt):
    asker = Asker(spoilt)
    try:
        for command in ("now", "map", "asymmetry", "zones", "heat", "cascade"):
            bad, good = asker(f"/api/v1/{BAD}/{command}", f"/api/v1/BTC/{command}")
            assert good.status_code == 200, good.text
            assert bad.status_code in (200, 404, 500)
            if bad.status_code != 200:
                assert set(bad.json()["error"]) == {"code", "message", "hint", "context", "retry_after_s"}
        assert bad.status_code != 200
        listed = asker("/api/v1/instruments").json()["data"]["instruments"]
        assert BAD in {row["instrument"] for row in listed}
        assert asker("/api/v1/health").json()["data"]["status"] == "ok"
        assert asker("/metrics").status_code == 200
    finally:
        asker.close()


def test_its_topic_says_what_is_wrong_and_the_others_go_on(spoilt):
    async def work(host):
        found = {}
        async with connect(f"ws://{host}/api/v1/stream?topics=cascade.X", max_size=None) as wrong:
            assert json.loads(await wrong.recv())["ok"] is False
        async with connect(f"ws://{host}/api/v1/stream?topics=heat.{BAD},now.{BAD},now.BTC,health", max_size=None) as socket:
            while len(found) < 4:
                text = await asyncio.wait_for(socket.recv(), 20)
                one = json.loads(text) if isinstance(text, str) else {"topic": f"heat.{BAD}", "data": None}
                if one["topic"] != "heartbeat":
                    found[one["topic"]] = one["data"]
        return found

    with running(spoilt) as (host, _):
        found = asyncio.run(asyncio.wait_for(work(host), 25))
    assert found["now.BTC"]["ok"] is True
    assert found["health"]["ok"] is True


def test_a_file_that_is_gone_takes_its_rows_with_it_and_nothing_else(spoilt, tmp_path):
    """The store of one table cannot be read: what needs it says so, the server answers all the same."""
    import shutil

    home = tmp_path / "home"
    shutil.copytree(spoilt, home)
    for path in (home / "store" / str(Table.BARS)).rglob("*.parquet"):
        path.write_bytes(b"not a table")
    asker = Asker(home)
    try:
        broken = asker("/api/v1/BTC/now")
        assert broken.status_code == 500
        assert broken.json()["error"]["message"]
        assert asker("/api/v1/health").status_code == 200
        assert asker("/api/v1/settings").status_code == 200
        assert asker("/metrics").status_code == 200
    finally:
        asker.close()
