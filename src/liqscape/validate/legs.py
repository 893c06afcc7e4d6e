"""Candles cut into the legs that price is taken to have walked, for records whose finest bars are long."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from liqscape.errors import BadArgument
from liqscape.model import BarSeries
from liqscape.model.arrays import FloatArray

LEGS = 3


def legs(candles: BarSeries) -> BarSeries:
    """Cut each candle into three bars: open-low-high-close if it closed no lower than it opened, else open-high-low-close.

    A long candle says where price was and not in which order; swept as one bar it would open positions at its high and liquidate
    them at a low that came before. Legs give it the likelier order, and a place for positions that open within it.

    Parameters
    ----------
    candles
        Of an interval that 3 divides.

    Returns
    -------
    Bars of a third of the interval. Volume is a third each. Open interest is a candle's only at the end of its last leg; the
    first two still have that of the candle before (NaN in the first candle). Nothing is known before the candle is over.

    Raises
    ------
    BadArgument
        If 3 does not divide the interval.
    """
    if candles.interval_ns % LEGS:
        raise BadArgument(f"legs: expected candles whose interval 3 divides, received {candles.interval_ns} ns")
    step, n = candles.interval_ns // LEGS, len(candles)
    rising = candles.close >= candles.open
    corners = np.column_stack(
        (
            candles.open,
            np.where(rising, candles.low, candles.high),
            np.where(rising, candles.high, candles.low),
            candles.close,
        )
    )
    begin, finish = corners[:, :-1].ravel(), corners[:, 1:].ravel()
    earlier = np.concatenate(([np.nan], candles.open_interest_base[:-1])) if n else candles.open_interest_base
    open_interest = np.column_stack((earlier, earlier, candles.open_interest_base)).ravel()

    def thirds(volume: FloatArray) -> FloatArray:
        return np.repeat(volume / LEGS, LEGS)

    return replace(
        candles,
        interval_ns=step,
        start_ns=(candles.start_ns[:, None] + step * np.arange(LEGS)).ravel(),
        known_ns=np.repeat(candles.known_ns, LEGS),
        open=begin,
        high=np.maximum(begin, finish),
        low=np.minimum(begin, finish),
        close=finish,
        volume_base=thirds(candles.volume_base),
        taker_buy_base=thirds(candles.taker_buy_base),
        open_interest_base=open_interest,
    )
