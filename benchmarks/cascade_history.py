"""What the cascade engine would have said of falls that happened, and what happened: writes the tables of docs/cascade.md.

    python -m benchmarks.cascade_history ../shared/data

Two histories. 10 and 11 October 2025 on Hyperliquid (`cascade_october`), and the falls of 29 January to 6 February 2026 in the
pack, every hour of them asked so that false alarms count as well (`cascade_odds`). Failures come first.
"""

from __future__ import annotations

import itertools
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cascade_october import october_lines
from benchmarks.cascade_odds import HORIZONS_H, RUN, WAYS, Hour, Odds, farthest, hour, odds, walk
from liqscape.api.cascade import draw_cascade
from liqscape.cascade import (
    Basis,
    Direction,
    Factor,
    Ignition,
    Physics,
    Run,
    exactly,
    forced_venue,
    p_reach,
    reality,
    simulate,
    summary,
)
from liqscape.clock import iso, parse_instant
from liqscape.engine.cascade import LAW_PHYSICS, REPORTED, build_cascade
from liqscape.engine.importer import import_paths
from liqscape.engine.maps import build_map
from liqscape.engine.replay import Tape, read_tape
from liqscape.engine.workspace import Workspace
from liqscape.model import LiquidationSeries
from liqscape.model.maps import Estimate
from liqscape.units import NS_PER_DAY, NS_PER_HOUR, format_usd
from liqscape.validate.bootstrap import Days, Value

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURE = DOCS / "cascade.md", DOCS / "pictures" / "cascade.png"
BEGIN, END = "<!-- history:begin -->", "<!-- history:end -->"
PAST_FROM, SCORED_FROM, RECORD_TO = "2025-12-15", "2026-01-19", "2026-03-05T10:00Z"  # dollars traded are known until then
FALLS = ("2026-01-29", "2026-02-07")
WINDOWS = (
    (*FALLS, "the falls"),
    (SCORED_FROM, "2026-02-16", "tuning window; Y was fitted to its second half"),
    ("2026-02-16", RECORD_TO, "nothing was fitted here"),
)
SHOCK_USD = 3e8
SCORED = 3  # variants: levels by the engine's share of what feeds publish, the same without its interval, and as published
ALARM = (0.10, 0.25)  # by horizon: four and a half times, and one and a half times, how often a run came in the falls
APART_H = 4
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Fall:
    """The hour before a fall: what was said and what came."""

    at_ns: int
    ignition: Ignition
    run: Run
    timed: tuple[float, ...]
    p_run: float
    odds: tuple[float, float]
    moved: tuple[float, ...]
    liquidated_usd: tuple[float, ...]


def falls(workspace: Workspace, tape: Tape, said: Odds) -> list[Fall]:
    """Ask the engine about the beginning of every hour with a run down, the first of those that lie close together."""
    window = said.between(*(parse_instant(each) for each in FALLS))
    down, found = WAYS.index(Direction.DOWN), list[Fall]()
    last = 0
    for row in np.flatnonzero(window.ran[:, down, 0]):
        at = int(window.at_ns[row])
        if at - last < APART_H * NS_PER_HOUR:
            last = at
            continue
        last = at
        asked = build_map(workspace, str(tape.instrument), as_of_ns=at)
        answer = build_cascade(workspace, asked, shock_usd=SHOCK_USD, directions=(Direction.DOWN,))
        one = answer.ways[Direction.DOWN]
        assert one.timed is not None, "it is simulated in time unless told not to"
        assert answer.brakes.within_15_min.basis is Basis.IMPACT_LAW, "the pack holds no book"
        found.append(
            Fall(
                at_ns=at,
                ignition=one.ignition,
                run=one.run,
                timed=tuple(quantile.value for quantile in one.timed.end),
                p_run=p_reach(one.paths, RUN).value,
                odds=(float(window.with_map[row, down, 0]), float(window.no_map[row, down, 0])),
                moved=tuple(farthest(tape.bars, at, h, asked.mark_price, Direction.DOWN) for h in (1, 4, 24)),
                liquidated_usd=tuple(liquidated(tape.liquidations, at, h) for h in (1, 4, 24)),
            )
        )
    return found


def draw(workspace: Workspace, asked: str, found: list[Fall]) -> str:
    """Draw what the engine said before the fall that was deepest within a day; say what in its time carries the outer tenth."""
    deepest = max(found, key=lambda fall: fall.moved[-1])
    cascades = build_cascade(workspace, build_map(workspace, asked, as_of_ns=deepest.at_ns), shock_usd=SHOCK_USD)
    draw_cascade(cascades, PICTURE)
    levels, standing = cascades.ways[Direction.DOWN].levels, cascades.brakes.standing
    variants = {
        "as it is (the law holds what makers bear)": LAW_PHYSICS,
        "with the limit of what makers bear beside a book": Physics(),
        "if nothing were withdrawn": Physics(inventory=LAW_PHYSICS.inventory, withdrawal=exactly(1e-9)),
    }
    ends: list[str] = []
    for name, physics in variants.items():
        venue = forced_venue(cascades.found.inputs[0].instrument.venue)
        paths = simulate(levels, standing, Direction.DOWN, [venue], shock_usd=SHOCK_USD, physics=physics)
        ends.append(f"{' / '.join(f'{q.value:.1%}' for q in summary(paths).end)} {name}")
    return f"The same in time, {iso(deepest.at_ns)[:16].replace('T', ' ')}: {', '.join(ends)} (10 / 50 / 90%)."


def liquidated(series: LiquidationSeries, at_ns: int, hours: int) -> float:
    """Return published dollars of longs in the hours after an instant; NaN if one of them is not known."""
    first, last = np.searchsorted(series.start_ns, (at_ns, at_ns + hours * NS_PER_HOUR))
    return float(series.long_usd[first:last].sum()) if last - first == hours else float("nan")


def brier(said: Odds, horizon: int) -> dict[str, Value]:
    """Return the Brier scores of the odds, of those without a map, of the share that ran, and the map's gain, by whole days."""
    ran = said.ran[:, :, horizon].astype(np.float64)
    with_map, no_map = ((p[:, :, horizon] - ran) ** 2 for p in (said.with_map, said.no_map))
    columns = np.column_stack([part.mean(axis=1) for part in (with_map, no_map, ran)] + [np.ones(len(ran))])
    days = Days(said.at_ns)
    return {
        "with_map": days.value(columns, lambda s: s[..., 0] / s[..., 3]),
        "no_map": days.value(columns, lambda s: s[..., 1] / s[..., 3]),
        "gain": days.value(columns, lambda s: (s[..., 1] - s[..., 0]) / s[..., 3]),
        "climate": days.value(columns, lambda s: s[..., 2] / s[..., 3] * (1.0 - s[..., 2] / s[..., 3])),
    }


def fall_lines(found: list[Fall]) -> list[str]:
    """Return the table of falls, those that the engine saw least of first."""
    heads = (
        "hour before", "P(ignites) down", "dollars to ignite", f"P(run of {RUN:.1%}) after {format_usd(SHOCK_USD)}",
        "run, 10 / 50 / 90 %", "with no map", "in time", "P(run in 1 h), no map",
        "fell within 1 / 4 / 24 h", "longs liquidated, as published",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for each in sorted(found, key=lambda fall: fall.p_run):
        cells = (
            iso(each.at_ns)[:16].replace("T", " "), f"{each.ignition.p_ignites.value:.0%}", _dollars(each.ignition.dollars),
            f"{each.p_run:.0%}", _spread(each.run.distance), _spread(each.run.distance_no_map),
            " / ".join(f"{end:.1%}" for end in each.timed),
            f"{each.odds[0]:.1%}, {each.odds[1]:.1%}", " / ".join(f"{part:.1%}" for part in each.moved),
            " / ".join(format_usd(usd) for usd in each.liquidated_usd),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def score_lines(named: list[tuple[str, Odds]]) -> list[str]:
    """Return Brier scores, runs expected and seen, and alarms, for every window and horizon."""
    heads = (
        "hours of", "levels", "within", "asked", "ran", "expected, no map", "Brier, no map", "share that ran, known after",
        "gain of the map, 90 %", "false of alarms, no map", "missed, no map",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---|---" + "|---:" * (len(heads) - 2) + "|"]
    for from_, to, about in WINDOWS:
        for name, said in named:
            part = said.between(parse_instant(from_), parse_instant(to))
            lines += [_score_row(f"{from_[:10]} to {to[:10]}, {about}", name, part, h) for h in range(len(HORIZONS_H))]
    return lines


def _score_row(window: str, name: str, said: Odds, h: int) -> str:
    scores, ran = brier(said, h), said.ran[:, :, h]
    expected = [part[:, :, h].sum() for part in (said.with_map, said.no_map)]
    alarms = [part[:, :, h] >= ALARM[h] for part in (said.with_map, said.no_map)]
    false = [f"{(each & ~ran).sum()} of {each.sum()}" for each in alarms]
    missed = [str((~each & ran).sum()) for each in alarms]
    gain = scores["gain"]
    assert gain.value is not None, "every window has hours"
    span = "" if gain.lo is None or gain.hi is None else f" [{gain.lo:+.5f}, {gain.hi:+.5f}]"
    cells = (
        window, name, f"{HORIZONS_H[h]} h", str(ran.size), str(ran.sum()), f"{expected[0]:.1f}, {expected[1]:.1f}",
        f"{scores['with_map'].value:.4f}, {scores['no_map'].value:.4f}", f"{scores['climate'].value:.4f}",
        f"{gain.value:+.5f}{span}", ", ".join(false), ", ".join(missed),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def reliability_lines(said: Odds) -> list[str]:
    """Return how often a run came, by what was said, over all scored hours."""
    lines = ["| said | within | asked | mean said | ran | with no map: asked | mean said | ran |", "|---" + "|---:" * 7 + "|"]
    for h, length in enumerate(HORIZONS_H):
        for low, high in itertools.pairwise(BINS):
            cells: list[str] = []
            for part in (said.with_map[:, :, h], said.no_map[:, :, h]):
                at = (part >= low) & ((part < high) | (high == BINS[-1]))
                ran = said.ran[:, :, h][at]
                cells += [str(at.sum()), *((f"{part[at].mean():.1%}", f"{ran.mean():.1%}") if at.any() else ("-", "-"))]
            if {cells[0], cells[3]} != {"0"}:
                lines.append(f"| {low:.0%} to {high:.0%} | {length} h | {' | '.join(cells)} |")
    return lines


def ignition_line(hours: list[Hour]) -> str:
    """Say how P(ignites) stood before runs and before all other hours of the falls."""
    from_ns, to_ns = (parse_instant(each) for each in FALLS)
    inside = [each for each in hours if from_ns <= each.at_ns < to_ns]
    lit, ran = np.array([each.ignites for each in inside]), np.array([each.moved[:, 0] >= RUN for each in inside])
    before, else_ = lit[ran], lit[~ran]
    return (
        f"P(ignites within 5 %) was {before.mean():.1%} on average before the {before.size} hours and ways with a run, and "
        f"{else_.mean():.1%} before the {else_.size} others; of the {int((lit >= 0.1).sum())} times it stood at 10 % or more, "
        f"{int(((lit >= 0.1) & ran).sum())} were followed by a run within the hour."
    )


def false_lines(said: Odds, most: int = 5) -> list[str]:
    """Return the loudest alarms of the falls that were false."""
    part = said.between(*(parse_instant(each) for each in FALLS))
    p = np.where(part.ran[:, :, 1], -1.0, part.with_map[:, :, 1])
    order = np.argsort(-p, axis=None, kind="stable")[:most]
    rows, ways = np.unravel_index(order, p.shape)
    return [
        f"- {iso(int(part.at_ns[row]))[:16].replace('T', ' ')}, {WAYS[way]}: said {p[row, way]:.0%}, no run within 4 h".replace(
            "%", " %"
        )
        for row, way in zip(rows, ways, strict=True)
    ]


def page(october: list[str], found: list[Fall], carried: str, named: list[tuple[str, Odds]], hours: list[Hour]) -> str:
    """Return the text between the markers."""
    said = named[0][1]
    checks = [reality(float(said.with_map[:, :, h].sum()), int(said.ran[:, :, h].sum())).sentence for h in range(2)]
    lines = [
        "### 10 October 2025, Hyperliquid",
        "",
        *october,
        "",
        "### 29 January to 6 February 2026, BTC",
        "",
        lead(found, said),
        "",
        "No order book exists for these days: absorption is the square-root law, with the dollars traded on Binance and the",
        f"volatility of the week before. Levels are those published, divided by {_share(REPORTED)} (the law was fitted with",
        "that; its fit saw 1 to 15 February, so these falls are partly its own). What the engine would have said at the",
        f"beginning of each hour that fell {RUN:.1%} or more, worst first (those within {APART_H} h of another are left out):",
        "",
        *fall_lines(found),
        "",
        carried,
        "",
        "![Potential, fan and rounds at the beginning of the deepest fall](pictures/cascade.png)",
        "",
        ignition_line(hours),
        "",
        "The loudest that were false (within 4 h):",
        "",
        *false_lines(said),
        "",
        f"Every hour, both ways: the probability of a run of {RUN:.1%} within the hour and within four. What pushes the price is",
        f"drawn from all hours since {PAST_FROM} that were over, by their volatility, less what their own maps would have added;",
        "without a map the same moves as they were. A gain above 0 is the map's; hours overlap within 4 h, whole days are drawn.",
        f"An alarm is {ALARM[0]:.0%} within 1 h, {ALARM[1]:.0%} within 4 h.",
        "",
        *score_lines(named),
        "",
        f"All hours from {SCORED_FROM} on: within 1 h {checks[0]}; within 4 h {checks[1]} (overlapping hours count again).",
        "",
        *reliability_lines(said),
        "",
        f"{SCORED} variants were scored: levels divided by {REPORTED.median} with its interval and without it, and as published.",
        "",
        "Written by `python -m benchmarks.cascade_history DATA` (needs the data, which are not part of this repository).",
    ]  # fmt: skip
    return re.sub(r"(?<=\d)%", " %", "\n".join(lines))


def lead(found: list[Fall], said: Odds) -> str:
    """Say in a few sentences what the tables come to."""
    seen = sum(fall.p_run >= ALARM[1] for fall in found)
    lit = sum(fall.ignition.p_ignites.value >= 0.1 for fall in found)
    gain = brier(said, 1)
    assert gain["gain"].value is not None, "the record has hours"
    assert gain["no_map"].value, "odds are never all right"
    share = gain["gain"].value / gain["no_map"].value
    return (
        f"Of {len(found)} falls **{seen}** had P(run) of {ALARM[1]:.0%} or more after {format_usd(SHOCK_USD)} an hour before, "
        f"and {lit} had P(ignites) of 10% or more. Over all hours the map changes the Brier score of the odds without one by "
        f"{-share:+.1%} within 4 h (less is better): what is known beforehand is known from volatility."
    )


def write(text: str, begin: str = BEGIN, end: str = END) -> None:
    """Put a text between the page's markers."""
    old = PAGE.read_text(encoding="utf-8")
    if begin not in old or end not in old:
        sys.exit(f"{PAGE.name} has no {begin} .. {end}: nothing was written")
    head, rest = old.split(begin, 1)
    PAGE.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def _share(factor: Factor) -> str:
    return f"{factor.median:g} [{factor.lo:g}, {factor.hi:g}]"


def _dollars(estimate: Estimate) -> str:
    return (
        "-"
        if estimate.median is None
        else f"{format_usd(estimate.median)} [{format_usd(estimate.lo)}, {format_usd(estimate.hi)}]"
    )


def _spread(estimate: Estimate) -> str:
    return " / ".join("-" if value is None else f"{value:.1%}" for value in (estimate.lo, estimate.median, estimate.hi))


def main(data: Path) -> None:
    """Ask, print, and write the page."""
    october = october_lines(data)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        import_paths(workspace.store, [data / "btcusdt_backtest"])
        tape = read_tape(workspace, workspace.stored()[0], None, 365 * NS_PER_DAY)
        by_share: tuple[list[Hour], list[Hour]] = ([], [])
        for asked in walk(tape, parse_instant(PAST_FROM), parse_instant(RECORD_TO)):
            for hours, share in zip(by_share, (REPORTED, exactly(1.0)), strict=True):
                hours.append(hour(asked, tape.bars, share))
        first = parse_instant(SCORED_FROM)
        named = [(name, odds(hours, first)) for name, hours in zip((f"/ {REPORTED.median}", "published"), by_share, strict=True)]
        found = falls(workspace, tape, named[0][1])
        carried = draw(workspace, str(tape.instrument), found)
    text = page(october, found, carried, named, by_share[0])
    print(text)
    write(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
