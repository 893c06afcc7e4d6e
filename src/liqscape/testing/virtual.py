"""An event loop whose clock jumps: hours of waiting take milliseconds, in an order that never changes.

When nothing is ready to run, time moves to the next timer. While work is out in a thread the clock stands still, so that a
slow disk never looks like a silent venue.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
START_NS = 1_790_000_040_000_000_000  # the start of a minute in September 2026


class _Jumping(selectors.BaseSelector):
    """A selector that lets virtual time pass instead of waiting."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now_s = 0.0
        self.out = 0  # jobs in threads

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is and no thread works, let `timeout` pass on the virtual clock."""
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if self.out:
            return self._real.select(0.05 if timeout is None else min(timeout, 0.05))
        if timeout is None:
            raise RuntimeError("virtual loop: everything waits and no timer is set: the program would hang for ever")
        self.now_s += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a file."""
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Stop watching a file."""
        return self._real.unregister(fileobj)

    def close(self) -> None:
        """Close the selector."""
        self._real.close()

    def get_map(self) -> Any:
        """Return what is watched."""
        return self._real.get_map()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time; `now_ns` is its wall clock.

    Parameters
    ----------
    start_ns
        What the wall clock says at the start, ns UTC.
    """

    def __init__(self, start_ns: int = START_NS) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        self.start_ns = start_ns
        self.shift_ns = 0  # set it to let the wall clock jump

    def time(self) -> float:
        """Return the virtual seconds since the start."""
        return self._jumping.now_s

    def now_ns(self) -> int:
        """Return the virtual wall clock, ns UTC, in whole microseconds."""
        return self.start_ns + round(self._jumping.now_s * 1e6) * 1_000 + self.shift_ns

    def await_threads(self) -> None:
        """Wait for threads in real time from now on: the loop is about to be closed."""
        self._jumping.out += 1

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Run in a thread; the clock stands still until it is done."""
        self._jumping.out += 1
        future = super().run_in_executor(executor, func, *args)

        def done(_: asyncio.Future[T]) -> None:
            self._jumping.out -= 1

        future.add_done_callback(done)
        return future


def run_virtual(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]], *, start_ns: int = START_NS) -> T:
    """Run `main(loop)` on a virtual clock to its end, as `asyncio.run` does on the real one.

    Examples
    --------
    >>> async def sleep_an_hour(loop: VirtualLoop) -> int:
    ...     await asyncio.sleep(3600)
    ...     return (loop.now_ns() - loop.start_ns) // 1_000_000_000
    >>> run_virtual(sleep_an_hour)
    3600
    """
    loop = VirtualLoop(start_ns)
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(loop))
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.await_threads()
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()
