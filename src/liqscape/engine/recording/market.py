"""What is true of every instrument of a venue now, put together from tickers that each tell a part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from liqscape.model import InstrumentId, OpenInterest, Ticker
from liqscape.units import NS_PER_MINUTE, NS_PER_S

FRESH_NS = 2 * NS_PER_MINUTE  # open interest of an older ticker is not sampled any more
_SKEW_SAMPLES = 200


@dataclass
class _Now:
    heard_ns: int = 0  # newest ticker of a stream: when the venue sent it, and when it came
    recv_ns: int = 0
    open_interest_base: float | None = None
    interest_ns: int = 0  # when open interest was last told, and when that came
    interest_recv_ns: int = 0
    streamed: bool = False  # a stream tells it
    sampled_ns: int = 0


class Market:
    """The newest of each instrument's tickers."""

    def __init__(self) -> None:
        self.delay_ns: int | None = None  # least ts_recv - ts_venue of the newest tickers: network and skew
        self._now: dict[InstrumentId, _Now] = {}
        self._least_delay_ns: int | None = None
        self._delays = 0

    def take(self, tick: Ticker, *, streamed: bool) -> None:
        """Take a ticker of a stream, or one that was asked for."""
        recv_ns = tick.ts_recv if tick.ts_recv is not None else tick.ts_venue
        now = self._now.get(tick.instrument)
        if now is None:
            now = self._now[tick.instrument] = _Now()
        if streamed:
            if tick.ts_venue >= now.heard_ns:
                now.heard_ns, now.recv_ns = tick.ts_venue, recv_ns
            self._delay(recv_ns - tick.ts_venue)
        if tick.open_interest_base is not None and tick.ts_venue >= now.interest_ns:
            now.open_interest_base = tick.open_interest_base
            now.interest_ns, now.interest_recv_ns = tick.ts_venue, recv_ns
            now.streamed = now.streamed or streamed

    def sample(self, now_ns: int) -> list[OpenInterest]:
        """Return open interest of every instrument that was heard lately, each instant once.

        A stream that tells changes only leaves a value standing: it is as old as the newest ticker, not as the last change.
        """
        found: list[OpenInterest] = []
        for name, now in self._now.items():
            stands = now.streamed and now.heard_ns > now.interest_ns
            ts, recv = (now.heard_ns, now.recv_ns) if stands else (now.interest_ns, now.interest_recv_ns)
            if now.open_interest_base is None or now_ns - recv > FRESH_NS or now.sampled_ns >= ts:
                continue
            now.sampled_ns = ts
            found.append(OpenInterest(instrument=name, ts_venue=ts, ts_recv=recv, open_interest_base=now.open_interest_base))
        return found

    def lacking(self, names: Iterable[InstrumentId], now_ns: int) -> set[InstrumentId]:
        """Return the instruments whose open interest no stream tells now."""
        return {
            name for name in names if (now := self._now.get(name)) is None or not now.streamed or now_ns - now.recv_ns > FRESH_NS
        }

    def _delay(self, delay_ns: int) -> None:
        least = self._least_delay_ns
        self._least_delay_ns = delay_ns if least is None or delay_ns < least else least
        self._delays += 1
        if self._delays >= _SKEW_SAMPLES:
            self.delay_ns, self._least_delay_ns, self._delays = self._least_delay_ns, None, 0


def skew_words(skew_ns: int) -> str:
    """Say how far a clock is off."""
    side = "ahead of" if skew_ns > 0 else "behind"
    return f"this machine's clock is {abs(skew_ns) / NS_PER_S:.1f} s {side} the venue's: set it (NTP)"
