"""Score the map on a pack of real data and write the table into the README.

    make score        # the same as: python -m benchmarks.score ../shared/data/btcusdt_backtest

Walk-forward: every hour is predicted before its liquidations are known; D2 is measured against the mean of all hours before
the test window, a fixed number.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from liqscape.clock import iso, parse_instant, utc_date
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.store import read_bars, read_liquidations
from liqscape.validate import Report, predict, validate

TEST_FROM, TEST_TO = "2026-02-16", "2026-04-01"
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- score:begin -->", "<!-- score:end -->"


def report_on(pack: Path) -> Report:
    """Import a pack into a store of its own and score it."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_paths(workspace.store, [pack])
        instrument = workspace.stored()[0]
        bars, liquidations = read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)
    return validate(predict(bars, liquidations), str(instrument), from_ns=parse_instant(TEST_FROM), to_ns=parse_instant(TEST_TO))


def table(report: Report) -> str:
    """Return the scores as a Markdown table, with what they are."""
    null = tuple(f"${usd / 1e6:.2f}M" for usd in report.null_usd)
    about = (
        f"`{report.instrument}`, {utc_date(report.from_ns)} to {utc_date(report.to_ns - 1)}, {report.rows[0].long.hours} h of "
        "published liquidations, given the path (how much, not where price goes); "
        f"model {report.model}. D2 = share of the Poisson deviance explained against the mean of all hours before "
        f"{iso(report.null_until_ns)[:10]} ({null[0]} long, {null[1]} short an hour; the first week is burn-in)."
    )
    head = "| predictor | D2 long | short | Spearman long | short | R2 of logs long | short | total ratio long | short |"
    lines = [about, "", head, "|---" * 9 + "|"]
    for row in report.rows:
        a, b = row.long, row.short
        cells = (f"{a.d2:.3f}", f"{b.d2:.3f}", f"{a.spearman:.3f}", f"{b.spearman:.3f}", f"{a.r2_log:.3f}", f"{b.r2_log:.3f}")
        name = row.predictor.replace("|", r"\|")
        lines.append(f"| {name} | {' | '.join(cells)} | {a.total_ratio:.2f} | {b.total_ratio:.2f} |")
    lines += ["", "Written by `make score` (needs the data pack, which is not part of this repository)."]
    return "\n".join(lines)


def main(pack: Path) -> None:
    """Print the table and put it between the README's markers."""
    text = table(report_on(pack))
    print(text)
    readme = README.read_text(encoding="utf-8")
    if BEGIN not in readme or END not in readme:
        sys.exit(f"README.md has no {BEGIN} .. {END}: the table was not written")
    head, rest = readme.split(BEGIN, 1)
    README.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
