"""An append-only journal before the tables: rows are safe on disk within milliseconds and are stored exactly once later.

A journal is a folder of segments, `0000000012.journal`, whose number is the batch number under which its rows go into the tables.
A segment is a run of records: a mark, length and CRC-32, then MessagePack of (table, columns, rows). Rows are acknowledged when
`write` returns: the file was flushed to disk. About once a minute the segment is closed (`rotate`), its rows are appended to the
tables and the file is removed (`commit`). A batch that the tables hold already is not stored again, so a kill between the two
does no harm; segments that a killed process left are committed by the next `open`. They are always committed in the order of
their numbers, because a table refuses a batch that is not above the last.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import polars as pl

from liqscape.errors import StoreError
from liqscape.store._lock import FolderLock
from liqscape.store.base import Store
from liqscape.store.schema import SCHEMAS, Table

Row = Sequence[Any]
_MARK = b"LqJ1"
_HEAD = struct.Struct("<4sII")
_LONGEST = 1 << 28
_SUFFIX = ".journal"
_TABLES = {table.value: table for table in Table}


class _Record(msgspec.Struct, array_like=True):
    table: str
    columns: list[str]
    rows: list[list[Any]]


_DECODER = msgspec.msgpack.Decoder(_Record)
_ENCODER = msgspec.msgpack.Encoder()


class Journal:
    """The journal of one writer; one process at a time. `write` and `commit` may run in different threads.

    Parameters
    ----------
    folder
        Where the segments lie; made by `open`.
    store
        Whose tables the rows go to.
    writer
        The store's name for this stream of batches.
    """

    def __init__(self, folder: Path, store: Store, writer: str) -> None:
        self.folder, self.writer = folder.absolute(), writer
        self.bytes_cut = 0  # of torn or damaged records, and
        self.rows_refused = 0  # rows that no table takes, kept beside as `NUMBER.refused`: both since this object was made
        self._store = store
        self._lock = FolderLock(self.folder, f"journal of {writer}")
        self._writing, self._committing = threading.Lock(), threading.Lock()
        self._file: BinaryIO | None = None
        self._path = self.folder
        self._good = 0  # bytes of the open segment that are acknowledged
        self._next = 0

    def open(self) -> int:
        """Take the lock, store what a former process left, begin a segment; return how many rows were left.

        Raises
        ------
        StoreError
            If another process holds this journal (its pid is named), or the folder or the tables cannot be written.
        """
        self._lock.take()
        try:
            left = self.commit()
            newest = [self._store.last_batch(table, self.writer) for table in Table]
            self._next = max([number for number in newest if number is not None], default=-1) + 1
        except BaseException:
            self._lock.release()
            raise
        return left

    def write(self, rows: Mapping[Table, Sequence[Row]]) -> int:
        """Add rows and flush them to disk; when it returns they are acknowledged. Returns how many.

        Parameters
        ----------
        rows
            Per table, values in the order of its columns.

        Raises
        ------
        StoreError
            If the disk did not take them: then none of these rows are acknowledged, all earlier ones are still there, and the
            same rows may be written again.
        """
        parts: list[bytes] = []
        count = 0
        for table, values in rows.items():
            if values:
                body = _ENCODER.encode((table.value, list(SCHEMAS[table].columns), values))
                parts += (_HEAD.pack(_MARK, len(body), zlib.crc32(body)), body)
                count += len(values)
        if not count:
            return 0
        with self._writing:
            try:
                file = self._file or self._begin()
                file.write(b"".join(parts))
                file.flush()
                os.fdatasync(file.fileno())
            except OSError as error:
                path = self._path
                self._undo()
                raise StoreError(
                    f"journal {path}: {count} rows could not be written: {error}",
                    hint="Look at free space and permissions; what was acknowledged before is safe.",
                ) from error
            self._good = file.tell()
        return count

    def rotate(self) -> None:
        """Close the open segment, so that the next `commit` stores it; nothing happens if it is empty."""
        with self._writing:
            self._end()

    def waiting(self) -> int:
        """Return how many closed segments are not in the tables yet."""
        return len(self._closed())

    def commit(self) -> int:
        """Put every closed segment into the tables, oldest first, and remove it; return how many rows were stored now.

        Raises
        ------
        StoreError
            If a table could not be written: its segment and all later ones stay for the next try.
        """
        stored = 0
        with self._committing:
            for path in self._closed():
                stored += self._commit(path)
                path.unlink(missing_ok=True)
        return stored

    def close(self) -> None:
        """Store everything and give the lock back; also after an error the lock is given back."""
        try:
            self.rotate()
            self.commit()
        finally:
            self._lock.release()

    def abandon(self) -> None:
        """Close the file and give the lock back without storing: the segments wait for the next `open`."""
        with self._writing, suppress(OSError):
            self._end()
        self._lock.release()

    def _begin(self) -> BinaryIO:
        # Named before it is there, so that nobody takes it for a closed one.
        self._path = self.folder / f"{self._next:010d}{_SUFFIX}"
        self._file = self._path.open("xb", buffering=1 << 20)
        self._good = 0
        self._next += 1
        _flush_folder(self.folder)
        return self._file

    def _end(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
        self._path = self.folder

    def _undo(self) -> None:
        """Cut a write that failed off the segment and close it; the next write begins another."""
        file, self._file = self._file, None
        with suppress(OSError):
            if file is not None:
                file.close()
        with suppress(OSError):
            if file is not None:
                os.truncate(self._path, self._good)
            if not self._path.stat().st_size:
                self._path.unlink()  # also one that was made and could not be opened
        self._path = self.folder

    def _closed(self) -> list[Path]:
        """Return the segments that nobody writes to; asked without the lock of writing, so the open one is asked for last."""
        found = sorted(self.folder.glob(f"*{_SUFFIX}"))
        return [path for path in found if path != self._path]

    def _commit(self, path: Path) -> int:
        """Append the rows of one segment to every table that it has rows of."""
        frames: dict[Table, list[pl.DataFrame]] = {}
        try:
            whole = path.read_bytes()
        except OSError as error:
            raise StoreError(f"journal {path}: {error}", hint="Look at permissions of the folder.") from error
        for record in self._records(whole):
            if (table := _TABLES.get(record.table)) is not None:
                frames.setdefault(table, []).append(_frame(table, record))
        stored = 0
        for table, parts in frames.items():
            frame = self._fit(table, pl.concat(parts), path)
            if self._store.append(table, frame, writer=self.writer, batch=int(path.stem)):
                stored += frame.height
        return stored

    def _fit(self, table: Table, frame: pl.DataFrame, path: Path) -> pl.DataFrame:
        """Return the rows that the table takes: one bad row must not hold up all that came with it, for ever."""
        bad = pl.any_horizontal(pl.col(name).is_null() for name in SCHEMAS[table].required)
        if not (count := frame.filter(bad).height):
            return frame
        self.rows_refused += count
        with suppress(OSError):
            path.with_suffix(".refused").write_bytes(path.read_bytes())
        return frame.filter(~bad)

    def _records(self, whole: bytes) -> Iterator[_Record]:
        """Yield the whole records; what is torn or damaged is passed over up to the next mark, and counted."""
        at = 0
        while at < len(whole):
            record, end = _record_at(whole, at)
            if record is None:
                following = whole.find(_MARK, at + 1)
                end = following if following >= 0 else len(whole)
                self.bytes_cut += end - at
            else:
                yield record
            at = end


def _record_at(whole: bytes, at: int) -> tuple[_Record | None, int]:
    """Read the record at a place; None if there is none that is whole."""
    if at + _HEAD.size > len(whole):
        return None, at
    mark, length, check = _HEAD.unpack_from(whole, at)
    begin, end = at + _HEAD.size, at + _HEAD.size + length
    if mark != _MARK or length > _LONGEST or end > len(whole) or zlib.crc32(whole[begin:end]) != check:
        return None, at
    try:
        return _DECODER.decode(whole[begin:end]), end
    except msgspec.MsgspecError:
        return None, at


def _frame(table: Table, record: _Record) -> pl.DataFrame:
    """Return a record's rows as the table's frame; columns that another version wrote and this one has not are left out."""
    columns = SCHEMAS[table].columns
    given = dict(zip(record.columns, zip(*record.rows, strict=True), strict=True))
    height = len(record.rows)
    return pl.DataFrame(
        [pl.Series(name, given.get(name, [None] * height), dtype, strict=False) for name, dtype in columns.items()]
    )


def _flush_folder(folder: Path) -> None:
    """Put a folder's list of files on disk: a new file is not safe without it. Windows has no such call."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
