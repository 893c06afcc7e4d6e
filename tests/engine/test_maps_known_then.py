"""Nobody looks ahead: what was known only later changes no map, no prediction and no input that is named."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from engine_scenes import DAY, FIVE_MINUTES, LEARNS, START, assert_same, market, poisoned, stored
from hypothesis import given, settings
from hypothesis import strategies as st

from liqscape.engine.maps import build_map
from liqscape.engine.replay import read_tape, replay
from liqscape.store import Table
from liqscape.units import NS_PER_DAY, NS_PER_HOUR

NAME = "binance:BTCUSDT"
FRAMES = market()
END = START + LEARNS * NS_PER_DAY


def after(frames, as_of_ns):
    """Only what is known at an instant."""
    return {
        table: frame.filter(pl.col("ts") + (pl.col("interval_ns") if "interval_ns" in frame.columns else 0) <= as_of_ns)
        for table, frame in frames.items()
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("clean"), FRAMES)


@pytest.mark.parametrize("minutes", [0, 26, 55])
def test_a_poisoned_future_changes_no_map(tmp_path, clean, minutes):
    as_of = END - 20 * NS_PER_HOUR + minutes * 60 * 10**9
    spoiled = stored(tmp_path, poisoned(FRAMES, as_of))
    one, two = (build_map(w, NAME, as_of_ns=as_of) for w in (clean, spoiled))
    assert one.outcome.value == "learned"
    assert_same(one, two)
    # The poison works: a little later the maps are not the same.
    late = as_of + 3 * NS_PER_HOUR
    assert not np.allclose(*(build_map(w, NAME, as_of_ns=late).short.usd for w in (clean, spoiled)), rtol=0.05)


def test_a_map_is_the_same_before_and_after_the_future_is_stored(tmp_path, clean):
    as_of = END - 30 * NS_PER_HOUR
    short = stored(tmp_path, after(FRAMES, as_of))
    assert_same(build_map(short, NAME, as_of_ns=as_of), build_map(clean, NAME, as_of_ns=as_of))


def test_other_series_that_begin_later_change_no_map(tmp_path, clean):
    # A year of 1-minute bars and of a larger set of venues would be the longer history, but nobody had it then.
    as_of = END - NS_PER_DAY
    finer = market(days=20, seed=9, minutes=1, start_ns=as_of, price=90_000.0)
    finer[Table.LIQUIDATION_TOTALS] = finer[Table.LIQUIDATION_TOTALS].with_columns(venues=pl.lit("binance,bybit"))
    crowded = stored(tmp_path, after(FRAMES, as_of), finer)
    assert_same(build_map(crowded, NAME, as_of_ns=as_of), build_map(clean, NAME, as_of_ns=as_of))


def test_rows_that_arrived_late_are_used_late(tmp_path):
    # The last two hours of liquidations and the last stamp of open interest were received half a day after they happened.
    as_of = END - NS_PER_DAY
    now = pl.lit(as_of + 12 * NS_PER_HOUR)
    frames = dict(FRAMES)
    for table, since in ((Table.LIQUIDATION_TOTALS, as_of - 2 * NS_PER_HOUR), (Table.OPEN_INTEREST, as_of - FIVE_MINUTES + 1)):
        late = (pl.col("ts") >= since) & (pl.col("ts") <= as_of)
        frames[table] = FRAMES[table].with_columns(ts_recv=pl.when(late).then(now).otherwise(None))
    workspace = stored(tmp_path / "late", frames)
    without = dict(FRAMES)
    for table, frame in frames.items():
        if "ts_recv" in frame.columns:
            without[table] = FRAMES[table].filter(frame["ts_recv"].is_null())
    expected = stored(tmp_path / "without", without)
    assert_same(build_map(workspace, NAME, as_of_ns=as_of), build_map(expected, NAME, as_of_ns=as_of))
    tape = read_tape(workspace, workspace.resolve(NAME)[0], as_of, 60 * NS_PER_DAY)
    assert int(tape.liquidations.start_ns[-1]) == as_of - 3 * NS_PER_HOUR


def record(workspace, as_of_ns):
    tape = read_tape(workspace, workspace.resolve(NAME)[0], as_of_ns, 60 * NS_PER_DAY)
    return replay(tape, ages=False).estimator.record


def test_predictions_before_the_poison_stand(tmp_path, clean):
    as_of = END - 30 * NS_PER_HOUR
    one, two = record(clean, END), record(stored(tmp_path, poisoned(FRAMES, as_of)), END)
    assert [i.start_ns for i in one] == [i.start_ns for i in two]
    for a, b in zip(one, two, strict=True):
        if a.start_ns + NS_PER_HOUR <= as_of:
            assert a.predicted_usd == pytest.approx(b.predicted_usd, rel=1e-9)
            assert a.realised_usd == b.realised_usd or np.isnan(a.realised_usd[0])
            assert a.learned == b.learned
    changed = [a.predicted_usd != b.predicted_usd for a, b in zip(one, two, strict=True) if a.start_ns >= as_of]
    assert all(changed)


def test_liquidations_of_an_hour_do_not_touch_its_own_prediction(tmp_path, clean):
    # Only the last hour's sums are spoiled; its prediction stays, to the last bit.
    totals = FRAMES[Table.LIQUIDATION_TOTALS]
    last = pl.col("ts") == totals["ts"].max()
    spoiled = totals.with_columns(
        pl.when(last).then(pl.col(u) * 100).otherwise(pl.col(u)).alias(u) for u in ("long_usd", "short_usd")
    )
    one, two = record(clean, END), record(stored(tmp_path, {**FRAMES, Table.LIQUIDATION_TOTALS: spoiled}), END)
    assert [i.predicted_usd for i in one] == [i.predicted_usd for i in two]
    assert one[-1].realised_usd != two[-1].realised_usd


@settings(max_examples=8, deadline=None)
@given(bar=st.integers(2 * DAY, 4 * DAY))
def test_any_instant_of_a_tape_ends_in_the_map_of_then(clean, bar):
    # Unlearned, so quick: the levels of an instant do not depend on how much of the store lies after it.
    as_of = START + bar * FIVE_MINUTES
    tape = read_tape(clean, clean.resolve(NAME)[0], as_of, 60 * NS_PER_DAY)
    assert int(tape.bars.end_ns[-1]) == as_of
    assert tape.bars.known_ns.max() <= as_of
    assert (tape.liquidations.start_ns + NS_PER_HOUR <= as_of).all()
    whole = read_tape(clean, clean.resolve(NAME)[0], END, 60 * NS_PER_DAY)
    np.testing.assert_array_equal(tape.bars.open_interest_base, whole.bars.open_interest_base[: len(tape.bars)])
