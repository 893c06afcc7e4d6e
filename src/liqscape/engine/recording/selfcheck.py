"""Do liquidations and returns agree? Falling prices kill longs: where they do not, a venue's side was read the wrong way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from liqscape.model import Bar, InstrumentId, Liquidation
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE

EVENTS = 200  # fewer in an hour say nothing
_MINUTES = 20
_WAIT_NS = 5 * NS_PER_MINUTE  # bars of an hour's last minute come so long after it


class SideCheck(Struct, frozen=True, kw_only=True):
    """One venue's hour.

    Parameters
    ----------
    events
        Prints that were counted.
    minutes
        Minutes of instruments with prints and a return.
    correlation
        Of sign(long - short USD liquidated) and the 1-minute return.
    """

    hour_ns: int
    events: int
    minutes: int
    correlation: float

    @property
    def plausible(self) -> bool:
        """Longs die when the price falls."""
        return self.correlation < 0.0


class Sides:
    """Collects prints and returns of one venue, and judges each hour once it is complete."""

    def __init__(self) -> None:
        self.last: SideCheck | None = None
        self._net: dict[int, dict[tuple[InstrumentId, int], list[float]]] = {}
        self._return: dict[tuple[InstrumentId, int], float] = {}

    def take_print(self, found: Liquidation) -> None:
        """Count a print."""
        hour, minute = found.ts_venue // NS_PER_HOUR, found.ts_venue // NS_PER_MINUTE
        held = self._net.setdefault(hour, {}).setdefault((found.instrument, minute), [0.0, 0.0])
        held[0] += found.position_side.sign * found.price * found.quantity_base
        held[1] += 1.0

    def take_bar(self, bar: Bar) -> None:
        """Take the return of a minute."""
        self._return[bar.instrument, bar.ts_venue // NS_PER_MINUTE] = bar.close / bar.open - 1.0

    def judge(self, now_ns: int) -> SideCheck | None:
        """Return the check of an hour that is complete and had enough prints, once; None otherwise. Forgets older hours."""
        found: SideCheck | None = None
        for hour in [hour for hour in self._net if (hour + 1) * NS_PER_HOUR + _WAIT_NS <= now_ns]:
            net = self._net.pop(hour)
            events = int(sum(held[1] for held in net.values()))
            pairs = [(np.sign(held[0]), self._return[key]) for key, held in net.items() if key in self._return]
            if events > EVENTS and len(pairs) >= _MINUTES and (correlation := _correlation(pairs)) is not None:
                found = SideCheck(hour_ns=hour * NS_PER_HOUR, events=events, minutes=len(pairs), correlation=correlation)
                self.last = found
        oldest = (now_ns - NS_PER_HOUR - 2 * _WAIT_NS) // NS_PER_MINUTE
        if any(minute < oldest for _, minute in self._return):
            self._return = {key: value for key, value in self._return.items() if key[1] >= oldest}
        return found


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return Pearson's correlation; None if one of the two never changes."""
    table = np.array(pairs)
    if not (table.std(axis=0) > 0.0).all():
        return None
    return float(np.corrcoef(table[:, 0], table[:, 1])[0, 1])
