"""Scores by hand, the walk-forward record, and the verdict on the real pack."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from liqscape.clock import parse_instant
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries, PriceKind
from liqscape.store import read_bars, read_liquidations
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE
from liqscape.validate import move_power, predict, score, validate
from liqscape.validate.scores import poisson_deviance
from liqscape.validate.walk_forward import adverse_moves

PACK = Path(__file__).parents[3] / "shared" / "data" / "btcusdt_backtest"
ONE = InstrumentId("test", "XUSDT")


def tape(days: int = 70, seed: int = 5) -> tuple[BarSeries, LiquidationSeries]:
    """A random walk in hourly bars whose liquidations are exactly 1e9 times the square of the adverse move."""
    rng = np.random.default_rng(seed)
    n = 24 * days
    close = 100.0 * np.exp(np.cumsum(0.005 * rng.standard_normal(n)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = (f(opened, close) * (1.0 + s * 0.002 * rng.random(n)) for f, s in ((np.maximum, 1), (np.minimum, -1)))
    ts = parse_instant("2026-01-01") + NS_PER_HOUR * np.arange(n)
    nothing = np.full(n, np.nan)
    bars = BarSeries(
        ONE, NS_PER_HOUR, PriceKind.MARK, ts, ts + NS_PER_HOUR, opened, high, low, close, nothing, nothing, np.full(n, 1e6)
    )
    usd = [1e9 * (1.0 - low / opened) ** 2, 1e9 * (high / opened - 1.0) ** 2]
    return bars, LiquidationSeries(ONE, NS_PER_HOUR, ts, ts + NS_PER_HOUR, usd[0], usd[1], ("test",), Completeness.ALL)


def test_deviance_by_hand():
    # y = 2 against 1: 2 (2 ln 2 - 1); y = 0 against 1: 2
    assert poisson_deviance(np.array([2e6]), np.array([1e6])) == pytest.approx(2e6 * (2 * np.log(2) - 1))
    assert poisson_deviance(np.array([0.0]), np.array([1e6])) == pytest.approx(2e6)


def test_a_perfect_prediction_scores_one_and_the_null_scores_nought():
    y = np.array([1e6, 0.0, 3e6, 2e6])
    assert score(y, np.maximum(y, 1.0), 1.5e6).d2 == pytest.approx(1.0, abs=1e-6)
    assert score(y, np.full(4, 1.5e6) + np.arange(4), 1.5e6).d2 == pytest.approx(0.0, abs=1e-6)
    found = score(y, y * 2.0, 1.5e6)
    assert (found.spearman, found.total_ratio) == (pytest.approx(1.0), 2.0)


def test_a_score_needs_something_to_score():
    with pytest.raises(NoData, match="at least 3"):
        score(np.array([1.0]), np.array([1.0]), 1.0)
    with pytest.raises(NoData, match="holding"):
        score(np.zeros(5), np.ones(5), 1.0)


def test_adverse_moves_start_at_the_close_before():
    bars, _ = tape(days=1)
    moves = adverse_moves(bars, bars.start_ns, NS_PER_HOUR)
    assert moves[3, 0] == pytest.approx(max(1.0 - bars.low[3] / bars.close[2], 0.0))
    assert moves[3, 1] == pytest.approx(max(bars.high[3] / bars.close[2] - 1.0, 0.0))


def test_the_baseline_finds_the_power_that_made_the_market():
    bars, liquidations = tape()
    predicted, powers = move_power(predict(bars, liquidations), int(bars.start_ns[800]))
    assert powers == (2.0, 2.0)
    assert predicted[900:, 0] == pytest.approx(liquidations.long_usd[901:], rel=0.01)


def test_predictions_before_t_do_not_know_what_comes_after():
    bars, liquidations = tape()
    t = 1200
    spiked = BarSeries(
        **(
            vars(bars)
            | {n: getattr(bars, n) * np.where(np.arange(len(bars)) > t, 1.3, 1.0) for n in ("open", "high", "low", "close")}
        )
    )
    more = LiquidationSeries(
        **(
            vars(liquidations)
            | {n: getattr(liquidations, n) * np.where(np.arange(len(bars)) >= t, 100.0, 1.0) for n in ("long_usd", "short_usd")}
        )
    )
    clean, poisoned = predict(bars, liquidations), predict(spiked, more)
    first = int(np.searchsorted(clean.start_ns, bars.start_ns[t]))
    assert poisoned.predicted[:first] == pytest.approx(clean.predicted[:first], rel=1e-9)
    assert poisoned.predicted[first + 1 :] != pytest.approx(clean.predicted[first + 1 :], rel=1e-3)


def test_windows_without_data_are_refused():
    bars, liquidations = tape()
    found = predict(bars, liquidations)
    with pytest.raises(NoData, match="choose"):
        validate(found, "x", from_ns=parse_instant("2030-01-01"))
    with pytest.raises(NoData, match="Import"):
        predict(bars, LiquidationSeries.empty(ONE, NS_PER_HOUR))


@pytest.mark.skipif(not PACK.exists(), reason="the data pack is not here")
def test_the_map_on_the_real_pack(tmp_path):
    workspace = Workspace(tmp_path)
    report = import_paths(workspace.store, [PACK])
    assert report.rows_rejected == 0
    instrument = workspace.stored()[0]
    bars, liquidations = read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)
    assert bars.interval_ns == 5 * NS_PER_MINUTE
    window = {"from_ns": parse_instant("2026-02-16"), "to_ns": parse_instant("2026-04-01")}
    found = validate(predict(bars, liquidations), str(instrument), **window)
    ours, moved = found.rows
    assert (ours.long.hours, found.learned_share) == (1056, 1.0)
    assert ours.long.d2 > 0.898
    assert ours.short.d2 > 0.875
    assert ours.long.d2 > moved.long.d2 + 0.2
    assert pl.Series([ours.long.spearman, ours.short.spearman]).min() > 0.87
