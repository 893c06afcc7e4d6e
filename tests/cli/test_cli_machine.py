"""Data in and out, settings, health, warm-up."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from cli_said import NAME, Ask

from liqscape.cli.demo import run_demo
from liqscape.clock import parse_instant
from liqscape.engine.doctor import Health, examine
from liqscape.engine.workspace import Workspace
from liqscape.store import Table
from liqscape.testing.market import MarketConfig

HOUR = 3_600_000_000_000
START = parse_instant("2026-03-01")
ROWS = "\n".join(
    f"{START // 1_000_000 + i * 300_000},{100 + i % 3},{102 + i % 3},{99 + i % 3},{101 + i % 3},{5000 + i}" for i in range(600)
)
HEADER = "ts,open,high,low,close,open_interest_base\n"


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """Two days of hand-made bars with open interest; line 4 has a high below its low."""
    lines = ROWS.splitlines()
    parts = lines[2].split(",")
    parts[2] = "1"
    lines[2] = ",".join(parts)
    path = tmp_path / "bars.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def test_import_tells_what_became_of_every_row(ask: Ask, bars: Path, tmp_path: Path) -> None:
    words = ("import", bars, "--instrument", "binance:ETHUSDT", "--price-kind", "mark", "--home", tmp_path / "h")
    data = ask(*words, "--json").json["data"]
    assert (data["rows_read"], data["rows_kept"], data["rows_rejected"]) == (600, 599, 1)
    assert data["instruments"] == ["binance:ETHUSDT"]
    rejection = data["rejections"][0]
    assert (rejection["line"], rejection["file"]) == (4, str(bars))
    again = ask(*words)
    assert again.status == 0
    assert "599" in again.out
    assert "line 4" in again.out
    assert ask("map", "ETH", "--home", tmp_path / "h", "--json").json["meta"]["model"]["weights"]["source"] == "shipped"


def test_strict_import_refuses_the_file(ask: Ask, bars: Path, tmp_path: Path) -> None:
    said = ask("import", bars, "--instrument", "binance:ETHUSDT", "--strict", "--home", tmp_path / "h")
    assert said.status == 1
    assert "line 4" in said.err
    assert Workspace(tmp_path / "h").stored() == ()


@pytest.mark.parametrize(
    ("words", "status"),
    [(("nowhere.csv",), 2), (("--instrument", "ETH", "x"), 2), (("--price-kind", "index", "x"), 2), ((), 2)],
)
def test_imports_that_make_no_sense(ask: Ask, tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    said = ask("import", *words, "--home", tmp_path / "h")
    assert said.status == status
    assert said.err.startswith("error: ")


def test_simulated_markets_stay_marked(ask: Ask, home: Path, dataset: Path, tmp_path: Path) -> None:
    said = ask("import", dataset, "--home", tmp_path / "h")
    assert "is simulated" in said.out
    assert Workspace(home).is_simulated(Workspace(home).stored()[0])


def test_export_comes_back_as_it_was(ask: Ask, home: Path, tmp_path: Path) -> None:
    said = ask("export", tmp_path / "out", "--home", home, "--json")
    assert said.status == 0
    assert ask("import", tmp_path / "out", "--home", tmp_path / "h").status == 0
    before, after = Workspace(home), Workspace(tmp_path / "h")
    assert after.is_simulated(after.stored()[0])
    for table in Table:
        stored = before.store.read(table).drop("source")
        assert after.store.read(table).drop("source").equals(stored), table
    assert said.json["data"]["rows"] == sum(before.store.read(table).height for table in Table)
    first, second = (ask("map", NAME, "--home", each, "--json").json["data"] for each in (home, tmp_path / "h"))
    assert first == second


def test_export_of_a_stretch_and_of_several_series(ask: Ask, bars: Path, tmp_path: Path) -> None:
    home = tmp_path / "h"
    for name in ("binance:ETHUSDT", "bybit:ETHUSDT"):
        ask("import", bars, "--instrument", name, "--price-kind", "mark", "--home", home)
    ask("import", bars, "--instrument", "binance:ETHUSDT", "--price-kind", "last", "--home", home)
    words = ("export", tmp_path / "out", "--home", home, "--from", "2026-03-02", "--to", "2026-03-03")
    assert ask(*words).status == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "binance_ETHUSDT",
        "binance_ETHUSDT_2",
        "bybit_ETHUSDT",
    ]
    assert ask("import", tmp_path / "out", "--home", tmp_path / "h2").status == 0
    found = Workspace(tmp_path / "h2").store.read(Table.BARS)
    assert found.height == 3 * 288
    assert found.get_column("ts").min() == parse_instant("2026-03-02")
    assert set(found.select("instrument", "price_kind").unique().rows()) == {
        ("binance:ETHUSDT", "mark"),
        ("binance:ETHUSDT", "last"),
        ("bybit:ETHUSDT", "mark"),
    }
    assert ask(*words).status == 2  # never over something that is there
    assert ask("export", tmp_path / "none", "--home", home, "--from", "2030-01-01").status == 3


def test_single_forced_orders_come_back(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "binance-futures_liquidations_2026-03-01_ETHUSDT.csv"
    stamp = START // 1_000
    lines = [f"binance-futures,ETHUSDT,{stamp + i},{stamp + i},,{'buy' if i % 2 else 'sell'},{100 + i},{i + 1}" for i in range(4)]
    path.write_text("exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n" + "\n".join(lines) + "\n")
    ask("import", path, "--home", tmp_path / "h")
    assert ask("export", tmp_path / "out", "--home", tmp_path / "h").status == 0
    assert ask("import", tmp_path / "out", "--home", tmp_path / "h2").status == 0
    first, second = (Workspace(tmp_path / name).store.read(Table.LIQUIDATIONS).drop("source") for name in ("h", "h2"))
    assert first.height == 4
    assert first.equals(second)


def test_settings_are_listed_read_changed_and_unset(ask: Ask, tmp_path: Path) -> None:
    home = ("--home", tmp_path)
    rows = ask("settings", *home, "--json").json["data"]["settings"]
    assert {row["name"] for row in rows} >= {"home", "window", "time_zone", "reported_share"}
    assert ask("settings", "set", "window", "90d", *home).out == "90d\n"
    assert ask("settings", "get", "window", *home).out == "90d\n"
    assert "window = 90d" in ask("settings", *home).out
    assert ask("settings", "set", "reported_share.binance", "0.2,0.1,0.4", *home).status == 0
    assert ask("settings", "get", "reported_share.binance", *home, "--json").json["data"]["value"] == [0.2, 0.1, 0.4]
    assert ask("settings", "unset", "window", *home).out == "1y\n"
    for words in (("get", "colour"), ("set", "colour", "blue"), ("set", "window", "long"), ("get", "window.x")):
        assert ask("settings", *words, *home).status == 2


def test_true_reading_divides_by_the_setting(ask: Ask, home: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(home, tmp_path / "copy")
    ask("settings", "set", "reported_share.simulated", "0.5,0.25,1", "--home", copy)
    published, true = (ask("map", NAME, "--home", copy, "--reading", reading, "--json").json for reading in ("published", "true"))
    assert true["meta"]["reading"] == "true"
    assert true["meta"]["reported_share"] == [0.5, 0.25, 1.0]
    pools = [answer["data"]["totals"]["short_pool_usd"]["median"] for answer in (published, true)]
    assert pools[1] == pytest.approx(2 * pools[0])
    assert published["data"]["balance"] == true["data"]["balance"]


def test_doctor_of_nothing_and_of_a_market(ask: Ask, home: Path, tmp_path: Path) -> None:
    empty = ask("doctor", "--home", tmp_path / "new", "--json")
    assert empty.status == 21
    assert "liqscape import" in json.dumps(empty.json["data"]["findings"])
    said = ask("doctor", "--home", home)
    assert said.status in (0, 21)  # kernels may be cold
    assert f"{NAME} bars" in said.out
    assert "liquidations" in said.out


def test_doctor_finds_what_is_wrong(bars: Path, tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(",".join(line.split(",")[:5]) for line in bars.read_text().splitlines()) + "\n")
    ask("import", path, "--instrument", "binance:ETHUSDT", "--home", tmp_path / "h")
    said = ask("doctor", "--home", tmp_path / "h", "--json")
    assert said.status == 22
    findings = {(each["check"], each["subject"]): each for each in said.json["data"]["findings"]}
    assert findings["open interest", "binance:ETHUSDT"]["health"] == "fail"
    assert findings["price", "binance:ETHUSDT"]["health"] == "warn"
    assert findings["map", "binance:ETHUSDT"]["health"] == "fail"
    for each in findings.values():
        assert (each["next"] is None) == (each["health"] == "ok")


def test_doctor_knows_clock_age_and_gaps(bars: Path, tmp_path: Path, ask: Ask) -> None:
    lines = bars.read_text().splitlines()
    bars.write_text("\n".join(lines[:100] + lines[150:]) + "\n")
    ask("import", bars, "--instrument", "binance:ETHUSDT", "--price-kind", "mark", "--home", tmp_path / "h")
    workspace = Workspace(tmp_path / "h")

    def found(now_ns: int, check: str) -> tuple[Health, str]:
        each = next(each for each in examine(workspace, now_ns=now_ns) if each.check == check)
        return each.health, each.found

    assert found(START, "clock")[0] is Health.FAIL
    assert found(START + 51 * HOUR, "clock")[0] is Health.OK
    health, text = found(START + 51 * HOUR, "bars")
    assert health is Health.WARN
    assert "51 missing" in text  # 50 left out and one refused
    assert "60 min old" in text


def test_a_home_that_cannot_be_written_fails(tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "file").write_text("not a folder")
    said = ask("doctor", "--home", tmp_path / "file" / "home", "--json")
    assert said.status == 22
    home = next(each for each in said.json["data"]["findings"] if each["check"] == "home")
    assert home["health"] == "fail"


def test_warmup_uses_every_kernel_and_leaves_nothing(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIQSCAPE_HOME", str(tmp_path / "h"))
    said = ask("warmup", "--json", "--quiet")
    assert (said.status, said.err) == (0, "")
    assert [step["step"] for step in said.json["data"]["steps"]] == ["simulator", "map", "heatmap", "fuel", "cascade"]
    assert not (tmp_path / "h").exists()


def test_tables_are_read_by_polars(ask: Ask, home: Path, tmp_path: Path) -> None:
    words = ("heatmap", NAME, "--window", "1d", "--interval", "1h", "--rows", "30", "--home", home)
    assert ask(*words, "--parquet", tmp_path / "heat.parquet").status == 0
    table = pl.read_parquet(tmp_path / "heat.parquet")
    assert table.columns == ["ts", "price", "usd_per_permille", "prior_share"]
    assert table.get_column("ts").n_unique() == 24


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_demo_speaks_both_ways(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]) -> None:
    small = partial(run_demo, config=MarketConfig(days=4, warmup_days=1, accounts=200), compile_ahead=False)
    monkeypatch.setattr("liqscape.cli.views.show_demo.run_demo", small)
    said = ask("demo", "--folder", tmp_path / "demo", *words)
    assert said.status == 0
    assert "SIMULATED" in said.out
    if words:
        assert said.err == ""
        data = said.json["data"]
        assert data["seed"] == 7
        assert {"w1_bps", "flat_w1_bps"} <= set(data["score"])
        assert all(Path(path).is_file() for path in data["pictures"])
