"""What the tests of the server share: a small home, the application asked in memory, and a real server on a free port."""

import asyncio
import contextlib
import socket
import threading
import time

import httpx
import uvicorn

from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.server.app import create_app
from liqscape.server.options import Options
from liqscape.server.serving import Serving
from liqscape.testing.market import MarketConfig, SimulatedMarket, write_dataset

BASE = "http://127.0.0.1:8700"
PLENTY = 1_000_000


def make_home(folder, days=20):
    """Store some simulated days of one instrument; return the home folder."""
    run = SimulatedMarket(MarketConfig(days=days, accounts=400, warmup_days=2), seed=3).run()
    workspace = Workspace(folder / "home")
    for name in import_paths(workspace.store, [write_dataset(run, folder / "dataset")]).simulated_instruments:
        workspace.mark_simulated(name)
    return folder / "home"


class Asker:
    """Asks one application in memory, over one event loop, without sockets."""

    def __init__(self, home, **options):
        options.setdefault("requests_per_minute", PLENTY)
        self.app = create_app(Options(home=home, **options))
        self._runner = asyncio.Runner()
        self._life = self.app.router.lifespan_context(self.app)
        self._runner.run(self._life.__aenter__())

    def __call__(self, *paths, method="GET", base=BASE, **headers):
        async def asked():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await asyncio.gather(
                    *(
                        client.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
                        for path in paths
                    )
                )

        found = self._runner.run(asked())
        return found[0] if len(found) == 1 else found

    def close(self):
        self._runner.run(self._life.__aexit__(None, None, None))
        self._runner.close()


@contextlib.contextmanager
def running(home, **options):
    """Run a real server in a thread; yields (address, application)."""
    options.setdefault("requests_per_minute", PLENTY)
    app = create_app(Options(home=home, **options))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(app, port=port, log_level="error", ws_per_message_deflate=False, timeout_graceful_shutdown=3)
    server = Serving(app, config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield f"127.0.0.1:{port}", app
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
