"""What the server remembers: maps and answers of the store as it stands, computed once however many ask at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar, cast

from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.model.maps import LiquidationMap

T = TypeVar("T")
WORKERS = 2  # threads that compute; kernels leave the interpreter lock


class Remembered(Generic[T]):
    """The newest `size` values by key; a value that is being made is waited for, not made twice.

    Parameters
    ----------
    size
        Values kept; the one that was asked for longest ago goes first.
    seconds
        How long a value is good; None for ever.
    """

    def __init__(self, size: int, seconds: float | None = None) -> None:
        self._size, self._seconds = size, seconds
        self._held: OrderedDict[Hashable, tuple[float, Future[T]]] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = self.misses = 0

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of a key, made by `make` if it is not there or too old; what `make` raises is not kept."""
        now = time.monotonic()
        with self._lock:
            held = self._held.get(key)
            if held is not None and (self._seconds is None or now - held[0] < self._seconds):
                self._held.move_to_end(key)
                self.hits += 1
                mine, future = False, held[1]
            else:
                self.misses += 1
                mine, future = True, Future[T]()
                self._held[key] = (now, future)
                self._held.move_to_end(key)
                while len(self._held) > self._size:
                    self._held.popitem(last=False)
        if not mine:
            return future.result()
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                if self._held.get(key, (0.0, None))[1] is future:
                    del self._held[key]
            future.set_exception(error)
            raise
        future.set_result(value)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()


class Memory:
    """Maps and answers of one home.

    Answers about now are good for a second, maps about now until the store has new rows; what was asked of a past instant is
    good until new rows come too, for a backfill may bring older ones.

    Parameters
    ----------
    workspace
        The home.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.maps: Remembered[LiquidationMap] = Remembered(48)
        self.answers: Remembered[Any] = Remembered(256, seconds=1.0)
        self._versions: Remembered[tuple[int, ...]] = Remembered(1, seconds=0.5)
        self._pool: ThreadPoolExecutor | None = None

    def version(self) -> tuple[int, ...]:
        """Return what changes whenever rows are stored; looked up at most twice a second."""
        return self._versions.get("store", self.workspace.store.version)

    def build_map(self, workspace: Workspace, asked: str, **words: Any) -> LiquidationMap:
        """Build a map as `engine.maps.build_map` does, or return the one that was built of the same rows."""
        key = (self.version(), asked, tuple(sorted(words.items())))
        return self.maps.get(key, lambda: build_map(workspace, asked, **words))

    def answer(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return an answer made within the last second of the same rows, or make it."""
        return cast("T", self.answers.get((self.version(), key), make))

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job on the computing threads."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="answers")
        return await asyncio.get_running_loop().run_in_executor(self._pool, job)

    def close(self) -> None:
        """Wait for running jobs and stop."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
