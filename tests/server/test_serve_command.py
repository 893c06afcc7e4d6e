"""`liqscape serve` as it is typed: a process of its own, asked over a socket, ended by a signal."""

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
import time

import httpx
import pytest
import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from liqscape import settings
from liqscape.cli.main import main
from liqscape.testing.exchange import RehearsalExchange, World
from liqscape.testing.exchange.dialects.bybit import Bybit
from liqscape.testing.exchange.server import local_url, served
from liqscape.venues.registry import VENUES

PROGRAM = "import sys; from liqscape.cli.main import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def own_log():
    """The command lets the log go to the standard error of its time, which of a test is closed when it ends."""
    yield
    structlog.reset_defaults()


class Serving:
    """The program at work; `address` is what it printed."""

    def __init__(self, *words):
        call = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", *map(str, words)]
        environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(call, env=environment, text=True, **pipes)
        self.line = self.process.stdout.readline()
        found = re.search(r"http://\S+", self.line)
        self.address = found[0] if found else None
        if self.address is None:
            self.process.kill()
            raise AssertionError(self.line + self.process.stderr.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self, how):
        """Send a signal; return (seconds until it had ended, exit status)."""
        start = time.monotonic()
        self.process.send_signal(how)
        status = self.process.wait(20)
        return time.monotonic() - start, status


def test_it_answers_and_ends_at_once(home):
    with Serving("--home", home) as program:
        assert program.address.startswith("http://127.0.0.1:")
        assert "Ctrl-C" in program.line
        assert httpx.get(f"{program.address}/api/v1/health").json()["data"]["status"] == "ok"
        assert httpx.get(f"{program.address}/api/v1/BTC/now", timeout=30).json()["ok"] is True
        page = httpx.get(program.address)
        assert "text/html" in page.headers["content-type"]
        assert (page.status_code == 200) != ("not built" in page.text)
        seconds, status = program.end(signal.SIGINT)
        assert status in (0, 130)
        assert seconds < 5.0


def test_it_ends_in_order_with_readers_and_an_answer_under_way(home):
    """SIGTERM with open WebSockets, one that never reads, and a heatmap being computed: within three seconds, status 0."""

    async def listen(address):
        host = address.removeprefix("http://")
        readers = [await connect(f"ws://{host}/api/v1/stream?topics=health,now.BTC") for _ in range(20)]
        await readers[0].recv()
        heavy = threading.Thread(target=lambda: _quietly(f"{address}/api/v1/BTC/heat?interval=5m&window=20d"))
        heavy.start()
        await asyncio.sleep(0.3)
        ended = await asyncio.to_thread(program.end, signal.SIGTERM)
        codes = set()
        for reader in readers[1:]:
            try:
                while True:
                    await asyncio.wait_for(reader.recv(), 5)
            except ConnectionClosed as closed:
                codes.add(None if closed.rcvd is None else closed.rcvd.code)
        heavy.join()
        return ended, codes

    with Serving("--home", home) as program:
        (seconds, status), codes = asyncio.run(listen(program.address))
    assert status == 0
    assert seconds < 3.0
    assert codes <= {1001, 1012}


class Terminal(Serving):
    """The program in a terminal of its own; `said` is what stood in it."""

    def __init__(self, *words):
        self.master, theirs = pty.openpty()
        call = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", *map(str, words)]
        ends = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
        self.process = subprocess.Popen(
            call, env=environment, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **ends
        )
        os.close(theirs)
        self.said = ""

    def read(self, text, seconds=60.0):
        """Read until a text was said, or until nothing is said any more."""
        until = time.monotonic() + seconds
        while text not in self.said and time.monotonic() < until:
            try:
                self.said += os.read(self.master, 65_536).decode()
            except OSError:  # the terminal's other end is closed
                break
        return self.said

    def press(self):
        """Press Ctrl-C."""
        os.write(self.master, b"\x03")

    def __exit__(self, *_):
        super().__exit__(*_)
        os.close(self.master)


def test_ctrl_c_in_a_terminal_ends_soon_and_says_so(home):
    """With a heatmap being computed from cold and a reader: within three seconds, in order."""
    with Terminal("--home", home) as program:
        address = re.search(r"http://\S+?:\d+", program.read("Ctrl-C ends it"))[0]
        heavy = [threading.Thread(target=_quietly, args=(f"{address}/api/v1/BTC/heat?window={k}d",)) for k in (16, 17, 18)]
        for each in heavy:
            each.start()
        time.sleep(0.2)
        start = time.monotonic()
        program.press()
        status = program.process.wait(20)
        assert time.monotonic() - start < 3.0
        said = program.read("never said", 1.0)
        for each in heavy:
            each.join()
    assert status == 0
    assert "ending; Ctrl-C again ends it at once" in said
    assert "Traceback" not in said
    assert "ERROR" not in said


def test_a_second_ctrl_c_ends_it_at_once(home):
    with Terminal("--home", home) as program:
        address = re.search(r"http://\S+?:\d+", program.read("Ctrl-C ends it"))[0]
        heavy = [threading.Thread(target=_quietly, args=(f"{address}/api/v1/BTC/heat?window={k}d",)) for k in (16, 17, 18)]
        for each in heavy:
            each.start()
        time.sleep(0.2)
        program.press()
        program.read("ending;")
        start = time.monotonic()
        program.press()
        status = program.process.wait(20)
        assert time.monotonic() - start < 0.5
        for each in heavy:
            each.join()
        assert status in (130, 0)  # 0: it had ended in order before the key was read


def test_ctrl_c_before_it_listens_is_an_interruption(tmp_path):
    with Terminal("--demo", "--folder", tmp_path) as program:
        program.read("simulating")
        program.press()
        assert program.process.wait(20) == 130
        assert "Traceback" not in program.read("never said", 1.0)


@pytest.mark.parametrize(
    ("longest_s", "presses", "status", "least", "most"), [(0.5, 1, 0, 0.4, 1.5), (30, 2, 130, 0.0, 1.0)], ids=["late", "twice"]
)
def test_what_hangs_is_left(longest_s, presses, status, least, most):
    """A job that never ends, on a thread and on the loop: it is left when its time is over, or at the second Ctrl-C."""
    program = f"""
import asyncio, threading, time
from liqscape.cli.ending import Ending
async def hang():
    ending.then(lambda: None)
    print("ready", flush=True)
    await asyncio.to_thread(time.sleep, 60)
with Ending(longest_s={longest_s}) as ending:
    asyncio.run(hang())
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    start = time.monotonic()
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert process.wait(10) == status
    assert least <= time.monotonic() - start <= most
    assert "ending; Ctrl-C again" in process.communicate()[1]


def _quietly(address):
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(address, timeout=30)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--host", "0.0.0.0"), 2, "needs a token"),
        (("--host", "0.0.0.0", "--token", "short"), 2, "at least 16"),
        (("--demo", "--record", "BTC"), 2, "not recorded"),
        (("--demo", "--top", "3"), 2, "not recorded"),
    ],
)
def test_what_is_not_safe_is_refused(home, capsys, words, status, said):
    assert main(["serve", "--home", str(home), *words]) == status
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(home, capsys):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status = main(["serve", "--home", str(home), "--port", str(taken.getsockname()[1])])
    assert status == 1
    assert "could not be opened" in capsys.readouterr().err


def test_it_records_beside(tmp_path):
    """`--record`: the names reach the recorder; what it stores is served, and its state is told by /health and /metrics."""
    with served(RehearsalExchange([Bybit(World(3, ("BTC",), forced_per_percent=120.0))])) as base:
        for key, venue in VENUES.items():
            for name, url in venue.facts.hosts.items():
                address = local_url(url, base) if key.startswith("bybit") else "http://127.0.0.1:9"
                settings.store(f"venue_urls.{key}.{name}", address, tmp_path)
        with Serving("--home", tmp_path, "--record", "BTC") as program:
            until, found = time.monotonic() + 20, []
            while time.monotonic() < until and not any(each["venues"].get("bybit_linear") == "live" for each in found):
                time.sleep(0.5)
                found = httpx.get(f"{program.address}/api/v1/health", timeout=10).json()["data"]["recorders"]
            assert found
            assert found[0]["alive"]
            assert found[0]["venues"]["bybit_linear"] in ("live", "partly")
            assert 'liqscape_recorder_up{writer="' in httpx.get(f"{program.address}/metrics").text
            seconds, status = program.end(signal.SIGTERM)
            assert status == 0
            assert seconds < 3.0
