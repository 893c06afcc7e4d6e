"""Rows on disk: appended by any number of processes, read as frames or as the model's columns; small state beside them.

May depend on `model` and the ground. The only room that knows deltalake and the files' layout; `engine` joins it with the
rest of the house.
"""

from pathlib import Path

from liqscape.store.base import Coverage, MaintenanceReport, Store
from liqscape.store.delta import DeltaStore
from liqscape.store.depth import last_depth_ns, read_depth
from liqscape.store.journal import Journal
from liqscape.store.ledger import Entry, Head, Ledger
from liqscape.store.liquidations import read_liquidations
from liqscape.store.positions import read_positions
from liqscape.store.schema import SCHEMAS, Table, TableSchema
from liqscape.store.series import last_open_interest_ns, read_bars, read_funding
from liqscape.store.state import StateDb

__all__ = [
    "SCHEMAS",
    "Coverage",
    "DeltaStore",
    "Entry",
    "Head",
    "Journal",
    "Ledger",
    "MaintenanceReport",
    "StateDb",
    "Store",
    "Table",
    "TableSchema",
    "last_depth_ns",
    "last_open_interest_ns",
    "open_journal",
    "open_ledger",
    "open_state",
    "open_store",
    "read_bars",
    "read_depth",
    "read_funding",
    "read_liquidations",
    "read_positions",
]


def open_store(home: Path) -> DeltaStore:
    """Return the store of a home folder, `home/store`; nothing is created before the first append."""
    return DeltaStore(home / "store")


def open_state(home: Path) -> StateDb:
    """Return the small state of a home folder, `home/state.sqlite`; nothing is created before the first set."""
    return StateDb(home / "state.sqlite")


def open_journal(home: Path, store: Store, writer: str) -> Journal:
    """Return the journal of a writer, `home/journal/writer`; nothing is created before its `open`."""
    return Journal(home / "journal" / writer, store, writer)


def open_ledger(home: Path) -> Ledger:
    """Return the ledger of a home folder, `home/ledger.sqlite`; nothing is created before the first append."""
    return Ledger(home / "ledger.sqlite")
