"""Keep a table quick and small: days are freed of duplicates, sorted and put into one file; dead files are removed.

No file ever holds a row twice: a commit drops its own duplicates, and a rewrite those between files. (Delta's `compact` would
put them into one file unseen, which is why it is not used.)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from liqscape.store import _frames
from liqscape.store._files import COMMIT_RETRIES, WRITERS, data_files, flush_to_disk, scan
from liqscape.store._frames import DATE
from liqscape.store.base import MaintenanceReport
from liqscape.store.schema import Table

# Longer than any read or write takes: a reader may still hold a file that a rewrite has replaced.
RETENTION_HOURS = 2
OPEN_DAY_FILES = 8  # an open day, which grows more, is rewritten when it has this many files
FILE_BYTES = 1 << 30  # so that a day is one file, and a day of one file needs no rewrite
ROWS_AT_ONCE = 1_000_000  # rewritten in one commit, which bounds memory
TRIES = 5


def maintain_table(
    table: Table, folder: Path, *, today: str, full: bool, retention_hours: int = RETENTION_HOURS
) -> MaintenanceReport:
    """Maintain one table of a store; see `DeltaStore.maintain`.

    Parameters
    ----------
    today
        UTC day of the present: earlier days are closed.
    retention_hours
        Files that were replaced more recently are kept.
    """
    # Of its own, not the process's shared one: its version must stand still between reading a day and replacing it.
    delta = DeltaTable(folder)
    before = files_by_day(delta)
    dropped = rewritten = 0
    closed, crowded = pl.col(DATE) < today, pl.col("files") >= OPEN_DAY_FILES
    for days in _portions(before.filter((closed & (pl.col("files") > 1)) | crowded)):
        replaced, duplicates = _rewrite(table, delta, folder, days)
        rewritten += replaced
        dropped += duplicates
    delta.update_incremental()
    if rewritten:
        delta.create_checkpoint()
    # What replaces a file is on disk before that file goes.
    flush_to_disk()
    delta.cleanup_metadata()
    removed = delta.vacuum(retention_hours=retention_hours, dry_run=False, full=full)
    delta.update_incremental()
    return MaintenanceReport(
        partitions_rewritten=rewritten,
        duplicate_rows_dropped=dropped,
        files_before=int(before.get_column("files").sum()),
        files_after=len(delta.file_uris()),
        files_removed=len(removed),
    )


def files_by_day(delta: DeltaTable) -> pl.DataFrame:
    """Return columns date, files, rows of the version that is loaded, ascending."""
    actions = pl.DataFrame(delta.get_add_actions(flatten=True))
    return (
        actions.select(pl.col(f"partition.{DATE}").alias(DATE), pl.col("num_records").cast(pl.Int64()).alias("rows"))
        .group_by(DATE)
        .agg(pl.len().cast(pl.Int64()).alias("files"), pl.col("rows").sum())
        .sort(DATE)
    )


def _portions(days: pl.DataFrame) -> Iterator[list[str]]:
    """Yield days together that hold about `ROWS_AT_ONCE` rows."""
    portion: list[str] = []
    rows = 0
    for day, _, count in days.iter_rows():
        if portion and rows + count > ROWS_AT_ONCE:
            yield portion
            portion, rows = [], 0
        portion.append(day)
        rows += count
    if portion:
        yield portion


def _rewrite(table: Table, delta: DeltaTable, folder: Path, days: list[str]) -> tuple[int, int]:
    """Replace days by their rows, one per key and sorted; return how many days and how many duplicates went.

    A commit that saw rows arrive in these days meanwhile is refused as a whole and done again; when that goes on, the days
    are left for the next run.
    """
    quoted = ", ".join(f"'{day}'" for day in days)
    for _ in range(TRIES):
        delta.update_incremental()
        rows = scan(table, data_files(delta, folder, [(DATE, "in", days)])).collect()
        kept = _frames.one_per_key(table, rows, _frames.file_order(table))
        try:
            write_deltalake(
                delta,
                _frames.with_date(kept),
                mode="overwrite",
                predicate=f"{DATE} IN ({quoted})",
                target_file_size=FILE_BYTES,
                writer_properties=WRITERS[table],
                commit_properties=CommitProperties(max_commit_retries=COMMIT_RETRIES),
            )
        except CommitFailedError:
            continue
        return len(days), rows.height - kept.height
    return 0, 0
