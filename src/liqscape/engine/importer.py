"""Import market data from disk: find the files, read and judge their rows, store what is new, report the rest.

Idempotent by content: rows are compared with the store by their key, so an import that was interrupted is simply repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from liqscape.clock import iso
from liqscape.datasets import MANIFEST, Entry, Manifest, read_manifest
from liqscape.engine._import_files import RawTable, find, open_tables
from liqscape.engine._import_layout import Layout, Options
from liqscape.engine._import_read import read_file, recognise
from liqscape.engine._import_report import FileReport, ImportProgress, ImportReport, Rejection
from liqscape.engine._import_rules import Rejections
from liqscape.engine._import_write import Settled, Writer, months, settle
from liqscape.errors import BadArgument, CorruptRecord
from liqscape.model import InstrumentId, PriceKind
from liqscape.store import Store, Table

__all__ = ["FileReport", "ImportProgress", "ImportReport", "Rejection", "import_paths"]

# Believed rows wait for each other until there are this many: a commit costs more than the rows of a daily file.
PENDING_ROWS = 500_000
_SHOWN = 5  # rejections in the message of a strict refusal


def import_paths(
    store: Store,
    paths: Sequence[Path],
    *,
    instrument: InstrumentId | None = None,
    price_kind: PriceKind | None = None,
    strict: bool = False,
    progress: Callable[[ImportProgress], None] | None = None,
) -> ImportReport:
    """Import files and folders into the store.

    Parameters
    ----------
    store
        Where rows go.
    paths
        Files, folders with a `dataset.toml`, or folders to search for both.
    instrument
        What plain files are of; files that name their instrument must agree, and of files of many only its rows are taken.
    price_kind
        What the bars' prices are where the files do not say it.
    strict
        Refuse a file as a whole when one of its rows is refused.
    progress
        Called before every file and after every block of rows.

    Returns
    -------
    ImportReport
        Rows read, stored, already stored and rejected, per file. Importing the same again stores nothing.

    Raises
    ------
    BadArgument
        If a path does not exist or nothing under the paths can be imported.
    CorruptRecord
        If `strict` and a row was refused; nothing of that file was stored.
    StoreError
        If the store fails.
    """
    jobs = [job for path in paths for job in _jobs(Path(path), instrument)]
    run = _Run(store, Options(instrument, price_kind), strict, progress, jobs)
    return run.report()


@dataclass(frozen=True)
class _Job:
    path: Path
    manifest: Manifest | None = None
    entry: Entry | None = None


@dataclass
class _Draft:
    """A file's report while it is being filled in."""

    name: str
    layout: Layout | None = None
    instruments: set[str] = field(default_factory=set[str])
    read: int = 0
    rejected: int = 0
    stored: Counter[Table] = field(default_factory=Counter[Table])
    known: Counter[Table] = field(default_factory=Counter[Table])
    refused: str | None = None

    def finished(self) -> FileReport:
        facts = self.layout.facts if self.layout is not None else None
        return FileReport(
            file=self.name,
            kind=self.layout.kind if self.layout is not None else "",
            main=self.layout.main if self.layout is not None else None,
            instruments=tuple(sorted(InstrumentId.parse(name) for name in self.instruments)),
            interval_ns=facts.interval_ns if facts is not None else None,
            price_kind=facts.price_kind if facts is not None else None,
            rows_read=self.read,
            rows_rejected=self.rejected,
            stored={table: count for table, count in self.stored.items() if count},
            already_stored={table: count for table, count in self.known.items() if count},
            refused=self.refused,
        )


def _jobs(path: Path, instrument: InstrumentId | None) -> list[_Job]:
    jobs: list[_Job] = []
    for found in find(path):
        folder = found if found.is_dir() else found.parent
        manifest = read_manifest(folder) if (folder / MANIFEST).is_file() else None
        if manifest is None:
            jobs.append(_Job(found))
            continue
        if instrument is not None and instrument != manifest.instrument:
            raise BadArgument(
                f"{folder / MANIFEST}: the folder is of {manifest.instrument}, --instrument says {instrument}",
                hint="Leave --instrument out for folders that say what they are.",
            )
        # A single file of such a folder is what the folder says it is.
        named = [entry for entry in manifest.entries if found.is_dir() or entry.path.resolve() == found.resolve()]
        jobs += [_Job(entry.path, manifest, entry) for entry in named] or [_Job(found)]
    return jobs


class _Run:
    """One import: rows that are believed wait in `_pending` and are settled together."""

    def __init__(
        self,
        store: Store,
        options: Options,
        strict: bool,
        progress: Callable[[ImportProgress], None] | None,
        jobs: list[_Job],
    ) -> None:
        self._store, self._options, self._strict, self._progress, self._jobs = store, options, strict, progress, jobs
        self._writer = Writer(store)
        self._rejections = Rejections()
        self._warnings: Counter[str] = Counter()
        self._drafts: list[_Draft] = []
        self._pending: dict[Table, list[pl.DataFrame]] = {}
        self._rows_done = 0
        self._files_done = 0

    def report(self) -> ImportReport:
        """Import everything and say what became of it."""
        refusals: list[BadArgument] = []
        for job in self._jobs:
            self._tell(str(job.path))
            try:
                tables = open_tables(job.path)
            except BadArgument as error:
                refusals.append(self._refuse(self._draft(str(job.path)), error))
                tables = []
            for raw in tables:
                draft = self._draft(raw.name)
                try:
                    self._file(draft, raw, job)
                except BadArgument as error:
                    refusals.append(self._refuse(draft, error))
            self._files_done += 1
        self._flush()
        if refusals and all(draft.refused is not None for draft in self._drafts):
            raise refusals[0]
        self._tell("")
        return self._finished()

    def _finished(self) -> ImportReport:
        manifests = list({id(job.manifest): job.manifest for job in self._jobs if job.manifest is not None}.values())
        for manifest in manifests:
            if manifest.unknown:
                self._warnings[f"{MANIFEST}: keys {', '.join(manifest.unknown)} are not known and were ignored"] += 1
        return ImportReport(
            files=tuple(draft.finished() for draft in self._drafts),
            rejections=tuple(self._rejections.found),
            warnings=tuple(text if count == 1 else f"{text} ({count} files)" for text, count in self._warnings.items()),
            simulated_instruments=tuple(sorted({manifest.instrument for manifest in manifests if manifest.simulated})),
        )

    def _draft(self, name: str) -> _Draft:
        self._drafts.append(_Draft(name))
        return self._drafts[-1]

    def _refuse(self, draft: _Draft, error: BadArgument) -> BadArgument:
        """Leave a file out as a whole; none of its rows were handed on."""
        if self._strict:
            raise CorruptRecord(error.message, hint=error.hint, context={"file": draft.name}) from error
        draft.refused = error.message
        return error

    def _tell(self, file: str) -> None:
        if self._progress is not None:
            self._progress(ImportProgress(file, self._files_done, len(self._jobs), self._rows_done))

    def _file(self, draft: _Draft, raw: RawTable, job: _Job) -> None:
        layout = recognise(raw, self._options, job.manifest, job.entry)

        def told(rows: int) -> None:
            self._rows_done += rows
            self._tell(raw.name)

        seen = len(self._rejections.found)
        try:
            read = read_file(raw, layout, self._rejections, told)
        except BadArgument:
            del self._rejections.found[seen:]  # the file is refused as a whole, for the reason that is raised
            raise
        draft.layout, draft.read, draft.rejected = layout, read.rows_read, read.rows_rejected
        if layout.facts.instrument is not None:
            draft.instruments.add(str(layout.facts.instrument))
        number = pl.lit(len(self._drafts) - 1, pl.Int64).alias("file")
        for table, rows in read.tables.items():
            if rows.height:
                draft.instruments |= set(rows.get_column("instrument").unique().to_list())
                self._pending.setdefault(table, []).append(rows.with_columns(number))
        self._warnings.update(layout.facts.warnings)
        if self._strict:
            self._flush_strictly(draft)
        elif sum(rows.height for frames in self._pending.values() for rows in frames) >= PENDING_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Settle what waits and append what is new, month by month."""
        contradicting: list[pl.DataFrame] = []
        for table, frames in self._pending.items():
            for rows in months(pl.concat(frames)):
                settled = settle(self._store, table, rows)
                contradicting.append(self._contradictions(settled))
                self._writer.append(table, settled.new)
                self._count(table, settled)
        self._pending.clear()
        self._count_rejected(contradicting)

    def _flush_strictly(self, draft: _Draft) -> None:
        """Append the rows of one file, or none of them if one of its rows was refused."""
        settled = [
            (table, settle(self._store, table, rows))
            for table, frames in self._pending.items()
            for rows in months(pl.concat(frames))
        ]
        self._pending.clear()
        self._count_rejected([self._contradictions(part) for _, part in settled])
        if draft.rejected:
            found = [r for r in self._rejections.found if r.file == draft.name]
            shown = "\n".join(f"  {rejection}" for rejection in found[:_SHOWN])
            raise CorruptRecord(
                f"{draft.name}: {draft.rejected} of {draft.read} rows were refused, nothing of the file was stored:\n{shown}",
                hint="Correct the file, or import it without --strict to store its good rows.",
                context={"file": draft.name, "rows_rejected": draft.rejected},
            )
        for table, part in settled:
            self._writer.append(table, part.new)
            self._count(table, part)

    def _count(self, table: Table, settled: Settled) -> None:
        for number, count in settled.new.group_by("file").len().iter_rows():
            self._drafts[int(number)].stored[table] += int(count)
        for number, count in settled.known.items():
            self._drafts[number].known[table] += count
        if settled.filled:
            self._warnings[
                f"{table}: some rows know a number that the stored row of the same time lacks; the stored rows stay"
            ] += 1

    def _contradictions(self, settled: Settled) -> pl.DataFrame:
        """Report rows that say something else than an earlier row of the same key."""
        wrong = settled.contradicting
        for row in wrong.head(self._rejections.room).iter_rows(named=True):
            draft = self._drafts[int(row["file"])]
            if row["first_file"] < 0:
                other = "the store"
            elif row["first_file"] == row["file"]:
                other = f"line {row['first_line']}"
            else:
                other = f"{self._drafts[int(row['first_file'])].name}, line {row['first_line']}"
            wire = draft.layout.wire if draft.layout is not None else {}
            reason = f"contradicts {other}, which says {row['first']!r} at {iso(row['ts'])}"
            self._rejections.add(draft.name, row["line"], str(wire.get(row["field"], row["field"])), row["value"], reason)
        return wrong.select("file", "line")

    def _count_rejected(self, contradicting: list[pl.DataFrame]) -> None:
        if contradicting:
            # A line counts once, however many of its tables it was refused in.
            for number, count in pl.concat(contradicting).unique().group_by("file").len().iter_rows():
                self._drafts[int(number)].rejected += int(count)
