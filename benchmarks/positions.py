"""Measured positions of real accounts: a whole small exchange, and tracked Hyperliquid accounts against the map of the pack.

python -m benchmarks.positions ../shared/data            # writes docs/truth.md
python -m benchmarks.positions ../shared/data --dry      # prints only
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import closed_alpha
from benchmarks import truth_maps as maps
from benchmarks.truth import FAR, INSTANTS, PAGE, SLOW, deviance, put, quartiles, relative
from benchmarks.truth import explained as explained_late
from liqscape.calibrate import PositionPrior, PositionSample, class_shares, distance_profile, position_prior, survivals
from liqscape.clock import parse_instant
from liqscape.engine.importer import import_paths
from liqscape.engine.workspace import Workspace
from liqscape.estimate import BURN_IN_H, Recipe
from liqscape.model import BarSeries, LiquidationSeries
from liqscape.model.arrays import FloatArray
from liqscape.model.maps import BUCKET_WIDTH, BUCKETS
from liqscape.store import read_bars, read_liquidations
from liqscape.testing.market import MarketConfig, SimulatedMarket, true_levels
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.spatial import SpatialScores, spatial_scores, transport

EDGES = np.array([0.0, 0.02, 0.05, 0.10, 0.20, 0.40, 0.80])
LIFE_EDGES = np.array([0.0, 0.05, 0.10, 0.20, 0.50, 10.0])
UNTIL = "2026-02-15"  # positions to 2026-02-14
WINDOWS = {"tune": ("2026-01-19", "2026-02-16"), "test": ("2026-02-16", "2026-04-01")}
POWER = "power law"
SEEDS = range(201, 209)


@dataclass(frozen=True)
class Pack:
    """What the map of the pack is made of, hour by hour."""

    bars: BarSeries
    realised: FloatArray  # float64[hours, 2], NaN where nothing was published
    first_hour: int


def read_pack(folder: Path) -> Pack:
    """Import the pack into a home of its own and read it."""
    with tempfile.TemporaryDirectory() as name:
        workspace = Workspace(Path(name))
        import_paths(workspace.store, [folder])
        instrument = workspace.stored()[0]
        bars, totals = read_bars(workspace.store, instrument), read_liquidations(workspace.store, instrument)
    return Pack(bars, hourly(bars, totals), int(bars.start_ns[0]) // NS_PER_HOUR)


def hourly(bars: BarSeries, totals: LiquidationSeries) -> FloatArray:
    """float64[hours, 2], published liquidations of every hour of the bars; NaN where none were published."""
    first = int(bars.start_ns[0]) // NS_PER_HOUR
    out = np.full((int(bars.end_ns[-1]) // NS_PER_HOUR - first, 2), np.nan)
    row = totals.start_ns // NS_PER_HOUR - first
    inside = (row >= 0) & (row < len(out))
    out[row[inside], 0], out[row[inside], 1] = totals.long_usd[inside], totals.short_usd[inside]
    return out


def read_tracked(folder: Path, coin: str = "BTC") -> PositionSample:
    """Read the tracked accounts of one list; an account that was seen without this coin held nothing of it."""
    frame = pl.read_parquet(folder / "positions.parquet").filter(
        (pl.col("source") == "hl_whales") & (pl.col("snapshot_ts") < pl.lit(UNTIL).str.to_datetime(time_zone="UTC"))
    )
    frame = frame.with_columns(ts=pl.col("snapshot_ts").dt.epoch("ns"), who=pl.col("address").cast(pl.String))
    of_coin = frame.filter(pl.col("coin") == coin).unique(["ts", "who"])
    marks = of_coin.group_by("ts").agg(pl.col("mark_px").median().alias("all_mark"))
    seen = frame.select("ts", "who").unique()
    joined = seen.join(of_coin.drop("snapshot_ts"), on=["ts", "who"], how="left").join(marks, on="ts").sort("ts", "who")
    sign = joined["side"].cast(pl.String).replace_strict({"long": 1, "short": -1}, default=0, return_dtype=pl.Int64)

    def column(name: str) -> FloatArray:
        return joined[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)

    return PositionSample(
        ts_ns=joined["ts"].to_numpy(),
        account=joined["who"].rank("dense").cast(pl.Int64).to_numpy(),
        sign=sign.fill_null(0).to_numpy(),
        quantity_base=np.nan_to_num(np.abs(column("size"))),
        entry_price=column("entry_px"),
        liquidation_price=column("liq_px"),
        mark_price=np.where(np.isfinite(column("mark_px")), column("mark_px"), column("all_mark")),
    )


def profile_table(sample: PositionSample) -> str:
    """Return the shape of distance to liquidation, by side, with day-block intervals."""
    found = distance_profile(sample, EDGES)
    single = distance_profile(sample, EDGES, per_account=True)
    names = [f"{a:.0%} to {b:.0%}" for a, b in pairwise(EDGES)] + ["beyond, or none"]
    lines = [
        "| distance from the mark | longs, % of notional | shorts | longs, % of positions | shorts |",
        "|---|---:|---:|---:|---:|",
    ]
    for i, name in enumerate(names):
        cells = [
            f"{100 * each.share[s, i]:.1f} [{100 * each.low[s, i]:.1f}, {100 * each.high[s, i]:.1f}]"
            for each in (found, single)
            for s in (0, 1)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    slopes = [
        f"{each.slope[s]:.2f} [{each.slope_low[s]:.2f}, {each.slope_high[s]:.2f}]" for each in (found, single) for s in (0, 1)
    ]
    lines.append(f"| exponent between 1.6 % and 21 % | {' | '.join(slopes)} |")
    days = np.unique(sample.ts_ns // NS_PER_DAY).size
    about = (
        f"{np.unique(sample.ts_ns).size} snapshots on {days} days, {np.unique(sample.account[sample.held]).size} accounts with a"
        f" position, {int(sample.held.sum()):,} rows. 90 % intervals from whole days."
    )
    return "\n".join([about, "", *lines])


def life_table(sample: PositionSample, bars: BarSeries) -> str:
    """Return how much stood from one snapshot to the next, by distance, and the lifetime classes that fit."""
    lives = survivals(sample, bars)
    recipe = Recipe()
    names = " | ".join(f"class of {seconds / 3600:.3g} h" for seconds in recipe.class_life_s)
    lines = [f"| distance from entry | followed | still held, % | after, h | {names} |", "|---|---:|---:|---:|---:|---:|---:|"]
    for low, high in pairwise(LIFE_EDGES):
        part = lives.select((lives.distance >= low) & (lives.distance < high))
        held = float((part.usd * part.survived).sum() / part.usd.sum())
        gap = float((part.usd * part.gap_s).sum() / part.usd.sum()) / 3600.0
        shares = class_shares(part, np.ones(part.usd.size), recipe.class_life_s)
        cells = " | ".join(f"{share:.2f}" for share in shares)
        lines.append(f"| {low:.0%} to {high:.0%} | {part.usd.size} | {100 * held:.0f} | {gap:.1f} | {cells} |")
    return "\n".join(lines)


def priors_of(sample: PositionSample, bars: BarSeries) -> dict[str, PositionPrior]:
    """Return the priors that a sample gives, by name."""
    return {
        "distances measured, classes even": position_prior(sample, bars=bars, lives=False, pool_sides=False),
        "the same, sides pooled": position_prior(sample, bars=bars, lives=False),
        "the same, half trusted": position_prior(sample, bars=bars, lives=False, trust=0.5),
        "distances and lives measured": position_prior(sample, bars=bars),
        "the same, half trusted (lives)": position_prior(sample, bars=bars, trust=0.5),
    }


def shape_scores(pack: Pack, sample: PositionSample, seed: int = 1) -> dict[str, list[SpatialScores]]:
    """Score the pack's map against tracked positions at the last snapshot of each day; shape only.

    Accounts are halved by lot: priors are learned from one half up to the day, truth is the other half.
    """
    accounts = np.unique(sample.account)
    learned_from = np.isin(sample.account, accounts[np.random.default_rng(seed).random(accounts.size) < 0.5])
    times = np.unique(sample.ts_ns)
    last = [int(times[times // NS_PER_DAY == day][-1]) for day in np.unique(times // NS_PER_DAY)]
    ends = [int(np.searchsorted(pack.bars.end_ns, t // NS_PER_HOUR * NS_PER_HOUR, side="right")) for t in last]
    base = Recipe()
    assumed = {POWER: base, FAR: maps.long_lived_far(base), SLOW: maps.one_slow_class(base)}
    rolls = {recipe.churn: maps.rolled(pack.bars, recipe, ends, NS_PER_HOUR) for recipe in assumed.values()}
    found: dict[str, list[SpatialScores]] = {}
    for at, (t, end) in enumerate(zip(last, ends, strict=True)):
        mark, oi = float(pack.bars.close[end - 1]), float(pack.bars.open_interest_base[end - 1])
        known = sample.select(learned_from & (sample.ts_ns <= t))
        recipes = assumed | {name: prior.recipe(strength=0.03) for name, prior in priors_of(known, pack.bars).items()}
        true = levels(sample.select(~learned_from & (sample.ts_ns == t)))
        drawn: dict[str, FloatArray] = {}
        for name, recipe in recipes.items():
            roll = rolls[recipe.churn][at]
            realised = pack.realised[: len(roll.exposure)]
            drawn[name] = maps.estimated((recipe,), [roll], realised, NS_PER_HOUR, mark, oi).usd
        drawn["flat"] = maps.flat(oi * mark).usd
        drawn["the other half of the accounts"] = levels(sample.select(learned_from & (sample.ts_ns == t)))
        for name, usd in drawn.items():
            found.setdefault(name, []).append(spatial_scores(usd, true, BUCKET_WIDTH, open_interest_usd=oi * mark))
    return found


def levels(sample: PositionSample) -> FloatArray:
    """float64[2, buckets], USD at the level of a sample of one instant, by distance from its own mark."""
    usd = np.zeros((2, BUCKETS))
    distance = sample.distance_from_mark()
    for s, sign in enumerate((1, -1)):
        inside = (sample.sign == sign) & (distance < BUCKETS * BUCKET_WIDTH)
        bucket = np.floor(distance[inside] / BUCKET_WIDTH).astype(np.int64)
        worth = sample.quantity_base[inside] * sample.liquidation_price[inside]
        usd[s] = np.bincount(np.minimum(bucket, BUCKETS - 1), weights=worth, minlength=BUCKETS)
    return usd


def shape_table(found: dict[str, list[SpatialScores]]) -> str:
    """Return the spatial scores by map; W1 of each side alone, since a tracked list stands where it was right."""
    lines = [
        "| map | W1 of longs within 10 %, bp | 20 % | of shorts within 10 % | 20 % | rank of zones |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, scores in found.items():
        cells = [quartiles([s.transport[i].long_bps for s in scores]) for i in (1, 2)]
        cells += [quartiles([s.transport[i].short_bps for s in scores]) for i in (1, 2)]
        cells.append(quartiles([s.rank_correlation for s in scores], digits=2))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    days = len(next(iter(found.values())))
    return "\n".join([f"Medians with quartiles over {days} days.", "", *lines])


def carried_over(sample: PositionSample, seeds: Sequence[int], days: float = 60.0) -> str:
    """Return how priors that know nothing of a simulated market draw it: that of real accounts, and assumed lives.

    Three maps a market; the mean change of W1 within 10 % against the power law has an interval over markets.
    """
    base, slower = Recipe(), replace(Recipe(), churn=(0.0002, *Recipe.churn))
    recipes = {
        POWER: base,
        "real accounts: distances measured": position_prior(sample, lives=False).recipe(strength=Recipe.prior_strength),
        "real accounts: distances and lives, half trusted": position_prior(sample, trust=0.5).recipe(),
        FAR: maps.long_lived_far(base),
        "the same, with a fourth class of 17 days": maps.long_lived_far(slower),
        SLOW: maps.one_slow_class(base),
    }
    names = [*recipes, "no closes"]
    w1, explained_by = np.empty((len(names), len(seeds), 3)), np.full((len(names), len(seeds), 3), np.nan)
    for j, seed in enumerate(seeds):
        run = SimulatedMarket(MarketConfig(days=days), seed=seed).run()
        chosen = [round(days * share) - 1 for share in INSTANTS]
        until = [int(np.searchsorted(run.bars.end_ns, run.snapshot_ns[i], side="right")) for i in chosen]
        rolls = {recipe.churn: maps.rolled(run.bars, recipe, until, NS_PER_HOUR) for recipe in recipes.values()}
        for k, i in enumerate(chosen):
            mark, oi = float(run.bars.close[until[k] - 1]), float(run.bars.open_interest_base[until[k] - 1])
            true = np.stack(true_levels(run.snapshots[i], mark))
            drawn: list[maps.Drawn] = []
            for recipe in recipes.values():
                roll = rolls[recipe.churn][k]
                realised = maps.hours_of(run)[: len(roll.exposure)]
                drawn.append(maps.estimated((recipe,), [roll], realised, NS_PER_HOUR, mark, oi))
            drawn.append(maps.without_closes(run.bars.slice(0, until[k]), mark, oi * mark))
            for n, found in enumerate(drawn):
                w1[n, j, k] = transport(found.usd, true, BUCKET_WIDTH, 0.10).both_bps or 0.0
                if found.predicted is not None:
                    explained_by[n, j, k] = explained_late(found.predicted, realised)
    lines = ["| map | W1 within 10 %, bp | mean against the power law | D2 given the path |", "|---|---:|---:|---:|"]
    for n, name in enumerate(names):
        change = "" if n == 0 else relative(w1[n].mean(axis=1), w1[0].mean(axis=1))
        d2 = quartiles([float(value) for value in explained_by[n].ravel() if np.isfinite(value)], digits=2)
        lines.append(f"| {name} | {quartiles([float(value) for value in w1[n].ravel()])} | {change} | {d2} |")
    return "\n".join([f"{len(seeds)} markets of {days:g} days, three maps each.", "", *lines])


def d2_table(pack: Pack, sample: PositionSample) -> str:
    """Return D2 of the tune and test window, given the path, for each prior."""
    lines = ["| prior | tune, long / short | test, long / short |", "|---|---:|---:|"]
    recipes: dict[str, Recipe] = {POWER: Recipe(), FAR: maps.long_lived_far(Recipe()), SLOW: maps.one_slow_class(Recipe())}
    rolls = {
        churn: maps.rolled(pack.bars, replace(Recipe(), churn=churn), [len(pack.bars)], NS_PER_HOUR)[0]
        for churn in {recipe.churn for recipe in recipes.values()}
    }
    for name, prior in priors_of(sample, pack.bars).items():
        recipes[name] = prior.recipe(strength=Recipe.prior_strength)
    strong = recipes["distances and lives measured"]
    recipes["the same, ten times as strong (lives)"] = replace(strong, prior_strength=10.0 * strong.prior_strength)
    for name, recipe in recipes.items():
        cells = [
            " / ".join(f"{d2:.3f}" for d2 in explained(pack, rolls[recipe.churn], recipe, *window)) for window in WINDOWS.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def explained(pack: Pack, roll: maps.Rolled, recipe: Recipe, start: str, stop: str) -> Sequence[float]:
    """Return D2 of each side over a window, against the mean of the hours before it (the first week is burn-in)."""
    hour = np.arange(len(pack.realised)) + pack.first_hour
    known = ~np.isnan(pack.realised).any(axis=1)
    first, last = (parse_instant(text) // NS_PER_HOUR for text in (start, stop))
    scored = known & (hour >= first) & (hour < last)
    before = known & (hour < first) & (hour >= pack.first_hour + BURN_IN_H)
    predicted = maps.predicted(recipe, roll, pack.realised, NS_PER_HOUR)
    out: list[float] = []
    for s in (0, 1):
        y = pack.realised[scored, s]
        null = np.full(y.size, pack.realised[before, s].mean())
        out.append(1.0 - deviance(y, np.maximum(predicted[scored, s], 1.0)) / deviance(y, null))
    return out


def main(data: Path, dry: bool) -> None:
    """Measure, print, write."""
    sample = read_tracked(data / "hl_positions_2026q1")
    pack = read_pack(data / "btcusdt_backtest")
    texts = {
        "closed alpha": closed_alpha.table(closed_alpha.judged(*closed_alpha.load(data / "hl_2023_closed_alpha"))),
        "tracked": f"{profile_table(sample)}\n\n{life_table(sample, pack.bars)}",
        "tracked shape": shape_table(shape_scores(pack, sample)),
        "tracked prior": d2_table(pack, sample),
        "carried over": carried_over(sample, SEEDS),
    }
    for name, text in texts.items():
        print(f"\n{name}\n\n{text}")
        if not dry:
            put(PAGE, name, text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--dry" in sys.argv)
