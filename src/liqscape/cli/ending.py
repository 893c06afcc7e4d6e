"""How a command that stays ends: the first Ctrl-C or SIGTERM in order and soon, the second at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """Takes Ctrl-C and SIGTERM while the block lasts.

    Before anything is to be ended in order (`then`) the first one raises KeyboardInterrupt, as it always does.

    Parameters
    ----------
    doing
        What is said to be done meanwhile.
    longest_s
        The process has ended so long after the first one, whatever is under way; None waits for as long as it takes.
    """

    def __init__(self, doing: str = "", *, quiet: bool = False, longest_s: float | None = None) -> None:
        self.begun = False
        self._doing, self._quiet, self._longest_s = doing, quiet, longest_s
        self._jobs: list[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = []
        self._before: dict[signal.Signals, Any] = {}

    def then(self, stop: Callable[[], None]) -> None:
        """Call this on the running loop when the end begins; at once if it has begun."""
        if self.begun:
            stop()
        self._jobs.append((asyncio.get_running_loop(), stop))

    def leave(self) -> None:
        """End the process, if it was told to end: what threads are still at is of no use to anybody."""
        if self.begun:
            _exit(0)

    def __enter__(self) -> Ending:
        with suppress(ValueError):  # not the main thread: signals are somebody else's
            for each in _SIGNALS:
                self._before[each] = signal.signal(each, self._take)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.begun:
            self._say("ended at once")
            _exit(128 + number)
        if not self._jobs:
            raise KeyboardInterrupt
        self.begun = True
        self._say(f"ending{self._doing}; Ctrl-C again ends it at once")
        if self._longest_s is not None:
            last = threading.Timer(self._longest_s, _exit, (0,))
            last.daemon = True
            last.start()
        for loop, stop in self._jobs:
            with suppress(RuntimeError):  # a loop that is over
                loop.call_soon_threadsafe(stop)

    def _say(self, text: str) -> None:
        """Write to stderr, past Python's buffer, which Ctrl-C may have come in the middle of."""
        if not self._quiet:
            lead = "\n" if os.isatty(2) else ""  # after the terminal's ^C
            with suppress(OSError):
                os.write(2, f"{lead}{text}\n".encode())


def _exit(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(status)
