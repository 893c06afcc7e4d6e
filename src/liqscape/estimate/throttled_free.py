"""Liquidations behind a throttled feed when only the prints exist: no price of each second, so no map.

Within a short window orders are taken to come at one rate. If `k` of the `n` seconds that were listened to hold a print, the rate
is `-log(1 - k / n)`, estimated without bias by `1/n + 1/(n - 1) + .. + 1/(n - k + 1)`. Under "latest" the window holds `n rate`
orders of mean size; under "largest" `1 + rate F(x)` stand behind a print of size x, with the rate of the window's other seconds.

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
_LEAST_RATE = 1e-3  # orders a second where no other second of a window printed
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
    rate = _rate(heard, printing)
    intervals = count // interval_s
    if len(shown) < _ENOUGH:
        return [_unlearned(shown, start_s + i * interval_s, interval_s) for i in range(intervals)]
    of_print = _rate(heard[window] - 1, printing[window] - 1)
    if rule is FeedRule.LATEST:
        orders = np.maximum(heard * rate / np.maximum(printing, 1), 1.0)[window]
        law = SizeLaw.of(shown.usd, orders)
        others, hidden, square = orders - 1.0, (orders - 1.0) * law.mean_usd, (orders - 1.0) * law.mean_square
    else:
        law = _law_of_largest(shown, of_print, rate, heard - printing)
        rank = law.rank(shown.usd)
        others, hidden, square = (of_print * part[rank] for part in (law.share, law.partial_usd, law.partial_square))
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


def _rate(seconds: IntArray, printing: IntArray) -> FloatArray:
    """Return orders a second of windows with so many heard and so many printing seconds, float64[n]."""
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, int(seconds.max(initial=1)) + 1))])
    return harmonic[seconds] - harmonic[seconds - printing]


def _law_of_largest(shown: SecondPrints, of_print: FloatArray, rate: FloatArray, silent: IntArray) -> SizeLaw:
    """Learn sizes from printing seconds, and from the silent ones of windows that printed."""
    busy = (rate > 0.0) & (silent > 0)
    usd = np.concatenate([shown.usd, np.zeros(int(busy.sum()))])
    rates = np.concatenate([np.maximum(of_print, _LEAST_RATE), rate[busy]])
    return size_law(FeedRule.LARGEST, usd, rates, np.concatenate([np.ones(len(shown)), silent[busy].astype(np.float64)]))


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
