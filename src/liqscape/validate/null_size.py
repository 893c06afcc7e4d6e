"""How often the tests of claims reject markets in which nothing is to be found; measured by `python -m benchmarks.nulls`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

CALIBRATION = Path(__file__).with_name("null_size.json")


class NullSize(Struct, frozen=True, kw_only=True):
    """One test on null markets: share rejected at 5 %, how many markets, and the mean of its z."""

    rejected: float
    markets: int
    mean_z: float


class NullSizes(Struct, frozen=True, kw_only=True):
    """All tests, by name (`magnet 4 h`, `run 15 min`); `smallest_drift` is the median over markets, sigma * sqrt(H)."""

    markets: int
    days: int
    tests: dict[str, NullSize]
    smallest_drift: float | None


@cache
def null_sizes() -> NullSizes:
    """Return the calibration that is shipped."""
    return msgspec.json.decode(CALIBRATION.read_bytes(), type=NullSizes)


def write_sizes(sizes: NullSizes, path: Path = CALIBRATION) -> None:
    """Write a calibration; only `benchmarks.nulls` does."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(sizes), indent=1) + b"\n")
    null_sizes.cache_clear()
