"""What a map must beat: the list. Each baseline sees the same path and learns only from intervals that are over."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from liqscape.model.arrays import FloatArray
from liqscape.validate.baselines_boosting import gradient_boosting, offset_boosting
from liqscape.validate.baselines_maps import large_volume_bars, opens_without_closes, survey_mix, uniform_leverage, volume_profile
from liqscape.validate.baselines_path import climatology, distance_only, fit_period_mean, move_power
from liqscape.validate.panel import Panel, Schedule


class Baseline(Struct, frozen=True, kw_only=True):
    """One thing that a map must beat.

    Parameters
    ----------
    name
        As tables show it.
    about
        One sentence.
    predict
        (rows, schedule, what the map predicts) -> float64[n, 2], USD (long, short), NaN where no fold serves. Only those that
        say so look at the map.
    quick
        Whether it is cheap and always shown.
    needs_boosting
        Whether it needs scikit-learn (the extra `boosting`); without it NoData is raised.
    strong
        Whether being ahead of it is worth a claim: it knows all that is public and has no map.
    """

    name: str
    about: str
    predict: Callable[[Panel, Schedule, FloatArray], FloatArray]
    quick: bool = False
    needs_boosting: bool = False
    strong: bool = False


def _alone(predict: Callable[[Panel, Schedule], FloatArray]) -> Callable[[Panel, Schedule, FloatArray], FloatArray]:
    """Wrap a baseline that does not look at the map."""
    return lambda rows, schedule, _: predict(rows, schedule)


BASELINES: tuple[Baseline, ...] = (
    Baseline(name="mean", about="The mean of the fit period.", predict=_alone(fit_period_mean), quick=True),
    Baseline(name="|move|^p", about="A power of the adverse move from the close before.", predict=_alone(move_power), quick=True),
    Baseline(
        name="climatology",
        about="The mean of the same hour of the week in the same class of volatility, small cells shrunk.",
        predict=_alone(climatology),
    ),
    Baseline(
        name="distance only",
        about="Powers of how far price went beyond its extremes of the last 1 h to 7 d: nearest levels burn, no map of opens.",
        predict=_alone(distance_only),
    ),
    Baseline(
        name="uniform leverage",
        about="The map's lifetimes and closes, open interest spread evenly over leverages 2x to 125x.",
        predict=_alone(uniform_leverage),
    ),
    Baseline(
        name="survey mix",
        about="The map's lifetimes and closes, open interest by a survey: 36 % at 0-3x, 48 % at 3-7x, 15 % at 7x and more.",
        predict=_alone(survey_mix),
    ),
    Baseline(
        name="no closes",
        about="All volume opens at leverages 2x to 125x, swept when touched and never closed.",
        predict=_alone(opens_without_closes),
    ),
    Baseline(
        name="volume profile / L",
        about="Volume at price of the last hours, moved by 1 / leverage to both sides.",
        predict=_alone(volume_profile),
    ),
    Baseline(
        name="py-liquidation-map",
        about="Its method re-derived: bars of large volume, levels 1, 2, 4 and 10 % from them, no closes; given a scale.",
        predict=_alone(large_volume_bars),
    ),
    Baseline(
        name="boosting",
        about="Gradient boosting of the distance rule on path, volatility, open interest, funding and clock: no map.",
        predict=_alone(gradient_boosting),
        needs_boosting=True,
        strong=True,
    ),
    Baseline(
        name="boosting + map",
        about="The same with the map's predictions as features: what the path adds to the map as a feature.",
        predict=gradient_boosting,
        needs_boosting=True,
    ),
    Baseline(
        name="map x boosting",
        about="The map's predictions corrected by few small trees on the same features.",
        predict=offset_boosting,
        needs_boosting=True,
    ),
)
