"""Plain files and folders with a dataset.toml."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from importing_files import BTC, DAY, MINUTE, bar_lines, write
from polars.testing import assert_frame_equal

from liqscape.engine.importer import import_paths
from liqscape.errors import BadArgument
from liqscape.model import InstrumentId, PriceKind
from liqscape.store import DeltaStore, Table

TOML = """
instrument = "binance:BTCUSDT"
[bars]
file = "bars.csv"
interval = "5m"
open_interest = "base"
[liquidations]
file = "liquidations.csv"
interval = "1h"
venues = ["okx", "binance"]
complete = false
[funding]
file = "funding.csv"
interval = "8h"
"""


def dataset(folder: Path, toml: str = TOML) -> Path:
    write(folder / "bars.csv", bar_lines(6, open_interest=["1000", "", "1002", "0", "1004", "1005"]))
    write(folder / "liquidations.csv", ["ts,long_usd,short_usd", "2024-03-01 00:00:00,5000,0", "2024-03-01 01:00:00,0,70.5"])
    write(folder / "funding.csv", ["ts,rate", "2024-03-01,0.0001", "2024-03-01 08:00:00.004,-0.0002"])
    (folder / "dataset.toml").write_text(toml)
    return folder


def test_folder_with_a_manifest(store: DeltaStore, tmp_path: Path) -> None:
    report = import_paths(store, [dataset(tmp_path / "pack")])
    assert (report.rows_read, report.rows_kept, report.rows_rejected, report.warnings) == (10, 10, 0, ())
    bars = store.read(Table.BARS, BTC)
    assert bars["ts"].to_list() == [DAY + i * 5 * MINUTE for i in range(6)]
    assert set(bars["price_kind"]) == {"mark"}
    assert bars["ts_recv"].null_count() == 6
    stamps = store.read(Table.OPEN_INTEREST, BTC)
    # Stamps stand at the end of the bar; an empty one is no stamp, a zero is one.
    assert stamps["ts"].to_list() == [DAY + i * 5 * MINUTE for i in (1, 3, 4, 5, 6)]
    assert stamps["open_interest_base"].to_list() == [1000.0, 1002.0, 0.0, 1004.0, 1005.0]
    totals = store.read(Table.LIQUIDATION_TOTALS, BTC)
    assert totals.select("long_usd", "short_usd", "venues", "completeness").rows() == [
        (5000.0, 0.0, "binance,okx", "throttled"),
        (0.0, 70.5, "binance,okx", "throttled"),
    ]
    assert store.read(Table.FUNDING, BTC).select("ts", "rate", "interval_ns").rows() == [
        (DAY, 0.0001, 480 * MINUTE),
        (DAY + 480 * MINUTE + 4_000_000, -0.0002, 480 * MINUTE),
    ]


def test_price_kind_and_simulated_come_from_the_manifest(store: DeltaStore, tmp_path: Path) -> None:
    toml = "simulated = true\n" + TOML.replace('interval = "5m"', 'interval = "5m"\nprice_kind = "last"')
    report = import_paths(store, [dataset(tmp_path / "pack", toml)])
    assert report.simulated_instruments == (BTC,)
    assert set(store.read(Table.BARS, BTC)["price_kind"]) == {"last"}


def test_a_file_of_such_a_folder_is_what_the_folder_says(store: DeltaStore, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "pack")
    report = import_paths(store, [folder / "bars.csv"])
    assert report.files[0].price_kind is PriceKind.MARK
    assert report.stored == {Table.BARS: 6, Table.OPEN_INTEREST: 5}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"5m"', '"fast"', "bars.interval"),
        ('open_interest = "base"', 'open_interest = "usd"', "bars.open_interest"),
        ('"bars.csv"', '"gone.csv"', "bars.file"),
        ('instrument = "binance:BTCUSDT"', 'instrument = "BTCUSDT"', "venue:SYMBOL"),
        ("complete = false", 'complete = "no"', "liquidations.complete"),
        ('["okx", "binance"]', '"okx"', "liquidations.venues"),
        ("[bars]", "[bars", "TOML"),
    ],
)
def test_a_manifest_that_makes_no_sense(store: DeltaStore, tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        import_paths(store, [dataset(tmp_path / "pack", TOML.replace(old, new, 1))])


def test_unknown_keys_and_columns_are_one_warning_each(store: DeltaStore, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "pack", 'colour = "red"\n' + TOML)
    write(folder / "bars.csv", [f"{line},x" for line in bar_lines()])
    report = import_paths(store, [folder])
    assert len(report.warnings) == 2
    assert report.rows_rejected == 0
    again = [write(tmp_path / f"{n}.csv", [f"{line},x" for line in bar_lines()]) for n in "abc"]
    report = import_paths(store, again, instrument=BTC, price_kind=PriceKind.MARK)
    assert report.warnings == ("bars: columns x are not known and were ignored (3 files)",)


def instants(unit: str) -> pl.Series:
    counts = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
    ns = pl.Series([DAY, DAY + 60 * MINUTE, DAY + 120 * MINUTE], dtype=pl.Int64)
    if unit in counts:
        return ns // counts[unit]
    if unit == "float s":
        return (ns // 10**9).cast(pl.Float64)
    if unit == "text":
        return pl.Series(["2024-03-01", "2024-03-01T02:00:00+01:00", "2024-03-01 02:00"])
    if unit == "text ms":
        return (ns // 10**6).cast(pl.String)
    if unit == "naive":
        return pl.from_epoch(ns // 10**6, "ms")
    return pl.from_epoch(ns, "ns").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "float s", "text", "text ms", "naive", "zoned"])
def test_times_of_every_kind(store: DeltaStore, tmp_path: Path, unit: str) -> None:
    frame = pl.DataFrame({"ts": instants(unit), "long_usd": [1.0, 2.0, 3.0], "short_usd": [0, 0, 1]})
    frame.write_parquet(tmp_path / "x.parquet")
    report = import_paths(store, [tmp_path / "x.parquet"], instrument=BTC)
    stored = store.read(Table.LIQUIDATION_TOTALS, BTC)
    assert stored["ts"].to_list() == [DAY + i * 60 * MINUTE for i in range(3)]
    assert report.files[0].interval_ns == 60 * MINUTE  # the usual step
    assert set(stored["venues"]) == {"binance"}
    assert set(stored["completeness"]) == {"unknown"}


def test_bars_without_a_manifest_are_last_prices_unless_said_otherwise(store: DeltaStore, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", bar_lines())
    report = import_paths(store, [file], instrument=BTC)
    assert "last-trade" in report.warnings[0]
    assert import_paths(store, [file], instrument=BTC, price_kind=PriceKind.MARK).warnings == ()
    assert sorted(set(store.read(Table.BARS, BTC)["price_kind"])) == ["last", "mark"]


def test_csv_gz_and_parquet_store_the_same(tmp_path: Path) -> None:
    frames = []
    plain = write(tmp_path / "x.csv", bar_lines(12))
    frame = pl.read_csv(plain, try_parse_dates=True)
    frame.write_parquet(tmp_path / "x.parquet")
    for file in (plain, write(tmp_path / "x.csv.gz", bar_lines(12)), tmp_path / "x.parquet"):
        store = DeltaStore(tmp_path / f"store{file.suffix[1:]}")
        import_paths(store, [file], instrument=BTC)
        frames.append(store.read(Table.BARS, BTC).drop("source"))
    assert_frame_equal(frames[0], frames[1])
    assert_frame_equal(frames[0], frames[2])


@pytest.mark.parametrize(
    ("lines", "instrument", "message"),
    [
        (bar_lines(), None, "--instrument"),
        (["a,b", "1,2"], BTC, "not recognised"),
        (["1,2", "3,4"], BTC, "no header"),
        ([""], BTC, "empty"),
        (["ts,rate,ts", "1,2,3"], BTC, "same name"),
        (bar_lines(1), BTC, "one instant only"),
        ([f"{line},{coin}" for line, coin in zip(bar_lines(2), ["coin", "BTC", "ETH"], strict=True)], BTC, "one instrument"),
    ],
)
def test_a_file_that_is_refused_says_why(
    store: DeltaStore, tmp_path: Path, lines: list[str], instrument: InstrumentId | None, message: str
) -> None:
    with pytest.raises(BadArgument, match=message):
        import_paths(store, [write(tmp_path / "x.csv", lines)], instrument=instrument)
    assert store.coverage() == []


def test_one_refused_file_does_not_stop_the_others(store: DeltaStore, tmp_path: Path) -> None:
    write(tmp_path / "d/a.csv", bar_lines())
    write(tmp_path / "d/b.csv", ["a,b", "1,2"])
    (tmp_path / "d/c.parquet").write_bytes(b"PAR1 cut short")
    (tmp_path / "d/notes.txt").write_text("not looked at")
    report = import_paths(store, [tmp_path / "d"], instrument=BTC)
    assert [file.refused is None for file in report.files] == [True, False, False]
    assert report.rows_kept == 6


def test_paths_that_hold_nothing(store: DeltaStore, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "gone", tmp_path / "empty"):
        with pytest.raises(BadArgument):
            import_paths(store, [path])
    with pytest.raises(BadArgument, match="binance:ETHUSDT"):
        import_paths(store, [dataset(tmp_path / "pack")], instrument=InstrumentId("binance", "ETHUSDT"))


def test_the_real_pack(store: DeltaStore, pack: Path) -> None:
    report = import_paths(store, [pack])
    assert report.stored == {
        Table.BARS: 34_847,
        Table.OPEN_INTEREST: 34_847,
        Table.LIQUIDATION_TOTALS: 2_904,
        Table.FUNDING: 363,
    }
    assert report.rows_rejected == 0
    assert report.warnings == ("bars: columns extremes_source are not known and were ignored",)
    totals = store.read(Table.LIQUIDATION_TOTALS, BTC)
    assert set(totals["venues"]) == {"binance,bybit,okx"}
    assert set(totals["completeness"]) == {"throttled"}
    bars = store.read(Table.BARS, BTC)
    original = pl.read_parquet(pack / "bars_5m.parquet")
    for name in ("open", "high", "low", "close", "volume_base"):
        assert bars[name].to_list() == original[name].to_list()
    first = original["ts"][0]
    assert first == datetime(2025, 12, 1, 0, 5, tzinfo=UTC)
    assert store.read(Table.OPEN_INTEREST, BTC)["ts"][0] == bars["ts"][0] + 5 * MINUTE
    again = import_paths(store, [pack])
    assert (again.rows_kept, again.rows_already_stored) == (0, 34_847 + 2_904 + 363)
    assert again.stored == {}
