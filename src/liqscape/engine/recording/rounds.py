"""Work that comes round: every minute, every hour, spread so that no venue's budget bursts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from liqscape.errors import LiqscapeError
from liqscape.units import NS_PER_S

T = TypeVar("T")
_LOOK_S = 60.0  # a wall clock may jump: waiting is cut into pieces
AT_ONCE = 4


@dataclass(frozen=True)
class Round:
    """When work comes round.

    Parameters
    ----------
    every_s
        Length of a round, counted from 1970.
    offset_s
        Begin of the work within it.
    spread_s
        The begin of the last item's work after the first one's, at most; a second per item if that is shorter.
    """

    every_s: float
    offset_s: float
    spread_s: float

    def next_ns(self, now_ns: int) -> int:
        """Return the next begin of work after an instant."""
        every, offset = round(self.every_s * NS_PER_S), round(self.offset_s * NS_PER_S)
        return (now_ns - offset) // every * every + every + offset


async def sleep_until(instant_ns: int, now_ns: Callable[[], int]) -> None:
    """Wait for the wall clock."""
    while (left_s := (instant_ns - now_ns()) / NS_PER_S) > 0.0:
        await asyncio.sleep(min(left_s, _LOOK_S))


def _itself(item: Hashable) -> Hashable:
    return item


async def go_round(
    when: Round,
    items: Callable[[], Sequence[T]],
    work: Callable[[T], Awaitable[None]],
    now_ns: Callable[[], int],
    *,
    name: Callable[[T], Hashable] = _itself,
) -> None:
    """Do `work` on every item in every round, for ever; errors of a venue end one item's work only.

    An item whose work of the round before is not done yet (known by its `name`) is left out: nothing piles up.
    """
    busy: set[Hashable] = set()
    at_once = asyncio.Semaphore(AT_ONCE)

    async def do(item: T) -> None:
        try:
            async with at_once:
                await work(item)
        except LiqscapeError:
            pass  # the client remembers it; the next round asks again
        finally:
            busy.discard(name(item))

    async with asyncio.TaskGroup() as tasks:
        while True:
            await sleep_until(when.next_ns(now_ns()), now_ns)
            todo = [item for item in items() if name(item) not in busy]
            pause_s = min(1.0, when.spread_s / max(len(todo), 1))
            for item in todo:
                busy.add(name(item))
                tasks.create_task(do(item))
                await asyncio.sleep(pause_s)
