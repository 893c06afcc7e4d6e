"""Estimated against true maps on simulated markets.

python -m benchmarks.truth 60 1,2,3,4,5,6,7,8      # days, seeds; about 10 s a seed
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from liqscape.engine.importer import import_paths
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.model.maps import BUCKET_WIDTH
from liqscape.testing.market import MarketConfig, SimulatedMarket, spatial_distance, true_levels, write_dataset

WINDOWS = (0.02, 0.05, 0.10)


def compare(days: float, seed: int) -> tuple[float, float, list[float]]:
    """Return W1 of the estimate and of a flat map, bp within 10 %, and estimated / true dollars within each window."""
    run = SimulatedMarket(MarketConfig(days=days), seed=seed).run()
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(Path(name) / "home")
        import_paths(workspace.store, [write_dataset(run, Path(name) / "dataset")])
        estimated = build_map(workspace, str(workspace.stored()[0]))
    long, short = true_levels(run.truth(), estimated.mark_price)
    flat = np.ones_like(long)
    ours = spatial_distance(estimated.long.usd, estimated.short.usd, long, short, BUCKET_WIDTH)
    nothing = spatial_distance(flat, flat, long, short, BUCKET_WIDTH)
    ratios: list[float] = []
    for within in WINDOWS:
        n = round(within / BUCKET_WIDTH)
        drawn = estimated.long.usd[:n].sum() + estimated.short.usd[:n].sum()
        ratios.append(float(drawn / (long[:n].sum() + short[:n].sum())))
    return ours.w1_bps, nothing.w1_bps, ratios


def main(days: float, seeds: list[int]) -> None:
    """Print one line a seed, then means (of ratios: geometric)."""
    found = [compare(days, seed) for seed in seeds]
    print(f"{days:g} days; W1 within 10 %, bp: ours, a flat map's; estimated / true dollars within 2, 5, 10 %")
    for seed, (ours, flat, ratios) in zip(seeds, found, strict=True):
        print(f"seed {seed}: {ours:.0f} {flat:.0f}  " + " ".join(f"{ratio:.2f}" for ratio in ratios))
    means = np.exp(np.mean(np.log([ratios for _, _, ratios in found]), axis=0))
    ours, flat = (float(np.mean([row[i] for row in found])) for i in (0, 1))
    print(f"mean: {ours:.0f} {flat:.0f}  " + " ".join(f"{ratio:.2f}" for ratio in means))


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(seed) for seed in sys.argv[2].split(",")])
