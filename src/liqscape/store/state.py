"""Small state beside the tables: JSON values by namespace and key in one SQLite file, shared by several processes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from liqscape.errors import StoreError

_TABLE = (
    "CREATE TABLE IF NOT EXISTS state (namespace TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (namespace, key)) WITHOUT ROWID"
)


class StateDb:
    """A key-value store for settings, cursors and facts about instruments.

    Values are whatever JSON can say. The file is made by the first `set`; until then everything reads as absent. Every call
    is one transaction: several processes may call at once, the last `set` of a key wins.

    Parameters
    ----------
    path
        The SQLite file.

    Examples
    --------
    >>> import tempfile
    >>> state = StateDb(Path(tempfile.mkdtemp()) / "state.sqlite")
    >>> state.set("instrument", "sim:BTCUSDT", {"simulated": True})
    >>> state.get("instrument", "sim:BTCUSDT"), state.get("instrument", "binance:BTCUSDT")
    ({'simulated': True}, None)
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = threading.Lock()

    def get(self, namespace: str, key: str) -> object:
        """Return the value of a key, or None."""
        rows = self._select("SELECT value FROM state WHERE namespace = ? AND key = ?", (namespace, key))
        return msgspec.json.decode(rows[0][0]) if rows else None

    def items(self, namespace: str) -> dict[str, object]:
        """Return the values of a namespace by key, sorted by key."""
        rows = self._select("SELECT key, value FROM state WHERE namespace = ? ORDER BY key", (namespace,))
        return {key: msgspec.json.decode(value) for key, value in rows}

    def set(self, namespace: str, key: str, value: object) -> None:
        """Set the value of a key; it is on disk when this returns.

        Raises
        ------
        StoreError
            If the value cannot be written as JSON, or the file cannot be written.
        """
        self.set_many(namespace, {key: value})

    def set_many(self, namespace: str, values: Mapping[str, object]) -> None:
        """Set the values of several keys at once: all of them are on disk when this returns, or none."""
        rows: list[tuple[str, str, bytes]] = []
        for key, value in values.items():
            try:
                rows.append((namespace, key, msgspec.json.encode(value)))
            except (TypeError, msgspec.MsgspecError) as error:
                raise StoreError(f"state {namespace} {key}: not a JSON value: {error}") from error
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self._connection() as connection:
            connection.execute(_TABLE)
            connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", rows)

    def delete(self, namespace: str, key: str) -> bool:
        """Forget a key; return whether it was there."""
        if not self.path.exists():
            return False
        with self._lock, self._connection() as connection:
            connection.execute(_TABLE)
            cursor = connection.execute("DELETE FROM state WHERE namespace = ? AND key = ?", (namespace, key))
            return cursor.rowcount > 0

    def _select(self, query: str, values: tuple[str, ...]) -> list[tuple[str, bytes]]:
        if not self.path.exists():
            return []
        with self._lock, self._connection() as connection:
            # The file may be there before its table is: another process is just making it.
            if connection.execute("SELECT name FROM sqlite_master WHERE name = 'state'").fetchone() is None:
                return []
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        """Open the file for one transaction: committed at the end of the block, undone by an error, closed in any case."""
        try:
            connection = sqlite3.connect(self.path, timeout=30)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StoreError(
                f"state {self.path}: {error}", hint="Look at free space and permissions; the file must be a SQLite database."
            ) from error
