"""A recorder against the rehearsal exchange: what is stored is what happened, through restarts, outages, bans and bad clocks."""

from __future__ import annotations

import asyncio

import pytest
from recording_scenes import WORLD, at, gaps, happened, record, stored

from liqscape.engine.recording import Recorder, Wanted, read_health
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData, StoreError, Unreachable
from liqscape.store import Table
from liqscape.testing.exchange import Fault, FaultKind
from liqscape.testing.virtual import START_NS
from liqscape.units import NS_PER_MINUTE, NS_PER_S
from liqscape.venues.registry import VENUES

LINEAR = ("bybit_linear",)
# The streams of a start need some seconds; a frame of the last half second is on its way at the end.
BEGUN, LATE_S = 0.2, 2.0


def bars(home, instrument: str, kind: str) -> list[int]:
    """Minutes after the start of all tests whose bar is stored, as they lie in the table."""
    where = {"price_kind": kind, "interval_ns": NS_PER_MINUTE}
    from liqscape.model import InstrumentId

    rows = Workspace(home).store.read(Table.BARS, InstrumentId.parse(instrument), where=where)
    return [(ts - START_NS) // NS_PER_MINUTE for ts in rows.get_column("ts")]


def test_what_is_stored_is_what_happened(tmp_path):
    health = record(tmp_path, ("bybit_linear", "bybit_inverse"), 12)
    for instrument in ("BTCUSDT", "ETHUSDT", "BTCUSD", "ETHUSD"):
        truth = happened("bybit", instrument, BEGUN, 12, late_s=LATE_S)
        assert sum(truth.values()) > 10
        assert stored(tmp_path, f"bybit:{instrument}", BEGUN, 12 - LATE_S / 60) == truth
        assert bars(tmp_path, f"bybit:{instrument}", "last") == list(range(12 - 1))
        assert bars(tmp_path, f"bybit:{instrument}", "mark") == list(range(12 - 1))
    assert gaps(tmp_path) == []
    assert [venue.bars_late for venue in health.venues] == [1 * 4, 1 * 4]  # the minute that has just ended
    assert health.stopped
    assert health.alarms == ()
    assert all(venue.corrupt == 0 for venue in health.venues)
    assert (health.waiting_rows, health.waiting_segments) == (0, 0)
    store = Workspace(tmp_path).store
    assert store.read(Table.OPEN_INTEREST).height >= 4 * 10
    assert store.read(Table.DEPTH).get_column("distance").max() <= 0.05
    assert store.read(Table.RATIOS).height > 0
    assert store.read(Table.BARS).get_column("ts_recv").null_count() == 0
    seconds = store.read(Table.BARS, where={"interval_ns": NS_PER_S})
    assert set(seconds.get_column("price_kind")) == {"mark"}
    assert seconds.filter(instrument="bybit:BTCUSDT").height > 11 * 60 * 0.9


def test_a_bar_is_there_soon_after_its_minute(tmp_path):
    record(tmp_path, LINEAR, 5)
    rows = Workspace(tmp_path).store.read(Table.BARS, where={"interval_ns": NS_PER_MINUTE})
    late = (rows.get_column("ts_recv") - rows.get_column("ts") - NS_PER_MINUTE).max()
    assert late < 30 * NS_PER_S


def test_a_restart_leaves_an_honest_gap_and_stores_nothing_twice(tmp_path):
    record(tmp_path, LINEAR, 4)
    record(tmp_path, LINEAR, 6, start_minute=9)
    for instrument in ("BTCUSDT", "ETHUSDT"):
        found = stored(tmp_path, f"bybit:{instrument}", BEGUN, 15 - LATE_S / 60)
        truth = happened("bybit", instrument, BEGUN, 15, late_s=LATE_S)
        assert found - truth == {}
        told = [(a, b) for i, kind, a, b, _ in gaps(tmp_path) if i == f"bybit:{instrument}" and kind == "liquidations"]
        ((begin, end),) = told  # Bybit keeps no history of liquidations
        assert 3.8 < begin < 4
        assert 9 < end < 9.3
        lost = truth - found
        assert all(at(begin) <= ts < at(end) for ts, _ in lost)
        # Bars have a history: nothing of them is lost.
        assert bars(tmp_path, f"bybit:{instrument}", "last") == list(range(14))


def test_a_venue_with_a_history_fills_the_time_in_which_nobody_recorded(tmp_path):
    keys, symbol = ("gate",), "BTC_USDT"
    record(tmp_path, keys, 4)
    record(tmp_path, keys, 8, start_minute=9)
    truth, found = happened("gate", symbol, BEGUN, 17, late_s=LATE_S), stored(tmp_path, f"gate:{symbol}", BEGUN, 17 - LATE_S / 60)
    assert sum(truth.values()) > 10
    assert sum(found.values()) == sum(truth.values())  # histories tell whole seconds: instants differ, prints do not
    assert [gap for gap in gaps(tmp_path) if gap[1] == "liquidations"] == []


def test_one_line_may_be_cut_without_a_loss(tmp_path):
    faults = [Fault(FaultKind.CUT, "bybit", at(minute), connection=int(minute) % 2) for minute in (2, 3, 4)]
    health = record(tmp_path, LINEAR, 7, faults=faults)
    assert sum(line.reconnects for line in health.venues[0].lines) == 3
    truth = happened("bybit", "BTCUSDT", BEGUN, 7, late_s=LATE_S)
    assert stored(tmp_path, "bybit:BTCUSDT", BEGUN, 7 - LATE_S / 60) == truth
    assert gaps(tmp_path) == []


def test_an_outage_of_all_lines_is_a_gap_and_bars_are_repaired(tmp_path):
    faults = [
        Fault(FaultKind.CUT, "bybit", at(3), connection=None),
        Fault(FaultKind.REFUSED, "bybit", at(3), lasts_s=180, connection=None, count=0),
        Fault(FaultKind.NO_ANSWER, "bybit", at(3), lasts_s=180, count=0),
    ]
    record(tmp_path, LINEAR, 12, faults=faults)
    truth = happened("bybit", "BTCUSDT", BEGUN, 12, late_s=LATE_S)
    found = stored(tmp_path, "bybit:BTCUSDT", BEGUN, 12 - LATE_S / 60)
    ((begin, end),) = [(a, b) for i, kind, a, b, _ in gaps(tmp_path) if (i, kind) == ("bybit:BTCUSDT", "liquidations")]
    assert 2.8 < begin < 3 < 6 < end < 7.5
    assert found - truth == {}
    assert all(at(begin) <= ts < at(end) for ts, _ in truth - found)
    assert truth - found
    assert bars(tmp_path, "bybit:BTCUSDT", "last") == list(range(11))


def test_a_venue_in_trouble_never_stops_the_others(tmp_path):
    faults = [
        Fault(FaultKind.REFUSED, "okx", at(0), lasts_s=200, connection=None, count=0),
        Fault(FaultKind.MAINTENANCE, "okx", at(0), lasts_s=200, count=0),
    ]
    health = record(tmp_path, ("bybit_linear", "okx"), 8, faults=faults)
    bybit, okx = health.venues
    assert stored(tmp_path, "bybit:BTCUSDT", BEGUN, 8 - LATE_S / 60) == happened("bybit", "BTCUSDT", BEGUN, 8, late_s=LATE_S)
    assert bybit.last_error is None
    assert okx.prints > 0  # it came back by itself
    assert "bybit:BTCUSDT" in bybit.instruments
    assert bars(tmp_path, "okx:BTC-USDT-SWAP", "last")[-1] == 6


def test_a_ban_is_obeyed_and_streams_go_on(tmp_path):
    faults = [Fault(FaultKind.BANNED, "bybit", at(2), lasts_s=150, count=0)]
    asked: list[int] = []

    async def watch(_, transport, loop):
        before = 0
        for _ in range(15 * 60):
            await asyncio.sleep(1)
            now = len(transport.exchange.answered_ns["bybit"])
            asked.append(now - before)
            before = now

    record(tmp_path, LINEAR, 15, faults=faults, beside=watch)
    assert sum(asked[130:720]) == 0  # Bybit bans for ten minutes, whatever this one says
    assert sum(asked[735:]) > 10
    assert stored(tmp_path, "bybit:BTCUSDT", BEGUN, 15 - LATE_S / 60) == happened("bybit", "BTCUSDT", BEGUN, 15, late_s=LATE_S)
    assert bars(tmp_path, "bybit:BTCUSDT", "last") == list(range(14))


def test_a_silent_subscription_is_noticed(tmp_path):
    faults = [
        Fault(FaultKind.SILENT, "bybit", at(2), connection=0),
        Fault(FaultKind.SILENT, "bybit", at(2), connection=1),
    ]
    health = record(tmp_path, LINEAR, 6, faults=faults)
    assert all(line.reconnects >= 1 for line in health.venues[0].lines)
    ((begin, end),) = [(a, b) for i, kind, a, b, _ in gaps(tmp_path) if (i, kind) == ("bybit:BTCUSDT", "liquidations")]
    assert 1.8 < begin < 2.1
    assert end < 3


def test_a_wrong_clock_is_told(tmp_path):
    async def jump(_, transport, loop):
        await asyncio.sleep(120)
        loop.shift_ns = 7 * NS_PER_S

    health = record(tmp_path, LINEAR, 10, beside=jump)
    (alarm,) = health.alarms
    assert (alarm.what, alarm.subject) == ("clock", "bybit_linear")
    assert "ahead of" in alarm.words


def test_a_stop_drains(tmp_path):
    async def stop(recorder, transport, loop):
        await asyncio.sleep(150)
        began = loop.time()
        recorder.stop()
        while read_health(Workspace(tmp_path)) == () or not read_health(Workspace(tmp_path))[0].stopped:
            await asyncio.sleep(0.1)
        assert loop.time() - began < 5

    health = record(tmp_path, LINEAR, 60, beside=stop)
    assert (health.at_ns - START_NS) < 160 * NS_PER_S
    assert stored(tmp_path, "bybit:BTCUSDT", BEGUN, 2.5 - LATE_S / 60) == happened("bybit", "BTCUSDT", BEGUN, 2.5, late_s=LATE_S)
    (told,) = read_health(Workspace(tmp_path))
    assert told == health
    assert not told.alive(health.at_ns)
    assert not list((tmp_path / "journal").rglob("*.journal"))


def test_health_is_there_while_it_runs(tmp_path):
    async def look(recorder, transport, loop):
        await asyncio.sleep(100)
        (told,) = read_health(Workspace(tmp_path))
        assert told.alive(loop.now_ns())
        (venue,) = told.venues
        assert venue.state == "live"
        assert venue.age_s < 10
        assert 0.0 < venue.budget_left["ip"] <= 1.0
        assert {line.state for line in venue.lines} == {"up"}

    record(tmp_path, LINEAR, 2, beside=look)


def test_nothing_wanted_is_told(tmp_path):
    with pytest.raises(NoData, match="no venue has a perpetual of NOSUCHCOIN"):
        record(tmp_path, LINEAR, 5, names=("NOSUCHCOIN",))


def test_a_journal_that_is_held_names_the_holder(tmp_path):
    workspace = Workspace(tmp_path)
    from liqscape.store import open_journal

    journal = open_journal(tmp_path, workspace.store, "recorder")
    journal.open()
    with pytest.raises(StoreError, match="process"):
        record(tmp_path, LINEAR, 1)
    journal.close()
    record(tmp_path, LINEAR, 1)


def test_without_a_network_the_last_known_instruments_are_used(tmp_path):
    record(tmp_path, LINEAR, 1)
    faults = [Fault(FaultKind.NO_ANSWER, "bybit", at(5), lasts_s=100, count=0)]
    health = record(tmp_path, LINEAR, 6, start_minute=5, faults=faults)
    assert health.venues[0].prints > 0


def test_two_recorders_of_one_home_have_two_names(tmp_path):
    record(tmp_path, LINEAR, 3, names=("BTC",), writer="one")
    record(tmp_path, LINEAR, 3, names=("ETH",), writer="two")
    assert {health.writer for health in read_health(Workspace(tmp_path))} == {"one", "two"}
    assert stored(tmp_path, "bybit:ETHUSDT", BEGUN, 3 - LATE_S / 60) == happened("bybit", "ETHUSDT", BEGUN, 3, late_s=LATE_S)


def test_the_largest_are_chosen_over_all_venues(tmp_path):
    async def main(loop):
        from liqscape.testing.exchange import MemoryTransport, RehearsalExchange, every_dialect

        transport = MemoryTransport(RehearsalExchange(every_dialect(WORLD)), loop)
        venues = [VENUES[key] for key in ("bybit_linear", "okx")]
        recorder = Recorder(Workspace(tmp_path), venues, Wanted(top=1), transport, urls={}, now_ns=loop.now_ns, upkeep=False)
        return await recorder.run(loop.now_ns() + NS_PER_MINUTE)

    from liqscape.testing.virtual import run_virtual

    health = run_virtual(main)
    bases = {Workspace(tmp_path).describe([i])[i].base for v in health.venues for i in _ids(v.instruments)}
    assert len(bases) == 1
    assert all(venue.instruments for venue in health.venues)


def _ids(names):
    from liqscape.model import InstrumentId

    return [InstrumentId.parse(name) for name in names]


def test_a_program_error_in_one_venue_is_an_alarm_and_a_new_start(tmp_path, monkeypatch):
    from liqscape.engine.recording import venue as room

    real, broken = room.VenueRecorder.take, [True]

    def take(self, batch):
        if broken[0] and self.key == "okx":
            broken[0] = False
            raise RuntimeError("a bug")
        real(self, batch)

    monkeypatch.setattr(room.VenueRecorder, "take", take)
    health = record(tmp_path, ("bybit_linear", "okx"), 5)
    assert broken == [False]
    assert health.venues[1].prints > 0
    assert "a bug" in str(health.venues[1].last_error)
    assert stored(tmp_path, "bybit:BTCUSDT", BEGUN, 5 - LATE_S / 60) == happened("bybit", "BTCUSDT", BEGUN, 5, late_s=LATE_S)
    assert Unreachable  # the venue was never to blame
