"""Candles cut into legs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from baselines_scenes import tape
from hypothesis import given
from hypothesis import strategies as st

from liqscape.errors import BadArgument
from liqscape.validate.legs import legs


def test_a_rising_and_a_falling_candle_by_hand():
    bars, _ = tape(days=1, minutes=60)
    two = bars.slice(0, 2)
    two = replace(
        two,
        open=np.array([100.0, 104.0]),
        high=np.array([105.0, 106.0]),
        low=np.array([97.0, 99.0]),
        close=np.array([104.0, 101.0]),
        volume_base=np.array([9.0, np.nan]),
        open_interest_base=np.array([50.0, 60.0]),
    )
    cut = legs(two)
    # rising: 100 -> 97 -> 105 -> 104; falling: 104 -> 106 -> 99 -> 101
    assert cut.open.tolist() == [100.0, 97.0, 105.0, 104.0, 106.0, 99.0]
    assert cut.close.tolist() == [97.0, 105.0, 104.0, 106.0, 99.0, 101.0]
    assert cut.low.tolist() == [97.0, 97.0, 104.0, 104.0, 99.0, 99.0]
    assert cut.high.tolist() == [100.0, 105.0, 105.0, 106.0, 106.0, 101.0]
    assert cut.volume_base[:3].tolist() == [3.0, 3.0, 3.0]
    # what is open is known at a candle's end and not before
    np.testing.assert_array_equal(cut.open_interest_base, [np.nan, np.nan, 50.0, 50.0, 50.0, 60.0])
    assert (cut.end_ns[2::3] == two.end_ns).all()
    assert (cut.known_ns == np.repeat(two.known_ns, 3)).all()


@given(st.integers(0, 1000))
def test_legs_join_up_and_stay_inside_their_candle(seed):
    candles, _ = tape(days=2, minutes=60, seed=seed)
    cut = legs(candles)
    assert len(cut) == 3 * len(candles)
    assert (cut.open[1::3] == cut.close[0::3]).all()
    assert (cut.low.reshape(-1, 3).min(axis=1) == candles.low).all()
    assert (cut.high.reshape(-1, 3).max(axis=1) == candles.high).all()
    assert (np.diff(cut.start_ns) == cut.interval_ns).all()
    # No order of the same corners is shorter: each leg runs from corner to corner.
    assert (cut.low == np.minimum(cut.open, cut.close)).all()
    assert (cut.high == np.maximum(cut.open, cut.close)).all()


def test_intervals_that_cannot_be_cut_are_refused():
    bars, _ = tape(days=1)
    with pytest.raises(BadArgument, match="3 divides"):
        legs(replace(bars, interval_ns=1000))
