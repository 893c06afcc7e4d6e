"""10 October 2025: what is counted twice and what is not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
try:
    from benchmarks.cascade_october import Forced, read_event
finally:
    sys.path.pop(0)

DATA = Path(__file__).parents[3] / "shared" / "data" / "hl_adl_20251010"


def test_fills_in_the_market_are_told_twice_and_deleveraged_ones_once():
    # 3 fills in the market at $10 make 6 rows of $60; 2 deleveraged ones at $10 make 2 rows more
    told = Forced("X", rows=8, rows_usd=80.0, adl=2, adl_usd=20.0)
    assert told.market_usd == pytest.approx(30.0)
    assert told.forced_usd == pytest.approx(50.0)


@pytest.mark.skipif(not DATA.exists(), reason="needs the data pack")
def test_the_rows_of_the_event_are_doubled_but_for_deleveraging():
    event = read_event(DATA)
    assert event.delay_s == pytest.approx(61.7, abs=0.05)
    assert event.odd == 0  # of 186 seconds: with single rows about half of them would be odd
    assert event.beyond_half > 0  # halving all would leave tickers with more deleveraged than liquidated
    assert all((each.rows - each.adl) % 2 == 0 for each in event.tickers)
    assert sum(each.rows for each in event.tickers) == event.all.rows
    assert sum(each.forced_usd for each in event.tickers) == pytest.approx(event.all.forced_usd)
