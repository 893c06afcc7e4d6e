"""`liqscape serve`: opens the store or the simulated market, says where the page is, and stays until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn

from liqscape.cli.demo_market import DemoMarket
from liqscape.cli.emit import note
from liqscape.cli.options import Home, Plain
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, LiqscapeError
from liqscape.server.app import create_app
from liqscape.server.memory import THREADS
from liqscape.server.options import PORT, Options
from liqscape.server.pages import STATIC

_GRACE_S = 3
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_DEMO_STEP_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was typed; a port of None is the usual one, or a free one if that is taken."""

    host: str
    port: int | None
    token: str | None
    demo: bool
    folder: Path
    record: tuple[str, ...]
    top: int | None


def show_serve(home: Home, show: Plain, asked: Asked) -> None:
    """Answer `liqscape serve`."""
    if asked.demo and (asked.record or asked.top):
        raise BadArgument("--demo and --record: a simulated market is not recorded", hint="Leave one of them out.")
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper("iso"), structlog.dev.ConsoleRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    folder = home.home
    market: DemoMarket | None = None
    if asked.demo:
        note(show, "simulating a market (a minute on the first run)")
        market = DemoMarket(asked.folder)
        folder = market.home
    options = Options(
        home=folder, host=asked.host, port=_port(show, asked.host, asked.port), token=asked.token, demo=asked.demo
    ).checked()
    application = create_app(options)
    server = _Server(
        uvicorn.Config(
            application,
            host=options.host,
            port=options.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
            ws_per_message_deflate=False,
            ws_max_size=4096,
            server_header=False,
            proxy_headers=False,  # the rate limit counts who really asks
            h11_max_incomplete_event_size=32_768,
            date_header=True,
            limit_concurrency=2000,
        )
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(server, show, asked, folder, market))
    _leave()


def _leave() -> None:
    """End although an answer is still being computed: nothing is kept of it, and nobody waits for it any more."""
    if any(each.name.startswith(THREADS) for each in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _port(show: Plain, host: str, wanted: int | None) -> int:
    """Return the port that was asked for; without one the usual, or 0 (a free one) if somebody listens there already."""
    if wanted is not None:
        return wanted
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, PORT))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return PORT  # the server says what is wrong with it
            note(show, f"port {PORT} is in use, so a free one is taken; --port chooses one")
            return 0
    return PORT


class _Server(uvicorn.Server):
    """Says when it listens, and ends in order on Ctrl-C and on SIGTERM."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Let Ctrl-C and SIGTERM end the loop; a second one does not wait for readers. Neither is raised again afterwards."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            self.force_exit = self.should_exit
            self.should_exit = True

        for each in _SIGNALS:
            with suppress(NotImplementedError, RuntimeError):  # a system or a thread without signals
                loop.add_signal_handler(each, stop)
        try:
            yield
        finally:
            for each in _SIGNALS:
                with suppress(NotImplementedError, RuntimeError):
                    loop.remove_signal_handler(each)

    def address(self) -> str | None:
        """Return where it listens, None before it does."""
        for each in self.servers:
            for opened in each.sockets:
                host, port = opened.getsockname()[:2]
                return f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return None


async def _run(server: _Server, show: Plain, asked: Asked, home: Path | None, market: DemoMarket | None) -> None:
    beside: list[asyncio.Task[None]] = [asyncio.create_task(_say(server, show, market))]
    if market is not None:
        beside.append(asyncio.create_task(_play(market)))
    if asked.record or asked.top:
        beside.append(asyncio.create_task(_record(show, asked, home)))
    try:
        with suppress(SystemExit):  # how uvicorn says that it could not listen
            await server.serve()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    if not server.started:
        raise LiqscapeError(
            f"serve: {asked.host}:{PORT if asked.port is None else asked.port} could not be opened",
            hint="Is it in use? Choose another with --port.",
        )


async def _say(server: _Server, show: Plain, market: DemoMarket | None) -> None:
    while not server.started:
        await asyncio.sleep(0.05)
    what = "SIMULATED market" if market is not None else "dashboard and API"
    print(f"{what}: {server.address()}  (Ctrl-C ends it)", flush=True)
    if not (STATIC / "index.html").is_file():
        note(show, "the page is not built in this installation: `make web` builds it; the API answers")


async def _play(market: DemoMarket) -> None:
    """Let the simulated market go on: rows are stored when their time has come."""
    while await asyncio.to_thread(market.step):
        await asyncio.sleep(_DEMO_STEP_S)


async def _record(show: Plain, asked: Asked, home: Path | None) -> None:
    """Record live venues beside the server; what goes wrong there never ends the server."""
    from liqscape.engine.recording import Recorder, Wanted
    from liqscape.venues.registry import choose
    from liqscape.venues.transport import NetTransport

    transport = NetTransport()
    try:
        recorder = Recorder(Workspace(home), choose(), Wanted(asked.record, asked.top), transport)
        await recorder.run()
    except LiqscapeError as error:
        note(show, f"recording ended: {error}")
    finally:
        await transport.close()
