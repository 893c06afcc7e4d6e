"""A recorder that is killed: a template process forks one for every line it reads, so that a fresh start costs no imports.

The recorder notes every row after it was acknowledged: what is in the notes must be in the tables, however often it is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from liqscape.engine.recording import Recorder, Wanted, inbox, recorder
from liqscape.engine.recording.rounds import Round
from liqscape.engine.workspace import Workspace
from liqscape.store import Journal
from liqscape.testing.exchange.server import local_url
from liqscape.venues.registry import VENUES
from liqscape.venues.transport import NetTransport


def work(home: str, notes: str, base: str, keys: list[str], coins: list[str]) -> None:
    """Record until killed or told to stop (SIGTERM), committing and telling far more often than in life."""
    out = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    real = Journal.write

    def write(self: Journal, rows) -> int:
        count = real(self, rows)
        lines = [json.dumps([table.value, list(row)]) for table, values in rows.items() for row in values]
        os.write(out, "".join(f"{line}\n" for line in lines).encode())
        return count

    Journal.write = write  # type: ignore[method-assign]
    recorder.COMMIT = Round(0.5, 0.2, 0)
    recorder.HEALTH_S = 0.2
    inbox.LINGER_S = 0.1
    venues = [VENUES[key] for key in keys]
    urls = {f"{key}.{name}": local_url(url, base) for key in keys for name, url in VENUES[key].facts.hosts.items()}

    async def main() -> None:
        transport = NetTransport()
        found = Recorder(
            Workspace(Path(home)),
            venues,
            Wanted(tuple(coins)),
            transport,
            urls=urls,
            seconds=tuple(coins),
            upkeep=False,
            chance=random.Random(),
        )
        try:
            await found.run(signals=True)
        finally:
            await transport.close()

    asyncio.run(main())


class Template:
    """The process that forks recorders."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = 0

    def start(self, **arguments: object) -> None:
        self.pid = int(self._ask({"task": "start", **arguments}))

    def end(self, how: int = signal.SIGKILL) -> int:
        """Send a signal to the recorder and return its status once it is gone."""
        os.kill(self.pid, how)
        return int(self._ask({"task": "wait", "pid": self.pid}))

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
    for line in sys.stdin:
        question = json.loads(line)
        if question.pop("task") == "wait":
            print(os.waitpid(question["pid"], 0)[1], flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            try:
                work(**question)
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
            finally:
                os._exit(1)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
