"""Backfill: the public past of the venues into the store, by REST and from bulk files.

May depend on everything below `engine`, on `engine.recording` for what is recorded, and on the importer. `run_backfill` asks the
venues, `fetch_archives` downloads Binance's files; both can be stopped at any time and go on where they stopped.
"""

from liqscape.engine.backfill.archive import ArchiveProgress, ArchiveReport, fetch_archives
from liqscape.engine.backfill.run import Backfill, BackfillProgress, BackfillReport, VenueReport

__all__ = ["ArchiveProgress", "ArchiveReport", "Backfill", "BackfillProgress", "BackfillReport", "VenueReport", "fetch_archives"]
