"""Small worlds whose answer can be worked out in the head: so many dollars per 1 % of depth, so many of forced orders."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from liqscape.cascade import Absorption, Basis, DepthProfile

law = settings(max_examples=60, deadline=None)

M = 1e6
BUCKETS = 500
DISTANCE = np.arange(BUCKETS + 1) * 0.001


def per_percent(*spans: tuple[float, float], buckets: int = BUCKETS) -> np.ndarray:
    """One draw of levels, float64[1, buckets]: spans of (up to per cent, USD per 1 %), one after the other."""
    out, begin = np.zeros(buckets), 0
    for end_percent, usd in spans:
        end = round(end_percent * 10)
        out[begin:end] = usd / 10.0
        begin = end
    return out[None]


def brakes(down_per_percent: float, up_per_percent: float | None = None, *, distance: np.ndarray = DISTANCE) -> Absorption:
    """One draw of absorption with constant dollars per 1 %."""
    up = down_per_percent if up_per_percent is None else up_per_percent
    return Absorption(
        distance=distance,
        bid_usd=down_per_percent * 100.0 * distance[None],
        ask_usd=up * 100.0 * distance[None],
        basis=Basis.BOOK,
        horizon_s=900.0,
        as_of_ns=0,
        parts=(),
    )


def book(per_percent_bid: float = 100.0 * M, per_percent_ask: float | None = None) -> DepthProfile:
    """A book of constant density up to 50 %."""
    distance = np.array([0.01, 0.5])
    bid = per_percent_bid * 100.0 * distance
    ask = (per_percent_bid if per_percent_ask is None else per_percent_ask) * 100.0 * distance
    return DepthProfile(distance, bid, ask, ts_ns=1_700_000_000_000_000_000, source="made up")


@st.composite
def ensembles(draw, *, buckets: int = 40):
    """Levels and absorption of a few draws each on a coarse grid of 1 % buckets, dollars in tenths: many ties and flats."""
    numbers = st.integers(0, 30)
    rows = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    forced, absorbed = (
        np.array(draw(st.lists(st.lists(numbers, min_size=buckets, max_size=buckets), min_size=n, max_size=n))) / 10.0
        for n in rows
    )
    distance = np.arange(buckets + 1) * 0.01
    total = np.zeros((rows[1], buckets + 1))
    np.cumsum(absorbed, axis=1, out=total[:, 1:])
    return forced, Absorption(distance, total, total, Basis.BOOK, 900.0, 0, ())
