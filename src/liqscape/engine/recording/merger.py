"""One print, however often it is seen: sightings on several lines, in replays and in histories are counted as a multiset.

Two positions alike may be closed in one millisecond, so equal prints are not always one print. A print is known by instrument,
time, side, price and quantity; of each such key there are as many prints as the one witness shows that shows most. A witness is
one connection (it tells each print once), or a history. What two witnesses lose in turn of two prints alike is counted once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from liqscape.model import InstrumentId, Liquidation, PositionSide
from liqscape.units import NS_PER_MINUTE, NS_PER_S

HORIZON_NS = 30 * NS_PER_MINUTE
MOST = 200_000
# Histories tell whole seconds and other prices where the stream tells milliseconds and orders (Gate): the same side and quantity
# within this much is the same print.
LOOSE_NS = NS_PER_S

Key = tuple[InstrumentId, int, PositionSide, float, float]


def key_of(found: Liquidation) -> Key:
    """Return what tells a print from others."""
    return (found.instrument, found.ts_venue, found.position_side, found.price, found.quantity_base)


class Merger:
    """Decides which sightings of prints are new.

    Keys are forgotten after one to two `horizon_ns`; a sighting so old that its key may be forgotten is a replay: it is counted
    in `old` and dropped.

    Parameters
    ----------
    begin_ns
        The present; what is older by a horizon is not remembered.
    """

    def __init__(self, begin_ns: int, *, horizon_ns: int = HORIZON_NS, most: int = MOST) -> None:
        self.new = self.repeated = self.old = 0
        self._horizon_ns, self._most = horizon_ns, most
        self._floor_ns = begin_ns - horizon_ns  # everything that happened since, and was seen, is remembered
        self._turned_ns = begin_ns
        # This generation and the one before.
        self._counts: list[dict[Key, int]] = [{}, {}]
        self._seen: list[dict[tuple[Hashable, Key], int]] = [{}, {}]
        self._names: list[set[tuple[InstrumentId, str]]] = [set(), set()]
        self._unnamed: dict[tuple[InstrumentId, PositionSide, float, float], list[int]] = {}

    @property
    def floor_ns(self) -> int:
        """Every key since then is remembered."""
        return self._floor_ns

    def recall(self, keys: Iterable[Key]) -> None:
        """Remember prints that are stored already, one by one."""
        for key in keys:
            self._counts[0][key] = self._counts[0].get(key, 0) + 1
            # A print that goes by the venue's own name has none in the tables: it is known again by its values.
            self._unnamed.setdefault((key[0], *key[2:]), []).append(key[1])

    def offer(self, found: Liquidation, witness: Hashable, now_ns: int) -> int | None:
        """Return which of the prints alike this is (0, 1, ..) if it is new, else None."""
        self._turn(now_ns)
        if found.ts_venue < self._floor_ns:
            self.old += 1
            return None
        if found.venue_id is not None:
            return self._by_name(found, (found.instrument, found.venue_id))
        key = key_of(found)
        seen = (self._seen[0].get((witness, key)) or self._seen[1].get((witness, key), 0)) + 1
        self._seen[0][witness, key] = seen
        known = self._counts[0].get(key) or self._counts[1].get(key, 0)
        if seen <= known:
            self._counts[0][key] = known
            self.repeated += 1
            return None
        self._counts[0][key] = known + 1
        self.new += 1
        return known

    def _by_name(self, found: Liquidation, name: tuple[InstrumentId, str]) -> int | None:
        if name in self._names[0] or name in self._names[1]:
            self.repeated += 1
            return None
        self._names[0].add(name)
        alike = self._unnamed.get((found.instrument, found.position_side, found.price, found.quantity_base))
        if alike:
            alike.pop()
            self.repeated += 1
            return None
        key = key_of(found)
        known = self._counts[0].get(key) or self._counts[1].get(key, 0)
        self._counts[0][key] = known + 1
        self.new += 1
        return known

    def settle(self, history: Sequence[Liquidation], older: Iterable[Key] = ()) -> list[tuple[Liquidation, int]]:
        """Return the prints of a history that are new, each with which of the prints alike it is.

        Parameters
        ----------
        history
            Prints of one instrument, complete over a stretch of time.
        older
            Keys of stored prints of that stretch that happened before `floor_ns`.
        """
        if not history:
            return []
        name = history[0].instrument
        begin, end = min(f.ts_venue for f in history) - LOOSE_NS, max(f.ts_venue for f in history) + LOOSE_NS
        counts = self._known(name, begin, end)
        for key in older:
            if key[1] < self._floor_ns:
                counts[key] = counts.get(key, 0) + 1
        total, left = dict(counts), dict(counts)
        rest = [found for found in history if not _take(left, key_of(found))]
        new: list[tuple[Liquidation, int]] = []
        for found in rest:
            alike = _alike(left, found)
            if alike is not None:
                _take(left, alike)
                self.repeated += 1
                continue
            key = key_of(found)
            occurrence = total.get(key, 0)
            total[key] = self._counts[0][key] = occurrence + 1
            self.new += 1
            new.append((found, occurrence))
        self.repeated += len(history) - len(rest)
        return new

    def _known(self, name: InstrumentId, begin_ns: int, end_ns: int) -> dict[Key, int]:
        older, newer = (
            {key: count for key, count in generation.items() if key[0] == name and begin_ns <= key[1] <= end_ns}
            for generation in reversed(self._counts)
        )
        return older | newer

    def _turn(self, now_ns: int) -> None:
        """Begin another generation and forget the one before the last."""
        if now_ns - self._turned_ns < self._horizon_ns and len(self._counts[0]) < self._most:
            return
        self._floor_ns, self._turned_ns = self._turned_ns, now_ns
        self._counts, self._seen, self._names = [{}, self._counts[0]], [{}, self._seen[0]], [set(), self._names[0]]
        self._unnamed.clear()


def _take(left: dict[Key, int], key: Key) -> bool:
    count = left.get(key, 0)
    if count:
        left[key] = count - 1
    return count > 0


def _alike(left: dict[Key, int], found: Liquidation) -> Key | None:
    """Return the nearest print of the same side and quantity that nothing was matched with yet; only for whole seconds."""
    if found.ts_venue % LOOSE_NS:
        return None
    near = [
        key
        for key, count in left.items()
        if count
        and key[2] is found.position_side
        and abs(key[4] - found.quantity_base) <= 1e-9 * found.quantity_base
        and abs(key[1] - found.ts_venue) < LOOSE_NS
    ]
    return min(near, key=lambda key: abs(key[1] - found.ts_venue), default=None)
