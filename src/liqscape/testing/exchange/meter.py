"""Published rate limits as the venues count them: what an address asked for in the last stretch of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from liqscape.testing.exchange.dialect import Cost
from liqscape.units import NS_PER_S


@dataclass(frozen=True)
class Excess:
    """One request that was too much."""

    key: str
    bucket: str
    ts_ns: int


class Meter:
    """Counts what every venue is asked, in sliding stretches of time.

    Attributes
    ----------
    exceeded
        Every request that went beyond a limit: a client that keeps to the limits leaves it empty.
    """

    def __init__(self) -> None:
        self.exceeded: list[Excess] = []
        self._used: dict[tuple[str, str], deque[tuple[int, float]]] = {}
        self._sums: dict[tuple[str, str], float] = {}

    def take(self, key: str, costs: Iterable[Cost], now_ns: int) -> float:
        """Count a request and return after how many seconds it may be repeated; 0 if it is within all limits.

        Examples
        --------
        >>> meter = Meter()
        >>> [meter.take("bitget", [("ratios", 1.0, 1.0, 1.0)], at) for at in (0, 600_000_000, 1_000_000_000)]
        [0.0, 0.4, 0.0]
        """
        wait_ns = 0
        costs = tuple(costs)
        for bucket, weight, capacity, per_s in costs:
            used = self._used.setdefault((key, bucket), deque())
            per_ns = round(per_s * NS_PER_S)
            self._forget((key, bucket), used, now_ns - per_ns)
            if used and self._sums[key, bucket] + weight > capacity + 1e-9:
                self.exceeded.append(Excess(key, bucket, now_ns))
                wait_ns = max(wait_ns, used[0][0] + per_ns - now_ns)
        if wait_ns:
            return wait_ns / NS_PER_S
        for bucket, weight, _, _ in costs:
            self._used[key, bucket].append((now_ns, weight))
            self._sums[key, bucket] = self._sums.get((key, bucket), 0.0) + weight
        return 0.0

    def _forget(self, name: tuple[str, str], used: deque[tuple[int, float]], oldest_ns: int) -> None:
        while used and used[0][0] <= oldest_ns:
            self._sums[name] -= used.popleft()[1]
        if not used:
            self._sums[name] = 0.0
