"""Raw frames on disk, as they came, and played back through the same sessions.

A tape is a folder: `tape.json` (instruments per adapter, begin), and per adapter, stream, line and UTC hour one gzip file of
frames: 8 bytes ns UTC of arrival, 4 bytes length (top bit: text), the frame; little-endian. A file that was cut by a crash is
read up to its last whole frame. Answers to requests are not taped: what they tell can be asked for again.
"""

from __future__ import annotations

import gzip
import heapq
import struct
import zlib
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, cast

import msgspec

from liqscape.clock import now_ns
from liqscape.errors import BadArgument, CorruptRecord, NoData
from liqscape.model import InstrumentSpec, Record
from liqscape.units import NS_PER_HOUR, NS_PER_S
from liqscape.venues.base import Session, Specs, Venue
from liqscape.venues.feed import Batch, OnCorrupt
from liqscape.venues.registry import VENUES
from liqscape.venues.repeats import Repeats
from liqscape.venues.transport import LONGEST_FRAME

VERSION = 1
_HEAD = struct.Struct("<qI")
_TEXT = 1 << 31
_FLUSH_NS = 5 * NS_PER_S
_LABEL = "tape.json"


class _Label(msgspec.Struct):
    version: int
    begin_ns: int
    specs: dict[str, list[InstrumentSpec]]


class _Reel:
    """The open file of one line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = cast("IO[bytes]", gzip.open(path, "ab", compresslevel=3))  # noqa: SIM115 closed by the writer
        self.flushed_ns = 0


class TapeWriter:
    """Writes frames; give `write` to `Feed(tape=...)`.

    Parameters
    ----------
    folder
        Made if it is not there; a tape that lies there is continued.
    specs
        The instruments of each adapter, by key; playing needs them.

    Raises
    ------
    BadArgument
        If something else lies in the folder.
    """

    def __init__(self, folder: Path, specs: Mapping[str, Specs]) -> None:
        self.folder = folder
        self._reels: dict[tuple[str, str, int], tuple[int, _Reel]] = {}
        label = folder / _LABEL
        if folder.exists() and any(folder.iterdir()) and not label.exists():
            raise BadArgument(f"tape: {folder} holds other files", hint="Name an empty folder or one that holds a tape.")
        folder.mkdir(parents=True, exist_ok=True)
        known = _read_label(folder) if label.exists() else _Label(VERSION, now_ns(), {})
        for key, wanted in specs.items():
            held = {spec.id: spec for spec in known.specs.get(key, [])} | {spec.id: spec for spec in wanted.values()}
            known.specs[key] = [held[name] for name in sorted(held)]
        label.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=1))

    def write(self, key: str, stream: str, line: int, recv_ns: int, frame: str | bytes) -> None:
        """Add one frame."""
        hour = recv_ns // NS_PER_HOUR
        held = self._reels.get((key, stream, line))
        if held is None or held[0] != hour:
            if held is not None:
                held[1].file.close()
            path = self.folder / key / f"{stream}.{line}.{hour * NS_PER_HOUR // NS_PER_S}.frames.gz"
            held = self._reels[key, stream, line] = (hour, _Reel(path))
        reel = held[1]
        body, flag = (frame.encode(), _TEXT) if isinstance(frame, str) else (frame, 0)
        reel.file.write(_HEAD.pack(recv_ns, len(body) | flag) + body)
        if recv_ns - reel.flushed_ns > _FLUSH_NS:
            reel.file.flush()
            reel.flushed_ns = recv_ns

    def close(self) -> None:
        """Close all files."""
        for _, reel in self._reels.values():
            reel.file.close()
        self._reels.clear()

    def __enter__(self) -> TapeWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def tape_specs(folder: Path) -> dict[str, dict[str, InstrumentSpec]]:
    """Return the instruments of a tape: adapter key -> symbol -> spec."""
    return {key: {spec.id.symbol: spec for spec in specs} for key, specs in _read_label(folder).specs.items()}


def frames(folder: Path) -> Iterator[tuple[int, str, str, int, str | bytes]]:
    """Yield (recv_ns, key, stream, line, frame) of a whole tape in order of arrival."""
    lines: dict[tuple[str, str, int], list[tuple[int, Path]]] = {}
    for path in sorted(folder.glob("*/*.frames.gz")):
        stream, line, second = path.name.removesuffix(".frames.gz").rsplit(".", 2)
        lines.setdefault((path.parent.name, stream, int(line)), []).append((int(second), path))

    def one(key: str, stream: str, line: int, paths: list[tuple[int, Path]]) -> Generator[tuple[int, str, str, int, str | bytes]]:
        for _, path in sorted(paths):
            for recv_ns, frame in _frames_of(path):
                yield recv_ns, key, stream, line, frame

    parts = [one(key, stream, line, paths) for (key, stream, line), paths in sorted(lines.items())]
    return heapq.merge(*parts, key=lambda item: item[0])


def play(folder: Path, venues: Mapping[str, Venue] | None = None, on_corrupt: OnCorrupt | None = None) -> Iterator[Batch]:
    """Yield what the sessions make of a tape, in order of arrival: the same batches that the feed gave.

    Every line begins with a fresh session; a reconnect on the tape is continued by the same one.

    Parameters
    ----------
    venues
        Adapters by key; default: all of this program.

    Raises
    ------
    NoData
        If the tape holds no frame of a known adapter.
    """
    known = VENUES if venues is None else venues
    specs = tape_specs(folder)
    sessions: dict[tuple[str, str, int], tuple[Session, Repeats]] = {}
    makers = {(key, stream.name): stream.session for key in specs if key in known for stream in known[key].streams(specs[key])}
    played = False
    for recv_ns, key, stream, line, frame in frames(folder):
        maker = makers.get((key, stream))
        if maker is None:
            continue
        played = True
        held = sessions.get((key, stream, line))
        if held is None:
            held = sessions[key, stream, line] = (maker(), Repeats())
        session, repeats = held
        try:
            parsed = session.receive(frame, recv_ns).records
        except CorruptRecord as error:
            parsed = [error]
        records: list[Record] = []
        for record in parsed:
            if not isinstance(record, CorruptRecord):
                records.append(record)
            elif on_corrupt is not None:
                on_corrupt(key, stream, frame, record)
        if records and not repeats.again(frame, records):
            yield Batch(key, stream, line, recv_ns, records)
    if not played:
        raise NoData(f"tape: {folder} holds no frame of a known adapter", hint=f"Its adapters: {', '.join(specs) or 'none'}.")


def _frames_of(path: Path) -> Generator[tuple[int, str | bytes]]:
    """Read one file up to its last whole frame."""
    with gzip.open(path, "rb") as file:
        try:
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                recv_ns, length = _HEAD.unpack(head)
                size = length & ~_TEXT
                if size > LONGEST_FRAME:
                    raise CorruptRecord(f"tape {path}: a frame of {size} bytes", hint="The file is damaged; remove it.")
                body = file.read(size)
                if len(body) < size:
                    return
                yield recv_ns, body.decode(errors="replace") if length & _TEXT else body
        except (EOFError, zlib.error, gzip.BadGzipFile):
            return  # cut by a crash: what came before is whole


def _read_label(folder: Path) -> _Label:
    try:
        label = msgspec.json.decode((folder / _LABEL).read_bytes(), type=_Label)
    except FileNotFoundError:
        raise NoData(f"tape: {folder} has no {_LABEL}", hint="Name a folder that `liqscape record --tape` wrote.") from None
    except msgspec.DecodeError as error:
        raise CorruptRecord(f"tape: {folder / _LABEL}: {error}", hint="Its instruments cannot be known without it.") from None
    if label.version != VERSION:
        raise CorruptRecord(f"tape: {folder}: version {label.version}, this program reads {VERSION}")
    return label
