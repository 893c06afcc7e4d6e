"""What the doors say of measured positions: ladder, JSON, picture and words; and nothing where nobody is followed."""

from __future__ import annotations

import io
import json

import numpy as np
import polars as pl
import pytest
from positions_scenes import END, FRAMES, MARK, NAME, OPEN, look

from liqscape.analytics import ladder
from liqscape.cli.main import main
from liqscape.cli.screen import Screen
from liqscape.cli.views.show_map import say_ladder
from liqscape.clock import iso
from liqscape.engine.maps import build_map
from liqscape.engine.workspace import Workspace
from liqscape.plot.map_picture import plot_map
from liqscape.store import Table
from liqscape.units import NS_PER_HOUR


@pytest.fixture
def say(capsys):
    """Run the program and return what it wrote."""

    def run(*words: str) -> str:
        capsys.readouterr()
        status = main(list(words))
        out, err = capsys.readouterr()
        assert status == 0, err
        return out

    return run


@pytest.fixture
def followed(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path)
    for table, frame in FRAMES.items():
        workspace.store.append(table, frame, writer="scene", batch=1)
    rows = [
        look("0xa", 0.25 * OPEN, MARK * 0.985),
        look("0xb", -0.15 * OPEN, MARK * 1.02),
        look("0xc", 0.15 * OPEN, MARK * 0.97, age_ns=5 * NS_PER_HOUR),
    ]
    workspace.store.append(Table.POSITIONS, pl.DataFrame(rows), writer="test", batch=1)
    monkeypatch.setenv("LIQSCAPE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "110")
    return workspace


def test_json_says_how_much_is_measured_and_what_is_too_old(followed, say):
    said = json.loads(say("map", NAME, "--as-of", iso(END), "--json"))
    coverage = said["meta"]["coverage"]
    assert coverage["measured_share"] == pytest.approx(0.2, rel=1e-3)
    assert coverage["parts"][0]["measured_share"] == pytest.approx(0.2, rel=1e-3)
    assert coverage["parts"][0]["accounts"] == 2
    late = [each for each in said["meta"]["stale"] if each["input"] == "positions"]
    assert len(late) == 1
    assert "1 accounts" in late[0]["reason"]
    balance = said["data"]["balance"]
    for side in ("long", "short"):
        assert balance[f"{side}_base"] + balance[f"{side}_reservoir_base"] == pytest.approx(OPEN)
    assert balance["long_measured_base"] == pytest.approx(0.25 * OPEN)
    rows = said["data"]["ladder"]["long"]
    assert sum(row["measured_usd"] for row in rows) == pytest.approx(0.25 * OPEN * MARK * 0.985, rel=1e-3)
    assert sum(level["measured_usd"] for level in said["data"]["levels"]) > sum(row["measured_usd"] for row in rows)


def test_the_ladder_shows_what_is_measured_and_the_foot_says_whose(followed, say):
    text = say("map", NAME, "--as-of", iso(END))
    assert "known" in text
    assert "positions of 2 accounts known" in text
    assert "1 too old" in text
    assert "20 % measured" in text


def test_bars_show_measured_data_and_prior_apart(followed):
    out = io.StringIO()
    say_ladder(Screen(out, bars=True, color=False, width=100), ladder(build_map(followed, NAME), 0.05, 0.005))
    lines = out.getvalue().splitlines()
    assert any("▓ measured █ other data ░ prior" in line for line in lines)
    assert sum("▓" in line for line in lines) == 3  # one long level, one short level and the legend
    assert max(len(line) for line in lines) <= 100


def test_nobody_followed_nothing_said(tmp_path, monkeypatch, say):
    workspace = Workspace(tmp_path)
    for table, frame in FRAMES.items():
        workspace.store.append(table, frame, writer="scene", batch=1)
    monkeypatch.setenv("LIQSCAPE_HOME", str(tmp_path))
    text = say("map", NAME)
    assert "accounts known" not in text
    assert "0 % measured" in text
    said = json.loads(say("map", NAME, "--json"))
    assert said["meta"]["coverage"]["measured_share"] == 0.0
    assert all(row["measured_usd"] is None for row in said["data"]["ladder"]["long"])


def test_the_picture_draws_measured_bars_brightly(followed):
    figure = plot_map(build_map(followed, NAME), within=0.05)
    drawn = {artist.get_gid(): artist for axes in figure.axes for artist in axes.collections}
    assert {"measured-long", "measured-short"} <= set(drawn)
    height = max(path.vertices[:, 1].max() for path in drawn["measured-long"].get_paths())
    assert height == pytest.approx(0.25 * OPEN * MARK * 0.985 / 1.0, rel=0.7)
    assert np.isfinite(height)
