"""The server says what the shell says: every resource over a small simulated home."""

import json

import msgspec
import pytest

from liqscape.cli.main import main


def shell(home, capsys, *words):
    assert main([*words, "--home", str(home), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


SAME = [
    ("/api/v1/BTC/now", ("now", "BTC")),
    ("/api/v1/BTC/map?within=2%25&side=short", ("map", "BTC", "--within", "2%", "--side", "short")),
    ("/api/v1/BTC/asymmetry?within=1%25,5%25&usd=5M", ("asymmetry", "BTC", "--within", "1%,5%", "--usd", "5M")),
    ("/api/v1/BTC/move-to?usd=1M,5M", ("move-to", "BTC", "--usd", "1M,5M")),
    ("/api/v1/BTC/zones?top=2", ("zones", "BTC", "--top", "2")),
    ("/api/v1/BTC/fuel?since=24h", ("fuel", "BTC", "--since", "24h")),
    ("/api/v1/BTC/cascade?shock=5M&seed=3", ("cascade", "BTC", "--shock", "5M", "--seed", "3")),
    ("/api/v1/BTC/liquidations?window=3d", ("liquidations", "BTC", "--window", "3d")),
    ("/api/v1/BTC/heatmap?interval=6h&rows=40", ("heatmap", "BTC", "--interval", "6h", "--rows", "40")),
]


@pytest.mark.parametrize(("path", "words"), SAME, ids=[words[0] for _, words in SAME])
def test_http_and_shell_say_the_same(get, home, capsys, path, words):
    answer = get(path)
    assert answer.status_code == 200, answer.text
    mine, theirs = answer.json(), shell(home, capsys, *words)
    assert mine["schema"] == theirs["schema"]
    assert mine["data"] == theirs["data"]
    assert mine["links"]["reproduce"] == theirs["links"]["reproduce"]
    for key in ("as_of", "instruments", "inputs_hash", "caveats", "model", "accuracy", "simulated"):
        assert mine["meta"][key] == theirs["meta"][key], key


def test_tiles_hold_the_heatmap(get):
    grid = get("/api/v1/BTC/heat").json()["data"]
    first, last = grid["tiles"][0]
    paths = [f"/api/v1/heat/{grid['grid']}/0/{index}" for index in range(first, last + 1)]
    tiles = get("/api/v1/BTC/heat", *paths)[1:]
    assert [tile.status_code for tile in tiles] == [200] * len(paths)
    assert sum(len(tile.content) - 32 for tile in tiles) == (last - first + 1) * 256 * grid["rows"]
    assert tiles[0].headers["content-encoding"] in ("zstd", "gzip")


def test_python_says_the_same(get, home):
    """The third door: numbers of the Python calls against those of HTTP (which are the shell's, above)."""
    import liqscape as ls

    found = ls.map("BTC", home=home)
    told = get("/api/v1/BTC/map").json()
    assert told["meta"]["mark_price"] == found.mark_price
    assert told["meta"]["inputs_hash"] == "+".join(each.sha256 for each in found.inputs)
    assert told["data"]["balance"]["open_interest_base"] == found.balance.open_interest_base
    ladder = ls.ladder(found, within=0.02, step=0.005)
    asked = "/api/v1/BTC/map?within=2%25&step=0.5%25"
    assert plain(get(asked).json()["data"]["ladder"]) == plain(ladder)
    theirs = ls.frame(found).to_dicts()  # exact; the answer has six digits of it
    assert len(told["data"]["levels"]) == len(theirs)
    assert all(mine == pytest.approx(row, rel=5.1e-6, abs=1e-9) for mine, row in zip(told["data"]["levels"], theirs, strict=True))

    windows = get("/api/v1/BTC/asymmetry?within=1%25,5%25").json()["data"]
    reading = ls.asymmetry(found, within=[0.01, 0.05])
    assert windows["within"] == plain(reading.within)
    assert windows["shape"] == {"long": plain(reading.long), "short": plain(reading.short)}
    assert get("/api/v1/BTC/move-to?usd=1M,5M").json()["data"]["moves"] == plain(ls.move_to(found, usd=[1e6, 5e6]).moves)
    assert get("/api/v1/BTC/zones?top=3").json()["data"]["zones"] == plain(ls.zones(found, top=3).zones)

    cascade = get("/api/v1/BTC/cascade?shock=5M&seed=3").json()["data"]
    made = ls.cascade(found, shock_usd=5e6, seed=3, home=home)
    for way, one in made.ways.items():
        assert cascade[str(way)]["run"]["distance"] == plain(one.run.distance)
        assert cascade[str(way)]["ignition"]["p_ignites"] == plain(one.ignition.p_ignites)
    account = get("/api/v1/BTC/fuel?since=24h").json()["data"]["accounts"][0]
    theirs = ls.fuel("BTC", since="24h", home=home)[0]
    assert (account["left_fraction"], account["burnt_usd"]) == (theirs.left_fraction, theirs.burnt_usd)


def plain(value):
    return json.loads(msgspec.json.encode(value))
