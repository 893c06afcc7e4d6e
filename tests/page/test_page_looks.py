"""What the page looks like: desktop and phone, dark and light, beside pictures that were looked at.

A market that stands still is shown as of an instant, so that every run sees the same. Pictures are compared coarsely, by the mean
colour of squares: letters may be drawn a little differently elsewhere, panels may not be missing, moved or of another colour.
After a change that was meant: `make looks`, and look at what is in `looks/`.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from page_server import start_server, stop_server
from PIL import Image

from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.testing.market import MarketConfig, SimulatedMarket, write_dataset

LOOKS = Path(__file__).with_name("looks")
SQUARE = 6  # pixels
FAR, MOST_FAR, MOST_MEAN = 40.0, 0.02, 4.0  # of 255; share of squares
SIZES = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """The address of a server over a market that has ended."""
    folder = tmp_path_factory.mktemp("still")
    run = SimulatedMarket(MarketConfig(days=25, accounts=400, warmup_days=2), seed=3).run()
    workspace = Workspace(folder / "live-home")
    for name in import_paths(workspace.store, [write_dataset(run, folder / "dataset")]).simulated_instruments:
        workspace.mark_simulated(name)
    process, address = start_server(folder)
    yield address
    stop_server(process)


def squares(picture: Image.Image) -> np.ndarray:
    """Mean colours, float[rows, columns, 3]."""
    wide, high = picture.width // SQUARE, picture.height // SQUARE
    return np.asarray(picture.convert("RGB").resize((wide, high), Image.Resampling.BOX), np.float64)


def difference(one: Image.Image, two: Image.Image) -> tuple[float, float]:
    """Share of squares that are far apart, and the mean distance of all."""
    apart = np.abs(squares(one) - squares(two)).max(axis=2)
    return float((apart > FAR).mean()), float(apart.mean())


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_it_looks_as_it_was_seen(visit, still, size, scheme, tmp_path):
    page = visit("/BTC?as_of=2026-01-24T12:00Z&bench=1", at=still, scheme=scheme, **SIZES[size]).ready()
    page.wait_for_function("() => liqscapeChart.heatTiles && !liqscapeChart.heatTiles.busy")
    page.wait_for_timeout(500)
    seen = Image.open(io.BytesIO(page.screenshot()))
    kept = LOOKS / f"{size}-{scheme}.png"
    if os.environ.get("RENEW_LOOKS"):
        LOOKS.mkdir(exist_ok=True)
        seen.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(kept, optimize=True)
    far, mean = difference(seen, Image.open(kept))
    seen.save(tmp_path / kept.name)
    assert far < MOST_FAR, f"{far:.1%} of the page look otherwise: {tmp_path / kept.name} beside {kept}"
    assert mean < MOST_MEAN


def test_a_panel_that_is_gone_or_a_theme_that_is_wrong_is_seen():
    desktop, light = (Image.open(LOOKS / f"desktop-{scheme}.png").convert("RGB") for scheme in ("dark", "light"))
    assert difference(desktop, light)[0] > 10 * MOST_FAR
    without = desktop.copy()
    ground = without.getpixel((2, 2))
    without.paste(ground, (720, 160, 1070, 760))  # the ladder
    assert difference(desktop, without)[0] > MOST_FAR
