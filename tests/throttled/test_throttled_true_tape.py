"""The true tape from a store: prints with and without the price of each second."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from throttled_scenes import START_S, hours_of, world

from liqscape.cli.main import main
from liqscape.clock import iso
from liqscape.engine.true_tape import estimated_true, silences, true_tape
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import MapState
from liqscape.estimate.throttled import ThrottledLearner, beside, fine_recipe, sweep
from liqscape.estimate.throttled_free import recover_from_prints
from liqscape.estimate.throttled_prints import FeedRule, by_second
from liqscape.estimate.throttled_recovered import Outcome
from liqscape.model import InstrumentId
from liqscape.store import Table
from liqscape.units import NS_PER_HOUR, NS_PER_S

BTC = InstrumentId("binance", "BTCUSDT")


def store_prints(workspace, prints, completeness="throttled"):
    frame = pl.DataFrame(
        {
            "ts": prints.second * NS_PER_S,
            "price": np.full(len(prints), 50_000.0),
            "quantity_base": prints.usd / 50_000.0,
            "position_side": ["long" if s > 0 else "short" for s in prints.sign],
        }
    ).with_columns(
        instrument=pl.lit(str(BTC)), completeness=pl.lit(completeness), occurrence=pl.lit(0, pl.Int64), price_kind=pl.lit("mark")
    )
    workspace.store.append(Table.LIQUIDATIONS, frame, writer="scene", batch=1)


def store_bars(workspace, bars):
    names = ("open", "high", "low", "close")
    frame = pl.DataFrame({"ts": bars.start_ns, **{name: getattr(bars, name) for name in names}}).with_columns(
        instrument=pl.lit(str(BTC)), price_kind=pl.lit("mark"), interval_ns=pl.lit(NS_PER_S, pl.Int64)
    )
    workspace.store.append(Table.BARS, frame, writer="scene", batch=1)
    held = pl.DataFrame({"ts": bars.start_ns[::3_600], "open_interest_base": bars.open_interest_base[::3_600]})
    workspace.store.append(Table.OPEN_INTEREST, held.with_columns(instrument=pl.lit(str(BTC))), writer="scene", batch=1)


def test_prints_alone_give_the_lower_estimate(tmp_path):
    # Half an order a second for three hours; the first whole hour is the second one.
    rng = np.random.default_rng(4)
    second = START_S + np.flatnonzero(rng.random(3 * 3_600) < 0.39)
    prints = by_second(second * NS_PER_S, np.ones(second.size, int), np.full(second.size, 1_000.0))
    workspace = Workspace(tmp_path / "home")
    store_prints(workspace, prints)
    as_of = (START_S + 3 * 3_600) * NS_PER_S
    tape = true_tape(workspace, BTC, as_of_ns=as_of)
    assert not tape.with_price
    assert [h.start_ns for h in tape.hours] == [(START_S + 3_600 * i) * NS_PER_S for i in (1, 2)]
    direct = recover_from_prints(prints, FeedRule.LATEST, START_S + 3_600, 7_200)
    for one, two in zip(tape.hours, direct, strict=True):
        np.testing.assert_allclose(one.true_usd, two.true_usd, rtol=1e-9)
    share, low, high = tape.reported_share
    assert share == pytest.approx(0.39 / -np.log(1 - 0.39), rel=0.05)
    assert 0.0 < low <= share <= high <= 1.0
    # Nothing later than `as_of`: what comes after an earlier instant is not there.
    early = true_tape(workspace, BTC, as_of_ns=as_of - NS_PER_HOUR)
    assert len(early.hours) == 1


def test_with_the_price_of_each_second_the_map_is_used(tmp_path, capsys):
    scene = world(hours=34, orders_per_day=60_000.0)
    prints = scene.shown(FeedRule.LATEST)
    workspace = Workspace(tmp_path / "home")
    store_prints(workspace, prints)
    store_bars(workspace, scene.bars)
    tape = true_tape(workspace, BTC, as_of_ns=int(scene.bars.end_ns[-1]))
    assert tape.with_price
    hours = hours_of(scene.bars)[1:]
    recipe = fine_recipe()
    state = MapState(recipe, float(hours[0].open[0]), 80_000.0, NS_PER_S)
    learner = ThrottledLearner(recipe, FeedRule.LATEST)
    direct = [learner.observe(beside(sweep(state, bars), prints)) for bars in hours]
    assert [h.outcome for h in tape.hours] == [h.outcome for h in direct]
    assert tape.hours[0].outcome is Outcome.UNLEARNED
    assert tape.hours[-1].outcome is Outcome.RECOVERED
    np.testing.assert_allclose(tape.hours[-1].true_usd, direct[-1].true_usd, rtol=1e-6)
    assert tape.reported_share[0] < 0.9
    # The shell prints it beside what was published, and the setting that follows from it.
    as_of = int(scene.bars.end_ns[-1])
    assert estimated_true(workspace, BTC, as_of_ns=as_of, window="30d").reported_share == tape.reported_share
    words = ["liquidations", str(BTC), "--window", "30d", "--as-of", iso(as_of), "--home", str(workspace.home)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert f"settings set reported_share.binance {tape.reported_share[0]:.2f}," in " ".join(shown.split())
    assert main([*words, "--json"]) == 0
    (total,) = json.loads(capsys.readouterr().out)["data"]["totals"]
    told = [hour for hour in tape.hours if np.isfinite(hour.true_usd).all()]
    true = total["estimated_true_usd"]
    assert true["hours"] == len(told)
    assert true["long"]["median"] == pytest.approx(sum(hour.true_usd[0] for hour in told))
    assert true["long"]["lo"] <= true["long"]["median"] <= true["long"]["hi"]


def test_gaps_of_the_recorder_are_silences(tmp_path):
    workspace = Workspace(tmp_path / "home")
    assert silences(workspace, BTC).shape == (0, 2)
    gaps = [(10, 20), (15, 30), (40, 50)]
    frame = pl.DataFrame(
        {"ts": [START_S * NS_PER_S + a for a, _ in gaps], "end_ts": [START_S * NS_PER_S + b for _, b in gaps]}
    ).with_columns(instrument=pl.lit(str(BTC)), kind=pl.lit("liquidations"), reason=pl.lit("both lines were down"))
    workspace.store.append(Table.GAPS, frame, writer="scene", batch=1)
    np.testing.assert_array_equal(silences(workspace, BTC) - START_S * NS_PER_S, [[10, 30], [40, 50]])


def test_what_cannot_be_answered_is_refused(tmp_path):
    workspace = Workspace(tmp_path / "home")
    with pytest.raises(NoData, match="no single liquidations are stored"):
        true_tape(workspace, BTC)
    second = START_S + np.arange(0, 600, 10)
    store_prints(workspace, by_second(second * NS_PER_S, np.ones(60, int), np.ones(60)))
    with pytest.raises(NoData, match="do not span a whole hour"):
        true_tape(workspace, BTC)
    with pytest.raises(NoData, match="in the 1d before then"):
        true_tape(workspace, BTC, as_of_ns=(START_S + 9 * 86_400) * NS_PER_S, window="1d")
    whole = Workspace(tmp_path / "complete")
    store_prints(whole, by_second(second * NS_PER_S, np.ones(60, int), np.ones(60)), completeness="all")
    with pytest.raises(BadArgument, match="shows every liquidation"):
        true_tape(whole, BTC)
