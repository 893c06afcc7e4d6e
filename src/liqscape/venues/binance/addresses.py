"""Where the bulk archives lie, and what their checksum files say. Pure: nothing here downloads.

Address: `/data/futures/{um|cm}/{daily|monthly}/{dataset}/{SYMBOL}/[{interval}/]{SYMBOL}-{interval|dataset}-{day|month}.zip`,
and beside it `.CHECKSUM` (SHA-256). https://github.com/binance/binance-public-data, read 2026-11.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from liqscape.errors import BadArgument, CorruptRecord
from liqscape.units import NS_PER_DAY, NS_PER_S
from liqscape.venues.binance.payloads import Dataset

ARCHIVE_HOST = "https://data.binance.vision"
# Nothing of USD-M lies there from before these days (open interest by five minutes begins with `metrics`).
_FIRST_DAY = {Dataset.METRICS: date(2020, 9, 1)}
_FIRST_BARS = date(2019, 12, 31)
_DAILY_ONLY = frozenset({Dataset.METRICS})
_MARKETS = ("um", "cm")
_SYMBOL = re.compile(r"[A-Z0-9_]+")
_INTERVAL = re.compile(r"\d+[mhd]")
_CHECKSUM = re.compile(r"(?P<digest>[0-9a-fA-F]{64})(?:[ \t]+\*?(?P<name>\S+))?")


class ArchiveFile(Struct, frozen=True, kw_only=True):
    """One archive.

    Parameters
    ----------
    path, checksum_path
        Below `ARCHIVE_HOST`; begin with a slash.
    name
        Of the file, such as `BTCUSDT-1m-2024-03.zip`.
    period
        `2024-03` (a month) or `2024-03-01` (a day).
    start_ns, end_ns
        What it covers: [start_ns, end_ns), ns UTC.
    interval
        Of the bars, such as `1m`; None for `metrics`.
    """

    symbol: str
    dataset: Dataset
    market: str
    interval: str | None
    period: str
    path: str
    checksum_path: str
    name: str
    start_ns: int
    end_ns: int

    @property
    def monthly(self) -> bool:
        """True if it covers a month."""
        return len(self.period) == 7


def archive_files(
    symbol: str,
    dataset: Dataset | str,
    start_ns: int,
    end_ns: int,
    market: str = "um",
    *,
    interval: str = "1m",
    monthly: bool = True,
    now_ns: int | None = None,
) -> list[ArchiveFile]:
    """Return the fewest archives that hold [start_ns, end_ns): months where they lie in it whole, days for the rest.

    Parameters
    ----------
    symbol
        The venue's, such as `BTCUSDT` or, of market `cm`, `BTCUSD_PERP`.
    start_ns, end_ns
        ns UTC; a day that is touched is taken whole.
    market
        `um` (USD-M) or `cm` (COIN-M).
    interval
        Of the bars; `metrics` have none.
    monthly
        False takes days only: a month is packed once, a day may have been corrected since.
    now_ns
        Leaves out what had not ended by then: its archive cannot exist yet. The newest day and month may still be missing, for
        they are published with some delay; `days_of` names the days in place of a month that is not there.

    Returns
    -------
    In the order of time, without overlap.

    Raises
    ------
    BadArgument
        If the market, the dataset, the symbol or the interval is none that the archives have.

    Examples
    --------
    >>> day = 86_400 * 10**9
    >>> [file.name for file in archive_files("BTCUSDT", "metrics", 19_783 * day, 19_784 * day)]
    ['BTCUSDT-metrics-2024-03-01.zip']
    """
    kind, symbol = _checked(symbol, dataset, market, interval)
    if end_ns <= start_ns:
        return []
    first, last = _day(start_ns), _day(end_ns - 1)
    if market == "um":
        first = max(first, _FIRST_DAY.get(kind, _FIRST_BARS))
    if now_ns is not None:
        last = min(last, _day(now_ns) - timedelta(days=1))
    found: list[ArchiveFile] = []
    while first <= last:
        following = _next_month(first)
        whole = monthly and kind not in _DAILY_ONLY and first.day == 1 and following - timedelta(days=1) <= last
        end = following if whole else first + timedelta(days=1)
        found.append(_file(symbol, kind, market, interval, first, end, whole))
        first = end
    return found


def days_of(file: ArchiveFile) -> list[ArchiveFile]:
    """Return the daily archives that cover what a monthly one does; a daily one is returned as it is."""
    if not file.monthly:
        return [file]
    return archive_files(
        file.symbol, file.dataset, file.start_ns, file.end_ns, file.market, interval=file.interval or "1m", monthly=False
    )


def read_checksum(text: str, name: str) -> str:
    """Return the SHA-256 (64 small hexadecimal digits) that a `.CHECKSUM` file states for the archive `name`.

    Raises
    ------
    CorruptRecord
        If it holds no such sum, or that of another file.
    """
    match = _CHECKSUM.fullmatch(text.strip())
    if match is None:
        raise _wrong(name, "digest", "64 hexadecimal digits and the file's name", text)
    if match["name"] is not None and match["name"] != name:
        raise _wrong(name, "name", name, match["name"])
    return match["digest"].lower()


def _checked(symbol: str, dataset: Dataset | str, market: str, interval: str) -> tuple[Dataset, str]:
    if market not in _MARKETS:
        raise BadArgument(f"market: expected um or cm, received {market!r}", hint="um is margined in USD, cm in the coin.")
    try:
        kind = Dataset(dataset)
    except ValueError:
        known = ", ".join(one.value for one in Dataset)
        raise BadArgument(f"dataset: the archives have no {dataset!r}", hint=f"Known: {known}.") from None
    if not _SYMBOL.fullmatch(symbol.upper()):
        raise BadArgument(f"symbol: expected letters and digits, received {symbol!r}", hint="Write it like BTCUSDT.")
    if not _INTERVAL.fullmatch(interval):
        raise BadArgument(f"interval: expected one like 1m, 4h or 1d, received {interval!r}", hint="Bars of 1m are the finest.")
    return kind, symbol.upper()


def _file(symbol: str, dataset: Dataset, market: str, interval: str, first: date, end: date, whole: bool) -> ArchiveFile:
    period = first.isoformat()[:7] if whole else first.isoformat()
    bars = dataset is not Dataset.METRICS
    name = f"{symbol}-{interval if bars else dataset.value}-{period}.zip"
    folder = f"/data/futures/{market}/{'monthly' if whole else 'daily'}/{dataset.value}/{symbol}"
    path = f"{folder}/{interval}/{name}" if bars else f"{folder}/{name}"
    return ArchiveFile(
        symbol=symbol,
        dataset=dataset,
        market=market,
        interval=interval if bars else None,
        period=period,
        path=path,
        checksum_path=f"{path}.CHECKSUM",
        name=name,
        start_ns=_start_ns(first),
        end_ns=_start_ns(end),
    )


def _day(ns: int) -> date:
    return datetime.fromtimestamp(ns // NS_PER_S, UTC).date()


def _start_ns(day: date) -> int:
    return (day - date(1970, 1, 1)).days * NS_PER_DAY


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _wrong(name: str, field: str, expected: str, found: str) -> CorruptRecord:
    return CorruptRecord(
        f"binance {name}.CHECKSUM, {field}: expected {expected}, received {found[:120]!r}",
        hint="Download it again; if it stays so, look at the file's page in a browser.",
        context={"venue": "binance", "what": f"{name}.CHECKSUM", "field": field, "value": found[:120]},
    )
