"""Write a simulated run as a folder of market data, as a user would import it, with the truth beside it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from liqscape.model.arrays import IntArray
from liqscape.testing.market.run import SimulatedRun
from liqscape.units import NS_PER_MINUTE, NS_PER_S

_TOML = """# A simulated market: no exchange ever traded this. Seed {seed}.
instrument = "{instrument}"
simulated = true

[bars]
file = "{bars}"
interval = "{interval}"
price_kind = "mark"
open_interest = "base"       # one-sided contracts, at the bar's end

[liquidations]
file = "{totals}"
interval = "1h"              # ts is the hour's start; side of the liquidated position
venues = ["{venue}"]
complete = true

[funding]
file = "funding.parquet"
interval = "{funding}"
"""


def _instants(values: IntArray) -> pl.Series:
    return pl.Series("ts", values).cast(pl.Datetime("ns", "UTC")).cast(pl.Datetime("us", "UTC"))


def _interval(value_ns: int) -> str:
    return f"{value_ns // NS_PER_MINUTE}m" if value_ns % NS_PER_MINUTE == 0 else f"{value_ns // NS_PER_S}s"


def write_dataset(run: SimulatedRun, folder: str | Path) -> Path:
    """Write what the venue published, and `truth.parquet`, into a folder; files of the same names are replaced.

    Returns
    -------
    The folder. `dataset.toml` names `bars_5m.parquet` (ts, open, high, low, close, volume_base, taker_buy_base,
    open_interest_base), `liquidations_1h.parquet` (ts, long_usd, short_usd) and `funding.parquet` (ts, rate). Nothing names the
    truth.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    bars, totals, funding = run.bars, run.liquidations, run.funding
    interval = _interval(bars.interval_ns)
    names = ("open", "high", "low", "close", "volume_base", "taker_buy_base", "open_interest_base")
    bars_file, totals_file = f"bars_{interval}.parquet", "liquidations_1h.parquet"
    pl.DataFrame({"ts": _instants(bars.start_ns), **{n: getattr(bars, n) for n in names}}).write_parquet(target / bars_file)
    pl.DataFrame({"ts": _instants(totals.start_ns), "long_usd": totals.long_usd, "short_usd": totals.short_usd}).write_parquet(
        target / totals_file
    )
    pl.DataFrame({"ts": _instants(funding.ts_ns), "rate": funding.rate}).write_parquet(target / "funding.parquet")
    truth_frame(run).write_parquet(target / "truth.parquet")
    text = _TOML.format(
        seed=run.seed,
        instrument=bars.instrument,
        venue=bars.instrument.venue,
        bars=bars_file,
        totals=totals_file,
        interval=interval,
        funding=_interval(funding.interval_ns),
    )
    (target / "dataset.toml").write_text(text, encoding="utf-8")
    return target


def truth_frame(run: SimulatedRun) -> pl.DataFrame:
    """Return every open position of every snapshot, one row each; a liquidation price that does not exist is null."""
    frames: list[pl.DataFrame] = []
    for snapshot in run.snapshots:
        columns = {
            "account": snapshot.account,
            "sign": snapshot.sign,
            "quantity_base": snapshot.quantity_base,
            "entry_price": snapshot.entry_price,
            "margin_usd": snapshot.margin_usd,
            "liquidation_price": snapshot.liquidation_price,
            "cross": snapshot.cross,
            "age_s": snapshot.age_s,
            "trader": snapshot.trader,
        }
        frame = pl.DataFrame(columns)
        frame.insert_column(0, pl.Series("ts", [snapshot.as_of_ns] * frame.height, pl.Datetime("ns", "UTC")))
        frames.append(frame.with_columns(pl.lit(snapshot.mark_price).alias("mark_price")))
    return pl.concat(frames).with_columns(pl.col("liquidation_price", "age_s").fill_nan(None))
