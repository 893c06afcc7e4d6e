"""What a venue's liquidation feed would have shown of a simulated market: at most one print a second, late, with silences.

Two rules are told of real venues (science.md A4 [S21, S22]): of each second the feed publishes the *latest* forced order of a
symbol, or the *largest*. Nobody outside knows which; both are here, and `all`, which drops nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum

import numpy as np
from msgspec import Struct, structs

from liqscape.errors import BadArgument
from liqscape.model import Completeness, Liquidation
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.testing.market.run import LiquidationPrints
from liqscape.units import NS_PER_DAY, NS_PER_S


class FeedRule(StrEnum):
    """Which forced orders of a window a feed shows: its last one, its largest one in USD, or every one."""

    LATEST = "latest"
    LARGEST = "largest"
    ALL = "all"


class Feed(Struct, frozen=True, kw_only=True):
    """How a venue publishes forced orders.

    Parameters
    ----------
    rule
        What is shown of each window.
    window_ns
        Length of a window; windows begin on multiples of it (ns UTC).
    delay_s, jitter
        Median delay from when a print may be published until it is received, seconds, and the log scatter of single delays.
    gaps_per_day, gap_s
        Rate of silences, and their mean length (exponential), seconds. A silence covers whole windows.

    Raises
    ------
    BadArgument
        If a number makes no sense.
    """

    rule: FeedRule = FeedRule.LATEST
    window_ns: int = NS_PER_S
    delay_s: float = 0.0
    jitter: float = 0.0
    gaps_per_day: float = 0.0
    gap_s: float = 600.0

    def __post_init__(self) -> None:
        if self.window_ns <= 0:
            raise BadArgument(f"feed: window_ns must be positive, received {self.window_ns}")
        for name in ("delay_s", "jitter", "gaps_per_day", "gap_s"):
            value: float = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise BadArgument(f"feed: {name} must be a finite number >= 0, received {value}")


@dataclass(frozen=True)
class FeedTape:
    """What was received of a feed.

    Parameters
    ----------
    feed
        How it was published.
    prints
        The prints that were shown, in the order in which they happened; a subset of the truth, unchanged.
    row : int64[n], row of each in the truth
    recv_ns : int64[n], ns UTC at which each was received; a late print may overtake
    gaps_ns : int64[g, 2], ns UTC, silences [from, to): of these windows nothing is known, which is not zero
    from_ns, to_ns
        The span the feed was listened to.
    """

    feed: Feed
    prints: LiquidationPrints
    row: IntArray
    recv_ns: IntArray
    gaps_ns: IntArray
    from_ns: int
    to_ns: int

    def __len__(self) -> int:
        return len(self.prints)

    def records(self) -> list[Liquidation]:
        """Return the prints as a recorder would store them: throttled unless the rule is `all`, with their receive times."""
        shown = Completeness.ALL if self.feed.rule is FeedRule.ALL else Completeness.THROTTLED
        pairs = zip(self.prints.records(), self.recv_ns.tolist(), strict=True)
        return [structs.replace(record, completeness=shown, ts_recv=at) for record, at in pairs]


def publish(truth: LiquidationPrints, feed: Feed, *, from_ns: int, to_ns: int, seed: int) -> FeedTape:
    """Return what would have been received of the forced orders in [from_ns, to_ns).

    Parameters
    ----------
    truth
        Every forced order, ascending in time; of equal instants the later row counts as the later order.
    from_ns, to_ns
        ns UTC, multiples of the window.
    seed
        Of delays and silences.

    Raises
    ------
    BadArgument
        If the span is empty or does not begin and end with a window.
    """
    window = feed.window_ns
    if to_ns <= from_ns or from_ns % window or to_ns % window:
        raise BadArgument(f"feed: expected a span of whole windows of {window} ns, received {from_ns} .. {to_ns}")
    rng = np.random.default_rng(seed)
    gaps = _silences(feed, from_ns, to_ns, rng)
    row = np.flatnonzero((truth.ts_ns >= from_ns) & (truth.ts_ns < to_ns))
    at = truth.ts_ns[row]
    behind = np.searchsorted(gaps[:, 0], at, side="right") - 1
    silent = (behind >= 0) & (at < gaps[np.maximum(behind, 0), 1]) if gaps.size else np.zeros(row.size, np.bool_)
    row = row[~silent]
    row = row[_shown(truth.ts_ns[row] // window, truth.notional_usd[row], feed.rule)]
    columns: dict[str, FloatArray] = {f.name: getattr(truth, f.name) for f in fields(truth) if f.name != "instrument"}
    chosen = {name: values[row] for name, values in columns.items()}
    happened = truth.ts_ns[row]
    # A venue knows which order of a window it shows when the window is over.
    ready = happened if feed.rule is FeedRule.ALL else (happened // window + 1) * window
    delay_s = feed.delay_s * np.exp(feed.jitter * rng.standard_normal(row.size))
    received = ready + np.rint(delay_s * NS_PER_S).astype(np.int64)
    return FeedTape(feed, replace(truth, **chosen), row.astype(np.int64), received, gaps, from_ns, to_ns)


def _shown(window: IntArray, usd: FloatArray, rule: FeedRule) -> IntArray:
    """Return the positions of the prints that a rule shows, ascending; window : int64[n], ascending."""
    if rule is FeedRule.ALL or window.size == 0:
        return np.arange(window.size)
    last = np.append(np.flatnonzero(np.diff(window)), window.size - 1)
    if rule is FeedRule.LATEST:
        return last
    # Sorted by window and then by size, the last of each window is its largest; of equal sizes the later one.
    return np.lexsort((usd, window))[last]


def _silences(feed: Feed, from_ns: int, to_ns: int, rng: np.random.Generator) -> IntArray:
    """Return silences [from, to) of whole windows, ascending and apart, int64[g, 2]."""
    window = feed.window_ns
    days = (to_ns - from_ns) / NS_PER_DAY
    count = int(rng.poisson(feed.gaps_per_day * days))
    start = from_ns + np.sort(rng.random(count)) * (to_ns - from_ns)
    length = rng.exponential(feed.gap_s, count) * NS_PER_S
    first = np.maximum(np.floor(start / window).astype(np.int64) * window, from_ns)
    last = np.minimum(np.ceil((start + length) / window).astype(np.int64) * window, to_ns)
    apart: list[tuple[int, int]] = []
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        if apart and a <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], b))
        elif b > a:
            apart.append((a, b))
    return np.array(apart, np.int64).reshape(-1, 2)
