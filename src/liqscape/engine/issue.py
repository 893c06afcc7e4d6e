"""What is kept of every map that leaves a door: one entry in the home's ledger, written once."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from liqscape._version import __version__
from liqscape.clock import iso, now_ns
from liqscape.engine.workspace import Workspace
from liqscape.errors import StoreError
from liqscape.model.maps import BUCKET_WIDTH, Heatmap, LiquidationMap
from liqscape.store import Entry, open_ledger
from liqscape.units import NS_PER_S

WINDOWS = (0.01, 0.02, 0.05, 0.10, 0.20)


def issue(workspace: Workspace, found: LiquidationMap | Heatmap) -> Entry | None:
    """Write a map that is about to be shown into the ledger; the same map is never written twice.

    Returns
    -------
    The entry, or None if the home cannot be written: that never keeps a map from its reader.
    """
    entry = map_entry(found) if isinstance(found, LiquidationMap) else heatmap_entry(found)
    try:
        return open_ledger(workspace.home).append(entry, now_ns())
    except StoreError:
        return None


def map_entry(found: LiquidationMap) -> dict[str, Any]:
    """Return what is kept of a map: name, instant, model, inputs, filters, a digest of its levels and its headline numbers."""
    digest = hashlib.sha256()
    for side in (found.long, found.short):
        digest.update(np.ascontiguousarray(side.edge_price).tobytes())
        digest.update(np.ascontiguousarray(side.usd).tobytes())
    pools: dict[str, list[float]] = {}
    for within in WINDOWS:
        n = round(within / BUCKET_WIDTH)
        pools[f"{within:g}"] = [float(found.long.usd[:n].sum()), float(found.short.usd[:n].sum())]
    return _common(found) | {
        "kind": "map",
        "mark_price": found.mark_price,
        "open_interest_usd": found.open_interest_usd,
        "outcome": str(found.outcome),
        "long_short_usd_within": pools,
        "levels": digest.hexdigest(),
    }


def heatmap_entry(found: Heatmap) -> dict[str, Any]:
    """Return what is kept of a heatmap."""
    digest = hashlib.sha256(np.ascontiguousarray(found.edge_price).tobytes())
    # Column by column, as it lies in memory: a view of the transpose would be copied whole.
    digest.update(np.ascontiguousarray(found.usd_per_permille.T).tobytes())
    return _common(found) | {
        "kind": "heatmap",
        "from": iso(int(found.start_ns[0])),
        "column_s": found.interval_ns // NS_PER_S,
        "rows": int(found.edge_price.size) - 1,
        "levels": digest.hexdigest(),
    }


def _common(found: LiquidationMap | Heatmap) -> dict[str, Any]:
    return {
        "asked": found.asked,
        "instruments": [str(each.instrument) for each in found.inputs],
        "as_of": iso(found.as_of_ns),
        "model": found.model,
        "version": __version__,
        "reading": str(found.reading),
        "filters": dict(found.filters),
        "inputs": [each.sha256 for each in found.inputs],
        "recorded": all(each.recorded for each in found.inputs),
        "simulated": found.simulated,
    }
