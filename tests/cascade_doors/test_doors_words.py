"""`liqscape cascade`, `calc`, `attribute`, and the same words in Python."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from doors_scenes import END_NS, NAME, Ask, book

import liqscape as ls
from liqscape.clock import iso
from liqscape.engine.workspace import Workspace
from liqscape.store import Table
from liqscape.units import NS_PER_HOUR, NS_PER_MINUTE


def test_cascade_answers_in_the_one_envelope(ask: Ask, home: Path) -> None:
    said = ask("cascade", NAME, "--shock", "300M", "--json", "--home", home)
    assert said.status == 0
    assert list(said.json) == ["ok", "schema", "data", "meta", "links"]
    assert said.json["schema"] == "liqscape/cascade/1"
    data = said.json["data"]
    assert data["absorption"]["basis"] == "impact_law"
    assert data["absorption"]["book_at"] is None
    assert data["reported_share"]["median"] == 0.3
    assert set(data["tilt"]["ignites"]) == {"up", "down"}
    for way in ("up", "down"):
        assert data[way]["shock_usd"] == 300e6
        assert 0.0 <= data[way]["ignition"]["p_ignites"]["value"] <= 1.0
        assert data[way]["timed"]["end"][1]["error"] > 0.0
        assert data[way]["timed"]["p_adl"] is None
    assert data["reality_check"]["sentence"].startswith("expected")
    codes = said.json["meta"]["caveats"]
    assert {"DEPTH", "MODEL", "POTENTIAL"} <= set(codes)
    assert "No order book" in said.json["meta"]["caveat_texts"]["DEPTH"]
    again = ask(*said.json["links"]["reproduce"].split()[1:], "--home", home)
    assert again.json["data"] == data


def test_cascade_reads_for_people(ask: Ask, home: Path) -> None:
    said = ask("cascade", NAME, "--push", "2%", "--home", home)
    assert said.status == 0
    for words in ("ignites within 5 %", "shock runs (with no map)", "reality check, 90 d", "no order book", "law of impact"):
        assert words in said.out
    assert "up" in said.out.split("absorbs")[1]
    assert "+- is one standard error" in said.out


def test_a_stored_book_is_named(ask: Ask, book_home: Path) -> None:
    said = ask("cascade", NAME, "--shock", "1M", "--json", "--home", book_home).json
    assert said["data"]["absorption"]["basis"] == "book"
    assert said["data"]["absorption"]["book_at"] == iso(END_NS - 30 * NS_PER_MINUTE)
    assert "2026-01-24T23:30:00Z" in said["meta"]["caveat_texts"]["DEPTH"]
    text = ask("cascade", NAME, "--shock", "1M", "--home", book_home).out
    assert "refill 1.8" in text
    early = iso(END_NS - 2 * NS_PER_HOUR)
    before = ask("cascade", NAME, "--shock", "1M", "--json", "--as-of", early, "--home", book_home).json
    assert before["data"]["absorption"]["basis"] == "impact_law"  # nobody looks ahead


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--shock", "-5M"), 2, "BAD_ARGUMENT"),
        (("--shock", "0"), 2, "BAD_ARGUMENT"),
        (("--shock", "much"), 2, "BAD_ARGUMENT"),
        (("--shock", "5M", "--push", "2%"), 2, "BAD_ARGUMENT"),
        (("--push", "80%"), 2, "BAD_ARGUMENT"),
        (("--direction", "sideways"), 2, "BAD_ARGUMENT"),
        (("--preset", "crowded"), 2, "BAD_ARGUMENT"),
        (("--fund", "test"), 2, "BAD_ARGUMENT"),
        (("--out", "picture.gif"), 2, "BAD_ARGUMENT"),
    ],
)
def test_words_that_make_no_sense_are_refused(ask: Ask, home: Path, words: tuple[str, ...], status: int, code: str) -> None:
    said = ask("cascade", NAME, *words, "--json", "--home", home)
    assert said.status == status
    assert said.json["error"]["code"] == code


def test_an_instrument_that_is_not_stored_is_an_error(ask: Ask, home: Path) -> None:
    said = ask("cascade", "XYZ", "--shock", "5M", "--json", "--home", home)
    assert (said.status, said.json["error"]["code"]) == (3, "UNKNOWN_INSTRUMENT")


def test_one_direction_table_and_picture(ask: Ask, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "cascade.svg"
    words = ("--direction", "down", "--preset", "thin-hour", "--out", path, "--home", home)
    said = ask("cascade", NAME, "--json", *words)
    assert said.json["data"]["up"] is None
    assert said.json["data"]["tilt"] is None
    assert said.json["data"]["push"] == 0.01
    assert "<svg" in path.read_text(encoding="utf-8")
    table = pl.read_csv(ask("cascade", NAME, "--csv", *words).out.encode())
    assert table["direction"].unique().to_list() == ["down"]
    assert table["distance"].to_list() == [0.01, 0.02, 0.05, 0.1]


def test_now_and_asymmetry_know_what_ignites(ask: Ask, home: Path) -> None:
    for command in ("now", "asymmetry"):
        tilt = ask(command, NAME, "--json", "--home", home).json["data"]["tilt"]
        assert set(tilt["ignites"]) == {"up", "down"}
        assert "ignites: up" in ask(command, NAME, "--home", home).out
    filtered = ask("asymmetry", NAME, "--min-usd", "1", "--json", "--home", home).json
    assert filtered["data"]["tilt"]["ignites"] is None  # what was left out would be forced all the same


def test_calc_and_attribute_answer(ask: Ask, home: Path) -> None:
    said = ask("calc", NAME, "--side", "long", "--leverage", "20", "--json", "--home", home).json
    assert [row["venue"] for row in said["data"]["venues"]][:2] == ["binance", "bybit"]
    assert said["data"]["bankruptcy_price"] == pytest.approx(said["data"]["mark_price"] * 0.95)
    assert "liquidated at" in ask("calc", NAME, "--side", "short", "--leverage", "20", "--home", home).out
    assert ask("calc", NAME, "--side", "both", "--leverage", "20", "--home", home).status == 2
    begin, end = iso(END_NS - 6 * NS_PER_HOUR), iso(END_NS)
    moved = ask("attribute", NAME, "--from", begin, "--to", end, "--json", "--home", home).json
    assert (moved["data"]["from"], moved["data"]["to"]) == (begin, end)
    assert moved["data"]["attribution"]["withdrawal"]["median"] is None
    assert moved["data"]["breaches"]["found"]["groups"] >= 8
    text = ask("attribute", NAME, "--from", begin, "--to", end, "--home", home).out
    assert "forced share" in text
    assert "no order book" in text
    assert ask("attribute", NAME, "--from", end, "--to", begin, "--home", home).status == 2


def test_python_speaks_the_same_words(ask: Ask, home: Path) -> None:
    shell = ask("cascade", NAME, "--shock", "300M", "--json", "--home", home).json["data"]
    made = ls.cascade(NAME, shock_usd="300M", home=home)
    assert {str(way): one.ignition.p_ignites.value for way, one in made.ways.items()} == shell["tilt"]["ignites"]
    shown = repr(made).splitlines()
    assert len(shown) <= 14
    assert shown[1].startswith("up    ignites")
    assert "with no map" in shown[1]
    lit = ls.ignition(NAME, home=home)
    assert lit["up"]["p_ignites"] == shell["up"]["ignition"]["p_ignites"]
    m = ls.map(NAME, home=home)
    assert ls.cascade(m, push="2%", direction="up", timed=False, home=home).push == 0.02
    assert ls.calc(m, side="long", leverage=10, entry_price=100.0).bankruptcy_price == pytest.approx(90.0)
    moved = ls.attribute(NAME, from_=iso(END_NS - 6 * NS_PER_HOUR), to=iso(END_NS), home=home)
    assert moved.steps == 72


def test_a_book_comes_in_and_goes_out_as_a_file(ask: Ask, tmp_path: Path) -> None:
    source, home, out = tmp_path / "depth.csv", tmp_path / "home", tmp_path / "out"
    book(END_NS).select("ts", "distance", "bid_usd", "ask_usd").write_csv(source)
    said = ask("import", source, "--instrument", NAME, "--json", "--quiet", "--home", home)
    assert said.status == 0
    stored = Workspace(home).store.read(Table.DEPTH)
    assert stored.height == 50
    assert stored["ask_usd"].to_list() == pytest.approx(book(END_NS)["ask_usd"].to_list())
    assert ask("export", out, "--json", "--home", home).status == 0
    again = ask("import", out, "--json", "--quiet", "--home", tmp_path / "other")
    assert again.status == 0
    assert Workspace(tmp_path / "other").store.read(Table.DEPTH).drop("source").equals(stored.drop("source"))


def test_rows_of_a_book_that_cannot_be_are_refused(ask: Ask, tmp_path: Path) -> None:
    source = tmp_path / "depth.csv"
    source.write_text("ts,distance,bid_usd,ask_usd\n2026-01-01,0.01,5,5\n2026-01-01,-0.02,6,6\n2026-01-01,0.03,-1,6\n")
    said = ask("import", source, "--instrument", NAME, "--json", "--quiet", "--home", tmp_path / "home")
    assert said.json["data"]["rejections"][0]["reason"] == "expected a number > 0"
    assert Workspace(tmp_path / "home").store.read(Table.DEPTH).height == 1


def test_doctor_says_whether_as_many_moves_ran_as_should_have(ask: Ask, home: Path) -> None:
    findings = ask("doctor", NAME, "--json", "--home", home).json["data"]["findings"]
    runs = next(each for each in findings if each["check"] == "runs")
    assert runs["found"].startswith("90 d, ")
    assert ("consistent" in runs["found"]) == (runs["health"] == "ok")
