"""`python -m benchmarks [WORD ...]`: measure, print one table, write it into docs/benchmarks.md.

With words only the measurements whose name holds one of them are run, and nothing is written.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import cascade, kernels, parse, serving, whole
from benchmarks.measure import Measured
from liqscape import __version__
from liqscape.clock import now_ns, utc_date
from liqscape.estimate import MODEL

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
MEASUREMENTS = (
    kernels.full_recipe,
    kernels.minute_year,
    kernels.ensemble,
    kernels.against_twin,
    whole.map_process,
    whole.cascade_process,
    whole.heatmap,
    whole.importing,
    whole.validating,
    whole.exchange,
    parse.parsing,
    cascade.static_cascade,
    cascade.dynamic_cascade,
    cascade.live_reproduction,
    cascade.beside_flox,
    serving.serving,
)
HEADS = ("measured", "median", "best", "bar", "aim", "verdict", "runs")


def machine() -> str:
    """Name the class of machine: what matters, and nothing that names this one."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, {python}"


def row(found: Measured) -> tuple[str, ...]:
    """Return one line of the table."""

    def written(value: float | None) -> str:
        return "" if value is None else f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"

    median, best = f"{written(found.median)} {found.unit}", f"{written(found.best)}"
    return found.what, median, best, written(found.bar), written(found.aim), found.verdict, str(found.runs)


def page(rows: list[tuple[str, ...]], load: float) -> str:
    """Return the page of the documentation; `load` is what else the machine was doing when it began."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `python -m benchmarks` (`make bench`) on {utc_date(now_ns())}: liqscape {__version__}, model {MODEL},",
        f"{machine()}. All data are made up with a fixed seed: a random walk with 45 % volatility a year. A verdict",
        "judges the median: *aim* and *pass* reach their number, *miss* does not. Kernels are compiled before.",
        f"The machine's load was {load:.1f} when it began: above a few tenths it is other work, which makes all of this slower.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|---|" + "---:|" * (len(HEADS) - 1),
        *("| " + " | ".join(cells) + " |" for cells in rows),
    ]
    return "\n".join(lines) + "\n"


def main(words: list[str]) -> None:
    """Run the measurements and tell."""
    console = Console()
    load = os.getloadavg()[0]
    chosen = [each for each in MEASUREMENTS if not words or any(word in each.__name__ for word in words)]
    rows: list[tuple[str, ...]] = []
    for measurement in chosen:
        for found in measurement():
            rows.append(row(found))
            if console.is_terminal:
                console.print(f"{found.what}: {rows[-1][1]} ({found.verdict})", style="dim")
    table = Table(*HEADS, title=f"liqscape {__version__}, {machine()}")
    for cells in rows:
        table.add_row(*cells)
    console.print(table)
    if not words:
        PAGE.write_text(page(rows, load), encoding="utf-8")
        console.print(f"written to {PAGE.relative_to(Path.cwd()) if PAGE.is_relative_to(Path.cwd()) else PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
