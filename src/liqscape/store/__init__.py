"""Rows on disk: appended by any number of processes, read as frames or as the model's columns; small state beside them.

May depend on `model` and the ground. The only room that knows deltalake and the files' layout; `engine` joins it with the
rest of the house.
"""

from liqscape.store.base import Coverage, MaintenanceReport, Store
from liqscape.store.delta import DeltaStore
from liqscape.store.schema import SCHEMAS, Table, TableSchema

__all__ = [
    "SCHEMAS",
    "Coverage",
    "DeltaStore",
    "MaintenanceReport",
    "Store",
    "Table",
    "TableSchema",
]
