"""Bars, recipes and liquidations that the twins and the kernels are both run over."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from liqscape.estimate import Recipe
from liqscape.model import BarSeries, InstrumentId, PriceKind

FIVE_MINUTES = 300 * 10**9
INTERVALS = (FIVE_MINUTES // 5, FIVE_MINUTES, 12 * FIVE_MINUTES)


def bar_series(low, high, close, open_interest, elapsed, volume=None, buy=None, interval_ns=FIVE_MINUTES):
    """Bars of which each ends `elapsed` intervals after the one before; volumes are unknown unless given."""
    end = np.cumsum(np.asarray(elapsed, np.int64)) * interval_ns
    prices = [np.asarray(x, float) for x in (low, high, close, open_interest)]
    low, high, close, oi = prices
    volume, buy = (np.full(low.size, np.nan) if x is None else np.asarray(x, float) for x in (volume, buy))
    return BarSeries(
        InstrumentId("binance", "BTCUSDT"), interval_ns, PriceKind.MARK, end - interval_ns, end, close, high, low, close,
        volume, buy, oi,
    )  # fmt: skip


@st.composite
def recipes(draw):
    """One to four tiers, one to three lifetimes, clocks of one or two streams, with and without smear, coarse cells and tilt."""
    nearest = draw(st.sampled_from((0.002, 0.01, 0.03)))
    return Recipe(
        tiers=draw(st.integers(1, 4)),
        nearest=nearest,
        farthest=draw(st.sampled_from((0.05, 0.2, 0.6))),
        churn=draw(st.sampled_from(((0.03,), (0.001, 0.45), (0.001, 0.03, 0.45), (0.0, 0.7)))),
        smear=draw(st.sampled_from((0.0, 0.2, 0.35))),
        nodes=draw(st.sampled_from(((0.0,), (-1.0, 0.0, 1.0), (-1.28, -0.52, 0.0, 0.52, 1.28)))),
        blur=draw(st.sampled_from((0.0, 0.5))),
        step=draw(st.sampled_from((0.0005, 0.003))),
        coarser=draw(st.sampled_from(((), (0.02, 0.08)))),
        in_bar=draw(st.sampled_from((0.0, 4.0))),
        tilt=draw(st.sampled_from((0.0, 0.5))),
        streams=draw(st.sampled_from((("even",), ("even",), ("sided",), ("even", "buy"), ("gross", "sell"), ("range", "rise")))),
    )


@st.composite
def markets(draw, most=14):
    """Bars (start price, start open interest, series): jumps beyond the grid, gaps, flat bars, rises and falls, zero stamps."""
    interval_ns = draw(st.sampled_from(INTERVALS))
    price = draw(st.sampled_from((0.07, 1.0, 100.0, 64_000.0)))
    start, start_oi = price, draw(st.sampled_from((1.0, 5e4)))
    oi, rows = start_oi, []
    move = st.one_of(st.just(0.0), st.floats(-0.03, 0.03), st.floats(-0.6, 0.6))
    reach = st.one_of(st.just(0.0), st.floats(0.0, 0.04))
    for _ in range(draw(st.integers(1, most))):
        before = price
        price *= float(np.exp(draw(move)))
        high = max(before, price) * (1.0 + draw(reach)) if draw(st.booleans()) else price
        low = min(before, price) * (1.0 - draw(reach)) if high > price else price
        oi *= draw(st.sampled_from((1.0, 1.0, 1.0, 0.98, 1.03, 0.4, 2.5, 0.0)))
        oi = oi or draw(st.sampled_from((0.0, start_oi)))
        volume = start_oi * draw(st.sampled_from((math.nan, 0.0, 0.01, 0.3)))
        buy = volume * draw(st.sampled_from((math.nan, 0.0, 0.4, 1.0)))
        rows.append((low, high, price, oi, draw(st.sampled_from((1, 1, 1, 1, 2, 12, 300))), volume, buy))
    return start, start_oi, bar_series(*zip(*rows, strict=True), interval_ns=interval_ns)
