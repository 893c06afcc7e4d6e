"""Binance's bulk files: which there are, downloaded with their checksums, cut-off ones continued, then imported as files are.

They hold what the API forgets: open interest by five minutes (`metrics`) for years, where the API keeps thirty days.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

import liqscape.clock as clock
from liqscape.engine.importer import ImportReport, import_paths
from liqscape.engine.workspace import Workspace
from liqscape.errors import CorruptRecord, LiqscapeError, NoData, Unreachable, VenueError
from liqscape.venues.binance.addresses import ArchiveFile, archive_files, days_of, read_checksum
from liqscape.venues.binance.payloads import Dataset

NAMESPACE = "archive"  # of the small state: checksum by path of the files that were imported
DATASETS = (Dataset.KLINES, Dataset.MARK, Dataset.METRICS)
AT_ONCE = 4
TRIES = 5
_LOST_IN_A_ROW = 4  # files that could not be reached one after the other: the rest would not be either
FIRST_BACK_OFF_S = 0.5
_TIMEOUT_S = 30.0
_SUFFIX = ".part"


@dataclass(frozen=True)
class ArchiveProgress:
    """Files that are done of all that are wanted, bytes downloaded, and the newest one."""

    file: str
    files_done: int
    files: int
    bytes_read: int


@dataclass(frozen=True)
class ArchiveReport:
    """What became of the files.

    Parameters
    ----------
    downloaded, kept, imported_before
        Files fetched now; that lay on disk already; that were imported by an earlier run and not looked at again.
    missing
        Files that the archive does not have (yet), by name.
    failures
        What could not be had, in words.
    imported
        What the importer says of the files; None if there was nothing to import.
    """

    downloaded: int
    kept: int
    imported_before: int
    bytes_read: int
    missing: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    imported: ImportReport | None = None

    @property
    def came(self) -> bool:
        """Whether any file was had, now or before."""
        return bool(self.downloaded or self.kept or self.imported_before)


@dataclass
class _Run:
    """One download of many files."""

    base: str
    folder: Path
    http: httpx.AsyncClient
    pause_s: float
    progress: Callable[[ArchiveProgress], None] | None
    files: int = 0
    done: int = 0
    bytes_read: int = 0
    downloaded: int = 0
    kept: int = 0
    missing: list[str] = field(default_factory=list[str])
    failures: list[str] = field(default_factory=list[str])
    lost: int = 0
    ready: dict[str, tuple[Path, str]] = field(default_factory=dict[str, tuple[Path, str]])

    def tell(self, name: str) -> None:
        if self.progress is not None:
            self.progress(ArchiveProgress(name, self.done, self.files, self.bytes_read))


class _Absent(Exception):
    """The archive does not have the file."""


async def fetch_archives(
    workspace: Workspace,
    symbols: Sequence[str],
    *,
    start_ns: int,
    end_ns: int | None = None,
    base: str | None = None,
    datasets: Sequence[Dataset] = DATASETS,
    progress: Callable[[ArchiveProgress], None] | None = None,
    now_ns: Callable[[], int] = clock.now_ns,
    pause_s: float = FIRST_BACK_OFF_S,
    http: httpx.AsyncClient | None = None,
) -> ArchiveReport:
    """Download what the archive holds of USD-M symbols and import it.

    Parameters
    ----------
    symbols
        Such as `BTCUSDT`.
    start_ns, end_ns
        ns UTC; a day that is touched is taken whole. Months come in one file where they are over and wanted whole.
    base
        Address of the archive; default: the setting `archive_url`.
    pause_s
        First pause after a lost connection; it doubles.
    http
        Default: a client of its own.

    Raises
    ------
    VenueError
        If no file could be had and not because the archive lacks it.
    NoData
        If the archive has none of the files.
    """
    wanted: list[ArchiveFile] = []
    for symbol in symbols:
        for dataset in datasets:
            wanted += archive_files(symbol, dataset, start_ns, end_ns or now_ns(), now_ns=now_ns())
    before = {name for name, digest in workspace.state.items(NAMESPACE).items() if digest}
    todo = [file for file in wanted if file.path not in before]
    own = http or httpx.AsyncClient(follow_redirects=True, headers={"user-agent": "liqscape"}, timeout=_TIMEOUT_S)
    run = _Run(
        (base or workspace.settings.archive_url).rstrip("/"), workspace.home / "archive", own, pause_s, progress, len(todo)
    )
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(file: ArchiveFile) -> None:
        async with turn:
            await _file(run, file)

    try:
        await asyncio.gather(*(one(file) for file in todo))
    finally:
        if http is None:
            await own.aclose()
    report = ArchiveReport(
        downloaded=run.downloaded,
        kept=run.kept,
        imported_before=len(wanted) - len(todo),
        bytes_read=run.bytes_read,
        missing=tuple(sorted(run.missing)),
        failures=tuple(run.failures),
        imported=await asyncio.to_thread(_import, workspace, run),
    )
    if not report.came and report.failures:
        raise VenueError(f"archive {run.base}: {report.failures[0]}", hint="Run the same command again: it goes on.")
    if not report.came:
        names = ", ".join(report.missing[:3])
        raise NoData(f"archive {run.base}: it has none of {len(report.missing)} files ({names} ...)", hint="Check the symbol.")
    return report


def _import(workspace: Workspace, run: _Run) -> ImportReport | None:
    """Import the files that are whole, and remember them so that the next run passes over them."""
    if not run.ready:
        return None
    report = import_paths(workspace.store, [path for path, _ in run.ready.values()])
    refused = {file.file.partition("!")[0] for file in report.files if file.refused is not None}
    good = {name: digest for name, (path, digest) in run.ready.items() if str(path) not in refused}
    workspace.state.set_many(NAMESPACE, good)
    return report


async def _file(run: _Run, file: ArchiveFile) -> None:
    """Get one file; a month that is not there is fetched by its days."""
    if run.lost >= _LOST_IN_A_ROW:
        return
    try:
        await _whole(run, file)
        run.lost = 0
    except _Absent:
        run.lost = 0
        if file.monthly:
            days = days_of(file)
            run.files += len(days)
            for day in days:
                await _file(run, day)
        else:
            run.missing.append(file.name)
    except LiqscapeError as error:
        run.lost += isinstance(error, Unreachable)
        run.failures.append(error.message)
    run.done += 1
    run.tell(file.name)


async def _whole(run: _Run, file: ArchiveFile) -> None:
    """Have one file with the right checksum on disk; one that does not match is fetched once more from its beginning."""
    path = run.folder / file.path.removeprefix("/data/").lstrip("/")
    digest = read_checksum((await _small(run, file.checksum_path)).decode(errors="replace"), file.name)
    if path.is_file() and await asyncio.to_thread(_digest, path) == digest:
        run.kept += 1
        run.ready[file.path] = (path, digest)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + _SUFFIX)
    found = ""
    for _ in range(2):
        await _download(run, file, part)
        found = await asyncio.to_thread(_digest, part)
        if found == digest:
            part.replace(path)
            run.downloaded += 1
            run.ready[file.path] = (path, digest)
            return
        part.unlink()
    raise CorruptRecord(
        f"{run.base}{file.path}: its SHA-256 is {found[:16]}..., the archive's own .CHECKSUM says {digest[:16]}..., twice",
        hint="The file is not used. Run the same command later, or look at the file in a browser.",
        context={"file": file.name, "expected": digest, "found": found},
    )


async def _download(run: _Run, file: ArchiveFile, part: Path) -> None:
    """Download into `part`, going on behind what is there where the server can, until the whole was received."""
    url, last = run.base + file.path, Unreachable(file.name)
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(run.pause_s * 2.0 ** (attempt - 1))
        have = part.stat().st_size if part.exists() else 0
        try:
            async with run.http.stream("GET", url, headers={"range": f"bytes={have}-"} if have else {}) as answer:
                if answer.status_code == 416:
                    return  # nothing is left behind what is there; the checksum judges it
                if answer.status_code in (403, 404):
                    raise _Absent
                if answer.status_code not in (200, 206):
                    last = Unreachable(f"{url}: HTTP {answer.status_code}")
                    continue
                with part.open("ab" if answer.status_code == 206 else "wb") as out:
                    # As it arrives: what is gathered into larger chunks would be lost with the connection.
                    async for chunk in answer.aiter_raw():
                        out.write(chunk)
                        run.bytes_read += len(chunk)
                return
        except (httpx.HTTPError, OSError) as error:
            last = Unreachable(f"{url}: {type(error).__name__}: {error}", hint="Run the same command again: it goes on.")
    raise last


async def _small(run: _Run, path: str) -> bytes:
    url, last = run.base + path, Unreachable(path)
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(run.pause_s * 2.0 ** (attempt - 1))
        with suppress(httpx.HTTPError):
            answer = await run.http.get(url)
            if answer.status_code in (403, 404):
                raise _Absent
            if answer.status_code == 200:
                return answer.content
            last = Unreachable(f"{url}: HTTP {answer.status_code}")
            continue
        last = Unreachable(f"{url}: not reached", hint="Is this machine connected?")
    raise last


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
