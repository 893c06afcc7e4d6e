"""The README's picture of the dashboard, from the simulated market, in the browser of the page's tests.

    python -m benchmarks.page picture [FILE]

The page says itself that the market is simulated. Frames while panning and the first paint are measured by `web/bench/pan.ts`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "page"
PICTURE = ROOT / "docs" / "pictures" / "dashboard.png"
MOST_BYTES = 300_000
_FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def picture(path: Path) -> None:
    """Serve a simulated market and write what the dashboard shows of it."""
    sys.path.insert(0, str(TESTS))
    from browser import get

    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-W", "ignore", str(TESTS / "page_server.py"), folder, "0"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            try:
                _draw(get(), server.stdout.readline().strip(), path)
            finally:
                server.terminate()
    # 256 of its own colours are enough for it, and a third of the bytes.
    with Image.open(path) as drawn:
        drawn.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}: {size / 1000:.0f} kB")
    if size > MOST_BYTES:
        sys.exit(f"larger than {MOST_BYTES / 1000:.0f} kB")


def _draw(chromium: str, address: str, path: Path) -> None:
    from page_watch import Watched

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        watched = Watched.open(browser, address, "/BTC", viewport={"width": 1600, "height": 900})
        page = watched.ready()
        assert "SIMULATED" in page.locator("section[aria-label=Headline]").inner_text()
        page.locator("header .legend").wait_for()
        page.wait_for_timeout(4000)  # tiles of the finest level
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)
        wrongs = watched.close()
        browser.close()
    if wrongs:
        sys.exit("\n".join(wrongs))


if __name__ == "__main__":
    if sys.argv[1:2] != ["picture"]:
        sys.exit(__doc__)
    picture(Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else PICTURE)
