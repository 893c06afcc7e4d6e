"""The jump of the map at a breached level, and the move after it, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from doors_scenes import BAR_NS, NAME, START_NS

from liqscape.cascade import Direction
from liqscape.engine.breaches import _breached, _jump  # pyright: ignore[reportPrivateUsage]
from liqscape.errors import NoData
from liqscape.model import BarSeries, InstrumentId, PriceKind
from liqscape.model.maps import Heatmap, Reading
from liqscape.units import NS_PER_HOUR

BTC = InstrumentId.parse(NAME)
STEP = 0.0005


def heat_of(usd: np.ndarray[tuple[int], np.dtype[np.float32]], edges: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Heatmap:
    """A heatmap of one hour."""
    one = np.full(1, 100.0)
    return Heatmap(
        asked=NAME,
        inputs=(),
        as_of_ns=START_NS + NS_PER_HOUR,
        computed_at_ns=0,
        start_ns=np.array([START_NS]),
        interval_ns=NS_PER_HOUR,
        edge_price=edges,
        usd_per_permille=usd[:, None],
        prior_share=np.zeros_like(usd)[:, None],
        open=one,
        high=one,
        low=one,
        close=one,
        reading=Reading.PUBLISHED,
        model="by hand",
        simulated=False,
        price_kind=PriceKind.MARK,
    )


def bars_of(close: list[float], high: list[float]) -> BarSeries:
    """Bars of five minutes that open where the one before closed."""
    n = len(close)
    start = START_NS + BAR_NS * np.arange(n, dtype=np.int64)
    last, unknown = np.array(close), np.full(n, np.nan)
    opened = np.concatenate(([100.0], last[:-1]))
    low = np.minimum(opened, last)
    return BarSeries(
        BTC, BAR_NS, PriceKind.MARK, start, start + BAR_NS, opened, np.array(high), low, last, unknown, unknown, unknown
    )


def test_the_jump_is_what_lies_beyond_less_what_lies_short() -> None:
    # rows of 0.05 %: 1 dollar each below row 100, 3 dollars each from it on; 0.2 % are about four rows
    total = np.concatenate(([0.0], np.cumsum(np.where(np.arange(200) < 100, 1.0, 3.0))))
    level = 100.0 * math.exp(100 * STEP)
    up = _jump(total, 100.0, STEP, level, Direction.UP)
    rows = (math.log(1.002) / STEP, -math.log(0.998) / STEP)
    assert up == pytest.approx(3.0 * rows[0] - 1.0 * rows[1])
    assert _jump(total, 100.0, STEP, level, Direction.DOWN) == pytest.approx(-up)


def test_a_breach_is_followed_for_fifteen_minutes() -> None:
    # the hour of the map is flat at 100; in the next one bar 2 reaches 100.6, bar 5 closes at 100.9
    close = [100.0] * 12 + [100.0, 100.0, 100.4, 100.4, 100.4, 100.9] + [100.9] * 9
    high = [max(each, 100.6) if i == 14 else each for i, each in enumerate(close)]
    edges = 90.0 * np.exp(STEP * np.arange(501))
    rows = _breached(bars_of(close, high), heat_of(np.ones(500, np.float32), edges))
    # 0.3 % and 0.5 % are breached by bar 2, 0.75 % by bar 5 (100.9 at its close); 1 % is not
    assert len(rows) == 3
    after, before = rows[:, 1], rows[:, 2]
    assert after[0] == pytest.approx(math.log(100.9 / 100.3))
    assert before[0] == pytest.approx(math.log(100.3 / 100.0))
    assert after[2] == pytest.approx(math.log(100.9 / 100.75))
    assert rows[:, 0] == pytest.approx(0.0, abs=0.01)  # an even map has no jump


def test_a_record_without_a_breach_is_no_data() -> None:
    with pytest.raises(NoData, match="no level was breached"):
        _breached(bars_of([100.0] * 30, [100.0] * 30), heat_of(np.ones(500, np.float32), 90.0 * np.exp(STEP * np.arange(501))))
