"""What is refused, where, and that it never stops the rest; re-import, interruption and contradiction."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing_files import BTC, DAY, MINUTE, bar_lines, kline, write
from polars.testing import assert_frame_equal

from liqscape.engine.importer import ImportProgress, ImportReport, import_paths
from liqscape.errors import CorruptRecord
from liqscape.model import PriceKind
from liqscape.store import DeltaStore, Table


def run(store: DeltaStore, file: Path, *, strict: bool = False) -> ImportReport:
    return import_paths(store, [file], instrument=BTC, price_kind=PriceKind.MARK, strict=strict)


BAD = [
    ("100,101,99,nan,10,1", "close", "finite"),
    ("inf,101,99,100,10,1", "open", "finite"),
    ("100,abc,99,100,10,1", "high", "finite"),
    ("100,,99,100,10,1", "high", "missing"),
    ("100,101,-99,100,10,1", "low", "> 0"),
    ("0,101,99,100,10,1", "open", "> 0"),
    ("100,98,99,98.5,10,1", "high", "below the low"),
    ("102,101,99,100,10,1", "open", "above the high"),
    ("100,101,99,98,10,1", "close", "below the low"),
    ("100,101,99,100,-1,1", "volume_base", ">= 0"),
    ("100,101,99,100,10,-1", "open_interest_base", ">= 0"),
    ("100,101,99,100,10,inf", "open_interest_base", "finite"),
    ("100,101,99,100,10", "line", "expected 7 fields, found 6"),
    ("100,101,99,100,10,1,9", "line", "expected 7 fields, found 8"),
]


@pytest.mark.parametrize(("values", "column", "reason"), BAD)
def test_a_bad_row_is_refused_alone(store: DeltaStore, tmp_path: Path, values: str, column: str, reason: str) -> None:
    lines = bar_lines()
    lines[3] = f"{lines[3].split(',')[0]},{values}"
    report = run(store, write(tmp_path / "x.csv", lines))
    assert (report.rows_read, report.rows_kept, report.rows_rejected) == (6, 5, 1)
    (rejection,) = report.rejections
    assert (rejection.line, rejection.field) == (4, column)  # the header is line 1
    assert reason in rejection.reason
    assert store.read(Table.BARS, BTC).height == 5
    # The row is not believed at all: not its open interest either.
    assert DAY + 15 * MINUTE not in store.read(Table.OPEN_INTEREST, BTC)["ts"].to_list()


@pytest.mark.parametrize(
    ("ts", "reason"),
    [("", "no time"), ("yesterday", "no time"), ("1924-03-01", "outside"), ("9999-03-01", "outside"), ("2624-03-01", "outside")],
)
def test_a_time_that_cannot_be(store: DeltaStore, tmp_path: Path, ts: str, reason: str) -> None:
    lines = bar_lines()
    lines[6] = ts + lines[6][lines[6].index(",") :]
    report = run(store, write(tmp_path / "x.csv", lines))
    (rejection,) = report.rejections
    assert (report.rows_kept, rejection.line, rejection.field, rejection.value) == (5, 7, "ts", ts)
    assert reason in rejection.reason


def test_bad_rows_of_parquet_are_named_by_row(store: DeltaStore, tmp_path: Path) -> None:
    write(tmp_path / "x.csv", bar_lines())
    frame = pl.read_csv(tmp_path / "x.csv", try_parse_dates=True)
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) == 2).then(float("nan")).otherwise("low").alias("low"))
    frame.write_parquet(tmp_path / "x.parquet")
    (rejection,) = run(store, tmp_path / "x.parquet").rejections
    assert (rejection.line, rejection.field, rejection.value) == (3, "low", "nan")


def test_time_that_goes_backwards(store: DeltaStore, tmp_path: Path) -> None:
    lines = bar_lines(8)
    lines[3], lines[4] = lines[4], lines[3]  # the later line is the one that steps back
    report = run(store, write(tmp_path / "x.csv", lines))
    assert [(r.line, "backwards" in r.reason) for r in report.rejections] == [(5, True)]
    assert report.rows_kept == 7


def test_one_stamp_ahead_does_not_cost_the_rows_behind_it(store: DeltaStore, tmp_path: Path) -> None:
    lines = bar_lines(8)
    lines[2] = lines[2].replace("2024-03-01T00:05", "2024-03-02T00:05")
    report = run(store, write(tmp_path / "x.csv", lines))
    assert [(r.line, "ahead" in r.reason) for r in report.rejections] == [(3, True)]
    assert report.rows_kept == 7


def test_a_bar_off_the_grid_would_overlap_its_neighbours(store: DeltaStore, tmp_path: Path) -> None:
    lines = bar_lines(8)
    lines[4] = lines[4].replace("00:15:00", "00:17:00")
    report = run(store, write(tmp_path / "x.csv", lines))
    assert [(r.line, "grid" in r.reason) for r in report.rejections] == [(5, True)]


def test_repeated_and_contradicting_rows_of_one_file(store: DeltaStore, tmp_path: Path) -> None:
    lines = bar_lines(4)
    lines[3:3] = [lines[2], lines[2].replace("100.5", "100.6")]
    report = run(store, write(tmp_path / "x.csv", lines))
    assert (report.rows_read, report.rows_kept, report.rows_already_stored, report.rows_rejected) == (6, 4, 1, 1)
    (rejection,) = report.rejections
    assert (rejection.line, rejection.field, rejection.value) == (5, "close", "100.6")
    assert "contradicts line 3, which says 100.5" in rejection.reason
    assert store.read(Table.BARS, BTC)["close"].to_list() == [100.5] * 4


def test_rows_that_contradict_the_store(store: DeltaStore, tmp_path: Path) -> None:
    run(store, write(tmp_path / "x.csv", bar_lines(4)))
    lines = bar_lines(6)
    lines[2] = lines[2].replace("100.5", "100.6")
    lines[3] = lines[3].replace(",1002", ",1009")  # open interest alone
    report = run(store, write(tmp_path / "y.csv", lines))
    assert [(r.line, r.field) for r in report.rejections] == [(3, "close"), (4, "open_interest_base")]
    assert all("the store" in r.reason for r in report.rejections)
    assert (report.rows_kept, report.rows_already_stored, report.rows_rejected) == (2, 3, 2)
    assert store.read(Table.BARS, BTC)["close"].to_list() == [100.5] * 6
    assert 1009.0 not in store.read(Table.OPEN_INTEREST, BTC)["open_interest_base"].to_list()


def test_unknown_does_not_contradict_known(store: DeltaStore, tmp_path: Path) -> None:
    without = [line.replace("100.5,10,", "100.5,,") for line in bar_lines(4)]
    run(store, write(tmp_path / "x.csv", without))
    report = run(store, write(tmp_path / "y.csv", bar_lines(4)))
    assert (report.rows_rejected, report.rows_already_stored) == (0, 4)
    assert any("lacks" in warning for warning in report.warnings)


def test_strict_stores_nothing_of_a_file_with_a_bad_row(store: DeltaStore, tmp_path: Path) -> None:
    lines = bar_lines()
    lines[3] = lines[3].replace("101,99", "99,101")
    with pytest.raises(CorruptRecord, match=r"1 of 6 rows .*\n.*line 4: high"):
        run(store, write(tmp_path / "x.csv", lines), strict=True)
    assert store.coverage() == []
    run(store, write(tmp_path / "good.csv", bar_lines()), strict=True)
    with pytest.raises(CorruptRecord, match="contradicts the store"):
        run(store, write(tmp_path / "y.csv", [*bar_lines(8)[:4], bar_lines(8)[4].replace("1003", "1")]), strict=True)
    assert store.read(Table.BARS, BTC).height == 6


def test_every_rejection_is_counted_and_the_first_are_kept(store: DeltaStore, tmp_path: Path) -> None:
    ts = DAY + pl.int_range(3_000, eager=True) * MINUTE
    frame = pl.DataFrame({"ts": ts, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0})
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) % 2 == 1).then(-1.0).otherwise("low").alias("low"))
    frame.write_parquet(tmp_path / "x.parquet")
    report = run(store, tmp_path / "x.parquet")
    assert (report.rows_rejected, report.rows_kept, len(report.rejections)) == (1_500, 1_500, 1_000)


def test_damaged_text_costs_only_its_line(store: DeltaStore, tmp_path: Path) -> None:
    lines = [line.encode() for line in bar_lines(8)]
    lines[2] += b"\r"
    lines[4] = b"\xff\xfe" + lines[4]
    lines[5] = b'"' + lines[5]
    lines.insert(6, b"")
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))
    report = run(store, tmp_path / "x.csv")
    assert [r.line for r in report.rejections] == [5, 6]
    assert report.rows_kept == 6


class Stop(Exception):
    pass


def stores(store: DeltaStore) -> list[pl.DataFrame]:
    return [store.read(table) for table in (Table.BARS, Table.OPEN_INTEREST)]


def test_an_interrupted_import_is_simply_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liqscape.engine.importer.PENDING_ROWS", 3)
    folder = tmp_path / "klines"
    for day in range(1, 6):
        shifted = [kline(i + (day - 1) * 288) for i in range(4)]
        write(folder / f"BTCUSDT-5m-2024-03-{day:02d}.zip", shifted)
    whole = DeltaStore(tmp_path / "whole")
    import_paths(whole, [folder])
    for stop_after in range(1, 11, 2):
        broken, calls = DeltaStore(tmp_path / f"broken{stop_after}"), 0

        def progress(_: ImportProgress) -> None:
            nonlocal calls
            calls += 1
            if calls > stop_after:  # noqa: B023
                raise Stop

        with pytest.raises(Stop):
            import_paths(broken, [folder], progress=progress)
        import_paths(broken, [folder])
        for one, other in zip(stores(whole), stores(broken), strict=True):
            assert_frame_equal(one, other)


def test_progress_counts_files_and_rows(store: DeltaStore, tmp_path: Path) -> None:
    files = [write(tmp_path / f"{name}.csv", bar_lines()) for name in "ab"]
    told: list[ImportProgress] = []
    import_paths(store, files, instrument=BTC, progress=told.append)
    assert (told[0].files_done, told[0].files_total, told[0].rows_done) == (0, 2, 0)
    assert (told[-1].files_done, told[-1].rows_done) == (2, 12)
    assert [p.rows_done for p in told] == sorted(p.rows_done for p in told)


PRICES = st.floats(1e-6, 1e6)


@settings(max_examples=12, deadline=None)
@given(
    rows=st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES, st.none() | st.floats(0, 1e9)), min_size=2, max_size=20),
    binary=st.booleans(),
)
def test_valid_bars_come_back_as_they_were(rows: list[tuple[float, float, float, float, float | None]], binary: bool) -> None:
    frame = pl.DataFrame(
        {
            "ts": [DAY // 10**6 + i * 60_000 for i in range(len(rows))],
            "open": [r[0] for r in rows],
            "high": [max(r[:4]) for r in rows],
            "low": [min(r[:4]) for r in rows],
            "close": [r[1] for r in rows],
            "volume_base": pl.Series([r[4] for r in rows], dtype=pl.Float64),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ("x.parquet" if binary else "x.csv")
        if binary:
            frame.write_parquet(file)
        else:
            frame.write_csv(file)
        store = DeltaStore(Path(folder) / "store")
        report = run(store, file)
        assert report.rows_rejected == 0
        stored = store.read(Table.BARS, BTC)
        for name in ("open", "high", "low", "close", "volume_base"):
            assert stored[name].to_list() == frame[name].to_list()
        again = run(store, file)
        assert (again.stored, again.rows_already_stored) == ({}, len(rows))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=40))
def test_the_fewest_rows_are_refused(times: list[int]) -> None:
    # The plain twin: longest non-falling subsequence by comparing all pairs.
    from liqscape.engine._import_rules import Rejections, in_order

    best = [1] * len(times)
    for i in range(len(times)):
        best[i] = 1 + max((best[j] for j in range(i) if times[j] <= times[i]), default=0)
    frame = pl.DataFrame({"ts": [DAY + t * MINUTE for t in times], "line": range(len(times))})
    kept, count = in_order(frame, "ts", "x", Rejections())
    assert kept.height == max(best) == len(times) - count
    assert kept["ts"].is_sorted()
