"""What could not be true is counted, and the first of each kind is kept raw, so that a person can look at it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from liqscape.clock import iso
from liqscape.errors import CorruptRecord

MOST_KINDS = 200
MOST_BYTES = 64 * 1024


class Quarantine:
    """A folder of frames and answers that made no sense, one file per venue, field and place; bounded.

    Parameters
    ----------
    folder
        Made with the first file.
    """

    def __init__(self, folder: Path, now_ns: Callable[[], int]) -> None:
        self.counts: dict[str, int] = {}  # by adapter
        self.last: dict[str, str] = {}
        self._folder, self._now_ns = folder, now_ns
        self._kinds: set[str] | None = None

    def take(self, key: str, place: str, frame: str | bytes, error: CorruptRecord) -> None:
        """Count a frame, an answer or a row of it; keep it if it is the first of its kind. Never raises."""
        self.counts[key] = self.counts.get(key, 0) + 1
        self.last[key] = error.message
        facts = error.context
        kind = f"{key} {facts.get('what', place)} {facts.get('field', '')}"
        name = f"{key}-{hashlib.blake2b(kind.encode(), digest_size=6).hexdigest()}.txt"
        if self._kinds is None:
            self._kinds = {path.name for path in self._folder.glob("*.txt")} if self._folder.exists() else set()
        if name in self._kinds or len(self._kinds) >= MOST_KINDS:
            return
        self._kinds.add(name)
        raw = frame.encode() if isinstance(frame, str) else frame
        head = f"{iso(self._now_ns())} {key} {place}\n{error}\n{len(raw)} bytes, the first {MOST_BYTES}:\n"
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_bytes(head.encode() + raw[:MOST_BYTES])
