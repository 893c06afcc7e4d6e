"""Files on disk into blocks of raw rows with their line numbers: CSV, gzip, zip, parquet."""

from __future__ import annotations

import csv
import gzip
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
from polars.exceptions import PolarsError

from liqscape.datasets import MANIFEST
from liqscape.errors import BadArgument

TEXT_BLOCK = 16 * 2**20  # bytes of text read at a time
PARQUET_BLOCK = 500_000  # rows read at a time
SUFFIXES = (".csv", ".csv.gz", ".zip", ".parquet")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class BrokenLine:
    """A line that does not have the fields of its file."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class Block:
    """Some rows as they stand in the file, with `line`; and the lines that are no rows."""

    rows: pl.DataFrame
    broken: list[BrokenLine] = field(default_factory=list[BrokenLine])


@dataclass(frozen=True)
class RawTable:
    """One table of text or parquet.

    Parameters
    ----------
    name
        For people: the path, and the member of a zip file behind `!`.
    stems
        Names that may be an archive's name, best first, without suffixes.
    parts
        Folders that the file lies in, outermost first.
    columns
        Names in the header; None if a CSV file has none.
    width
        Number of columns.
    """

    path: Path
    name: str
    stems: tuple[str, ...]
    parts: tuple[str, ...]
    columns: tuple[str, ...] | None
    width: int
    _read: Callable[[Sequence[str], Sequence[str]], Iterator[Block]]

    def blocks(self, columns: Sequence[str], used: Sequence[str]) -> Iterator[Block]:
        """Read block by block; `columns` names all of them, only `used` are kept.

        Raises
        ------
        BadArgument
            If the file breaks off or is no such file.
        """
        with _readable(self.name):
            yield from self._read(columns, used)


def find(path: Path) -> list[Path]:
    """List what can be imported under a path: files, and folders that hold a dataset.toml; sorted.

    Raises
    ------
    BadArgument
        If there is nothing at the path, or nothing in it that can be imported.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BadArgument(f"import: there is nothing at {path}", hint="Give a file or a folder that exists.")
    found = _walk(path)
    if not found:
        raise BadArgument(
            f"import: {path} holds no dataset.toml and no file that ends in {', '.join(SUFFIXES)}",
            hint="The import guide lists what can be imported.",
        )
    return found


def _walk(folder: Path) -> list[Path]:
    if (folder / MANIFEST).is_file():
        return [folder]
    found: list[Path] = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            found += _walk(entry)
        elif entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith("."):
            found.append(entry)
    return found


def open_tables(path: Path) -> list[RawTable]:
    """Open one file: look at its header and say what can be read.

    Raises
    ------
    BadArgument
        If the file is empty or no readable file of its kind.
    """
    name = path.name.lower()
    with _readable(str(path)):
        if name.endswith(".parquet"):
            return [_parquet(path)]
        if name.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.namelist() if m.lower().endswith(".csv") and not m.startswith("__MACOSX/")]
            if not members:
                raise BadArgument(f"{path}: the zip file holds no .csv", hint="Import the archive as it was downloaded.")
            return [_text(path, member) for member in members]
        if name.endswith((".csv", ".csv.gz")):
            return [_text(path, None)]
    raise BadArgument(f"{path}: the name ends in none of {', '.join(SUFFIXES)}", hint="Give the file its right ending.")


@contextmanager
def _readable(name: str) -> Generator[None]:
    """Turn what the file libraries raise about damaged files into one sentence."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, PolarsError, RuntimeError, NotImplementedError) as error:
        first_line = str(error).strip().split("\n", 1)[0]
        raise BadArgument(
            f"{name}: cannot be read: {first_line or type(error).__name__}",
            hint="The file may be cut short; download it again.",
        ) from error


def _parquet(path: Path) -> RawTable:
    frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    names = tuple(frame.collect_schema().names())

    def read(columns: Sequence[str], used: Sequence[str]) -> Iterator[Block]:
        del columns  # a parquet file names its own
        start = 0
        while True:
            rows = frame.select(used).slice(start, PARQUET_BLOCK).collect()
            if rows.height == 0:
                return
            yield Block(rows.with_row_index("line", start + 1).with_columns(pl.col("line").cast(pl.Int64)))
            start += rows.height

    return RawTable(path, str(path), (path.stem,), path.absolute().parts[:-1], names, len(names), read)


@contextmanager
def _stream(path: Path, member: str | None) -> Generator[IO[bytes]]:
    if member is not None:
        with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            yield stream
    elif path.name.lower().endswith(".gz"):
        with gzip.open(path, "rb") as stream:
            yield cast(IO[bytes], stream)
    else:
        with path.open("rb") as stream:
            yield stream


def _text(path: Path, member: str | None) -> RawTable:
    with _stream(path, member) as stream:
        head = stream.readline(1_000_000)
    name = str(path) if member is None else f"{path}!{member}"
    fields = _fields(head.removeprefix(_BOM))
    if not any(fields):
        raise BadArgument(f"{name}: the file is empty or begins with an empty line", hint="Download or write it again.")
    header = tuple(fields) if not _is_number(fields[0]) and not fields[0][:1].isdigit() else None
    if header is not None and len(set(header)) < len(header):
        raise BadArgument(f"{name}: two columns of the header have the same name: {', '.join(header)}", hint="Rename one.")

    def read(columns: Sequence[str], used: Sequence[str]) -> Iterator[Block]:
        with _stream(path, member) as stream:
            yield from _text_blocks(stream, columns, used, skip=1 if header is not None else 0)

    own = path.name[: -len(next(s for s in SUFFIXES if path.name.lower().endswith(s)))]
    stems = (own,) if member is None else (own, Path(member).stem)
    return RawTable(path, name, stems, path.absolute().parts[:-1], header, len(fields), read)


def _fields(line: bytes) -> list[str]:
    rows = list(csv.reader([line.decode("utf-8", errors="replace").rstrip("\r\n")]))
    return [name.strip() for name in rows[0]] if rows else []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text_blocks(stream: IO[bytes], columns: Sequence[str], used: Sequence[str], *, skip: int) -> Iterator[Block]:
    line, rest, first = 1, b"", True
    while True:
        chunk = stream.read(TEXT_BLOCK)
        data = rest + chunk
        cut = data.rfind(b"\n") + 1
        if not chunk:
            data, cut = (data + b"\n", len(data) + 1) if data else (b"", 0)
        rest, data = data[cut:], data[:cut]
        if data:
            if first:
                data = data.removeprefix(_BOM)
                for _ in range(skip):
                    data, line = data[data.index(b"\n") + 1 :], line + 1
                first = False
            if data:
                yield _parse(data, columns, used, line)
                line += data.count(b"\n")
        if not chunk:
            return


def _parse(data: bytes, columns: Sequence[str], used: Sequence[str], line: int) -> Block:
    """Split whole lines into columns; a block with a damaged line is read line by line, so that the others are kept."""
    lines, width = data.count(b"\n"), len(columns)
    if data.count(b",") == lines * (width - 1) and b'"' not in data and b"\n\n" not in data:
        try:
            frame = pl.read_csv(
                data, has_header=False, infer_schema=False, new_columns=list(columns), quote_char=None, raise_if_empty=False
            )
        except PolarsError:
            frame = None
        # Too many fields raise; too few leave a comma short; so equal counts mean that every line is one row.
        if frame is not None and frame.height == lines and frame.width == width:
            numbered = frame.select(used).with_row_index("line", line).with_columns(pl.col("line").cast(pl.Int64))
            return Block(numbered)
    return _parse_slowly(data, columns, used, line)


def _parse_slowly(data: bytes, columns: Sequence[str], used: Sequence[str], line: int) -> Block:
    rows: list[list[Any]] = []
    broken: list[BrokenLine] = []
    for number, text in enumerate(data.decode("utf-8", errors="replace").removesuffix("\n").split("\n"), start=line):
        stripped = text.strip("\r")
        if not stripped.strip():
            continue  # an empty line is no row
        fields = next(csv.reader([stripped]))
        if len(fields) != len(columns):
            reason = f"expected {len(columns)} fields, found {len(fields)}"
            broken.append(BrokenLine(number, stripped[:200], reason))
        else:
            rows.append([number, *(value or None for value in fields)])
    schema: dict[str, type[pl.DataType]] = {"line": pl.Int64, **dict.fromkeys(columns, pl.String)}
    return Block(pl.DataFrame(rows, schema=schema, orient="row").select("line", *used), broken)
