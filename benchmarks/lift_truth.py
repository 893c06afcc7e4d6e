"""What the lift sees where positions are known: the estimated map beside the exact one, on simulated markets.

python -m benchmarks.lift_truth 60 7,8,9      # days, seeds; about 10 s a seed
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.store import read_bars, read_liquidations
from liqscape.testing.market import MarketConfig, SimulatedMarket, SimulatedRun, TruePositions, write_dataset
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.lift import LEAST_LEVELS, STEP, Frozen, Placed, lift, look, measure
from liqscape.validate.verdict import Lift

HORIZON_NS = 4 * NS_PER_HOUR
WARM_NS = 30 * NS_PER_DAY  # of the record, before maps are judged


def prints_of(run: SimulatedRun) -> Placed:
    """Return every forced order of a run at the mark that set it off."""
    prints = run.prints
    order = np.argsort(prints.ts_ns, kind="stable")
    price = prints.mark_price[order]
    side = np.where(prints.sign[order] > 0, 0, 1)
    return Placed(prints.ts_ns[order], side, price, price, prints.notional_usd[order], "prints")


def true_maps(run: SimulatedRun, from_ns: int) -> Iterator[Frozen]:
    """Yield both sides of each snapshot's exact liquidation prices on the levels that were then traded."""
    bars = run.bars
    for snapshot in run.snapshots:
        start = snapshot.as_of_ns
        first, last = (int(np.searchsorted(bars.end_ns, at, side="right")) for at in (start, start + HORIZON_NS))
        if start < from_ns or last <= first:
            continue
        for side, extreme in enumerate((float(bars.low[first:last].min()), float(bars.high[first:last].max()))):
            sign, price = 2 * side - 1, snapshot.mark_price
            levels = int(np.floor(sign * np.log(extreme / price) / STEP + 1e-9))
            if levels >= LEAST_LEVELS:
                usd = _levels(snapshot, side, levels)
                yield Frozen(start, start + HORIZON_NS, side, price, usd, first, last)


def _levels(snapshot: TruePositions, side: int, levels: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    mine = ((snapshot.sign > 0) == (side == 0)) & np.isfinite(snapshot.liquidation_price)
    price = snapshot.liquidation_price[mine]
    level = np.floor((2 * side - 1) * np.log(price / snapshot.mark_price) / STEP).astype(np.int64)
    inside = (level >= 0) & (level < levels)
    return np.bincount(level[inside], (np.abs(snapshot.quantity_base[mine]) * price)[inside], levels)


def compare(days: float, seed: int) -> tuple[Lift, Lift, Lift]:
    """Return the lift of the exact positions, of the map by prints, and of the map by hourly sums."""
    run = SimulatedMarket(MarketConfig(days=days, snapshot_interval_ns=HORIZON_NS), seed=seed).run()
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(Path(name) / "home")
        import_paths(workspace.store, [write_dataset(run, Path(name) / "dataset")])
        instrument = workspace.stored()[0]
        bars, sums = read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)
    prints = prints_of(run)
    low, high = int(bars.start_ns[0]) + WARM_NS, int(bars.end_ns[-1])
    every = float(prints.usd[(prints.ts_ns >= low) & (prints.ts_ns < high)].sum())
    seen = [found for frozen in true_maps(run, low) if frozen.usd.sum() > 0.0 and (found := look(frozen, prints)) is not None]
    exact = measure(seen, source="prints", horizon_ns=HORIZON_NS, all_usd=every)
    window = {"from_ns": low, "to_ns": high, "horizon_ns": HORIZON_NS}
    return exact, lift(bars, sums, prints=prints, **window), lift(bars, sums, **window)


def main(days: float, seeds: list[int]) -> None:
    """Print one line a seed."""
    for seed in seeds:
        exact, prints, sums = compare(days, seed)
        rows = (("exact positions", exact), ("map, prints", prints), ("map, hourly sums", sums))
        texts = [f"{name} {one.lift.value:.2f} [{one.lift.lo:.2f}, {one.lift.hi:.2f}]" for name, one in rows]
        print(f"seed {seed}: " + "; ".join(texts))


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(seed) for seed in sys.argv[2].split(",")])
