"""What the server remembers: maps and answers of the store as it stands, computed once however many ask at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.model.maps import LiquidationMap
from liqscape.server.bodies import Body

T = TypeVar("T")
THREADS = "liqscape"  # what the names of all computing threads begin with
WORKERS = 4  # threads that compute; kernels leave the interpreter lock
QUICK = 2  # threads for what never computes: tiles, ages. A long answer never keeps them waiting.
ANSWERS = 256
MAPS = 48
ANSWER_S = 1.0
VERSION_S = 0.5
# New rows come all the time while venues are recorded: a map is built again when it has rested for so many times as long as
# building it took, so that no instrument ever takes more than a fifth of a core.
REST = 4.0
LONGEST_REST_S = 20.0
PAST_S = 60.0  # a map of a past instant is built again so often at most: only a backfill changes it


@dataclass(frozen=True)
class _Held(Generic[T]):
    future: Future[T]
    version: Hashable
    rests_until: float


class Remembered(Generic[T]):
    """The newest `size` values by key; a value that is being made is waited for, not made twice.

    Parameters
    ----------
    size
        Values kept; the one that was asked for longest ago goes first.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Hashable, _Held[T]] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = self.misses = 0

    def get(
        self, key: Hashable, version: Hashable, make: Callable[[], T], *, least_s: float = 0.0, most_s: float | None = None
    ) -> T:
        """Return the value of a key; what `make` raises is not kept, but all who wait for it get it.

        Parameters
        ----------
        version
            A value of another version is made again once it has rested.
        least_s
            Seconds for which a value is good whatever the version.
        most_s
            Seconds that it may rest at most.
        """
        with self._lock:
            held = self._held.get(key)
            if held is not None and self._good(held, version):
                self._held.move_to_end(key)
                self.hits += 1
                future, mine = held.future, False
            else:
                self.misses += 1
                future, mine = Future[T](), True
                self._held[key] = _Held(future, version, 0.0)
                self._held.move_to_end(key)
                while len(self._held) > self._size:
                    self._held.popitem(last=False)
        return self._make(key, version, future, make, (least_s, most_s)) if mine else future.result()

    def _good(self, held: _Held[T], version: Hashable) -> bool:
        return held.version == version or not held.future.done() or time.monotonic() < held.rests_until

    def _make(
        self, key: Hashable, version: Hashable, future: Future[T], make: Callable[[], T], rest: tuple[float, float | None]
    ) -> T:
        start = time.monotonic()
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                if (held := self._held.get(key)) is not None and held.future is future:
                    del self._held[key]
            future.set_exception(error)
            raise
        end = time.monotonic()
        least_s, most_s = rest
        rest_s = max(least_s, min(REST * (end - start), LONGEST_REST_S if most_s is None else most_s))
        with self._lock:
            if (held := self._held.get(key)) is not None and held.future is future:
                self._held[key] = _Held(future, version, end + rest_s)
        future.set_result(value)
        return value


class Memory:
    """Maps and answers of one home.

    Answers about now are good for a second; maps until the store has new rows and they have rested.

    Parameters
    ----------
    workspace
        The home.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.maps: Remembered[LiquidationMap] = Remembered(MAPS)
        self._answers: OrderedDict[Hashable, tuple[float, asyncio.Task[Body]]] = OrderedDict()
        self._version: tuple[float, tuple[int, ...]] = (-VERSION_S, ())
        self._version_lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._quick: ThreadPoolExecutor | None = None

    @property
    def asked(self) -> bool:
        """Whether anything was asked so far."""
        return bool(self._answers)

    def version(self) -> tuple[int, ...]:
        """Return what changes whenever rows are stored; looked up at most twice a second."""
        with self._version_lock:
            at, found = self._version
            if time.monotonic() - at >= VERSION_S:
                found = self.workspace.store.version()
                self._version = (time.monotonic(), found)
            return found

    def build_map(self, workspace: Workspace, asked: str, **words: Any) -> LiquidationMap:
        """Build a map as `engine.maps.build_map` does, or return the one that was built."""
        key = (asked, tuple(sorted(words.items())))
        past = words.get("as_of_ns") is not None
        return self.maps.get(key, self.version(), lambda: build_map(workspace, asked, **words), least_s=PAST_S if past else 0.0)

    async def answer(self, key: Hashable, make: Callable[[], Body]) -> Body:
        """Return an answer made within the last second, or make it; all who ask meanwhile wait for the same, on no thread."""
        now = time.monotonic()
        held = self._answers.get(key)
        if held is not None and (not held[1].done() or now < held[0]):
            self._answers.move_to_end(key)
            return await asyncio.shield(held[1])
        task = asyncio.create_task(self.run(make))
        self._answers[key] = (now + ANSWER_S, task)
        self._answers.move_to_end(key)
        task.add_done_callback(lambda done: self._settle(key, done))
        while len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)
        return await asyncio.shield(task)

    def _settle(self, key: Hashable, done: asyncio.Task[Body]) -> None:
        """Count the second from when the answer was there; forget one that failed."""
        held = self._answers.get(key)
        if held is None or held[1] is not done:
            return
        if done.cancelled() or done.exception() is not None:
            del self._answers[key]
        else:
            self._answers[key] = (time.monotonic() + ANSWER_S, done)

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job on the computing threads."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix=f"{THREADS}-answers")
        return await asyncio.get_running_loop().run_in_executor(self._pool, job)

    async def quick(self, job: Callable[[], T]) -> T:
        """Run a job that computes nothing long."""
        if self._quick is None:
            self._quick = ThreadPoolExecutor(QUICK, thread_name_prefix=f"{THREADS}-quick")
        return await asyncio.get_running_loop().run_in_executor(self._quick, job)

    def close(self) -> None:
        """Begin nothing more; what is being computed is not waited for, since nothing is kept of it."""
        for pool in (self._pool, self._quick):
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._quick = None
        for _, task in self._answers.values():
            task.cancel()
        self._answers.clear()
