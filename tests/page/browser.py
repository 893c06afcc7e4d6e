"""Which Chromium the page is tested in: the one on the machine, else Debian's package, else Playwright's own download.

`python tests/page/browser.py` finds or gets one and prints where it is; `make test` does that first. The tests themselves only
look: without a browser they fail, they are never skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "LIQSCAPE_CHROMIUM"
_DEBIAN = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")

Which = Callable[[str], str | None]
Run = Callable[[Sequence[str]], bool]


class NoBrowserError(Exception):
    """There is no Chromium, and none could be got."""


def find(*, which: Which = shutil.which, own: Callable[[], Path | None] | None = None) -> str | None:
    """Return the Chromium that is there: the one that is named, the machine's, Playwright's own; None if there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_file():
            raise NoBrowserError(f"{VARIABLE} names {named!r}, which is no file")
        return named
    for name in NAMES:
        found = which(name)
        if found is not None:
            return found
    downloaded = (own or _own)()
    return None if downloaded is None else str(downloaded)


def get(
    *,
    which: Which = shutil.which,
    own: Callable[[], Path | None] | None = None,
    run: Run | None = None,
    root: bool | None = None,
) -> str:
    """Return a Chromium, installing one if there is none.

    Raises
    ------
    NoBrowserError
        If neither Debian's package nor Playwright's download could be had.
    """
    found = find(which=which, own=own)
    if found is not None:
        return found
    run = run or _run
    tried: list[str] = []
    may_install = (os.geteuid() == 0 if root is None else root) and which("apt-get") is not None
    if may_install:
        tried.append(" ".join(_DEBIAN))
        if run(_DEBIAN) or (run(("apt-get", "update", "-q")) and run(_DEBIAN)):
            found = find(which=which, own=own)
    if found is None:
        words = (sys.executable, "-m", "playwright", "install", "chromium")
        tried.append("playwright install chromium")
        if run(words):
            found = find(which=which, own=own)
    if found is None:
        raise NoBrowserError(missing(tried))
    return found


def missing(tried: Sequence[str] = ()) -> str:
    """Say that there is no browser, and what to do."""
    after = f" Tried: {'; '.join(tried)}." if tried else " `make browser` gets one."
    return f"The page's tests need Chromium, and none is here.{after} Or name one: {VARIABLE}=/path/to/chromium"


def _own() -> Path | None:
    """Return the browser that Playwright downloaded, None if it did not."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        path = Path(play.chromium.executable_path)
    return path if path.is_file() else None


def _run(words: Sequence[str]) -> bool:
    print(f"browser: {' '.join(words)}", file=sys.stderr)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(list(words), stdout=sys.stderr, env=environment, check=False).returncode == 0
    except OSError as error:
        print(f"browser: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    try:
        print(get())
    except NoBrowserError as error:
        sys.exit(str(error))
