"""liqscape: the liquidation landscape of a perpetual-futures market, in dollars and with uncertainty.

>>> import liqscape as ls
>>> m = ls.map("BTC")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liqscape.api import (
        Map,
        asymmetry,
        frame,
        fuel,
        headline,
        heatmap,
        import_data,
        instruments,
        ladder,
        liquidations,
        map,
        move_to,
        plot,
        tilt,
        zones,
    )

__version__ = "0.1.0"

__all__ = [
    "Map",
    "__version__",
    "asymmetry",
    "frame",
    "fuel",
    "headline",
    "heatmap",
    "import_data",
    "instruments",
    "ladder",
    "liquidations",
    "map",
    "move_to",
    "plot",
    "tilt",
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
