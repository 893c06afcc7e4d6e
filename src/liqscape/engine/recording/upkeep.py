"""Store maintenance in a process of its own: a rewrite of a day takes memory and a core that recording must not lack.

`python -m liqscape.engine.recording.upkeep HOME` maintains once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from liqscape.store import open_store

LONGEST_S = 1800.0


class Upkeep:
    """Runs maintenance of a home folder, one at a time."""

    def __init__(self, home: Path) -> None:
        self.last_error: str | None = None
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(self) -> None:
        """Maintain once; slow, to be called in a thread. What goes wrong is kept in `last_error`."""
        command = [sys.executable, "-m", "liqscape.engine.recording.upkeep", str(self._home)]
        # A group of its own: Ctrl-C is for the recorder, which ends it by `stop`.
        with self._lock:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
            )
            self._process = process
        try:
            _, said = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.last_error = f"maintenance took over {LONGEST_S:.0f} s"
            return
        finally:
            self._process = None
        words = said.decode(errors="replace").strip().rpartition("\n")[2]
        self.last_error = words or f"status {process.returncode}" if process.returncode else None

    def stop(self) -> None:
        """End it; an unfinished rewrite is undone by the store itself."""
        process = self._process
        if process is not None:
            with suppress(OSError):
                process.terminate()


def main() -> None:
    """Maintain the home folder that is named, with the least claim on the machine."""
    with suppress(AttributeError, OSError):
        os.nice(10)
    open_store(Path(sys.argv[1])).maintain()


if __name__ == "__main__":
    main()
