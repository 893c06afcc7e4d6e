"""Serves a simulated market that goes on, for the page's tests; run as a process of its own.

    python page_server.py FOLDER PORT [OWNER]

FOLDER holds the market's home; it is simulated unless it is there. Prints the address; ends by itself when the process OWNER is
gone. It is `liqscape serve --demo` on a shorter past and without a limit of requests.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import uvicorn

from liqscape.cli.demo_market import DemoMarket
from liqscape.server.app import create_app
from liqscape.server.options import Options

PAST_DAYS = 40
SEED = 7


def start_server(folder: Path, port: int = 0, owner: int | None = None) -> tuple[int, str]:
    """Start a server; return its process id and its address once it listens. It outlives the worker that started it."""
    folder.mkdir(parents=True, exist_ok=True)
    said, log = folder / "said", folder / "log"
    words = [sys.executable, "-W", "ignore", __file__, str(folder), str(port), str(owner or os.getpid())]
    opened = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 1, str(said), opened, 0o600), (os.POSIX_SPAWN_OPEN, 2, str(log), opened, 0o600)]
    process = os.posix_spawn(sys.executable, words, os.environ, file_actions=actions)
    until = time.monotonic() + 400  # kernels may have to be compiled
    while not (address := said.read_text().strip()):
        if time.monotonic() > until or os.waitpid(process, os.WNOHANG)[0]:
            raise AssertionError(f"the server did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
    return process, address


def stop_server(process: int) -> None:
    """End a server as a crash does."""
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


async def _serve(folder: Path, port: int, owner: int | None) -> None:
    market = None if (folder / "live-home").exists() else DemoMarket(folder, seed=SEED, past_days=PAST_DAYS)
    options = Options(home=folder / "live-home", port=port, demo=True, requests_per_minute=1_000_000).checked()
    server = uvicorn.Server(
        uvicorn.Config(create_app(options), port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    if not serving.done():
        found = server.servers[0].sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{found}", flush=True)
    while not serving.done() and _alive(owner):
        if market is not None:
            await asyncio.to_thread(market.step)
        await asyncio.sleep(1.0)
    server.should_exit = True
    await serving


def _alive(owner: int | None) -> bool:
    if owner is None:
        return True
    try:
        os.kill(owner, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None))
