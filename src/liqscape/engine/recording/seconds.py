"""Bars of one second of the mark price, from tickers: what the learner for throttled feeds wants of a chosen few."""

from __future__ import annotations

from dataclasses import dataclass

from liqscape.model import Bar, InstrumentId, PriceKind, Ticker
from liqscape.units import NS_PER_S

STEADY_S = 5  # a mark price that is quiet for longer is unknown, not unchanged


@dataclass
class _Open:
    second: int
    open: float
    high: float
    low: float
    close: float


class Seconds:
    """Collects ticks and gives closed seconds.

    A bar opens at the price before it, so that no move between two ticks is lost. Seconds without a tick are flat while ticks
    come at least every `STEADY_S` seconds, else they are missing. A tick of a second that was closed already is left out.
    """

    def __init__(self) -> None:
        self._open: dict[InstrumentId, _Open] = {}

    def take(self, tick: Ticker) -> list[Bar]:
        """Take a ticker, in order of arrival; return the seconds that it closes."""
        price = tick.mark_price
        if price is None:
            return []
        recv_ns = tick.ts_recv if tick.ts_recv is not None else tick.ts_venue
        second, now = tick.ts_venue // NS_PER_S, self._open.get(tick.instrument)
        if now is None:
            # The second of the first tick is known in part only: it is not given.
            self._open[tick.instrument] = _Open(second, price, price, price, price)
            return []
        if second == now.second:
            now.high, now.low, now.close = max(now.high, price), min(now.low, price), price
            return []
        if second < now.second:
            return []
        closed = [_bar(tick.instrument, now, recv_ns)]
        if second - now.second <= STEADY_S:
            flat = now.close
            closed += [
                _bar(tick.instrument, _Open(empty, flat, flat, flat, flat), recv_ns) for empty in range(now.second + 1, second)
            ]
            opened = flat
        else:
            opened = price
        self._open[tick.instrument] = _Open(second, opened, max(opened, price), min(opened, price), price)
        return closed


def _bar(instrument: InstrumentId, second: _Open, recv_ns: int) -> Bar:
    return Bar(
        instrument=instrument,
        price_kind=PriceKind.MARK,
        interval_ns=NS_PER_S,
        ts_venue=second.second * NS_PER_S,
        ts_recv=recv_ns,
        open=second.open,
        high=second.high,
        low=second.low,
        close=second.close,
        volume_base=None,
        taker_buy_base=None,
    )
