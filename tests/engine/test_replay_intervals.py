"""Liquidations of short intervals are learned by the hour; an hour that misses one of them is unknown."""

import numpy as np

from liqscape.engine.replay import in_hours
from liqscape.model import Completeness, InstrumentId, LiquidationSeries
from liqscape.units import NS_PER_HOUR


def test_quarters_of_an_hour_become_hours():
    quarter = NS_PER_HOUR // 4
    start = np.array([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]) * quarter + 480_000 * NS_PER_HOUR  # 5 is missing
    ones = np.ones(start.size)
    series = LiquidationSeries(
        InstrumentId("a", "B"), quarter, start, start + quarter, ones, 2.0 * ones, ("a",), Completeness.THROTTLED
    )
    hours = in_hours(series)
    assert hours.interval_ns == NS_PER_HOUR
    assert (hours.start_ns // NS_PER_HOUR).tolist() == [480_000, 480_002]
    assert hours.long_usd.tolist() == [4.0, 4.0]
    assert hours.short_usd.tolist() == [8.0, 8.0]
    assert (hours.known_ns == hours.start_ns + NS_PER_HOUR).all()
