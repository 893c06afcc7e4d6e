"""The commands `accuracy` and `episodes`, and the badge in every view of a map."""

import json
import sqlite3

import msgspec
import pytest
from record_scenes import NAME, START

import liqscape as ls
from liqscape.cli.main import main
from liqscape.engine.workspace import Workspace
from liqscape.units import NS_PER_DAY
from liqscape.validate.claims import MagnetCard
from liqscape.validate.verdict import State, store_verdict


@pytest.fixture
def ask(home, capsys):
    def run(*words):
        capsys.readouterr()
        status = main([*(str(word) for word in words), "--home", str(home)])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_accuracy_says_what_the_badge_rests_on(ask, scored):
    status, out, err = ask("accuracy", "BTC")
    assert (status, err) == (0, "")
    for text in ("[WEAK lift", "15 scored days of at least 60", "D2, share of the deviance", "distance alone", "|move|^p"):
        assert text in out
    data = json.loads(ask("accuracy", "BTC", "--json")[1])
    assert data["schema"] == "liqscape/accuracy/1"
    assert data["data"]["verdict"] == json.loads(msgspec.json.encode(scored[1]))
    assert data["meta"]["accuracy"] == data["data"]["badge"]


def test_accuracy_of_a_market_that_was_never_scored(plain_home, capsys):
    assert main(["accuracy", "BTC", "--home", str(plain_home)]) == 0
    out = capsys.readouterr().out
    assert "[UNTESTED]" in out
    assert "--refresh" in out
    assert main(["accuracy", "BTC", "--home", str(plain_home), "--out", "x.png"]) == 3


def test_refresh_scores_a_window_and_every_map_shows_it(ask):
    status, out, _ = ask("accuracy", "BTC", "--refresh", "--from", "2026-02-05", "--to", "2026-02-10")
    assert status == 0
    assert "5 scored days of at least 14" in out
    assert json.loads(ask("map", "BTC", "--json")[1])["meta"]["accuracy"]["state"] == "untested"


VIEWS = {
    "map": (),
    "now": (),
    "asymmetry": (),
    "move-to": (),
    "zones": (),
    "heatmap": ("--window", "2d", "--interval", "1h"),
    "fuel": ("--since", "1d"),
}


@pytest.mark.parametrize("command", VIEWS)
def test_every_view_of_a_map_prints_the_badge(ask, scored, command):
    answer = json.loads(ask(command, "BTC", *VIEWS[command], "--json")[1])
    accuracy = answer["meta"]["accuracy"]
    assert (accuracy["state"], accuracy["days"], accuracy["stale"]) == ("weak", 15, None)
    assert accuracy["lift"]["median"] == scored[1].lift.lift.value
    assert "UNTESTED" not in answer["meta"]["caveats"]
    out = ask(command, "BTC", *VIEWS[command])[1]
    assert "[WEAK lift" in out
    assert "UNTESTED" not in out


def test_require_compares_with_the_record(ask, home, scored):
    assert ask("map", "BTC", "--require", "weak")[0] == 0
    status, out, err = ask("map", "BTC", "--require", "tested")
    assert (status, out) == (6, "")
    assert "the map is WEAK" in err
    workspace = Workspace(home)
    store_verdict(workspace.state, msgspec.structs.replace(scored[1], state=State.TESTED))
    assert ask("map", "BTC", "--require", "tested")[0] == 0
    store_verdict(workspace.state, msgspec.structs.replace(scored[1], state=State.TESTED, model="another"))
    status, _, err = ask("map", "BTC", "--require", "weak")
    assert status == 6
    assert "TESTED" in err
    assert "another" in err


def test_a_map_whose_record_is_off_has_no_headline(ask, home, scored):
    store_verdict(Workspace(home).state, msgspec.structs.replace(scored[1], state=State.OFF, reasons=("bands are wrong",)))
    out = ask("map", "BTC")[1]
    assert out.startswith(f"No headline: out of sample the map of {NAME} did not hold (bands are wrong).")
    assert "[OFF lift" in out
    assert ask("map", "BTC", "--require", "weak")[0] == 6


def test_python_maps_carry_the_badge(home, tmp_path):
    m = ls.map("BTC", home=home)
    assert "[WEAK lift" in repr(m)
    assert "UNTESTED" not in repr(m)
    assert m.badge.days == 15
    history = ls.heatmap("BTC", window="1d", interval="1h", home=home)
    assert history.badge == m.badge
    figure = ls.plot(m, tmp_path / "map.svg")
    assert {"badge-weak"} <= {artist.get_gid() for artist in figure.texts}
    assert "UNTESTED" not in (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert ls.accuracy("BTC", home=home).state == "weak"


def test_verify_walks_the_ledger(ask, home):
    ask("map", "BTC")
    ask("now", "BTC")  # the same map once more
    status, out, _ = ask("accuracy", "BTC", "--verify")
    assert status == 0
    assert "1 issued maps" in out or "1 issued map" in out
    head = json.loads(ask("accuracy", "BTC", "--verify", "--json")[1])["data"]["ledger"]["head"]
    assert ask("accuracy", "BTC", "--verify", "--head", head)[0] == 0
    connection = sqlite3.connect(home / "ledger.sqlite")
    with connection:
        connection.execute("UPDATE entries SET entry = replace(CAST(entry AS TEXT), 'BTC', 'ETH')")
    connection.close()
    status, out, _ = ask("accuracy", "BTC", "--verify")
    assert status == 20
    assert "entry 1: is not what was written" in out
    assert ask("accuracy", "BTC", "--head", head)[0] == 2
    assert ask("accuracy", "BTC", "--from", "2026-02-05")[0] == 2


def test_the_magnet_card(ask, home):
    assert "--magnet --refresh` runs the registered test" in " ".join(ask("accuracy", "BTC", "--magnet")[1].split())
    card = {
        "instrument": NAME, "model": "L", "from_ns": START, "to_ns": START + 41 * NS_PER_DAY, "horizon_h": 4.0, "windows": 412,
        "days": 41, "beta": 0.013, "lo": -0.1, "hi": 0.126, "level": 0.95, "p": 0.83, "p_holm": 0.9, "size": 0.045,
        "size_markets": 200, "smallest_drift": 0.2, "smallest_beta": 0.21, "touched_level": 0.3, "touched_mirror": 0.29,
        "expected": 0.3, "verdict": "not found", "sentence": "No attraction found: as said.",
    }  # fmt: skip
    assert set(card) == set(MagnetCard.__struct_fields__)
    Workspace(home).state.set("magnet", NAME, card)
    out = " ".join(ask("accuracy", "BTC", "--magnet")[1].split())
    for text in (
        "No attraction found: as said.",
        "within 4 h, 2026-01-01 to 2026-02-10: 412 windows on 41 days",
        "beta +0.013 [-0.100..+0.126] a standard deviation of mass (95% interval)",
        "smallest visible beta 0.21",
        "rejects 4.5% of 200 markets",
    ):
        assert text in out


def test_the_picture_of_a_verdict(ask, tmp_path):
    status, _, err = ask("accuracy", "BTC", "--out", tmp_path / "record.svg")
    assert (status, "wrote" in err) == (0, True)
    text = (tmp_path / "record.svg").read_text(encoding="utf-8")
    assert "out of sample, 15 days" in text


def test_episodes_says_failures_first(ask):
    status, out, err = ask("episodes", "BTC", "--ratio", "1.2")
    assert (status, err) == (0, "")
    assert "publicly claimed 14 : 1 shorts above. This map then" in " ".join(out.split())
    rows = [line for line in out.splitlines() if line.startswith("2026-") and "publicly" not in line]
    found = json.loads(ask("episodes", "BTC", "--ratio", "1.2", "--json")[1])
    assert (found["schema"], found["meta"]["accuracy"]["state"]) == ("liqscape/episodes/1", "weak")
    episodes = found["data"]["episodes"][0]["episodes"]
    assert [each["at"][:10] for each in episodes] == [line[:10] for line in rows]
    week = [next((one["outcome"] for one in each["followed"] if one["days"] == 7), "not over") for each in episodes]
    assert week == sorted(week, key=["thin", "neither", "heavy", "not over"].index)
    table = ask("episodes", "BTC", "--ratio", "1.2", "--csv")[1].splitlines()
    assert len(table) == len(rows) + 2  # the case and the names
    assert ask("episodes", "BTC", "--ratio", "0.5")[0] == 2
    assert "and" in ask("episodes", "BTC", "--ratio", "1.2", "--top", "1")[1]
