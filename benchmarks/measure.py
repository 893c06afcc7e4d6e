"""One measured thing, and how a function or a process is timed."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A number with the bar it is held to.

    Parameters
    ----------
    median, best
        Of the runs, in `unit`; `best` is the quickest run.
    bar, aim
        What it must and what it should reach; None where there is no such number.
    more_is_better
        True for rates, False for times and memory.
    """

    what: str
    unit: str
    median: float
    best: float
    runs: int
    bar: float | None = None
    aim: float | None = None
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        """Aim reached, bar reached or missed, judged by the median."""
        for limit, word in ((self.aim, "aim"), (self.bar, "pass")):
            if limit is not None and (self.median >= limit if self.more_is_better else self.median <= limit):
                return word
        return "-" if self.bar is None else "miss"


def seconds(call: Callable[[], object], runs: int) -> list[float]:
    """Return how long each of `runs` calls took, after one that is not counted."""
    call()
    taken: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken


def timed(what: str, taken: Sequence[float], *, bar: float | None = None, aim: float | None = None) -> Measured:
    """Return a time in seconds."""
    return Measured(what, "s", statistics.median(taken), min(taken), len(taken), bar, aim)


def rated(
    what: str, unit: str, work: float, taken: Sequence[float], *, bar: float | None = None, aim: float | None = None
) -> Measured:
    """Return a rate: `work` units per run."""
    return Measured(what, unit, work / statistics.median(taken), work / min(taken), len(taken), bar, aim, more_is_better=True)


@dataclass(frozen=True)
class Process:
    """A finished process: wall time in seconds, largest memory in MB."""

    wall_s: float
    memory_mb: float


def run_liqscape(words: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Run the program in a process of its own, as a user does.

    Raises
    ------
    RuntimeError
        If it does not end with 0.
    """
    # A child's peak memory counts its parent's at the moment of the fork: it is started from a small process, which measures it.
    call = [sys.executable, "-S", "-c", _SMALL_PARENT, sys.executable, "-c", _PROGRAM, *words]
    hushed = {"PYTHONDONTWRITEBYTECODE": ""}  # else every import is compiled again
    done = subprocess.run(call, env={**os.environ, **hushed, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"liqscape {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    wall_s, peak = (float(part) for part in done.stdout.split())
    scale = 1.0 if sys.platform == "darwin" else 1024.0  # bytes there, kilobytes here
    return Process(wall_s, peak * scale / 1e6)


_PROGRAM = "import sys; from liqscape.cli.main import main; sys.exit(main())"
_SMALL_PARENT = """
import os, resource, sys, time
start = time.perf_counter()
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(sys.argv[1], sys.argv[1:])
status = os.waitpid(child, 0)[1]
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
