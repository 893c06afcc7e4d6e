"""Keeping to a venue's published limits: what was asked in the last stretch of time, and how long to wait for room."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from liqscape.venues.base import Bucket

# Other programs may ask from the same address, and the venue's clock cuts its stretches elsewhere.
HEADROOM = 0.9


class Budget:
    """The buckets of one venue, shared by everything that asks it.

    In any stretch of `per_s` seconds at most `HEADROOM` of the capacity is used; who asks first is served first.

    Parameters
    ----------
    buckets
        By name, from the venue's facts.
    monotonic
        Seconds on a clock that never jumps; default: the running loop's.
    """

    def __init__(self, buckets: Mapping[str, Bucket], monotonic: Callable[[], float] | None = None) -> None:
        self._buckets = dict(buckets)
        self._used: dict[str, deque[tuple[float, float]]] = {name: deque() for name in buckets}
        self._sum = dict.fromkeys(buckets, 0.0)
        self._turn: asyncio.Lock | None = None
        self._monotonic = monotonic

    async def take(self, costs: Iterable[tuple[str, float]]) -> None:
        """Wait until there is room for all costs, and take it."""
        costs = tuple(costs)
        self._turn = self._turn or asyncio.Lock()
        async with self._turn:
            while (wait_s := max((self._wait_s(name, weight) for name, weight in costs), default=0.0)) > 0.0:
                await asyncio.sleep(wait_s)
            now = self._now()
            for name, weight in costs:
                self._used[name].append((now, weight))
                self._sum[name] += weight

    def left(self) -> dict[str, float]:
        """Return the share of each bucket that is free now, 0 to 1."""
        found: dict[str, float] = {}
        for name, bucket in self._buckets.items():
            self._forget(name)
            found[name] = max(0.0, 1.0 - self._sum[name] / (bucket.capacity * HEADROOM))
        return found

    def _wait_s(self, name: str, weight: float) -> float:
        bucket = self._buckets[name]
        room = max(bucket.capacity * HEADROOM, weight)
        self._forget(name)
        excess = self._sum[name] + weight - room
        if excess <= 1e-9:
            return 0.0
        for at, used in self._used[name]:
            excess -= used
            if excess <= 1e-9:
                return max(at + bucket.per_s - self._now(), 0.0) + 1e-3
        return bucket.per_s

    def _forget(self, name: str) -> None:
        used, oldest = self._used[name], self._now() - self._buckets[name].per_s
        while used and used[0][0] <= oldest:
            self._sum[name] -= used.popleft()[1]
        if not used:
            self._sum[name] = 0.0

    def _now(self) -> float:
        return self._monotonic() if self._monotonic is not None else asyncio.get_running_loop().time()
