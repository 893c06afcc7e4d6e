"""Settings: one row each, the environment wins over the file, unknown names are refused."""

import pytest

from liqscape import settings
from liqscape.errors import BadArgument


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("WINDOW", "HEATMAP_WINDOW", "TIME_ZONE"):
        monkeypatch.delenv(f"LIQSCAPE_{name}", raising=False)


def test_defaults_without_a_file(tmp_path):
    assert settings.load(tmp_path).window == "1y"
    assert list(tmp_path.iterdir()) == []


def test_what_is_stored_is_read_back(tmp_path):
    settings.store("window", "90d", tmp_path)
    settings.store("heatmap_floor_usd", "50000", tmp_path)
    settings.store("reported_share.binance", "0.2,0.1,0.4", tmp_path)
    found = settings.load(tmp_path)
    assert (found.window, found.heatmap_floor_usd) == ("90d", 5e4)
    assert found.reported_share == {"binance": (0.2, 0.1, 0.4)}
    settings.store("window", None, tmp_path)
    assert settings.load(tmp_path).window == "1y"
    settings.store("venue_urls.bybit_linear.rest", "http://127.0.0.1:8080/", tmp_path)
    assert settings.load(tmp_path).venue_urls == {"bybit_linear.rest": "http://127.0.0.1:8080"}
    assert settings.load(tmp_path).reported_share == {"binance": (0.2, 0.1, 0.4)}
    settings.store("venue_urls.bybit_linear.rest", None, tmp_path)
    assert settings.load(tmp_path).venue_urls == {}


def test_the_environment_wins(tmp_path, monkeypatch):
    settings.store("window", "90d", tmp_path)
    monkeypatch.setenv("LIQSCAPE_WINDOW", "30d")
    assert settings.load(tmp_path).window == "30d"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("windo", "90d"),
        ("window", "soon"),
        ("time_zone", "Mars/Phobos"),
        ("reported_share", "0.2"),
        ("reported_share.binance", "0.2,0.3,0.4"),
        ("reported_share.binance", "a,b,c"),
        ("venue_urls", "http://127.0.0.1:8080"),
        ("venue_urls.bybit_linear", "http://127.0.0.1:8080"),
        ("venue_urls.bybit_linear.rest", "127.0.0.1:8080"),
        ("archive_url", "data"),
        ("stale_after", "never"),
        ("heatmap_floor_usd", "-1"),
        ("heatmap_floor_usd", "many"),
    ],
)
def test_bad_values_change_nothing(tmp_path, name, value):
    with pytest.raises(BadArgument):
        settings.store(name, value, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_unknown_names_and_broken_files_are_refused(tmp_path, monkeypatch):
    (tmp_path / settings.FILE).write_text('windoww = "1y"\n')
    with pytest.raises(BadArgument, match="windoww"):
        settings.load(tmp_path)
    (tmp_path / settings.FILE).write_text("window = \n")
    with pytest.raises(BadArgument, match="not TOML"):
        settings.load(tmp_path)
    (tmp_path / settings.FILE).unlink()
    monkeypatch.setenv("LIQSCAPE_WINDOWW", "1y")
    with pytest.raises(BadArgument, match="WINDOWW"):
        settings.load(tmp_path)


def test_home_is_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LIQSCAPE_HOME", str(tmp_path))
    assert settings.home() == tmp_path
    monkeypatch.delenv("LIQSCAPE_HOME")
    assert settings.home().name == "liqscape"


def test_every_setting_is_a_row_with_help():
    assert [row.name for row in settings.ROWS] == ["home", *settings.Settings.model_fields]
    assert all(row.help and row.unit for row in settings.ROWS)
