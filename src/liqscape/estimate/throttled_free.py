"""Liquidations behind a throttled feed when only the prints exist: no price of each second, so no map.

Within a short window orders are taken to come at one rate. If `k` of the `n` seconds that were listened to hold a print, then
`rate = -log(1 - k / (n + 1/2))` orders a second. What stands behind a print follows as with a map (`throttled`).

A rate that changes within the window is underestimated: many orders of one second count as one. So this is a lower estimate;
docs/throttled.md says by how much on simulated feeds.
"""

from __future__ import annotations

import math

import numpy as np

from liqscape.errors import BadArgument
from liqscape.estimate.throttled_prints import FeedRule, SecondPrints, SizeLaw, size_law
from liqscape.estimate.throttled_recovered import Outcome, Recovered, band
from liqscape.model.arrays import FloatArray, IntArray

WINDOW_S = 5
_ERROR = 0.5  # scatter of hidden dollars around this estimate, beyond counts
_ROUNDS = 5
_ENOUGH = 30  # prints


def recover_from_prints(
    prints: SecondPrints, rule: FeedRule, start_s: int, count: int, interval_s: int = 3_600, window_s: int = WINDOW_S
) -> list[Recovered]:
    """Recover the liquidated dollars of each interval from the prints of the whole stretch.

    Parameters
    ----------
    prints
        Prints of [start_s, start_s + count), one a second at most.
    start_s, count, interval_s
        First second (UTC since 1970), number of seconds, and length of an interval.
    window_s
        Length of the windows in which the rate counts as constant; it divides the interval.

    Returns
    -------
    One per whole interval. The law of sizes is that of the whole stretch: this reads a record, it is no forecast. Seconds in
    which nobody listened count as the rest of their interval did; where more than half of it was missed nothing is said.

    Raises
    ------
    BadArgument
        If the lengths do not fit each other.
    """
    if window_s <= 0 or interval_s <= 0 or interval_s % window_s or count < interval_s:
        raise BadArgument(
            f"throttled prints: expected windows that divide intervals of a stretch, received {window_s}, {interval_s}, {count} s"
        )
    shown = prints.between(start_s, start_s + count)
    window = (shown.second - start_s) // window_s
    windows = math.ceil(count / window_s)
    every = np.arange(windows * window_s) + start_s
    heard = prints.heard(every).reshape(windows, window_s).sum(axis=1)
    printing = np.bincount(window, minlength=windows)
    rate = -np.log1p(-np.minimum(printing / (heard + 0.5), 1.0 - 0.5 / (window_s + 0.5)))
    intervals = count // interval_s
    if len(shown) < _ENOUGH:
        return [_unlearned(shown, start_s + i * interval_s, interval_s) for i in range(intervals)]
    law = _law(shown, rule, window, rate, heard - printing)
    hidden, square, others = _behind(shown, rule, rate[window], law)
    of = [window[shown.sign == sign] for sign in (1, -1)]
    # Hidden orders fall to the sides as the prints of their window do.
    side = np.stack([np.bincount(part, minlength=windows) for part in of], axis=1)[window] / printing[window][:, None]
    interval = (shown.second - start_s) // interval_s
    out: list[Recovered] = []
    for i in range(intervals):
        rows = interval == i
        silent = interval_s - int(heard[i * interval_s // window_s : (i + 1) * interval_s // window_s].sum())
        out.append(
            _recovered(
                start_s + i * interval_s,
                interval_s,
                silent,
                shown,
                rows,
                *(part @ side[rows] for part in (hidden[rows], square[rows], others[rows])),
            )
        )
    return out


def _law(shown: SecondPrints, rule: FeedRule, window: IntArray, rate: FloatArray, silent: IntArray) -> SizeLaw:
    """Learn sizes with the rates of the windows; silent seconds of a window that printed count under LARGEST."""
    law = size_law(rule, shown.usd, rate[window])
    if rule is FeedRule.LATEST:
        return law
    busy = (rate > 0.0) & (silent > 0)
    usd = np.concatenate([shown.usd, np.zeros(int(busy.sum()))])
    rates = np.concatenate([rate[window], rate[busy]])
    return size_law(rule, usd, rates, np.concatenate([np.ones(len(shown)), silent[busy].astype(np.float64)]))


def _behind(shown: SecondPrints, rule: FeedRule, rate: FloatArray, law: SizeLaw) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return hidden dollars behind each print, their mean square and the orders they come in; float64[n] each."""
    if rule is FeedRule.LARGEST:
        rank = law.rank(shown.usd)
        return rate * law.partial_usd[rank], rate * law.partial_square[rank], rate * law.share[rank]
    others = np.maximum(rate / -np.expm1(-rate) - 1.0, 0.0)
    return others * law.mean_usd, others * law.mean_square, others


def _recovered(
    start_s: int,
    count: int,
    silent: int,
    shown: SecondPrints,
    rows: np.ndarray,
    hidden: FloatArray,
    square: FloatArray,
    others: FloatArray,
) -> Recovered:
    reported = np.array([float(shown.usd[rows & (shown.sign == sign)].sum()) for sign in (1, -1)])
    if silent > count // 2:
        return Recovered.unknown(start_s, count, Outcome.SILENT, reported, silent)
    missed = silent / (count - silent)
    return band(
        start_s=start_s,
        count=count,
        silent_s=silent,
        reported_usd=reported,
        hidden_usd=hidden + missed * (reported + hidden),
        variance=square * (1.0 + missed),
        hidden_orders=others + missed * (others + rows.sum()),
        predicted_usd=np.full(2, np.nan),
        error=_ERROR,
        level=math.nan,
    )


def _unlearned(shown: SecondPrints, start_s: int, count: int) -> Recovered:
    part = shown.between(start_s, start_s + count)
    reported = np.array([float(part.usd[part.sign == sign].sum()) for sign in (1, -1)])
    return Recovered.unknown(start_s, count, Outcome.UNLEARNED, reported, 0)
