"""One server for all workers, one browser a module; every page is watched for what it must never do."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import find, missing
from page_server import start_server
from page_watch import Watched
from playwright.sync_api import Browser, sync_playwright

from liqscape.server.pages import STATIC

_WARM = ("BTC/now", "BTC/map", "BTC/heat", "BTC/cascade", "BTC/episodes")
FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb", "--disable-dev-shm-usage")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run see."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "page"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def address(shared: Path) -> str:
    """Where the simulated market is served: the first worker starts the server, it ends with the run."""
    assert (STATIC / "index.html").is_file(), "The page is not built: `make web` builds it."
    told = shared / "address"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
            _, at = start_server(shared / "market", owner=owner)
            for path in _WARM:  # the first answer of each kind reads the whole record
                httpx.get(f"{at}/api/v1/{path}", timeout=60)
            told.write_text(at)
    return told.read_text()


@pytest.fixture(scope="session")
def past(ask: Callable[..., Any]) -> str:
    """An instant two days before the end of the record, the same for all workers."""
    end = datetime.fromisoformat(ask("instruments")["data"]["instruments"][0]["to"])
    return (end - timedelta(days=2)).replace(minute=0, second=0).strftime("%Y-%m-%dT%H:%MZ")


@pytest.fixture(scope="session")
def ask(address: str) -> Iterator[Callable[..., Any]]:
    """Ask the API as the page does: `ask("BTC/map", within="2%")` is the whole envelope."""
    with httpx.Client(base_url=f"{address}/api/v1/", timeout=30) as client:

        def asked(path: str, **words: object) -> Any:
            answer = client.get(path, params={name: str(value) for name, value in words.items() if value is not None})
            return answer.json()

        yield asked


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Real Chromium. A module's own: Playwright's loop must not be running in tests that have loops of their own."""
    chromium = find()
    if chromium is None:
        pytest.fail(missing())
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Watched]]:
    """Open the page: `visit("/BTC?within=5%").page`; ends with a failure if it misbehaved meanwhile."""
    opened: list[Watched] = []

    def go(path: str = "/BTC", *, at: str = address, **how: object) -> Watched:
        watched = Watched.open(browser, at, path, **how)  # type: ignore[arg-type]
        opened.append(watched)
        return watched

    yield go
    wrongs = [wrong for each in opened for wrong in each.close()]
    assert not wrongs, "\n".join(wrongs)
