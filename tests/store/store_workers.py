"""Processes that append or maintain until they are killed.

Run as a program this is a template process: it imports the store once and forks a worker for every line it reads, so that a
kill and a fresh start cost a fork and not a second of imports.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def append(path: str, journal: int, writer: str, first: int, count: int | None = None) -> None:
    """Append one batch after the other, beginning with number `first`; note every one that was acknowledged."""
    from store_rows import batch_rows

    from liqscape.store import DeltaStore, Table

    store = DeltaStore(Path(path))
    store.last_batch(Table.LIQUIDATIONS, writer)
    os.write(journal, b"ready\n")
    number = first
    while count is None or number < first + count:
        store.append(Table.LIQUIDATIONS, batch_rows(number, writer), writer=writer, batch=number)
        os.write(journal, f"{number}\n".encode())
        number += 1


def maintain(path: str, journal: int) -> None:
    """Maintain again and again."""
    from liqscape.store import DeltaStore

    store = DeltaStore(Path(path))
    os.write(journal, b"ready\n")
    while True:
        store.maintain(full=True)


class Workers:
    """Starts and kills workers of one template process."""

    def __init__(self, folder: Path) -> None:
        self._journal = folder / f"journal-{os.urandom(4).hex()}"
        command = [sys.executable, str(Path(__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._pid = 0

    def start(self, task: str, **arguments: object) -> None:
        """Start a worker and wait until it reports ready."""
        self._journal.unlink(missing_ok=True)
        self._pid = int(self._ask({"task": task, "journal": str(self._journal), **arguments}))
        deadline = time.monotonic() + 30
        while "ready" not in self.notes():
            assert time.monotonic() < deadline, "the worker did not start"
            time.sleep(0.001)

    def notes(self) -> list[str]:
        """Return the whole lines that the worker has noted."""
        return self._journal.read_text().rpartition("\n")[0].split("\n") if self._journal.exists() else []

    def kill(self) -> list[int]:
        """Kill the worker (SIGKILL) and return the numbers it noted."""
        os.kill(self._pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> list[int]:
        """Wait for the worker's end and return the numbers it noted."""
        self.status = int(self._ask({"task": "wait", "pid": self._pid}))
        return [int(note) for note in self.notes() if note != "ready"]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _ask(self, question: dict[str, object]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


def _serve() -> None:
    import store_rows  # noqa: F401  imported before the fork, as is everything it imports

    for line in sys.stdin:
        question = json.loads(line)
        task = question.pop("task")
        if task == "wait":
            print(os.waitpid(question["pid"], 0)[1], flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            journal = os.open(question.pop("journal"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            try:
                {"append": append, "maintain": maintain}[task](journal=journal, **question)
                os._exit(0)
            finally:
                os._exit(1)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
