"""Write a picture to disk."""

# matplotlib leaves the keyword arguments of its methods open, which strict checking reports as unknown.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import os
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from liqscape.errors import BadArgument

_SUFFIXES = (".png", ".svg")


def png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG, its alternative text inside.

    Its colours are the 256 that fit it best: a third of the bytes, and no channel off by more than 8 of 255 in a heatmap.
    """
    drawn, held, told = io.BytesIO(), io.BytesIO(), PngInfo()
    figure.savefig(drawn, format="png", dpi=figure.dpi, facecolor=figure.get_facecolor(), pil_kwargs={"compress_level": 1})
    for key, value in _metadata(figure, ".png").items():
        told.add_itxt(key, str(value))
    picture = Image.open(drawn).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    picture.save(held, "PNG", optimize=True, pnginfo=told, dpi=(figure.dpi, figure.dpi))
    return held.getvalue()


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as .png or .svg, its alternative text inside, and return the path.

    The file appears whole or not at all: it is written beside its place and then moved.

    Raises
    ------
    BadArgument
        If the suffix is neither .png nor .svg, or the folder does not exist.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in _SUFFIXES:
        raise BadArgument(
            f"picture: expected a name that ends in .png or .svg, received {target.name!r}",
            hint="Use .png for the web and .svg for print.",
        )
    if not target.parent.is_dir():
        raise BadArgument(f"picture: there is no folder {str(target.parent)!r}", hint="Create it first, or choose another one.")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if suffix == ".png":
            part.write_bytes(png(figure))
        else:
            figure.savefig(part, format="svg", facecolor=figure.get_facecolor(), metadata=_metadata(figure, suffix))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _metadata(figure: Figure, suffix: str) -> dict[str, str | None]:
    told: dict[str, str | None] = {"Title": "Liquidation landscape", "Description": str(figure.get_label())}
    return told | ({"Software": "liqscape"} if suffix == ".png" else {"Creator": "liqscape", "Date": None})
