import math

import numpy as np
import pytest
from analytics_maps import law, make_map, mirrored
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liqscape.analytics import TiltState, headline, tilt
from liqscape.model.maps import BUCKETS

pools_usd = arrays(np.float64, BUCKETS, elements=st.floats(1e-3, 1e8) | st.just(0.0))


def test_twice_the_density_above_is_a_tilt_of_ln_two():
    # the same dollars stand at half the distance above; a narrow ensemble keeps the interval off 0
    m = make_map({(0.0, 0.4): 8e9}, {(0.0, 0.4): 4e9}, sigma=0.05)
    reading = tilt(m)
    assert reading.value is not None
    assert reading.value.median == pytest.approx(math.log(2.0))
    assert reading.state is TiltState.UP_FRAGILE
    assert reading.budgets_usd == pytest.approx((0.005 * 19.4e9, 0.01 * 19.4e9, 0.02 * 19.4e9))
    assert reading.ignites is None
    assert tilt(mirrored(m)).state is TiltState.DOWN_FRAGILE


def test_a_wide_ensemble_is_no_clear_tilt():
    assert tilt(make_map({(0.0, 0.4): 8e9}, {(0.0, 0.4): 4e9}, sigma=1.5)).state is TiltState.NONE


def test_budgets_out_of_reach_are_skipped_and_the_largest_reachable_takes_their_place():
    # $60M and $30M within 30 %; 0.5 % of open interest would be $97M
    reading = tilt(make_map({(0.0, 0.3): 6e7}, {(0.0, 0.3): 3e7}, sigma=0.05))
    assert reading.budgets_usd == pytest.approx((3e7,))
    assert len(reading.skipped_usd) == 3
    assert reading.value is not None
    assert reading.value.median == pytest.approx(math.log(2.0))


def test_an_empty_side_has_no_tilt():
    reading = tilt(make_map({(0.0, 0.3): 6e7}, {}))
    assert reading.state is TiltState.NONE
    assert reading.value is None
    assert "too little stands on the map" in headline(make_map({}, {}))


def test_a_headline_names_a_fact_and_a_counter_fact():
    # above: nearer in bulk; below: the pool within 1 % is the larger one
    m = make_map({(0.01, 0.11): 4e9}, {(0.0, 0.01): 8e7, (0.01, 0.11): 1e9}, sigma=0.05, prior=0.0)
    text = headline(m)
    assert text.startswith("UP-FRAGILE: ")
    assert text.endswith(" Potential, not a forecast.")
    assert ", but " in text
    assert "above" in text.split(", but ")[0] or "short fuel" in text.split(", but ")[0]
    counter = text.split(", but ")[1]
    assert "long fuel" in counter or "below" in counter


def test_a_one_sided_map_still_has_a_counter_fact():
    m = make_map({(0.0, 0.3): 9e9}, {(0.0, 0.3): 3e9}, sigma=0.05, prior=0.6)
    assert headline(m) == (
        "UP-FRAGILE: more short fuel within 1 % (3.0 : 1), but up to 60 % of what stands within 5 % is assumption, not data. "
        "Potential, not a forecast."
    )
    certain = make_map({(0.0, 0.3): 9e9}, {(0.0, 0.3): 3e9}, sigma=0.05, prior=0.0)
    assert "with no map at all" in headline(certain) or "record" in headline(certain)


@law
@given(pools_usd, pools_usd)
def test_swapping_the_sides_flips_the_tilt(short: np.ndarray, long: np.ndarray):
    m = make_map(short, long, draws=40)
    reading, swapped = tilt(m), tilt(mirrored(m))
    assert (reading.value is None) == (swapped.value is None)
    if reading.value is not None and swapped.value is not None:
        assert reading.value.median == pytest.approx(-swapped.value.median, abs=1e-9)


@law
@given(pools_usd, pools_usd)
def test_every_headline_has_both_parts(short: np.ndarray, long: np.ndarray):
    text = headline(make_map(short, long, draws=20))
    assert text.split(":")[0] in set(TiltState)
    assert ", but " in text
    assert text.endswith("Potential, not a forecast.")
