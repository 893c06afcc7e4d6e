"""10 and 11 October 2025 on Hyperliquid: what was liquidated, what was deleveraged, and what the engine says of such an hour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from liqscape.cascade import (
    NOW,
    OCTOBER_2025,
    Cascade,
    DepthProfile,
    Direction,
    Factor,
    absorption,
    forced_venue,
    simulate,
    summary,
)
from liqscape.cascade.dynamic import HORIZON_S
from liqscape.model.maps import BUCKET_WIDTH
from liqscape.units import format_usd

TICKERS = 10
HOUR = pl.datetime(2025, 10, 10, 21, time_zone="UTC")
BOOK = pl.datetime(2025, 10, 10, 20, time_zone="UTC")
PUSH = 0.02  # the shock that is asked about: as many dollars as move the book of 20:00 so far
_GRID = BUCKET_WIDTH * np.arange(501.0)


@dataclass(frozen=True)
class Forced:
    """Liquidations and deleveraging of one ticker, or of all.

    Parameters
    ----------
    rows, rows_usd
        As published: a fill in the market is told by both of its sides, a deleveraged one once.
    adl, adl_usd
        Deleveraged fills; each is among the rows once.
    """

    ticker: str
    rows: int
    rows_usd: float
    adl: int
    adl_usd: float

    @property
    def market_usd(self) -> float:
        """Dollars that found a taker in the market."""
        return 0.5 * (self.rows_usd - self.adl_usd)

    @property
    def forced_usd(self) -> float:
        """Dollars that were force-closed, in the market or against winners."""
        return self.market_usd + self.adl_usd


@dataclass(frozen=True)
class Event:
    """What the files say.

    Parameters
    ----------
    delay_s
        From the first liquidation to the first deleveraging.
    seconds, odd
        Seconds with any row; those in which rows less deleveraged fills are an odd number. Doubled rows make none.
    """

    delay_s: float
    seconds: int
    odd: int
    all: Forced
    tickers: tuple[Forced, ...]
    beyond_half: int


@dataclass(frozen=True)
class Said:
    """What the engine said of one depth and one insurance fund."""

    name: str
    fund_usd: float
    found: Cascade
    share: float
    within_minute: float


def read_event(folder: Path) -> Event:
    """Read `hl_adl_20251010`."""
    timing = json.loads((folder / "cascade_timing_results.json").read_text(encoding="utf-8"))
    total = json.loads((folder / "total_impact_results.json").read_text(encoding="utf-8"))
    rows = pl.read_parquet(folder / "combined_impact_by_ticker.parquet").sort("liq_notional", descending=True)
    tickers = tuple(
        Forced(each["ticker"], each["liq_events"], each["liq_notional"], each["adl_events"], each["adl_notional"])
        for each in rows.to_dicts()
    )
    liquidations, adl = total["liquidations"], total["adl"]
    return Event(
        delay_s=timing["delay_seconds"],
        seconds=len(timing["timeline"]),
        odd=sum((each["liquidations"] - each["adls"]) % 2 for each in timing["timeline"]),
        all=Forced("all", liquidations["events"], liquidations["notional"], adl["events"], adl["notional"]),
        tickers=tickers,
        beyond_half=sum(each.adl_usd > 0.5 * each.rows_usd for each in tickers),
    )


def ask(data: Path, event: Event) -> tuple[list[Said], str, float]:
    """Ask the engine about BTC on Hyperliquid at 21:00; return that, what went in, and how far the price fell.

    The levels are those that were liquidated, evenly between the mark and the low: knowledge of afterwards, so that what is
    asked is what the engine makes of a known map. Its book is Binance's by the share of open interest.
    """
    btc = next(each for each in event.tickers if each.ticker == "BTC")
    candles = pl.read_parquet(data / "multi_venue_1h_202503_202603" / "candles.parquet")
    bar = candles.filter((pl.col("ts") == HOUR) & (pl.col("coin") == "BTC") & (pl.col("venue") == "binance")).row(0, named=True)
    vendor = data / "coinglass_4h_2024_2025"
    book = pl.read_parquet(vendor / "btc_orderbook_range_4h.parquet").filter(pl.col("ts") == BOOK).row(0, named=True)
    interest = pl.read_parquet(vendor / "exchange_list_oi_daily_pulls.parquet").filter(
        (pl.col("coin") == "BTC") & (pl.col("pull_date").dt.date() == pl.date(2025, 10, 10))
    )
    open_usd = dict(zip(interest["exchange"], interest["open_interest_usd"], strict=True))
    share = open_usd["Hyperliquid"] / open_usd["Binance"]
    reach = 1.0 - bar["l"] / bar["o"]
    inside = np.clip(reach - _GRID[:-1], 0.0, BUCKET_WIDTH) / reach
    profile = DepthProfile(
        np.array([0.01]), np.array([book["bids_usd"]]) * share, np.array([book["asks_usd"]]) * share, ts_ns=0, source="Binance"
    )
    shock = float(np.median(absorption(_GRID, book=profile, horizon_s=0.0).at(Direction.DOWN, PUSH)))
    said = [
        _one(name, stress, fund, btc.forced_usd * inside[None], profile, shock)
        for name, stress in (("2025-10-10", OCTOBER_2025), ("now", NOW))
        for fund in (0.0, 1e8)
    ]
    about = (
        f"Map: {format_usd(btc.forced_usd)} of longs, evenly from {bar['o']:,.0f} (21:00) to {bar['l']:,.0f} (the hour's low, "
        f"{reach:.1%} down); that is what was force-closed, known afterwards. Book: Binance's within 1% at 20:00, "
        f"{format_usd(book['bids_usd'])} of bids, times {share:.2f}, Hyperliquid's open interest by Binance's. "
        f"Shock: {format_usd(shock)} in 5 minutes, what moves that book {PUSH:.0%} where nothing is forced; "
        "what really pushed is not known."
    ).replace("%", " %")
    return said, about, reach


def _one(name: str, stress: Factor, fund: float, levels: np.ndarray, profile: DepthProfile, shock: float) -> Said:
    venue = forced_venue("hyperliquid", insurance_fund_usd=fund)
    standing = absorption(_GRID, book=profile, stress=stress, horizon_s=0.0)
    runs = [
        simulate(levels, standing, Direction.DOWN, [venue], shock_usd=shock * part, shock_s=min(300, seconds), horizon_s=seconds)
        for seconds, part in ((HORIZON_S, 1.0), (62, 62 / 300))
    ]
    found, early = (summary(each) for each in runs)
    assert early.p_adl is not None, "the fund is given"
    share = float(runs[0].adl_usd.sum() / max(runs[0].swept_usd.sum(), 1.0))
    return Said(name, fund, found, share, early.p_adl.value)


_HEADS = (
    "depth", "insurance fund", "end, 10 / 50 / 90 %", "with no map", "leaves the grid", "forced", "P(deleveraging)",
    "within 62 s", "deleveraged share",
)  # fmt: skip


def _ticker_row(each: Forced) -> str:
    share = f"{each.adl_usd / each.forced_usd:.0%}".replace("%", " %")
    return f"| {each.ticker} | {format_usd(each.market_usd)} | {format_usd(each.adl_usd)} | {share} |"


def october_lines(data: Path) -> list[str]:
    """Return the section of the page."""
    event = read_event(data / "hl_adl_20251010")
    said, about, reach = ask(data, event)
    every = event.all
    lines = [
        "| 2025-10-10 21:15 to 21:27 UTC, Hyperliquid, 162 assets | |",
        "|---|---:|",
        f"| from the first liquidation to the first deleveraging | {event.delay_s:.1f} s |",
        f"| liquidation rows | {every.rows:,}, {format_usd(every.rows_usd)} |",
        f"| the same, halved | {format_usd(0.5 * every.rows_usd)} |",
        f"| deleveraged | {every.adl:,}, {format_usd(every.adl_usd)} |",
        f"| liquidated in the market, without doubles | {format_usd(every.market_usd)} |",
        f"| force-closed in all | {format_usd(every.forced_usd)} |",
        f"| of that deleveraged | {every.adl_usd / every.forced_usd:.0%} |".replace("%", " %"),
        "",
        "Halving everything is not right either. A fill in the market is told by both of its sides, but a deleveraged one is",
        f"among the liquidations once: in {event.seconds - event.odd} of {event.seconds} seconds (and in every ticker) rows less",
        f"deleveraged fills are an even number, and in {event.beyond_half} of {len(event.tickers)} tickers more was deleveraged",
        "than half of the rows hold. So the rest alone is halved.",
        "",
        "| ticker | liquidated in the market | deleveraged | deleveraged share |",
        "|---|---:|---:|---:|",
        *map(_ticker_row, event.tickers[:TICKERS]),
        "",
        "What the engine says of BTC there (`hyperliquid` rules, 5,000 paths, 15 minutes):",
        "",
        about,
        "",
        f"| {' | '.join(_HEADS)} |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in said:
        found = each.found
        ends, alone = (" / ".join(f"{q.value:.1%}" for q in way) for way in (found.end, found.end_no_map))
        assert found.p_adl is not None, "the fund is given"
        cells = (
            each.name, format_usd(each.fund_usd), ends, alone, f"{found.p_beyond.value:.0%}", format_usd(found.forced_usd.median),
            f"{found.p_adl.value:.0%}", f"{each.within_minute:.0%}", f"{each.share:.0%}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |".replace("%", " %"))
    btc = next(each for each in event.tickers if each.ticker == "BTC")
    share = f"{btc.adl_usd / btc.forced_usd:.0%}"
    cells = (
        "happened",
        "-",
        f"{reach:.1%}",
        "-",
        "no",
        format_usd(btc.forced_usd),
        "yes",
        f"yes, at {event.delay_s:.1f} s",
        share,
    )
    lines.append(f"| {' | '.join(cells)} |".replace("%", " %"))
    return lines


if __name__ == "__main__":
    import sys

    print("\n".join(october_lines(Path(sys.argv[1]))))
