"""Small files of every format, made on the fly; 2024-03-01 is a day of which every number below can be counted by hand."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from liqscape.clock import parse_instant
from liqscape.model import InstrumentId
from liqscape.units import NS_PER_MINUTE

BTC = InstrumentId("binance", "BTCUSDT")
DAY = parse_instant("2024-03-01")
MINUTE = NS_PER_MINUTE
KLINE_HEADER = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
METRICS_HEADER = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
TICKER_HEADER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,"
    "last_price,index_price,mark_price"
)
LIQUIDATION_HEADER = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"


def write(path: Path, lines: Iterable[str]) -> Path:
    """Write lines as csv, csv.gz or a zip with one csv of the same stem."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines).encode()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{path.stem}.csv", text)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(text))
    else:
        path.write_bytes(text)
    return path


def kline(index: int, *, minutes: int = 5, prices: str = "100,101,99,100.5", volume: str = "10", taker: str = "4") -> str:
    """One kline of 2024-03-01."""
    opened = DAY // 10**6 + index * minutes * 60_000
    return f"{opened},{prices},{volume},{opened + minutes * 60_000 - 1},1000,60,{taker},400,0"


def metric(clock: str, open_interest: str, symbol: str = "BTCUSDT") -> str:
    return f"2024-03-01 {clock},{symbol},{open_interest},5000000,1.2,1.1,1.3,0.9"


def bar_lines(count: int = 6, *, minutes: int = 5, open_interest: Sequence[str] | None = None) -> list[str]:
    """A CSV of bars like the pack's."""
    lines = ["ts,open,high,low,close,volume_base,open_interest_base"]
    for index in range(count):
        clock = f"2024-03-01T{index * minutes // 60:02d}:{index * minutes % 60:02d}:00Z"
        lines.append(f"{clock},100,101,99,100.5,10,{open_interest[index] if open_interest else 1000 + index}")
    return lines


def ticker(second: float, mark: str, *, open_interest: str = "", rate: str = "", exchange: str = "binance-futures") -> str:
    """One derivative_ticker row; funding is paid at 08:00."""
    ts = DAY // 1000 + round(second * 10**6)
    funding = (DAY + 8 * 60 * MINUTE) // 1000 if rate else ""
    return f"{exchange},BTCUSDT,{ts},{ts + 5},{funding},{rate},,{open_interest},,,{mark}"


def liquidation(second: float, side: str, price: str, amount: str, *, exchange: str = "binance-futures", mark: str = "") -> str:
    symbol, ts = ("BTC-USDT-SWAP" if exchange == "okex-swap" else "BTCUSDT"), DAY // 1000 + round(second * 10**6)
    return f"{exchange},{symbol},{ts},{ts + 5},{mark},{side},{price},{amount}"
