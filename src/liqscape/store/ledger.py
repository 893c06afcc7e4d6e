"""A chain of entries in one SQLite file: each holds the hash of the one before, so that no past entry changes unnoticed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from liqscape.errors import StoreError

GENESIS = "0" * 64  # what the first entry names as the one before
_TABLES = (
    (
        "CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, digest TEXT NOT NULL, noted_ns INTEGER NOT NULL, "
        "entry BLOB NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)"
    ),
    "CREATE UNIQUE INDEX IF NOT EXISTS digests ON entries (digest)",
    "CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash TEXT NOT NULL)",
)


class Entry(Struct, frozen=True, kw_only=True):
    """One link.

    Parameters
    ----------
    number
        1, 2, 3 ...
    digest
        SHA-256 of `entry` alone: what is asked for twice is one entry.
    noted_ns
        When it was written, ns UTC.
    entry
        Canonical JSON: sorted keys, no spaces.
    previous, hash
        `hash` = SHA-256 of `previous`, number, time and entry, each on a line of its own.
    """

    number: int
    digest: str
    noted_ns: int
    entry: bytes
    previous: str
    hash: str


class Head(Struct, frozen=True, kw_only=True):
    """How many entries there are, and the hash of the last: whoever keeps it can prove what was there."""

    number: int
    hash: str


class Ledger:
    """An append-only chain, shared by several processes; the file is made by the first `append`.

    Parameters
    ----------
    path
        The SQLite file.

    Examples
    --------
    >>> import tempfile
    >>> ledger = Ledger(Path(tempfile.mkdtemp()) / "ledger.sqlite")
    >>> ledger.append({"b": 1, "a": 2}, 7).number, ledger.append({"a": 2, "b": 1}, 8).number
    (1, 1)
    >>> ledger.entries()[0].entry
    b'{"a":2,"b":1}'
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def append(self, entry: Mapping[str, object], noted_ns: int) -> Entry:
        """Write an entry behind the last, unless the same entry is there already; return it.

        Raises
        ------
        StoreError
            If the file cannot be written, or the entry is not JSON.
        """
        try:
            encoded = msgspec.json.encode(entry, order="sorted")
        except (TypeError, msgspec.MsgspecError) as error:
            raise StoreError(f"ledger: not a JSON value: {error}") from error
        digest = hashlib.sha256(encoded).hexdigest()
        with self._connection(write=True) as connection:
            found = connection.execute("SELECT * FROM entries WHERE digest = ?", (digest,)).fetchone()
            if found is not None:
                return _entry(found)
            last = connection.execute("SELECT number, hash FROM entries ORDER BY number DESC LIMIT 1").fetchone()
            number, previous = (last[0] + 1, last[1]) if last is not None else (1, GENESIS)
            made = Entry(
                number=number,
                digest=digest,
                noted_ns=noted_ns,
                entry=encoded,
                previous=previous,
                hash=link(previous, number, noted_ns, encoded),
            )
            row = (made.number, made.digest, made.noted_ns, made.entry, made.previous, made.hash)
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", row)
            connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (made.number, made.hash))
        return made

    def entries(self) -> list[Entry]:
        """Return every entry in the order of its number."""
        if not self.path.exists():
            return []
        with self._connection() as connection:
            return [_entry(row) for row in connection.execute("SELECT * FROM entries ORDER BY number")]

    def head(self) -> Head | None:
        """Return what was noted of the last entry when it was written; None before the first."""
        if not self.path.exists():
            return None
        with self._connection() as connection:
            found = connection.execute("SELECT number, hash FROM head").fetchone()
        return None if found is None else Head(number=found[0], hash=found[1])

    @contextmanager
    def _connection(self, *, write: bool = False) -> Generator[sqlite3.Connection]:
        """Open the file for one transaction: committed at the end of the block, undone by an error, closed in any case."""
        try:
            if write:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
            else:
                connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", timeout=5, uri=True, isolation_level=None)
            try:
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    if write:
                        for table in _TABLES:
                            connection.execute(table)
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"ledger {self.path}: {error}", hint="Look at free space and permissions; the file must be a SQLite database."
            ) from error


def link(previous: str, number: int, noted_ns: int, entry: bytes) -> str:
    """Return the hash of an entry that follows `previous`."""
    return hashlib.sha256(f"{previous}\n{number}\n{noted_ns}\n".encode() + entry).hexdigest()


def _entry(row: tuple[int, str, int, object, str, str]) -> Entry:
    """Read a row as it stands: whoever edited it may have left text where bytes were."""
    number, digest, noted_ns, entry, previous, hashed = row
    body = entry if isinstance(entry, bytes) else str(entry).encode()
    return Entry(number=number, digest=digest, noted_ns=noted_ns, entry=body, previous=previous, hash=hashed)
