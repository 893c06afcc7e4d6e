"""Binance USD-M futures: bulk archives as a user downloads them. May depend on `model` and the ground."""

from liqscape.venues.binance.parse import (
    KLINE_WIRE,
    METRICS_WIRE,
    dataset_of,
    name_columns,
    parse_klines,
    parse_metrics,
    read_name,
)
from liqscape.venues.binance.payloads import KLINE_COLUMNS, METRICS_COLUMNS, ArchiveName, Dataset

__all__ = [
    "KLINE_COLUMNS",
    "KLINE_WIRE",
    "METRICS_COLUMNS",
    "METRICS_WIRE",
    "ArchiveName",
    "Dataset",
    "dataset_of",
    "name_columns",
    "parse_klines",
    "parse_metrics",
    "read_name",
]
