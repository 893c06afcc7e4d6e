"""The venues' past in the store: everything, once, within the rules; and the rest of it after a failure."""

import random

import polars as pl
import pytest
from live_scenes import NOW_NS, MemoryTransport, three_venues

from liqscape.engine.backfill import Backfill
from liqscape.engine.backfill.plan import merged, without
from liqscape.engine.maps import build_map
from liqscape.engine.recording.health import RecorderHealth, VenueHealth, write_health
from liqscape.engine.recording.wanted import Wanted
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData, Unreachable
from liqscape.model import InstrumentId, Kind
from liqscape.store import Table
from liqscape.testing.exchange.dialect import Asked, Refusal
from liqscape.testing.virtual import run_virtual
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE, NS_PER_S
from liqscape.venues.registry import choose

BYBIT = InstrumentId("bybit", "BTCUSDT")
SPAN_NS = 8 * NS_PER_HOUR
KINDS = (Kind.BARS, Kind.MARK_BARS, Kind.OPEN_INTEREST, Kind.FUNDING, Kind.RATIOS)


def fill(
    home,
    *,
    venues=("bybit_linear",),
    span_ns=SPAN_NS,
    fault=None,
    wanted=("BTC",),
    kinds=KINDS,
    dialects=None,
    start_ns=NOW_NS + 10 * NS_PER_S,
):
    """Run a backfill on the virtual clock; the transport, the report and the loop's seconds."""

    async def main(loop):
        transport = MemoryTransport(dialects or three_venues(), loop.now_ns, fault)
        run = Backfill(
            Workspace(home), choose(venues), Wanted(wanted), transport, kinds=kinds, now_ns=loop.now_ns, chance=random.Random(1)
        )
        report = await run.run(start_ns - 10 * NS_PER_S - span_ns)
        return transport, report, loop.time()

    return run_virtual(main, start_ns=start_ns)


def bars(home, instrument=BYBIT, kind="last"):
    return Workspace(home).store.read(Table.BARS, instrument, where={"price_kind": kind, "interval_ns": NS_PER_MINUTE})


def test_every_minute_comes_once_and_is_not_asked_again(tmp_path):
    transport, report, _ = fill(tmp_path)
    last, mark = bars(tmp_path), bars(tmp_path, kind="mark")
    # The eight hours before now, the open minute left out: 480 minutes of both kinds.
    assert last.height == mark.height == 480
    assert last["ts"].diff().drop_nulls().unique().to_list() == [NS_PER_MINUTE]
    assert last["ts_recv"].null_count() == 480  # known at the end of their minute, as imports are
    (venue,) = report.venues
    assert venue.failures == ()
    assert venue.stored[Table.BARS] == 960
    assert Workspace(tmp_path).store.read(Table.OPEN_INTEREST, BYBIT).height == SPAN_NS // (5 * NS_PER_MINUTE)
    assert Workspace(tmp_path).store.read(Table.RATIOS, BYBIT).height > 90
    assert transport.paths()["/v5/market/kline"] == 1  # 480 minutes fit into one page of 1,000
    again, report, _ = fill(tmp_path, kinds=(Kind.BARS, Kind.MARK_BARS, Kind.OPEN_INTEREST))
    assert set(again.paths()) == {"/v5/market/instruments-info"}
    assert report.came
    assert bars(tmp_path).height == 480


def test_open_interest_is_one_side_of_it(tmp_path):
    fill(tmp_path, kinds=(Kind.OPEN_INTEREST,), span_ns=NS_PER_HOUR)
    dialect = three_venues()[0]
    contract = dialect.contracts["BTCUSDT"]
    stored = Workspace(tmp_path).store.read(Table.OPEN_INTEREST, BYBIT)
    for ts, value in stored.select("ts", "open_interest_base").iter_rows():
        assert value == pytest.approx(dialect.world.open_interest(contract, ts), rel=1e-9)


def test_it_goes_on_where_the_connection_was_lost(tmp_path):
    calls = 0

    def lost(asked, count):
        nonlocal calls
        if asked.path == "/v5/market/kline":
            calls += 1
            if calls > 2:
                return Unreachable("cable pulled")
        return None

    span = 3 * NS_PER_DAY  # 4,320 minutes: five pages, three of them asked at once
    _, report, _ = fill(tmp_path, kinds=(Kind.BARS,), span_ns=span, fault=lost)
    assert "cable pulled" in report.venues[0].failures[0]
    kept = bars(tmp_path)
    assert kept.height in (1000, 2000)
    assert kept["ts"].max() == NOW_NS - NS_PER_MINUTE  # the newest first
    again, report, _ = fill(tmp_path, kinds=(Kind.BARS,), span_ns=span)
    assert report.venues[0].failures == ()
    assert bars(tmp_path).height == 4320
    # No minute that was stored is asked for once more.
    oldest = int(kept["ts"].min())
    for asked in again.asked:
        if asked.path == "/v5/market/kline":
            assert int(asked.query["end"]) * 10**6 < oldest


def test_pages_shorter_than_expected_leave_no_hole(tmp_path):
    bybit = three_venues()[0]

    def short(asked, count):
        if asked.path != "/v5/market/kline":
            return None
        # The venue gives 200 rows, whatever was asked for.
        query = dict(asked.query) | {"limit": "200"}
        return bybit.rest(Asked(asked.host, asked.path, query), NOW_NS + 10 * NS_PER_S)

    _, report, _ = fill(tmp_path, kinds=(Kind.BARS,), span_ns=2 * SPAN_NS, fault=short)
    assert report.venues[0].failures == ()
    assert bars(tmp_path).height == 960


def test_a_ban_is_obeyed(tmp_path):
    banned_at = None

    def ban(asked, count):
        nonlocal banned_at
        if asked.path == "/v5/market/kline" and banned_at is None:
            banned_at = count
            return three_venues()[0].refuse(Refusal.BANNED, None, NOW_NS)
        return None

    transport, report, seconds = fill(tmp_path, kinds=(Kind.BARS,), fault=ban)
    assert report.venues[0].failures == ()
    assert bars(tmp_path).height >= 480
    assert seconds > 600.0  # Bybit bans for ten minutes
    assert transport.paths()["/v5/market/kline"] <= 3


def test_a_venue_that_is_down_stops_no_other(tmp_path):
    def down(asked, count):
        return Unreachable("no route") if "okx" in asked.host else None

    _, report, _ = fill(tmp_path, venues=("bybit_linear", "binance_usdm", "okx"), fault=down, span_ns=2 * NS_PER_HOUR)
    by_key = {venue.key: venue for venue in report.venues}
    assert "no route" in by_key["okx_swap" if "okx_swap" in by_key else "okx"].failures[0]
    assert len(by_key["okx"].failures) == 1
    assert report.came
    assert bars(tmp_path).height == bars(tmp_path, InstrumentId("binance", "BTCUSDT")).height == 120
    found = build_map(Workspace(tmp_path), "BTC")
    assert {str(i) for i in found.instruments} == {"binance:BTCUSDT", "bybit:BTCUSDT"}


def test_nothing_comes_when_nobody_answers(tmp_path):
    _, report, _ = fill(tmp_path, fault=lambda asked, count: Unreachable("no route"))
    assert not report.came
    with pytest.raises(NoData, match="no perpetual of NOSUCH"):
        fill(tmp_path, wanted=("NOSUCH",))


def test_recorded_rows_stay_and_a_hole_between_them_is_filled(tmp_path):
    fill(tmp_path, kinds=(Kind.BARS,), span_ns=NS_PER_HOUR)
    pattern = bars(tmp_path)
    home = tmp_path / "recorded"
    kept = pattern.with_row_index("n").filter((pl.col("n") < 20) | (pl.col("n") >= 40)).drop("n")
    recorded = kept.with_columns((pl.col("ts") + NS_PER_MINUTE + 4 * 10**9).alias("ts_recv"), pl.lit("recorded").alias("source"))
    Workspace(home).store.append(Table.BARS, recorded, writer="recorder", batch=1)
    fill(home, kinds=(Kind.BARS,), span_ns=NS_PER_HOUR)
    found = bars(home)
    assert found.height == 60
    assert found.filter(pl.col("source") == "backfill").height == 20
    assert found.filter(pl.col("source") == "recorded")["ts_recv"].null_count() == 0


def test_a_store_that_was_removed_is_filled_again(tmp_path):
    import shutil

    fill(tmp_path, kinds=(Kind.FUNDING,), span_ns=3 * NS_PER_DAY)
    before = Workspace(tmp_path).store.read(Table.FUNDING, BYBIT).height
    assert before >= 8
    shutil.rmtree(tmp_path / "store")
    fill(tmp_path, kinds=(Kind.FUNDING,), span_ns=3 * NS_PER_DAY)
    assert Workspace(tmp_path).store.read(Table.FUNDING, BYBIT).height == before


def test_stretches_by_hand():
    assert merged([(5, 7), (0, 2), (2, 3), (9, 9)]) == [(0, 3), (5, 7)]
    assert without([(0, 10), (20, 30)], [(0, 2), (8, 22), (29, 40)]) == [(2, 8), (22, 29)]


def test_what_a_running_recorder_covers_is_not_asked_for(tmp_path):
    venue = VenueHealth(
        key="bybit_linear",
        venue="bybit",
        state="live",
        instruments=(str(BYBIT),),
        age_s=1.0,
        prints=0,
        prints_repeated=0,
        prints_old=0,
        gaps=0,
        repairs_waiting=0,
        bars_late=0,
        corrupt=0,
        last_corrupt=None,
        last_error=None,
        budget_left={},
        skew_ns=None,
        queued=0,
        lines=(),
    )
    health = RecorderHealth(
        writer="recorder",
        pid=1,
        started_ns=NOW_NS - NS_PER_HOUR,
        at_ns=NOW_NS + 5 * NS_PER_S,
        stopped=False,
        rows={},
        acknowledged_p50_s=None,
        acknowledged_p99_s=None,
        waiting_rows=0,
        waiting_segments=0,
        venues=(venue,),
        alarms=(),
    )
    write_health(Workspace(tmp_path), health)
    fill(tmp_path, kinds=(Kind.BARS,), span_ns=3 * NS_PER_HOUR)
    found = bars(tmp_path)
    assert (found.height, found["ts"].max()) == (120, NOW_NS - NS_PER_HOUR - NS_PER_MINUTE)
