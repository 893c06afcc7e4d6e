"""Flow streams: clocks by which positions turn over, faster in bars in which more is opened than usual.

Every pool is refilled to open interest, so what a flow can tell is when those who stand now came in. A stream is a clock: in a
bar in which its flow is three times the usual one, three usual bars pass for the pools of that stream, they close that much more
and open it anew at the bar's prices. A recipe names its streams, and every lifetime class is carried once for each; the learned
weights say how much each stream holds.

A bar's flow is used like its open interest: after the bar's own sweep, never before. Liquidations are part of volume, so a volume
that is known only in sums longer than a bar must not be spread over the bars that it was measured in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liqscape.errors import BadArgument
from liqscape.model import BarSeries
from liqscape.model.arrays import FloatArray
from liqscape.units import NS_PER_DAY

EVEN = "even"
STREAMS = {
    EVEN: "the same in every bar",
    "range": "log range of the bar",
    "rise": "rise of open interest",
    "volume": "volume of both taker sides",
    "buy": "volume bought by takers",
    "sell": "volume sold by takers",
    "gross": "gross opens: half of the volume that is not passed on and of the change of open interest",
    "sided": "gross opens, longs by the takers who buy and shorts by those who sell",
}
_PASSED_ON = 0.3  # share of volume that only changes hands
_LEAN = 2.0  # openings lean twice as far as the volume does: those who close and those who make markets dilute it
_USUAL_HALF_LIFE_NS = 7 * NS_PER_DAY


def check_streams(names: Sequence[str]) -> None:
    """Refuse a recipe that names no stream, one twice, or one that does not exist.

    Raises
    ------
    BadArgument
    """
    if not names or len(set(names)) != len(names) or not set(names) <= STREAMS.keys():
        raise BadArgument(
            f"recipe: streams must be some of {', '.join(STREAMS)}, each once, received {', '.join(names) or 'none'}"
        )


def raw_flows(names: Sequence[str], bars: BarSeries, before: FloatArray, after: FloatArray) -> FloatArray:
    """Return how much flowed in each bar.

    Parameters
    ----------
    before, after : float64[n], base units, open interest at the start and at the end of each bar

    Returns
    -------
    flows : float64[n, streams, 2], >= 0, of longs and of shorts, in the stream's own unit; NaN where it is unknown
    """
    volume, buy = bars.volume_base, bars.taker_buy_base
    gross = 0.5 * np.maximum((1.0 - _PASSED_ON) * volume + after - before, 0.0)
    share = np.divide(buy, volume, out=np.full(len(bars), 0.5), where=(volume > 0.0) & ~np.isnan(buy))
    long_share = np.clip(0.5 + _LEAN * (share - 0.5), 0.0, 1.0)
    both = {
        EVEN: np.ones(len(bars)),
        "range": np.log(bars.high / bars.low),
        "rise": np.maximum(after - before, 0.0),
        "volume": volume,
        "buy": buy,
        "sell": np.maximum(volume - buy, 0.0),
        "gross": gross,
    }
    sides = {name: (flow, flow) for name, flow in both.items()} | {"sided": (gross * long_share, gross * (1.0 - long_share))}
    return np.ascontiguousarray(np.stack([np.stack(sides[name], axis=1) for name in names], axis=1))


def usual_decay(interval_ns: int) -> float:
    """Forgetting per bar of what is usual."""
    return 0.5 ** (interval_ns / _USUAL_HALF_LIFE_NS)
