import pytest
from analytics_maps import law
from hypothesis import given
from hypothesis import strategies as st

from liqscape.analytics import FuelRegion, fuel
from liqscape.errors import BadArgument
from liqscape.model import PositionSide

REGION = FuelRegion(side=PositionSide.SHORT, from_price=84_000.0, to_price=86_000.0)
dollars = st.floats(0.0, 1e9)


def account(**changes: float | None):
    fields: dict = {"pool_reference_usd": 200.0, "burnt_usd": 120.0, "closed_usd": 30.0, "opened_usd": 10.0}
    return fuel(reference_ns=0, as_of_ns=1, region=REGION, **{**fields, **changes})


def test_two_hundred_less_what_was_burnt_and_closed_plus_what_was_opened_is_sixty():
    left = account()
    assert left.pool_now_usd == 60.0
    assert left.left_fraction == pytest.approx(0.30)
    assert left.burn_ratio is None


def test_burn_ratio_is_what_was_seen_of_what_was_swept():
    assert account(forced_seen_usd=60.0).burn_ratio == pytest.approx(0.5)
    assert account(forced_seen_usd=0.0).burn_ratio == 0.0
    assert account(burnt_usd=0.0, forced_seen_usd=5.0).burn_ratio is None


def test_an_empty_reference_has_no_fraction():
    left = account(pool_reference_usd=0.0, burnt_usd=0.0, closed_usd=0.0, opened_usd=7.0)
    assert (left.pool_now_usd, left.left_fraction) == (7.0, None)


def test_accounts_that_cannot_be_are_refused():
    with pytest.raises(BadArgument, match="burnt_usd"):
        account(burnt_usd=-1.0)
    with pytest.raises(BadArgument, match="at least 0 USD"):
        account(burnt_usd=500.0)
    with pytest.raises(BadArgument, match="reference"):
        fuel(reference_ns=2, as_of_ns=1, region=REGION, pool_reference_usd=0, burnt_usd=0, closed_usd=0, opened_usd=0)


@law
@given(dollars, st.floats(0.0, 1.0), st.floats(0.0, 1.0), dollars, st.floats(0.0, 1e9))
def test_the_account_adds_up_exactly(reference: float, burnt: float, closed: float, opened: float, drift: float):
    burnt_usd = burnt * reference
    closed_usd = closed * (reference - burnt_usd)
    left = account(pool_reference_usd=reference, burnt_usd=burnt_usd, closed_usd=closed_usd, opened_usd=opened, drift_usd=drift)
    assert left.pool_now_usd == (left.pool_reference_usd - left.burnt_usd - left.closed_usd + left.opened_usd + left.drift_usd)
