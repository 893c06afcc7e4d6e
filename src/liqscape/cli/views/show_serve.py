"""`liqscape serve`: opens the store or the simulated market, says where the page is, and stays until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn

from liqscape.cli.demo_market import DemoMarket
from liqscape.cli.emit import note
from liqscape.cli.ending import Ending
from liqscape.cli.options import Home, Plain
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument, LiqscapeError
from liqscape.server.app import create_app
from liqscape.server.options import PORT, Options
from liqscape.server.pages import STATIC
from liqscape.server.serving import Serving

_GRACE_S = 1  # answers that are nearly there are given; what takes longer is begun again by who needs it
_LONGEST_S = 2.5  # from Ctrl-C to the end, whatever is under way; a recorder may take longer, for it writes what it has
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
    records = bool(asked.record or asked.top)
    doing = ": what was recorded is being written" if records else ""
    with Ending(doing, quiet=show.quiet, longest_s=None if records else _LONGEST_S) as ending:
        _serve(home, show, asked, ending)


def _serve(home: Home, show: Plain, asked: Asked, ending: Ending) -> None:
    folder = home.home
    market: DemoMarket | None = None
    if asked.demo:
        note(show, "simulating a market (a minute on the first run)")
        market = DemoMarket(asked.folder)
        folder = market.home
    options = Options(
        home=folder,
        host=asked.host,
        port=_port(show, asked.host, asked.port),
        token=asked.token,
        demo=asked.demo,
        warm=True,
    ).checked()
    application = create_app(options)
    server = _Server(
        application,
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
        ),
    )
    # Answers that are cut off at the end are no trouble: `Ending` has said that it ends.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not ending.begun)
    asyncio.run(_run(server, show, asked, folder, market, ending))
    ending.leave()


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


class _Server(Serving):
    """Says where it listens; Ctrl-C is `Ending`'s."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave Ctrl-C and SIGTERM to `Ending`."""
        yield

    def stop(self) -> None:
        """Begin to end in order."""
        self.should_exit = True

    def address(self) -> str | None:
        """Return where it listens, None before it does."""
        for each in self.servers:
            for opened in each.sockets:
                host, port = opened.getsockname()[:2]
                return f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return None


async def _run(server: _Server, show: Plain, asked: Asked, home: Path | None, market: DemoMarket | None, ending: Ending) -> None:
    beside: list[asyncio.Task[None]] = [asyncio.create_task(_say(server, show, market))]
    recording: asyncio.Task[None] | None = None
    ending.then(server.stop)
    if market is not None:
        beside.append(asyncio.create_task(_play(market)))
    if asked.record or asked.top:
        recording = asyncio.create_task(_record(show, asked, home, ending))
    try:
        with suppress(SystemExit):  # how uvicorn says that it could not listen
            await server.serve()
    finally:
        for task in (*beside, *([recording] if recording is not None and not ending.begun else [])):
            task.cancel()
        await asyncio.gather(*beside, *([] if recording is None else [recording]), return_exceptions=True)
    if not server.started and not ending.begun:
        raise LiqscapeError(
            f"serve: {asked.host}:{PORT if asked.port is None else asked.port} could not be opened",
            hint="Is it in use? Choose another with --port.",
        )
    ending.leave()  # a job of the store that is still on a thread is not waited for: the store outlives worse


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


async def _record(show: Plain, asked: Asked, home: Path | None, ending: Ending) -> None:
    """Record live venues beside the server; what goes wrong there never ends the server."""
    from liqscape.engine.recording import Recorder, Wanted
    from liqscape.venues.registry import choose
    from liqscape.venues.transport import NetTransport

    transport = NetTransport()
    try:
        recorder = Recorder(Workspace(home), choose(), Wanted(asked.record, asked.top), transport)
        ending.then(recorder.stop)
        await recorder.run()
    except LiqscapeError as error:
        note(show, f"recording ended: {error}")
    finally:
        await transport.close()
