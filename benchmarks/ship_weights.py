"""Fit the weights that ship with the package, score them later, and write `estimate/shipped.json`.

    python -m benchmarks.ship_weights ../shared/data/btcusdt_backtest

Fitted on everything before the test window; scored on the test window with no learning at all.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import liqscape
from liqscape.calibrate import fit_fixed_mix, fixed_predictions, sweep_exposure
from liqscape.clock import parse_instant, utc_date
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.estimate import Recipe
from liqscape.store import read_bars, read_liquidations
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.scores import poisson_deviance

TEST_FROM, TEST_TO = "2026-02-16", "2026-04-01"
BURN_IN_DAYS = 7


def main(pack: Path) -> None:
    """Fit, score, write."""
    recipe = Recipe()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_paths(workspace.store, [pack])
        instrument = workspace.stored()[0]
        bars, liquidations = read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)
    start, exposure = sweep_exposure(bars, liquidations.interval_ns, recipe)
    first, test, end = int(start[0]) + BURN_IN_DAYS * NS_PER_DAY, parse_instant(TEST_FROM), parse_instant(TEST_TO)
    long_scale, short_scale, intervals = fit_fixed_mix(start, exposure, liquidations, first, test, recipe)
    predicted = fixed_predictions(exposure, long_scale, short_scale, liquidations.interval_ns / NS_PER_HOUR, recipe)
    scored = (liquidations.start_ns >= test) & (liquidations.start_ns < end)
    before = (liquidations.start_ns >= first) & (liquidations.start_ns < test)
    at = np.searchsorted(start, liquidations.start_ns[scored])
    sides = (liquidations.long_usd, liquidations.short_usd)
    long, short = (
        1.0 - poisson_deviance(y[scored], predicted[at, s]) / poisson_deviance(y[scored], np.full(at.size, y[before].mean()))
        for s, y in enumerate(sides)
    )
    shipped = {
        "long_scale": long_scale,
        "short_scale": short_scale,
        "instrument": str(instrument),
        "from_date": utc_date(first),
        "to_date": utc_date(test - 1),
        "hours": round(intervals * liquidations.interval_ns / NS_PER_HOUR),
        "score": f"D2 {long:.3f} long, {short:.3f} short on {TEST_FROM} to {utc_date(end - 1)}, given the path",
    }
    path = Path(liqscape.__file__).parent / "estimate" / "shipped.json"
    path.write_text(json.dumps(shipped, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(shipped, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
