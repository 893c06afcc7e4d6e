"""The logarithmic price grid: cell i holds prices in [exp(i * step), exp((i + 1) * step))."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from liqscape.model.arrays import FloatArray


@dataclass(frozen=True)
class PriceGrid:
    """A stretch of the absolute log grid.

    The index of a cell depends on the step alone and not on where a stretch begins, so grids of one step always line up.

    Parameters
    ----------
    step
        Width of a cell in log price (0.0005 is 5 bp).
    first
        Absolute index of the lowest cell.
    size
        Number of cells.
    """

    step: float
    first: int
    size: int

    @classmethod
    def covering(cls, low: float, high: float, step: float) -> PriceGrid:
        """Return the smallest grid that holds every price in [low, high]."""
        first = math.floor(math.log(low) / step)
        return cls(step, first, math.floor(math.log(high) / step) - first + 1)

    @property
    def edges(self) -> FloatArray:
        """Cell borders, quote per base, float64[size + 1], ascending."""
        return np.exp((self.first + np.arange(self.size + 1)) * self.step)

    @property
    def centres(self) -> FloatArray:
        """Geometric middle of each cell, quote per base, float64[size]."""
        return np.exp((self.first + np.arange(self.size) + 0.5) * self.step)

    def index(self, price: float) -> int:
        """Return the position in this grid of the cell that holds `price`; may lie outside [0, size)."""
        return math.floor(math.log(price) / self.step) - self.first
