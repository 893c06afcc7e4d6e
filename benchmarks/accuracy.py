"""Score the map on a pack of real data and write docs/accuracy.md with its figures.

    python -m benchmarks.accuracy ../shared/data/btcusdt_backtest

The pack is imported into a temporary home, scored over the test window, and asked like any other: the badge is the one that every
map would show. The picture beside the truth is of a simulated market. Nothing on the page between the markers is typed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.lift_truth import compare
from benchmarks.score import TEST_FROM, TEST_TO
from liqscape.api.record import keep_verdict
from liqscape.cli.views.show_accuracy import record_of
from liqscape.clock import parse_instant, utc_date
from liqscape.engine.episodes import Episodes, build_episodes
from liqscape.engine.importer import import_paths
from liqscape.engine.maps import build_map
from liqscape.engine.verdict import Badge, badge
from liqscape.engine.workspace import Workspace
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import BUCKET_WIDTH
from liqscape.plot import save
from liqscape.plot.accuracy_pictures import plot_against_truth, plot_calibration, plot_hours, plot_lift
from liqscape.store import read_bars, read_funding, read_liquidations
from liqscape.testing.market import MarketConfig, SimulatedMarket, true_levels, write_dataset
from liqscape.units import NS_PER_HOUR, format_usd
from liqscape.validate import Judged, predict, validate
from liqscape.validate.bootstrap import Value
from liqscape.validate.lift import Placed, lift
from liqscape.validate.verdict import Lift, Verdict

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURES = DOCS / "accuracy.md", DOCS / "pictures"
BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"
HORIZONS_H = (4, 24)  # of one hour a single sum says nothing: there the lift is 1 by construction
TRUTH_DAYS, TRUTH_SEED, TRUTH_WITHIN = 60, 7, 0.10
TRUTH_SEEDS = (7, 8, 9)
BAND = [1, 5]  # of LEVELS: 10 % and 90 %
# Scored while this page's metric was chosen: the profile by distance as steps and as lines, each at three horizons.
LIFT_VARIANTS = 6


def fifteen_minutes(pack: Path) -> Placed | None:
    """Return Binance's forced orders in 15-minute bars with the range of their prices, if they lie beside the pack."""
    path = pack.parent / "binance_liq_15m_202602_03" / "liquidations_15m.parquet"
    if not path.exists():
        return None
    rows = pl.read_parquet(path).sort("ts")
    ts, sides = rows["ts"].dt.epoch("ns").to_numpy(), ("sell_volume_usd", "buy_volume_usd")  # a sold position was long
    low, high = rows["low_price"].to_numpy(), rows["high_price"].to_numpy()
    order = np.argsort(np.tile(ts, 2), kind="stable")
    return Placed(
        ts_ns=np.tile(ts, 2)[order],
        side=np.repeat([0, 1], ts.size)[order],
        low=np.tile(low, 2)[order],
        high=np.tile(np.maximum(high, low * (1.0 + 1e-6)), 2)[order],
        usd=np.concatenate([rows[name].to_numpy() for name in sides])[order],
        source="ranges",
    )


def scored(workspace: Workspace) -> tuple[Judged, Verdict, BarSeries, LiquidationSeries]:
    """Score the test window and keep the verdict, as `validate` and `accuracy --refresh` do."""
    instrument = workspace.stored()[0]
    bars, liquidations = read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)
    rates = read_funding(workspace.store, instrument).sort("known_ns")
    judged = validate(
        predict(bars, liquidations, funding=(rates["known_ns"].to_numpy(), rates["rate"].to_numpy())),
        str(instrument),
        from_ns=parse_instant(TEST_FROM),
        to_ns=parse_instant(TEST_TO),
        boosting=False,
    )
    return judged, keep_verdict(workspace, instrument, judged, bars, liquidations), bars, liquidations


def written(value: Value, digits: int = 2) -> str:
    """Write a value with its interval."""
    if value.value is None:
        return "-"
    if value.lo is None or value.hi is None:
        return f"{value.value:.{digits}f}"
    return f"{value.value:.{digits}f} [{value.lo:.{digits}f}, {value.hi:.{digits}f}]"


def score_lines(verdict: Verdict) -> list[str]:
    """Return the scores per side, and the rivals."""
    names = (
        ("d2", "D2", 3), ("spearman", "Spearman", 3), ("r2_log", "R2 of logs", 3), ("total_ratio", "predicted / published", 2),
        ("log_loss", "log loss, nats an hour", 2), ("coverage_50", "hours in the 50 % band", 3),
        ("coverage_80", "in the 80 % band", 3), ("coverage_90", "in the 90 % band", 3),
    )  # fmt: skip
    lines = ["| score, with 90 % interval (whole days drawn) | longs | shorts |", "|---|---:|---:|"]
    for name, about, digits in names:
        cells = " | ".join(written(side.values[name], digits) for side in verdict.sides)
        lines.append(f"| {about} | {cells} |")
    crps = " | ".join(format_usd(side.values["crps_usd"].value) for side in verdict.sides)
    lines += [f"| CRPS an hour | {crps} |", "", "| against, on the same path | D2 long | short | the map's lead, mean of sides |"]
    lines += ["|---|---:|---:|---:|"]
    for each in sorted(verdict.rivals, key=lambda one: -(one.d2_long + one.d2_short)):
        name = each.predictor.replace("|", r"\|")
        lines.append(f"| {name} | {each.d2_long:.3f} | {each.d2_short:.3f} | {written(each.difference, 3)} |")
    return lines


def lift_row(name: str, found: Lift) -> str:
    """Return one line of the lift table."""
    shares = f"{found.share:.1%} | {found.expected:.1%} | {found.chance:.1%} | {found.perfect:.1%}"
    return (
        f"| {name} | {found.horizon_ns // NS_PER_HOUR} h | {written(found.lift)} | {written(found.over_chance)} | {shares} "
        f"| {found.located:.0%} | {found.maps} |"
    ).replace("%", " %")


def lift_lines(verdict: Verdict, bars: BarSeries, liquidations: LiquidationSeries, ranges: Placed | None) -> list[str]:
    """Return the lift at several horizons, and from finer prices where there are any."""
    heads = ("where dollars lie", "frozen for", "**lift** over distance", "over levels drawn at random", "on the dense quarter")
    heads += ("by distance", "at random", "if they lay as mapped", "located", "maps")
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for hours in HORIZONS_H:
        found = lift(bars, liquidations, from_ns=verdict.from_ns, to_ns=verdict.to_ns, horizon_ns=hours * NS_PER_HOUR)
        lines.append(lift_row("hourly sums, three venues", found))
    if ranges is not None:
        window = int(ranges.ts_ns[0]) // NS_PER_HOUR * NS_PER_HOUR, int(ranges.ts_ns[-1])
        for hours in (1, 4):
            found = lift(bars, liquidations, from_ns=window[0], to_ns=window[1], prints=ranges, horizon_ns=hours * NS_PER_HOUR)
            lines.append(lift_row("15-minute price ranges, Binance, 7 days", found))
    return lines


def truth_lines() -> list[str]:
    """Return the lift of exact positions and of estimated maps on simulated markets."""
    lines = ["| simulated market | exact positions | map, by prints | map, by hourly sums |", "|---|---:|---:|---:|"]
    for seed in TRUTH_SEEDS:
        cells = " | ".join(written(found.lift) for found in compare(TRUTH_DAYS, seed))
        lines.append(f"| {TRUTH_DAYS} days, seed {seed} | {cells} |")
    return lines


def episode_lines(found: Episodes) -> list[str]:
    """Return the public case and the counts."""
    case = found.case
    assert case is not None, "the pack holds 2026-01-30"
    said = [
        f"`{found.instrument}`, one map a day, {found.from_[:10]} to {found.to[:10]} ({found.maps} maps), within "
        f"{found.within:.0%}".replace("%", " %")
        + f"; lopsided from {found.least_ratio:g} : 1.",
        "",
        f"**The case of 2026-01-30 22:55 UTC** (BTC 84,178.9, publicly claimed {case.claimed_ratio:g} : 1 shorts above).",
        f"This map then had shorts : longs {case.ratio:.2f} : 1. What followed:",
        "",
        "| within | swept first | low | high | longs liquidated | shorts liquidated |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for after in case.followed:
        name = {"thin": "longs: the side that was claimed thin", "heavy": "shorts"}.get(after.outcome, "neither")
        moves = f"{after.low:+.1%} | {after.high:+.1%}".replace("%", " %")
        said.append(f"| {after.days} d | {name} | {moves} | {format_usd(after.long_usd)} | {format_usd(after.short_usd)} |")
    said += [
        "",
        "| within | lopsided days (stretches) | thin side first | neither | heavy side first | heavy of those swept | all days |",
    ]
    said += ["|---|---:|---:|---:|---:|---:|---:|"]
    for tally in found.tallies:
        share = written(Value(tally.heavy_share, tally.lo, tally.hi))
        counts = f"{tally.episodes} ({tally.runs}) | {tally.thin} | {tally.neither} | {tally.heavy}"
        said.append(f"| {tally.days} d | {counts} | {share} | {tally.all_days_share:.2f} of {tally.all_days} |")
    return said


def page(
    verdict: Verdict, record: Badge, found: Episodes, lifts: list[str], truths: list[str], against_truth: tuple[float, float]
) -> str:
    """Return the text between the markers."""
    window = f"{utc_date(verdict.from_ns)} to {utc_date(verdict.to_ns - 1)}"
    null = " and ".join(format_usd(usd) for usd in verdict.null_usd)
    longs, shorts = against_truth
    shares = ", ".join(f"{share:.0%} {name} before".replace("%", " %") for name, share in verdict.survivor_share.items())
    lines = [
        f"Badge: **{record.text}**: {'; '.join(verdict.reasons)}.",
        "",
        f"`{verdict.instrument}`, {window}: {verdict.days} days, {verdict.sides[0].hours:,} hours; model {verdict.model}, inputs",
        f"`{verdict.inputs_hash[:16]}`. D2 is against the mean before the window ({null} an hour, longs and shorts).",
        "",
        *score_lines(verdict),
        "",
        "![Where hours fell in their predicted distribution; hours inside the bands](pictures/accuracy_calibration.png)",
        "",
        "![Published dollars hour by hour over the predicted band](pictures/accuracy_hours.png)",
        "",
        f"Of what was liquidated there stood in the map: {shares}.",
        "",
        "### Lift",
        "",
        *lifts,
        "",
        f"{LIFT_VARIANTS} variants of the metric were looked at on this window: the profile by distance as steps and as lines,",
        "at three horizons. The badge uses the lines and four hours.",
        "",
        "Could the lift see more? On simulated markets positions are known. The same measure over four hours, of the exact",
        "liquidation prices and of the map that saw public inputs only:",
        "",
        *truths,
        "",
        "![Share of liquidated dollars on the densest quarter of the traded levels, by distance](pictures/accuracy_lift.png)",
        "",
        "### Beside the truth",
        "",
        f"A simulated market of {TRUTH_DAYS} days (seed {TRUTH_SEED}); the map saw bars, open interest and hourly sums only:",
        "",
        "![An estimated map over the true positions of a simulated market](pictures/accuracy_truth.png)",
        "",
        f"Within 10 % the map holds {longs:.2f} of the true dollars of longs and {shorts:.2f} of those of shorts, on this",
        "one market and day (`python -m benchmarks.truth` measures many). It learns what a move really liquidates; the truth",
        "counts every liquidation price, also where its owner would close the position first.",
        "",
        "### Lopsided days",
        "",
        *episode_lines(found),
        "",
        "Written by `python -m benchmarks.accuracy PACK` (needs the data pack, which is not part of this repository).",
    ]
    return "\n".join(lines)


def draw(verdict: Verdict, record: Badge, judged: Judged) -> None:
    """Draw the figures of the scored window."""
    long, short, rows, text = record_of(verdict)
    name = f"{verdict.instrument}, {utc_date(verdict.from_ns)} to {utc_date(verdict.to_ns - 1)}"
    subline = [
        f"{verdict.days} days out of sample, given the path",
        f"model {verdict.model}",
        f"inputs {verdict.inputs_hash[:8]}",
    ]
    title = f"Are the bands right? {name}"
    save(plot_calibration(title, subline, long, short, badge=record.text), PICTURES / "accuracy_calibration.png")
    save(plot_lift(f"Lift by distance: {name}", subline, rows, lift_text=text, badge=record.text), PICTURES / "accuracy_lift.png")
    at = np.flatnonzero(judged.shown & judged.predictions.rows.known)
    panel = judged.predictions.rows
    figure = plot_hours(
        f"Hour by hour: {name}",
        subline,
        panel.start_ns[at],
        panel.realised[at],
        judged.predictions.predicted[at],
        judged.bands.quantiles[at][:, :, BAND],
        badge=record.text,
    )
    save(figure, PICTURES / "accuracy_hours.png")


def draw_truth() -> tuple[float, float]:
    """Draw the estimated map of a simulated market over the true one; return estimated over true dollars (longs, shorts)."""
    run = SimulatedMarket(MarketConfig(days=TRUTH_DAYS), seed=TRUTH_SEED).run()
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(Path(name) / "home")
        import_paths(workspace.store, [write_dataset(run, Path(name) / "dataset")])
        found = build_map(workspace, str(workspace.stored()[0]))
    truth = true_levels(run.truth(), found.mark_price)
    n = round(TRUTH_WITHIN / BUCKET_WIDTH)
    estimated: list[FloatArray] = []
    ends: list[FloatArray] = []
    for side in (found.long, found.short):
        estimated.append(np.cumsum(side.usd[:n]))
        draws = np.cumsum(side.draws_usd[:, :n], axis=1)
        low, middle, high = np.quantile(draws, (0.1, 0.5, 0.9), axis=0)
        # The interval is recentred on the map's own value, as everywhere.
        scale = np.divide(estimated[-1], middle, out=np.ones(n), where=middle > 0.0)
        ends.append(np.stack((low * scale, high * scale)))
    true = np.stack([np.cumsum(side[:n]) for side in truth])
    figure = plot_against_truth(
        "Estimated against true: dollars between the mark and a distance",
        [
            f"{TRUTH_DAYS} simulated days, seed {TRUTH_SEED}",
            f"model {found.model}",
            "the map saw bars, open interest, hourly sums",
        ],
        BUCKET_WIDTH * np.arange(1.0, n + 1.0),
        np.stack(estimated),
        np.stack([each[0] for each in ends]),
        np.stack([each[1] for each in ends]),
        true,
    )
    save(figure, PICTURES / "accuracy_truth.png")
    return float(estimated[0][-1] / true[0, -1]), float(estimated[1][-1] / true[1, -1])


def main(pack: Path) -> None:
    """Score, draw, and put the text between the page's markers."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_paths(workspace.store, [pack])
        judged, verdict, bars, liquidations = scored(workspace)
        record = badge(workspace, workspace.stored(), verdict.to_ns)
        (found,) = build_episodes(workspace, verdict.instrument)
    draw(verdict, record, judged)
    shares = draw_truth()
    text = page(verdict, record, found, lift_lines(verdict, bars, liquidations, fifteen_minutes(pack)), truth_lines(), shares)
    print(text)
    old = PAGE.read_text(encoding="utf-8")
    if BEGIN not in old or END not in old:
        sys.exit(f"{PAGE.name} has no {BEGIN} .. {END}: nothing was written")
    head, rest = old.split(BEGIN, 1)
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
