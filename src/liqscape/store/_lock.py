"""A folder held by one process: the system gives the lock back when that process ends, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from liqscape.errors import StoreError

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """The lock of a folder, a file `lock` in it that names the holder.

    Parameters
    ----------
    folder
        Made by `take`.
    what
        What is locked, for the message.
    """

    def __init__(self, folder: Path, what: str) -> None:
        self.folder, self.what = folder, what
        self._file: BinaryIO | None = None

    def take(self) -> None:
        """Take the lock.

        Raises
        ------
        StoreError
            If another process has it, or the folder cannot be written.
        """
        path = self.folder / "lock"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        except OSError as error:
            raise StoreError(f"{self.what}: {path}: {error}", hint="Look at permissions and free space.") from error
        try:
            _take(file.fileno())
        except OSError:
            holder = path.read_bytes()[1:].decode(errors="replace").strip() or "unknown"
            file.close()
            raise StoreError(
                f"{self.what}: process {holder} holds {self.folder}",
                hint="Stop that process, or let this one record under another name (--writer NAME).",
                context={"pid": holder},
            ) from None
        # The pid stands behind the byte that is locked, where another process may read it.
        file.write(f"\n{os.getpid()}\n".encode())
        file.truncate()
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
