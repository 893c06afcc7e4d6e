from dataclasses import dataclass, field

import numpy as np
import pytest
from test_plot_map import assert_tidy, gids, words

from liqscape.errors import BadArgument
from liqscape.model.maps import Estimate
from liqscape.plot import save
from liqscape.plot.cascade_pictures import CascadeSide, plot_cascade, plot_potential
from liqscape.plot.theme import DARK

DISTANCE = np.arange(201) * 0.001


@dataclass(frozen=True)
class Bands:
    """ux.md, section 8: b 100M per 1 %, f 50M to 2 %, then 150M; U peaks at 2 % with $100M."""

    distance: np.ndarray = field(default_factory=lambda: DISTANCE)
    potential_usd: np.ndarray = field(
        default_factory=lambda: (
            np.outer([0.7, 1.0, 1.3], 1e10 * DISTANCE)
            - 5e9 * np.minimum(DISTANCE, 0.02)
            - 1.5e10 * np.maximum(DISTANCE - 0.02, 0.0)
        )
    )
    reproduction: np.ndarray = field(
        default_factory=lambda: np.outer([0.7, 1.0, np.inf], np.where(DISTANCE[1:] <= 0.02, 0.5, 1.5))
    )


@dataclass(frozen=True)
class Odds:
    value: float


@dataclass(frozen=True)
class Ignites:
    p_ignites: Odds
    dollars: Estimate
    distance: Estimate


LIT = Ignites(Odds(0.34), Estimate(median=100e6, lo=70e6, hi=160e6), Estimate(median=0.02, lo=0.018, hi=0.024))
UNLIT = Ignites(Odds(0.0), Estimate(median=None, lo=None, hi=None), Estimate(median=None, lo=None, hi=None))


def side(ignites=LIT, points=90, rounds=8):
    track = np.outer([0.2, 0.6, 1.0, 1.6, 2.6], 0.02 * np.minimum(np.arange(1, points + 1) / 30, 1.0))
    return CascadeSide(
        bands=Bands(),
        ignites=ignites,
        fan=track,
        fan_no_map=0.6 * track,
        by_round_usd=tuple(40e6 * 0.7**i for i in range(rounds)),
    )


def drawn(**options):
    both = {"up": side(UNLIT), "down": side()}
    asked = {"mark_price": 84_178.9, "shock_usd": 2e8, "caption": ["DEPTH No book is known: the square-root law."]}
    return plot_cascade("BTC: what a shock of $200M does", ["as of 2026-01-30"], **{**both, **asked, **options})


def test_the_hand_check_is_written_at_the_ignition_point():
    said = words(drawn())
    assert "P(ignites) 34 %" in said
    assert "$100M [$70.0M to $160M]" in said
    assert "at \N{MINUS SIGN}2.0 % [\N{MINUS SIGN}1.8 % to \N{MINUS SIGN}2.4 %]" in said
    assert "82,495" in said  # 84,178.9 less 2 %


def test_what_cannot_ignite_says_its_odds_and_no_dollars():
    alone = words(plot_cascade("up", [], up=side(UNLIT), mark_price=100.0))
    assert "P(ignites) 0 %" in alone
    assert "if so" not in alone


@pytest.mark.parametrize("size", [(1600, 1200), (1080, 1350)])
@pytest.mark.parametrize("options", [{}, {"up": None}, {"down": None, "shock_usd": None}, {"dark": False, "simulated": True}])
def test_every_label_is_on_the_sheet_and_none_touch(size, options):
    assert_tidy(drawn(size=size, **options))


def test_a_cheap_coin_keeps_its_digits():
    said = words(drawn(mark_price=0.1))
    assert "0.098" in said
    assert "0.102" in said


def test_curves_lie_on_their_side_of_the_mark_in_their_colour():
    axes = drawn().axes[0]
    ends = {line.get_color(): line.get_xdata()[-1] for line in axes.lines if len(line.get_xdata()) > 2}
    assert ends[DARK.short] == pytest.approx(0.05)
    assert ends[DARK.long] == pytest.approx(-0.05)


def test_bars_add_up_to_what_the_key_says():
    figure = drawn(up=None)
    rounds = figure.axes[3]
    assert sum(bar.get_height() for bar in rounds.patches) == pytest.approx(40e6 * (1 - 0.7**8) / 0.3)
    assert "$126M in all" in words(figure)


def test_the_caveats_are_always_there_and_a_caller_can_say_more():
    said = words(drawn())
    for phrase in ("POTENTIAL", "MODEL", "DEPTH No book is known", "UNTESTED"):
        assert phrase in said
    assert said.count("MODEL") == 1
    assert words(drawn(caption=["MODEL mine"])).count("MODEL") == 1


def test_odds_alone_make_a_picture_and_nothing_does_not():
    assert gids(plot_potential("U", [], up=side(), mark_price=100.0)) >= {"ignition-up"}
    with pytest.raises(BadArgument, match="neither direction"):
        plot_cascade("none", [], up=CascadeSide(), mark_price=100.0)


def test_what_was_not_simulated_is_said_so():
    said = words(plot_cascade("half", [], up=CascadeSide(bands=Bands(), by_round_usd=(0.0,)), mark_price=100.0))
    assert "not simulated" in said
    assert "nothing is forced" in said


def test_the_alternative_text_holds_the_finding(tmp_path):
    path = save(drawn(), tmp_path / "cascade.svg")
    assert "if so after $100M at 82,495" in path.read_text(encoding="utf-8")


def test_outer_paths_that_leave_the_picture_are_told_in_words():
    track = np.outer([0.5, 0.8, 1.0, 1.2, 1.5], np.full(90, 0.02))
    track[4] = 0.37
    alone = CascadeSide(bands=Bands(), fan=track, fan_no_map=track[[0, 1, 2, 3, 3]])
    figure = plot_cascade("tail", [], down=alone, mark_price=100.0)
    assert "a tenth of the paths goes beyond \N{MINUS SIGN}37.0 %" in words(figure)
    assert figure.axes[2].get_ylim()[0] > -0.1  # the others stay readable
    assert_tidy(figure)
    assert "goes beyond" not in words(drawn())


def test_a_shock_far_below_the_far_end_of_the_curve_stays_visible():
    steep = Bands(potential_usd=np.outer([0.7, 1.0, 1.3], 4e12 * DISTANCE**2))  # $10B at 5 %
    figure = plot_cascade("law", [], up=CascadeSide(bands=steep), mark_price=100.0, shock_usd=1e8)
    low, high = figure.axes[0].transData.transform([(0.0, 0.0), (0.0, 1e8)])[:, 1]
    assert (high - low) / figure.axes[0].bbox.height > 0.2
    assert high - low == pytest.approx(0.5 * np.diff(figure.axes[0].transData.transform([(0, 0), (0, 4e8)])[:, 1])[0])  # root
