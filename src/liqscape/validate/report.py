"""The verdict: scores of the map and of what it must beat over one window, with intervals, and who is better than whom."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from liqscape.clock import iso, utc_date
from liqscape.errors import NoData
from liqscape.estimate import MODEL
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY
from liqscape.validate.bands import Predictive, predictive
from liqscape.validate.baselines import BASELINES
from liqscape.validate.baselines_path import fit_period_mean
from liqscape.validate.bootstrap import Days, Value, diebold_mariano, holm
from liqscape.validate.panel import BURN_IN_NS, Panel, Schedule
from liqscape.validate.scores import Card, Scored, card, poisson_terms
from liqscape.validate.walk_forward import Predictions

MAP = "map"
_TAIL = 0.9  # the tail begins at this quantile of the intervals before the window
_SIDES = {"long": (0,), "short": (1,), "both": (0, 1)}


class Scope(Struct, frozen=True, kw_only=True):
    """Scores of one stretch: the whole window, a tercile of volatility, a month."""

    name: str
    long: Card
    short: Card
    both: Card


class Row(Struct, frozen=True, kw_only=True):
    """One predictor; `scopes` begins with the whole window. Without scopes it could not be run, and `note` says why."""

    predictor: str
    about: str
    scopes: tuple[Scope, ...] = ()
    note: str | None = None


class Comparison(Struct, frozen=True, kw_only=True):
    """The map against one baseline, interval by interval.

    Parameters
    ----------
    d2_long, d2_short, d2_mean
        The map's D2 less the baseline's: above nought the map is better. `d2_mean` is the mean of the sides.
    t, p, p_holm
        Diebold-Mariano on the Poisson deviance of both sides (below nought: the map loses less), HAC up to a day; `p_holm`
        allows for the number of baselines.
    loses_on
        Scores of the whole window, `name side`, on which the baseline is better.
    """

    against: str
    d2_long: Value
    d2_short: Value
    d2_mean: Value
    t: float | None
    p: float
    p_holm: float
    loses_on: tuple[str, ...]


class Report(Struct, frozen=True, kw_only=True):
    """Scores over [from_ns, to_ns), given the path.

    Parameters
    ----------
    null_until_ns
        D2 is measured against the mean of all known intervals before it (after a week of burn-in): a fixed number a side.
    null_usd, tail_usd
        That number, and where the tail of the tail-weighted score begins; USD per interval, (long, short).
    fit_days, refit_days, embargo_days
        The schedule of everything that is fitted.
    rows
        The map first, then what it must beat.
    comparisons
        The map against each baseline that ran.
    learned_share
        Fraction of the scored intervals that learned weights predicted.
    """

    instrument: str
    model: str
    from_ns: int
    to_ns: int
    null_until_ns: int
    null_usd: tuple[float, float]
    tail_usd: tuple[float, float]
    interval_ns: int
    fit_days: float
    refit_days: float
    embargo_days: float
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    learned_share: float

    @property
    def map(self) -> Scope:
        """The map over the whole window."""
        return self.rows[0].scopes[0]


class Judged(Struct, frozen=True, kw_only=True):
    """A report with the rows behind it.

    Parameters
    ----------
    shown : bool[n], the intervals of the window, known or not
    bands
        The map's distributions of those intervals.
    """

    report: Report
    predictions: Predictions
    shown: BoolArray
    bands: Predictive


def validate(
    predictions: Predictions,
    instrument: str,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    null_until_ns: int | None = None,
    fit_days: float = 75.0,
    refit_days: float = 7.0,
    embargo_days: float = 7.0,
    baselines: bool = True,
    boosting: bool = True,
) -> Judged:
    """Score walk-forward predictions.

    Parameters
    ----------
    from_ns, to_ns
        Intervals that start in [from_ns, to_ns); default: from two thirds of the record on, and to its end.
    null_until_ns
        Default: `from_ns`.
    fit_days, refit_days, embargo_days
        When baselines and dispersions are refitted, and on what (`Schedule`).
    baselines, boosting
        False leaves out all baselines but the mean and the power of the move; or those that need scikit-learn.

    Raises
    ------
    NoData
        If the window holds no known interval, or nothing is known before it.
    """
    rows = predictions.rows
    start = rows.start_ns
    low = from_ns if from_ns is not None else int(start[(2 * start.size) // 3])
    high = to_ns if to_ns is not None else int(start[-1]) + rows.interval_ns
    until = null_until_ns if null_until_ns is not None else low
    schedule = Schedule(anchor_ns=low, fit_days=fit_days, refit_days=refit_days, embargo_days=embargo_days)
    scored = rows.between(low, high)
    before = rows.between(int(start[0]) + BURN_IN_NS, until)
    served = fit_period_mean(rows, schedule)
    scored &= np.isfinite(served[:, 0])
    if not scored.any() or not before.any():
        raise NoData(
            f"validate: {int(scored.sum())} known in {iso(low)} to {iso(high)} that a fit serves, "
            f"{int(before.sum())} known before {iso(until)}",
            hint="Scores need a week of burn-in, the embargo and a week to fit on before --from: choose --from, --to, "
            "--null-until and --embargo-days inside the record.",
        )
    null, tail = rows.realised[before].mean(axis=0), np.quantile(rows.realised[before], _TAIL, axis=0)
    shown = (start >= low) & (start < high)
    bands = predictive(rows, predictions.predicted, shown, schedule, tail)

    def judge(name: str, about: str, predicted: FloatArray, found: Predictive) -> Row:
        bench = Scored(start, rows.realised, predicted, served, null, found)
        return Row(predictor=name, about=about, scopes=tuple(_scopes(bench, scored, _stretches(rows, scored))))

    made = [judge(MAP, f"this project's map, {MODEL}", predictions.predicted, bands)]
    kept: dict[str, FloatArray] = {}
    for name, about, predicted in _run(predictions, schedule, baselines, boosting):
        if isinstance(predicted, str):
            made.append(Row(predictor=name, about=about, note=predicted))
        elif not np.isfinite(predicted[scored]).all():
            made.append(Row(predictor=name, about=about, note="it cannot predict some intervals of the window"))
        else:
            kept[name] = predicted
            made.append(judge(name, about, predicted, predictive(rows, predicted, scored, schedule, tail)))
    report = Report(
        instrument=instrument,
        model=MODEL,
        from_ns=low,
        to_ns=high,
        null_until_ns=until,
        null_usd=(float(null[0]), float(null[1])),
        tail_usd=(float(tail[0]), float(tail[1])),
        interval_ns=rows.interval_ns,
        fit_days=fit_days,
        refit_days=refit_days,
        embargo_days=embargo_days,
        rows=tuple(made),
        comparisons=_compare(rows, scored, predictions.predicted, kept, null, made),
        learned_share=float(predictions.learned[scored].mean()),
    )
    return Judged(report=report, predictions=predictions, shown=shown, bands=bands)


def _run(
    predictions: Predictions, schedule: Schedule, every: bool, boosting: bool
) -> Iterator[tuple[str, str, FloatArray | str]]:
    """Yield (name, sentence, predictions or why there are none) of each baseline that was asked for."""
    for each in BASELINES:
        if not every and not each.quick:
            continue
        if each.needs_boosting and not boosting:
            yield each.name, each.about, "left out on request"
            continue
        try:
            yield each.name, each.about, each.predict(predictions.rows, schedule, predictions.predicted)
        except NoData as error:
            yield each.name, each.about, str(error)


def _stretches(rows: Panel, scored: BoolArray) -> dict[str, BoolArray]:
    """Return the window, its terciles by volatility of the day before each interval (known then), and its months."""
    volatility = past_volatility(rows)
    low, high = np.quantile(volatility[scored], (1 / 3, 2 / 3))
    found = {
        "window": scored,
        "low volatility": scored & (volatility <= low),
        "middle volatility": scored & (volatility > low) & (volatility <= high),
        "high volatility": scored & (volatility > high),
    }
    months = np.array([utc_date(int(ns))[:7] for ns in rows.start_ns])
    return found | {month: scored & (months == month) for month in np.unique(months[scored])}


def past_volatility(rows: Panel) -> FloatArray:
    """float64[n], root mean square of the bars' log returns over the 24 hours before each interval."""
    bars = rows.bars
    squares = np.concatenate(([0.0, 0.0], np.cumsum(np.diff(np.log(bars.close)) ** 2)))
    back = np.searchsorted(bars.start_ns, rows.start_ns - NS_PER_DAY)
    count = np.maximum(rows.first_bar - back, 1)
    return np.sqrt((squares[rows.first_bar] - squares[back]) / count)


def _scopes(bench: Scored, scored: BoolArray, stretches: dict[str, BoolArray]) -> Iterator[Scope]:
    for name, shown in stretches.items():
        try:
            yield Scope(name=name, **{side: card(bench, shown, sides) for side, sides in _SIDES.items()})
        except NoData:
            if shown is scored:
                raise


def _compare(
    rows: Panel, scored: BoolArray, ours: FloatArray, others: dict[str, FloatArray], null: FloatArray, made: list[Row]
) -> tuple[Comparison, ...]:
    """Compare the map with every baseline."""
    y = rows.realised[scored]
    days = Days(rows.start_ns[scored])
    lag = max(1, NS_PER_DAY // rows.interval_ns)
    reference = poisson_terms(y, np.broadcast_to(null, y.shape))
    mine = poisson_terms(y, ours[scored])
    cards = {row.predictor: row.scopes[0] for row in made if row.scopes}
    tests: list[tuple[float, float]] = []
    differences: list[tuple[Value, ...]] = []
    for predicted in others.values():
        theirs = poisson_terms(y, predicted[scored])
        columns = np.column_stack([theirs - mine, reference])  # long, short, null long, null short

        def gain(s: FloatArray, sides: tuple[int, ...]) -> FloatArray:
            return np.mean([s[..., i] / s[..., 2 + i] for i in sides], axis=0)

        differences.append(tuple(days.value(columns, lambda s, k=sides: gain(s, k)) for sides in ((0,), (1,), (0, 1))))
        tests.append(diebold_mariano((mine - theirs).sum(axis=1), lag))
    adjusted = holm(np.array([p for _, p in tests]))
    return tuple(
        Comparison(
            against=name,
            d2_long=values[0],
            d2_short=values[1],
            d2_mean=values[2],
            t=None if np.isnan(t) else t,
            p=p,
            p_holm=float(adjusted[i]),
            loses_on=_loses(cards[MAP], cards[name]),
        )
        for i, (name, values, (t, p)) in enumerate(zip(others, differences, tests, strict=True))
    )


def _loses(ours: Scope, theirs: Scope) -> tuple[str, ...]:
    """Name the scores on which the other is better."""
    better = {"d2": 1, "spearman": 1, "r2_log": 1, "log_loss": -1, "crps_usd": -1, "tail_crps_usd": -1}
    found: list[str] = []
    for name, sign in better.items():
        for side in ("long", "short"):
            a: float | None = getattr(getattr(ours, side), name).value
            b: float | None = getattr(getattr(theirs, side), name).value
            if a is not None and b is not None and sign * (b - a) > 0.0:
                found.append(f"{name} {side}")
    return tuple(found)


def predicted_rows(judged: Judged) -> dict[str, FloatArray | IntArray | list[str]]:
    """Return one row per interval and side of the window: what `--out` writes.

    Returns
    -------
    dict
        `ts` (int64, ns UTC, start of the interval), `side` of the position that was liquidated, `realised_usd` (NaN unknown),
        `mean_usd`, `q05` to `q95` (NaN: too little past), `state_age_h`.
    """
    at = np.flatnonzero(judged.shown)
    rows, quantiles = judged.predictions.rows, judged.bands.quantiles[at]
    columns: dict[str, FloatArray | IntArray | list[str]] = {
        "ts": np.repeat(rows.start_ns[at], 2),
        "side": ["long", "short"] * at.size,
        "realised_usd": rows.realised[at].ravel(),
        "mean_usd": judged.predictions.predicted[at].ravel(),
    }
    for i, name in enumerate(("q05", "q10", "q25", "q50", "q75", "q90", "q95")):
        columns[name] = quantiles[:, :, i].ravel()
    columns["state_age_h"] = np.repeat(judged.predictions.state_age_h[at], 2)
    return columns
