"""Cross levels of real accounts: whether the solver knows the venue's price, and follows it when other legs move.

python -m benchmarks.cross_levels ../shared/data            # writes docs/hyperliquid.md
python -m benchmarks.cross_levels ../shared/data --dry      # prints only
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.truth import put
from liqscape.engine.positions.levels import standing
from liqscape.margin import TierTable
from liqscape.margin.hyperliquid import hyperliquid_tiers
from liqscape.model import InstrumentId

PAGE = Path("docs/hyperliquid.md")
# Published tiers above the first; the rest has one, from the list of markets of the same days.
TIERED = {
    "BTC": [(0.0, 40.0), (150e6, 20.0)],
    "ETH": [(0.0, 25.0), (100e6, 15.0)],
    "SOL": [(0.0, 20.0), (70e6, 10.0)],
    "XRP": [(0.0, 20.0), (40e6, 10.0)],
}
LEAST_USD = 1_000.0
SAME = 1e-3  # quantities and money that differ by less are taken as unchanged
REACH = 0.5  # levels farther from the mark are on no map


@dataclass(frozen=True)
class Look:
    """An account in one snapshot: its rows in the store's columns."""

    address: str
    ts: int
    rows: pl.DataFrame


def looks(folder: Path) -> Iterator[list[Look]]:
    """Yield every account's looks in order of time; coins in capitals, one row per coin."""
    raw = pl.read_parquet(folder / "hl_positions_2026q1" / "positions.parquet")
    raw = raw.unique(["snapshot_ts", "address", "coin"], keep="first", maintain_order=True)
    sign = pl.when(pl.col("side").cast(pl.String()).str.to_lowercase() == "long").then(1.0).otherwise(-1.0)
    table = raw.select(
        instrument=pl.format("hyperliquid:{}", pl.col("coin").cast(pl.String()).str.to_uppercase()),
        account=pl.col("address").cast(pl.String()),
        ts=pl.col("snapshot_ts").dt.epoch("ns"),
        quantity_base=sign * pl.col("size"),
        entry_price=pl.col("entry_px"),
        mark_price=pl.col("mark_px"),
        liquidation_price=pl.col("liq_px"),
        margin_mode=pl.lit("cross"),
        max_leverage=pl.lit(None, pl.Float64()),
        equity_usd=pl.col("account_value"),
    ).filter(pl.col("quantity_base") != 0.0)
    for (address,), rows in table.sort("account", "ts", "instrument").group_by("account", maintain_order=True):
        yield [Look(str(address), int(ts), part) for (ts,), part in rows.group_by("ts", maintain_order=True)]


def tables(folder: Path) -> dict[str, TierTable]:
    """Return the margin table of every coin on 3 February 2026."""
    markets = pl.read_parquet(folder / "hl_positions_2026q1" / "markets_20260203_04.parquet").unique("name", keep="last")
    found = {
        str(row["name"]).upper(): hyperliquid_tiers([(0.0, float(row["maxLeverage"]))]) for row in markets.iter_rows(named=True)
    }
    found |= {coin: hyperliquid_tiers(rows) for coin, rows in TIERED.items()}
    return {f"hyperliquid:{coin}": table for coin, table in found.items()}


def wallet(look: Look) -> float:
    """Equity without unrealised profit."""
    gain = look.rows["quantity_base"] * (look.rows["mark_price"] - look.rows["entry_price"])
    return float(look.rows["equity_usd"][0]) - float(gain.sum())


def unchanged(before: Look, after: Look) -> bool:
    """Whether nothing but marks moved between two looks."""
    if before.rows["instrument"].to_list() != after.rows["instrument"].to_list():
        return False
    ratio = (after.rows["quantity_base"] / before.rows["quantity_base"] - 1.0).abs().max()
    money = abs(wallet(after) - wallet(before)) / max(abs(wallet(before)), 1.0)
    return float(ratio or 0.0) < SAME and money < SAME


def run(folder: Path) -> str:
    """Measure everything and return the tables."""
    tiers = tables(folder)
    known = single = near = agreed = null = 0
    errors: list[tuple[bool, float, float, float]] = []  # agreed, kept, moved (fractions of the venue's new price), hours
    for account in looks(folder):
        for look in account:
            single, known, near, agreed, null = (
                n + m for n, m in zip((single, known, near, agreed, null), count(look, tiers), strict=True)
            )
        for before, after in pairwise(account):
            if unchanged(before, after):
                errors += follow(before, after, tiers)
    agrees, kept, moved, hours = (np.array(column) for column in zip(*errors, strict=True))
    facts = (
        f"{single:,} looks at an account with one leg, whose price needs no solving; {known:,} legs of accounts with several."
        f" Of these {null:,} have no price, and {near:,} have one within {REACH:.0%} of the mark; the solver gives"
        f" {agreed / near:.0%} of the latter to within 1 %."
    )
    pairs = (
        f"Between two looks of one account at which only marks had moved ({len(errors):,} prices near the mark, of which the"
        f" solver knew {int(agrees.sum()):,} at the first; {np.median(hours):.1f} h apart at the median):"
    )
    heads = "| error of the level, bp of the venue's later price | median | 75 % | 90 % | 95 % |"
    lines = [facts, "", pairs, "", heads, "|---|---:|---:|---:|---:|"]
    for name, error, chosen in (
        ("known to the solver: the venue's earlier price, kept", kept, agrees),
        ("known to the solver: moved to the later marks", moved, agrees),
        ("the others: the venue's earlier price, kept", kept, ~agrees),
        ("the others: moved all the same", moved, ~agrees),
    ):
        quantiles = np.quantile(1e4 * error[chosen], (0.5, 0.75, 0.9, 0.95))
        lines.append(f"| {name} | " + " | ".join(f"{q:,.1f}" for q in quantiles) + " |")
    return "\n".join(lines)


def count(look: Look, tiers: Mapping[str, TierTable]) -> tuple[int, int, int, int, int]:
    """Return looks with one leg, legs of several, near ones, those that the solver reproduces, and those without a price."""
    if look.rows.height < 2:
        return 1, 0, 0, 0, 0
    near = agreed = 0
    for row in look.rows.iter_rows(named=True):
        said, mark = row["liquidation_price"], row["mark_price"]
        if said is None or abs(said / mark - 1.0) > REACH or abs(row["quantity_base"]) * mark < LEAST_USD:
            continue
        near += 1
        agreed += standing(look.rows, InstrumentId.parse(row["instrument"]), {}, tiers).solved
    return 0, look.rows.height, near, agreed, look.rows["liquidation_price"].null_count()


def follow(before: Look, after: Look, tiers: Mapping[str, TierTable]) -> list[tuple[bool, float, float, float]]:
    """Return whether the solver knew the account, and the errors of the kept and of the moved level at the later look."""
    marks = dict(zip(after.rows["instrument"].to_list(), after.rows["mark_price"].to_list(), strict=True))
    found: list[tuple[bool, float, float, float]] = []
    if before.rows.height < 2:
        return found
    for then, now in zip(before.rows.iter_rows(named=True), after.rows.iter_rows(named=True), strict=True):
        said, kept = now["liquidation_price"], then["liquidation_price"]
        if said is None or kept is None or abs(said / now["mark_price"] - 1.0) > REACH:
            continue
        if abs(now["quantity_base"]) * now["mark_price"] < LEAST_USD:
            continue
        instrument = InstrumentId.parse(now["instrument"])
        known = standing(before.rows, instrument, marks, tiers).solved == 1
        price = float(standing(before.rows, instrument, marks, tiers, agrees=np.inf).price[0])
        if np.isfinite(price):
            found.append((known, abs(kept / said - 1.0), abs(price / said - 1.0), (after.ts - before.ts) / 3.6e12))
    return found


def main() -> None:
    """Write the table, or print it."""
    text = run(Path(sys.argv[1]))
    if "--dry" in sys.argv:
        print(text)
    else:
        put(PAGE, "cross levels", text)


if __name__ == "__main__":
    main()
