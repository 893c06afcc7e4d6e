"""The commands that read a market: what they say, in every form, and that their numbers agree."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_said import NAME, Ask

READINGS: dict[str, tuple[str, ...]] = {
    "now": (),
    "map": (),
    "heatmap": ("--window", "2d", "--interval", "1h", "--rows", "40"),
    "asymmetry": (),
    "move-to": (),
    "zones": (),
    "fuel": ("--since", "24h"),
    "liquidations": ("--window", "5d"),
}
META = [
    "instrument",
    "instruments",
    "venues",
    "as_of",
    "computed_at",
    "age_s",
    "mark_price",
    "price_kind",
    "reading",
    "reported_share",
    "window",
    "filters",
    "recorded",
    "simulated",
    "model",
    "inputs_hash",
    "coverage",
    "survivor_share",
    "accuracy",
    "stale",
    "caveats",
    "caveat_texts",
]


def strict(text: str) -> Any:
    """Read JSON; NaN and infinity are no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in JSON")

    return json.loads(text, parse_constant=refuse)


def estimates(data: Any) -> list[dict[str, Any]]:
    """Collect everything that looks like an estimate."""
    if isinstance(data, dict):
        found = [data] if "median" in data else []
        return found + [each for value in data.values() for each in estimates(value)]
    return [each for value in data for each in estimates(value)] if isinstance(data, list) else []


@pytest.mark.parametrize("command", READINGS)
def test_every_reading_gives_the_one_envelope(ask_home: Ask, command: str) -> None:
    said = ask_home(command, *READINGS[command], "--json")
    assert (said.status, said.err) == (0, "")
    answer = strict(said.out)
    assert list(answer) == ["ok", "schema", "data", "meta", "links"]
    assert (answer["ok"], answer["schema"]) == (True, f"liqscape/{command}/1")
    meta = answer["meta"]
    assert list(meta) == META
    assert (meta["instrument"], meta["instruments"], meta["simulated"]) == (NAME, [NAME], True)
    record = meta["accuracy"]
    assert (record["state"], record["lift"], record["days"], record["stale"]) == ("untested", None, 0, None)
    assert meta["caveats"][0] == "SIMULATED"
    assert set(meta["caveat_texts"]) == set(meta["caveats"])
    assert list(answer["links"]) == ["page", "csv", "method", "reproduce"]
    for estimate in estimates(answer["data"]):
        assert list(estimate) == ["median", "lo", "hi", "level", "prior_share"]
        if estimate["lo"] is not None:
            assert estimate["lo"] <= estimate["median"] + 1e-9 <= estimate["hi"] + 2e-9


@pytest.mark.parametrize("command", READINGS)
def test_text_is_plain_where_a_program_reads_it(ask_home: Ask, command: str) -> None:
    said = ask_home(command, *READINGS[command])
    assert said.status == 0
    assert "\x1b" not in said.out
    assert not set(said.out) & set("█░▒▓┃─│┌┐└┘")
    assert "SIMULATED" in said.out.splitlines()[0]
    assert "POTENTIAL" in said.out or command == "liquidations"


@pytest.mark.parametrize("command", READINGS)
def test_a_reading_can_be_asked_again_with_its_own_words(ask_home: Ask, ask: Ask, home: Path, command: str) -> None:
    import shlex

    first = ask_home(command, *READINGS[command], "--json").json
    again = ask(*shlex.split(first["links"]["reproduce"])[1:], "--home", home).json
    assert again["data"] == first["data"]
    assert again["meta"]["as_of"] == first["meta"]["as_of"]


@pytest.mark.parametrize("command", [name for name in READINGS if name != "heatmap"])
def test_tables_hold_the_same_rows_in_every_form(ask_home: Ask, command: str, tmp_path: Path) -> None:
    words = READINGS[command]
    as_csv = ask_home(command, *words, "--csv")
    rows = list(csv.DictReader(io.StringIO(as_csv.out)))
    lines = [strict(line) for line in ask_home(command, *words, "--ndjson").out.splitlines()]
    said = ask_home(command, *words, "--parquet", tmp_path / "t.parquet")
    stored = pl.read_parquet(tmp_path / "t.parquet")
    assert rows
    assert len(rows) == len(lines) == stored.height
    assert list(rows[0]) == list(lines[0]) == stored.columns
    assert said.out == ""
    assert "t.parquet" in said.err


def test_map_levels_and_balance_add_up(ask_home: Ask) -> None:
    data = ask_home("map", "--json").json["data"]
    levels, balance = data["levels"], data["balance"]
    assert list(levels[0]) == [
        "price",
        "distance",
        "long_usd",
        "short_usd",
        "long_base",
        "short_base",
        "prior_usd",
        "measured_usd",
    ]
    assert [row["price"] for row in levels] == sorted(row["price"] for row in levels)
    assert len(levels) == 1000  # 0.1 % buckets, 50 % each way
    assert all(row["long_usd"] == 0.0 for row in levels if row["distance"] > 0)
    assert all(row["short_usd"] == 0.0 for row in levels if row["distance"] < 0)
    assert list(balance) == [
        "open_interest_base",
        "long_base",
        "short_base",
        "long_reservoir_base",
        "short_reservoir_base",
        "long_measured_base",
        "short_measured_base",
    ]
    for side in ("long", "short"):
        total = balance[f"{side}_base"] + balance[f"{side}_reservoir_base"]
        assert total == pytest.approx(balance["open_interest_base"], rel=1e-9)


def test_map_asymmetry_and_move_to_agree(ask_home: Ask) -> None:
    told = ask_home("map", "--json").json["data"]["levels"]
    exact = [
        {name: float(value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(ask_home("map", "--csv").out))
    ]
    rows = ask_home("asymmetry", "--within", "1%,5%", "--json").json["data"]["within"]
    assert [row["distance"] for row in rows] == [0.01, 0.05]
    # The flat table adds up to every pool to the last digit; JSON tells its levels in six digits.
    for levels, near in ((exact, 1e-9), (told, 5e-6)):
        for row in rows:
            short = sum(level["short_usd"] for level in levels if 0 < level["distance"] < row["distance"])
            long = sum(level["long_usd"] for level in levels if -row["distance"] < level["distance"] < 0)
            assert row["short_pool_usd"]["median"] == pytest.approx(short, rel=near)
            assert row["long_pool_usd"]["median"] == pytest.approx(long, rel=near)
            assert row["imbalance"]["median"] == pytest.approx((short - long) / (short + long), abs=near)
    # The distance that liquidates the pool within 5 % is 5 %.
    usd = rows[1]["short_pool_usd"]["median"]
    move = ask_home("move-to", "--usd", repr(usd), "--json").json["data"]["moves"][0]
    assert move["usd"] == usd
    assert move["up"]["distance"] == pytest.approx(0.05, abs=1e-6)
    assert {"price", "distance", "sigma_1d", "no_map_odds"} <= set(move["up"])


def test_a_budget_that_does_not_stand_has_no_move(ask_home: Ask) -> None:
    move = ask_home("move-to", "--usd", "1T", "--json").json["data"]["moves"][0]
    assert (move["up"], move["down"]) == (None, None)
    assert "none or none" in ask_home("move-to", "--usd", "1T").out


def test_ladder_ends_at_the_pool(ask_home: Ask) -> None:
    data = ask_home("map", "--within", "2%", "--step", "0.5%", "--json").json["data"]
    rows = data["ladder"]["short"]
    assert [row["distance"] for row in rows] == pytest.approx([0.005, 0.01, 0.015, 0.02])
    assert sum(row["usd"]["median"] for row in rows) == pytest.approx(data["totals"]["short_pool_usd"]["median"])
    assert rows[-1]["sum_out_usd"] == data["totals"]["short_pool_usd"]


def test_filters_are_named_and_leave_the_rest_out(ask_home: Ask) -> None:
    said = ask_home("map", "--side", "short", "--leverage", "10-", "--json").json
    assert said["meta"]["filters"] == {"leverage": "10-", "side": "short"}
    assert "FILTERED" in said["meta"]["caveats"]
    assert sum(row["long_usd"] for row in said["data"]["levels"]) == 0.0
    text = ask_home("map", "--side", "short").out
    assert "long liquidations" not in text
    assert "filtered: side short" in text


def test_range_is_printed_with_its_mirror(ask_home: Ask) -> None:
    mark = ask_home("now", "--json").json["data"]["mark_price"]
    low, high = round(mark * 1.02), round(mark * 1.05)
    row = ask_home("asymmetry", "--range", f"{low}-{high}", "--json").json["data"]["ranges"][0]
    assert (row["from_price"], row["to_price"]) == (low, high)
    assert row["mirror_to_price"] == pytest.approx(2 * mark - low)


def test_heatmap_numbers_lie_on_their_axes(ask_home: Ask) -> None:
    data = ask_home("heatmap", *READINGS["heatmap"], "--json").json["data"]
    assert len(data["columns"]) == 48  # 2 days of 1 hour
    assert len(data["usd"]) == len(data["edge_price"]) - 1 <= 40
    assert all(len(row) == 48 for row in data["usd"])
    known = [cell for row in data["usd"] for cell in row if cell]
    assert all(cell == pytest.approx(float(f"{cell:.4g}")) for cell in known)
    assert data["edge_price"] == sorted(data["edge_price"])


def test_fuel_adds_up(ask_home: Ask) -> None:
    accounts = ask_home("fuel", "--since", "2d", "--within", "3%", "--json").json["data"]["accounts"]
    assert {each["region"]["side"] for each in accounts} == {"long", "short"}
    for each in accounts:
        left = each["pool_reference_usd"] - each["burnt_usd"] - each["closed_usd"] + each["opened_usd"] + each["drift_usd"]
        assert each["pool_now_usd"] == pytest.approx(left)


def test_liquidations_by_side_and_size(ask_home: Ask) -> None:
    said = ask_home("liquidations", "--window", "5d", "--json").json["data"]
    assert said["totals"][0]["intervals_known"] == len(said["intervals"]) == 120
    assert said["totals"][0]["long_usd"] == pytest.approx(sum(row["long_usd"] for row in said["intervals"]))
    top = ask_home("liquidations", "--window", "5d", "--side", "long", "--top", "3", "--json").json["data"]["intervals"]
    largest = sorted((row["long_usd"] for row in said["intervals"]), reverse=True)[:3]
    assert sorted((row["long_usd"] for row in top), reverse=True) == largest
    assert "short_usd" not in top[0]


def test_zones_of_one_side(ask_home: Ask) -> None:
    data = ask_home("zones", "--side", "long", "--top", "2", "--json").json["data"]
    assert len(data["zones"]) <= 2
    assert {zone["side"] for zone in data["zones"]} <= {"long"}


def test_age_counts_from_now_only_if_nothing_was_asked(ask_home: Ask) -> None:
    newest = ask_home("map", "--json").json["meta"]
    asked = ask_home("map", "--as-of", newest["as_of"], "--json").json["meta"]
    assert newest["as_of"] == asked["as_of"]
    assert asked["age_s"] == 0.0
    assert asked["stale"] == []
    assert "STALE" not in asked["caveats"]
    if newest["age_s"] > 3600:  # simulated days lie in 2026
        assert {late["input"] for late in newest["stale"]} == {"bars", "open_interest"}
        assert "STALE" in newest["caveats"]


def test_times_of_text_follow_the_zone(ask_home: Ask) -> None:
    assert "2026-01-13 00:00:00Z" in ask_home("now").out
    assert "2026-01-13 01:00:00 CET" in ask_home("now", "--tz", "Europe/Berlin").out


def test_pictures_are_written_beside_the_text(ask_home: Ask, tmp_path: Path) -> None:
    said = ask_home("map", "--out", tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "short" in said.out
    assert "map.png" in said.err
    said = ask_home("heatmap", "--window", "2d", "--interval", "1h", "--out", tmp_path / "heat.svg")
    assert "<svg" in (tmp_path / "heat.svg").read_text()
    assert said.out == ""


def test_the_real_pack_answers(ask: Ask, tmp_path: Path) -> None:
    pack = Path(__file__).parents[2] / "../shared/data/btcusdt_backtest"
    if not pack.is_dir():
        pytest.skip("the pack is not here")
    assert ask("import", pack, "--home", tmp_path).status == 0
    said = ask("map", "binance:BTCUSDT", "--as-of", "2026-01-30T22:55Z", "--home", tmp_path, "--json").json
    assert said["meta"]["mark_price"] == pytest.approx(84_123.2)
    assert said["meta"]["simulated"] is False
    assert said["meta"]["window"]["missing_bars"] == 0
    balance = said["data"]["balance"]
    assert balance["open_interest_base"] * said["meta"]["mark_price"] == pytest.approx(
        said["data"]["totals"]["open_interest_usd"]
    )
    within = ask(
        "asymmetry", "BTC", "--within", "1%,2%,5%,10%,20%", "--as-of", "2026-01-30T22:55Z", "--home", tmp_path, "--json"
    ).json["data"]["within"]
    pools = [row["short_pool_usd"]["median"] for row in within]
    assert pools == sorted(pools)
    assert math.isclose(pools[2], said["data"]["totals"]["short_pool_usd"]["median"], rel_tol=1e-9)  # both 5 %
