"""Score the map on markets that nobody tuned it to, and write the table into docs/baselines.md.

    python -m benchmarks.transfer ../shared/data

Same constants, nothing re-tuned: ETH and SOL were never looked at, BTC is another year. Hourly candles of one venue are cut into
legs, liquidations are that venue's own per 4 h, open interest that of all venues, held from the last stamp that was over. Fit
2025-03-06 to 05-31, scored 2025-06-01 to 11-14; D2 against the mean of the fit period, a fixed number.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from liqscape.clock import parse_instant, utc_date
from liqscape.estimate import MODEL, Recipe
from liqscape.model import BarSeries, Completeness, InstrumentId, LiquidationSeries, PriceKind
from liqscape.model.arrays import BoolArray, FloatArray, IntArray
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.validate.baselines import BASELINES
from liqscape.validate.legs import legs
from liqscape.validate.panel import BURN_IN_NS, Panel, Schedule
from liqscape.validate.scores import poisson_deviance, ranks
from liqscape.validate.walk_forward import Predictions, predict

COINS = ("BTC", "ETH", "SOL")
SCORED_FROM, SCORED_TO = "2025-06-01", "2025-11-15"
CRASH = ("2025-10-08", "2025-10-13")
SCHEDULE = Schedule(anchor_ns=parse_instant(SCORED_FROM), fit_days=90.0)
SHOWN = ("|move|^p", "distance only", "uniform leverage", "boosting")
# The L3 column of the estimator's reference table: what the map must stay within .01 of.
BAR = {"BTC": (0.685, 0.689), "ETH": (0.827, 0.722), "SOL": (0.862, 0.756)}
PAGE = Path(__file__).parents[1] / "docs" / "baselines.md"
BEGIN, END = "<!-- transfer:begin -->", "<!-- transfer:end -->"


def tape(data: Path, coin: str) -> tuple[BarSeries, LiquidationSeries, tuple[IntArray, FloatArray]]:
    """Read bars in legs, liquidations per 4 h and funding of one coin."""
    candles = (
        pl.read_parquet(data / "multi_venue_1h_202503_202603" / "candles.parquet")
        .filter((pl.col("venue") == "binance") & (pl.col("coin") == coin))
        .sort("ts")
    )
    sums = pl.read_parquet(data / "coinglass_4h_2024_2025" / "coin_4h.parquet").filter(pl.col("coin") == coin).sort("ts")
    rates = (
        pl.read_parquet(data / "multi_venue_1h_202503_202603" / "funding_rates.parquet")
        .filter((pl.col("venue") == "binance") & (pl.col("coin") == coin))
        .sort("ts")
    )
    sums = sums.filter(pl.col("ts") >= candles["ts"][0])
    candles = candles.filter(pl.col("ts") < sums["ts"][-1] + pl.duration(hours=4))
    start, stamp = _ns(candles["ts"]), _ns(sums["ts"])
    opened, high, low, close, volume = (candles[name].to_numpy().astype(np.float64) for name in "ohlcv")
    # An open-interest stamp is the end of its 4 h: it belongs to the candle that ends then, and is held from there.
    at = np.searchsorted(stamp + 4 * NS_PER_HOUR, start + NS_PER_HOUR, side="right") - 1
    price = close[np.searchsorted(start, stamp + 3 * NS_PER_HOUR)]
    base = sums["oi_close"].to_numpy() / price
    open_interest = np.where(at >= 0, base[np.maximum(at, 0)], np.nan)
    name = InstrumentId("binance", f"{coin}USDT")
    unknown = np.full(start.size, np.nan)
    bars = BarSeries(
        name, NS_PER_HOUR, PriceKind.LAST, start, start + NS_PER_HOUR, opened, high, low, close, volume, unknown, open_interest
    )
    liquidations = LiquidationSeries(
        name, 4 * NS_PER_HOUR, stamp, stamp + 4 * NS_PER_HOUR, sums["liq_long_usd"].to_numpy(), sums["liq_short_usd"].to_numpy(),
        ("binance",), Completeness.THROTTLED,
    )  # fmt: skip
    return legs(bars), liquidations, (_ns(rates["ts"]), rates["funding_rate"].to_numpy())


def _ns(instants: pl.Series) -> IntArray:
    return instants.dt.epoch("ns").to_numpy()


def run(data: Path, coin: str, recipe: Recipe | None = None) -> Predictions:
    """Predict one coin, walk-forward."""
    bars, liquidations, funding = tape(data, coin)
    return predict(bars, liquidations, recipe, funding=funding, fit_days=SCHEDULE.fit_days)


def scored(rows: Panel) -> tuple[BoolArray, BoolArray, FloatArray]:
    """Return the scored intervals, those of them outside the crash, and the null of each side."""
    window = rows.between(parse_instant(SCORED_FROM), parse_instant(SCORED_TO))
    crash = rows.between(parse_instant(CRASH[0]), parse_instant(CRASH[1]))
    before = rows.between(int(rows.start_ns[0]) + BURN_IN_NS, parse_instant(SCORED_FROM))
    return window, window & ~crash, rows.realised[before].mean(axis=0)


def d2(realised: FloatArray, predicted: FloatArray, null: float) -> float:
    """Share of the Poisson deviance explained against a fixed number."""
    return 1.0 - poisson_deviance(realised, predicted) / poisson_deviance(realised, np.full(realised.size, null))


def cells(rows: Panel, predicted: FloatArray) -> list[str]:
    """Return the scores of one predictor as long/short pairs: D2, D2 without the crash, Spearman, ratio of totals."""
    window, calm, null = scored(rows)
    pairs: list[str] = []
    for shown in (window, calm):
        y, mean = rows.realised[shown], predicted[shown]
        pairs.append("/".join(f"{d2(y[:, s], mean[:, s], null[s]):.3f}" for s in range(2)))
    y, mean = rows.realised[window], predicted[window]
    pairs.append("/".join(f"{np.corrcoef(ranks(mean[:, s]), ranks(y[:, s]))[0, 1]:.3f}" for s in range(2)))
    pairs.append("/".join(f"{mean[:, s].sum() / y[:, s].sum():.2f}" for s in range(2)))
    return pairs


def table(data: Path) -> Iterator[str]:
    """Yield the lines of the table as Markdown."""
    last = utc_date(parse_instant(CRASH[1]) - NS_PER_DAY)
    yield f"| coin | predictor | D2 long/short | without {CRASH[0]} to {last[5:]} | Spearman | total ratio |"
    yield "|---" * 6 + "|"
    for coin in COINS:
        found = run(data, coin)
        window, _, _ = scored(found.rows)
        yield (
            f"| {coin} | **map** ({MODEL}, {int(window.sum())} x 4 h) | " + " | ".join(cells(found.rows, found.predicted)) + " |"
        )
        for each in BASELINES:
            if each.name in SHOWN:
                name = each.name.replace("|", r"\|")
                predicted = each.predict(found.rows, SCHEDULE, found.predicted)
                yield f"| {coin} | {name} | " + " | ".join(cells(found.rows, predicted)) + " |"
        yield f"| {coin} | reference (L3) | {BAR[coin][0]:.3f}/{BAR[coin][1]:.3f} | | | |"


def main(data: Path) -> None:
    """Print the table and put it between the page's markers."""
    lines: list[str] = []
    for line in table(data):
        print(line, flush=True)
        lines.append(line)
    page = PAGE.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        sys.exit(f"{PAGE.name} has no {BEGIN} .. {END}: the table was not written")
    head, rest = page.split(BEGIN, 1)
    PAGE.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
