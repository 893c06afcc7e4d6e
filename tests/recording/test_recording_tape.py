"""A tape of a recording, played through the same pipeline, gives the same prints."""

from __future__ import annotations

import asyncio

from recording_scenes import WORLD, record, stored

from liqscape.engine.recording import Recorder, Wanted
from liqscape.engine.workspace import Workspace
from liqscape.store import Table
from liqscape.testing.exchange import every_dialect
from liqscape.venues.registry import VENUES
from liqscape.venues.tape import TapeWriter

KEYS = ("bybit_linear", "htx")


def test_a_tape_gives_the_same_prints_and_open_interest(tmp_path):
    assert every_dialect(WORLD)
    live, played = tmp_path / "live", tmp_path / "played"
    specs: dict[str, dict] = {}
    record(live, KEYS, 1)  # learns the instruments, which a tape needs
    from liqscape.engine.recording.wanted import remembered

    for key in KEYS:
        known = remembered(Workspace(live), VENUES[key])
        specs[key] = Wanted(("BTC", "ETH")).of(known)
    with TapeWriter(tmp_path / "tape", specs) as tape:
        record(live, KEYS, 6, start_minute=1, tape=tape.write)
    recorder = Recorder(
        Workspace(played),
        [VENUES[key] for key in KEYS],
        Wanted(("BTC", "ETH")),
        None,
        urls={},
        upkeep=False,  # type: ignore[arg-type]
    )
    health = asyncio.run(recorder.play(tmp_path / "tape"))
    assert health.stopped
    for instrument in ("bybit:BTCUSDT", "htx:BTC-USDT"):
        assert stored(live, instrument, 1.3, 6.9) == stored(played, instrument, 1.3, 6.9)
        assert stored(played, instrument, 1.3, 6.9)
    stamps = Workspace(played).store.read(Table.OPEN_INTEREST)
    assert stamps.height > 10
    again = asyncio.run(
        Recorder(Workspace(played), [VENUES[key] for key in KEYS], Wanted(("BTC",)), None, urls={}, upkeep=False).play(  # type: ignore[arg-type]
            tmp_path / "tape"
        )
    )
    assert sum(venue.prints for venue in again.venues) == 0  # nothing is stored twice
