"""Weights for instruments whose liquidations are not known: where they come from and how well they did."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

from msgspec import Struct, convert


class Shipped(Struct, frozen=True):
    """The fixed mix: weight per unit of log distance = scale x (d / 2 %) ** 1.5, one scale a side.

    Parameters
    ----------
    long_scale, short_scale
        Published USD per USD swept and unit of log distance, at a distance of 2 %.
    instrument, from_date, to_date, hours
        What the scales were fitted on.
    score
        How a map with these weights and no learning scored later, in words, with its window.
    """

    long_scale: float
    short_scale: float
    instrument: str
    from_date: str
    to_date: str
    hours: int
    score: str


@lru_cache(maxsize=1)
def shipped_weights() -> Shipped:
    """Return the weights that come with the package."""
    text = files("liqscape.estimate").joinpath("shipped.json").read_text(encoding="utf-8")
    return convert(json.loads(text), Shipped)
