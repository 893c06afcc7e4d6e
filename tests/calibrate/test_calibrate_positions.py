"""Priors from measured accounts: numbers by hand, then the laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.calibrate import PositionSample, class_shares, distance_profile, position_prior, published_share, survivals
from liqscape.calibrate.lifetimes import Survivals
from liqscape.calibrate.positions import SLOPE_FROM, SLOPE_TO, exponent
from liqscape.errors import BadArgument, NoData
from liqscape.estimate import Learner, Recipe, shipped_weights
from liqscape.model import BarSeries, InstrumentId, PriceKind
from liqscape.model.arrays import FloatArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE


def sample(rows: list[tuple[float, ...]]) -> PositionSample:
    """Rows of (hour, account, sign, quantity, entry, liquidation price, mark)."""
    columns = np.array(rows, np.float64).T
    whole = [column.astype(np.int64) for column in (columns[0] * NS_PER_HOUR, columns[1], columns[2])]
    return PositionSample(*whole, *columns[3:])


def synthetic(rng: np.random.Generator, number: int, exponent_of: float, life_h: float, shots: int = 12) -> PositionSample:
    """Accounts at distances of a power law that close at a constant rate and are replaced at once, seen every 6 hours."""
    place = rng.random((number, shots))
    place = (place * (np.exp(exponent_of * np.log(300.0)) - 1.0) + 1.0) ** (1.0 / exponent_of)  # 1 to 300
    distance = 0.002 * place
    for shot in range(1, shots):
        stays = rng.random(number) < np.exp(-6.0 / life_h)
        distance[stays, shot] = distance[stays, shot - 1]
    sign = np.where(np.arange(number) % 2, 1, -1)
    entry = 100.0 * (1.0 + 1e-3 * distance / 0.002)  # another position, another entry
    rows = [
        (6.0 * shot, i, sign[i], 1.0, entry[i, shot], entry[i, shot] * (1.0 - sign[i] * distance[i, shot]), 100.0)
        for shot in range(shots)
        for i in range(number)
    ]
    return sample(rows)


def test_distances_are_taken_from_entry_and_from_the_mark() -> None:
    held = sample(
        [(0, 1, 1, 2.0, 100.0, 90.0, 120.0), (0, 2, -1, 1.0, 100.0, np.nan, 120.0), (0, 3, -1, 1.0, 160.0, 150.0, 120.0)]
    )
    assert held.distance_from_mark() == pytest.approx([0.25, np.inf, 0.25])
    # the third took profits out: its level lies on the good side of entry, so the mark judges
    assert held.distance_from_entry() == pytest.approx([0.10, np.inf, 0.25])
    assert held.notional_usd.tolist() == [240.0, 120.0, 120.0]


def test_positions_are_followed_to_the_next_sight_of_their_account() -> None:
    found = survivals(
        sample(
            [
                (0, 1, 1, 4.0, 100.0, 80.0, 100.0),
                (3, 1, 1, 1.0, 100.0, 80.0, 101.0),  # three quarters closed
                (9, 1, 0, 0.0, np.nan, np.nan, 102.0),  # and the rest
                (0, 2, -1, 1.0, 100.0, 130.0, 100.0),
                (3, 2, -1, 1.0, 104.0, 130.0, 101.0),  # closed and opened again: another entry, no larger
                (0, 3, 1, 1.0, 100.0, 80.0, 100.0),
                (3, 3, 1, 3.0, 101.0, 80.0, 101.0),  # added to: all of it stands
                (0, 4, -1, 1.0, 100.0, 101.5, 100.0),
                (3, 4, 0, 0.0, np.nan, np.nan, 102.0),  # its level was passed: not closed by will
                (0, 5, 1, 1.0, 100.0, 80.0, 100.0),  # never seen again
            ]
        )
    )
    assert found.survived.tolist() == [0.25, 0.0, 0.0, 1.0]
    assert (found.gap_s / 3600.0).tolist() == [3.0, 6.0, 3.0, 3.0]


def test_bars_know_what_the_marks_do_not() -> None:
    seen = sample([(0, 1, 1, 1.0, 100.0, 95.0, 100.0), (2, 1, 0, 0.0, np.nan, np.nan, 100.0)])
    assert survivals(seen).survived.tolist() == [0.0]
    n = 24
    start, flat, unknown = np.arange(n) * 5 * NS_PER_MINUTE, np.full(n, 100.0), np.full(n, np.nan)
    low = flat.copy()
    low[7] = 94.0
    bars = BarSeries(
        InstrumentId("test", "XUSDT"),
        5 * NS_PER_MINUTE,
        PriceKind.MARK,
        start,
        start,
        flat,
        flat,
        low,
        flat,
        unknown,
        unknown,
        flat,
    )
    with pytest.raises(NoData, match="price left alone"):
        survivals(seen, bars)


def test_one_class_is_found_by_its_rate() -> None:
    # half of what stood is gone after 10 h: classes of 10 / ln 2 h and of 1 h; of the latter nothing is left
    lives = Survivals(np.full(2, 36_000.0), np.ones(2), np.array([0.5, 0.5]), np.full(2, 0.1), np.ones(2, np.int64))
    life_s = np.array([36_000.0 / np.log(2.0), 3_600.0])
    assert class_shares(lives, np.ones(2), life_s)[0] == pytest.approx(1.0, abs=0.02)
    assert class_shares(lives, np.zeros(2), life_s).tolist() == [0.5, 0.5]


def test_the_exponent_of_an_even_density_is_nought() -> None:
    assert exponent(0.5) == 0.0
    # density proportional to d per unit of log distance: mean place 1 / (1 - e^-a) - 1 / a with a = ln(.21 / .016)
    a = np.log(SLOPE_TO / SLOPE_FROM)
    assert exponent(1.0 / (1.0 - np.exp(-a)) - 1.0 / a) == pytest.approx(1.0)


def test_profile_by_hand() -> None:
    rows = [(0, 1, 1, 3.0, 100.0, 97.0, 100.0), (0, 2, 1, 1.0, 100.0, np.nan, 100.0), (0, 3, -1, 2.0, 100.0, 150.0, 100.0)]
    again = [(24 + hour, *rest) for hour, *rest in rows]
    found = distance_profile(sample([*rows, *again]), np.array([0.0, 0.05, 0.6]))
    assert found.share[0].tolist() == [0.75, 0.0, 0.25]  # 3 of 4 contracts within 5 %; the rest cannot be liquidated
    assert found.share[1].tolist() == [0.0, 1.0, 0.0]
    assert found.low[0, 0] == found.high[0, 0] == 0.75  # two days alike
    assert distance_profile(sample(rows), np.array([0.0, 0.05]), per_account=True).share[0].tolist() == [0.5, 0.5]


def test_a_power_law_is_measured_as_one() -> None:
    found = distance_profile(synthetic(np.random.default_rng(5), 800, 1.2, 30.0), np.array([0.0, 0.1]))
    assert found.slope == pytest.approx([1.2, 1.2], abs=0.25)
    assert np.all((found.slope_low <= found.slope) & (found.slope <= found.slope_high))


def test_a_prior_finds_the_law_and_the_lives_it_was_drawn_from() -> None:
    recipe = Recipe()
    measured = synthetic(np.random.default_rng(6), 600, 1.5, 83.3)
    prior = position_prior(measured, recipe)
    shape = prior.shape.reshape(2, recipe.tiers, recipe.classes)
    tiers = shape.sum(axis=2)
    middle = (recipe.distances > 0.02) & (recipe.distances < 0.3)
    slope = np.polyfit(np.log(recipe.distances[middle]), np.log(tiers[0][middle]), 1)[0]
    assert slope == pytest.approx(1.5, abs=0.3)
    # positions of 83 h: nearly all in the first class (83 h), at every distance
    assert np.all(shape[:, middle, 0] / tiers[:, middle] > 0.8)
    assert prior.shape.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-3)  # all of them can be liquidated
    assert np.array_equal(shape[0], shape[1])  # sides are pooled
    assert prior.effective_positions == pytest.approx([300.0, 300.0])
    assert (prior.accounts, prior.rows) == (600, 600 * 12)


def test_trust_leads_from_the_power_law_to_the_sample() -> None:
    recipe = Recipe()
    measured = synthetic(np.random.default_rng(7), 200, 0.5, 10.0)
    none, half, full = (position_prior(measured, recipe, trust=trust).shape[0] for trust in (0.0, 0.5, 1.0))
    power = recipe.prior_shape()
    assert none / none.sum() == pytest.approx(power / power.sum())
    seen = full > 1e-6
    assert np.diff(np.log(half[seen]) - 0.5 * np.log(full[seen]) - 0.5 * np.log(power[seen])) == pytest.approx(0.0, abs=1e-9)
    even = position_prior(measured, recipe, lives=False).shape.reshape(2, recipe.tiers, -1)
    assert even == pytest.approx(np.broadcast_to(even[:, :, :1], even.shape))
    with pytest.raises(BadArgument, match=r"between 0 and 1, received 1\.5"):
        position_prior(measured, recipe, trust=1.5)


def test_a_prior_needs_both_sides_and_two_sights() -> None:
    one_sided = sample([(0, 1, 1, 1.0, 100.0, 90.0, 100.0), (3, 1, 1, 1.0, 100.0, 90.0, 100.0)])
    with pytest.raises(NoData, match="no short position"):
        position_prior(one_sided)
    with pytest.raises(NoData, match="seen at two instants"):
        position_prior(sample([(0, 1, 1, 1.0, 100.0, 90.0, 100.0), (0, 2, -1, 1.0, 100.0, 110.0, 100.0)]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(0, 1, 1, 1.0, 100.0, 90.0, 100.0), (0, 1, -1, 1.0, 100.0, 90.0, 100.0)], "appears twice"),
        ([(0, 1, 1, 0.0, 100.0, 90.0, 100.0)], "quantity_base that is not positive"),
        ([(0, 1, 1, 1.0, np.nan, 90.0, 100.0)], "entry_price that is not positive"),
    ],
)
def test_samples_that_cannot_be_are_refused(rows: list[tuple[float, ...]], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        sample(rows)


def test_the_share_that_is_published_comes_back() -> None:
    # accounts hold all of open interest; a quarter of what is swept is published
    recipe = Recipe()
    prior = position_prior(synthetic(np.random.default_rng(8), 200, 1.5, 30.0), recipe)
    swept = np.random.default_rng(9).gamma(2.0, 1e6, (400, 2, recipe.tiers * recipe.classes))
    published = 0.25 * np.einsum("tsk,sk->ts", swept, prior.shape)
    learner = Learner(prior.recipe(recipe), NS_PER_HOUR, shipped_weights())
    learner.observe(swept, published)
    assert published_share(prior, learner.mix()) == pytest.approx(0.25, rel=0.02)


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0.0, 1.0), st.floats(1.0, 1e6)), min_size=1, max_size=30))
def test_class_shares_are_shares(rows: list[tuple[int, float, float]]) -> None:
    gaps, survived, usd = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    lives = Survivals(gaps * 1800.0, usd, survived, np.full(gaps.size, 0.1), np.ones(gaps.size, np.int64))
    weight: FloatArray = np.ones(gaps.size)
    found = class_shares(lives, weight, Recipe().class_life_s)
    assert found.sum() == pytest.approx(1.0)
    assert np.all(found >= 0.0)
    # the unit of money does not matter, nor does counting everything twice
    assert class_shares(lives, 7.0 * weight, Recipe().class_life_s) == pytest.approx(found)


@given(st.floats(0.02, 0.98))
def test_exponents_rise_with_the_mean_distance(place: float) -> None:
    assert exponent(place + 0.01) > exponent(place)
    assert exponent(1.0 - place) == pytest.approx(-exponent(place), abs=1e-6)


def test_days_are_drawn_whole() -> None:
    # one day all near, the other all far: a day-block interval spans both
    rows = [(0, i, 1, 1.0, 100.0, 99.0, 100.0) for i in range(50)] + [(24, i, 1, 1.0, 100.0, 50.0, 100.0) for i in range(50)]
    rows += [(0, 99, -1, 1.0, 100.0, 150.0, 100.0)]
    found = distance_profile(sample([(hour, *rest) for hour, *rest in rows]), np.array([0.0, 0.1, 0.9]))
    assert (found.low[0, 0], found.share[0, 0], found.high[0, 0]) == (0.0, 0.5, 1.0)
    assert np.unique(sample(rows).ts_ns // NS_PER_DAY).size == 2
