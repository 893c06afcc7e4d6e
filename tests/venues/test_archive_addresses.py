"""Addresses of the bulk archives: which files hold a stretch of time, and what their checksums say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqscape.errors import BadArgument, CorruptRecord
from liqscape.units import NS_PER_DAY, NS_PER_HOUR
from liqscape.venues.binance import Dataset
from liqscape.venues.binance.addresses import archive_files, days_of, read_checksum

FEB_28 = 19_781 * NS_PER_DAY  # 2024-02-28, a leap year
MAR_1 = FEB_28 + 2 * NS_PER_DAY
APR_1 = MAR_1 + 31 * NS_PER_DAY


def test_whole_months_are_one_file_and_the_edges_are_days():
    files = archive_files("btcusdt", Dataset.KLINES, FEB_28, APR_1 + NS_PER_HOUR)
    assert [file.period for file in files] == ["2024-02-28", "2024-02-29", "2024-03", "2024-04-01"]
    month, day = files[2], files[3]
    assert month.path == "/data/futures/um/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-03.zip"
    assert month.checksum_path == month.path + ".CHECKSUM"
    assert (month.start_ns, month.end_ns) == (MAR_1, APR_1)
    assert day.path == "/data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-04-01.zip"
    assert day.name == "BTCUSDT-1m-2024-04-01.zip"


def test_metrics_are_published_by_the_day_only_and_have_no_interval():
    files = archive_files("BTCUSDT", "metrics", MAR_1, APR_1)
    assert len(files) == 31
    assert files[0].path == "/data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-03-01.zip"
    assert not any(file.monthly for file in files)


def test_coin_margined_mark_bars_of_another_interval():
    (file,) = archive_files("BTCUSD_PERP", Dataset.MARK, MAR_1, MAR_1 + 1, "cm", interval="5m")
    assert file.path == "/data/futures/cm/daily/markPriceKlines/BTCUSD_PERP/5m/BTCUSD_PERP-5m-2024-03-01.zip"


def test_a_month_that_is_not_there_has_its_days():
    (month,) = archive_files("BTCUSDT", "klines", MAR_1, APR_1)
    days = days_of(month)
    assert [days[0].period, days[-1].period, len(days)] == ["2024-03-01", "2024-03-31", 31]
    assert days_of(days[0]) == [days[0]]


def test_what_has_not_ended_is_left_out():
    now = APR_1 + 5 * NS_PER_HOUR
    files = archive_files("BTCUSDT", "klines", MAR_1, now, now_ns=now)
    assert [file.period for file in files] == ["2024-03"]
    files = archive_files("BTCUSDT", "klines", MAR_1, now, now_ns=MAR_1 + 3 * NS_PER_DAY)
    assert [file.period for file in files] == ["2024-03-01", "2024-03-02", "2024-03-03"]


def test_nothing_is_asked_from_before_the_archives_begin():
    assert archive_files("BTCUSDT", "metrics", 0, NS_PER_DAY) == []
    assert archive_files("BTCUSDT", "metrics", 0, 20_000 * NS_PER_DAY)[0].period == "2020-09-01"
    assert archive_files("BTCUSDT", "klines", 0, 20_000 * NS_PER_DAY)[0].period == "2019-12-31"
    assert archive_files("BTCUSDT", "klines", MAR_1, MAR_1) == []


@given(
    start=st.integers(18_600 * NS_PER_DAY, 20_500 * NS_PER_DAY),
    length=st.integers(1, 200 * NS_PER_DAY),
    dataset=st.sampled_from(Dataset),
    monthly=st.booleans(),
)
def test_files_follow_each_other_and_cover_the_time(start: int, length: int, dataset: Dataset, monthly: bool):
    files = archive_files("BTCUSDT", dataset, start, start + length, monthly=monthly)
    assert files[0].start_ns <= start < files[0].end_ns
    assert files[-1].start_ns < start + length <= files[-1].end_ns
    assert all(one.end_ns == other.start_ns for one, other in pairwise(files))
    # A month is taken only if every day of it is wanted.
    assert all(file.start_ns >= start - NS_PER_DAY and file.end_ns <= start + length + NS_PER_DAY for file in files)


@pytest.mark.parametrize(
    ("symbol", "dataset", "market", "interval", "word"),
    [
        ("BTCUSDT", "klines", "spot", "1m", "market"),
        ("BTCUSDT", "ticks", "um", "1m", "dataset"),
        ("../BTC", "klines", "um", "1m", "symbol"),
        ("BTCUSDT", "klines", "um", "1mo", "interval"),
    ],
)
def test_what_the_archives_do_not_have_is_refused(symbol: str, dataset: str, market: str, interval: str, word: str):
    with pytest.raises(BadArgument, match=word):
        archive_files(symbol, dataset, MAR_1, APR_1, market, interval=interval)


DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text", [f"{DIGEST}  a.zip\n", f"{DIGEST} *a.zip", DIGEST.upper(), f"{DIGEST}\n"], ids=["usual", "binary", "bare", "line"]
)
def test_a_checksum_is_read(text: str):
    assert read_checksum(text, "a.zip") == DIGEST


@pytest.mark.parametrize(
    ("text", "field"),
    [(f"{DIGEST}  b.zip", "name"), ("<html>not found</html>", "digest"), (DIGEST[:-1], "digest"), ("", "digest")],
)
def test_a_checksum_of_another_file_or_none_is_refused(text: str, field: str):
    with pytest.raises(CorruptRecord) as caught:
        read_checksum(text, "a.zip")
    assert caught.value.context["field"] == field
