"""Binance bulk archives and Tardis CSV."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from importing_files import (
    BTC,
    DAY,
    KLINE_HEADER,
    LIQUIDATION_HEADER,
    METRICS_HEADER,
    MINUTE,
    TICKER_HEADER,
    kline,
    liquidation,
    metric,
    ticker,
    write,
)

from liqscape.engine.importer import import_paths
from liqscape.errors import BadArgument, CorruptRecord
from liqscape.model import InstrumentId, PriceKind
from liqscape.store import DeltaStore, Table

SECOND = MINUTE // 60


@pytest.mark.parametrize("header", [[KLINE_HEADER], []])
@pytest.mark.parametrize("suffix", ["zip", "csv", "csv.gz"])
def test_last_price_klines(store: DeltaStore, tmp_path: Path, header: list[str], suffix: str) -> None:
    folder = tmp_path / "data/futures/um/monthly/klines/BTCUSDT/5m"
    file = write(folder / f"BTCUSDT-5m-2024-03.{suffix}", [*header, *(kline(i) for i in range(3))])
    report = import_paths(store, [file])
    assert (report.rows_kept, report.rows_rejected, report.warnings) == (3, 0, ())
    assert store.read(Table.BARS, BTC).drop("source").rows() == [
        ("binance:BTCUSDT", "last", 5 * MINUTE, DAY + i * 5 * MINUTE, None, 100.0, 101.0, 99.0, 100.5, 10.0, 4.0)
        for i in range(3)
    ]


def test_a_folder_is_searched_and_mark_is_told_from_last(store: DeltaStore, tmp_path: Path) -> None:
    daily = tmp_path / "futures/um/daily"
    write(daily / "klines/BTCUSDT/5m/BTCUSDT-5m-2024-03-01.zip", [kline(i) for i in range(3)])
    mark = [KLINE_HEADER, *(kline(i, prices="100,100.6,99.4,100.2", volume="0", taker="0") for i in range(3))]
    write(daily / "markPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-03-01.zip", mark)
    write(daily / "metrics/BTCUSDT/BTCUSDT-metrics-2024-03-01.zip", [METRICS_HEADER, metric("00:05:00", "80000.5")])
    (daily / "metrics/BTCUSDT/BTCUSDT-metrics-2024-03-01.zip.CHECKSUM").write_text("0  x")
    write(daily / "indexPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-03-01.zip", [kline(0)])
    report = import_paths(store, [tmp_path])
    assert [file.kind for file in report.files if file.refused is None] == [
        "binance klines",
        "binance markPriceKlines",
        "binance metrics",
    ]
    assert sum(file.refused is not None for file in report.files) == 1
    bars = store.read(Table.BARS, BTC)
    marks, lasts = bars.filter(price_kind="mark"), bars.filter(price_kind="last")
    assert (marks.height, lasts.height) == (3, 3)
    # Zeros in the volume columns of a mark archive are no measurement.
    assert marks["volume_base"].null_count() == marks["taker_buy_base"].null_count() == 3
    assert store.read(Table.OPEN_INTEREST, BTC).select("ts", "open_interest_base").rows() == [(DAY + 5 * MINUTE, 80000.5)]


def test_without_a_folder_the_volume_tells(store: DeltaStore, tmp_path: Path) -> None:
    traded = write(tmp_path / "a/BTCUSDT-5m-2024-03-01.zip", [kline(0), kline(1, volume="0", taker="0")])
    marked = write(tmp_path / "b/BTCUSDT-5m-2024-03-01.zip", [kline(i, volume="0", taker="0") for i in range(2)])
    silent = [kline(i, volume="0", taker="0").replace(",60,", ",0,") for i in range(2)]
    unclear = write(tmp_path / "c/BTCUSDT-5m-2024-03-01.zip", silent)
    assert import_paths(store, [traded]).files[0].price_kind is PriceKind.LAST
    assert import_paths(store, [marked]).files[0].price_kind is PriceKind.MARK
    with pytest.raises(BadArgument, match="mark or last"):
        import_paths(store, [unclear])
    assert import_paths(store, [unclear], price_kind=PriceKind.MARK).files[0].price_kind is PriceKind.MARK
    with pytest.raises(BadArgument, match="have volume"):
        import_paths(store, [traded], price_kind=PriceKind.MARK)


def test_archives_out_of_order_are_sorted_and_lines_are_right(store: DeltaStore, tmp_path: Path) -> None:
    rows = [kline(2), kline(0), kline(1, prices="100,98,99,98.5"), kline(0), kline(0, prices="100,101,99,100.4")]
    report = import_paths(store, [write(tmp_path / "klines/BTCUSDT-5m-2024-03.zip", rows)])
    assert (report.rows_read, report.rows_kept, report.rows_already_stored, report.rows_rejected) == (5, 2, 1, 2)
    assert [(r.line, r.field) for r in report.rejections] == [(3, "high"), (5, "close")]
    assert report.rejections[0].file.endswith("BTCUSDT-5m-2024-03.zip!BTCUSDT-5m-2024-03.csv")
    assert store.read(Table.BARS, BTC)["ts"].to_list() == [DAY, DAY + 10 * MINUTE]


def test_daily_and_monthly_archives_overlap(store: DeltaStore, tmp_path: Path) -> None:
    write(tmp_path / "klines/BTCUSDT-5m-2024-03-01.zip", [kline(i) for i in range(3)])
    write(tmp_path / "klines/BTCUSDT-5m-2024-03.zip", [KLINE_HEADER, *(kline(i) for i in range(5))])
    report = import_paths(store, [tmp_path])
    assert [(f.rows_kept, f.rows_already_stored) for f in report.files] == [(3, 0), (2, 3)]


def test_metrics(store: DeltaStore, tmp_path: Path) -> None:
    rows = [
        metric("00:05:00", "80000"),
        metric("00:10:04", "80001"),  # late by seconds: a stamp is an instant
        metric("00:15:00", ""),
        metric("00:20:00", "-1"),
        metric("00:25:00", "0"),
        metric("00:30:00", "7", symbol="ETHUSDT"),
        metric("25:00:00", "80000"),
    ]
    report = import_paths(store, [write(tmp_path / "BTCUSDT-metrics-2024-03-01.zip", rows)])
    assert [(r.line, r.field) for r in report.rejections] == [
        (3, "sum_open_interest"),
        (4, "sum_open_interest"),
        (6, "symbol"),
        (7, "create_time"),
    ]
    stamps = store.read(Table.OPEN_INTEREST, BTC)
    assert stamps["ts"].to_list() == [DAY + 300 * SECOND, DAY + 604 * SECOND, DAY + 1500 * SECOND]
    assert stamps["open_interest_base"].to_list() == [80000.0, 80001.0, 0.0]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("spot/monthly/klines/BTCUSDT-5m-2024-03.zip", "spot"),
        ("cm/monthly/klines/BTCUSD_PERP-5m-2024-03.zip", "cm"),
        ("BTCUSD_PERP-5m-2024-03.zip", "COIN-M"),
        ("klines/BTCUSDT-1mo-2024-03.zip", "no fixed length"),
        ("premiumIndexKlines/BTCUSDT-5m-2024-03.zip", "neither mark nor last"),
    ],
)
def test_archives_that_are_refused(store: DeltaStore, tmp_path: Path, path: str, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        import_paths(store, [write(tmp_path / path, [kline(0), kline(1)])])


def test_spot_microseconds_other_instruments_and_damage(store: DeltaStore, tmp_path: Path) -> None:
    spot = [kline(i).replace(str(DAY // 10**6 + i * 300_000), f"{DAY // 10**6 + i * 300_000}000", 1) for i in range(2)]
    with pytest.raises(BadArgument, match="milliseconds"):
        import_paths(store, [write(tmp_path / "BTCUSDT-5m-2025-03.zip", spot)])
    good = write(tmp_path / "BTCUSDT-5m-2024-03.zip", [kline(0), kline(1)])
    with pytest.raises(BadArgument, match="--instrument says binance:ETHUSDT"):
        import_paths(store, [good], instrument=InstrumentId("binance", "ETHUSDT"))
    short = tmp_path / "BTCUSDT-5m-2024-04.zip"
    short.write_bytes(good.read_bytes()[:-40])
    report = import_paths(store, [good, short])
    assert "cannot be read" in (report.files[1].refused or "")
    with pytest.raises(CorruptRecord):
        import_paths(store, [short], strict=True)
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(BadArgument, match=r"no \.csv"):
        import_paths(store, [tmp_path / "none.zip"])


def test_unknown_columns_of_many_archives_are_one_warning(store: DeltaStore, tmp_path: Path) -> None:
    for month in (1, 2, 3):
        write(tmp_path / f"klines/BTCUSDT-5m-2024-0{month}.zip", [f"{KLINE_HEADER},extra", f"{kline(month)},9"])
    report = import_paths(store, [tmp_path])
    assert report.warnings == ("binance klines: columns extra are not known and were ignored (3 files)",)
    assert report.rows_kept == 3


def test_tardis_liquidations(store: DeltaStore, tmp_path: Path) -> None:
    rows = [
        LIQUIDATION_HEADER,
        liquidation(1, "buy", "60000", "0.5"),
        liquidation(2, "sell", "59000", "0.25"),
        liquidation(2, "sell", "59000", "0.25"),  # without an id two equal prints are two prints
        liquidation(3, "sell", "59000", "1", exchange="bybit", mark="a"),
        liquidation(3, "sell", "59000", "1", exchange="bybit", mark="a"),  # the same id is the same print
        liquidation(3, "buy", "59000", "10", exchange="okex-swap"),
        liquidation(4, "hold", "59000", "1"),
        liquidation(5, "buy", "59000", "0"),
        liquidation(6, "buy", "59000", "1", exchange="nowhere"),
    ]
    file = write(tmp_path / "liquidations.csv.gz", rows)
    report = import_paths(store, [file])
    prints = store.read(Table.LIQUIDATIONS)
    columns = ("instrument", "ts", "position_side", "price", "price_kind", "quantity_base", "completeness", "occurrence")
    assert prints.select(columns).rows() == [
        ("binance:BTCUSDT", DAY + 1 * SECOND, "short", 60000.0, "average_fill", 0.5, "throttled", 0),
        ("binance:BTCUSDT", DAY + 2 * SECOND, "long", 59000.0, "average_fill", 0.25, "throttled", 0),
        ("binance:BTCUSDT", DAY + 2 * SECOND, "long", 59000.0, "average_fill", 0.25, "throttled", 1),
        ("bybit:BTCUSDT", DAY + 3 * SECOND, "long", 59000.0, "bankruptcy", 1.0, "throttled", 0),
    ]
    assert [(r.line, r.field) for r in report.rejections] == [(7, "amount"), (8, "side"), (9, "amount"), (10, "exchange")]
    assert "contract size" in report.rejections[0].reason
    again = import_paths(store, [file])
    assert (again.stored, again.rows_already_stored) == ({}, 5)


def test_tardis_liquidations_of_one_instrument(store: DeltaStore, tmp_path: Path) -> None:
    rows = [LIQUIDATION_HEADER, liquidation(1, "buy", "60000", "0.5"), liquidation(2, "buy", "6", "1", exchange="bybit")]
    report = import_paths(store, [write(tmp_path / "x.csv", rows)], instrument=BTC)
    assert report.instruments == (BTC,)
    assert (report.rows_kept, report.rows_rejected) == (1, 0)
    assert "other instruments" in report.warnings[0]


def test_tardis_tickers_give_mark_bars_and_open_interest(store: DeltaStore, tmp_path: Path) -> None:
    rows = [
        TICKER_HEADER,
        ticker(1, "100", open_interest="5000"),
        ticker(30, "103", open_interest="5000"),
        ticker(40, "98"),
        ticker(59, "101", open_interest="5001"),
        ticker(61, "102", open_interest="5001"),
        ticker(70, "-1", open_interest="9999"),  # not believed: not its open interest either
        ticker(90, "104", open_interest="5000"),
        ticker(119, "103"),
        ticker(121, "105"),  # the file stops early in the third minute
    ]
    report = import_paths(store, [write(tmp_path / "x.csv.gz", rows)])
    bars = store.read(Table.BARS, BTC)
    assert bars.select("ts", "price_kind", "interval_ns", "open", "high", "low", "close").rows() == [
        (DAY, "mark", MINUTE, 100.0, 103.0, 98.0, 101.0),
        (DAY + MINUTE, "mark", MINUTE, 102.0, 104.0, 102.0, 103.0),
    ]
    assert bars["volume_base"].null_count() == 2
    stamps = store.read(Table.OPEN_INTEREST, BTC)
    assert stamps.select("ts", "open_interest_base").rows() == [
        (DAY + 1 * SECOND, 5000.0),
        (DAY + 59 * SECOND, 5001.0),
        (DAY + 90 * SECOND, 5000.0),
    ]
    assert [(r.line, r.field) for r in report.rejections] == [(7, "mark_price")]


def test_tardis_open_interest_in_the_venues_own_unit(store: DeltaStore, tmp_path: Path) -> None:
    rows = [TICKER_HEADER]
    for exchange in ("bybit", "okex-swap", "deribit"):
        rows += [ticker(second, "100", open_interest="5000", exchange=exchange) for second in (1, 58)]
    report = import_paths(store, [write(tmp_path / "x.csv", rows)])
    # Bybit counts both sides; contracts of unknown size are left out and never taken for base units.
    assert store.read(Table.OPEN_INTEREST).select("instrument", "open_interest_base").rows() == [("bybit:BTCUSDT", 2500.0)]
    assert len(report.warnings) == 2
    assert all("contracts" in warning for warning in report.warnings)
    # Prices have no size: all three give a mark bar.
    assert store.read(Table.BARS)["instrument"].to_list() == ["bybit:BTCUSDT", "deribit:BTCUSDT", "okx:BTCUSDT"]


def test_tardis_funding_is_what_stood_just_before_the_payment(store: DeltaStore, tmp_path: Path) -> None:
    hour = 3600
    later = ticker(8 * hour + 5, "100", rate="0.0003").replace(
        str((DAY + 480 * MINUTE) // 1000), str((DAY + 960 * MINUTE) // 1000)
    )
    rows = [
        TICKER_HEADER,
        ticker(7 * hour, "100", rate="0.0001"),
        ticker(8 * hour - 20, "100", rate="0.0002"),
        later,  # announces 16:00, which the file does not reach
    ]
    import_paths(store, [write(tmp_path / "x.csv", rows)])
    funding = store.read(Table.FUNDING, BTC).select("ts", "rate", "interval_ns").rows()
    assert funding == [(DAY + 480 * MINUTE, 0.0002, 480 * MINUTE)]
