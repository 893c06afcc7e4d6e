"""The server says what the shell says: every resource over a small simulated home."""

import asyncio
import json

import httpx
import pytest

from liqscape.cli.main import main
from liqscape.server.app import create_app
from liqscape.server.options import Options
from liqscape.testing.market import MarketConfig, SimulatedMarket, write_dataset


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with ten simulated days of one instrument."""
    from liqscape.engine.importer import import_paths
    from liqscape.engine.workspace import Workspace

    folder = tmp_path_factory.mktemp("served")
    run = SimulatedMarket(MarketConfig(days=10, accounts=400, warmup_days=2), seed=3).run()
    workspace = Workspace(folder / "home")
    for name in import_paths(workspace.store, [write_dataset(run, folder / "dataset")]).simulated_instruments:
        workspace.mark_simulated(name)
    return folder / "home"


@pytest.fixture
def get(home):
    """Ask the server: `get(path) -> response`."""
    app = create_app(Options(home=home, requests_per_minute=100_000))

    def ask(*paths, **headers):
        async def asked():
            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app=app)
                async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
                    return [await client.get(path) for path in paths]

        found = asyncio.run(asked())
        return found[0] if len(found) == 1 else found

    return ask


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


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/DOGE/now", 404, "UNKNOWN_INSTRUMENT"),
        ("/api/v1/BTC/now?as_of=1999-01-01", 404, "OUT_OF_RECORD"),
        ("/api/v1/BTC/now?nonsense=1", 422, "BAD_ARGUMENT"),
        ("/api/v1/BTC/map?within=-3%25", 422, "BAD_ARGUMENT"),
        ("/api/v1/BTC/now?max_age=1s", 503, "STALE_INPUT"),
        ("/api/v1/BTC/now?require=tested", 412, "BELOW_ACCURACY"),
        ("/api/v1/nothing", 404, "NO_DATA"),
        ("/api/v1/heat/000000000000000000/0/0", 404, "NO_DATA"),
        ("/api/v1/%2e%2e%2fetc/now", 404, "NO_DATA"),
    ],
)
def test_errors_have_one_shape(get, path, status, code):
    answer = get(path)
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert found["ok"] is False
    assert found["error"]["code"] == code
    assert set(found["error"]) == {"code", "message", "hint", "context", "retry_after_s"}
