"""The verdict: scores of the map and of the baselines over one window, per side."""

from __future__ import annotations

from msgspec import Struct

from liqscape.clock import iso
from liqscape.errors import NoData
from liqscape.estimate import MODEL
from liqscape.model.arrays import FloatArray
from liqscape.units import NS_PER_DAY
from liqscape.validate.baselines import move_power
from liqscape.validate.scores import Score, score
from liqscape.validate.walk_forward import Predictions

BURN_IN_NS = 7 * NS_PER_DAY  # the state forgets its made-up start; nothing before is in any mean


class Row(Struct, frozen=True, kw_only=True):
    """One predictor."""

    predictor: str
    long: Score
    short: Score


class Report(Struct, frozen=True, kw_only=True):
    """Scores over [from_ns, to_ns), given the path.

    Parameters
    ----------
    null_until_ns
        D2 is measured against the mean of all known intervals before it (after a week of burn-in): a fixed number a side.
    null_usd
        That number, USD per interval, (long, short).
    rows
        The map first, then what it must beat.
    learned_share
        Fraction of the scored intervals that learned weights predicted.
    """

    instrument: str
    model: str
    from_ns: int
    to_ns: int
    null_until_ns: int
    null_usd: tuple[float, float]
    interval_ns: int
    rows: tuple[Row, ...]
    learned_share: float


def validate(
    predictions: Predictions,
    instrument: str,
    *,
    from_ns: int | None = None,
    to_ns: int | None = None,
    null_until_ns: int | None = None,
) -> Report:
    """Score walk-forward predictions.

    Parameters
    ----------
    from_ns, to_ns
        Intervals that start in [from_ns, to_ns); default: from two thirds of the record on, and to its end.
    null_until_ns
        Default: `from_ns`.

    Raises
    ------
    NoData
        If the window holds no known interval, or nothing is known before it.
    """
    start = predictions.start_ns
    low = from_ns if from_ns is not None else int(start[(2 * start.size) // 3])
    high = to_ns if to_ns is not None else int(start[-1]) + predictions.interval_ns
    until = null_until_ns if null_until_ns is not None else low
    scored = predictions.between(low, high)
    before = predictions.between(int(start[0]) + BURN_IN_NS, until)
    if not scored.any() or not before.any():
        raise NoData(
            f"validate: {int(scored.sum())} known in {iso(low)} to {iso(high)}, {int(before.sum())} before {iso(until)}",
            hint="Scores need both: choose --from, --to and --null-until inside the record.",
        )
    null = predictions.realised[before].mean(axis=0)
    moved, powers = move_power(predictions, until)
    candidates = (("map", predictions.predicted), (f"|move|^{powers[0]:g}/{powers[1]:g}", moved))

    def side(predicted: FloatArray, s: int) -> Score:
        return score(predictions.realised[scored, s], predicted[scored, s], float(null[s]))

    return Report(
        instrument=instrument,
        model=MODEL,
        from_ns=low,
        to_ns=high,
        null_until_ns=until,
        null_usd=(float(null[0]), float(null[1])),
        interval_ns=predictions.interval_ns,
        rows=tuple(Row(predictor=name, long=side(p, 0), short=side(p, 1)) for name, p in candidates),
        learned_share=float(predictions.learned[scored].mean()),
    )
