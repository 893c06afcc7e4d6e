"""Frames that a connection brings twice: the same bytes shortly after each other are one message, not two events alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from liqscape.model import Liquidation, Record

_REMEMBERED = 32


class Repeats:
    """Knows the newest frames with liquidations of one connection.

    Two positions alike may be closed in one millisecond, and both count; a venue tells them in one frame, or in frames that
    differ in their own number or instant. Only frames with liquidations are looked at: for all others a repetition is harmless.
    """

    def __init__(self) -> None:
        self._newest: deque[str | bytes] = deque(maxlen=_REMEMBERED)

    def again(self, frame: str | bytes, records: Sequence[Record]) -> bool:
        """Return whether the frame was there already, and remember it."""
        if not any(isinstance(record, Liquidation) for record in records):
            return False
        if frame in self._newest:
            return True
        self._newest.append(frame)
        return False
