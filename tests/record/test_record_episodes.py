"""What followed lopsided days: by hand, and from a stored record without looking ahead."""

from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_scenes import NAME, START, frames, stored

import liqscape as ls
from liqscape.engine.episodes import HEAVY, NEITHER, THIN, Episode, Followed, build_episodes, first_swept, pools_at
from liqscape.engine.episodes import _runs as runs_of
from liqscape.engine.episodes import _tally as tally_of
from liqscape.engine.maps import build_map
from liqscape.engine.replay import read_tape
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import BarSeries, InstrumentId, PriceKind
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

ONE = InstrumentId.parse(NAME)


def bars(*rows):
    """Hourly bars from (open, high, low, close)."""
    table = np.array(rows, np.float64).reshape(-1, 4)
    ts, none = np.arange(len(table)) * NS_PER_HOUR, np.full(len(table), np.nan)
    columns = (table[:, i] for i in range(4))
    return BarSeries(ONE, NS_PER_HOUR, PriceKind.MARK, ts, ts + NS_PER_HOUR, *columns, none, none, none)


def test_the_side_that_is_passed_first():
    half = (95.0, 104.0)
    assert first_swept(bars((100, 102, 98, 101), (101, 103, 94, 96), (96, 110, 95, 109)), half) == 0
    assert first_swept(bars((100, 104, 98, 101), (101, 103, 90, 96)), half) == 1
    assert first_swept(bars((100, 103, 96, 101)), half) is None
    # both in one bar: it closed up, so the low came first
    assert first_swept(bars((100, 105, 94, 101)), half) == 0
    assert first_swept(bars((100, 105, 94, 99)), half) == 1


def episode(day, heavy, outcome):
    followed = Followed(days=7, outcome=outcome, low=-0.1, high=0.1, end=0.0, long_usd=1.0, short_usd=None)
    ratio = 3.0 if heavy == "short" else 1 / 3
    at = f"2026-01-{day:02d}T00:00:00Z"
    return Episode(at=at, price=100.0, long_usd=1.0, short_usd=ratio, ratio=ratio, heavy=heavy, followed=(followed,))


def test_counts_by_hand():
    found = [
        episode(1, "short", HEAVY), episode(2, "short", THIN), episode(3, "long", THIN), episode(9, "long", NEITHER),
        episode(10, "long", HEAVY), episode(20, "short", HEAVY), episode(25, "short", THIN),
    ]  # fmt: skip
    # two shorts in a row, a long, two longs, and two alone
    assert runs_of(found).tolist() == [0, 0, 1, 2, 2, 3, 4]
    tally = tally_of(7, found, found[:2])
    assert (tally.episodes, tally.runs, tally.heavy, tally.thin, tally.neither) == (7, 5, 3, 3, 1)
    assert (tally.heavy_share, tally.all_days, tally.all_days_share) == (0.5, 2, 0.5)
    assert tally.lo < 0.5 < tally.hi
    assert tally_of(3, found, found).heavy_share is None


@given(st.lists(st.tuples(st.sampled_from(["long", "short"]), st.sampled_from([HEAVY, THIN, NEITHER])), max_size=28))
def test_every_episode_is_counted_once(kinds):
    found = [episode(day + 1, heavy, outcome) for day, (heavy, outcome) in enumerate(kinds)]
    tally = tally_of(7, found, found)
    assert tally.heavy + tally.thin + tally.neither == tally.episodes == len(found)
    if tally.lo is not None:
        assert 0.0 <= tally.lo <= tally.hi <= 1.0


def test_pools_are_those_of_the_map(plain_home):
    workspace = Workspace(plain_home)
    at = START + 44 * NS_PER_DAY
    tape = read_tape(workspace, ONE, None, 365 * NS_PER_DAY)
    (pools,) = pools_at(tape, [at], 0.05)
    found = build_map(workspace, NAME, as_of_ns=at)
    assert pools.price == found.mark_price
    assert pools.usd == pytest.approx((found.long.usd[:50].sum(), found.short.usd[:50].sum()))
    below = found.long.edge_price[1:51] >= pools.half[0] - 1e-9
    assert found.long.usd[:50][below].sum() >= 0.5 * pools.usd[0] >= found.long.usd[:50][below][:-1].sum()


def test_a_stored_record(plain_home):
    (found,) = ls.episodes("BTC", ratio=1.1, home=plain_home)
    assert (found.instrument, found.within, found.simulated) == (NAME, 0.05, False)
    assert found.maps > len(found.episodes)
    ranks = [{THIN: 0, NEITHER: 1, HEAVY: 2}[after.outcome] if (after := each.after(7)) else 3 for each in found.episodes]
    assert ranks == sorted(ranks)
    assert set(ranks) >= {0, 2, 3}
    for each in found.episodes:
        assert max(each.ratio, 1.0 / each.ratio) >= 1.1
        assert each.heavy == ("short" if each.ratio > 1.0 else "long")
    # the public case lies in this made-up record, and its claim is judged as it was made
    assert (found.case.at, found.case.claimed_ratio, found.case.heavy) == ("2026-01-30T22:55:00Z", 14.0, "short")


def test_what_follows_adds_up(plain_home):
    workspace = Workspace(plain_home)
    (found,) = build_episodes(workspace, NAME, least_ratio=1.01)
    tape = read_tape(workspace, ONE, None, 365 * NS_PER_DAY)
    one = found.episodes[0]
    start = int(np.datetime64(one.at.rstrip("Z"), "ns").astype(np.int64))
    day = (tape.liquidations.start_ns >= start) & (tape.liquidations.start_ns < start + NS_PER_DAY)
    assert one.after(1).long_usd == pytest.approx(tape.liquidations.long_usd[day].sum())
    inside = (tape.bars.end_ns > start) & (tape.bars.end_ns <= start + NS_PER_DAY)
    assert one.after(1).low == pytest.approx(tape.bars.low[inside].min() / one.price - 1.0)


def test_episodes_of_the_past_do_not_know_the_future(tmp_path):
    market = frames()
    until = START + 38 * NS_PER_DAY
    # A stamp of open interest is known at its instant, a bar and a sum when they are over.
    known_then = {table: pl.col("ts") <= until if table is Table.OPEN_INTEREST else pl.col("ts") < until for table in market}
    cut = {table: rows.filter(known_then[table]) for table, rows in market.items()}
    (whole,) = build_episodes(stored(tmp_path / "whole", market), NAME, least_ratio=1.01)
    (early,) = build_episodes(stored(tmp_path / "early", cut), NAME, least_ratio=1.01)
    later = {each.at: each for each in whole.episodes}
    assert len(early.episodes) > 10
    for each in early.episodes:
        known = tuple(after for after in later[each.at].followed if after.days in {one.days for one in each.followed})
        assert msgspec.structs.replace(later[each.at], followed=known) == each


def test_an_interval_that_was_not_published_leaves_the_sum_unknown(tmp_path):
    market = frames()
    gap = START + 40 * NS_PER_DAY + 5 * NS_PER_HOUR
    market[Table.LIQUIDATION_TOTALS] = market[Table.LIQUIDATION_TOTALS].filter(pl.col("ts") != gap)
    (found,) = build_episodes(stored(tmp_path, market), NAME, least_ratio=1.0001)
    by_day = {each.at[:10]: each.after(1) for each in found.episodes}
    assert by_day["2026-02-10"].long_usd is None
    assert by_day["2026-02-09"].long_usd > 0.0


@pytest.mark.parametrize("words", [{"within": 0.0}, {"within": 0.6}, {"least_ratio": 1.0}, {"least_ratio": float("nan")}])
def test_words_that_make_no_sense(plain_home, words):
    with pytest.raises(BadArgument, match="expected"):
        build_episodes(Workspace(plain_home), NAME, **words)


def test_a_tape_that_ends_before_the_case_has_none(plain_home):
    tape = read_tape(Workspace(plain_home), ONE, START + 20 * NS_PER_DAY, 365 * NS_PER_DAY)
    assert pools_at(replace(tape), [START + NS_PER_DAY], 0.05) == []
    (found,) = build_episodes(Workspace(plain_home), NAME, as_of_ns=START + 20 * NS_PER_DAY)
    assert found.case is None
