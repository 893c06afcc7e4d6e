"""Score the map on a pack of real data and write the table into the README.

    make score        # the same as: python -m benchmarks.score ../shared/data/btcusdt_backtest

The same numbers as `liqscape validate`: every hour is predicted before its liquidations are known.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from liqscape.cli.views.show_validate import funding_of, interval, losses
from liqscape.clock import parse_instant, utc_date
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.store import read_bars, read_liquidations
from liqscape.validate import Judged, Report, predict, validate

TEST_FROM, TEST_TO = "2026-02-16", "2026-04-01"
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- score:begin -->", "<!-- score:end -->"


def judged_on(pack: Path, from_: str = TEST_FROM, to: str = TEST_TO, **options: bool) -> Judged:
    """Import a pack into a store of its own and score it."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_paths(workspace.store, [pack])
        instrument = workspace.stored()[0]
        bars, liquidations = read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)
        predictions = predict(bars, liquidations, funding=funding_of(workspace, instrument))
    return validate(predictions, str(instrument), from_ns=parse_instant(from_), to_ns=parse_instant(to), **options)


def table(report: Report) -> str:
    """Return the scores as a Markdown table, with what they are."""
    null = tuple(f"${usd / 1e6:.2f}M" for usd in report.null_usd)
    about = (
        f"`{report.instrument}`, {utc_date(report.from_ns)} to {utc_date(report.to_ns - 1)}, {report.map.long.intervals} h of "
        f"published liquidations; model {report.model}. D2 = share of the Poisson deviance explained against the mean of all "
        f"hours before {utc_date(report.null_until_ns)} ({null[0]} long, {null[1]} short an hour), with the 90 % interval of "
        "whole days drawn; ahead = the map's D2 less the predictor's, mean of the sides; log loss (negative binomial) and "
        "CRPS: less is better."
    )
    head = "| predictor | D2 long | short | ahead | log loss | CRPS | Spearman | total ratio | 90 % band held |"
    lines = [about, "", head, "|---" * 9 + "|"]
    ahead = {each.against: each for each in report.comparisons}
    for row in report.rows:
        name = row.predictor.replace("|", r"\|")
        if not row.scopes:
            lines.append(f"| {name} | {row.note} | | | | | | | |")
            continue
        scope, both = row.scopes[0], row.scopes[0].both
        less = interval(ahead[row.predictor].d2_mean, sign=True) if row.predictor in ahead else ""
        log_loss = "" if both.log_loss.value is None else f"{both.log_loss.value:.2f}"
        crps = "" if both.crps_usd.value is None else f"${both.crps_usd.value / 1e3:.0f}K"
        held = "" if both.coverage_90.value is None else f"{both.coverage_90.value * 100:.0f} %"
        lines.append(
            f"| {name} | {interval(scope.long.d2)} | {interval(scope.short.d2)} | {less} | {log_loss} | {crps} "
            f"| {both.spearman.value or 0.0:.3f} | {both.total_ratio.value or 0.0:.2f} | {held} |"
        )
    worse = [f"{each.against}: {losses(each.loses_on)}" for each in report.comparisons if each.loses_on]
    lines += ["", "Where the map loses: " + ("; ".join(worse) or "nowhere in this table") + "."]
    lines += ["", "Written by `make score` (needs the data pack, which is not part of this repository)."]
    return "\n".join(lines)


def main(pack: Path) -> None:
    """Print the table and put it between the README's markers."""
    text = table(judged_on(pack).report)
    print(text)
    readme = README.read_text(encoding="utf-8")
    if BEGIN not in readme or END not in readme:
        sys.exit(f"README.md has no {BEGIN} .. {END}: the table was not written")
    head, rest = readme.split(BEGIN, 1)
    README.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
