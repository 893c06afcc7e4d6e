"""The size of the tests of claims about price, on simulated markets in which price knows nothing of the map.

    make nulls        # the same as: python -m benchmarks.nulls 400

Every market is small (300 accounts, 5 s steps, 30 days) and its orders do not move price. The maps are estimated from what such
a venue publishes, as on real data. Each test should reject 5 % of these markets at 5 %. The table goes into docs/claims.md, the
numbers beside the code, where the card of the test reads them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from liqscape.testing.market import MarketConfig, SimulatedMarket, SimulatedRun
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.acceleration import Measure, acceleration
from liqscape.validate.claims_windows import Windows, claim_windows
from liqscape.validate.frozen import freeze
from liqscape.validate.magnet import magnet, random_zone_z
from liqscape.validate.null_size import CALIBRATION, NullSize, NullSizes, write_sizes

PAGE = Path(__file__).parents[1] / "docs" / "claims.md"
BEGIN, END = "<!-- nulls:begin -->", "<!-- nulls:end -->"
DAYS = 30
BURN_IN_D, FIRST_D = 7, 10  # maps teach the distance trend from day 7 on, windows begin on day 10
HORIZONS_H = (1, 4, 24)
PERMUTATIONS = 199
PRIMARY_H = 4


def null_market(seed: int) -> SimulatedRun:
    """Simulate a market whose price knows nothing of positions."""
    config = MarketConfig(impact=False, accounts=300, step_s=5, days=DAYS, snapshot_interval_ns=DAYS * NS_PER_DAY)
    return SimulatedMarket(config, seed).run()


def windows_of(run: SimulatedRun, horizons_h: tuple[int, ...] = HORIZONS_H) -> dict[int, Windows]:
    """Freeze hourly maps and cut the record into windows, by horizon in hours."""
    bars = run.bars
    start = int(bars.start_ns[0])
    at = np.arange(start + BURN_IN_D * NS_PER_DAY, int(bars.end_ns[-1]), NS_PER_HOUR)
    maps = freeze(bars, run.liquidations, at, reach=0.3)
    return {h: claim_windows(bars, maps, h * NS_PER_HOUR, from_ns=start + FIRST_D * NS_PER_DAY) for h in horizons_h}


def tests_of(seed: int) -> dict[str, tuple[bool, float]]:
    """Return whether each test rejects one null market at 5 %, and its z (0 where it has none)."""
    run = null_market(seed)
    found: dict[str, tuple[bool, float]] = {}
    for hours, windows in windows_of(run).items():
        one = magnet(windows, permutations=PERMUTATIONS, power=hours == PRIMARY_H)
        found[f"magnet {hours} h"] = (one.p <= 0.05, one.z)
        found[f"mirror {hours} h"] = (one.mirror.p <= 0.05, 0.0)
        for name, control in (("matched", one.matched), ("round price", one.round_price)):
            if control is not None:
                found[f"{name} {hours} h"] = (control.p <= 0.05, 0.0)
        z = random_zone_z(windows, windows.raw_level, seed)
        found[f"random zone {hours} h"] = (abs(z) > 1.959964, z)
        z = random_zone_z(windows, windows.level, seed)
        found[f"random zone, trend removed {hours} h"] = (abs(z) > 1.959964, z)
        if hours == PRIMARY_H:
            found["smallest drift"] = (False, one.smallest_drift if one.smallest_drift is not None else np.nan)
            for measure in Measure:
                for minutes in (5, 15, 30, 60):
                    after = acceleration(run.bars, windows, minutes=minutes, measure=measure, permutations=PERMUTATIONS)
                    found[f"{measure} {minutes} min"] = (after.p <= 0.05, after.t)
    return found


def sizes_of(rows: list[dict[str, tuple[bool, float]]]) -> NullSizes:
    """Count rejections of every test."""
    names = [name for name in rows[0] if name != "smallest drift"]
    sizes: dict[str, NullSize] = {}
    for name in names:
        some = [row[name] for row in rows if name in row]
        share = float(np.mean([rejected for rejected, _ in some]))
        sizes[name] = NullSize(rejected=share, markets=len(some), mean_z=float(np.mean([z for _, z in some])))
    drifts = [row["smallest drift"][1] for row in rows]
    known = [drift for drift in drifts if np.isfinite(drift)]
    return NullSizes(
        markets=len(rows), days=DAYS - FIRST_D, tests=sizes, smallest_drift=float(np.median(known)) if known else None
    )


def table(sizes: NullSizes, slowest_s: float) -> str:
    """Return the sizes as Markdown."""
    noise = 196.0 * np.sqrt(0.05 * 0.95 / sizes.markets)
    about = (
        f"{sizes.markets} markets of {sizes.days} tested days each, {PERMUTATIONS} permutations; a market took {slowest_s:.1f} s"
        " of processor time at most. Share of markets in which the null, true by construction, is rejected at 5 %. With so many"
        f" markets a test of exact size is seen within +-{noise:.1f} points of 5 % in 95 % of cases."
    )
    lines = [about, "", "| test | 1 h | 4 h | 24 h |", "|---|---:|---:|---:|"]
    words = {
        "magnet": "**beta of the mass (the registered test)**",
        "mirror": "control A, level less mirror",
        "matched": "control B, matched instants",
        "round price": "control C, round prices",
        "random zone": "densest zone against random zone (the naive test)",
        "random zone, trend removed": "the same, distance trend removed",
    }
    for name, text in words.items():
        cells = [f"{sizes.tests[f'{name} {h} h'].rejected:.1%}".replace("%", " %") for h in HORIZONS_H]
        lines.append(f"| {text} | {' | '.join(cells)} |")
    lines += ["", "| after a crossing, 4 h windows | 5 min | 15 min | 30 min | 60 min |", "|---|---:|---:|---:|---:|"]
    for measure in Measure:
        cells = [f"{sizes.tests[f'{measure} {m} min'].rejected:.1%}".replace("%", " %") for m in (5, 15, 30, 60)]
        lines.append(f"| {measure} | {' | '.join(cells)} |")
    mean = " / ".join(f"{sizes.tests[f'magnet {h} h'].mean_z:+.2f}" for h in HORIZONS_H)
    drift = "none that was tried" if sizes.smallest_drift is None else f"{sizes.smallest_drift:.2f} sigma sqrt(H)"
    lines += ["", f"Mean z of the registered test {mean}. Smallest drift seen in one such market (median, 4 h): {drift}."]
    return "\n".join(lines)


def main(count: int) -> None:
    """Measure, print, and write the page and the calibration."""
    rows: list[dict[str, tuple[bool, float]]] = []
    slowest = 0.0
    tests_of(0)  # kernels are compiled before
    for seed in range(1, count + 1):
        began = time.process_time()
        rows.append(tests_of(seed))
        slowest = max(slowest, time.process_time() - began)
    sizes = sizes_of(rows)
    text = table(sizes, slowest)
    print(text)
    if count < 200:
        print("fewer than 200 markets: nothing was written")
        return
    write_sizes(sizes)
    page = PAGE.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        sys.exit(f"{PAGE.name} has no {BEGIN} .. {END}: the table was not written (the calibration was, {CALIBRATION.name})")
    head, rest = page.split(BEGIN, 1)
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
