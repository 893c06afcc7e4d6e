"""What the bulk archives of https://data.binance.vision look like (USD-M futures, as seen in 2026).

Address: `data/futures/um/{daily|monthly}/{dataset}/{SYMBOL}/[{interval}/]{SYMBOL}-{interval|dataset}-{date|month}.zip`. A header
row is there since about August 2022 only. The names of `klines` and `markPriceKlines` files are the same: only the folder
tells which prices they hold.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

KLINE_COLUMNS = (
    "open_time",  # ms since 1970
    "open",
    "high",
    "low",
    "close",
    "volume",  # base units; 0 in every row of a mark-price archive, where it is no measurement
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)

METRICS_COLUMNS = (
    "create_time",  # text, `2024-03-01 00:05:00`, UTC; sometimes a few seconds late
    "symbol",
    "sum_open_interest",  # base units, one side counted
    "sum_open_interest_value",
    "count_toptrader_long_short_ratio",
    "sum_toptrader_long_short_ratio",
    "count_long_short_ratio",
    "sum_taker_long_short_vol_ratio",
)


class Dataset(StrEnum):
    """The archives' folders that hold bars or open interest."""

    KLINES = "klines"
    MARK = "markPriceKlines"
    INDEX = "indexPriceKlines"
    PREMIUM = "premiumIndexKlines"
    METRICS = "metrics"


class ArchiveName(Struct, frozen=True):
    """What the name of an archive says.

    Parameters
    ----------
    symbol
        The venue's symbol.
    interval_ns
        Length of a bar, ns; None for `metrics`.
    period
        `2024-03` or `2024-03-01`.
    """

    symbol: str
    interval_ns: int | None
    period: str
