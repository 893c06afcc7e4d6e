"""What an import tells: progress while it runs, and per file what was read, stored and refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from liqscape.model import InstrumentId, PriceKind
from liqscape.store import Table

DETAILS = 1_000  # rejections kept with all their facts; the rest is counted


@dataclass(frozen=True)
class ImportProgress:
    """Where an import stands; `rows_done` counts rows read."""

    file: str
    files_done: int
    files_total: int
    rows_done: int


@dataclass(frozen=True)
class Rejection:
    """One row that was not stored.

    Parameters
    ----------
    line
        1-based line of a CSV file, header included; 1-based number of the row of a parquet file.
    field
        The file's own name of the column.
    value
        What stood there.
    """

    file: str
    line: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.field} {self.value!r}: {self.reason}"


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Parameters
    ----------
    kind
        What was recognised, such as `bars` or `binance klines`; empty if nothing was.
    main
        The table that the file's rows go to; other tables (open interest beside bars) are by-products.
    rows_read, rows_rejected
        Lines of the file; a line is rejected if something of it was not believed.
    stored, already_stored
        Rows per table that are new, and that said nothing new (stored before, or repeated in the files).
    refused
        Why the whole file was left out, or None.
    """

    file: str
    kind: str = ""
    main: Table | None = None
    instruments: tuple[InstrumentId, ...] = ()
    interval_ns: int | None = None
    price_kind: PriceKind | None = None
    rows_read: int = 0
    rows_rejected: int = 0
    stored: Mapping[Table, int] = field(default_factory=dict[Table, int])
    already_stored: Mapping[Table, int] = field(default_factory=dict[Table, int])
    refused: str | None = None

    @property
    def rows_kept(self) -> int:
        """New rows of the main table."""
        return self.stored.get(self.main, 0) if self.main is not None else 0

    @property
    def rows_already_stored(self) -> int:
        """Rows of the main table that said nothing new."""
        return self.already_stored.get(self.main, 0) if self.main is not None else 0


@dataclass(frozen=True)
class ImportReport:
    """What became of all files.

    Parameters
    ----------
    rejections
        The first of the rejected rows, at most `DETAILS`; `rows_rejected` counts all.
    simulated_instruments
        Instruments whose `dataset.toml` says that the market was simulated.
    """

    files: tuple[FileReport, ...]
    rejections: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    simulated_instruments: tuple[InstrumentId, ...] = ()

    @property
    def instruments(self) -> tuple[InstrumentId, ...]:
        """The instruments that were met, sorted."""
        return tuple(sorted({name for file in self.files for name in file.instruments}))

    @property
    def rows_read(self) -> int:
        """Lines of all files."""
        return sum(file.rows_read for file in self.files)

    @property
    def rows_kept(self) -> int:
        """New rows of the files' main tables."""
        return sum(file.rows_kept for file in self.files)

    @property
    def rows_already_stored(self) -> int:
        """Rows of the files' main tables that said nothing new."""
        return sum(file.rows_already_stored for file in self.files)

    @property
    def rows_rejected(self) -> int:
        """Lines of which something was not believed."""
        return sum(file.rows_rejected for file in self.files)

    @property
    def stored(self) -> dict[Table, int]:
        """New rows per table."""
        tables = sorted({table for file in self.files for table in file.stored})
        return {table: sum(file.stored.get(table, 0) for file in self.files) for table in tables}
