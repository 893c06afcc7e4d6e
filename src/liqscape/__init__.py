"""liqscape: the liquidation landscape of a perpetual-futures market, in dollars and with uncertainty.

>>> import liqscape as ls
>>> m = ls.map("BTC")  # doctest: +SKIP
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liqscape.api import (
        Map,
        accuracy,
        asymmetry,
        attribute,
        backfill,
        calc,
        cascade,
        episodes,
        frame,
        fuel,
        headline,
        heatmap,
        ignition,
        import_data,
        instruments,
        ladder,
        liquidations,
        map,
        move_to,
        plot,
        tilt,
        venues,
        zones,
    )

from liqscape._version import __version__

__all__ = [
    "Map",
    "__version__",
    "accuracy",
    "asymmetry",
    "attribute",
    "backfill",
    "calc",
    "cascade",
    "episodes",
    "frame",
    "fuel",
    "headline",
    "heatmap",
    "ignition",
    "import_data",
    "instruments",
    "ladder",
    "liquidations",
    "map",
    "move_to",
    "plot",
    "tilt",
    "venues",
    "zones",
]


def __getattr__(name: str) -> object:
    """Load the Python door when one of its words is first used (PEP 562): a bare import loads nothing."""
    if name in __all__:
        value: object = getattr(import_module("liqscape.api"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'liqscape' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


class _Root(ModuleType):
    """The package, on which a word of the door keeps its meaning when a room of the same name (`plot`) is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Root
