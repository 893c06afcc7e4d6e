"""`liqscape validate`: how right the map was, against what happened and against everything simpler."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import typer

from liqscape.api.envelope import plain_meta
from liqscape.api.record import keep_verdict
from liqscape.cli.emit import Answer, emit, note
from liqscape.cli.options import Home, Plain
from liqscape.cli.question import read
from liqscape.cli.screen import BAD, BOLD, DIM, GOOD, WARN, Screen
from liqscape.clock import parse_instant, utc_date
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId
from liqscape.model.arrays import FloatArray, IntArray
from liqscape.store import read_bars, read_funding, read_liquidations
from liqscape.units import NS_PER_HOUR, format_duration, format_usd
from liqscape.validate import Card, Judged, Report, Scope, Value, predict, predicted_rows, validate
from liqscape.validate.gates import Judgement, judge, parse_gate

MISSED = 20  # exit status when a stated gate is missed
_WORDS = {
    "d2": "D2",
    "log_loss": "log loss",
    "crps_usd": "CRPS",
    "tail_crps_usd": "tail CRPS",
    "spearman": "Spearman",
    "r2_log": "R2 of logs",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is scored, over which window, and how constants are refitted; texts as typed."""

    instrument: str
    from_: str | None
    to: str | None
    null_until: str | None
    fit_days: float
    refit_days: float
    embargo_days: float
    baselines: bool
    boosting: bool
    bars: Path | None
    liquidations: Path | None
    funding: Path | None

    @property
    def chosen(self) -> bool:
        """Whether window or schedule were chosen: a verdict comes from the default ones, so that nobody picks its days."""
        return (self.from_, self.to, self.null_until, self.fit_days, self.refit_days, self.embargo_days) != (
            None,
            None,
            None,
            75.0,
            7.0,
            7.0,
        )


def show_validate(home: Home, show: Plain, asked: Asked, *, gates: Sequence[str], out: Path | None) -> None:
    """Answer `liqscape validate`; exit 20 if a stated gate is missed."""
    stated = [parse_gate(text) for text in gates]
    if out is not None and not out.parent.is_dir():
        raise BadArgument(f"--out: there is no folder {str(out.parent)!r}", hint="Create it first, or choose another one.")
    files = [path for path in (asked.bars, asked.liquidations, asked.funding) if path is not None]
    if files:
        if asked.bars is None or asked.liquidations is None:
            raise BadArgument("--bars and --liquidations: both are needed", hint="Or neither, to score what is stored.")
        # A store of their own: the user's is not touched.
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder))
            import_paths(workspace.store, files, instrument=read("INSTRUMENT", asked.instrument, InstrumentId.parse))
            judged = score_stored(workspace, asked)
        simulated = None
    else:
        workspace = Workspace(home.home)
        judged = score_stored(workspace, asked)
        instrument = InstrumentId.parse(judged.report.instrument)
        simulated = workspace.is_simulated(instrument)
        if not asked.chosen:
            keep_verdict(
                workspace,
                instrument,
                judged,
                read_bars(workspace.store, instrument),
                read_liquidations(workspace.store, instrument),
            )
            note(show, f"this is the verdict on {instrument} now: `liqscape accuracy {instrument}` shows it")
    verdicts = [judge(gate, judged.report) for gate in stated]
    if out is not None:
        table = predictions_table(judged)
        table.write_parquet(out)
        note(show, f"wrote {out}: {table.height:,} rows of {', '.join(table.columns)}")
    report = judged.report
    meta = plain_meta(asked=asked.instrument, instruments=[report.instrument], simulated=simulated)
    answer = Answer("validate", {"report": report, "gates": verdicts}, meta, lambda screen: say(screen, report, verdicts))
    emit(show, answer, Screen.of(show))
    if not all(verdict.reached for verdict in verdicts):
        raise typer.Exit(MISSED)


def score_stored(workspace: Workspace, asked: Asked) -> Judged:
    """Score the one stored instrument that a name means."""
    found = workspace.resolve(asked.instrument)
    if len(found) != 1:
        names = ", ".join(str(each) for each in found)
        raise BadArgument(f"validate: {asked.instrument!r} means several instruments", hint=f"Choose one: {names}.")
    bars, liquidations = read_bars(workspace.store, found[0]), read_liquidations(workspace.store, found[0])
    predictions = predict(
        bars, liquidations, funding=funding_of(workspace, found[0]), fit_days=asked.fit_days, embargo_days=asked.embargo_days
    )
    return validate(
        predictions,
        str(found[0]),
        from_ns=None if asked.from_ is None else read("--from", asked.from_, parse_instant),
        to_ns=None if asked.to is None else read("--to", asked.to, parse_instant),
        null_until_ns=None if asked.null_until is None else read("--null-until", asked.null_until, parse_instant),
        fit_days=asked.fit_days,
        refit_days=asked.refit_days,
        embargo_days=asked.embargo_days,
        baselines=asked.baselines,
        boosting=asked.boosting,
    )


def funding_of(workspace: Workspace, instrument: InstrumentId) -> tuple[IntArray, FloatArray] | None:
    """Return stored funding as (when each rate became known, rates); None if none is stored."""
    rows = read_funding(workspace.store, instrument).sort("known_ns")
    return None if rows.is_empty() else (rows["known_ns"].to_numpy(), rows["rate"].to_numpy())


def predictions_table(judged: Judged) -> pl.DataFrame:
    """Return what `--out` writes: one row per interval and side, unknown is null."""
    return pl.DataFrame(predicted_rows(judged)).with_columns(
        (pl.col("ts") // 1_000).cast(pl.Datetime("us", "UTC")), pl.selectors.float().fill_nan(None)
    )


def say(screen: Screen, report: Report, verdicts: Sequence[Judgement]) -> None:
    """Print the report for people."""
    ours = report.map
    hourly = report.interval_ns == NS_PER_HOUR
    length = "hour" if hourly else format_duration(report.interval_ns)
    counted = f"{ours.long.intervals:,} {'hours' if hourly else f'intervals of {length}'}"
    screen.line((f"{report.instrument}: how right the map was, given the path (how much, not where price goes)", BOLD))
    null = " and ".join(f"{format_usd(usd)} {side}" for usd, side in zip(report.null_usd, ("long", "short"), strict=True))
    screen.line(
        f"{utc_date(report.from_ns)} to {utc_date(report.to_ns - 1)}, {counted}; model {report.model}, "
        f"{report.learned_share * 100:.0f} % predicted by learned weights. D2 is the share of the Poisson deviance explained "
        f"against the mean before {utc_date(report.null_until_ns)} ({null} per {length}); [90 % intervals, whole days drawn]; "
        "refitted: against the mean of the fit period instead (long/short). Log loss, CRPS, Spearman, total and 90 % band are of "
        "both sides together.",
        (f" Refits every {report.refit_days:g} d on {report.fit_days:g} d, embargo {report.embargo_days:g} d.", DIM),
    )
    _say_predictors(screen, report)
    _say_stretches(screen, report)
    _say_comparisons(screen, report)
    for verdict in verdicts:
        shown = "unknown" if verdict.value is None else f"{verdict.value:.3f}"
        screen.line(("reached " if verdict.reached else "MISSED  ", GOOD if verdict.reached else BAD), f"{verdict.gate}: {shown}")


def _say_predictors(screen: Screen, report: Report) -> None:
    screen.blank()
    wide, roomy = max(len(row.predictor) for row in report.rows), _roomy(screen)
    room = 21 if roomy else 7
    head = f"{'':<{wide}}  {'D2 long':<{room}} {'short':<{room}}{'refitted':>10}{'log loss':>9}"
    screen.row((f"{head}{'CRPS':>8}" if roomy else head, DIM), (f"{'Spearman':>9}{'total':>6}{'90 %':>5}", DIM))
    for row in report.rows:
        if not row.scopes:
            screen.line(f"{row.predictor:<{wide}}  ", (f"not run: {row.note}", WARN), hang=wide + 2)
            continue
        scope = row.scopes[0]
        both = scope.both
        refitted = "/".join(_short(v.value) if v.value is not None else "-" for v in (c.d2_walk_forward for c in _sides(scope)))
        screen.row(
            (f"{row.predictor:<{wide}}  ", BOLD if row is report.rows[0] else ""),
            f"{_d2(scope.long, roomy):<{room}} {_d2(scope.short, roomy):<{room}}{refitted:>10}{_plain(both.log_loss, 2):>9}",
            f"{format_usd(both.crps_usd.value):>8}" if roomy else "",
            f"{_plain(both.spearman, 3):>9}{_plain(both.total_ratio, 2):>6}{_percent(both.coverage_90):>5}",
        )


def _say_stretches(screen: Screen, report: Report) -> None:
    screen.blank()
    roomy = _roomy(screen)
    room = 21 if roomy else 7
    head = f"{'the map by stretch':<19}{'n':>6}  {'D2 long':<{room}} {'short':<{room}}{'total':>6}"
    screen.row((f"{head}   {'bands 50/80/90 % held (long | short)' if roomy else '50/80/90 % (long | short)'}", DIM))
    for scope in report.rows[0].scopes:
        held = " | ".join("/".join(_percent(v) for v in (c.coverage_50, c.coverage_80, c.coverage_90)) for c in _sides(scope))
        screen.row(
            f"{scope.name:<19}{scope.long.intervals:>6}  {_d2(scope.long, roomy):<{room}} {_d2(scope.short, roomy):<{room}}"
            f"{_plain(scope.both.total_ratio, 2):>6}   {held}"
        )


def _roomy(screen: Screen) -> bool:
    """Whether intervals fit on a line; a narrow terminal shows the values alone."""
    return not screen.wraps or screen.width >= 112


def _sides(scope: Scope) -> tuple[Card, Card]:
    return scope.long, scope.short


def _d2(card: Card, roomy: bool) -> str:
    return interval(card.d2 if roomy else Value(card.d2.value))


def _say_comparisons(screen: Screen, report: Report) -> None:
    if not report.comparisons:
        return
    screen.blank()
    wide = max(len(each.against) for each in report.comparisons)
    screen.row((f"{'the map less':<{wide}}  {'D2, mean of sides':<24}{'p (Holm)':>9}   the map loses on", DIM))
    for each in report.comparisons:
        p = "< .001" if each.p_holm < 0.001 else f"{each.p_holm:.3f}"
        start = f"{each.against:<{wide}}  {interval(each.d2_mean, sign=True):<24}{p:>9}   "
        lost = (losses(each.loses_on), WARN if each.loses_on else "")
        if screen.wraps and len(start) + len(lost[0]) > screen.width:
            screen.row(start)
            screen.line("    ", lost, hang=4)
        else:
            screen.row(start, lost)


def losses(names: Sequence[str]) -> str:
    """Write `D2 (long), log loss` of `d2 long`, `log_loss long` and `log_loss short`; `nothing` of none."""
    sides: dict[str, list[str]] = {}
    for name in names:
        score, side = name.split(" ")
        sides.setdefault(_WORDS.get(score, score), []).append(side)
    return ", ".join(score if len(found) == 2 else f"{score} ({found[0]})" for score, found in sides.items()) or "nothing"


def interval(found: Value, *, sign: bool = False) -> str:
    """Write `.902 [.879-.921]`."""
    if found.value is None:
        return "-"
    text = _short(found.value, sign)
    if found.lo is None or found.hi is None:
        return text
    between = " to " if sign or found.lo < 0.0 else "-"
    return f"{text} [{_short(found.lo, sign)}{between}{_short(found.hi, sign)}]"


def _short(value: float, sign: bool = False) -> str:
    text = f"{value:+.3f}" if sign else f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1.0 else f"{value:.1f}"


def _plain(found: Value, digits: int) -> str:
    return "-" if found.value is None else f"{found.value:.{digits}f}"


def _percent(found: Value) -> str:
    return "-" if found.value is None else f"{found.value * 100:.0f}"
