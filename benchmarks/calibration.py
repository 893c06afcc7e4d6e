"""Facts of real markets beside the simulated one: printed, and written into docs/simulated_market.md.

python -m benchmarks.calibration                 # 8 seeds of the default market, and a table with many accounts; 3 minutes
python -m benchmarks.calibration 30 1,2,3        # days, seeds; printed only
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from msgspec import structs

from liqscape.model.arrays import FloatArray
from liqscape.testing.market import MarketConfig, SimulatedMarket, SimulatedRun

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "simulated_market.md"
DATA = ROOT.parent / "shared" / "data"
BEGIN, END = "<!-- calibration: written by python -m benchmarks.calibration -->", "<!-- end of calibration -->"
PER_DAY, PER_HOUR = 288, 12


@dataclass(frozen=True)
class Fact:
    """One number of a market: where it comes from and the range that counts as reached; `lo = hi = None`: only shown."""

    what: str
    source: str
    lo: float | None
    hi: float | None


FACTS: dict[str, Fact] = {
    "volatility": Fact("volatility a year, 5-minute returns", "pack", 0.40, 0.70),
    "kurtosis": Fact("kurtosis of 5-minute returns", "pack", 10.0, 60.0),
    "tail": Fact("tail index of 5-minute moves, largest 1 % (Hill)", "pack", 2.5, 4.5),
    "cluster_5m": Fact("autocorrelation of moves, 5 minutes", "pack", 0.20, 0.45),
    "cluster_1h": Fact("... 1 hour", "pack", 0.13, 0.35),
    "cluster_1d": Fact("... 1 day", "pack", 0.08, 0.30),
    "turnover": Fact("volume / open interest, a day", "science.md A2 [S14]: .38 to 2.7", 0.38, 2.7),
    "calm": Fact("liquidations / open interest, median calm day", "science.md D6: 0.1 to 3 %", 0.001, 0.03),
    "worst": Fact("liquidations / open interest, worst day", "pack (throttled feeds: a lower bound)", 0.03, 0.25),
    "burst": Fact("share of liquidated dollars in the top 1 % of hours", "pack", 0.15, 0.40),
    "one_hour": Fact("autocorrelation of hourly liquidations", "pack", 0.10, 0.50),
    "long_share": Fact("share of longs in liquidated dollars", "pack; 84 % in the fall of science.md A5 [S29]", 0.30, 0.80),
    "one_sided": Fact("abs(long - short) / (long + short), median hour", "pack", 0.60, 0.95),
    "size_90": Fact("size of a liquidated unit: 90 % quantile / median", "hl_liquidation_fills_sample, BTC", 10.0, 40.0),
    "size_99": Fact("... 99 % quantile / median", "hl_liquidation_fills_sample, BTC", 100.0, 500.0),
    "size_top": Fact("... dollars in the largest 1 %", "hl_liquidation_fills_sample, BTC", 0.30, 0.65),
    "size_max": Fact("... largest share of 2,851 units in a row", "hl_liquidation_fills_sample, BTC", 0.02, 0.15),
    "oi_gini": Fact("Gini of abs(dOI) / OI, 5 minutes", "oi_value.md 2: .64 to .70", 0.55, 0.75),
    "oi_top": Fact("... share of the top 10 % of bars", "oi_value.md 2: .50 to .54", 0.40, 0.60),
    "oi_acf_5m": Fact("... autocorrelation, 5 minutes", "oi_value.md 2: .17 to .28", 0.10, 0.35),
    "oi_acf_1h": Fact("... autocorrelation, 1 hour", "oi_value.md 2: .08 to .12", 0.05, 0.20),
    "oi_move": Fact("sum abs(dOI) / volume, 5 minutes", "oi_value.md 2: .09 Binance, .50 Hyperliquid", 0.09, 0.50),
    "oi_abs": Fact("correlation of abs(return) and abs(dOI), 1 hour", "pack", 0.25, 0.60),
    "oi_sign": Fact("correlation of return and dOI, 1 hour", "pack", -0.10, 0.35),
    "low": Fact("open interest of traders at 0 to 3x effective", "science.md A1 [S7]: 36 %", 0.25, 0.50),
    "middle": Fact("... 3 to 7x", "science.md A1 [S7]: 48 %", 0.30, 0.60),
    "high": Fact("... above 7x", "science.md A1 [S7]: 15 %", 0.08, 0.30),
    "life": Fact(
        "mean life of a contract, days (open interest / opens a day)", "science.md A2: 2.6 to 5 on Hyperliquid", 1.5, 6.0
    ),
    "depth": Fact("least depth / median depth over 60 days", "science.md A5: .02 to .10 on 10 Oct 2025", 0.02, 0.25),
    "effective": Fact(
        "traders' positions that carry the open interest (1 / sum of squared shares)",
        "hl_positions_2026q1, BTC: 31 to 62 among tracked accounts, so 950 at most of all",
        50.0,
        950.0,
    ),
}


def acf(values: FloatArray, lag: int) -> float:
    """Return the autocorrelation at a lag."""
    return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])


def top_share(values: FloatArray, share: float) -> float:
    """Return which part of the sum the largest `share` of values carries."""
    ordered = np.sort(values)[::-1]
    return float(ordered[: max(1, round(share * ordered.size))].sum() / ordered.sum())


def hill(values: FloatArray, share: float) -> float:
    """Return the tail index by Hill's estimator over the largest `share` of values."""
    ordered = np.sort(values)[::-1]
    k = round(share * ordered.size)
    return float(1.0 / np.mean(np.log(ordered[:k] / ordered[k])))


def of_bars(close: FloatArray, open_interest: FloatArray, volume: FloatArray) -> dict[str, float]:
    """Return the facts of 5-minute bars; bars without volume are left out where volume counts."""
    returns, change = np.diff(np.log(close)), np.diff(open_interest)
    moves, activity = np.abs(returns), np.abs(change) / open_interest[:-1]
    whole = returns.size // PER_HOUR * PER_HOUR
    hourly, hourly_change = (x[:whole].reshape(-1, PER_HOUR).sum(axis=1) for x in (returns, change))
    ranked = np.sort(activity)
    weights = 2.0 * np.arange(1, ranked.size + 1) - ranked.size - 1.0
    traded = ~np.isnan(volume[1:])
    turnover = (volume[1:] / open_interest[1:])[traded]
    return {
        "volatility": float(returns.std() * np.sqrt(365 * PER_DAY)),
        "kurtosis": float(((returns - returns.mean()) ** 4).mean() / returns.var() ** 2),
        "tail": hill(moves, 0.01),
        "cluster_5m": acf(moves, 1),
        "cluster_1h": acf(moves, PER_HOUR),
        "cluster_1d": acf(moves, PER_DAY),
        "turnover": float(turnover.mean() * PER_DAY),
        "oi_gini": float(weights @ ranked / (ranked.size * ranked.sum())),
        "oi_top": top_share(activity, 0.10),
        "oi_acf_5m": acf(activity, 1),
        "oi_acf_1h": acf(activity, PER_HOUR),
        "oi_move": float(activity[traded].sum() / turnover.sum()),
        "oi_abs": float(np.corrcoef(np.abs(hourly), np.abs(hourly_change))[0, 1]),
        "oi_sign": float(np.corrcoef(hourly, hourly_change)[0, 1]),
    }


def of_liquidations(
    long_usd: FloatArray, short_usd: FloatArray, close: FloatArray, open_interest: FloatArray
) -> dict[str, float]:
    """Return the facts of hourly liquidations beside the bars of the same days."""
    total = long_usd + short_usd
    days = min(total.size // 24, close.size // PER_DAY)
    by_day = total[: days * 24].reshape(days, 24).sum(axis=1)
    held = (close * open_interest)[: days * PER_DAY].reshape(days, PER_DAY).mean(axis=1)
    movement = np.square(np.diff(np.log(close), prepend=np.log(close[0])))[: days * PER_DAY].reshape(days, PER_DAY).sum(axis=1)
    some = total > 0.0
    return {
        "calm": float(np.median((by_day / held)[movement <= np.median(movement)])),
        "worst": float((by_day / held).max()),
        "burst": top_share(total, 0.01),
        "one_hour": acf(total, 1),
        "long_share": float(long_usd.sum() / total.sum()),
        "one_sided": float(np.median(np.abs(long_usd - short_usd)[some] / total[some])),
    }


def of_sizes(usd: FloatArray) -> dict[str, float]:
    """Return the facts of single liquidated units; dust under 10 USD is left out."""
    usd = usd[usd > 10.0]
    median, ninety, ninety_nine = np.quantile(usd, [0.5, 0.9, 0.99])
    row = 2_851
    blocks = [usd[i : i + row] for i in range(0, usd.size - row + 1, row)] or [usd]
    return {
        "size_90": float(ninety / median),
        "size_99": float(ninety_nine / median),
        "size_top": top_share(usd, 0.01),
        "size_max": float(np.median([b.max() / b.sum() for b in blocks])),
    }


def units(run: SimulatedRun) -> FloatArray:
    """Return dollars of liquidated units as the sample groups them: prints of one account within 10 minutes are one."""
    prints = run.prints
    order = np.lexsort((prints.ts_ns, prints.account))
    new = np.ones(order.size, np.bool_)
    same = np.diff(prints.account[order]) == 0
    new[1:] = ~same | (np.diff(prints.ts_ns[order]) > 600 * 10**9)
    usd = np.bincount(np.cumsum(new) - 1, weights=prints.notional_usd[order])
    return usd[np.argsort(prints.ts_ns[order][new], kind="stable")]


def of_truth(run: SimulatedRun) -> dict[str, float]:
    """Return the facts that only the truth tells: leverage held, lifetimes, depth, lumpiness."""
    low, middle, total, effective = 0.0, 0.0, 0.0, []
    for truth in run.snapshots:
        base, sign = truth.quantity_base[truth.trader], truth.sign[truth.trader]
        usd = base * truth.mark_price
        equity = truth.margin_usd[truth.trader] + sign * base * (truth.mark_price - truth.entry_price[truth.trader])
        leverage = usd / np.maximum(equity, 1e-9)
        low += usd[leverage < 3.0].sum()
        middle += usd[(leverage >= 3.0) & (leverage < 7.0)].sum()
        total += usd.sum()
        effective.append(usd.sum() ** 2 / np.square(usd).sum())
    steps, days = run.steps, run.config.days
    opened = (steps.opened_long_lots + steps.opened_short_lots).sum() / days
    held = np.mean([t.quantity_base[t.trader].sum() for t in run.snapshots]) / run.config.lot_base
    return {
        "low": float(low / total),
        "middle": float(middle / total),
        "high": float(1.0 - (low + middle) / total),
        "life": float(held / opened),
        "depth": float(steps.depth_usd_per_percent.min() / np.median(steps.depth_usd_per_percent)),
        "effective": float(np.median(effective)),
    }


def many_accounts(days: float) -> MarketConfig:
    """Return the default market with the accounts that real sizes need: most of them tiny, a few far larger."""
    default = MarketConfig()
    groups = tuple(structs.replace(g, size_usd=0.4 * g.size_usd) for g in default.groups)
    sizes = structs.replace(
        default.behaviour, small_share=0.94, small_scatter=5.0, size_tail=1.12, size_cut=1_000.0, leverage_size_slope=0.05
    )
    return replace(default, days=days, accounts=20_000, groups=groups, behaviour=sizes)


def simulated(config: MarketConfig, seed: int) -> dict[str, float]:
    """Return all facts of one simulated market."""
    run = SimulatedMarket(config, seed=seed).run()
    bars, totals = run.bars, run.liquidations
    return {
        **of_bars(bars.close, bars.open_interest_base, bars.volume_base),
        **of_liquidations(totals.long_usd, totals.short_usd, bars.close, bars.open_interest_base),
        **of_sizes(units(run)),
        **of_truth(run),
    }


def measured() -> dict[str, float]:
    """Return what the data of the evaluation pack say; empty where they are absent. Months before 2026-04 and one sample."""
    pack, sample = DATA / "btcusdt_backtest", DATA / "hl_liquidation_fills_sample" / "liquidation_units.parquet"
    if not pack.exists() or not sample.exists():
        return {}
    bars, totals = pl.read_parquet(pack / "bars_5m.parquet"), pl.read_parquet(pack / "liquidations_1h.parquet")
    close, held = bars["close"].to_numpy(), bars["open_interest_base"].to_numpy()
    usd = pl.read_parquet(sample).filter(pl.col("coin") == "BTC")["notional"].to_numpy()
    hourly = (totals["long_usd"].to_numpy(), totals["short_usd"].to_numpy())
    return {
        **of_bars(close, held, bars["volume_base"].to_numpy()),
        **of_liquidations(*hourly, close, held),
        **of_sizes(usd),
    }


def written(value: float) -> str:
    """Return three digits."""
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"


def table(config: MarketConfig, seeds: Sequence[int], what: str) -> list[str]:
    """Return the lines of the calibration table of one kind of market."""
    real, runs = measured(), [simulated(config, seed) for seed in seeds]
    lines = [
        f"{what}, {len(seeds)} seeds, {config.days:g} days each: median [range]. Reached means that the median lies in the range",
        "asked for.",
        "",
        "| fact | source | on data here | asked | simulated | reached |",
        "|---|---|---:|---:|---:|---|",
    ]
    reached = 0
    for name, fact in FACTS.items():
        found = np.array([run[name] for run in runs])
        median = float(np.median(found))
        shown = f"{written(median)} [{written(float(found.min()))}, {written(float(found.max()))}]"
        ours = written(real[name]) if name in real else ""
        asked, verdict = "", ""
        if fact.lo is not None and fact.hi is not None:
            inside = fact.lo <= median <= fact.hi
            reached += inside
            asked, verdict = f"{written(fact.lo)} to {written(fact.hi)}", "yes" if inside else "**no**"
        lines.append(f"| {fact.what} | {fact.source} | {ours} | {asked} | {shown} | {verdict} |")
    return [*lines, "", f"{reached} of {sum(f.lo is not None for f in FACTS.values())} reached."]


def main(arguments: list[str]) -> None:
    """Print the table; without arguments write it into the page."""
    days = float(arguments[0]) if arguments else 60.0
    seeds = [int(s) for s in arguments[1].split(",")] if len(arguments) > 1 else list(range(1, 9))
    lines = table(MarketConfig(days=days), seeds, "Default settings")
    print("\n".join(lines), flush=True)
    if arguments:
        return
    more = table(many_accounts(20.0), seeds[:3], "20,000 accounts with a real tail of sizes")
    print("\n".join(more))
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text("\n".join([before + BEGIN, "", *lines, "", *more, "", END]) + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
