"""Estimated against true maps on simulated markets.

python -m benchmarks.truth 60 1-20        # days, seeds; about 10 s a seed, writes docs/truth.md
python -m benchmarks.truth 60 1,2 --dry   # prints only
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import truth_maps as maps
from liqscape.calibrate import position_prior, published_share
from liqscape.estimate import members
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import BUCKET_WIDTH
from liqscape.testing.market import MarketConfig, SimulatedMarket, SimulatedRun, TruePositions, true_levels
from liqscape.units import NS_PER_HOUR
from liqscape.validate.baselines_maps import NominalRecipe
from liqscape.validate.spatial import SpatialScores, spatial_scores, transport

PAGE = Path(__file__).parents[1] / "docs" / "truth.md"
INSTANTS = (2 / 3, 5 / 6, 1.0)  # of the record: three maps a market
SNAPSHOT_NS = 12 * NS_PER_HOUR
HALVINGS = 8
FAR, SLOW = "far positions assumed long-lived", "one class of 17 days"
ESTIMATE, BY_LOT, BOARD, EVERYBODY = "liqscape", "+ 7 % of accounts, by lot", "+ 7 % of accounts, a leaderboard", "+ all accounts"
SURVEY, NO_CLOSES, FLAT, STANDING = "surveyed mix", "no closes", "flat", ", standing dollars"
TRACKED = {BY_LOT: 0.07, BOARD: 0.07, EVERYBODY: 1.0}  # share of accounts that are followed
TRUST = {BY_LOT: 1.0, BOARD: 0.5, EVERYBODY: 1.0}


@dataclass(frozen=True)
class Judged:
    """One map of one market at one instant."""

    name: str
    scores: SpatialScores
    d2: float | None  # of the hours since the first third of the record, given the path


@dataclass(frozen=True)
class Facts:
    """What limits any map of one instant."""

    grain_bps: float  # W1 within 10 % that is owed to single positions
    effective: float  # positions within 10 %: (sum of dollars)^2 / sum of dollars^2
    liquidated: float  # of dollars whose level price swept before the next snapshot, the share that was liquidated


def market(days: float, seed: int) -> tuple[list[Judged], list[Facts]]:
    """Simulate a market, draw every map at three instants and judge it."""
    run = SimulatedMarket(MarketConfig(days=days, snapshot_interval_ns=SNAPSHOT_NS), seed=seed).run()
    times = run.snapshot_ns
    chosen = [int(np.argmin(np.abs(times - times[0] - share * (times[-1] - times[0])))) for share in INSTANTS]
    until = [int(np.searchsorted(run.bars.end_ns, times[i], side="right")) for i in chosen]
    recipes = members()
    rolls = [maps.rolled(run.bars, recipe, until, NS_PER_HOUR) for recipe in recipes]
    slow = [maps.one_slow_class(recipe) for recipe in recipes]
    slow_rolls = [maps.rolled(run.bars, recipe, until, NS_PER_HOUR) for recipe in slow]
    nominal = maps.rolled(run.bars, NominalRecipe(), until, NS_PER_HOUR)
    judged: list[Judged] = []
    facts: list[Facts] = []
    for at, i in enumerate(chosen):
        bars, mark = run.bars.slice(0, until[at]), float(run.bars.close[until[at] - 1])
        oi = float(run.bars.open_interest_base[until[at] - 1])
        states = [roll[at] for roll in rolls]
        realised = maps.hours_of(run)[: len(states[0].exposure)]
        known = run.snapshots[: i + 1]
        samples = {name: maps.tracked(known, share, by_profit=name == BOARD, seed=seed) for name, share in TRACKED.items()}
        priors = {name: position_prior(sample, bars=bars, trust=TRUST[name]) for name, sample in samples.items()}
        drawn = {ESTIMATE: maps.estimated(recipes, states, realised, NS_PER_HOUR, mark, oi)}
        drawn[FAR] = maps.estimated([maps.long_lived_far(r) for r in recipes], states, realised, NS_PER_HOUR, mark, oi)
        drawn[SLOW] = maps.estimated(slow, [roll[at] for roll in slow_rolls], realised, NS_PER_HOUR, mark, oi)
        for name, prior in priors.items():
            drawn[name] = maps.estimated(members(prior.recipe()), states, realised, NS_PER_HOUR, mark, oi)
            drawn[name + STANDING] = maps.standing(drawn[name], published_share(prior, drawn[name].mix))
        drawn[SURVEY] = maps.surveyed(nominal[at], mark)
        drawn[NO_CLOSES] = maps.without_closes(bars, mark, oi * mark)
        drawn[FLAT] = maps.flat(oi * mark)
        true = np.stack(true_levels(run.snapshots[i], mark))
        for name, found in drawn.items():
            scores = spatial_scores(found.usd, true, BUCKET_WIDTH, open_interest_usd=oi * mark, draws=found.draws)
            judged.append(Judged(name, scores, None if found.predicted is None else explained(found.predicted, realised)))
        facts.append(Facts(*grain(run.snapshots[i], mark, seed), swept_share(run, i)))
    return judged, facts


def explained(predicted: FloatArray, realised: FloatArray) -> float:
    """Return the D2 of both sides from the first third on, against each side's mean before."""
    n = len(realised) // 3
    null = np.broadcast_to(realised[:n].mean(axis=0), realised[n:].shape)
    deviances = [deviance(realised[n:], np.maximum(other, 1.0)) for other in (predicted[n:], null)]
    return 1.0 - deviances[0] / deviances[1]


def deviance(realised: FloatArray, predicted: FloatArray) -> float:
    """Return half of the Poisson deviance."""
    ratio = np.where(realised > 0.0, realised, 1.0) / predicted
    return float(np.sum(np.where(realised > 0.0, realised * np.log(ratio), 0.0) - realised + predicted))


def grain(positions: TruePositions, mark: float, seed: int) -> tuple[float, float]:
    """Return the W1 that single positions cost any smooth map, and how many positions carry the truth.

    Two random halves of the accounts differ by twice what the whole differs from what it was drawn from, so half of their
    distance is what nobody can know who does not know who holds what.
    """
    rng = np.random.default_rng(seed)
    level = positions.liquidation_price
    found: list[float] = []
    for _ in range(HALVINGS):
        one = rng.random(len(positions)) < 0.5
        halves = [halved(positions, rows, mark) for rows in (one, ~one)]
        distance = transport(*halves, BUCKET_WIDTH, 0.10).both_bps
        if distance is not None:
            found.append(0.5 * distance)
    inside = np.isfinite(level) & (np.abs(level / mark - 1.0) < 0.10)
    usd = positions.quantity_base[inside] * level[inside]
    return float(np.mean(found)), float(usd.sum() ** 2 / (usd**2).sum())


def halved(positions: TruePositions, rows: np.ndarray, mark: float) -> FloatArray:
    """float64[2, buckets], what some of the positions would add to the true map."""
    usd = np.zeros((2, maps.BUCKETS))
    level = positions.liquidation_price
    for side, sign in enumerate((1, -1)):
        distance = np.maximum(sign * (1.0 - level / mark), 0.0)
        inside = rows & (positions.sign == sign) & (distance < maps.BUCKETS * BUCKET_WIDTH)
        bucket = np.floor(distance[inside] / BUCKET_WIDTH).astype(np.int64)
        usd[side] = np.bincount(bucket, weights=positions.quantity_base[inside] * level[inside], minlength=maps.BUCKETS)[
            : maps.BUCKETS
        ]
    return usd


def swept_share(run: SimulatedRun, until: int) -> float:
    """Return the share of dollars that were liquidated, of those whose level price swept before the next snapshot.

    The rest was closed before by a stop or by will, or got more margin: its level stood in the map and no order came.
    """
    swept = forced = 0.0
    for now, then in zip(run.snapshots[:until], run.snapshots[1 : until + 1], strict=True):
        a, b = np.searchsorted(run.bars.end_ns, [now.as_of_ns, then.as_of_ns], side="right")
        low, high = run.bars.low[a:b].min(), run.bars.high[a:b].max()
        reached = now.trader & np.where(now.sign > 0, now.liquidation_price >= low, now.liquidation_price <= high)
        usd = now.quantity_base * now.liquidation_price
        during = (run.prints.ts_ns > now.as_of_ns) & (run.prints.ts_ns <= then.as_of_ns)
        died = np.isin(now.account, run.prints.account[during])
        swept += float(usd[reached].sum())
        forced += float(usd[reached & died].sum())
    return forced / swept if swept > 0.0 else float("nan")


def quartiles(values: Sequence[float | None], scale: float = 1.0, digits: int = 0) -> str:
    """Write a median with its quartiles; what is unknown is left out."""
    known = [value * scale for value in values if value is not None]
    if not known:
        return ""
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75))
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def column(rows: Sequence[Judged], name: str, value: Callable[[SpatialScores], float | None]) -> list[float | None]:
    """Return one score of one map over all markets and instants."""
    return [value(row.scores) for row in rows if row.name == name]


def shape_table(rows: Sequence[Judged], names: Sequence[str]) -> list[str]:
    """Where the dollars are, and how many are near."""
    lines = [
        "| map | W1 within 5 %, bp | 10 % | 20 % | near 1 % | 2 % | 5 % | 2 % within ±30 % | D2 given the path |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in names:
        w1 = [quartiles(column(rows, name, lambda s, i=i: s.transport[i].both_bps)) for i in range(3)]
        near = [quartiles(column(rows, name, lambda s, i=i: s.near[i].log_error), digits=2) for i in range(3)]
        errors = [e for e in column(rows, name, lambda s: s.near[1].log_error) if e is not None]
        inside = np.mean([np.log(0.7) <= e <= np.log(1.3) for e in errors])
        d2 = quartiles([row.d2 for row in rows if row.name == name], digits=2)
        lines.append(f"| {name} | {' | '.join([*w1, *near])} | {inside:.0%} | {d2} |")
    return lines


def detail_table(rows: Sequence[Judged], names: Sequence[str]) -> list[str]:
    """Zones, moves and intervals."""
    lines = [
        "| map | rank of 0.5 % zones | lift of dense zones | bp off move for 1 % of OI | 5 % | 0.1 % cells covered | 0.5 % |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in names:
        rank = quartiles(column(rows, name, lambda s: s.rank_correlation), digits=2)
        lift = quartiles(column(rows, name, lambda s: s.recall.lift), digits=2)
        moves = [
            quartiles(
                [
                    abs(e)
                    for k in (2 * i, 2 * i + 1)
                    for e in column(rows, name, lambda s, k=k: s.moves[k].error_bps)
                    if e is not None
                ]
            )
            for i in (1, 3)
        ]
        covered = [
            quartiles(column(rows, name, lambda s, i=i: s.coverage[i].covered if s.coverage else None), 100.0) for i in (0, 1)
        ]
        lines.append(f"| {name} | {rank} | {lift} | {' | '.join(moves)} | {' | '.join(covered)} |")
    return lines


def gain(rows: Sequence[Judged], name: str) -> str:
    """Say how much lower the mean W1 within 10 % is than the estimate's, with an interval over markets (three maps each)."""
    pairs = np.array([column(rows, each, lambda s: s.transport[1].both_bps) for each in (name, ESTIMATE)], np.float64)
    return relative(*pairs.reshape(2, -1, len(INSTANTS)).mean(axis=2))


def relative(of_market: FloatArray, against: FloatArray, draws: int = 4000) -> str:
    """Write sum / sum - 1 of two scores of the same markets, with a 90 % interval from markets drawn with replacement."""
    picks = np.random.default_rng(1).integers(0, of_market.size, (draws, of_market.size))
    low, high = np.quantile(of_market[picks].sum(axis=1) / against[picks].sum(axis=1) - 1.0, (0.05, 0.95))
    return f"{of_market.sum() / against.sum() - 1.0:+.0%} [{low:+.0%}, {high:+.0%}]"


def report(days: float, seeds: Sequence[int], rows: Sequence[Judged], facts: Sequence[Facts]) -> str:
    """Return the tables in Markdown."""
    names = (ESTIMATE, FAR, SLOW, BY_LOT, BOARD, EVERYBODY, SURVEY, NO_CLOSES, FLAT)
    standing = [name + STANDING for name in (BY_LOT, BOARD, EVERYBODY)]
    about = (
        f"{len(seeds)} simulated markets of {days:g} days, {len(INSTANTS)} maps each; medians with quartiles over the"
        f" {len(facts)} maps. Near mass is `ln(estimated / true)`."
    )
    limits = (
        f"What limits any map: {quartiles([f.grain_bps for f in facts])} bp of the W1 within 10 % are owed to single positions"
        f" (the truth there is carried by {quartiles([f.effective for f in facts])} positions of equal size); of the dollars"
        f" whose level price swept, {quartiles([f.liquidated for f in facts], 100.0)} % were liquidated."
    )
    gains = "; ".join(f"{name.removeprefix('+ ')} {gain(rows, name)}" for name in (FAR, SLOW, BY_LOT, BOARD, EVERYBODY))
    moved = f"Mean W1 within 10 % against the power-law prior, 90 % interval over markets: {gains}."
    return "\n".join(
        [about, "", *shape_table(rows, (*names, *standing)), "", *detail_table(rows, (*names, *standing)), "", limits, "", moved]
    )


def put(page: Path, name: str, text: str) -> None:
    """Write text between the markers of a page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page_text = page.read_text(encoding="utf-8")
    if begin not in page_text or end not in page_text:
        sys.exit(f"{page.name} has no {begin} .. {end}: nothing was written")
    head, rest = page_text.split(begin, 1)
    page.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def numbers(text: str) -> list[int]:
    """Read `1-20` or `1,4,7`."""
    if "-" in text:
        first, last = text.split("-")
        return list(range(int(first), int(last) + 1))
    return [int(part) for part in text.split(",")]


def main(days: float, seeds: list[int], dry: bool) -> None:
    """Judge, print, write."""
    rows: list[Judged] = []
    facts: list[Facts] = []
    for seed in seeds:
        judged, found = market(days, seed)
        rows += judged
        facts += found
        print(
            f"seed {seed}: W1 within 10 % of {ESTIMATE} {quartiles(column(judged, ESTIMATE, lambda s: s.transport[1].both_bps))}"
        )
    text = report(days, seeds, rows, facts)
    print(text)
    if not dry:
        put(PAGE, "simulated", text)


if __name__ == "__main__":
    main(float(sys.argv[1]), numbers(sys.argv[2]), "--dry" in sys.argv)
