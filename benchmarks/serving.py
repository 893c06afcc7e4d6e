"""The server: readers of the stream on one core, answers that are warm, bytes of the first view, memory over an hour.

`python -m benchmarks serving` measures on a simulated month of five-minute bars; `python -m benchmarks.serving HOME [AS_OF]`
measures the answers and the bytes on a home of your own, such as the real market. The server of the stream runs in a process
that is pinned to one core, its readers in this one on the others.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.measure import Measured
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, NS_PER_MINUTE

CLIENTS, RATE_HZ, SECONDS, FRAME = 500, 10, 10, 2_000
COLUMNS = 8_640
CHART_PIXELS = 1_600
MINUTES = 60


def serving() -> list[Measured]:
    """Measure everything on simulated data."""
    with tempfile.TemporaryDirectory() as folder:
        home = _month(Path(folder))
        return [*stream(home), *answers(home, None), *an_hour(Path(folder))]


def stream(home: Path) -> list[Measured]:
    """500 readers, each of whom gets ten frames of two kilobytes a second from one core."""
    cores = sorted(os.sched_getaffinity(0))
    with _server(home, cores[0]) as (address, process):
        if len(cores) > 1:
            os.sched_setaffinity(0, set(cores[1:]))
        try:
            before = _cpu_s(process.pid)
            late, got = asyncio.run(_listen(address.removeprefix("http://")))
            used = _cpu_s(process.pid) - before
        finally:
            os.sched_setaffinity(0, set(cores))
    due = CLIENTS * RATE_HZ * SECONDS
    ms = np.sort(np.array(late)) * 1e3
    return [
        Measured(f"stream, {CLIENTS} readers at {RATE_HZ} frames/s: p99 late", "ms", *_both(ms, 99), len(late), 100.0),
        Measured("same: share delivered (the rest skipped)", "", got / due, got / due, 1, 0.95, more_is_better=True),
        Measured("same: processor time of the server for a frame", "us", *[used / max(got, 1) * 1e6] * 2, got),
    ]


def _cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _both(values: np.ndarray[tuple[int], np.dtype[np.float64]], q: float) -> tuple[float, float]:
    return float(np.percentile(values, q)), float(np.percentile(values, 50))


class _Reader(asyncio.Protocol):
    """A WebSocket client that does as little as one can, so that the server is measured and not its readers."""

    def __init__(self, host: str, late: list[float]) -> None:
        self._host, self._late = host, late
        self._held = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        lines = (
            "GET /api/v1/stream?topics=heat.BENCH HTTP/1.1",
            f"Host: {self._host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        )
        transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Read whole frames; the server's are never masked."""
        held = self._held + data if self._held else data
        if not self.opened.done():
            head, end, held = held.partition(b"\r\n\r\n")
            if not end:
                self._held = head
                return
            self.opened.set_result(None)
        at = 0
        while len(held) - at >= 4:
            size, start = held[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(held[at + 2 : at + 4]), at + 4
            if len(held) < start + size:
                break
            if size == FRAME:
                self._late.append(time.time() - struct.unpack_from("<d", held, start)[0])
            at = start + size
        self._held = held[at:]


async def _listen(host: str) -> tuple[list[float], int]:
    late: list[float] = []
    name, _, port = host.partition(":")
    loop = asyncio.get_running_loop()
    open_now: list[asyncio.BaseTransport] = []
    for _ in range(CLIENTS):
        transport, reader = await loop.create_connection(lambda: _Reader(host, late), name, int(port))
        await reader.opened
        open_now.append(transport)
    late.clear()
    await asyncio.sleep(SECONDS)
    found = list(late)
    for transport in open_now:
        transport.close()
    return found, len(found)


def answers(home: Path, as_of: str | None) -> list[Measured]:
    """Cold and warm answers, and the bytes of the first view."""
    words = "" if as_of is None else f"?as_of={as_of}"
    with _server(home, None) as (address, _):
        api = f"{address}/api/v1"
        cold_s, _ = _get(f"{api}/BTC/heat{words}")
        _, packed = _get(f"{api}/BTC/map{words}")
        warm = np.array([_get(f"{api}/BTC/map{words}")[0] for _ in range(1000)]) * 1e3
        spaced: list[float] = []
        for _ in range(10):
            time.sleep(1.3)
            spaced.append(_get(f"{api}/BTC/map{words}")[0] * 1e3)
        grid = json.loads(_plain(f"{api}/BTC/heat{words}"))["data"]
        tiles = {level: sum(_tile(api, grid, level)) for level in range(grid["levels"])}
        view = len(_get(f"{api}/BTC/heat{words}")[1]) + len(_get(f"{api}/heat/{grid['grid']}/candles")[1])
        level = next(k for k in range(grid["levels"]) if grid["columns"] >> k <= CHART_PIXELS)
        size = f"{grid['columns']:,} x {grid['rows']:,} cells"
        return [
            Measured(f"first heatmap of {size}, cold", "s", cold_s, cold_s, 1),
            Measured("GET /map, warm: p99 of 1,000", "ms", *_both(np.sort(warm), 99), warm.size, 30.0),
            Measured("GET /map, warm, asked every 1.3 s: median", "ms", *_both(np.sort(spaced), 50), len(spaced), 30.0),
            Measured("GET /map, packed with zstd", "kB", *[len(packed) / 1e3] * 2, 1, 30.0),
            Measured(
                f"first view of {size}: grid, candles, tiles of level {level}", "kB", *[(view + tiles[level]) / 1e3] * 2, 1, 400.0
            ),
            Measured("its whole finest level", "kB", *[tiles[0] / 1e3] * 2, 1, 750.0),
        ]


def _tile(api: str, grid: dict[str, object], level: int) -> list[int]:
    first, last = grid["tiles"][level]  # type: ignore[index]
    return [len(_get(f"{api}/heat/{grid['grid']}/{level}/{index}")[1]) for index in range(first, last + 1)]


def an_hour(folder: Path) -> list[Measured]:
    """An hour of a simulated market in some seconds, read by the topics now, map and heat all the while."""
    call = [sys.executable, "-m", "benchmarks.serving", "--hour", str(folder / "market")]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    first, last, peak = (float(part) for part in done.stdout.split())
    return [
        Measured("memory of the server after ten simulated minutes", "MB", first, first, 1),
        Measured("same after an hour", "MB", last, last, 1, first + 150.0),
        Measured("same, largest", "MB", peak, peak, 1),
    ]


def _hour(folder: Path) -> None:
    """Step a market minute by minute; print memory after ten minutes, after an hour, and the largest, MB."""
    from liqscape.cli.demo_market import DemoMarket
    from liqscape.server.app import Server
    from liqscape.server.deltas import delta
    from liqscape.server.options import Options
    from liqscape.server.routes import live_grid, snapshot

    at = 20_400 * NS_PER_DAY + NS_PER_HOUR
    market = DemoMarket(folder, at_ns=at, past_days=35)
    server = Server(Options(home=market.home))
    seen, held = [], None
    for minute in range(1, MINUTES + 1):
        market.step(at + minute * NS_PER_MINUTE)
        time.sleep(0.6)  # the version of the store is looked up twice a second
        for topic in ("now", "map", "health"):
            snapshot(server, topic, "BTC").body().packed("zstd")
        grid = live_grid(server, "BTC")
        if held is not None:
            delta(held, grid)
        held = grid
        for level in range(len(grid.pyramid.levels)):
            server.heat.body(grid.name, level, grid.pyramid.tiles(level)[-1]).packed("zstd")
        seen.append(_memory_mb())
    print(seen[9], seen[-1], max(seen))


def _memory_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _get(address: str) -> tuple[float, bytes]:
    asked = urllib.request.Request(address, headers={"Accept-Encoding": "zstd"})
    start = time.perf_counter()
    with urllib.request.urlopen(asked, timeout=300) as answer:
        body = answer.read()
    return time.perf_counter() - start, body


def _plain(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=300) as answer:
        return answer.read()


@contextmanager
def _server(home: Path, core: int | None) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """Run a server in a process of its own, on one core if asked; it also publishes frames to the topic heat.BENCH."""
    call = [sys.executable, "-m", "benchmarks.serving", "--serve", str(home), "" if core is None else str(core)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.terminate()
        process.wait(20)


def _serve(home: Path, core: str) -> None:
    import uvicorn

    from liqscape.server.app import create_app
    from liqscape.server.options import Options

    if core:
        os.sched_setaffinity(0, {int(core)})
    app = create_app(Options(home=home, requests_per_minute=10**9))
    hub = app.state.server.hub
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws_per_message_deflate=False))

    async def publish() -> None:
        while not server.started:
            await asyncio.sleep(0.02)
        print(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", flush=True)
        due = time.monotonic()
        while not server.should_exit:
            due += 1.0 / RATE_HZ
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            hub.send_frame("heat.BENCH", struct.pack("<d", time.time()) + bytes(FRAME - 8))

    async def run() -> None:
        await asyncio.gather(server.serve(), publish())

    asyncio.run(run())


def _month(folder: Path) -> Path:
    from liqscape.engine.importer import import_paths
    from liqscape.engine.workspace import Workspace
    from liqscape.testing.market import MarketConfig, SimulatedMarket, write_dataset

    run = SimulatedMarket(MarketConfig(days=45), seed=3).run()
    workspace = Workspace(folder / "home")
    for name in import_paths(workspace.store, [write_dataset(run, folder / "dataset")]).simulated_instruments:
        workspace.mark_simulated(name)
    return folder / "home"


def main(words: list[str]) -> None:
    """Serve for a measurement, run the hour, or measure a home."""
    if words[:1] == ["--serve"]:
        _serve(Path(words[1]), words[2])
        return
    if words[:1] == ["--hour"]:
        _hour(Path(words[1]))
        return
    from benchmarks.__main__ import row

    home = Path(words[0])
    print(f"load {os.getloadavg()[0]:.1f}")
    for found in [*stream(home), *answers(home, words[1] if len(words) > 1 else None)]:
        print(" | ".join(row(found)))


if __name__ == "__main__":
    main(sys.argv[1:])
