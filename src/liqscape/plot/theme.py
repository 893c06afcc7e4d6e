"""Colours of the pictures, dark and light; shorts are orange and longs are blue everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from liqscape.model.arrays import FloatArray
from liqscape.model.sides import PositionSide

FONT = "DejaVu Sans"
PRIOR_HATCH = "//////"
CLASSES = 7  # shades of the heat scale
# Above 1 the middle of the scale stays dark, so that candles keep their contrast over it and dense bands stand out.
_GAMMA = 1.5
_MELT = 0.22  # of the scale: where the lowest shades rise out of the panel


@dataclass(frozen=True)
class Theme:
    """One set of colours, each `#rrggbb`.

    Text and `muted` reach a contrast of 4.5 : 1 on `background` and `panel`, `short`, `long`, `mark` and `amber` 3 : 1.
    """

    dark: bool
    background: str
    panel: str
    grid: str
    text: str
    muted: str
    short: str
    long: str
    mark: str
    amber: str
    halo: str  # drawn around what must stand out from the heat

    def side(self, side: PositionSide) -> str:
        """Return the colour of a side."""
        return self.long if side is PositionSide.LONG else self.short

    def heat(self, place: FloatArray) -> FloatArray:
        """Return the shades at places in 0..1 of the heat scale, float64[n, 3] in 0..1, from few dollars to many.

        Cividis, running away from the panel's own lightness: dark theme dark to bright, light theme pale to dark.
        """
        position = np.clip(place, 0.0, 1.0) ** (_GAMMA if self.dark else 1.0)
        cividis = colormaps["cividis"]
        shades = np.asarray(cividis(position if self.dark else 1.0 - position))[:, :3]
        # The lowest shades melt into the panel instead of ending in a hard border.
        share = np.clip(0.15 + 0.85 * place / _MELT, 0.0, 1.0)[:, None]
        return share * shades + (1.0 - share) * np.asarray(to_rgb(self.panel))


DARK = Theme(
    dark=True,
    background="#0a0e14",
    panel="#0f151d",
    grid="#26303c",
    text="#eef2f6",
    muted="#a3afbd",
    short="#ff9d2e",
    long="#4aa3ff",
    mark="#f4f6f8",
    amber="#ffc857",
    halo="#05080c",
)
LIGHT = Theme(
    dark=False,
    background="#ffffff",
    panel="#f7f8fa",
    grid="#dde2e8",
    text="#141a21",
    muted="#4f5b68",
    short="#d9660a",
    long="#1c6fd1",
    mark="#141a21",
    amber="#8a5a00",
    halo="#ffffff",
)


def theme_of(dark: bool) -> Theme:
    """Return the dark or the light theme."""
    return DARK if dark else LIGHT


def mix(first: str, second: str, share: float) -> tuple[float, float, float]:
    """Return `share` of the first colour over the second, as opaque red, green, blue in 0..1."""
    red, green, blue = share * np.asarray(to_rgb(first)) + (1.0 - share) * np.asarray(to_rgb(second))
    return float(red), float(green), float(blue)
