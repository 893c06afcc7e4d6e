"""What a command left behind, and the name that every test asks about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

NAME = "simulated:BTCUSDT"


class Said(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as data."""
        return json.loads(self.out)


Ask = Callable[..., Said]
