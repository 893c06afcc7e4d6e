"""The dataset kit: plain parquet and CSV files of the house's columns, alone or in a folder with a `dataset.toml`.

May depend on `model` and the ground; stands apart from the towers. It says what a file holds and reads its rows into the
house's units; whether they are believed is decided where they are imported.
"""

from liqscape.datasets.columns import KNOWN_COLUMNS, NAMING_COLUMNS, Reader, RowKind, kind_of
from liqscape.datasets.manifest import MANIFEST, Entry, Manifest, read_manifest

__all__ = [
    "KNOWN_COLUMNS",
    "MANIFEST",
    "NAMING_COLUMNS",
    "Entry",
    "Manifest",
    "Reader",
    "RowKind",
    "kind_of",
    "read_manifest",
]
