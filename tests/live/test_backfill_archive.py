"""Bulk files from a server on loopback: checksums, cut downloads, ranges, months that are not there yet."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from liqscape.clock import parse_instant
from liqscape.engine.backfill import fetch_archives
from liqscape.engine.workspace import Workspace
from liqscape.errors import NoData, VenueError
from liqscape.model import InstrumentId
from liqscape.store import Table
from liqscape.units import NS_PER_DAY
from liqscape.venues.binance.payloads import Dataset

START = parse_instant("2024-03-01")
NOW = parse_instant("2024-04-02 12:00")
BTC = InstrumentId("binance", "BTCUSDT")


def zipped(name: str, text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name.replace(".zip", ".csv"), text)
    return out.getvalue()


def klines(day: int) -> str:
    head = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
    rows: list[str] = []
    for minute in range(1440):
        at, price = (START + day * NS_PER_DAY) // 10**6 + minute * 60_000, 60_000 + minute % 7
        rows.append(f"{at},{price},{price + 5},{price - 5},{price + 1},3.5,{at + 59_999},210000,12,1.5,90000,0")
    return head + "\n".join(rows) + "\n"


def metrics(day: int) -> str:
    head = (
        "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
        "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
    )
    rows = [
        f"2024-03-{day + 1:02d} {i // 12:02d}:{i % 12 * 5:02d}:00,BTCUSDT,{80_000 + i},4800000000,1.1,1.2,1.3,0.9"
        for i in range(288)
    ]
    return head + "\n".join(rows) + "\n"


@dataclass
class Archive:
    """Files by path; `broken` says how often a path is served wrong, `cut` at how many bytes a body breaks off, once."""

    files: dict[str, bytes] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    ranged: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def put(self, path: str, body: bytes) -> None:
        name = path.rpartition("/")[2]
        self.files[path] = body
        self.files[f"{path}.CHECKSUM"] = f"{hashlib.sha256(body).hexdigest()}  {name}\n".encode()

    def day(self, number: int) -> None:
        date = f"2024-03-{number + 1:02d}"
        for dataset, text in (("klines", klines(number)), ("metrics", metrics(number))):
            name = f"BTCUSDT-{'1m' if dataset == 'klines' else 'metrics'}-{date}.zip"
            inner = "/1m" if dataset == "klines" else ""
            self.put(f"/data/futures/um/daily/{dataset}/BTCUSDT{inner}/{name}", zipped(name, text))


@contextmanager
def served(archive: Archive) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            span = self.headers.get("range")
            archive.asked.append((self.path, span))
            body = archive.files.get(self.path)
            if body is None:
                self.send_response(404)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            if archive.broken.get(self.path, 0) > 0:
                archive.broken[self.path] -= 1
                body = body[:60] + bytes([body[60] ^ 255]) + body[61:]
            first = int(span.removeprefix("bytes=").rstrip("-")) if span and archive.ranged else 0
            self.send_response(206 if first else 200)
            self.send_header("content-length", str(len(body) - first))
            self.end_headers()
            end = archive.cut.pop(self.path, len(body))
            self.wfile.write(body[first:end])
            if end < len(body):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(home, base, *, days=2, datasets=(Dataset.KLINES, Dataset.METRICS)):
    return asyncio.run(
        fetch_archives(
            Workspace(home),
            ("BTCUSDT",),
            start_ns=START,
            end_ns=START + days * NS_PER_DAY,
            base=base,
            datasets=datasets,
            now_ns=lambda: NOW,
            pause_s=0.01,
        )
    )


@pytest.fixture
def two_days() -> Archive:
    archive = Archive()
    archive.day(0)
    archive.day(1)
    return archive


def rows(home, table):
    return Workspace(home).store.read(table, BTC).height


def test_files_are_fetched_once_and_imported(tmp_path, two_days):
    with served(two_days) as base:
        report = fetch(tmp_path, base)
        assert (report.downloaded, report.failures, report.missing) == (4, (), ())
        # Open interest at a bar's end, once: 288 stamps a day.
        assert (rows(tmp_path, Table.BARS), rows(tmp_path, Table.OPEN_INTEREST)) == (2 * 1440, 2 * 288)
        two_days.asked.clear()
        again = fetch(tmp_path, base)
    assert (again.imported_before, again.downloaded, two_days.asked) == (4, 0, [])
    assert rows(tmp_path, Table.BARS) == 2 * 1440


@pytest.mark.parametrize("ranged", [True, False])
def test_a_cut_download_goes_on(tmp_path, two_days, ranged):
    path = next(path for path in two_days.files if "klines" in path and path.endswith(".zip"))
    two_days.cut[path], two_days.ranged = 5_000, ranged
    with served(two_days) as base:
        report = fetch(tmp_path, base)
    assert report.failures == ()
    assert (path, "bytes=5000-") in two_days.asked
    # With ranges only the rest was sent, without them all of it again.
    whole = sum(len(body) for name, body in two_days.files.items() if name.endswith(".zip"))
    assert report.bytes_read == (whole if ranged else whole + 5_000)
    assert rows(tmp_path, Table.BARS) == 2 * 1440


def test_a_wrong_checksum_is_fetched_once_more(tmp_path, two_days):
    path = next(path for path in two_days.files if "metrics" in path and path.endswith(".zip"))
    two_days.broken[path] = 1
    with served(two_days) as base:
        report = fetch(tmp_path, base)
    assert report.failures == ()
    assert [asked for asked, _ in two_days.asked].count(path) == 2


def test_a_checksum_that_stays_wrong_is_an_error_that_names_the_file(tmp_path, two_days):
    path = next(path for path in two_days.files if "metrics" in path and path.endswith("-02.zip"))
    two_days.broken[path] = 9
    with served(two_days) as base:
        report = fetch(tmp_path, base)
    (failure,) = report.failures
    assert "BTCUSDT-metrics-2024-03-02.zip" in failure
    assert "SHA-256" in failure
    assert [asked for asked, _ in two_days.asked].count(path) == 2
    # The good files are stored; nothing of the bad one, and no trace of it on disk.
    assert (rows(tmp_path, Table.BARS), rows(tmp_path, Table.OPEN_INTEREST)) == (2 * 1440, 288)
    assert list((tmp_path / "archive").rglob("*.part")) == []


def test_a_month_that_is_not_there_is_fetched_by_its_days(tmp_path):
    archive = Archive()
    for number in range(31):
        archive.day(number)
    del archive.files["/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-03-07.zip.CHECKSUM"]
    with served(archive) as base:
        report = fetch(tmp_path, base, days=31, datasets=(Dataset.KLINES,))
    assert archive.asked[0][0].endswith("BTCUSDT-1m-2024-03.zip.CHECKSUM")
    assert report.downloaded == 30
    assert report.missing == ("BTCUSDT-1m-2024-03-07.zip",)
    assert rows(tmp_path, Table.BARS) == 30 * 1440


def test_an_archive_that_is_not_there_is_said_once(tmp_path, two_days):
    with pytest.raises(VenueError, match="not reached"):
        fetch(tmp_path, "http://127.0.0.1:9", days=20)
    with served(Archive()) as base, pytest.raises(NoData, match="it has none of 4 files"):
        fetch(tmp_path, base)
