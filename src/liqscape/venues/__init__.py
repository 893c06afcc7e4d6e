"""Exchanges and their archives: wire formats and how they are read into the model's words.

May depend on `model` and the ground; knows no other room. One folder per source: `payloads.py` mirrors the wire, `parse.py`
is pure. A parser takes one block of rows as they stand in the file (every column text, plus `line`) and returns them in the
house's units: times in ns UTC, numbers as floats. In what it returns null is "the source gives nothing" and NaN is "the
source gives something that is no number"; the importer refuses the latter.
"""

from liqscape.venues import binance, tardis

__all__ = ["binance", "tardis"]
